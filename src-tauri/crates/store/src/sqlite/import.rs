//! Facts in: one transaction a batch, one savepoint a fact. A fact that cannot be taken is put with
//! the dead letters and keeps nobody else out.

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::Timestamp;
use makegood_domain::events::{Event, Origin};
use makegood_domain::feed::Fact;
use makegood_domain::ids::RunId;
use makegood_domain::ledger::RefundState;
use makegood_domain::ports::{ImportReport, RejectedFact, StoreError, StoreResult, Taken, Told};
use makegood_domain::settlement::{By, Move, State};
use sqlx::{Connection, SqliteConnection};

use super::dead_letters::{self, Why};
use super::discrepancies::{self, DELIVERED_AND_REFUNDED, LEVEL_DIFFERS};
use super::due_runs::{self, Changed};
use super::fault::{BELOW_ZERO, Fault, MISSING_ROW, Worked, as_error, backend, refused};
use super::items::{self, Note};
use super::references::Missing;
use super::rows::{document, micros};
use super::{SqliteStore, audit};
use super::{
    canvas, catalogue, charges, deliveries, fresh, jobs, outputs, people, references, refunds, runs, ticket_links,
};
use crate::digests::{digest, digest_in_other_state};

statements! {
    KNOWN = "SELECT digest, told_at FROM fact_digests WHERE kind = ?1 AND id = ?2";
    KEEP = "INSERT INTO fact_digests (kind, id, digest, imported_at, told_at) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (kind, id) DO UPDATE SET digest = excluded.digest, imported_at = excluded.imported_at,
            told_at = max(told_at, excluded.told_at)";
    SAID_AGAIN = "UPDATE fact_digests SET told_at = ?3 WHERE kind = ?1 AND id = ?2 AND told_at < ?3";
    EVENT_KNOWN = "SELECT EXISTS (SELECT 1 FROM events_taken WHERE source = ?1 AND id = ?2)";
    KEEP_EVENT = "INSERT INTO events_taken (source, id, at) VALUES (?1, ?2, ?3)";
    LAST_DOCUMENT = "SELECT document FROM item_transitions WHERE charge_id = ?1 AND item = ?2
        ORDER BY seq DESC LIMIT 1";
    LEVEL = "SELECT level FROM balances WHERE id = ?1";
    RESTORED_HERE = "SELECT count(*) FROM refund_lines l JOIN refunds r ON r.id = l.refund_id
        WHERE l.target = ?1 AND r.origin = 'makegood'";
}

/// Fewer facts are taken one by one.
const FEW: usize = 8;

/// Logical runs that a batch changes, told by a run of each or by their first run.
#[derive(Default)]
struct Touched {
    /// Runs whose items or due look can follow from the batch.
    runs: BTreeSet<String>,
    /// First runs of logical runs that a row was of before: it is another's now.
    roots: BTreeSet<String>,
}

/// Facts that are taken together, and what became of them so far.
struct Batch {
    at: Timestamp,
    outcomes: Vec<Option<Taken>>,
    touched: Touched,
}

/// A fact that could not be taken yet, and whether what it lacks can still come.
struct Waiting {
    place: usize,
    why: Why,
    lacks: bool,
}

impl SqliteStore {
    pub(super) async fn import_told(&self, told: &[Told], at: Timestamp) -> StoreResult<ImportReport> {
        let mut tx = self.begin().await?;
        let mut batch = Batch { at, outcomes: vec![None; told.len()], touched: Touched::default() };
        let mut waiting: Vec<Waiting> = Vec::new();
        for (stretch, is_fresh) in fresh::stretches(&mut tx, told).await? {
            let mut one_by_one = vec![stretch.clone()];
            if is_fresh {
                one_by_one = take_fresh(&mut tx, &mut batch, told, stretch).await?;
            }
            for place in one_by_one.into_iter().flatten() {
                let Some(one) = told.get(place) else { continue };
                waiting.extend(take_one(&mut tx, &mut batch, place, &one.event).await?);
            }
        }
        // What lacked a row, or credits, that came later in the batch is tried again.
        loop {
            let before = waiting.len();
            let mut still = Vec::new();
            for Waiting { place, .. } in std::mem::take(&mut waiting) {
                let Some(one) = told.get(place) else { continue };
                still.extend(take_one(&mut tx, &mut batch, place, &one.event).await?);
            }
            waiting = still;
            if waiting.is_empty() || waiting.len() == before {
                break;
            }
        }
        let mut rejected = Vec::with_capacity(waiting.len());
        for Waiting { place, why, lacks } in waiting {
            let Some(one) = told.get(place) else { continue };
            let fact = &one.event.fact;
            let buried = dead_letters::bury(&mut tx, one, &digest(fact)?, &why, at).await;
            buried.map_err(|fault| as_error(fault, "the dead letters"))?;
            let (index, kind) = (signless(place), fact.kind().to_owned());
            rejected.push(RejectedFact { index, kind, id: fact.id(), reason: why.reason, lacks });
        }
        rejected.sort_by_key(|fact| fact.index);
        settle(&mut tx, told, &batch.touched, at).await.map_err(|fault| as_error(fault, "the import"))?;
        let report = ImportReport::new(batch.outcomes, rejected);
        if report.unchanged < signless(told.len()) {
            audit::add(&mut tx, "feed", "import", "feed", &document(&summary(&report))?, at).await?;
        }
        tx.commit().await.map_err(backend)?;
        Ok(report)
    }
}

/// What the audit says about a batch: the counts, and what was rejected.
fn summary(report: &ImportReport) -> serde_json::Value {
    serde_json::json!({ "added": report.added, "unchanged": report.unchanged, "updated": report.updated,
        "rejected": report.rejected })
}

fn signless(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Takes a stretch of fresh facts together, or its halves, or their halves; answers what is left to be taken
/// one by one.
async fn take_fresh(
    connection: &mut SqliteConnection,
    batch: &mut Batch,
    told: &[Told],
    stretch: Range<usize>,
) -> StoreResult<Vec<Range<usize>>> {
    let (mut open, mut left) = (vec![stretch], Vec::new());
    while let Some(part) = open.pop() {
        if part.len() < FEW {
            left.push(part);
            continue;
        }
        let facts = told.get(part.clone()).unwrap_or_default();
        let mut savepoint = connection.begin().await.map_err(backend)?;
        match fresh::put_fresh(&mut savepoint, facts, batch.at).await {
            Ok(()) => {
                savepoint.commit().await.map_err(backend)?;
                batch
                    .outcomes
                    .iter_mut()
                    .skip(part.start)
                    .take(part.len())
                    .for_each(|taken| *taken = Some(Taken::Added));
                let runs = facts.iter().filter_map(|one| run_of(&one.event.fact));
                batch.touched.runs.extend(runs.map(|run| run.0.clone()));
            }
            Err(Fault::Refused(_)) => {
                savepoint.rollback().await.map_err(backend)?;
                let middle = part.start + part.len() / 2;
                // The first half is the next one.
                open.extend([middle..part.end, part.start..middle]);
            }
            Err(Fault::Failed(error)) => return Err(error),
        }
    }
    left.sort_by_key(|part| part.start);
    Ok(left)
}

/// Takes one fact in its own savepoint; answers why it cannot be taken, if so.
async fn take_one(
    connection: &mut SqliteConnection,
    batch: &mut Batch,
    place: usize,
    event: &Event,
) -> StoreResult<Option<Waiting>> {
    let fact = &event.fact;
    let before = roots_before(connection, fact).await?;
    let mut savepoint = connection.begin().await.map_err(backend)?;
    match take(&mut savepoint, event, batch.at).await {
        Ok(taken) => {
            savepoint.commit().await.map_err(backend)?;
            if let Some(outcome) = batch.outcomes.get_mut(place) {
                *outcome = Some(taken);
            }
            if taken != Taken::Unchanged {
                batch.touched.runs.extend(run_of(fact).map(|run| run.0.clone()));
                batch.touched.roots.extend(before);
            }
            Ok(None)
        }
        Err(Fault::Refused(why)) => {
            savepoint.rollback().await.map_err(backend)?;
            let missing = missing_row(connection, fact).await?;
            let lacks = missing.is_some() || why == BELOW_ZERO;
            let waits_for = match (&missing, fact) {
                (Some(missing), _) => Some((missing.kind.to_owned(), missing.id.clone())),
                (None, Fact::Charge(row)) if lacks => Some(("account".to_owned(), row.account_id.0.clone())),
                (None, _) => None,
            };
            let reason = missing.filter(|_| why == MISSING_ROW).map_or(why, |missing| missing.words);
            Ok(Some(Waiting { place, why: Why { reason, waits_for }, lacks }))
        }
        Err(Fault::Failed(error)) => Err(error),
    }
}

async fn missing_row(connection: &mut SqliteConnection, fact: &Fact) -> StoreResult<Option<Missing>> {
    references::missing(connection, fact).await.map_err(|fault| as_error(fault, "the import"))
}

async fn take(connection: &mut SqliteConnection, event: &Event, at: Timestamp) -> Worked<Taken> {
    let fact = &event.fact;
    if let Some(Origin { source, id }) = &event.origin {
        let known = sqlx::query_scalar(EVENT_KNOWN).bind(source).bind(id).fetch_one(&mut *connection).await?;
        if known {
            return Ok(Taken::Unchanged);
        }
        let keep = sqlx::query(KEEP_EVENT).bind(source).bind(id).bind(micros(at));
        keep.execute(&mut *connection).await?;
    }
    let (kind, id, told_at) = (fact.kind(), fact.id(), event.told_at(at));
    let digest = digest(fact)?;
    let known: Option<(Vec<u8>, i64)> =
        sqlx::query_as(KNOWN).bind(kind).bind(&id).fetch_optional(&mut *connection).await?;
    let taken = match known {
        Some((known, _)) if known == digest => {
            let again = sqlx::query(SAID_AGAIN).bind(kind).bind(&id).bind(micros(told_at));
            again.execute(&mut *connection).await?;
            return Ok(Taken::Unchanged);
        }
        Some((known, known_at)) => {
            let known = Known { digest: &known, is_newer: known_at > micros(told_at) };
            if !renew(connection, event, &known, at).await? {
                return Ok(Taken::Unchanged);
            }
            Taken::Updated
        }
        None => {
            put(connection, fact, told_at, at).await?;
            Taken::Added
        }
    };
    let keep = sqlx::query(KEEP).bind(kind).bind(&id).bind(digest).bind(micros(at)).bind(micros(told_at));
    keep.execute(&mut *connection).await?;
    dead_letters::taken_after_all(connection, kind, &id, at).await?;
    Ok(taken)
}

/// Puts a row as it was said to be as of `told_at`, at `at`.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    fact: &Fact,
    told_at: Timestamp,
    at: Timestamp,
) -> Worked<()> {
    match fact {
        Fact::Provider(row) => catalogue::put_provider(connection, row).await,
        Fact::Model(row) => catalogue::put_model(connection, row).await,
        Fact::User(row) => people::put_user(connection, row).await,
        Fact::Account(row) => people::put_account(connection, row, at).await,
        Fact::Workspace(row) => people::put_workspace(connection, row).await,
        Fact::Project(row) => canvas::put_project(connection, row).await,
        Fact::Node(row) => canvas::put_node(connection, row).await,
        Fact::Run(row) => runs::put(connection, row).await,
        Fact::Charge(row) => charges::add(connection, row).await,
        Fact::Job(row) => jobs::hear(connection, row, told_at).await,
        Fact::Webhook(row) => deliveries::put_webhook(connection, row).await,
        Fact::Upload(row) => deliveries::put_upload(connection, row).await,
        Fact::Output(row) => outputs::put(connection, row, at).await,
        Fact::Refund(row) => refunds::add(connection, row, at).await,
        Fact::Ticket(row) => ticket_links::put(connection, row).await,
    }
}

/// The newest thing that was said of a row.
struct Known<'a> {
    digest: &'a [u8],
    /// It was said later than what comes now.
    is_newer: bool,
}

/// Takes a row that is known with other content; whether it changed anything. Ledger lines are never edited:
/// of those only a refund changes, from posted to reversed. What was said before does not come after.
async fn renew(connection: &mut SqliteConnection, event: &Event, known: &Known<'_>, at: Timestamp) -> Worked<bool> {
    match &event.fact {
        Fact::Charge(row) => refused(format!("charge {} is known with other content", row.id)),
        Fact::Refund(row) => match digest_in_other_state(&event.fact)? {
            Some((RefundState::Posted, posted)) if posted == known.digest => {
                refunds::reverse(connection, row).await.map(|()| true)
            }
            // It was posted, and then reversed: the beginning comes late.
            Some((RefundState::Reversed, reversed)) if reversed == known.digest => Ok(false),
            _ => refused(format!("refund {} is known with other content", row.id)),
        },
        _ if known.is_newer => Ok(false),
        other => put(connection, other, event.told_at(at), at).await.map(|()| true),
    }
}

/// The run that a fact is about: its items can be settled by it, and a reconciler must look again.
fn run_of(fact: &Fact) -> Option<&RunId> {
    match fact {
        Fact::Charge(row) => Some(&row.run_id),
        Fact::Output(row) => Some(&row.run_id),
        Fact::Refund(row) => Some(&row.run_id),
        Fact::Run(row) => Some(&row.id),
        Fact::Job(row) => Some(&row.run_id),
        Fact::Webhook(row) => Some(&row.run_id),
        Fact::Upload(row) => Some(&row.run_id),
        _ => None,
    }
}

/// The logical runs that a row is of before a fact changes it: a run can become another one's retry,
/// an output another run's, a project another account's.
async fn roots_before(connection: &mut SqliteConnection, fact: &Fact) -> StoreResult<Vec<String>> {
    let run = match fact {
        Fact::Run(row) => Some(row.id.clone()),
        Fact::Output(row) => outputs::output(connection, &row.id).await?.map(|output| output.run_id),
        Fact::Project(row) => {
            let account = canvas::account_of(connection, row.id.as_str()).await?;
            let moves = account.is_some_and(|account| account != row.account_id.as_str());
            return if moves { canvas::roots_in(connection, row.id.as_str()).await } else { Ok(Vec::new()) };
        }
        _ => None,
    };
    Ok(match run {
        Some(run) => runs::root_of(connection, &run).await?.map(|root| root.0).into_iter().collect(),
        None => Vec::new(),
    })
}

/// Brings the items of the touched runs in line with the outputs, and the list of runs to look at with
/// both; looks whether the platform's levels are ours.
async fn settle(connection: &mut SqliteConnection, told: &[Told], touched: &Touched, at: Timestamp) -> Worked<()> {
    let mut roots: BTreeSet<RunId> = touched.roots.iter().cloned().map(RunId).collect();
    for run in &touched.runs {
        roots.extend(runs::root_of(connection, &RunId(run.clone())).await?);
    }
    for root in &roots {
        deliver_items(connection, root, at).await?;
        due_runs::follow(connection, root.as_str(), Changed::ByOthers, at).await?;
    }
    let accounts =
        told.iter().filter_map(|one| if let Fact::Account(row) = &one.event.fact { Some(row) } else { None });
    for balance in accounts.flat_map(|account| &account.balances) {
        let id = balance.id.as_str();
        let level: Option<i64> = sqlx::query_scalar(LEVEL).bind(id).fetch_optional(&mut *connection).await?;
        let ours: i64 = sqlx::query_scalar(RESTORED_HERE).bind(id).fetch_one(&mut *connection).await?;
        match level {
            Some(level) if level != balance.current && ours == 0 => {
                let detail = format!("the platform says {}, its charges and refunds say {level}", balance.current);
                discrepancies::open(connection, LEVEL_DIFFERS, id, &detail, at).await?;
            }
            _ => discrepancies::close(connection, LEVEL_DIFFERS, id, at).await?,
        }
    }
    Ok(())
}

/// An output stored intact with the account that paid delivers the item of the first charge of its
/// logical run; other charges of it stay restorable.
async fn deliver_items(connection: &mut SqliteConnection, root: &RunId, at: Timestamp) -> Worked<()> {
    let Some((charge, account)) = items::first_charge(connection, root).await? else { return Ok(()) };
    for item in items::items_of(connection, charge.as_str()).await? {
        let output = items::intact_output(connection, root.as_str(), item.item, &account).await?;
        let what = match (&output, item.stands.state) {
            (Some(output), State::Refunded) => {
                let subject = format!("{charge}/{}", item.item);
                let detail = format!("output {output} is stored, and the item is refunded");
                discrepancies::open(connection, DELIVERED_AND_REFUNDED, &subject, &detail, at).await?;
                continue;
            }
            (None, State::Delivered) => Move::Damage,
            (None, _) | (Some(_), State::Delivered) => continue,
            (Some(_), _) => Move::Deliver { by: By::Platform, epoch: item.stands.epoch },
        };
        let document = match output {
            Some(output) => Some(output),
            None => last_document(connection, &charge.0, item.item).await?,
        };
        let note = Note { document: document.as_deref(), why: None };
        items::make(connection, &item, &what, note, &By::Platform, at).await?;
    }
    Ok(())
}

async fn last_document(connection: &mut SqliteConnection, charge: &str, item: i64) -> StoreResult<Option<String>> {
    let query = sqlx::query_scalar(LAST_DOCUMENT).bind(charge).bind(item);
    let row: Option<Option<String>> = query.fetch_optional(connection).await.map_err(backend)?;
    row.ok_or_else(|| StoreError::Inconsistent { at: charge.to_owned(), why: "an item has no history".to_owned() })
}
