//! Facts in: a batch is one call, decided in the database by the rules that SQL's own users have too.

use jiff::Timestamp;
use makegood_domain::ledger::RefundState;
use makegood_domain::ports::{
    DeadLetterState, ImportPosition, ImportReport, RawAnswer, StoreError, StoreResult, Told, Unread,
};
use makegood_domain::work::Job;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::PgStore;
use super::super::fault::as_error;
use super::super::link::Argument;
use super::super::rows::micros;
use super::{answer, at, document, said, text};
use crate::digests::{digest, digest_in_other_state};

statements! {
    FEED = "SELECT api.feed($1::jsonb, $2)";
    BURY = "SELECT api.bury($1::jsonb, $2)";
    END_DEAD_LETTER = "SELECT api.end_dead_letter($1, $2, $3)";
    KEEP_POSITION = "SELECT api.keep_position($1, $2::jsonb, $3)";
    RECORD_LOOK_UP = "SELECT NULL::jsonb FROM api.record_look_up($1::jsonb, $2::jsonb)";
}

impl PgStore {
    pub(in crate::postgres) async fn import_told(
        &self,
        told: &[Told],
        instant: Timestamp,
    ) -> StoreResult<ImportReport> {
        let batch = told.iter().map(envelope).collect::<StoreResult<Vec<Value>>>()?;
        let report = self.call(FEED, &[said(&document(&batch)?), at(instant)]).await;
        answer(report.map_err(|fault| as_error(fault, "the import"))?, "feed")
    }

    pub(in crate::postgres) async fn bury_unread(&self, unread: &[Unread], instant: Timestamp) -> StoreResult<()> {
        let letters: Vec<Value> = unread
            .iter()
            .map(|letter| {
                let digest = hex::encode(Sha256::digest(letter.raw.as_bytes()));
                json!({ "digest": digest, "raw": letter.raw, "whole": letter.whole, "reason": letter.reason,
                    "place": letter.place })
            })
            .collect();
        let kept = self.call(BURY, &[said(&document(&letters)?), at(instant)]).await;
        kept.map(drop).map_err(|fault| as_error(fault, "the dead letters"))
    }

    pub(in crate::postgres) async fn end_waiting_dead_letter(
        &self,
        id: i64,
        state: DeadLetterState,
        instant: Timestamp,
    ) -> StoreResult<bool> {
        let ended = self.call(END_DEAD_LETTER, &[Argument::Int(Some(id)), said(state.word()), at(instant)]).await;
        answer(ended.map_err(|fault| as_error(fault, "the dead letters"))?, "end_dead_letter")
    }

    pub(in crate::postgres) async fn write_position(
        &self,
        file: &str,
        position: &ImportPosition,
        instant: Timestamp,
    ) -> StoreResult<()> {
        let kept = self.call(KEEP_POSITION, &[said(&text(file)), said(&document(position)?), at(instant)]).await;
        kept.map(drop).map_err(|fault| as_error(fault, "the position of an import"))
    }

    pub(in crate::postgres) async fn keep_look_up(&self, job: &Job, raw: &[RawAnswer]) -> StoreResult<()> {
        let answers: Vec<Value> = raw
            .iter()
            .map(|answer| {
                json!({ "url": answer.url, "status": answer.status, "body": answer.body,
                    "fetched_at": answer.fetched_at })
            })
            .collect();
        let kept = self.call(RECORD_LOOK_UP, &[said(&document(job)?), said(&document(&answers)?)]).await;
        kept.map(drop).map_err(|fault| as_error(fault, job.id.as_str()))
    }
}

/// A fact with what it is known by, and how it was told.
fn envelope(told: &Told) -> StoreResult<Value> {
    let fact = &told.event.fact;
    let mut value =
        serde_json::to_value(fact).map_err(|error| StoreError::Backend(format!("a fact can't be written: {error}")))?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("place".to_owned(), told.place.as_str().into());
        if let Some(origin) = &told.event.origin {
            fields.insert("source".to_owned(), origin.source.as_str().into());
            fields.insert("event".to_owned(), origin.id.as_str().into());
        }
        if let Some(time) = told.event.time {
            fields.insert("time".to_owned(), micros(time).into());
        }
        fields.insert("digest".to_owned(), hex::encode(digest(fact)?).into());
        if let Some((state, other)) = digest_in_other_state(fact)? {
            let name = match state {
                RefundState::Posted => "posted_digest",
                RefundState::Reversed => "reversed_digest",
            };
            fields.insert(name.to_owned(), hex::encode(other).into());
        }
    }
    Ok(value)
}
