//! Copies of our own: what is finished is saved before its provider forgets it, and delivers nothing by that.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::SignedDuration;
use makegood_app::contract::{FileDeadline, OutcomeState, QueueFilter, QueueRequest};
use makegood_domain::feed::Fact;
use makegood_domain::ids::{JobId, RunId};
use makegood_domain::ledger::ItemPrice;
use makegood_domain::plan::ActionKind;
use makegood_domain::ports::{FactStore, ReconcileStore as _};
use makegood_domain::work::{Job, JobState};
use makegood_testkit::{Fault, ManualClock, MemoryStore, Op};
use serde_json::json;

use super::acting::{confirmation, review};
use super::fakes::{Fetching, Mill};
use super::loom::{OneLoom, Says};
use super::reconciling::{CHARGED, running_job, works};
use super::world::*;

const STARTED: &str = "2026-03-12T18:04:22Z";
const FINISHED: &str = "2026-03-12T18:12:14Z";

/// A run whose file its provider has, and whose provider says so when it is asked.
pub(super) async fn finished(further: Vec<Fact>) -> House {
    let made = made_job("run_shot4", FINISHED, &clip());
    let house = house(&[ground(), run_of_210("run_shot4", STARTED), vec![made.clone()], further]).await;
    if let Fact::Job(job) = made {
        *house.mill.answer.lock().expect("not poisoned") = Some(job);
    }
    house
}

pub(super) async fn dossier(house: &House, run: &str) -> makegood_domain::scope::Dossier {
    let scope = house.store.scope_of_run(&RunId::new(run), at(NOW)).await.expect("readable");
    scope.expect("a run").runs.into_iter().next().expect("its facts")
}

pub(super) async fn file_of(house: &House, ticket: &str) -> FileDeadline {
    let filter = QueueFilter { search: ticket.to_owned(), ..QueueFilter::default() };
    let rows = house.desk.queue(QueueRequest { filter, offset: 0, limit: 5 }).await.expect("a queue").rows;
    rows.into_iter().next().expect("the case").file
}

#[tokio::test]
async fn what_a_webhook_tells_of_is_saved_and_then_needs_no_provider() {
    let house = finished(vec![upload_failed("run_shot4", FINISHED)]).await;
    let case = house.case("T-1", COMPLAINT).await;
    assert!(matches!(file_of(&house, "T-1").await, FileDeadline::Running { .. }));
    house.desk.heard_of([JobId::new("job-run_shot4"), JobId::new("job-of-nobody")]);
    assert_eq!(house.desk.capture_wanted().await, 1);
    assert_eq!(house.desk.capture_wanted().await, 0, "a wish is for once");
    let saved = dossier(&house, "run_shot4").await.captures;
    assert_eq!(saved.len(), 1);
    assert_eq!(file_of(&house, "T-1").await, FileDeadline::Saved, "at once, without a look at the case");
    let files = house.desk.vault_files(None).await.expect("a list");
    let [file] = files.as_slice() else { panic!("{files:?}") };
    assert_eq!((&file.file.sha256, file.references.len()), (&saved[0].file.sha256, 1));
    assert!(!file.fate.is_over(), "the vault must not clear it away: {:?}", file.fate);
    // Its provider has forgotten the file, and our copy exists (P7).
    *house.mill.fetching.lock().expect("not poisoned") = Fetching::Fails { gone: true };
    let done = house.desk.confirm(confirmation(&review(&house.desk, &case, ActionKind::Recover).await, "a")).await;
    let done = done.expect("an outcome");
    assert_eq!(done.state, OutcomeState::Done, "{:?}", done.why);
}

#[tokio::test]
async fn a_review_that_was_made_before_the_file_was_saved_stands() {
    let house = finished(vec![upload_failed("run_shot4", FINISHED)]).await;
    let case = house.case("T-1", COMPLAINT).await;
    let sheet = review(&house.desk, &case, ActionKind::Recover).await;
    house.desk.heard_of([JobId::new("job-run_shot4")]);
    assert_eq!(house.desk.capture_wanted().await, 1);
    let done = house.desk.confirm(confirmation(&sheet, "a")).await.expect("the review stands");
    assert_eq!(done.state, OutcomeState::Done, "{:?}", done.why);
    assert_eq!(dossier(&house, "run_shot4").await.captures.len(), 1, "and nothing was fetched twice");
}

#[tokio::test]
async fn a_late_result_of_a_refunded_item_is_saved_and_not_delivered() {
    let house = finished(vec![platform_refund("run_shot4", FINISHED)]).await;
    house.desk.heard_of([JobId::new("job-run_shot4")]);
    assert_eq!(house.desk.capture_wanted().await, 1);
    let after = dossier(&house, "run_shot4").await;
    assert_eq!((after.captures.len(), after.outputs.len()), (1, 0), "it is ours to keep, and nobody's output (P4)");
}

/// A run of two items that was charged twice, of which the second one is delivered and the first one made.
fn charged_twice() -> Vec<Fact> {
    let mut facts = run_of_210("run_0", CHARGED);
    for fact in &mut facts {
        match fact {
            Fact::Run(run) => run.requested_items = 2,
            Fact::Charge(charge) => charge.items = (1..=2).map(|item| ItemPrice { item, credits: 105 }).collect(),
            _ => {}
        }
    }
    let mut again = facts[1].clone();
    if let Fact::Charge(charge) = &mut again {
        charge.id = "chg_again".into();
        charge.idempotency_key = "again".into();
        charge.posted_at += SignedDuration::from_secs(5);
    }
    let output = json!({"id": "out_2", "run_id": "run_0", "item": 2, "project_id": "prj_spring01", "node_id": "nd_shot4",
        "stored_at": CHARGED, "bytes": 10, "state": "stored", "in_history": true, "on_canvas": true});
    let output = serde_json::from_value(json!({ "type": "output", "data": output })).expect("a fact");
    facts.extend([again, running_job("run_0"), output]);
    facts
}

#[tokio::test]
async fn what_is_for_people_is_saved_by_the_reconciler() {
    let works = works(&[rich_ground(2), charged_twice()]).await;
    works.loom.script("run_0", Says::Made);
    let desk = works.desk_of(Arc::new(OneLoom(Arc::clone(&works.loom))));
    let report = desk.reconcile_once(&works.shift("one")).await.expect("a pass");
    let after = works.run("run_0").await;
    assert_eq!((report.parked, report.transferred), (1, 0), "{:?}", report.problems);
    assert_eq!((after.captures.len(), after.outputs.len()), (1, 1), "saved, and not delivered");
    assert_eq!(works.loom.fetched.load(Ordering::SeqCst), 1);
}

/// What its provider says of the job from now on.
fn says(house: &House, state: JobState) {
    house.mill.answer.lock().expect("not poisoned").as_mut().expect("an answer").state = state;
}

#[tokio::test]
async fn what_nobody_could_say_is_not_saved_and_is_asked_about_again() {
    for unsaid in [JobState::LookupFailed, JobState::Unrecognised] {
        // Its credits went back: nobody else comes by its file.
        let house = finished(vec![platform_refund("run_shot4", FINISHED)]).await;
        says(&house, unsaid);
        house.desk.heard_of([JobId::new("job-run_shot4")]);
        assert_eq!(house.desk.capture_wanted().await, 0);
        assert!(dossier(&house, "run_shot4").await.captures.is_empty());
        house.clock.advance(SignedDuration::from_secs(30));
        assert_eq!(house.desk.capture_wanted().await, 0, "still nobody can say");
        says(&house, JobState::Succeeded);
        assert_eq!(house.desk.capture_wanted().await, 0, "not at once: its provider is in trouble");
        house.clock.advance(SignedDuration::from_secs(60));
        assert_eq!(house.desk.capture_wanted().await, 1, "{unsaid:?}");
        assert_eq!(dossier(&house, "run_shot4").await.captures.len(), 1);
    }
}

#[tokio::test]
async fn what_nobody_could_say_is_not_asked_about_for_longer_than_a_file_is_kept() {
    let house = finished(vec![platform_refund("run_shot4", FINISHED)]).await;
    says(&house, JobState::LookupFailed);
    house.desk.heard_of([JobId::new("job-run_shot4")]);
    for _ in 0..4 * 49 {
        assert_eq!(house.desk.capture_wanted().await, 0);
        house.clock.advance(SignedDuration::from_mins(15));
    }
    says(&house, JobState::Succeeded);
    assert_eq!(house.desk.capture_wanted().await, 0, "after 49 hours of the 48 that it is kept");
}

/// Its provider was asked about a job when that was done.
async fn asked_about(store: &impl FactStore, job: &Job) {
    let asked = Job { looked_up_at: Some(at(FINISHED)), ..job.clone() };
    store.record_look_up(&asked, &[]).await.expect("kept");
}

/// A record in memory, with a run that was refunded and whose file its provider has.
async fn late_in_memory() -> (tempfile::TempDir, Arc<MemoryStore>, Arc<ManualClock>, Arc<Mill>) {
    let (dir, store) = (tempfile::tempdir().expect("a folder"), Arc::new(MemoryStore::new()));
    let (clock, mill) = (Arc::new(ManualClock::new(at(NOW))), Mill::giving(&clip()));
    let made = made_job("run_shot4", FINISHED, &clip());
    let refund = platform_refund("run_shot4", FINISHED);
    let facts = [ground(), run_of_210("run_shot4", STARTED), vec![made.clone(), refund]].concat();
    assert_eq!(store.import(&facts, at(NOW)).await.expect("an import").rejected, []);
    if let Fact::Job(job) = made {
        asked_about(&*store, &job).await;
        *mill.answer.lock().expect("not poisoned") = Some(job);
    }
    (dir, store, clock, mill)
}

#[tokio::test]
async fn a_fault_of_the_record_forgets_no_wish() {
    let (dir, store, clock, mill) = late_in_memory().await;
    let desk = desk_on(&store, &clock, &mill, dir.path(), "ana");
    desk.heard_of([JobId::new("job-run_shot4")]);
    // Whose job it is, what is known of its run, and what its provider said: each can't be read or written once.
    for (op, wait) in [(Op::OwnersOfJobs, 30), (Op::ScopeOfRun, 30), (Op::RecordLookUp, 60), (Op::KeepCapture, 120)] {
        store.fail_next(op, Fault::BeforeCommit);
        assert_eq!(desk.capture_wanted().await, 0, "{op:?}");
        clock.advance(SignedDuration::from_secs(wait));
    }
    assert_eq!(desk.capture_wanted().await, 1, "nothing was forgotten");
}

#[tokio::test]
async fn a_late_result_that_did_not_come_is_tried_again_though_nothing_of_it_is_due() {
    let house = finished(vec![platform_refund("run_shot4", FINISHED)]).await;
    let gives = {
        let mut fetching = house.mill.fetching.lock().expect("not poisoned");
        std::mem::replace(&mut *fetching, Fetching::Fails { gone: false })
    };
    house.desk.heard_of([JobId::new("job-run_shot4")]);
    assert_eq!(house.desk.capture_wanted().await, 0);
    *house.mill.fetching.lock().expect("not poisoned") = gives;
    assert_eq!(house.desk.capture_wanted().await, 0, "not at once: its provider is in trouble");
    house.clock.advance(SignedDuration::from_secs(30));
    assert_eq!(house.desk.capture_wanted().await, 1);
    assert_eq!(dossier(&house, "run_shot4").await.captures.len(), 1);
    house.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(house.desk.capture_wanted().await, 0, "what is here is not tried again");
}

#[tokio::test]
async fn what_its_provider_no_longer_has_is_not_asked_for_again() {
    let house = finished(vec![platform_refund("run_shot4", FINISHED)]).await;
    *house.mill.fetching.lock().expect("not poisoned") = Fetching::Fails { gone: true };
    house.desk.heard_of([JobId::new("job-run_shot4")]);
    assert_eq!(house.desk.capture_wanted().await, 0);
    let asked = house.mill.fetched.load(Ordering::SeqCst);
    house.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(house.desk.capture_wanted().await, 0);
    assert_eq!(house.mill.fetched.load(Ordering::SeqCst), asked);
}

/// A desk of a program that has just begun, on the record and vault of a house.
fn begun_anew(house: &House) -> Arc<makegood_app::Desk> {
    desk_on(&house.store, &house.clock, &house.mill, house.dir.path(), "ana")
}

/// So often it is looked whether something was saved that is to be: whoever writes files takes its time.
const TURNS: usize = 100_000;
/// And that is not to be.
const FEW_TURNS: usize = 500;

/// Whether a late result is saved after a while by a desk that goes on saving.
async fn is_saved_by(house: &House, desk: &Arc<makegood_app::Desk>, turns: usize) -> bool {
    let desk = Arc::clone(desk);
    let saving = tokio::spawn(async move { desk.keep_capturing().await });
    let mut is_saved = false;
    for _ in 0..turns {
        if is_saved {
            break;
        }
        is_saved = !dossier(house, "run_shot4").await.captures.is_empty();
    }
    saving.abort();
    is_saved
}

#[tokio::test]
async fn what_was_wished_for_before_the_program_ended_is_saved_after_its_next_start() {
    for was_answered in [true, false] {
        let house = finished(vec![platform_refund("run_shot4", FINISHED)]).await;
        let gives = {
            let mut fetching = house.mill.fetching.lock().expect("not poisoned");
            std::mem::replace(&mut *fetching, Fetching::Fails { gone: false })
        };
        if !was_answered {
            says(&house, JobState::LookupFailed);
        }
        house.desk.heard_of([JobId::new("job-run_shot4")]);
        assert_eq!(house.desk.capture_wanted().await, 0, "its provider is in trouble");
        // The program ends, and its wishes with it.
        *house.mill.fetching.lock().expect("not poisoned") = gives;
        says(&house, JobState::Succeeded);
        assert!(is_saved_by(&house, &begun_anew(&house), TURNS).await, "answered before: {was_answered}");
    }
}

#[tokio::test]
async fn a_start_at_which_the_record_cannot_be_read_forgets_nothing() {
    let (dir, store, clock, mill) = late_in_memory().await;
    let desk = desk_on(&store, &clock, &mill, dir.path(), "ana");
    store.fail_next(Op::UnkeptJobs, Fault::BeforeCommit);
    let saving = tokio::spawn(async move { desk.keep_capturing().await });
    let is_saved = async |turns| {
        for _ in 0..turns {
            tokio::task::spawn_blocking(|| ()).await.expect("no panic");
            let scope = store.scope_of_run(&RunId::new("run_shot4"), at(NOW)).await.expect("readable");
            if !scope.expect("a run").runs[0].captures.is_empty() {
                return true;
            }
        }
        false
    };
    assert!(!is_saved(FEW_TURNS).await);
    clock.advance(SignedDuration::from_secs(30));
    assert!(is_saved(TURNS).await);
    saving.abort();
}

#[tokio::test]
async fn what_is_older_than_a_file_is_kept_is_not_wished_for_at_the_start() {
    // It is 1 day and 21 hours old when it begins, and what nobody says more of is kept for 7 days (P7).
    for (days, is_wished) in [(5, true), (6, false)] {
        let house = finished(vec![platform_refund("run_shot4", FINISHED)]).await;
        asked_about(&*house.store, &dossier(&house, "run_shot4").await.jobs[0]).await;
        house.clock.advance(SignedDuration::from_hours(24 * days));
        let turns = if is_wished { TURNS } else { FEW_TURNS };
        assert_eq!(is_saved_by(&house, &begun_anew(&house), turns).await, is_wished, "{days} days later");
    }
}
