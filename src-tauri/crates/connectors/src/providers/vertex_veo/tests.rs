use base64::Engine;
use makegood_domain::ids::JobId;
use makegood_domain::ports::{FileSink, JobRef, KeyVerdict, TransitKey, Vault};
use makegood_domain::work::{Job, JobState};
use makegood_testkit::conformance::{self, Connected, KEY, Scene, Subject};
use makegood_testkit::{Reply, Sample, Server};
use serde_json::{Value, json};

use crate::LocalVault;
use crate::providers::subject;

const MODEL: &str = "projects/acme-1/locations/us-central1/publishers/google/models/veo-9";
const NAME: &str = "projects/acme-1/locations/us-central1/publishers/google/models/veo-9/operations/77d0";

struct Operations;

impl Subject for Operations {
    fn connect(&self, base: &str) -> Connected {
        subject::connect("vertex_veo", &format!("{base}/v1"))
    }

    fn job_id(&self) -> JobId {
        JobId::from(NAME)
    }

    fn question(&self) -> String {
        format!("/v1/{MODEL}:fetchPredictOperation")
    }

    fn method(&self) -> &'static str {
        "POST"
    }

    fn longest(&self) -> usize {
        64 * 1024 * 1024
    }

    fn scene(&self, scene: &Scene) -> Option<Vec<(String, Value)>> {
        let videos = |videos: Value| json!({"name": NAME, "done": true, "response": videos});
        let body = match scene {
            Scene::Processing => json!({"name": NAME}),
            Scene::Succeeded(urls) => {
                let files: Vec<_> = urls.iter().map(|url| json!({"gcsUri": url, "mimeType": "video/mp4"})).collect();
                videos(json!({"videos": files}))
            }
            Scene::Failed => json!({"name": NAME, "done": true, "error": {"code": 13, "message": "It broke"}}),
            Scene::Filtered => videos(json!({"raiMediaFilteredCount": 2, "raiMediaFilteredReasons": ["Not this"]})),
            Scene::Cancelled => json!({"name": NAME, "done": true, "error": {"code": 1, "message": "Cancelled"}}),
            Scene::UnknownWord => json!({"name": NAME, "done": true, "response": {"videos": []}}),
            Scene::Stranger => json!({"name": format!("{MODEL}/operations/another")}),
            Scene::Queued | Scene::Emptied => return None,
        };
        Some(vec![(self.question(), body)])
    }

    fn refusal_with_wait(&self, seconds: u64) -> Option<Value> {
        Some(json!({"error": {"code": 429, "details": [{"retryDelay": format!("{seconds}s")}]}}))
    }

    fn kept_until(&self, _: &str, until: jiff::Timestamp) -> Option<Vec<(String, Value)>> {
        let made = until - jiff::SignedDuration::from_hours(24);
        let object = json!({"kind": "storage#object", "bucket": "acme-out", "name": "v.mp4", "size": "9",
            "timeCreated": made.to_string()});
        let rules = json!({"lifecycle": {"rule": [{"action": {"type": "Delete"}, "condition": {"age": 1}}]}});
        let mut answers = self.scene(&Scene::Succeeded(vec!["gs://acme-out/v.mp4".to_owned()]))?;
        answers.push(("/storage/v1/b/acme-out/o/v.mp4".to_owned(), object));
        answers.push(("/storage/v1/b/acme-out".to_owned(), rules));
        Some(answers)
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
    conformance::provider(&Operations).await;
}

fn job(id: &str, locator: Option<&str>) -> JobRef {
    JobRef {
        provider_id: "vertex".into(),
        job_id: JobId::from(id),
        run_id: "run_1".into(),
        locator: locator.map(str::to_owned),
        requested_items: 1,
        submitted_at: "2026-03-01T08:00:00Z".parse().expect("a time"),
    }
}

async fn find(server: &Server, job: &JobRef) -> Job {
    let connected = Operations.connect(server.base());
    connected.port.find_job(job, "2026-03-01T09:00:00Z".parse().expect("a time")).await.job
}

/// A server where the operation has made this video.
async fn made(video: &Value) -> Server {
    let server = Server::start().await.expect("a port");
    let body = json!({"name": NAME, "done": true, "response": {"videos": [video]}});
    server.on(&Operations.question(), [Reply::json(200, &body)]);
    server
}

async fn fetched(server: &Server, length: u64) -> Result<String, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = LocalVault::open(folder.path()).expect("a vault");
    let mut incoming =
        vault.begin(&TransitKey { provider_id: "vertex".into(), job_id: "j".into(), item: 1 }).await.expect("begun");
    let sink: &mut dyn FileSink = &mut *incoming;
    let connected = Operations.connect(server.base());
    connected.port.fetch(&job(NAME, None), 1, sink).await.map_err(|error| error.to_string())?;
    incoming.commit(length, "").await.map(|stored| stored.media_type).map_err(|error| error.to_string())
}

#[tokio::test]
async fn the_question_names_the_operation() {
    let server = Server::start().await.expect("a port");
    server.on(&Operations.question(), [Reply::json(200, &json!({"name": NAME}))]);
    // The same project by its number.
    let numbered = NAME.replace("acme-1", "4711");
    for (id, locator) in [(NAME, None), ("77d0", Some(MODEL))] {
        assert_eq!(find(&server, &job(id, locator)).await.state, JobState::Processing, "{id}");
    }
    server.on(&Operations.question(), [Reply::json(200, &json!({"name": numbered}))]);
    assert_eq!(find(&server, &job(NAME, None)).await.state, JobState::Processing, "a project's number");
    for request in server.seen() {
        let body: Value = serde_json::from_slice(&request.body).expect("a body");
        assert_eq!((body, request.header("content-type")), (json!({"operationName": NAME}), Some("application/json")));
    }
    let before = server.seen().len();
    for id in ["77d0", "models/veo-9/operations/77d0"] {
        assert_eq!(find(&server, &job(id, None)).await.state, JobState::LookupFailed, "{id} is no whole name");
    }
    assert_eq!(server.seen().len(), before, "nothing is asked about half a name");
}

#[tokio::test]
async fn an_object_is_read_with_the_same_token() {
    let video = Sample::mp4(400);
    let server = made(&json!({"gcsUri": "gs://acme-out/runs/7/v 1.mp4", "mimeType": "video/mp4"})).await;
    let path = "/storage/v1/b/acme-out/o/runs%2F7%2Fv%201.mp4";
    let length = video.bytes.len() as u64;
    let told = json!({"kind": "storage#object", "bucket": "acme-out", "name": "runs/7/v 1.mp4",
        "size": length.to_string(), "timeCreated": "2026-03-01T08:03:00Z"});
    server.on(path, [Reply::json(200, &told), Reply::file("video/mp4", video.bytes.clone())]);
    let found = find(&server, &job(NAME, None)).await;
    let file = found.items[0].file.clone().expect("a file");
    assert_eq!((file.bytes, file.exists_now), (length, Some(true)));
    assert_eq!(found.items[0].finished_at.map(|t| t.to_string()).as_deref(), Some("2026-03-01T08:03:00Z"));
    assert_eq!(fetched(&server, length).await.as_deref(), Ok("video/mp4"));
    let asked: Vec<_> = server.seen().into_iter().filter(|request| request.target.starts_with(path)).collect();
    let targets: Vec<_> = asked.iter().map(|request| request.target.replace(path, "")).collect();
    assert_eq!(targets, ["", "?alt=media"]);
    assert!(asked.iter().all(|request| request.header("authorization") == Some(format!("Bearer {KEY}").as_str())));
}

#[tokio::test]
async fn a_bucket_tells_until_when_it_keeps_an_object() {
    let rules = json!({"lifecycle": {"rule": [{"action": {"type": "Delete"}, "condition": {"age": 3}}]}});
    for (status, bucket, want) in [
        (200, rules.clone(), Some("2026-03-04T08:03:00Z")),
        (200, json!({}), None),
        (403, json!({"error": {"code": 403, "message": "storage.buckets.get"}}), None),
    ] {
        let server = made(&json!({"gcsUri": "gs://acme-out/v.mp4"})).await;
        let told = json!({"kind": "storage#object", "bucket": "acme-out", "name": "v.mp4", "size": "9",
            "timeCreated": "2026-03-01T08:03:00Z"});
        server.on("/storage/v1/b/acme-out/o/v.mp4", [Reply::json(200, &told)]);
        server.on("/storage/v1/b/acme-out", [Reply::json(status, &bucket)]);
        let found = find(&server, &job(NAME, None)).await;
        let file = found.items[0].file.as_ref().expect("a file");
        assert_eq!(file.exists_now, Some(true), "HTTP {status}");
        assert_eq!(file.available_until.map(|at| at.to_string()).as_deref(), want, "HTTP {status}");
    }
}

#[tokio::test]
async fn only_not_found_says_that_an_object_is_gone() {
    for (status, want) in [(404, Some(false)), (403, None), (401, None), (500, None)] {
        let server = made(&json!({"gcsUri": "gs://b/o.mp4"})).await;
        server.on("/storage/v1/b/b/o/o.mp4", [Reply::json(status, &json!({"error": {"code": status}}))]);
        let found = find(&server, &job(NAME, None)).await;
        assert_eq!(found.items[0].file.as_ref().map(|file| file.exists_now), Some(want), "HTTP {status}");
    }
}

#[tokio::test]
async fn bytes_inside_the_answer_get_into_the_vault_and_not_into_the_record() {
    let video = Sample::mp4(9 * 1024 * 1024);
    let text = base64::engine::general_purpose::STANDARD.encode(&video.bytes);
    let server = made(&json!({"bytesBase64Encoded": text, "mimeType": "video/mp4"})).await;
    let length = video.bytes.len() as u64;
    let connected = Operations.connect(server.base());
    let job = job(NAME, None);
    let found = connected.port.find_job(&job, job.submitted_at).await;
    let file = found.job.items[0].file.clone().expect("a file");
    assert_eq!((file.bytes, file.exists_now), (length, Some(true)));
    assert!(found.raw.iter().all(|raw| raw.body.len() < 4_096), "{:?}", found.raw);
    assert_eq!(fetched(&server, length).await.as_deref(), Ok("video/mp4"));
}

#[tokio::test]
async fn a_refusal_of_a_project_that_is_nobodys_shows_that_the_key_was_taken() {
    for (status, taken) in [(403, true), (401, false)] {
        let server = Server::start().await.expect("a port");
        let question = format!("/v1/{}:fetchPredictOperation", super::NO_MODEL);
        server.on(&question, [Reply::json(status, &json!({"error": {"code": status, "message": "No."}}))]);
        let port = Operations.connect(server.base()).port;
        let check = port.check("2026-03-01T09:00:00Z".parse().expect("a time")).await;
        let last = port.health().last.expect("an answer");
        assert_eq!((check.verdict == KeyVerdict::Accepted, last.status, last.key_taken), (taken, Some(status), taken));
    }
}
