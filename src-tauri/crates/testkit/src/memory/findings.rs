//! What the rules made of a case, and what the queue copies of it and of the ledger.

use std::collections::BTreeSet;

use makegood_domain::ids::{CaseId, RunId};
use makegood_domain::money::Credits;
use makegood_domain::ports::{Finding, StoreResult};

use super::record::Record;
use super::{captures, cases, items, runs};

/// Keeps a finding if the case is still at `revision`. One that comes to the same changes no revision.
pub(super) fn save(record: &mut Record, id: &CaseId, revision: i64, finding: &Finding) -> StoreResult<i64> {
    cases::check_revision(record, id, revision)?;
    let row = cases::row(record, id)?;
    let last = row.finding.as_ref();
    if last.is_some_and(|last| *finding == Finding { found_at: finding.found_at, ..last.clone() }) {
        return Ok(revision);
    }
    let is_same = last.is_some_and(|last| last.comes_to_the_same(finding));
    let mut search = cases::search_text(id, &row.ticket);
    let about = runs_of(finding);
    let projects: BTreeSet<_> = about
        .iter()
        .filter_map(|run| record.runs.get(*run))
        .filter_map(|row| record.projects.get(&row.run.project_id))
        .map(|project| (&project.id, &project.name))
        .collect();
    let words = about.iter().map(|run| run.as_str());
    for word in words.chain(projects.iter().flat_map(|(id, name)| [id.as_str(), name.as_str()])) {
        search.push('\n');
        search.push_str(&word.to_lowercase());
    }
    let matched = finding.diagnosis.matched_run.as_ref().and_then(|run| record.runs.get(run));
    let model = matched.and_then(|row| record.models.get(&row.run.model_id)).map(|model| model.display_name.clone());
    record.cases.edit(id, |row| {
        row.finding = Some(finding.clone());
        row.search_text = search;
        row.model = model;
        row.file_deadline = finding.diagnosis.file_deadline(finding.found_at);
    });
    follow_ledger(record, id);
    Ok(if is_same { revision } else { cases::raise(record, id) })
}

/// The runs that a finding is about.
pub(super) fn runs_of(finding: &Finding) -> BTreeSet<&RunId> {
    finding.diagnosis.matched_run.iter().chain(&finding.diagnosis.additional_runs).collect()
}

/// Brings the queue's copy of amount and saved in line with the ledger and the vault.
pub(super) fn follow_ledger(record: &mut Record, case: &CaseId) {
    let Some(finding) = record.cases.get(case).and_then(|row| row.finding.as_ref()) else {
        record.cases.edit(case, |row| row.amount = None);
        return;
    };
    let mut amount: Option<Credits> = None;
    for root in runs_of(finding).into_iter().filter_map(|run| runs::root_of(record, run)) {
        for (charge, _) in runs::charges_of_root(record, root) {
            for (_, item) in items::items_of(record, charge) {
                *amount.get_or_insert(0) += item.stands.owed();
            }
        }
    }
    let in_vault = |(run, item): (&RunId, u32)| {
        let Some(root) = runs::root_of(record, run) else { return true };
        runs::of_root(record, root).any(|run| {
            let mine = |row: &&super::record::OutputRow| row.output.run_id == *run && row.output.item == item;
            let captured = captures::standing(record, run).any(|row| row.item == item);
            captured || record.outputs.values().filter(mine).any(|row| row.ours)
        })
    };
    let losable = || finding.diagnosis.losable();
    let saved = losable().next().is_some() && losable().all(in_vault);
    record.cases.edit(case, |row| {
        row.amount = amount;
        row.saved = saved;
    });
}

/// The same for all cases about the logical run that `run` belongs to.
pub(super) fn follow_ledger_of_run(record: &mut Record, run: &RunId) {
    let Some(root) = runs::root_of(record, run) else { return };
    let about = |finding: &Finding| runs_of(finding).into_iter().any(|run| runs::root_of(record, run) == Some(root));
    let concerned: Vec<CaseId> = record
        .cases
        .iter()
        .filter(|(_, row)| row.finding.as_ref().is_some_and(about))
        .map(|(id, _)| id.clone())
        .collect();
    for case in &concerned {
        follow_ledger(record, case);
    }
}
