//! Providers and models.

use makegood_domain::ports::StoreResult;
use makegood_domain::work::Model;
use sqlx::postgres::PgConnection;

use crate::assemble;
use crate::postgres::fault::backend;

statements! {
    PROVIDERS = r#"SELECT id, retention_hours, retention_source FROM api.providers ORDER BY id COLLATE "C""#;
    MODELS = r#"SELECT id, display_name, family, provider_id, media, mode FROM api.models ORDER BY id COLLATE "C""#;
    ALIASES = r#"SELECT model_id, alias FROM api.model_aliases ORDER BY model_id COLLATE "C", position"#;
}

/// All models with their aliases, by id.
pub(in crate::postgres) async fn models(connection: &mut PgConnection) -> StoreResult<Vec<Model>> {
    let aliases = sqlx::query(ALIASES).fetch_all(&mut *connection).await.map_err(backend)?;
    let rows = sqlx::query(MODELS).fetch_all(connection).await.map_err(backend)?;
    assemble::models(&rows, &aliases)
}
