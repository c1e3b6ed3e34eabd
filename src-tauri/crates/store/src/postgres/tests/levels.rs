//! Levels in stripes: what a workspace shares is moved by many at a time, and is never below 0.

use makegood_domain::feed::Fact;
use makegood_domain::money::BalanceKind;
use makegood_domain::plan::Effect;
use makegood_domain::ports::FactStore;
use tokio::task::JoinSet;

use super::world::{assert_whole, at, begin, charge, done, fact, level, number, restore, run, world};
use crate::postgres::PgStore;

/// Charges of Ben's workspace of 10 credits each, from its pool of 400.
fn pool_charges(count: usize) -> Vec<Fact> {
    (0..count)
        .flat_map(|n| {
            let id = format!("run_{n}");
            [run(&id, "s", "b", 10), charge(&format!("chg_{n}"), &id, "s", 20, &[10], &[("bal_p", 10)])]
        })
        .collect()
}

/// The restoration of such a charge.
fn to_pool(n: u32) -> Effect {
    let mut effect = restore(&format!("rfd_{n}"), &format!("chg_{n}"), &format!("run_{n}"), 10);
    if let Effect::Restore { restoration, .. } = &mut effect {
        restoration.account_id = "acc_s".into();
        for line in &mut restoration.lines {
            (line.source, line.target) = ("bal_p".into(), "bal_p".into());
            line.target_kind = BalanceKind::WorkspacePool;
        }
    }
    effect
}

#[tokio::test]
async fn what_is_shared_is_striped_and_what_is_not_is_one_row() {
    let store = world(vec![]).await;
    for (id, wanted) in [("bal_p", 16_i64), ("usage:acc_s", 16), ("bal_q", 1), ("usage:acc_a", 1), ("issuance", 1)] {
        let query = sqlx::query_scalar("SELECT count(*) FROM api.balance_stripes WHERE balance_id = $1").bind(id);
        let found: i64 = query.fetch_one(&store.pool).await.unwrap();
        assert_eq!(found, wanted, "{id}");
    }
}

#[tokio::test]
async fn a_debit_gathers_what_lies_in_several_stripes_and_not_more() {
    let store = world(vec![]).await;
    // As after many credits from many connections: 400 in 16 stripes of 25.
    sqlx::raw_sql("UPDATE record.balance_stripes SET level = 25 WHERE balance_id = 'bal_p'")
        .execute(&store.pool)
        .await
        .unwrap();
    let facts = [
        run("run_1", "s", "b", 10),
        charge("chg_1", "run_1", "s", 20, &[390], &[("bal_p", 390)]),
        charge("chg_2", "run_1", "s", 30, &[11], &[("bal_p", 11)]),
        charge("chg_3", "run_1", "s", 40, &[10], &[("bal_p", 10)]),
    ];
    let report = store.import(&facts, at(2000)).await.unwrap();
    assert_eq!((report.added, report.rejected.len()), (3, 1));
    assert_eq!(report.rejected[0].reason, "a balance would fall below 0");
    assert_eq!((level(&store, "bal_p").await, level(&store, "usage:acc_s").await), (0, 400));
    let below = "SELECT count(*) FROM api.balance_stripes WHERE balance_id = 'bal_p' AND level < 0";
    assert_eq!(number(&store, below).await, 0);
    assert_whole(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_bears_as_many_charges_at_a_time_as_it_has_credits_for() {
    const CHARGES: usize = 60;
    let store = world(vec![]).await;
    let mut imports = JoinSet::new();
    for pair in pool_charges(CHARGES).chunks(2) {
        let (store, pair) = (store.clone(), pair.to_vec());
        imports.spawn(async move { store.import(&pair, at(2000)).await.unwrap() });
    }
    let reports = imports.join_all().await;
    let refused: Vec<&str> =
        reports.iter().flat_map(|report| &report.rejected).map(|row| row.reason.as_str()).collect();
    assert_eq!(refused, vec!["a balance would fall below 0"; CHARGES - 40]);
    assert_eq!((level(&store, "bal_p").await, level(&store, "usage:acc_s").await), (0, 400));
    assert_whole(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restorations_into_one_pool_at_a_time_all_count() {
    const CHARGES: u32 = 24;
    let store = world(pool_charges(24)).await;
    let effects: Vec<Effect> = (0..CHARGES).map(to_pool).collect();
    let key = begin(&store, "k1", "ana", &effects).await;
    let mut restorations = JoinSet::new();
    for (step, effect) in (0..).zip(effects) {
        let (store, key) = (store.clone(), key.clone());
        restorations.spawn(async move { done(&store, &key, step, &effect).await });
    }
    assert_eq!(restorations.join_all().await.len(), 24);
    assert_eq!((level(&store, "bal_p").await, level(&store, "usage:acc_s").await), (400, 0));
    assert_whole(&store).await;
}

/// The same batch from several feeds at the same time is taken once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn feeds_that_say_the_same_at_the_same_time_say_it_once() {
    let store: PgStore = world(vec![]).await;
    let facts = pool_charges(8);
    let mut feeds = JoinSet::new();
    for _ in 0..4 {
        let (store, facts) = (store.clone(), facts.clone());
        feeds.spawn(async move { store.import(&facts, at(2000)).await.unwrap() });
    }
    let reports = feeds.join_all().await;
    let added: u64 = reports.iter().map(|report| report.added).sum();
    let rejected: usize = reports.iter().map(|report| report.rejected.len()).sum();
    assert_eq!((added, rejected), (16, 0), "{reports:?}");
    assert_eq!(level(&store, "bal_p").await, 320);
    assert_whole(&store).await;
}

#[tokio::test]
async fn a_fact_of_no_kind_or_without_its_fields_is_kept_with_the_reason() {
    let store = world(vec![]).await;
    let feed = |batch: &'static str| {
        let store = store.clone();
        async move {
            let query = sqlx::query_scalar("SELECT api.feed($1::jsonb, 0)").bind(batch);
            let report: serde_json::Value = query.fetch_one(&store.pool).await.unwrap();
            report["rejected"][0]["reason"].as_str().unwrap_or_default().to_owned()
        }
    };
    let table = [
        (r#"[{"type": "gift", "data": {"id": "x"}}]"#, "gift is no kind of fact"),
        (r#"[{"data": {"id": "x"}}]"#, "a fact needs a type"),
        (r#"[{"type": "user", "data": {"id": "x"}}]"#, "a value is missing: email"),
        (r#"[{"type": "user", "data": {"email": "x"}}]"#, "a fact needs an id"),
        (
            r#"[{"type": "node", "data": {"id": "x", "project_id": "prj_a", "label": "x", "status": "active",
                "deleted_at": "soon"}}]"#,
            "a value can't be read: soon",
        ),
    ];
    for (batch, words) in table {
        let reason = feed(batch).await;
        assert!(reason.starts_with(words), "{words}: {reason}");
    }
    let known =
        fact("user", serde_json::json!({ "id": "usr_a", "email": "a@x.example", "timezone": null, "locale": null }));
    assert_eq!(store.import(&[known], at(2000)).await.unwrap().updated, 1);
}
