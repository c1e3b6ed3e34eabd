//! What an adapter says that it can do beside telling of a job, and what it says that it can't.

use makegood_domain::ports::{JobList, JobWindow};
use makegood_domain::work::JobState;

use super::{KEY, Kept, Listed, Stage, Subject, at, now};
use crate::{Reply, Sample};

/// Who can't be asked about a job is not asked: nobody waits for an answer that can't come.
pub(super) async fn mute(subject: &dyn Subject) {
    let stage = Stage::set(subject).await;
    let found = stage.look_up(2).await;
    assert!(matches!(found.job.state, JobState::NotFound | JobState::LookupFailed), "{found:?}");
    assert!(found.job.error.is_some() && found.job.items.is_empty() && found.raw.is_empty(), "{found:?}");
    let fetched = stage.connected.port.fetch(&stage.job(1), 1, &mut Kept::default()).await;
    assert!(fetched.is_err(), "there is nothing to fetch");
    assert!(stage.server.seen().is_empty(), "nobody is asked: {:?}", stage.server.seen());
}

/// The list of an hour, by a server that answers so.
async fn listed(subject: &dyn Subject, reply: Option<(String, Reply)>) -> (Stage<'_>, JobList) {
    let mut stage = Stage::set(subject).await;
    stage.connected = subject.connect_to_list(stage.server.base());
    if let Some((path, reply)) = reply {
        stage.server.on(&path, [reply]);
    }
    let (since, until) = (at("2026-03-01T08:00:00Z"), at("2026-03-01T09:00:00Z"));
    let window = JobWindow { run_id: "run_1".into(), locator: subject.locator(), since, until };
    let list = stage.connected.port.list_jobs(&window, now()).await;
    (stage, list)
}

fn job(id: &'static str, created_at: &str) -> Option<Listed> {
    Some(Listed { id, created_at: at(created_at) })
}

/// A job whose id was lost is sought in a list; what is not all of it is never taken for all.
pub(super) async fn lists(subject: &dyn Subject, can: bool) {
    assert_eq!(subject.list(&[]).is_some(), can, "whether it lists jobs");
    let of_customers = [
        job("1004", "2026-03-01T09:30:00Z"),
        job("1003", "2026-03-01T08:40:00Z"),
        job("1002", "2026-03-01T08:20:00Z"),
        job("1001", "2026-03-01T07:00:00Z"),
    ];
    let Some((path, whole)) = subject.list(&of_customers) else {
        let (stage, list) = listed(subject, None).await;
        assert!(list.jobs.is_empty() && !list.is_whole && list.why.is_some(), "{list:?}");
        assert!(stage.server.seen().is_empty(), "nobody is asked for a list: {:?}", stage.server.seen());
        return;
    };
    let (stage, list) = listed(subject, Some((path.clone(), Reply::json(200, &whole)))).await;
    for id in ["1003", "1002"] {
        // Once: two that could be it prove nothing.
        let times = list.jobs.iter().filter(|job| job.job_id.as_str() == id).count();
        assert_eq!(times, 1, "{id} is of that time: {list:?}");
    }
    assert!(list.is_whole && list.why.is_none() && !list.raw.is_empty(), "{list:?}");
    stage.only_read();
    let (name, value) = subject.key_header();
    assert!(stage.server.seen().iter().all(|request| request.header(name) == Some(value.as_str())));

    let half = |list: &JobList| !list.is_whole && list.why.as_ref().is_some_and(|why| !why.contains(KEY));
    for status in [400, 401, 403, 404, 422, 429, 500, 503] {
        let refusal = serde_json::json!({"detail": format!("no list for {KEY}")});
        let (_, list) = listed(subject, Some((path.clone(), Reply::json(status, &refusal)))).await;
        assert!(half(&list) && list.jobs.is_empty(), "HTTP {status}: {list:?}");
    }
    let cut = Reply::json(200, &whole).cut_after(40);
    let (_, list) = listed(subject, Some((path.clone(), cut))).await;
    assert!(half(&list) && list.jobs.is_empty(), "a list that breaks off: {list:?}");
    for odd in [[None, of_customers[1]], [of_customers[1], None]] {
        let page = subject.list(&odd).map(|(path, page)| (path, Reply::json(200, &page)));
        let (_, list) = listed(subject, page).await;
        assert!(half(&list), "an entry that can't be read may be the one: {list:?}");
    }
}

/// A provider's own word about when a file ends counts for more than what its vendor states in general.
pub(super) async fn expiry(subject: &dyn Subject, can: bool) {
    let stage = Stage::set(subject).await;
    let until = at("2026-03-01T09:00:00Z");
    let told = subject.kept_until(&stage.file_url("a"), until);
    assert_eq!(told.is_some(), can, "whether it tells until when a file is kept");
    let Some(answers) = told else { return };
    for (path, body) in answers {
        stage.server.on(&path, [Reply::json(200, &body)]);
    }
    stage.server.on(&stage.file_path("a"), [Reply::file("video/mp4", Sample::mp4(9).bytes)]);
    let found = stage.look_up(1).await;
    let file = found.job.items.first().and_then(|item| item.file.as_ref());
    assert_eq!(file.and_then(|file| file.available_until), Some(until), "{found:?}");
}
