//! One life of the program: a desk that makes passes and saves what it hears of, until it is ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use makegood_app::{Desk, Shift};
use makegood_domain::ports::Clock as _;
use tokio::task::JoinHandle;

use super::world::World;
use super::{EVERY, Plant};

pub struct Life {
    pub desk: Arc<Desk>,
    made: Arc<AtomicU64>,
    passing: JoinHandle<anyhow::Result<()>>,
    saving: JoinHandle<()>,
}

impl Life {
    /// The program begins in this minute.
    pub fn begin(world: &Arc<World>, plant: Plant, minute: i64) -> anyhow::Result<Self> {
        let desk = Arc::new(world.desk(plant)?);
        let made = Arc::<AtomicU64>::default();
        let passing = tokio::spawn(pass_by(Arc::clone(world), Arc::clone(&desk), Arc::clone(&made), plant, minute));
        let saving = {
            let desk = Arc::clone(&desk);
            tokio::spawn(async move { desk.keep_capturing().await })
        };
        Ok(Self { desk, made, passing, saving })
    }

    /// Nobody of it may end by itself.
    pub async fn is_well(&mut self) -> anyhow::Result<()> {
        if self.passing.is_finished() {
            (&mut self.passing).await??;
            anyhow::bail!("nobody makes passes any more");
        }
        anyhow::ensure!(!self.saving.is_finished(), "nobody saves what is heard of any more");
        Ok(())
    }

    /// Ends it in the middle of whatever it does; how many passes it made.
    pub fn end(self) -> u64 {
        self.passing.abort();
        self.saving.abort();
        self.made.load(Ordering::Relaxed)
    }
}

/// What `sweeps::keep` does.
async fn pass_by(
    world: Arc<World>,
    desk: Arc<Desk>,
    made: Arc<AtomicU64>,
    plant: Plant,
    born: i64,
) -> anyhow::Result<()> {
    let (every, mut is_first) = (SignedDuration::from_mins(EVERY), true);
    loop {
        let begun = desk.time();
        let number = made.fetch_add(1, Ordering::Relaxed);
        let shift = Shift::new(format!("pass-of-{born:06}-{number:06}"), format!("week-{born}"));
        let pass = desk.reconcile_once(&shift.every(every)).await;
        let pause = desk.pause(every, &pass, std::mem::take(&mut is_first));
        pass.with_context(|| format!("a pass that began at {begun}"))?;
        if plant == Plant::SleepsThrough {
            let until = desk.time().saturating_add(every).unwrap_or(Timestamp::MAX);
            world.clock.sleep_until(until).await;
        } else {
            desk.until_due(begun, pause).await;
        }
    }
}
