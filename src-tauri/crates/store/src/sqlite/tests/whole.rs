//! A restoration that is done whole leaves what one leaves that is done step by step.

use makegood_domain::diagnose::{ChargeRestoration, RestoredItem, RestoredLine, Verdict};
use makegood_domain::money::BalanceKind;
use makegood_domain::plan::Effect;
use makegood_domain::ports::{
    Applied, CaseStore, Detection, DetectionKind, FactStore, Receipt, ReconcileStore, StepReceipt,
};
use sqlx::{AssertSqlSafe, SqlSafeStr};

use super::world::{assert_whole, at, base, charge, finding, lease, level, new_case, number, restore, run, world};
use crate::sqlite::SqliteStore;
use crate::sqlite::sweeps::step_by_step;
use crate::sqlite::whole::{self, Sweep};

/// Past the 24 hours of all charges.
const LATE: i64 = 100_000;

/// Six runs: one of three items from two balances, one of which a failure was noticed, one that a case is about,
/// one with two charges, one like most, one that is dated before its balance was counted.
async fn product() -> SqliteStore {
    let mut facts: Vec<_> = (1..=6).map(|n| run(&format!("run_{n}"), "a", "a", 10 + n)).collect();
    facts.push(charge("chg_1", "run_1", "a", 20, &[34, 33, 33], &[("bal_q", 70), ("bal_w", 30)]));
    for n in 2..=6 {
        facts.push(charge(&format!("chg_{n}"), &format!("run_{n}"), "a", 20 + n, &[10], &[("bal_q", 10)]));
    }
    facts.push(charge("chg_4b", "run_4", "a", 30, &[10], &[("bal_q", 10)]));
    let store = world(facts).await;
    for n in [2, 6] {
        let noticed = Detection {
            kind: DetectionKind::Orphan,
            subject: format!("chg_{n}"),
            item: 1,
            run_id: format!("run_{n}").as_str().into(),
            charge_id: Some(format!("chg_{n}").as_str().into()),
            output_id: None,
            cause: "provider_filtered".into(),
            detail: "the provider withheld it".into(),
            detected_at: at(1600),
            closed_at: None,
        };
        assert!(store.detect(&noticed).await.unwrap());
    }
    let (case, _) = store.open_case(&new_case("case_1")).await.unwrap();
    store.save_finding(&case.id, case.revision, &finding("run_3", Verdict::ProviderFailed, None)).await.unwrap();
    store
}

fn sweep(n: u32, effect: Effect, seconds: i64) -> Sweep {
    Sweep { key: format!("rec-{n}").as_str().into(), part: 0, effect, at: at(seconds) }
}

/// Two items of three, from both balances to one of them and to the other.
fn in_parts() -> Effect {
    let line = |source: &str, target: &str, target_kind, amount| RestoredLine {
        source: source.into(),
        target: target.into(),
        target_kind,
        amount,
    };
    Effect::Restore {
        refund_id: "rfd_1".into(),
        restoration: ChargeRestoration {
            charge_id: "chg_1".into(),
            run_id: "run_1".into(),
            account_id: "acc_a".into(),
            items: vec![RestoredItem { item: 3, credits: 33 }, RestoredItem { item: 2, credits: 20 }],
            lines: vec![
                line("bal_q", "bal_q", BalanceKind::SubscriptionQuota, 40),
                line("bal_w", "bal_q", BalanceKind::SubscriptionQuota, 0),
                line("bal_w", "bal_w", BalanceKind::Wallet, 13),
            ],
        },
        cause: "provider_failed".into(),
    }
}

fn sweeps() -> Vec<Sweep> {
    let whole = |n: u32| restore(&format!("rfd_{n}"), &format!("chg_{n}"), &format!("run_{n}"), 10);
    vec![
        sweep(5, whole(5), LATE),
        sweep(1, in_parts(), LATE),
        sweep(3, whole(3), LATE + 1),
        sweep(6, whole(6), -5),
        sweep(4, whole(4), LATE),
        sweep(2, whole(2), 2_000),
    ]
}

/// Every row of every table but the record's own name, which no other has.
async fn rows(store: &SqliteStore) -> Vec<(String, Vec<String>)> {
    const TABLES: &str = "SELECT s.name,
            (SELECT group_concat('quote(\"' || name || '\")', ' || '' '' || ') FROM pragma_table_info(s.name))
        FROM sqlite_schema s WHERE s.type = 'table' AND s.name NOT LIKE 'case_search%'
            AND s.name <> 'this_record' ORDER BY s.name";
    let tables: Vec<(String, String)> = sqlx::query_as(TABLES).fetch_all(&store.writer).await.unwrap();
    let mut all = Vec::new();
    for (table, columns) in tables {
        let sql = format!("SELECT {columns} FROM {table} ORDER BY 1");
        let rows = sqlx::query_scalar(AssertSqlSafe(sql).into_sql_str()).fetch_all(&store.writer).await.unwrap();
        all.push((table, rows));
    }
    all
}

async fn done_whole(store: &SqliteStore, sweeps: &[Sweep]) -> Option<Vec<StepReceipt>> {
    let mut tx = store.begin().await.unwrap();
    let receipts = whole::settle(&mut tx, &sweeps.iter().collect::<Vec<_>>()).await.unwrap();
    tx.commit().await.unwrap();
    receipts
}

async fn done_by_steps(store: &SqliteStore, sweeps: &[Sweep]) -> Vec<StepReceipt> {
    let mut tx = store.begin().await.unwrap();
    let mut receipts = Vec::new();
    for sweep in sweeps {
        match step_by_step(&mut tx, sweep.clone()).await.answer.unwrap() {
            Applied::Done(receipt) => receipts.push(receipt),
            Applied::Refused(why) => panic!("{}: {why}", sweep.key),
        }
    }
    tx.commit().await.unwrap();
    receipts
}

#[tokio::test]
async fn a_group_leaves_the_rows_of_its_steps() {
    let (one, other) = (product().await, product().await);
    let (whole, by_steps) = (done_whole(&one, &sweeps()).await, done_by_steps(&other, &sweeps()).await);
    assert_eq!(whole.as_ref(), Some(&by_steps));
    let (here, there) = (rows(&one).await, rows(&other).await);
    assert!(here.iter().any(|(table, rows)| table == "refund_lines" && rows.len() == 7), "all were written");
    assert_eq!(here, there);
    assert_whole(&one).await;
    assert!(one.verify_audit().await.unwrap().is_none());
    // The one that is dated before its balance was counted moved no level of it.
    assert_eq!(level(&one, "bal_q").await, 1000 - 70 - 60 + 40 + 40);
    let Receipt::Restored { balances, .. } = &by_steps[3].receipt else { panic!("{:?}", by_steps[3]) };
    assert_eq!(balances[0].before, balances[0].after);
}

#[tokio::test]
async fn where_one_is_not_as_most_are_nothing_is_written() {
    let whole = |n: u32| restore(&format!("rfd_{n}"), &format!("chg_{n}"), &format!("run_{n}"), 10);
    let to = |charge: &str, run: &str, credits| sweep(9, restore("rfd_9", charge, run, credits), LATE);
    let odd = [
        ("more than it cost", to("chg_4", "run_4", 11)),
        ("no such charge", to("chg_0", "run_4", 10)),
        ("of another run", to("chg_4", "run_5", 10)),
        ("young, and not noticed", sweep(9, whole(4), 2_000)),
        ("a key that was used", sweep(8, restore("rfd_9", "chg_4", "run_4", 10), LATE)),
        ("a refund that is there", sweep(9, restore("rfd_8", "chg_4", "run_4", 10), LATE)),
        ("no restoration", sweep(9, lease("run_4"), LATE)),
    ];
    for (what, odd) in odd {
        let store = product().await;
        done_by_steps(&store, &[sweep(8, restore("rfd_8", "chg_4b", "run_4", 10), LATE)]).await;
        let before = rows(&store).await;
        assert_eq!(
            done_whole(&store, &[sweep(5, whole(5), LATE), odd, sweep(3, whole(3), LATE)]).await,
            None,
            "{what}"
        );
        assert_eq!(rows(&store).await, before, "{what}");
    }
    let store = product().await;
    done_by_steps(&store, &[sweep(9, lease("run_5"), 2_000)]).await;
    assert_eq!(done_whole(&store, &[sweep(5, whole(5), LATE)]).await, None, "its lease has to be ended first");
    assert_eq!(done_by_steps(&store, &[sweep(5, whole(5), LATE)]).await.len(), 1);
}

#[tokio::test]
async fn one_that_is_refused_takes_nobody_with_it() {
    let store = product().await;
    let mut all = sweeps();
    all.push(sweep(7, restore("rfd_7", "chg_5", "run_5", 10), LATE));
    all.push(sweep(10, restore("rfd_10", "chg_4b", "run_4", 11), LATE));
    let told = futures_util::future::join_all(all.iter().map(|sweep| {
        let store = &store;
        async move { store.settle(&sweep.key, sweep.part, &sweep.effect, sweep.at).await.unwrap() }
    }));
    let told = told.await;
    let is_done: Vec<bool> = told.iter().map(|told| matches!(told, Applied::Done(_))).collect();
    assert_eq!(is_done[1..6], [true; 5], "{told:?}");
    assert!(is_done[0] != is_done[6], "one of two for the same charge: {told:?}");
    assert!(!is_done[7], "more than it cost: {told:?}");
    assert_eq!(number(&store, "SELECT count(*) FROM refunds").await, 6);
    assert_whole(&store).await;
    let again = store.settle(&all[1].key, 0, &all[1].effect, at(LATE + 9)).await.unwrap();
    assert_eq!(again, told[1], "the same key is the same receipt");
}

#[tokio::test]
async fn a_group_ends_where_the_hour_is_full() {
    let store = product().await;
    sqlx::query("UPDATE reconciler_limits SET restorations_per_hour = 2").execute(&store.writer).await.unwrap();
    let same_hour: Vec<Sweep> = sweeps().into_iter().filter(|sweep| sweep.at >= at(LATE)).collect();
    assert_eq!(same_hour.len(), 4);
    assert_eq!(done_whole(&store, &same_hour).await, None);
    let told = futures_util::future::join_all(
        same_hour.iter().map(|sweep| store.settle(&sweep.key, sweep.part, &sweep.effect, sweep.at)),
    );
    let done = told.await.into_iter().filter(|told| matches!(told, Ok(Applied::Done(_)))).count();
    assert_eq!(done, 2);
    assert_eq!(number(&store, "SELECT sum(restorations) FROM reconciler_hours").await, 2);
}

#[tokio::test]
async fn what_another_program_wrote_after_the_question_refuses_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("makegood.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let mut facts = base();
    facts.extend([run("run_1", "a", "a", 10), charge("chg_1", "run_1", "a", 20, &[10], &[("bal_q", 10)])]);
    assert_eq!(store.import(&facts, at(1_000)).await.unwrap().rejected, vec![]);
    let other = SqliteStore::open(&path).await.unwrap();
    let sweep = sweep(1, restore("rfd_1", "chg_1", "run_1", 10), LATE);
    let mut connection = store.writer.acquire().await.unwrap();
    let prepared = whole::prepared(&mut connection, &[&sweep]).await.unwrap().unwrap();
    // A charge of the same balance: what the receipt was to say is no longer so.
    let meanwhile = [run("run_2", "a", "a", 30), charge("chg_2", "run_2", "a", 40, &[7], &[("bal_q", 7)])];
    assert_eq!(other.import(&meanwhile, at(2_000)).await.unwrap().rejected, vec![]);
    assert_eq!(whole::written(&mut connection, prepared).await.unwrap(), None);
    drop(connection);
    assert_eq!(number(&store, "SELECT count(*) FROM refunds").await, 0);
    let Applied::Done(StepReceipt { receipt: Receipt::Restored { balances, .. }, .. }) =
        store.settle(&sweep.key, 0, &sweep.effect, sweep.at).await.unwrap()
    else {
        panic!("nobody is in its way any more")
    };
    assert_eq!((balances[0].before, balances[0].after), (983, 993));
    assert_whole(&other).await;
}

#[tokio::test]
async fn a_group_of_any_size_is_one_statement() {
    for size in [1, 3, 4, 5] {
        let mut facts = base();
        for n in 0..size {
            let id = format!("run_{n}");
            facts.push(run(&id, "a", "a", 10));
            facts.push(charge(&format!("chg_{n}"), &id, "a", 20, &[10], &[("bal_q", 10)]));
        }
        let store = SqliteStore::open_in_memory().await.unwrap();
        assert_eq!(store.import(&facts, at(1_000)).await.unwrap().rejected, vec![]);
        let effect = |n: u32| restore(&format!("rfd_{n}"), &format!("chg_{n}"), &format!("run_{n}"), 10);
        let sweeps: Vec<Sweep> = (0..size).map(|n| sweep(n, effect(n), LATE)).collect();
        let mut connection = store.writer.acquire().await.unwrap();
        let receipts = whole::commit(&mut connection, &sweeps.iter().collect::<Vec<_>>()).await.unwrap();
        drop(connection);
        assert_eq!(receipts.map(|receipts| receipts.len()), usize::try_from(size).ok());
        assert_eq!(number(&store, "SELECT count(*) FROM refunds").await, i64::from(size));
        assert_whole(&store).await;
    }
}
