//! Plain SQL tries to break the journal, the audit and the ledger, past all functions, with the rights
//! of the tables' owner: more than any login has. Each try must be refused by the schema itself.

use makegood_domain::plan::Effect;
use makegood_domain::support::MessageKind;
use sqlx::{AssertSqlSafe, Connection, Executor};

use super::world::{assert_whole, begin, charge, done, output, refund, run, world};
use crate::postgres::PgStore;
use crate::postgres::fault::Fault;

/// Runs: `open` charged (2 items of 50 from quota 80 and wallet 20), `done` delivered, `back`
/// refunded, `rev` refunded and reversed, `lease` leased by action `k1`, `b` of Ben.
async fn target() -> PgStore {
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
    let seal = "INSERT INTO record.audit_seals
        SELECT 1, era, txid, seq, 1, 1, '', digest FROM record.audit ORDER BY seq LIMIT 1";
    store.pool.execute(seal).await.unwrap();
    store
}

/// What a made-up refund of `chg_open` starts with.
const HEAD: &str = "INSERT INTO refunds (id, key, origin, charge_id, account_id, run_id, posted_at, state, kind,
    settles, action_key) VALUES ('x', 'x', 'makegood', 'chg_open', 'acc_a', 'run_open', 9, 'posted', 'manual', 1, 'k2');";

const JOURNAL: &[(&str, &str)] = &[
    ("edit an audit line", "UPDATE audit SET detail = '' WHERE seq = 1"),
    ("delete an audit line", "DELETE FROM audit WHERE seq = 1"),
    ("cut the audit", "TRUNCATE audit"),
    ("an audit line twice", "INSERT INTO audit SELECT * FROM audit WHERE seq = 1"),
    ("edit a seal", "UPDATE audit_seals SET hash = prev_hash"),
    ("delete a seal", "DELETE FROM audit_seals"),
    ("cut the seals", "TRUNCATE audit_seals"),
    (
        "a second seal of a number",
        "INSERT INTO audit_seals SELECT no, era, txid + 1, seq + 1, lines, at, prev_hash, hash
        FROM audit_seals",
    ),
    ("edit a receipt", "UPDATE action_steps SET receipt = '{}'"),
    ("delete a receipt", "DELETE FROM action_steps"),
    ("cut the receipts", "TRUNCATE action_steps"),
    ("a second receipt for a step", "INSERT INTO action_steps SELECT * FROM action_steps WHERE step = 0"),
    ("a receipt of no action", "INSERT INTO action_steps VALUES ('k9', 0, 0, 1, '{}', '{}')"),
    ("edit an action", "UPDATE actions SET agent = 'x' WHERE key = 'k1'"),
    ("edit what was planned", "UPDATE actions SET plan = '{}' WHERE key = 'k1'"),
    ("give an action a reason", "UPDATE actions SET reason = 'because' WHERE key = 'k1'"),
    ("delete an action", "DELETE FROM actions WHERE key = 'k1'"),
    ("cut the actions", "TRUNCATE actions CASCADE"),
    (
        "a second action on a case",
        "INSERT INTO actions (key, case_id, kind, digest, agent, at, plan, state)
        SELECT 'k3', case_id, kind, digest, agent, at, plan, state FROM actions WHERE key = 'k1'",
    ),
    ("end an action without its end", "UPDATE actions SET state = 'done' WHERE key = 'k1'"),
    (
        "take up a finished action",
        "UPDATE actions SET state = 'done', finished_at = 9 WHERE key = 'k1';
        UPDATE actions SET state = 'running', finished_at = NULL WHERE key = 'k1'",
    ),
    ("edit the outbox", "UPDATE outbox SET payload = '{}'"),
    ("send again what was sent", "UPDATE outbox SET state = 'sent'; UPDATE outbox SET state = 'waiting'"),
    ("delete from the outbox", "DELETE FROM outbox"),
    ("cut the outbox", "TRUNCATE outbox CASCADE"),
    ("edit a message", "UPDATE messages SET text = 'x'"),
    ("delete a message", "DELETE FROM messages"),
    ("lower a revision", "UPDATE cases SET revision = revision - 1"),
    ("a file under another hash", "INSERT INTO blobs VALUES (repeat('0', 64), 'x')"),
    ("delete findings", "DELETE FROM findings"),
    ("edit a text that was saved", "UPDATE draft_history SET text = ''"),
    ("edit a choice", "UPDATE chosen_runs SET document = '{}'"),
];

const LEDGER: &[(&str, &str)] = &[
    ("edit a posting", "UPDATE postings SET amount = amount + 1"),
    ("delete a posting", "DELETE FROM postings WHERE kind = 'charge'"),
    ("cut the postings", "TRUNCATE postings"),
    ("post without a document", "INSERT INTO postings (kind, document, line, at, from_balance, to_balance, amount, refund_id)
        VALUES ('refund', 'none', 0, 0, 'usage:acc_a', 'bal_q', 10, 'none')"),
    ("post with a document of another kind", "INSERT INTO postings (kind, document, line, at, from_balance, to_balance, amount, charge_id)
        VALUES ('reversal', 'rfd_back', 0, 0, 'usage:acc_a', 'bal_q', 10, 'rfd_back')"),
    ("post with none of the four documents", "INSERT INTO postings (kind, document, line, at, from_balance, to_balance, amount)
        VALUES ('reversal', 'rfd_back', 0, 0, 'usage:acc_a', 'bal_q', 10)"),
    ("post a refund line twice", "INSERT INTO postings (kind, document, line, at, from_balance, to_balance, amount, refund_id)
        VALUES ('refund', 'rfd_back', 0, 0, 'usage:acc_a', 'bal_q', 40, 'rfd_back')"),
    ("post of an unknown kind", "INSERT INTO postings (kind, document, line, at, from_balance, to_balance, amount)
        VALUES ('gift', 'x', 0, 0, 'issuance', 'bal_q', 10)"),
    ("a level below zero", "UPDATE balance_stripes SET level = -1 WHERE balance_id = 'bal_q'"),
    ("give a balance to another account", "UPDATE balances SET account_id = 'acc_b' WHERE id = 'bal_q'"),
    ("delete a balance", "DELETE FROM balances WHERE id = 'bal_q'"),
    ("edit an opening", "UPDATE openings SET delta = delta + 1"),
    ("delete an opening", "DELETE FROM openings"),
    ("charge another account's balance", "INSERT INTO charges VALUES ('x', 'run_open', 'acc_a', 9, 5, 'x');
        INSERT INTO charge_sources (charge_id, line, balance_id, account_id, amount) VALUES ('x', 0, 'bal_b', 'acc_a', 5)"),
    ("edit a charge", "UPDATE charges SET total = 1 WHERE id = 'chg_open'"),
    ("delete a charge", "DELETE FROM charges WHERE id = 'chg_open'"),
    ("edit a price", "UPDATE charge_items SET price = 500 WHERE charge_id = 'chg_open'"),
    ("refund more than the price", "UPDATE charge_items SET refunded = 51 WHERE charge_id = 'chg_open'"),
    ("edit a source", "UPDATE charge_sources SET amount = 500 WHERE charge_id = 'chg_open'"),
    ("restore more than a source gave", "UPDATE charge_sources SET restored = amount + 1 WHERE charge_id = 'chg_open'"),
    ("edit a refund", "UPDATE refunds SET posted_at = 0 WHERE id = 'rfd_back'"),
    ("post a reversed refund again", "UPDATE refunds SET state = 'posted' WHERE id = 'rfd_rev'"),
    ("delete a refund", "DELETE FROM refunds WHERE id = 'rfd_rev'"),
    ("delete refund lines", "DELETE FROM refund_lines"),
    ("delete refund items", "DELETE FROM refund_items"),
    ("edit a refund line", "UPDATE refund_lines SET target = 'bal_w'"),
    ("edit what was said", "UPDATE refund_lines_said SET amount = 1"),
    ("a second settlement", "INSERT INTO item_settlements VALUES ('chg_back', 1, 'delivered', 'out_done')"),
    ("end a settlement", "DELETE FROM item_settlements WHERE charge_id = 'chg_back'"),
    ("turn a settlement round", "UPDATE item_settlements SET outcome = 'delivered' WHERE charge_id = 'chg_back'"),
    ("allow a new pair of states", "INSERT INTO item_state_pairs VALUES ('refunded', 'delivered')"),
    ("edit a transition", "UPDATE item_transitions SET state = 'charged'"),
    ("delete a transition", "DELETE FROM item_transitions"),
    ("a transition twice", "INSERT INTO item_transitions SELECT * FROM item_transitions WHERE charge_id = 'chg_back'"),
    ("a lease of nobody", "INSERT INTO item_transitions (charge_id, item, seq, state, epoch, lease_until, origin, at)
        VALUES ('chg_open', 1, 1, 'delivering', 1, 99, 'feed', 9)"),
];

/// Made-up refunds, each after its head.
const REFUNDS: &[(&str, &str)] = &[
    ("of an item that the charge has not", "INSERT INTO refund_items VALUES ('x', 'chg_open', 'acc_a', 3, 50)"),
    ("of an item of another charge", "INSERT INTO refund_items VALUES ('x', 'chg_back', 'acc_a', 1, 40)"),
    ("of a negative amount", "INSERT INTO refund_items VALUES ('x', 'chg_open', 'acc_a', 1, -1)"),
    (
        "to another account's balance",
        "INSERT INTO refund_lines VALUES ('x', 0, 'chg_open', 'acc_a', 'bal_q', 'bal_b', 50)",
    ),
    (
        "to another account by its name",
        "INSERT INTO refund_lines VALUES ('x', 0, 'chg_open', 'acc_b', 'bal_q', 'bal_b', 50)",
    ),
    (
        "from a balance that gave nothing",
        "INSERT INTO refund_lines VALUES ('x', 0, 'chg_open', 'acc_a', 'bal_b', 'bal_q', 50)",
    ),
    (
        "a key a second time",
        "INSERT INTO refunds SELECT 'y', key, origin, charge_id, account_id, run_id, posted_at, state,
        kind, settles, ticket_id, detected_at, cause, action_key FROM refunds WHERE id = 'x'",
    ),
    (
        "of an action that settles nothing",
        "INSERT INTO refunds SELECT 'y', 'y', origin, charge_id, account_id, run_id,
        posted_at, state, kind, 0, ticket_id, detected_at, cause, action_key FROM refunds WHERE id = 'x'",
    ),
    (
        "of nobody",
        "INSERT INTO refunds SELECT 'y', 'y', origin, charge_id, account_id, run_id, posted_at, state, kind,
        settles, ticket_id, detected_at, cause, NULL FROM refunds WHERE id = 'x'",
    ),
];

#[tokio::test]
async fn the_schema_refuses_every_attack() {
    let store = target().await;
    assert_whole(&store).await;
    let plain = JOURNAL.iter().chain(LEDGER).map(|(name, sql)| (*name, (*sql).to_owned()));
    let refunds = REFUNDS.iter().map(|(name, sql)| (*name, format!("{HEAD} {sql}")));
    let mut connection = store.pool.acquire().await.unwrap();
    let mut tried = 0;
    for (name, sql) in plain.chain(refunds) {
        let mut tx = connection.begin().await.unwrap();
        tx.execute("SET LOCAL ROLE makegood_owner").await.unwrap();
        tx.execute("SET LOCAL search_path = record").await.unwrap();
        let outcome = sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut *tx).await;
        let error = outcome.err().unwrap_or_else(|| panic!("`{name}` succeeded:\n{sql}"));
        let told = error.to_string();
        assert!(matches!(Fault::from(error), Fault::Refused(_)), "`{name}` must break a rule: {told}\n{sql}");
        tx.rollback().await.unwrap();
        tried += 1;
    }
    assert!(tried >= 70, "{tried} attacks");
    drop(connection);
    assert_whole(&store).await;
    store.close().await;
}

/// The head of the attacks is sound: with what belongs after it, it is accepted.
#[tokio::test]
async fn what_is_right_is_accepted() {
    let store = target().await;
    let sql = format!(
        "SET search_path = record; {HEAD} INSERT INTO refund_items VALUES ('x', 'chg_open', 'acc_a', 1, 50);
         INSERT INTO refund_lines VALUES ('x', 0, 'chg_open', 'acc_a', 'bal_q', 'bal_q', 50)"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&store.pool).await.unwrap();
}
