//! What is copied, in which order: read from both schemas, which must fit. Where they differ by
//! intent, it is listed here with the reason.

use std::collections::{BTreeMap, BTreeSet};

use makegood_domain::ports::{StoreError, StoreResult};
use sqlx::SqliteConnection;
use sqlx::postgres::PgConnection;

use super::cells::Kind;
use super::source;
use crate::postgres::fault::backend;

const TABLES_HERE: &str = r"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
        AND name NOT LIKE 'case\_search%' ESCAPE '\' AND name NOT IN ('schema_migrations', 'this_record') ORDER BY name";
const COLUMNS_HERE: &str = "SELECT name, pk FROM pragma_table_xinfo(?1) WHERE hidden = 0 ORDER BY cid";
const TABLES_THERE: &str = "SELECT c.relname::text FROM pg_class c
    WHERE c.relnamespace = 'record'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    ORDER BY 1";
const COLUMNS_THERE: &str = "SELECT a.attname::text, format_type(a.atttypid, NULL)
    FROM pg_attribute a
    WHERE a.attrelid = to_regclass('record.' || quote_ident($1)) AND a.attnum > 0 AND NOT a.attisdropped
      AND a.attgenerated = '' ORDER BY a.attnum";
const REFERENCES: &str = "SELECT DISTINCT c.conrelid::regclass::text, c.confrelid::regclass::text
    FROM pg_constraint c WHERE c.contype = 'f' AND c.connamespace = 'record'::regnamespace
      AND c.conrelid <> c.confrelid";

/// Tables of PostgreSQL alone: its own list of changes, levels in stripes, what is searched, seals; and what the record
/// is known by in a vault, because a copy is another record.
const ONLY_THERE: [&str; 5] = ["audit_seals", "balance_stripes", "case_search", "schema_migrations", "this_record"];

/// Columns of SQLite alone. A level is the sum of stripes, and is compared; the last posting follows
/// from the postings; the chain of the audit follows from its lines.
const ONLY_HERE: [(&str, &str); 4] =
    [("audit", "hash"), ("audit", "prev_hash"), ("balances", "last_posting"), ("balances", "level")];

/// Columns of PostgreSQL alone, which get their values from what is copied.
const MADE_THERE: [(&str, &str); 5] = [
    ("audit", "digest"),
    ("audit", "era"),
    ("audit", "txid"),
    ("balances", "stripes"),
    // All of an hour is counted in the first part.
    ("reconciler_hours", "part"),
];

/// Values that are not columns of the same name on both sides: table, name, kind, what SQLite and what
/// PostgreSQL is asked for, and whether the value is written there. Which of four names the document of
/// a posting is computed on SQLite.
const EXPRESSIONS: [(&str, &str, Kind, &str, &str, bool); 6] = [
    ("actions", "row_no", Kind::Int, "rowid", "t.row_no", true),
    (
        "balances",
        "level",
        Kind::Int,
        "level",
        "(SELECT sum(s.level)::bigint FROM record.balance_stripes s WHERE s.balance_id = t.id)",
        false,
    ),
    ("postings", "opening_balance", Kind::Text, "opening_balance", "t.opening_balance", true),
    ("postings", "charge_id", Kind::Text, "charge_id", "t.charge_id", true),
    ("postings", "refund_id", Kind::Text, "refund_id", "t.refund_id", true),
    ("postings", "stray_id", Kind::Text, "stray_id", "t.stray_id", true),
];

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub name: String,
    pub kind: Kind,
    /// What each side is asked for.
    pub here: String,
    pub there: String,
    /// Written to the column of this name.
    pub is_stored: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Table {
    pub name: String,
    pub columns: Vec<Column>,
    /// Names of the columns that order it.
    pub key: Vec<String>,
}

/// The tables of both sides, each after those that it refers to.
pub(super) async fn tables(source: &mut SqliteConnection, target: &mut PgConnection) -> StoreResult<Vec<Table>> {
    let here: Vec<String> = sqlx::query_scalar(TABLES_HERE).fetch_all(&mut *source).await.map_err(source::failed)?;
    let there: Vec<String> = sqlx::query_scalar(TABLES_THERE).fetch_all(&mut *target).await.map_err(backend)?;
    let there: Vec<String> = there.into_iter().filter(|name| !ONLY_THERE.contains(&name.as_str())).collect();
    if here != there {
        let (here, there): (BTreeSet<_>, BTreeSet<_>) = (here.iter().collect(), there.iter().collect());
        let odd: Vec<&&String> = here.symmetric_difference(&there).collect();
        return Err(misfit("the tables of both sides", format!("only one side has {odd:?}")));
    }
    let references: Vec<(String, String)> =
        sqlx::query_as(REFERENCES).fetch_all(&mut *target).await.map_err(backend)?;
    let mut tables = Vec::with_capacity(here.len());
    for name in ordered(here, &references)? {
        tables.push(table(source, target, name).await?);
    }
    Ok(tables)
}

fn misfit(at: &str, why: String) -> StoreError {
    StoreError::Inconsistent { at: at.to_owned(), why }
}

/// Each table after those that it refers to; else by name.
fn ordered(tables: Vec<String>, references: &[(String, String)]) -> StoreResult<Vec<String>> {
    let bare = |name: &str| name.rsplit('.').next().unwrap_or_default().trim_matches('"').to_owned();
    let mut needs: BTreeMap<String, BTreeSet<String>> = tables.iter().map(|t| (t.clone(), BTreeSet::new())).collect();
    for (from, to) in references {
        if let Some(needed) = needs.get_mut(&bare(from)) {
            needed.insert(bare(to));
        }
    }
    let mut order: Vec<String> = Vec::with_capacity(tables.len());
    while order.len() < tables.len() {
        let next = needs.iter().find(|(_, needed)| needed.iter().all(|table| !needs.contains_key(table)));
        let Some(next) = next.map(|(name, _)| name.clone()) else {
            return Err(misfit("the tables of the target", format!("{:?} refer to each other", needs.keys())));
        };
        needs.remove(&next);
        order.push(next);
    }
    Ok(order)
}

async fn table(source: &mut SqliteConnection, target: &mut PgConnection, name: String) -> StoreResult<Table> {
    let here: Vec<(String, i64)> =
        sqlx::query_as(COLUMNS_HERE).bind(&name).fetch_all(source).await.map_err(source::failed)?;
    let there: Vec<(String, String)> =
        sqlx::query_as(COLUMNS_THERE).bind(&name).fetch_all(target).await.map_err(backend)?;
    let mut kinds: BTreeMap<String, String> = there.into_iter().collect();
    kinds.retain(|column, _| !MADE_THERE.contains(&(name.as_str(), column.as_str())));
    let mut key: Vec<(i64, String)> =
        here.iter().filter(|(_, place)| *place > 0).map(|(column, place)| (*place, column.clone())).collect();
    key.sort();
    let mut columns = Vec::with_capacity(here.len());
    for (column, _) in here.iter().filter(|(column, _)| !ONLY_HERE.contains(&(name.as_str(), column.as_str()))) {
        let Some(kind) = kinds.remove(column) else {
            return Err(misfit(&format!("{name}.{column}"), "the target has no such column".to_owned()));
        };
        columns.push(plain_column(&name, column, kind_of(&name, column, &kind)?));
    }
    for (_, column, kind, here, there, is_stored) in EXPRESSIONS.iter().filter(|row| row.0 == name) {
        kinds.remove(*column);
        columns.push(Column {
            name: (*column).to_owned(),
            kind: *kind,
            here: (*here).to_owned(),
            there: (*there).to_owned(),
            is_stored: *is_stored,
        });
    }
    if let Some(column) = kinds.keys().next() {
        return Err(misfit(&format!("{name}.{column}"), "the source has no such column".to_owned()));
    }
    Ok(Table { name, columns, key: key.into_iter().map(|(_, column)| column).collect() })
}

fn plain_column(table: &str, column: &str, kind: Kind) -> Column {
    let there = match kind {
        Kind::Int => format!("t.\"{column}\"::bigint"),
        Kind::Text | Kind::Document => format!("t.\"{column}\"::text"),
        Kind::Bytes => format!("t.\"{column}\""),
    };
    let here = format!("\"{table}\".\"{column}\"");
    Column { name: column.to_owned(), kind, here, there, is_stored: true }
}

fn kind_of(table: &str, column: &str, kind: &str) -> StoreResult<Kind> {
    match kind {
        "bigint" | "integer" | "smallint" => Ok(Kind::Int),
        "text" => Ok(Kind::Text),
        "bytea" => Ok(Kind::Bytes),
        "json" | "jsonb" => Ok(Kind::Document),
        other => Err(misfit(&format!("{table}.{column}"), format!("values of type {other} can't be copied"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_comes_after_what_it_refers_to() {
        let tables = ["a", "b", "c"].map(str::to_owned).to_vec();
        let pair = |from: &str, to: &str| (format!("record.{from}"), format!("record.{to}"));
        let order = ordered(tables.clone(), &[pair("a", "b"), pair("b", "c"), pair("a", "elsewhere")]).unwrap();
        assert_eq!(order, ["c", "b", "a"]);
        assert!(ordered(tables, &[pair("a", "b"), pair("b", "a")]).is_err());
    }
}
