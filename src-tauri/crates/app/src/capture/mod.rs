//! Saving before its provider forgets it: what a look-up, a webhook or the reconciler sees finished is
//! brought into the vault at once, also where its delivery must wait for people or is forbidden. Nothing is
//! delivered by that, and nobody is told.
//!
//! Wishes are by logical run, and any number for one run are one. Whoever hosts a desk keeps
//! [`Desk::keep_capturing`] going; without it a wish waits until somebody calls [`Desk::capture_wanted`].

mod wishes;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::{Pin, pin};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::future::{Either, pending, select};
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{AgentId, JobId, RunId};
use makegood_domain::matching::logical_run;
use makegood_domain::reconcile::{Unsaved, to_ask, unsaved};
use makegood_domain::scope::Scope;
use makegood_domain::work::JobState;

use crate::bring::{Ended, Missed, Pulse, Wanted};
use crate::contract::Topic;
use crate::desk::Desk;
use crate::error::Result;
use crate::in_transit::KEPT_ON_ITS_WAY;
use crate::look_up::{job_ref, learned};
use crate::reconcile::ask::job_of;
use crate::reconcile::lanes::{Lanes, Place, Side};
use crate::transfers;

pub(crate) use wishes::Wishes;

use wishes::{Of, Wish};

/// Runs that are asked about at a time.
const ASKED_AT_ONCE: usize = 8;
/// Jobs of an earlier life of the program that are gone on with, the newest of them.
const WISHED_ANEW_MAX: u32 = 5_000;
/// Where the record can't be read at the start, that is tried again after so long.
const READ_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// What became of the wish to save a file.
pub(crate) enum Saved {
    Here,
    Missed(Missed),
}

/// Nothing is held while a file is only saved.
struct NoLease(Timestamp);

#[async_trait]
impl Pulse for NoLease {
    fn next(&self) -> Timestamp {
        self.0
    }

    async fn beat(&mut self) -> Result<Option<Ended>> {
        Ok(None)
    }
}

/// A file that waits for a place with its provider.
struct Ready {
    root: RunId,
    scope: Arc<Scope>,
    file: Unsaved,
}

impl Ready {
    fn id(&self) -> FileId {
        (self.file.fetch.job_id.clone(), self.file.item)
    }
}

/// A file of a job: which is brought once at a time.
type FileId = (JobId, u32);

type Work<'d> = Pin<Box<dyn Future<Output = Worked> + Send + 'd>>;

enum Worked {
    Found(Vec<Ready>),
    Brought { file: FileId, is_here: bool },
}

/// By deadline, then in the order in which they were found.
type Queue = BTreeMap<(Timestamp, u64), Ready>;

/// What is at hand while wishes are worked off.
#[derive(Default)]
struct AtHand<'d> {
    works: FuturesUnordered<Work<'d>>,
    queue: Queue,
    /// Files that wait or are being brought.
    files: BTreeSet<FileId>,
    /// How many runs are looked at, and how many files were ever found.
    asking: usize,
    found: u64,
}

/// What a look at a run came to.
struct Finds {
    files: Vec<Ready>,
    /// For how long what nobody could say is asked about again; `None`: all that could be said was. A provider of
    /// which nobody knows how long it keeps a file gives no time.
    unheard: Option<Option<SignedDuration>>,
    /// Whether all that may lie on its way here could be read.
    is_whole: bool,
}

impl Desk {
    /// Wishes that what is finished of these runs be saved. Their providers were asked just now.
    pub(crate) fn want_saved(&self, runs: impl IntoIterator<Item = RunId>) {
        self.wishes.asked(runs);
    }

    /// Wishes that these jobs be asked about, and what is finished of their runs be saved: somebody said
    /// that something has become of them.
    pub fn heard_of(&self, jobs: impl IntoIterator<Item = JobId>) {
        self.wishes.heard(jobs);
    }

    /// Saves what is wished for, for as long as it is polled: first what was wished for in an earlier life of the
    /// program and did not come.
    pub async fn keep_capturing(&self) {
        // Until the record could be read: another fault of it keeps nothing new waiting.
        let mut again_at = Some(self.now());
        loop {
            if again_at.is_some_and(|at| at <= self.now()) {
                again_at = self.wish_anew().await;
            }
            self.capture_wanted().await;
            match again_at {
                Some(at) => drop(select(pin!(self.wished()), self.sleep_until(at)).await),
                None => self.wished().await,
            }
        }
    }

    /// Wishes for what an earlier life of the program has wished for, as far as the record tells of it: wishes are
    /// kept in memory, and of a refunded run nothing is due. When that is to be tried again, if the record could not
    /// be read. On a record that people share it is left to whoever makes passes there, so that not everybody who
    /// opens a window fetches the same files.
    async fn wish_anew(&self) -> Option<Timestamp> {
        let since = self.now().saturating_sub(self.policy.assumed_retention()).unwrap_or(Timestamp::MIN);
        let unkept = async {
            let shared = self.store.identity(&self.agent.id, self.now()).await?.enforced;
            if shared && self.timer.every.is_none() {
                return Ok(Vec::new());
            }
            self.store.unkept_jobs(since, WISHED_ANEW_MAX).await
        };
        match unkept.await {
            Ok(unkept) => {
                let (made, heard): (Vec<_>, Vec<_>) = unkept.into_iter().partition(|row| row.made);
                self.want_saved(made.into_iter().map(|row| row.run_id));
                self.heard_of(heard.into_iter().map(|row| row.job_id));
                None
            }
            Err(why) => {
                tracing::warn!(%why, "what was to be saved before the start was not found out");
                Some(self.now().saturating_add(READ_AGAIN_AFTER).unwrap_or(Timestamp::MAX))
            }
        }
    }

    /// Until there may be something to look at.
    async fn wished(&self) {
        let more = pin!(self.wishes.more.notified());
        match self.wishes.next_try() {
            Some(at) => drop(select(more, self.sleep_until(at)).await),
            None => more.await,
        }
    }

    /// Saves what is wished for until nothing is at hand, what is lost first before the others, at most so many at a
    /// time with one provider as the policy says; how many files that were. A wish that comes meanwhile waits for
    /// nobody else's file. What did not come is tried again later, as long as its provider keeps it.
    pub async fn capture_wanted(&self) -> u64 {
        let _present = self.lanes.enter(Side::Captures);
        let (mut hand, mut saved) = (AtHand::default(), 0);
        loop {
            // From here on: a place that is freed while others are looked for is noticed.
            let freed = self.lanes.freed();
            while hand.asking < ASKED_AT_ONCE
                && let Some(wish) = self.wishes.next(self.now())
            {
                hand.asking += 1;
                hand.works.push(Box::pin(async move { Worked::Found(self.find_unsaved(wish).await) }));
            }
            for (ready, place) in placed(&mut hand.queue, &self.lanes) {
                hand.works.push(Box::pin(self.bring_to(ready, place)));
            }
            if hand.works.is_empty() && hand.queue.is_empty() {
                return saved;
            }
            match self.heard_from(&mut hand, freed).await {
                Some(Worked::Found(files)) => {
                    hand.asking -= 1;
                    hand.take(files);
                }
                Some(Worked::Brought { file, is_here }) => {
                    hand.files.remove(&file);
                    saved += u64::from(is_here);
                }
                None => {}
            }
        }
    }

    /// What a piece of work came to; `None` where there may be a place for a file, or another wish to look at.
    async fn heard_from(&self, hand: &mut AtHand<'_>, freed: impl Future<Output = ()>) -> Option<Worked> {
        let looks = hand.asking < ASKED_AT_ONCE;
        // Who has no time to look leaves the sign for later.
        let wished = async { if looks { self.wished().await } else { pending().await } };
        let waits = !hand.queue.is_empty();
        let freed = async { if waits { freed.await } else { pending().await } };
        let worked = async {
            match hand.works.next().await {
                Some(worked) => worked,
                None => pending().await,
            }
        };
        match select(pin!(worked), pin!(select(pin!(wished), pin!(freed)))).await {
            Either::Left((worked, _)) => Some(worked),
            Either::Right(_) => None,
        }
    }

    /// What is to be saved of a run. What keeps it from being found is logged, and it is tried again.
    async fn find_unsaved(&self, wish: Wish) -> Vec<Ready> {
        let (wish, finds) = match self.run_of(&wish).await {
            // A job that nobody knows has no run to save anything for.
            Ok(None) => {
                self.wishes.waiting().end_try(&wish.of);
                return Vec::new();
            }
            Ok(Some(run)) => {
                let of = Of::Run(run.clone());
                if of != wish.of {
                    self.wishes.waiting().end_try(&wish.of);
                }
                (Wish { of, ..wish }, self.try_unsaved(&run, wish.asks).await)
            }
            Err(why) => (wish, Err(why)),
        };
        let now = self.now();
        let mut waiting = self.wishes.waiting();
        match finds {
            Ok(Finds { files, unheard: None, is_whole: false }) => {
                let deadline = waiting.until(&wish.of, KEPT_ON_ITS_WAY, now);
                waiting.try_again(&wish, Some(deadline), now);
                files
            }
            Ok(Finds { files, unheard: None, .. }) => {
                if files.is_empty() {
                    waiting.end_try(&wish.of);
                }
                files
            }
            Ok(Finds { files, unheard: Some(kept), .. }) => {
                let deadline = kept.map(|kept| waiting.until(&wish.of, kept, now));
                waiting.try_again(&Wish { asks: true, ..wish }, deadline, now);
                files
            }
            Err(why) => {
                tracing::warn!(?wish, %why, "what is finished of a run was not found out");
                waiting.try_again(&wish, None, now);
                Vec::new()
            }
        }
    }

    /// The run of a wish; `None` for a job that nobody knows.
    async fn run_of(&self, wish: &Wish) -> Result<Option<RunId>> {
        match &wish.of {
            Of::Run(run) => Ok(Some(run.clone())),
            Of::Job(job) => {
                let owners = self.store.owners_of_jobs(std::slice::from_ref(job)).await?;
                Ok(owners.into_values().next())
            }
        }
    }

    async fn try_unsaved(&self, run: &RunId, asks: bool) -> Result<Finds> {
        let nothing = Finds { files: Vec::new(), unheard: None, is_whole: true };
        let Some(mut scope) = self.scope_with(run).await? else { return Ok(nothing) };
        let (root, mut unheard) = (root_of(&scope, run), None);
        if asks {
            unheard = self.ask_all(&scope, &root).await?;
            let Some(fresh) = self.scope_with(&root).await? else { return Ok(nothing) };
            scope = fresh;
        }
        // What is just being brought is at hand, or is its own try.
        let is_whole = self.look_in_transit(&mut scope, &root).await.unread.is_empty();
        let files = unsaved(&scope, &root, &self.policy, self.now());
        let scope = Arc::new(scope);
        let files = files.into_iter().map(|file| Ready { root: root.clone(), scope: Arc::clone(&scope), file });
        Ok(Finds { files: files.collect(), unheard, is_whole })
    }

    /// All facts of the logical run of a run, whether that is its first one or a retry.
    async fn scope_with(&self, run: &RunId) -> Result<Option<Scope>> {
        let Some(scope) = self.store.scope_of_run(run, self.now()).await? else { return Ok(None) };
        let root = root_of(&scope, run);
        if root == *run {
            return Ok(Some(scope));
        }
        Ok(self.store.scope_of_run(&root, self.now()).await?)
    }

    /// Asks about every job of a run of which the last word is not known; where somebody gave no answer, for how long
    /// the longest-lived of their files can still be had. Who looks nothing up is not asked again.
    async fn ask_all(&self, scope: &Scope, root: &RunId) -> Result<Option<Option<SignedDuration>>> {
        let mut unheard: Option<Option<SignedDuration>> = None;
        for wanted in to_ask(scope, root, &self.policy, self.now()) {
            let Some((dossier, job)) = job_of(scope, &wanted) else { continue };
            let provider = self.providers.get(&wanted.provider_id);
            let keeps = provider.as_ref().and_then(|provider| provider.keeps());
            let looks_up = provider.as_ref().is_none_or(|provider| provider.capability().look_up);
            let is_heard = match provider {
                None => false,
                Some(provider) => {
                    let until = self.now().saturating_add(self.policy.patience_for_answer()).unwrap_or(Timestamp::MAX);
                    let job_ref = job_ref(dossier, job);
                    match self.by(until, provider.find_job(&job_ref, self.now())).await {
                        Some(answer) => {
                            let said = !matches!(answer.job.state, JobState::LookupFailed | JobState::Unrecognised);
                            self.store.record_look_up(&learned(job, answer.job), &answer.raw).await?;
                            said
                        }
                        // That it took too long is noted by the reconciler.
                        None => false,
                    }
                }
            };
            if !is_heard && looks_up {
                let hours = scope.provider(&wanted.provider_id).and_then(|provider| provider.retention_hours);
                unheard = unheard.max(Some(kept_for(hours, keeps)));
            }
        }
        Ok(unheard)
    }

    async fn bring_to(&self, ready: Ready, _place: Place<'_>) -> Worked {
        let saved = self.capture(&ready.scope, &ready.root, &ready.file, &self.agent.id).await;
        let (file, of) = (ready.id(), Of::Run(ready.root.clone()));
        let missed = match saved {
            Ok(Saved::Here) => {
                self.wishes.waiting().end_try(&of);
                return Worked::Brought { file, is_here: true };
            }
            Ok(Saved::Missed(missed)) => {
                if missed.gone
                    && let Err(error) = self.note_gone(&ready.root, &ready.file.fetch).await
                {
                    tracing::warn!(%error, "that a file is gone was not noted");
                }
                missed
            }
            Err(why) => Missed::new(why.to_string(), true),
        };
        tracing::warn!(?of, item = ready.file.item, why = missed.why, "a file was not saved");
        let now = self.now();
        let mut waiting = self.wishes.waiting();
        if missed.retry && !missed.gone {
            let kept_here = missed.has_arrived.then(|| waiting.until(&of, KEPT_ON_ITS_WAY, now));
            // Whoever made the file anew promises something else of it now.
            waiting.try_again(&Wish { of, asks: missed.is_refused }, kept_here.or(ready.file.deadline), now);
        } else {
            waiting.end_try(&of);
        }
        Worked::Brought { file, is_here: false }
    }

    /// Saves one file. Whoever delivers it meanwhile takes it over.
    pub(crate) async fn capture(&self, scope: &Scope, root: &RunId, file: &Unsaved, by: &AgentId) -> Result<Saved> {
        let until = self.now().saturating_add(self.policy.longest_transfer()).unwrap_or(Timestamp::MAX);
        let watched = self.watch(transfers::Of {
            run_id: root.clone(),
            item: file.item,
            provider_id: file.fetch.provider_id.clone(),
            action: None,
            bytes: file.fetch.bytes,
            captures: true,
        });
        let wanted = Wanted { scope, fetch: &file.fetch, until, by, asks: true };
        let ended = self.in_vault(&wanted, &mut NoLease(until), &watched).await?;
        drop(watched);
        Ok(match ended {
            Ok(_) => {
                self.changed(Topic::Queue);
                Saved::Here
            }
            Err(Ended::Missed(missed)) => Saved::Missed(missed),
            Err(Ended::Overtaken(why)) => Saved::Missed(Missed::new(why, false)),
            Err(Ended::Cancelled(by)) => Saved::Missed(Missed::new(format!("ended by {by}"), false)),
        })
    }
}

impl AtHand<'_> {
    /// Takes what was found and is not at hand already.
    fn take(&mut self, files: Vec<Ready>) {
        for ready in files {
            if self.files.insert(ready.id()) {
                self.found += 1;
                self.queue.insert((ready.file.deadline.unwrap_or(Timestamp::MAX), self.found), ready);
            }
        }
    }
}

/// Those of the queue that have a place now, what is lost first before the others.
fn placed<'l>(queue: &mut Queue, lanes: &'l Lanes) -> Vec<(Ready, Place<'l>)> {
    let mut placed = Vec::new();
    let keys: Vec<_> = queue.keys().copied().collect();
    for key in keys {
        let Some(place) = queue.get(&key).and_then(|ready| lanes.place(&ready.file.fetch.provider_id, Side::Captures))
        else {
            continue;
        };
        if let Some(ready) = queue.remove(&key) {
            placed.push((ready, place));
        }
    }
    placed
}

/// How long a provider keeps a file, by what the platform's catalogue says in whole hours and by what the provider's
/// own documents state, whichever is longer. Less than an hour is told as none: that is no time of nothing.
fn kept_for(hours: Option<i64>, stated: Option<SignedDuration>) -> Option<SignedDuration> {
    match (hours, stated) {
        (Some(..=0), Some(stated)) => Some(stated),
        (hours, stated) => {
            let hours = hours.and_then(|hours| SignedDuration::try_from_hours(hours.max(1)));
            hours.max(stated)
        }
    }
}

/// The first run of the logical run that a run belongs to (P2).
fn root_of(scope: &Scope, run: &RunId) -> RunId {
    logical_run(scope, run).map_or_else(|| run.clone(), |logical| logical.id().clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_kept_for_as_long_as_somebody_states() {
        let minutes = SignedDuration::from_mins;
        for (hours, stated, want) in [
            (None, None, None),
            (Some(0), None, Some(60)),
            (Some(0), Some(10), Some(10)),
            (None, Some(10), Some(10)),
            (Some(1), Some(10), Some(60)),
            (Some(1), Some(120), Some(120)),
            (Some(48), None, Some(48 * 60)),
        ] {
            assert_eq!(kept_for(hours, stated.map(minutes)), want.map(minutes), "{hours:?} {stated:?}");
        }
    }
}
