//! Evidence to verdict and remedy: pure, total, deterministic. Unknown never pays.

mod combine;
mod finding;
pub mod items;
pub mod money;
mod points;
mod reasons;
mod remedy;
mod settle;
mod tickets;
mod verdict;
mod without_run;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

pub use finding::*;

use crate::ids::{RunId, TicketId};
use crate::matching::{LogicalRun, RunMatch, logical_run, logical_runs};
use crate::policy::Policy;
use crate::scope::Scope;
use crate::support::Claim;

use items::ItemView;
use money::Money;

/// All that a diagnosis may look at.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    pub claim: &'a Claim,
    pub run_match: &'a RunMatch,
    pub scope: &'a Scope,
    pub ticket_id: &'a TicketId,
    /// P9 and P12 count from it.
    pub ticket_created_at: Timestamp,
}

/// What happened, what is owed, and what is done about it, by the policy as of `now`.
#[must_use]
pub fn diagnose(evidence: &Evidence<'_>, policy: &Policy, now: Timestamp) -> Diagnosis {
    if let Some(diagnosis) = without_run::before_matching(evidence, policy) {
        return diagnosis;
    }
    let runs = logical_runs(evidence.scope);
    let findings: Vec<RunFinding<'_>> = runs
        .into_iter()
        .filter(|run| evidence.run_match.matched.iter().any(|id| run.contains(id)))
        .map(|run| settle::settle(Look::at(run, evidence, Asker::Ticket, policy, now)))
        .collect();
    if findings.is_empty() { without_run::no_match(evidence) } else { combine::combine(findings, evidence) }
}

/// What happened to one logical run, and what is done about it, when nobody asked: the reconciler's
/// question. The same rules as [`diagnose`], except that whoever keeps the promise of P3 does not wait
/// for itself, that it waits for what is not known yet (P9, a submission that may still come) no longer
/// than `patience` from the posting of the first charge, and that no ticket has a say in it (P12). A job
/// of which its provider says that it runs has its 24 hours, whoever looks (P8).
///
/// `lost` are items whose file cannot be had although the look-up saw it: the transfer failed for good.
#[must_use]
pub fn unasked(
    scope: &Scope,
    root: &RunId,
    lost: &BTreeSet<u32>,
    patience: SignedDuration,
    policy: &Policy,
    now: Timestamp,
) -> Diagnosis {
    let (claim, ticket_id) = (Claim::default(), TicketId::new(""));
    let run_match = RunMatch { matched: vec![root.clone()], ..RunMatch::default() };
    let evidence =
        Evidence { claim: &claim, run_match: &run_match, scope, ticket_id: &ticket_id, ticket_created_at: now };
    let Some(run) = logical_run(scope, root) else { return without_run::no_match(&evidence) };
    let finding = settle::settle(Look::at(run, &evidence, Asker::Reconciler { lost, patience }, policy, now));
    combine::combine(vec![finding], &evidence)
}

/// On whose behalf a run is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asker<'a> {
    /// Somebody wrote: what the reconciler repairs waits for it (P3).
    Ticket,
    /// Nobody did. `patience`: how long it waits for more, from the posting of the first charge; the
    /// promise of P3 is kept only by whoever does not wait for its last instant.
    Reconciler { lost: &'a BTreeSet<u32>, patience: SignedDuration },
}

/// One matched run with everything that is derived from its rows.
#[derive(Clone, Debug)]
pub(crate) struct Look<'a> {
    pub run: LogicalRun<'a>,
    pub evidence: &'a Evidence<'a>,
    pub asker: Asker<'a>,
    pub policy: &'a Policy,
    pub now: Timestamp,
    pub items: Vec<ItemView<'a>>,
    pub money: Money<'a>,
}

impl<'a> Look<'a> {
    fn at(
        run: LogicalRun<'a>,
        evidence: &'a Evidence<'a>,
        asker: Asker<'a>,
        policy: &'a Policy,
        now: Timestamp,
    ) -> Self {
        let items = items::items(&run, evidence.scope, policy, now);
        let money = Money::of(&run, evidence.scope, policy);
        Self { run, evidence, asker, policy, now, items, money }
    }

    fn scope(&self) -> &'a Scope {
        self.evidence.scope
    }

    /// P3: until when this asker waits for more: a ticket until the end of the reconciler's window, the
    /// reconciler so long before it that it can keep it. A run without a charge has no wait left.
    fn window_end(&self) -> Timestamp {
        self.after_posting(self.policy.window())
    }

    fn after_posting(&self, wait: SignedDuration) -> Timestamp {
        let wait = match self.asker {
            Asker::Ticket => wait,
            Asker::Reconciler { patience, .. } => wait.min(patience),
        };
        self.money.first_posted_at().map_or(self.now, |at| at.saturating_add(wait).unwrap_or(at))
    }

    fn in_window(&self) -> bool {
        self.now < self.window_end()
    }

    /// P8: when a job that is not done counts as failed, whoever looks. Until then its charge is no orphan
    /// (R12): who waits for it breaks no promise.
    fn stall_end(&self) -> Timestamp {
        self.money.first_posted_at().map_or(self.now, |at| at.saturating_add(self.policy.stall()).unwrap_or(at))
    }

    /// P3: this verdict is left to the reconciler for now.
    fn waits_for_reconciler(&self, verdict: Verdict) -> bool {
        matches!(self.asker, Asker::Ticket) && self.in_window() && remedy::is_repaired(verdict)
    }

    /// Nothing is known of a submission of the run, or of a retry of it by the system, and something may
    /// still become known. Only somebody who waits for the whole window waits for it.
    fn may_be_submitted(&self) -> bool {
        matches!(self.asker, Asker::Reconciler { .. })
            && self.in_window()
            && self.run.members().any(|member| member.jobs.is_empty())
    }

    /// The transfer of its file failed for good.
    fn is_lost(&self, item: u32) -> bool {
        match self.asker {
            Asker::Ticket => false,
            Asker::Reconciler { lost, .. } => lost.contains(&item),
        }
    }

    /// P9: until when a failed look-up is repeated: a business day from the ticket. Without a ticket,
    /// as long as for anything else.
    fn lookup_end(&self) -> Timestamp {
        if matches!(self.asker, Asker::Reconciler { .. }) {
            return self.window_end();
        }
        let days = self.policy.lookup.retry_business_days;
        self.policy.calendar.after_business_days(self.evidence.ticket_created_at, days)
    }

    /// The project that the run belongs to is gone (P10, P13).
    fn is_project_gone(&self) -> bool {
        let project = self.scope().project(&self.run.head().project_id);
        project.is_some_and(|project| project.status == crate::work::Presence::Deleted)
    }

    fn missing(&self) -> impl Iterator<Item = &ItemView<'a>> {
        self.items.iter().filter(|item| !item.is_stored())
    }

    /// P7: the earliest deadline of the produced items that are not delivered, and whether any of
    /// those deadlines is an assumed one.
    fn retention(&self) -> (Option<Timestamp>, bool) {
        let made = || self.missing().filter_map(|item| item.made.as_ref());
        (made().filter_map(|made| made.deadline).min(), made().any(|made| made.assumed))
    }
}

/// The outcome for one logical run, before several are combined.
#[derive(Clone, Debug)]
pub(crate) struct RunFinding<'a> {
    pub look: Look<'a>,
    pub verdict: Verdict,
    pub remedy: Remedy,
    pub actions: Vec<ItemAction>,
    pub restorations: Vec<ChargeRestoration>,
    pub flags: std::collections::BTreeSet<Flag>,
    pub follow_up_at: Option<Timestamp>,
    pub linked_ticket: Option<TicketId>,
    pub misplaced: Vec<crate::ids::OutputId>,
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod world;
