//! What the platform says, in whatever order it comes, and what of it counts beside the word of a provider.

use jiff::Timestamp;
use makegood_domain::events::{Event, Origin};
use makegood_domain::feed::Fact;
use makegood_domain::ports::{Store, Taken, Told};
use makegood_domain::scope::Dossier;
use makegood_domain::work::{Job, JobState, RunStatus};
use serde_json::json;

use super::world::{at, charge, fact, output, refund, run, run_row};

/// An event of the platform under this id.
fn event(id: &str, time: Option<Timestamp>, fact: Fact) -> Told {
    let origin = Some(Origin { source: "/platform".into(), id: id.into() });
    Told::new(Event { origin, time, ..Event::from(fact) }, "here")
}

fn job(run: &str, state: &str) -> Fact {
    let row = json!({ "id": format!("job_{run}"), "run_id": run, "provider_id": "meridian", "submitted_at": at(11),
        "state": state, "processing_started_at": null, "finished_at": null, "items": [], "error": null,
        "looked_up_at": at(900) });
    fact("job", row)
}

fn with_status(id: &str, status: &str) -> Fact {
    let mut row = run_row(id, "a", "a", 10);
    row["status"] = status.into();
    fact("run", row)
}

async fn dossier(store: &dyn Store, run: &str) -> Dossier {
    store.scope_of_run(&run.into(), at(5_000)).await.unwrap().unwrap().runs.remove(0)
}

async fn known(store: &dyn Store, run: &str) -> Job {
    dossier(store, run).await.jobs.remove(0)
}

async fn take(store: &dyn Store, told: &[Told], seconds: i64) -> Vec<Option<Taken>> {
    let report = store.take(told, at(seconds)).await.unwrap();
    assert_eq!(report.rejected, []);
    report.outcomes
}

pub(crate) async fn a_feeds_word_of_a_job_is_nobodys_look_up(store: &dyn Store) {
    take(store, &[event("1", None, run("run_1", "a", "a", 10)), event("2", None, job("run_1", "failed"))], 1000).await;
    let told = known(store, "run_1").await;
    assert_eq!((told.state, told.looked_up_at), (JobState::Failed, None), "whatever instant it names");
    let answered = |state, seconds| Job { state, looked_up_at: Some(at(seconds)), ..told.clone() };
    let said = async |state, seconds| store.record_look_up(&answered(state, seconds), &[]).await.unwrap();
    let now = async || {
        let job = known(store, "run_1").await;
        (job.state, job.looked_up_at)
    };
    said(JobState::LookupFailed, 1100).await;
    assert_eq!(now().await, (JobState::LookupFailed, Some(at(1100))));
    take(store, &[event("3", Some(at(1050)), job("run_1", "cancelled"))], 1200).await;
    assert_eq!(now().await, (JobState::Cancelled, None), "no answer says nothing");
    said(JobState::Processing, 1300).await;
    take(store, &[event("4", Some(at(1250)), job("run_1", "filtered"))], 1400).await;
    assert_eq!(now().await, (JobState::Processing, Some(at(1300))), "said before it was asked about");
    take(store, &[event("5", Some(at(1350)), job("run_1", "failed"))], 1500).await;
    assert_eq!(now().await, (JobState::Failed, None), "said since");
    said(JobState::Succeeded, 1600).await;
    take(store, &[event("6", Some(at(1700)), job("run_1", "not_found"))], 1800).await;
    assert_eq!(now().await, (JobState::Succeeded, Some(at(1600))), "the provider has the last word");
}

pub(crate) async fn what_was_said_before_comes_late_and_changes_nothing(store: &dyn Store) {
    let said = |id: &str, seconds, status: &str| event(id, Some(at(seconds)), with_status("run_1", status));
    for (told, want, status) in [
        (said("1", 20, "running"), Taken::Added, RunStatus::Running),
        (said("2", 40, "succeeded"), Taken::Updated, RunStatus::Succeeded),
        (said("3", 30, "awaiting_result"), Taken::Unchanged, RunStatus::Succeeded),
        // The same again is as of then.
        (said("4", 60, "succeeded"), Taken::Unchanged, RunStatus::Succeeded),
        (said("5", 50, "cancelled"), Taken::Unchanged, RunStatus::Succeeded),
        // Of two things of one instant, the one that comes last.
        (said("6", 60, "cancelled"), Taken::Updated, RunStatus::Cancelled),
        // Without a time: as of when it comes.
        (event("7", None, with_status("run_1", "running")), Taken::Updated, RunStatus::Running),
        (said("8", 999, "succeeded"), Taken::Unchanged, RunStatus::Running),
        // A clock a month ahead says nothing, and keeps nobody out.
        (said("9", 3_000_000, "succeeded"), Taken::Updated, RunStatus::Succeeded),
        (said("10", 1001, "cancelled"), Taken::Updated, RunStatus::Cancelled),
    ] {
        let id = told.event.origin.as_ref().unwrap().id.clone();
        assert_eq!(take(store, &[told], 1000).await, [Some(want)], "event {id}");
        assert_eq!(dossier(store, "run_1").await.run.status, status, "event {id}");
    }
}

pub(crate) async fn a_refund_that_was_reversed_was_posted_before(store: &dyn Store) {
    let said = |id: &str, seconds, state: &str| {
        event(id, Some(at(seconds)), refund("rfd_1", "chg_1", "run_1", state, &[1], &[("bal_q", 9)]))
    };
    let rows = [run("run_1", "a", "a", 10), charge("chg_1", "run_1", "a", 20, &[9], &[("bal_q", 9)])];
    take(store, &rows.map(|row| Told::new(row.into(), "")), 1000).await;
    assert_eq!(take(store, &[said("1", 60, "reversed")], 1000).await, [Some(Taken::Added)]);
    assert_eq!(take(store, &[said("2", 50, "posted")], 1000).await, [Some(Taken::Unchanged)]);
    assert_eq!(
        take(store, &[said("3", 70, "posted")], 1000).await,
        [Some(Taken::Unchanged)],
        "it is never posted again"
    );
    let [kept] = dossier(store, "run_1").await.refunds.try_into().unwrap();
    assert_eq!(kept.state, makegood_domain::ledger::RefundState::Reversed);
}

/// All orders of so many things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut all = vec![vec![]];
    for next in 0..count {
        let with = |order: &Vec<usize>, place: usize| {
            let mut order = order.clone();
            order.insert(place, next);
            order
        };
        all = all.iter().flat_map(|order| (0..=next).map(|place| with(order, place)).collect::<Vec<_>>()).collect();
    }
    all
}

/// Six events of three rows, of one run of its own each time, in all orders; each comes a second time, right
/// away, at the end, or both. Told in one batch, and again in pieces.
pub(crate) async fn the_state_follows_from_the_set_of_events(store: &dyn Store) {
    let mut wanted: Option<String> = None;
    for (number, order) in orders(6).into_iter().enumerate() {
        let id = format!("run_{number:03}");
        let six = [
            (20, with_status(&id, "running")),
            (30, job(&id, "processing")),
            (40, job(&id, "succeeded")),
            (50, job(&id, "failed")),
            (60, with_status(&id, "post_processing_failed")),
            (70, output(&format!("out_{id}"), &id, "a", "stored")),
        ];
        let told = six
            .iter()
            .enumerate()
            .map(|(place, (time, fact))| event(&format!("{id}/{place}"), Some(at(*time)), fact.clone()));
        let told: Vec<Told> = told.collect();
        let mut came: Vec<Told> = Vec::new();
        for place in &order {
            came.push(told[*place].clone());
            came.extend((number % 3 > 0).then(|| told[*place].clone()));
        }
        came.extend((number % 3 < 2).then(|| told.clone()).into_iter().flatten());
        // One by one what lacks its run would be kept with the dead letters: those orders are told in one batch.
        let pieces = if number % 4 == 0 && order[0] == 0 { 1 } else { came.len() };
        for piece in came.chunks(pieces) {
            take(store, piece, 1000).await;
        }
        let found = dossier(store, &id).await;
        let seen = format!("{:?} {:?} {:?}", found.run, found.jobs, found.outputs).replace(&id, "the run");
        assert_eq!(&seen, wanted.get_or_insert_with(|| seen.clone()), "order {order:?}");
        assert_eq!((found.run.status, found.jobs[0].state), (RunStatus::PostProcessingFailed, JobState::Failed));
    }
}
