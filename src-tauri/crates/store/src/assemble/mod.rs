//! Domain values out of rows, the same for every database. A backend asks in its own SQL, with the
//! same column names; what its rows mean is said here, once.

mod actions;
mod canvas;
mod captures;
mod cases;
mod catalogue;
mod deliveries;
mod files;
mod intake;
mod jobs;
mod journal;
mod ledger;
mod outputs;
mod people;
mod queue;
mod received;
mod reconciler;
mod rights;
mod runs;
mod tickets;

use std::collections::HashMap;

use makegood_domain::ports::StoreResult;

use crate::rows::Columns;

pub(crate) use actions::{actions, state_word};
pub(crate) use canvas::{node, project};
pub(crate) use captures::{capture, unkept};
pub(crate) use cases::{CaseParts, attachment, case, draft, message, saved_view};
pub(crate) use catalogue::{models, provider};
pub(crate) use deliveries::{upload, webhook};
pub(crate) use files::{file_reference, known_file};
pub(crate) use intake::{dead_letter, position};
pub(crate) use jobs::{answers, jobs};
pub(crate) use journal::{audit_line, outbox_line};
pub(crate) use ledger::{charges, posting, refunds};
pub(crate) use outputs::output;
pub(crate) use people::{accounts, user, workspaces};
pub(crate) use queue::{counts, line};
pub(crate) use received::{delivery_line, endpoint, letter};
pub(crate) use reconciler::{charge_line, detection, due_runs};
pub(crate) use rights::{approval, person};
pub(crate) use runs::run;
pub(crate) use tickets::{our_tickets, told_tickets};

/// One value a row.
pub(crate) fn each<R, T>(rows: &[R], value: impl Fn(&R) -> StoreResult<T>) -> StoreResult<Vec<T>> {
    rows.iter().map(value).collect()
}

/// Values by the key in the column `key`, in the order in which they came.
fn by_key<R: Columns, T>(
    rows: &[R],
    key: &str,
    value: impl Fn(&R) -> StoreResult<T>,
) -> StoreResult<HashMap<String, Vec<T>>> {
    let mut groups: HashMap<String, Vec<T>> = HashMap::new();
    for row in rows {
        groups.entry(row.text(key)?).or_default().push(value(row)?);
    }
    Ok(groups)
}

/// The texts of a column.
pub(crate) fn texts<R: Columns>(rows: &[R], column: &str) -> StoreResult<Vec<String>> {
    each(rows, |row| row.text(column))
}
