use async_trait::async_trait;
use makegood_domain::ids::JobId;
use makegood_domain::ports::{FileSink, JobRef, Retry, Start, VaultError};
use makegood_domain::work::JobState;
use makegood_testkit::conformance::{self, Connected, KEY, Scene, Subject};
use makegood_testkit::{Reply, Server};
use serde_json::{Value, json};

use crate::providers::subject;

const TASK: &str = "171717000000001";
const QUESTION: &str = "/v1/query/video_generation";
const FILE: &str = "/v1/files/retrieve";

struct Tasks;

fn base(code: i64, words: &str) -> Value {
    json!({"status_code": code, "status_msg": words})
}

fn task(status: &str, file_id: &str) -> Value {
    json!({"task_id": TASK, "status": status, "file_id": file_id, "base_resp": base(0, "success")})
}

impl Subject for Tasks {
    fn connect(&self, base: &str) -> Connected {
        subject::connect("minimax_v1", base)
    }

    fn job_id(&self) -> JobId {
        JobId::from(TASK)
    }

    fn question(&self) -> String {
        QUESTION.to_owned()
    }

    fn most_files(&self) -> usize {
        1
    }

    fn scene(&self, scene: &Scene) -> Option<Vec<(String, Value)>> {
        let body = match scene {
            Scene::Queued => task("Preparing", ""),
            Scene::Processing => task("Processing", ""),
            Scene::Succeeded(urls) => {
                let file = json!({"file_id": 9_007_199_254_740_993_u64, "bytes": 0, "download_url": urls.first()});
                let file = json!({"file": file, "base_resp": base(0, "success")});
                return Some(vec![(self.question(), task("Success", "9007199254740993")), (FILE.to_owned(), file)]);
            }
            Scene::Emptied => {
                let gone = json!({"base_resp": base(2013, "invalid params, file_id not found")});
                return Some(vec![(self.question(), task("Success", "88")), (FILE.to_owned(), gone)]);
            }
            Scene::Failed => task("Fail", ""),
            Scene::Filtered => {
                json!({"task_id": TASK, "status": "Fail", "base_resp": base(1027, "output new_sensitive")})
            }
            Scene::UnknownWord => task("Archived", ""),
            Scene::Stranger => json!({"task_id": "1", "status": "Success", "file_id": "2", "base_resp": base(0, "")}),
            Scene::Cancelled => return None,
        };
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
    conformance::provider(&Tasks).await;
}

struct Nowhere;

#[async_trait]
impl FileSink for Nowhere {
    async fn starts(&mut self, _: &Start) -> Result<(), VaultError> {
        Ok(())
    }

    async fn write(&mut self, _: &[u8]) -> Result<(), VaultError> {
        Ok(())
    }
}

#[tokio::test]
async fn a_file_that_can_not_be_asked_about_leaves_the_task_as_it_is() {
    let server = Server::start().await.expect("a port");
    server.on(QUESTION, [Reply::json(200, &task("Success", "88"))]);
    server.on(FILE, [Reply::json(200, &json!({"base_resp": base(1002, "rate limit")}))]);
    let port = Tasks.connect(server.base()).port;
    let job = JobRef {
        provider_id: "minimax".into(),
        job_id: JobId::from(TASK),
        run_id: "run_1".into(),
        locator: None,
        requested_items: 1,
        submitted_at: "2026-03-01T08:00:00Z".parse().expect("a time"),
    };
    let found = port.find_job(&job, job.submitted_at).await.job;
    assert_eq!(found.state, JobState::Succeeded, "{found:?}");
    assert_eq!(found.items[0].file.as_ref().map(|file| file.exists_now), Some(None), "nobody knows");
    let fetched = port.fetch(&job, 1, &mut Nowhere).await.expect_err("no address");
    assert_eq!((fetched.retry, fetched.gone), (Retry::Temporary, false), "{fetched}");
    let asked: Vec<_> = server.seen().iter().map(|request| request.target.clone()).take(2).collect();
    assert_eq!(asked, [format!("{QUESTION}?task_id={TASK}"), format!("{FILE}?file_id=88")]);
}
