//! Saving before its provider forgets it: what a look-up, a webhook or the reconciler sees finished is
//! brought into the vault at once, also where its delivery must wait for people or is forbidden. Nothing is
//! delivered by that, and nobody is told.
//!
//! Wishes are by logical run, and any number for one run are one. Whoever hosts a desk keeps
//! [`Desk::keep_capturing`] going; without it a wish waits until somebody calls [`Desk::capture_wanted`].

use std::collections::{BTreeMap, BTreeSet};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::future::select;
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{AgentId, JobId, RunId};
use makegood_domain::matching::logical_run;
use makegood_domain::reconcile::{Unsaved, to_ask, unsaved};
use makegood_domain::scope::Scope;
use tokio::sync::Notify;

use crate::bring::{Ended, Pulse, Wanted};
use crate::contract::Topic;
use crate::desk::Desk;
use crate::error::Result;
use crate::look_up::{job_ref, learned};
use crate::reconcile::ask::job_of;
use crate::reconcile::lanes::{Lanes, Place};
use crate::transfers::Of;

/// Wishes that may wait. Beyond that the reconciler finds what is open, as it does without them.
const WISHES_MAX: usize = 10_000;
/// What could not be brought is tried again after so many seconds, then twice that, …
const AGAIN_AFTER: i64 = 30;
/// … and at most so many.
const AGAIN_AT_MOST: i64 = 900;
/// Tries of what has no deadline; of the rest its deadline is the end.
const TRIES_MAX: u32 = 12;
/// Runs that are asked about at a time.
const ASKED_AT_ONCE: usize = 8;

/// Runs of which something may be finished.
#[derive(Default)]
pub(crate) struct Wishes {
    runs: Mutex<Waiting>,
    more: Notify,
}

#[derive(Default)]
struct Waiting {
    /// Whose providers have just answered.
    asked: BTreeSet<RunId>,
    /// Whose jobs their providers are to be asked about first.
    heard: BTreeSet<JobId>,
    /// Of which a file did not come. Nobody else may come by them: of a refunded run nothing is due.
    again: BTreeMap<RunId, Again>,
}

/// A run that is tried again.
#[derive(Clone, Copy)]
struct Again {
    /// When; `None`: now.
    at: Option<Timestamp>,
    /// How often it was tried in vain.
    tries: u32,
}

impl Waiting {
    /// A run whose next try is due.
    fn pop_due(&mut self, now: Timestamp) -> Option<RunId> {
        let due = self.again.iter_mut().find(|(_, again)| again.at.is_some_and(|at| at <= now));
        due.map(|(run, again)| {
            again.at = None;
            run.clone()
        })
    }

    /// Notes that a file of a run did not come, which its provider keeps until `deadline`.
    /// Files of one run that did not come are one try, whichever is told of first.
    fn try_again(&mut self, run: &RunId, deadline: Option<Timestamp>, now: Timestamp) {
        if self.again.get(run).is_some_and(|again| again.at.is_some()) {
            return;
        }
        let tries = self.again.get(run).map_or(0, |again| again.tries);
        let seconds = AGAIN_AFTER.saturating_mul(1_i64 << tries.min(16)).min(AGAIN_AT_MOST);
        let at = now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
        let in_time = deadline.map_or(tries < TRIES_MAX, |deadline| at < deadline);
        let known = self.again.contains_key(run);
        if in_time && (known || self.again.len() < WISHES_MAX) {
            self.again.insert(run.clone(), Again { at: Some(at), tries: tries.saturating_add(1) });
        } else {
            self.again.remove(run);
        }
    }

    /// Forgets the try of a run that is under way, not one that another of its files waits for.
    fn end_try(&mut self, run: &RunId) {
        if self.again.get(run).is_some_and(|again| again.at.is_none()) {
            self.again.remove(run);
        }
    }
}

impl Wishes {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When something is tried again next.
    fn next_try(&self) -> Option<Timestamp> {
        self.waiting().again.values().filter_map(|again| again.at).min()
    }
}

/// What became of the wish to save a file.
pub(crate) enum Saved {
    Here,
    /// Why not, whether its provider said that it no longer has it, and whether another try can help.
    Missed {
        why: String,
        gone: bool,
        retry: bool,
    },
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

type Work<'d> = Pin<Box<dyn Future<Output = Worked> + Send + 'd>>;

enum Worked {
    Found(Vec<Ready>),
    Brought(bool),
}

/// By deadline, then in the order in which they were found.
type Queue = BTreeMap<(Timestamp, u64), Ready>;

impl Desk {
    /// Wishes that what is finished of these runs be saved. Their providers were asked just now.
    pub(crate) fn want_saved(&self, runs: impl IntoIterator<Item = RunId>) {
        let mut waiting = self.wishes.waiting();
        for run in runs {
            if waiting.asked.len() < WISHES_MAX {
                waiting.asked.insert(run);
            }
        }
        drop(waiting);
        self.wishes.more.notify_one();
    }

    /// Wishes that these jobs be asked about, and what is finished of their runs be saved: somebody said
    /// that something has become of them.
    pub fn heard_of(&self, jobs: impl IntoIterator<Item = JobId>) {
        let mut waiting = self.wishes.waiting();
        for job in jobs {
            if waiting.heard.len() < WISHES_MAX {
                waiting.heard.insert(job);
            }
        }
        drop(waiting);
        self.wishes.more.notify_one();
    }

    /// Saves what is wished for, for as long as it is polled.
    pub async fn keep_capturing(&self) {
        loop {
            self.capture_wanted().await;
            let more = pin!(self.wishes.more.notified());
            match self.wishes.next_try() {
                Some(at) => drop(select(more, self.sleep_until(at)).await),
                None => more.await,
            }
        }
    }

    /// Saves what is wished for now, what is lost first before the others, at most so many at a time with
    /// one provider as the policy says; how many files that were. What did not come is tried again later, as long
    /// as its provider keeps it.
    pub async fn capture_wanted(&self) -> u64 {
        let lanes = Lanes::new(self.policy.reconcile.per_provider);
        let (mut works, mut queue, mut found) = (FuturesUnordered::<Work<'_>>::new(), Queue::new(), 0_u64);
        let (mut asking, mut saved) = (0, 0);
        loop {
            while asking < ASKED_AT_ONCE
                && let Some(wish) = self.next_wish().await
            {
                asking += 1;
                works.push(Box::pin(async move { Worked::Found(self.find_unsaved(wish).await) }));
            }
            for (ready, place) in placed(&mut queue, &lanes) {
                works.push(Box::pin(self.bring_to(ready, place)));
            }
            match works.next().await {
                Some(Worked::Found(files)) => {
                    asking -= 1;
                    for ready in files {
                        found += 1;
                        queue.insert((ready.file.deadline.unwrap_or(Timestamp::MAX), found), ready);
                    }
                }
                Some(Worked::Brought(is_here)) => saved += u64::from(is_here),
                None => return saved,
            }
        }
    }

    /// A run, and whether its providers are to be asked first.
    async fn next_wish(&self) -> Option<(RunId, bool)> {
        loop {
            let job = {
                let mut waiting = self.wishes.waiting();
                if let Some(run) = waiting.asked.pop_first() {
                    return Some((run, false));
                }
                if let Some(run) = waiting.pop_due(self.now()) {
                    return Some((run, false));
                }
                waiting.heard.pop_first()?
            };
            // A job that nobody knows has no run to save anything for.
            match self.store.owners_of_jobs(std::slice::from_ref(&job)).await {
                Ok(owners) => {
                    if let Some(run) = owners.into_values().next() {
                        return Some((run, true));
                    }
                }
                Err(why) => tracing::warn!(%job, %why, "whose job it is was not found out"),
            }
        }
    }

    /// What is to be saved of a run. What keeps it from being found is logged, and it is tried again.
    async fn find_unsaved(&self, (run, asks): (RunId, bool)) -> Vec<Ready> {
        match self.try_unsaved(&run, asks).await {
            Ok(files) => {
                if files.is_empty() {
                    self.wishes.waiting().end_try(&run);
                }
                files
            }
            Err(why) => {
                tracing::warn!(%run, %why, "what is finished of a run was not found out");
                let now = self.now();
                self.wishes.waiting().try_again(&run, None, now);
                Vec::new()
            }
        }
    }

    async fn try_unsaved(&self, run: &RunId, asks: bool) -> Result<Vec<Ready>> {
        let Some(mut scope) = self.scope_with(run).await? else { return Ok(Vec::new()) };
        let root = root_of(&scope, run);
        if asks && self.ask_all(&scope, &root).await? {
            let Some(fresh) = self.scope_with(&root).await? else { return Ok(Vec::new()) };
            scope = fresh;
        }
        let files = unsaved(&scope, &root, &self.policy, self.now());
        let scope = Arc::new(scope);
        Ok(files.into_iter().map(|file| Ready { root: root.clone(), scope: Arc::clone(&scope), file }).collect())
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

    /// Asks about every job of a run of which the last word is not known; whether somebody answered.
    async fn ask_all(&self, scope: &Scope, root: &RunId) -> Result<bool> {
        let mut answered = false;
        for wanted in to_ask(scope, root, &self.policy, self.now()) {
            let provider = self.providers.get(&wanted.provider_id);
            let (Some((dossier, job)), Some(provider)) = (job_of(scope, &wanted), provider) else {
                continue;
            };
            let until = self.now().saturating_add(self.policy.patience_for_answer()).unwrap_or(Timestamp::MAX);
            let job_ref = job_ref(dossier, job);
            // Who does not answer is asked again by the reconciler, which also notes that.
            let Some(answer) = self.by(until, provider.find_job(&job_ref, self.now())).await else { continue };
            self.store.record_look_up(&learned(job, answer.job), &answer.raw).await?;
            answered = true;
        }
        Ok(answered)
    }

    async fn bring_to(&self, ready: Ready, _place: Place<'_>) -> Worked {
        let saved = self.capture(&ready.scope, &ready.root, &ready.file, &self.agent.id).await;
        let (why, retry) = match saved {
            Ok(Saved::Here) => {
                self.wishes.waiting().end_try(&ready.root);
                return Worked::Brought(true);
            }
            Ok(Saved::Missed { why, retry, .. }) => (why, retry),
            Err(why) => (why.to_string(), true),
        };
        let now = self.now();
        let mut waiting = self.wishes.waiting();
        if retry {
            waiting.try_again(&ready.root, ready.file.deadline, now);
        } else {
            waiting.end_try(&ready.root);
        }
        drop(waiting);
        tracing::warn!(run = %ready.root, item = ready.file.item, why, "a file was not saved");
        Worked::Brought(false)
    }

    /// Saves one file. Whoever delivers it meanwhile takes it over.
    pub(crate) async fn capture(&self, scope: &Scope, root: &RunId, file: &Unsaved, by: &AgentId) -> Result<Saved> {
        let until = self.now().saturating_add(self.policy.longest_transfer()).unwrap_or(Timestamp::MAX);
        let watched = self.watch(Of {
            run_id: root.clone(),
            item: file.item,
            provider_id: file.fetch.provider_id.clone(),
            action: None,
            bytes: file.fetch.bytes,
            captures: true,
        });
        let wanted = Wanted { scope, fetch: &file.fetch, until, by };
        let ended = self.in_vault(&wanted, &mut NoLease(until), &watched).await?;
        drop(watched);
        Ok(match ended {
            Ok(_) => {
                self.changed(Topic::Queue);
                Saved::Here
            }
            Err(Ended::Missed(missed)) => {
                Saved::Missed { why: missed.why, gone: missed.gone, retry: missed.retry && !missed.gone }
            }
            Err(Ended::Overtaken(why)) => Saved::Missed { why, gone: false, retry: false },
            Err(Ended::Cancelled(by)) => Saved::Missed { why: format!("ended by {by}"), gone: false, retry: false },
        })
    }
}

/// Those of the queue that have a place now, what is lost first before the others.
fn placed<'l>(queue: &mut Queue, lanes: &'l Lanes) -> Vec<(Ready, Place<'l>)> {
    let mut placed = Vec::new();
    let keys: Vec<_> = queue.keys().copied().collect();
    for key in keys {
        let Some(place) = queue.get(&key).and_then(|ready| lanes.place(&ready.file.fetch.provider_id)) else {
            continue;
        };
        if let Some(ready) = queue.remove(&key) {
            placed.push((ready, place));
        }
    }
    placed
}

/// The first run of the logical run that a run belongs to (P2).
fn root_of(scope: &Scope, run: &RunId) -> RunId {
    logical_run(scope, run).map_or_else(|| run.clone(), |logical| logical.id().clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("an instant")
    }

    /// The seconds at which a file is tried for that never comes and is kept until `deadline`.
    fn tries(deadline: Option<i64>) -> Vec<i64> {
        let (mut waiting, run, mut now) = (Waiting::default(), RunId::new("run"), 0);
        let mut tried = Vec::new();
        loop {
            waiting.try_again(&run, deadline.map(at), at(now));
            let Some(next) = waiting.again.get(&run).and_then(|again| again.at) else { return tried };
            assert_eq!(waiting.pop_due(at(next.as_second() - 1)), None, "not before its time");
            assert_eq!(waiting.pop_due(next), Some(run.clone()));
            assert_eq!(waiting.pop_due(next), None, "once");
            now = next.as_second();
            tried.push(now);
        }
    }

    #[test]
    fn what_did_not_come_is_tried_again_until_its_provider_forgets_it() {
        assert_eq!(tries(Some(600)), [30, 90, 210, 450], "ten minutes");
        let hour = tries(Some(3_600));
        assert_eq!((hour.len(), hour.last()), (7, Some(&2_730)));
        assert_eq!(tries(Some(20)), Vec::<i64>::new());
        assert_eq!(tries(None).len(), 12);
    }

    #[test]
    fn the_files_of_a_run_are_tried_again_together() {
        let (mut waiting, run) = (Waiting::default(), RunId::new("run"));
        waiting.try_again(&run, None, at(0));
        waiting.end_try(&run);
        assert_eq!(waiting.pop_due(at(30)), Some(run.clone()), "one came, the other did not");
        waiting.try_again(&run, None, at(30));
        waiting.try_again(&run, Some(at(31)), at(30));
        assert_eq!(waiting.pop_due(at(89)), None);
        assert_eq!(waiting.pop_due(at(90)), Some(run.clone()), "two that did not come are one try");
        waiting.end_try(&run);
        assert!(waiting.again.is_empty(), "nothing is left to be tried");
    }
}
