//! An agent's own session may say that its commits need not be on disk. What the record acknowledges to it
//! must be there all the same after the server is stopped as a kill does.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use makegood_domain::ports::{CaseStore as _, FactStore as _};
use makegood_store::postgres::PgStore;
use makegood_testkit::postgres::Options;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::calls::{apply, begin, effect, order};
use crate::pg::Server;
use crate::product::{self, Job};

/// Runs for each stop: more than are restored before it.
const RUNS: u64 = 40;
/// So many are acknowledged before the server is stopped, while it works on the next.
const ACKNOWLEDGED: usize = 6;
/// Without the guard something must be gone after so many stops.
const CONTROL_STOPS: u64 = 4;

const LOGIN: &str = "hasty_agent";
const HASTY: &str = "synchronous_commit = off";

/// The ways in which a session is told not to wait for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Session,
    Role,
    Transaction,
    Connection,
}

const WAYS: [Way; 4] = [Way::Session, Way::Role, Way::Transaction, Way::Connection];

/// What became of what was acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stops {
    pub stops: u64,
    pub acknowledged: u64,
    pub lost: u64,
}

/// Stops the server `stops` times under a hasty agent with the guard, and then without it.
pub async fn play(stops: u64, plant: Option<&str>) -> anyhow::Result<(Stops, Stops)> {
    // The server writes what nobody waits for at the latest after this time: as late as it can.
    let settings = vec![("wal_writer_delay".to_owned(), "10s".to_owned())];
    let server = Arc::new(Server::with(&Options { fsync: false, settings, ..Options::default() }).await?);
    let owner = server.furnish().await?;
    let rounds = stops + CONTROL_STOPS;
    furnish(&server, &owner, rounds).await?;
    owner.close().await;
    if let Some(plant) = plant {
        server.sql(plant)?;
    }
    let mut guarded = Stops::default();
    for round in 0..stops {
        stop_under_work(&server, round, &mut guarded).await?;
    }
    server.sql(NO_GUARD)?;
    let mut control = Stops::default();
    for round in stops..rounds {
        stop_under_work(&server, round, &mut control).await?;
        if control.lost > 0 {
            break;
        }
    }
    Ok((guarded, control))
}

/// Takes every trigger away that makes commits durable.
pub const NO_GUARD: &str = "DO $$ DECLARE v record; BEGIN
    FOR v IN SELECT tgrelid::regclass AS of, tgname FROM pg_trigger WHERE tgfoid = 'record.commit_durably'::regproc LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', v.of, v.tgname);
    END LOOP; END $$";

async fn furnish(server: &Server, owner: &PgStore, rounds: u64) -> anyhow::Result<()> {
    let jobs: Vec<Job> = (0..rounds * RUNS).map(job).collect();
    let mut facts = Vec::new();
    for job in &jobs {
        facts.extend(job.facts()?);
    }
    let report = owner.import(&facts, product::at(3_500)).await?;
    anyhow::ensure!(report.rejected.is_empty(), "the runs are not taken: {:?}", report.rejected);
    for job in &jobs {
        owner.open_case(&job.new_case()).await?;
    }
    server.sql(&format!(
        "CREATE ROLE {LOGIN} LOGIN; GRANT makegood_agent TO {LOGIN}; SELECT api.put_login('{LOGIN}', '{}', 0)",
        product::AGENT
    ))?;
    Ok(())
}

fn job(number: u64) -> Job {
    Job::new("hasty", number).recovering(false)
}

/// Lets the agent restore until the server is stopped, starts it again, and counts what is gone.
async fn stop_under_work(server: &Arc<Server>, round: u64, sum: &mut Stops) -> anyhow::Result<()> {
    let way = WAYS[usize::try_from(round).unwrap_or_default() % WAYS.len()];
    let role = if way == Way::Role { format!("SET {HASTY}") } else { "RESET synchronous_commit".to_owned() };
    server.sql(&format!("ALTER ROLE {LOGIN} {role}"))?;
    let mut connection = connect(server, way).await?;
    let (tell, mut told) = unbounded_channel();
    let work = tokio::spawn(async move { restore(&mut connection, way, round * RUNS, &tell).await });
    let mut acknowledged = Vec::new();
    while acknowledged.len() < ACKNOWLEDGED {
        acknowledged.push(told.recv().await.context("the agent ended before the server was stopped")?);
    }
    let stopped = Arc::clone(server);
    tokio::task::spawn_blocking(move || stopped.cluster.stop_at_once()).await?.map_err(|why| anyhow!(why))?;
    work.await?;
    while let Ok(number) = told.try_recv() {
        acknowledged.push(number);
    }
    server.cluster.start_again().map_err(|why| anyhow!(why))?;
    let kept = server.sql("SELECT id FROM record.refunds")?;
    let kept: Vec<&str> = kept.lines().collect();
    let lost = acknowledged.iter().filter(|number| !kept.contains(&job(**number).refund().as_str()));
    sum.lost += u64::try_from(lost.count())?;
    sum.acknowledged += u64::try_from(acknowledged.len())?;
    sum.stops += 1;
    Ok(())
}

async fn connect(server: &Server, way: Way) -> anyhow::Result<PgConnection> {
    let mut options: PgConnectOptions = server.url(LOGIN).parse()?;
    if way == Way::Connection {
        options = options.options([("synchronous_commit", "off")]);
    }
    let mut connection = options.connect().await?;
    if way == Way::Session {
        connection.execute(AssertSqlSafe(format!("SET {HASTY}"))).await?;
    }
    Ok(connection)
}

/// Restores from `first` on and tells each that is answered, until there is no server any more.
async fn restore(connection: &mut PgConnection, way: Way, first: u64, tell: &UnboundedSender<u64>) {
    for number in first..first + RUNS {
        let job = job(number);
        for sql in [begin(&order(&job, None), &json!(job.plan(1))), apply(&job.key().0, 0, 0, &effect(&job.restore()))]
        {
            let sql = if way == Way::Transaction { format!("BEGIN; SET LOCAL {HASTY}; {sql}; COMMIT") } else { sql };
            // Stopped, as is meant to be; that nothing at all was done shows in what was told.
            if sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await.is_err() {
                return;
            }
        }
        if tell.send(number).is_err() {
            return;
        }
    }
    let _open = connection.ping().await;
}
