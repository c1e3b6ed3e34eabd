//! Plain SQL tries to break the ledger, the journal and the audit, past all code. Each try must be
//! refused by the schema itself.

use makegood_domain::plan::Effect;
use makegood_domain::support::MessageKind;
use sqlx::Connection;

use super::world::{assert_whole, begin, charge, done, output, refund, run, world};
use crate::sqlite::SqliteStore;

/// Runs: `open` charged (2 items of 50 from quota 80 and wallet 20), `done` delivered, `back`
/// refunded, `rev` refunded and reversed, `lease` leased by action `k1`, `b` of Ben.
async fn target() -> SqliteStore {
    let store = world(vec![
        run("run_open", "a", "a", 10),
        run("run_done", "a", "a", 11),
        run("run_back", "a", "a", 12),
        run("run_rev", "a", "a", 13),
        run("run_lease", "a", "a", 14),
        run("run_b", "b", "b", 15),
        charge("chg_open", "run_open", "a", 20, &[50, 50], &[("bal_q", 80), ("bal_w", 20)]),
        charge("chg_done", "run_done", "a", 21, &[30], &[("bal_q", 30)]),
        charge("chg_back", "run_back", "a", 22, &[40], &[("bal_q", 40)]),
        charge("chg_rev", "run_rev", "a", 23, &[40], &[("bal_q", 40)]),
        charge("chg_lease", "run_lease", "a", 24, &[60], &[("bal_q", 60)]),
        charge("chg_b", "run_b", "b", 25, &[25], &[("bal_b", 25)]),
        output("out_done", "run_done", "a", "stored"),
        output("out_back", "run_back", "b", "stored"),
        refund("rfd_back", "chg_back", "run_back", "posted", &[1], &[("bal_q", 40)]),
        refund("rfd_rev", "chg_rev", "run_rev", "reversed", &[1], &[("bal_q", 40)]),
    ])
    .await;
    let lease = Effect::LeaseItem { run_id: "run_lease".into(), item: 1, lease_seconds: 900 };
    let say = Effect::Say { kind: MessageKind::Note, text: "looking".into(), locale: "en-US".into() };
    let key = begin(&store, "k1", "ana", &[lease.clone(), say.clone()]).await;
    done(&store, &key, 0, &lease).await;
    done(&store, &key, 1, &say).await;
    begin(&store, "k2", "ben", &[]).await;
    store
}

/// What a made-up refund of `chg_open` starts with.
const HEAD: &str = "INSERT INTO refunds (id, key, origin, charge_id, account_id, run_id, posted_at, state, kind,
    settles, action_key) VALUES ('x', 'x', 'makegood', 'chg_open', 'acc_a', 'run_open', 9, 'posted', 'manual', 1, 'k2');";

/// The same for another charge of Ana's.
fn head(charge: &str, run: &str) -> String {
    HEAD.replace("chg_open", charge).replace("run_open", run)
}

const LEDGER: &[(&str, &str)] = &[
    ("edit a posting", "UPDATE postings SET amount = amount + 1"),
    ("delete a posting", "DELETE FROM postings WHERE kind = 'charge'"),
    ("replace a posting", "INSERT OR REPLACE INTO postings (kind, document, line, at, from_balance, to_balance, amount)
        VALUES ('charge', 'chg_open', 0, 0, 'bal_q', 'usage:acc_a', 1)"),
    ("post without a document", "INSERT INTO postings (kind, document, line, at, from_balance, to_balance, amount)
        VALUES ('refund', 'none', 0, 0, 'usage:acc_a', 'bal_q', 10)"),
    ("post a refund line twice", "INSERT INTO postings (kind, document, line, at, from_balance, to_balance, amount)
        VALUES ('refund', 'rfd_back', 0, 0, 'usage:acc_a', 'bal_q', 40)"),
    ("post of an unknown kind", "INSERT INTO postings (kind, document, line, at, from_balance, to_balance, amount)
        VALUES ('gift', 'x', 0, 0, 'issuance', 'bal_q', 10)"),
    ("post below zero", "INSERT INTO openings (balance_id, line, opening, opening_at, delta, at)
        VALUES ('bal_w', 1, 0, 0, -101, 0)"),
    ("raise a level", "UPDATE balances SET level = level + 100 WHERE id = 'bal_q'"),
    ("raise a level as if posted", "UPDATE balances SET level = level + 25,
        last_posting = (SELECT max(id) FROM postings) WHERE id = 'bal_q'"),
    ("put a level back", "UPDATE balances SET last_posting = 0 WHERE id = 'bal_q'"),
    ("a new balance with credits", "INSERT INTO balances (id, account_id, kind, position, level, opening, opening_at)
        VALUES ('bal_x', 'acc_a', 'wallet', 9, 100, 100, 0)"),
    ("give a balance to another account", "UPDATE balances SET account_id = 'acc_b' WHERE id = 'bal_q'"),
    ("delete a balance", "DELETE FROM balances WHERE id = 'bal_q'"),
    ("edit an opening", "UPDATE openings SET delta = delta + 1"),
    ("delete an opening", "DELETE FROM openings"),
    ("overdraw a balance", "INSERT INTO charges VALUES ('x', 'run_open', 'acc_a', 9000000000000000, 500, 'x');
        INSERT INTO charge_sources (charge_id, line, balance_id, account_id, amount) VALUES ('x', 0, 'bal_w', 'acc_a', 500)"),
    ("charge another account's balance", "INSERT INTO charges VALUES ('x', 'run_open', 'acc_a', 9, 5, 'x');
        INSERT INTO charge_sources (charge_id, line, balance_id, account_id, amount) VALUES ('x', 0, 'bal_b', 'acc_a', 5)"),
    ("sources above the total", "INSERT INTO charge_sources (charge_id, line, balance_id, account_id, amount)
        VALUES ('chg_done', 7, 'bal_w', 'acc_a', 1)"),
    ("an item above the total", "INSERT INTO charge_items (charge_id, item, price) VALUES ('chg_done', 2, 1)"),
    ("edit a charge", "UPDATE charges SET total = 1 WHERE id = 'chg_open'"),
    ("delete a charge", "DELETE FROM charges WHERE id = 'chg_open'"),
    ("edit a price", "UPDATE charge_items SET price = 500 WHERE charge_id = 'chg_open'"),
    ("edit a source", "UPDATE charge_sources SET amount = 500 WHERE charge_id = 'chg_open'"),
    ("lower what is restored", "UPDATE charge_sources SET restored = 0 WHERE charge_id = 'chg_back'"),
    ("lower what is refunded", "UPDATE charge_items SET refunded = 0 WHERE charge_id = 'chg_back'"),
    ("edit a refund", "UPDATE refunds SET posted_at = 0 WHERE id = 'rfd_back'"),
    ("post a reversed refund again", "UPDATE refunds SET state = 'posted' WHERE id = 'rfd_rev'"),
    ("delete a refund", "DELETE FROM refunds WHERE id = 'rfd_rev'"),
    ("delete refund lines", "DELETE FROM refund_lines"),
    ("delete refund items", "DELETE FROM refund_items"),
    ("edit a refund line", "UPDATE refund_lines SET target = 'bal_w'"),
    ("edit what was said", "UPDATE refund_lines_said SET amount = 1"),
    ("a second settlement", "INSERT INTO item_settlements VALUES ('chg_back', 1, 'delivered', 'out_done')"),
    ("a settlement of nothing", "INSERT INTO item_settlements VALUES ('chg_open', 1, 'refunded', 'x')"),
    ("end a settlement", "DELETE FROM item_settlements WHERE charge_id = 'chg_back'"),
    ("set a state by hand", "UPDATE charge_items SET state = 'charged', seq = seq + 1 WHERE charge_id = 'chg_back'"),
    ("allow a new pair of states", "INSERT INTO item_state_pairs VALUES ('refunded', 'delivered')"),
    ("edit a transition", "UPDATE item_transitions SET state = 'charged'"),
    ("delete a transition", "DELETE FROM item_transitions"),
];

const JOURNAL: &[(&str, &str)] = &[
    ("edit an audit line", "UPDATE audit SET detail = '' WHERE seq = 1"),
    ("delete an audit line", "DELETE FROM audit WHERE seq = 1"),
    ("cut the audit's tail", "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)"),
    (
        "replace an audit line",
        "INSERT OR REPLACE INTO audit SELECT seq, at, 'x', act, subject, detail, prev_hash, hash
        FROM audit WHERE seq = 1",
    ),
    (
        "an audit line off the chain",
        "INSERT INTO audit SELECT seq + 1, at, actor, act, subject, detail, prev_hash, hash
        FROM audit ORDER BY seq DESC LIMIT 1",
    ),
    ("edit a receipt", "UPDATE action_steps SET receipt = '{}'"),
    ("delete a receipt", "DELETE FROM action_steps"),
    ("a second receipt for a step", "INSERT INTO action_steps SELECT * FROM action_steps WHERE step = 0"),
    ("edit an action", "UPDATE actions SET agent = 'x' WHERE key = 'k1'"),
    ("delete an action", "DELETE FROM actions WHERE key = 'k1'"),
    (
        "a second action on a case",
        "INSERT INTO actions (key, case_id, kind, digest, agent, at, plan, state)
        SELECT 'k3', case_id, kind, digest, agent, at, plan, state FROM actions WHERE key = 'k1'",
    ),
    ("end an action without its end", "UPDATE actions SET state = 'done' WHERE key = 'k1'"),
    ("edit the outbox", "UPDATE outbox SET payload = '{}'"),
    ("delete from the outbox", "DELETE FROM outbox"),
    ("edit a message", "UPDATE messages SET text = 'x'"),
    ("lower a revision", "UPDATE cases SET revision = revision - 1"),
];

/// Refunds and transitions that must not be, each after its head.
fn remedies() -> Vec<(&'static str, String)> {
    let item = |charge: &str, item: u32, amount: i64| {
        format!("INSERT INTO refund_items VALUES ('x', '{charge}', 'acc_a', {item}, {amount});")
    };
    let line = |charge: &str, account: &str, source: &str, target: &str, amount: i64| {
        format!("INSERT INTO refund_lines VALUES ('x', 0, '{charge}', '{account}', '{source}', '{target}', {amount});")
    };
    let step = |charge: &str, seq: u32, state: &str, epoch: u32, lease: &str, key: &str, doc: &str, at: i64| {
        format!(
            "INSERT INTO item_transitions (charge_id, item, seq, state, epoch, lease_until, origin, action_key, document, at)
             VALUES ('{charge}', 1, {seq}, '{state}', {epoch}, {lease}, 'makegood', '{key}', '{doc}', {at});"
        )
    };
    let mine =
        "INSERT INTO files VALUES ('0000000000000000000000000000000000000000000000000000000000000000', 1, 'video/mp4');
        INSERT INTO outputs (id, run_id, item, project_id, stored_at, bytes, state, in_history, on_canvas, origin)
        VALUES ('out_x', 'run_back', 1, 'prj_a', 9, 1, 'stored', 1, 1, 'feed');";
    vec![
        ("restore twice", head("chg_back", "run_back") + &item("chg_back", 1, 40)),
        ("restore one credit more", head("chg_back", "run_back") + &item("chg_back", 1, 1)),
        ("restore above the price", HEAD.to_owned() + &item("chg_open", 1, 51)),
        (
            "restore in two parts above the price",
            HEAD.to_owned()
                + &item("chg_open", 1, 30)
                + &HEAD.replace("'x'", "'y'")
                + &item("chg_open", 1, 30).replace("'x'", "'y'"),
        ),
        (
            "more than a balance gave",
            HEAD.to_owned() + &item("chg_open", 1, 50) + &line("chg_open", "acc_a", "bal_w", "bal_w", 21),
        ),
        (
            "to another account's balance",
            HEAD.to_owned() + &item("chg_open", 1, 50) + &line("chg_open", "acc_a", "bal_q", "bal_b", 50),
        ),
        (
            "to another account by its name",
            HEAD.to_owned() + &item("chg_open", 1, 50) + &line("chg_open", "acc_b", "bal_q", "bal_b", 50),
        ),
        ("a head of another account", HEAD.replace("acc_a", "acc_b")),
        (
            "from a balance that gave nothing",
            head("chg_rev", "run_rev") + &item("chg_rev", 1, 40) + &line("chg_rev", "acc_a", "bal_w", "bal_w", 40),
        ),
        (
            "to a system's balance",
            HEAD.to_owned() + &item("chg_open", 1, 50) + &line("chg_open", "acc_a", "bal_q", "carried:acc_a", 50),
        ),
        ("credits without an item", HEAD.to_owned() + &line("chg_open", "acc_a", "bal_q", "bal_q", 50)),
        (
            "credits beyond the items",
            HEAD.to_owned() + &item("chg_open", 1, 50) + &line("chg_open", "acc_a", "bal_q", "bal_q", 51),
        ),
        ("restore what is delivered", head("chg_done", "run_done") + &item("chg_done", 1, 30)),
        ("restore what is leased", head("chg_lease", "run_lease") + &item("chg_lease", 1, 60)),
        ("a restoration that settles nothing", HEAD.replace("'manual', 1", "'manual', 0")),
        ("a restoration gone astray", HEAD.to_owned() + "INSERT INTO strays VALUES ('x', 0, 'bal_b', 5, '');"),
        ("the same key twice", HEAD.to_owned() + &HEAD.replace("('x', 'x'", "('y', 'x'")),
        ("deliver what is refunded", mine.to_owned() + &step("chg_back", 2, "delivered", 0, "NULL", "k2", "out_x", 9)),
        ("lease what is refunded", step("chg_back", 2, "delivering", 1, "99", "k2", "", 9)),
        ("lease what is delivered", step("chg_done", 2, "delivering", 1, "99", "k2", "", 9)),
        ("deliver without a lease", step("chg_open", 1, "delivered", 0, "NULL", "k2", "out_done", 9)),
        ("deliver with another's lease", step("chg_lease", 2, "delivered", 1, "NULL", "k2", "out_done", 9)),
        ("deliver by a file with another account", step("chg_lease", 2, "delivered", 1, "NULL", "k1", "out_back", 9)),
        ("deliver by the file of another run", step("chg_lease", 2, "delivered", 1, "NULL", "k1", "out_done", 9)),
        ("deliver by nothing", step("chg_lease", 2, "delivered", 1, "NULL", "k1", "none", 9)),
        ("steal a live lease", step("chg_lease", 2, "delivering", 2, "99", "k2", "", 9)),
        ("end another's live lease", step("chg_lease", 2, "released", 2, "NULL", "k2", "", 9)),
        ("lease with an old epoch", step("chg_open", 1, "delivering", 0, "99", "k2", "", 9)),
        ("lease with an epoch ahead", step("chg_open", 1, "delivering", 2, "99", "k2", "", 9)),
        ("a lease that is over at once", step("chg_open", 1, "delivering", 1, "9", "k2", "", 9)),
        ("leave out a transition", step("chg_open", 2, "delivering", 1, "99", "k2", "", 9)),
        ("refunded without a refund", step("chg_open", 1, "refunded", 0, "NULL", "k2", "rfd_back", 9)),
        ("reversed while a refund stands", step("chg_back", 2, "reversed", 0, "NULL", "k2", "rfd_back", 9)),
    ]
}

#[tokio::test]
async fn the_schema_refuses_every_attack() {
    let store = target().await;
    assert_whole(&store).await;
    let plain = LEDGER.iter().chain(JOURNAL).map(|(name, sql)| (*name, (*sql).to_owned()));
    let attacks: Vec<(&str, String)> = plain.chain(remedies()).collect();
    assert!(attacks.len() >= 80, "{} attacks", attacks.len());
    let mut connection = store.writer.acquire().await.unwrap();
    for (name, sql) in attacks {
        let mut tx = connection.begin().await.unwrap();
        let outcome = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.clone())).execute(&mut *tx).await;
        let error = outcome.err().unwrap_or_else(|| panic!("`{name}` succeeded:\n{sql}"));
        let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
        let primary = code.parse::<u32>().unwrap_or_default() & 0xff;
        assert_eq!(primary, 19, "`{name}` must break a rule, not fail otherwise: {error}\n{sql}");
        tx.rollback().await.unwrap();
    }
    drop(connection);
    assert_whole(&store).await;
}

/// The heads of the attacks are sound: with what belongs after them they are accepted.
#[tokio::test]
async fn what_is_right_is_accepted() {
    let store = target().await;
    let sql = HEAD.to_owned()
        + "INSERT INTO refund_items VALUES ('x', 'chg_open', 'acc_a', 1, 50);
           INSERT INTO refund_lines VALUES ('x', 0, 'chg_open', 'acc_a', 'bal_q', 'bal_q', 50);
           INSERT INTO item_transitions (charge_id, item, seq, state, epoch, lease_until, origin, action_key, at)
           VALUES ('chg_open', 2, 1, 'delivering', 1, 99, 'makegood', 'k2', 9);";
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&store.writer).await.unwrap();
    assert_whole(&store).await;
}
