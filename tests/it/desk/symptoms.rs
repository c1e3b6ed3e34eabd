//! What went wrong on other platforms between provider, ledger and worker, each with its number in the
//! table beside the adapters (`connectors/src/providers/symptoms.rs`), on the record in memory.
//!
//! Covered elsewhere: 9 (a part of a batch) by domain's `reconcile::tests::a_batch_is_decided_item_by_item`.

use std::sync::Arc;

use jiff::SignedDuration;
use makegood_app::{Agent, Desk, Ports, Shift, WorkspaceInfo};
use makegood_connectors::LocalVault;
use makegood_connectors::webhooks::{Secret, SenderSettings, Senders, sign};
use makegood_domain::feed::Fact;
use makegood_domain::ids::{AgentId, ProviderId, RunId};
use makegood_domain::policy::Policy;
use makegood_domain::ports::{
    Arrival, Clock as _, Deliveries as _, DeliveryStore as _, FactStore as _, NewDelivery, PassReport, Proof,
    ReconcileStore as _,
};
use makegood_domain::reading::RuleReader;
use makegood_domain::scope::Dossier;
use makegood_domain::work::{RetryInitiator, RunStatus};
use makegood_testkit::{ManualClock, MemoryStore};
use tempfile::TempDir;

use super::loom::{Loom, OneLoom, Says};
use super::world::{at, clip, failed_job, made_job, rich_ground, run_of_210};

const CHARGED: &str = "2026-03-12T18:04:22Z";

struct Platform {
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
    loom: Arc<Loom>,
    desk: Desk,
    _dir: TempDir,
}

/// A record of these facts, an hour after they were charged.
async fn platform(facts: &[Vec<Fact>]) -> Platform {
    let dir = tempfile::tempdir().expect("a folder");
    let (store, loom) = (Arc::new(MemoryStore::default()), Arc::new(Loom::default()));
    let report = store.import(&facts.concat(), at(CHARGED)).await.expect("an import");
    assert_eq!(report.rejected, [], "the test world is a world");
    let clock = Arc::new(ManualClock::new(at(CHARGED) + SignedDuration::from_hours(1)));
    let ports = Ports {
        store: Arc::clone(&store) as _,
        providers: Arc::new(OneLoom(Arc::clone(&loom))),
        vault: Arc::new(LocalVault::open(dir.path().join("vault")).expect("a vault")),
        reader: Arc::new(RuleReader),
        clock: Arc::clone(&clock) as _,
    };
    let agent = Agent { id: AgentId::new("ana"), name: "ana".to_owned() };
    let info = WorkspaceInfo { name: "Test".into(), banner: None };
    let desk = Desk::new(ports, Policy::default_policy().expect("the built-in policy"), agent, info);
    Platform { store, clock, loom, desk, _dir: dir }
}

impl Platform {
    async fn pass(&self) -> PassReport {
        let shift = Shift::new(format!("pass-{}", self.clock.now()), "worker".to_owned());
        self.desk.reconcile_once(&shift).await.expect("a pass")
    }

    /// Passes on the hour; what they restored together.
    async fn hours(&self, count: u32) -> i64 {
        let mut credits = 0;
        for _ in 0..count {
            self.clock.advance(SignedDuration::from_hours(1));
            credits += self.pass().await.credits;
        }
        credits
    }

    async fn run(&self, run: &str) -> Dossier {
        let scope = self.store.scope_of_run(&RunId::new(run), self.clock.now()).await.expect("readable");
        let runs = scope.expect("a run").runs;
        runs.into_iter().find(|one| one.run.id.as_str() == run).expect("the run itself")
    }

    async fn levels(&self) -> Vec<i64> {
        let scope = self.store.scope_of_run(&RunId::new("run_0"), self.clock.now()).await.expect("readable");
        let accounts = scope.expect("a run").accounts;
        accounts.iter().flat_map(|account| &account.balances).map(|balance| balance.current).collect()
    }
}

/// A job that the platform last heard of as running.
fn running(run: &str) -> Fact {
    let mut job = made_job(run, CHARGED, &clip());
    if let Fact::Job(job) = &mut job {
        job.state = makegood_domain::work::JobState::Processing;
        job.finished_at = None;
        job.items = Vec::new();
    }
    job
}

#[tokio::test]
async fn symptom_01_a_file_is_brought_without_any_webhook() {
    let platform = platform(&[rich_ground(1), run_of_210("run_0", CHARGED), vec![running("run_0")]]).await;
    platform.loom.script("run_0", Says::Made);
    let report = platform.pass().await;
    assert_eq!((report.transferred, report.restored), (1, 0), "{:?}", report.problems);
    let run = platform.run("run_0").await;
    assert_eq!((run.webhooks.len(), run.outputs.len()), (0, 1), "whoever asks needs no webhook");
}

/// A webhook of the provider as it is signed, judged and kept.
async fn hear(platform: &Platform, id: &str, status: &str) {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let provider = ProviderId::new("mill");
    let senders = Senders::new(vec![SenderSettings {
        provider: provider.clone(),
        endpoint: None,
        form: "replicate".to_owned(),
        secrets: vec![secret.into()],
        keys_url: None,
    }]);
    let (senders, at) = (senders.expect("good settings"), platform.clock.now());
    let body = format!(r#"{{"id":"job-run_0","status":"{status}","output":null}}"#).into_bytes();
    let signed = sign(&[Secret::standard(secret).expect("a secret")], id, &body, at);
    let headers: Vec<_> = signed.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let arrival = Arrival { provider: &provider, endpoint: None, headers: &headers, body: &body, at };
    assert_eq!(senders.verify(&arrival).await, Proof::Proven);
    let notice = senders.read(&arrival);
    let delivery = NewDelivery {
        provider_id: provider.clone(),
        endpoint: None,
        delivery_id: notice.delivery_id,
        job_id: notice.job_id,
        event: notice.event,
        proven: true,
        headers,
        body,
        received_at: at,
    };
    assert_eq!(platform.store.keep_deliveries(&[delivery], at).await.expect("kept"), [true]);
}

#[tokio::test]
async fn symptom_04_webhooks_that_are_missing_or_out_of_order_change_nothing() {
    let platform = platform(&[rich_ground(1), run_of_210("run_0", CHARGED), vec![running("run_0")]]).await;
    platform.loom.script("run_0", Says::Running);
    // The end comes first, before the provider knows of it; nobody ever hears of the start.
    hear(&platform, "msg_3", "failed").await;
    let report = platform.pass().await;
    assert_eq!((report.transferred, report.restored), (0, 0), "a webhook is no answer: {:?}", report.problems);
    platform.loom.script("run_0", Says::Made);
    platform.clock.advance(SignedDuration::from_hours(1));
    hear(&platform, "msg_2", "processing").await;
    assert_eq!(platform.pass().await.transferred, 1, "it was asked again");
    hear(&platform, "msg_4", "canceled").await;
    assert_eq!(platform.hours(30).await, 0, "what comes late takes nothing back");
    let run = platform.run("run_0").await;
    assert_eq!((run.webhooks.len(), run.outputs.len(), run.refunds.len()), (3, 1, 0), "{:?}", run.webhooks);
}

#[tokio::test]
async fn symptom_27_and_32_a_job_that_a_worker_marked_failed_is_paid_once() {
    let platform = platform(&[rich_ground(1), run_of_210("run_0", CHARGED), vec![failed_job("run_0", CHARGED)]]).await;
    platform.loom.script("run_0", Says::Failed);
    let report = platform.pass().await;
    assert_eq!((report.restored, report.credits), (1, 210), "{:?}", report.problems);
    assert_eq!(platform.hours(30).await, 0, "once");
    assert_eq!(platform.levels().await, [1_070, 1_140]);
}

#[tokio::test]
async fn symptom_29_a_render_that_comes_after_the_refund_is_not_delivered_too() {
    let platform = platform(&[rich_ground(1), run_of_210("run_0", CHARGED), vec![running("run_0")]]).await;
    platform.loom.script("run_0", Says::Running);
    assert_eq!(platform.hours(22).await, 0, "a wait that is long is no verdict");
    assert_eq!(platform.hours(1).await, 210, "hour 24 is");
    platform.loom.script("run_0", Says::Made);
    assert_eq!(platform.hours(5).await, 0);
    let run = platform.run("run_0").await;
    assert!(run.outputs.is_empty(), "never both: {:?}", run.outputs);
    assert_eq!(platform.levels().await, [1_070, 1_140], "and nothing is taken back");
}

#[tokio::test]
async fn symptom_30_a_status_that_says_refunded_moves_nothing_and_settles_nothing() {
    let mut run = run_of_210("run_0", CHARGED);
    for fact in &mut run {
        if let Fact::Run(run) = fact {
            run.status = RunStatus::Refunded;
        }
    }
    let platform = platform(&[rich_ground(1), run, vec![failed_job("run_0", CHARGED)]]).await;
    platform.loom.script("run_0", Says::Failed);
    let report = platform.pass().await;
    assert_eq!((report.restored, report.credits), (1, 210), "{:?}", report.problems);
    assert_eq!(platform.levels().await, [1_070, 1_140], "the money has moved, and is read back");
}

#[tokio::test]
async fn symptom_31_a_retry_that_never_started_has_nothing_of_the_attempt_before() {
    let mut retry = run_of_210("run_1", CHARGED);
    for fact in &mut retry {
        if let Fact::Run(run) = fact {
            run.retry_of = Some(RunId::new("run_0"));
            run.retry_initiator = Some(RetryInitiator::Customer);
            run.cancelled_at = Some(at(CHARGED) + SignedDuration::from_mins(1));
            run.status = RunStatus::Cancelled;
        }
    }
    let first = vec![made_job("run_0", CHARGED, &clip())];
    let platform = platform(&[rich_ground(2), run_of_210("run_0", CHARGED), first, retry]).await;
    platform.loom.script("run_0", Says::Made);
    let report = platform.pass().await;
    assert_eq!(report.transferred, 1, "the first attempt keeps its own job: {:?}", report.problems);
    platform.hours(24).await;
    let (kept, returned) = (platform.run("run_0").await, platform.run("run_1").await);
    assert_eq!((kept.outputs.len(), kept.refunds.len()), (1, 0));
    assert_eq!((returned.outputs.len(), returned.refunds.len()), (0, 1), "its charge comes back");
    assert_eq!(platform.levels().await, [1_070, 1_140], "once");
}
