//! Records that can't be written: newer than the program, read-only, or on a full disk.

use std::path::Path;

use makegood_domain::diagnose::Verdict;
use makegood_domain::feed::Fact;
use makegood_domain::plan::{CaseState, Effect};
use makegood_domain::ports::{
    ActionState, ActionStore, ApprovalStore, AuditLine, CaseStore, ChosenRuns, Draft, DraftKind, FactStore, QueueQuery,
    SavedView, Store, StoreError, StoreResult,
};
use makegood_domain::support::MessageKind;
use sha2::{Digest, Sha256};

use super::world::{assert_whole, at, base, begin, charge, finding, new_case, number, order, plan, run};
use crate::sqlite::SqliteStore;
use crate::sqlite::place::says_read_only;

/// A record with a case and an action under way, closed.
async fn filled(path: &Path) {
    let store = SqliteStore::open(path).await.unwrap();
    store.import(&base(), at(1000)).await.unwrap();
    begin(&store, "k1", "ana", &[Effect::SetCase { state: CaseState::Settled, follow_up_at: None }]).await;
    store.close().await;
}

fn digest(path: &Path) -> String {
    hex::encode(Sha256::digest(std::fs::read(path).unwrap()))
}

/// Whatever the ports can write, each named.
async fn writes(store: &SqliteStore) -> Vec<(&'static str, StoreResult<()>)> {
    let (case, _) = (store.queue(&QueueQuery::default()).await.unwrap().lines.remove(0).case_id, ());
    let record = store.case(&case).await.unwrap();
    let say = Effect::SetCase { state: CaseState::Settled, follow_up_at: None };
    let draft = Draft {
        case_id: case.clone(),
        kind: DraftKind::Reply,
        author: "ana".into(),
        text: "Dear Ana".into(),
        revision: 0,
        saved_at: at(2),
    };
    let chosen = ChosenRuns { run_ids: vec![], agent: "ana".into(), at: at(2), reason: "guess".into() };
    let view = SavedView { name: "mine".into(), query: QueueQuery::default() };
    let found = finding("run_1", Verdict::ProviderFailed, None);
    let person = store.identity(&"ana".into(), at(3)).await.unwrap().person;
    vec![
        ("import", store.import(&[run("run_9", "a", "a", 10)], at(2)).await.map(drop)),
        ("open_case", store.open_case(&new_case("c9")).await.map(drop)),
        ("save_finding", store.save_finding(&case, record.revision, &found).await.map(drop)),
        ("choose_runs", store.choose_runs(&case, record.revision, &chosen).await.map(drop)),
        ("assign", store.assign(&case, None, &"ana".into(), at(2)).await),
        ("save_draft", store.save_draft(&draft, 0).await.map(drop)),
        ("save_view", store.save_view(&"ana".into(), &view).await),
        ("delete_view", store.delete_view(&"ana".into(), "mine").await),
        ("begin", store.begin_action(&order("k9", "ana"), &plan(&case, record.revision)).await.map(drop)),
        ("apply", store.apply(&"k1".into(), 0, 0, &say, at(2)).await.map(drop)),
        ("finish", store.finish_action(&"k1".into(), &ActionState::Done, at(2)).await),
        ("put_person", store.put_person(&person, at(2)).await),
    ]
}

#[tokio::test]
async fn a_newer_record_is_read_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("makegood.db");
    filled(&path).await;
    let store = SqliteStore::open(&path).await.unwrap();
    let newer = "INSERT INTO schema_migrations VALUES (99, '0099_future', 'x')";
    sqlx::raw_sql(newer).execute(&store.writer).await.unwrap();
    store.close().await;
    let before = digest(&path);
    let store = SqliteStore::open(&path).await.unwrap();
    assert!(store.read_only().unwrap().contains("0099_future"), "{:?}", store.read_only());
    for _ in 0..16 {
        for (name, outcome) in writes(&store).await {
            match outcome {
                Err(StoreError::Unavailable(why)) => {
                    assert!(why.contains("newer Makegood (schema 99") && why.contains("makegood.db"), "{name}: {why}");
                }
                other => panic!("{name}: {other:?}"),
            }
        }
    }
    assert_eq!(store.health().await.unwrap().schema, 99);
    assert_eq!(store.unfinished_actions().await.unwrap().len(), 1);
    assert_eq!(store.audit_verify().await.unwrap(), None);
    store.close().await;
    assert_eq!(digest(&path), before);
}

/// Two versions side by side: the newer one changes the schema while the older one has the record open.
#[tokio::test]
async fn a_record_that_a_newer_program_changes_meanwhile_is_written_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("makegood.db");
    filled(&path).await;
    let old = SqliteStore::open(&path).await.unwrap();
    old.put_person(&old.identity(&"ana".into(), at(3)).await.unwrap().person, at(3)).await.unwrap();
    let newer = SqliteStore::open(&path).await.unwrap();
    let change = "INSERT INTO schema_migrations VALUES (99, '0099_future', 'x')";
    sqlx::raw_sql(change).execute(&newer.writer).await.unwrap();
    newer.close().await;
    let before = answers(&old).await;
    for (name, outcome) in writes(&old).await {
        let why = outcome.unwrap_err().to_string();
        assert!(why.contains("changed by a newer Makegood (schema 99, 0099_future"), "{name}: {why}");
    }
    assert_eq!(answers(&old).await, before, "nothing is written, and all can be read");
}

#[tokio::test]
async fn a_record_that_cannot_be_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("makegood.db");
    filled(&path).await;
    let before = digest(&path);
    let why = "the disk is read-only, and the record is only read";
    let store = SqliteStore::open_read_only(&path, why.to_owned()).await.unwrap();
    for (name, outcome) in writes(&store).await {
        assert_eq!(outcome.unwrap_err().to_string(), why, "{name}");
    }
    // Also past the gate, the connection itself refuses.
    let past = sqlx::raw_sql("DELETE FROM saved_views").execute(&store.writer).await;
    assert!(past.unwrap_err().to_string().contains("readonly"));
    store.close().await;
    assert_eq!(digest(&path), before);
}

#[test]
fn what_the_system_says_of_a_read_only_file() {
    use std::io::ErrorKind::{AlreadyExists, NotFound, PermissionDenied, ReadOnlyFilesystem, StorageFull};
    for (kind, wanted) in [
        (PermissionDenied, true),
        (ReadOnlyFilesystem, true),
        (NotFound, false),
        (AlreadyExists, false),
        (StorageFull, false),
    ] {
        assert_eq!(says_read_only(&kind.into()), wanted, "{kind:?}");
    }
}

/// Pages that are left, one round after another.
const ROOMS: [i64; 7] = [0, 1, 2, 4, 8, 16, 32];

/// The disk fills up at some point of a batch or an effect: all of it is done or nothing, reading
/// goes on, and with room the same is done.
#[tokio::test]
async fn a_full_disk_loses_nothing_and_halves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("makegood.db")).await.unwrap();
    store.import(&base(), at(1000)).await.unwrap();
    let long = Effect::Say { kind: MessageKind::Note, text: "x".repeat(100_000), locale: "en".to_owned() };
    let key = begin(&store, "k1", "ana", &ROOMS.map(|_| long.clone())).await;
    let mut refusals = 0;
    for (round, room) in (0_u32..).zip(ROOMS) {
        leave_room(&store, room).await;
        let before = answers(&store).await;
        match store.import(&batch(round), at(3000)).await {
            Ok(report) => assert_eq!((report.added, report.rejected.len()), (400, 0)),
            Err(error) => {
                refusals += 1;
                assert_full(&error);
                assert_eq!(answers(&store).await, before, "nothing is half done");
            }
        }
        leave_room(&store, 0).await;
        let before = answers(&store).await;
        assert_full(&store.apply(&key, round, 0, &long, at(3000)).await.unwrap_err());
        assert_eq!(answers(&store).await, before, "nothing is half done");
        leave_room(&store, 1000).await;
        store.apply(&key, round, 0, &long, at(3000)).await.unwrap();
        assert_whole(&store).await;
        assert_eq!(store.audit_verify().await.unwrap(), None);
    }
    assert!(refusals >= 3, "{refusals} batches met a full disk");
    assert_eq!(store.import(&batch(0), at(3001)).await.unwrap().added, 400, "what was refused first");
    store.finish_action(&key, &ActionState::Done, at(3002)).await.unwrap();
}

/// Lets the file grow by so many pages from now on.
async fn leave_room(store: &SqliteStore, pages: i64) {
    let now = number(store, "PRAGMA page_count").await;
    let limit = format!("PRAGMA max_page_count = {}", now + pages);
    sqlx::raw_sql(sqlx::AssertSqlSafe(limit)).execute(&store.writer).await.unwrap();
}

fn batch(round: u32) -> Vec<Fact> {
    let pair = |place| {
        let (run_id, id) = (format!("run_{round}_{place}"), format!("chg_{round}_{place}"));
        [run(&run_id, "a", "a", 10), charge(&id, &run_id, "a", 20, &[1], &[("bal_q", 1)])]
    };
    (0..200).flat_map(pair).collect()
}

fn assert_full(error: &StoreError) {
    assert_eq!(error.to_string(), "the disk is full: nothing was changed");
}

async fn answers(store: &SqliteStore) -> (i64, i64, i64, Vec<AuditLine>) {
    (
        number(store, "SELECT count(*) FROM runs").await,
        number(store, "SELECT count(*) FROM postings").await,
        number(store, "SELECT count(*) FROM messages").await,
        store.audit(None, 100).await.unwrap(),
    )
}
