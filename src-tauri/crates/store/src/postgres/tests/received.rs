//! Deliveries that arrive at the same moment: as each other, and as their job.

use makegood_domain::ports::{DeliveryStore as _, NewDelivery};
use serde_json::json;

use super::world::{at, charge, fact, number, run, world};
use crate::postgres::PgStore;

fn delivery(id: &str, job: &str) -> NewDelivery {
    NewDelivery {
        provider_id: "replicate".into(),
        endpoint: None,
        delivery_id: id.to_owned(),
        job_id: Some(job.into()),
        event: None,
        proven: true,
        headers: vec![],
        body: id.as_bytes().to_vec(),
        received_at: at(2000),
    }
}

/// `run_1`, which is open.
async fn open_run() -> PgStore {
    let provider = json!({ "id": "replicate", "retention_hours": 1, "retention_source": "documented" });
    let run = run("run_1", "a", "a", 10);
    world(vec![fact("provider", provider), run, charge("chg_1", "run_1", "a", 20, &[1], &[("bal_q", 1)])]).await
}

/// A job that was written while the delivery was: neither transaction saw the other's row.
const UNSEEN_JOB: &str = "SET session_replication_role = replica;
    INSERT INTO record.jobs (id, run_id, provider_id, submitted_at, state, looked_up_at)
        VALUES ('job_1', 'run_1', 'replicate', 0, 'processing', 0);
    RESET session_replication_role";

#[tokio::test]
async fn a_delivery_and_its_job_that_passed_each_other_meet() {
    let store = open_run().await;
    assert_eq!(store.keep_deliveries(&[delivery("one", "job_1")], at(2000)).await.unwrap(), [true]);
    let mut connection = store.pool.acquire().await.unwrap();
    sqlx::raw_sql(UNSEEN_JOB).execute(&mut *connection).await.unwrap();
    drop(connection);
    assert_eq!(number(&store, "SELECT count(*) FROM api.webhooks").await, 0);
    assert_eq!(store.match_deliveries(at(2001), at(2100)).await.unwrap(), 0, "it was received before");
    assert_eq!(store.match_deliveries(at(2000), at(2100)).await.unwrap(), 1);
    assert_eq!(store.match_deliveries(at(2000), at(2100)).await.unwrap(), 0, "once");
    assert_eq!(number(&store, "SELECT count(*) FROM api.webhooks WHERE run_id = 'run_1'").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_deliveries_in_every_order_are_kept_once() {
    let store = open_run().await;
    let mut keepers = Vec::new();
    for keeper in 0..8 {
        let store = store.clone();
        let mut batch: Vec<NewDelivery> = (0..50).map(|number| delivery(&format!("d{number}"), "job_1")).collect();
        batch.rotate_left(keeper * 6);
        if keeper % 2 == 1 {
            batch.reverse();
        }
        keepers.push(tokio::spawn(async move { store.keep_deliveries(&batch, at(2000)).await.unwrap() }));
    }
    let mut news = 0;
    for keeper in keepers {
        news += keeper.await.unwrap().into_iter().filter(|is_new| *is_new).count();
    }
    assert_eq!(news, 50, "each was new for one");
    assert_eq!(number(&store, "SELECT count(*) FROM api.deliveries").await, 50);
}
