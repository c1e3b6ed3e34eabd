use makegood_domain::ids::JobId;
use makegood_domain::ports::{JobRef, JobWindow};
use makegood_domain::work::{Job, JobState};
use makegood_testkit::conformance::{self, Connected, KEY, Listed, Scene, Subject};
use makegood_testkit::{Reply, Sample, Server};
use serde_json::{Value, json};

use crate::providers::subject;

const ITEM: &str = "h7Kq2mZp";
const REQUEST: &str = "req_Xy51";

struct Items;

impl Subject for Items {
    fn connect(&self, base: &str) -> Connected {
        subject::connect("elevenlabs", &format!("{base}/v1"))
    }

    fn job_id(&self) -> JobId {
        JobId::from(ITEM)
    }

    fn question(&self) -> String {
        format!("/v1/history/{ITEM}")
    }

    fn only_file(&self) -> Option<String> {
        Some(format!("/v1/history/{ITEM}/audio"))
    }

    fn scene(&self, scene: &Scene) -> Option<Vec<(String, Value)>> {
        let state = match scene {
            Scene::Processing => "processing",
            Scene::Succeeded(_) | Scene::Stranger => "created",
            Scene::Emptied => "deleted",
            Scene::UnknownWord => "dreaming",
            Scene::Queued | Scene::Failed | Scene::Filtered | Scene::Cancelled => return None,
        };
        let id = if *scene == Scene::Stranger { "another" } else { ITEM };
        Some(vec![(self.question(), item(id, state, "2026-03-01T08:00:04Z"))])
    }

    fn list(&self, jobs: &[Option<Listed>]) -> Option<(String, Value)> {
        let entry = |job: &Listed| item(job.id, "created", &job.created_at.to_string());
        let jobs: Vec<_> = jobs.iter().map(|job| job.as_ref().map(entry)).collect();
        Some(("/v1/history".to_owned(), json!({"history": jobs, "has_more": false})))
    }

    fn key_header(&self) -> (&'static str, String) {
        ("xi-api-key", KEY.to_owned())
    }

    fn key_with_files(&self) -> bool {
        true
    }
}

fn item(id: &str, state: &str, date: &str) -> Value {
    json!({"history_item_id": id, "request_id": format!("of_{id}"), "state": state, "date_unix": at(date).as_second(),
        "text": "Hello.", "model_id": "acme_v2", "character_count_change_from": 10, "character_count_change_to": 16})
}

fn at(text: &str) -> jiff::Timestamp {
    text.parse().expect("a time")
}

#[tokio::test]
async fn conforms() {
    conformance::provider(&Items).await;
}

fn job(id: &str, locator: Option<&str>) -> JobRef {
    JobRef {
        provider_id: "elevenlabs".into(),
        job_id: JobId::from(id),
        run_id: "run_1".into(),
        locator: locator.map(str::to_owned),
        requested_items: 1,
        submitted_at: at("2026-03-01T08:00:00Z"),
    }
}

async fn find(server: &Server, job: &JobRef) -> Job {
    Items.connect(server.base()).port.find_job(job, at("2026-03-01T09:00:00Z")).await.job
}

fn page(items: &[Value], next: Option<&str>) -> Reply {
    Reply::json(200, &json!({"history": items, "has_more": next.is_some(), "last_history_item_id": next}))
}

#[tokio::test]
async fn a_request_is_found_in_the_history_by_its_own_id() {
    let server = Server::start().await.expect("a port");
    let mut made = item(ITEM, "created", "2026-03-01T08:00:04Z");
    made["request_id"] = json!(REQUEST);
    let others = [item("o1", "created", "2026-03-01T08:20:00Z"), item("o2", "created", "2026-03-01T08:10:00Z")];
    server.on("/v1/history", [page(&others, Some("o2")), page(&[made], None)]);
    server.on(&Items.only_file().expect("a path"), [Reply::file("audio/mpeg", Sample::png().bytes)]);
    let found = find(&server, &job(REQUEST, None)).await;
    assert_eq!((found.state, found.items.len()), (JobState::Succeeded, 1), "{found:?}");
    assert_eq!(found.items[0].file.as_ref().and_then(|file| file.exists_now), Some(true));
    let pages: Vec<_> = server.seen().into_iter().filter(|r| r.target.starts_with("/v1/history?")).collect();
    let since = at("2026-03-01T07:55:00Z").as_second() - 1;
    assert!(pages[0].target.contains(&format!("date_after_unix={since}&")), "{}", pages[0].target);
    assert!(pages[1].target.contains("start_after_history_item_id=o2"), "{}", pages[1].target);
}

#[tokio::test]
async fn a_request_is_missing_only_from_a_history_that_was_read() {
    let elsewhere = [item("o1", "created", "2026-03-01T08:10:00Z")];
    for (replies, want) in [
        (vec![page(&[], None)], JobState::NotFound),
        (vec![page(&elsewhere, None)], JobState::NotFound),
        (vec![Reply::json(404, &json!({}))], JobState::NotFound),
        (vec![Reply::json(401, &json!({"detail": "no"}))], JobState::LookupFailed),
        (vec![page(&elsewhere, Some("o1")), Reply::json(500, &json!({}))], JobState::LookupFailed),
        (vec![Reply::new(200, "text/html", "<html>")], JobState::Unrecognised),
        // Without an end.
        (vec![page(&elsewhere, Some("o1"))], JobState::LookupFailed),
    ] {
        let server = Server::start().await.expect("a port");
        server.on("/v1/history", replies.clone());
        assert_eq!(find(&server, &job(REQUEST, None)).await.state, want, "{replies:?}");
    }
}

#[tokio::test]
async fn not_found_comes_with_400_too() {
    let server = Server::start().await.expect("a port");
    let missing = Reply::json(400, &json!({"detail": {"status": "history_item_not_found", "message": "No"}}));
    server
        .on(&Items.question(), [missing.clone(), Reply::json(200, &item(ITEM, "processing", "2026-03-01T08:00:04Z"))]);
    assert_eq!(find(&server, &job(ITEM, None)).await.state, JobState::Processing, "it is asked twice");
    server.on(&Items.question(), [missing]);
    assert_eq!(find(&server, &job(ITEM, None)).await.state, JobState::NotFound);
}

#[tokio::test]
async fn a_dub_has_a_file_for_each_language() {
    let server = Server::start().await.expect("a port");
    let dub = json!({"dubbing_id": "dub_1", "status": "dubbed", "target_languages": ["de", "fr"], "created_at": "2026-03-01T08:00:00Z"});
    server.on("/v1/dubbing/dub_1", [Reply::json(200, &dub)]);
    server.on("/v1/dubbing/dub_1/audio/de", [Reply::file("video/mp4", Sample::mp4(9).bytes)]);
    let found = find(&server, &JobRef { requested_items: 2, ..job("dub_1", Some("dubbing")) }).await;
    let exist: Vec<_> = found.items.iter().map(|item| item.file.as_ref().and_then(|file| file.exists_now)).collect();
    assert_eq!((found.state, exist), (JobState::Succeeded, vec![Some(true), Some(false)]));
}

#[tokio::test]
async fn a_list_holds_what_is_of_the_time() {
    let server = Server::start().await.expect("a port");
    let at_edge = item("i2", "created", "2026-03-01T08:00:00Z");
    let items = [item("i3", "created", "2026-03-01T09:00:01Z"), at_edge, item("i1", "created", "2026-03-01T07:59:59Z")];
    server.on("/v1/history", [page(&items, Some("i1"))]);
    let window = JobWindow {
        run_id: "run_1".into(),
        locator: None,
        since: at("2026-03-01T08:00:00Z"),
        until: at("2026-03-01T09:00:00Z"),
    };
    let list = Items.connect(server.base()).port.list_jobs(&window, at("2026-03-01T10:00:00Z")).await;
    assert!(list.is_whole && list.why.is_none(), "{list:?}");
    let [only] = &list.jobs[..] else { panic!("one job: {list:?}") };
    assert_eq!(
        (only.job_id.as_str(), only.reference.as_deref(), only.prompt.as_deref()),
        ("i2", Some("of_i2"), Some("Hello."))
    );
    server.on("/v1/history", [Reply::json(422, &json!({"detail": [{"msg": "page_size is too large"}]}))]);
    let list = Items.connect(server.base()).port.list_jobs(&window, at("2026-03-01T10:00:00Z")).await;
    assert!(!list.is_whole && list.why.is_some_and(|why| why.contains("page_size")));
}
