//! What a desk costs at 100,000 tickets: `cargo bench --no-default-features --bench desk [-- CASES]`.
//!
//! Prints medians of several runs, each beside a reference taken in the same run: reading one case by
//! its key. Asserts nothing: machines differ, ratios less.

#![expect(clippy::expect_used, reason = "a measurement that cannot be made has failed")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use makegood::clock::FixedClock;
use makegood_app::contract::{CaseRequest, Nothing, QueueFilter, QueueRequest};
use makegood_app::{Agent, Desk, Ports, WorkspaceInfo};
use makegood_connectors::{LocalVault, Registry};
use makegood_domain::ids::{AgentId, CaseId, TicketId};
use makegood_domain::policy::Policy;
use makegood_domain::ports::{CaseRecord, CaseStore as _, FactStore as _, Finding, NewCase};
use makegood_domain::reading::RuleReader;
use makegood_practice::World;
use makegood_store::sqlite::SqliteStore;

const SEED: u64 = 7;
const RUNS: usize = 15;

struct Bench {
    store: Arc<SqliteStore>,
    desk: Desk,
    /// Cases of the practice world, examined for real.
    cases: Vec<CaseId>,
}

fn main() {
    let wanted = std::env::args().filter_map(|text| text.parse().ok()).next().unwrap_or(100_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure(wanted));
}

async fn measure(wanted: usize) {
    let vault = tempfile::tempdir().expect("a folder");
    let bench = prepare(vault.path(), wanted).await;
    let mut turn = 0;
    let mut next = || {
        turn += 1;
        bench.cases[turn % bench.cases.len()].clone()
    };
    let reference = median(|| bench.store.case_by_key(next())).await;
    println!("one case by its key             {:>9.3} ms  (the reference)", ms(reference));
    let tell = |what: &str, took: Duration| {
        println!("{what:<31} {:>9.3} ms  {:>7.1} ×", ms(took), ms(took) / ms(reference));
    };
    let window = |search: &str, offset: u64| QueueRequest {
        filter: QueueFilter { search: search.to_owned(), ..QueueFilter::default() },
        offset,
        limit: 200,
    };
    tell("queue, first 200, lost first", median(|| read(bench.desk.queue(window("", 0)))).await);
    tell("queue, 200 from the middle", median(|| read(bench.desk.queue(window("", 50_000)))).await);
    tell("queue, search with few hits", median(|| read(bench.desk.queue(window("TCK-1001", 0)))).await);
    tell("queue counts", median(|| read(bench.desk.queue_counts(Nothing {}))).await);
    tell("examining one case", median(|| read_examined(&bench.desk, next())).await);
    tell("the whole case screen", median(|| read(bench.desk.case_detail(CaseRequest { case_id: next().0 }))).await);
}

/// The practice world with its tickets taken in, and copies of those until there are enough.
async fn prepare(vault: &std::path::Path, wanted: usize) -> Bench {
    let anchor: Timestamp = "2026-03-02T12:00:00Z".parse().expect("an instant");
    let world = World::generate(SEED, anchor).expect("a world");
    let store = Arc::new(SqliteStore::open_in_memory().await.expect("a record"));
    store.import(&world.facts, anchor).await.expect("an import");
    let ports = Ports {
        store: Arc::clone(&store) as _,
        providers: Arc::new(Registry::new(Vec::new()).expect("no providers")),
        vault: Arc::new(LocalVault::open(vault).expect("a vault")),
        reader: Arc::new(RuleReader),
        clock: Arc::new(FixedClock(anchor)),
    };
    let agent = Agent { id: AgentId::new("bench"), name: "bench".into() };
    let policy = Policy::default_policy().expect("the built-in policy");
    let desk = Desk::new(ports, policy, agent, WorkspaceInfo { name: "bench".into(), banner: None });
    let (mut cases, mut examined) = (Vec::new(), Vec::new());
    let start = Instant::now();
    for (number, row) in world.tickets.iter().enumerate() {
        let taken = desk.take_in(CaseId(format!("case-{number}")), row.ticket.clone(), Vec::new()).await;
        let taken = taken.expect("a case");
        cases.push(taken.case.id.clone());
        examined.push((taken.case, taken.finding));
    }
    println!("{} tickets taken in, {:.1} ms each", cases.len(), ms(start.elapsed()) / examined.len().max(1) as f64);
    let start = Instant::now();
    for number in cases.len()..wanted {
        let (case, finding) = &examined[number % examined.len()];
        copy(&store, case, finding, number).await;
    }
    println!("{wanted} cases in all, the copies in {:.1} s", start.elapsed().as_secs_f64());
    Bench { store, desk, cases }
}

/// Another ticket like this one, a little older.
async fn copy(store: &SqliteStore, case: &CaseRecord, finding: &Finding, number: usize) {
    let mut ticket = case.ticket.clone();
    ticket.id = TicketId(format!("COPY-{number}"));
    for attachment in &mut ticket.attachments {
        attachment.id = None;
    }
    let seconds = i64::try_from(number).unwrap_or(0);
    let earlier = SignedDuration::from_secs(seconds);
    let new = NewCase {
        case_id: CaseId(format!("copy-{number}")),
        due_at: case.due_at.saturating_sub(earlier).unwrap_or(case.due_at),
        opened_at: case.opened_at,
        files: Vec::new(),
        ticket,
    };
    let (opened, _) = store.open_case(&new).await.expect("a case");
    store.save_finding(&opened.id, opened.revision, finding).await.expect("a finding");
}

trait ByKey {
    async fn case_by_key(&self, id: CaseId);
}

impl ByKey for SqliteStore {
    async fn case_by_key(&self, id: CaseId) {
        self.case(&id).await.expect("the case is there");
    }
}

async fn read<T>(answer: impl Future<Output = makegood_app::Result<T>>) {
    drop(answer.await.expect("an answer"));
}

async fn read_examined(desk: &Desk, id: CaseId) {
    drop(desk.examine(&id).await.expect("an examination"));
}

async fn median<F: Future<Output = ()>>(mut act: impl FnMut() -> F) -> Duration {
    act().await;
    let mut took = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let start = Instant::now();
        act().await;
        took.push(start.elapsed());
    }
    took.sort_unstable();
    took[RUNS / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
