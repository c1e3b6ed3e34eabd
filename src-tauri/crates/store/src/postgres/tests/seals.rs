//! The audit: what its seals hold, what they prove, and that each line is on disk when it is answered.

use std::ops::Deref;
use std::sync::OnceLock;

use makegood_domain::ports::{ActionState, ActionStore, AuditBreak};
use makegood_testkit::postgres::{Cluster, Options};
use sqlx::{AssertSqlSafe, Connection, Executor};
use tokio::sync::{Mutex, MutexGuard};

use super::world::{at, begin, number, record, record_on};
use crate::postgres::PgStore;

/// A record on a server where nobody else does anything: a seal waits for every transaction of the
/// server that is older than the lines, whichever database it is in.
struct Alone {
    store: PgStore,
    _turn: MutexGuard<'static, ()>,
}

impl Deref for Alone {
    type Target = PgStore;
    fn deref(&self) -> &PgStore {
        &self.store
    }
}

async fn alone() -> Alone {
    static TURN: Mutex<()> = Mutex::const_new(());
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    let turn = TURN.lock().await;
    let settings = vec![("autovacuum".to_owned(), "off".to_owned())];
    let cluster =
        CLUSTER.get_or_init(|| Cluster::start(&Options { fsync: false, settings, ..Options::default() }).unwrap());
    Alone { store: record_on(cluster).await, _turn: turn }
}

/// What nobody can do but the owner of the tables, and only past the triggers.
async fn past_the_triggers(store: &PgStore, sql: &str) {
    let sql = format!("SET session_replication_role = replica; {sql}; SET session_replication_role = origin");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&store.pool).await.unwrap();
}

/// Lines 1 to 3 in seal 1, line 4 in seal 2, line 5 unsealed.
async fn sealed() -> Alone {
    let store = alone().await;
    for key in ["k1", "k2", "k3"] {
        begin(&store, key, "ana", &[]).await;
    }
    assert_eq!(store.seal_audit(at(2000)).await.unwrap(), 3);
    store.finish_action(&"k1".into(), &ActionState::Done, at(2001)).await.unwrap();
    assert_eq!(store.seal_audit(at(2001)).await.unwrap(), 1);
    store.finish_action(&"k2".into(), &ActionState::Done, at(2002)).await.unwrap();
    store
}

/// The statement with which a line is made to look whole again.
const DIGEST: &str = "UPDATE record.audit SET digest = sha256(int8send(seq) || int8send(txid) || int8send(at)
    || int8send(octet_length(actor)) || convert_to(actor, 'UTF8') || int8send(octet_length(act))
    || convert_to(act, 'UTF8') || int8send(octet_length(subject)) || convert_to(subject, 'UTF8')
    || int8send(octet_length(detail)) || convert_to(detail, 'UTF8'))";

#[tokio::test]
async fn what_is_whole_verifies_and_shows_its_seal() {
    let store = sealed().await;
    assert_eq!(store.audit_verify().await.unwrap(), None);
    let lines = store.audit(None, 10).await.unwrap();
    let hashes: Vec<&str> = lines.iter().rev().map(|line| line.hash.as_str()).collect();
    assert_eq!((hashes[0].len(), hashes[0], hashes[1]), (64, hashes[1], hashes[2]), "one seal holds three");
    assert_ne!(hashes[2], hashes[3]);
    assert_eq!(hashes[4], "", "no seal yet");
    assert_eq!(store.seal_audit(at(2003)).await.unwrap(), 1);
    assert_eq!(store.seal_audit(at(2003)).await.unwrap(), 0, "there is nothing left to seal");
    assert_eq!(store.audit_verify().await.unwrap(), None);
}

#[tokio::test]
async fn every_damage_is_found_where_it_is() {
    let edited = "it was changed after it was written";
    let forged = "the lines of seal 1 are not those that were sealed, in that order";
    let table = [
        ("edit a sealed line", "UPDATE record.audit SET actor = 'eve' WHERE seq = 2".to_owned(), 2, edited),
        ("edit an unsealed line", "UPDATE record.audit SET at = at + 1 WHERE seq = 5".to_owned(), 5, edited),
        (
            "edit a line with its digest",
            format!("UPDATE record.audit SET actor = 'eve' WHERE seq = 2; {DIGEST}"),
            3,
            forged,
        ),
        (
            "cut a line out",
            "DELETE FROM record.audit WHERE seq = 2".to_owned(),
            3,
            "1 of the 3 lines of seal 1 are missing",
        ),
        (
            "slip a line in",
            format!(
                "INSERT INTO record.audit SELECT 9, era, txid, at, actor, act, subject, detail, digest
                 FROM record.audit WHERE seq = 1; {DIGEST}"
            ),
            3,
            "seal 1 held 3 lines, and now there are 4",
        ),
        (
            "exchange two lines",
            format!(
                "UPDATE record.audit SET seq = CASE seq WHEN 1 THEN -1 ELSE -2 END,
                    txid = (SELECT x.txid FROM record.audit x WHERE x.seq = 3 - audit.seq) WHERE seq IN (1, 2);
                 UPDATE record.audit SET seq = 3 + seq WHERE seq < 0; {DIGEST}"
            ),
            3,
            forged,
        ),
        ("cut a seal out", "DELETE FROM record.audit_seals WHERE no = 1".to_owned(), 4, "seal 1 is missing"),
        (
            "edit a seal",
            "UPDATE record.audit_seals SET at = at + 1 WHERE no = 2".to_owned(),
            4,
            "the lines of seal 2 are not those that were sealed, in that order",
        ),
        (
            "put a seal before another one",
            "UPDATE record.audit_seals SET prev_hash = hash WHERE no = 2".to_owned(),
            4,
            "seal 2 does not follow the one before it",
        ),
    ];
    for (name, damage, seq, why) in table {
        let store = sealed().await;
        past_the_triggers(&store, &damage).await;
        let broken = store.audit_verify().await.unwrap();
        assert_eq!(broken, Some(AuditBreak { seq, why: why.to_owned() }), "{name}");
        store.close().await;
    }
}

#[tokio::test]
async fn a_line_that_nobody_seals_is_told() {
    let store = sealed().await;
    store.finish_action(&"k3".into(), &ActionState::Done, at(2002 + 3600)).await.unwrap();
    assert_eq!(store.audit_verify().await.unwrap(), None, "an hour is not too long");
    begin(&store, "k4", "ana", &[]).await;
    store.finish_action(&"k4".into(), &ActionState::Done, at(2002 + 7200)).await.unwrap();
    let broken = store.audit_verify().await.unwrap().unwrap();
    assert_eq!((broken.seq, broken.why.as_str()), (7, "it has waited 120 min for its seal"), "the oldest one");
    store.seal_audit(at(9202)).await.unwrap();
    assert_eq!(store.audit_verify().await.unwrap(), None);
}

#[tokio::test]
async fn a_seal_waits_for_whoever_may_still_write_before_it() {
    let store = alone().await;
    let mut slow = store.pool.acquire().await.unwrap();
    let mut tx = slow.begin().await.unwrap();
    let line = "SELECT record.add_audit('ana', 'slow', 'case', '{}', 1)";
    tx.execute(line).await.unwrap();
    begin(&store, "k1", "ana", &[]).await;
    assert_eq!(store.seal_audit(at(2000)).await.unwrap(), 0, "the slow one is older");
    tx.commit().await.unwrap();
    assert_eq!(store.seal_audit(at(2000)).await.unwrap(), 2);
    begin(&store, "k2", "ana", &[]).await;
    let both = tokio::join!(store.seal_audit(at(2001)), store.seal_audit(at(2001)));
    assert_eq!(both.0.unwrap() + both.1.unwrap(), 1, "of two sealers one seals");
    assert_eq!(store.audit_verify().await.unwrap(), None);
}

#[tokio::test]
async fn lines_after_a_restored_dump_come_after_all_that_were_there() {
    let store = sealed().await;
    // A dump that is restored elsewhere starts with lower transaction numbers: here the old ones are high.
    let older = format!("UPDATE record.audit SET txid = txid + 1000000; {DIGEST}; DELETE FROM record.audit_seals");
    past_the_triggers(&store, &older).await;
    assert_eq!(number(&store, "SELECT record.begin_audit_era()").await, 2);
    begin(&store, "k4", "ana", &[]).await;
    assert_eq!(store.seal_audit(at(2003)).await.unwrap(), 6);
    assert_eq!(store.audit_verify().await.unwrap(), None);
    assert_eq!(number(&store, "SELECT seq FROM api.audit_lines ORDER BY era DESC, txid DESC LIMIT 1").await, 6);
}

#[tokio::test]
async fn what_is_answered_is_on_disk_whatever_the_session_asks_for() {
    let store = record().await;
    let mut connection = store.pool.acquire().await.unwrap();
    for weak in ["off", "local"] {
        let mut tx = connection.begin().await.unwrap();
        let set = format!("SET LOCAL synchronous_commit = {weak}");
        tx.execute(AssertSqlSafe(set)).await.unwrap();
        tx.execute("SELECT record.add_audit('ana', 'assign', 'c1', '{}', 1)").await.unwrap();
        // As the commit does.
        tx.execute("SET CONSTRAINTS ALL IMMEDIATE").await.unwrap();
        let now: String = sqlx::query_scalar("SHOW synchronous_commit").fetch_one(&mut *tx).await.unwrap();
        assert_eq!(now, "on", "{weak}");
        tx.commit().await.unwrap();
    }
}
