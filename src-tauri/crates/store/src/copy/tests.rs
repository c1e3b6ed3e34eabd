use std::path::{Path, PathBuf};

use makegood_domain::diagnose::Verdict;
use makegood_domain::ids::{CaseId, TicketId};
use makegood_domain::ports::{
    ActionState, ActionStore, AttachmentFile, CaseStore, Draft, DraftKind, FactStore, FileStore, QueueQuery, SavedView,
    StoreError,
};
use makegood_domain::support::Attachment;
use makegood_testkit::postgres::{Cluster, SUPERUSER, VIRTUAL_TIME};
use sqlx::{Connection, Executor};

use super::{compare, copy, plan};
use crate::postgres::{PgSettings, PgStore, migrate, target_of_copy};
use crate::sqlite::{SqliteStore, source_of_copy};
use crate::test_world::{at, base, charge, fact, finding, new_case, order, output, refund, restore, run};

/// A file with something in every corner: refunds that settle and that go astray, a restoration, a
/// file, texts that SQL stumbles over.
async fn busy(folder: &Path) -> PathBuf {
    let path = folder.join("makegood.sqlite");
    let store = SqliteStore::open(&path).await.unwrap();
    let mut facts = base();
    facts.extend([
        run("run_1", "a", "a", 10),
        run("run_2", "s", "b", 11),
        run("run_3", "a", "a", 12),
        charge("chg_1", "run_1", "a", 20, &[5, 5], &[("bal_q", 10)]),
        charge("chg_2", "run_2", "s", 21, &[30], &[("bal_p", 30)]),
        charge("chg_3", "run_3", "a", 22, &[7], &[("bal_w", 7)]),
        output("out_1", "run_2", "s", "stored"),
        refund("rfd_1", "chg_3", "run_3", "posted", &[1], &[("bal_w", 7), ("bal_b", 2)]),
        fact(
            "node",
            serde_json::json!({ "id": "nod_x", "project_id": "prj_a", "label": "tab\there\\N \u{0} \"q\"\r\n",
            "status": "active", "deleted_at": null }),
        ),
        fact("upload", serde_json::json!({ "run_id": "nobody", "item": 1, "attempted_at": at(9), "result": "ok" })),
    ]);
    let report = store.import(&facts, at(1000)).await.unwrap();
    assert_eq!(report.rejected.len(), 1, "one dead letter: {:?}", report.rejected);
    let mut new = new_case("c1");
    new.ticket.attachments = vec![Attachment {
        id: Some("att_1".into()),
        name: "a.png".into(),
        kind: "image".into(),
        description: "x".into(),
    }];
    let bytes = (0..=255_u8).collect();
    new.files =
        vec![AttachmentFile { id: "att_1".into(), name: "a.png".into(), media_type: "image/png".into(), bytes }];
    let (case, _) = store.open_case(&new).await.unwrap();
    let revision = store.save_finding(&case.id, 1, &finding("run_1", Verdict::ProviderFailed, Some(at(5000)))).await;
    let restoration = restore("rfd_2", "chg_1", "run_1", 5);
    let mut plan = crate::test_world::plan(&case.id, revision.unwrap());
    plan.steps = vec![makegood_domain::plan::Step::Do { effect: restoration.clone() }];
    store.begin_action(&order("k1", "ana"), &plan).await.unwrap();
    store.apply(&"k1".into(), 0, 0, &restoration, at(2000)).await.unwrap();
    store.finish_action(&"k1".into(), &ActionState::Done, at(2001)).await.unwrap();
    for (text, base) in [("Dear Ana", 0), ("Dear Ana,\n", 1)] {
        let (kind, author) = (DraftKind::Reply, "ana".into());
        let draft = Draft { case_id: case.id.clone(), kind, author, text: text.into(), revision: 0, saved_at: at(2) };
        store.save_draft(&draft, base).await.unwrap();
    }
    let view = SavedView { name: "mine".into(), query: QueueQuery::default() };
    store.save_view(&"ana".into(), &view).await.unwrap();
    store.close().await;
    path
}

/// An empty record in a database of its own, and its owner's way in.
async fn empty() -> (String, PgSettings) {
    let cluster = Cluster::shared();
    let database = cluster.empty_database().unwrap();
    let owner = PgSettings::new(cluster.url(&database, SUPERUSER));
    migrate(&owner).await.unwrap();
    cluster.sql(&database, VIRTUAL_TIME).unwrap();
    (database, owner)
}

#[tokio::test]
async fn a_record_is_copied_whole_and_answers_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = busy(folder.path()).await;
    let (database, owner) = empty().await;
    let before = std::fs::read(&path).unwrap();
    let copied = copy(&path, &owner, at(9000)).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), before, "the file is only read");
    let rows = |name: &str| copied.iter().find(|table| table.name == name).unwrap().rows;
    assert_eq!((rows("runs"), rows("charges"), rows("refunds"), rows("strays")), (3, 3, 2, 1));
    assert_eq!((rows("actions"), rows("blobs"), rows("draft_history"), rows("dead_letters")), (1, 1, 2, 1));

    let here = SqliteStore::open(&path).await.unwrap();
    let there = PgStore::connect(&owner).await.unwrap();
    let (old, new) = (here.record_id().await.unwrap(), there.record_id().await.unwrap());
    assert!(old.len() == 32 && new.len() == 32 && old != new, "a copy is another record: {old} {new}");
    assert_eq!(
        SqliteStore::open(&path).await.unwrap().record_id().await.unwrap(),
        old,
        "and the old one stays what it was"
    );
    let case: CaseId = "c1".into();
    let requester = new_case("c1").ticket.requester;
    let other: TicketId = "tck_other".into();
    assert_eq!(
        there.scope(&requester, Some(&other), at(9000)).await.unwrap().runs,
        here.scope(&requester, Some(&other), at(9000)).await.unwrap().runs
    );
    assert_eq!(there.case(&case).await.unwrap(), here.case(&case).await.unwrap());
    let all = QueueQuery::default();
    assert_eq!(there.queue(&all).await.unwrap(), here.queue(&all).await.unwrap());
    assert_eq!(there.actions_of(&case).await.unwrap(), here.actions_of(&case).await.unwrap());
    assert_eq!(there.attachment(&"att_1".into()).await.unwrap(), here.attachment(&"att_1".into()).await.unwrap());
    assert_eq!(there.postings(&"acc_a".into(), 50).await.unwrap(), here.postings(&"acc_a".into(), 50).await.unwrap());
    let (lines, added) = (here.audit(None, 100).await.unwrap(), there.audit(None, 100).await.unwrap());
    assert_eq!(added.len(), lines.len() + 1);
    assert_eq!(added[0].act, "copy_record");
    assert!(added[0].detail.contains(&lines[0].hash), "the end of the old chain is in the new record");
    assert!(added[1..].iter().zip(&lines).all(|(new, old)| (new.seq, &new.detail) == (old.seq, &old.detail)));
    assert_eq!(there.audit_verify().await.unwrap(), None);
    // Work goes on: the same facts are known, new ones are taken, numbers don't clash.
    assert_eq!(there.import(&base(), at(9001)).await.unwrap().added, 0);
    let more = [run("run_4", "s", "b", 40), charge("chg_4", "run_4", "s", 41, &[300], &[("bal_p", 300)])];
    assert_eq!(there.import(&more, at(9002)).await.unwrap().added, 2);
    there.open_case(&new_case("c2")).await.unwrap();
    let breaks = Cluster::shared().sql(&database, "SELECT kind, subject FROM api.ledger_breaks").unwrap();
    assert_eq!(breaks, "");
}

#[tokio::test]
async fn only_an_empty_record_is_filled() {
    let folder = tempfile::tempdir().unwrap();
    let path = busy(folder.path()).await;
    let (database, owner) = empty().await;
    let user = "INSERT INTO record.users (id, email) VALUES ('u', 'u@example.com')";
    Cluster::shared().sql(&database, user).unwrap();
    match copy(&path, &owner, at(9000)).await {
        Err(StoreError::Unavailable(why)) => assert!(why.contains("not empty: users"), "{why}"),
        other => panic!("{other:?}"),
    }
    let missing = copy(&folder.path().join("none.sqlite"), &owner, at(9000)).await.unwrap_err().to_string();
    assert!(missing.contains("there is no record") && missing.contains("none.sqlite"), "{missing}");
}

/// Stopped at ever later points, the target is empty, or has everything.
#[tokio::test]
async fn a_copy_that_is_cut_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = busy(folder.path()).await;
    let (database, owner) = empty().await;
    let rows = "SELECT (SELECT count(*) FROM record.users) + (SELECT count(*) FROM record.postings)
        + (SELECT count(*) FROM record.balances) + (SELECT count(*) FROM record.audit)";
    let empty = Cluster::shared().sql(&database, rows).unwrap();
    let mut cut = 0;
    for steps in [1, 30, 100, 300, 600, 1000, 1500] {
        let patience = async {
            for _ in 0..steps {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            done = copy(&path, &owner, at(9000)) => { done.unwrap(); break; }
            () = patience => {
                cut += 1;
                assert_eq!(Cluster::shared().sql(&database, rows).unwrap(), empty, "cut after {steps} steps");
            }
        }
    }
    assert!(cut > 0);
    if Cluster::shared().sql(&database, rows).unwrap() == empty {
        copy(&path, &owner, at(9000)).await.unwrap();
    }
}

/// The proof finds a single changed value.
#[tokio::test]
async fn a_table_that_came_out_different_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = busy(folder.path()).await;
    let (_, owner) = empty().await;
    copy(&path, &owner, at(9000)).await.unwrap();
    let mut source = source_of_copy(&path).await.unwrap();
    let mut target = target_of_copy(&owner).await.unwrap();
    let tables = plan::tables(&mut source, &mut target).await.unwrap();
    // The line that tells of the copy is the target's alone.
    let tables: Vec<_> = tables.into_iter().filter(|table| table.name != "audit").collect();
    compare(&mut source, &mut target, &tables).await.unwrap();
    for (sql, table) in [
        ("UPDATE record.users SET email = 'x' WHERE id = 'usr_a'", "users"),
        ("UPDATE record.balance_stripes SET level = level + 1 WHERE balance_id = 'bal_w'", "balances"),
        ("UPDATE record.charge_items SET lease_key = '' WHERE charge_id = 'chg_1'", "charge_items"),
        ("UPDATE record.runs SET params = '{\"a\": 1}' WHERE id = 'run_2'", "runs"),
        ("DELETE FROM record.saved_views", "saved_views"),
    ] {
        let mut tx = target.begin().await.unwrap();
        assert!(tx.execute(sql).await.unwrap().rows_affected() > 0, "{sql}");
        match compare(&mut source, &mut tx, &tables).await {
            Err(StoreError::Inconsistent { at, .. }) => assert_eq!(at, table),
            other => panic!("{sql}: {other:?}"),
        }
        tx.rollback().await.unwrap();
    }
}
