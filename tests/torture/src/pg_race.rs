//! Processes that race for the same items on one PostgreSQL record: each restores or recovers, under
//! keys of its own or shared ones, sends some twice, and tells what it was told. Of all that was done
//! for an item, one thing was.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use anyhow::{Context as _, bail};
use makegood_domain::ports::{ActionState, ActionStore, Applied, Begun, CaseStore, FactStore as _, Receipt};
use makegood_store::postgres::{PgSettings, PgStore};
use makegood_testkit::postgres::SUPERUSER;

use crate::child::{Task, Victim, Work, runtime};
use crate::dice::Dice;
use crate::pg::Server;
use crate::product::{self, Job};
use crate::suites::Run;
use crate::verdict::Verdict;

const PROCESSES: u64 = 8;
const LANE: &str = "race";
/// Jobs that each process takes in an order of its own, so that all meet on each.
const BLOCK: usize = 4;
/// A batch of an import.
const BATCH: u64 = 200;
const LEASE_SECONDS: i64 = 600;

pub fn run(run: &Run) -> anyhow::Result<Verdict> {
    let jobs = run.size(150, 5_000);
    let runtime = runtime()?;
    let server = runtime.block_on(prepare(jobs))?;
    let work = |process: u64| Work {
        task: Task::Race,
        file: server.url(SUPERUSER).into(),
        lane: LANE.to_owned(),
        from: process,
        count: jobs,
        seed: run.seed,
    };
    let racers = (0..PROCESSES).map(|process| Victim::start(&work(process), None)).collect::<Result<Vec<_>, _>>()?;
    let mut verdict = Verdict::default();
    let mut winners: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
    let (mut done, mut refused) = (0_u64, 0_u64);
    for racer in racers {
        let end = racer.wait()?;
        if let Some(why) = end.complaint {
            verdict.fault(format!("a racer stopped: {why}"), run.replay("pg-race"));
        }
        for line in end.lines {
            match line.split_whitespace().collect::<Vec<_>>()[..] {
                ["done", number, key] => {
                    done += 1;
                    winners.entry(number.parse()?).or_default().insert(key.to_owned());
                }
                _ => refused += 1,
            }
        }
    }
    for number in 0..jobs {
        let count = winners.get(&number).map_or(0, BTreeSet::len);
        if count != 1 {
            verdict.fault(format!("job {number} has {count} winners"), run.replay("pg-race"));
        }
    }
    for wrong in server.wrong()? {
        verdict.fault(wrong, run.replay("pg-race"));
    }
    verdict.count("procs", PROCESSES);
    verdict.count("jobs", jobs);
    verdict.count("done", done);
    verdict.count("refused", refused);
    verdict.count("wrong", verdict.faults().len());
    Ok(verdict)
}

async fn prepare(jobs: u64) -> anyhow::Result<Server> {
    let server = Server::start(false).await?;
    let owner = server.furnish().await?;
    for first in (0..jobs).step_by(usize::try_from(BATCH)?) {
        let mut facts = Vec::new();
        for number in first..(first + BATCH).min(jobs) {
            facts.extend(Job::new(LANE, number).facts()?);
        }
        let report = owner.import(&facts, product::at(3_500)).await?;
        anyhow::ensure!(report.rejected.is_empty(), "rejected: {:?}", report.rejected);
    }
    owner.close().await;
    Ok(server)
}

/// One racing process: `work.from` is its number.
pub async fn race(work: &Work, told: &mut impl Write) -> anyhow::Result<()> {
    let store = PgStore::connect(&PgSettings::new(work.file.to_string_lossy())).await?;
    let mut dice = Dice::new(work.seed, &format!("racer {}", work.from));
    let mut numbers: Vec<u64> = (0..work.count).collect();
    for block in numbers.chunks_mut(BLOCK) {
        for last in (1..block.len()).rev() {
            block.swap(last, dice.index(last + 1));
        }
    }
    for number in numbers {
        let shared = dice.chance(25);
        let by = if shared { "all".to_owned() } else { format!("p{}", work.from) };
        let job =
            Job::new(&work.lane, number).by(&by).recovering(if shared { number % 2 == 0 } else { dice.chance(50) });
        match settle(&store, &job, dice.chance(20)).await.with_context(|| format!("job {number}"))? {
            true => writeln!(told, "done {number} {}", job.key())?,
            false => writeln!(told, "refused {number}")?,
        }
        told.flush()?;
    }
    store.close().await;
    Ok(())
}

/// Does the job's remedy; whether it was done.
async fn settle(store: &PgStore, job: &Job, twice: bool) -> anyhow::Result<bool> {
    store.open_case(&job.new_case()).await?;
    let plan = job.plan(1);
    match store.begin_action(&job.order(&plan), &plan).await? {
        Begun::New | Begun::Existing(_) => {}
        other => bail!("{other:?}"),
    }
    let key = job.key();
    let mut effects = vec![if job.recovers() { job.lease(LEASE_SECONDS) } else { job.restore() }];
    let mut part = 0;
    let mut state = ActionState::Done;
    while let Some(effect) = effects.pop() {
        let applied = store.apply(&key, 0, part, &effect, product::at(4_100)).await?;
        if twice {
            let again = store.apply(&key, 0, part, &effect, product::at(4_101)).await?;
            let same = match (&applied, &again) {
                (Applied::Done(first), Applied::Done(second)) => first == second,
                // Refused first, and done by the one with the same key since.
                (Applied::Refused(_), _) => true,
                (Applied::Done(_), Applied::Refused(_)) => false,
            };
            anyhow::ensure!(same, "the same step was answered with {applied:?} and {again:?}");
        }
        match applied {
            Applied::Done(step) => {
                if let Receipt::Leased { epoch, .. } = step.receipt {
                    effects.push(job.deliver(epoch));
                }
            }
            Applied::Refused(why) => {
                state = ActionState::Refused { why };
                break;
            }
        }
        part += 1;
    }
    let done = state == ActionState::Done;
    // Whoever has the same key may have ended it before, with another outcome.
    let _ended = store.finish_action(&key, &state, product::at(4_200)).await;
    Ok(done)
}
