use makegood_domain::ids::JobId;
use makegood_domain::ports::JobWindow;
use makegood_testkit::conformance::{self, Connected, KEY, Listed, Scene, Subject};
use makegood_testkit::{Reply, Server};
use serde_json::{Value, json};

use crate::providers::subject;

const GENERATION: &str = "9be1c3d2-5f04-4c57-8a5c-0e6f7b1d2a34";

struct Generations {
    image: bool,
}

impl Subject for Generations {
    fn connect(&self, base: &str) -> Connected {
        subject::connect("luma", &format!("{base}/dream-machine/v1"))
    }

    fn job_id(&self) -> JobId {
        JobId::from(GENERATION)
    }

    fn question(&self) -> String {
        format!("/dream-machine/v1/generations/{GENERATION}")
    }

    fn most_files(&self) -> usize {
        1
    }

    fn scene(&self, scene: &Scene) -> Option<Vec<(String, Value)>> {
        let kind = if self.image { "image" } else { "video" };
        let (state, assets, reason) = match scene {
            Scene::Queued => ("queued", json!(null), json!(null)),
            Scene::Processing => ("dreaming", json!({}), json!(null)),
            Scene::Succeeded(urls) => ("completed", json!({kind: urls.first()}), json!(null)),
            Scene::Failed => ("failed", json!(null), json!("500: the renderer broke")),
            Scene::Filtered => ("failed", json!(null), json!("400: the picture failed moderation")),
            Scene::UnknownWord => ("sleeping", json!(null), json!(null)),
            Scene::Stranger => ("completed", json!({"video": "https://storage.cdn-luma.com/x.mp4"}), json!(null)),
            Scene::Emptied | Scene::Cancelled => return None,
        };
        let id = if *scene == Scene::Stranger { "another" } else { GENERATION };
        let body = json!({
            "id": id, "generation_type": kind, "state": state, "failure_reason": reason, "assets": assets,
            "created_at": "2026-03-01T08:00:00Z", "model": "ray-9", "request": {"prompt": "a boat"},
        });
        Some(vec![(self.question(), body)])
    }

    fn list(&self, jobs: &[Option<Listed>]) -> Option<(String, Value)> {
        let entry =
            |job: &Listed| json!({"id": job.id, "state": "completed", "created_at": job.created_at.to_string()});
        let jobs: Vec<_> = jobs.iter().map(|job| job.as_ref().map(entry)).collect();
        Some((LIST.to_owned(), json!({"generations": jobs, "has_more": false})))
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
    conformance::provider(&Generations { image: false }).await;
}

#[tokio::test]
async fn conforms_for_images() {
    conformance::provider(&Generations { image: true }).await;
}

const LIST: &str = "/dream-machine/v1/generations";

fn at(text: &str) -> jiff::Timestamp {
    text.parse().expect("a time")
}

fn page(jobs: &[(&str, &str)], has_more: bool) -> Reply {
    let jobs: Vec<_> = jobs
        .iter()
        .map(|(id, created_at)| {
            json!({"id": id, "state": "completed", "created_at": created_at, "model": "ray-9", "request": {"prompt": "a boat"},
                "assets": {"video": "https://storage.cdn-luma.com/x.mp4"}})
        })
        .collect();
    Reply::json(200, &json!({"generations": jobs, "has_more": has_more, "count": jobs.len(), "limit": 100}))
}

async fn listed(server: &Server) -> (Vec<String>, bool, Option<String>) {
    let window = JobWindow {
        run_id: "run_1".into(),
        locator: None,
        since: at("2026-03-01T08:00:00Z"),
        until: at("2026-03-01T10:00:00Z"),
    };
    let port = Generations { image: false }.connect(server.base()).port;
    let list = port.list_jobs(&window, at("2026-03-01T12:00:00Z")).await;
    assert!(
        list.jobs.iter().all(|job| job.prompt.as_deref() == Some("a boat") && job.model.as_deref() == Some("ray-9"))
    );
    (list.jobs.iter().map(|job| job.job_id.to_string()).collect(), list.is_whole, list.why)
}

#[tokio::test]
async fn a_list_is_read_until_it_is_older_than_the_time() {
    let server = Server::start().await.expect("a port");
    server.on(
        LIST,
        [
            page(&[("g6", "2026-03-01T11:00:00Z"), ("g5", "2026-03-01T10:00:00Z")], true),
            // One came in between, and pushed `g5` to this page.
            page(
                &[("g5", "2026-03-01T10:00:00Z"), ("g4", "2026-03-01T08:00:00Z"), ("g3", "2026-03-01T07:59:59Z")],
                true,
            ),
            page(&[("g1", "2026-03-01T06:00:00Z")], false),
        ],
    );
    assert_eq!(listed(&server).await, (vec!["g5".to_owned(), "g4".to_owned()], true, None));
    let asked: Vec<_> = server.seen().into_iter().map(|request| request.target.replace(LIST, "")).collect();
    assert_eq!(asked, ["?limit=100&offset=0", "?limit=100&offset=2"]);
}

#[tokio::test]
async fn half_a_list_is_not_taken_for_the_whole() {
    let server = Server::start().await.expect("a port");
    let first = page(&[("g5", "2026-03-01T09:00:00Z")], true);
    server.on(LIST, [first.clone(), Reply::json(401, &json!({"detail": "Not authenticated"}))]);
    let (jobs, is_whole, why) = listed(&server).await;
    assert_eq!((jobs, is_whole), (vec!["g5".to_owned()], false));
    assert!(why.is_some_and(|why| why.contains("Not authenticated")));
    server.on(LIST, [first]);
    let (jobs, is_whole, why) = listed(&server).await;
    assert_eq!((jobs.len(), is_whole, why.is_some()), (1, false, true), "a list without an end");
    assert_eq!(server.seen().len(), 2 + 20);
    server.on(LIST, [Reply::json(200, &json!({"generations": [{"state": "completed"}]}))]);
    assert!(listed(&server).await.2.is_some_and(|why| why.contains("no generation")));
}
