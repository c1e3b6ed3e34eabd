//! What the owner of the tables writes past all functions, and no key can refuse, is found.

use sqlx::{AssertSqlSafe, SqlSafeStr};

use super::world::{assert_whole, charge, output, refund, run, world};
use crate::postgres::PgStore;

/// Runs: `open` charged, `done` delivered, `back` refunded.
async fn target() -> PgStore {
    let store = world(vec![
        run("run_open", "a", "a", 10),
        run("run_done", "a", "a", 11),
        run("run_back", "a", "a", 12),
        charge("chg_open", "run_open", "a", 20, &[50, 50], &[("bal_q", 80), ("bal_w", 20)]),
        charge("chg_done", "run_done", "a", 21, &[30], &[("bal_q", 30)]),
        charge("chg_back", "run_back", "a", 22, &[40], &[("bal_q", 40)]),
        output("out_done", "run_done", "a", "stored"),
        refund("rfd_back", "chg_back", "run_back", "posted", &[1], &[("bal_q", 40)]),
    ])
    .await;
    assert_whole(&store).await;
    store
}

/// What is done, what `ledger_breaks` says it is, and the statement.
const FOUND: &[(&str, &str, &str)] = &[
    ("raise a level", "level", "UPDATE balance_stripes SET level = level + 100 WHERE balance_id = 'bal_q'"),
    ("raise one level and no other", "sum", "UPDATE balance_stripes SET level = 0 WHERE balance_id = 'usage:acc_a'"),
    ("add a stripe", "stripes", "INSERT INTO balance_stripes VALUES ('bal_q', 1, 0, 1)"),
    (
        "a posting of a refund twice, to nowhere",
        "posting",
        "INSERT INTO postings (kind, document, line, at, from_balance, to_balance, amount, refund_id)
        VALUES ('reversal', 'rfd_back', 0, 0, 'nowhere', 'usage:acc_a', 40, 'rfd_back')",
    ),
    ("lower what is refunded", "refunded", "UPDATE charge_items SET refunded = 0 WHERE charge_id = 'chg_back'"),
    ("lower what is restored", "restored", "UPDATE charge_sources SET restored = 0 WHERE charge_id = 'chg_back'"),
    ("set a state by hand", "state", "UPDATE charge_items SET state = 'charged' WHERE charge_id = 'chg_back'"),
    (
        "a transition by hand",
        "state",
        "INSERT INTO item_transitions (charge_id, item, seq, state, epoch, origin, at)
        VALUES ('chg_open', 1, 1, 'delivered', 0, 'feed', 0)",
    ),
    (
        "a transition of nothing",
        "transition",
        "INSERT INTO item_transitions (charge_id, item, seq, state, epoch, origin, at)
        VALUES ('chg_open', 9, 0, 'charged', 0, 'feed', 0)",
    ),
    (
        "an item above the total",
        "charge items",
        "INSERT INTO charge_items (charge_id, item, price) VALUES ('chg_done', 2, 1)",
    ),
    (
        "a source above the total",
        "charge sources",
        "INSERT INTO charge_sources (charge_id, line, balance_id, account_id, amount)
        VALUES ('chg_done', 1, 'bal_w', 'acc_a', 1)",
    ),
    (
        "a refund line without its item",
        "refund",
        "INSERT INTO refund_lines VALUES ('rfd_back', 1, 'chg_back', 'acc_a', 'bal_q', 'bal_q', 1)",
    ),
    (
        "a settlement of what is open",
        "settlement",
        "INSERT INTO item_settlements VALUES ('chg_open', 1, 'refunded', 'x')",
    ),
    ("a settlement of nothing", "settlement", "INSERT INTO item_settlements VALUES ('chg_open', 9, 'refunded', 'x')"),
];

#[tokio::test]
async fn what_is_written_past_the_rules_is_found() {
    let store = target().await;
    for (what, kind, sql) in FOUND {
        let mut tx = store.pool.begin().await.unwrap();
        let whole = format!("SET LOCAL ROLE makegood_owner; SET LOCAL search_path = record; {sql}");
        sqlx::raw_sql(AssertSqlSafe(whole).into_sql_str()).execute(&mut *tx).await.expect(what);
        let query = sqlx::query_scalar("SELECT DISTINCT kind FROM api.ledger_breaks");
        let found: Vec<String> = query.fetch_all(&mut *tx).await.unwrap();
        assert!(found.iter().any(|found| found == kind), "{what}: {found:?}");
        tx.rollback().await.unwrap();
    }
    assert_whole(&store).await;
}
