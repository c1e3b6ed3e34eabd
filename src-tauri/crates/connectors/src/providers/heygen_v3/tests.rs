use makegood_domain::ids::JobId;
use makegood_domain::ports::JobWindow;
use makegood_testkit::conformance::{self, Connected, KEY, Listed, Scene, Subject};
use makegood_testkit::{Reply, Server};
use serde_json::{Value, json};

use crate::providers::subject;

const VIDEO: &str = "7f4e1d0c9b8a4c6e";

struct Videos;

impl Subject for Videos {
    fn connect(&self, base: &str) -> Connected {
        subject::connect("heygen_v3", base)
    }

    fn job_id(&self) -> JobId {
        JobId::from(VIDEO)
    }

    fn question(&self) -> String {
        format!("/v3/videos/{VIDEO}")
    }

    fn scene(&self, scene: &Scene) -> Option<Vec<(String, Value)>> {
        let mut video = match scene {
            // It has no word for cancelled, and tells nothing of files that are gone.
            Scene::Emptied | Scene::Cancelled => return None,
            Scene::Queued => json!({"status": "pending"}),
            Scene::Processing => json!({"status": "processing", "video_url": null}),
            Scene::Succeeded(urls) => json!({"status": "completed", "video_url": urls.first()?,
                "thumbnail_url": "https://files.heygen.ai/t.jpg", "duration": 4.5}),
            Scene::Failed => json!({"status": "failed", "failure_code": "RENDER_FAILED", "failure_message": "broke"}),
            Scene::Filtered => json!({"status": "failed", "failure_code": "CONTENT_MODERATION"}),
            Scene::UnknownWord => json!({"status": "archived"}),
            Scene::Stranger => json!({"id": "other", "status": "completed", "video_url": "https://files.heygen.ai/x"}),
        };
        if video.get("id").is_none() {
            video["id"] = json!(VIDEO);
        }
        video["created_at"] = json!(1_772_352_000);
        Some(vec![(self.question(), json!({ "data": video }))])
    }

    fn list(&self, jobs: &[Option<Listed>]) -> Option<(String, Value)> {
        let entry =
            |job: &Listed| json!({"id": job.id, "status": "completed", "created_at": job.created_at.as_second()});
        let jobs: Vec<_> = jobs.iter().map(|job| job.as_ref().map(entry)).collect();
        Some(("/v3/videos".to_owned(), json!({"data": jobs, "has_more": false})))
    }

    fn key_header(&self) -> (&'static str, String) {
        ("x-api-key", KEY.to_owned())
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
    conformance::provider(&Videos).await;
}

#[tokio::test]
async fn pages_are_read_until_one_is_older() {
    let server = Server::start().await.expect("a port");
    // 08:00, 09:00 … of 2026-03-01.
    let video =
        |hour: u32| json!({"id": format!("v{hour}"), "status": "completed", "created_at": 1_772_323_200 + 3600 * hour});
    let page = |hours: &[u32], next: &str| {
        let videos: Vec<_> = hours.iter().map(|hour| video(*hour)).collect();
        Reply::json(200, &json!({"data": videos, "has_more": true, "next_token": next}))
    };
    server.on("/v3/videos", [page(&[12, 10], "a"), page(&[9, 7], "b"), page(&[6], "c")]);
    let time = |hour: u32| format!("2026-03-01T{hour:02}:00:00Z").parse().expect("a time");
    let window = JobWindow { run_id: "run_1".into(), locator: None, since: time(8), until: time(11) };
    let found = subject::connect("heygen_v3", server.base()).port.list_jobs(&window, time(13)).await;
    let ids: Vec<_> = found.jobs.iter().map(|job| job.job_id.as_str()).collect();
    assert_eq!((ids, found.is_whole), (vec!["v10", "v9"], true));
    let asked: Vec<_> = server.seen().into_iter().map(|request| request.target).collect();
    assert_eq!(asked, ["/v3/videos?limit=100", "/v3/videos?limit=100&token=a"]);
}
