//! Processes that race on one PostgreSQL record, from a barrier on: agents who restore and recover under
//! keys of their own or shared ones, whole or in parts, reconcilers who settle the same items, claims of
//! the same runs, actions that need the same approval. Of all that was done for an item, one thing was.

mod approvals;
mod claims;
mod items;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use makegood_domain::ports::FactStore as _;
use makegood_store::postgres::{PgSettings, PgStore};
use makegood_testkit::postgres::SUPERUSER;

use crate::child::{Task, Victim, Work, on_record, runtime};
use crate::pg::Server;
use crate::product::{self, Job};
use crate::proof::{self, Settled};
use crate::suites::Run;
use crate::verdict::Verdict;

const PROCESSES: u64 = 8;
/// A batch of an import.
const BATCH: u64 = 200;
const READY: &str = "ready";

/// How large a race is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub jobs: u64,
    /// Charges whose items are restored in random parts, from random sources.
    pub parts: u64,
    pub approvals: u64,
    /// Statements that plant a bug in the throwaway server.
    pub planted: &'static str,
}

impl Size {
    pub const SMALL: Self = Self { jobs: 60, parts: 30, approvals: 6, planted: "" };
}

pub fn run(run: &Run) -> anyhow::Result<Verdict> {
    race(
        run,
        &Size { jobs: run.size(120, 5_000), parts: run.size(40, 1_250), approvals: run.size(10, 1_000), planted: "" },
    )
}

/// All races, one after another, on one record.
pub fn race(run: &Run, size: &Size) -> anyhow::Result<Verdict> {
    let server = runtime()?.block_on(prepare(size))?;
    let mut verdict = Verdict::default();
    verdict.count("procs", PROCESSES);
    if run.wants("claims") {
        claims::judge(&all(run, &server, Task::Claim, size.jobs, &mut verdict)?, size.jobs, run, &mut verdict);
    }
    if run.wants("items") {
        items(run, &server, size, &mut verdict)?;
    }
    if run.wants("approvals") {
        runtime()?.block_on(approvals::prepare(&server, size.approvals))?;
        let told = all(run, &server, Task::Approved, size.approvals, &mut verdict)?;
        approvals::judge(&told, size.approvals, run, &mut verdict);
    }
    verdict.count("wrong", verdict.faults().len());
    Ok(verdict)
}

fn items(run: &Run, server: &Server, size: &Size, verdict: &mut Verdict) -> anyhow::Result<()> {
    let whole = all(run, server, Task::Race, size.jobs, verdict)?;
    let parts = all(run, server, Task::Parts, size.parts, verdict)?;
    let winners = winners(whole.iter().chain(&parts));
    let several = winners.iter().filter(|(_, keys)| keys.len() > 1);
    for ((charge, item), keys) in several {
        verdict.fault(format!("item {item} of {charge} has {} winners", keys.len()), run.replay("pg-race"));
    }
    for number in 0..size.jobs {
        let charge = Job::new(items::WHOLE, number).charge();
        if !winners.contains_key(&(charge.clone(), "1".to_owned())) {
            verdict.fault(format!("item 1 of {charge} has no winner"), run.replay("pg-race"));
        }
    }
    for wrong in proof::of_postgres(server, &[], Settled::Any)? {
        verdict.fault(wrong, run.replay("pg-race"));
    }
    groups(run, server, &whole, verdict)?;
    let refused = whole.iter().chain(&parts).filter(|line| line.starts_with("refused")).count();
    verdict.count("jobs", size.jobs + size.parts);
    verdict.count("done", winners.values().map(BTreeSet::len).sum::<usize>());
    verdict.count("refused", refused);
    Ok(())
}

/// Restorations that went together: there were some, and whoever was told that one was done finds it in the
/// reconciler's journal.
fn groups(run: &Run, server: &Server, told: &[String], verdict: &mut Verdict) -> anyhow::Result<()> {
    let groups = server.sql(
        "SELECT count(*) FROM (SELECT txid FROM record.audit WHERE actor = 'reconciler' AND act = 'restore'
            GROUP BY txid HAVING count(*) > 1) AS g",
    )?;
    verdict.count("groups", groups.trim().parse::<usize>()?);
    if groups.trim() == "0" {
        verdict.fault("no two restorations went together".to_owned(), run.replay("pg-race"));
    }
    let journal = server.sql("SELECT key FROM record.sweep_steps")?;
    let kept: BTreeSet<&str> = journal.lines().map(str::trim).collect();
    let keys = told.iter().filter(|line| line.starts_with("done ")).filter_map(|line| line.split_whitespace().nth(3));
    for key in keys.filter(|key| key.starts_with("rec-")).collect::<BTreeSet<_>>() {
        if !kept.contains(key) {
            verdict.fault(format!("{key} was told that it is done, and is in no journal"), run.replay("pg-race"));
        }
    }
    Ok(())
}

/// Keys that were told that they settled an item, by charge and item.
fn winners<'a>(told: impl Iterator<Item = &'a String>) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut winners: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for line in told {
        if let ["done", charge, item, key] = line.split_whitespace().collect::<Vec<_>>()[..] {
            winners.entry((charge.to_owned(), item.to_owned())).or_default().insert(key.to_owned());
        }
    }
    winners
}

/// Lets all processes do a task at the same time. What they told.
fn all(run: &Run, server: &Server, task: Task, count: u64, verdict: &mut Verdict) -> anyhow::Result<Vec<String>> {
    let place = server.url(SUPERUSER);
    let work = |process| Work { task, seed: run.seed, ..on_record(place.as_ref(), "race", process, count) };
    let mut racers =
        (0..PROCESSES).map(|process| Victim::start(&work(process), None)).collect::<Result<Vec<_>, _>>()?;
    for racer in &mut racers {
        racer.hear_of(READY)?;
    }
    for racer in &mut racers {
        racer.say("go")?;
    }
    let mut told = Vec::new();
    for racer in racers {
        let end = racer.wait()?;
        told.extend(end.lines);
        if let Some(why) = end.complaint {
            verdict.fault(format!("a racer stopped: {why}"), run.replay("pg-race"));
        }
    }
    Ok(told)
}

async fn prepare(size: &Size) -> anyhow::Result<Server> {
    let server = Server::start(false).await?;
    let owner = server.furnish().await?;
    // How much it may restore by itself is not what this is about.
    server.sql("UPDATE record.reconciler_limits SET restorations_per_hour = 1000000000")?;
    server.sql(size.planted)?;
    for (lane, jobs) in [(items::WHOLE, size.jobs), (items::PARTS, size.parts)] {
        bring(&owner, (0..jobs).map(|number| items::job(lane, number))).await?;
    }
    owner.close().await;
    Ok(server)
}

async fn bring(owner: &PgStore, jobs: impl Iterator<Item = Job>) -> anyhow::Result<()> {
    let jobs: Vec<Job> = jobs.collect();
    for batch in jobs.chunks(usize::try_from(BATCH)?) {
        let facts = batch.iter().map(Job::facts).collect::<Result<Vec<_>, _>>()?.concat();
        let report = owner.import(&facts, product::at(product::LATE)).await?;
        anyhow::ensure!(report.rejected.is_empty(), "rejected: {:?}", report.rejected);
    }
    Ok(())
}

/// One racing process: `work.from` is its number.
pub async fn compete(work: &Work, told: &mut impl Write) -> anyhow::Result<()> {
    let store = PgStore::connect(&PgSettings::new(work.file.to_string_lossy())).await?;
    // The connection is there before the start.
    store.catalogue().await?;
    writeln!(told, "{READY}")?;
    told.flush()?;
    std::io::stdin().read_line(&mut String::new())?;
    match work.task {
        Task::Claim => claims::claim(&store, work, told).await?,
        Task::Approved => approvals::use_all(&store, work, told).await?,
        _ => items::race(&store, work, told).await?,
    }
    store.close().await;
    Ok(())
}
