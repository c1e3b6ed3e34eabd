//! One look at one run: its providers are asked, and it is settled as far as the rules say.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{ProviderId, RunId};
use makegood_domain::ports::{DueRun, NextLook};
use makegood_domain::reconcile::{AskAbout, Tried};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::Shift;
use super::lanes::{Lanes, Place, Side};
use super::run::Outcome;
use crate::desk::Desk;
use crate::error::Result;

/// What all looks of a pass share.
pub(super) struct Pass<'a> {
    pub shift: &'a Shift,
    /// How long after this pass the next one comes by.
    pub every: SignedDuration,
    pub lanes: &'a Lanes,
    /// How many may be at work with the record. Who is with a provider is not.
    pub hands: Semaphore,
    /// After this no provider is asked any more: the next pass does that.
    pub asks_until: Timestamp,
}

impl Pass<'_> {
    /// Whether nothing new is begun.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.shift.is_over() || now >= self.asks_until
    }
}

/// A run that is looked at, and how far that has come.
pub(super) struct Look<'p> {
    pub due: DueRun,
    /// When something of it is lost, or its promise is broken.
    pub urgent_at: Timestamp,
    /// From when on it is settled with what is known.
    pub settle_at: Timestamp,
    /// When it was taken from the list.
    taken_at: Timestamp,
    /// How long it waits for a place although it is to be settled: a busy provider is no silent one, and may
    /// have the file.
    patience: SignedDuration,
    pub places: Vec<Place<'p>>,
    /// Jobs about which a provider was asked.
    pub asked: BTreeSet<AskAbout>,
    /// Jobs about which nobody could be asked.
    pub unheard: BTreeSet<AskAbout>,
    pub tried: BTreeMap<u32, Tried>,
    /// Items of which our own copy was looked for and is missing or damaged.
    pub unkept: BTreeSet<u32>,
    /// Items of which a file was to be saved in this look.
    pub saving: BTreeSet<u32>,
    pub outcome: Outcome,
}

impl Look<'_> {
    pub(super) fn new(due: DueRun, settle_at: Timestamp, taken_at: Timestamp, patience: SignedDuration) -> Self {
        Self {
            urgent_at: due.charged_at.unwrap_or(Timestamp::MAX),
            due,
            settle_at,
            taken_at,
            patience,
            places: Vec::new(),
            asked: BTreeSet::new(),
            unheard: BTreeSet::new(),
            tried: BTreeMap::new(),
            unkept: BTreeSet::new(),
            saving: BTreeSet::new(),
            outcome: Outcome::default(),
        }
    }

    /// From when on it waits for no place.
    pub(super) fn waits_until(&self) -> Timestamp {
        self.settle_at.max(self.taken_at).saturating_add(self.patience).unwrap_or(Timestamp::MAX)
    }
}

/// How a look ended.
pub(super) enum Looked<'p> {
    Over(RunId, Box<Outcome>),
    /// It goes on when there is a place with this provider.
    Waits(ProviderId, Box<Look<'p>>),
}

/// How far a look has come.
pub(super) enum Came {
    Next(NextLook),
    /// Nothing was looked at, and the run is given back.
    Back(NextLook),
    Waits(ProviderId),
}

/// What became of the wish for a place.
pub(super) enum Wish {
    Granted,
    /// It must wait.
    Wait,
    /// There is none now, and waiting is over.
    Without,
}

/// A hand for the record, put down while a provider is waited for.
pub(super) struct Hand<'p> {
    hands: &'p Semaphore,
    held: Option<SemaphorePermit<'p>>,
}

impl<'p> Hand<'p> {
    pub(super) async fn free(hands: &'p Semaphore) -> Self {
        // Never closed: nobody does that.
        Self { hands, held: hands.acquire().await.ok() }
    }

    /// Does work with a provider, without keeping anybody from the record.
    pub(super) async fn without<F: Future>(&mut self, work: F) -> F::Output {
        self.held = None;
        let output = work.await;
        self.held = self.hands.acquire().await.ok();
        output
    }
}

impl Desk {
    /// Asks about a run and settles it as far as the rules say now, and says when it is looked at again.
    /// Never fails: what could not be done is told.
    pub(super) async fn look<'p>(&self, mut look: Look<'p>, pass: &'p Pass<'p>) -> Looked<'p> {
        let mut hand = Hand::free(&pass.hands).await;
        let came = match self.look_on(&mut look, pass, &mut hand).await {
            Ok(Came::Waits(provider)) => {
                look.places.clear();
                return Looked::Waits(provider, Box::new(look));
            }
            Ok(came) => came,
            Err(why) => {
                look.outcome.problems.push(format!("{} could not be settled: {why}", look.due.root));
                Came::Next(self.in_a_while())
            }
        };
        look.places.clear();
        let (root, mut outcome) = (look.due.root, look.outcome);
        let next = match came {
            Came::Next(next) => {
                outcome.looked_at = true;
                match &next {
                    NextLook::At { .. } => outcome.waits = true,
                    NextLook::Parked { .. } => outcome.parked = true,
                    NextLook::Done => {}
                }
                next
            }
            Came::Back(next) => next,
            Came::Waits(_) => self.in_a_while(),
        };
        if let Err(why) = self.store.end_look(&root, &pass.shift.worker, &next, self.now()).await {
            outcome.problems.push(format!("the next look at {root} was not noted: {why}"));
        }
        if outcome.concerned
            && let Err(why) = self.examine_cases_of(&root).await
        {
            outcome.problems.push(format!("the cases of {root} were not examined again: {why}"));
        }
        Looked::Over(root, Box::new(outcome))
    }

    async fn look_on<'p>(&self, look: &mut Look<'p>, pass: &'p Pass<'p>, hand: &mut Hand<'p>) -> Result<Came> {
        let now = self.now();
        if pass.shift.is_over() {
            // Whoever comes next has it at once.
            return Ok(Came::Back(NextLook::At { at: now }));
        }
        if let Some(came) = self.ask_about(look, pass, hand).await? {
            return Ok(came);
        }
        self.rounds(look, pass, hand).await
    }

    /// A place with a provider for a look that has none yet.
    pub(super) fn wish<'p>(&self, look: &mut Look<'p>, pass: &'p Pass<'p>, provider: &ProviderId) -> Wish {
        if look.places.iter().any(|place| place.provider == *provider) {
            return Wish::Granted;
        }
        let now = self.now();
        match pass.lanes.place(provider, Side::Pass).filter(|_| !pass.is_over(now)) {
            Some(place) => {
                look.places.push(place);
                Wish::Granted
            }
            None if now >= look.waits_until() => Wish::Without,
            None if pass.is_over(now) && now >= look.settle_at => Wish::Without,
            None => Wish::Wait,
        }
    }

    /// When a run is to be settled at the latest, as far as the list of due runs knows.
    pub(super) fn settle_at(&self, due: &DueRun, pass: &Pass<'_>) -> Timestamp {
        let patience = self.policy.settle_after(pass.every);
        due.charged_at.and_then(|at| at.checked_add(patience).ok()).unwrap_or(Timestamp::MAX)
    }
}
