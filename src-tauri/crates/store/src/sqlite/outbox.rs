//! What waits to be sent outside: committed with the effect that it tells of.

use jiff::Timestamp;
use makegood_domain::ids::CaseId;
use makegood_domain::ports::{OutboxLine, StoreResult};

use super::SqliteStore;
use super::fault::backend;
use super::rows::{micros, signed};
use super::script::Script;
use crate::assemble;

statements! {
    ADD = "INSERT INTO outbox (id, seq, at, kind, case_id, action_key, summary, payload, state)
        SELECT ?1, coalesce(max(seq) + 1, 1), ?2, ?3, ?4, ?5, ?6, ?7, 'waiting' FROM outbox";
    NEWEST = "SELECT id, at, kind, case_id, summary, state FROM outbox ORDER BY seq DESC LIMIT ?1";
}

/// Something to be sent. The id is made of the action's key, so that it is sent once.
pub(super) struct Letter<'a> {
    pub id: &'a str,
    pub kind: &'a str,
    /// None where the reconciler did it.
    pub case: Option<&'a CaseId>,
    pub action: &'a str,
    /// For people, without the text of messages.
    pub summary: &'a str,
    /// The whole effect as JSON, for the sender.
    pub payload: &'a str,
    pub at: Timestamp,
}

pub(super) fn add(script: &mut Script, letter: &Letter<'_>) {
    let values = [
        letter.id.into(),
        micros(letter.at).into(),
        letter.kind.into(),
        letter.case.map(CaseId::as_str).into(),
        letter.action.into(),
        letter.summary.into(),
        letter.payload.into(),
    ];
    script.add(ADD, values);
}

impl SqliteStore {
    pub(super) async fn read_outbox(&self, limit: u64) -> StoreResult<Vec<OutboxLine>> {
        let rows = sqlx::query(NEWEST).bind(signed(limit)).fetch_all(&self.readers).await.map_err(backend)?;
        assemble::each(&rows, assemble::outbox_line)
    }
}
