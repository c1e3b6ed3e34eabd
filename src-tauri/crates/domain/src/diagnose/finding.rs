//! The words of a diagnosis: verdict, remedy, item actions, flags, message points, and the facts
//! they rest on. Names are those of the policy.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, BalanceId, ChargeId, OutputId, RunId, TicketId};
use crate::money::{BalanceKind, Credits};
use crate::words::words;

words! {
    /// What happened, in the order in which verdicts are decided.
    Verdict {
        RequesterUnknown = "requester_unknown",
        OutOfScope = "out_of_scope",
        ForeignAssetInProject = "foreign_asset_in_project",
        NoMatch = "no_match",
        NotCharged = "not_charged",
        MisattributedOtherCustomer = "misattributed_other_customer",
        DuplicateCharge = "duplicate_charge",
        CancelledBeforeStart = "cancelled_before_start",
        CancelledAfterStart = "cancelled_after_start",
        ProjectDeleted = "project_deleted",
        MisattributedSameCustomer = "misattributed_same_customer",
        DeliveredNotOnCanvas = "delivered_not_on_canvas",
        DeliveredOk = "delivered_ok",
        PartialBatch = "partial_batch",
        LateResult = "late_result",
        CorruptOutput = "corrupt_output",
        NeverSubmitted = "never_submitted",
        ProviderUnreachable = "provider_unreachable",
        InProgress = "in_progress",
        ProviderStalled = "provider_stalled",
        ProviderFiltered = "provider_filtered",
        ProviderFailed = "provider_failed",
        StorageQuotaExceeded = "storage_quota_exceeded",
        UploadFailed = "upload_failed",
        WebhookLost = "webhook_lost",
    }
}

words! {
    /// What is done about it.
    Remedy {
        RecoverAsset = "recover_asset",
        RestoreCredits = "restore_credits",
        RecoverAssetAndRestoreCredits = "recover_asset_and_restore_credits",
        HoldAsset = "hold_asset",
        Reattach = "reattach",
        GuideToAsset = "guide_to_asset",
        QuarantineAndRecover = "quarantine_and_recover",
        QuarantineAndIncident = "quarantine_and_incident",
        WaitForReconciler = "wait_for_reconciler",
        WaitInProgress = "wait_in_progress",
        RetryProviderLookup = "retry_provider_lookup",
        NoneAlreadyRefunded = "none_already_refunded",
        NoneDelivered = "none_delivered",
        NoneNotEligible = "none_not_eligible",
        NoneNotCharged = "none_not_charged",
        AskForDetails = "ask_for_details",
        VerifyIdentity = "verify_identity",
        RouteToBilling = "route_to_billing",
        LinkToTicket = "link_to_ticket",
    }
}

words! {
    /// What is done for one item.
    ItemActionKind {
        None = "none",
        Recover = "recover",
        Restore = "restore",
        Hold = "hold",
        Reattach = "reattach",
        Guide = "guide",
        Wait = "wait",
        Quarantine = "quarantine",
    }
}

words! {
    /// What else must be known or done.
    Flag {
        PrivacyIncident = "privacy_incident",
        UrgentRetention = "urgent_retention",
        RetentionAssumed = "retention_assumed",
        NeedsStorageSpace = "needs_storage_space",
        CancelUpstream = "cancel_upstream",
        ProviderUnconfirmed = "provider_unconfirmed",
        QuotaPeriodRolled = "quota_period_rolled",
        SubscriptionEnded = "subscription_ended",
        WrongBalanceRefund = "wrong_balance_refund",
        RequesterNotMember = "requester_not_member",
        Reopened = "reopened",
        ProjectIdCorrected = "project_id_corrected",
        ProjectRefUnknown = "project_ref_unknown",
        EvidenceRelaxed = "evidence_relaxed",
    }
}

words! {
    /// What the answer to the customer says.
    MessagePoint {
        ConfirmRun = "confirm_run",
        WhatHappened = "what_happened",
        WaitUntil = "wait_until",
        StillRunning = "still_running",
        ProviderLookupPending = "provider_lookup_pending",
        RefundAlreadyPosted = "refund_already_posted",
        RedebitNeededForAsset = "redebit_needed_for_asset",
        CreditsRestored = "credits_restored",
        CreditsToWorkspace = "credits_to_workspace",
        RestoredToCurrentPeriod = "restored_to_current_period",
        RestoredToWallet = "restored_to_wallet",
        ExcludedFromBillableTotal = "excluded_from_billable_total",
        DuplicateChargeRemoved = "duplicate_charge_removed",
        AssetRecoveredNoRerun = "asset_recovered_no_rerun",
        AssetMovedToRightPlace = "asset_moved_to_right_place",
        AssetOnHoldUntil = "asset_on_hold_until",
        FreeSpaceNeeded = "free_space_needed",
        AssetLocation = "asset_location",
        DragBackFree = "drag_back_free",
        PartialItemsExplained = "partial_items_explained",
        FileNoLongerRetained = "file_no_longer_retained",
        DeliveredNotRefundable = "delivered_not_refundable",
        CancelKeepsCharge = "cancel_keeps_charge",
        DeletedProjectKeepsCharge = "deleted_project_keeps_charge",
        NotCharged = "not_charged",
        PrivacyReviewOpened = "privacy_review_opened",
        ForeignAssetRemoved = "foreign_asset_removed",
        HandledWithWorkspaceOwner = "handled_with_workspace_owner",
        VerifyIdentity = "verify_identity",
        AskDetails = "ask_details",
        LinkedToExistingTicket = "linked_to_existing_ticket",
        RoutedToBilling = "routed_to_billing",
    }
}

/// What is done for one item of one run; `credits` is above 0 for `restore` only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemAction {
    pub run: RunId,
    pub item: u32,
    pub action: ItemActionKind,
    pub credits: Credits,
}

/// Credits of one item that a restoration returns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RestoredItem {
    pub item: u32,
    pub credits: Credits,
}

/// One posting of a restoration: from the usage of a charge back to a balance. `source` is the
/// balance that the charge drew from; `target` differs from it only by P6, and is always of the
/// charge's own account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RestoredLine {
    pub source: BalanceId,
    pub target: BalanceId,
    pub target_kind: BalanceKind,
    pub amount: Credits,
}

/// What is returned of one charge. The lines and the items add up to the same amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeRestoration {
    pub charge_id: ChargeId,
    pub run_id: RunId,
    pub account_id: AccountId,
    pub items: Vec<RestoredItem>,
    pub lines: Vec<RestoredLine>,
}

/// Where a fact comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactSource {
    Ticket,
    Ledger,
    Canvas,
    Provider,
    Webhook,
    Storage,
    Accounts,
    Policy,
}

/// A fact that a reason rests on: its source, the row, and what the row says, in plain words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactRef {
    pub source: FactSource,
    /// Id of the row, empty where the fact is that there is none.
    pub id: String,
    /// When it happened, where the row says.
    pub at: Option<Timestamp>,
    /// For agents: `charged 320`, `3 uploads failed`, `no output stored`.
    pub says: String,
}

/// One step of the reasoning, for agents, with the rule of the policy that it applies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub rule: String,
    pub text: String,
    pub facts: Vec<FactRef>,
}

/// A refunded item of which a file came, or is held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateResult {
    /// The first run of the logical run.
    pub run: RunId,
    pub item: u32,
}

/// The outcome of a diagnosis. Deterministic: the same evidence, policy and instant give the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    pub verdict: Verdict,
    pub remedy: Remedy,
    pub matched_run: Option<RunId>,
    pub additional_runs: Vec<RunId>,
    /// By run (matched first), then item.
    pub item_actions: Vec<ItemAction>,
    /// What is to be posted, charge by charge.
    pub restorations: Vec<ChargeRestoration>,
    pub run_billable_after: Option<Credits>,
    pub retention_deadline: Option<Timestamp>,
    /// Items whose credits are back and whose file can be had all the same: against a new debit (P4).
    #[serde(default)]
    pub late_results: Vec<LateResult>,
    pub follow_up_at: Option<Timestamp>,
    pub flags: BTreeSet<Flag>,
    pub message_points: Vec<MessagePoint>,
    /// The older open ticket that goes on with it (P12).
    pub linked_ticket: Option<TicketId>,
    /// Outputs to be moved or made unreachable (P11, reattach).
    pub misplaced_outputs: Vec<OutputId>,
    pub reasons: Vec<Reason>,
    /// What would change the verdict, in plain words.
    pub would_change: Vec<String>,
}

impl Diagnosis {
    /// The deadline that orders the queue: of a file that is still to be fetched, waited for or offered
    /// against a new debit, or one that has passed. A file that is gone before its time can no longer be lost.
    #[must_use]
    pub fn file_deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let asked_again = matches!(self.remedy, Remedy::LinkToTicket | Remedy::RetryProviderLookup);
        let at_risk = asked_again || self.losable().next().is_some();
        self.retention_deadline.filter(|deadline| at_risk || *deadline <= now)
    }

    /// The items, with a run of theirs, of which a file can still be lost: one that is gone can't be, whatever
    /// its deadline was.
    pub fn losable(&self) -> impl Iterator<Item = (&RunId, u32)> {
        let kinds = [ItemActionKind::Recover, ItemActionKind::Hold, ItemActionKind::Wait];
        let wanted = self.item_actions.iter().filter(move |row| kinds.contains(&row.action));
        let late = self.late_results.iter().map(|row| (&row.run, row.item));
        wanted.map(|row| (&row.run, row.item)).chain(late)
    }

    /// Credits per balance that the remedy gives back.
    #[must_use]
    pub fn credits_to_restore(&self) -> BTreeMap<BalanceId, Credits> {
        let mut sums = BTreeMap::new();
        for line in self.restorations.iter().flat_map(|charge| &charge.lines) {
            *sums.entry(line.target.clone()).or_insert(0) += line.amount;
        }
        sums
    }

    /// All that the remedy gives back.
    #[must_use]
    pub fn restored_total(&self) -> Credits {
        self.restorations.iter().flat_map(|charge| &charge.lines).map(|line| line.amount).sum()
    }
}
