//! Facts that nobody told before, many at a time: a statement a table instead of some a fact. What is taken
//! here is what would have been taken one by one, row for row; whatever is in the way undoes a group whole,
//! and it is halved, and in the end taken one by one.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use jiff::Timestamp;
use makegood_domain::events::{Event, Origin};
use makegood_domain::feed::Fact;
use makegood_domain::ledger::Charge;
use makegood_domain::ports::{StoreResult, Told};
use makegood_domain::work::{Job, Output, RetryInitiator};
use sqlx::SqliteConnection;

use super::charges;
use super::fault::{Worked, backend};
use super::import::put;
use super::many::{Cell, Many};
use super::rows::{document, micros, opt_word, signed, word};
use crate::rows::unwritten;

statements! {
    KNOWN = "SELECT wanted.key FROM json_each(?1) AS wanted JOIN fact_digests d
        ON d.kind = wanted.value ->> 0 AND d.id = wanted.value ->> 1";
    TAKEN = "SELECT wanted.key FROM json_each(?1) AS wanted JOIN events_taken e
        ON e.source = wanted.value ->> 0 AND e.id = wanted.value ->> 1";
    AFTER_ALL = "UPDATE dead_letters SET state = 'retried', last_at = ?2 WHERE id IN (
        SELECT l.id FROM json_each(?1) AS wanted JOIN dead_letters l
            ON l.kind = wanted.value ->> 0 AND l.row_id = wanted.value ->> 1 AND l.state = 'waiting')";
}

const EVENTS: &str = "INSERT INTO events_taken (source, id, at) VALUES";
const DIGESTS: &str = "INSERT INTO fact_digests (kind, id, digest, imported_at, told_at) VALUES";
const USERS: &str = "INSERT INTO users (id, email, timezone, locale) VALUES";
const PROJECTS: &str = "INSERT INTO projects (id, name, account_id, workspace_id, status, deleted_at) VALUES";
const NODES: &str = "INSERT INTO nodes (id, project_id, label, status, deleted_at) VALUES";
const RUNS: &str = "INSERT INTO runs (id, root_id, project_id, node_id, started_by, model_id, started_at,
    requested_items, status, cancelled_at, retry_of, retry_initiator, params) VALUES";
const CHARGES: &str = "INSERT INTO charges (id, run_id, account_id, posted_at, total, idempotency_key) VALUES";
const CHARGE_ITEMS: &str = "INSERT INTO charge_items (charge_id, item, price) VALUES";
const CHARGE_SOURCES: &str = "INSERT INTO charge_sources (charge_id, line, balance_id, account_id, amount) VALUES";
const JOBS: &str = "INSERT INTO jobs (id, run_id, provider_id, submitted_at, state, processing_started_at,
    finished_at, error, locator) VALUES";
const JOB_ITEMS: &str = "INSERT INTO job_items (job_id, item, state, finished_at, file_bytes, file_sha256_prefix,
    file_available_until, file_exists_now) VALUES";
const WEBHOOKS: &str = "INSERT INTO webhooks (id, job_id, run_id, received_at, attempts, result, routed_project_id,
    routed_node_id) VALUES";
const UPLOADS: &str = "INSERT INTO uploads (run_id, item, attempted_at, result) VALUES";
const OUTPUTS: &str = "INSERT INTO outputs (id, run_id, item, project_id, node_id, stored_at, bytes, state,
    in_history, on_canvas, sha256, origin) VALUES";
const PLACEMENTS: &str = "INSERT INTO placements (output_id, seq, project_id, node_id, hold_until, at, by) VALUES";

/// The facts of a batch in stretches of neighbours, each with whether it may be taken together: rows, and
/// events, of which the record knows nothing and the batch speaks once, whose effect depends on no row told
/// beside them. That is not so of refunds, and of the system's retries, which go on in another's logical run.
pub(super) async fn stretches(
    connection: &mut SqliteConnection,
    told: &[Told],
) -> StoreResult<Vec<(Range<usize>, bool)>> {
    let names: Vec<(&str, String)> = told.iter().map(|one| (one.event.fact.kind(), one.event.fact.id())).collect();
    let origins: Vec<Option<&Origin>> = told.iter().map(|one| one.event.origin.as_ref()).collect();
    let known = places(connection, KNOWN, &document(&names)?).await?;
    let pairs: Vec<(&str, &str)> =
        origins.iter().map(|origin| origin.map_or(("", ""), |o| (o.source.as_str(), o.id.as_str()))).collect();
    let taken = places(connection, TAKEN, &document(&pairs)?).await?;
    let mut tellings: HashMap<&(&str, String), u32> = HashMap::new();
    names.iter().for_each(|name| *tellings.entry(name).or_default() += 1);
    let mut deliveries: HashMap<&Origin, u32> = HashMap::new();
    origins.iter().flatten().for_each(|origin| *deliveries.entry(origin).or_default() += 1);
    let mut stretches: Vec<(Range<usize>, bool)> = Vec::new();
    for (place, ((one, name), origin)) in told.iter().zip(&names).zip(&origins).enumerate() {
        let is_fresh = !known.contains(&place)
            && !taken.contains(&place)
            && tellings.get(name) == Some(&1)
            && origin.is_none_or(|origin| deliveries.get(origin) == Some(&1))
            && stands_alone(&one.event.fact);
        match stretches.last_mut() {
            Some((stretch, same)) if *same == is_fresh => stretch.end = place + 1,
            _ => stretches.push((place..place + 1, is_fresh)),
        }
    }
    Ok(stretches)
}

async fn places(connection: &mut SqliteConnection, sql: &'static str, pairs: &str) -> StoreResult<HashSet<usize>> {
    let places: Vec<i64> = sqlx::query_scalar(sql).bind(pairs).fetch_all(connection).await.map_err(backend)?;
    Ok(places.into_iter().filter_map(|place| usize::try_from(place).ok()).collect())
}

fn stands_alone(fact: &Fact) -> bool {
    match fact {
        Fact::Refund(_) => false,
        Fact::Run(row) => row.retry_initiator != Some(RetryInitiator::System),
        _ => true,
    }
}

/// Takes events that are all fresh, in the order in which their kinds refer to each other.
pub(super) async fn put_fresh(connection: &mut SqliteConnection, told: &[Told], at: Timestamp) -> Worked<()> {
    keep_names(connection, told, at).await?;
    let mut kinds: BTreeMap<u8, Vec<&Fact>> = BTreeMap::new();
    for Told { event: Event { fact, .. }, .. } in told {
        kinds.entry(order(fact)).or_default().push(fact);
    }
    for facts in kinds.values() {
        put_kind(connection, facts, at).await?;
    }
    let names: Vec<(&str, String)> = told.iter().map(|one| (one.event.fact.kind(), one.event.fact.id())).collect();
    sqlx::query(AFTER_ALL).bind(document(&names)?).bind(micros(at)).execute(connection).await?;
    Ok(())
}

async fn keep_names(connection: &mut SqliteConnection, told: &[Told], at: Timestamp) -> Worked<()> {
    let (mut events, mut digests) = (Many::into(EVENTS), Many::into(DIGESTS));
    for one in told {
        let event = &one.event;
        if let Some(Origin { source, id }) = &event.origin {
            events.add([source.as_str().into(), id.as_str().into(), micros(at).into()]);
        }
        let (fact, digest) = (&event.fact, one.written().map_err(unwritten)?.digest().to_vec());
        let (imported_at, told_at) = (micros(at), micros(event.told_at(at)));
        digests.add([fact.kind().into(), fact.id().into(), digest.into(), imported_at.into(), told_at.into()]);
    }
    events.insert(connection).await?;
    digests.insert(connection).await
}

/// Nothing refers to a row of a later kind.
fn order(fact: &Fact) -> u8 {
    match fact {
        Fact::Provider(_) => 0,
        Fact::Model(_) => 1,
        Fact::User(_) => 2,
        Fact::Account(_) => 3,
        Fact::Workspace(_) => 4,
        Fact::Project(_) => 5,
        Fact::Node(_) => 6,
        Fact::Run(_) => 7,
        Fact::Charge(_) => 8,
        Fact::Job(_) => 9,
        Fact::Webhook(_) => 10,
        Fact::Upload(_) => 11,
        Fact::Output(_) => 12,
        Fact::Refund(_) => 13,
        Fact::Ticket(_) => 14,
    }
}

/// Facts of one kind. Kinds of which there are few are put one by one.
async fn put_kind(connection: &mut SqliteConnection, facts: &[&Fact], at: Timestamp) -> Worked<()> {
    let (mut users, mut projects, mut nodes) = (Many::into(USERS), Many::into(PROJECTS), Many::into(NODES));
    let (mut runs, mut webhooks, mut uploads) = (Many::into(RUNS), Many::into(WEBHOOKS), Many::into(UPLOADS));
    let (mut charges, mut jobs, mut outputs) = (Vec::new(), Vec::new(), Vec::new());
    for fact in facts {
        match fact {
            Fact::User(row) => users.add([
                row.id.as_str().into(),
                row.email.as_str().into(),
                row.timezone.as_deref().into(),
                row.locale.as_deref().into(),
            ]),
            Fact::Project(row) => projects.add([
                row.id.as_str().into(),
                row.name.as_str().into(),
                row.account_id.as_str().into(),
                row.workspace_id.as_ref().map(|id| id.as_str()).into(),
                word(&row.status)?.into(),
                row.deleted_at.map(micros).into(),
            ]),
            Fact::Node(row) => nodes.add([
                row.id.as_str().into(),
                row.project_id.as_str().into(),
                row.label.as_str().into(),
                word(&row.status)?.into(),
                row.deleted_at.map(micros).into(),
            ]),
            Fact::Run(row) => runs.add([
                row.id.as_str().into(),
                row.id.as_str().into(),
                row.project_id.as_str().into(),
                row.node_id.as_str().into(),
                row.started_by.as_str().into(),
                row.model_id.as_str().into(),
                micros(row.started_at).into(),
                row.requested_items.into(),
                word(&row.status)?.into(),
                row.cancelled_at.map(micros).into(),
                row.retry_of.as_ref().map(|id| id.as_str()).into(),
                opt_word(row.retry_initiator.as_ref())?.into(),
                document(&row.params)?.into(),
            ]),
            Fact::Webhook(row) => webhooks.add([
                row.id.as_str().into(),
                row.job_id.as_str().into(),
                row.run_id.as_str().into(),
                micros(row.received_at).into(),
                row.attempts.into(),
                word(&row.result)?.into(),
                row.routed_to.as_ref().map(|route| route.project_id.as_str()).into(),
                row.routed_to.as_ref().map(|route| route.node_id.as_str()).into(),
            ]),
            Fact::Upload(row) => uploads.add([
                row.run_id.as_str().into(),
                row.item.into(),
                micros(row.attempted_at).into(),
                word(&row.result)?.into(),
            ]),
            Fact::Charge(row) => charges.push(row),
            Fact::Job(row) => jobs.push(row),
            Fact::Output(row) => outputs.push(row),
            other => put(connection, other, at, at).await?,
        }
    }
    users.insert(connection).await?;
    projects.insert(connection).await?;
    nodes.insert(connection).await?;
    runs.insert(connection).await?;
    put_charges(connection, &charges).await?;
    put_jobs(connection, &jobs).await?;
    webhooks.insert(connection).await?;
    uploads.insert(connection).await?;
    put_outputs(connection, &outputs, at).await
}

/// Charges with their items and sources; the schema's triggers open the items and post the sources.
async fn put_charges(connection: &mut SqliteConnection, rows: &[&Charge]) -> Worked<()> {
    let (mut charges, mut items, mut sources) =
        (Many::into(CHARGES), Many::into(CHARGE_ITEMS), Many::into(CHARGE_SOURCES));
    for row in rows {
        charges::check_sums(row)?;
        charges.add([
            row.id.as_str().into(),
            row.run_id.as_str().into(),
            row.account_id.as_str().into(),
            micros(row.posted_at).into(),
            row.total.into(),
            row.idempotency_key.as_str().into(),
        ]);
        for item in &row.items {
            items.add([row.id.as_str().into(), item.item.into(), item.credits.into()]);
        }
        for (line, source) in (0_u64..).zip(&row.sources).filter(|(_, source)| source.amount != 0) {
            sources.add([
                row.id.as_str().into(),
                signed(line).into(),
                source.balance_id.as_str().into(),
                row.account_id.as_str().into(),
                source.amount.into(),
            ]);
        }
    }
    charges.insert(connection).await?;
    items.insert(connection).await?;
    sources.insert(connection).await
}

async fn put_jobs(connection: &mut SqliteConnection, rows: &[&Job]) -> Worked<()> {
    let (mut jobs, mut items) = (Many::into(JOBS), Many::into(JOB_ITEMS));
    for row in rows {
        jobs.add([
            row.id.as_str().into(),
            row.run_id.as_str().into(),
            row.provider_id.as_str().into(),
            micros(row.submitted_at).into(),
            word(&row.state)?.into(),
            row.processing_started_at.map(micros).into(),
            row.finished_at.map(micros).into(),
            row.error.as_deref().into(),
            row.locator.as_deref().into(),
        ]);
        for item in &row.items {
            let file = item.file.as_ref();
            items.add([
                row.id.as_str().into(),
                item.item.into(),
                word(&item.state)?.into(),
                item.finished_at.map(micros).into(),
                file.map(|file| signed(file.bytes)).into(),
                file.map(|file| file.sha256_prefix.as_str()).into(),
                file.and_then(|file| file.available_until).map(micros).into(),
                file.and_then(|file| file.exists_now).into(),
            ]);
        }
    }
    jobs.insert(connection).await?;
    items.insert(connection).await
}

async fn put_outputs(connection: &mut SqliteConnection, rows: &[&Output], at: Timestamp) -> Worked<()> {
    let (mut outputs, mut placements) = (Many::into(OUTPUTS), Many::into(PLACEMENTS));
    for row in rows {
        let node = || Cell::from(row.node_id.as_ref().map(|id| id.as_str()));
        outputs.add([
            row.id.as_str().into(),
            row.run_id.as_str().into(),
            row.item.into(),
            row.project_id.as_str().into(),
            node(),
            micros(row.stored_at).into(),
            signed(row.bytes).into(),
            word(&row.state)?.into(),
            row.in_history.into(),
            row.on_canvas.into(),
            row.sha256.as_deref().into(),
            "feed".into(),
        ]);
        placements.add([
            row.id.as_str().into(),
            0_i64.into(),
            row.project_id.as_str().into(),
            node(),
            Cell::Null,
            micros(at).into(),
            "feed".into(),
        ]);
    }
    outputs.insert(connection).await?;
    placements.insert(connection).await
}
