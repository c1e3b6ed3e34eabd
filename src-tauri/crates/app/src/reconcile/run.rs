//! One run: decide, do, read again, until there is nothing to do now. The record is read anew before
//! each decision, so that what was done is believed only when the record shows it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{ActionKey, ProviderId, RunId};
use makegood_domain::money::Credits;
use makegood_domain::plan::Effect;
use makegood_domain::ports::{Applied, NextLook, Receipt};
use makegood_domain::reconcile::{Decision, Question, Settlement, Transfer, Tried, decide, leave_unheard};
use makegood_domain::scope::Scope;

use super::Shift;
use super::ask::{Asked, Lanes};
use crate::desk::Desk;
use crate::error::Result;
use crate::recover::{Journal, Recovered, Saga};

/// Decisions about one run in one look: an incident, the files, the credits of those that failed, and
/// the end. More would mean that the record does not show what it confirmed.
const ROUNDS_MAX: u32 = 6;

/// What became of one run.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub looked_at: bool,
    pub answers: Vec<(ProviderId, bool)>,
    /// Provider of each file that was brought, and of each item that was restored.
    pub transferred: Vec<ProviderId>,
    pub restored: Vec<(ProviderId, Credits)>,
    pub detected: u64,
    pub incidents: u64,
    pub waits: bool,
    pub unknown: bool,
    pub parked: bool,
    /// Set where something was done: its cases are to be examined again.
    pub concerned: Option<RunId>,
    pub problems: Vec<String>,
}

/// A decision, and what it rests on.
struct Round<'a> {
    root: &'a RunId,
    scope: &'a Scope,
    lanes: &'a Lanes,
    decision: &'a Decision,
}

/// The journal of the reconciler: one key a saga.
struct OfSweep<'a> {
    desk: &'a Desk,
    key: &'a ActionKey,
}

#[async_trait]
impl Journal for OfSweep<'_> {
    async fn write(&self, part: u32, effect: &Effect) -> Result<Applied> {
        Ok(self.desk.store.settle(self.key, part, effect, self.desk.now()).await?)
    }
}

impl Desk {
    /// Settles a run as far as the rules say now, and says when it is looked at again. Never fails.
    pub(super) async fn settle_run(&self, run: Asked, lanes: &Lanes, shift: &Shift) -> Outcome {
        let mut outcome = Outcome { answers: run.answers.clone(), ..Outcome::default() };
        outcome.problems.extend(run.problem.clone());
        let root = &run.due.root;
        if shift.is_over() {
            // Not looked at: whoever comes next has it at once.
            let next = NextLook::At { at: self.now() };
            if let Err(why) = self.store.end_look(root, &shift.worker, &next, self.now()).await {
                outcome.problems.push(format!("{root} was not given back: {why}"));
            }
            return outcome;
        }
        outcome.looked_at = true;
        let next = match self.rounds(&run, lanes, self.next_pass_after(shift), &mut outcome).await {
            Ok(next) => next,
            Err(why) => {
                outcome.problems.push(format!("{root} could not be settled: {why}"));
                self.in_a_while()
            }
        };
        match &next {
            NextLook::At { .. } => outcome.waits = true,
            NextLook::Parked { .. } => outcome.parked = true,
            NextLook::Done => {}
        }
        if let Err(why) = self.store.end_look(root, &shift.worker, &next, self.now()).await {
            outcome.problems.push(format!("the next look at {root} was not noted: {why}"));
        }
        outcome
    }

    async fn rounds(
        &self,
        run: &Asked,
        lanes: &Lanes,
        every: SignedDuration,
        outcome: &mut Outcome,
    ) -> Result<NextLook> {
        let root = &run.due.root;
        let mut tried = BTreeMap::new();
        for _ in 0..ROUNDS_MAX {
            let now = self.now();
            let Some(mut scope) = self.store.scope_of_run(root, now).await? else { return Ok(NextLook::Done) };
            leave_unheard(&mut scope, &run.unheard);
            let question = Question { scope: &scope, root, tries: run.due.tries, tried: &tried, every };
            let decision = decide(&question, &self.policy, now);
            for detection in &decision.detections {
                outcome.detected += u64::from(self.store.detect(detection).await?);
            }
            outcome.unknown = decision.unknown;
            if !decision.acts() {
                self.store.close_detections(root, &decision.detections, now).await?;
                return Ok(decision.next);
            }
            let step = Round { root, scope: &scope, lanes, decision: &decision };
            self.carry_out_decision(&step, &mut tried, outcome).await?;
            outcome.concerned = Some(root.clone());
        }
        outcome.problems.push(format!("{root} is not settled by what the record confirmed: somebody must look"));
        Ok(self.in_a_while())
    }

    /// Incident first, then files, then credits; an upstream job is cancelled when something was paid.
    async fn carry_out_decision(
        &self,
        round: &Round<'_>,
        tried: &mut BTreeMap<u32, Tried>,
        outcome: &mut Outcome,
    ) -> Result<()> {
        for step in &round.decision.incident {
            match self.settle_one(step).await? {
                Applied::Done(done) => {
                    outcome.incidents += u64::from(matches!(done.receipt, Receipt::Incident { .. }));
                }
                Applied::Refused(why) => outcome.problems.push(format!("{}: {why}", step.key)),
            }
        }
        for transfer in &round.decision.transfers {
            self.bring(transfer, round, tried, outcome).await?;
        }
        let mut paid = false;
        for step in &round.decision.restorations {
            match self.settle_one(step).await? {
                Applied::Done(done) => {
                    paid = true;
                    if let Receipt::Restored { total, .. } = done.receipt {
                        outcome.restored.push((provider_of(round.scope), total));
                    }
                }
                Applied::Refused(why) => {
                    tried.insert(step.item, Tried::Refused);
                    outcome.problems.push(format!("{}: {why}", step.key));
                }
            }
        }
        for step in round.decision.cancels.iter().filter(|_| paid) {
            if let Applied::Refused(why) = self.settle_one(step).await? {
                outcome.problems.push(format!("{}: {why}", step.key));
            }
        }
        Ok(())
    }

    async fn settle_one(&self, step: &Settlement) -> Result<Applied> {
        Ok(self.store.settle(&step.key, 0, &step.effect, self.now()).await?)
    }

    /// The saga of one file, as an agent's recovery does it. A refusal is somebody else's work: the
    /// item is left alone.
    async fn bring(
        &self,
        transfer: &Transfer,
        round: &Round<'_>,
        tried: &mut BTreeMap<u32, Tried>,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let saga = Saga {
            run_id: round.root,
            item: transfer.item,
            fetch: &transfer.fetch,
            place: &transfer.place,
            output_id: &transfer.output_id,
            until: transfer.until,
        };
        let journal = OfSweep { desk: self, key: &transfer.key };
        let recovered = {
            let _place = round.lanes.place(&transfer.fetch.provider_id).await;
            self.transfer(&journal, 0, &saga, round.scope).await?
        };
        match recovered {
            Recovered::Delivered => outcome.transferred.push(transfer.fetch.provider_id.clone()),
            Recovered::Refused(why) => {
                tracing::info!(key = %transfer.key, why, "left to somebody else");
                tried.insert(transfer.item, Tried::Refused);
            }
            Recovered::Failed(missed) => {
                outcome.problems.push(format!("{}: {}", transfer.key, missed.why));
                tried.insert(transfer.item, Tried::Failed { gone: missed.gone });
            }
        }
        Ok(())
    }

    fn in_a_while(&self) -> NextLook {
        let wait = SignedDuration::from_mins(self.policy.reconcile.retry_first_minutes);
        NextLook::At { at: self.now().saturating_add(wait).unwrap_or(Timestamp::MAX) }
    }
}

/// The provider of a run, for the report: of its newest job, else none.
fn provider_of(scope: &Scope) -> ProviderId {
    let jobs = scope.runs.iter().flat_map(|dossier| &dossier.jobs);
    jobs.max_by_key(|job| job.submitted_at).map_or_else(|| ProviderId::new(""), |job| job.provider_id.clone())
}
