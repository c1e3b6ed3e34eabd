//! Facts that are taken by sets leave the rows that facts taken one by one leave, whatever their order and
//! whatever is wrong among them.

use makegood_domain::events::{Event, Origin};
use makegood_domain::feed::Fact;
use makegood_domain::ports::Told;
use proptest::prelude::{Just, Strategy as _};
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use super::world::{at, base, charge, fact, output, refund, run, run_row};
use super::{Seen, assert_whole};

/// Facts of every kind, some of which contradict others or refer to nothing.
fn feed() -> Vec<Told> {
    let mut retry = run_row("run_3", "a", "a", 30);
    retry["retry_of"] = json!("run_1");
    retry["retry_initiator"] = json!("system");
    let mut again = run_row("run_1", "a", "a", 10);
    again["status"] = json!("refunded");
    let job = |id: &str, run: &str| {
        fact(
            "job",
            json!({ "id": id, "run_id": run, "provider_id": "meridian", "submitted_at": at(12),
            "state": "succeeded", "processing_started_at": at(13), "finished_at": at(50), "error": null,
            "items": [{ "item": 1, "state": "succeeded", "finished_at": at(50), "file":
                { "bytes": 10, "sha256_prefix": "ab", "available_until": null, "exists_now": true } }] }),
        )
    };
    let webhook = fact(
        "webhook",
        json!({ "id": "whk_1", "job_id": "job_1", "run_id": "run_1", "received_at": at(55),
        "attempts": 2, "result": "accepted", "routed_to": null }),
    );
    let upload = fact("upload", json!({ "run_id": "run_2", "item": 1, "attempted_at": at(57), "result": "timeout" }));
    let happened = vec![
        run("run_1", "a", "a", 10),
        run("run_2", "s", "b", 20),
        fact("run", retry),
        run("run_4", "b", "b", 40),
        charge("chg_1", "run_1", "a", 11, &[34, 33, 33], &[("bal_q", 70), ("bal_w", 30)]),
        charge("chg_2", "run_2", "s", 21, &[50], &[("bal_p", 50)]),
        charge("chg_3", "run_3", "a", 31, &[20], &[("bal_w", 20)]),
        charge("chg_4", "run_4", "b", -50, &[7], &[("bal_b", 7)]),
        charge("chg_5", "run_4", "b", 41, &[5], &[("bal_b", 4)]),
        charge("chg_6", "run_9", "b", 41, &[5], &[("bal_b", 5)]),
        charge("chg_7", "run_4", "b", 42, &[9_000], &[("bal_b", 9_000)]),
        job("job_1", "run_1"),
        job("job_2", "run_2"),
        webhook,
        upload,
        output("out_1", "run_1", "a", "stored"),
        output("out_2", "run_2", "s", "stored"),
        output("out_4", "run_4", "a", "stored"),
        output("out_5", "run_2", "s", "corrupt"),
        refund("rfd_1", "chg_1", "run_1", "posted", &[2], &[("bal_q", 33)]),
        fact("run", again),
        fact(
            "ticket",
            json!({ "id": "tck_1", "created_at": at(70), "status": "open", "run_ids": ["run_1"],
            "outcome": null, "requester_user_id": "usr_a" }),
        ),
    ];
    let told = |(number, fact): (usize, Fact)| {
        let origin = Some(Origin { source: "/platform".into(), id: format!("e{number}") });
        Told::new(Event { origin, time: None, ..Event::from(fact) }, format!("feed:{number}"))
    };
    base().into_iter().chain(happened).enumerate().map(told).collect()
}

/// All rows that facts leave. Numbers that only tell the order of writing, and the audit, which has a line a
/// batch, are left out.
const ROWS: [&str; 19] = [
    "SELECT id || ' ' || root_id || ' ' || status || ' ' || coalesce(retry_of, '-') || ' ' || started_at FROM runs",
    "SELECT id || ' ' || run_id || ' ' || total || ' ' || posted_at || ' ' || idempotency_key FROM charges",
    "SELECT charge_id || ' ' || item || ' ' || price || ' ' || refunded || ' ' || state || ' ' || seq || ' ' || epoch FROM charge_items",
    "SELECT charge_id || ' ' || line || ' ' || balance_id || ' ' || amount || ' ' || restored FROM charge_sources",
    "SELECT charge_id || ' ' || item || ' ' || seq || ' ' || state || ' ' || origin || ' ' || coalesce(document, '-') || ' ' || at FROM item_transitions",
    "SELECT charge_id || ' ' || item || ' ' || outcome || ' ' || document FROM item_settlements",
    "SELECT kind || ' ' || document || ' ' || line || ' ' || at || ' ' || from_balance || ' ' || to_balance || ' ' || amount FROM postings",
    "SELECT id || ' ' || run_id || ' ' || state || ' ' || coalesce(looked_up_at, -1) || ' ' || submitted_at FROM jobs",
    "SELECT job_id || ' ' || item || ' ' || state || ' ' || file_bytes || ' ' || file_sha256_prefix || ' ' || file_exists_now FROM job_items",
    "SELECT id || ' ' || job_id || ' ' || run_id || ' ' || received_at || ' ' || attempts || ' ' || result FROM webhooks",
    "SELECT run_id || ' ' || item || ' ' || attempted_at || ' ' || result FROM uploads",
    "SELECT id || ' ' || run_id || ' ' || item || ' ' || project_id || ' ' || bytes || ' ' || state || ' ' || in_history || on_canvas || ' ' || origin FROM outputs",
    "SELECT output_id || ' ' || seq || ' ' || project_id || ' ' || at || ' ' || by FROM placements",
    "SELECT root_id || ' ' || coalesce(charged_at, -1) || ' ' || next_at FROM due_runs",
    "SELECT id || ' ' || refund_id FROM (SELECT charge_id || '/' || item AS id, refund_id FROM refund_items) AS x",
    "SELECT kind || ' ' || subject FROM discrepancies WHERE closed_at IS NULL",
    "SELECT source || ' ' || id FROM events_taken",
    "SELECT kind || ' ' || id FROM fact_digests",
    "SELECT kind || ' ' || row_id || ' ' || coalesce(lacks_kind, '-') || ' ' || reason FROM dead_letters WHERE state = 'waiting'",
];

async fn rows<S: Seen>(store: &S) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for sql in ROWS {
        let mut rows = store.texts(sql).await;
        rows.sort();
        all.push(rows);
    }
    all
}

/// Row for row, of the same batch.
pub(crate) async fn sets_leave_what_single_facts_leave<S: Seen>() {
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    // The base first, in its order: the rest in any order.
    let shuffled = Just((15..feed().len()).collect::<Vec<_>>()).prop_shuffle();
    for _ in 0..6 {
        let order = shuffled.new_tree(&mut runner).expect("an order");
        let order = proptest::strategy::ValueTree::current(&order);
        let feed = feed();
        let all: Vec<Told> = feed[..15].iter().chain(order.iter().map(|place| &feed[*place])).cloned().collect();
        let together = S::empty().await;
        let report = together.take(&all, at(1000)).await.unwrap();
        // Of what a batch tells twice nothing is taken by sets; the second telling of each changes nothing.
        let single = S::empty().await;
        let doubled: Vec<Told> = all.iter().flat_map(|one| [one.clone(), one.clone()]).collect();
        single.take(&doubled, at(1000)).await.unwrap();
        assert_eq!(
            report.added + report.updated + report.unchanged + 3,
            u64::try_from(all.len()).unwrap(),
            "{report:?}"
        );
        assert_eq!(rows(&together).await, rows(&single).await, "{order:?}");
        assert_whole(&together).await;
    }
}
