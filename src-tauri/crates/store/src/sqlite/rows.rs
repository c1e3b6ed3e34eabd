//! Columns of SQLite's rows, and lists of ids as it takes them.

use makegood_domain::ports::StoreResult;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::fault::backend;
pub(super) use crate::rows::*;

/// Ids as one bound value, for `IN (SELECT value FROM json_each(?))`.
pub(super) fn id_list<T: AsRef<str>>(ids: impl IntoIterator<Item = T>) -> String {
    let ids: Vec<serde_json::Value> = ids.into_iter().map(|id| id.as_ref().into()).collect();
    serde_json::Value::Array(ids).to_string()
}

impl Columns for SqliteRow {
    fn text(&self, column: &str) -> StoreResult<String> {
        self.try_get(column).map_err(backend)
    }
    fn opt_text(&self, column: &str) -> StoreResult<Option<String>> {
        self.try_get(column).map_err(backend)
    }
    fn int(&self, column: &str) -> StoreResult<i64> {
        self.try_get(column).map_err(backend)
    }
    fn opt_int(&self, column: &str) -> StoreResult<Option<i64>> {
        self.try_get(column).map_err(backend)
    }
}
