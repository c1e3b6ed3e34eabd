//! Agents and reconcilers after the same items.

use std::io::Write;

use anyhow::{Context as _, bail};
use makegood_domain::ids::{ActionKey, RefundId};
use makegood_domain::plan::{Effect, Plan, Step};
use makegood_domain::ports::{
    ActionState, ActionStore, Applied, Begun, CaseStore, Detection, DetectionKind, Receipt, ReconcileStore as _,
};
use makegood_store::postgres::PgStore;

use crate::child::{Task, Work};
use crate::dice::Dice;
use crate::product::{self, Job, LATE};

/// Runs of which every item is to be settled by somebody.
pub const WHOLE: &str = "race";
/// Runs of three items whose credits are asked back in any parts, from any of their sources.
pub const PARTS: &str = "part";
/// Jobs that each process takes in an order of its own, so that all meet on each.
const BLOCK: usize = 4;
const LEASE_SECONDS: i64 = 600;

/// The n-th run of a lane.
pub fn job(lane: &str, number: u64) -> Job {
    // Of odd numbers, which have two sources, those with three items.
    Job::new(lane, if lane == PARTS { 6 * number + 5 } else { number })
}

/// What a racer tries about a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Try {
    Restore,
    Recover,
    /// The charge in two restorations.
    InTwo,
    /// As a reconciler, item by item.
    Settle,
}

/// So many blocks of 100 are settled by a reconciler as a whole: all its runs at a time, in groups.
const TOGETHER: u32 = 35;

/// One process after all runs.
pub async fn race(store: &PgStore, work: &Work, told: &mut impl Write) -> anyhow::Result<()> {
    let mut dice = Dice::new(work.seed, &format!("racer {} {:?}", work.from, work.task));
    let mut numbers: Vec<u64> = (0..work.count).collect();
    for block in numbers.chunks_mut(BLOCK) {
        for last in (1..block.len()).rev() {
            block.swap(last, dice.index(last + 1));
        }
    }
    let mut racer = Racer { store, told, dice };
    for block in numbers.chunks(BLOCK) {
        if work.task == Task::Race && racer.dice.chance(TOGETHER) {
            let jobs: Vec<Job> = block.iter().map(|number| job(WHOLE, *number)).collect();
            racer.settle_together(&jobs).await.with_context(|| format!("runs {block:?} together"))?;
            continue;
        }
        for number in block {
            racer.one(work, *number).await.with_context(|| format!("run {number}"))?;
        }
    }
    Ok(())
}

struct Racer<'a, W: Write> {
    store: &'a PgStore,
    told: &'a mut W,
    dice: Dice,
}

impl<W: Write> Racer<'_, W> {
    /// One way after one run.
    async fn one(&mut self, work: &Work, number: u64) -> anyhow::Result<()> {
        let racer = self;
        if work.task == Task::Parts {
            return racer.any_part(&job(PARTS, number).by(&format!("p{}", work.from))).await;
        }
        let what = [Try::Restore, Try::Recover, Try::InTwo, Try::Settle][racer.dice.index(4)];
        let shared = matches!(what, Try::Restore | Try::Recover) && racer.dice.chance(25);
        let by = if shared { "all".to_owned() } else { format!("p{}", work.from) };
        let recovers = if shared { number.is_multiple_of(2) } else { what == Try::Recover };
        let job = job(WHOLE, number).by(&by).recovering(recovers);
        match what {
            Try::Settle => racer.settle(&job).await,
            Try::InTwo => racer.in_two(&job).await,
            Try::Restore | Try::Recover => racer.act(&job).await,
        }
    }

    /// Begins an action of these effects.
    async fn begin(&self, job: &Job, steps: Vec<Step>) -> anyhow::Result<()> {
        self.store.open_case(&job.new_case()).await?;
        let plan = Plan { steps, ..job.plan(1) };
        match self.store.begin_action(&job.order(&plan), &plan).await? {
            Begun::New | Begun::Existing(_) => Ok(()),
            other => bail!("{other:?}"),
        }
    }

    /// Does an effect, sometimes twice: the answer is the same.
    async fn apply(&mut self, key: &ActionKey, step: u32, part: u32, effect: &Effect) -> anyhow::Result<Applied> {
        let applied = self.store.apply(key, step, part, effect, product::at(LATE + 600)).await?;
        if self.dice.chance(20) {
            let again = self.store.apply(key, step, part, effect, product::at(LATE + 601)).await?;
            same(&applied, &again)?;
        }
        Ok(applied)
    }

    /// Restores or recovers, as the job says.
    async fn act(&mut self, job: &Job) -> anyhow::Result<()> {
        self.begin(job, job.plan(1).steps).await?;
        let key = job.key();
        let first = if job.recovers() { job.lease(LEASE_SECONDS) } else { job.restore() };
        let mut applied = self.apply(&key, 0, 0, &first).await?;
        if let Applied::Done(step) = &applied
            && let Receipt::Leased { epoch, .. } = step.receipt
        {
            applied = self.apply(&key, 0, 1, &job.deliver(epoch)).await?;
        }
        let items = if job.recovers() { vec![1] } else { (1..=job.items()).collect() };
        self.tell(job, &items, &key, &applied)?;
        self.finish(&key, &applied).await;
        Ok(())
    }

    /// Restores the items of a charge in two parts.
    async fn in_two(&mut self, job: &Job) -> anyhow::Result<()> {
        let (mut one, mut other): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        for item in 1..=job.items() {
            if self.dice.chance(50) { one.push(item) } else { other.push(item) }
        }
        let parts: Vec<Vec<u32>> = [one, other].into_iter().filter(|items| !items.is_empty()).collect();
        let effects: Vec<Effect> = (0..)
            .zip(&parts)
            .map(|(n, items): (u32, _)| job.restore_some(RefundId(format!("{}-{n}", job.refund())), items, None))
            .collect();
        self.begin(job, effects.iter().map(|effect| Step::Do { effect: effect.clone() }).collect()).await?;
        let key = job.key();
        for (step, (items, effect)) in (0..).zip(parts.iter().zip(&effects)) {
            let applied = self.apply(&key, step, 0, effect).await?;
            self.tell(job, items, &key, &applied)?;
        }
        self.store.finish_action(&key, &ActionState::Done, product::at(LATE + 700)).await?;
        Ok(())
    }

    /// Restores any items, with any share of each source.
    async fn any_part(&mut self, job: &Job) -> anyhow::Result<()> {
        let items: Vec<u32> = (1..=job.items()).filter(|_| self.dice.chance(60)).collect();
        if items.is_empty() {
            return Ok(());
        }
        let of_first = self.dice.between(0, 4);
        let effect = job.restore_some(job.refund(), &items, Some(of_first));
        self.begin(job, vec![Step::Do { effect: effect.clone() }]).await?;
        let applied = self.apply(&job.key(), 0, 0, &effect).await?;
        self.tell(job, &items, &job.key(), &applied)?;
        self.finish(&job.key(), &applied).await;
        Ok(())
    }

    /// As every reconciler does, under the keys that every reconciler has.
    async fn settle(&mut self, job: &Job) -> anyhow::Result<()> {
        for item in 1..=job.items() {
            self.store.detect(&detection(job, item)).await?;
            let key = ActionKey(format!("rec-{}-{item}-0", job.charge()));
            let effect = job.restore_some(RefundId(format!("rfd-{key}")), &[item], None);
            let applied = self.store.settle(&key, 0, &effect, product::at(LATE + 600)).await?;
            if self.dice.chance(20) {
                same(&applied, &self.store.settle(&key, 0, &effect, product::at(LATE + 601)).await?)?;
            }
            self.tell(job, &[item], &key, &applied)?;
        }
        Ok(())
    }

    /// As a reconciler does with what an outage left over: the first items of all runs at a time, then the second
    /// ones. What arrives together is one call, whoever else is after the same.
    async fn settle_together(&mut self, jobs: &[Job]) -> anyhow::Result<()> {
        for item in 1..=jobs.iter().map(Job::items).max().unwrap_or_default() {
            let mut wanted = Vec::new();
            for job in jobs.iter().filter(|job| item <= job.items()) {
                self.store.detect(&detection(job, item)).await?;
                let key = ActionKey(format!("rec-{}-{item}-0", job.charge()));
                wanted.push((job, job.restore_some(RefundId(format!("rfd-{key}")), &[item], None), key));
            }
            let calls =
                wanted.iter().map(|(_, effect, key)| self.store.settle(key, 0, effect, product::at(LATE + 600)));
            let answers = futures_util::future::join_all(calls).await;
            for ((job, _, key), applied) in wanted.iter().zip(answers) {
                self.tell(job, &[item], key, &applied?)?;
            }
        }
        Ok(())
    }

    fn tell(&mut self, job: &Job, items: &[u32], key: &ActionKey, applied: &Applied) -> anyhow::Result<()> {
        for item in items {
            match applied {
                Applied::Done(_) => writeln!(self.told, "done {} {item} {key}", job.charge())?,
                Applied::Refused(_) => writeln!(self.told, "refused {} {item}", job.charge())?,
            }
        }
        Ok(self.told.flush()?)
    }

    async fn finish(&self, key: &ActionKey, applied: &Applied) {
        let state = match applied {
            Applied::Done(_) => ActionState::Done,
            Applied::Refused(why) => ActionState::Refused { why: why.clone() },
        };
        // Whoever has the same key may have ended it before, with another outcome.
        let _ended = self.store.finish_action(key, &state, product::at(LATE + 700)).await;
    }
}

/// The same step has the same answer, unless the one with the same key has done it since.
fn same(applied: &Applied, again: &Applied) -> anyhow::Result<()> {
    let same = match (applied, again) {
        (Applied::Done(first), Applied::Done(second)) => first == second,
        (Applied::Refused(_), _) => true,
        (Applied::Done(_), Applied::Refused(_)) => false,
    };
    anyhow::ensure!(same, "the same step was answered with {applied:?} and {again:?}");
    Ok(())
}

fn detection(job: &Job, item: u32) -> Detection {
    Detection {
        kind: DetectionKind::Orphan,
        subject: job.charge(),
        item,
        run_id: job.run().as_str().into(),
        charge_id: Some(job.charge().as_str().into()),
        output_id: None,
        cause: "provider_failed".to_owned(),
        detail: String::new(),
        detected_at: product::at(LATE + 500),
        closed_at: None,
    }
}
