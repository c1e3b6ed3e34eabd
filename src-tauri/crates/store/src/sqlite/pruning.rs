//! What is not kept for ever: the bytes of deliveries, and after a while which deliveries and events came.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ports::{BODIES_KEPT, NAMES_KEPT, Pruned, StoreResult};
use sqlx::SqliteConnection;

use super::fault::{Worked, as_error, backend};
use super::rows::micros;
use super::{SqliteStore, audit};

statements! {
    GONE_THROUGH = "SELECT until FROM pruned WHERE what = ?1";
    GO_ON = "UPDATE pruned SET until = ?2 WHERE what = ?1 AND until < ?2";
    NEXT_DELIVERY = "SELECT received_at FROM deliveries WHERE received_at > ?1 AND received_at <= ?2
        ORDER BY received_at LIMIT 1 OFFSET ?3";
    NEXT_EVENT = "SELECT at FROM events_taken WHERE at > ?1 AND at <= ?2 ORDER BY at LIMIT 1 OFFSET ?3";
    /// A case is concerned with the run, or with the one that it goes on: then the delivery is evidence.
    EMPTY = "UPDATE deliveries SET body = NULL
        WHERE received_at > ?1 AND received_at <= ?2 AND body IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM runs r JOIN case_runs c ON c.run_id IN (r.id, r.root_id)
              WHERE r.id = deliveries.run_id)";
    FORGET = "DELETE FROM deliveries
        WHERE received_at > ?1 AND received_at <= ?2
          AND NOT EXISTS (SELECT 1 FROM runs r JOIN case_runs c ON c.run_id IN (r.id, r.root_id)
              WHERE r.id = deliveries.run_id)";
    FORGET_EVENTS = "DELETE FROM events_taken WHERE at > ?1 AND at <= ?2";
}

/// One kind of what is old: its name in `pruned`, what comes next, and how it goes.
struct Old {
    what: &'static str,
    next: &'static str,
    lets_go: &'static str,
    kept: SignedDuration,
}

const BODIES: Old = Old { what: "bodies", next: NEXT_DELIVERY, lets_go: EMPTY, kept: BODIES_KEPT };
const DELIVERIES: Old = Old { what: "deliveries", next: NEXT_DELIVERY, lets_go: FORGET, kept: NAMES_KEPT };
const EVENTS: Old = Old { what: "events", next: NEXT_EVENT, lets_go: FORGET_EVENTS, kept: NAMES_KEPT };

impl SqliteStore {
    pub(super) async fn prune_received(&self, limit: u32, at: Timestamp) -> StoreResult<Pruned> {
        let mut tx = self.begin().await?;
        let mut counts = [0; 3];
        let mut more = false;
        for (count, old) in counts.iter_mut().zip([BODIES, DELIVERIES, EVENTS]) {
            let gone = let_go(&mut tx, &old, limit, at).await.map_err(|fault| as_error(fault, old.what))?;
            *count = gone.0;
            more |= gone.1;
        }
        if counts.iter().any(|count| *count > 0) {
            let [bodies, deliveries, events] = counts;
            let told = serde_json::json!({ "bodies": bodies, "deliveries": deliveries, "events": events });
            audit::add(&mut tx, "reconciler", "prune", "deliveries", &told.to_string(), at).await?;
        }
        tx.commit().await.map_err(backend)?;
        let [bodies, deliveries, events] = counts;
        Ok(Pruned { bodies, deliveries, events, more })
    }
}

/// How many went, and whether there are more.
async fn let_go(connection: &mut SqliteConnection, old: &Old, limit: u32, at: Timestamp) -> Worked<(u64, bool)> {
    let to = micros(at.saturating_sub(old.kept).unwrap_or(Timestamp::MIN));
    let was: i64 = sqlx::query_scalar(GONE_THROUGH).bind(old.what).fetch_one(&mut *connection).await?;
    let before_last = i64::from(limit.max(1)) - 1;
    let next = sqlx::query_scalar(old.next).bind(was).bind(to).bind(before_last);
    let next: Option<i64> = next.fetch_optional(&mut *connection).await?;
    let until = next.unwrap_or(to).max(was);
    // First, because a trigger keeps what was not gone through.
    sqlx::query(GO_ON).bind(old.what).bind(until).execute(&mut *connection).await?;
    let gone = sqlx::query(old.lets_go).bind(was).bind(until).execute(&mut *connection).await?;
    Ok((gone.rows_affected(), until < to))
}
