//! Calls that nobody waits for any longer: given up after ever so many turns of the program, and each
//! followed by one that matters. A begin that is given up half way leaves its connection in a
//! transaction (sqlx 0.8.4 to 0.9.0): what is read on it afterwards is old, and what is written is lost.

use makegood_domain::ids::RunId;
use makegood_domain::ports::{CaseStore as _, ReconcileStore as _};
use makegood_store::postgres::PgStore;
use makegood_testkit::postgres::SUPERUSER;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection};

use crate::dice::Dice;
use crate::pg::Server;
use crate::product::{self, Job};
use crate::suites::Run;
use crate::verdict::Verdict;

/// No call here takes more turns.
const TURNS_MAX: u64 = 400;
/// Within so many the control must have lost something.
const CONTROL: u64 = 400;

pub async fn play(run: &Run, calls: u64, verdict: &mut Verdict) -> anyhow::Result<()> {
    let server = Server::start(false).await?;
    server.furnish().await?.close().await;
    let store = PgStore::connect(&super::one_connection(server.url(SUPERUSER))).await?;
    let mut dice = Dice::new(run.seed, "cancelled");
    let (mut given_up, mut wrong) = (0_u64, 0_u64);
    let mut witness = witness(&server).await?;
    for number in 0..calls {
        let case = Job::new("gone", number).new_case();
        given_up +=
            u64::from(gives_up(store.scope_of_run(&RunId::new("run_none"), product::at(5_000)), &mut dice).await);
        store.open_case(&case).await?;
        let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM api.cases WHERE id = $1")
            .bind(case.case_id.as_str())
            .fetch_one(&mut witness)
            .await?;
        let known = store.case(&case.case_id).await.is_ok();
        wrong += u64::from(seen != 1 || !known);
    }
    judge(wrong, calls, run, verdict);
    store.close().await;
    let lost = control(&server, &mut dice).await?;
    if lost == 0 {
        let what = "a pool that does not clean its connections lost nothing either: nothing was tried";
        verdict.fault(what, run.replay("pg-cut"));
    }
    verdict.count("cancelled", format!("{given_up}/{calls}"));
    verdict.count("control", format!("lost-{lost}-of-{CONTROL}"));
    Ok(())
}

async fn witness(server: &Server) -> anyhow::Result<PgConnection> {
    let options: PgConnectOptions = server.url(SUPERUSER).parse()?;
    Ok(PgConnection::connect_with(&options).await?)
}

/// Waits some turns for a call, and then gives it up. Whether it had to.
async fn gives_up<T>(call: impl Future<Output = T>, dice: &mut Dice) -> bool {
    let turns = dice.below(TURNS_MAX);
    let patience = async {
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        _ = call => false,
        () = patience => true,
    }
}

/// A pool that hands its connections out as they are, taken for the store's: its writes are lost.
pub async fn bare(run: &Run, verdict: &mut Verdict) -> anyhow::Result<()> {
    let server = Server::start(false).await?;
    judge(control(&server, &mut Dice::new(run.seed, "cancelled")).await?, CONTROL, run, verdict);
    Ok(())
}

fn judge(wrong: u64, calls: u64, run: &Run, verdict: &mut Verdict) {
    if wrong > 0 {
        let what = format!("after {wrong} of {calls} cancelled calls an acknowledged write was not there");
        verdict.fault(what, run.replay("pg-cut"));
    }
}

/// The same with a pool that hands out its connections as they are; how many acknowledged rows nobody
/// else can see.
async fn control(server: &Server, dice: &mut Dice) -> anyhow::Result<u64> {
    server.sql("CREATE TABLE public.numbers (n bigint PRIMARY KEY)")?;
    let options: PgConnectOptions = server.url(SUPERUSER).parse()?;
    let bare = PgPoolOptions::new().max_connections(1).test_before_acquire(false).connect_with(options).await?;
    let mut witness = witness(server).await?;
    let mut lost = 0;
    for number in 0..i64::try_from(CONTROL)? {
        let _given_up = gives_up(bare.begin(), dice).await;
        sqlx::query("INSERT INTO public.numbers VALUES ($1)").bind(number).execute(&bare).await?;
        let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM public.numbers WHERE n = $1")
            .bind(number)
            .fetch_one(&mut witness)
            .await?;
        lost += u64::from(seen == 0);
    }
    Ok(lost)
}
