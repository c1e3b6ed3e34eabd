//! The rows of one restoration, read back from the record that made them, to be inserted again bare.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Row as _, SqlSafeStr as _, TypeInfo as _, ValueRef as _};

/// Tables that a restoration adds to, and how its rows are found: by refund id or by key.
const TABLES: [(&str, &str); 11] = [
    ("refunds", "id = ?1"),
    ("refund_items_said", "refund_id = ?1"),
    ("refund_lines_said", "refund_id = ?1"),
    ("refund_items", "refund_id = ?1"),
    ("refund_lines", "refund_id = ?1"),
    ("postings", "document = ?1"),
    ("item_transitions", "document = ?1"),
    ("item_settlements", "document = ?1"),
    ("sweep_steps", "key = ?2"),
    ("outbox", "action_key = ?2"),
    ("audit", r#"instr(detail, '"' || ?1 || '"') > 0"#),
];

/// A statement and what it binds.
pub struct Insert {
    sql: String,
    values: Vec<Value>,
}

enum Value {
    Null,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// The inserts that make the rows of one restoration.
pub async fn of_restoration(connection: &mut SqliteConnection, refund: &str, key: &str) -> Vec<Insert> {
    let mut inserts = Vec::new();
    for (table, which) in TABLES {
        // `table_info` leaves out generated columns, which nobody can insert.
        let names = format!("SELECT group_concat(name, ', ') FROM pragma_table_info('{table}')");
        let names: String =
            sqlx::query_scalar(AssertSqlSafe(names).into_sql_str()).fetch_one(&mut *connection).await.expect("columns");
        let select = format!("SELECT {names} FROM {table} WHERE {which} AND ?1 <> ?2");
        let rows = sqlx::query(AssertSqlSafe(select).into_sql_str())
            .bind(refund)
            .bind(key)
            .fetch_all(&mut *connection)
            .await
            .expect("rows");
        assert!(!rows.is_empty(), "a restoration adds to {table}");
        for row in &rows {
            let places: Vec<String> = (1..=row.len()).map(|place| format!("?{place}")).collect();
            inserts.push(Insert {
                sql: format!("INSERT INTO {table} ({names}) VALUES ({})", places.join(", ")),
                values: (0..row.len()).map(|place| value(row, place)).collect(),
            });
        }
    }
    inserts
}

fn value(row: &SqliteRow, place: usize) -> Value {
    let raw = row.try_get_raw(place).expect("a column");
    if raw.is_null() {
        return Value::Null;
    }
    match raw.type_info().name() {
        "INTEGER" => Value::Number(row.get(place)),
        "BLOB" => Value::Bytes(row.get(place)),
        _ => Value::Text(row.get(place)),
    }
}

/// Inserts them in one transaction, as bare as it gets.
pub async fn insert(connection: &mut SqliteConnection, inserts: &[Insert]) {
    use sqlx::Connection as _;
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.expect("a transaction");
    for insert in inserts {
        let mut query = sqlx::query(AssertSqlSafe(insert.sql.clone()).into_sql_str());
        for value in &insert.values {
            query = match value {
                Value::Null => query.bind(None::<i64>),
                Value::Number(number) => query.bind(*number),
                Value::Text(text) => query.bind(text.as_str()),
                Value::Bytes(bytes) => query.bind(bytes.as_slice()),
            };
        }
        query.execute(&mut *tx).await.expect("an insert");
    }
    tx.commit().await.expect("a commit");
}
