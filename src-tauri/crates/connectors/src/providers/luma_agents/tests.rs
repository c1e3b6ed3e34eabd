use makegood_domain::ids::JobId;
use makegood_testkit::conformance::{self, Connected, KEY, Scene, Subject};
use serde_json::{Value, json};

use crate::providers::subject;

const GENERATION: &str = "gen_7q2m";

struct Generations;

impl Subject for Generations {
    fn connect(&self, base: &str) -> Connected {
        subject::connect("luma_agents", &format!("{base}/v1"))
    }

    fn job_id(&self) -> JobId {
        JobId::from(GENERATION)
    }

    fn question(&self) -> String {
        format!("/v1/generations/{GENERATION}")
    }

    fn scene(&self, scene: &Scene) -> Option<Vec<(String, Value)>> {
        let mut body = match scene {
            Scene::Queued => json!({"state": "queued"}),
            Scene::Processing => json!({"state": "processing", "output": []}),
            Scene::Succeeded(urls) => {
                let files: Vec<_> = urls.iter().map(|url| json!({"type": "image", "url": url})).collect();
                json!({"state": "completed", "output": files})
            }
            Scene::Failed => {
                json!({"state": "failed", "failure_code": "generation_failed", "failure_reason": "It broke"})
            }
            Scene::Filtered => json!({"state": "failed", "failure_code": "content_moderated"}),
            Scene::UnknownWord => json!({"state": "dreaming"}),
            Scene::Stranger => json!({"id": "gen_other", "state": "processing"}),
            Scene::Emptied | Scene::Cancelled => return None,
        };
        if body.get("id").is_none() {
            body["id"] = json!(GENERATION);
        }
        body["created_at"] = json!("2026-03-01T08:00:00Z");
        Some(vec![(self.question(), body)])
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
    conformance::provider(&Generations).await;
}
