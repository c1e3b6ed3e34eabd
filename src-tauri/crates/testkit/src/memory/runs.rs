//! Runs, and the logical run that each belongs to: a run with the retries that the system made (P2).

use makegood_domain::ids::{AccountId, ChargeId, ProjectId, RunId, UserId};
use makegood_domain::work::{Output, RetryInitiator, Run};

use super::record::{ChargeRow, Record, RunRow};

/// Keeps a run. Retries by the system go on in their parent's logical run; a change moves all of them.
pub(super) fn put(record: &mut Record, row: &Run) {
    let parent = row.retry_of.as_ref().filter(|_| row.retry_initiator == Some(RetryInitiator::System));
    let root = match parent {
        Some(parent) => root_of(record, parent).cloned().unwrap_or_else(|| parent.clone()),
        None => row.id.clone(),
    };
    set_root(record, &row.id, &root);
    record.runs.put(row.id.clone(), RunRow { run: row.clone(), root: root.clone() });
    let mut reached = vec![row.id.clone()];
    let mut next = 0;
    while let Some(parent) = reached.get(next).cloned() {
        next += 1;
        let is_retry =
            |run: &Run| run.retry_of.as_ref() == Some(&parent) && run.retry_initiator == Some(RetryInitiator::System);
        let retries: Vec<RunId> =
            record.runs.values().filter(|row| is_retry(&row.run)).map(|row| row.run.id.clone()).collect();
        for retry in retries {
            if !reached.contains(&retry) {
                set_root(record, &retry, &root);
                record.runs.edit(&retry, |row| row.root = root.clone());
                reached.push(retry);
            }
        }
    }
}

fn set_root(record: &mut Record, id: &RunId, root: &RunId) {
    if let Some(known) = record.runs.get(id).map(|row| row.root.clone()) {
        record.runs_of_root.remove(&(known, id.clone()));
    }
    record.runs_of_root.put((root.clone(), id.clone()), ());
}

/// The first run of the logical run that `run` belongs to.
pub(super) fn root_of<'a>(record: &'a Record, run: &RunId) -> Option<&'a RunId> {
    record.runs.get(run).map(|row| &row.root)
}

/// Ids of the runs of a logical run.
pub(super) fn of_root<'a>(record: &'a Record, root: &'a RunId) -> impl Iterator<Item = &'a RunId> + 'a {
    let from = (root.clone(), RunId::new(""));
    record.runs_of_root.range(from..).map(|(key, ())| key).take_while(move |key| key.0 == *root).map(|key| &key.1)
}

/// The charges of a run.
pub(super) fn charges_of<'a>(
    record: &'a Record,
    run: &'a RunId,
) -> impl Iterator<Item = (&'a ChargeId, &'a ChargeRow)> + 'a {
    let from = (run.clone(), ChargeId::new(""));
    let keys = record.charges_of_run.range(from..).map(|(key, ())| key).take_while(move |key| key.0 == *run);
    keys.filter_map(|(_, charge)| record.charges.get_key_value(charge))
}

/// The charges of a logical run.
pub(super) fn charges_of_root<'a>(
    record: &'a Record,
    root: &'a RunId,
) -> impl Iterator<Item = (&'a ChargeId, &'a ChargeRow)> + 'a {
    of_root(record, root).flat_map(move |run| charges_of(record, run))
}

/// The outputs of a run that can be reached.
pub(super) fn outputs_of<'a>(record: &'a Record, run: &'a RunId) -> impl Iterator<Item = &'a Output> + 'a {
    let from = (run.clone(), makegood_domain::ids::OutputId::new(""));
    let keys = record.outputs_of_run.range(from..).map(|(key, ())| key).take_while(move |key| key.0 == *run);
    keys.filter_map(|(_, id)| record.outputs.get(id)).filter(|row| !row.quarantined).map(|row| &row.output)
}

/// The outputs of a logical run that can be reached.
pub(super) fn outputs_of_root<'a>(record: &'a Record, root: &'a RunId) -> impl Iterator<Item = &'a Output> + 'a {
    of_root(record, root).flat_map(move |run| outputs_of(record, run))
}

/// The account that a project belongs to.
pub(super) fn account_of<'a>(record: &'a Record, project: &ProjectId) -> Option<&'a AccountId> {
    record.projects.get(project).map(|row| &row.account_id)
}

/// The owner of the account that was charged first for a logical run, or that its project is of.
pub(super) fn owner_of_root(record: &Record, root: &RunId) -> Option<UserId> {
    let first = charges_of_root(record, root).map(|(_, row)| &row.charge).min_by_key(|row| (row.posted_at, &row.id));
    let account = match first {
        Some(charge) => &charge.account_id,
        None => account_of(record, &record.runs.get(root)?.run.project_id)?,
    };
    record.accounts.get(account).map(|account| account.owner_user_id.clone())
}
