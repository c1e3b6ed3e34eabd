use makegood_domain::ids::JobId;
use makegood_domain::ports::{JobRef, JobWindow};
use makegood_domain::work::{ItemState, JobState};
use makegood_testkit::conformance::{self, Connected, KEY, Listed, Scene, Subject};
use makegood_testkit::{Reply, Server};
use serde_json::{Value, json};

use crate::providers::{ProviderSettings, subject};

const TASK: &str = "830011223344556677";
const PATH: &str = "/v1/images/generations";

struct Tasks {
    images: bool,
}

fn wrapped(data: &Value) -> Value {
    json!({"code": 0, "message": "SUCCEED", "request_id": "req", "data": data})
}

impl Subject for Tasks {
    fn connect(&self, base: &str) -> Connected {
        subject::connect("kling", base)
    }

    fn job_id(&self) -> JobId {
        JobId::from(TASK)
    }

    fn locator(&self) -> Option<String> {
        Some(if self.images { "images/generations" } else { "v1/videos/text2video" }.to_owned())
    }

    fn question(&self) -> String {
        if self.images { format!("{PATH}/{TASK}") } else { format!("/v1/videos/text2video/{TASK}") }
    }

    fn scene(&self, scene: &Scene) -> Option<Vec<(String, Value)>> {
        let mut task = match scene {
            Scene::Queued => json!({"task_status": "submitted"}),
            Scene::Processing => json!({"task_status": "processing", "task_result": {}}),
            Scene::Succeeded(urls) if self.images => {
                let images = urls.iter().enumerate().map(|(index, url)| json!({"index": index, "url": url}));
                json!({"task_status": "succeed", "task_result": {"images": images.rev().collect::<Vec<_>>()}})
            }
            Scene::Succeeded(urls) => {
                let videos: Vec<_> = urls.iter().map(|url| json!({"id": "v", "url": url, "duration": "5.1"})).collect();
                json!({"task_status": "succeed", "task_result": {"videos": videos}})
            }
            Scene::Failed => json!({"task_status": "failed", "task_status_msg": "The picture is too small"}),
            Scene::Filtered => json!({"task_status": "failed", "task_status_msg": "Stopped by risk control"}),
            Scene::UnknownWord => json!({"task_status": "archived"}),
            Scene::Stranger => json!({"task_id": "1", "task_status": "processing"}),
            Scene::Cancelled | Scene::Emptied => return None,
        };
        if task.get("task_id").is_none() {
            task["task_id"] = json!(TASK);
        }
        task["created_at"] = json!(1_772_352_000_000_i64);
        Some(vec![(self.question(), wrapped(&task))])
    }

    fn list(&self, jobs: &[Option<Listed>]) -> Option<(String, Value)> {
        let entry = |job: &Listed| json!({"task_id": job.id, "task_status": "succeed", "created_at": job.created_at.as_millisecond()});
        let jobs: Vec<_> = jobs.iter().map(|job| job.as_ref().map(entry)).collect();
        let path = if self.images { PATH } else { "/v1/videos/text2video" };
        Some((path.to_owned(), wrapped(&json!(jobs))))
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
    conformance::provider(&Tasks { images: false }).await;
}

#[tokio::test]
async fn conforms_for_images() {
    conformance::provider(&Tasks { images: true }).await;
}

fn job(id: &str, locator: Option<&str>) -> JobRef {
    JobRef {
        provider_id: "kling".into(),
        job_id: JobId::from(id),
        run_id: "run_1".into(),
        locator: locator.map(str::to_owned),
        requested_items: 3,
        submitted_at: "2026-03-01T08:00:00Z".parse().expect("a time"),
    }
}

#[tokio::test]
async fn a_task_answers_to_our_own_id_too_and_keeps_the_place_of_a_missing_picture() {
    let server = Server::start().await.expect("a port");
    let images = json!([{"index": 2, "url": format!("{}/2.png", server.base())},
        {"index": 0, "url": format!("{}/0.png", server.base())}]);
    let task = json!({"task_id": TASK, "task_info": {"external_task_id": "run_1"}, "task_status": "succeed",
        "task_result": {"images": images}});
    server.on(&format!("{PATH}/run_1"), [Reply::json(200, &wrapped(&task))]);
    let connected = Tasks { images: true }.connect(server.base());
    let job = job("run_1", Some("images/generations"));
    let found = connected.port.find_job(&job, job.submitted_at).await.job;
    let items: Vec<_> = found.items.iter().map(|item| item.state).collect();
    assert_eq!(found.state, JobState::Succeeded, "{found:?}");
    assert_eq!(items, [ItemState::Succeeded, ItemState::NotReturned, ItemState::Succeeded]);
}

#[tokio::test]
async fn an_older_account_signs_each_question_anew() {
    let server = Server::start().await.expect("a port");
    let path = format!("{PATH}/{TASK}");
    let unheard = Reply::json(401, &json!({"code": 1002, "message": "AKexample and SKexample-not-real are unknown"}));
    server.on(&path, [Reply::json(500, &json!({"code": 5000, "message": "oops"})), unheard]);
    let connected = subject::connect_with_key(
        ProviderSettings { base_url: Some(server.base().to_owned()), ..ProviderSettings::new("kling", "kling") },
        "AKexample:SKexample-not-real",
    );
    let job = job(TASK, Some("images/generations"));
    let found = connected.port.find_job(&job, job.submitted_at).await;
    assert_eq!(found.job.state, JobState::LookupFailed);
    let said = format!("{found:?}");
    assert!(!said.contains("AKexample") && !said.contains("SKexample"), "{said}");
    let sent: Vec<_> = server.seen().iter().filter_map(|r| r.header("authorization").map(str::to_owned)).collect();
    assert_eq!(sent.len(), 2);
    for (token, second) in sent.iter().zip([0, 0]) {
        let now = jiff::Timestamp::from_second(second).expect("an instant");
        let want = crate::tokens::kling("AKexample", &"SKexample-not-real".into(), now);
        assert_eq!(*token, format!("Bearer {want}"));
    }
}

#[tokio::test]
async fn without_a_type_or_at_a_strangers_nothing_is_asked() {
    let connected = subject::connect_with(ProviderSettings::new("kling", "kling"));
    for locator in [None, Some("kling-v3"), Some("https://elsewhere.example/v1/videos/text2video")] {
        let job = job(TASK, locator);
        let found = connected.port.find_job(&job, job.submitted_at).await;
        assert_eq!(found.job.state, JobState::LookupFailed, "{locator:?}");
        assert!(found.raw.is_empty(), "{locator:?}: {:?}", found.raw);
    }
}

#[tokio::test]
async fn a_lost_task_is_found_by_its_type_and_time() {
    let server = Server::start().await.expect("a port");
    let task = |id: &str, second: i64| {
        json!({"task_id": id, "task_status": "succeed", "created_at": second * 1000,
            "task_info": {"external_task_id": format!("run-{id}")}})
    };
    let pages = [json!([task("3", 1_772_359_999), task("2", 1_772_352_010)]), json!([task("1", 1_772_000_000)])];
    server.on(PATH, pages.map(|page| Reply::json(200, &wrapped(&page))));
    let at = |text: &str| text.parse().expect("a time");
    let window = JobWindow {
        run_id: "run_1".into(),
        locator: Some("images/generations".to_owned()),
        since: at("2026-03-01T08:00:00Z"),
        until: at("2026-03-01T08:10:00Z"),
    };
    let connected = Tasks { images: true }.connect(server.base());
    let list = connected.port.list_jobs(&window, window.until).await;
    let found: Vec<_> = list.jobs.iter().map(|job| (job.job_id.as_str(), job.reference.as_deref())).collect();
    assert_eq!((found, list.is_whole), (vec![("2", Some("run-2"))], true), "{list:?}");
    let asked: Vec<_> = server.seen().iter().map(|request| request.target.clone()).collect();
    assert_eq!(asked, [format!("{PATH}?pageNum=1&pageSize=500"), format!("{PATH}?pageNum=2&pageSize=500")]);
    let nowhere = JobWindow { locator: None, ..window };
    assert!(connected.port.list_jobs(&nowhere, nowhere.until).await.why.is_some());
}
