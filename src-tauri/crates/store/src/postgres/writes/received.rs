//! Deliveries of providers, kept many at a time, and letters to the platform.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ports::{
    BODIES_KEPT, ENDURED, Letter, LetterEnd, NAMES_KEPT, NewDelivery, Pruned, StoreError, StoreResult,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{answer, at, document, said, text};
use crate::postgres::PgStore;
use crate::postgres::fault::as_error;
use crate::postgres::link::Argument;
use crate::postgres::rows::{instant, micros};

statements! {
    KEEP = "SELECT api.keep_deliveries($1::jsonb, $2, $3)";
    MATCH = "SELECT api.match_deliveries($1, $2)";
    PRUNE = "SELECT api.prune($1, $2, $3, $4)";
    CLAIM = "SELECT api.claim_letters($1, $2, $3, $4)";
    END = "SELECT api.end_letter($1, $2, $3::jsonb, $4::jsonb, $5, $6)";
    ENABLE = "SELECT api.enable_endpoint($1, $2)";
}

/// A letter as the function says it.
#[derive(Deserialize)]
struct Claimed {
    id: String,
    /// Microseconds.
    at: i64,
    kind: String,
    payload: String,
    tries: u32,
}

impl PgStore {
    pub(in crate::postgres) async fn keep_received(
        &self,
        deliveries: &[NewDelivery],
        when: Timestamp,
    ) -> StoreResult<Vec<bool>> {
        let mut bodies = Vec::with_capacity(deliveries.iter().map(|delivery| delivery.body.len()).sum());
        let mut rows = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            rows.push(row(delivery, bodies.len() + 1));
            bodies.extend_from_slice(&delivery.body);
        }
        let said_so = document(&rows)?;
        let arguments = [said(&said_so), Argument::Bytes(Some(&bodies)), at(when)];
        let news = self.call(KEEP, &arguments).await.map_err(|fault| as_error(fault, "deliveries"))?;
        let news: Vec<bool> = answer(news, "keep_deliveries")?;
        if news.len() == deliveries.len() {
            return Ok(news);
        }
        Err(StoreError::Backend(format!("api.keep_deliveries told of {} deliveries, not {}", news.len(), rows.len())))
    }

    pub(in crate::postgres) async fn match_received(&self, since: Timestamp, when: Timestamp) -> StoreResult<u64> {
        let led = self.call(MATCH, &[at(since), at(when)]).await.map_err(|fault| as_error(fault, "deliveries"))?;
        answer(led, "match_deliveries")
    }

    pub(in crate::postgres) async fn prune_received(&self, limit: u32, when: Timestamp) -> StoreResult<Pruned> {
        let number = |number| Argument::Int(Some(number));
        let arguments = [number(i64::from(limit)), number(length(BODIES_KEPT)?), number(length(NAMES_KEPT)?), at(when)];
        let pruned = self.call(PRUNE, &arguments).await.map_err(|fault| as_error(fault, "what is old"))?;
        answer(pruned, "prune")
    }

    pub(in crate::postgres) async fn claim_due_letters(
        &self,
        endpoint: &str,
        limit: u32,
        lease: SignedDuration,
        when: Timestamp,
    ) -> StoreResult<Vec<Letter>> {
        let number = |number| Argument::Int(Some(number));
        let arguments = [said(endpoint), number(i64::from(limit)), number(length(lease)?), at(when)];
        let claimed = self.call(CLAIM, &arguments).await.map_err(|fault| as_error(fault, endpoint))?;
        let claimed: Vec<Claimed> = answer(claimed, "claim_letters")?;
        let letter = |row: Claimed| {
            let at = instant(row.at, "outbox.at")?;
            Ok(Letter { id: row.id, at, kind: row.kind, payload: row.payload, tries: row.tries })
        };
        claimed.into_iter().map(letter).collect()
    }

    pub(in crate::postgres) async fn end_try(
        &self,
        endpoint: &str,
        id: &str,
        end: &LetterEnd,
        all: &[String],
        when: Timestamp,
    ) -> StoreResult<bool> {
        let end = document(&match end {
            LetterEnd::Sent => json!({ "end": "sent" }),
            LetterEnd::Again { at, why } => json!({ "end": "again", "at": micros(*at), "why": why }),
            LetterEnd::GivenUp { why } => json!({ "end": "given_up", "why": why }),
            LetterEnd::Gone { why } => json!({ "end": "gone", "why": why }),
        })?;
        let all = document(&all)?;
        let endured = Argument::Int(Some(length(ENDURED)?));
        let ended = self.call(END, &[said(endpoint), said(id), said(&end), said(&all), endured, at(when)]).await;
        answer(ended.map_err(|fault| as_error(fault, id))?, "end_letter")
    }

    pub(in crate::postgres) async fn enable(&self, endpoint: &str, when: Timestamp) -> StoreResult<bool> {
        let enabled = self.call(ENABLE, &[said(endpoint), at(when)]).await;
        answer(enabled.map_err(|fault| as_error(fault, endpoint))?, "enable_endpoint")
    }
}

fn length(span: SignedDuration) -> StoreResult<i64> {
    i64::try_from(span.as_micros()).map_err(|error| StoreError::Backend(error.to_string()))
}

/// A delivery whose body starts at that byte of all bodies, counted from 1.
fn row(delivery: &NewDelivery, start: usize) -> Value {
    json!({
        "provider_id": text(delivery.provider_id.as_str()), "delivery_id": text(&delivery.delivery_id),
        "endpoint": delivery.endpoint, "job_id": delivery.job_id, "event": delivery.event,
        "proven": i64::from(delivery.proven), "headers": delivery.headers,
        "received_at": micros(delivery.received_at), "start": start, "bytes": delivery.body.len(),
    })
}
