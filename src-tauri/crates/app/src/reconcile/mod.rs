//! The reconciler: one function behind the window's timer, its button and `makegoodctl reconcile`.
//!
//! It is run again and again and on a signal, takes no input, and is idempotent: what to do follows
//! from the record each time, every effect has a key that follows from the facts, and the next pass is
//! the retry. Nothing is repeated inside a pass. Several at once share the list of due runs by claims;
//! what a crashed one held is continued when its claim is over.

mod ask;
mod run;
mod tally;
mod view;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt as _;
use jiff::SignedDuration;
use makegood_domain::ids::RunId;
use makegood_domain::plan::CaseState;
use makegood_domain::policy::After;
use makegood_domain::ports::{DueRun, NextLook, PassReport, QueueQuery};

use crate::contract::{PassView, ReconcileRequest, Topic};
use crate::desk::Desk;
use crate::error::{Error, Result};
use ask::Lanes;
use tally::Tally;

pub use view::pass_view;

/// Passes among which one that was asked for before is looked for.
const PASSES_KNOWN: u64 = 50;
/// Cases of one run that are examined again after it was settled.
const CASES_MAX: u64 = 20;

/// One pass: its id, who makes it, and a sign to stop after the runs at hand.
#[derive(Clone, Debug)]
pub struct Shift {
    /// One pass, one id; random.
    pub id: String,
    /// Who makes it, for people: program, host, process. Claims are held in this name, so two
    /// reconcilers that run at once have two.
    pub worker: String,
    /// How long after this pass the next one begins: what would be late then is settled now. `None`: by
    /// the policy's cadence.
    pub every: Option<SignedDuration>,
    pub stop: Arc<AtomicBool>,
}

impl Shift {
    /// A shift that nobody stops.
    #[must_use]
    pub fn new(id: String, worker: String) -> Self {
        Self { id, worker, every: None, stop: Arc::default() }
    }

    /// The same, followed by another one after so long.
    #[must_use]
    pub fn every(self, every: SignedDuration) -> Self {
        Self { every: Some(every), ..self }
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Desk {
    /// Until the next pass of a reconciler that comes by every so often, after what came of this one.
    #[must_use]
    pub fn pause(&self, every: SignedDuration, pass: &Result<PassReport>, is_first: bool) -> SignedDuration {
        let after = match pass {
            _ if is_first => After::Start,
            Ok(report) if report.problems.is_empty() => After::Whole,
            Ok(_) | Err(_) => After::CutShort,
        };
        self.policy.pause(every, after)
    }

    /// One pass of the reconciler: looks at every due run, some at a time, until none is due, and does
    /// for each what the rules say now. A run that cannot be looked at is a line in the report and a
    /// later try, and stops nothing. Its report is kept at the start, after each batch, and at the end.
    ///
    /// # Errors
    /// When the record cannot be used, or this desk makes a pass already. What was done stays done.
    pub async fn reconcile_once(&self, shift: &Shift) -> Result<PassReport> {
        let Ok(_only) = self.sweeping.try_lock() else {
            return Err(Error::Refused("this program makes a pass already".into()));
        };
        let mut tally = Tally::begun(shift, self.now());
        self.store.save_pass(tally.report()).await?;
        self.changed(Topic::Reconciler);
        let swept = self.sweep(shift, &mut tally).await;
        if let Err(why) = &swept {
            tally.problem(format!("the pass was cut short: {why}"));
        }
        // Nobody else is sure to come by: what was written since the last pass is sealed by this one.
        if let Err(why) = self.store.seal(self.now()).await {
            tally.problem(format!("the audit was not sealed: {why}"));
        }
        tally.report_mut().oldest_open = self.store.promise(self.now()).await?.oldest_open;
        tally.finish(self.now());
        self.store.save_pass(tally.report()).await?;
        for topic in [Topic::Reconciler, Topic::Queue, Topic::Outbox, Topic::Audit] {
            self.changed(topic);
        }
        swept.map(|()| tally.into_report())
    }

    /// Starts a pass now, by the button. The same id tells of the same pass.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn reconcile_now(&self, request: ReconcileRequest) -> Result<PassView> {
        if request.id.len() < 16 || request.id.len() > 64 {
            return Err(Error::BadRequest("the id of a pass has 16 to 64 characters".into()));
        }
        let known = self.store.passes(PASSES_KNOWN).await?;
        if let Some(pass) = known.iter().find(|pass| pass.id == request.id) {
            return Ok(pass_view(pass));
        }
        let worker = format!("window of {} {}", self.agent.id, request.id);
        let report = self.reconcile_once(&Shift::new(request.id, worker)).await?;
        Ok(pass_view(&report))
    }

    /// Batch after batch, until nothing is due that this pass has not looked at.
    async fn sweep(&self, shift: &Shift, tally: &mut Tally) -> Result<()> {
        let numbers = &self.policy.reconcile;
        let claim = self.policy.claim();
        let lanes = Lanes::new(numbers.per_provider);
        let mut seen: HashSet<RunId> = HashSet::new();
        while !shift.is_over() {
            let due = self.store.claim_due(&shift.worker, numbers.runs_per_claim, claim, self.now()).await?;
            let (fresh, again): (Vec<DueRun>, Vec<DueRun>) =
                due.into_iter().partition(|run| seen.insert(run.root.clone()));
            for run in &again {
                // Changed while it was looked at: another pass has the next word.
                self.give_back(&run.root, shift).await?;
            }
            if fresh.is_empty() {
                return Ok(());
            }
            self.batch(fresh, shift, &lanes, tally).await?;
            self.store.save_pass(tally.report()).await?;
            self.changed(Topic::Reconciler);
        }
        Ok(())
    }

    /// Asks about the runs of a batch, many at a time, then settles them: what is lost first comes first.
    async fn batch(&self, due: Vec<DueRun>, shift: &Shift, lanes: &Lanes, tally: &mut Tally) -> Result<()> {
        let together = usize::try_from(self.policy.reconcile.runs_at_once).unwrap_or(1).max(1);
        let asked = futures_util::stream::iter(due).map(|run| self.ask_about(run, lanes, shift));
        let mut asked: Vec<_> = asked.buffer_unordered(together).collect().await;
        asked.sort_by(|a, b| (a.urgent_at, &a.due.root).cmp(&(b.urgent_at, &b.due.root)));
        let mut settled =
            futures_util::stream::iter(asked).map(|run| self.settle_run(run, lanes, shift)).buffer_unordered(together);
        let mut concerned = Vec::new();
        while let Some(outcome) = settled.next().await {
            concerned.extend(outcome.concerned.clone());
            tally.add(outcome);
        }
        for root in concerned {
            if let Err(why) = self.examine_cases_of(&root).await {
                tally.problem(format!("the cases of {root} were not examined again: {why}"));
            }
        }
        Ok(())
    }

    /// How long after a pass its next one is expected.
    fn next_pass_after(&self, shift: &Shift) -> SignedDuration {
        shift.every.unwrap_or_else(|| SignedDuration::from_mins(self.policy.reconcile.cadence_minutes))
    }

    async fn give_back(&self, root: &RunId, shift: &Shift) -> Result<()> {
        let wait = SignedDuration::from_mins(self.policy.reconcile.retry_first_minutes);
        let at = self.now().saturating_add(wait).unwrap_or(jiff::Timestamp::MAX);
        Ok(self.store.end_look(root, &shift.worker, &NextLook::At { at }, self.now()).await?)
    }

    /// What an agent sees of a run that was settled follows at once.
    async fn examine_cases_of(&self, root: &RunId) -> Result<()> {
        let states = vec![CaseState::Open, CaseState::Waiting];
        let query =
            QueueQuery { states, search: root.0.clone(), limit: CASES_MAX, as_of: self.now(), ..QueueQuery::default() };
        for line in self.store.queue(&query).await?.lines {
            self.examine(&line.case_id).await?;
            self.changed(Topic::Case { case_id: line.case_id.0 });
        }
        Ok(())
    }
}
