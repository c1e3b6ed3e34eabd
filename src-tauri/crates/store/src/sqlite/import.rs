//! Facts in: one transaction a batch, one savepoint a fact. A fact that cannot be taken is put with
//! the dead letters and keeps nobody else out.

use std::collections::BTreeSet;

use jiff::Timestamp;
use makegood_domain::feed::Fact;
use makegood_domain::ids::RunId;
use makegood_domain::ports::{ImportReport, RejectedFact, StoreError, StoreResult};
use makegood_domain::settlement::{By, Move, State};
use sqlx::{Connection, SqliteConnection};

use super::discrepancies::{self, DELIVERED_AND_REFUNDED, LEVEL_DIFFERS};
use super::due_runs::{self, Changed};
use super::fault::{Fault, MISSING_ROW, Worked, as_error, backend, refused};
use super::items::{self, Note};
use super::rows::{document, micros};
use super::{SqliteStore, audit};
use super::{canvas, catalogue, charges, deliveries, jobs, outputs, people, references, refunds, runs, ticket_links};
use crate::digests::{digest, digest_as_posted};

statements! {
    KNOWN = "SELECT digest FROM fact_digests WHERE kind = ?1 AND id = ?2";
    KEEP = "INSERT INTO fact_digests (kind, id, digest, imported_at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (kind, id) DO UPDATE SET digest = excluded.digest, imported_at = excluded.imported_at";
    DEAD_LETTER = "INSERT INTO dead_letters (at, kind, row_id, reason, fact)
        SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (
            SELECT 1 FROM dead_letters WHERE kind = ?2 AND row_id = ?3 AND reason = ?4 AND fact = ?5)";
    ALIVE_AGAIN = "DELETE FROM dead_letters WHERE kind = ?1 AND row_id = ?2";
    LAST_DOCUMENT = "SELECT document FROM item_transitions WHERE charge_id = ?1 AND item = ?2
        ORDER BY seq DESC LIMIT 1";
    LEVEL = "SELECT level FROM balances WHERE id = ?1";
    RESTORED_HERE = "SELECT count(*) FROM refund_lines l JOIN refunds r ON r.id = l.refund_id
        WHERE l.target = ?1 AND r.origin = 'makegood'";
}

/// Logical runs that a batch changes, told by a run of each or by their first run.
#[derive(Default)]
struct Touched {
    /// Runs whose items or due look can follow from the batch.
    runs: BTreeSet<String>,
    /// First runs of logical runs that a row was of before: it is another's now.
    roots: BTreeSet<String>,
}

/// What taking one fact did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Added,
    Unchanged,
    Updated,
}

impl SqliteStore {
    pub(super) async fn import_facts(&self, facts: &[Fact], at: Timestamp) -> StoreResult<ImportReport> {
        let mut tx = self.begin().await?;
        let mut report = ImportReport::default();
        let mut touched = Touched::default();
        let mut waiting: Vec<(usize, String)> = Vec::new();
        for (place, fact) in facts.iter().enumerate() {
            if let Err(why) = take_one(&mut tx, fact, at, &mut report, &mut touched).await? {
                waiting.push((place, why));
            }
        }
        // What lacked a row, or credits, that came later in the batch is tried again.
        loop {
            let before = waiting.len();
            let mut still = Vec::new();
            for (place, _) in std::mem::take(&mut waiting) {
                let Some(fact) = facts.get(place) else { continue };
                if let Err(why) = take_one(&mut tx, fact, at, &mut report, &mut touched).await? {
                    still.push((place, why));
                }
            }
            waiting = still;
            if waiting.is_empty() || waiting.len() == before {
                break;
            }
        }
        for (place, reason) in waiting {
            let Some(fact) = facts.get(place) else { continue };
            report.rejected.push(bury(&mut tx, place, fact, reason, at).await?);
        }
        settle(&mut tx, facts, &touched, at).await.map_err(|fault| as_error(fault, "the import"))?;
        if report.added + report.updated + signless(report.rejected.len()) > 0 {
            let detail = document(&report)?;
            audit::add(&mut tx, "feed", "import", "feed", &detail, at).await?;
        }
        tx.commit().await.map_err(backend)?;
        Ok(report)
    }
}

fn signless(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Takes one fact in its own savepoint; the inner error is why it cannot be taken.
async fn take_one(
    connection: &mut SqliteConnection,
    fact: &Fact,
    at: Timestamp,
    report: &mut ImportReport,
    touched: &mut Touched,
) -> StoreResult<Result<(), String>> {
    let before = roots_before(connection, fact).await?;
    let mut savepoint = connection.begin().await.map_err(backend)?;
    match take(&mut savepoint, fact, at).await {
        Ok(taken) => {
            savepoint.commit().await.map_err(backend)?;
            match taken {
                Taken::Added => report.added += 1,
                Taken::Unchanged => report.unchanged += 1,
                Taken::Updated => report.updated += 1,
            }
            if taken != Taken::Unchanged {
                touched.runs.extend(run_of(fact).map(|run| run.0.clone()));
                touched.roots.extend(before);
            }
            Ok(Ok(()))
        }
        Err(Fault::Refused(why)) => {
            savepoint.rollback().await.map_err(backend)?;
            let missing = if why == MISSING_ROW { missing_row(connection, fact).await? } else { None };
            Ok(Err(missing.unwrap_or(why)))
        }
        Err(Fault::Failed(error)) => Err(error),
    }
}

async fn missing_row(connection: &mut SqliteConnection, fact: &Fact) -> StoreResult<Option<String>> {
    references::missing(connection, fact).await.map_err(|fault| as_error(fault, "the import"))
}

async fn take(connection: &mut SqliteConnection, fact: &Fact, at: Timestamp) -> Worked<Taken> {
    let (kind, id) = name(fact);
    let digest = digest(fact)?;
    let known: Option<Vec<u8>> =
        sqlx::query_scalar(KNOWN).bind(kind).bind(&id).fetch_optional(&mut *connection).await?;
    let taken = match known {
        Some(known) if known == digest => return Ok(Taken::Unchanged),
        Some(known) => {
            renew(connection, fact, &known, at).await?;
            Taken::Updated
        }
        None => {
            put(connection, fact, at).await?;
            Taken::Added
        }
    };
    let keep = sqlx::query(KEEP).bind(kind).bind(&id).bind(digest).bind(micros(at));
    keep.execute(&mut *connection).await?;
    sqlx::query(ALIVE_AGAIN).bind(kind).bind(&id).execute(connection).await?;
    Ok(taken)
}

async fn put(connection: &mut SqliteConnection, fact: &Fact, at: Timestamp) -> Worked<()> {
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
        Fact::Job(row) => jobs::put(connection, row, at).await,
        Fact::Webhook(row) => deliveries::put_webhook(connection, row).await,
        Fact::Upload(row) => deliveries::put_upload(connection, row).await,
        Fact::Output(row) => outputs::put(connection, row, at).await,
        Fact::Refund(row) => refunds::add(connection, row, at).await,
        Fact::Ticket(row) => ticket_links::put(connection, row).await,
    }
}

/// Takes a row that is known with other content. Ledger lines are never edited: of those only a
/// refund changes, from posted to reversed.
async fn renew(connection: &mut SqliteConnection, fact: &Fact, known: &[u8], at: Timestamp) -> Worked<()> {
    match fact {
        Fact::Charge(row) => refused(format!("charge {} is known with other content", row.id)),
        Fact::Refund(row) => {
            if digest_as_posted(fact)?.is_some_and(|posted| posted == known) {
                refunds::reverse(connection, row).await
            } else {
                refused(format!("refund {} is known with other content", row.id))
            }
        }
        other => put(connection, other, at).await,
    }
}

/// The word of the feed for a fact, and its id.
fn name(fact: &Fact) -> (&'static str, String) {
    match fact {
        Fact::Provider(row) => ("provider", row.id.0.clone()),
        Fact::Model(row) => ("model", row.id.0.clone()),
        Fact::User(row) => ("user", row.id.0.clone()),
        Fact::Account(row) => ("account", row.id.0.clone()),
        Fact::Workspace(row) => ("workspace", row.id.0.clone()),
        Fact::Project(row) => ("project", row.id.0.clone()),
        Fact::Node(row) => ("node", row.id.0.clone()),
        Fact::Run(row) => ("run", row.id.0.clone()),
        Fact::Charge(row) => ("charge", row.id.0.clone()),
        Fact::Job(row) => ("job", row.id.0.clone()),
        Fact::Webhook(row) => ("webhook", row.id.0.clone()),
        Fact::Upload(row) => ("upload", format!("{}/{}/{}", row.run_id, row.item, row.attempted_at)),
        Fact::Output(row) => ("output", row.id.0.clone()),
        Fact::Refund(row) => ("refund", row.id.0.clone()),
        Fact::Ticket(row) => ("ticket", row.id.0.clone()),
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

async fn bury(
    connection: &mut SqliteConnection,
    place: usize,
    fact: &Fact,
    reason: String,
    at: Timestamp,
) -> StoreResult<RejectedFact> {
    let (kind, id) = name(fact);
    sqlx::query(DEAD_LETTER)
        .bind(micros(at))
        .bind(kind)
        .bind(&id)
        .bind(&reason)
        .bind(document(fact)?)
        .execute(connection)
        .await
        .map_err(backend)?;
    Ok(RejectedFact { index: signless(place), kind: kind.to_owned(), id, reason })
}

/// Brings the items of the touched runs in line with the outputs, and the list of runs to look at with
/// both; looks whether the platform's levels are ours.
async fn settle(connection: &mut SqliteConnection, facts: &[Fact], touched: &Touched, at: Timestamp) -> Worked<()> {
    let mut roots: BTreeSet<RunId> = touched.roots.iter().cloned().map(RunId).collect();
    for run in &touched.runs {
        roots.extend(runs::root_of(connection, &RunId(run.clone())).await?);
    }
    for root in &roots {
        deliver_items(connection, root, at).await?;
        due_runs::follow(connection, root.as_str(), Changed::ByOthers, at).await?;
    }
    let balances = facts.iter().filter_map(|fact| if let Fact::Account(row) = fact { Some(row) } else { None });
    for balance in balances.flat_map(|account| &account.balances) {
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
