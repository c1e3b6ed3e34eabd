//! Facts in: one unit of work a batch, each fact taken whole or left out. What lacked a row, or
//! credits, that came later in the batch is tried again.

use std::collections::BTreeSet;

use jiff::Timestamp;
use makegood_domain::events::Event;
use makegood_domain::feed::Fact;
use makegood_domain::ids::RunId;
use makegood_domain::ledger::{Charge, Refund, RefundState};
use makegood_domain::money::Credits;
use makegood_domain::ports::{ImportReport, RejectedFact, StoreResult, Taken, Told};
use makegood_domain::settlement::{self, By, First, Item, Move, State};
use makegood_domain::work::{Job, JobState, Output};

use super::ledger::{self, Document};
use super::record::{ChargeRow, ItemRow, OutputRow, Record};
use super::{Halt, Worked, dead_letters, due, effects, items, received, refunds, refused, runs};

/// Takes a batch.
pub(super) fn import(record: &mut Record, told: &[Told], at: Timestamp) -> StoreResult<ImportReport> {
    let mut outcomes = vec![None; told.len()];
    let mut rejected = Vec::new();
    let mut roots: BTreeSet<RunId> = BTreeSet::new();
    let mut touched: BTreeSet<RunId> = BTreeSet::new();
    let mut waiting: Vec<(usize, &Told)> = told.iter().enumerate().collect();
    let mut reasons = Vec::new();
    loop {
        let tried = waiting.len();
        reasons.clear();
        for (place, one) in std::mem::take(&mut waiting) {
            let fact = &one.event.fact;
            let before = roots_before(record, fact);
            let mark = record.mark();
            match take(record, &one.event, at) {
                Ok(taken) => {
                    if let Some(outcome) = outcomes.get_mut(place) {
                        *outcome = Some(taken);
                    }
                    if taken != Taken::Unchanged {
                        roots.extend(before);
                        touched.extend(run_of(fact).cloned());
                    }
                }
                Err(Halt::Refused(why)) => {
                    record.undo(&mark);
                    waiting.push((place, one));
                    let lacks = why == ledger::BELOW_ZERO || lacking(record, fact).is_some();
                    reasons.push((why, lacks));
                }
                Err(Halt::Failed(error)) => return Err(error),
            }
        }
        if waiting.is_empty() || waiting.len() == tried {
            break;
        }
    }
    for ((place, one), (reason, lacks)) in waiting.into_iter().zip(reasons) {
        let fact = &one.event.fact;
        let waits_for = match (lacking(record, fact), fact) {
            (None, Fact::Charge(row)) if lacks => Some(("account", row.account_id.0.clone())),
            (row, _) => row,
        };
        dead_letters::bury(record, one, &reason, waits_for.map(|(kind, id)| (kind.to_owned(), id)), at);
        let index = u64::try_from(place).unwrap_or(u64::MAX);
        rejected.push(RejectedFact { index, kind: fact.kind().to_owned(), id: fact.id(), reason, lacks });
    }
    let report = ImportReport::new(outcomes, rejected);
    roots.extend(touched.iter().filter_map(|run| runs::root_of(record, run).cloned()));
    for root in &roots {
        deliver_items(record, root, at).map_err(|halt| halt.at("the import"))?;
        due::follow(record, root, due::Changed::ByOthers, at);
    }
    if report.added + report.updated > 0 || !report.rejected.is_empty() {
        effects::audit(record, "feed", "import", "feed", &format!("{} added", report.added), at);
    }
    Ok(report)
}

fn take(record: &mut Record, event: &Event, at: Timestamp) -> Worked<Taken> {
    let fact = &event.fact;
    if let Some(origin) = &event.origin {
        if record.events.contains_key(origin) {
            return Ok(Taken::Unchanged);
        }
        record.events.put(origin.clone(), at);
    }
    let name = (fact.kind(), fact.id());
    let told_at = event.told_at(at);
    let known = record.said.get(&name).cloned();
    let newest = known.as_ref().map_or(told_at, |(_, known_at)| told_at.max(*known_at));
    let taken = match known {
        Some((known, _)) if known == *fact => {
            record.said.put(name, (known, newest));
            return Ok(Taken::Unchanged);
        }
        Some((known, known_at)) => {
            if !renew(record, event, (&known, known_at), at)? {
                return Ok(Taken::Unchanged);
            }
            Taken::Updated
        }
        None => {
            put(record, fact, told_at, at)?;
            Taken::Added
        }
    };
    dead_letters::taken_after_all(record, name.0, &name.1, at);
    record.said.put(name, (fact.clone(), newest));
    Ok(taken)
}

/// Takes a row that is known with other content; whether it changed anything. Ledger lines are never edited:
/// of those only a refund changes, from posted to reversed. What was said before does not come after.
fn renew(record: &mut Record, event: &Event, known: (&Fact, Timestamp), at: Timestamp) -> Worked<bool> {
    let told_at = event.told_at(at);
    match (&event.fact, known) {
        (Fact::Charge(row), _) => refused(format!("charge {} is known with other content", row.id)),
        (Fact::Refund(row), (Fact::Refund(known), _)) => {
            let is_other_end = known.state != row.state && Refund { state: row.state, ..known.clone() } == *row;
            match row.state {
                RefundState::Reversed if is_other_end => refunds::reverse(record, &row.id).map(|()| true),
                // It was posted, and then reversed: the beginning comes late.
                RefundState::Posted if is_other_end => Ok(false),
                _ => refused(format!("refund {} is known with other content", row.id)),
            }
        }
        (_, (_, known_at)) if told_at < known_at => Ok(false),
        (other, _) => put(record, other, told_at, at).map(|()| true),
    }
}

fn put(record: &mut Record, fact: &Fact, told_at: Timestamp, at: Timestamp) -> Worked<()> {
    check_references(record, fact)?;
    match fact {
        Fact::Provider(row) => record.providers.put(row.id.clone(), row.clone()),
        Fact::Model(row) => record.models.put(row.id.clone(), row.clone()),
        Fact::User(row) => record.users.put(row.id.clone(), row.clone()),
        Fact::Account(row) => ledger::put_account(record, row)?,
        Fact::Workspace(row) => {
            unique(row.members.iter().map(|member| &member.user_id), "member")?;
            record.workspaces.put(row.id.clone(), row.clone());
        }
        Fact::Project(row) => record.projects.put(row.id.clone(), row.clone()),
        Fact::Node(row) => record.nodes.put(row.id.clone(), row.clone()),
        Fact::Run(row) => runs::put(record, row),
        Fact::Charge(row) => charge(record, row)?,
        Fact::Job(row) => {
            unique(row.items.iter().map(|item| item.item), "item")?;
            hear_of_job(record, row, told_at);
        }
        Fact::Webhook(row) => record.webhooks.put(row.id.clone(), row.clone()),
        Fact::Upload(row) => record.uploads.put((row.run_id.clone(), row.attempted_at, row.item), row.clone()),
        Fact::Output(row) => output(record, row),
        Fact::Refund(row) => refunds::add(record, row, at)?,
        Fact::Ticket(row) => record.ticket_links.put(row.id.clone(), row.clone()),
    }
    Ok(())
}

fn check_references(record: &Record, fact: &Fact) -> Worked<()> {
    match missing(record, fact) {
        Some((what, id)) => refused(format!("there is no {what} {id}")),
        None => Ok(()),
    }
}

/// A row that is not there, by kind and id.
type Missing = (&'static str, String);

/// What a fact refers to that is not there, be it a balance.
fn lacking(record: &Record, fact: &Fact) -> Option<Missing> {
    let drawn = match fact {
        Fact::Refund(row) => {
            return absent("charge", &record.charges, [&row.charge_id])
                .or_else(|| absent("run", &record.runs, [&row.run_id]));
        }
        Fact::Charge(row) => row
            .sources
            .iter()
            .any(|source| source.amount != 0 && ledger::owner(record, &source.balance_id) != Some(&row.account_id)),
        _ => false,
    };
    let of_charge = if let Fact::Charge(row) = fact { Some(("account", row.account_id.0.clone())) } else { None };
    missing(record, fact).or(of_charge.filter(|_| drawn))
}

fn missing(record: &Record, fact: &Fact) -> Option<Missing> {
    match fact {
        Fact::Provider(_) | Fact::User(_) | Fact::Ticket(_) | Fact::Refund(_) => None,
        Fact::Model(row) => absent("provider", &record.providers, [&row.provider_id]),
        Fact::Account(row) => absent("user", &record.users, [&row.owner_user_id]),
        Fact::Workspace(row) => absent("account", &record.accounts, [&row.account_id])
            .or_else(|| absent("user", &record.users, row.members.iter().map(|member| &member.user_id))),
        Fact::Project(row) => absent("account", &record.accounts, [&row.account_id])
            .or_else(|| absent("workspace", &record.workspaces, &row.workspace_id)),
        Fact::Node(row) => absent("project", &record.projects, [&row.project_id]),
        Fact::Run(row) => absent("project", &record.projects, [&row.project_id])
            .or_else(|| absent("node", &record.nodes, [&row.node_id]))
            .or_else(|| absent("user", &record.users, [&row.started_by]))
            .or_else(|| absent("model", &record.models, [&row.model_id]))
            .or_else(|| absent("run", &record.runs, row.retry_of.iter().filter(|id| **id != row.id))),
        Fact::Charge(row) => absent("run", &record.runs, [&row.run_id])
            .or_else(|| absent("account", &record.accounts, [&row.account_id])),
        Fact::Job(row) => absent("run", &record.runs, [&row.run_id])
            .or_else(|| absent("provider", &record.providers, [&row.provider_id])),
        Fact::Webhook(row) => absent("run", &record.runs, [&row.run_id]),
        Fact::Upload(row) => absent("run", &record.runs, [&row.run_id]),
        Fact::Output(row) => absent("run", &record.runs, [&row.run_id])
            .or_else(|| absent("project", &record.projects, [&row.project_id]))
            .or_else(|| absent("node", &record.nodes, &row.node_id)),
    }
}

fn absent<'a, K: Ord + ToString + 'a, V>(
    what: &'static str,
    rows: &std::collections::BTreeMap<K, V>,
    ids: impl IntoIterator<Item = &'a K>,
) -> Option<Missing> {
    ids.into_iter().find(|id| !rows.contains_key(id)).map(|id| (what, id.to_string()))
}

fn unique<T: Ord>(ids: impl Iterator<Item = T>, what: &str) -> Worked<()> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            return refused(format!("a {what} is named twice"));
        }
    }
    Ok(())
}

/// Keeps what a feed says of a job as of `told_at`: it is nobody's look-up, whatever instant it names, and says
/// nothing new of a job whose provider said its last word, or answered since. A failed look-up is no answer.
fn hear_of_job(record: &mut Record, row: &Job, told_at: Timestamp) {
    let known = record.jobs.get(&row.id).filter(|known| known.state != JobState::LookupFailed);
    let asked_at = known.and_then(|known| known.looked_up_at);
    let is_answered = asked_at.is_some_and(|at| at >= told_at)
        || (asked_at.is_some() && known.is_some_and(|known| known.state.is_terminal()));
    if !is_answered {
        put_job(record, row, None);
    }
}

/// Keeps a word about a job; what is known of where to find it stays. `looked_up_at`: when its provider said
/// it, `None` where a feed did.
pub(super) fn put_job(record: &mut Record, row: &Job, looked_up_at: Option<Timestamp>) {
    let known = record.jobs.get(&row.id).and_then(|job| job.locator.clone());
    let mut items = row.items.clone();
    items.sort_by_key(|item| item.item);
    let job = Job { items, looked_up_at, locator: row.locator.clone().or(known), ..row.clone() };
    let is_new = !record.jobs.contains_key(&row.id);
    if is_new {
        received::meet(record, &job);
    }
    record.jobs.put(row.id.clone(), job);
}

/// Keeps an output as a feed told it. One that was delivered from here is known better here; a
/// quarantine ends where the platform moves the output out of where it lay.
fn output(record: &mut Record, row: &Output) {
    let known = record.outputs.get(&row.id).cloned();
    if known.as_ref().is_some_and(|known| known.ours) {
        return;
    }
    if let Some(known) = &known {
        record.outputs_of_run.remove(&(known.output.run_id.clone(), row.id.clone()));
    }
    let quarantined =
        known.as_ref().is_some_and(|known| known.quarantined && known.output.project_id == row.project_id);
    let sha256 = row.sha256.clone().or_else(|| known.and_then(|known| known.output.sha256));
    let output = Output { sha256, ..row.clone() };
    record.outputs_of_run.put((row.run_id.clone(), row.id.clone()), ());
    record
        .outputs
        .put(row.id.clone(), OutputRow { output, ours: false, quarantined, quarantined_at: None, hold_until: None });
}

/// Posts a charge. Its items and its sources must each add up to its total.
fn charge(record: &mut Record, row: &Charge) -> Worked<()> {
    if sum(row.items.iter().map(|item| item.credits)) != Some(row.total) {
        return refused(format!("its items do not add up to its total of {}", row.total));
    }
    if sum(row.sources.iter().map(|source| source.amount)) != Some(row.total) {
        return refused(format!("its sources do not add up to its total of {}", row.total));
    }
    unique(row.items.iter().map(|item| item.item), "item")?;
    if row.total < 0 || row.items.iter().any(|item| item.credits < 0 || item.item < 1) {
        return refused("an item has a number from 1 and a price from 0");
    }
    let drawn: Vec<_> = row.sources.iter().filter(|source| source.amount != 0).collect();
    unique(drawn.iter().map(|source| &source.balance_id), "source")?;
    for source in &drawn {
        if source.amount < 0 || ledger::owner(record, &source.balance_id) != Some(&row.account_id) {
            return refused(format!("account {} has no balance {}", row.account_id, source.balance_id));
        }
        let from = ledger::counted(record, &source.balance_id, row.posted_at);
        let to = ledger::usage(&row.account_id);
        ledger::post(record, &Document::Charge(row.id.as_str()), row.posted_at, (from, to), source.amount)?;
    }
    for item in &row.items {
        let first =
            First { state: State::Charged, document: Some(row.id.0.clone()), key: None, who: None, at: row.posted_at };
        let stands = Item::charged(item.credits);
        record.items.put((row.id.clone(), item.item), ItemRow { stands, first });
    }
    let restored = vec![0; row.sources.len()];
    record.charges_of_run.put((row.run_id.clone(), row.id.clone()), ());
    record.charges.put(row.id.clone(), ChargeRow { charge: row.clone(), restored });
    Ok(())
}

fn sum(mut amounts: impl Iterator<Item = Credits>) -> Option<Credits> {
    amounts.try_fold(0, Credits::checked_add)
}

/// An output stored intact with the account that paid delivers the item of the first charge of its
/// logical run; other charges of it stay restorable.
fn deliver_items(record: &mut Record, root: &RunId, at: Timestamp) -> Worked<()> {
    let Some((charge, account)) = items::first_charge(record, root) else { return Ok(()) };
    let rows: Vec<(u32, ItemRow)> =
        items::items_of(record, &charge).map(|(number, row)| (number, row.clone())).collect();
    for (number, row) in rows {
        let output = items::intact_output(record, root, number, &account);
        let what = match (&output, row.stands.state) {
            (None, State::Delivered) => Move::Damage,
            (None, _) | (Some(_), State::Delivered | State::Refunded) => continue,
            (Some(_), _) => Move::Deliver { by: By::Platform, epoch: row.stands.epoch },
        };
        let next = match settlement::step(&row.stands, &what, at) {
            Ok(next) => next,
            Err(refusal) => return refused(refusal.to_string()),
        };
        let document = output.map(|output| output.0).or(row.first.document);
        items::stand(record, &charge, number, (next, &By::Platform), document, at);
    }
    Ok(())
}

/// The run that a fact is about: its items can be settled by it, and a reconciler must look again.
fn run_of(fact: &Fact) -> Option<&RunId> {
    match fact {
        Fact::Run(row) => Some(&row.id),
        Fact::Charge(row) => Some(&row.run_id),
        Fact::Job(row) => Some(&row.run_id),
        Fact::Webhook(row) => Some(&row.run_id),
        Fact::Upload(row) => Some(&row.run_id),
        Fact::Output(row) => Some(&row.run_id),
        Fact::Refund(row) => Some(&row.run_id),
        _ => None,
    }
}

/// The logical runs that a row is of before a fact changes it: a run can become another one's retry,
/// an output another run's, a project another account's.
fn roots_before(record: &Record, fact: &Fact) -> Vec<RunId> {
    let root = |run: &RunId| runs::root_of(record, run).cloned();
    match fact {
        Fact::Run(row) => root(&row.id).into_iter().collect(),
        Fact::Output(row) => {
            record.outputs.get(&row.id).and_then(|known| root(&known.output.run_id)).into_iter().collect()
        }
        Fact::Project(row) if runs::account_of(record, &row.id).is_some_and(|known| *known != row.account_id) => {
            let made = record.runs.values().filter(|run| run.run.project_id == row.id).map(|run| run.root.clone());
            let lying = record.outputs.values().filter(|output| output.output.project_id == row.id);
            made.chain(lying.filter_map(|output| root(&output.output.run_id))).collect()
        }
        _ => Vec::new(),
    }
}
