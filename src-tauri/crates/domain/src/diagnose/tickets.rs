//! Other tickets about the same run (P12), and whether the requester may hear about it (P11).

use super::{Asker, Look};
use crate::ids::TicketId;
use crate::ledger::AccountKind;
use crate::support::{TicketLink, TicketStatus};
use crate::work::MemberStatus;

/// What older tickets there are about a run.
pub(super) struct Older {
    /// The oldest one that is still open: it goes on with the run.
    pub open: Option<TicketId>,
    pub closed: bool,
}

/// Tickets about the run, or a system retry of it, that came before this one. A younger ticket never
/// takes over an older one, or the two would wait for each other.
/// Where nobody asked there is no ticket that another could take over.
pub(super) fn older(look: &Look<'_>) -> Older {
    if matches!(look.asker, Asker::Reconciler { .. }) {
        return Older { open: None, closed: false };
    }
    let mut rows: Vec<&TicketLink> = look
        .run
        .members()
        .flat_map(|member| &member.tickets)
        .filter(|row| row.id != *look.evidence.ticket_id && row.created_at < look.evidence.ticket_created_at)
        .filter(|row| row.run_ids.is_empty() || row.run_ids.iter().any(|id| look.run.contains(id)))
        .collect();
    rows.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    Older {
        open: rows.iter().find(|row| row.status == TicketStatus::Open).map(|row| row.id.clone()),
        closed: rows.iter().any(|row| row.status == TicketStatus::Closed),
    }
}

/// Whether the run's account is the requester's own, or of a workspace with an active membership. One
/// who merely started the run, and has left since, gets no details.
pub(super) fn is_insider(look: &Look<'_>) -> bool {
    let scope = look.scope();
    let Some(user) = &scope.requester.user_id else { return false };
    let account = look.run.account_id();
    let member = scope
        .workspaces
        .iter()
        .filter(|workspace| workspace.account_id == *account)
        .flat_map(|workspace| &workspace.members)
        .find(|member| member.user_id == *user);
    match member {
        Some(member) => member.status == MemberStatus::Active,
        None => scope.account(account).is_none_or(|account| {
            account.owner_user_id == *user && matches!(account.kind, AccountKind::Personal | AccountKind::Workspace)
        }),
    }
}
