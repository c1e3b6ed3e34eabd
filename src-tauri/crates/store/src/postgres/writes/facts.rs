//! Facts in: a batch is one call, decided in the database by the rules that SQL's own users have too.

use jiff::Timestamp;
use makegood_domain::feed::Fact;
use makegood_domain::ports::{ImportReport, RawAnswer, StoreError, StoreResult};
use makegood_domain::work::Job;
use serde_json::{Value, json};

use super::super::PgStore;
use super::super::fault::as_error;
use super::{answer, at, document, said};
use crate::digests::{digest, digest_as_posted};

statements! {
    FEED = "SELECT api.feed($1::jsonb, $2)";
    RECORD_LOOK_UP = "SELECT NULL::jsonb FROM api.record_look_up($1::jsonb, $2::jsonb)";
}

impl PgStore {
    pub(in crate::postgres) async fn import_facts(
        &self,
        facts: &[Fact],
        instant: Timestamp,
    ) -> StoreResult<ImportReport> {
        let batch = facts.iter().map(envelope).collect::<StoreResult<Vec<Value>>>()?;
        let report = self.call(FEED, &[said(&document(&batch)?), at(instant)]).await;
        answer(report.map_err(|fault| as_error(fault, "the import"))?, "feed")
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

/// A fact with what it is known by.
fn envelope(fact: &Fact) -> StoreResult<Value> {
    let mut value =
        serde_json::to_value(fact).map_err(|error| StoreError::Backend(format!("a fact can't be written: {error}")))?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("digest".to_owned(), hex::encode(digest(fact)?).into());
        if let Some(posted) = digest_as_posted(fact)? {
            fields.insert("posted_digest".to_owned(), hex::encode(posted).into());
        }
    }
    Ok(value)
}
