use makegood_domain::ids::JobId;
use makegood_testkit::conformance::{self, Connected, KEY, Scene, Subject};
use serde_json::{Value, json};

use crate::providers::subject;

struct Predictions;

impl Subject for Predictions {
    fn connect(&self, base: &str) -> Connected {
        subject::connect("replicate", &format!("{base}/v1"))
    }

    fn job_id(&self) -> JobId {
        JobId::from("m4kq7p2v")
    }

    fn question(&self) -> String {
        "/v1/predictions/m4kq7p2v".to_owned()
    }

    fn scene(&self, scene: &Scene) -> Option<Vec<(String, Value)>> {
        let (status, output, error) = match scene {
            Scene::Queued => ("starting", json!(null), json!(null)),
            Scene::Processing => ("processing", json!(null), json!(null)),
            Scene::Succeeded(urls) => ("succeeded", json!(urls), json!(null)),
            Scene::Emptied => ("succeeded", json!(null), json!(null)),
            Scene::Failed => ("failed", json!(null), json!("The model ran out of memory")),
            Scene::Filtered => ("failed", json!(null), json!("NSFW content was found in every output")),
            Scene::Cancelled => ("canceled", json!(null), json!(null)),
            Scene::UnknownWord => ("hibernating", json!(null), json!(null)),
            Scene::Stranger => ("succeeded", json!([]), json!(null)),
        };
        let id = if *scene == Scene::Stranger { "another" } else { "m4kq7p2v" };
        let body = json!({
            "id": id, "model": "acme/painter", "version": "hidden", "source": "api", "status": status,
            "input": {"prompt": "a boat"}, "output": output, "error": error,
            "data_removed": *scene == Scene::Emptied,
            "created_at": "2026-03-01T08:00:00.1Z", "started_at": "2026-03-01T08:00:01.1Z",
            "completed_at": if matches!(scene, Scene::Queued | Scene::Processing) { json!(null) } else { json!("2026-03-01T08:00:31.5Z") },
        });
        Some(vec![(self.question(), body)])
    }

    fn key_header(&self) -> (&'static str, String) {
        ("authorization", format!("Bearer {KEY}"))
    }

    fn key_with_files(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn conforms() {
    conformance::provider(&Predictions).await;
}
