//! Providers and models.

use makegood_domain::ports::StoreResult;
use makegood_domain::work::{Model, Provider};
use sqlx::SqliteConnection;

use super::fault::{Worked, backend};
use super::rows::{signed, word};
use crate::assemble::{self, each, provider};

statements! {
    PUT_PROVIDER = "INSERT INTO providers (id, retention_hours, retention_source) VALUES (?1, ?2, ?3)
        ON CONFLICT (id) DO UPDATE SET retention_hours = excluded.retention_hours,
            retention_source = excluded.retention_source";
    PUT_MODEL = "INSERT INTO models (id, display_name, family, provider_id, media, mode)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (id) DO UPDATE SET display_name = excluded.display_name, family = excluded.family,
            provider_id = excluded.provider_id, media = excluded.media, mode = excluded.mode";
    CLEAR_ALIASES = "DELETE FROM model_aliases WHERE model_id = ?1";
    ADD_ALIAS = "INSERT INTO model_aliases (model_id, position, alias) VALUES (?1, ?2, ?3)";
    PROVIDERS = "SELECT id, retention_hours, retention_source FROM providers ORDER BY id";
    MODELS = "SELECT id, display_name, family, provider_id, media, mode FROM models ORDER BY id";
    ALIASES = "SELECT model_id, alias FROM model_aliases ORDER BY model_id, position";
}

pub(super) async fn put_provider(connection: &mut SqliteConnection, row: &Provider) -> Worked<()> {
    sqlx::query(PUT_PROVIDER)
        .bind(row.id.as_str())
        .bind(row.retention_hours)
        .bind(word(&row.retention_source)?)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn put_model(connection: &mut SqliteConnection, row: &Model) -> Worked<()> {
    sqlx::query(PUT_MODEL)
        .bind(row.id.as_str())
        .bind(&row.display_name)
        .bind(&row.family)
        .bind(row.provider_id.as_str())
        .bind(word(&row.media)?)
        .bind(word(&row.mode)?)
        .execute(&mut *connection)
        .await?;
    sqlx::query(CLEAR_ALIASES).bind(row.id.as_str()).execute(&mut *connection).await?;
    for (position, alias) in (0_u64..).zip(&row.aliases) {
        let add = sqlx::query(ADD_ALIAS).bind(row.id.as_str()).bind(signed(position)).bind(alias);
        add.execute(&mut *connection).await?;
    }
    Ok(())
}

/// All providers, by id.
pub(super) async fn providers(connection: &mut SqliteConnection) -> StoreResult<Vec<Provider>> {
    let rows = sqlx::query(PROVIDERS).fetch_all(connection).await.map_err(backend)?;
    each(&rows, provider)
}

/// All models with their aliases, by id.
pub(super) async fn models(connection: &mut SqliteConnection) -> StoreResult<Vec<Model>> {
    let aliases = sqlx::query(ALIASES).fetch_all(&mut *connection).await.map_err(backend)?;
    let rows = sqlx::query(MODELS).fetch_all(connection).await.map_err(backend)?;
    assemble::models(&rows, &aliases)
}
