//! The 24-hour promise: kept by one function that is run again and again, by several at once, and after
//! crashes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};
use makegood_app::contract::{CaseRequest, Nothing, ReconcileRequest, UsageKind};
use makegood_app::{Agent, Desk, Ports, Shift, UsageWanted, WorkspaceInfo};
use makegood_connectors::LocalVault;
use makegood_domain::feed::Fact;
use makegood_domain::ids::{ActionKey, AgentId, CaseId, RunId};
use makegood_domain::plan::Effect;
use makegood_domain::policy::Policy;
use makegood_domain::ports::{
    ActionStore as _, Applied, DetectionKind, FactStore as _, PassReport, Providers, Receipt, ReconcileStore as _,
    Vault,
};
use makegood_domain::reading::RuleReader;
use makegood_domain::scope::{Dossier, Scope};
use makegood_domain::usage::EntryKind;
use makegood_store::sqlite::SqliteStore;
use makegood_testkit::ManualClock;
use serde_json::json;
use tempfile::TempDir;

use super::loom::{Loom, OneLoom, Says};
use super::telling::told;
use super::world::{COMPLAINT, at, clip, failed_job, made_job, rich_ground, run_of_210, ticket, upload_failed};

/// Posting of the charges.
pub(super) const CHARGED: &str = "2026-03-12T18:04:22Z";

pub(super) struct Works {
    pub store: Arc<SqliteStore>,
    pub clock: Arc<ManualClock>,
    pub loom: Arc<Loom>,
    pub policy: Policy,
    dir: TempDir,
}

/// A record with these runs, an hour after they were charged.
pub(super) async fn works(facts: &[Vec<Fact>]) -> Works {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Arc::new(SqliteStore::open(&dir.path().join("record.sqlite")).await.expect("a record"));
    let report = store.import(&facts.concat(), at(CHARGED)).await.expect("an import");
    assert_eq!(report.rejected, [], "the test world is a world");
    let clock = Arc::new(ManualClock::new(at(CHARGED) + SignedDuration::from_hours(1)));
    let policy = Policy::default_policy().expect("the built-in policy");
    Works { store, clock, loom: Arc::default(), dir, policy }
}

/// A job that the platform last heard of as running.
pub(super) fn running_job(run: &str) -> Fact {
    let job = json!({"id": format!("job-{run}"), "run_id": run, "provider_id": "mill", "submitted_at": CHARGED,
        "state": "processing", "processing_started_at": CHARGED, "finished_at": null, "items": [], "error": null});
    serde_json::from_value(json!({ "type": "job", "data": job })).expect("a fact")
}

/// So many runs of 210 credits with a job that the platform last heard of as running.
fn runs(count: usize) -> Vec<Fact> {
    let names = (0..count).map(|number| format!("run_{number}"));
    names.flat_map(|name| [run_of_210(&name, CHARGED), vec![running_job(&name)]].concat()).collect()
}

impl Works {
    fn desk(&self) -> Arc<Desk> {
        self.desk_in(self.dir.path())
    }

    fn desk_in(&self, dir: &Path) -> Arc<Desk> {
        self.desk_with(dir, Arc::new(OneLoom(Arc::clone(&self.loom))))
    }

    /// A desk with other providers.
    pub(super) fn desk_of(&self, providers: Arc<dyn Providers>) -> Arc<Desk> {
        self.desk_with(self.dir.path(), providers)
    }

    fn desk_with(&self, dir: &Path, providers: Arc<dyn Providers>) -> Arc<Desk> {
        self.desk_keeping_in(Arc::new(LocalVault::open(dir.join("vault")).expect("a vault")), providers)
    }

    /// A desk with another vault.
    pub(super) fn desk_keeping_in(&self, vault: Arc<dyn Vault>, providers: Arc<dyn Providers>) -> Arc<Desk> {
        let ports = Ports {
            store: Arc::clone(&self.store) as _,
            providers,
            vault,
            reader: Arc::new(RuleReader),
            clock: Arc::clone(&self.clock) as _,
        };
        let agent = Agent { id: AgentId::new("ana"), name: "ana".to_owned() };
        let info = WorkspaceInfo { name: "Test".into(), banner: None };
        Arc::new(Desk::new(ports, self.policy.clone(), agent, info))
    }

    /// Where its files are.
    pub(super) fn folder(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn shift(&self, name: &str) -> Shift {
        let now = self.clock_now();
        Shift::new(format!("pass-{name}-{now}"), format!("worker-{name}"))
    }

    pub(super) fn clock_now(&self) -> Timestamp {
        makegood_domain::ports::Clock::now(&*self.clock)
    }

    async fn pass(&self) -> PassReport {
        self.desk().reconcile_once(&self.shift("one")).await.expect("a pass")
    }

    /// Passes on the hour, so many.
    async fn hours(&self, count: u32) -> Vec<PassReport> {
        let mut reports = Vec::new();
        for _ in 0..count {
            self.clock.advance(SignedDuration::from_hours(1));
            reports.push(self.pass().await);
        }
        reports
    }

    async fn scope(&self, run: &str) -> Scope {
        let scope = self.store.scope_of_run(&RunId::new(run), self.clock_now()).await;
        scope.expect("readable").expect("a run")
    }

    pub(super) async fn run(&self, run: &str) -> Dossier {
        self.scope(run).await.runs.remove(0)
    }

    async fn levels(&self) -> Vec<i64> {
        let scope = self.scope("run_0").await;
        scope.accounts.iter().flat_map(|account| &account.balances).map(|balance| balance.current).collect()
    }
}

#[tokio::test]
async fn a_file_that_is_there_is_brought_at_once() {
    let works = works(&[rich_ground(1), runs(1)]).await;
    works.loom.script("run_0", Says::Made);
    let report = works.pass().await;
    assert_eq!((report.looked_at, report.transferred, report.restored), (1, 1, 0), "{:?}", report.problems);
    let run = works.run("run_0").await;
    assert_eq!((run.outputs.len(), run.refunds.len(), run.outputs[0].on_canvas), (1, 0, true));
    assert_eq!(works.levels().await, [1_000, 1_000], "no credits move");
    let noticed = works.store.detections(false, 10).await.expect("readable");
    assert_eq!((noticed.len(), noticed[0].kind, noticed[0].cause.as_str()), (1, DetectionKind::Orphan, "webhook_lost"));
    assert!(noticed[0].closed_at.is_some());
    let again = works.pass_after(SignedDuration::from_mins(1)).await;
    assert_eq!((again.looked_at, again.transferred, again.oldest_open), (0, 0, None), "settled runs are not looked at");
    // Billing shows that it was noticed, and why nothing comes back (R16).
    let (desk, id) = (works.desk(), CaseId::new("case-1"));
    desk.take_in(id.clone(), ticket("T-1", "Run run_0, no clip"), Vec::new()).await.expect("a case");
    let usage = desk.case_detail(CaseRequest { case_id: id.0 }).await.expect("a case").usage;
    let rows: Vec<_> = usage.rows.iter().map(|row| (row.kind, row.at, row.text.as_str(), row.credits)).collect();
    let noticed_at = Some(noticed[0].detected_at);
    assert_eq!(rows[0].0, UsageKind::Deduction);
    assert_eq!(rows[1], (UsageKind::Detection, noticed_at, "webhook lost", 0), "not from the ticket");
    assert_eq!((rows[2].0, rows[2].1, rows[2].3), (UsageKind::Refund, None, 0));
    assert!(rows[2].2.starts_with("not due") && rows.len() == 3, "{rows:?}");
    let mut exported = Vec::new();
    let all = UsageWanted { account: None, from: Timestamp::MIN, until: Timestamp::MAX };
    let total = desk.export_usage(&all, |line| {
        exported.push((line.kind, line.at, line.note.clone()));
        Ok::<(), makegood_app::Error>(())
    });
    assert_eq!(total.await.expect("an export"), 210);
    assert_eq!(exported[1], (EntryKind::Detection, noticed[0].detected_at, "webhook_lost".to_owned()));
}

impl Works {
    async fn pass_after(&self, time: SignedDuration) -> PassReport {
        self.clock.advance(time);
        self.pass().await
    }
}

#[tokio::test]
async fn a_reported_failure_is_paid_in_the_pass_that_sees_it() {
    let works = works(&[rich_ground(1), runs(1)]).await;
    works.loom.script("run_0", Says::Failed);
    let report = works.pass().await;
    assert_eq!((report.restored, report.credits, report.detected), (1, 210, 1), "{:?}", report.problems);
    assert_eq!(works.levels().await, [1_070, 1_140], "quota and wallet get what they gave");
    let refund = &works.run("run_0").await.refunds[0];
    assert_eq!(refund.cause.as_deref(), Some("provider_failed"));
    assert!(refund.detected_at.is_some_and(|noticed| noticed <= refund.posted_at), "{refund:?}");
    let again = works.hours(30).await;
    assert!(again.iter().all(|report| report.restored == 0), "once");
    assert_eq!(works.levels().await, [1_070, 1_140]);
}

#[tokio::test]
async fn what_still_runs_has_its_24_hours_and_is_paid_then() {
    let works = works(&[rich_ground(1), runs(1)]).await;
    works.loom.script("run_0", Says::Running);
    let early = works.hours(22).await;
    assert!(early.iter().all(|report| report.restored == 0 && report.waiting == 1), "not before");
    let last = works.hours(1).await;
    assert_eq!((last[0].restored, last[0].credits), (1, 210), "{:?}", last[0]);
    let refund = &works.run("run_0").await.refunds[0];
    assert_eq!(refund.posted_at, at(CHARGED) + SignedDuration::from_hours(24));
    let outbox = works.store.outbox(10).await.expect("readable");
    assert!(outbox.iter().any(|line| line.kind == "cancel_upstream"), "{outbox:?}");
    let wanted = ["credits.restored", "upstream.cancel_requested"].map(str::to_owned);
    assert_eq!(told(&*works.store).await, wanted.into());
}

/// A pass at hour 24 would begin in time, and might not end in time.
#[tokio::test]
async fn who_comes_by_more_often_waits_longer_for_an_answer() {
    let works = works(&[rich_ground(1), runs(1)]).await;
    let five = SignedDuration::from_mins(5);
    works.hours(21).await;
    for _ in 0..24 {
        works.clock.advance(five);
        works.desk().reconcile_once(&works.shift("often").every(five)).await.expect("a pass");
    }
    let waited = works.run("run_0").await.refunds[0].posted_at.duration_since(at(CHARGED));
    assert_eq!(waited, SignedDuration::from_mins(23 * 60 + 10));
}

#[tokio::test]
async fn who_gives_no_answer_is_asked_again_until_the_last_pass_in_time() {
    let works = works(&[rich_ground(1), runs(1)]).await;
    let early = works.hours(21).await;
    assert!(early.iter().all(|report| report.restored == 0 && report.unknown == 1));
    assert!(early.iter().all(|report| report.by_provider[0].unanswered == 1));
    assert_eq!(works.hours(1).await[0].restored, 1);
}

#[tokio::test]
async fn a_transfer_that_fails_is_tried_until_hour_23() {
    let works = works(&[rich_ground(2), runs(2)]).await;
    works.loom.script("run_0", Says::MadeAndFails { gone: false });
    works.loom.script("run_1", Says::MadeAndFails { gone: false });
    let first = works.pass().await;
    assert_eq!((first.transferred, first.restored, first.problems.len()), (0, 0, 2));
    works.loom.script("run_1", Says::Made);
    assert_eq!(works.hours(1).await[0].transferred, 1, "success at hour 2 is a delivery");
    let until_22 = works.hours(20).await;
    assert!(until_22.iter().all(|report| report.restored == 0 && report.transferred == 0));
    let at_23 = works.hours(1).await;
    assert_eq!((at_23[0].restored, at_23[0].credits), (1, 210), "given up at hour 23");
    assert!(works.run("run_1").await.refunds.is_empty(), "no refund of what was delivered");
}

#[tokio::test]
async fn a_file_that_its_provider_deleted_is_paid_at_once() {
    let works = works(&[rich_ground(1), runs(1)]).await;
    works.loom.script("run_0", Says::MadeAndFails { gone: true });
    let report = works.pass().await;
    assert_eq!((report.transferred, report.restored), (0, 1), "{:?}", report.problems);
}

#[tokio::test]
async fn an_item_that_an_agent_recovers_is_left_alone() {
    let works = works(&[rich_ground(1), runs(1)]).await;
    works.loom.script("run_0", Says::Failed);
    // Another worker's saga, stopped after its lease.
    let key = ActionKey::new("somebody-else-0123456789");
    let lease = Effect::LeaseItem { run_id: RunId::new("run_0"), item: 1, lease_seconds: 20 * 60 };
    let Applied::Done(taken) = works.store.settle(&key, 0, &lease, works.clock_now()).await.expect("a lease") else {
        panic!("the lease is free")
    };
    let Receipt::Leased { epoch, .. } = taken.receipt else { panic!("{taken:?}") };
    let report = works.pass().await;
    assert_eq!((report.restored, report.waiting), (0, 1), "{report:?}");
    let later = works.pass_after(SignedDuration::from_mins(21)).await;
    assert_eq!(later.restored, 1, "the lease is over: {later:?}");
    let release = Effect::ReleaseItem { run_id: RunId::new("run_0"), item: 1, epoch, why: "late".into() };
    let late = works.store.settle(&key, 1, &release, works.clock_now()).await.expect("an answer");
    assert!(matches!(late, Applied::Refused(_)), "who lost the lease can do nothing with it: {late:?}");
}

#[tokio::test]
async fn several_at_once_settle_each_run_once() {
    const COUNT: usize = 60;
    let mut works = works(&[rich_ground(COUNT), runs(COUNT)]).await;
    works.policy.reconcile.runs_per_claim = 7;
    for number in 0..COUNT {
        works.loom.script(&format!("run_{number}"), if number % 2 == 0 { Says::Made } else { Says::Failed });
    }
    // As tasks of their own, as the window and the timer run it.
    let tasks = ["a", "b", "c"].map(|name| {
        let (desk, shift) = (works.desk(), works.shift(name));
        tokio::spawn(async move { desk.reconcile_once(&shift).await })
    });
    let mut reports = Vec::new();
    for task in tasks {
        reports.push(task.await.expect("no panic").expect("a pass"));
    }
    let sum = |of: fn(&PassReport) -> u64| reports.iter().map(of).sum::<u64>();
    assert_eq!((sum(|r| r.looked_at), sum(|r| r.transferred), sum(|r| r.restored)), (60, 30, 30));
    assert!(reports.iter().all(|report| report.looked_at > 0), "they share the work");
    assert_eq!(works.levels().await, [1_000 + 30 * 70, 1_000 + 30 * 140]);
    assert_eq!(works.loom.fetched.load(Ordering::SeqCst), 30);
}

#[tokio::test]
async fn a_pass_loops_until_nothing_is_due_and_asks_few_at_a_time() {
    const COUNT: usize = 45;
    let mut works = works(&[rich_ground(COUNT), runs(COUNT)]).await;
    works.policy.reconcile.runs_per_claim = 10;
    works.policy.reconcile.runs_at_once = 9;
    works.policy.reconcile.per_provider = 3;
    for number in 0..COUNT {
        works.loom.script(&format!("run_{number}"), Says::Made);
    }
    let report = works.pass().await;
    assert_eq!((report.looked_at, report.transferred), (45, 45), "{:?}", report.problems);
    let most = works.loom.most_at_once.load(Ordering::SeqCst);
    assert!((2..=3).contains(&most), "{most} asked at once");
}

#[tokio::test]
async fn what_a_crashed_one_held_is_continued() {
    let works = works(&[rich_ground(1), runs(1)]).await;
    works.loom.script("run_0", Says::Failed);
    let claim = SignedDuration::from_mins(30);
    let held = works.store.claim_due("dead", 10, claim, works.clock_now()).await.expect("a claim");
    assert_eq!(held.len(), 1);
    assert_eq!(works.pass().await.looked_at, 0, "it is another's");
    let later = works.pass_after(SignedDuration::from_mins(31)).await;
    assert_eq!((later.looked_at, later.restored), (1, 1));
}

#[tokio::test]
async fn a_pass_that_is_stopped_gives_back_what_it_took() {
    let works = works(&[rich_ground(3), runs(3)]).await;
    let shift = works.shift("stopped");
    shift.stop.store(true, Ordering::Relaxed);
    let report = works.desk().reconcile_once(&shift).await.expect("a pass");
    assert_eq!((report.looked_at, report.finished_at.is_some()), (0, true));
    assert_eq!(works.pass().await.looked_at, 3, "at once");
}

#[tokio::test]
async fn a_provider_that_is_not_connected_is_as_good_as_silent() {
    let mut elsewhere = running_job("run_0");
    if let Fact::Job(job) = &mut elsewhere {
        job.provider_id = "nowhere".into();
    }
    let provider = json!({"id": "nowhere", "retention_hours": 48, "retention_source": "documented"});
    let provider = serde_json::from_value(json!({ "type": "provider", "data": provider })).expect("a fact");
    let works = works(&[rich_ground(2), vec![provider], run_of_210("run_0", CHARGED), vec![elsewhere]]).await;
    assert!(works.hours(21).await.iter().all(|report| report.unknown == 1 && report.restored == 0));
    assert_eq!(works.hours(1).await[0].restored, 1);
}

#[tokio::test]
async fn a_file_at_a_strangers_is_an_incident_in_the_first_pass() {
    let fact = |kind: &str, data: serde_json::Value| -> Fact {
        serde_json::from_value(json!({ "type": kind, "data": data })).expect("a fact")
    };
    let stranger = vec![
        fact("user", json!({"id": "usr_other", "email": "other@example.com", "timezone": null, "locale": null})),
        fact(
            "account",
            json!({"id": "acc_other", "kind": "personal", "owner_user_id": "usr_other", "storage_quota_mb": 10,
                   "storage_used_mb": 1, "subscription": null, "balances": []}),
        ),
        fact(
            "project",
            json!({"id": "prj_other", "name": "Other", "account_id": "acc_other", "workspace_id": null,
                   "status": "active", "deleted_at": null}),
        ),
        fact(
            "node",
            json!({"id": "nd_other", "project_id": "prj_other", "label": "1", "status": "active", "deleted_at": null}),
        ),
    ];
    let output = fact(
        "output",
        json!({"id": "out_astray", "run_id": "run_0", "item": 1, "project_id": "prj_other", "node_id": "nd_other",
               "stored_at": CHARGED, "bytes": 10, "state": "stored", "in_history": true, "on_canvas": true}),
    );
    let works = works(&[rich_ground(1), runs(1), stranger, vec![output]]).await;
    works.loom.script("run_0", Says::Made);
    let report = works.pass().await;
    assert_eq!((report.incidents, report.problems.len()), (1, 0), "{:?}", report.problems);
    let run = works.run("run_0").await;
    let places: Vec<_> = run.outputs.iter().map(|output| output.project_id.as_str()).collect();
    assert_eq!(places, ["prj_spring01"], "the owner has it, the stranger does not");
    let noticed = works.store.detections(false, 10).await.expect("readable");
    assert!(noticed.iter().any(|row| row.kind == DetectionKind::Misplaced && row.closed_at.is_some()), "{noticed:?}");
    assert_eq!(works.pass_after(SignedDuration::from_hours(1)).await.incidents, 0, "once");
}

#[tokio::test]
async fn two_charges_and_a_file_are_for_people() {
    let mut second = run_of_210("run_1", CHARGED);
    for fact in &mut second {
        match fact {
            Fact::Run(run) => {
                run.retry_of = Some(RunId::new("run_0"));
                run.retry_initiator = Some(makegood_domain::work::RetryInitiator::System);
            }
            Fact::Charge(charge) => charge.id = "chg_twice".into(),
            _ => {}
        }
    }
    let works = works(&[rich_ground(2), runs(1), second]).await;
    works.loom.script("run_0", Says::Made);
    let report = works.pass().await;
    assert_eq!((report.transferred, report.restored, report.parked), (1, 0, 1), "{report:?}");
    let open = works.store.detections(true, 10).await.expect("readable");
    assert!(open.iter().any(|row| row.kind == DetectionKind::DuplicateCharge), "{open:?}");
    let health = works.store.promise(works.clock_now()).await.expect("readable");
    assert_eq!((health.open_charges, health.parked), (1, 1));
    let scan = works.store.full_scan().await.expect("a scan");
    assert_eq!((scan.missed, scan.superfluous), (vec![], vec![]));
}

#[tokio::test]
async fn the_button_starts_a_pass_once_and_the_screen_shows_it() {
    let works = works(&[rich_ground(1), runs(1)]).await;
    works.loom.script("run_0", Says::Failed);
    let desk = works.desk();
    let before = desk.reconciler(Nothing {}).await.expect("a view");
    assert!(before.schedule.overdue && before.passes.is_empty() && before.promise.open_credits == 210);
    let request = ReconcileRequest { id: "pass-0123456789abcdef".into() };
    let first = desk.reconcile_now(request.clone()).await.expect("a pass");
    let again = desk.reconcile_now(request).await.expect("the same pass");
    assert_eq!((first.restored, again.restored, &first.id), (1, 1, &again.id));
    let after = desk.reconciler(Nothing {}).await.expect("a view");
    assert_eq!((after.passes.len(), after.promise.open_credits, after.schedule.overdue), (1, 0, false));
    assert_eq!(after.promise.refund_seconds_worst, Some(3_600));
    works.clock.advance(SignedDuration::from_mins(61));
    let late = desk.reconciler(Nothing {}).await.expect("a view");
    assert!(late.schedule.overdue && late.schedule.overdue_since.is_some(), "R11");
}

#[tokio::test]
async fn a_case_about_the_run_follows_the_pass() {
    let facts = [
        rich_ground(1),
        run_of_210("run_0", CHARGED),
        vec![made_job("run_0", CHARGED, &clip()), upload_failed("run_0", CHARGED)],
    ];
    let works = works(&facts).await;
    works.loom.script("run_0", Says::Made);
    let desk = works.desk();
    let case = makegood_domain::ids::CaseId::new("case-1");
    let taken = desk.take_in(case.clone(), ticket("T-1", COMPLAINT), Vec::new()).await.expect("a case");
    assert_eq!(taken.finding.diagnosis.verdict.word(), "upload_failed");
    works.pass().await;
    let kept = makegood_domain::ports::CaseStore::case(&*works.store, &case).await.expect("a case");
    assert_eq!(kept.finding.expect("a finding").diagnosis.verdict.word(), "delivered_ok");
}

#[tokio::test]
async fn a_failure_that_the_platform_told_of_is_asked_about_before_it_is_paid() {
    for (says, restored, transferred) in [(Says::Failed, 1, 0), (Says::Made, 0, 1), (Says::Nothing, 0, 0)] {
        let works = works(&[rich_ground(1), run_of_210("run_0", CHARGED), vec![failed_job("run_0", CHARGED)]]).await;
        works.loom.script("run_0", says);
        let report = works.pass().await;
        assert_eq!((report.restored, report.transferred), (restored, transferred), "{says:?}: {:?}", report.problems);
        assert_eq!(works.loom.asked.load(Ordering::SeqCst), 1, "{says:?}");
    }
}

/// How many minutes after a pass the next one begins, of a reconciler that comes by every hour.
async fn next_pass(works: &Works, every: SignedDuration) -> i64 {
    let desk = works.desk();
    let begun = works.clock_now();
    desk.reconcile_once(&works.shift("one").every(every)).await.expect("a pass");
    let waiting = tokio::spawn(async move { desk.until_due(begun, every).await });
    for minute in 0..=70 {
        for _ in 0..50 {
            works.run("run_0").await;
            if waiting.is_finished() {
                return minute;
            }
        }
        works.clock.advance(SignedDuration::from_mins(1));
    }
    panic!("it never begins")
}

#[tokio::test]
async fn a_pass_begins_when_a_run_is_due_and_after_its_interval_at_the_latest() {
    let hour = SignedDuration::from_hours(1);
    for (says, every, wanted) in [
        // A failure is settled at once, and nothing is waited for.
        (Says::Failed, hour, 60),
        // A job that runs is looked at again after five minutes first.
        (Says::Running, hour, 5),
        (Says::Running, SignedDuration::from_mins(3), 3),
    ] {
        let works = works(&[rich_ground(1), runs(1)]).await;
        works.loom.script("run_0", says);
        assert_eq!(next_pass(&works, every).await, wanted, "{says:?} every {every}");
    }
}
