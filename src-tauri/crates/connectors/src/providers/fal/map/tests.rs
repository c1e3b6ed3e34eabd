use serde_json::json;

use super::*;

fn is_file(text: &str) -> bool {
    text.starts_with("https://v3b.fal.media/") || text.starts_with("data:")
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

#[test]
fn queue_words_become_states() {
    use JobState::{Cancelled, Failed, Processing, Queued, Unrecognised};
    for (body, want) in [
        (json!({"status": "IN_QUEUE", "queue_position": 2}), Some(Queued)),
        (json!({"status": "IN_PROGRESS", "logs": null}), Some(Processing)),
        (json!({"status": "CANCELLATION_REQUESTED"}), Some(Processing)),
        (json!({"status": "COMPLETED"}), None),
        (json!({"status": "COMPLETED", "error": null, "error_type": null}), None),
        (json!({"status": "COMPLETED", "error": "Runner lost", "error_type": "runner_disconnected"}), Some(Failed)),
        (json!({"status": "COMPLETED", "error_type": "request_timeout"}), Some(Failed)),
        (json!({"status": "COMPLETED", "error": "gone", "error_type": "client_cancelled"}), Some(Cancelled)),
        (json!({"status": "FAILED"}), Some(Unrecognised)),
        (json!({"status": "completed"}), Some(Unrecognised)),
        (json!({}), Some(Unrecognised)),
    ] {
        let found = match status(202, &bytes(&body)) {
            Status::Settled(reading) => Some(reading.state),
            Status::AskResult => None,
        };
        assert_eq!(found, want, "{body}");
    }
}

#[test]
fn only_the_models_own_refusal_is_a_failure() {
    use JobState::{Failed, Filtered, LookupFailed, NotFound, Succeeded, Unrecognised};
    let policy = json!({"detail": [{"loc": ["body"], "msg": "flagged", "type": "content_policy_violation"}]});
    let file = json!({"video": {"url": "https://v3b.fal.media/f/a.mp4", "file_size": 12}});
    for (code, body, want) in [
        (200, &file, Succeeded),
        (200, &json!({"output": "text only"}), Succeeded),
        (422, &policy, Filtered),
        (422, &json!({"detail": "Input can't be read"}), Failed),
        (400, &json!({}), Failed),
        (401, &json!({}), LookupFailed),
        (403, &json!({}), LookupFailed),
        (404, &json!({}), NotFound),
        (408, &json!({}), LookupFailed),
        (429, &json!({}), LookupFailed),
        (500, &policy, LookupFailed),
        (504, &json!({"detail": "Request timed out", "error_type": "request_timeout"}), LookupFailed),
    ] {
        assert_eq!(result(code, &bytes(body), &is_file).state, want, "{code} {body}");
    }
    assert_eq!(result(200, b"<html>", &is_file).state, Unrecognised);
}

#[test]
fn flagged_images_keep_their_place() {
    let image = |n: u32| json!({"url": format!("https://v3b.fal.media/f/{n}.png")});
    let pieces = |flags: &Value| {
        let body = json!({"images": [image(0), image(1), image(2)], "has_nsfw_concepts": flags, "image_url": "https://v3b.fal.media/in"});
        let reading = result(200, &bytes(&body), &is_file);
        let Pieces::Listed(pieces) = reading.pieces else { panic!("a list") };
        (reading.state, pieces.iter().map(|p| *p == Piece::Filtered).collect::<Vec<_>>())
    };
    assert_eq!(pieces(&json!([false, true, false])), (JobState::Succeeded, vec![false, true, false]));
    assert_eq!(pieces(&json!([true, true, true])), (JobState::Filtered, vec![true; 3]));
    assert_eq!(pieces(&json!(null)), (JobState::Succeeded, vec![false; 3]));
}

#[test]
fn the_history_answers_for_its_request_only() {
    let id = JobId::from("req-1");
    let found = |request: Value| {
        let other = json!({"request_id": "req-0", "ended_at": "2026-03-01T08:00:00Z", "status_code": 500});
        history(200, &bytes(&json!({"items": [other, request]})), &id, &is_file).expect("an answer")
    };
    let ended = |code: u16| json!({"request_id": "req-1", "ended_at": "2026-03-01T08:00:00Z", "status_code": code});
    let state = |request| found(request).map(|reading| reading.state);
    assert_eq!(state(ended(422)), Some(JobState::Failed));
    assert_eq!(state(ended(499)), Some(JobState::Cancelled));
    assert_eq!(state(ended(302)), Some(JobState::Unrecognised));
    assert_eq!(state(json!({"request_id": "req-1", "ended_at": null})), Some(JobState::Processing));
    assert_eq!(state(json!({"request_id": "req-2"})), None);
    assert_eq!(found(ended(200)).map(|r| r.pieces), Some(Pieces::Gone));
    let mut whole = ended(200);
    whole["json_output"] = json!({"video": {"url": "https://v3b.fal.media/f/a.mp4"}});
    assert!(matches!(found(whole).map(|r| r.pieces), Some(Pieces::Listed(p)) if p.len() == 1));
    for (code, passes) in [(400, false), (401, false), (404, false), (429, true), (500, true), (503, true)] {
        assert_eq!(
            history(code, b"{}", &id, &is_file).map_err(|unread| unread.state),
            if passes { Err(JobState::LookupFailed) } else { Ok(None) },
            "HTTP {code}"
        );
    }
}

#[test]
fn deliveries_are_read_like_results() {
    let of = |body: Value| delivery(&bytes(&body), &is_file);
    let ok =
        json!({"request_id": "r", "status": "OK", "payload": {"images": [{"url": "https://v3b.fal.media/f/a.png"}]}});
    assert_eq!(of(ok).state, JobState::Succeeded);
    let bad = of(json!({"request_id": "r", "status": "ERROR", "payload": null, "error": "Invalid status code: 404"}));
    assert_eq!((bad.state, bad.error.as_deref()), (JobState::Failed, Some("Invalid status code: 404")));
    assert_eq!(of(json!({"request_id": "r", "status": "LATER"})).state, JobState::Unrecognised);
    assert_eq!(of(json!({})).state, JobState::Unrecognised);
}

#[test]
fn endpoints_become_request_paths() {
    for (locator, want) in [
        ("fal-ai/flux/dev", Some("fal-ai/flux")),
        ("fal-ai/flux", Some("fal-ai/flux")),
        ("/fal-ai/kling-video/v2/master/", Some("fal-ai/kling-video")),
        ("workflows/acme/poster/v1", Some("workflows/acme/poster")),
        ("comfy/acme/flow", Some("comfy/acme/flow")),
        ("https://queue.fal.run/fal-ai/flux/requests/r1/status?logs=1", Some("fal-ai/flux")),
        ("https://queue.fal.run/fal-ai/flux/requests/r1", Some("fal-ai/flux")),
        ("fal-ai", None),
        ("workflows/acme", None),
        ("https://queue.fal.run", None),
        ("", None),
    ] {
        assert_eq!(request_path(locator).map(|path| path.join("/")).as_deref(), want, "{locator}");
    }
}
