//! The process that gets killed: it does acknowledged work on a record, one run after another, and
//! tells each acknowledgement on its standard output before it goes on.
//!
//! What it was doing when it died it does again after the next start, with the same keys: the
//! outcome was unknown, and asking again must never do it twice.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use makegood_domain::ids::ActionKey;
use makegood_domain::ports::{ActionState, Applied, Begun, Receipt, Store};

use crate::product::{self, Job};

/// Far longer than any run of a suite, in the world's time, which stands still for a job.
const LEASE_SECONDS: i64 = 600;

/// The acts that are acknowledged, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Act {
    Import,
    Case,
    Begin,
    /// The restoration, or the delivery, whichever the job is for.
    Remedy,
    Finish,
}

impl Act {
    pub const ALL: [Self; 5] = [Self::Import, Self::Case, Self::Begin, Self::Remedy, Self::Finish];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Case => "case",
            Self::Begin => "begin",
            Self::Remedy => "remedy",
            Self::Finish => "finish",
        }
    }

    /// The line of an acknowledgement, read back.
    #[must_use]
    pub fn parse(line: &str) -> Option<(Self, u64)> {
        let (word, number) = line.split_once(' ')?;
        let act = Self::ALL.into_iter().find(|act| act.word() == word)?;
        Some((act, number.parse().ok()?))
    }
}

/// What is wrong with a writer, where a bug is planted in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Plant {
    #[default]
    Nothing,
    /// Acknowledges before it has done it.
    EarlyAck,
    /// Makes new keys at each start, and so does again what it may have done.
    NewKeys,
}

impl Plant {
    fn job(self, job: Job) -> Job {
        match self {
            Self::NewKeys => job.by(&std::process::id().to_string()),
            Self::Nothing | Self::EarlyAck => job,
        }
    }
}

/// How a writer works.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// How often it asks until an outcome is known.
    pub asks: u32,
    pub plant: Plant,
}

/// An act that is unknown so often in a row is not going to be known.
pub const ASKS_MAX: u32 = 40;

/// Between two tries, while a server comes back.
const PAUSE: Duration = Duration::from_millis(100);

/// Works from job `from` of `lane` until it is killed or has done `count` jobs. Each act is tried as
/// often as its manner says, with the same keys.
pub async fn work(
    store: &dyn Store,
    lane: &str,
    from: u64,
    count: u64,
    manner: Manner,
    acks: &mut impl Write,
) -> anyhow::Result<()> {
    furnish(store).await?;
    for number in from..from.saturating_add(count) {
        let job = manner.plant.job(Job::new(lane, number));
        for act in Act::ALL {
            if manner.plant == Plant::EarlyAck {
                acknowledge(act, number, acks)?;
            }
            insist(store, &job, act, manner.asks).await?;
            if manner.plant != Plant::EarlyAck {
                acknowledge(act, number, acks)?;
            }
        }
    }
    Ok(())
}

fn acknowledge(act: Act, number: u64, acks: &mut impl Write) -> anyhow::Result<()> {
    writeln!(acks, "{} {number}", act.word())?;
    Ok(acks.flush()?)
}

/// Brings what stands before the first run.
pub async fn furnish(store: &dyn Store) -> anyhow::Result<()> {
    let report = store.import(&product::base()?, product::at(1)).await?;
    anyhow::ensure!(report.rejected.is_empty(), "the world is not taken: {:?}", report.rejected);
    Ok(())
}

/// Does one act of a job until its outcome is known; how often it was not.
pub async fn insist(store: &dyn Store, job: &Job, act: Act, asks: u32) -> anyhow::Result<u64> {
    for unknown in 1..asks {
        if perform(store, job, act).await.is_ok() {
            return Ok(u64::from(unknown - 1));
        }
        tokio::time::sleep(PAUSE).await;
    }
    perform(store, job, act).await.with_context(|| format!("`{}` of job {}", act.word(), job.number))?;
    Ok(u64::from(asks - 1))
}

/// Does one act of a job, again where it was done already. Anything but success is an error.
pub async fn perform(store: &dyn Store, job: &Job, act: Act) -> anyhow::Result<()> {
    match act {
        Act::Import => {
            let report = store.import(&job.facts()?, product::at(3_500)).await?;
            if !report.rejected.is_empty() {
                bail!("rejected: {:?}", report.rejected);
            }
        }
        Act::Case => {
            store.open_case(&job.new_case()).await?;
        }
        Act::Begin => {
            let plan = job.plan(1);
            match store.begin_action(&job.order(&plan), &plan).await? {
                Begun::New | Begun::Existing(_) => {}
                other => bail!("{other:?}"),
            }
        }
        Act::Remedy if job.recovers() => recover(store, job).await?,
        Act::Remedy => {
            done(store, &job.key(), 0, &job.restore()).await?;
        }
        Act::Finish => store.finish_action(&job.key(), &ActionState::Done, product::at(4_200)).await?,
    }
    Ok(())
}

async fn recover(store: &dyn Store, job: &Job) -> anyhow::Result<()> {
    let Receipt::Leased { epoch, .. } = done(store, &job.key(), 0, &job.lease(LEASE_SECONDS)).await? else {
        bail!("a lease was answered with something else");
    };
    done(store, &job.key(), 1, &job.deliver(epoch)).await?;
    Ok(())
}

async fn done(
    store: &dyn Store,
    key: &ActionKey,
    part: u32,
    effect: &makegood_domain::plan::Effect,
) -> anyhow::Result<Receipt> {
    match store.apply(key, 0, part, effect, product::at(4_100)).await? {
        Applied::Done(step) => Ok(step.receipt),
        Applied::Refused(why) => bail!("refused: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledgement_reads_back() {
        for act in Act::ALL {
            assert_eq!(Act::parse(&format!("{} 17", act.word())), Some((act, 17)));
        }
        assert_eq!(Act::parse("remedy"), None);
        assert_eq!(Act::parse("other 3"), None);
        assert_eq!(Act::parse("remedy x"), None);
    }
}
