//! Files, versions, settings, and what a reopened record answers.

use std::path::Path;

use makegood_domain::diagnose::Verdict;
use makegood_domain::ports::{ActionStore, CaseStore, FactStore, QueueQuery, Store, StoreError};

use super::world::{at, base, begin, charge, done, finding, new_case, restore, run};
use crate::sqlite::SqliteStore;
use crate::sqlite::open::{MIGRATIONS, PRAGMAS, refuse_old_sqlite};
use crate::sqlite::place::network_file_system;

#[tokio::test]
async fn a_reopened_record_answers_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/makegood.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let mut facts = base();
    facts.extend([run("run_1", "a", "a", 10), charge("chg_1", "run_1", "a", 20, &[320], &[("bal_q", 320)])]);
    store.import(&facts, at(1000)).await.unwrap();
    let (case, _) = store.open_case(&new_case("c1")).await.unwrap();
    store.save_finding(&case.id, 1, &finding("run_1", Verdict::ProviderFailed, Some(at(5000)))).await.unwrap();
    let effect = restore("rfd_1", "chg_1", "run_1", 320);
    let key = begin(&store, "k1", "ana", std::slice::from_ref(&effect)).await;
    done(&store, &key, 0, &effect).await;
    let answers = |store: SqliteStore| {
        let (key, case) = (key.clone(), case.clone());
        async move {
            (
                store.scope(&case.ticket.requester, None, at(9000)).await.unwrap(),
                store.case(&case.id).await.unwrap(),
                store.queue(&QueueQuery::default()).await.unwrap(),
                store.action(&key).await.unwrap(),
                store.audit(None, 100).await.unwrap(),
                store.postings(&"acc_a".into(), 100).await.unwrap(),
                store.unfinished_actions().await.unwrap(),
            )
        }
    };
    let before = answers(store.clone()).await;
    store.close().await;
    drop(store);
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(answers(store.clone()).await, before);
    assert_eq!(store.audit_verify().await.unwrap(), None);
    let health = store.health().await.unwrap();
    assert_eq!((health.backend.as_str(), health.schema), ("sqlite", i64::try_from(MIGRATIONS.len()).unwrap()));
    assert_eq!(store.import(&facts, at(9000)).await.unwrap().added, 0);
}

#[tokio::test]
async fn every_connection_is_set_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("makegood.db")).await.unwrap();
    let mut connections = vec![store.writer.acquire().await.unwrap()];
    for _ in 0..4 {
        connections.push(store.readers.acquire().await.unwrap());
    }
    for (number, connection) in connections.iter_mut().enumerate() {
        for (pragma, wanted) in PRAGMAS {
            let found: i64 = sqlx::query_scalar(*pragma).fetch_one(&mut **connection).await.unwrap();
            assert_eq!(found, *wanted, "{pragma} of connection {number}");
        }
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut **connection).await.unwrap();
        assert_eq!(mode, "wal");
        let write = sqlx::query("DELETE FROM saved_views").execute(&mut **connection).await;
        assert_eq!(write.is_ok(), number == 0, "only the first connection writes");
    }
}

async fn refusal(path: &Path) -> String {
    match SqliteStore::open(path).await {
        Err(StoreError::Unavailable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_not_ours_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edited.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let edited = "UPDATE schema_migrations SET sha256 = 'x' WHERE number = 2";
    sqlx::raw_sql(edited).execute(&store.writer).await.unwrap();
    store.close().await;
    let why = refusal(&path).await;
    assert!(why.contains("schema change 2") && why.contains("0002_ledger"), "{why}");

    let path = folder.path().join("other.db");
    let store = SqliteStore::open(&path).await.unwrap();
    sqlx::raw_sql("PRAGMA application_id = 7").execute(&store.writer).await.unwrap();
    store.close().await;
    let why = refusal(&path).await;
    assert!(why.contains("another program"), "{why}");

    let path = folder.path().join("folder.db");
    std::fs::create_dir(&path).unwrap();
    let why = refusal(&path).await;
    assert!(why.contains("folder.db is a folder, and a record is a file"), "{why}");
    let why = refusal(&folder.path().join("edited.db").join("below.db")).await;
    assert!(why.contains("below.db") && why.contains("is a file, not a folder"), "{why}");
    let path = folder.path().join("link.db");
    std::os::unix::fs::symlink(folder.path().join("gone").join("file.db"), &path).unwrap();
    let why = refusal(&path).await;
    assert!(why.contains("link.db leads to a file that is not there"), "{why}");

    let path = folder.path().join("text.db");
    std::fs::write(&path, "this is no database, and longer than a header of one hundred bytes. ".repeat(20)).unwrap();
    let why = refusal(&path).await;
    assert!(why.contains("not a database"), "{why}");
}

#[test]
fn an_old_sqlite_is_refused() {
    for (version, fine) in [("3.46.0", false), ("3.51.2", false), ("3.51.3", true), ("3.52.0", true), ("4.0", true)] {
        assert_eq!(refuse_old_sqlite(version).is_ok(), fine, "{version}");
    }
}

#[test]
fn network_file_systems_are_known_by_their_mount() {
    let mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
                  30 22 0:40 / /home/ana rw shared:1 - nfs4 server:/ana rw\n\
                  31 30 8:2 / /home/ana/local\\040disk rw - btrfs /dev/sdb rw\n\
                  32 22 0:41 / /mnt/desk rw - cifs //desk rw\n\
                  33 22 0:42 / /mnt/ssh rw - fuse.sshfs host: rw";
    for (folder, wanted) in [
        ("/var/lib/makegood", None),
        ("/home/ana/makegood", Some("nfs4")),
        ("/home/ana/local disk/x", None),
        ("/home/anabel", None),
        ("/mnt/desk", Some("cifs")),
        ("/mnt/ssh/x", Some("fuse.sshfs")),
    ] {
        assert_eq!(network_file_system(mounts, Path::new(folder)).as_deref(), wanted, "{folder}");
    }
}
