//! Texts that agents are writing. Each agent has one of each kind a case; every text that was ever
//! sent to be saved is kept, also one that lost against a newer one.

use makegood_domain::ids::CaseId;
use makegood_domain::ports::{Draft, DraftSave, StoreResult};
use sqlx::SqliteConnection;

use super::SqliteStore;
use super::fault::{Worked, as_error, backend};
use super::rows::{micros, word};
use crate::assemble;

statements! {
    ONE = "SELECT case_id, kind, author, text, revision, saved_at FROM drafts
        WHERE case_id = ?1 AND kind = ?2 AND author = ?3";
    ALL = "SELECT case_id, kind, author, text, revision, saved_at FROM drafts WHERE case_id = ?1
        ORDER BY kind, author";
    PUT = "INSERT INTO drafts (case_id, kind, author, text, revision, saved_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (case_id, kind, author) DO UPDATE SET text = excluded.text, revision = excluded.revision,
            saved_at = excluded.saved_at";
    KEEP = "INSERT INTO draft_history (case_id, kind, author, text, base_revision, revision, at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
}

impl SqliteStore {
    pub(super) async fn keep_draft(&self, draft: &Draft, base_revision: i64) -> StoreResult<DraftSave> {
        let mut tx = self.begin().await?;
        let kind = word(&draft.kind)?;
        let query = sqlx::query(ONE).bind(draft.case_id.as_str()).bind(&kind).bind(draft.author.as_str());
        let row = query.fetch_optional(&mut *tx).await.map_err(backend)?;
        let known = row.as_ref().map(assemble::draft).transpose()?;
        let current = known.as_ref().map_or(0, |known| known.revision);
        let outcome = match known {
            Some(known) if known.text == draft.text => DraftSave::Saved { revision: current },
            Some(theirs) if current != base_revision => {
                keep(&mut tx, draft, &kind, base_revision, None).await.map_err(|fault| as_error(fault, "drafts"))?;
                DraftSave::Conflict { theirs }
            }
            _ => {
                let revision = current + 1;
                put(&mut tx, draft, &kind, revision).await.map_err(|fault| as_error(fault, "drafts"))?;
                let kept = keep(&mut tx, draft, &kind, base_revision, Some(revision)).await;
                kept.map_err(|fault| as_error(fault, "drafts"))?;
                DraftSave::Saved { revision }
            }
        };
        tx.commit().await.map_err(backend)?;
        Ok(outcome)
    }

    pub(super) async fn read_drafts(&self, id: &CaseId) -> StoreResult<Vec<Draft>> {
        let rows = sqlx::query(ALL).bind(id.as_str()).fetch_all(&self.readers).await.map_err(backend)?;
        assemble::each(&rows, assemble::draft)
    }
}

async fn put(connection: &mut SqliteConnection, draft: &Draft, kind: &str, revision: i64) -> Worked<()> {
    sqlx::query(PUT)
        .bind(draft.case_id.as_str())
        .bind(kind)
        .bind(draft.author.as_str())
        .bind(&draft.text)
        .bind(revision)
        .bind(micros(draft.saved_at))
        .execute(connection)
        .await?;
    Ok(())
}

/// `revision` is `None` for a text that lost against a newer one.
async fn keep(
    connection: &mut SqliteConnection,
    draft: &Draft,
    kind: &str,
    base_revision: i64,
    revision: Option<i64>,
) -> Worked<()> {
    sqlx::query(KEEP)
        .bind(draft.case_id.as_str())
        .bind(kind)
        .bind(draft.author.as_str())
        .bind(&draft.text)
        .bind(base_revision)
        .bind(revision)
        .bind(micros(draft.saved_at))
        .execute(connection)
        .await?;
    Ok(())
}
