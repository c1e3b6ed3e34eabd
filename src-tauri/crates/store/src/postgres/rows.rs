//! Rows of PostgreSQL as values of the domain.

use makegood_domain::ports::StoreResult;
use sqlx::Row;
use sqlx::postgres::PgRow;

pub(super) use crate::rows::*;

use super::fault::backend;

impl Columns for PgRow {
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
