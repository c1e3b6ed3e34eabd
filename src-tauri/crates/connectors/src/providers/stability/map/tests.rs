use serde_json::json;

use super::*;

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// The first bytes of an MP4 and of a PNG, as base64.
const MP4: &str = "AAAAGGZ0eXBtcDQy";
const PNG: &str = "iVBORw0KGgo=";

#[test]
fn the_status_is_the_state() {
    use JobState::{Failed, Processing, Queued, Succeeded, Unrecognised};
    for (status, body, want) in [
        (202, json!({"id": "a", "status": "in-progress"}), Processing),
        (202, json!({}), Processing),
        (200, json!({"id": "a", "status": "in-progress"}), Processing),
        (200, json!({"id": "a", "status": "archived"}), Unrecognised),
        (200, json!({"id": "a"}), Queued),
        (200, json!({"video": MP4, "finish_reason": "SUCCESS", "seed": 1}), Succeeded),
        (200, json!({"image": PNG}), Succeeded),
        (200, json!({"image": PNG, "finish_reason": "CONTENT_FILTERED"}), Succeeded),
        (200, json!({"image": PNG, "finish_reason": "ERROR"}), Failed),
        (200, json!({"image": PNG, "finish_reason": "PAUSED"}), Unrecognised),
        (200, json!({"image": "", "finish_reason": "SUCCESS"}), Unrecognised),
        (200, json!({"image": null}), Unrecognised),
        (200, json!({"artifacts": [{"base64": PNG, "finishReason": "SUCCESS", "seed": 1}]}), Succeeded),
        (200, json!({"artifacts": []}), Unrecognised),
        (200, json!({"artifacts": [{"seed": 1}]}), Unrecognised),
        (200, json!({}), Unrecognised),
    ] {
        assert_eq!(explain(status, &bytes(&body)).state, want, "{status} {body}");
    }
    assert_eq!(explain(202, b"").state, Processing);
    assert_eq!(explain(200, b"").state, Unrecognised);
    assert_eq!(explain(200, b"<html>").state, Unrecognised);
    assert_eq!(explain(200, b"\x89PNG\r\n\x1a\nrest").state, Succeeded, "the file itself");
}

#[test]
fn files_inside_are_told_by_their_bytes() {
    let file = |body: Value| match explain(200, &bytes(&body)).pieces {
        Pieces::Listed(pieces) => match &pieces[..] {
            [Piece::File(asset)] => Some((asset.url.split(',').next().unwrap_or_default().to_owned(), asset.bytes)),
            _ => None,
        },
        Pieces::Unlisted | Pieces::Gone => None,
    };
    assert_eq!(file(json!({"video": MP4})), Some(("data:video/mp4;base64".to_owned(), 12)));
    assert_eq!(file(json!({"image": PNG})), Some(("data:image/png;base64".to_owned(), 8)));
    assert_eq!(file(json!({"image": MP4})), Some(("data:video/mp4;base64".to_owned(), 12)), "whatever it is called");
    assert_eq!(file(json!({"audio": "AAAA"})), Some(("data:audio/mpeg;base64".to_owned(), 3)));
    assert_eq!(
        file(json!({"image": format!("data:image/webp;base64,{PNG}")})).map(|f| f.0).as_deref(),
        Some("data:image/webp;base64")
    );
    assert_eq!(file(json!({"image": PNG, "finish_reason": "CONTENT_FILTERED"})), None, "a blurred image is no file");
}

#[test]
fn headers_tell_what_the_bytes_are() {
    let of = |reason: Option<&str>| {
        let reading = of_file(reason, Asset::default());
        (reading.state, reading.pieces)
    };
    let file = Pieces::Listed(vec![Piece::File(Asset::default())]);
    assert_eq!(of(None), (JobState::Succeeded, file.clone()));
    assert_eq!(of(Some("SUCCESS")), (JobState::Succeeded, file));
    assert_eq!(of(Some("CONTENT_FILTERED")), (JobState::Succeeded, Pieces::Listed(vec![Piece::Filtered])));
    assert_eq!(of(Some("PAUSED")).0, JobState::Unrecognised);
}

#[test]
fn refusals_are_read_by_their_name_then_by_their_status() {
    use JobState::{Filtered, LookupFailed, NotFound, Unrecognised};
    for (status, name, state, cause) in [
        (403, "content_moderation", Filtered, None),
        (400, "content_moderation", Filtered, None),
        (404, "not_found", NotFound, None),
        (404, "strange", NotFound, None),
        (401, "unauthorized", LookupFailed, Some(Cause::KeyRefused)),
        (403, "strange", LookupFailed, Some(Cause::KeyRefused)),
        (400, "bad_request", LookupFailed, Some(Cause::Refused)),
        (402, "payment_required", LookupFailed, Some(Cause::Refused)),
        (413, "payload_too_large", LookupFailed, Some(Cause::Refused)),
        (422, "strange", LookupFailed, Some(Cause::Refused)),
        (429, "rate_limit_exceeded", LookupFailed, Some(Cause::TooOften)),
        (500, "internal_error", LookupFailed, Some(Cause::Passing)),
        (503, "strange", LookupFailed, Some(Cause::Passing)),
        (200, "strange", Unrecognised, None),
    ] {
        let reading = explain(status, &bytes(&json!({"id": "e", "name": name, "errors": ["one", "two"]})));
        assert_eq!((reading.state, reading.cause), (state, cause), "{status} {name}");
        assert_eq!(reading.error, Some(format!("{name}: one; two")));
    }
}

#[test]
fn results_have_their_places() {
    for (locator, want) in [
        (None, "v2beta/results"),
        (Some("stable-image/upscale/fast"), "v2beta/results"),
        (Some("image-to-video"), "v2beta/image-to-video/result"),
        (
            Some("https://api.stability.ai/v2beta/stable-image/upscale/creative"),
            "v2beta/stable-image/upscale/creative/result",
        ),
    ] {
        assert_eq!(result_path(locator).join("/"), want, "{locator:?}");
    }
}
