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
    use JobState::{Cancelled, Failed, Filtered, LookupFailed, NotFound, Succeeded, Unrecognised};
    let policy = json!({"detail": [{"loc": ["body"], "msg": "flagged", "type": "content_policy_violation"}]});
    let file = json!({"video": {"url": "https://v3b.fal.media/f/a.mp4", "file_size": 12}});
    for (code, body, want) in [
        (200, &file, Succeeded),
        (200, &json!({"output": "text only"}), Succeeded),
        (422, &policy, Filtered),
        (422, &json!({"detail": "Input can't be read"}), Failed),
        (400, &json!({"detail": [{"loc": ["body"], "msg": "no", "type": "value_error"}]}), Failed),
        (422, &json!({"error_type": "bad_request"}), Failed),
        (400, &json!({"detail": "Request was cancelled", "error_type": "client_cancelled"}), Cancelled),
        (499, &json!({"detail": "gone", "error_type": "client_cancelled"}), Cancelled),
        (400, &json!({}), LookupFailed),
        (422, &json!({"message": "no"}), LookupFailed),
        (422, &json!({"detail": null}), LookupFailed),
        (422, &json!({"detail": []}), LookupFailed),
        (499, &json!({}), LookupFailed),
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
    // A firewall, a proxy or a load balancer in between answers for itself, whatever its words.
    for code in [400, 402, 405, 406, 407, 409, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424, 426, 431] {
        for body in ["", "<html><h1>Blocked</h1></html>", "{\"message\":\"Forbidden by policy\"}", "\"no\"", "[]"] {
            assert_eq!(result(code, body.as_bytes(), &is_file).state, LookupFailed, "{code} {body}");
        }
        if !matches!(code, 400 | 422) {
            assert_eq!(result(code, &bytes(&policy), &is_file).state, LookupFailed, "{code}");
        }
    }
}

/// Each model has names of its own. What has no known one is not understood, and so gives nothing back.
#[test]
fn a_result_of_unknown_names_is_not_one_without_a_file() {
    for body in [
        json!({"output": "https://v3b.fal.media/files/a.mp4"}),
        json!({"video_url": "https://v3b.fal.media/files/a.mp4"}),
        json!({"results": ["https://v3b.fal.media/files/a.mp4"]}),
        json!({"outputs": [{"file_url": "https://v3b.fal.media/files/a.mp4"}]}),
        json!({"model_glb": {"url": "https://storage.googleapis.com/bucket/a.glb"}}),
        json!({"picture": "data:image/png,x"}),
        json!({"output": "a caption", "image_url": "https://v3b.fal.media/in.png"}),
        json!({"images": []}),
        json!({"images": [], "image_url": "https://v3b.fal.media/in.png"}),
        json!({"video": null, "seed": 3}),
        json!({}),
        json!([]),
        json!(null),
    ] {
        assert_eq!(result(200, &bytes(&body), &is_file).state, JobState::Unrecognised, "{body}");
    }
}

/// It went well, and that is all: a look-up of it gives nothing back.
#[test]
fn a_result_without_any_address_went_well_and_says_of_no_item_that_it_is_missing() {
    for body in [json!({"output": "a caption"}), json!({"foo": 1}), json!({"score": 0.5, "error": null})] {
        let reading = result(200, &bytes(&body), &is_file);
        assert_eq!((reading.state, &reading.pieces), (JobState::Succeeded, &Pieces::Unlisted), "{body}");
        assert!(reading.holds_more && reading.error.is_some(), "{body}");
    }
}

#[test]
fn addresses_beside_the_files_are_kept_in_mind() {
    let file = json!({"url": "https://v3b.fal.media/f/a.mp4"});
    for (body, want) in [
        (json!({"video": file, "seed": 1, "prompt": "a fox"}), false),
        (json!({"video": file, "second_video_url": "https://v3b.fal.media/f/b.mp4"}), true),
        (json!({"video": file, "more": ["https://elsewhere.example/b.mp4"]}), true),
    ] {
        assert_eq!(result(200, &bytes(&body), &is_file).holds_more, want, "{body}");
    }
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
fn flags_are_about_the_images_and_their_places() {
    let image = |n: u32| json!({"url": format!("https://v3b.fal.media/f/{n}.png")});
    let film = json!({"url": "https://v3b.fal.media/f/v.mp4"});
    let told = |body: Value| {
        let Pieces::Listed(pieces) = result(200, &bytes(&body), &is_file).pieces else { panic!("a list: {body}") };
        let tell = |piece: Piece| match piece {
            Piece::Filtered => "withheld".to_owned(),
            Piece::Missing => "missing".to_owned(),
            Piece::File(asset) => asset.url.rsplit('/').next().unwrap_or_default().to_owned(),
        };
        pieces.into_iter().map(tell).collect::<Vec<_>>()
    };
    let beside = json!({"images": [image(0), image(1)], "video": film, "has_nsfw_concepts": [false, true]});
    assert_eq!(told(beside), ["v.mp4", "0.png", "withheld"]);
    let gap = json!({"images": [image(0), null, image(2)], "has_nsfw_concepts": [false, false, true]});
    assert_eq!(told(gap), ["0.png", "missing", "withheld"]);
}

#[test]
fn the_history_answers_for_its_request_only() {
    let id = JobId::from("req-1");
    let found = |request: Value| {
        let other = json!({"request_id": "req-0", "ended_at": "2026-03-01T08:00:00Z", "status_code": 500});
        match history(200, &bytes(&json!({"items": [other, request]})), &id, &is_file).expect("an answer") {
            Kept::Told(reading) => Some(*reading),
            Kept::Unlisted => None,
            Kept::Untold => panic!("it was answered"),
        }
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
    // A key that may not ask the history says as little of the request as a gateway that is down.
    for code in [400, 401, 403, 405, 422, 429, 500, 503] {
        let unread = history(code, b"{}", &id, &is_file).expect_err("no answer");
        assert_eq!(unread.state, JobState::LookupFailed, "HTTP {code}");
    }
    for code in [404, 410] {
        assert_eq!(history(code, b"{}", &id, &is_file), Ok(Kept::Untold), "HTTP {code}");
        for body in ["", "Not Found", "<html>"] {
            let unread = history(code, body.as_bytes(), &id, &is_file).expect_err("no answer");
            let want = (JobState::LookupFailed, Some(Cause::Passing));
            assert_eq!((unread.state, unread.cause), want, "HTTP {code}: a history that is not there: {body}");
        }
    }
    let strange = history(200, b"<html>", &id, &is_file).expect_err("no answer");
    assert_eq!(strange.state, JobState::Unrecognised);
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
