//! Letters of the outbox on their way to the platform's endpoints.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ports::{ENDURED, EndpointState, Letter, LetterEnd, StoreError, StoreResult};
use sqlx::SqliteConnection;

use super::SqliteStore;
use super::fault::{Worked, as_error, backend};
use super::rows::{document, micros};
use crate::assemble;

statements! {
    KNOW = "INSERT INTO endpoints (name) VALUES (?1) ON CONFLICT (name) DO NOTHING";
    IS_DISABLED = "SELECT EXISTS (SELECT 1 FROM endpoints WHERE name = ?1 AND disabled_at IS NOT NULL)";
    FILL = "INSERT INTO letter_tries (endpoint, outbox_id, tries, next_at, state)
        SELECT ?1, o.id, 0, o.at, 'waiting' FROM outbox o
        WHERE o.state = 'waiting' AND o.kind IN ('asset_delivered', 'asset_moved', 'asset_quarantined', 'asset_released', 'cancel_upstream', 'credits_restored')
            AND NOT EXISTS (SELECT 1 FROM letter_tries t WHERE t.endpoint = ?1 AND t.outbox_id = o.id)
        ORDER BY o.seq LIMIT ?2";
    DUE = "SELECT o.id, o.at, o.kind, o.payload, t.tries FROM letter_tries t JOIN outbox o ON o.id = t.outbox_id
        WHERE t.endpoint = ?1 AND t.state = 'waiting' AND t.next_at <= ?3
            AND (t.claimed_until IS NULL OR t.claimed_until <= ?3)
        ORDER BY t.next_at, o.seq LIMIT ?2";
    CLAIM = "UPDATE letter_tries SET claimed_until = ?3 WHERE endpoint = ?1 AND outbox_id = ?2";
    END = "UPDATE letter_tries SET claimed_until = NULL, tries = tries + 1, state = ?3, next_at = coalesce(?4, next_at), why = ?5
        WHERE endpoint = ?1 AND outbox_id = ?2 AND state <> 'sent'";
    WORKS = "UPDATE endpoints SET failing_since = NULL, why = NULL WHERE name = ?1 AND failing_since IS NOT NULL";
    /// `?4`: whether it is gone, `?5`: how long failing is endured.
    FAILS = "UPDATE endpoints SET failing_since = coalesce(failing_since, ?2), why = ?3,
            disabled_at = CASE WHEN ?4 OR ?2 - coalesce(failing_since, ?2) >= ?5 THEN ?2 END
        WHERE name = ?1 AND disabled_at IS NULL RETURNING disabled_at IS NOT NULL";
    TOLD = "UPDATE outbox SET state = CASE WHEN EXISTS (SELECT 1 FROM letter_tries
                WHERE outbox_id = ?1 AND state = 'sent') THEN 'sent' ELSE 'failed' END
        WHERE id = ?1 AND state <> 'sent' AND NOT EXISTS (
            SELECT 1 FROM json_each(?2) AS e WHERE NOT EXISTS (
                SELECT 1 FROM letter_tries t
                WHERE t.outbox_id = ?1 AND t.endpoint = e.value AND t.state IN ('sent', 'given_up')))";
    ENABLE = "UPDATE endpoints SET failing_since = NULL, disabled_at = NULL, why = NULL WHERE name = ?1";
    AGAIN = "UPDATE letter_tries SET state = 'waiting', tries = 0, next_at = ?2, claimed_until = NULL
        WHERE endpoint = ?1 AND state IN ('waiting', 'given_up')";
    ENDPOINTS = "SELECT e.name, e.failing_since, e.disabled_at, e.why,
            (SELECT count(*) FROM letter_tries t WHERE t.endpoint = e.name AND t.state = 'waiting') AS waiting,
            (SELECT count(*) FROM letter_tries t WHERE t.endpoint = e.name AND t.state = 'given_up') AS given_up
        FROM endpoints e ORDER BY e.name";
}

impl SqliteStore {
    pub(super) async fn claim_due_letters(
        &self,
        endpoint: &str,
        limit: u32,
        lease: SignedDuration,
        at: Timestamp,
    ) -> StoreResult<Vec<Letter>> {
        let until = at.checked_add(lease).map_err(|error| StoreError::Backend(error.to_string()))?;
        let mut tx = self.begin().await?;
        let claimed = claim(&mut tx, endpoint, limit, until, at).await;
        let claimed = claimed.map_err(|fault| as_error(fault, endpoint))?;
        tx.commit().await.map_err(backend)?;
        Ok(claimed)
    }

    pub(super) async fn end_try(
        &self,
        endpoint: &str,
        id: &str,
        end: &LetterEnd,
        all: &[String],
        at: Timestamp,
    ) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        let is_disabled = finish(&mut tx, (endpoint, id), end, all, at).await.map_err(|fault| as_error(fault, id))?;
        tx.commit().await.map_err(backend)?;
        Ok(is_disabled)
    }

    pub(super) async fn enable(&self, endpoint: &str, at: Timestamp) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        let enabled = sqlx::query(ENABLE).bind(endpoint).execute(&mut *tx).await.map_err(backend)?;
        sqlx::query(AGAIN).bind(endpoint).bind(micros(at)).execute(&mut *tx).await.map_err(backend)?;
        tx.commit().await.map_err(backend)?;
        Ok(enabled.rows_affected() > 0)
    }

    pub(super) async fn read_endpoints(&self) -> StoreResult<Vec<EndpointState>> {
        let rows = sqlx::query(ENDPOINTS).fetch_all(&self.readers).await.map_err(backend)?;
        assemble::each(&rows, assemble::endpoint)
    }
}

async fn claim(
    connection: &mut SqliteConnection,
    endpoint: &str,
    limit: u32,
    until: Timestamp,
    at: Timestamp,
) -> Worked<Vec<Letter>> {
    sqlx::query(KNOW).bind(endpoint).execute(&mut *connection).await?;
    let is_disabled: bool = sqlx::query_scalar(IS_DISABLED).bind(endpoint).fetch_one(&mut *connection).await?;
    if is_disabled {
        return Ok(Vec::new());
    }
    let limit = i64::from(limit);
    sqlx::query(FILL).bind(endpoint).bind(limit).execute(&mut *connection).await?;
    let due = sqlx::query(DUE).bind(endpoint).bind(limit).bind(micros(at)).fetch_all(&mut *connection).await?;
    let letters = assemble::each(&due, assemble::letter)?;
    for letter in &letters {
        let claim = sqlx::query(CLAIM).bind(endpoint).bind(&letter.id).bind(micros(until));
        claim.execute(&mut *connection).await?;
    }
    Ok(letters)
}

async fn finish(
    connection: &mut SqliteConnection,
    (endpoint, id): (&str, &str),
    end: &LetterEnd,
    all: &[String],
    at: Timestamp,
) -> Worked<bool> {
    let (state, next_at, why) = match end {
        LetterEnd::Sent => ("sent", None, None),
        LetterEnd::Again { at, why } => ("waiting", Some(micros(*at)), Some(why)),
        LetterEnd::GivenUp { why } => ("given_up", None, Some(why)),
        LetterEnd::Gone { why } => ("waiting", None, Some(why)),
    };
    let query = sqlx::query(END).bind(endpoint).bind(id).bind(state).bind(next_at).bind(why);
    if query.execute(&mut *connection).await?.rows_affected() == 0 {
        return Ok(false);
    }
    let is_disabled = match why {
        None => {
            sqlx::query(WORKS).bind(endpoint).execute(&mut *connection).await?;
            false
        }
        Some(why) => {
            let endured = i64::try_from(ENDURED.as_micros()).unwrap_or(i64::MAX);
            let is_gone = matches!(end, LetterEnd::Gone { .. });
            let fails = sqlx::query_scalar(FAILS).bind(endpoint).bind(micros(at)).bind(why).bind(is_gone).bind(endured);
            fails.fetch_optional(&mut *connection).await?.unwrap_or(false)
        }
    };
    if state != "waiting" {
        sqlx::query(TOLD).bind(id).bind(document(&all)?).execute(connection).await?;
    }
    Ok(is_disabled)
}

#[cfg(test)]
mod tests {
    use makegood_domain::events::OUTGOING;

    /// Statements and indexes name the kinds, for an index of some rows serves no list that comes as an argument.
    #[test]
    fn the_statements_name_the_kinds_that_are_told() {
        let mut kinds: Vec<String> = OUTGOING.iter().map(|known| format!("'{}'", known.kind)).collect();
        kinds.sort();
        let list = format!("kind IN ({})", kinds.join(", "));
        let postgres = include_str!("../../migrations/postgres/0011_letters.sql");
        let sqlite = include_str!("../../migrations/sqlite/0011_letters.sql");
        for (text, times) in [(super::FILL, 1), (sqlite, 1), (postgres, 2)] {
            assert_eq!((text.matches(&list).count(), text.matches("kind IN (").count()), (times, times), "{text}");
        }
    }
}
