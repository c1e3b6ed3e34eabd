use makegood_domain::ids::JobId;
use makegood_testkit::conformance::{self, Connected, KEY, Scene, Subject};
use serde_json::{Value, json};

use crate::providers::subject;

const TASK: &str = "5b0e3c7a-93d1-4f62-8a44-2f6d0c9be117";

struct Tasks {
    workflow: bool,
}

impl Subject for Tasks {
    fn connect(&self, base: &str) -> Connected {
        subject::connect("runway", base)
    }

    fn job_id(&self) -> JobId {
        JobId::from(TASK)
    }

    fn locator(&self) -> Option<String> {
        self.workflow.then(|| "workflow_invocations".to_owned())
    }

    fn question(&self) -> String {
        format!("/v1/{}/{TASK}", if self.workflow { "workflow_invocations" } else { "tasks" })
    }

    fn scene(&self, scene: &Scene) -> Option<Vec<(String, Value)>> {
        let mut body = match scene {
            Scene::Queued => json!({"status": "THROTTLED", "estimatedCost": {"credits": 50}}),
            Scene::Processing => json!({"status": "RUNNING", "progress": 0.6}),
            Scene::Succeeded(urls) if self.workflow => {
                let nodes: serde_json::Map<_, _> =
                    urls.iter().enumerate().map(|(i, url)| (format!("node-{i}"), json!([url]))).collect();
                json!({"status": "SUCCEEDED", "output": nodes})
            }
            Scene::Succeeded(urls) => json!({"status": "SUCCEEDED", "output": urls, "cost": {"credits": 50}}),
            Scene::Failed => json!({"status": "FAILED", "failure": "Could not render", "failureCode": "INTERNAL"}),
            Scene::Filtered => json!({"status": "FAILED", "failureCode": "SAFETY.OUTPUT.VIDEO"}),
            Scene::Cancelled => json!({"status": "CANCELLED", "cost": {"credits": 0}}),
            Scene::UnknownWord => json!({"status": "SUSPENDED"}),
            Scene::Stranger => json!({"id": "someone-elses", "status": "SUCCEEDED", "output": ["https://a.example/x"]}),
            Scene::Emptied => return None,
        };
        if body.get("id").is_none() {
            body["id"] = json!(TASK);
        }
        body["createdAt"] = json!("2026-03-01T08:00:00.000Z");
        Some(vec![(self.question(), body)])
    }

    fn otherwise(&self) -> Option<(String, Value)> {
        Some(("/v1/organization".to_owned(), json!({"creditBalance": 0, "tier": {}})))
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
    conformance::provider(&Tasks { workflow: false }).await;
}

#[tokio::test]
async fn conforms_for_workflows() {
    conformance::provider(&Tasks { workflow: true }).await;
}
