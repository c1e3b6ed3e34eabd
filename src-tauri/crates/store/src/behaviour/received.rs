//! Deliveries of providers: kept once and as they came, led to runs by our own jobs, and never more than a
//! reason to look.

use jiff::Timestamp;
use makegood_domain::feed::Fact;
use makegood_domain::ports::{NewDelivery, NextLook, Store};
use makegood_domain::work::Webhook;
use serde_json::json;

use super::world::{at, charge, fact, run};
use super::{due_ids, take};

fn delivery(id: &str, job: Option<&str>, proven: bool) -> NewDelivery {
    NewDelivery {
        provider_id: "replicate".into(),
        endpoint: Some("eu".to_owned()),
        delivery_id: id.to_owned(),
        job_id: job.map(Into::into),
        event: Some("succeeded".to_owned()),
        proven,
        headers: vec![("webhook-id".to_owned(), id.to_owned())],
        body: format!("{{\"id\": \"{id}\"}}\0\u{1F600}").into_bytes(),
        received_at: at(2000),
    }
}

fn job(id: &str, run: &str, provider: &str) -> [Fact; 2] {
    let catalogue = json!({ "id": provider, "retention_hours": 1, "retention_source": "documented" });
    let row = json!({ "id": id, "run_id": run, "provider_id": provider, "submitted_at": at(11), "state": "processing",
        "processing_started_at": at(12), "finished_at": null, "items": [], "error": null });
    [fact("provider", catalogue), fact("job", row)]
}

async fn keep(store: &dyn Store, deliveries: &[NewDelivery], seconds: i64) -> Vec<bool> {
    store.keep_deliveries(deliveries, at(seconds)).await.unwrap()
}

/// `run_1` is open, and is looked at again a day later.
async fn open_run(store: &dyn Store, facts: impl IntoIterator<Item = Fact>) {
    let open = [run("run_1", "a", "a", 10), charge("chg_1", "run_1", "a", 20, &[1], &[("bal_q", 1)])];
    take(store, &open.into_iter().chain(facts).collect::<Vec<_>>(), at(1500)).await;
    put_off(store, at(90_000)).await;
}

async fn put_off(store: &dyn Store, until: Timestamp) {
    let lease = jiff::SignedDuration::from_secs(60);
    for due in store.claim_due("looker", 100, lease, at(1500)).await.unwrap() {
        store.end_look(&due.root, "looker", &NextLook::At { at: until }, at(1500)).await.unwrap();
    }
}

async fn webhooks(store: &dyn Store) -> Vec<Webhook> {
    let scope = store.scope_of_run(&"run_1".into(), at(3000)).await.unwrap().expect("a known run");
    scope.runs.into_iter().find(|dossier| dossier.run.id.as_str() == "run_1").expect("the run").webhooks
}

pub(crate) async fn a_delivery_is_kept_once_as_it_came(store: &dyn Store) {
    let (one, other) = (delivery("one", None, true), delivery("other", None, true));
    let altered = NewDelivery { body: b"altered".to_vec(), ..one.clone() };
    let batch = [one.clone(), other.clone(), altered.clone()];
    assert_eq!(keep(store, &batch, 2000).await, [true, true, false], "the first of two in one call counts");
    assert_eq!(keep(store, &[other, altered], 2001).await, [false, false]);
    assert_eq!(keep(store, &[], 2002).await, Vec::<bool>::new());
    let body = store.delivery_body(&one.provider_id, "one").await.unwrap();
    assert_eq!(body, Some(one.body.clone()), "every byte");
    assert_eq!(store.delivery_body(&one.provider_id, "none").await.unwrap(), None);
    let lines = store.deliveries(10).await.unwrap();
    assert_eq!(lines.len(), 2);
    let line = lines.into_iter().find(|line| line.delivery_id == "one").expect("kept");
    assert_eq!((line.endpoint.as_deref(), line.bytes), (Some("eu"), one.body.len() as u64));
    assert_eq!((line.received_at, line.proven, line.run_id), (at(2000), true, None));
}

pub(crate) async fn a_delivery_leads_to_the_run_of_our_own_job(store: &dyn Store) {
    open_run(store, job("job_1", "run_1", "replicate")).await;
    assert_eq!(due_ids(store, at(2000)).await, Vec::<String>::new());
    let stranger = NewDelivery { provider_id: "fal".into(), ..delivery("three", Some("job_1"), true) };
    let batch = [delivery("one", Some("job_1"), true), delivery("two", Some("job_2"), true), stranger];
    assert_eq!(keep(store, &batch, 2000).await, [true; 3]);
    let mut led: Vec<_> = store.deliveries(10).await.unwrap();
    led.sort_by(|a, b| a.delivery_id.cmp(&b.delivery_id));
    let runs: Vec<_> = led.into_iter().map(|line| line.run_id.map(|run| run.0)).collect();
    assert_eq!(runs, [Some("run_1".to_owned()), None, None], "another provider's job of that name is another job");
    let [webhook] = &webhooks(store).await[..] else { panic!("one fact of the run") };
    assert_eq!((webhook.id.as_str(), webhook.job_id.as_str()), ("delivery/replicate/one", "job_1"));
    assert_eq!(due_ids(store, at(2000)).await, ["run_1"]);
}

pub(crate) async fn what_came_before_its_job_waits_for_it(store: &dyn Store) {
    open_run(store, []).await;
    let batch = [delivery("one", Some("job_1"), true), delivery("two", Some("job_1"), false)];
    assert_eq!(keep(store, &batch, 2000).await, [true, true]);
    assert_eq!(due_ids(store, at(2000)).await, Vec::<String>::new(), "nobody knows whose it is");
    take(store, &job("job_1", "run_1", "replicate"), at(2100)).await;
    assert!(store.deliveries(10).await.unwrap().iter().all(|line| line.run_id.is_some()));
    let ids: Vec<String> = webhooks(store).await.into_iter().map(|webhook| webhook.id.0).collect();
    assert_eq!(ids, ["delivery/replicate/one"], "what is not proven is no fact");
    assert_eq!(due_ids(store, at(2100)).await, ["run_1"]);
    assert_eq!(store.match_deliveries(at(0), at(2200)).await.unwrap(), 0, "none is left");
    // The same job again changes nothing.
    take(store, &job("job_1", "run_1", "replicate"), at(2300)).await;
    assert_eq!(webhooks(store).await.len(), 1);
}

pub(crate) async fn a_hint_is_no_evidence(store: &dyn Store) {
    open_run(store, job("job_1", "run_1", "replicate")).await;
    assert_eq!(keep(store, &[delivery("one", Some("job_1"), false)], 2000).await, [true]);
    assert_eq!(webhooks(store).await, []);
    assert_eq!(due_ids(store, at(2000)).await, ["run_1"], "but a reason to look");
    let lease = jiff::SignedDuration::from_secs(60);
    let claimed = store.claim_due("looker", 1, lease, at(2100)).await.unwrap();
    let parked = NextLook::Parked { why: "for people".to_owned() };
    store.end_look(&claimed[0].root, "looker", &parked, at(2100)).await.unwrap();
    assert_eq!(keep(store, &[delivery("two", Some("job_1"), false)], 2200).await, [true]);
    assert_eq!(due_ids(store, at(2200)).await, Vec::<String>::new(), "anybody could wake what waits for people");
    assert_eq!(keep(store, &[delivery("three", Some("job_1"), true)], 2300).await, [true]);
    assert_eq!(due_ids(store, at(2300)).await, ["run_1"], "the provider can");
}

pub(crate) async fn a_delivery_wakes_what_is_open_and_nothing_else(store: &dyn Store) {
    open_run(store, job("job_1", "run_1", "replicate")).await;
    let settled = [run("run_2", "a", "a", 10)];
    take(store, &settled.into_iter().chain(job("job_2", "run_2", "replicate")).collect::<Vec<_>>(), at(1600)).await;
    assert_eq!(keep(store, &[delivery("two", Some("job_2"), true)], 2000).await, [true]);
    assert_eq!(due_ids(store, at(2000)).await, Vec::<String>::new(), "nothing of it is open");
    // A delivery while somebody looks: what was seen is old, and is looked at again.
    let lease = jiff::SignedDuration::from_secs(600);
    assert_eq!(keep(store, &[delivery("one", Some("job_1"), true)], 2000).await, [true]);
    let claimed = store.claim_due("looker", 10, lease, at(2000)).await.unwrap();
    assert_eq!(claimed.len(), 1);
    let batch = [delivery("three", Some("job_1"), true)];
    assert_eq!(keep(store, &batch, 2010).await, [true]);
    let later = NextLook::At { at: at(90_000) };
    store.end_look(&claimed[0].root, "looker", &later, at(2020)).await.unwrap();
    assert_eq!(due_ids(store, at(2020)).await, ["run_1"]);
    put_off(store, at(90_000)).await;
    // The same again is no news.
    let claimed = store.claim_due("looker", 10, lease, at(2100)).await.unwrap();
    for due in claimed {
        store.end_look(&due.root, "looker", &later, at(2100)).await.unwrap();
    }
    assert_eq!(keep(store, &batch, 2200).await, [false]);
    assert_eq!(due_ids(store, at(2200)).await, Vec::<String>::new());
}
