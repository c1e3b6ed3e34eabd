use makegood_domain::ids::JobId;
use makegood_domain::ports::{JobRef, JobWindow};
use makegood_domain::work::JobState;
use makegood_testkit::conformance::{self, Connected, KEY, Listed, Scene, Subject};
use makegood_testkit::{Reply, Server};
use serde_json::{Value, json};

use crate::providers::subject;

const TASK: &str = "424242000000001";
const LIST: &str = "/v2/query/video_generation";

struct Tasks;

impl Subject for Tasks {
    fn connect(&self, base: &str) -> Connected {
        subject::connect("minimax_v2", base)
    }

    fn job_id(&self) -> JobId {
        JobId::from(TASK)
    }

    fn question(&self) -> String {
        format!("{LIST}/{TASK}")
    }

    fn most_files(&self) -> usize {
        1
    }

    fn scene(&self, scene: &Scene) -> Option<Vec<(String, Value)>> {
        let mut task = match scene {
            Scene::Queued => json!({"status": "queued"}),
            Scene::Processing => json!({"status": "running"}),
            Scene::Succeeded(urls) => json!({"status": "succeeded", "content": {"url": urls.first()}}),
            Scene::Failed => json!({"status": "failed", "error": {"code": "1000", "message": "It broke"}}),
            Scene::Filtered => json!({"status": "failed", "error": {"code": "1027", "message": "Not this"}}),
            Scene::Cancelled => json!({"status": "cancelled"}),
            Scene::UnknownWord => json!({"status": "archived"}),
            Scene::Stranger => json!({"id": "1", "status": "running"}),
            Scene::Emptied => return None,
        };
        if task.get("id").is_none() {
            task["id"] = json!(TASK);
        }
        task["created_at"] = json!(1_772_352_000);
        Some(vec![(self.question(), json!({ "task": task }))])
    }

    fn list(&self, jobs: &[Option<Listed>]) -> Option<(String, Value)> {
        let entry =
            |job: &Listed| json!({"id": job.id, "status": "succeeded", "created_at": job.created_at.as_second()});
        let jobs: Vec<_> = jobs.iter().map(|job| job.as_ref().map(entry)).collect();
        Some((LIST.to_owned(), json!({"items": jobs, "total": jobs.len()})))
    }

    fn key_header(&self) -> (&'static str, String) {
        ("authorization", format!("Bearer {KEY}"))
    }

    fn key_with_files(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn conforms() {
    conformance::provider(&Tasks).await;
}

#[tokio::test]
async fn a_task_that_is_too_old_is_not_found_and_asked_for_twice() {
    let server = Server::start().await.expect("a port");
    let error = json!({"type": "bad_request_error", "message": "invalid params, invalid task_id (2013)"});
    server.on(&Tasks.question(), [Reply::json(400, &json!({"type": "error", "error": error}))]);
    let job = JobRef {
        provider_id: "minimax".into(),
        job_id: JobId::from(TASK),
        run_id: "run_1".into(),
        locator: Some("MiniMax-H3".to_owned()),
        requested_items: 1,
        submitted_at: "2026-03-01T08:00:00Z".parse().expect("a time"),
    };
    let found = Tasks.connect(server.base()).port.find_job(&job, job.submitted_at).await.job;
    assert_eq!(found.state, JobState::NotFound, "{found:?}");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_lost_task_is_found_by_its_time() {
    let server = Server::start().await.expect("a port");
    let task =
        |id: u64, second: i64| json!({"id": id, "model": "MiniMax-H3", "status": "queued", "created_at": second});
    let page = |items: Value| Reply::json(200, &json!({"items": items, "total": 3}));
    server.on(
        LIST,
        [page(json!([task(3, 1_772_359_999), task(2, 1_772_352_010)])), page(json!([task(1, 1_772_000_000)]))],
    );
    let at = |text: &str| text.parse().expect("a time");
    let (since, until) = (at("2026-03-01T08:00:00Z"), at("2026-03-01T08:10:00Z"));
    let window = JobWindow { run_id: "run_1".into(), locator: None, since, until };
    let list = Tasks.connect(server.base()).port.list_jobs(&window, until).await;
    let found: Vec<_> = list.jobs.iter().map(|job| (job.job_id.as_str(), job.model.as_deref())).collect();
    assert_eq!((found, list.is_whole), (vec![("2", Some("MiniMax-H3"))], true), "{list:?}");
    assert_eq!(server.seen()[1].target, format!("{LIST}?page_num=2&page_size=100"));
}
