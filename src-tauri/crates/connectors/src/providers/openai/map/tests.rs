use serde_json::json;

use super::*;
use crate::providers::{AssetState, Origin};

const BASE: &str = "https://g.example/v1/";

fn state(body: &Value) -> JobState {
    explain(200, body.to_string().as_bytes(), BASE).state
}

#[test]
fn words_become_states() {
    use JobState::{Failed, Filtered, Processing, Queued, Succeeded, Unrecognised};
    for (body, want) in [
        (json!({"id": "video_1", "status": "queued"}), Queued),
        (json!({"id": "video_1", "status": "in_progress", "progress": 40}), Processing),
        (json!({"id": "video_1", "status": "completed"}), Succeeded),
        (json!({"status": "completed"}), Unrecognised),
        (json!({"id": "video_1", "status": "expired"}), Succeeded),
        (json!({"id": "video_1", "status": "failed"}), Failed),
        (json!({"id": "video_1", "status": "failed", "error": {"code": "server_error"}}), Failed),
        (json!({"id": "video_1", "status": "failed", "error": {"code": "moderation_blocked"}}), Filtered),
        (json!({"id": "video_1", "status": "cancelled"}), Unrecognised),
        (json!({"id": "video_1", "status": null}), Unrecognised),
        (json!({"id": 7, "status": "queued"}), Unrecognised),
        (json!({}), Unrecognised),
    ] {
        assert_eq!(state(&body), want, "{body}");
    }
}

#[test]
fn a_video_is_fetched_by_its_id_until_its_deadline() {
    let body =
        json!({"id": "video_1", "status": "completed", "completed_at": 1_772_000_000, "expires_at": "1772003600"});
    let reading = explain(200, body.to_string().as_bytes(), BASE);
    let Pieces::Listed(pieces) = &reading.pieces else { panic!("a list") };
    let [crate::providers::Piece::File(asset)] = &pieces[..] else { panic!("a file") };
    assert_eq!(asset.url, "https://g.example/v1/videos/video_1/content");
    assert_eq!(asset.available_until.map(|t| t.as_second()), Some(1_772_003_600));
    assert_eq!(reading.finished_at.map(|t| t.as_second()), Some(1_772_000_000));
}

fn word(status: u16, body: &Value) -> Word {
    let text = body.to_string();
    let document = Document { origin: Origin::Answer, status, body: text.as_bytes() };
    of_document(&super::super::FACTS, &document).word
}

#[test]
fn refusals_are_told_apart() {
    let error = |code: Option<&str>, message: &str| json!({"error": {"message": message, "type": "t", "param": null, "code": code}});
    for (status, body, want) in [
        (400, error(Some("moderation_blocked"), "Refused by the safety system"), Word::Failed),
        (400, error(Some("content_policy_violation"), "Refused"), Word::Failed),
        (400, error(Some("invalid_value"), "Size is not one of"), Word::Permanent),
        (400, error(Some("billing_hard_limit_reached"), "Limit"), Word::Permanent),
        (401, error(Some("invalid_api_key"), "Incorrect key"), Word::AuthError),
        (403, error(None, "Country not supported"), Word::AuthError),
        (403, error(None, "The Videos API was shut down"), Word::ProviderRetired),
        (400, error(None, "Invalid URL in image_url"), Word::Permanent),
        (404, error(None, "No video with that id"), Word::ExpiredOrUnknown),
        (404, error(Some("not_found"), "The content has expired."), Word::Expired),
        (404, error(Some("model_not_found"), "The model `m` does not exist"), Word::ProviderRetired),
        (404, error(None, "Invalid URL (GET /v1/videos/v)"), Word::ProviderRetired),
        (410, error(None, "The Videos API has been discontinued"), Word::ProviderRetired),
        (410, json!({}), Word::ExpiredOrUnknown),
        (400, error(Some("model_deprecated"), "Gone"), Word::ProviderRetired),
        (429, error(Some("rate_limit_exceeded"), "Slow down"), Word::RateLimited),
        (429, error(Some("insufficient_quota"), "You exceeded your quota"), Word::Permanent),
        (500, error(None, "The server had an error"), Word::Retryable),
        (503, json!({}), Word::Retryable),
    ] {
        assert_eq!(word(status, &body), want, "{status} {body}");
    }
}

#[test]
fn images_and_events_are_told_apart_from_videos() {
    let event = |kind: &str, data: Value| json!({"id": "evt_1", "object": "event", "type": kind, "created_at": 1_772_000_000, "data": data});
    for (body, want) in [
        (json!({"created": 1, "data": [{"b64_json": "AAAA"}, {"url": "https://i.example/a.png"}]}), Word::Succeeded),
        (json!({"created": 1, "data": []}), Word::Unknown),
        (json!({"created": 1, "data": [{"revised_prompt": "a boat"}]}), Word::Unknown),
        (json!({"type": "image_generation.completed", "b64_json": "AAAA"}), Word::Succeeded),
        (json!({"type": "image_edit.partial_image", "b64_json": "AAAA", "partial_image_index": 0}), Word::Running),
        (json!({"type": "image_edit.completed"}), Word::Unknown),
        (json!({"id": "video_1", "object": "video.deleted", "deleted": true}), Word::Expired),
        (json!({"object": "list", "data": [], "has_more": false}), Word::List),
        (
            json!({"object": "list", "data": [{"id": "video_1", "status": "failed"}, {"id": "m", "object": "model"}]}),
            Word::List,
        ),
        (event("video.completed", json!({"id": "video_1"})), Word::Succeeded),
        (event("video.failed", json!({"id": "video_1"})), Word::Failed),
        (event("video.failed", json!({"id": "video_1", "error": {"code": "moderation_blocked"}})), Word::Failed),
        (event("video.in_progress", json!({"id": "video_1"})), Word::Running),
        (event("video.archived", json!({"id": "video_1"})), Word::Unknown),
        (event("video.completed", json!({})), Word::Unknown),
        (event("video.completed", json!("video_1")), Word::Unknown),
        (event("response.completed", json!({"id": "resp_1"})), Word::NotAJob),
    ] {
        assert_eq!(word(200, &body), want, "{body}");
    }
}

#[test]
fn an_image_is_in_the_answer_or_for_an_hour_at_an_address() {
    let text = json!({"created": 1_772_000_000, "output_format": "webp",
        "data": [{"url": "https://i.example/a.png"}, {"b64_json": "AAAA"}]})
    .to_string();
    let document = Document { origin: Origin::Answer, status: 200, body: text.as_bytes() };
    let explained = of_document(&super::super::FACTS, &document);
    assert_eq!(explained.asset, Some(AssetState::Available));
    let told: Vec<_> =
        explained.outputs.iter().map(|o| (o.url.is_some(), o.kind, o.expires_at.map(|t| t.as_second()))).collect();
    assert_eq!(told, [(true, FileKind::Image, Some(1_772_003_600)), (false, FileKind::Image, None)]);
}

#[test]
fn lists_say_how_to_go_on() {
    let more = json!({"object": "list", "data": [{"id": "a", "status": "queued", "created_at": 5}], "has_more": true});
    let first = page(200, more.to_string().as_bytes()).expect("a list");
    assert_eq!((first.jobs.len(), first.next.as_deref(), first.is_whole), (1, Some("a"), true));
    assert_eq!(first.jobs[0].created_at.map(|t| t.as_second()), Some(5));
    assert_eq!(page(401, more.to_string().as_bytes()), None);
    assert_eq!(page(200, b"{\"data\": []}"), None);
}
