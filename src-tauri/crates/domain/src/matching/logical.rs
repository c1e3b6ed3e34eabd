//! Logical runs (P2): a run together with the retries of it that the system made, known by the first id.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::capture::Capture;
use crate::ids::{AccountId, RunId};
use crate::ledger::{Charge, Refund};
use crate::scope::{Dossier, Scope};
use crate::work::{Job, Output, RetryInitiator, Run, Upload, Webhook};

/// A run and the retries that the system made of it. Retries by the customer are runs of their own (P10).
#[derive(Clone, Debug)]
pub struct LogicalRun<'a> {
    head: &'a Dossier,
    retries: Vec<&'a Dossier>,
}

impl<'a> LogicalRun<'a> {
    /// The run by whose id the whole is known.
    #[must_use]
    pub fn head(&self) -> &'a Run {
        &self.head.run
    }

    #[must_use]
    pub fn id(&self) -> &'a RunId {
        &self.head.run.id
    }

    #[must_use]
    pub fn account_id(&self) -> &'a AccountId {
        &self.head.account_id
    }

    /// The head first, then the retries by start.
    pub fn members(&self) -> impl Iterator<Item = &'a Dossier> + '_ {
        std::iter::once(self.head).chain(self.retries.iter().copied())
    }

    #[must_use]
    pub fn contains(&self, id: &RunId) -> bool {
        self.members().any(|member| member.run.id == *id)
    }

    /// Oldest first.
    #[must_use]
    pub fn charges(&self) -> Vec<&'a Charge> {
        let mut rows: Vec<_> = self.members().flat_map(|member| &member.charges).collect();
        rows.sort_by(|a, b| (a.posted_at, &a.id).cmp(&(b.posted_at, &b.id)));
        rows
    }

    /// Oldest first, posted and reversed.
    #[must_use]
    pub fn refunds(&self) -> Vec<&'a Refund> {
        let mut rows: Vec<_> = self.members().flat_map(|member| &member.refunds).collect();
        rows.sort_by(|a, b| (a.posted_at, &a.id).cmp(&(b.posted_at, &b.id)));
        rows
    }

    /// Oldest submission first.
    #[must_use]
    pub fn jobs(&self) -> Vec<&'a Job> {
        let mut rows: Vec<_> = self.members().flat_map(|member| &member.jobs).collect();
        rows.sort_by(|a, b| (a.submitted_at, &a.id).cmp(&(b.submitted_at, &b.id)));
        rows
    }

    pub fn outputs(&self) -> impl Iterator<Item = &'a Output> + '_ {
        self.members().flat_map(|member| &member.outputs)
    }

    /// Copies of our own of what its jobs made.
    pub fn captures(&self) -> impl Iterator<Item = &'a Capture> + '_ {
        self.members().flat_map(|member| &member.captures)
    }

    pub fn uploads(&self) -> impl Iterator<Item = &'a Upload> + '_ {
        self.members().flat_map(|member| &member.uploads)
    }

    pub fn webhooks(&self) -> impl Iterator<Item = &'a Webhook> + '_ {
        self.members().flat_map(|member| &member.webhooks)
    }

    /// When the customer, or the platform for them, cancelled it.
    #[must_use]
    pub fn cancelled_at(&self) -> Option<Timestamp> {
        self.members().filter_map(|member| member.run.cancelled_at).max()
    }
}

/// All logical runs in scope, by start of their first run.
#[must_use]
pub fn logical_runs(scope: &Scope) -> Vec<LogicalRun<'_>> {
    let by_id: BTreeMap<&RunId, &Dossier> = scope.runs.iter().map(|row| (&row.run.id, row)).collect();
    let mut groups: BTreeMap<&RunId, Vec<&Dossier>> = BTreeMap::new();
    for row in &scope.runs {
        groups.entry(head_of(row, &by_id)).or_default().push(row);
    }
    let mut runs: Vec<_> = groups.into_iter().filter_map(|(id, members)| gather(id, members)).collect();
    runs.sort_by(|a, b| (a.head().started_at, a.id()).cmp(&(b.head().started_at, b.id())));
    runs
}

/// The logical run to which a run belongs, if it is in scope.
#[must_use]
pub fn logical_run<'a>(scope: &'a Scope, id: &RunId) -> Option<LogicalRun<'a>> {
    logical_runs(scope).into_iter().find(|run| run.contains(id))
}

fn gather<'a>(id: &RunId, mut members: Vec<&'a Dossier>) -> Option<LogicalRun<'a>> {
    members.sort_by(|a, b| (a.run.started_at, &a.run.id).cmp(&(b.run.started_at, &b.run.id)));
    let at = members.iter().position(|member| member.run.id == *id).unwrap_or(0);
    (at < members.len()).then(|| LogicalRun { head: members.remove(at), retries: members })
}

/// Follows the system's retries back to their first run, as far as it is in scope. In a circle, which
/// only a broken feed has, the smallest id stands for all.
fn head_of<'a>(row: &'a Dossier, by_id: &BTreeMap<&'a RunId, &'a Dossier>) -> &'a RunId {
    let mut seen = BTreeSet::new();
    let mut at = row;
    while seen.insert(&at.run.id) {
        if at.run.retry_initiator != Some(RetryInitiator::System) {
            return &at.run.id;
        }
        match at.run.retry_of.as_ref().and_then(|id| by_id.get(id)) {
            Some(parent) => at = parent,
            None => return &at.run.id,
        }
    }
    seen.first().copied().unwrap_or(&row.run.id)
}
