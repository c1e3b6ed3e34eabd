use makegood_domain::ids::JobId;
use makegood_domain::ports::{JobList, JobRef, JobWindow};
use makegood_domain::work::{ItemState, Job, JobState};
use makegood_testkit::conformance::{self, Connected, KEY, Listed, Scene, Subject};
use makegood_testkit::{Reply, Sample, Server};
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

    fn refusal_with_wait(&self, seconds: u64) -> Option<Value> {
        Some(json!({"detail": format!("Throttled. Your rate limit resets in ~{seconds}s.")}))
    }

    fn list(&self, jobs: &[Option<Listed>]) -> Option<(String, Value)> {
        let entry =
            |job: &Listed| json!({"id": job.id, "status": "succeeded", "created_at": job.created_at.to_string()});
        let jobs: Vec<_> = jobs.iter().map(|job| job.as_ref().map(entry)).collect();
        Some((LIST.to_owned(), json!({"results": jobs, "next": null, "previous": null})))
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

/// Such a number once filled the memory. What says it may have come past the reader of events, by SQL.
#[tokio::test]
async fn no_number_of_items_is_followed_for_ever() {
    for (output, status, items) in [
        (json!(null), "succeeded", 1_000),
        (json!("https://replicate.delivery/a/b.png"), "succeeded", 1_000),
        (json!(null), "failed", 1_000),
        (json!(null), "processing", 1_000),
        (json!(null), "canceled", 0),
    ] {
        let server = Server::start().await.expect("a port");
        let body = json!({"id": "m4kq7p2v", "status": status, "output": output});
        server.on(&Predictions.question(), [Reply::json(200, &body)]);
        let at = "2026-03-01T09:00:00Z".parse().expect("a time");
        let job = JobRef {
            provider_id: "replicate".into(),
            job_id: Predictions.job_id(),
            run_id: "run_1".into(),
            locator: None,
            requested_items: u32::MAX,
            submitted_at: at,
        };
        let found = Predictions.connect(server.base()).port.find_job(&job, at).await.job;
        assert_eq!(found.items.len(), items, "{status} {output}");
    }
}

const LIST: &str = "/v1/predictions";

async fn listed(server: &Server) -> JobList {
    let at = |text: &str| text.parse().expect("a time");
    let (since, until) = (at("2026-03-01T08:00:00Z"), at("2026-03-01T09:00:00Z"));
    let window = JobWindow { run_id: "run_1".into(), locator: None, since, until };
    Predictions.connect(server.base()).port.list_jobs(&window, at("2026-03-01T10:00:00Z")).await
}

fn page(ids: &[&str], next: Option<&str>) -> Reply {
    let entry = |id: &&str| {
        json!({"id": id, "status": "succeeded", "output": "https://replicate.delivery/a/b.png", "model": "acme/painter",
            "input": {"prompt": "a boat"}, "created_at": "2026-03-01T08:30:00Z"})
    };
    Reply::json(200, &json!({"results": ids.iter().map(entry).collect::<Vec<_>>(), "next": next, "previous": null}))
}

fn ids(list: &JobList) -> Vec<&str> {
    list.jobs.iter().map(|job| job.job_id.as_str()).collect()
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let server = Server::start().await.expect("a port");
    let next = format!("{}{LIST}?cursor=c2", server.base());
    server.on(LIST, [page(&["p1", "p2"], Some(&next)), page(&["p3"], None)]);
    let list = listed(&server).await;
    assert_eq!((ids(&list), list.is_whole, list.why.clone()), (vec!["p1", "p2", "p3"], true, None));
    let first = &list.jobs[0];
    assert_eq!((first.model.as_deref(), first.prompt.as_deref()), (Some("acme/painter"), Some("a boat")));
    assert_eq!(first.state, makegood_domain::work::JobState::Succeeded);
    let asked: Vec<_> = server.seen().into_iter().map(|request| request.target.replace(LIST, "")).collect();
    let window = "?created_after=2026-03-01T08%3A00%3A00Z&created_before=2026-03-01T09%3A00%3A00Z";
    assert_eq!(asked, [window, "?cursor=c2"]);
    assert!(server.seen().iter().all(|r| r.header("authorization") == Some(format!("Bearer {KEY}").as_str())));
    assert_eq!(list.raw.len(), 2, "what was said is kept");
}

#[tokio::test]
async fn the_next_page_is_asked_of_nobody_else() {
    let (server, stranger) = (Server::start().await.expect("a port"), Server::start().await.expect("a port"));
    for next in
        [format!("{}{LIST}", stranger.base()), "https://evil.example/v1/predictions".to_owned(), "/v1".to_owned()]
    {
        server.on(LIST, [page(&["p1"], Some(&next))]);
        let list = listed(&server).await;
        assert_eq!((ids(&list), list.is_whole), (vec!["p1"], false), "{next}");
        assert!(list.why.is_some(), "{next}");
    }
    assert!(stranger.seen().is_empty());
}

#[tokio::test]
async fn half_a_list_is_not_taken_for_the_whole() {
    let refused = Reply::json(401, &json!({"detail": format!("{KEY} is no key")}));
    let cut = page(&["p3"], None).cut_after(40);
    let odd =
        Reply::json(200, &json!({"results": [{"id": "p3", "status": "failed"}, {"status": "failed"}], "next": null}));
    for (second, found, says) in [
        (refused.clone(), 1, "[key] is no key"),
        (Reply::json(500, &json!({})), 1, "HTTP 500"),
        (cut, 1, "broke off"),
        (Reply::json(200, &json!({"detail": "nothing"})), 1, "can't be read"),
        (odd, 2, "an entry"),
    ] {
        let server = Server::start().await.expect("a port");
        let next = format!("{}{LIST}?cursor=c2", server.base());
        server.on(LIST, [page(&["p1"], Some(&next)), second]);
        let list = listed(&server).await;
        assert_eq!((list.jobs.len(), list.is_whole), (found, false), "{says}: {list:?}");
        assert!(list.why.as_deref().is_some_and(|why| why.contains(says)), "{says}: {:?}", list.why);
    }
    let server = Server::start().await.expect("a port");
    server.on(LIST, [refused]);
    let list = listed(&server).await;
    assert!(list.jobs.is_empty() && !list.is_whole && list.why.is_some(), "{list:?}");
}

#[tokio::test]
async fn a_list_without_an_end_is_left() {
    let server = Server::start().await.expect("a port");
    server.on(LIST, [page(&["p1"], Some(&format!("{}{LIST}", server.base())))]);
    let list = listed(&server).await;
    assert!(!list.is_whole && list.why.is_some_and(|why| why.contains("first 20 pages")));
    assert_eq!(server.seen().len(), 20);
}

/// What a language model says may be what was ordered: that no file was made is said by nobody.
#[tokio::test]
async fn words_alone_are_no_job_without_a_file() {
    for (output, state) in [
        (json!("a poem"), JobState::Unrecognised),
        (json!(["a ", "poem"]), JobState::Unrecognised),
        (json!("/tmp/out.png"), JobState::Unrecognised),
        (json!(null), JobState::Succeeded),
    ] {
        let server = Server::start().await.expect("a port");
        let body = json!({"id": "m4kq7p2v", "status": "succeeded", "output": output});
        server.on(&Predictions.question(), [Reply::json(200, &body)]);
        let found = looked_up(&server, 1).await;
        assert_eq!(found.state, state, "{output}");
        assert_eq!(found.items.len(), usize::from(state == JobState::Succeeded), "{output}");
    }
}

#[tokio::test]
async fn a_hole_in_the_list_is_the_item_at_its_place() {
    use ItemState::{NotReturned, Succeeded};
    let server = Server::start().await.expect("a port");
    let url = |n: u32| format!("{}/{n}.png", server.base());
    let body = json!({"id": "m4kq7p2v", "status": "succeeded", "output": [url(0), null, url(2)]});
    server.on(&Predictions.question(), [Reply::json(200, &body)]);
    for n in [0, 2] {
        server.on(&format!("/{n}.png"), [Reply::file("image/png", Sample::png().bytes)]);
    }
    for (requested, want) in [
        (3, &[Succeeded, NotReturned, Succeeded][..]),
        (4, &[Succeeded, NotReturned, Succeeded, NotReturned]),
        // More places than were asked for: the list is none of items, place by place.
        (2, &[Succeeded, Succeeded]),
    ] {
        let items = looked_up(&server, requested).await.items;
        let states: Vec<_> = items.iter().map(|item| item.state).collect();
        assert_eq!(states, want, "{requested} asked for");
    }
}

async fn looked_up(server: &Server, requested_items: u32) -> Job {
    let at = "2026-03-01T09:00:00Z".parse().expect("a time");
    let job = JobRef {
        provider_id: "replicate".into(),
        job_id: Predictions.job_id(),
        run_id: "run_1".into(),
        locator: None,
        requested_items,
        submitted_at: at,
    };
    Predictions.connect(server.base()).port.find_job(&job, at).await.job
}
