//! Deliveries of providers, and the runs that they lead to.

use jiff::Timestamp;
use makegood_domain::ids::{ProviderId, RunId};
use makegood_domain::ports::{DeliveryLine, NewDelivery, webhook_id};
use makegood_domain::work::{Job, Webhook, WebhookResult};

use super::record::{Received, Record};
use super::{cut, items, runs};

type Key = (ProviderId, String);

/// Keeps deliveries; which of them were not known.
pub(super) fn keep(record: &mut Record, deliveries: &[NewDelivery], at: Timestamp) -> Vec<bool> {
    let mut keep_one = |delivery: &NewDelivery| {
        let key = (delivery.provider_id.clone(), delivery.delivery_id.clone());
        if record.deliveries.contains_key(&key) {
            return false;
        }
        let received_at = cut(delivery.received_at.min(at));
        let row = Received {
            delivery: NewDelivery { received_at, body: Vec::new(), ..delivery.clone() },
            body: Some(delivery.body.clone()),
            bytes: delivery.body.len(),
            run_id: None,
        };
        record.deliveries.put(key.clone(), row);
        if let Some(run) = run_of(record, delivery) {
            lead(record, &key, &run);
            wake(record, &run, delivery.proven, at);
        }
        true
    };
    deliveries.iter().map(&mut keep_one).collect()
}

/// By our own table of jobs.
fn run_of(record: &Record, delivery: &NewDelivery) -> Option<RunId> {
    let job = record.jobs.get(delivery.job_id.as_ref()?)?;
    (job.provider_id == delivery.provider_id).then(|| job.run_id.clone())
}

/// Leads a delivery to its run; if it is proven, it is a fact of it.
fn lead(record: &mut Record, key: &Key, run: &RunId) {
    record.deliveries.edit(key, |row| row.run_id = Some(run.clone()));
    let Some(row) = record.deliveries.get(key).map(|row| row.delivery.clone()) else { return };
    if let (Some(job_id), true) = (row.job_id, row.proven) {
        let webhook = Webhook {
            id: webhook_id(&row.provider_id, &row.delivery_id),
            job_id,
            run_id: run.clone(),
            received_at: row.received_at,
            attempts: 1,
            result: WebhookResult::Accepted,
            routed_to: None,
        };
        record.webhooks.put(webhook.id.clone(), webhook);
    }
}

/// What is proven is news; a hint only brings the next look forward.
fn wake(record: &mut Record, run: &RunId, is_proven: bool, at: Timestamp) {
    let Some(root) = runs::root_of(record, run).cloned() else { return };
    record.due.edit(&root, |due| {
        if is_proven {
            due.next_at = Some(due.next_at.map_or(at, |next| next.min(at)));
            due.touched |= due.claim.is_some();
        } else {
            due.next_at = due.next_at.map(|next| next.min(at));
        }
    });
}

/// A job that was not known: what waited for it is led to its run.
pub(super) fn meet(record: &mut Record, job: &Job) {
    let waits = |row: &Received| {
        row.run_id.is_none()
            && row.delivery.job_id.as_ref() == Some(&job.id)
            && row.delivery.provider_id == job.provider_id
    };
    let waiting: Vec<Key> =
        record.deliveries.iter().filter(|(_, row)| waits(row)).map(|(key, _)| key.clone()).collect();
    for key in waiting {
        lead(record, &key, &job.run_id);
    }
}

/// Newest first.
pub(super) fn newest(record: &Record, limit: u64) -> Vec<DeliveryLine> {
    let mut rows: Vec<&Received> = record.deliveries.values().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.delivery.received_at));
    let line = |row: &Received| DeliveryLine {
        provider_id: row.delivery.provider_id.clone(),
        endpoint: row.delivery.endpoint.clone(),
        delivery_id: row.delivery.delivery_id.clone(),
        job_id: row.delivery.job_id.clone(),
        run_id: row.run_id.clone(),
        event: row.delivery.event.clone(),
        proven: row.delivery.proven,
        bytes: u64::try_from(row.bytes).unwrap_or(u64::MAX),
        received_at: row.delivery.received_at,
    };
    rows.into_iter().take(items::size(limit)).map(line).collect()
}
