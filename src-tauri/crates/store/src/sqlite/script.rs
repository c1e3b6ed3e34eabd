//! Several statements sent in one go. A connection lives on a thread of its own, and the way there and
//! back takes longer than most statements; a restoration would else go it forty times.

use std::mem;

use futures_util::TryStreamExt as _;
use makegood_domain::ports::{StoreError, StoreResult};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments as _, AssertSqlSafe, Either, Executor as _, SqlSafeStr as _, SqliteConnection};

use super::fault::Worked;

/// A bound value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Int(i64),
    Text(String),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Statements in the order in which they will be run. The first that is refused ends it, and the
/// transaction around it must not be kept.
#[derive(Debug, Default)]
pub(super) struct Script {
    sql: String,
    values: Vec<Value>,
}

impl Script {
    /// Adds a statement; its `?1`, `?2` … mean `values` in their order.
    pub(super) fn add<const N: usize>(&mut self, statement: &str, values: [Value; N]) {
        if !self.sql.is_empty() {
            self.sql.push_str(";\n");
        }
        let mut parts = statement.split('?');
        self.sql.push_str(parts.next().unwrap_or_default());
        for part in parts {
            // Numbers count from the first statement of all, so here every place gets a value of its own.
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            let (number, rest) = part.split_at(digits);
            let place = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            self.sql.push('?');
            match place.and_then(|place| values.get(place)) {
                Some(value) => {
                    self.values.push(value.clone());
                    self.sql.push_str(rest);
                }
                // As it stands: the database refuses it, which a test would see.
                None => self.sql.push_str(part),
            }
        }
    }

    /// Runs it.
    pub(super) async fn run(self, connection: &mut SqliteConnection) -> Worked<()> {
        if !self.sql.is_empty() {
            self.query()?.execute(connection).await?;
        }
        Ok(())
    }

    /// Runs it, and returns the rows of each of its statements.
    pub(super) async fn rows(self, connection: &mut SqliteConnection) -> Worked<Rows> {
        let mut told = Vec::new();
        if self.sql.is_empty() {
            return Ok(Rows(told.into_iter()));
        }
        let mut answers = connection.fetch_many(self.query()?);
        let mut rows = Vec::new();
        while let Some(answer) = answers.try_next().await? {
            match answer {
                Either::Right(row) => rows.push(row),
                Either::Left(_) => told.push(mem::take(&mut rows)),
            }
        }
        Ok(Rows(told.into_iter()))
    }

    fn query(self) -> Worked<sqlx::query::Query<'static, sqlx::Sqlite, SqliteArguments>> {
        let mut arguments = SqliteArguments::default();
        arguments.reserve(self.values.len(), 0);
        for value in self.values {
            let added = match value {
                Value::Null => arguments.add(None::<i64>),
                Value::Int(value) => arguments.add(value),
                Value::Text(value) => arguments.add(value),
            };
            added.map_err(sqlx::Error::Encode)?;
        }
        // The text is made of the statements of this crate alone; values are bound.
        Ok(sqlx::query_with(AssertSqlSafe(self.sql).into_sql_str(), arguments))
    }
}

/// What the statements of a script returned, in their order.
#[derive(Debug)]
pub(super) struct Rows(std::vec::IntoIter<Vec<SqliteRow>>);

impl Rows {
    /// The rows of the next statement; none where there was no such statement.
    pub(super) fn next(&mut self) -> Vec<SqliteRow> {
        self.0.next().unwrap_or_default()
    }

    /// The one row of the next statement.
    pub(super) fn one(&mut self) -> StoreResult<SqliteRow> {
        self.next().pop().ok_or_else(|| StoreError::Backend("a statement that returns a row returned none".to_owned()))
    }

    /// The rows of the last statement.
    pub(super) fn last(self) -> Vec<SqliteRow> {
        self.0.last().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Script;

    #[test]
    fn each_place_gets_its_own_value() {
        let mut script = Script::default();
        script.add("INSERT INTO a VALUES (?1, ?2, ?1)", [7.into(), "x".into()]);
        script.add("DELETE FROM b WHERE c = ?1", [None::<&str>.into()]);
        assert_eq!(script.sql, "INSERT INTO a VALUES (?, ?, ?);\nDELETE FROM b WHERE c = ?");
        assert_eq!(script.values, [7.into(), "x".into(), 7.into(), None::<i64>.into()]);
    }
}
