//! Recovering one item: lease, fetch, verify, keep, note, deliver. The provider's file is fetched into
//! the vault under its hash before the record says anything; a crash in between leaves a lease
//! that runs out and a file that the next one finds, never a delivery without a file.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{ActionKey, AgentId, CaseId, OutputId, RunId};
use makegood_domain::plan::{Effect, Fetch, Place, Plan, Step};
use makegood_domain::ports::{Applied, Receipt};
use makegood_domain::scope::Scope;

use crate::bring::{Ended, Missed, Pulse, Wanted, late};
use crate::desk::Desk;
use crate::error::Result;
use crate::reconcile::lanes::Side;
use crate::transfers::Of;

/// Parts of one attempt, in the journal. A later attempt of the same step has the next three, and so has
/// a transfer that takes its lease again: it gives the lease back and takes it anew.
const LEASE: u32 = 0;
const DELIVER: u32 = 1;
const RELEASE: u32 = 2;
pub(crate) const PARTS: u32 = 3;
/// A lease is taken again when this part of it is left.
const LEFT_OF_LEASE: i32 = 4;

/// One item's file, from its provider to its place.
pub(crate) struct Saga<'a> {
    pub run_id: &'a RunId,
    pub item: u32,
    pub fetch: &'a Fetch,
    pub place: &'a Place,
    pub output_id: &'a OutputId,
    /// When it is given up. No lease of it is live after that.
    pub until: Timestamp,
    /// The agent's action that it is a step of, and its case.
    pub action: Option<(&'a ActionKey, &'a CaseId)>,
    /// Whose name is on the copy of ours.
    pub by: &'a AgentId,
    /// Whether its provider may be asked where our copy is lost.
    pub asks: bool,
}

impl Saga<'_> {
    /// As it is shown while it is under way.
    fn of(&self) -> Of {
        Of {
            run_id: self.run_id.clone(),
            item: self.item,
            provider_id: self.fetch.provider_id.clone(),
            action: self.action.map(|(key, case)| (key.clone(), case.clone())),
            bytes: self.fetch.bytes,
            captures: false,
        }
    }
}

/// A lease as its holder knows it.
struct Held {
    /// The part of the journal with which its attempt begins.
    part: u32,
    epoch: i64,
    taken: Timestamp,
    until: Timestamp,
}

impl Held {
    /// When it is to be taken again, so that nobody comes in between while bytes arrive.
    fn renew_at(&self, saga: &Saga<'_>) -> Timestamp {
        if self.until >= saga.until {
            return saga.until;
        }
        let left = self.until.duration_since(self.taken) / LEFT_OF_LEASE;
        self.until.saturating_sub(left).unwrap_or(self.taken)
    }
}

/// A lease that is taken again while the bytes of its file arrive.
struct Leased<'a> {
    desk: &'a Desk,
    journal: &'a dyn Journal,
    saga: &'a Saga<'a>,
    held: &'a mut Held,
}

#[async_trait]
impl Pulse for Leased<'_> {
    fn next(&self) -> Timestamp {
        self.held.renew_at(self.saga)
    }

    async fn beat(&mut self) -> Result<Option<Ended>> {
        Ok(match self.desk.renew(self.journal, self.saga, self.held).await? {
            Asked::Held(anew) => {
                *self.held = anew;
                None
            }
            Asked::Refused(why) => Some(Ended::Overtaken(why)),
        })
    }
}

/// What came of asking for a lease.
enum Asked {
    Held(Held),
    Refused(String),
}

/// Where the effects of a saga are written, each in one transaction with what it changes.
#[async_trait]
pub(crate) trait Journal: Sync {
    async fn write(&self, part: u32, effect: &Effect) -> Result<Applied>;
}

/// The journal of an agent's action.
struct OfAction<'a> {
    desk: &'a Desk,
    key: &'a ActionKey,
    number: u32,
}

#[async_trait]
impl Journal for OfAction<'_> {
    async fn write(&self, part: u32, effect: &Effect) -> Result<Applied> {
        Ok(self.desk.store.apply(self.key, self.number, part, effect, self.desk.now()).await?)
    }
}

/// How the recovery of an item ended.
pub(crate) enum Recovered {
    Delivered,
    Refused(String),
    /// Somebody at this desk ended it: nothing of the file is kept, and nobody holds the item.
    Cancelled(AgentId),
    Failed(Missed),
}

impl Desk {
    pub(crate) async fn recover_item(
        &self,
        key: &ActionKey,
        plan: &Plan,
        number: u32,
        scope: &Scope,
    ) -> Result<Recovered> {
        let step = usize::try_from(number).ok().and_then(|number| plan.steps.get(number));
        let Some(Step::RecoverItem { run_id, item, fetch, place, output_id }) = step else {
            return Ok(Recovered::Refused("this step recovers nothing".into()));
        };
        let until = self.now().saturating_add(self.policy.longest_transfer()).unwrap_or(Timestamp::MAX);
        let action = Some((key, &plan.case_id));
        let saga = Saga { run_id, item: *item, fetch, place, output_id, until, action, by: &self.agent.id, asks: true };
        let first = PARTS * self.attempts(key, number).await?;
        let _place = self.lanes.place(&fetch.provider_id, Side::Agents);
        let recovered = self.transfer(&OfAction { desk: self, key, number }, first, &saga, scope).await?;
        if let Recovered::Failed(Missed { gone: true, .. }) = recovered {
            self.note_gone(run_id, fetch).await?;
        }
        Ok(recovered)
    }

    /// The saga of one item: lease, fetch, verify, keep, deliver; the lease is given back where the
    /// file could not be had. `first` is the part of the lease in the journal.
    pub(crate) async fn transfer(
        &self,
        journal: &dyn Journal,
        first: u32,
        saga: &Saga<'_>,
        scope: &Scope,
    ) -> Result<Recovered> {
        if self.now() >= saga.until {
            return Ok(Recovered::Failed(late()));
        }
        let mut held = match self.lease(journal, first, saga).await? {
            Asked::Held(held) => held,
            Asked::Refused(why) => return Ok(Recovered::Refused(why)),
        };
        let (run_id, item) = (saga.run_id.clone(), saga.item);
        let fresh = self.take_over(saga).await?;
        let scope = fresh.as_ref().unwrap_or(scope);
        let watched = self.watch(saga.of());
        let wanted = Wanted { scope, fetch: saga.fetch, until: saga.until, by: saga.by, asks: saga.asks };
        let mut leased = Leased { desk: self, journal, saga, held: &mut held };
        let file = match self.in_vault(&wanted, &mut leased, &watched).await? {
            Ok(file) => file,
            Err(Ended::Overtaken(why)) => return Ok(Recovered::Refused(why)),
            Err(Ended::Cancelled(by)) => {
                self.release(journal, &held, saga, &format!("cancelled by {by}")).await?;
                return Ok(Recovered::Cancelled(by));
            }
            Err(Ended::Missed(missed)) => {
                self.release(journal, &held, saga, &missed.why).await?;
                return Ok(Recovered::Failed(missed));
            }
        };
        watched.recording();
        let (output_id, place) = (saga.output_id.clone(), saga.place.clone());
        let deliver = Effect::Deliver { run_id, item, epoch: held.epoch, output_id, file, place };
        Ok(match journal.write(held.part + DELIVER, &deliver).await? {
            Applied::Done(_) => Recovered::Delivered,
            Applied::Refused(why) => Recovered::Refused(why),
        })
    }

    /// Where this program is saving the same file without delivering it, the saga goes on with what is
    /// here of it, and reads the record again: it may be saved by then.
    async fn take_over(&self, saga: &Saga<'_>) -> Result<Option<Scope>> {
        if !self.end_captures(saga.run_id, saga.item).await {
            return Ok(None);
        }
        let fresh = self.store.scope_of_run(saga.run_id, self.now()).await?;
        Ok(fresh.filter(|fresh| fresh.runs.iter().any(|dossier| dossier.run.id == *saga.run_id)))
    }

    /// A lease that ends with the saga at the latest: whoever dies keeps nobody off for longer.
    async fn lease(&self, journal: &dyn Journal, part: u32, saga: &Saga<'_>) -> Result<Asked> {
        let taken = self.now();
        let left = saga.until.duration_since(taken).max(SignedDuration::from_secs(1));
        let lease_seconds = self.policy.item_lease().min(left).as_secs();
        let lease = Effect::LeaseItem { run_id: saga.run_id.clone(), item: saga.item, lease_seconds };
        Ok(match journal.write(part + LEASE, &lease).await? {
            Applied::Done(done) => match done.receipt {
                Receipt::Leased { epoch, until } => Asked::Held(Held { part, epoch, taken, until }),
                other => Asked::Refused(format!("the lease was answered with {other:?}")),
            },
            Applied::Refused(why) => Asked::Refused(why),
        })
    }

    /// Whether the lease was this one's to give back: else nothing is held.
    async fn release(&self, journal: &dyn Journal, held: &Held, saga: &Saga<'_>, why: &str) -> Result<Applied> {
        let (run_id, item, epoch) = (saga.run_id.clone(), saga.item, held.epoch);
        let release = Effect::ReleaseItem { run_id, item, epoch, why: why.to_owned() };
        journal.write(held.part + RELEASE, &release).await
    }

    /// Gives the lease back and takes it anew: whoever else was waiting for it may be first.
    async fn renew(&self, journal: &dyn Journal, saga: &Saga<'_>, held: &Held) -> Result<Asked> {
        if let Applied::Refused(why) = self.release(journal, held, saga, "bytes still arrive").await? {
            return Ok(Asked::Refused(why));
        }
        self.lease(journal, held.part + PARTS, saga).await
    }

    /// How often this step was tried and given up, by its releases in the journal.
    async fn attempts(&self, key: &ActionKey, number: u32) -> Result<u32> {
        let record = self.store.action(key).await?;
        let receipts = record.map(|record| record.receipts).unwrap_or_default();
        let given_up =
            |row: &&makegood_domain::ports::StepReceipt| row.step == number && matches!(row.receipt, Receipt::Released);
        Ok(u32::try_from(receipts.iter().filter(given_up).count()).unwrap_or(u32::MAX / PARTS))
    }
}
