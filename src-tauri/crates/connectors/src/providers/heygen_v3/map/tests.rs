use serde_json::json;

use super::*;

fn explained(body: &Value) -> Reading {
    explain(200, body.to_string().as_bytes())
}

#[test]
fn words_become_states() {
    use JobState::{Failed, Filtered, Processing, Queued, Succeeded, Unrecognised};
    let url = "https://files.heygen.ai/v/1.mp4?Expires=1";
    for (video, want) in [
        (json!({"id": "v", "status": "pending"}), Queued),
        (json!({"id": "v", "status": "waiting"}), Queued),
        (json!({"video_id": "v"}), Queued),
        (json!({"id": "v", "status": "processing", "video_url": null}), Processing),
        (json!({"session_id": "s", "video_id": "v", "status": "generating"}), Processing),
        (json!({"id": "v", "status": "completed", "video_url": url}), Succeeded),
        (json!({"id": "v", "status": "completed"}), Unrecognised),
        (json!({"id": "v", "status": "completed", "video_url": "", "thumbnail_url": url}), Unrecognised),
        (json!({"id": "v", "status": "failed"}), Failed),
        (json!({"id": "v", "status": "failed", "failure_code": "CONTENT_MODERATION_REJECTED"}), Filtered),
        (json!({"id": "v", "status": "failed", "error": {"code": 40119, "message": "too long"}}), Failed),
        (json!({"id": "v", "status": "draft"}), Unrecognised),
        (json!({"id": "v", "status": "COMPLETED", "video_url": url}), Unrecognised),
        (json!({"id": "v"}), Unrecognised),
        (json!({}), Unrecognised),
    ] {
        assert_eq!(explained(&json!({"data": video})).state, want, "{video}");
        assert_eq!(explained(&video).state, want, "without its wrapping: {video}");
    }
}

#[test]
fn a_refusal_may_come_with_the_status_of_an_answer() {
    for (body, state, cause) in [
        (json!({"error": {"code": "video_not_found", "message": "no"}}), JobState::NotFound, None),
        (json!({"data": null, "error": "Video does not exist"}), JobState::NotFound, None),
        (
            json!({"code": 400_112, "message": "Unauthorized", "data": null}),
            JobState::LookupFailed,
            Some(Cause::KeyRefused),
        ),
        (
            json!({"error": {"code": "rate_limit_exceeded", "message": "slow"}}),
            JobState::LookupFailed,
            Some(Cause::TooOften),
        ),
        (
            json!({"error": {"code": "internal_error", "message": "sorry"}}),
            JobState::LookupFailed,
            Some(Cause::Passing),
        ),
        (
            json!({"error": {"code": "invalid_parameter", "message": "id"}}),
            JobState::LookupFailed,
            Some(Cause::Refused),
        ),
        (json!({"error": {"code": "moved", "message": "elsewhere"}}), JobState::Unrecognised, None),
        (json!({"code": 100, "message": "Success", "data": null}), JobState::Unrecognised, None),
    ] {
        let reading = explained(&body);
        assert_eq!((reading.state, reading.cause), (state, cause), "{body}");
    }
}

#[test]
fn deliveries_tell_the_outcome_by_their_type() {
    let of = |kind: &str, data: Value| delivery(json!({"event_type": kind, "event_data": data}).to_string().as_bytes());
    let url = json!({"video_id": "v", "url": "https://files.heygen.ai/v.mp4", "callback_id": "run_1"});
    let good = of("avatar_video.success", url.clone()).expect("about a video");
    assert_eq!((good.state, good.about), (JobState::Succeeded, Some(JobId::from("v"))));
    let bad = of("avatar_video.fail", json!({"video_id": "v", "msg": "no voice"})).expect("about a video");
    assert_eq!((bad.state, bad.error.as_deref()), (JobState::Failed, Some("no voice")));
    let state = |kind: &str, data: Value| of(kind, data).map(|reading| reading.state);
    let translated = json!({"video_translate_id": "t", "url": "https://files.heygen.ai/t.mp4"});
    assert_eq!(state("video_translate.success", translated), Some(JobState::Succeeded));
    assert_eq!(state("avatar_video.success", json!({"video_id": "v"})), Some(JobState::Unrecognised));
    assert_eq!(state("avatar_video.paused", url), Some(JobState::Unrecognised));
    assert_eq!(state("instant_avatar.success", json!({"avatar_id": "a"})), None);
    assert_eq!(delivery(b"{}"), None);
}

#[test]
fn lists_are_read_in_both_versions() {
    let one = json!({"id": "v1", "status": "completed", "created_at": 1_772_352_000, "callback_id": "run_1"});
    let new = json!({"data": [one, {"id": "v2", "status": "draft"}], "has_more": true, "next_token": "n"});
    let read = page(200, new.to_string().as_bytes()).expect("a page");
    let states: Vec<_> = read.jobs.iter().map(|job| job.state).collect();
    assert_eq!(states, [JobState::Succeeded, JobState::Unrecognised]);
    assert_eq!(read.jobs[0].created_at.map(|t| t.to_string()).as_deref(), Some("2026-03-01T08:00:00Z"));
    assert_eq!((read.jobs[0].reference.as_deref(), read.next.as_deref()), (Some("run_1"), Some("n")));
    let old = json!({"code": 100, "data": {"token": "n", "videos": [{"video_id": "v1", "status": "failed"}]}, "message": null});
    assert_eq!(page(200, old.to_string().as_bytes()).and_then(|page| page.next).as_deref(), Some("n"));
    let last = json!({"data": [one], "has_more": false, "next_token": "n"});
    assert_eq!(page(200, last.to_string().as_bytes()).map(|page| page.next), Some(None));
    assert_eq!(page(200, br#"{"data":{"id":"v1"}}"#), None);
    assert_eq!(page(401, br#"{"data":[]}"#), None);
}
