//! Providers and models.

use makegood_domain::ports::StoreResult;
use makegood_domain::work::{Model, Provider};

use super::{by_key, each};
use crate::rows::Columns;

pub(crate) fn provider(row: &impl Columns) -> StoreResult<Provider> {
    Ok(Provider {
        id: row.text("id")?.as_str().into(),
        retention_hours: row.opt_int("retention_hours")?,
        retention_source: row.word("retention_source")?,
    })
}

/// Models with their aliases, in the order of both.
pub(crate) fn models<R: Columns>(rows: &[R], aliases: &[R]) -> StoreResult<Vec<Model>> {
    let aliases = by_key(aliases, "model_id", |row| row.text("alias"))?;
    each(rows, |row| {
        let id = row.text("id")?;
        Ok(Model {
            display_name: row.text("display_name")?,
            family: row.text("family")?,
            aliases: aliases.get(&id).cloned().unwrap_or_default(),
            provider_id: row.text("provider_id")?.as_str().into(),
            media: row.word("media")?,
            mode: row.word("mode")?,
            id: id.as_str().into(),
        })
    })
}
