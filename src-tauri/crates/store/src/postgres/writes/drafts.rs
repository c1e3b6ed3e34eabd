//! Texts that agents are writing, and their views of the queue.

use jiff::Timestamp;
use makegood_domain::ids::AgentId;
use makegood_domain::ports::{Draft, DraftSave, SavedView, StoreResult};
use serde::Deserialize;

use super::{answer, at, document, said, text};
use crate::postgres::PgStore;
use crate::postgres::fault::as_error;
use crate::postgres::link::Argument;
use crate::postgres::rows::{instant, word};

statements! {
    SAVE = "SELECT api.save_draft($1, $2, $3, $4, $5, $6)";
    SAVE_VIEW = "SELECT api.save_view($1, $2, $3::jsonb)";
    DELETE_VIEW = "SELECT api.delete_view($1, $2)";
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Saved {
    Saved(i64),
    Theirs(Kept),
}

/// A draft as the columns of its row.
#[derive(Deserialize)]
struct Kept {
    text: String,
    revision: i64,
    /// Microseconds.
    saved_at: i64,
}

impl PgStore {
    pub(in crate::postgres) async fn keep_draft(&self, draft: &Draft, base_revision: i64) -> StoreResult<DraftSave> {
        let (kind, written) = (word(&draft.kind)?, text(&draft.text));
        let arguments = [
            said(draft.case_id.as_str()),
            said(&kind),
            said(draft.author.as_str()),
            said(&written),
            Argument::Int(Some(base_revision)),
            at(draft.saved_at),
        ];
        let saved = self.call(SAVE, &arguments).await.map_err(|fault| as_error(fault, "drafts"))?;
        Ok(match answer(saved, "save_draft")? {
            Saved::Saved(revision) => DraftSave::Saved { revision },
            Saved::Theirs(kept) => DraftSave::Conflict { theirs: theirs(draft, kept)? },
        })
    }

    pub(in crate::postgres) async fn put_view(&self, agent: &AgentId, view: &SavedView) -> StoreResult<()> {
        let (name, query) = (text(&view.name), document(&view.query)?);
        let put = self.call(SAVE_VIEW, &[said(agent.as_str()), said(&name), said(&query)]).await;
        put.map_err(|fault| as_error(fault, "saved_views"))?;
        Ok(())
    }

    pub(in crate::postgres) async fn drop_view(&self, agent: &AgentId, name: &str) -> StoreResult<()> {
        let name = text(name);
        let dropped = self.call(DELETE_VIEW, &[said(agent.as_str()), said(&name)]).await;
        dropped.map_err(|fault| as_error(fault, "saved_views"))?;
        Ok(())
    }
}

/// What was saved under the same case, kind and author as `draft` before it.
fn theirs(draft: &Draft, kept: Kept) -> StoreResult<Draft> {
    let saved_at: Timestamp = instant(kept.saved_at, "drafts.saved_at")?;
    Ok(Draft { text: kept.text, revision: kept.revision, saved_at, ..draft.clone() })
}
