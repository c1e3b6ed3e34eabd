use makegood_domain::ids::JobId;
use makegood_domain::ports::JobRef;
use makegood_domain::work::{ItemState, JobState};
use makegood_testkit::conformance::{self, Connected, KEY, Scene, Subject};
use makegood_testkit::{Reply, Sample, Server};
use serde_json::{Value, json};

use crate::providers::subject;

const NAME: &str = "models/veo-9/operations/k2p8w0";

struct Operations;

impl Subject for Operations {
    fn connect(&self, base: &str) -> Connected {
        subject::connect("gemini_veo", &format!("{base}/v1beta"))
    }

    fn job_id(&self) -> JobId {
        JobId::from(NAME)
    }

    fn question(&self) -> String {
        format!("/v1beta/{NAME}")
    }

    fn scene(&self, scene: &Scene) -> Option<Vec<(String, Value)>> {
        let videos = |videos: Value| json!({"name": NAME, "done": true, "response": {"generateVideoResponse": videos}});
        let body = match scene {
            Scene::Processing => json!({"name": NAME}),
            Scene::Succeeded(urls) => {
                let samples: Vec<_> = urls.iter().map(|url| json!({"video": {"uri": url}})).collect();
                videos(json!({"generatedSamples": samples}))
            }
            Scene::Failed => json!({"name": NAME, "done": true, "error": {"code": 13, "message": "It broke"}}),
            Scene::Filtered => videos(json!({"raiMediaFilteredCount": 2, "raiMediaFilteredReasons": ["Not this"]})),
            Scene::Cancelled => json!({"name": NAME, "done": true, "error": {"code": 1, "message": "Cancelled"}}),
            Scene::UnknownWord => json!({"name": NAME, "done": true, "response": {}}),
            Scene::Stranger => json!({"name": "models/veo-9/operations/other"}),
            Scene::Queued | Scene::Emptied => return None,
        };
        Some(vec![(self.question(), body)])
    }

    fn refusal_with_wait(&self, seconds: u64) -> Option<Value> {
        Some(json!({"error": {"code": 429, "details": [{"retryDelay": format!("{seconds}s")}]}}))
    }

    fn kept_until(&self, url: &str, until: jiff::Timestamp) -> Option<Vec<(String, Value)>> {
        let file = json!({"name": "files/a", "sizeBytes": "9", "expirationTime": until.to_string()});
        let mut answers = self.scene(&Scene::Succeeded(vec![url.to_owned()]))?;
        answers.push(("/v1beta/files/a".to_owned(), file));
        Some(answers)
    }

    fn key_header(&self) -> (&'static str, String) {
        ("x-goog-api-key", KEY.to_owned())
    }

    fn key_with_files(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn conforms() {
    conformance::provider(&Operations).await;
}

#[tokio::test]
async fn the_files_api_tells_length_and_deadline() {
    let server = Server::start().await.expect("a port");
    let uri = |id: &str| json!({"video": {"uri": format!("{}/v1beta/files/{id}:download?alt=media", server.base())}});
    let videos = json!({"generatedSamples": [uri("f1"), uri("f2")], "raiMediaFilteredCount": 1});
    let body = json!({"name": NAME, "done": true, "response": {"generateVideoResponse": videos}});
    server.on(&Operations.question(), [Reply::json(200, &body)]);
    let file = json!({"name": "files/f1", "sizeBytes": "777", "createTime": "2026-03-01T08:02:00Z",
        "expirationTime": "2026-03-03T08:02:00Z"});
    server.on("/v1beta/files/f1", [Reply::json(200, &file)]);
    server.on("/v1beta/files/f2", [Reply::json(403, &json!({"error": {"code": 403}}))]);
    server.on("/v1beta/files/f2:download", [Reply::file("video/mp4", Sample::mp4(5).bytes)]);
    let job = JobRef {
        provider_id: "veo".into(),
        job_id: JobId::from("k2p8w0"),
        run_id: "run_1".into(),
        locator: Some("models/veo-9".to_owned()),
        requested_items: 3,
        submitted_at: "2026-03-01T08:00:00Z".parse().expect("a time"),
    };
    let now = "2026-03-01T09:00:00Z".parse().expect("a time");
    let found = Operations.connect(server.base()).port.find_job(&job, now).await.job;
    assert_eq!(found.state, JobState::Succeeded, "{found:?}");
    let files: Vec<_> = found.items.iter().filter_map(|item| item.file.clone()).collect();
    let told = |i: usize| (files[i].bytes, files[i].exists_now, files[i].available_until.map(|t| t.to_string()));
    assert_eq!(told(0), (777, Some(true), Some("2026-03-03T08:02:00Z".to_owned())));
    let length = Sample::mp4(5).bytes.len() as u64;
    let at_the_earliest = Some("2026-03-03T08:00:00Z".to_owned());
    assert_eq!(told(1), (length, Some(true), at_the_earliest), "the download address has the last word");
    assert_eq!(found.items[2].state, ItemState::Filtered);
}

/// A file that could not be processed, or is not yet, has an address that answers as if there were none.
#[tokio::test]
async fn a_file_that_is_not_ready_is_not_taken_for_one_that_is_gone() {
    for (state, exists) in [("ACTIVE", Some(true)), ("PROCESSING", None), ("FAILED", None), ("ARCHIVED", None)] {
        let server = Server::start().await.expect("a port");
        let uri = format!("{}/v1beta/files/f1:download?alt=media", server.base());
        let response = json!({"generateVideoResponse": {"generatedSamples": [{"video": {"uri": uri}}]}});
        let operation = json!({"name": "models/veo-9/operations/k2p8w0", "done": true, "response": response});
        server.on("/v1beta/models/veo-9/operations/k2p8w0", [Reply::json(200, &operation)]);
        let error = json!({"code": 13, "message": "Not a video"});
        server.on("/v1beta/files/f1", [Reply::json(200, &json!({"name": "files/f1", "state": state, "error": error}))]);
        server.on("/v1beta/files/f1:download", [Reply::json(404, &json!({"error": {"code": 404}}))]);
        let job = JobRef {
            provider_id: "veo".into(),
            job_id: JobId::from("models/veo-9/operations/k2p8w0"),
            run_id: "run_1".into(),
            locator: None,
            requested_items: 1,
            submitted_at: "2026-03-01T08:00:00Z".parse().expect("a time"),
        };
        let found = Operations.connect(server.base()).port.find_job(&job, job.submitted_at).await.job;
        let told = found.items[0].file.as_ref().map(|file| file.exists_now);
        assert_eq!((found.state, told), (JobState::Succeeded, Some(exists)), "{state}: {found:?}");
    }
}
