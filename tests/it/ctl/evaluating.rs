//! Labelled cases come out right, and the same, in memory and on a PostgreSQL server.

use makegood_testkit::postgres::{Cluster, SUPERUSER};

use super::{Said, ctl};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases.jsonl");

fn evaluate(arguments: &[&str]) -> Said {
    let home = tempfile::tempdir().expect("a folder");
    ctl(home.path(), &[], &[&["evaluate", CASES], arguments].concat())
}

fn schemas(database: &str) -> String {
    let sql = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1";
    Cluster::shared().sql(database, sql).expect("the catalogue can be read")
}

#[test]
fn cases_come_out_as_labelled_and_the_same_on_both_databases() {
    let cluster = Cluster::shared();
    let database = cluster.empty_database().expect("a database");
    // What was left by an evaluation that was killed.
    cluster
        .sql(&database, "CREATE SCHEMA makegood_scratch; CREATE SCHEMA record; CREATE TABLE record.runs (id text)")
        .expect("left over");
    let url = cluster.url(&database, SUPERUSER);
    let (memory, server) = (evaluate(&["--json"]), evaluate(&["--json", "--record", &url]));
    for said in [&memory, &server] {
        assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    }
    assert_eq!(memory.out, server.out);
    let report: serde_json::Value = serde_json::from_str(&memory.out).expect("a report");
    let labelled = std::fs::read_to_string(CASES).expect("the cases").lines().count();
    for (name, wanted) in [("cases", labelled), ("right", labelled), ("leaks", 0), ("overpaid", 0)] {
        assert_eq!(report["totals"][name], wanted, "{name}");
    }
    assert_eq!(schemas(&database), "information_schema\npublic\n", "the database is empty again");
}

#[test]
fn a_database_that_holds_anything_is_left_alone() {
    let cluster = Cluster::shared();
    for (made, named) in [
        ("CREATE TABLE wages (a int)", "table public.wages"),
        ("CREATE SCHEMA record", "schema record"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "function public.f"),
        ("CREATE TYPE mood AS ENUM ('fine')", "type public.mood"),
    ] {
        let database = cluster.empty_database().expect("a database");
        cluster.sql(&database, made).expect("made");
        let before = schemas(&database);
        let said = evaluate(&["--record", &cluster.url(&database, SUPERUSER)]);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{}", said.err);
        assert!(said.err.contains(&format!("/{database} is not empty: it holds {named}")), "{}", said.err);
        assert_eq!(schemas(&database), before, "{made}");
    }
}

#[test]
fn a_case_that_cannot_be_imported_leaves_the_database_empty() {
    let cluster = Cluster::shared();
    let database = cluster.empty_database().expect("a database");
    let folder = tempfile::tempdir().expect("a folder");
    let text = std::fs::read_to_string(CASES).expect("the cases");
    let mut case: serde_json::Value = serde_json::from_str(text.lines().next().expect("a case")).expect("JSON");
    case["world"]["charges"][0]["account_id"] = "acc_nobody".into();
    let file = folder.path().join("broken.jsonl");
    std::fs::write(&file, case.to_string()).expect("written");
    let path = file.display().to_string();
    let said = ctl(folder.path(), &[], &["evaluate", &path, "--record", &cluster.url(&database, SUPERUSER)]);
    assert_eq!(said.code, Some(2), "{}", said.out);
    assert!(said.err.contains("broken.jsonl: case L-01: its world can't be imported: charge chg_gate"), "{}", said.err);
    assert_eq!(schemas(&database), "information_schema\npublic\n");
}
