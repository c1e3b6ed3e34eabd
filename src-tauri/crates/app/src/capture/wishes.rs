//! What is wished for and not yet here: of whose files somebody has told, and which of them are tried again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{JobId, RunId};
use tokio::sync::Notify;

/// Wishes that may wait. Beyond that the reconciler finds what is open, as it does without them.
const WISHES_MAX: usize = 10_000;
/// What could not be brought is tried again after so many seconds, then twice that, …
const AGAIN_AFTER: i64 = 30;
/// … and at most so many.
const AGAIN_AT_MOST: i64 = 900;
/// The last try is made so many seconds before the deadline, and tries before it are no closer to each other.
const LAST_TRY_BEFORE: i64 = 30;
/// Tries of what has no deadline; of the rest its deadline is the end.
const TRIES_MAX: u32 = 12;

/// Of what something may be finished.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Of {
    Run(RunId),
    /// A job, of which it is not known yet whose it is.
    Job(JobId),
}

/// What is to be looked at, and whether its providers are to be asked first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub of: Of,
    pub asks: bool,
}

/// Runs of which something may be finished.
#[derive(Default)]
pub(crate) struct Wishes {
    waiting: Mutex<Waiting>,
    pub(super) more: Notify,
}

#[derive(Default)]
pub(super) struct Waiting {
    /// Whose providers have just answered.
    asked: BTreeSet<RunId>,
    /// Whose jobs their providers are to be asked about first.
    heard: BTreeSet<JobId>,
    /// Of which a file or an answer did not come. Nobody else may come by them: of a refunded run nothing is due.
    again: BTreeMap<Of, Again>,
}

/// What is tried again.
#[derive(Clone, Copy)]
struct Again {
    /// When; `None`: now.
    at: Option<Timestamp>,
    /// How often it was tried in vain.
    tries: u32,
    /// When it was tried in vain for the first time.
    since: Timestamp,
    /// Its providers are asked first: nobody knows yet what there is.
    asks: bool,
}

impl Waiting {
    /// Until when something is tried for that is kept for so long, as far as is known, from when it was first told of.
    pub(super) fn until(&self, of: &Of, kept: SignedDuration, now: Timestamp) -> Timestamp {
        let since = self.again.get(of).map_or(now, |again| again.since);
        since.saturating_add(kept).unwrap_or(Timestamp::MAX)
    }

    /// What is to be looked at now.
    fn pop(&mut self, now: Timestamp) -> Option<Wish> {
        if let Some(run) = self.asked.pop_first() {
            return Some(Wish { of: Of::Run(run), asks: false });
        }
        if let Some(wish) = self.pop_due(now) {
            return Some(wish);
        }
        let job = self.heard.pop_first()?;
        Some(Wish { of: Of::Job(job), asks: true })
    }

    /// What is due to be tried again.
    fn pop_due(&mut self, now: Timestamp) -> Option<Wish> {
        let due = self.again.iter_mut().find(|(_, again)| again.at.is_some_and(|at| at <= now));
        due.map(|(of, again)| {
            again.at = None;
            Wish { of: of.clone(), asks: again.asks }
        })
    }

    /// Notes that what was wished for did not come, which is kept until `deadline`. What did not come of one run is
    /// one try, whichever is told of first.
    pub(super) fn try_again(&mut self, wish: &Wish, deadline: Option<Timestamp>, now: Timestamp) {
        let known = self.again.get_mut(&wish.of);
        if let Some(again) = known.filter(|again| again.at.is_some()) {
            again.asks |= wish.asks;
            return;
        }
        let known = self.again.get(&wish.of);
        let (tries, since) = known.map_or((0, now), |again| (again.tries, again.since));
        let at = match deadline {
            Some(deadline) => before(deadline, tries, now),
            None => (tries < TRIES_MAX).then(|| later(now, backoff(tries))),
        };
        if let Some(at) = at
            && (known.is_some() || self.again.len() < WISHES_MAX)
        {
            let again = Again { at: Some(at), tries: tries.saturating_add(1), since, asks: wish.asks };
            self.again.insert(wish.of.clone(), again);
        } else {
            self.again.remove(&wish.of);
        }
    }

    /// Forgets the try that is under way, not one that something else of the same run waits for.
    pub(super) fn end_try(&mut self, of: &Of) {
        if self.again.get(of).is_some_and(|again| again.at.is_none()) {
            self.again.remove(of);
        }
    }
}

/// Seconds until the next try, after so many in vain.
fn backoff(tries: u32) -> i64 {
    AGAIN_AFTER.saturating_mul(1_i64 << tries.min(16)).min(AGAIN_AT_MOST)
}

fn later(now: Timestamp, seconds: i64) -> Timestamp {
    now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// When something is tried again that is kept until a deadline; `None` after the last try. The nearer the deadline,
/// the more often: no wait is longer than half of what is left, and the last try is just before it.
fn before(deadline: Timestamp, tries: u32, now: Timestamp) -> Option<Timestamp> {
    let last = deadline.saturating_sub(SignedDuration::from_secs(LAST_TRY_BEFORE)).unwrap_or(Timestamp::MIN);
    let left = last.duration_since(now).as_secs();
    (left > 0).then(|| later(now, backoff(tries).min((left / 2).max(LAST_TRY_BEFORE)).min(left)))
}

impl Wishes {
    pub(super) fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wishes for what is finished of runs whose providers were asked just now.
    pub(super) fn asked(&self, runs: impl IntoIterator<Item = RunId>) {
        let mut waiting = self.waiting();
        for run in runs {
            if waiting.asked.len() < WISHES_MAX {
                waiting.asked.insert(run);
            }
        }
        drop(waiting);
        self.more.notify_one();
    }

    /// Wishes that these jobs be asked about.
    pub(super) fn heard(&self, jobs: impl IntoIterator<Item = JobId>) {
        let mut waiting = self.waiting();
        for job in jobs {
            if waiting.heard.len() < WISHES_MAX {
                waiting.heard.insert(job);
            }
        }
        drop(waiting);
        self.more.notify_one();
    }

    /// What is to be looked at now.
    pub(super) fn next(&self, now: Timestamp) -> Option<Wish> {
        self.waiting().pop(now)
    }

    /// When something is tried again next.
    pub(super) fn next_try(&self) -> Option<Timestamp> {
        self.waiting().again.values().filter_map(|again| again.at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("an instant")
    }

    fn run(asks: bool) -> Wish {
        Wish { of: Of::Run(RunId::new("run")), asks }
    }

    /// The seconds at which a file is tried for that never comes and is kept until `deadline`.
    fn tries(deadline: Option<i64>) -> Vec<i64> {
        let (mut waiting, run, mut now) = (Waiting::default(), run(false), 0);
        let mut tried = Vec::new();
        loop {
            waiting.try_again(&run, deadline.map(at), at(now));
            let Some(next) = waiting.again.get(&run.of).and_then(|again| again.at) else { return tried };
            assert_eq!(waiting.pop_due(at(next.as_second() - 1)), None, "not before its time");
            assert_eq!(waiting.pop_due(next), Some(run.clone()));
            assert_eq!(waiting.pop_due(next), None, "once");
            now = next.as_second();
            tried.push(now);
        }
    }

    #[test]
    fn what_did_not_come_is_tried_again_until_its_provider_forgets_it() {
        assert_eq!(tries(Some(600)), [30, 90, 210, 390, 480, 525, 555, 570], "ten minutes");
        let hour = tries(Some(3_600));
        assert_eq!((hour.len(), hour.last()), (13, Some(&3_570)), "{hour:?}");
        let month = tries(Some(30 * 86_400));
        assert_eq!(month.last(), Some(&(30 * 86_400 - 30)), "to the end, whatever the time");
        assert_eq!(tries(Some(20)), Vec::<i64>::new());
        assert_eq!(tries(None).len(), 12);
    }

    #[test]
    fn the_files_of_a_run_are_tried_again_together() {
        let (mut waiting, run) = (Waiting::default(), run(false));
        waiting.try_again(&run, None, at(0));
        waiting.end_try(&run.of);
        assert_eq!(waiting.pop_due(at(30)), Some(run.clone()), "one came, the other did not");
        waiting.try_again(&run, None, at(30));
        waiting.try_again(&run, Some(at(31)), at(30));
        assert_eq!(waiting.pop_due(at(89)), None);
        assert_eq!(waiting.pop_due(at(90)), Some(run.clone()), "two that did not come are one try");
        waiting.end_try(&run.of);
        assert!(waiting.again.is_empty(), "nothing is left to be tried");
    }

    #[test]
    fn what_nobody_could_say_is_asked_about_again_until_it_can_no_longer_be_had() {
        let (mut waiting, mut now, mut tried) = (Waiting::default(), 0, Vec::new());
        loop {
            let until = waiting.until(&run(true).of, SignedDuration::from_hours(1), at(now));
            waiting.try_again(&run(true), Some(until), at(now));
            let Some(next) = waiting.again.values().find_map(|again| again.at) else { break };
            assert_eq!(waiting.pop_due(next), Some(run(true)), "it is asked about");
            now = next.as_second();
            tried.push(now);
        }
        assert_eq!((tried.len(), tried.last()), (13, Some(&3_570)), "from when it was first told of");
    }

    #[test]
    fn a_run_of_which_one_job_was_not_answered_for_is_asked_about_whatever_else_did_not_come() {
        for wishes in [[run(false), run(true)], [run(true), run(false)]] {
            let mut waiting = Waiting::default();
            wishes.iter().for_each(|wish| waiting.try_again(wish, None, at(0)));
            assert_eq!(waiting.pop_due(at(30)), Some(run(true)));
            waiting.try_again(&run(false), None, at(30));
            assert_eq!(waiting.pop_due(at(90)), Some(run(false)), "once it was answered for, only its file is missing");
        }
    }
}
