use serde_json::json;

use super::*;

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn answered(data: &Value) -> Reading {
    explain(200, &bytes(&json!({"code": 0, "message": "SUCCEED", "request_id": "r1", "data": data}))).reading
}

fn task(more: &Value) -> Value {
    let mut task = json!({"task_id": "7001", "created_at": 1_772_350_000_000_i64, "updated_at": "1772350060000"});
    for (name, value) in more.as_object().into_iter().flatten() {
        task[name] = value.clone();
    }
    task
}

#[test]
fn words_become_states() {
    use JobState::{Failed, Filtered, Processing, Queued, Succeeded, Unrecognised};
    let videos = json!({"videos": [{"id": "v", "url": "https://v1-kling.klingai.com/a.mp4", "duration": "5"}]});
    for (more, want) in [
        (json!({"task_status": "submitted"}), Queued),
        (json!({"task_status": "processing", "task_result": {}}), Processing),
        (json!({"task_status": "succeed", "task_result": videos}), Succeeded),
        (json!({"task_status": "succeed", "task_result": {}}), Unrecognised),
        (json!({"task_status": "succeed", "task_result": null}), Unrecognised),
        (json!({"task_status": "succeed", "task_result": {"videos": []}}), Unrecognised),
        (json!({"task_status": "succeed", "task_result": {"videos": [{"id": "v", "url": ""}]}}), Unrecognised),
        (json!({"task_status": "succeed", "task_result": {"videos": ["x"]}}), Unrecognised),
        (json!({"task_status": "succeeded", "task_result": videos}), Unrecognised),
        (json!({"task_status": "failed", "task_status_msg": "Service busy, points have been returned"}), Failed),
        (json!({"task_status": "failed"}), Failed),
        (json!({"task_status": "failed", "task_status_msg": "Failure to pass the risk control system"}), Filtered),
        (json!({"task_status": "paused"}), Unrecognised),
        (json!({"task_status": null}), Unrecognised),
        (json!({}), Unrecognised),
    ] {
        assert_eq!(answered(&task(&more)).state, want, "{more}");
        let callback = explain(200, &bytes(&task(&more))).reading;
        assert_eq!(callback, answered(&task(&more)), "a callback is the bare task: {more}");
    }
}

#[test]
fn id_reference_and_times_are_read() {
    let told = explain(
        200,
        &bytes(&json!({"code": "0", "data": task(&json!({"task_id": 7001, "task_status": "failed",
            "task_info": {"external_task_id": "run-1"}}))})),
    );
    assert_eq!(told.reference.as_deref(), Some("run-1"));
    assert_eq!(told.reading.about, Some(JobId::from("7001")));
    assert_eq!(told.reading.finished_at.map(|t| t.as_second()), Some(1_772_350_060));
    assert_eq!(answered(&task(&json!({"task_status": "processing"}))).finished_at, None);
}

#[test]
fn an_address_under_an_unknown_name_is_kept_in_mind() {
    let url = "https://v1-kling.klingai.com/a.mp4";
    for (result, want) in [
        (json!({"videos": [{"id": "v", "url": url, "watermark_url": "https://c.example/w.mp4"}]}), false),
        (json!({"videos": [{"url": url}, {"id": "v2", "url": ""}]}), false),
        (json!({"videos": [{"url": url}, {"id": "v2", "video_url": "https://c.example/b.mp4"}]}), true),
        (json!({"videos": [{"url": url}], "clips": [{"url": "https://c.example/b.mp4"}]}), true),
    ] {
        let reading = answered(&task(&json!({"task_status": "succeed", "task_result": result})));
        assert_eq!((reading.state, reading.holds_more), (JobState::Succeeded, want), "{result}");
    }
}

#[test]
fn pictures_are_ordered_by_index_and_gaps_stay_gaps() {
    let image = |index: Value, name: &str| json!({"index": index, "url": format!("https://c.example/{name}.png")});
    let order = |images: Value| {
        let reading = answered(&task(&json!({"task_status": "succeed", "task_result": {"images": images}})));
        let Pieces::Listed(pieces) = reading.pieces else { panic!("a list") };
        let name = |piece: &Piece| match piece {
            Piece::File(asset) => asset.url.trim_start_matches("https://c.example/").to_owned(),
            Piece::Filtered | Piece::Missing => "-".to_owned(),
        };
        pieces.iter().map(name).collect::<Vec<_>>().join(" ")
    };
    for (images, want) in [
        (json!([image(json!(1), "b"), image(json!(0), "a")]), "a.png b.png"),
        (json!([image(json!(2), "c"), image(json!("0"), "a")]), "a.png - c.png"),
        (json!([image(json!(0), "a"), {"index": 1, "url": ""}]), "a.png -"),
        // What can't be an order is none: then as they come.
        (json!([image(json!(0), "x"), image(json!(0), "y")]), "x.png y.png"),
        (json!([image(json!(null), "x"), image(json!(0), "y")]), "x.png y.png"),
        (json!([image(json!(-1), "x"), image(json!(9_000_000), "y")]), "x.png y.png"),
    ] {
        assert_eq!(order(images.clone()), want, "{images}");
    }
}

#[test]
fn sounds_and_series_are_files_too() {
    let count = |result: Value| match answered(&task(&json!({"task_status": "succeed", "task_result": result}))).pieces
    {
        Pieces::Listed(pieces) => pieces.len(),
        Pieces::Unlisted | Pieces::Gone => 0,
    };
    assert_eq!(count(json!({"audios": [{"id": "a", "url_mp3": "https://c.example/a.mp3", "url_wav": ""}]})), 1);
    assert_eq!(count(json!({"series_images": [{"index": 0, "url": "https://c.example/0.png"}], "images": []})), 1);
}

#[test]
fn codes_say_more_than_the_status() {
    use JobState::{Filtered, LookupFailed, NotFound, Unrecognised};
    for (status, code, message, state, cause) in [
        (401, 1002, "Authorization is invalid", LookupFailed, Some(Cause::KeyRefused)),
        (403, 1103, "no access to this model", LookupFailed, Some(Cause::KeyRefused)),
        (429, 1101, "Account in arrears", LookupFailed, Some(Cause::Refused)),
        (429, 1102, "Resource pack exhausted", LookupFailed, Some(Cause::Refused)),
        (429, 1304, "IP is not on the list", LookupFailed, Some(Cause::Refused)),
        (429, 1302, "Too fast", LookupFailed, Some(Cause::TooOften)),
        (429, 1303, "Too many tasks", LookupFailed, Some(Cause::TooOften)),
        (400, 1201, "bad number", LookupFailed, Some(Cause::Refused)),
        (400, 1201, "Task not found", NotFound, None),
        (404, 1202, "No such method", NotFound, None),
        (404, 1203, "No such resource", NotFound, None),
        (200, 1203, "No such resource", NotFound, None),
        (400, 1301, "Content security", Filtered, None),
        (500, 5000, "Internal", LookupFailed, Some(Cause::Passing)),
        (504, 5002, "Timeout", LookupFailed, Some(Cause::Passing)),
        (200, 5001, "Maintenance", LookupFailed, Some(Cause::Passing)),
        // Codes that nobody has told us: the status says what it can.
        (200, 7777, "New", Unrecognised, None),
        (404, 7777, "New", NotFound, None),
        (503, 7777, "New", LookupFailed, Some(Cause::Passing)),
    ] {
        let reading =
            explain(status, &bytes(&json!({"code": code, "message": message, "request_id": "r", "data": null})))
                .reading;
        assert_eq!((reading.state, reading.cause), (state, cause), "{status} {code}");
        assert!(reading.error.is_some(), "{status} {code}");
    }
    assert_eq!(explain(502, b"<html>").reading.cause, Some(Cause::Passing));
    assert_eq!(explain(200, b"<html>").reading.state, Unrecognised);
    assert_eq!(explain(200, br#"{"code":0,"message":"SUCCEED"}"#).reading.state, Unrecognised);
}

#[test]
fn lists_keep_what_is_a_task() {
    let body = json!({"code": 0, "data": [
        task(&json!({"task_status": "processing", "task_info": {"external_task_id": "run-9"}})),
        {"task_status": "succeed"}, 7, null,
    ]});
    let page = page(200, &bytes(&body)).expect("a page");
    assert_eq!((page.jobs.len(), page.unread), (1, 3));
    assert_eq!((page.jobs[0].state, page.jobs[0].reference.as_deref()), (JobState::Processing, Some("run-9")));
    assert_eq!(page.jobs[0].created_at.map(|t| t.as_second()), Some(1_772_350_000));
    let refused = super::page(429, &bytes(&json!({"code": 1303, "message": "busy"})));
    assert_eq!(refused.map_err(|unread| unread.cause), Err(Some(Cause::TooOften)));
    assert!(super::page(200, &bytes(&json!({"code": 0, "data": {}}))).is_err());
    assert!(is_list(&bytes(&json!({"code": 0, "data": []}))) && !is_list(&bytes(&json!({"code": 0, "data": {}}))));
}

#[test]
fn locators_become_paths() {
    for (locator, want) in [
        ("videos/text2video", Some("videos/text2video")),
        ("/v1/videos/image2video/", Some("videos/image2video")),
        ("https://api-singapore.klingai.com/v1/images/generations/7001?x=1", Some("images/generations")),
        ("v1/videos/avatar/image2video", Some("videos/avatar/image2video")),
        ("v1/videos/omni-video/7001", Some("videos/omni-video")),
        ("audio/text-to-audio", Some("audio/text-to-audio")),
        ("videos", None),
        ("kling-v3", None),
        ("videos/../account", None),
        ("account/costs", None),
        ("https://api-singapore.klingai.com", None),
        ("", None),
    ] {
        assert_eq!(type_path(locator).map(|path| path.join("/")).as_deref(), want, "{locator}");
    }
}
