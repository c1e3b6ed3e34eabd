//! Recovering one item: lease, fetch, verify, keep, deliver. The provider's file is fetched into
//! the vault under its hash before the record says anything; a crash in between leaves a lease
//! that runs out and a file that nobody refers to, never a delivery without a file.

use std::future::Future;
use std::pin::pin;

use async_trait::async_trait;
use futures_util::future::{Either, select};
use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{ActionKey, AgentId, CaseId, OutputId, RunId};
use makegood_domain::plan::{Effect, Fetch, Place, Plan, Step, StoredFile};
use makegood_domain::ports::{Applied, FileSink, Incoming, JobRef, Receipt, Start, TransitKey, VaultError};
use makegood_domain::scope::Scope;

use crate::desk::Desk;
use crate::error::Result;
use crate::look_up::job_ref;
use crate::transfers::{Of, Watched};

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

/// What came of asking for a lease.
enum Asked {
    Held(Held),
    Refused(String),
}

/// Takes a file until an instant, and counts its bytes.
struct InTime<'a> {
    desk: &'a Desk,
    until: Timestamp,
    incoming: &'a mut dyn FileSink,
    watched: &'a Watched<'a>,
}

#[async_trait]
impl FileSink for InTime<'_> {
    fn held(&self) -> Option<makegood_domain::ports::Held> {
        self.incoming.held()
    }

    async fn starts(&mut self, start: &Start) -> std::result::Result<(), VaultError> {
        self.incoming.starts(start).await
    }

    async fn write(&mut self, chunk: &[u8]) -> std::result::Result<(), VaultError> {
        let now = self.desk.now();
        if now >= self.until {
            return Err(VaultError::Late);
        }
        self.watched.arrived(chunk.len(), now);
        self.incoming.write(chunk).await
    }
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

/// Why a file could not be brought.
pub(crate) struct Missed {
    pub why: String,
    /// Trying again can help.
    pub retry: bool,
    /// Its provider says for sure that it no longer has it.
    pub gone: bool,
}

/// Why a transfer ended without its file.
enum Ended {
    Missed(Missed),
    /// Somebody else has the item.
    Overtaken(String),
    Cancelled(AgentId),
}

impl From<Missed> for Ended {
    fn from(missed: Missed) -> Self {
        Self::Missed(missed)
    }
}

fn late() -> Missed {
    Missed::new(VaultError::Late.to_string(), true)
}

impl Missed {
    fn new(why: String, retry: bool) -> Self {
        Self { why, retry, gone: false }
    }
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
        let saga = Saga { run_id, item: *item, fetch, place, output_id, until, action };
        let first = PARTS * self.attempts(key, number).await?;
        self.transfer(&OfAction { desk: self, key, number }, first, &saga, scope).await
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
        let watched = self.watch(saga.of());
        let file = match self.file(journal, saga, scope, &mut held, &watched).await? {
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

    /// The file in the vault. While its bytes arrive its lease is taken again; the record is written while
    /// the transfer stands still, so that giving the transfer up cancels nothing of the record's.
    async fn file(
        &self,
        journal: &dyn Journal,
        saga: &Saga<'_>,
        scope: &Scope,
        held: &mut Held,
        watched: &Watched<'_>,
    ) -> Result<std::result::Result<StoredFile, Ended>> {
        let Fetch { provider_id, job_id, item, .. } = saga.fetch.clone();
        let mut incoming = match self.vault.begin(&TransitKey { provider_id, job_id, item }).await {
            Ok(incoming) => incoming,
            Err(why) => return Ok(Err(Missed::new(why.to_string(), true).into())),
        };
        if incoming.held().is_some_and(|held| held.is_whole()) {
            // An earlier attempt brought all of it: whether its provider still has it no longer matters.
            return self.end(watched, incoming, saga).await;
        }
        let got = {
            let sink = InTime { desk: self, until: saga.until, incoming: &mut *incoming, watched };
            let mut fetching = pin!(self.fetch(scope, saga.fetch, sink));
            let mut cancelled = pin!(watched.cancelled());
            // What a resumed saga holds may be nearly over: only from then on bytes must have arrived.
            let mut known = None;
            loop {
                let bytes = select(cancelled.as_mut(), fetching.as_mut());
                match self.by(held.renew_at(saga), bytes).await {
                    Some(Either::Left((by, _))) => break Err(Ended::Cancelled(by)),
                    Some(Either::Right((got, _))) => break got.map_err(Ended::from),
                    None if self.now() >= saga.until => break Err(late().into()),
                    None => {}
                }
                let seen = Some(watched.received());
                if std::mem::replace(&mut known, seen) == seen {
                    break Err(Missed::new("nothing more of the file arrives".to_owned(), true).into());
                }
                match self.renew(journal, saga, held).await? {
                    Asked::Held(anew) => *held = anew,
                    Asked::Refused(why) => break Err(Ended::Overtaken(why)),
                }
            }
        };
        match got {
            Ok(()) if self.now() >= saga.until => Ok(Err(late().into())),
            Ok(()) => self.end(watched, incoming, saga).await,
            Err(ended) => {
                if let Ended::Cancelled(_) = &ended {
                    discard(incoming).await;
                }
                Ok(Err(ended))
            }
        }
    }

    /// Keeps what is here whole, unless somebody has ended it at the last moment.
    async fn end(
        &self,
        watched: &Watched<'_>,
        incoming: Box<dyn Incoming>,
        saga: &Saga<'_>,
    ) -> Result<std::result::Result<StoredFile, Ended>> {
        Ok(match watched.all_here() {
            Ok(()) => self.keep(incoming, saga.fetch).await.map_err(Ended::from),
            Err(by) => {
                discard(incoming).await;
                Err(Ended::Cancelled(by))
            }
        })
    }

    /// Gives the lease back and takes it anew: whoever else was waiting for it may be first.
    async fn renew(&self, journal: &dyn Journal, saga: &Saga<'_>, held: &Held) -> Result<Asked> {
        if let Applied::Refused(why) = self.release(journal, held, saga, "bytes still arrive").await? {
            return Ok(Asked::Refused(why));
        }
        self.lease(journal, held.part + PARTS, saga).await
    }

    /// What it comes to, or `None` where that takes longer than until `instant`.
    pub(crate) async fn by<F: Future>(&self, instant: Timestamp, work: F) -> Option<F::Output> {
        match select(pin!(work), self.sleep_until(instant)).await {
            Either::Left((output, _)) => Some(output),
            Either::Right(_) => None,
        }
    }

    /// How often this step was tried and given up, by its releases in the journal.
    async fn attempts(&self, key: &ActionKey, number: u32) -> Result<u32> {
        let record = self.store.action(key).await?;
        let receipts = record.map(|record| record.receipts).unwrap_or_default();
        let given_up =
            |row: &&makegood_domain::ports::StepReceipt| row.step == number && matches!(row.receipt, Receipt::Released);
        Ok(u32::try_from(receipts.iter().filter(given_up).count()).unwrap_or(u32::MAX / PARTS))
    }

    /// Brings the bytes from the provider, or says why not and whether trying again can help.
    async fn fetch(&self, scope: &Scope, fetch: &Fetch, mut sink: InTime<'_>) -> std::result::Result<(), Missed> {
        let provider = self.providers.get(&fetch.provider_id);
        let provider = provider.ok_or_else(|| Missed::new(format!("{} is not connected", fetch.provider_id), true))?;
        let job = known_job(scope, fetch)
            .ok_or_else(|| Missed::new(format!("the record no longer has job {}", fetch.job_id), false))?;
        provider.fetch(&job, fetch.item, &mut sink).await.map(|_| ()).map_err(|why| Missed {
            why: why.to_string(),
            retry: !why.gone,
            gone: why.gone,
        })
    }

    async fn keep(&self, incoming: Box<dyn Incoming>, fetch: &Fetch) -> std::result::Result<StoredFile, Missed> {
        incoming.commit(fetch.bytes, &fetch.sha256_prefix).await.map_err(|why| {
            let retry = !matches!(why, VaultError::TooLong { .. });
            Missed::new(why.to_string(), retry)
        })
    }
}

/// Leaves nothing of a cancelled transfer. What can't be deleted now is swept later: that is no reason to say
/// that it goes on.
async fn discard(incoming: Box<dyn Incoming>) {
    if let Err(error) = incoming.discard().await {
        tracing::warn!(%error, "a cancelled transfer could not be cleared away");
    }
}

/// The job of a file, whichever run of the logical run submitted it.
fn known_job(scope: &Scope, fetch: &Fetch) -> Option<JobRef> {
    let dossiers = scope.runs.iter().chain(&scope.foreign_runs);
    dossiers
        .flat_map(|dossier| dossier.jobs.iter().map(move |job| (dossier, job)))
        .find(|(_, job)| job.id == fetch.job_id && job.provider_id == fetch.provider_id)
        .map(|(dossier, job)| job_ref(dossier, job))
}
