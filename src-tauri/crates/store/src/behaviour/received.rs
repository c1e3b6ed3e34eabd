//! Deliveries of providers: kept once and as they came, led to runs by our own jobs, and never more than a
//! reason to look.

use jiff::Timestamp;
use makegood_domain::feed::Fact;
use makegood_domain::ports::{NewDelivery, NextLook, Pruned, Store};
use makegood_domain::work::Webhook;
use serde_json::json;

use super::world::{at, charge, fact, finding, new_case, run};
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

/// Letting go at this second, 500 at a time.
async fn prune(store: &dyn Store, seconds: i64) -> Pruned {
    store.prune(500, at(seconds)).await.unwrap()
}

pub(crate) async fn what_is_old_is_let_go_of_and_evidence_is_not(store: &dyn Store) {
    const DAY: i64 = 86_400;
    open_run(store, job("job_1", "run_1", "replicate")).await;
    let late = NewDelivery { received_at: at(2_000 + DAY), ..delivery("late", None, true) };
    let all = [delivery("evidence", Some("job_1"), true), delivery("other", None, true), late];
    assert_eq!(keep(store, &all, 2_000 + DAY).await, [true; 3]);
    let (case, _) = store.open_case(&new_case("case_1")).await.unwrap();
    let about = finding("run_1", makegood_domain::diagnose::Verdict::ProviderFailed, None);
    store.save_finding(&case.id, case.revision, &about).await.unwrap();
    let bodies = async || {
        let mut there = Vec::new();
        for id in ["evidence", "other", "late"] {
            there.push(store.delivery_body(&"replicate".into(), id).await.unwrap().is_some());
        }
        there
    };
    assert_eq!(prune(store, 2_000 + 30 * DAY - 1).await, Pruned::default(), "a month is a month");
    assert_eq!(bodies().await, [true; 3]);
    assert_eq!(prune(store, 2_000 + 30 * DAY).await, Pruned { bodies: 1, ..Pruned::default() });
    assert_eq!(bodies().await, [true, false, true]);
    assert_eq!(prune(store, 2_000 + 30 * DAY).await, Pruned::default(), "once");
    let kept: Vec<_> =
        store.deliveries(10).await.unwrap().into_iter().map(|line| (line.delivery_id, line.bytes)).collect();
    let bytes = |id: &str| u64::try_from(delivery(id, None, true).body.len()).unwrap();
    assert_eq!(kept.len(), 3);
    assert!(kept.contains(&("other".to_owned(), bytes("other"))), "its length is still known: {kept:?}");
    assert_eq!(keep(store, &all[1..2], 2_000 + 31 * DAY).await, [false], "and so is its name");
    let gone = prune(store, 2_000 + 91 * DAY).await;
    assert_eq!((gone.bodies, gone.deliveries, gone.more), (1, 2, false));
    let left: Vec<_> = store.deliveries(10).await.unwrap().into_iter().map(|line| line.delivery_id).collect();
    assert_eq!((left, bodies().await), (vec!["evidence".to_owned()], vec![true, false, false]));
    let audit = store.audit(Some("deliveries"), 10).await.unwrap();
    assert_eq!(audit.iter().filter(|line| line.act == "prune").count(), 2, "{audit:?}");
}

pub(crate) async fn what_is_old_goes_a_little_at_a_time(store: &dyn Store) {
    const LATER: i64 = 200 * 86_400;
    let old: Vec<NewDelivery> = (0..10)
        .map(|n| NewDelivery { received_at: at(2_000 + n / 2), ..delivery(&format!("d{n}"), None, false) })
        .collect();
    keep(store, &old, 3_000).await;
    let told = |n: i64| {
        let origin = Some(makegood_domain::events::Origin { source: "/platform".into(), id: format!("e{n}") });
        let event = makegood_domain::events::Event {
            origin,
            ..makegood_domain::events::Event::from(run(&format!("run_{n}"), "a", "a", 10))
        };
        makegood_domain::ports::Told::new(event, "")
    };
    for n in 0..5 {
        store.take(&[told(n)], at(4_000 + n)).await.unwrap();
    }
    // Two came in each instant: no instant is half gone through.
    let mut sum = Pruned { more: true, ..Pruned::default() };
    let mut calls = 0;
    while sum.more {
        let gone = store.prune(3, at(LATER)).await.unwrap();
        assert!(gone.bodies <= 4 && gone.deliveries <= 4 && gone.events <= 4, "{gone:?}");
        sum = Pruned {
            bodies: sum.bodies + gone.bodies,
            deliveries: sum.deliveries + gone.deliveries,
            events: sum.events + gone.events,
            more: gone.more,
        };
        calls += 1;
        assert!(calls < 10, "it ends: {gone:?}");
    }
    assert_eq!((sum.deliveries, sum.events), (10, 5), "{sum:?}");
    assert_eq!(store.deliveries(10).await.unwrap(), []);
    // Forgotten: the row is known all the same, and an old telling of it is no news.
    let again = store.take(&[told(0)], at(LATER)).await.unwrap();
    assert_eq!(again.outcomes, [Some(makegood_domain::ports::Taken::Unchanged)]);
    assert_eq!(keep(store, &old[..1], LATER).await, [true]);
}

pub(crate) async fn a_change_of_a_connection_is_written_down(store: &dyn Store) {
    use makegood_domain::ports::ConnectionChange;
    for (change, outcome) in [(ConnectionChange::KeySet, "kept"), (ConnectionChange::KeyTested, "accepted")] {
        store.note_connection(&"ana".into(), &"replicate".into(), change, outcome, at(2_000)).await.unwrap();
    }
    let lines = store.audit(Some("replicate"), 10).await.unwrap();
    let told: Vec<_> = lines.iter().map(|line| (line.actor.as_str(), line.act.as_str())).collect();
    assert_eq!(told, [("ana", "key_tested"), ("ana", "key_set")]);
    assert!(lines[0].detail.contains("accepted"), "{lines:?}");
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
