//! Facts in: a batch is one call, decided in the database by the rules that SQL's own users have too.

use jiff::Timestamp;
use makegood_domain::ledger::RefundState;
use makegood_domain::ports::{
    DeadLetterState, ImportPosition, ImportReport, RawAnswer, StoreError, StoreResult, Told, Unread,
};
use makegood_domain::work::Job;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::PgStore;
use super::super::fault::as_error;
use super::super::link::Argument;
use super::super::rows::micros;
use super::{answer, at, document, said, text, whole_text};
use crate::digests::digest_in_other_state;
use crate::rows::unwritten;

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
        let report = self.call(FEED, &[said(&batch(told)?), at(instant)]).await;
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

/// What a fact is known by, and how it was told.
#[derive(Serialize)]
struct Telling<'a> {
    place: &'a str,
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    posted_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reversed_digest: Option<String>,
}

/// Facts as `api.feed` takes them: each as the text of which its digest is, and the telling in the same object.
fn batch(told: &[Told]) -> StoreResult<String> {
    let mut text = String::from("[");
    for one in told {
        let fact = &one.event.fact;
        let written = one.written().map_err(unwritten)?;
        let said = written.text();
        let other = digest_in_other_state(fact)?.map(|(state, digest)| (state, hex::encode(digest)));
        let of = |wanted| other.as_ref().filter(|(state, _)| *state == wanted).map(|(_, digest)| digest.clone());
        let telling = crate::rows::document(&Telling {
            place: &one.place,
            digest: hex::encode(written.digest()),
            source: one.event.origin.as_ref().map(|origin| origin.source.as_str()),
            event: one.event.origin.as_ref().map(|origin| origin.id.as_str()),
            time: one.event.time.map(micros),
            posted_digest: of(RefundState::Posted),
            reversed_digest: of(RefundState::Reversed),
        })?;
        let (Some(head), Some(rest)) = (said.strip_suffix('}'), telling.strip_prefix('{')) else {
            return Err(StoreError::Backend(format!("a fact of {} is no object", fact.kind())));
        };
        if text.len() > 1 {
            text.push(',');
        }
        text.extend([head, ",", rest]);
    }
    text.push(']');
    whole_text(text)
}
