//! Dead letters, and how far files were read.

use makegood_domain::ports::{DeadLetter, DeadLetterState, DeadLettersWanted, ImportPosition, StoreResult};

use crate::assemble;
use crate::postgres::PgStore;
use crate::postgres::fault::backend;
use crate::postgres::rows::signed;

statements! {
    LETTERS = "SELECT id, kind, row_id, source, event_id, told_at, raw, whole, reason, lacks_kind, lacks_id, place,
            first_at, last_at, tries, state
        FROM api.dead_letters WHERE id > $1 AND ($2::text IS NULL OR state = $2) ORDER BY id LIMIT $3";
    WAITING_FOR = "SELECT l.id, l.kind, l.row_id, l.source, l.event_id, l.told_at, l.raw, l.whole, l.reason,
            l.lacks_kind, l.lacks_id, l.place, l.first_at, l.last_at, l.tries, l.state
        FROM api.dead_letters l
        WHERE l.state = 'waiting' AND (l.lacks_kind, l.lacks_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
        ORDER BY l.id LIMIT $3";
    ANY_WAITING = "SELECT EXISTS (SELECT 1 FROM api.dead_letters WHERE state = 'waiting' AND lacks_kind > '')";
    POSITION = "SELECT byte, line, done FROM api.import_positions WHERE file = $1";
}

impl PgStore {
    pub(in crate::postgres) async fn read_dead_letters(
        &self,
        wanted: &DeadLettersWanted,
    ) -> StoreResult<Vec<DeadLetter>> {
        let rows = sqlx::query(LETTERS)
            .bind(wanted.after)
            .bind(wanted.state.map(DeadLetterState::word))
            .bind(signed(wanted.limit))
            .fetch_all(&self.pool)
            .await
            .map_err(backend)?;
        assemble::each(&rows, assemble::dead_letter)
    }

    pub(in crate::postgres) async fn read_dead_letters_waiting_for(
        &self,
        rows: &[(String, String)],
        limit: u64,
    ) -> StoreResult<Vec<DeadLetter>> {
        let any: bool = sqlx::query_scalar(ANY_WAITING).fetch_one(&self.pool).await.map_err(backend)?;
        if !any || rows.is_empty() {
            return Ok(Vec::new());
        }
        let (kinds, ids): (Vec<&str>, Vec<&str>) = rows.iter().map(|(kind, id)| (kind.as_str(), id.as_str())).unzip();
        let query = sqlx::query(WAITING_FOR).bind(kinds).bind(ids).bind(signed(limit));
        let rows = query.fetch_all(&self.pool).await.map_err(backend)?;
        assemble::each(&rows, assemble::dead_letter)
    }

    pub(in crate::postgres) async fn read_position(&self, file: &str) -> StoreResult<Option<ImportPosition>> {
        let row = sqlx::query(POSITION).bind(file).fetch_optional(&self.pool).await.map_err(backend)?;
        row.as_ref().map(assemble::position).transpose()
    }
}
