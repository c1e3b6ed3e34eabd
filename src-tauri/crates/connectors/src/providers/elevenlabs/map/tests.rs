use serde_json::json;

use super::*;
use crate::providers::reading::Piece;
use crate::providers::{AssetState, Origin};

const BASE: &str = "https://e.example/v1";

#[test]
fn words_become_states() {
    use JobState::{Failed, Processing, Queued, Succeeded, Unrecognised};
    for (body, want) in [
        (json!({"history_item_id": "h", "state": "processing"}), Processing),
        (json!({"history_item_id": "h", "state": "created", "text": null}), Succeeded),
        (json!({"state": "created"}), Unrecognised),
        (json!({"history_item_id": "h", "state": "deleted"}), Succeeded),
        (json!({"history_item_id": "h", "state": "archived"}), Unrecognised),
        (json!({"history_item_id": "h"}), Unrecognised),
        (json!({}), Unrecognised),
    ] {
        assert_eq!(explain(200, body.to_string().as_bytes(), BASE).state, want, "{body}");
    }
    for (status, languages, want) in [
        ("queued", json!([]), Queued),
        ("preparing", json!(null), Processing),
        ("cloning", json!(["de"]), Processing),
        ("dubbing", json!(["de"]), Processing),
        ("dubbed", json!(["de", "fr"]), Succeeded),
        ("dubbed", json!([]), Unrecognised),
        ("dubbed", json!("de"), Unrecognised),
        ("failed", json!(["de"]), Failed),
        ("paused", json!(["de"]), Unrecognised),
    ] {
        let body = json!({"dubbing_id": "d", "status": status, "target_languages": languages}).to_string();
        assert_eq!(explain_dub(200, body.as_bytes(), BASE).state, want, "{body}");
    }
}

#[test]
fn files_have_addresses_that_are_made_from_ids() {
    let urls = |reading: Reading| match reading.pieces {
        Pieces::Listed(pieces) => {
            let urls = pieces.into_iter().filter_map(|piece| match piece {
                Piece::File(asset) => Some(asset.url),
                Piece::Filtered | Piece::Missing => None,
            });
            urls.collect()
        }
        _ => Vec::new(),
    };
    let item = br#"{"history_item_id":"h","state":"created","date_unix":1772352000}"#;
    let reading = explain(200, item, BASE);
    assert_eq!(reading.finished_at.map(|at| at.as_second()), Some(1_772_352_000));
    assert_eq!(urls(reading), ["https://e.example/v1/history/h/audio"]);
    let dub = br#"{"dubbing_id":"d","status":"dubbed","target_languages":["de","fr"]}"#;
    let want = ["https://e.example/v1/dubbing/d/audio/de", "https://e.example/v1/dubbing/d/audio/fr"];
    assert_eq!(urls(explain_dub(200, dub, BASE)), want);
}

#[test]
fn documents_are_told_apart() {
    let old = |status: &str| json!({"detail": {"status": status, "message": "as it says"}});
    let new =
        |code: &str| json!({"detail": {"type": "t", "code": code, "message": "m", "status": "s", "request_id": "r"}});
    let item = json!({"history_item_id": "h", "state": "created", "date_unix": 1});
    for (status, body, want) in [
        (200, item.clone(), Word::Succeeded),
        (200, json!({"history_item_id": "h", "state": "deleted"}), Word::Expired),
        (200, json!({"history": [item, {"state": "processing"}], "has_more": false}), Word::List),
        (200, json!({"history": [], "has_more": false, "last_history_item_id": null}), Word::List),
        (200, json!({"tier": "pro", "character_count": 5, "character_limit": 10}), Word::Billing),
        (200, json!({"user_id": "u", "subscription": {"tier": "pro"}}), Word::Billing),
        (200, json!({"audio_base64": "AAAA", "alignment": null}), Word::Succeeded),
        (200, json!({"dubbing_id": "d", "expected_duration_sec": 12.5}), Word::Queued),
        (200, json!({"dubbing_id": "d", "status": "failed", "error": "no speech"}), Word::Failed),
        (200, json!({"status": "ok"}), Word::NotAJob),
        (200, json!({"type": "post_call_transcription", "event_timestamp": 1, "data": {}}), Word::NotAJob),
        (200, json!({"voices": []}), Word::Unknown),
        (400, old("history_item_not_found"), Word::ExpiredOrUnknown),
        (400, old("max_character_limit_exceeded"), Word::Permanent),
        (400, old("content_against_policy"), Word::Failed),
        (400, old("invalid_api_key"), Word::AuthError),
        (401, old("missing_permissions"), Word::AuthError),
        (401, old("quota_exceeded"), Word::Permanent),
        (401, new("insufficient_credits"), Word::Permanent),
        (403, old("only_for_creator+"), Word::AuthError),
        (404, old("voice_not_found"), Word::ExpiredOrUnknown),
        (404, new("history_item_not_found"), Word::ExpiredOrUnknown),
        (422, json!({"detail": [{"loc": ["path"], "msg": "no", "type": "t"}]}), Word::Permanent),
        (429, old("system_busy"), Word::RateLimited),
        (429, new("concurrent_limit_exceeded"), Word::RateLimited),
        (500, json!({"detail": "oops"}), Word::Retryable),
        (503, old("maintenance"), Word::Retryable),
    ] {
        let text = body.to_string();
        let document = Document { origin: Origin::Answer, status, body: text.as_bytes() };
        assert_eq!(of_document(&super::super::FACTS, &document).word, want, "{status} {text}");
    }
    let inline = Document { origin: Origin::Answer, status: 200, body: br#"{"audio_base64":"AAAA"}"# };
    assert_eq!(of_document(&super::super::FACTS, &inline).asset, Some(AssetState::Inline));
}

#[test]
fn pages_say_after_what_the_next_begins() {
    let next = |more: Value| {
        let mut body = json!({"history": [{"history_item_id": "a"}, {"history_item_id": "b"}]});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        page(200, body.to_string().as_bytes()).expect("a page").next
    };
    assert_eq!(next(json!({"has_more": true, "last_history_item_id": "c"})).as_deref(), Some("c"));
    assert_eq!(next(json!({"has_more": true})).as_deref(), Some("b"));
    assert_eq!(next(json!({"has_more": false, "last_history_item_id": "c"})), None);
    assert_eq!(next(json!({})), None);
}
