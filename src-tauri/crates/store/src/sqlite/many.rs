//! Rows of one table, many in one statement. What costs most about a row is the way to the connection's
//! thread; a statement of 64 rows goes it once.

use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments as _, AssertSqlSafe, SqlSafeStr as _, SqliteConnection};

use super::fault::Worked;

/// Rows in a statement, largest first: few sizes, so that the connection keeps each of them prepared.
const SIZES: [usize; 3] = [64, 8, 1];

/// A value of a row.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Cell {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Cell {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Cell {
    /// Binds it to the next place of a statement.
    pub(super) fn add_to(self, arguments: &mut SqliteArguments) -> Worked<()> {
        let added = match self {
            Self::Null => arguments.add(None::<i64>),
            Self::Int(value) => arguments.add(value),
            Self::Text(value) => arguments.add(value),
            Self::Bytes(value) => arguments.add(value),
        };
        Ok(added.map_err(sqlx::Error::Encode)?)
    }
}

/// Rows to be inserted by a statement that ends in `VALUES`.
pub(super) struct Many<const N: usize> {
    head: &'static str,
    rows: Vec<[Cell; N]>,
}

impl<const N: usize> Many<N> {
    pub(super) fn into(head: &'static str) -> Self {
        Self { head, rows: Vec::new() }
    }

    pub(super) fn add(&mut self, row: [Cell; N]) {
        self.rows.push(row);
    }

    /// Inserts all rows in their order.
    pub(super) async fn insert(self, connection: &mut SqliteConnection) -> Worked<()> {
        let mut rows = self.rows.into_iter();
        while let Some(size) = SIZES.into_iter().find(|size| *size <= rows.len()) {
            let mut arguments = SqliteArguments::default();
            for cell in rows.by_ref().take(size).flatten() {
                cell.add_to(&mut arguments)?;
            }
            // The text is made of a statement of this crate and of question marks; values are bound.
            let sql = AssertSqlSafe(statement::<N>(self.head, size)).into_sql_str();
            sqlx::query_with(sql, arguments).execute(&mut *connection).await?;
        }
        Ok(())
    }
}

fn statement<const N: usize>(head: &str, rows: usize) -> String {
    let row = format!("({})", ["?"; N].join(", "));
    format!("{head} {}", vec![row; rows].join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_has_a_place_for_every_value() {
        assert_eq!(
            statement::<2>("INSERT INTO a (b, c) VALUES", 3),
            "INSERT INTO a (b, c) VALUES (?, ?), (?, ?), (?, ?)"
        );
    }
}
