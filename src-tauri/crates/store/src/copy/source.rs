//! The side that is read: rows of SQLite as cells.

use futures_util::TryStreamExt;
use makegood_domain::ports::{StoreError, StoreResult};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::cells::{Cell, Digested, Digester, Kind};
use super::plan::Table;

/// An error of the source, told apart from one of the target.
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    StoreError::Unavailable(format!("the record to be copied can't be read: {error}"))
}

/// All rows of a table in the order of its key. The names come from the schema.
pub(super) fn rows_of(table: &Table) -> String {
    let columns: Vec<&str> = table.columns.iter().map(|column| column.here.as_str()).collect();
    let key: Vec<String> = table.key.iter().map(|column| format!("\"{column}\"")).collect();
    format!("SELECT {} FROM \"{}\" ORDER BY {}", columns.join(", "), table.name, key.join(", "))
}

pub(super) async fn digest(connection: &mut SqliteConnection, table: &Table) -> StoreResult<Digested> {
    let mut digester = Digester::default();
    let mut rows = sqlx::query(AssertSqlSafe(rows_of(table))).fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        digester.take(&cells(&row, table)?);
    }
    Ok(digester.end())
}

pub(super) fn cells(row: &SqliteRow, table: &Table) -> StoreResult<Vec<Cell>> {
    let columns = table.columns.iter().enumerate();
    columns
        .map(|(place, column)| match column.kind {
            Kind::Int => Ok(row.try_get::<Option<i64>, _>(place).map_err(failed)?.map_or(Cell::Null, Cell::Int)),
            Kind::Text => {
                let text: Option<String> = row.try_get(place).map_err(failed)?;
                Ok(text.map_or(Cell::Null, |text| Cell::text(&text)))
            }
            Kind::Bytes => {
                Ok(row.try_get::<Option<Vec<u8>>, _>(place).map_err(failed)?.map_or(Cell::Null, Cell::Bytes))
            }
            Kind::Document => {
                let text: Option<String> = row.try_get(place).map_err(failed)?;
                let at = || format!("{}.{}", table.name, column.name);
                text.map_or(Ok(Cell::Null), |text| Cell::document(&text, &at()))
            }
        })
        .collect()
}
