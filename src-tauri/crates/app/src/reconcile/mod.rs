//! The reconciler: one function behind the window's timer, its button and `makegoodctl reconcile`.
//!
//! It is run again and again and on a signal, takes no input, and is idempotent: what to do follows
//! from the record each time, every effect has a key that follows from the facts, and the next pass is
//! the retry. Nothing is repeated inside a pass. Several at once share the list of due runs by claims;
//! what a crashed one held is continued when its claim is over.

pub(crate) mod ask;
pub(crate) mod lanes;
mod look;
mod queue;
mod run;
mod sweep;
mod tally;
mod view;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::RunId;
use makegood_domain::plan::CaseState;
use makegood_domain::policy::After;
use makegood_domain::ports::{PassReport, QueueQuery};

use crate::contract::{PassView, ReconcileRequest, Topic};
use crate::desk::Desk;
use crate::error::{Error, Result};
use tally::Tally;

pub use view::pass_view;

/// How often the list is asked between two passes when its next run is due.
const ASKED_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// Passes among which one that was asked for before is looked for.
const PASSES_KNOWN: u64 = 50;
/// Rows that are let go of in one unit of work, which others wait for, and how often in a pass.
const PRUNED_AT_ONCE: u32 = 500;
const PRUNES_MAX: u32 = 40;
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

    /// Until the next pass is to begin, after one that began at `begun`: after `pause` from now at the latest, and
    /// before that as soon as a run is due, so that what a provider keeps for minutes is not looked at in an hour.
    /// Two passes begin at least as far apart as two looks at one run. The list is asked now and then meanwhile,
    /// because others put runs on it too; while it can't be asked, the pause stands.
    pub async fn until_due(&self, begun: Timestamp, pause: SignedDuration) {
        let after = |from: Timestamp, by: SignedDuration| from.saturating_add(by).unwrap_or(Timestamp::MAX);
        let until = after(self.now(), pause);
        let earliest = after(begun, SignedDuration::from_mins(self.policy.reconcile.retry_first_minutes)).min(until);
        loop {
            let now = self.now();
            let due = match self.store.next_due(now).await {
                Ok(due) => due.unwrap_or(until),
                Err(why) => {
                    tracing::warn!(%why, "when the next look is due was not found out");
                    until
                }
            };
            let wake = due.clamp(earliest, until);
            if now >= wake {
                return;
            }
            self.sleep_until(wake.min(after(now, ASKED_EVERY))).await;
        }
    }

    /// One pass of the reconciler: looks at every due run, some at a time, until none is due, and does
    /// for each what the rules say now. A run that cannot be looked at is a line in the report and a
    /// later try, and stops nothing. Its report is kept at the start, whenever runs are taken from the
    /// list, and at the end.
    ///
    /// While a provider is slow the pass goes on with what others have, and with what becomes due. After
    /// the time in which the next pass would come by, nobody is asked any more, and it ends with what is
    /// at hand.
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
        if let Err(why) = self.let_go().await {
            tally.problem(format!("what is old was not let go of: {why}"));
        }
        tally.report_mut().oldest_open = self.store.promise(self.now()).await?.oldest_open;
        tally.finish(self.now());
        self.store.save_pass(tally.report()).await?;
        for topic in [Topic::Reconciler, Topic::Queue, Topic::Outbox, Topic::Audit] {
            self.changed(topic);
        }
        swept.map(|()| tally.into_report())
    }

    /// Lets go of deliveries and names of events that are older than they are kept, some at a time: what is left
    /// after a few calls is for the next pass.
    async fn let_go(&self) -> Result<()> {
        for _ in 0..PRUNES_MAX {
            if !self.store.prune(PRUNED_AT_ONCE, self.now()).await?.more {
                break;
            }
        }
        Ok(())
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

    /// How long after a pass its next one is expected.
    fn next_pass_after(&self, shift: &Shift) -> SignedDuration {
        shift.every.unwrap_or_else(|| SignedDuration::from_mins(self.policy.reconcile.cadence_minutes))
    }

    /// Gives a run back that was not looked at.
    async fn give_back(&self, root: &RunId, shift: &Shift) -> Result<()> {
        Ok(self.store.end_look(root, &shift.worker, &self.in_a_while(), self.now()).await?)
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
