//! What happened to a run: the verdicts in the order of the policy's table, the first that holds.

use jiff::Timestamp;

use super::items::{Fate, Had, ItemView, Lies, is_answered, is_running, lies};
use super::{Look, Verdict};
use crate::scope::Scope;
use crate::work::{ItemState, Job, JobState, RunStatus, UploadResult};

/// Decides from `not_charged` on; what comes before needs no run.
pub(super) fn verdict(look: &Look<'_>) -> Verdict {
    if look.money.charges.is_empty() {
        return Verdict::NotCharged;
    }
    if look.run.outputs().any(|row| lies(row, &look.run, look.scope()) == Lies::OtherAccount) {
        return Verdict::MisattributedOtherCustomer;
    }
    if is_duplicate(look) {
        return Verdict::DuplicateCharge;
    }
    cancelled(look).or_else(|| project_deleted(look)).or_else(|| by_storage(look)).unwrap_or_else(|| by_provider(look))
}

/// More than one charge, and something delivered. Once the surplus charges are settled and an item is
/// still missing, the missing item decides: otherwise nobody would ever look at it.
fn is_duplicate(look: &Look<'_>) -> bool {
    let settled = look.money.surplus().iter().all(|view| view.owed_in_all() == 0);
    look.money.charges.len() > 1
        && look.items.iter().any(ItemView::is_stored)
        && !(settled && look.missing().next().is_some())
}

/// When the provider began, as far as its answer tells.
enum Start {
    Never,
    At(Timestamp),
    /// It began, and does not say when.
    Untold,
    /// The look-up failed, and nothing is known from before; or nobody asked.
    Unknown,
}

fn start(job: &Job, scope: &Scope) -> Start {
    match (job.processing_started_at, job.state) {
        (Some(at), _) => Start::At(at),
        (None, _) if !is_answered(job) || scope.is_hearsay(job) => Start::Unknown,
        (None, JobState::Processing | JobState::Succeeded | JobState::Filtered) => Start::Untold,
        (None, _) => Start::Never,
    }
}

/// P10. A job whose start cannot be learned decides nothing here: it is left to P9.
fn cancelled(look: &Look<'_>) -> Option<Verdict> {
    let at = look.run.cancelled_at();
    let by_status = look.run.members().any(|member| member.run.status == RunStatus::Cancelled);
    if at.is_none() && !by_status {
        return None;
    }
    let starts: Vec<Start> = look.run.jobs().into_iter().map(|job| start(job, look.scope())).collect();
    let began = starts.iter().any(|start| match start {
        Start::At(began) => at.is_none_or(|at| *began <= at),
        Start::Untold => true,
        Start::Never | Start::Unknown => false,
    });
    if began {
        return Some(Verdict::CancelledAfterStart);
    }
    let unknown = starts.iter().any(|start| matches!(start, Start::Unknown));
    (!unknown).then_some(Verdict::CancelledBeforeStart)
}

fn project_deleted(look: &Look<'_>) -> Option<Verdict> {
    let produced = look.items.iter().any(|item| item.is_stored() || item.made.is_some());
    (look.is_project_gone() && produced).then_some(Verdict::ProjectDeleted)
}

fn by_storage(look: &Look<'_>) -> Option<Verdict> {
    let places: Vec<Lies> = look.items.iter().filter_map(|item| item.lies).collect();
    if places.len() == look.items.len() {
        return Some(if places.iter().any(|lies| matches!(lies, Lies::OtherNode | Lies::OtherProject)) {
            Verdict::MisattributedSameCustomer
        } else if places.contains(&Lies::OffCanvas) {
            Verdict::DeliveredNotOnCanvas
        } else {
            Verdict::DeliveredOk
        });
    }
    if !places.is_empty() {
        return Some(Verdict::PartialBatch);
    }
    if look.items.iter().any(ItemView::is_held) {
        return Some(Verdict::LateResult);
    }
    look.items.iter().any(ItemView::is_damaged).then_some(Verdict::CorruptOutput)
}

/// Nothing is stored: the provider's answer decides, then what became of the file on its way.
fn by_provider(look: &Look<'_>) -> Verdict {
    let jobs = look.run.jobs();
    let Some(job) = decisive(look, &jobs) else { return Verdict::NeverSubmitted };
    if look.items.iter().any(|item| item.is_saved()) && !is_running(job) {
        // It was made, whatever its provider says of it since.
        return on_its_way(look);
    }
    match job.state {
        JobState::LookupFailed | JobState::Unrecognised => Verdict::ProviderUnreachable,
        _ if look.scope().is_hearsay(job) && look.missing().all(|item| item.fate == Fate::Unknown) => {
            Verdict::ProviderUnreachable
        }
        JobState::Queued | JobState::Processing if look.now < look.stall_end() => Verdict::InProgress,
        JobState::Queued | JobState::Processing => Verdict::ProviderStalled,
        JobState::Filtered => Verdict::ProviderFiltered,
        JobState::Failed | JobState::NotFound | JobState::Cancelled => Verdict::ProviderFailed,
        JobState::Succeeded if look.items.iter().any(|item| item.made.is_some()) => on_its_way(look),
        JobState::Succeeded if job.items.iter().any(|entry| entry.state == ItemState::Filtered) => {
            Verdict::ProviderFiltered
        }
        JobState::Succeeded => Verdict::ProviderFailed,
    }
}

/// Of the jobs of a run and its system retries, the one that decides: one that has the file, else one
/// that could not be looked up, else one that is not done, else one that nobody asked about, else one that made
/// a file, else the last.
fn decisive<'a>(look: &Look<'a>, jobs: &[&'a Job]) -> Option<&'a Job> {
    let made = |had: Option<Had>| {
        let files = look.items.iter().filter_map(|item| item.made.as_ref());
        files.filter(|made| had.is_none_or(|had| made.had == had)).map(|made| made.job).find(|job| !is_running(job))
    };
    made(Some(Had::There))
        .or_else(|| jobs.iter().copied().find(|job| !is_answered(job)))
        .or_else(|| jobs.iter().copied().find(|job| is_running(job)))
        .or_else(|| jobs.iter().copied().find(|job| look.scope().is_hearsay(job)))
        .or_else(|| made(None))
        .or_else(|| jobs.last().copied())
}

/// The provider made the file and it is not in storage.
fn on_its_way(look: &Look<'_>) -> Verdict {
    let mut tries = look.run.uploads().peekable();
    if tries.peek().is_none() {
        Verdict::WebhookLost
    } else if tries.any(|try_| try_.result == UploadResult::QuotaExceeded) {
        Verdict::StorageQuotaExceeded
    } else {
        Verdict::UploadFailed
    }
}
