//! What the reconciler does about one logical run that nobody asked about: per item, bring its file,
//! return its credits, wait, or leave it to people. Pure; the rules are those of `diagnose`, this only
//! says which of them the reconciler carries out, under which keys, and when it looks again.
//!
//! The promise (R1, R34): a file is fetched as soon as it is seen and tried again until hour 23 from
//! the posting of the charge or until its provider deletes it; what cannot be had is restored in the
//! pass that learns it, and everything that is still open in the last pass that is sure to keep hour
//! 24: the one after which the next would begin less than the policy's margin before it. What is not
//! known pays nothing before that pass.

mod capture;
mod detect;
mod next;
#[cfg(test)]
mod properties;
mod steps;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::diagnose::items::{Fate, ItemView, items};
use crate::diagnose::money::Money;
use crate::diagnose::{Diagnosis, ItemActionKind, Verdict, unasked};
use crate::ids::{ActionKey, ChargeId, JobId, OutputId, ProviderId, RunId};
use crate::matching::{LogicalRun, logical_run};
use crate::plan::{Effect, Fetch, Place};
use crate::policy::Policy;
use crate::ports::{Detection, NextLook};
use crate::scope::Scope;
use crate::work::{Job, JobState};

pub use capture::{NotToBeHad, Unsaved, is_here, not_to_be_had, unsaved};

/// What was tried for an item since the run was taken from the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// The file could not be brought; `gone`: its provider says for sure that it no longer has it.
    Failed { gone: bool },
    /// All of it is here, and the vault does not take it now: what its provider has is no matter any more.
    Arrived,
    /// Nobody has it any more: our own copy is missing or damaged, and its provider says that it is gone.
    Lost,
    /// The record did not allow it: somebody else has the item, or was first.
    Refused,
}

/// A run, and what is known of the tries so far.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub scope: &'a Scope,
    /// First run of the logical run (P2).
    pub root: &'a RunId,
    /// How often the run was looked at before; the waits grow with it.
    pub tries: u32,
    /// By item, in this look.
    pub tried: &'a BTreeMap<u32, Tried>,
    /// How long after this pass the next one comes by.
    pub every: SignedDuration,
}

/// An effect under its key. The same key always means the same effect, so that two reconcilers that
/// come to the same decision meet the same row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    pub key: ActionKey,
    /// The item that it settles; 0 where it concerns no single item.
    pub item: u32,
    pub effect: Effect,
}

/// A file to be brought: lease, fetch, verify, deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    pub key: ActionKey,
    pub item: u32,
    pub fetch: Fetch,
    pub place: Place,
    pub output_id: OutputId,
    /// When it is given up: so that the credits are back before the window ends (I10), and in any case
    /// after the longest time that a transfer may take.
    pub until: Timestamp,
}

/// A job that is to be asked about before anything is decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AskAbout {
    pub provider_id: ProviderId,
    pub job_id: JobId,
}

impl AskAbout {
    fn of(job: &Job) -> Self {
        Self { provider_id: job.provider_id.clone(), job_id: job.id.clone() }
    }
}

/// What to do now, what was noticed, and when to look again if nothing is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub verdict: Verdict,
    /// Done first and in order, whatever else waits (P11): every stray output is made unreachable,
    /// the incident opened, and what is whole given to its owner.
    pub incident: Vec<Settlement>,
    pub transfers: Vec<Transfer>,
    /// One item of one charge each.
    pub restorations: Vec<Settlement>,
    /// Done when a restoration was (P8): the provider need not go on.
    pub cancels: Vec<Settlement>,
    /// What does not agree now. Others of this run are over.
    pub detections: Vec<Detection>,
    /// What comes after this look if nothing of the above is to be done, or could be.
    pub next: NextLook,
    /// What became of an open item could not be found out.
    pub unknown: bool,
    /// Earliest instant at which something of this run is lost or broken: a file's deadline, or the
    /// end of the window. Orders the work of a pass.
    pub urgent_at: Timestamp,
    /// From when on nothing is waited for any more, no provider either.
    pub settle_at: Timestamp,
}

impl Decision {
    /// Whether there is something to do now.
    #[must_use]
    pub fn acts(&self) -> bool {
        !(self.incident.is_empty() && self.transfers.is_empty() && self.restorations.is_empty())
    }
}

/// The jobs of a run about which a provider must be asked before [`decide`]: those of which the last
/// word is not known, those that are done and whose files are missing, here as well as there, and those of
/// which the platform alone says that they failed. What a provider itself called failed is not asked about
/// again.
#[must_use]
pub fn to_ask(scope: &Scope, root: &RunId, policy: &Policy, now: Timestamp) -> Vec<AskAbout> {
    let Some(run) = logical_run(scope, root) else { return Vec::new() };
    if items(&run, scope, policy, now).iter().all(|item| item.is_stored() || item.is_saved()) {
        return Vec::new();
    }
    let jobs = run.jobs();
    jobs.iter().filter(|job| !has_failed(scope, job)).map(|job| AskAbout::of(job)).collect()
}

/// By the word of its provider, or of the platform where that is the last there is.
fn has_failed(scope: &Scope, job: &Job) -> bool {
    let failure = matches!(job.state, JobState::Failed | JobState::Filtered | JobState::Cancelled | JobState::NotFound);
    failure && !scope.is_hearsay(job)
}

/// A job about which nobody could be asked is as good as one whose look-up failed (P9), whatever the
/// platform says of it: that something succeeded is believed only with its result, and that it failed only
/// of a provider that looks nothing up.
pub fn leave_unheard(scope: &mut Scope, unheard: &BTreeSet<AskAbout>) {
    let mut silent = BTreeSet::new();
    for job in scope.runs.iter().flat_map(|dossier| &dossier.jobs) {
        if !has_failed(scope, job) && unheard.contains(&AskAbout::of(job)) {
            silent.insert(job.id.clone());
        }
    }
    for job in scope.runs.iter_mut().flat_map(|dossier| &mut dossier.jobs) {
        if silent.contains(&job.id) {
            job.state = JobState::LookupFailed;
        }
    }
}

/// Decides what the reconciler does about a run as of `now`.
#[must_use]
pub fn decide(question: &Question<'_>, policy: &Policy, now: Timestamp) -> Decision {
    let Some(run) = logical_run(question.scope, question.root) else {
        return unknown_run(question.root, now);
    };
    let view = View::of(*question, run, policy, now);
    let incident = steps::incident(&view);
    let (transfers, restorations) = if view.is_for_people() {
        (Vec::new(), Vec::new())
    } else {
        (steps::transfers(&view), steps::restorations(&view))
    };
    let cancels = if restorations.is_empty() { Vec::new() } else { steps::cancels(&view) };
    Decision {
        verdict: view.diagnosis.verdict,
        incident,
        transfers,
        restorations,
        cancels,
        detections: detect::detections(&view),
        next: next::next_look(&view),
        unknown: view.open().any(|item| matches!(item.fate, Fate::Unknown | Fate::Unrecognised)),
        urgent_at: next::urgent_at(&view),
        settle_at: view.settle_at(),
    }
}

/// One run with everything that a decision rests on.
struct View<'a> {
    question: Question<'a>,
    run: LogicalRun<'a>,
    items: Vec<ItemView<'a>>,
    money: Money<'a>,
    diagnosis: Diagnosis,
    policy: &'a Policy,
    now: Timestamp,
    lost: BTreeSet<u32>,
}

impl<'a> View<'a> {
    fn of(question: Question<'a>, run: LogicalRun<'a>, policy: &'a Policy, now: Timestamp) -> Self {
        let scope = question.scope;
        let items = items(&run, scope, policy, now);
        let money = Money::of(&run, scope, policy);
        let lost = lost(&question, &items, &money, policy, now);
        let patience = policy.settle_after(question.every);
        let diagnosis = unasked(scope, question.root, &lost, patience, policy, now);
        Self { question, run, items, money, diagnosis, policy, now, lost }
    }

    /// P3: the end of the window. A run without a charge has none left.
    fn window_end(&self) -> Timestamp {
        let end = |at: Timestamp| at.saturating_add(self.policy.window()).unwrap_or(Timestamp::MAX);
        self.money.first_posted_at().map_or(self.now, end)
    }

    /// The instant from which on nothing is waited for any more.
    fn settle_at(&self) -> Timestamp {
        let patience = self.policy.settle_after(self.question.every);
        self.money.first_posted_at().map_or(self.now, |at| at.saturating_add(patience).unwrap_or(Timestamp::MAX))
    }

    fn in_window(&self) -> bool {
        self.now < self.window_end()
    }

    /// Items that are neither stored nor settled.
    fn open(&self) -> impl Iterator<Item = &ItemView<'a>> {
        self.items.iter().filter(|item| !item.is_stored() && self.money.owed(item.item) > 0)
    }

    fn action(&self, item: u32) -> Option<ItemActionKind> {
        self.diagnosis.item_actions.iter().find(|row| row.item == item).map(|row| row.action)
    }

    fn tried(&self, item: u32) -> Option<Tried> {
        self.question.tried.get(&item).copied()
    }

    /// The charge that a delivery is paid by, under which an item's steps are keyed.
    fn first_charge(&self) -> Option<&'a ChargeId> {
        self.money.charges.first().map(|view| &view.charge.id)
    }

    /// Charged twice, and something was delivered: which charge goes is for people (R41), and an item
    /// that is missing beside it is decided once that is settled.
    fn is_for_people(&self) -> bool {
        self.diagnosis.verdict == Verdict::DuplicateCharge
    }

    /// A refund went to a balance that did not give (P4): credits are not returned a second time by a
    /// machine before people have looked.
    fn is_pay_doubtful(&self) -> bool {
        !self.money.wrong_balance.is_empty()
    }
}

/// Items whose file is given up: its provider no longer has it, or the transfer failed at a time after
/// which it is not tried again (R34).
fn lost(
    question: &Question<'_>,
    items: &[ItemView<'_>],
    money: &Money<'_>,
    policy: &Policy,
    now: Timestamp,
) -> BTreeSet<u32> {
    let waited = money.first_posted_at().map(|at| now.duration_since(at));
    let over = waited.is_none_or(|waited| waited >= policy.recover_until().min(policy.settle_after(question.every)));
    let is_lost = |item: &&ItemView<'_>| match question.tried.get(&item.item) {
        Some(Tried::Lost) => true,
        // A copy of ours of which nobody has found that it is missing is there, whatever its provider says.
        Some(Tried::Failed { gone: true }) if !item.is_saved() => true,
        Some(Tried::Arrived) => over,
        Some(Tried::Failed { .. }) => over || item.lost_at().is_some_and(|deadline| now >= deadline),
        Some(Tried::Refused) | None => false,
    };
    items.iter().filter(is_lost).map(|item| item.item).collect()
}

fn unknown_run(root: &RunId, now: Timestamp) -> Decision {
    Decision {
        verdict: Verdict::NoMatch,
        incident: Vec::new(),
        transfers: Vec::new(),
        restorations: Vec::new(),
        cancels: Vec::new(),
        detections: Vec::new(),
        next: NextLook::Parked { why: format!("the record has no run {root}") },
        unknown: true,
        urgent_at: now,
        settle_at: now,
    }
}
