//! Dead letters: what could not be read or taken, once each; and how far files were read.

use jiff::Timestamp;
use makegood_domain::ports::{
    DeadLetter, DeadLetterState, DeadLettersWanted, ImportPosition, StoreResult, Told, Unread,
};
use sha2::{Digest, Sha256};
use sqlx::SqliteConnection;

use super::SqliteStore;
use super::fault::{Worked, as_error, backend};
use super::rows::{document, micros, signed};
use crate::assemble;

statements! {
    KEEP = "INSERT INTO dead_letters (digest, kind, row_id, source, event_id, told_at, raw, whole, reason,
            lacks_kind, lacks_id, place, first_at, last_at, tries, state)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13, 1, 'waiting')
        ON CONFLICT (digest) DO UPDATE SET reason = excluded.reason, lacks_kind = excluded.lacks_kind,
            lacks_id = excluded.lacks_id, place = excluded.place, last_at = excluded.last_at, tries = tries + 1,
            state = 'waiting'";
    TAKEN_AFTER_ALL = "UPDATE dead_letters SET state = 'retried', last_at = ?3
        WHERE kind = ?1 AND row_id = ?2 AND state = 'waiting'";
    END = "UPDATE dead_letters SET state = ?2, last_at = ?3 WHERE id = ?1 AND state = 'waiting'";
    LETTERS = "SELECT id, kind, row_id, source, event_id, told_at, raw, whole, reason, lacks_kind, lacks_id, place,
            first_at, last_at, tries, state
        FROM dead_letters WHERE id > ?1 AND (?2 IS NULL OR state = ?2) ORDER BY id LIMIT ?3";
    WAITING_FOR = "SELECT l.id, l.kind, l.row_id, l.source, l.event_id, l.told_at, l.raw, l.whole, l.reason,
            l.lacks_kind, l.lacks_id, l.place, l.first_at, l.last_at, l.tries, l.state
        FROM json_each(?1) AS wanted JOIN dead_letters l
            ON l.lacks_kind = wanted.value ->> 0 AND l.lacks_id = wanted.value ->> 1 AND l.state = 'waiting'
        ORDER BY l.id LIMIT ?2";
    ANY_WAITING = "SELECT EXISTS (SELECT 1 FROM dead_letters WHERE state = 'waiting' AND lacks_kind > '')";
    POSITION = "SELECT byte, line, done FROM import_positions WHERE file = ?1";
    KEEP_POSITION = "INSERT INTO import_positions (file, byte, line, done, at) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (file) DO UPDATE SET byte = excluded.byte, line = excluded.line, done = excluded.done,
            at = excluded.at";
}

/// Why a fact is kept here: the words, and the row that it waits for, by kind and id.
#[derive(Clone, Debug)]
pub(super) struct Why {
    pub reason: String,
    pub waits_for: Option<(String, String)>,
}

/// Keeps a fact that can't be taken.
pub(super) async fn bury(
    connection: &mut SqliteConnection,
    told: &Told,
    digest: &[u8],
    why: &Why,
    at: Timestamp,
) -> Worked<()> {
    let (event, origin) = (&told.event, told.event.origin.as_ref());
    sqlx::query(KEEP)
        .bind(digest)
        .bind(event.fact.kind())
        .bind(event.fact.id())
        .bind(origin.map(|origin| origin.source.as_str()))
        .bind(origin.map(|origin| origin.id.as_str()))
        .bind(event.time.map(micros))
        .bind(document(&event.fact)?)
        .bind(true)
        .bind(&why.reason)
        .bind(why.waits_for.as_ref().map(|(kind, _)| kind.as_str()))
        .bind(why.waits_for.as_ref().map(|(_, id)| id.as_str()))
        .bind(&told.place)
        .bind(micros(at))
        .execute(connection)
        .await?;
    Ok(())
}

async fn bury_unread(connection: &mut SqliteConnection, unread: &Unread, at: Timestamp) -> Worked<()> {
    sqlx::query(KEEP)
        .bind(Sha256::digest(unread.raw.as_bytes()).to_vec())
        .bind("")
        .bind("")
        .bind(None::<&str>)
        .bind(None::<&str>)
        .bind(None::<i64>)
        .bind(&unread.raw)
        .bind(unread.whole)
        .bind(&unread.reason)
        .bind(None::<&str>)
        .bind(None::<&str>)
        .bind(&unread.place)
        .bind(micros(at))
        .execute(connection)
        .await?;
    Ok(())
}

/// Says of the letters of a row that was taken that they wait no longer.
pub(super) async fn taken_after_all(
    connection: &mut SqliteConnection,
    kind: &str,
    id: &str,
    at: Timestamp,
) -> Worked<()> {
    sqlx::query(TAKEN_AFTER_ALL).bind(kind).bind(id).bind(micros(at)).execute(connection).await?;
    Ok(())
}

impl SqliteStore {
    pub(super) async fn bury_unread(&self, unread: &[Unread], at: Timestamp) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        for letter in unread {
            bury_unread(&mut tx, letter, at).await.map_err(|fault| as_error(fault, "the dead letters"))?;
        }
        tx.commit().await.map_err(backend)
    }

    pub(super) async fn read_dead_letters(&self, wanted: &DeadLettersWanted) -> StoreResult<Vec<DeadLetter>> {
        let rows = sqlx::query(LETTERS)
            .bind(wanted.after)
            .bind(wanted.state.map(DeadLetterState::word))
            .bind(signed(wanted.limit))
            .fetch_all(&self.readers)
            .await
            .map_err(backend)?;
        assemble::each(&rows, assemble::dead_letter)
    }

    pub(super) async fn read_dead_letters_waiting_for(
        &self,
        rows: &[(String, String)],
        limit: u64,
    ) -> StoreResult<Vec<DeadLetter>> {
        let any: bool = sqlx::query_scalar(ANY_WAITING).fetch_one(&self.readers).await.map_err(backend)?;
        if !any || rows.is_empty() {
            return Ok(Vec::new());
        }
        let query = sqlx::query(WAITING_FOR).bind(document(&rows)?).bind(signed(limit));
        let rows = query.fetch_all(&self.readers).await.map_err(backend)?;
        assemble::each(&rows, assemble::dead_letter)
    }

    pub(super) async fn end_waiting_dead_letter(
        &self,
        id: i64,
        state: DeadLetterState,
        at: Timestamp,
    ) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        let end = sqlx::query(END).bind(id).bind(state.word()).bind(micros(at));
        let ended = end.execute(&mut *tx).await.map_err(backend)?.rows_affected() > 0;
        tx.commit().await.map_err(backend)?;
        Ok(ended)
    }

    pub(super) async fn read_position(&self, file: &str) -> StoreResult<Option<ImportPosition>> {
        let row = sqlx::query(POSITION).bind(file).fetch_optional(&self.readers).await.map_err(backend)?;
        row.as_ref().map(assemble::position).transpose()
    }

    pub(super) async fn write_position(&self, file: &str, position: &ImportPosition, at: Timestamp) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        sqlx::query(KEEP_POSITION)
            .bind(file)
            .bind(signed(position.byte))
            .bind(signed(position.line))
            .bind(position.done)
            .bind(micros(at))
            .execute(&mut *tx)
            .await
            .map_err(backend)?;
        tx.commit().await.map_err(backend)
    }
}
