//! Restorations that go together do what each would have done alone, to the row.

use makegood_domain::diagnose::{ChargeRestoration, RestoredItem, RestoredLine};
use makegood_domain::feed::Fact;
use makegood_domain::money::{BalanceKind, Credits};
use makegood_domain::plan::Effect;
use makegood_domain::ports::{Applied, FactStore, ReconcileStore};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::world::{
    assert_whole, at, base, begin, charge, done, fact, lease, level, new_case, number, output, refund, restore, run,
    run_row, store_with, world,
};
use crate::behaviour::sweeps::orphan;
use crate::postgres::PgStore;

/// Charges as they come: of one wallet several times, of two balances, of two items, of a workspace, of a
/// retry, of a run that is somebody's complaint, partly refunded by the platform, young and noticed.
fn facts() -> Vec<Fact> {
    let mut retry = run_row("r5b", "a", "a", 12);
    retry["retry_of"] = "r5".into();
    retry["retry_initiator"] = "system".into();
    vec![
        run("r1", "a", "a", 10),
        charge("chg_1", "r1", "a", 20, &[10], &[("bal_q", 10)]),
        run("r2", "a", "a", 10),
        charge("chg_2", "r2", "a", 20, &[30], &[("bal_q", 20), ("bal_w", 10)]),
        run("r3", "a", "a", 10),
        charge("chg_3", "r3", "a", 20, &[7, 5], &[("bal_q", 12)]),
        run("r4", "s", "b", 10),
        charge("chg_4", "r4", "s", 20, &[40], &[("bal_p", 40)]),
        run("r5", "a", "a", 10),
        fact("run", retry),
        charge("chg_5", "r5", "a", 20, &[9], &[("bal_w", 9)]),
        run("r6", "b", "b", 10),
        charge("chg_6", "r6", "b", 20, &[8], &[("bal_b", 8)]),
        refund("rfd_said", "chg_6", "r6", "posted", &[1], &[("bal_b", 3)]),
        run("r7", "b", "b", 10),
        charge("chg_7", "r7", "b", 20, &[4, 6], &[("bal_b", 10)]),
    ]
}

fn wanted(
    number: u32,
    run: &str,
    account: &str,
    items: &[(u32, Credits)],
    lines: &[(&str, Credits)],
) -> (String, Effect) {
    let kind = |id: &str| match id {
        "bal_q" => BalanceKind::SubscriptionQuota,
        "bal_p" => BalanceKind::WorkspacePool,
        _ => BalanceKind::Wallet,
    };
    let restoration = ChargeRestoration {
        charge_id: format!("chg_{number}").as_str().into(),
        run_id: run.into(),
        account_id: account.into(),
        items: items.iter().map(|(item, credits)| RestoredItem { item: *item, credits: *credits }).collect(),
        lines: lines
            .iter()
            .map(|(id, amount)| RestoredLine {
                source: (*id).into(),
                target: (*id).into(),
                target_kind: kind(id),
                amount: *amount,
            })
            .collect(),
    };
    let effect = Effect::Restore {
        refund_id: format!("rfd_{number}").as_str().into(),
        restoration,
        cause: "provider_failed".into(),
    };
    (format!("rec-{number}"), effect)
}

fn sweeps() -> Vec<(String, Effect)> {
    vec![
        wanted(1, "r1", "acc_a", &[(1, 10)], &[("bal_q", 10)]),
        wanted(2, "r2", "acc_a", &[(1, 30)], &[("bal_q", 20), ("bal_w", 10)]),
        wanted(3, "r3", "acc_a", &[(1, 7), (2, 5)], &[("bal_q", 12)]),
        wanted(4, "r4", "acc_s", &[(1, 40)], &[("bal_p", 40)]),
        wanted(5, "r5b", "acc_a", &[(1, 9)], &[("bal_w", 9)]),
        wanted(6, "r6", "acc_b", &[(1, 5)], &[("bal_b", 5)]),
        // Its second item stays open.
        wanted(7, "r7", "acc_b", &[(1, 4)], &[("bal_b", 4), ("bal_b", 0)]),
    ]
}

/// A record with these charges, a complaint about one run, and detections; the reconciler's hour is begun.
async fn stage() -> PgStore {
    use makegood_domain::diagnose::Verdict;
    use makegood_domain::ports::CaseStore;

    let store = store_with(
        &[base(), facts(), vec![run("r0", "a", "a", 10), charge("chg_0", "r0", "a", 20, &[1], &[("bal_q", 1)])]]
            .concat(),
    )
    .await;
    let (case, _) = store.open_case(&new_case("case_1")).await.unwrap();
    let finding = super::world::finding("r2", Verdict::ProviderFailed, None);
    store.save_finding(&case.id, case.revision, &finding).await.unwrap();
    // A day and an hour on, charges may be restored of which nothing was noticed.
    for n in [1, 3] {
        let mut seen = orphan(&n.to_string());
        seen.run_id = format!("r{n}").as_str().into();
        store.detect(&seen).await.unwrap();
    }
    let first = wanted(0, "r0", "acc_a", &[(1, 1)], &[("bal_q", 1)]);
    assert!(matches!(settle(&store, &first).await, Applied::Done(_)));
    store
}

const NOW: i64 = 90_000;

async fn settle(store: &PgStore, (key, effect): &(String, Effect)) -> Applied {
    store.settle(&key.as_str().into(), 0, effect, at(NOW)).await.unwrap()
}

/// What `api.settle_many` answers, or its words and code.
async fn together(store: &PgStore, sweeps: &[(String, Effect)]) -> Result<Vec<Value>, (String, String)> {
    let said: Vec<Value> =
        sweeps.iter().map(|(key, effect)| json!({ "key": key, "part": 0, "effect": effect })).collect();
    let query =
        sqlx::query_scalar("SELECT api.settle_many($1, $2)").bind(Value::Array(said)).bind(at(NOW).as_microsecond());
    let answer: Result<Vec<Value>, sqlx::Error> =
        query.fetch_one(&store.pool).await.map(|told: Value| told.as_array().cloned().unwrap_or_default());
    answer.map_err(|error| {
        let said = error.as_database_error().unwrap();
        (said.code().unwrap().into_owned(), said.message().to_owned())
    })
}

/// Every table of the record but for the numbers that a server gives, and the stripes.
async fn rows(store: &PgStore) -> Vec<(String, Value)> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT tablename::text FROM pg_tables WHERE schemaname = 'record'
            AND tablename NOT IN ('balance_stripes', 'reconciler_hours', 'audit_seals') ORDER BY 1",
    )
    .fetch_all(&store.pool)
    .await
    .unwrap();
    let mut all = Vec::new();
    let views = ["api.balances", "api.reconciler_hours"].map(str::to_owned);
    for table in tables.into_iter().map(|table| format!("record.{table}")).chain(views) {
        let sql = format!(
            "SELECT coalesce(jsonb_agg(row ORDER BY row::text), '[]') FROM (
                SELECT to_jsonb(t) - 'seq' - 'txid' - 'digest' - 'last_posting' - CASE '{table}' WHEN 'record.postings'
                    THEN 'id' ELSE '' END AS row FROM {table} t) AS x"
        );
        let rows: Value = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&store.pool).await.unwrap();
        all.push((table, rows));
    }
    all
}

#[tokio::test]
async fn many_at_once_are_the_same_as_one_by_one() {
    let (alone, many) = (stage().await, stage().await);
    assert_eq!(rows(&alone).await, rows(&many).await, "the same to begin with");
    let mut receipts = Vec::new();
    for sweep in sweeps() {
        let Applied::Done(receipt) = settle(&alone, &sweep).await else { panic!("{sweep:?} is refused") };
        receipts.push(serde_json::to_value(receipt.receipt).unwrap());
    }
    let told = together(&many, &sweeps()).await.unwrap();
    assert_eq!(told.iter().map(|told| told["receipt"].clone()).collect::<Vec<_>>(), receipts);
    for ((table, one), (_, other)) in rows(&alone).await.into_iter().zip(rows(&many).await) {
        assert_eq!(one, other, "{table}");
    }
    assert_whole(&many).await;
    let forged = "SELECT count(*) FROM record.audit
        WHERE digest <> record.audit_digest(seq, txid, at, actor, act, subject, detail)";
    assert_eq!(number(&many, forged).await, 0);
}

/// The order in which they were asked for is that of the answers.
#[tokio::test]
async fn each_is_told_its_own() {
    let store = stage().await;
    let mut backwards = sweeps();
    backwards.reverse();
    let told = together(&store, &backwards).await.unwrap();
    let ids: Vec<&str> = told.iter().filter_map(|told| told["receipt"]["refund_id"].as_str()).collect();
    assert_eq!(ids, ["rfd_7", "rfd_6", "rfd_5", "rfd_4", "rfd_3", "rfd_2", "rfd_1"]);
}

/// With one among them that is not as most are, none is done.
#[tokio::test]
async fn one_that_is_unlike_the_others_keeps_all_of_them_back() {
    let delivered = [
        run("r8", "a", "a", 10),
        charge("chg_8", "r8", "a", 20, &[5], &[("bal_q", 5)]),
        output("out_8", "r8", "a", "stored"),
    ];
    let leased = [run("r9", "a", "a", 10), charge("chg_9", "r9", "a", 20, &[5], &[("bal_q", 5)])];
    let young = [run("r10", "a", "a", 10), charge("chg_10", "r10", "a", NOW - 60, &[5], &[("bal_q", 5)])];
    let store = stage().await;
    store.import(&[delivered.as_slice(), &leased, &young].concat(), at(1500)).await.unwrap();
    let key = begin(&store, "k9", "ana", &[lease("r9")]).await;
    done(&store, &key, 0, &lease("r9")).await;
    let five = |number: u32| wanted(number, &format!("r{number}"), "acc_a", &[(1, 5)], &[("bal_q", 5)]);
    let mut of_another = five(8);
    of_another.0 = "rec-0".to_owned();
    let odd = [
        ("delivered", five(8)),
        ("leased", five(9)),
        ("young, and nothing noticed", five(10)),
        ("a key that was used", of_another),
        ("another account", wanted(6, "r6", "acc_a", &[(1, 5)], &[("bal_b", 5)])),
        ("another run", wanted(6, "r1", "acc_b", &[(1, 5)], &[("bal_b", 5)])),
        ("no such balance", wanted(6, "r6", "acc_b", &[(1, 5)], &[("bal_none", 5)])),
        ("a balance of somebody else", wanted(6, "r6", "acc_b", &[(1, 5)], &[("bal_q", 5)])),
        ("above the price", wanted(6, "r6", "acc_b", &[(1, 6)], &[("bal_b", 6)])),
        ("does not add up", wanted(6, "r6", "acc_b", &[(1, 5)], &[("bal_b", 4)])),
        ("below 0", wanted(6, "r6", "acc_b", &[(1, 5)], &[("bal_b", 6), ("bal_b", -1)])),
        ("an item twice", wanted(5, "r5b", "acc_a", &[(1, 4), (1, 5)], &[("bal_w", 9)])),
        ("no items", wanted(6, "r6", "acc_b", &[], &[("bal_b", 5)])),
        ("no lines", wanted(6, "r6", "acc_b", &[(1, 5)], &[])),
        ("no item", wanted(5, "r5b", "acc_a", &[(3, 4)], &[("bal_w", 4)])),
        ("a charge twice", wanted(1, "r1", "acc_a", &[(1, 10)], &[("bal_q", 10)])),
        ("not a restoration", ("rec-lease".to_owned(), lease("r6"))),
    ];
    let before = rows(&store).await;
    for (what, odd) in odd {
        let mut group = sweeps();
        // One of each account, so that no sum over one gives the odd one away.
        group.drain(3..6);
        group.push(odd);
        let (code, words) = together(&store, &group).await.expect_err(what);
        assert!(code == "MG005" || code.starts_with("23"), "{what}: {code} {words}");
        assert!(rows(&store).await == before, "{what}: something was done");
    }
    assert!(together(&store, &sweeps()).await.is_ok(), "and without it all are");
}

/// As callers see it: each has its own answer, whoever was beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_at_the_same_time_get_each_their_answer() {
    const CHARGES: i64 = 60;
    let mut facts = Vec::new();
    for n in 100..100 + CHARGES {
        let id = format!("r{n}");
        facts.extend([run(&id, "a", "a", 10), charge(&format!("chg_{n}"), &id, "a", 20, &[10], &[("bal_q", 10)])]);
        if n % 10 == 0 {
            facts.push(output(&format!("out_{n}"), &id, "a", "stored"));
        }
    }
    let store = world(facts).await;
    let mut callers = JoinSet::new();
    // Each is asked for three times: twice under one key, once under another.
    for n in 100..100 + CHARGES {
        for key in [format!("rec-{n}"), format!("rec-{n}"), format!("other-{n}")] {
            let store = store.clone();
            let effect = restore(&format!("rfd_{key}"), &format!("chg_{n}"), &format!("r{n}"), 10);
            callers.spawn(async move { (n, key.clone(), settle(&store, &(key, effect)).await) });
        }
    }
    let mut done = std::collections::BTreeMap::<i64, Vec<String>>::new();
    for (n, key, applied) in callers.join_all().await {
        match applied {
            Applied::Done(_) => done.entry(n).or_default().push(key),
            Applied::Refused(why) => assert!(why.contains("can't be restored"), "{n} {key}: {why}"),
        }
    }
    for (n, mut keys) in done {
        keys.dedup();
        assert!(n % 10 != 0 && keys.len() == 1, "{n}: {keys:?}");
    }
    assert_eq!(number(&store, "SELECT count(*) FROM api.refunds").await, 54);
    assert_eq!(level(&store, "bal_q").await, 1000 - 60);
    assert_whole(&store).await;
}

/// Counts the calls of a function, whatever becomes of them: numbers of a sequence are never given back.
const COUNTED: &str = "
    CREATE SEQUENCE record.together; CREATE SEQUENCE record.alone;
    ALTER FUNCTION api.settle_many(jsonb, bigint) RENAME TO real_settle_many;
    ALTER FUNCTION api.settle(text, bigint, jsonb, bigint) RENAME TO real_settle;
    CREATE FUNCTION api.settle_many(p_wanted jsonb, p_at bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM nextval('record.together');
        RETURN api.real_settle_many(p_wanted, p_at);
    END $$;
    CREATE FUNCTION api.settle(p_key text, p_part bigint, p_effect jsonb, p_at bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM nextval('record.alone');
        RETURN api.real_settle(p_key, p_part, p_effect, p_at);
    END $$";

/// A group that can't be done as one is tried once, and then each of it once by itself, not in ever smaller groups
/// and not again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_falls_back_sends_each_once() {
    const CHARGES: i64 = 40;
    let mut facts = Vec::new();
    for n in 100..100 + CHARGES {
        let id = format!("r{n}");
        facts.extend([run(&id, "a", "a", 10), charge(&format!("chg_{n}"), &id, "a", 20, &[10], &[("bal_q", 10)])]);
        // One of four is in the way of its group.
        if n % 4 == 0 {
            facts.push(output(&format!("out_{n}"), &id, "a", "stored"));
        }
    }
    let store = world(facts).await;
    sqlx::raw_sql(COUNTED).execute(&store.pool).await.unwrap();
    let mut callers = JoinSet::new();
    for n in 100..100 + CHARGES {
        let store = store.clone();
        let effect = restore(&format!("rfd_{n}"), &format!("chg_{n}"), &format!("r{n}"), 10);
        callers.spawn(async move { (n, settle(&store, &(format!("rec-{n}"), effect)).await) });
    }
    for (n, applied) in callers.join_all().await {
        assert_eq!(matches!(applied, Applied::Refused(_)), n % 4 == 0, "{n}: {applied:?}");
    }
    let together = number(&store, "SELECT last_value * is_called::int FROM record.together").await;
    let alone = number(&store, "SELECT last_value * is_called::int FROM record.alone").await;
    assert!(together > 0 && together <= CHARGES / 2, "{together} groups: each holds two at least");
    assert!(alone > 0 && alone <= CHARGES, "{alone} by themselves: each once at most");
    assert_eq!(level(&store, "bal_q").await, 1000 - 10 * CHARGES / 4);
    assert_whole(&store).await;
}
