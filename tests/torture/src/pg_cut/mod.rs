//! A writer on PostgreSQL whose link is cut at every message of the protocol, and whose server is
//! stopped as by a kill. What was unknown is asked again with the same key; nothing is done twice.

mod proxy;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use makegood_store::postgres::{PgSettings, PgStore};
use makegood_testkit::postgres::SUPERUSER;

use crate::child::runtime;
use crate::dice::Dice;
use crate::pg::Server;
use crate::product::Job;
use crate::suites::Run;
use crate::verdict::Verdict;
use crate::writer::{Act, perform};
use proxy::{Arrives, Cut, Direction, Scissors, listen};

const LANE: &str = "cut";
/// Messages of one direction that a job takes, with a new connection, are fewer.
const MESSAGES: u64 = 60;
/// One stop of the server for so many cuts.
const CUTS_A_STOP: u64 = 25;
/// An act that is unknown so often in a row is not going to be known.
const ASKS_MAX: u32 = 40;

#[derive(Debug, Default)]
struct Tally {
    met: u64,
    unknown: u64,
    stops: u64,
    acked: u64,
}

pub fn run(run: &Run) -> anyhow::Result<Verdict> {
    runtime()?.block_on(play(run))
}

async fn play(run: &Run) -> anyhow::Result<Verdict> {
    let cuts = run.size(100, 2_000);
    let server = Server::start(true).await?;
    server.furnish().await?.close().await;
    let scissors = Arc::new(Scissors::default());
    let port = listen(server.cluster.port(), Arc::clone(&scissors)).await?;
    let url = format!("postgres://{SUPERUSER}@127.0.0.1:{port}/{}", server.database);
    let store = PgStore::connect(&PgSettings::new(url)).await?;
    let mut dice = Dice::new(run.seed, "pg-cut");
    let (mut tally, mut verdict) = (Tally::default(), Verdict::default());
    for number in 0..cuts {
        let cut = Cut {
            direction: if dice.chance(50) { Direction::ToServer } else { Direction::ToClient },
            after: dice.below(MESSAGES),
            arrives: [Arrives::Nothing, Arrives::Half, Arrives::All][dice.index(3)],
        };
        scissors.arm(cut);
        let stops = number % CUTS_A_STOP == CUTS_A_STOP - 1;
        let job = Job::new(LANE, number);
        let worked = if stops {
            tally.stops += 1;
            let (worked, stopped) = tokio::join!(work(&store, &job, &mut tally), stop(&server));
            stopped?;
            worked
        } else {
            work(&store, &job, &mut tally).await
        };
        tally.met += u64::from(!scissors.disarm());
        if let Err(why) = worked {
            verdict.fault(format!("cut {number} ({cut:?}): {why:#}"), run.replay("pg-cut"));
            break;
        }
    }
    for wrong in server.wrong()? {
        verdict.fault(wrong, run.replay("pg-cut"));
    }
    let settled = server.sql("SELECT count(DISTINCT charge_id) FROM record.item_settlements")?;
    if verdict.passed() && settled.trim() != cuts.to_string() {
        verdict.fault(format!("{} of {cuts} jobs have a remedy", settled.trim()), run.replay("pg-cut"));
    }
    verdict.count("cuts", cuts);
    verdict.count("met", tally.met);
    verdict.count("stops", tally.stops);
    verdict.count("acked", tally.acked);
    verdict.count("asked-again", tally.unknown);
    verdict.count("wrong", verdict.faults().len());
    Ok(verdict)
}

/// All acts of a job, each until its outcome is known.
async fn work(store: &PgStore, job: &Job, tally: &mut Tally) -> anyhow::Result<()> {
    for act in Act::ALL {
        let mut asked = 0;
        while let Err(why) = perform(store, job, act).await {
            asked += 1;
            tally.unknown += 1;
            if asked == ASKS_MAX {
                return Err(why.context(format!("`{}` of job {} is not to be had", act.word(), job.number)));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tally.acked += 1;
    }
    Ok(())
}

/// Stops the server as a kill does, and starts it again.
async fn stop(server: &Server) -> anyhow::Result<()> {
    // The writer is in the middle of something by then.
    tokio::time::sleep(Duration::from_millis(3)).await;
    server.cluster.stop_at_once().map_err(|why| anyhow!(why)).context("stopping the server")?;
    server.cluster.start_again().map_err(|why| anyhow!(why)).context("starting the server again")
}
