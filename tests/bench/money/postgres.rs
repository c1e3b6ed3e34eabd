//! PostgreSQL: restorations through the store against `pgbench` sending the same statement, and against
//! its built-in script; and a workspace's busy pool, striped against a single row.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use makegood_domain::money::BalanceKind;
use makegood_domain::ports::{Applied, ReconcileStore as _};
use makegood_store::postgres::{self, PgSettings, PgStore};
use makegood_testkit::postgres::{Cluster, Options, SUPERUSER};

use crate::pgbench::{Script, Target};
use crate::{ROUNDS, median, tell, world};

/// A prime: clients that go through the runs in step don't meet at one account.
const ACCOUNTS: u64 = 10_007;
/// How many clients at once, and how many restorations in one measurement.
const CLIENTS: [(u64, u64); 3] = [(1, 2_000), (8, 8_000), (32, 8_000)];
/// Clients and restorations on one workspace's pool.
const POOL: (u64, u64) = (32, 4_000);
/// Rows of the built-in script: 100,000 accounts each.
const SCALE: u32 = 50;

/// Runs that were charged and never delivered, straight into the tables: `:first` to `:last`, drawn from
/// `:balance`, or from the wallet of each customer where that is empty.
pub const OPEN_RUNS: &str = include_str!("open_runs.sql");

/// The statement that the store sends for one restoration, with the same arguments, as a script of pgbench.
const SAME_STATEMENT: &str = include_str!("settle.pgbench.sql");

/// The same for the workspace whose pool is one row.
const ONE_ROW: &str = include_str!("pool.pgbench.sql");

struct Bench {
    cluster: Cluster,
    record: String,
    target: Target,
    reference: Target,
    script: tempfile::NamedTempFile,
    next: u64,
}

pub async fn measure() {
    let mut bench = Bench::prepare().await;
    for (clients, each) in CLIENTS {
        bench.restorations(clients, each).await;
    }
    bench.pool().await;
}

/// A server with more memory than Debian gives it, as one would have that keeps a ledger.
pub fn cluster() -> Cluster {
    let settings = [("shared_buffers", "512MB"), ("max_wal_size", "8GB")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Cluster::start(&Options { settings, ..Options::default() }).expect("a server")
}

impl Bench {
    async fn prepare() -> Self {
        let cluster = cluster();
        let record = cluster.empty_database().expect("a database");
        let reference = cluster.empty_database().expect("a database");
        postgres::migrate(&PgSettings::new(cluster.url(&record, SUPERUSER))).await.expect("a schema");
        let program = cluster.programs().join("pgbench");
        let target = |database: &str| Target { program: program.clone(), url: cluster.url(database, SUPERUSER) };
        let (target, reference) = (target(&record), target(&reference));
        reference.prepare(SCALE).await;
        Self { cluster, record, target, reference, script: script(SAME_STATEMENT), next: 0 }
    }

    /// Puts `count` open runs in, and returns the number of the first.
    fn open(&mut self, count: u64, balance: &str) -> u64 {
        let first = self.next;
        self.next += count;
        let variables = format!(
            "\\set first {first}\n\\set last {}\n\\set accounts {ACCOUNTS}\n\\set balance '{balance}'\n",
            self.next - 1
        );
        self.cluster.sql(&self.record, &format!("{variables}{OPEN_RUNS}")).expect("open runs");
        first
    }

    async fn store(&self, connections: u64) -> Arc<PgStore> {
        let url = self.cluster.url(&self.record, SUPERUSER);
        let connections = u32::try_from(connections).expect("few");
        let mut settings = PgSettings::new(url);
        settings.connections = connections;
        Arc::new(PgStore::connect(&settings).await.expect("a store"))
    }

    /// In turn: the store, pgbench with the same statement, the built-in script.
    async fn restorations(&mut self, clients: u64, each: u64) {
        let (mut ours, mut same, mut built_in) = (Vec::new(), Vec::new(), Vec::new());
        let mut first = self.open(each * 2 * (ROUNDS as u64 + 1), "");
        let store = self.store(clients).await;
        for round in 0..=ROUNDS {
            let by_store = settle(&store, first, clients, each, "").await;
            let script = Script::File(self.script.path(), first + each, ACCOUNTS);
            let by_pgbench = self.target.measure(&script, clients, each / clients).await;
            let by_tpc_b = self.reference.measure(&Script::TpcB, clients, each / clients).await;
            first += each * 2;
            if round > 0 {
                ours.push(by_store);
                same.push(by_pgbench);
                built_in.push(by_tpc_b);
            }
        }
        let ratio = |reference: &[f64]| median(ours.iter().zip(reference).map(|(a, b)| a / b).collect());
        let what = |to: &str| format!("PostgreSQL: restorations, {clients} at once, to {to}");
        tell(&what("pgbench of the same"), median(ours.clone()), median(same.clone()), ratio(&same), "≥ 0.8");
        let target = if clients > 1 { "≥ 0.7" } else { "" };
        tell(&what("TPC-B"), median(ours.clone()), median(built_in.clone()), ratio(&built_in), target);
        store.close().await;
    }

    /// A busy pool as the store keeps it, in stripes and with restorations that go together, against a pool
    /// that is one row and restorations that each lock it.
    async fn pool(&mut self) {
        let (clients, each) = POOL;
        let (mut striped, mut single) = (Vec::new(), Vec::new());
        let store = self.store(clients).await;
        let script = script(ONE_ROW);
        for round in 0..=ROUNDS {
            let first = self.open(each, "pool_striped");
            let by_store = settle(&store, first, clients, each, "pool_striped").await;
            let first = self.open(each, "pool_single");
            let by_pgbench =
                self.target.measure(&Script::File(script.path(), first, ACCOUNTS), clients, each / clients).await;
            if round > 0 {
                striped.push(by_store);
                single.push(by_pgbench);
            }
        }
        let ratio = median(striped.iter().zip(&single).map(|(a, b)| a / b).collect());
        let what = format!("PostgreSQL: restorations of one pool, {clients} at once, to one row");
        tell(&what, median(striped), median(single), ratio, "≥ 3");
        store.close().await;
    }
}

fn script(sql: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::with_suffix(".sql").expect("a file");
    file.write_all(sql.as_bytes()).expect("a script");
    file
}

/// Restores `each` runs from `first` on, and returns how many a second.
async fn settle(store: &Arc<PgStore>, first: u64, clients: u64, each: u64, balance: &str) -> f64 {
    let start = Instant::now();
    let part = each / clients;
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let (store, balance) = (Arc::clone(store), balance.to_owned());
            tokio::spawn(async move {
                for n in (first + client * part)..(first + (client + 1) * part) {
                    let effect = if balance.is_empty() {
                        world::restoration(n, ACCOUNTS)
                    } else {
                        world::restoration_to(n, &format!("acc_{balance}"), &balance, BalanceKind::WorkspacePool)
                    };
                    let applied = store.settle(&world::key(n), 0, &effect, world::later()).await.expect("an answer");
                    assert!(matches!(applied, Applied::Done(_)), "{applied:?}");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a task");
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let count = (part * clients) as f64;
    count / start.elapsed().as_secs_f64()
}
