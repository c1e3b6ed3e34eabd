//! What became of each item of a batch, item by item.

use std::collections::BTreeSet;

use super::answer::{Writer, list};
use super::text::fill;
use crate::diagnose::{ItemAction, ItemActionKind};
use crate::ledger::RefundState;
use crate::plan::RunFacts;

/// Batches above this size are told by the items that something is done for.
const WHOLE_BATCH: u32 = 200;

/// The items of every run, those alike on one line; amounts have a line each, so that none can be
/// taken for the sum.
pub(super) fn explain(writer: &mut Writer<'_>) -> String {
    let several = writer.runs.len() > 1;
    let mut blocks = Vec::new();
    for at in 0..writer.runs.len() {
        let heading = match writer.describe(at) {
            Some(run) if several => fill(writer.phrases.items_of, &[("run", &run)]),
            _ => writer.phrases.item_by_item.to_owned(),
        };
        let Some(run) = writer.runs.get(at) else { continue };
        let lines = lines(writer, run);
        if lines.is_empty() {
            let id = run.first.run.id.clone();
            writer.miss(format!("what became of the items of {id}"));
        } else {
            blocks.push(list(&heading, &lines));
        }
    }
    if writer.runs.is_empty() {
        writer.miss("the run whose items are explained");
    }
    blocks.join("\n\n")
}

fn lines(writer: &Writer<'_>, run: &RunFacts<'_>) -> Vec<String> {
    let mut groups: Vec<(String, Vec<u32>)> = Vec::new();
    for item in items(writer, run) {
        let action = action(writer, run, item);
        let what = fate(writer, run, item, action);
        let alone = action.is_some_and(|row| row.action == ItemActionKind::Restore);
        match groups.iter_mut().find(|(known, _)| !alone && *known == what) {
            Some((_, members)) => members.push(item),
            None => groups.push((what, vec![item])),
        }
    }
    let line = |(what, members): &(String, Vec<u32>)| {
        let form = if members.len() == 1 { writer.phrases.item.one } else { writer.phrases.item.other };
        let members: Vec<String> = members.iter().map(|item| writer.tongue.number(i64::from(*item))).collect();
        fill(form, &[("items", &writer.enumerate(&members)), ("what", what)])
    };
    groups.iter().map(line).collect()
}

fn items(writer: &Writer<'_>, run: &RunFacts<'_>) -> BTreeSet<u32> {
    let asked = run.first.run.items();
    let acted = writer.input.diagnosis.item_actions.iter().filter(|row| row.run == run.first.run.id);
    let last = if asked <= WHOLE_BATCH { asked } else { 0 };
    (1..=last).chain(acted.map(|row| row.item)).collect()
}

fn action<'a>(writer: &Writer<'a>, run: &RunFacts<'_>, item: u32) -> Option<&'a ItemAction> {
    let rows = writer.input.diagnosis.item_actions.iter();
    rows.filter(|row| row.item == item).find(|row| run.all.iter().any(|dossier| dossier.run.id == row.run))
}

fn fate(writer: &Writer<'_>, run: &RunFacts<'_>, item: u32, action: Option<&ItemAction>) -> String {
    let phrases = writer.phrases;
    let text = match action.map(|row| row.action) {
        Some(ItemActionKind::Recover) => phrases.item_recovered,
        Some(ItemActionKind::Hold) => phrases.item_held,
        Some(ItemActionKind::Wait) => phrases.item_waiting,
        Some(ItemActionKind::Restore) => {
            let credits = writer.credits(action.map_or(0, |row| row.credits));
            return fill(phrases.item_restored, &[("credits", &credits)]);
        }
        Some(ItemActionKind::Guide | ItemActionKind::Reattach) => phrases.item_delivered,
        Some(ItemActionKind::None | ItemActionKind::Quarantine) | None if run.stored(item).is_some() => {
            phrases.item_delivered
        }
        _ if refunded(run, item) => phrases.item_refunded,
        _ => phrases.item_open,
    };
    text.to_owned()
}

fn refunded(run: &RunFacts<'_>, item: u32) -> bool {
    let refunds = run.all.iter().flat_map(|dossier| &dossier.refunds);
    refunds.into_iter().any(|refund| refund.state == RefundState::Posted && refund.items.contains(&item))
}
