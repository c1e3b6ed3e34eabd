use makegood_domain::ports::{JobList, JobWindow};
use makegood_domain::work::JobState;
use makegood_testkit::conformance::KEY;
use makegood_testkit::{Reply, Server};
use serde_json::{Value, json};

use crate::providers::{ProviderSettings, subject};

const LIST: &str = "/v1/models/requests/by-endpoint";

/// The jobs of an hour, by a connection to a queue that nobody answers at.
async fn listed(history: Option<&Server>, locator: Option<&str>) -> JobList {
    let connected = subject::connect_with(ProviderSettings {
        base_url: Some("http://127.0.0.1:9".to_owned()),
        history_url: history.map(|server| format!("{}/v1", server.base())),
        ..ProviderSettings::new("fal", "fal")
    });
    let at = |text: &str| text.parse().expect("a time");
    let (since, until) = (at("2026-03-01T08:00:00Z"), at("2026-03-01T09:00:00Z"));
    let window = JobWindow { run_id: "run_1".into(), locator: locator.map(str::to_owned), since, until };
    connected.port.list_jobs(&window, at("2026-03-01T10:00:00Z")).await
}

fn entry(id: &str, status_code: u16) -> Value {
    json!({"request_id": id, "endpoint_id": "acme/painter/fast", "sent_at": "2026-03-01T08:30:00Z",
        "started_at": "2026-03-01T08:30:02Z", "ended_at": "2026-03-01T08:30:09Z", "status_code": status_code,
        "json_input": {"prompt": "a boat"}, "json_output": {"images": [{"url": "https://v3b.fal.media/f/a.png"}]}})
}

fn page(entries: &[Value], next: Option<&str>) -> Reply {
    Reply::json(200, &json!({"items": entries, "next_cursor": next, "has_more": next.is_some()}))
}

#[tokio::test]
async fn a_list_is_read_by_its_cursor() {
    let server = Server::start().await.expect("a port");
    server.on(LIST, [page(&[entry("r1", 200), entry("r2", 422)], Some("Mg==")), page(&[entry("r3", 499)], None)]);
    let list = listed(Some(&server), Some("/acme/painter/fast/")).await;
    assert!(list.is_whole && list.why.is_none(), "{list:?}");
    let found: Vec<_> = list.jobs.iter().map(|job| (job.job_id.as_str(), job.state)).collect();
    let want = [("r1", JobState::Succeeded), ("r2", JobState::Failed), ("r3", JobState::Cancelled)];
    assert_eq!(found, want);
    let first = &list.jobs[0];
    assert_eq!((first.model.as_deref(), first.prompt.as_deref()), (Some("acme/painter/fast"), Some("a boat")));
    assert_eq!(first.created_at.map(|at| at.to_string()).as_deref(), Some("2026-03-01T08:30:00Z"));
    let asked: Vec<_> = server.seen().into_iter().map(|request| request.target.replace(LIST, "")).collect();
    let question = "?endpoint_id=acme%2Fpainter%2Ffast&start=2026-03-01T08%3A00%3A00Z&end=2026-03-01T09%3A00%3A00Z\
        &expand=payloads&limit=100";
    assert_eq!(asked, [question.to_owned(), format!("{question}&cursor=Mg%3D%3D")]);
    assert!(server.seen().iter().all(|r| r.header("authorization") == Some(format!("Key {KEY}").as_str())));
}

#[tokio::test]
async fn half_a_list_is_not_taken_for_the_whole() {
    let no_id = json!({"request_id": null, "ended_at": null});
    for (second, found, says) in [
        (
            Reply::json(401, &json!({"error": {"type": "authorization_error", "message": format!("{KEY} is no key")}})),
            1,
            "[key] is no key",
        ),
        (Reply::json(500, &json!({})), 1, "HTTP 500"),
        (page(&[], None).cut_after(10), 1, "broke off"),
        (Reply::new(200, "text/html", "<html>"), 1, "can't be read"),
        (page(&[entry("r2", 200), no_id], None), 2, "no id"),
    ] {
        let server = Server::start().await.expect("a port");
        server.on(LIST, [page(&[entry("r1", 200)], Some("c2")), second]);
        let list = listed(Some(&server), Some("acme/painter")).await;
        assert_eq!((list.jobs.len(), list.is_whole), (found, false), "{says}: {list:?}");
        assert!(list.why.as_deref().is_some_and(|why| why.contains(says)), "{says}: {:?}", list.why);
    }
}

#[tokio::test]
async fn a_list_without_an_end_is_left() {
    let server = Server::start().await.expect("a port");
    server.on(LIST, [page(&[entry("r1", 200)], Some("again"))]);
    let list = listed(Some(&server), Some("acme/painter")).await;
    assert!(!list.is_whole && list.why.is_some_and(|why| why.contains("first 20 pages")));
    assert_eq!(server.seen().len(), 20);
}

#[tokio::test]
async fn a_history_on_another_host_is_not_followed() {
    let (server, stranger) = (Server::start().await.expect("a port"), Server::start().await.expect("a port"));
    server.on(LIST, [Reply::redirect(&format!("{}{LIST}", stranger.base()))]);
    let list = listed(Some(&server), Some("acme/painter")).await;
    assert!(!list.is_whole && list.why.is_some(), "{list:?}");
    assert!(stranger.seen().is_empty());
}

#[tokio::test]
async fn without_an_endpoint_or_a_history_nothing_is_asked() {
    let server = Server::start().await.expect("a port");
    for (history, locator) in [
        (Some(&server), None),
        (Some(&server), Some("https://queue.fal.run/acme/painter/requests/r1")),
        (None, Some("acme/painter")),
    ] {
        let list = listed(history, locator).await;
        assert!(!list.is_whole && list.why.is_some() && list.raw.is_empty(), "{locator:?}: {list:?}");
    }
    assert!(server.seen().is_empty());
}
