//! SQLite: the import against a prepared insert for each row that came of it, as durable, a transaction for
//! as many rows as the import's. The tables keep their keys and indexes; their triggers are left out, which
//! would write rows of other tables a second time.

use std::path::Path;
use std::time::{Duration, Instant};

use makegood_store::sqlite::SqliteStore;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection as _, Row as _, TypeInfo as _, ValueRef as _};

use crate::{Round, Wanted, feed, import, tell};

/// Rows that are read before they are inserted.
const PAGE: i64 = 10_000;
/// Rows in a transaction: some three a fact, a thousand facts.
const ROWS: usize = 3_000;

pub async fn measure(wanted: &Wanted) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("feed.jsonl");
    feed::write(&file, wanted.events);
    let mut rounds = Vec::new();
    for round in 0..wanted.rounds {
        let home = folder.path().join(format!("home{round}"));
        std::fs::create_dir(&home).expect("a folder");
        import::profile(&home, "");
        let (took, memory_kib) = import::run(&home, &file);
        let reference = reference(&home.join("makegood.sqlite"), &home.join("bare.sqlite")).await;
        rounds.push(Round { import: took, reference, memory_kib });
        std::fs::remove_dir_all(&home).expect("a folder");
    }
    tell("SQLite: import, to prepared inserts", wanted.events, &rounds);
}

async fn connect(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    SqliteConnection::connect_with(&options).await.expect("a connection")
}

async fn texts(connection: &mut SqliteConnection, sql: String) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(connection).await.expect("texts")
}

/// Seconds that the rows of the record take, inserted into empty tables.
async fn reference(record: &Path, bare: &Path) -> f64 {
    SqliteStore::open(bare).await.expect("a record").close().await;
    let (mut from, mut to) = (connect(record).await, connect(bare).await);
    for trigger in texts(&mut to, "SELECT name FROM sqlite_schema WHERE type = 'trigger'".to_owned()).await {
        sqlx::raw_sql(AssertSqlSafe(format!("DROP TRIGGER {trigger}"))).execute(&mut to).await.expect("dropped");
    }
    // Rows refer to rows that were made before them, in the order of the changes of the schema; what refers to
    // a later one is looked at when the transaction ends.
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' \
        AND name NOT LIKE 'case_search%' AND name <> 'schema_migrations' ORDER BY rowid";
    let mut took = Duration::ZERO;
    for table in texts(&mut from, tables.to_owned()).await {
        took += copy(&mut from, &mut to, &table).await;
    }
    took.as_secs_f64()
}

/// The time that inserting the rows of a table takes, those left out that every record begins with.
async fn copy(from: &mut SqliteConnection, to: &mut SqliteConnection, table: &str) -> Duration {
    let columns = texts(from, format!("SELECT name FROM pragma_table_info('{table}')")).await;
    let key = texts(from, format!("SELECT name FROM pragma_table_info('{table}') WHERE pk > 0 ORDER BY pk")).await;
    let order = if key.is_empty() { "rowid".to_owned() } else { key.join(", ") };
    let places = vec!["?"; columns.len()].join(", ");
    let insert = format!("INSERT OR IGNORE INTO {table} ({}) VALUES ({places})", columns.join(", "));
    let (mut took, mut offset) = (Duration::ZERO, 0);
    loop {
        let select =
            format!("SELECT {} FROM {table} ORDER BY {order} LIMIT {PAGE} OFFSET {offset}", columns.join(", "));
        let rows = sqlx::query(AssertSqlSafe(select)).fetch_all(&mut *from).await.expect("rows");
        if rows.is_empty() {
            return took;
        }
        offset += PAGE;
        let begun = Instant::now();
        for part in rows.chunks(ROWS) {
            let mut tx = to.begin_with("BEGIN IMMEDIATE").await.expect("a transaction");
            sqlx::raw_sql("PRAGMA defer_foreign_keys = 1").execute(&mut *tx).await.expect("a setting");
            for row in part {
                bound(&insert, row).execute(&mut *tx).await.expect("an insert");
            }
            tx.commit().await.expect("a commit");
        }
        took += begun.elapsed();
    }
}

fn bound<'a>(insert: &str, row: &'a SqliteRow) -> sqlx::query::Query<'a, sqlx::Sqlite, sqlx::sqlite::SqliteArguments> {
    let mut query = sqlx::query(AssertSqlSafe(insert.to_owned()));
    for place in 0..row.len() {
        let raw = row.try_get_raw(place).expect("a column");
        query = match (raw.is_null(), raw.type_info().name()) {
            (true, _) => query.bind(None::<i64>),
            (false, "INTEGER") => query.bind(row.get::<i64, _>(place)),
            (false, "BLOB") => query.bind(row.get::<Vec<u8>, _>(place)),
            (false, _) => query.bind(row.get::<String, _>(place)),
        };
    }
    query
}
