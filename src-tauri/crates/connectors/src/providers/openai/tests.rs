use makegood_domain::ids::JobId;
use makegood_domain::ports::{Capability, FileSink, JobRef, JobWindow, Start, VaultError};
use makegood_domain::work::JobState;
use makegood_testkit::conformance::{self, Connected, KEY, Listed, Scene, Subject};
use makegood_testkit::{Reply, Server};
use serde_json::{Value, json};

use crate::providers::{ProviderSettings, subject};

const VIDEO: &str = "video_4f2a";

/// The vendor's own service, or one that speaks its protocol.
struct Videos {
    retired: bool,
}

impl Subject for Videos {
    fn connect(&self, base: &str) -> Connected {
        if self.retired {
            return subject::connect_with(ProviderSettings::new("conforming", "openai"));
        }
        subject::connect("openai", &format!("{base}/v1"))
    }

    fn job_id(&self) -> JobId {
        JobId::from(VIDEO)
    }

    fn question(&self) -> String {
        format!("/v1/videos/{VIDEO}")
    }

    fn only_file(&self) -> Option<String> {
        Some(format!("/v1/videos/{VIDEO}/content"))
    }

    fn scene(&self, scene: &Scene) -> Option<Vec<(String, Value)>> {
        let mut body = match scene {
            Scene::Queued => json!({"status": "queued", "progress": 0}),
            Scene::Processing => json!({"status": "in_progress", "progress": 30}),
            Scene::Succeeded(_) => json!({"status": "completed", "completed_at": 1_772_352_000}),
            Scene::Emptied => json!({"status": "expired"}),
            Scene::Failed => json!({"status": "failed", "error": {"code": "server_error", "message": "It broke"}}),
            Scene::Filtered => json!({"status": "failed", "error": {"code": "moderation_blocked", "message": "No"}}),
            Scene::UnknownWord => json!({"status": "paused"}),
            Scene::Stranger => json!({"id": "video_other", "status": "completed"}),
            Scene::Cancelled => return None,
        };
        if body.get("id").is_none() {
            body["id"] = json!(VIDEO);
        }
        Some(vec![(self.question(), body)])
    }

    fn list(&self, jobs: &[Option<Listed>]) -> Option<(String, Value)> {
        let entry =
            |job: &Listed| json!({"id": job.id, "status": "completed", "created_at": job.created_at.as_second()});
        let jobs: Vec<_> = jobs.iter().map(|job| job.as_ref().map(entry)).collect();
        let list = ("/v1/videos".to_owned(), json!({"object": "list", "data": jobs, "has_more": false}));
        Some(list).filter(|_| !self.retired)
    }

    fn key_header(&self) -> (&'static str, String) {
        ("authorization", format!("Bearer {KEY}"))
    }

    fn key_with_files(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn conforms_as_a_service_that_is_no_more() {
    conformance::provider(&Videos { retired: true }).await;
}

#[tokio::test]
async fn conforms_where_the_protocol_lives_on() {
    let own = subject::connect_with(ProviderSettings::new("openai", "openai")).port.capability();
    let can = Capability { look_up: true, list_by_time: true, ..own };
    conformance::provider_that(&Videos { retired: false }, &can).await;
}

/// A sink that nothing is meant to come to.
struct Nobody;

#[async_trait::async_trait]
impl FileSink for Nobody {
    async fn starts(&mut self, _: &Start) -> Result<(), VaultError> {
        Ok(())
    }

    async fn write(&mut self, _: &[u8]) -> Result<(), VaultError> {
        Err(VaultError::TooLong { limit_bytes: 0 })
    }
}

fn at(text: &str) -> jiff::Timestamp {
    text.parse().expect("a time")
}

#[tokio::test]
async fn openai_itself_is_asked_nothing_and_has_nothing() {
    let connected = subject::connect_with(ProviderSettings::new("openai", "openai"));
    assert!(!connected.port.capability().look_up);
    let job = JobRef {
        provider_id: "openai".into(),
        job_id: JobId::from(VIDEO),
        run_id: "run_1".into(),
        locator: None,
        requested_items: 1,
        submitted_at: at("2026-09-20T08:00:00Z"),
    };
    let found = connected.port.find_job(&job, at("2026-11-23T08:00:00Z")).await;
    assert_eq!(found.job.state, JobState::NotFound);
    assert!(found.job.error.is_some_and(|words| words.contains("2026-09-24")));
    assert!(found.raw.is_empty(), "nobody was asked");
    let fetched = connected.port.fetch(&job, 1, &mut Nobody).await.expect_err("nothing to fetch");
    assert!(fetched.gone);
    let window = JobWindow {
        run_id: "run_1".into(),
        locator: None,
        since: at("2026-09-20T08:00:00Z"),
        until: at("2026-09-20T09:00:00Z"),
    };
    let list = connected.port.list_jobs(&window, at("2026-11-23T08:00:00Z")).await;
    assert!(list.why.is_some() && !list.is_whole && list.raw.is_empty(), "{list:?}");
}

#[tokio::test]
async fn a_list_is_read_until_it_is_older_than_the_time() {
    let server = Server::start().await.expect("a port");
    let video =
        |id: &str, created_at: &str| json!({"id": id, "status": "completed", "created_at": at(created_at).as_second()});
    let page = |videos: Vec<Value>| Reply::json(200, &json!({"object": "list", "data": videos, "has_more": true}));
    server.on(
        "/v1/videos",
        [
            page(vec![video("v5", "2026-03-01T11:00:00Z"), video("v4", "2026-03-01T09:00:00Z")]),
            page(vec![video("v3", "2026-03-01T08:30:00Z"), video("v2", "2026-03-01T07:00:00Z")]),
            page(vec![video("v1", "2026-03-01T06:00:00Z")]),
        ],
    );
    let window = JobWindow {
        run_id: "run_1".into(),
        locator: None,
        since: at("2026-03-01T08:00:00Z"),
        until: at("2026-03-01T10:00:00Z"),
    };
    let list =
        Videos { retired: false }.connect(server.base()).port.list_jobs(&window, at("2026-03-01T12:00:00Z")).await;
    let ids: Vec<_> = list.jobs.iter().map(|job| job.job_id.to_string()).collect();
    assert_eq!((ids, list.is_whole), (vec!["v4".to_owned(), "v3".to_owned()], true));
    assert_eq!(server.seen().len(), 2, "what is older is not asked for");
    assert!(server.seen()[1].target.contains("after=v4"), "{}", server.seen()[1].target);
}
