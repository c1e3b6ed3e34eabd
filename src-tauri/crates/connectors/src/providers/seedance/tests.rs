use makegood_domain::ids::JobId;
use makegood_domain::ports::JobWindow;
use makegood_testkit::conformance::{self, Connected, KEY, Listed, Scene, Subject};
use makegood_testkit::{Reply, Server};
use serde_json::{Value, json};

use crate::providers::subject;

const TASK: &str = "cgt-20260301080000-x7q2p";
const LIST: &str = "/api/v3/contents/generations/tasks";

struct Tasks;

impl Subject for Tasks {
    fn connect(&self, base: &str) -> Connected {
        subject::connect("seedance", &format!("{base}/api/v3"))
    }

    fn emptied_is_gone(&self) -> bool {
        false
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
            Scene::Processing => json!({"status": "running", "error": null}),
            Scene::Succeeded(urls) => json!({"status": "succeeded", "content": {"video_url": urls.first()}}),
            Scene::Emptied => json!({"status": "succeeded", "content": null}),
            Scene::Failed => json!({"status": "expired", "execution_expires_after": 3600}),
            Scene::Filtered => json!({"status": "failed", "error": {"code": "OutputVideoSensitiveContentDetected"}}),
            Scene::Cancelled => json!({"status": "cancelled"}),
            Scene::UnknownWord => json!({"status": "archived"}),
            Scene::Stranger => json!({"id": "cgt-other", "status": "running"}),
        };
        if task.get("id").is_none() {
            task["id"] = json!(TASK);
        }
        let made = 1_772_352_000;
        task["created_at"] = json!(made);
        if *scene == Scene::Emptied {
            // More than a day ago, which is when that is the word for it.
            task["updated_at"] = json!(made - 2 * 86_400);
        }
        Some(vec![(self.question(), task)])
    }

    fn list(&self, jobs: &[Option<Listed>]) -> Option<(String, Value)> {
        let entry =
            |job: &Listed| json!({"id": job.id, "status": "succeeded", "created_at": job.created_at.as_second()});
        let jobs: Vec<_> = jobs.iter().map(|job| job.as_ref().map(entry)).collect();
        Some((LIST.to_owned(), json!({"items": jobs, "total": jobs.len()})))
    }

    fn kept_until(&self, url: &str, until: jiff::Timestamp) -> Option<Vec<(String, Value)>> {
        let seconds = until.as_second() - 1_772_352_000;
        let signed = format!("{url}&X-Tos-Date=20260301T080000Z&X-Tos-Expires={seconds}");
        self.scene(&Scene::Succeeded(vec![signed]))
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

fn window() -> JobWindow {
    let at = |text: &str| text.parse().expect("a time");
    JobWindow {
        run_id: "run_1".into(),
        locator: None,
        since: at("2026-03-01T08:00:00Z"),
        until: at("2026-03-01T08:10:00Z"),
    }
}

#[tokio::test]
async fn a_lost_task_is_looked_for_in_both_tiers() {
    let server = Server::start().await.expect("a port");
    let page = |id: &str| {
        let task = json!({"id": id, "model": "seedance-9", "status": "succeeded", "created_at": 1_772_352_010});
        Reply::json(200, &json!({"items": [task], "total": 1}))
    };
    server.on(LIST, [page("cgt-online"), page("cgt-offline")]);
    let list = Tasks.connect(server.base()).port.list_jobs(&window(), window().until).await;
    let found: Vec<_> = list.jobs.iter().map(|job| job.job_id.as_str()).collect();
    assert_eq!((found, list.is_whole), (vec!["cgt-online", "cgt-offline"], true), "{list:?}");
    let asked: Vec<_> = server.seen().iter().map(|request| request.target.clone()).collect();
    let target = |tier: &str| format!("{LIST}?page_num=1&page_size=100&filter.service_tier={tier}");
    assert_eq!(asked, [target("default"), target("flex")]);
}

#[tokio::test]
async fn a_tier_that_is_not_listed_is_told() {
    let server = Server::start().await.expect("a port");
    let whole = Reply::json(200, &json!({"items": [], "total": 0}));
    let refused = Reply::json(400, &json!({"error": {"code": "InvalidParameter", "message": "service_tier"}}));
    server.on(LIST, [whole, refused]);
    let list = Tasks.connect(server.base()).port.list_jobs(&window(), window().until).await;
    assert!(!list.is_whole && list.why.as_deref().is_some_and(|why| why.contains("tier flex")), "{list:?}");
}
