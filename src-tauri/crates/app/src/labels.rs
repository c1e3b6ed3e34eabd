//! Words for agents. Message texts for customers are the domain's drafts, not these.

use makegood_domain::diagnose::{FactSource, Remedy, Verdict};
use makegood_domain::money::BalanceKind;
use makegood_domain::plan::{ActionKind, CaseState};
use makegood_domain::work::{ItemState, JobState, UploadResult, WebhookResult};

use crate::contract::Tone;

pub(crate) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::RequesterUnknown => "Requester unknown",
        Verdict::OutOfScope => "Not about a run",
        Verdict::ForeignAssetInProject => "Foreign file here",
        Verdict::NoMatch => "Which run?",
        Verdict::NotCharged => "Not charged",
        Verdict::MisattributedOtherCustomer => "In another account",
        Verdict::DuplicateCharge => "Charged twice",
        Verdict::CancelledBeforeStart => "Cancelled in time",
        Verdict::CancelledAfterStart => "Cancelled late",
        Verdict::ProjectDeleted => "Project deleted",
        Verdict::MisattributedSameCustomer => "In another place",
        Verdict::DeliveredNotOnCanvas => "In history only",
        Verdict::DeliveredOk => "Delivered",
        Verdict::PartialBatch => "Part delivered",
        Verdict::LateResult => "Came after refund",
        Verdict::CorruptOutput => "File damaged",
        Verdict::NeverSubmitted => "Never submitted",
        Verdict::ProviderUnreachable => "Provider unreachable",
        Verdict::InProgress => "Still running",
        Verdict::ProviderStalled => "Stalled",
        Verdict::ProviderFiltered => "Filtered",
        Verdict::ProviderFailed => "Provider failed",
        Verdict::StorageQuotaExceeded => "Storage full",
        Verdict::UploadFailed => "Upload failed",
        Verdict::WebhookLost => "Webhook lost",
    }
}

pub(crate) fn verdict_tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::DeliveredOk | Verdict::NotCharged => Tone::Ok,
        Verdict::DeliveredNotOnCanvas
        | Verdict::MisattributedSameCustomer
        | Verdict::InProgress
        | Verdict::LateResult
        | Verdict::OutOfScope => Tone::Info,
        Verdict::RequesterUnknown
        | Verdict::NoMatch
        | Verdict::CancelledBeforeStart
        | Verdict::CancelledAfterStart
        | Verdict::ProjectDeleted
        | Verdict::PartialBatch
        | Verdict::ProviderUnreachable
        | Verdict::StorageQuotaExceeded
        | Verdict::WebhookLost => Tone::Warn,
        Verdict::ForeignAssetInProject
        | Verdict::MisattributedOtherCustomer
        | Verdict::DuplicateCharge
        | Verdict::CorruptOutput
        | Verdict::NeverSubmitted
        | Verdict::ProviderStalled
        | Verdict::ProviderFiltered
        | Verdict::ProviderFailed
        | Verdict::UploadFailed => Tone::Bad,
    }
}

pub(crate) fn remedy(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::RecoverAsset => "Recover the output",
        Remedy::RestoreCredits => "Restore the credits",
        Remedy::RecoverAssetAndRestoreCredits => "Recover what can be had, restore the rest",
        Remedy::HoldAsset => "Keep the file on hold",
        Remedy::Reattach => "Move the output to its place",
        Remedy::GuideToAsset => "Tell where the output is",
        Remedy::QuarantineAndRecover => "Quarantine the copy, deliver to the owner",
        Remedy::QuarantineAndIncident => "Quarantine and open an incident",
        Remedy::WaitForReconciler => "Wait for the reconciler",
        Remedy::WaitInProgress => "Wait for the provider",
        Remedy::RetryProviderLookup => "Ask the provider again",
        Remedy::NoneAlreadyRefunded => "Nothing: already refunded",
        Remedy::NoneDelivered => "Nothing: delivered",
        Remedy::NoneNotEligible => "Nothing: not refundable",
        Remedy::NoneNotCharged => "Nothing: not charged",
        Remedy::AskForDetails => "Ask which run is meant",
        Remedy::VerifyIdentity => "Verify who is asking",
        Remedy::RouteToBilling => "Route to billing",
        Remedy::LinkToTicket => "Link to the older ticket",
    }
}

pub(crate) fn case_state(state: CaseState) -> &'static str {
    match state {
        CaseState::Open => "Open",
        CaseState::Waiting => "Waiting",
        CaseState::Settled => "Settled",
        CaseState::Linked => "Linked",
    }
}

pub(crate) fn action(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Recover => "Recover",
        ActionKind::Restore => "Restore",
        ActionKind::Reattach => "Reattach",
        ActionKind::Hold => "Hold",
        ActionKind::Release => "Release",
        ActionKind::Quarantine => "Quarantine",
        ActionKind::Link => "Link",
        ActionKind::Ask => "Ask",
        ActionKind::Route => "Route",
        ActionKind::Answer => "Answer",
    }
}

pub(crate) fn balance(kind: BalanceKind) -> &'static str {
    match kind {
        BalanceKind::SubscriptionQuota => "Subscription quota",
        BalanceKind::Wallet => "Wallet",
        BalanceKind::WorkspacePool => "Workspace pool",
        BalanceKind::WorkspaceWallet => "Workspace wallet",
    }
}

pub(crate) fn source(source: FactSource) -> &'static str {
    match source {
        FactSource::Ticket => "ticket",
        FactSource::Ledger => "ledger",
        FactSource::Canvas => "canvas",
        FactSource::Provider => "provider",
        FactSource::Webhook => "webhook",
        FactSource::Storage => "storage",
        FactSource::Accounts => "accounts",
        FactSource::Policy => "policy",
    }
}

pub(crate) fn job_state(state: JobState) -> (&'static str, Tone) {
    match state {
        JobState::Queued => ("queued", Tone::Info),
        JobState::Processing => ("processing", Tone::Info),
        JobState::Succeeded => ("succeeded", Tone::Ok),
        JobState::Failed => ("failed", Tone::Bad),
        JobState::Filtered => ("filtered", Tone::Bad),
        JobState::Cancelled => ("cancelled", Tone::Warn),
        JobState::NotFound => ("not found", Tone::Bad),
        JobState::LookupFailed => ("look-up failed", Tone::Warn),
        JobState::Unrecognised => ("unrecognised", Tone::Warn),
    }
}

pub(crate) fn item_state(state: ItemState) -> (&'static str, Tone) {
    match state {
        ItemState::Succeeded => ("succeeded", Tone::Ok),
        ItemState::Failed => ("failed", Tone::Bad),
        ItemState::Filtered => ("filtered", Tone::Bad),
        ItemState::NotReturned => ("not returned", Tone::Bad),
        ItemState::Processing => ("processing", Tone::Info),
    }
}

pub(crate) fn upload(result: UploadResult) -> (&'static str, Tone) {
    match result {
        UploadResult::Ok => ("stored", Tone::Ok),
        UploadResult::NetworkError => ("upload: network error", Tone::Bad),
        UploadResult::Timeout => ("upload: time-out", Tone::Bad),
        UploadResult::QuotaExceeded => ("upload: storage full", Tone::Bad),
    }
}

pub(crate) fn webhook(result: WebhookResult) -> (&'static str, Tone) {
    match result {
        WebhookResult::Accepted => ("accepted", Tone::Ok),
        WebhookResult::Duplicate => ("duplicate", Tone::Info),
        WebhookResult::Timeout => ("timed out", Tone::Bad),
        WebhookResult::Rejected => ("rejected", Tone::Bad),
    }
}

/// An instant as agents read it: `14 Mar 15:20:05 UTC`.
pub(crate) fn utc(at: jiff::Timestamp) -> String {
    at.strftime("%-d %b %H:%M:%S UTC").to_string()
}
