//! What became of each charged item. What may follow what is the domain's to say.

use jiff::Timestamp;
use makegood_domain::ids::{AccountId, ActionKey, ChargeId, OutputId, RunId};
use makegood_domain::settlement::{By, First, Item};
use makegood_domain::work::OutputState;

use super::Worked;
use super::record::{ItemRow, Record};
use super::{limits, refused, runs};

/// A limit as a number of rows.
pub(super) fn size(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// The key of a move, none where the platform tells it.
pub(super) fn key_of(by: &By) -> Option<ActionKey> {
    match by {
        By::Platform => None,
        By::Action(key) => Some(key.clone()),
    }
}

/// Writes down how an item stands, and who brought it there.
pub(super) fn stand(
    record: &mut Record,
    charge: &ChargeId,
    number: u32,
    (next, by): (Item, &By),
    document: Option<String>,
    at: Timestamp,
) {
    let key = key_of(by);
    let who = key.as_ref().map(|key| match record.actions.get(key) {
        Some(action) => limits::person(record, &action.order.agent).name,
        None => "the reconciler".to_owned(),
    });
    let first = First { state: next.state, document, key, who, at };
    record.items.put((charge.clone(), number), ItemRow { stands: next, first });
}

/// The items of a charge, by number.
pub(super) fn items_of<'a>(record: &'a Record, charge: &'a ChargeId) -> impl Iterator<Item = (u32, &'a ItemRow)> + 'a {
    let from = (charge.clone(), 0);
    let rows = record.items.range(from..).take_while(move |(key, _)| key.0 == *charge);
    rows.map(|(key, row)| (key.1, row))
}

/// The charge that a delivery is paid by: the first one, unless that is wholly refunded already and
/// another is not. With the account that paid.
pub(super) fn first_charge(record: &Record, root: &RunId) -> Option<(ChargeId, AccountId)> {
    let gone = |charge: &ChargeId| items_of(record, charge).all(|(_, row)| row.stands.refunded >= row.stands.price);
    let charges = runs::charges_of_root(record, root).map(|(id, row)| (gone(id), row.charge.posted_at, id, row));
    let (.., id, row) = charges.min_by_key(|(gone, at, id, _)| (*gone, *at, *id))?;
    Some((id.clone(), row.charge.account_id.clone()))
}

/// The item that a recovery is about, with its charge and the account that paid.
pub(super) fn paid_item(record: &Record, run: &RunId, number: u32) -> Worked<(ChargeId, AccountId, ItemRow)> {
    let Some(root) = runs::root_of(record, run) else {
        return refused(format!("there is no run {run}"));
    };
    let Some((charge, account)) = first_charge(record, root) else {
        return refused(format!("run {run} was never charged"));
    };
    match record.items.get(&(charge.clone(), number)) {
        Some(row) => Ok((charge, account, row.clone())),
        None => refused(format!("charge {charge} of {run} has no item {number}")),
    }
}

/// An output that counts as delivery: intact, reachable, in a project of the account that paid. An
/// object of 0 bytes is no file (R12).
pub(super) fn intact_output(record: &Record, root: &RunId, number: u32, account: &AccountId) -> Option<OutputId> {
    let outputs = runs::outputs_of_root(record, root).filter(|output| {
        output.item == number
            && output.state == OutputState::Stored
            && output.bytes > 0
            && runs::account_of(record, &output.project_id) == Some(account)
    });
    outputs.min_by_key(|output| (output.stored_at, &output.id)).map(|output| output.id.clone())
}
