use serde_json::json;

use super::*;

const FILE: &str = "https://ark-content-generation-cn-beijing.tos-cn-beijing.volces.com/a.mp4";

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn answered(more: &Value) -> Reading {
    let mut task =
        json!({"id": "cgt-1", "model": "seedance-9", "created_at": 1_772_352_000, "updated_at": 1_772_352_300});
    for (name, value) in more.as_object().into_iter().flatten() {
        task[name] = value.clone();
    }
    explain(200, &bytes(&task))
}

#[test]
fn words_become_states() {
    use JobState::{Cancelled, Failed, Filtered, Processing, Queued, Succeeded, Unrecognised};
    for (more, want) in [
        (json!({"status": "queued"}), Queued),
        (json!({"status": "running", "error": null}), Processing),
        (json!({"status": "succeeded", "content": {"video_url": FILE}, "error": null}), Succeeded),
        (json!({"status": "failed", "error": {"code": "InternalServiceError", "message": "It broke"}}), Failed),
        (json!({"status": "failed", "error": null}), Failed),
        (json!({"status": "failed", "error": {"code": "OutputVideoSensitiveContentDetected"}}), Filtered),
        (
            json!({"status": "failed", "error": {"code": "InputImageSensitiveContentDetected.PolicyViolation"}}),
            Filtered,
        ),
        (json!({"status": "expired"}), Failed),
        (json!({"status": "cancelled"}), Cancelled),
        (json!({"status": "SUCCEEDED"}), Unrecognised),
        (json!({"status": "archived"}), Unrecognised),
        (json!({"status": 5}), Unrecognised),
        (json!({}), Unrecognised),
    ] {
        assert_eq!(answered(&more).state, want, "{more}");
    }
    let ended = answered(&json!({"status": "failed", "error": {"code": "Broken", "message": "It broke"}}));
    assert_eq!(ended.about, Some(JobId::from("cgt-1")));
    assert_eq!(ended.finished_at.map(|at| at.as_second()), Some(1_772_352_300));
    assert_eq!(ended.error.as_deref(), Some("Broken: It broke"));
    let taken = explain(200, br#"{"id":"cgt-2"}"#);
    assert_eq!((taken.state, taken.about), (JobState::Queued, Some(JobId::from("cgt-2"))));
}

#[test]
fn an_emptied_content_is_gone_and_a_strange_one_is_not() {
    let pieces = |content: Value| answered(&json!({"status": "succeeded", "content": content})).pieces;
    assert_eq!(answered(&json!({"status": "succeeded"})).pieces, Pieces::Gone);
    for emptied in [json!(null), json!({}), json!({"video_url": null}), json!({"video_url": "", "last_frame_url": ""})]
    {
        assert_eq!(pieces(emptied.clone()), Pieces::Gone, "{emptied}");
    }
    for strange in [json!({"video_url": 7}), json!({"audio": "x"}), json!([1]), json!("text")] {
        let reading = answered(&json!({"status": "succeeded", "content": strange}));
        assert_eq!(reading.state, JobState::Unrecognised, "{strange}");
    }
}

#[test]
fn an_emptied_content_is_believed_when_its_day_is_over() {
    let at = |second: i64| Timestamp::from_second(1_772_352_000 + second).expect("an instant");
    let day = 86_400;
    // Submitted at 0; it ended at 300, where the task tells that.
    for emptied in [json!(null), json!({}), json!({"video_url": ""}), json!({"video_url": null})] {
        let body = json!({"status": "succeeded", "content": emptied});
        for (now, ended, want) in [
            (at(600), json!(1_772_352_300), JobState::LookupFailed),
            (at(299 + day), json!(1_772_352_300), JobState::LookupFailed),
            (at(300 + day), json!(1_772_352_300), JobState::Succeeded),
            (at(day - 1), json!(null), JobState::LookupFailed),
            (at(day), json!(null), JobState::Succeeded),
            (at(0), json!(1_772_352_300), JobState::LookupFailed),
        ] {
            let mut task = body.clone();
            task["updated_at"] = ended.clone();
            let reading = believed_at(now, at(0), answered(&task));
            assert_eq!(reading.state, want, "{task} at {now}");
            assert_eq!(reading.pieces == Pieces::Gone, want == JobState::Succeeded, "{task} at {now}");
            assert_eq!(reading.about, Some(JobId::from("cgt-1")));
        }
    }
    let there = answered(&json!({"status": "succeeded", "content": {"video_url": FILE}}));
    assert_eq!(believed_at(at(600), at(0), there.clone()), there);
    let failed = answered(&json!({"status": "failed", "content": null}));
    assert_eq!(believed_at(at(600), at(0), failed.clone()), failed);
}

#[test]
fn an_address_in_another_place_is_kept_in_mind() {
    let task = json!({"status": "succeeded", "content": null, "callback_url": "https://p.example/hook"});
    assert_eq!(answered(&task).pieces, Pieces::Gone);
    let moved = json!({"status": "succeeded", "content": null, "output": {"video_url": FILE}});
    assert_eq!(answered(&moved).state, JobState::Unrecognised);
    let both = |more: Value| answered(&json!({"status": "succeeded", "content": more})).holds_more;
    assert!(!both(json!({"video_url": FILE, "last_frame_url": "https://c.example/last.png"})));
    assert!(both(json!({"video_url": FILE, "second_video_url": "https://c.example/b.mp4"})));
}

#[test]
fn the_video_comes_alone_with_the_end_of_its_signature() {
    let until = |query: &str| {
        let content = json!({"video_url": format!("{FILE}{query}"), "last_frame_url": "https://c.example/last.png"});
        match answered(&json!({"status": "succeeded", "content": content})).pieces {
            Pieces::Listed(pieces) if pieces.len() == 1 => match &pieces[0] {
                crate::providers::Piece::File(asset) => asset.available_until.map(|at| at.to_string()),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    };
    let day = until("?X-Tos-Algorithm=a&X-Tos-Date=20260301T080500Z&X-Tos-Expires=86400&X-Tos-Signature=x");
    assert_eq!(day.as_deref(), Some("2026-03-02T08:05:00Z"));
    for odd in [
        "",
        "?X-Tos-Expires=86400",
        "?X-Tos-Date=soon&X-Tos-Expires=1",
        "?X-Tos-Date=20260301T080500Z&X-Tos-Expires=-1",
    ] {
        assert_eq!(until(odd), None, "{odd}");
    }
}

#[test]
fn refusals_are_read_by_their_code_then_by_their_status() {
    use JobState::{Filtered, LookupFailed, NotFound};
    for (status, code, message, state, cause) in [
        (404, "ResourceNotFound", "not found", NotFound, None),
        (404, "Strange", "nothing", NotFound, None),
        (400, "InvalidParameter", "The task is not found", NotFound, None),
        (400, "InvalidParameter", "page_num", LookupFailed, Some(Cause::Refused)),
        (400, "InputTextSensitiveContentDetected", "no", Filtered, None),
        (401, "AuthenticationError", "bad key", LookupFailed, Some(Cause::KeyRefused)),
        (403, "AccessDenied", "not yours", LookupFailed, Some(Cause::KeyRefused)),
        (403, "AccountOverdueError", "pay", LookupFailed, Some(Cause::Refused)),
        (429, "QuotaExceeded", "free quota", LookupFailed, Some(Cause::Refused)),
        (429, "ModelAccountRpmRateLimitExceeded", "slow", LookupFailed, Some(Cause::TooOften)),
        (429, "ServerOverloaded", "slow", LookupFailed, Some(Cause::TooOften)),
        (500, "InternalServiceError", "oops", LookupFailed, Some(Cause::Passing)),
        (503, "Strange", "oops", LookupFailed, Some(Cause::Passing)),
        (200, "InternalServiceError", "oops", LookupFailed, Some(Cause::Passing)),
        (200, "Strange", "oops", JobState::Unrecognised, None),
    ] {
        let body = bytes(&json!({"error": {"code": code, "message": message, "param": "", "type": "T"}}));
        let reading = explain(status, &body);
        assert_eq!((reading.state, reading.cause), (state, cause), "{status} {code}");
        assert!(reading.error.is_some_and(|words| words.contains(message)), "{status} {code}");
        assert!(page(status, &body).is_err_and(|unread| unread.state == state), "{status} {code}");
    }
}

#[test]
fn lists_keep_what_is_a_task() {
    let task = json!({"id": "cgt-1", "model": "seedance-9", "status": "succeeded", "created_at": 1_772_352_000});
    let page = page(200, &bytes(&json!({"items": [task, {}, 7], "total": 3}))).expect("a page");
    assert_eq!((page.jobs.len(), page.unread, page.total), (1, 2, Some(3)));
    assert_eq!((page.jobs[0].state, page.jobs[0].model.as_deref()), (JobState::Succeeded, Some("seedance-9")));
    assert!(is_list(br#"{"items":[],"total":0}"#) && !is_list(br#"{"id":"cgt-1"}"#));
}
