use makegood_domain::ids::JobId;
use makegood_domain::ports::JobRef;
use makegood_domain::work::JobState;
use makegood_testkit::conformance::{self, Connected, KEY, Scene, Subject};
use makegood_testkit::{Reply, Sample, Server};
use serde_json::{Value, json};

use crate::providers::subject;

const TASK: &str = "3c1d77aa-0b5e-4d0a-9a41-6f1b2c9d8e70";

struct Tasks;

impl Subject for Tasks {
    fn connect(&self, base: &str) -> Connected {
        subject::connect("bfl", &format!("{base}/v1"))
    }

    fn job_id(&self) -> JobId {
        JobId::from(TASK)
    }

    fn question(&self) -> String {
        "/v1/get_result".to_owned()
    }

    fn scene(&self, scene: &Scene) -> Option<Vec<(String, Value)>> {
        let mut body = match scene {
            // It has no word for waiting, none for cancelled, and tells nothing of files that are gone.
            Scene::Queued | Scene::Emptied | Scene::Cancelled => return None,
            Scene::Processing => json!({"status": "Pending", "progress": 0.5, "result": null}),
            Scene::Succeeded(urls) => json!({"status": "Ready", "result": {"sample": urls.first()?, "seed": 12}}),
            Scene::Failed => json!({"status": "Error", "error": "The model broke"}),
            Scene::Filtered => json!({"status": "Content Moderated", "result": null}),
            Scene::UnknownWord => json!({"status": "Suspended"}),
            Scene::Stranger => json!({"id": "another", "status": "Ready", "result": {"sample": "https://a.bfl.ai/x"}}),
        };
        if body.get("id").is_none() {
            body["id"] = json!(TASK);
        }
        Some(vec![(self.question(), body)])
    }

    fn kept_until(&self, url: &str, until: jiff::Timestamp) -> Option<Vec<(String, Value)>> {
        self.scene(&Scene::Succeeded(vec![format!("{url}&se={until}")]))
    }

    fn otherwise(&self) -> Option<(String, Value)> {
        Some(("/v1/credits".to_owned(), json!({"credits": 12.5})))
    }

    fn key_header(&self) -> (&'static str, String) {
        ("x-key", KEY.to_owned())
    }

    fn key_with_files(&self) -> bool {
        false
    }

    fn most_files(&self) -> usize {
        1
    }
}

#[tokio::test]
async fn conforms() {
    conformance::provider(&Tasks).await;
}

fn job(locator: Option<String>) -> JobRef {
    JobRef {
        provider_id: "conforming".into(),
        job_id: JobId::from(TASK),
        run_id: "run_1".into(),
        locator,
        requested_items: 1,
        submitted_at: "2026-03-01T08:00:00Z".parse().expect("a time"),
    }
}

#[tokio::test]
async fn the_address_kept_at_submission_is_asked_and_no_strangers() {
    let (server, stranger) = (Server::start().await.expect("a port"), Server::start().await.expect("a port"));
    let pending = json!({"id": TASK, "status": "Pending"});
    server.on("/regional/get_result", [Reply::json(200, &pending)]);
    stranger.on("/regional/get_result", [Reply::json(200, &pending)]);
    let connected = Tasks.connect(server.base());
    let now = "2026-03-01T08:01:00Z".parse().expect("a time");
    let kept = |base: &str| Some(format!("{base}/regional/get_result?id={TASK}"));
    let found = connected.port.find_job(&job(kept(server.base())), now).await.job;
    assert_eq!(found.state, JobState::Processing, "{found:?}");
    let refused = connected.port.find_job(&job(kept(stranger.base())), now).await.job;
    assert_eq!(refused.state, JobState::LookupFailed);
    assert!(refused.error.is_some_and(|words| words.contains("kept at submission")));
    assert!(stranger.seen().is_empty(), "the key goes to no stranger");
}

#[tokio::test]
async fn a_sample_without_a_deadline_is_kept_for_ten_minutes() {
    let server = Server::start().await.expect("a port");
    let url = format!("{}/sample.png", server.base());
    let ready = json!({"id": TASK, "status": "Ready", "result": {"sample": url}});
    server.on("/v1/get_result", [Reply::json(200, &ready)]);
    server.on("/sample.png", [Reply::file("image/png", Sample::png().bytes)]);
    let now = "2026-03-01T08:05:00Z".parse().expect("a time");
    let found = Tasks.connect(server.base()).port.find_job(&job(None), now).await.job;
    let until = found.items[0].file.as_ref().and_then(|file| file.available_until);
    assert_eq!(until.map(|t| t.to_string()).as_deref(), Some("2026-03-01T08:10:00Z"));
}

#[tokio::test]
async fn a_task_that_is_not_found_is_asked_for_twice() {
    let server = Server::start().await.expect("a port");
    let missing = json!({"id": TASK, "status": "Task not found", "result": null});
    server.on("/v1/get_result", [Reply::json(200, &missing), Reply::json(200, &json!({"status": "Pending"}))]);
    let now = "2026-03-01T08:05:00Z".parse().expect("a time");
    let found = Tasks.connect(server.base()).port.find_job(&job(None), now).await.job;
    assert_eq!(found.state, JobState::Processing, "a miss that passes");
    server.on("/v1/get_result", [Reply::json(200, &missing)]);
    let found = Tasks.connect(server.base()).port.find_job(&job(None), now).await.job;
    assert_eq!(found.state, JobState::NotFound, "{found:?}");
}

#[tokio::test]
async fn the_key_is_checked_by_what_is_the_accounts_own() {
    use makegood_domain::ports::KeyVerdict;
    for (reply, want) in [
        (Reply::json(200, &json!({"credits": 12.5})), KeyVerdict::Accepted),
        (Reply::json(403, &json!({"detail": "Not authenticated"})), KeyVerdict::AuthError),
    ] {
        let server = Server::start().await.expect("a port");
        server.on("/v1/credits", [reply]);
        let now = "2026-03-01T08:05:00Z".parse().expect("a time");
        let check = Tasks.connect(server.base()).port.check(now).await;
        assert_eq!(check.verdict, want, "{check:?}");
        assert!(server.seen().iter().all(|request| request.target == "/v1/credits"), "{:?}", server.seen());
    }
}
