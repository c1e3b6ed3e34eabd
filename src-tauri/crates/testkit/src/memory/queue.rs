//! The queue: what will be lost first, first.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use makegood_domain::ids::CaseId;
use makegood_domain::plan::CaseState;
use makegood_domain::ports::{QueueCounts, QueueLine, QueueOrder, QueuePage, QueueQuery};

use super::items;
use super::record::{CaseRow, Record};

/// Rows of a page at most.
const PAGE_ROWS: u64 = 200;

pub(super) fn page(record: &Record, query: &QueueQuery) -> QueuePage {
    let mut fits: Vec<(&CaseId, &CaseRow)> = record.cases.iter().filter(|(_, row)| fits(row, query)).collect();
    match query.order {
        QueueOrder::LostFirst => fits.sort_by_key(|(_, row)| lost_first(row, query.as_of)),
        QueueOrder::Due => fits.sort_by_key(|(_, row)| (row.due_at, row.row_no)),
        QueueOrder::Newest => fits.sort_by_key(|(_, row)| Reverse((row.opened_at, row.row_no))),
        // Those without an amount last.
        QueueOrder::Amount => fits.sort_by_key(|(_, row)| (Reverse(row.amount), row.row_no)),
    }
    let limit = if query.limit == 0 { PAGE_ROWS } else { query.limit.min(PAGE_ROWS) };
    QueuePage {
        total: u64::try_from(fits.len()).unwrap_or(u64::MAX),
        stake: fits.iter().filter_map(|(_, row)| row.amount).sum(),
        lines: fits
            .into_iter()
            .skip(items::size(query.offset))
            .take(items::size(limit))
            .map(|(id, row)| line(id, row))
            .collect(),
    }
}

/// Open with a file that can be lost, by its deadline; then what else is open; then the rest.
fn lost_first(row: &CaseRow, as_of: Timestamp) -> (u8, Timestamp, Timestamp, i64) {
    let can_be_lost = row.file_deadline.filter(|deadline| !row.saved && *deadline > as_of);
    match (row.state, can_be_lost) {
        (CaseState::Open, Some(deadline)) => (0, deadline, row.due_at, row.row_no),
        (CaseState::Open, None) => (1, row.due_at, row.due_at, row.row_no),
        (CaseState::Waiting, _) => (2, row.due_at, row.due_at, row.row_no),
        (CaseState::Settled | CaseState::Linked, _) => (3, row.due_at, row.due_at, row.row_no),
    }
}

fn fits(row: &CaseRow, query: &QueueQuery) -> bool {
    let diagnosis = row.finding.as_ref().map(|finding| &finding.diagnosis);
    let text = query.search.to_lowercase();
    (query.states.is_empty() || query.states.contains(&row.state))
        && (query.verdicts.is_empty() || diagnosis.is_some_and(|found| query.verdicts.contains(&found.verdict)))
        && (query.remedies.is_empty() || diagnosis.is_some_and(|found| query.remedies.contains(&found.remedy)))
        && (query.desks.is_empty() || query.desks.contains(&desk(row)))
        && (query.assignee.is_none() || query.assignee == row.assignee)
        && query.due_before.is_none_or(|before| row.due_at < before)
        && query.deadline_before.is_none_or(|before| row.file_deadline.is_some_and(|deadline| deadline < before))
        && text.split_whitespace().all(|word| row.search_text.contains(word))
}

fn desk(row: &CaseRow) -> String {
    row.ticket.desk.clone().unwrap_or_default()
}

fn line(id: &CaseId, row: &CaseRow) -> QueueLine {
    let diagnosis = row.finding.as_ref().map(|finding| &finding.diagnosis);
    QueueLine {
        case_id: id.clone(),
        ticket_id: row.ticket.id.clone(),
        subject: row.ticket.subject.clone(),
        customer: row.ticket.requester.email.clone(),
        desk: desk(row),
        state: row.state,
        assignee: row.assignee.clone(),
        verdict: diagnosis.map(|found| found.verdict),
        remedy: diagnosis.map(|found| found.remedy),
        amount: row.amount,
        model: row.model.clone(),
        file_deadline: row.file_deadline,
        saved: row.saved,
        due_at: row.due_at,
        follow_up_at: row.follow_up_at,
        opened_at: row.opened_at,
    }
}

/// Of all that is not settled.
pub(super) fn counts(record: &Record) -> QueueCounts {
    let (mut verdicts, mut desks, mut states) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for row in record.cases.values().filter(|row| row.state != CaseState::Settled) {
        if let Some(finding) = &row.finding {
            *verdicts.entry(finding.diagnosis.verdict).or_insert(0) += 1;
        }
        *desks.entry(desk(row)).or_insert(0) += 1;
        *states.entry(row.state).or_insert(0) += 1;
    }
    QueueCounts {
        by_verdict: verdicts.into_iter().collect(),
        by_desk: desks.into_iter().collect(),
        by_state: states.into_iter().collect(),
    }
}
