//! One run: decide, do, read again, until there is nothing to do now. The record is read anew before
//! each decision, so that what was done is believed only when the record shows it.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{ActionKey, AgentId, ProviderId};
use makegood_domain::money::Credits;
use makegood_domain::plan::Effect;
use makegood_domain::ports::{Applied, NextLook, Receipt};
use makegood_domain::reconcile::{Decision, Question, Settlement, Transfer, Tried, decide, leave_unheard, unsaved};
use makegood_domain::scope::Scope;

use super::look::{Came, Hand, Look, Pass, Wish};
use crate::bring::{Missed, copy_of};
use crate::capture::Saved;
use crate::desk::Desk;
use crate::error::Result;
use crate::recover::{Journal, PARTS, Recovered, Saga};

/// Decisions about one run in one look: an incident, the files, the credits of those that failed, and
/// the end. More would mean that the record does not show what it confirmed.
const ROUNDS_MAX: u32 = 6;

/// Whose name is on what a reconciler saves, where the record does not know its login.
const RECONCILER: &str = "reconciler";

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
    pub concerned: bool,
    pub problems: Vec<String>,
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
    /// Decides and does, until there is nothing to do now.
    pub(super) async fn rounds<'p>(
        &self,
        look: &mut Look<'p>,
        pass: &'p Pass<'p>,
        hand: &mut Hand<'p>,
    ) -> Result<Came> {
        let root = look.due.root.clone();
        for _ in 0..ROUNDS_MAX {
            let now = self.now();
            let Some(mut scope) = self.store.scope_of_run(&root, now).await? else {
                return Ok(Came::Next(NextLook::Done));
            };
            self.note_mute_providers(&mut scope);
            leave_unheard(&mut scope, &look.unheard);
            let unsaid = self.look_in_transit(&mut scope, &root).await;
            if now < look.settle_at {
                // Who pays now might pay for what is about to be here.
                let unsaid = unsaid.brought.into_iter().chain(unsaid.unread);
                look.tried.extend(unsaid.map(|item| (item, Tried::Refused)));
            }
            let (tries, every) = (look.due.tries, pass.every);
            let question = Question { scope: &scope, root: &root, tries, tried: &look.tried, every };
            let decision = decide(&question, &self.policy, now);
            (look.urgent_at, look.settle_at) = (decision.urgent_at, decision.settle_at);
            for detection in &decision.detections {
                look.outcome.detected += u64::from(self.store.detect(detection).await?);
            }
            look.outcome.unknown = decision.unknown;
            if !decision.acts() {
                if let Some(came) = self.save_the_rest(&scope, look, pass, hand).await? {
                    return Ok(came);
                }
                self.store.close_detections(&root, &decision.detections, now).await?;
                return Ok(Came::Next(decision.next));
            }
            if decision.transfers.is_empty() {
                // Others may have the provider: this run needs only the record now.
                look.places.clear();
            }
            look.outcome.concerned = true;
            self.open_incident(&decision, look).await?;
            for transfer in &decision.transfers {
                if copy_of(&scope, &transfer.fetch).is_some() && !look.unkept.contains(&transfer.item) {
                    // What is ours needs no place with its provider.
                    self.bring(transfer, &scope, look, hand, false).await?;
                    continue;
                }
                match self.wish(look, pass, &transfer.fetch.provider_id) {
                    Wish::Granted => self.bring(transfer, &scope, look, hand, true).await?,
                    Wish::Without => {
                        look.tried.insert(transfer.item, Tried::Failed { gone: false });
                    }
                    Wish::Wait if pass.is_over(now) => return Ok(Came::Next(self.in_a_while())),
                    Wish::Wait => return Ok(Came::Waits(transfer.fetch.provider_id.clone())),
                }
            }
            self.pay(&decision, &scope, look).await?;
        }
        look.outcome.problems.push(format!("{root} is not settled by what the record confirmed: somebody must look"));
        Ok(Came::Next(self.in_a_while()))
    }

    /// Saves what is finished and is not delivered now: because people must look, because it was refunded,
    /// or because somebody else has the item. `None` where the look goes on as decided.
    async fn save_the_rest<'p>(
        &self,
        scope: &Scope,
        look: &mut Look<'p>,
        pass: &'p Pass<'p>,
        hand: &mut Hand<'p>,
    ) -> Result<Option<Came>> {
        let (root, now) = (look.due.root.clone(), self.now());
        for file in unsaved(scope, &root, &self.policy, now) {
            // What this look could not bring it can't save either.
            if look.tried.contains_key(&file.item) || !look.saving.insert(file.item) {
                continue;
            }
            match self.wish(look, pass, &file.fetch.provider_id) {
                Wish::Granted => {}
                Wish::Without => continue,
                Wish::Wait if pass.is_over(now) => return Ok(Some(Came::Next(self.in_a_while()))),
                Wish::Wait => {
                    look.saving.remove(&file.item);
                    return Ok(Some(Came::Waits(file.fetch.provider_id)));
                }
            }
            let by = AgentId::new(RECONCILER);
            match hand.without(self.capture(scope, &root, &file, &by)).await? {
                Saved::Here => look.outcome.concerned = true,
                Saved::Missed(missed) => {
                    let why = missed.why;
                    look.outcome.problems.push(format!("item {} of {root} was not saved: {why}", file.item));
                    if !missed.gone && file.deadline.is_none_or(|deadline| self.now() < deadline) {
                        return Ok(Some(Came::Next(self.in_a_while())));
                    }
                }
            }
        }
        Ok(None)
    }

    async fn open_incident(&self, decision: &Decision, look: &mut Look<'_>) -> Result<()> {
        for step in &decision.incident {
            match self.settle_one(step).await? {
                Applied::Done(done) => {
                    look.outcome.incidents += u64::from(matches!(done.receipt, Receipt::Incident { .. }));
                }
                Applied::Refused(why) => look.outcome.problems.push(format!("{}: {why}", step.key)),
            }
        }
        Ok(())
    }

    /// Returns credits; an upstream job is cancelled when something was paid.
    async fn pay(&self, decision: &Decision, scope: &Scope, look: &mut Look<'_>) -> Result<()> {
        let mut paid = false;
        for step in &decision.restorations {
            match self.settle_one(step).await? {
                Applied::Done(done) => {
                    paid = true;
                    if let Receipt::Restored { total, .. } = done.receipt {
                        look.outcome.restored.push((provider_of(scope), total));
                    }
                }
                Applied::Refused(why) => {
                    look.tried.insert(step.item, Tried::Refused);
                    look.outcome.problems.push(format!("{}: {why}", step.key));
                }
            }
        }
        for step in decision.cancels.iter().filter(|_| paid) {
            if let Applied::Refused(why) = self.settle_one(step).await? {
                look.outcome.problems.push(format!("{}: {why}", step.key));
            }
        }
        Ok(())
    }

    async fn settle_one(&self, step: &Settlement) -> Result<Applied> {
        Ok(self.store.settle(&step.key, 0, &step.effect, self.now()).await?)
    }

    /// The saga of one file, as an agent's recovery does it. A refusal is somebody else's work: the
    /// item is left alone. `asks`: there is a place with its provider, should our copy be lost.
    async fn bring(
        &self,
        transfer: &Transfer,
        scope: &Scope,
        look: &mut Look<'_>,
        hand: &mut Hand<'_>,
        asks: bool,
    ) -> Result<()> {
        let by = AgentId::new(RECONCILER);
        let saga = Saga {
            run_id: &look.due.root,
            item: transfer.item,
            fetch: &transfer.fetch,
            place: &transfer.place,
            output_id: &transfer.output_id,
            until: transfer.until,
            action: None,
            by: &by,
            asks,
        };
        // Looking for our copy was an attempt of its own, which took no lease a second time.
        let first = if look.unkept.contains(&transfer.item) { PARTS } else { 0 };
        let journal = OfSweep { desk: self, key: &transfer.key };
        let recovered = hand.without(self.transfer(&journal, first, &saga, scope)).await?;
        let (tried, outcome) = (&mut look.tried, &mut look.outcome);
        match recovered {
            Recovered::Delivered => outcome.transferred.push(transfer.fetch.provider_id.clone()),
            Recovered::Refused(why) => {
                tracing::info!(key = %transfer.key, why, "left to somebody else");
                tried.insert(transfer.item, Tried::Refused);
            }
            // Whoever ended it at this desk has given nothing up: the next look brings it again.
            Recovered::Cancelled(by) => {
                tracing::info!(key = %transfer.key, %by, "cancelled at the desk");
                tried.insert(transfer.item, Tried::Refused);
            }
            Recovered::Failed(missed) if missed.copy_lost && !asks => {
                look.unkept.insert(transfer.item);
            }
            Recovered::Failed(missed) => {
                outcome.problems.push(format!("{}: {}", transfer.key, missed.why));
                let became = match missed {
                    Missed { gone: true, copy_lost: true, .. } => Tried::Lost,
                    Missed { has_arrived: true, .. } => Tried::Arrived,
                    Missed { gone, .. } => Tried::Failed { gone },
                };
                tried.insert(transfer.item, became);
            }
        }
        Ok(())
    }

    /// Where nothing says when else.
    pub(super) fn in_a_while(&self) -> NextLook {
        let wait = SignedDuration::from_mins(self.policy.reconcile.retry_first_minutes);
        NextLook::At { at: self.now().saturating_add(wait).unwrap_or(Timestamp::MAX) }
    }
}

/// The provider of a run, for the report: of its newest job, else none.
fn provider_of(scope: &Scope) -> ProviderId {
    let jobs = scope.runs.iter().flat_map(|dossier| &dossier.jobs);
    jobs.max_by_key(|job| job.submitted_at).map_or_else(|| ProviderId::new(""), |job| job.provider_id.clone())
}
