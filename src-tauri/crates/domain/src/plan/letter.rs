//! What is said of an effect: its word in the audit, and what the outside is told of it. PostgreSQL's
//! functions say the same in SQL.

use super::Effect;
use crate::ports::Receipt;

impl Effect {
    /// Its word in the audit and in requests.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::LeaseItem { .. } => "lease_item",
            Self::Deliver { .. } => "deliver",
            Self::ReleaseItem { .. } => "release_item",
            Self::Restore { .. } => "restore",
            Self::Release { .. } => "release",
            Self::Move { .. } => "move",
            Self::Quarantine { .. } => "quarantine",
            Self::OpenIncident { .. } => "open_incident",
            Self::LinkTicket { .. } => "link_ticket",
            Self::CancelUpstream { .. } => "cancel_upstream",
            Self::Say { .. } => "say",
            Self::TellOwner { .. } => "tell_owner",
            Self::SetCase { .. } => "set_case",
        }
    }
}

/// What the platform or the help desk has to be told of an effect: kind and a line for people.
/// Leases are nobody's business outside.
#[must_use]
pub fn letter(effect: &Effect, receipt: &Receipt) -> Option<(&'static str, String)> {
    Some(match effect {
        Effect::LeaseItem { .. } | Effect::ReleaseItem { .. } => return None,
        Effect::Deliver { run_id, item, output_id, .. } => {
            ("asset_delivered", format!("item {item} of {run_id} delivered as {output_id}"))
        }
        Effect::Restore { restoration, .. } => {
            let total = if let Receipt::Restored { total, .. } = receipt { *total } else { 0 };
            ("credits_restored", format!("{total} credits of {} restored", restoration.charge_id))
        }
        Effect::Release { run_id, amount, items, .. } => {
            let numbers: Vec<String> = items.iter().map(|item| item.item.to_string()).collect();
            ("asset_released", format!("item {} of {run_id} released for {amount} credits", numbers.join(", ")))
        }
        Effect::Move { output_id, .. } => ("asset_moved", format!("{output_id} moved to its place")),
        Effect::Quarantine { output_id, .. } => ("asset_quarantined", format!("{output_id} made unreachable")),
        Effect::OpenIncident { .. } => ("incident_opened", "privacy incident opened".to_owned()),
        Effect::LinkTicket { to } => ("ticket_linked", format!("joined to ticket {to}")),
        Effect::CancelUpstream { provider_id, job_id } => {
            ("cancel_upstream", format!("cancel job {job_id} at {provider_id}"))
        }
        Effect::Say { kind, .. } => ("message", format!("{} added to the ticket", kind.word())),
        Effect::TellOwner { account_id, .. } => ("tell_owner", format!("tell the owner of {account_id}")),
        Effect::SetCase { state, .. } => ("case_state", format!("case is {}", state.word())),
    })
}
