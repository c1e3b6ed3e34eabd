//! Which actions fit a diagnosis, and in plain words why the others do not.

use serde::{Deserialize, Serialize};

use super::{ActionKind, CaseState};
use crate::diagnose::{Diagnosis, Remedy};

/// An action as it is offered to an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub kind: ActionKind,
    /// The one that the verdict calls for.
    pub primary: bool,
    pub allowed: bool,
    /// It goes against the verdict: an agent must say why (R53).
    pub needs_reason: bool,
    /// Why it is not allowed; empty where it is.
    pub why_not: String,
}

/// The action that carries a remedy out.
#[must_use]
pub fn primary_kind(remedy: Remedy) -> ActionKind {
    match remedy {
        Remedy::RecoverAsset | Remedy::RecoverAssetAndRestoreCredits => ActionKind::Recover,
        Remedy::RestoreCredits => ActionKind::Restore,
        Remedy::HoldAsset => ActionKind::Hold,
        Remedy::Reattach => ActionKind::Reattach,
        Remedy::QuarantineAndRecover | Remedy::QuarantineAndIncident => ActionKind::Quarantine,
        Remedy::AskForDetails | Remedy::VerifyIdentity => ActionKind::Ask,
        Remedy::RouteToBilling => ActionKind::Route,
        Remedy::LinkToTicket => ActionKind::Link,
        Remedy::GuideToAsset
        | Remedy::WaitForReconciler
        | Remedy::WaitInProgress
        | Remedy::RetryProviderLookup
        | Remedy::NoneAlreadyRefunded
        | Remedy::NoneDelivered
        | Remedy::NoneNotEligible
        | Remedy::NoneNotCharged => ActionKind::Answer,
    }
}

/// All actions, in their fixed order, for a case in this state. One is primary; a restoration can
/// be allowed against the verdict, with a reason, where no file was delivered or can be had. A
/// settled case is offered nothing but the release of a late result: there is one remedy (P4).
#[must_use]
pub fn offers(diagnosis: &Diagnosis, state: CaseState) -> Vec<Offer> {
    let primary = primary_kind(diagnosis.remedy);
    let closed = match state {
        CaseState::Settled => Some("the case is settled, and there is no second remedy (P4)"),
        CaseState::Linked => Some("the case goes on with the older ticket it is linked to (P12)"),
        CaseState::Open | CaseState::Waiting => None,
    };
    let offer = |&kind: &ActionKind| {
        let against = kind == ActionKind::Restore && can_restore_against(diagnosis.remedy);
        // The customer's yes comes after the answer that settled the case: it takes the first remedy back.
        let release = kind == ActionKind::Release && can_release(diagnosis) && state != CaseState::Linked;
        let allowed = release || closed.is_none() && (kind == primary || against);
        let why_not = match closed {
            _ if allowed => String::new(),
            Some(why) => why.to_owned(),
            None => why_not(kind, diagnosis),
        };
        Offer { kind, primary: kind == primary, allowed, needs_reason: allowed && against && kind != primary, why_not }
    };
    ActionKind::ALL.iter().map(offer).collect()
}

/// Remedies that leave a charge open while nothing was delivered: a person may decide otherwise.
fn can_restore_against(remedy: Remedy) -> bool {
    matches!(
        remedy,
        Remedy::WaitForReconciler | Remedy::WaitInProgress | Remedy::RetryProviderLookup | Remedy::NoneNotEligible
    )
}

/// A file that came after the refund of its item can still be had.
fn can_release(diagnosis: &Diagnosis) -> bool {
    diagnosis.remedy == Remedy::NoneAlreadyRefunded && !diagnosis.late_results.is_empty()
}

fn why_not(kind: ActionKind, diagnosis: &Diagnosis) -> String {
    let plain = match kind {
        ActionKind::Restore => why_no_restoration(diagnosis.remedy),
        ActionKind::Recover | ActionKind::Hold => why_no_file(kind, diagnosis.remedy),
        ActionKind::Reattach => Some("no output of the run lies in another place of the same customer"),
        ActionKind::Release => Some("no file came after its refund: there is nothing to release (P4)"),
        ActionKind::Quarantine => Some("no output lies in a project of another account"),
        ActionKind::Link => Some("no older open ticket is about the same run (P12)"),
        ActionKind::Ask => Some("the run and the requester are known: there is nothing to ask"),
        ActionKind::Route => Some("the ticket is about a run, not about purchases or renewals"),
        ActionKind::Answer => None,
    };
    plain.map_or_else(
        || {
            let (verdict, remedy) = (diagnosis.verdict.word(), diagnosis.remedy.word());
            format!("the verdict {verdict} calls for {remedy}: an answer alone would settle nothing")
        },
        str::to_owned,
    )
}

fn why_no_restoration(remedy: Remedy) -> Option<&'static str> {
    Some(match remedy {
        Remedy::RecoverAsset | Remedy::HoldAsset => "the file still exists: recovery comes first (P4)",
        Remedy::RecoverAssetAndRestoreCredits => {
            "some files still exist: Recover fetches them and restores the rest (P4)"
        }
        Remedy::Reattach | Remedy::QuarantineAndRecover => "the result is stored: it is moved, not paid back (P4)",
        Remedy::GuideToAsset | Remedy::NoneDelivered => "the result was delivered, and is not refundable (P10)",
        Remedy::NoneAlreadyRefunded => "the credits are back already: there is no second remedy (P4)",
        Remedy::NoneNotCharged => "nothing was charged",
        Remedy::QuarantineAndIncident => "the reported file is not the customer's: no credits are owed for it (P11)",
        Remedy::AskForDetails => "it is not known which run the customer means",
        Remedy::VerifyIdentity => {
            "the requester is not known: nothing is given before the account holder is verified (P11)"
        }
        Remedy::RouteToBilling => "no run is concerned: billing decides",
        Remedy::LinkToTicket => "the older open ticket settles this run: there is no second remedy (P12)",
        Remedy::RestoreCredits
        | Remedy::WaitForReconciler
        | Remedy::WaitInProgress
        | Remedy::RetryProviderLookup
        | Remedy::NoneNotEligible => return None,
    })
}

fn why_no_file(kind: ActionKind, remedy: Remedy) -> Option<&'static str> {
    Some(match remedy {
        Remedy::RecoverAsset | Remedy::RecoverAssetAndRestoreCredits => {
            "the file has a place: it is recovered, not held"
        }
        Remedy::HoldAsset => "the file has no place to go: it is held (P13)",
        Remedy::RestoreCredits => "no file can be had for what is owed",
        Remedy::WaitForReconciler => "the reconciler repairs this by itself until its window ends (P3)",
        Remedy::WaitInProgress => "the run is still being worked on (P8)",
        Remedy::RetryProviderLookup => "the provider cannot be asked at present (P9)",
        Remedy::NoneAlreadyRefunded => "the credits are back already: a file is only given against a new debit (P4)",
        Remedy::AskForDetails => "it is not known which run the customer means",
        Remedy::VerifyIdentity => {
            "the requester is not known: nothing is given before the account holder is verified (P11)"
        }
        Remedy::LinkToTicket => "the older open ticket settles this run: there is no second remedy (P12)",
        _ if kind == ActionKind::Hold => "no file needs to be held",
        _ => "no file is missing that could be fetched",
    })
}
