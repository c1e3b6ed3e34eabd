//! A person's program on PostgreSQL whose link is cut at every message of the protocol, from signing in
//! to the answer of a commit, and whose server is stopped as by a kill. What was unknown is asked again
//! with the same key; nothing is done twice.

mod cancelled;
mod proxy;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use makegood_domain::ports::{ApprovalStore as _, Role};
use makegood_store::postgres::admin::{Admission, grant};
use makegood_store::postgres::{PgSettings, PgStore};
use makegood_testkit::postgres::{Options, SUPERUSER, VIRTUAL_TIME};

use crate::child::runtime;
use crate::dice::Dice;
use crate::pg::Server;
use crate::product::{self, AGENT, Job};
use crate::suites::Run;
use crate::verdict::Verdict;
use crate::writer::{ASKS_MAX, Act, insist, perform};
use proxy::{Arrives, Cut, Direction, Scissors, listen};

const LANE: &str = "cut";
/// One stop of the server for so many cuts.
const CUTS_A_STOP: u64 = 25;
const PASSWORD: &str = "cut while signing in";

/// What a sender does after the link broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// Asks again with the same key.
    Faithful,
    /// A planted bug: asks under a new key what may have been done under the old one.
    NewKey,
}

/// Messages of one direction that a kind of job takes, from signing in to its last answer.
type Census = BTreeMap<(bool, Direction), u64>;

#[derive(Debug, Default)]
struct Tally {
    cuts: u64,
    places: BTreeSet<(bool, Direction, u64)>,
    /// Cuts while somebody was signing in, and where a call is committed or its end told.
    signing_in: u64,
    committing: u64,
    stops: u64,
    acked: u64,
    unknown: u64,
}

pub fn run(run: &Run) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::default();
    if run.wants("cuts") {
        runtime()?.block_on(cuts(run, run.size(100, 2_000), Sender::Faithful, &mut verdict))?;
    }
    if run.wants("cancelled") {
        runtime()?.block_on(cancelled::play(run, run.size(300, 5_000), &mut verdict))?;
    }
    verdict.count("wrong", verdict.faults().len());
    Ok(verdict)
}

/// So many cuts, by some sender.
pub fn small(run: &Run, cuts: u64, sender: Sender) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::default();
    runtime()?.block_on(self::cuts(run, cuts, sender, &mut verdict))?;
    Ok(verdict)
}

/// One connection at a time, so that a broken one is the next one's trouble.
fn one_connection(url: String) -> PgSettings {
    let mut settings = PgSettings::new(url);
    settings.connections = 1;
    settings
}

/// So many calls that are given up, on the store's connections or on ones that nobody cleans.
pub fn given_up(run: &Run, calls: u64, clean: bool) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::default();
    if clean {
        runtime()?.block_on(cancelled::play(run, calls, &mut verdict))?;
    } else {
        runtime()?.block_on(cancelled::bare(run, &mut verdict))?;
    }
    Ok(verdict)
}

/// A server behind a link that breaks, and the login of a person.
struct Bench {
    server: Server,
    scissors: Arc<Scissors>,
    settings: PgSettings,
}

impl Bench {
    async fn new() -> anyhow::Result<Self> {
        let server = Server::with(&Options { passwords: true, ..Options::default() }).await?;
        server.sql(VIRTUAL_TIME)?;
        let owner = server.furnish().await?;
        owner.put_person(&product::person(), product::at(0)).await?;
        owner.close().await;
        for (role, salt) in [(Role::Agent, [1; 16]), (Role::Feeder, [2; 16])] {
            let admission = Admission { person: &AGENT.into(), login: AGENT, role, password: PASSWORD, salt };
            grant(&PgSettings::new(server.url(SUPERUSER)), &admission, product::at(0)).await?;
        }
        let scissors = Arc::new(Scissors::default());
        let port = listen(server.cluster.port(), Arc::clone(&scissors)).await?;
        let url = format!("postgres://{AGENT}@127.0.0.1:{port}/{}", server.database);
        let settings = one_connection(url).with_password(PASSWORD);
        Ok(Self { server, scissors, settings })
    }

    /// Signs in, again until it is done.
    async fn sign_in(&self, tally: &mut Tally) -> anyhow::Result<PgStore> {
        for _ in 1..ASKS_MAX {
            if let Ok(store) = PgStore::connect(&self.settings).await {
                return Ok(store);
            }
            tally.unknown += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        PgStore::connect(&self.settings).await.context("signing in")
    }

    /// How many messages a job of each kind takes, uncut: those that restore, and those that recover.
    async fn census(&self, tally: &mut Tally) -> anyhow::Result<Census> {
        let mut census = Census::new();
        for number in [0, 1, 2] {
            let job = Job::new("census", number);
            self.scissors.count_anew();
            self.job(&job, Sender::Faithful, tally).await?;
            for direction in [Direction::ToServer, Direction::ToClient] {
                let seen = census.entry((job.recovers(), direction)).or_default();
                *seen = (*seen).max(self.scissors.counted(direction));
            }
        }
        Ok(census)
    }

    /// Signs in and does all acts of a job, each until its outcome is known.
    async fn job(&self, job: &Job, sender: Sender, tally: &mut Tally) -> anyhow::Result<()> {
        let store = self.sign_in(tally).await?;
        for act in Act::ALL {
            let armed = self.scissors.is_armed();
            tally.unknown += insist(&store, job, act, ASKS_MAX).await?;
            tally.acked += 1;
            if sender == Sender::NewKey && armed && !self.scissors.is_armed() {
                let other = job.clone().by("again");
                for act in [Act::Case, Act::Begin, Act::Remedy] {
                    perform(&store, &other, act).await.with_context(|| format!("{} under a new key", act.word()))?;
                }
            }
        }
        store.close().await;
        Ok(())
    }
}

async fn cuts(run: &Run, cuts: u64, sender: Sender, verdict: &mut Verdict) -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    let mut dice = Dice::new(run.seed, "pg-cut");
    let mut tally = Tally::default();
    let census = bench.census(&mut tally).await?;
    let mut places = Vec::new();
    let mut number = 0;
    while tally.cuts < cuts && verdict.passed() {
        if places.is_empty() {
            places = shuffled(&census, &mut dice);
        }
        let job = Job::new(LANE, number);
        number += 1;
        let Some(found) = places.iter().rposition(|(recovers, ..)| *recovers == job.recovers()) else {
            places.clear();
            continue;
        };
        let (_, direction, after) = places.swap_remove(found);
        let arrives = [Arrives::Nothing, Arrives::Half, Arrives::All][dice.index(3)];
        if let Err(why) = one(&bench, &job, Cut { direction, after, arrives }, sender, &mut tally).await {
            let what = format!("job {number}, cut {direction:?} at message {after} ({arrives:?}): {why:#}");
            verdict.fault(what, run.replay("pg-cut"));
        }
    }
    for wrong in bench.server.wrong()? {
        verdict.fault(wrong, run.replay("pg-cut"));
    }
    tell(verdict, &tally, &census);
    Ok(())
}

/// One job under one cut, and sometimes a stop of the server. A job that is over before the cut is met
/// is no cut.
async fn one(bench: &Bench, job: &Job, cut: Cut, sender: Sender, tally: &mut Tally) -> anyhow::Result<()> {
    bench.scissors.arm(cut);
    let worked = if tally.cuts % CUTS_A_STOP == CUTS_A_STOP - 1 {
        tally.stops += 1;
        let (worked, stopped) = tokio::join!(bench.job(job, sender, tally), stop(&bench.server));
        stopped?;
        worked
    } else {
        bench.job(job, sender, tally).await
    };
    if let Some(letter) = bench.scissors.disarm() {
        tally.cuts += 1;
        tally.places.insert((job.recovers(), cut.direction, cut.after));
        tally.signing_in += u64::from(proxy::is_sign_in(cut.direction, letter));
        tally.committing += u64::from(proxy::is_commit(cut.direction, letter));
    }
    worked
}

/// Every message of every kind of job, in both directions.
fn shuffled(census: &Census, dice: &mut Dice) -> Vec<(bool, Direction, u64)> {
    let mut places: Vec<_> = census
        .iter()
        .flat_map(|((recovers, direction), count)| (0..*count).map(|after| (*recovers, *direction, after)))
        .collect();
    for last in (1..places.len()).rev() {
        places.swap(last, dice.index(last + 1));
    }
    places
}

fn tell(verdict: &mut Verdict, tally: &Tally, census: &Census) {
    verdict.count("cuts", tally.cuts);
    verdict.count("places", format!("{}/{}", tally.places.len(), census.values().sum::<u64>()));
    verdict.count("signing-in", tally.signing_in);
    verdict.count("committing", tally.committing);
    verdict.count("stops", tally.stops);
    verdict.count("acked", tally.acked);
    verdict.count("asked-again", tally.unknown);
    verdict.count("resolved", if verdict.passed() { "all" } else { "NOT ALL" });
}

/// Stops the server as a kill does, and starts it again.
async fn stop(server: &Server) -> anyhow::Result<()> {
    // The writer is in the middle of something by then.
    tokio::time::sleep(Duration::from_millis(3)).await;
    server.cluster.stop_at_once().map_err(|why| anyhow!(why)).context("stopping the server")?;
    server.cluster.start_again().map_err(|why| anyhow!(why)).context("starting the server again")
}
