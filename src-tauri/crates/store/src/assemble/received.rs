//! Deliveries of providers, and letters to the platform.

use makegood_domain::ids::{JobId, ProviderId, RunId};
use makegood_domain::ports::{DeliveryLine, EndpointState, Letter, StoreResult};

use crate::rows::{Columns, instant, unsigned};

pub(crate) fn delivery_line<R: Columns>(row: &R) -> StoreResult<DeliveryLine> {
    Ok(DeliveryLine {
        provider_id: ProviderId(row.text("provider_id")?),
        endpoint: row.opt_text("endpoint")?,
        delivery_id: row.text("delivery_id")?,
        job_id: row.opt_text("job_id")?.map(JobId),
        run_id: row.opt_text("run_id")?.map(RunId),
        event: row.opt_text("event")?,
        proven: row.int("proven")? != 0,
        bytes: unsigned(row.int("bytes")?, "deliveries.body")?,
        received_at: instant(row.int("received_at")?, "deliveries.received_at")?,
    })
}

pub(crate) fn letter<R: Columns>(row: &R) -> StoreResult<Letter> {
    Ok(Letter {
        id: row.text("id")?,
        at: instant(row.int("at")?, "outbox.at")?,
        kind: row.text("kind")?,
        payload: row.text("payload")?,
        tries: unsigned(row.int("tries")?, "letter_tries.tries")?,
    })
}

pub(crate) fn endpoint<R: Columns>(row: &R) -> StoreResult<EndpointState> {
    let time = |column: &str| row.opt_int(column)?.map(|at| instant(at, "endpoints")).transpose();
    Ok(EndpointState {
        name: row.text("name")?,
        waiting: unsigned(row.int("waiting")?, "letter_tries")?,
        given_up: unsigned(row.int("given_up")?, "letter_tries")?,
        failing_since: time("failing_since")?,
        disabled_at: time("disabled_at")?,
        why: row.opt_text("why")?,
    })
}
