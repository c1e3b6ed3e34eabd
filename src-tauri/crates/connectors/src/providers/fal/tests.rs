use base64::Engine;
use makegood_domain::ids::JobId;
use makegood_domain::ports::{FileSink, JobRef, Retry, TransitKey, Vault};
use makegood_domain::work::{Job, JobState};
use makegood_testkit::conformance::{self, Connected, KEY, Listed, Scene, Subject};
use makegood_testkit::{Reply, Sample, Server};
use serde_json::{Value, json};

use crate::LocalVault;
use crate::providers::{ProviderSettings, subject};

const REQUEST: &str = "0d5c1e9a-77b2-4c3f-9f61-a2b8e4d6c013";
const PATH: &str = "/acme/painter/requests/0d5c1e9a-77b2-4c3f-9f61-a2b8e4d6c013";

mod lists;

struct Requests;

impl Subject for Requests {
    fn connect(&self, base: &str) -> Connected {
        subject::connect("fal", base)
    }

    fn job_id(&self) -> JobId {
        JobId::from(REQUEST)
    }

    fn locator(&self) -> Option<String> {
        Some("acme/painter/fast".to_owned())
    }

    fn question(&self) -> String {
        format!("{PATH}/status")
    }

    fn scene(&self, scene: &Scene) -> Option<Vec<(String, Value)>> {
        let status = |body: Value| Some(vec![(self.question(), body)]);
        let ended = |result: Value| {
            let done =
                json!({"status": "COMPLETED", "request_id": REQUEST, "logs": null, "metrics": {"inference_time": 2.5}});
            Some(vec![(self.question(), done), (PATH.to_owned(), result)])
        };
        match scene {
            Scene::Queued => status(json!({"status": "IN_QUEUE", "request_id": REQUEST, "queue_position": 4})),
            Scene::Processing => status(json!({"status": "IN_PROGRESS", "request_id": REQUEST})),
            Scene::Succeeded(urls) => {
                let files: Vec<_> = urls.iter().map(|url| json!({"url": url, "content_type": "image/png"})).collect();
                ended(json!({"images": files, "seed": 18_446_744_073_709_551_615_u64}))
            }
            Scene::Filtered => {
                let image = json!({"url": "https://v3b.fal.media/f/black.png"});
                ended(json!({"images": [image, image], "has_nsfw_concepts": [true, true]}))
            }
            Scene::Failed => status(
                json!({"status": "COMPLETED", "error": "The runner was lost", "error_type": "runner_disconnected"}),
            ),
            Scene::Cancelled => status(json!({"status": "COMPLETED", "error_type": "client_cancelled"})),
            Scene::UnknownWord => status(json!({"status": "FAILED", "request_id": REQUEST})),
            Scene::Stranger => status(json!({"status": "IN_QUEUE", "request_id": "another"})),
            // Where neither queue nor history has the result: the paths that are not scripted say 404.
            Scene::Emptied => status(json!({"status": "COMPLETED", "request_id": REQUEST})),
        }
    }

    fn list(&self, jobs: &[Option<Listed>]) -> Option<(String, Value)> {
        let entry = |job: &Listed| json!({"request_id": job.id, "endpoint_id": "acme/painter/fast", "sent_at": job.created_at.to_string()});
        let jobs: Vec<_> = jobs.iter().map(|job| job.as_ref().map(entry)).collect();
        Some(("/v1/models/requests/by-endpoint".to_owned(), json!({"items": jobs, "has_more": false})))
    }

    /// Its lists are the history's, at another address.
    fn otherwise(&self) -> Option<(String, Value)> {
        None
    }

    fn connect_to_list(&self, base: &str) -> Connected {
        subject::connect_with(ProviderSettings {
            base_url: Some(base.to_owned()),
            history_url: Some(format!("{base}/v1")),
            ..ProviderSettings::new("conforming", "fal")
        })
    }

    fn key_header(&self) -> (&'static str, String) {
        ("authorization", format!("Key {KEY}"))
    }

    fn key_with_files(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn conforms() {
    conformance::provider(&Requests).await;
}

fn job(locator: Option<&str>) -> JobRef {
    JobRef {
        provider_id: "fal".into(),
        job_id: JobId::from(REQUEST),
        run_id: "run_1".into(),
        locator: locator.map(str::to_owned),
        requested_items: 1,
        submitted_at: "2026-03-01T08:00:00Z".parse().expect("a time"),
    }
}

async fn find(connected: &Connected, job: &JobRef) -> Job {
    connected.port.find_job(job, "2026-03-01T09:00:00Z".parse().expect("a time")).await.job
}

#[tokio::test]
async fn the_result_decides_and_a_broken_result_decides_nothing() {
    for (code, body, want) in [
        (504, json!({"detail": "Request timed out", "error_type": "request_timeout"}), JobState::LookupFailed),
        (500, json!({"detail": "oops"}), JobState::LookupFailed),
        (401, json!({"detail": "no"}), JobState::LookupFailed),
        (422, json!({"detail": "The picture can't be read"}), JobState::Failed),
        (422, json!({"detail": [{"type": "content_policy_violation", "msg": "flagged"}]}), JobState::Filtered),
    ] {
        let server = Server::start().await.expect("a port");
        server.on(&Requests.question(), [Reply::json(200, &json!({"status": "COMPLETED"}))]);
        server.on(PATH, [Reply::json(code, &body)]);
        let found = find(&Requests.connect(server.base()), &job(Some("acme/painter"))).await;
        assert_eq!(found.state, want, "HTTP {code}: {found:?}");
    }
}

#[tokio::test]
async fn the_history_is_asked_for_what_the_queue_forgot() {
    let (queue, history) = (Server::start().await.expect("a port"), Server::start().await.expect("a port"));
    let video = Sample::mp4(10);
    let file = format!("{}/kept.mp4", history.base());
    let request = json!({"request_id": REQUEST, "endpoint_id": "acme/painter/fast", "status_code": 200,
        "started_at": "2026-03-01T08:00:05Z", "ended_at": "2026-03-01T08:01:00Z",
        "json_output": {"video": {"url": file, "file_size": 1}}});
    history.on("/v1/models/requests/by-endpoint", [Reply::json(200, &json!({"items": [request], "has_more": false}))]);
    history.on("/kept.mp4", [Reply::file("video/mp4", video.bytes.clone())]);
    let connected = subject::connect_with(ProviderSettings {
        base_url: Some(queue.base().to_owned()),
        history_url: Some(format!("{}/v1", history.base())),
        ..ProviderSettings::new("fal", "fal")
    });
    let found = find(&connected, &job(Some("acme/painter/fast"))).await;
    assert_eq!(found.state, JobState::Succeeded, "{found:?}");
    assert_eq!(found.finished_at.map(|t| t.to_string()).as_deref(), Some("2026-03-01T08:01:00Z"));
    let kept = found.items[0].file.as_ref().map(|file| (file.bytes, file.exists_now));
    assert_eq!(kept, Some((video.bytes.len() as u64, Some(true))));
    let asked = history.seen().remove(0);
    assert!(asked.target.contains("endpoint_id=acme%2Fpainter%2Ffast&request_id="), "{}", asked.target);
    assert_eq!(asked.header("authorization"), Some(format!("Key {KEY}").as_str()));
}

/// Whoever says 404 in the queue's place, the history still tells; and where it lists no such request, a page in the
/// queue's place is believed as little as before.
#[tokio::test]
async fn the_history_is_asked_whoever_answers_in_the_queues_place() {
    use JobState::{LookupFailed, NotFound, Succeeded};
    let request = json!({"request_id": REQUEST, "status_code": 200, "ended_at": "2026-03-01T08:01:00Z",
        "json_output": {"video": {"url": "https://v3b.fal.media/files/a.mp4"}}});
    let done = || Reply::json(200, &json!({"status": "COMPLETED", "request_id": REQUEST}));
    let gone = Some(Some(false));
    for (code, body, forgotten, lost, lost_file) in [
        (404, r#"{"detail":"Request not found"}"#, NotFound, Succeeded, gone),
        (404, "", NotFound, Succeeded, gone),
        (404, "Not Found", NotFound, Succeeded, gone),
        (410, "", NotFound, Succeeded, gone),
        (404, "<html><h1>404 Not Found</h1></html>", LookupFailed, LookupFailed, None),
        (410, "<html></html>", LookupFailed, LookupFailed, None),
    ] {
        let reply = || Reply::new(code, "text/plain", body);
        for (items, of_status, of_result, file) in
            [(json!([request]), Succeeded, Succeeded, Some(None)), (json!([]), forgotten, lost, lost_file)]
        {
            let (queue, history) = (Server::start().await.expect("a port"), Server::start().await.expect("a port"));
            history
                .on("/v1/models/requests/by-endpoint", [Reply::json(200, &json!({"items": items, "has_more": false}))]);
            let connected = subject::connect_with(ProviderSettings {
                base_url: Some(queue.base().to_owned()),
                history_url: Some(format!("{}/v1", history.base())),
                ..ProviderSettings::new("fal", "fal")
            });
            queue.on(&Requests.question(), [reply()]);
            let found = find(&connected, &job(Some("acme/painter/fast"))).await;
            assert_eq!(found.state, of_status, "status: HTTP {code} {body:?}, {items}: {found:?}");
            queue.on(&Requests.question(), [done()]);
            queue.on(PATH, [reply()]);
            let found = find(&connected, &job(Some("acme/painter/fast"))).await;
            assert_eq!(found.state, of_result, "result: HTTP {code} {body:?}, {items}: {found:?}");
            let item = found.items.first().map(|item| item.file.as_ref().and_then(|file| file.exists_now));
            assert_eq!(item, file, "HTTP {code} {body:?}, {items}: {found:?}");
        }
    }
}

/// The queue has forgotten the request, or its result; the history would know, and does not let this key in.
#[tokio::test]
async fn a_history_that_may_not_be_asked_says_nothing_of_the_request() {
    let missing = Reply::json(404, &json!({"detail": "Request not found"}));
    let done = Reply::json(200, &json!({"status": "COMPLETED", "request_id": REQUEST}));
    for (status, refusal) in [(&missing, 401), (&missing, 403), (&done, 401), (&done, 403)] {
        let (queue, history) = (Server::start().await.expect("a port"), Server::start().await.expect("a port"));
        queue.on(&Requests.question(), [status.clone()]);
        queue.on(PATH, [missing.clone()]);
        let error = json!({"error": {"type": "authorization_error", "message": "An admin key is needed"}});
        history.on("/v1/models/requests/by-endpoint", [Reply::json(refusal, &error)]);
        let connected = subject::connect_with(ProviderSettings {
            base_url: Some(queue.base().to_owned()),
            history_url: Some(format!("{}/v1", history.base())),
            ..ProviderSettings::new("fal", "fal")
        });
        let found = find(&connected, &job(Some("acme/painter/fast"))).await;
        assert_eq!((found.state, found.items.len()), (JobState::LookupFailed, 0), "HTTP {refusal}: {found:?}");
        assert!(found.error.is_some_and(|why| why.contains("history") && why.contains("admin key")));
    }
}

#[tokio::test]
async fn fewer_files_beside_addresses_that_are_not_understood_give_nothing_back() {
    let server = Server::start().await.expect("a port");
    let url = |name: &str| format!("{}/{name}.png", server.base());
    server.on("/a.png", [Reply::file("image/png", Sample::png().bytes)]);
    server.on(&Requests.question(), [Reply::json(200, &json!({"status": "COMPLETED"}))]);
    let answer = json!({"images": [{"url": url("a")}], "second_image_url": url("b")});
    server.on(PATH, [Reply::json(200, &answer)]);
    let connected = Requests.connect(server.base());
    let both = JobRef { requested_items: 2, ..job(Some("acme/painter")) };
    let found = find(&connected, &both).await;
    assert_eq!((found.state, found.items.len()), (JobState::Unrecognised, 0), "{found:?}");
    let found = find(&connected, &job(Some("acme/painter"))).await;
    assert_eq!((found.state, found.items.len()), (JobState::Succeeded, 1), "the one that was asked for is there");
    for result in [json!({"output": "a caption"}), json!({"output": url("a")})] {
        server.on(PATH, [Reply::json(200, &result)]);
        let found = find(&connected, &job(Some("acme/painter"))).await;
        assert_eq!((found.state, found.items.len()), (JobState::Unrecognised, 0), "{result}: {found:?}");
        let folder = tempfile::tempdir().expect("a folder");
        let vault = LocalVault::open(folder.path()).expect("a vault");
        let key = TransitKey { provider_id: "fal".into(), job_id: "j".into(), item: 1 };
        let mut incoming = vault.begin(&key).await.expect("begun");
        let sink: &mut dyn FileSink = &mut *incoming;
        let fetched = connected.port.fetch(&job(Some("acme/painter")), 1, sink).await;
        assert!(fetched.is_err_and(|error| error.retry == Retry::Unknown && !error.gone), "{result}");
    }
}

#[tokio::test]
async fn without_an_endpoint_nothing_can_be_asked() {
    let server = Server::start().await.expect("a port");
    for locator in [None, Some("painter"), Some("https://elsewhere.example")] {
        let found = find(&Requests.connect(server.base()), &job(locator)).await;
        assert_eq!(found.state, JobState::LookupFailed, "{locator:?}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_file_inside_the_answer_gets_into_the_vault() {
    let (server, folder) = (Server::start().await.expect("a port"), tempfile::tempdir().expect("a folder"));
    let picture = Sample::png();
    let inline = format!("data:image/png;base64,{}", base64::engine::general_purpose::STANDARD.encode(&picture.bytes));
    server.on(&Requests.question(), [Reply::json(200, &json!({"status": "COMPLETED"}))]);
    server.on(PATH, [Reply::json(200, &json!({"images": [{"url": inline}]}))]);
    let connected = Requests.connect(server.base());
    let job = job(Some("acme/painter"));
    let found = connected.port.find_job(&job, job.submitted_at).await;
    assert_eq!(found.job.items[0].file.as_ref().and_then(|file| file.exists_now), Some(true));
    assert!(found.raw.iter().all(|raw| !raw.body.contains("base64")), "{:?}", found.raw);
    let vault = LocalVault::open(folder.path()).expect("a vault");
    let mut incoming =
        vault.begin(&TransitKey { provider_id: "fal".into(), job_id: "j".into(), item: 1 }).await.expect("begun");
    let sink: &mut dyn FileSink = &mut *incoming;
    assert_eq!(connected.port.fetch(&job, 1, sink).await, Ok(Some("image/png".to_owned())));
    let stored = incoming.commit(picture.bytes.len() as u64, "").await.expect("stored");
    assert_eq!(stored.media_type, "image/png");
}
