//! What every store must do, on SQLite.

use async_trait::async_trait;
use makegood_domain::plan::Effect;
use makegood_domain::ports::FactStore as _;
use sqlx::AssertSqlSafe;

use super::world::{at, base, begin, charge, done, number, output, run};
use crate::behaviour::Seen;
use crate::sqlite::{self, SqliteStore};

/// A record that has taken the base facts.
async fn store() -> SqliteStore {
    let store = SqliteStore::open_in_memory().await.unwrap();
    assert_eq!(store.import(&base(), at(1000)).await.unwrap().rejected, vec![]);
    store
}

#[async_trait]
impl Seen for SqliteStore {
    async fn empty() -> Self {
        Self::open_in_memory().await.unwrap()
    }

    async fn numbers(&self, sql: &str) -> Vec<i64> {
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&self.writer).await.unwrap()
    }

    async fn texts(&self, sql: &str) -> Vec<String> {
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&self.writer).await.unwrap()
    }
}

every_behaviour!(super::store);
every_seen_behaviour!(crate::sqlite::SqliteStore);

/// A pass must cost what is due, not what was ever charged: no statement of it reads a whole table.
#[tokio::test]
async fn the_list_is_followed_and_claimed_by_index() {
    let store = store().await;
    let modules = [
        sqlite::due_runs::STATEMENTS,
        sqlite::detections::STATEMENTS,
        sqlite::sweeps::STATEMENTS,
        sqlite::approvals::STATEMENTS,
    ];
    // A view is shown as a scan of its rows, each found by index; json_each and `wanted` are what was asked for.
    let small = ["reconciler_limits", "default_limits", "CONSTANT", "run_contradictions", "json_each", "wanted"];
    let mut steps = 0;
    for (name, sql) in modules.into_iter().flatten().filter(|(name, _)| !matches!(*name, "NEWEST")) {
        let plan = format!("EXPLAIN QUERY PLAN {sql}");
        let rows: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(AssertSqlSafe(plan)).fetch_all(&store.writer).await.unwrap();
        for (.., step) in rows {
            let scanned = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
            assert!(scanned.is_none_or(|table| small.contains(&table)), "{name}: {step}\n{sql}");
            assert!(!step.contains("_by_account"), "{name} reads an account's history: {step}");
            steps += usize::from(step.starts_with("SEARCH "));
        }
    }
    assert!(steps > 20, "{steps} searches: the plans were read");
}

/// A record from before the list, with open runs in it, has them on the list when it is opened now.
#[tokio::test]
async fn an_older_record_gets_its_list() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("makegood.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let facts = [run("r1", "a", "a", 10), charge("chg_r1", "r1", "a", 20, &[10], &[("bal_q", 10)])];
    let more = [run("r2", "a", "a", 10), output("out_2", "r2", "b", "stored"), run("r3", "a", "a", 10)];
    store.import(&[base().as_slice(), &facts, &more].concat(), at(1000)).await.unwrap();
    let open = Effect::OpenIncident { run_id: None, output_ids: vec!["out_2".into()], summary: "seen".into() };
    let key = begin(&store, "k1", "ana", std::slice::from_ref(&open)).await;
    done(&store, &key, 0, &open).await;
    // Back to the schema of before, with everything in it.
    sqlx::raw_sql(BACK_TO_0005).execute(&store.writer).await.unwrap();
    store.close().await;
    let store = SqliteStore::open(&path).await.unwrap();
    let due = crate::behaviour::due(&store, at(1000)).await;
    assert_eq!(due, [("r1".to_owned(), Some(at(20))), ("r2".to_owned(), None)]);
    assert_eq!(number(&store, "SELECT count(*) FROM incidents WHERE action_key = 'k1'").await, 1);
    assert_eq!(number(&store, "SELECT count(*) FROM incident_outputs").await, 1);
    assert_eq!(number(&store, "SELECT count(*) FROM pragma_foreign_key_check").await, 0);
}

const BACK_TO_0005: &str = "
    DROP VIEW sweep_restorations; DROP VIEW due_run_changes;
    DROP TRIGGER refunds_reverse; DROP TABLE released_refunds; DROP TABLE releases;
    DROP VIEW standing_captures; DROP TABLE captures;
    DROP TRIGGER outputs_have_their_file; DROP TRIGGER outputs_show_what_is_there; DROP INDEX outputs_by_vault; DROP TABLE removals; DROP TABLE this_record;
    DROP TABLE letter_tries; DROP TABLE endpoints; DROP INDEX outbox_to_tell; DROP TRIGGER jobs_meet_deliveries; DROP TABLE deliveries; DROP TABLE pruned;
    DROP TABLE events_taken; DROP TABLE dead_letters; DROP TABLE import_positions; DROP TABLE logins; DROP TABLE approvals; DROP TABLE person_days; DROP TABLE default_limits; DROP TABLE people;
    DROP INDEX outputs_by_node; DROP INDEX refunds_by_time; DROP INDEX charges_by_time; DROP TABLE passes; DROP TABLE detections;
    DROP TABLE reconciler_hours; DROP TABLE reconciler_limits; DROP TRIGGER actions_new; DROP TABLE sweep_steps;
    DROP TABLE due_runs; DROP VIEW run_contradictions; DROP VIEW open_items;
    CREATE TABLE old_incidents (id TEXT PRIMARY KEY, case_id TEXT NOT NULL REFERENCES cases (id), run_id TEXT,
        summary TEXT NOT NULL, opened_at INTEGER NOT NULL, action_key TEXT NOT NULL REFERENCES actions (key)) STRICT;
    INSERT INTO old_incidents SELECT id, case_id, run_id, summary, opened_at, action_key FROM incidents;
    CREATE TABLE old_outputs (incident_id TEXT NOT NULL REFERENCES old_incidents (id),
        output_id TEXT NOT NULL REFERENCES outputs (id), PRIMARY KEY (incident_id, output_id)) STRICT, WITHOUT ROWID;
    INSERT INTO old_outputs SELECT incident_id, output_id FROM incident_outputs;
    DROP TABLE incident_outputs; DROP TABLE incidents;
    ALTER TABLE old_incidents RENAME TO incidents; ALTER TABLE old_outputs RENAME TO incident_outputs;
    DELETE FROM schema_migrations WHERE number > 5;";
