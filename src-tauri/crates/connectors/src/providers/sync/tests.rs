use makegood_domain::ids::JobId;
use makegood_domain::ports::{JobRef, JobWindow};
use makegood_testkit::conformance::{self, Connected, KEY, Listed, Scene, Subject};
use makegood_testkit::{Reply, Sample, Server};
use serde_json::{Value, json};

use crate::providers::subject;

const GENERATION: &str = "9be1f0d2-5a43-4b0e-b1f7-2f1a6c5d3e88";

/// With or without an address that is signed anew.
struct Generations {
    anew: bool,
}

impl Subject for Generations {
    fn connect(&self, base: &str) -> Connected {
        subject::connect("sync", base)
    }

    fn job_id(&self) -> JobId {
        JobId::from(GENERATION)
    }

    fn question(&self) -> String {
        format!("/v2/generate/{GENERATION}")
    }

    fn scene(&self, scene: &Scene) -> Option<Vec<(String, Value)>> {
        let mut body = match scene {
            Scene::Emptied => return None,
            Scene::Queued => json!({"status": "PENDING", "outputUrl": null}),
            Scene::Processing => json!({"status": "PROCESSING"}),
            Scene::Succeeded(urls) if !self.anew => json!({"status": "COMPLETED", "outputUrl": urls.first()?}),
            Scene::Succeeded(_) => json!({"status": "COMPLETED", "outputMediaUrl": "https://old.sync.so/over.mp4"}),
            Scene::Failed => {
                json!({"status": "FAILED", "error": "It broke", "error_code": "generation_pipeline_failed"})
            }
            Scene::Filtered => json!({"status": "REJECTED", "error_code": "generation_input_moderated"}),
            Scene::Cancelled => json!({"status": "CANCELED"}),
            Scene::UnknownWord => json!({"status": "PAUSED"}),
            Scene::Stranger => json!({"id": "another", "status": "COMPLETED", "outputUrl": "https://a.sync.so/x"}),
        };
        if body.get("id").is_none() {
            body["id"] = json!(GENERATION);
        }
        let mut answers = vec![(self.question(), body)];
        if let (Scene::Succeeded(urls), true) = (scene, self.anew) {
            answers.push((format!("/v2/generations/{GENERATION}/download"), json!(urls.first()?)));
        }
        Some(answers)
    }

    fn list(&self, jobs: &[Option<Listed>]) -> Option<(String, Value)> {
        let entry = |job: &Listed| json!({"id": job.id, "status": "PENDING", "createdAt": job.created_at.to_string()});
        let jobs: Vec<_> = jobs.iter().map(|job| job.as_ref().map(entry)).collect();
        Some(("/v2/generations".to_owned(), json!(jobs)))
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
    conformance::provider(&Generations { anew: false }).await;
}

#[tokio::test]
async fn conforms_with_addresses_signed_anew() {
    conformance::provider(&Generations { anew: true }).await;
}

#[tokio::test]
async fn an_address_in_plain_text_is_taken_without_the_key() {
    let server = Server::start().await.expect("a port");
    let done = json!({"id": GENERATION, "status": "COMPLETED", "outputUrl": "https://old.sync.so/over.mp4"});
    server.on(&format!("/v2/generate/{GENERATION}"), [Reply::json(200, &done)]);
    let fresh = format!("{}/fresh.mp4", server.base());
    server.on(&format!("/v2/generations/{GENERATION}/download"), [Reply::new(200, "text/plain", fresh)]);
    server.on("/fresh.mp4", [Reply::file("video/mp4", Sample::mp4(50).bytes)]);
    let job = JobRef {
        provider_id: "conforming".into(),
        job_id: JobId::from(GENERATION),
        run_id: "run_1".into(),
        locator: None,
        requested_items: 1,
        submitted_at: "2026-03-01T08:00:00Z".parse().expect("a time"),
    };
    let found = subject::connect("sync", server.base()).port.find_job(&job, job.submitted_at).await.job;
    assert_eq!(found.items[0].file.as_ref().and_then(|file| file.exists_now), Some(true), "{found:?}");
    for request in server.seen() {
        assert_eq!(request.header("x-api-key").is_some(), request.target.starts_with("/v2/"), "{request:?}");
    }
}

#[tokio::test]
async fn a_list_is_whole_only_if_it_reaches_beyond_the_time_asked_for() {
    let at = |hour: u32| format!("2026-03-01T{hour:02}:00:00Z");
    let one = |hour: u32| json!({"id": format!("g{hour}"), "status": "PENDING", "createdAt": at(hour)});
    for (hours, whole, want) in [(vec![12, 10, 9, 7], true, vec!["g10", "g9"]), (vec![10], false, vec!["g10"])] {
        let server = Server::start().await.expect("a port");
        let list: Vec<_> = hours.into_iter().map(one).collect();
        server.on("/v2/generations", [Reply::json(200, &json!(list))]);
        let time = |hour| at(hour).parse().expect("a time");
        let window = JobWindow { run_id: "run_1".into(), locator: None, since: time(8), until: time(11) };
        let found = subject::connect("sync", server.base()).port.list_jobs(&window, time(13)).await;
        let ids: Vec<_> = found.jobs.iter().map(|job| job.job_id.as_str()).collect();
        assert_eq!((ids, found.is_whole, found.why.is_some()), (want, whole, !whole));
    }
}
