//! Recognises races by what the record is asked and what it answers, in the order in which it is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use makegood_domain::feed::Fact;
use makegood_domain::ids::{ActionKey, ChargeId, JobId, RunId};
use makegood_domain::ledger::RefundState;
use makegood_domain::plan::Effect;
use makegood_domain::ports::Applied;
use makegood_domain::work::{ItemState, Job, JobState, OutputState, RetryInitiator};

use super::fates::number_of;
use super::races::{Met, Race};
use super::timeline::later;
use crate::between::Sent;

/// An effect, as its sender names it: key, step, part.
pub type Named = (ActionKey, u32, u32);

/// An item, by the numbers of its run and of itself.
type Place = (u32, u32);

pub fn named(sent: &Sent<'_>) -> Named {
    (sent.key.clone(), sent.step.unwrap_or_default(), sent.part)
}

/// Who gave an item its remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Platform,
    Reconciler,
    Agent(usize),
}

#[derive(Clone, Copy, Debug)]
struct Remedy {
    by: Who,
    restored: bool,
}

#[derive(Clone, Debug)]
struct Lease {
    key: ActionKey,
    by: Who,
    until: Timestamp,
}

/// What was seen so far of one record.
#[derive(Debug, Default)]
pub struct Recorder {
    pub met: Met,
    /// Whose turn it is, by its place among the programs.
    actor: usize,
    went_on: BTreeMap<usize, Timestamp>,
    /// Who did an effect first.
    first: BTreeMap<Named, usize>,
    unheard: BTreeSet<Named>,
    /// What the program at hand did last.
    last: Option<Named>,
    remedies: BTreeMap<Place, Remedy>,
    leases: BTreeMap<Place, Lease>,
    /// When each recovery took its lease.
    since: BTreeMap<(Place, ActionKey), Timestamp>,
    parts: BTreeMap<u32, u32>,
    words: BTreeMap<JobId, Vec<Job>>,
    totals: BTreeMap<ChargeId, i64>,
    claims: BTreeMap<RunId, String>,
}

impl Recorder {
    /// A program has its turn.
    pub fn turn_of(&mut self, actor: usize) {
        (self.actor, self.last) = (actor, None);
    }

    /// A program that was stopped goes on.
    pub fn goes_on(&mut self, actor: usize, at: Timestamp) {
        self.went_on.insert(actor, at);
    }

    /// The program at hand does not hear the answer to its last effect.
    pub fn unheard(&mut self) {
        self.unheard.extend(self.last.take());
    }

    fn sender(&self, sent: &Sent<'_>) -> Who {
        if sent.step.is_none() { Who::Reconciler } else { Who::Agent(self.actor) }
    }

    pub fn effect(&mut self, sent: &Sent<'_>, answer: &Applied) {
        let named = named(sent);
        self.last = Some(named.clone());
        match (answer, self.first.get(&named)) {
            (Applied::Done(_), Some(first)) => {
                if sent.step.is_some() {
                    self.met.count(Race::SameKey);
                } else if *first != self.actor {
                    self.met.count(Race::TwoReconcilers);
                }
                if self.unheard.remove(&named) {
                    self.met.count(Race::AnswerLost);
                }
            }
            (Applied::Done(_), None) => {
                self.first.insert(named, self.actor);
                self.done(sent);
            }
            (Applied::Refused(_), _) => self.refused(sent),
        }
    }

    fn done(&mut self, sent: &Sent<'_>) {
        let by = self.sender(sent);
        match sent.effect {
            Effect::Restore { restoration, .. } => {
                let Some(run) = number_of(restoration.charge_id.as_str()) else { return };
                for row in &restoration.items {
                    self.leases.remove(&(run, row.item));
                    self.remedies.insert((run, row.item), Remedy { by, restored: true });
                }
                let parts = self.parts.entry(run).or_default();
                *parts += 1;
                if *parts == 2 {
                    self.met.count(Race::Parts);
                }
            }
            Effect::LeaseItem { run_id, item, lease_seconds } => {
                let Some(run) = number_of(run_id.as_str()) else { return };
                let (place, key) = ((run, *item), sent.key.clone());
                self.since.insert((place, key.clone()), sent.at);
                let until = later(sent.at, SignedDuration::from_secs(*lease_seconds));
                self.leases.insert(place, Lease { key, by, until });
            }
            Effect::ReleaseItem { run_id, item, .. } => {
                let Some(run) = number_of(run_id.as_str()) else { return };
                self.leases.remove(&(run, *item));
            }
            Effect::Deliver { run_id, item, .. } => {
                let Some(run) = number_of(run_id.as_str()) else { return };
                self.leases.remove(&(run, *item));
                self.remedies.insert((run, *item), Remedy { by, restored: false });
            }
            _ => {}
        }
    }

    fn refused(&mut self, sent: &Sent<'_>) {
        match sent.effect {
            Effect::Restore { restoration, .. } => {
                let Some(run) = number_of(restoration.charge_id.as_str()) else { return };
                for row in &restoration.items {
                    self.refused_restoration(sent, (run, row.item));
                }
            }
            Effect::LeaseItem { run_id, item, .. } => {
                let Some(run) = number_of(run_id.as_str()) else { return };
                self.refused_lease(sent, (run, *item));
            }
            Effect::Deliver { run_id, item, .. } => {
                let Some(run) = number_of(run_id.as_str()) else { return };
                let since = self.since.get(&((run, *item), sent.key.clone()));
                let stopped = self.went_on.get(&self.actor).zip(since).is_some_and(|(went_on, since)| went_on > since);
                self.met.count(if stopped { Race::StoppedHolder } else { Race::LateHolder });
            }
            _ => {}
        }
    }

    fn refused_restoration(&mut self, sent: &Sent<'_>, place: Place) {
        let me = self.sender(sent);
        if self.leases.get(&place).is_some_and(|lease| lease.key != *sent.key && sent.at < lease.until) {
            self.met.count(Race::UnderLease);
        }
        let Some(remedy) = self.remedies.get(&place) else { return };
        let race = match (remedy.by, remedy.restored, me) {
            (Who::Reconciler, true, Who::Agent(_)) => Race::AgentSecond,
            (Who::Agent(_), true, Who::Reconciler) => Race::ReconcilerSecond,
            (Who::Agent(first), true, Who::Agent(second)) if first != second => Race::TwoAgents,
            (Who::Platform, false, Who::Reconciler) => Race::WordAndReconciler,
            (Who::Platform, false, Who::Agent(_)) => Race::WordAndAgent,
            _ => return,
        };
        self.met.count(race);
    }

    fn refused_lease(&mut self, sent: &Sent<'_>, place: Place) {
        let me = self.sender(sent);
        let held = self.leases.get(&place).filter(|lease| sent.at < lease.until).map(|lease| lease.by);
        let brought = self.remedies.get(&place).filter(|remedy| !remedy.restored).map(|remedy| remedy.by);
        if let (Some(Who::Agent(first)), Who::Agent(second)) = (held.or(brought), me) {
            self.met.add(Race::TwoRecoveries, u64::from(first != second));
        }
    }

    /// Facts that were taken.
    pub fn imported(&mut self, facts: &[Fact]) {
        for fact in facts {
            match fact {
                Fact::Output(row) => {
                    let Some(run) = number_of(row.run_id.as_str()) else { continue };
                    if row.state == OutputState::Stored {
                        self.succeeded((run, row.item), true)
                    } else {
                        self.opened(run)
                    }
                }
                Fact::Job(row) => self.word(row),
                Fact::Charge(row) => {
                    let first = *self.totals.entry(row.id.clone()).or_insert(row.total);
                    let owed = number_of(row.id.as_str()).is_some_and(|run| !self.remedies.contains_key(&(run, 1)));
                    self.met.add(Race::NewPrice, u64::from(first != row.total && owed));
                }
                Fact::Run(row) if row.retry_initiator == Some(RetryInitiator::Customer) => {
                    self.met.count(Race::OwnRetry);
                }
                Fact::Refund(row) if row.state == RefundState::Reversed => {
                    number_of(row.run_id.as_str()).into_iter().for_each(|run| self.opened(run));
                }
                _ => {}
            }
        }
    }

    /// The platform took something back: what was settled may be open again.
    fn opened(&mut self, run: u32) {
        self.remedies.retain(|(of, _), _| *of != run);
    }

    fn succeeded(&mut self, place: Place, stored: bool) {
        match self.remedies.get(&place) {
            Some(Remedy { by: Who::Reconciler, restored: true }) => self.met.count(Race::WordAndReconciler),
            Some(Remedy { by: Who::Agent(_), restored: true }) => self.met.count(Race::WordAndAgent),
            Some(_) => {}
            None if stored => {
                self.remedies.insert(place, Remedy { by: Who::Platform, restored: false });
            }
            None => {}
        }
    }

    fn word(&mut self, told: &Job) {
        let known = self.words.entry(told.id.clone()).or_default();
        if known.contains(told) {
            self.met.count(Race::WordAgain);
        }
        let newest = known.iter().filter_map(|word| word.looked_up_at).max();
        if told.looked_up_at < newest {
            self.met.count(Race::OldWord);
        }
        known.push(told.clone());
        if let (Some(run), JobState::Succeeded) = (number_of(told.run_id.as_str()), told.state) {
            let made = told.items.iter().filter(|item| item.state == ItemState::Succeeded);
            made.for_each(|item| self.succeeded((run, item.item), false));
        }
    }

    pub fn claimed(&mut self, root: &RunId, worker: &str) {
        let before = self.claims.insert(root.clone(), worker.to_owned());
        self.met.add(Race::TwoReconcilers, u64::from(before.is_some_and(|before| before != worker)));
    }

    pub fn gave_back(&mut self, root: &RunId) {
        self.claims.remove(root);
    }
}
