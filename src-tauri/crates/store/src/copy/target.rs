//! The side that is written, as the owner of its tables, and what is read back of it.

use futures_util::TryStreamExt;
use jiff::Timestamp;
use makegood_domain::ports::{StoreError, StoreResult};
use serde_json::json;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Executor, Row, SqliteConnection};

use super::cells::{Cell, Digested, Digester, Kind, copy_line};
use super::plan::Table;
use super::{CopiedTable, source};
use crate::postgres::fault::backend;
use crate::rows::micros;

/// Where rows wait that are not taken as they are. Temporary tables are nobody's to make here.
const STAGE: &str = "record.copied";

/// Sent at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// Lines of the audit in one seal.
const SEAL_LINES: i64 = 10_000;

/// Nobody else writes while the record is made.
const BEGIN: &str = "SET LOCAL ROLE makegood_owner;
    SET LOCAL search_path = pg_catalog, record, pg_temp;
    SET LOCAL lock_timeout = '10s';
    LOCK TABLE record.schema_migrations IN EXCLUSIVE MODE";

/// Balances come with their stripes, and two of them are there from the start. A level starts out in
/// the first stripe; from there it spreads as it is used.
const FILL_BALANCES: &str = "
    DO $$ BEGIN
        PERFORM record.add_balance(id, account_id, kind, position, opening, opening_at) FROM copied
        WHERE id NOT IN ('issuance', 'stray');
    END $$;
    UPDATE record.balance_stripes s SET level = c.level FROM copied c
    WHERE s.balance_id = c.id AND s.stripe = 0 AND s.level <> c.level";

/// The lines stand in an era before all others: numbers of transactions here say nothing about them.
/// The digest is the one of `record.add_audit`, with a transaction number of 0.
const FILL_AUDIT: &str = "
    INSERT INTO record.audit (seq, era, txid, at, actor, act, subject, detail, digest)
    SELECT seq, 1, 0, at, actor, act, subject, detail, sha256(int8send(seq) || int8send(0) || int8send(at)
        || int8send(octet_length(actor)) || convert_to(actor, 'UTF8')
        || int8send(octet_length(act)) || convert_to(act, 'UTF8')
        || int8send(octet_length(subject)) || convert_to(subject, 'UTF8')
        || int8send(octet_length(detail)) || convert_to(detail, 'UTF8'))
    FROM copied;
    SELECT setval('record.audit_numbers', greatest((SELECT max(seq) FROM record.audit), 1))";

/// Numbers given from now on come after those that were copied.
const CONTINUE_NUMBERS: &str = "
    DO $$ DECLARE
        v_column pg_catalog.record;
        v_last bigint;
    BEGIN
        FOR v_column IN SELECT a.attrelid::regclass::text AS place, a.attname::text AS name
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE c.relnamespace = 'record'::regnamespace AND a.attidentity <> ''
        LOOP
            EXECUTE format('SELECT max(%I) FROM %s', v_column.name, v_column.place) INTO v_last;
            IF v_last IS NOT NULL THEN
                PERFORM setval(pg_get_serial_sequence(v_column.place, v_column.name), v_last);
            END IF;
        END LOOP;
    END $$";

pub(super) async fn begin(connection: &mut PgConnection) -> StoreResult<()> {
    sqlx::raw_sql(BEGIN).execute(connection).await.map_err(|error| {
        StoreError::Unavailable(format!(
            "the target must be written by a login that may act as makegood_owner, as `makegoodctl db create` did: {error}"
        ))
    })?;
    Ok(())
}

/// A record may only come into an empty one. What migrations put there does not count.
pub(super) async fn refuse_unless_empty(connection: &mut PgConnection, tables: &[Table]) -> StoreResult<()> {
    for table in tables.iter().filter(|table| !is_seeded(&table.name)) {
        let any = format!("SELECT EXISTS (SELECT 1 FROM record.\"{}\")", table.name);
        let any: bool = sqlx::query_scalar(AssertSqlSafe(any)).fetch_one(&mut *connection).await.map_err(backend)?;
        if any {
            return Err(StoreError::Unavailable(format!(
                "the target is not empty: {} has rows. A record is copied into one that `makegoodctl db create` has \
                 just made",
                table.name
            )));
        }
    }
    Ok(())
}

/// Tables with rows from the start: system balances, the table of states, limits, and how far what is old was
/// gone through.
fn is_seeded(table: &str) -> bool {
    matches!(table, "balances" | "item_state_pairs" | "default_limits" | "reconciler_limits" | "pruned")
}

/// Copies one table.
pub(super) async fn fill(target: &mut PgConnection, source: &mut SqliteConnection, table: &Table) -> StoreResult<()> {
    match table.name.as_str() {
        // The same on both sides from the start, for ever; the comparison proves it.
        "item_state_pairs" => Ok(()),
        "balances" => {
            stage(target, source, table).await?;
            execute(target, FILL_BALANCES, table).await
        }
        "audit" => {
            stage(target, source, table).await?;
            execute(target, FILL_AUDIT, table).await
        }
        "default_limits" | "reconciler_limits" | "pruned" => {
            let clear = format!("DELETE FROM record.\"{}\"", table.name);
            target.execute(AssertSqlSafe(clear)).await.map_err(backend)?;
            pour(target, source, table, &format!("record.\"{}\"", table.name)).await
        }
        name => pour(target, source, table, &format!("record.\"{name}\"")).await,
    }
}

async fn execute(target: &mut PgConnection, sql: &'static str, table: &Table) -> StoreResult<()> {
    sqlx::raw_sql(sql).execute(&mut *target).await.map_err(|error| broken(&table.name, &error))?;
    target.execute("DROP TABLE record.copied").await.map_err(backend)?;
    Ok(())
}

fn broken(table: &str, error: &sqlx::Error) -> StoreError {
    StoreError::Inconsistent { at: table.to_owned(), why: format!("a row was not taken: {error}") }
}

/// The rows of a table in one that lasts as long as this table is filled.
async fn stage(target: &mut PgConnection, source: &mut SqliteConnection, table: &Table) -> StoreResult<()> {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| format!("\"{}\" {}", column.name, if column.kind == Kind::Int { "bigint" } else { "text" }))
        .collect();
    let create = format!("CREATE TABLE record.copied ({})", columns.join(", "));
    sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut *target).await.map_err(backend)?;
    pour(target, source, table, STAGE).await
}

/// Sends all rows by one COPY: references within a table are looked at when all of it is there.
async fn pour(target: &mut PgConnection, source: &mut SqliteConnection, table: &Table, into: &str) -> StoreResult<()> {
    let is_staged = into == STAGE;
    let stored: Vec<bool> = table.columns.iter().map(|column| column.is_stored || is_staged).collect();
    let names: Vec<String> = table
        .columns
        .iter()
        .zip(&stored)
        .filter(|(_, stored)| **stored)
        .map(|(column, _)| format!("\"{}\"", column.name))
        .collect();
    let statement = format!("COPY {into} ({}) FROM STDIN", names.join(", "));
    let mut copying = target.copy_in_raw(&statement).await.map_err(|error| broken(&table.name, &error))?;
    let mut rows = sqlx::query(AssertSqlSafe(source::rows_of(table))).fetch(source);
    let mut chunk = String::with_capacity(CHUNK_BYTES);
    while let Some(row) = rows.try_next().await.map_err(source::failed)? {
        let cells = source::cells(&row, table)?;
        let kept: Vec<Cell> =
            cells.into_iter().zip(&stored).filter(|(_, stored)| **stored).map(|(cell, _)| cell).collect();
        chunk.push_str(&copy_line(&kept));
        if chunk.len() >= CHUNK_BYTES {
            copying.send(chunk.as_bytes()).await.map_err(|error| broken(&table.name, &error))?;
            chunk.clear();
        }
    }
    copying.send(chunk.as_bytes()).await.map_err(|error| broken(&table.name, &error))?;
    copying.finish().await.map_err(|error| broken(&table.name, &error))?;
    Ok(())
}

/// After the last table: numbers go on, everything that was put off is checked, the ledger adds up.
pub(super) async fn settle(connection: &mut PgConnection) -> StoreResult<()> {
    sqlx::raw_sql(CONTINUE_NUMBERS).execute(&mut *connection).await.map_err(backend)?;
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE").await.map_err(backend)?;
    let breaks: Vec<(String, String)> = sqlx::query_as("SELECT kind, subject FROM api.ledger_breaks LIMIT 1")
        .fetch_all(connection)
        .await
        .map_err(backend)?;
    match breaks.into_iter().next() {
        None => Ok(()),
        Some((kind, subject)) => {
            Err(StoreError::Inconsistent { at: subject, why: format!("the ledger does not add up: {kind}") })
        }
    }
}

pub(super) async fn digest(connection: &mut PgConnection, table: &Table) -> StoreResult<Digested> {
    let columns: Vec<&str> = table.columns.iter().map(|column| column.there.as_str()).collect();
    let key: Vec<String> = table.key.iter().map(|name| ordering(table, name)).collect();
    let sql = format!("SELECT {} FROM record.\"{}\" t ORDER BY {}", columns.join(", "), table.name, key.join(", "));
    let mut digester = Digester::default();
    let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(backend)? {
        digester.take(&cells(&row, table)?);
    }
    Ok(digester.end())
}

/// Texts in the order of their bytes, as SQLite has them.
fn ordering(table: &Table, name: &str) -> String {
    let is_text = table.columns.iter().any(|column| column.name == name && column.kind == Kind::Text);
    format!("t.\"{name}\"{}", if is_text { " COLLATE \"C\"" } else { "" })
}

fn cells(row: &PgRow, table: &Table) -> StoreResult<Vec<Cell>> {
    let columns = table.columns.iter().enumerate();
    columns
        .map(|(place, column)| match column.kind {
            Kind::Int => Ok(row.try_get::<Option<i64>, _>(place).map_err(backend)?.map_or(Cell::Null, Cell::Int)),
            Kind::Text => {
                let text: Option<String> = row.try_get(place).map_err(backend)?;
                Ok(text.map_or(Cell::Null, Cell::Text))
            }
            Kind::Bytes => {
                Ok(row.try_get::<Option<Vec<u8>>, _>(place).map_err(backend)?.map_or(Cell::Null, Cell::Bytes))
            }
            Kind::Document => {
                let text: Option<String> = row.try_get(place).map_err(backend)?;
                let at = || format!("{}.{}", table.name, column.name);
                text.map_or(Ok(Cell::Null), |text| Cell::document(&text, &at()))
            }
        })
        .collect()
}

/// Seals the lines that came along, and writes down what was copied: the digests, and the end of the
/// chain that the file had.
pub(super) async fn note(
    target: &mut PgConnection,
    source: &mut SqliteConnection,
    copied: &[CopiedTable],
    at: Timestamp,
) -> StoreResult<()> {
    loop {
        let seal = sqlx::query_scalar("SELECT (api.seal_audit($1, $2))::bigint").bind(SEAL_LINES).bind(micros(at));
        let sealed: i64 = seal.fetch_one(&mut *target).await.map_err(backend)?;
        if sealed == 0 {
            break;
        }
    }
    // Nothing may wait for its check when a table is changed.
    target.execute("SET CONSTRAINTS ALL IMMEDIATE").await.map_err(backend)?;
    target.execute("SELECT record.begin_audit_era()").await.map_err(backend)?;
    let chain: Option<String> = sqlx::query_scalar("SELECT hash FROM audit ORDER BY seq DESC LIMIT 1")
        .fetch_optional(source)
        .await
        .map_err(source::failed)?;
    let tables: serde_json::Map<String, serde_json::Value> = copied
        .iter()
        .map(|table| (table.name.clone(), json!({ "rows": table.rows, "digest": table.digest })))
        .collect();
    let detail = json!({ "chain_ended_with": chain, "tables": tables }).to_string();
    sqlx::query("SELECT record.add_audit('owner', 'copy_record', 'record', $1::jsonb, record.clock($2))")
        .bind(detail)
        .bind(micros(at))
        .execute(target)
        .await
        .map_err(backend)?;
    Ok(())
}
