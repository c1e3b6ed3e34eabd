//! One file, from its provider into the vault: from our own copy where there is one, else fetched, looked
//! into, kept under its hash, and noted in the record as ours. Whoever comes back after a crash finds in the
//! record what is here, and fetches nothing twice.

use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::future::{Either, select};
use jiff::Timestamp;
use makegood_domain::capture::Capture;
use makegood_domain::ids::{AgentId, RunId};
use makegood_domain::plan::{Fetch, StoredFile};
use makegood_domain::ports::{FileSink, Held, Incoming, JobRef, Kept, Start, TransitKey, VaultError};
use makegood_domain::scope::{Dossier, Scope};

use crate::desk::Desk;
use crate::error::Result;
use crate::look_up::job_ref;
use crate::refusals::Version;
use crate::transfers::{Stop, Watched};

/// What is to be in the vault.
pub(crate) struct Wanted<'a> {
    pub scope: &'a Scope,
    pub fetch: &'a Fetch,
    /// When it is given up.
    pub until: Timestamp,
    /// Whose name is on it.
    pub by: &'a AgentId,
    /// Whether its provider may be asked for it where our copy is lost: who has no place there may not.
    pub asks: bool,
}

/// What must be done now and then while bytes arrive, and ends the transfer where it can't be.
#[async_trait]
pub(crate) trait Pulse: Send {
    /// When it is to be done next.
    fn next(&self) -> Timestamp;
    /// Does it; why the transfer is over, if it is.
    async fn beat(&mut self) -> Result<Option<Ended>>;
}

/// Why a file could not be brought.
pub(crate) struct Missed {
    pub why: String,
    /// Trying again can help.
    pub retry: bool,
    /// Its provider says for sure that it no longer has it.
    pub gone: bool,
    /// Our own copy was looked for, and is missing or damaged.
    pub copy_lost: bool,
    /// All of it is here, and only the vault does not take it now: its provider's deadline is none of it.
    pub has_arrived: bool,
    /// It came, and it is not what is taken: what was promised of it may be out of date.
    pub is_refused: bool,
}

/// A file that was saved, as it is in the vault now.
enum Copy {
    Whole(StoredFile),
    /// It is missing or damaged.
    Lost,
    /// Nobody could say.
    Unread(VaultError),
}

/// Why a transfer ended without its file.
pub(crate) enum Ended {
    Missed(Missed),
    /// Somebody else has the item.
    Overtaken(String),
    Cancelled(AgentId),
}

impl From<Stop> for Ended {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::By(by) => Self::Cancelled(by),
            Stop::TakenOver => Self::Overtaken("it is being delivered".to_owned()),
        }
    }
}

impl From<Missed> for Ended {
    fn from(missed: Missed) -> Self {
        Self::Missed(missed)
    }
}

pub(crate) fn late() -> Missed {
    Missed::new(VaultError::Late.to_string(), true)
}

impl Missed {
    pub(crate) fn new(why: String, retry: bool) -> Self {
        Self { why, retry, gone: false, copy_lost: false, has_arrived: false, is_refused: false }
    }
}

/// What comes, and why it was not taken to its end.
struct Coming {
    version: Version,
    /// It was refused often enough before, in words.
    unusable: Option<String>,
    too_long: Option<String>,
}

/// Takes a file until an instant, and counts its bytes.
struct InTime<'a> {
    desk: &'a Desk,
    until: Timestamp,
    fetch: &'a Fetch,
    incoming: &'a mut dyn FileSink,
    watched: &'a Watched<'a>,
    coming: &'a Mutex<Coming>,
}

impl InTime<'_> {
    fn taken<T>(&self, taken: std::result::Result<T, VaultError>) -> std::result::Result<T, VaultError> {
        if let Err(why @ VaultError::TooLong { .. }) = &taken {
            known(self.coming).too_long = Some(why.to_string());
        }
        taken
    }
}

fn known(coming: &Mutex<Coming>) -> MutexGuard<'_, Coming> {
    coming.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl FileSink for InTime<'_> {
    fn held(&self) -> Option<Held> {
        self.incoming.held()
    }

    async fn starts(&mut self, start: &Start) -> std::result::Result<(), VaultError> {
        let (now, version) = (self.desk.now(), Version::coming(start, self.fetch));
        if let Some(why) = self.desk.refusals.unusable(&key_of(self.fetch), &version, now) {
            known(self.coming).unusable = Some(why.clone());
            return Err(VaultError::NotAsPromised { why });
        }
        known(self.coming).version = version;
        self.watched.starts(start, now);
        let started = self.incoming.starts(start).await;
        self.taken(started)
    }

    async fn write(&mut self, chunk: &[u8]) -> std::result::Result<(), VaultError> {
        let now = self.desk.now();
        if now >= self.until {
            return Err(VaultError::Late);
        }
        self.watched.arrived(chunk.len(), now);
        let written = self.incoming.write(chunk).await;
        self.taken(written)
    }
}

impl Desk {
    /// The file in the vault, and in the record as ours. What the record shows already is taken from the
    /// vault, without a word to the provider.
    pub(crate) async fn in_vault(
        &self,
        wanted: &Wanted<'_>,
        pulse: &mut dyn Pulse,
        watched: &Watched<'_>,
    ) -> Result<std::result::Result<StoredFile, Ended>> {
        let Some(saved) = copy_of(wanted.scope, wanted.fetch) else {
            return self.fetched_and_noted(wanted, pulse, watched).await;
        };
        match self.copy(&saved.file).await {
            Copy::Whole(file) => Ok(watched.all_here().map(|()| file).map_err(Ended::from)),
            // It may well be there: who asks its provider now may learn that it is gone, and take that for the end.
            Copy::Unread(why) => Ok(Err(Missed::new(why.to_string(), true).into())),
            Copy::Lost if !wanted.asks => {
                let why = "our copy is missing or damaged".to_owned();
                Ok(Err(Missed { copy_lost: true, ..Missed::new(why, true) }.into()))
            }
            Copy::Lost => match self.fetched_and_noted(wanted, pulse, watched).await? {
                Err(Ended::Missed(missed)) => Ok(Err(Missed { copy_lost: true, ..missed }.into())),
                brought => Ok(brought),
            },
        }
    }

    async fn fetched_and_noted(
        &self,
        wanted: &Wanted<'_>,
        pulse: &mut dyn Pulse,
        watched: &Watched<'_>,
    ) -> Result<std::result::Result<StoredFile, Ended>> {
        match self.arriving(wanted, pulse, watched).await? {
            Ok(file) => self.note_copy(wanted, file).await,
            Err(ended) => Ok(Err(ended)),
        }
    }

    /// A file that was saved, read again: what a vault has lost is fetched again.
    async fn copy(&self, saved: &StoredFile) -> Copy {
        match self.vault.verify(&saved.sha256).await {
            Ok(file) if file.sha256 == saved.sha256 && file.bytes == saved.bytes => Copy::Whole(file),
            Ok(file) => {
                tracing::error!(saved.sha256, found = file.sha256, "a file of the vault is damaged");
                Copy::Lost
            }
            Err(why @ (VaultError::Missing { .. } | VaultError::NotAsPromised { .. })) => {
                tracing::error!(saved.sha256, %why, "a file that was saved is not in the vault");
                Copy::Lost
            }
            Err(why) => {
                tracing::warn!(saved.sha256, %why, "a file that was saved could not be read");
                Copy::Unread(why)
            }
        }
    }

    /// The file in the vault. The record is written while the transfer stands still, so that giving the
    /// transfer up cancels nothing of the record's.
    async fn arriving(
        &self,
        wanted: &Wanted<'_>,
        pulse: &mut dyn Pulse,
        watched: &Watched<'_>,
    ) -> Result<std::result::Result<StoredFile, Ended>> {
        let mut incoming = match self.vault.begin(&key_of(wanted.fetch)).await {
            Ok(incoming) => incoming,
            Err(why) => {
                // An earlier attempt meant to keep it, and whether the vault has it could not be read.
                let has_arrived = matches!(why, VaultError::Read { .. });
                return Ok(Err(Missed { has_arrived, ..Missed::new(why.to_string(), true) }.into()));
            }
        };
        let (held, fetch, is_anothers) = (incoming.held(), wanted.fetch, incoming.is_anothers());
        let is_whole = held.as_ref().is_some_and(Held::is_whole);
        let coming = Coming { version: Version::held(held, fetch), unusable: None, too_long: None };
        if is_whole {
            // An earlier attempt brought all of it: whether its provider still has it no longer matters.
            return Ok(self.end(incoming, &coming.version, wanted, watched).await);
        }
        let coming = Mutex::new(coming);
        let got = {
            let sink =
                InTime { desk: self, until: wanted.until, fetch, incoming: &mut *incoming, watched, coming: &coming };
            let mut fetching = pin!(self.fetch(wanted, sink));
            let mut stopped = pin!(watched.stopped());
            // What a resumed saga holds may be nearly over: only from then on bytes must have arrived.
            let mut known = None;
            loop {
                let bytes = select(stopped.as_mut(), fetching.as_mut());
                match self.by(pulse.next(), bytes).await {
                    Some(Either::Left((stop, _))) => break Err(stop.into()),
                    Some(Either::Right((got, _))) => break got.map_err(Ended::from),
                    None if self.now() >= wanted.until => break Err(late().into()),
                    None => {}
                }
                let seen = Some(watched.received());
                if std::mem::replace(&mut known, seen) == seen {
                    break Err(Missed::new("nothing more of the file arrives".to_owned(), true).into());
                }
                if let Some(ended) = pulse.beat().await? {
                    break Err(ended);
                }
            }
        };
        let coming = coming.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(match got {
            Ok(()) if self.now() >= wanted.until => Err(late().into()),
            Ok(()) => self.end(incoming, &coming.version, wanted, watched).await,
            Err(Ended::Missed(missed)) => {
                let missed = self.missed(missed, coming, fetch);
                // Another attempt has all that is here of it, and that may be the whole file.
                Err(Missed { gone: missed.gone && !is_anothers, retry: missed.retry || is_anothers, ..missed }.into())
            }
            Err(ended) => {
                clear_if_cancelled(incoming, &ended).await;
                Err(ended)
            }
        })
    }

    /// Keeps what is here whole, unless somebody has ended it at the last moment.
    async fn end(
        &self,
        incoming: Box<dyn Incoming>,
        version: &Version,
        wanted: &Wanted<'_>,
        watched: &Watched<'_>,
    ) -> std::result::Result<StoredFile, Ended> {
        // What broke off unnoticed says nothing of the file.
        let is_cut = version.total().is_some_and(|total| (1..total).contains(&watched.received()));
        match watched.all_here() {
            Ok(()) => self.keep(incoming, Some(version).filter(|_| !is_cut), wanted.fetch).await.map_err(Ended::from),
            Err(stop) => {
                let ended = Ended::from(stop);
                clear_if_cancelled(incoming, &ended).await;
                Err(ended)
            }
        }
    }

    /// Notes what is kept as ours. Of two files of one item the first one counts (R17), as long as it is
    /// there, whole; the other one is nobody's, and the vault clears it away.
    async fn note_copy(&self, wanted: &Wanted<'_>, file: StoredFile) -> Result<std::result::Result<StoredFile, Ended>> {
        let Some(run_id) = run_of(wanted.scope, wanted.fetch) else { return Ok(Ok(file)) };
        let capture = Capture {
            run_id,
            job_id: wanted.fetch.job_id.clone(),
            item: wanted.fetch.item,
            file: file.clone(),
            captured_at: self.now(),
        };
        let stands = match self.store.keep_capture(&capture, wanted.by).await? {
            Kept::Stands(capture) => capture.file,
            Kept::Refused(why) => return Ok(Err(Missed::new(why, true).into())),
        };
        if stands.sha256 == file.sha256 {
            return Ok(Ok(file));
        }
        tracing::warn!(job = %wanted.fetch.job_id, first = stands.sha256, other = file.sha256, "its provider gave another file before");
        Ok(match self.copy(&stands).await {
            Copy::Whole(stands) => Ok(stands),
            Copy::Lost => Ok(file),
            Copy::Unread(why) => Err(Missed::new(why.to_string(), true).into()),
        })
    }

    /// What it comes to, or `None` where that takes longer than until `instant`.
    pub(crate) async fn by<F: Future>(&self, instant: Timestamp, work: F) -> Option<F::Output> {
        match select(pin!(work), self.sleep_until(instant)).await {
            Either::Left((output, _)) => Some(output),
            Either::Right(_) => None,
        }
    }

    /// Brings the bytes from the provider, or says why not and whether trying again can help.
    async fn fetch(&self, wanted: &Wanted<'_>, mut sink: InTime<'_>) -> std::result::Result<(), Missed> {
        let fetch = wanted.fetch;
        let provider = self.providers.get(&fetch.provider_id);
        let provider = provider.ok_or_else(|| Missed::new(format!("{} is not connected", fetch.provider_id), true))?;
        let job = known_job(wanted.scope, fetch)
            .ok_or_else(|| Missed::new(format!("the record no longer has job {}", fetch.job_id), false))?;
        provider.fetch(&job, fetch.item, &mut sink).await.map(|_| ()).map_err(|why| Missed {
            why: why.to_string(),
            retry: !why.gone,
            gone: why.gone,
            ..Missed::new(String::new(), true)
        })
    }

    /// `version`: what came, where all of it did.
    async fn keep(
        &self,
        incoming: Box<dyn Incoming>,
        version: Option<&Version>,
        fetch: &Fetch,
    ) -> std::result::Result<StoredFile, Missed> {
        incoming.commit(fetch.bytes, &fetch.sha256_prefix).await.map_err(|why| {
            let words = why.to_string();
            match (why, version) {
                (VaultError::NotAsPromised { .. } | VaultError::TooLong { .. }, Some(version)) => {
                    self.refused(fetch, version, words)
                }
                (VaultError::Write { .. } | VaultError::Read { .. }, _) => {
                    Missed { has_arrived: true, ..Missed::new(words, true) }
                }
                _ => Missed::new(words, true),
            }
        })
    }

    /// Why a transfer did not come to its end, where the file itself is the reason.
    fn missed(&self, missed: Missed, coming: Coming, fetch: &Fetch) -> Missed {
        match coming {
            Coming { unusable: Some(why), .. } => Missed { is_refused: true, ..Missed::new(why, false) },
            Coming { too_long: Some(why), version, .. } => self.refused(fetch, &version, why),
            _ => missed,
        }
    }

    /// What came was refused: it is tried again until that is sure.
    fn refused(&self, fetch: &Fetch, version: &Version, why: String) -> Missed {
        let unusable = self.refusals.note(&key_of(fetch), version, &why, self.now());
        let retry = unusable.is_none();
        Missed { is_refused: true, ..Missed::new(unusable.unwrap_or(why), retry) }
    }
}

fn key_of(fetch: &Fetch) -> TransitKey {
    TransitKey { provider_id: fetch.provider_id.clone(), job_id: fetch.job_id.clone(), item: fetch.item }
}

/// Leaves nothing of a cancelled transfer; what broke off otherwise is gone on with. What can't be deleted now is
/// swept later: that is no reason to say that it goes on.
async fn clear_if_cancelled(incoming: Box<dyn Incoming>, ended: &Ended) {
    if !matches!(ended, Ended::Cancelled(_)) {
        return;
    }
    if let Err(error) = incoming.discard().await {
        tracing::warn!(%error, "a cancelled transfer could not be cleared away");
    }
}

fn dossiers(scope: &Scope) -> impl Iterator<Item = &Dossier> {
    scope.runs.iter().chain(&scope.foreign_runs)
}

/// Our own copy of a file, as the record shows it.
pub(crate) fn copy_of<'a>(scope: &'a Scope, fetch: &Fetch) -> Option<&'a Capture> {
    let copies = dossiers(scope).flat_map(|dossier| &dossier.captures);
    copies.into_iter().find(|copy| copy.job_id == fetch.job_id && copy.item == fetch.item)
}

fn run_of(scope: &Scope, fetch: &Fetch) -> Option<RunId> {
    let jobs = dossiers(scope).flat_map(|dossier| &dossier.jobs);
    jobs.into_iter().find(|job| job.id == fetch.job_id).map(|job| job.run_id.clone())
}

/// The job of a file, whichever run of the logical run submitted it.
fn known_job(scope: &Scope, fetch: &Fetch) -> Option<JobRef> {
    dossiers(scope)
        .flat_map(|dossier| dossier.jobs.iter().map(move |job| (dossier, job)))
        .find(|(_, job)| job.id == fetch.job_id && job.provider_id == fetch.provider_id)
        .map(|(dossier, job)| job_ref(dossier, job))
}
