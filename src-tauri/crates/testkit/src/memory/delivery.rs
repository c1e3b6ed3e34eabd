//! Recovery of an item (lease, then deliver or release), and outputs that lie in the wrong place.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{AccountId, ChargeId, OutputId, RunId};
use makegood_domain::plan::{Place, StoredFile};
use makegood_domain::ports::{Receipt, StoreError};
use makegood_domain::settlement::{self, By, Move, Refusal, State};
use makegood_domain::work::{Output, OutputState};

use super::effects::Act;
use super::record::{ItemRow, OutputRow, Record};
use super::{Worked, cut, files, findings, items, refused, runs};

/// Length of the lease within one unit of work: nobody sees it.
const INSTANT_LEASE: SignedDuration = SignedDuration::from_secs(1);

/// A file that is to become an item's output.
pub(super) struct New<'a> {
    pub run_id: &'a RunId,
    pub item: u32,
    pub epoch: i64,
    pub output_id: &'a OutputId,
    pub file: &'a StoredFile,
    pub place: &'a Place,
}

pub(super) fn lease(record: &mut Record, act: &Act<'_>, run: &RunId, number: u32, seconds: i64) -> Worked<Receipt> {
    let (charge, _, row) = items::paid_item(record, run, number)?;
    let until = act
        .at
        .checked_add(SignedDuration::from_secs(seconds))
        .map_err(|error| StoreError::Backend(error.to_string()))?;
    let until = cut(until);
    let by = By::Action(act.key.clone());
    match settlement::step(&row.stands, &Move::Lease { key: act.key.clone(), until }, act.at) {
        Ok(next) => {
            let epoch = next.epoch;
            items::stand(record, &charge, number, (next, &by), None, act.at);
            Ok(Receipt::Leased { epoch, until })
        }
        Err(Refusal::NoLease { .. }) => refused(format!("a lease of {seconds} s is none")),
        Err(_) => refused(format!("item {number} of {run} can't be recovered: {}", row.first)),
    }
}

pub(super) fn release(record: &mut Record, act: &Act<'_>, run: &RunId, number: u32, epoch: i64) -> Worked<Receipt> {
    let (charge, _, row) = items::paid_item(record, run, number)?;
    let what = Move::Release { key: act.key.clone(), epoch };
    match settlement::step(&row.stands, &what, act.at) {
        Ok(next) => {
            items::stand(record, &charge, number, (next, &By::Action(act.key.clone())), None, act.at);
            Ok(Receipt::Released)
        }
        Err(refusal) => refused(format!("item {number} of {run}: {refusal}: {}", row.first)),
    }
}

pub(super) fn deliver(record: &mut Record, act: &Act<'_>, new: &New<'_>) -> Worked<Receipt> {
    let (charge, account, row) = items::paid_item(record, new.run_id, new.item)?;
    let by = By::Action(act.key.clone());
    let next = match settlement::step(&row.stands, &Move::Deliver { by: by.clone(), epoch: new.epoch }, act.at) {
        Ok(next) => next,
        Err(refusal) => return refused(format!("item {} of {}: {refusal}: {}", new.item, new.run_id, row.first)),
    };
    check_account(record, new.place, &account)?;
    store(record, act, new)?;
    items::stand(record, &charge, new.item, (next, &by), Some(new.output_id.0.clone()), act.at);
    findings::follow_ledger_of_run(record, new.run_id);
    Ok(Receipt::Delivered { output_id: new.output_id.clone(), sha256: new.file.sha256.clone(), bytes: new.file.bytes })
}

/// A verified file as a new output in its place.
pub(super) fn store(record: &mut Record, act: &Act<'_>, new: &New<'_>) -> Worked<()> {
    check_node(record, new.place)?;
    if new.file.sha256.chars().count() != 64 || new.file.bytes == 0 {
        return refused("a file has a SHA-256 and a length");
    }
    if record.outputs.contains_key(new.output_id) {
        return refused(format!("there is an output {} already", new.output_id));
    }
    files::check_new(record, &new.file.sha256, act.at)?;
    files::first_told(record, new.file);
    let mut output = Output {
        id: new.output_id.clone(),
        run_id: new.run_id.clone(),
        item: new.item,
        project_id: project_of(new.place).clone(),
        node_id: None,
        stored_at: act.at,
        bytes: new.file.bytes,
        state: OutputState::Stored,
        in_history: false,
        on_canvas: false,
        sha256: Some(new.file.sha256.clone()),
    };
    put_at(&mut output, new.place);
    record.outputs_of_run.put((new.run_id.clone(), new.output_id.clone()), ());
    record.outputs.put(
        new.output_id.clone(),
        OutputRow {
            output,
            ours: true,
            quarantined: false,
            quarantined_at: None,
            hold_until: files::hold_of(new.place),
        },
    );
    Ok(())
}

pub(super) fn relocate(record: &mut Record, act: &Act<'_>, id: &OutputId, place: &Place) -> Worked<Receipt> {
    let output = known(record, id)?;
    let paid = paid(record, &output);
    let owner = match &paid {
        Some((_, account, row)) => {
            // An asset of a refunded item is released only against a new debit (P4).
            if row.stands.state == State::Refunded || row.stands.leased_at(act.at).is_some() {
                return refused(format!("output {id} can't be moved: {}", row.first));
            }
            account.clone()
        }
        None => match record.runs.get(&output.run_id).and_then(|row| runs::account_of(record, &row.run.project_id)) {
            Some(account) => account.clone(),
            None => return refused(format!("there is no run {}", output.run_id)),
        },
    };
    check_account(record, place, &owner)?;
    check_node(record, place)?;
    if let Some(row) = record.outputs.get(id) {
        files::check_there(record, row)?;
    }
    record.outputs.edit(id, |row| {
        put_at(&mut row.output, place);
        row.hold_until = files::hold_of(place);
        (row.quarantined, row.quarantined_at) = (false, None);
    });
    if let Some((charge, account, row)) = paid {
        deliver_by_place(record, act, &output, (&charge, &account, &row))?;
    }
    findings::follow_ledger_of_run(record, &output.run_id);
    Ok(Receipt::Moved { output_id: id.clone() })
}

/// An output that now lies with the account that paid delivers its item, as if it had been recovered.
fn deliver_by_place(
    record: &mut Record,
    act: &Act<'_>,
    output: &Output,
    (charge, account, row): (&ChargeId, &AccountId, &ItemRow),
) -> Worked<()> {
    let Some(document) = delivered_by(record, output, account) else { return Ok(()) };
    if row.stands.state == State::Delivered {
        return Ok(());
    }
    let until = cut(act.at.saturating_add(INSTANT_LEASE).unwrap_or(Timestamp::MAX));
    match settlement::settle_by_place(&row.stands, act.key, until, act.at) {
        Ok((_, next)) => {
            let by = By::Action(act.key.clone());
            items::stand(record, charge, output.item, (next, &by), Some(document.0), act.at);
            Ok(())
        }
        Err(refusal) => refused(format!("output {} can't be moved: {refusal}", output.id)),
    }
}

pub(super) fn quarantine(record: &mut Record, act: &Act<'_>, id: &OutputId) -> Worked<Receipt> {
    let output = known(record, id)?;
    let newly = record.outputs.get(id).is_some_and(|row| !row.quarantined);
    if newly {
        record.outputs.edit(id, |row| (row.quarantined, row.quarantined_at) = (true, Some(act.at)));
    }
    if newly
        && let Some((charge, account, row)) = paid(record, &output)
        && row.stands.state == State::Delivered
        && delivered_by(record, &output, &account).is_none()
    {
        let next = match settlement::step(&row.stands, &Move::Damage, act.at) {
            Ok(next) => next,
            Err(refusal) => return refused(refusal.to_string()),
        };
        items::stand(record, &charge, output.item, (next, &By::Action(act.key.clone())), Some(id.0.clone()), act.at);
    }
    findings::follow_ledger_of_run(record, &output.run_id);
    Ok(Receipt::Quarantined { output_id: id.clone() })
}

fn known(record: &Record, id: &OutputId) -> Worked<Output> {
    match record.outputs.get(id) {
        Some(row) => Ok(row.output.clone()),
        None => refused(format!("there is no output {id}")),
    }
}

/// The charged item that an output is of, with the account that paid; none for a run without charge.
fn paid(record: &Record, output: &Output) -> Option<(ChargeId, AccountId, ItemRow)> {
    let (charge, account) = items::first_charge(record, runs::root_of(record, &output.run_id)?)?;
    let row = record.items.get(&(charge.clone(), output.item))?.clone();
    Some((charge, account, row))
}

fn delivered_by(record: &Record, output: &Output, account: &AccountId) -> Option<OutputId> {
    items::intact_output(record, runs::root_of(record, &output.run_id)?, output.item, account)
}

fn project_of(place: &Place) -> &makegood_domain::ids::ProjectId {
    match place {
        Place::Node { project_id, .. } | Place::History { project_id } | Place::Hold { project_id, .. } => project_id,
    }
}

fn put_at(output: &mut Output, place: &Place) {
    output.project_id = project_of(place).clone();
    output.node_id = if let Place::Node { node_id, .. } = place { Some(node_id.clone()) } else { None };
    output.in_history = !matches!(place, Place::Hold { .. });
    output.on_canvas = matches!(place, Place::Node { .. });
}

/// Refuses a place in a project of another account than the one that paid (P11).
pub(super) fn check_account(record: &Record, place: &Place, account: &AccountId) -> Worked<()> {
    let project = project_of(place);
    match runs::account_of(record, project) {
        Some(owner) if owner == account => Ok(()),
        Some(_) => refused(format!("project {project} belongs to another account than the one that paid")),
        None => refused(format!("there is no project {project}")),
    }
}

fn check_node(record: &Record, place: &Place) -> Worked<()> {
    let Place::Node { project_id, node_id } = place else { return Ok(()) };
    match record.nodes.get(node_id) {
        Some(node) if node.project_id == *project_id => Ok(()),
        Some(_) => refused(format!("node {node_id} is not in project {project_id}")),
        None => refused(format!("there is no node {node_id}")),
    }
}
