//! What a look-up makes of what a provider says, and of what goes wrong on the way.

use std::time::Duration;

use makegood_domain::work::{ItemState, JobState};

use super::{KEY, Scene, Stage, Subject, now};
use crate::{Reply, Sample};

pub(super) async fn run(subject: &dyn Subject) {
    states(subject).await;
    unanswered(subject).await;
    not_found(subject).await;
    not_found_without_a_word(subject).await;
    patience(subject).await;
    unreadable(subject).await;
    nothing_leaks(subject).await;
    keys_go_home_only(subject).await;
}

async fn states(subject: &dyn Subject) {
    use ItemState::{Failed, Filtered, Processing};
    for (scene, state, item) in [
        (Scene::Queued, JobState::Queued, Some(Processing)),
        (Scene::Processing, JobState::Processing, Some(Processing)),
        (Scene::Failed, JobState::Failed, Some(Failed)),
        (Scene::Filtered, JobState::Filtered, Some(Filtered)),
        (Scene::Cancelled, JobState::Cancelled, None),
        (Scene::UnknownWord, JobState::Unrecognised, None),
        (Scene::Stranger, JobState::Unrecognised, None),
    ] {
        let stage = Stage::set(subject).await;
        if !stage.play(&scene) {
            continue;
        }
        let found = stage.look_up(2).await;
        assert_eq!(found.job.state, state, "{scene:?}: {found:?}");
        let want: Vec<_> = item.into_iter().flat_map(|item| [item; 2]).collect();
        let items: Vec<_> = found.job.items.iter().map(|item| item.state).collect();
        assert_eq!(items, want, "items of {scene:?}");
        assert!(found.job.items.iter().all(|item| item.file.is_none()), "{scene:?} has no file");
        assert_eq!(found.job.looked_up_at, Some(now()), "{scene:?}");
        assert!(!found.raw.is_empty(), "{scene:?} keeps what was said");
        stage.only_read();
    }
    let stage = Stage::set(subject).await;
    if stage.play(&Scene::Emptied) {
        let found = stage.look_up(2).await;
        assert_eq!(found.job.state, JobState::Succeeded, "an emptied job ended well");
        let gone =
            |item: &makegood_domain::work::JobItem| item.file.as_ref().is_some_and(|f| f.exists_now == Some(false));
        assert!(found.job.items.len() == 2 && found.job.items.iter().all(gone), "its files are gone: {found:?}");
    }
}

/// Whatever says nothing about the job is a failed look-up, and never a failed job.
async fn unanswered(subject: &dyn Subject) {
    for status in [400, 401, 403, 408, 422, 429, 500, 502, 503, 504, 529] {
        let stage = Stage::set(subject).await;
        stage.answer(Reply::json(status, &serde_json::json!({"detail": "no"})));
        let found = stage.look_up(1).await;
        assert_eq!(found.job.state, JobState::LookupFailed, "HTTP {status}");
        assert!(found.job.error.is_some(), "HTTP {status} is told");
        let asked = stage.asked(&subject.question());
        let worth_it = matches!(status, 408 | 429 | 500..);
        assert_eq!(asked, if worth_it { 5 } else { 1 }, "questions after HTTP {status}");
        assert!(found.job.items.is_empty(), "HTTP {status} says nothing of items");
    }
    let stage = Stage::set(subject).await;
    stage.answer(Reply::json(200, &serde_json::json!({"filler": "x".repeat(subject.longest())})));
    assert_eq!(stage.look_up(1).await.job.state, JobState::LookupFailed, "a body over the limit");
    let stage = Stage::set(subject).await;
    stage.answer(Reply::redirect(&subject.question()));
    assert_eq!(stage.look_up(1).await.job.state, JobState::LookupFailed, "a redirect in a circle");
    let hops = if subject.method() == "GET" { 4 } else { 1 };
    assert_eq!(stage.asked(&subject.question()), hops, "three hops are followed, no more, and none with a body");
}

/// *Not found* is believed only when it is said twice.
async fn not_found(subject: &dyn Subject) {
    for status in [404, 410] {
        let stage = Stage::set(subject).await;
        stage.answer(Reply::json(status, &serde_json::json!({"detail": "nothing here"})));
        assert_eq!(stage.look_up(1).await.job.state, JobState::NotFound, "HTTP {status}");
        assert_eq!(stage.asked(&subject.question()), 2, "HTTP {status} is asked twice");
    }
    let stage = Stage::set(subject).await;
    stage.play_after([Reply::json(404, &serde_json::json!({}))], &Scene::Processing);
    assert_eq!(stage.look_up(1).await.job.state, JobState::Processing, "a 404 that passes");
}

/// Whose word a 404 is that comes without one is known only where the provider answers otherwise.
async fn not_found_without_a_word(subject: &dyn Subject) {
    let otherwise = subject.otherwise();
    let page = "<html><h1>404 Not Found</h1></html>";
    for (status, body, is_there, want) in [
        (404, "", true, JobState::NotFound),
        (404, "404 page not found\n", true, JobState::NotFound),
        (404, "", false, JobState::LookupFailed),
        (404, "Not Found", false, JobState::LookupFailed),
        (404, page, true, JobState::LookupFailed),
        (410, "", true, JobState::NotFound),
        (410, "Gone", true, JobState::NotFound),
        (410, page, true, JobState::LookupFailed),
    ] {
        let stage = Stage::set(subject).await;
        stage.server.otherwise(Reply::new(404, "text/plain", ""));
        stage.answer(Reply::new(status, "text/html", body));
        if let Some((path, body)) = otherwise.as_ref().filter(|_| is_there) {
            stage.server.on(path, [Reply::json(200, body)]);
        }
        // Who can't be asked otherwise is not believed without a word.
        let want = if status == 404 && otherwise.is_none() { JobState::LookupFailed } else { want };
        let found = stage.look_up(1).await;
        assert_eq!(
            (found.job.state, found.job.items.len()),
            (want, 0),
            "HTTP {status} {body:?}, {is_there}: {found:?}"
        );
        assert!(found.job.error.is_some_and(|why| why.contains("HTTP")), "HTTP {status} {body:?}: the reason is told");
        let asked = stage.asked(&subject.question());
        assert!(asked >= 2 || want == JobState::LookupFailed, "HTTP {status} {body:?} is asked twice: {asked}");
        stage.only_read();
    }
    let stage = Stage::set(subject).await;
    if let Some((path, body)) = &otherwise {
        stage.server.on(path, [Reply::json(200, body)]);
    }
    stage.play_after([Reply::new(404, "text/plain", "")], &Scene::Processing);
    assert_eq!(stage.look_up(1).await.job.state, JobState::Processing, "an empty 404 that passes");
    if let Some((path, body)) = &otherwise {
        let stage = Stage::set(subject).await;
        stage.server.on(path, [Reply::json(200, body)]);
        stage.play_after([Reply::new(404, "text/plain", ""), Reply::new(404, "text/plain", "")], &Scene::Processing);
        assert_eq!(stage.look_up(1).await.job.state, JobState::Processing, "one that passes after two looks");
    }
}

async fn patience(subject: &dyn Subject) {
    let busy = |after: &str| Reply::json(429, &serde_json::json!({})).header("retry-after", after);
    let date = "Sun, 01 Mar 2026 08:00:00 GMT";
    let in_body = if subject.refusal_with_wait(12).is_some() { 12 } else { 0 };
    for (reply, least) in [
        (busy("7"), 7),
        (busy("Sun, 01 Mar 2026 08:00:09 GMT").header("date", date), 9),
        (busy("2").header("retry-after", "11"), 11),
        (busy("-4"), 0),
        (busy("a while"), 0),
        (Reply::json(503, &serde_json::json!({})).header("retry-after", "3"), 3),
        (Reply::json(500, &serde_json::json!({})), 0),
        (Reply::json(429, &serde_json::json!({})), 0),
        (Reply::json(429, &subject.refusal_with_wait(12).unwrap_or_default()), in_body),
    ] {
        let stage = Stage::set(subject).await;
        stage.play_after([reply.clone()], &Scene::Processing);
        let found = stage.look_up(1).await;
        assert_eq!(found.job.state, JobState::Processing, "after {reply:?}");
        let waited = (stage.connected.waited)();
        assert!(waited >= Duration::from_secs(least), "{waited:?} is earlier than asked by {reply:?}");
        assert!(waited <= Duration::from_secs(least + 60), "{waited:?} is too long after {reply:?}");
    }
    let stage = Stage::set(subject).await;
    stage.answer(busy("1000000000"));
    assert_eq!(stage.look_up(1).await.job.state, JobState::LookupFailed, "a pause of years is not waited for");
    assert_eq!(stage.look_up(1).await.job.state, JobState::LookupFailed, "and is kept");
    assert_eq!(stage.asked(&subject.question()), 1, "nobody asks during the pause");
    assert_eq!((stage.connected.waited)(), Duration::ZERO);
}

async fn unreadable(subject: &dyn Subject) {
    for body in ["", "null", "[]", "7", "<html><body>Sign in</body></html>", "{\"status\": "] {
        let stage = Stage::set(subject).await;
        stage.answer(Reply::new(200, "application/json", body));
        let found = stage.look_up(1).await;
        assert_eq!(found.job.state, JobState::Unrecognised, "{body:?}");
        assert!(found.raw.iter().any(|raw| raw.body == body), "{body:?} is kept as it came");
    }
    let stage = Stage::set(subject).await;
    stage.answer(Reply::json(200, &serde_json::json!({"status": "x".repeat(500)})).cut_after(100));
    assert_eq!(stage.look_up(1).await.job.state, JobState::LookupFailed, "a body that breaks off");
    let stage = Stage::set(subject).await;
    stage.answer(Reply::json(200, &serde_json::json!({})).claims_length("2000"));
    assert_eq!(stage.look_up(1).await.job.state, JobState::LookupFailed, "a body shorter than it claims");
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let stage = Stage::set(subject).await;
    stage.answer(Reply::new(200, "application/json", deep));
    assert_eq!(stage.look_up(1).await.job.state, JobState::Unrecognised, "a body nested too deep");
}

/// Neither the key nor a signature gets into what is kept or said.
async fn nothing_leaks(subject: &dyn Subject) {
    let stage = Stage::set(subject).await;
    let url = stage.file_url("a");
    assert!(stage.play(&Scene::Succeeded(vec![url])), "every provider can succeed");
    stage.server.on(&stage.file_path("a"), [Reply::file("image/png", Sample::png().bytes)]);
    let echo = Stage::set(subject).await;
    echo.answer(Reply::json(
        401,
        &serde_json::json!({"detail": format!("bad key {KEY} at https://x.example/?t=SIGNATURE")}),
    ));
    for found in [stage.look_up(1).await, echo.look_up(1).await] {
        let all = format!("{found:?}");
        assert!(!all.contains(KEY) && !all.contains("SIGNATURE"), "{all}");
    }
}

async fn keys_go_home_only(subject: &dyn Subject) {
    let (name, value) = subject.key_header();
    let (stage, stranger) = (Stage::set(subject).await, Stage::set(subject).await);
    stage.play(&Scene::Processing);
    stage.look_up(1).await;
    let seen = stage.server.seen();
    assert!(!seen.is_empty() && seen.iter().all(|request| request.header(name) == Some(value.as_str())), "{seen:?}");
    stage.only_read();
    // The stranger listens on another port, which nobody trusts.
    stage.answer(Reply::redirect(&format!("{}/anything", stranger.server.base())));
    assert_eq!(stage.look_up(1).await.job.state, JobState::LookupFailed, "a redirect to a stranger");
    assert!(stranger.server.seen().is_empty(), "is not followed");
}
