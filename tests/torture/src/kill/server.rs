//! Kills on PostgreSQL: of a writer at any instant, and of the server under eight writers, half of which
//! have told it that it need not wait for the disk.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use makegood_testkit::postgres::SUPERUSER;

use super::ground::Ground;
use super::{Size, Toll};
use crate::child::{Task, Victim, Work, on_record, runtime};
use crate::dice::Dice;
use crate::pg::Server;
use crate::proof::{self, Acknowledged, Settled};
use crate::suites::Run;

/// A record is used for so many kills, then a new one: proofs read all of it.
const KILLS_A_RECORD: u64 = 100;
const ACKS_MAX: u64 = 40;
const MICROS_MAX: u64 = 8_000;
const WRITERS: u64 = 8;
/// The server is stopped when its writers have said so much since it came back.
const ACKS_A_STOP: u64 = 40;
const STOPS_A_RECORD: u64 = 25;
/// What a login may say of itself; the record does not listen.
const HASTY: &str = "&options=-c%20synchronous_commit%3Doff";

pub fn run(run: &Run, size: &Size, _: &Path, toll: &mut Toll) -> anyhow::Result<()> {
    if run.wants("pg-instants") {
        instants(run, size.pg_instants, toll)?;
    }
    if run.wants("pg-stops") {
        stops(run, size, toll)?;
    }
    Ok(())
}

/// `kill -9` of a writer at any instant.
fn instants(run: &Run, kills: u64, toll: &mut Toll) -> anyhow::Result<()> {
    let mut dice = Dice::new(run.seed, "kill pg-instants");
    for first in (0..kills).step_by(usize::try_from(KILLS_A_RECORD)?) {
        let ground = Ground::shared(false)?;
        let mut known = Acknowledged::default();
        for _ in first..kills.min(first + KILLS_A_RECORD) {
            let mut victim = Victim::start(&on_record(&ground.place(), "l", known.next(), u64::MAX), None)?;
            victim.hear(usize::try_from(dice.below(ACKS_MAX))?)?;
            victim.let_run(Duration::from_micros(dice.below(MICROS_MAX)));
            let end = victim.kill()?;
            toll.note(&ground, &mut known, (end.lines, end.complaint), "pg-instants")?;
        }
    }
    Ok(())
}

/// The server stopped as by a kill. Its writers ask again until they know; what they were told before
/// is there afterwards.
fn stops(run: &Run, size: &Size, toll: &mut Toll) -> anyhow::Result<()> {
    let mut dice = Dice::new(run.seed, "kill pg-stops");
    let stops = size.pg_stops;
    for first in (0..stops).step_by(usize::try_from(STOPS_A_RECORD)?) {
        let Ground::Shared { server } = Ground::shared(true)? else { anyhow::bail!("no server") };
        server.sql(size.planted)?;
        let mut writers: Vec<Victim> =
            (0..WRITERS).map(|number| Victim::start(&writer(&server, number), None)).collect::<Result<_, _>>()?;
        for _ in first..stops.min(first + STOPS_A_RECORD) {
            for writer in &mut writers {
                writer.hear_more(usize::try_from(1 + dice.below(ACKS_A_STOP))?)?;
            }
            server.cluster.stop_at_once().map_err(|why| anyhow!(why)).context("stopping the server")?;
            server.cluster.start_again().map_err(|why| anyhow!(why)).context("starting the server again")?;
            toll.server_stops += 1;
            // Before anybody does anything again, everything that was told is there.
            let told: Vec<Vec<String>> = writers.iter_mut().map(Victim::told).collect();
            prove(&server, &told, toll)?;
        }
        let mut told = Vec::new();
        for writer in writers {
            let end = writer.kill()?;
            toll.acked += u64::try_from(end.lines.len())?;
            toll.broken.extend(end.complaint.map(|why| (format!("a writer stopped by itself: {why}"), "pg-stops")));
            told.push(end.lines);
        }
        prove(&server, &told, toll)?;
        if let Some(line) = runtime()?.block_on(audit(&server))? {
            toll.broken.push((line, "pg-stops"));
        }
    }
    Ok(())
}

/// Every other one is in a hurry.
fn writer(server: &Server, number: u64) -> Work {
    let hurry = if number.is_multiple_of(2) { "" } else { HASTY };
    let address = format!("{}{hurry}", server.url(SUPERUSER));
    Work { task: Task::Stubborn, ..on_record(address.as_ref(), &format!("w{number}"), 0, u64::MAX) }
}

fn prove(server: &Server, told: &[Vec<String>], toll: &mut Toll) -> anyhow::Result<()> {
    let known: Vec<(String, Acknowledged)> = told
        .iter()
        .enumerate()
        .map(|(number, lines)| {
            let mut known = Acknowledged::default();
            known.add(lines);
            (format!("w{number}"), known)
        })
        .collect();
    let wrong = proof::of_postgres(server, &known, Settled::Any)?;
    toll.broken.extend(wrong.into_iter().map(|what| (what, "pg-stops")));
    Ok(())
}

async fn audit(server: &Server) -> anyhow::Result<Option<String>> {
    use makegood_domain::ports::ActionStore as _;
    let owner = server.owner().await?;
    owner.seal(crate::product::at(5_000)).await?;
    let found = owner.audit_verify().await?;
    owner.close().await;
    Ok(found.map(|line| format!("audit line {}: {}", line.seq, line.why)))
}
