//! What became of each item of a logical run: where it is stored, whether the provider made it, and
//! whether its file can still be had (P7).

use jiff::{SignedDuration, Timestamp};

use crate::capture::Capture;
use crate::matching::LogicalRun;
use crate::policy::Policy;
use crate::scope::Scope;
use crate::work::{ItemState, Job, JobItem, JobState, Output, OutputState, Presence, ProviderFile};

/// Where a stored output lies, against where its run asked for it. The better place first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lies {
    Right,
    /// In the history of the right project, and on no node that still exists.
    OffCanvas,
    OtherNode,
    /// In another project of the same account.
    OtherProject,
    /// In a project of another account, or in one that is not known: an incident (P11).
    OtherAccount,
}

/// Whether the provider has the file now (P7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Had {
    There,
    Gone,
    /// The look-up failed or was not understood.
    Unknown,
}

/// A file that the provider made of an item.
#[derive(Clone, Debug)]
pub struct Made<'a> {
    pub job: &'a Job,
    /// How long it is; 0 where nobody has said.
    pub bytes: u64,
    /// Until when its provider keeps it; `None` where not even the time of finishing is known.
    pub deadline: Option<Timestamp>,
    /// The deadline is the assumed one (P7).
    pub assumed: bool,
    pub had: Had,
    /// Our own copy. It exists, whatever a look-up says (P7).
    pub saved: Option<&'a Capture>,
}

/// What can still come of an item that is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Its file can be had.
    Obtainable,
    /// The look-up failed (P9), or nobody asked: the platform alone says that nothing will come.
    Unknown,
    /// The provider answered in words that are not understood: never pays.
    Unrecognised,
    /// The provider is not done (P8).
    Running,
    /// Nothing will come: failed, filtered, never submitted, or no longer kept.
    Nothing,
}

/// One item of a logical run.
#[derive(Clone, Debug)]
pub struct ItemView<'a> {
    pub item: u32,
    pub outputs: Vec<&'a Output>,
    /// The best place of a whole stored file.
    pub lies: Option<Lies>,
    /// The best of the files that the provider made.
    pub made: Option<Made<'a>>,
    pub fate: Fate,
}

impl ItemView<'_> {
    /// Our own copy of its file is in the vault.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        self.made.as_ref().is_some_and(|made| made.saved.is_some())
    }

    /// When its file is lost for good; `None` where that is not known, and where there is a copy of our own.
    #[must_use]
    pub fn lost_at(&self) -> Option<Timestamp> {
        self.made.as_ref().filter(|made| made.saved.is_none()).and_then(|made| made.deadline)
    }

    /// Stored whole, wherever.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.lies.is_some()
    }

    #[must_use]
    pub fn is_held(&self) -> bool {
        self.outputs.iter().any(|row| row.state == OutputState::Held)
    }

    /// Its outputs that are damaged or empty.
    pub fn damaged(&self) -> impl Iterator<Item = &crate::ids::OutputId> {
        self.outputs.iter().filter(|row| is_damaged(row)).map(|row| &row.id)
    }

    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.outputs.iter().any(|row| is_damaged(row))
    }
}

/// The items of a run, from 1.
#[must_use]
pub fn items<'a>(run: &LogicalRun<'a>, scope: &'a Scope, policy: &Policy, now: Timestamp) -> Vec<ItemView<'a>> {
    let jobs = run.jobs();
    numbers(run)
        .map(|item| {
            let outputs: Vec<&Output> = run.outputs().filter(|row| row.item == item).collect();
            let lies = best_place(&outputs, run, scope);
            let made = best_file(item, run, &jobs, scope, policy, now);
            let fate = fate(made.as_ref(), &jobs, scope);
            ItemView { item, outputs, lies, made, fate }
        })
        .collect()
}

/// Charged, and not simply delivered on the canvas without a refund (P2). Two charges are not simple.
#[must_use]
pub fn is_troubled(run: &LogicalRun<'_>, scope: &Scope) -> bool {
    let charges = run.charges().len();
    if charges == 0 {
        return false;
    }
    let delivered = numbers(run).all(|item| {
        let outputs: Vec<&Output> = run.outputs().filter(|row| row.item == item).collect();
        best_place(&outputs, run, scope) == Some(Lies::Right)
    });
    let strays = run.outputs().any(|row| lies(row, run, scope) == Lies::OtherAccount);
    !(delivered && charges == 1 && run.refunds().is_empty() && !strays)
}

fn numbers(run: &LogicalRun<'_>) -> std::ops::RangeInclusive<u32> {
    1..=run.head().items().max(1)
}

fn best_place(outputs: &[&Output], run: &LogicalRun<'_>, scope: &Scope) -> Option<Lies> {
    outputs
        .iter()
        .filter(|row| row.state == OutputState::Stored && !is_damaged(row))
        .map(|row| lies(row, run, scope))
        .min()
}

/// Damaged as the platform says, or empty: an object of 0 bytes is not a file (R12).
fn is_damaged(row: &Output) -> bool {
    row.state == OutputState::Corrupt || (row.state == OutputState::Stored && row.bytes == 0)
}

/// Where an output lies against the project and node of its run, or of a retry of it.
#[must_use]
pub fn lies(row: &Output, run: &LogicalRun<'_>, scope: &Scope) -> Lies {
    if !run.members().any(|member| member.run.project_id == row.project_id) {
        let same = scope.project(&row.project_id).is_some_and(|project| project.account_id == *run.account_id());
        return if same { Lies::OtherProject } else { Lies::OtherAccount };
    }
    let shown = row.node_id.as_ref().filter(|_| row.on_canvas);
    let Some(node) = shown.filter(|id| scope.node(id).is_none_or(|node| node.status == Presence::Active)) else {
        return Lies::OffCanvas;
    };
    if run.members().any(|member| member.run.node_id == *node) { Lies::Right } else { Lies::OtherNode }
}

/// Our own copy first, then the file that can be had before one that cannot, the longer kept before the shorter.
fn best_file<'a>(
    item: u32,
    run: &LogicalRun<'a>,
    jobs: &[&'a Job],
    scope: &Scope,
    policy: &Policy,
    now: Timestamp,
) -> Option<Made<'a>> {
    saved(item, run, jobs, scope, policy, now).or_else(|| best_made(item, jobs, scope, policy, now))
}

/// The oldest of our copies of an item, also where its provider has forgotten the job since. What is told
/// of the provider's file is told as before, so that a finding does not change because it was saved; a
/// deadline that has passed took nothing from anybody.
fn saved<'a>(
    item: u32,
    run: &LogicalRun<'a>,
    jobs: &[&'a Job],
    scope: &Scope,
    policy: &Policy,
    now: Timestamp,
) -> Option<Made<'a>> {
    let copies = run.captures().filter(|copy| copy.item == item);
    let (job, copy) = copies
        .filter_map(|copy| Some((*jobs.iter().find(|job| job.id == copy.job_id)?, copy)))
        .min_by_key(|(_, copy)| copy.captured_at)?;
    let told = best_made(item, &[job], scope, policy, now).filter(|made| made.deadline.is_none_or(|at| now < at));
    let (deadline, assumed) = told.map_or((None, false), |made| (made.deadline, made.assumed));
    Some(Made { job, bytes: copy.file.bytes, deadline, assumed, had: Had::There, saved: Some(copy) })
}

fn best_made<'a>(item: u32, jobs: &[&'a Job], scope: &Scope, policy: &Policy, now: Timestamp) -> Option<Made<'a>> {
    jobs.iter()
        .flat_map(|job| job.items.iter().map(move |entry| (*job, entry)))
        .filter(|(_, entry)| entry.item == item && entry.state == ItemState::Succeeded)
        .filter_map(|(job, entry)| made(job, entry, scope, policy, now))
        .max_by_key(|made| (made.had == Had::There, made.deadline))
}

fn made<'a>(job: &'a Job, entry: &'a JobItem, scope: &Scope, policy: &Policy, now: Timestamp) -> Option<Made<'a>> {
    let file = entry.file.as_ref()?;
    let (deadline, assumed) = deadline(job, entry, file, scope, policy);
    let had = match (is_answered(job), file.exists_now) {
        (false, _) => Had::Unknown,
        (true, Some(true)) => Had::There,
        (true, Some(false)) => Had::Gone,
        (true, None) if deadline.is_some_and(|deadline| now >= deadline) => Had::Gone,
        (true, None) => Had::There,
    };
    Some(Made { job, bytes: file.bytes, deadline, assumed, had, saved: None })
}

/// P7: the file's own, else the item's finish plus the provider's retention, else plus the assumed one.
fn deadline(
    job: &Job,
    entry: &JobItem,
    file: &ProviderFile,
    scope: &Scope,
    policy: &Policy,
) -> (Option<Timestamp>, bool) {
    if file.available_until.is_some() {
        return (file.available_until, false);
    }
    let Some(finished) = entry.finished_at.or(job.finished_at) else { return (None, false) };
    let known = scope.provider(&job.provider_id).and_then(|provider| provider.retention_hours);
    let kept = known.map_or(policy.assumed_retention(), |hours| {
        SignedDuration::try_from_hours(hours.max(0)).unwrap_or(SignedDuration::MAX)
    });
    (Some(finished.checked_add(kept).unwrap_or(Timestamp::MAX)), known.is_none())
}

fn fate(made: Option<&Made<'_>>, jobs: &[&Job], scope: &Scope) -> Fate {
    let any = |state: JobState| jobs.iter().any(|job| job.state == state);
    if made.is_some_and(|made| made.had == Had::There) {
        Fate::Obtainable
    } else if any(JobState::Unrecognised) {
        Fate::Unrecognised
    } else if any(JobState::LookupFailed) {
        Fate::Unknown
    } else if jobs.iter().any(|job| is_running(job)) {
        Fate::Running
    } else if jobs.iter().any(|job| scope.is_hearsay(job)) {
        Fate::Unknown
    } else {
        Fate::Nothing
    }
}

/// Whether the look-up said anything about the job.
pub(super) fn is_answered(job: &Job) -> bool {
    !matches!(job.state, JobState::LookupFailed | JobState::Unrecognised)
}

pub(super) fn is_running(job: &Job) -> bool {
    matches!(job.state, JobState::Queued | JobState::Processing)
}
