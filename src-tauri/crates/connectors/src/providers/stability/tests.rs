use async_trait::async_trait;
use base64::Engine;
use makegood_domain::ids::JobId;
use makegood_domain::ports::{FileSink, JobRef, Retry, Start, VaultError};
use makegood_domain::work::{ItemState, Job, JobState};
use makegood_testkit::conformance::{self, Connected, KEY, Scene, Subject};
use makegood_testkit::{Reply, Sample, Server};
use serde_json::{Value, json};

use crate::providers::subject;

const JOB: &str = "7f3c2a";
const QUESTION: &str = "/v2beta/results/7f3c2a";

struct Generations;

impl Subject for Generations {
    fn connect(&self, base: &str) -> Connected {
        subject::connect("stability", base)
    }

    fn job_id(&self) -> JobId {
        JobId::from(JOB)
    }

    fn question(&self) -> String {
        QUESTION.to_owned()
    }

    fn longest(&self) -> usize {
        64 * 1024 * 1024
    }

    fn scene(&self, scene: &Scene) -> Option<Vec<(String, Value)>> {
        let body = match scene {
            Scene::Processing => json!({"id": JOB, "status": "in-progress"}),
            Scene::Succeeded(_) => {
                let image = base64::engine::general_purpose::STANDARD.encode(Sample::png().bytes);
                json!({"image": image, "finish_reason": "SUCCESS", "seed": 7})
            }
            Scene::Filtered => json!({"name": "content_moderation", "errors": ["Not this"]}),
            Scene::UnknownWord => json!({"id": JOB, "status": "archived"}),
            _ => return None,
        };
        Some(vec![(self.question(), body)])
    }

    fn names_files(&self) -> bool {
        false
    }

    fn otherwise(&self) -> Option<(String, Value)> {
        Some(("/v1/user/balance".to_owned(), json!({"credits": 0.6})))
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
    conformance::provider(&Generations).await;
}

#[derive(Default)]
struct Kept(Vec<u8>);

#[async_trait]
impl FileSink for Kept {
    async fn starts(&mut self, start: &Start) -> Result<(), VaultError> {
        self.0.truncate(usize::try_from(start.from).unwrap_or(usize::MAX));
        Ok(())
    }

    async fn write(&mut self, chunk: &[u8]) -> Result<(), VaultError> {
        self.0.extend_from_slice(chunk);
        Ok(())
    }
}

fn job() -> JobRef {
    JobRef {
        provider_id: "stability".into(),
        job_id: JobId::from(JOB),
        run_id: "run_1".into(),
        locator: None,
        requested_items: 1,
        submitted_at: "2026-03-01T08:00:00Z".parse().expect("a time"),
    }
}

/// Looks up and fetches, where the result always answers like this.
async fn asked(reply: Reply) -> (Job, Result<Vec<u8>, (Retry, bool)>) {
    let server = Server::start().await.expect("a port");
    server.on(QUESTION, [reply]);
    let port = Generations.connect(server.base()).port;
    let found = port.find_job(&job(), job().submitted_at).await.job;
    let mut kept = Kept::default();
    let fetched = port.fetch(&job(), 1, &mut kept).await.map(|_| kept.0);
    let key = format!("Bearer {KEY}");
    assert!(server.seen().iter().all(|request| request.header("authorization") == Some(key.as_str())));
    (found, fetched.map_err(|error| (error.retry, error.gone)))
}

#[tokio::test]
async fn the_answer_is_the_file() {
    let video = Sample::mp4(300_000);
    for reply in [
        Reply::file("video/mp4", video.bytes.clone()),
        Reply::new(200, "video/mp4", video.bytes.clone()),
        Reply::file("application/octet-stream", video.bytes.clone()),
    ] {
        let (found, fetched) = asked(reply).await;
        assert_eq!(found.state, JobState::Succeeded, "{found:?}");
        let file = found.items[0].file.as_ref().map(|file| (file.exists_now, file.bytes));
        assert_eq!(file, Some((Some(true), video.bytes.len() as u64)));
        assert!(fetched.is_ok_and(|bytes| bytes == video.bytes));
    }
}

#[tokio::test]
async fn a_long_file_inside_json_comes_whole() {
    let file = Sample::mp4(400_000).bytes;
    let text = base64::engine::general_purpose::STANDARD.encode(&file);
    for text in [text.clone(), format!("data:video/mp4;base64,{text}")] {
        let body = json!({"video": text, "finish_reason": "SUCCESS", "seed": 7});
        let (found, fetched) = asked(Reply::json(200, &body)).await;
        assert_eq!(found.state, JobState::Succeeded, "{found:?}");
        assert!(fetched.is_ok_and(|bytes| bytes == file));
    }
}

#[tokio::test]
async fn a_blurred_image_is_not_handed_over() {
    let (found, fetched) =
        asked(Reply::file("image/png", Sample::png().bytes).header("finish-reason", "CONTENT_FILTERED")).await;
    assert_eq!((found.state, found.items[0].state), (JobState::Succeeded, ItemState::Filtered));
    assert_eq!(fetched, Err((Retry::Permanent, false)));
}

#[tokio::test]
async fn what_is_not_there_yet_or_no_longer_is_told_apart() {
    let (found, fetched) = asked(Reply::json(202, &json!({"id": JOB, "status": "in-progress"}))).await;
    assert_eq!((found.state, fetched), (JobState::Processing, Err((Retry::Temporary, false))));
    let refusal = json!({"id": "e", "name": "not_found", "errors": ["generation not found"]});
    let (found, fetched) = asked(Reply::json(404, &refusal)).await;
    assert_eq!((found.state, fetched), (JobState::NotFound, Err((Retry::Permanent, true))));
    let (found, fetched) = asked(Reply::new(200, "text/html", "<html>Sign in</html>")).await;
    assert_eq!((found.state, fetched), (JobState::Unrecognised, Err((Retry::Unknown, false))));
}
