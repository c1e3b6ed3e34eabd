//! The audit: one line an act, each with the hash of the line before it. An edited, cut-out or moved
//! line breaks the chain where it was.

use jiff::Timestamp;
use makegood_domain::ports::{AuditBreak, AuditLine, StoreResult};
use sha2::{Digest, Sha256};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::SqliteStore;
use super::fault::{as_error, backend};
use super::rows::{Columns, document, micros, signed};
use super::script::{Script, Value};
use crate::assemble;

statements! {
    /// The line that the next one is chained to.
    LAST = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1";
    ADD = "INSERT INTO audit (seq, at, actor, act, subject, detail, prev_hash, hash)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    NEWEST = "SELECT seq, at, actor, act, subject, detail, prev_hash, hash FROM audit ORDER BY seq DESC LIMIT ?1";
    NEWEST_OF = "SELECT seq, at, actor, act, subject, detail, prev_hash, hash FROM audit WHERE subject = ?1
        ORDER BY seq DESC LIMIT ?2";
    AFTER = "SELECT seq, at, actor, act, subject, detail, prev_hash, hash FROM audit WHERE seq > ?1
        ORDER BY seq LIMIT 1000";
}

/// Adds a line within the transaction of what it tells of.
pub(super) async fn add(
    connection: &mut SqliteConnection,
    actor: &str,
    act: &str,
    subject: &str,
    detail: &str,
    at: Timestamp,
) -> StoreResult<()> {
    let last = sqlx::query(LAST).fetch_optional(&mut *connection).await.map_err(backend)?;
    let mut script = Script::default();
    add_to(&mut script, last.as_ref(), [actor, act, subject, detail], at)?;
    script.run(connection).await.map_err(|fault| as_error(fault, "the audit"))
}

/// The same in a script: actor, act, subject and detail. `last`: the row of [`LAST`]; no line may be
/// added between it and the script.
pub(super) fn add_to(
    script: &mut Script,
    last: Option<&SqliteRow>,
    fields: [&str; 4],
    at: Timestamp,
) -> StoreResult<()> {
    let (seq, before) = match last {
        Some(last) => (last.int("seq")? + 1, last.text("hash")?),
        None => (1, String::new()),
    };
    let hash = hash(&before, seq, micros(at), fields);
    let [actor, act, subject, detail] = fields.map(Value::from);
    script.add(ADD, [seq.into(), micros(at).into(), actor, act, subject, detail, before.into(), hash.into()]);
    Ok(())
}

/// SHA-256 in hex over the line before and every field with its length, so that no two lines read alike.
pub(super) fn hash(before: &str, seq: i64, at: i64, fields: [&str; 4]) -> String {
    let mut sha = Sha256::new();
    sha.update(before.as_bytes());
    sha.update(seq.to_be_bytes());
    sha.update(at.to_be_bytes());
    for field in fields {
        sha.update(signed(u64::try_from(field.len()).unwrap_or(u64::MAX)).to_be_bytes());
        sha.update(field.as_bytes());
    }
    hex::encode(sha.finalize())
}

impl SqliteStore {
    /// Who, what, about what, and what came of it in words.
    pub(super) async fn note_in_audit(&self, line: [&str; 4], at: Timestamp) -> StoreResult<()> {
        let [actor, act, subject, outcome] = line;
        let mut tx = self.begin().await?;
        add(&mut tx, actor, act, subject, &document(&outcome)?, at).await?;
        tx.commit().await.map_err(backend)
    }

    pub(super) async fn read_audit(&self, subject: Option<&str>, limit: u64) -> StoreResult<Vec<AuditLine>> {
        let query = match subject {
            Some(subject) => sqlx::query(NEWEST_OF).bind(subject).bind(signed(limit)),
            None => sqlx::query(NEWEST).bind(signed(limit)),
        };
        let rows = query.fetch_all(&self.readers).await.map_err(backend)?;
        assemble::each(&rows, assemble::audit_line)
    }

    pub(super) async fn verify_audit(&self) -> StoreResult<Option<AuditBreak>> {
        let mut tx = self.snapshot().await?;
        let mut seq = 0;
        let mut before = String::new();
        loop {
            let rows = sqlx::query(AFTER).bind(seq).fetch_all(&mut *tx).await.map_err(backend)?;
            if rows.is_empty() {
                tx.rollback().await.map_err(backend)?;
                return Ok(None);
            }
            for row in &rows {
                let line = assemble::audit_line(row)?;
                let fields = [line.actor.as_str(), &line.act, &line.subject, &line.detail];
                let why = if line.seq != seq + 1 {
                    Some(format!("line {} is missing", seq + 1))
                } else if row.text("prev_hash")? != before {
                    Some("it does not follow the line before it".to_owned())
                } else if hash(&before, line.seq, row.int("at")?, fields) != line.hash {
                    Some("it was changed after it was written".to_owned())
                } else {
                    None
                };
                if let Some(why) = why {
                    return Ok(Some(AuditBreak { seq: seq + 1, why }));
                }
                seq = line.seq;
                before = line.hash;
            }
        }
    }
}
