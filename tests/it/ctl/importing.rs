//! Facts from files: as events and plain, compressed, as CSV; what is wrong with a line is told with its
//! number, kept, and tried again; what is interrupted goes on.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Said, ctl};

/// A connected profile without facts.
struct House {
    folder: TempDir,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().join("home");
        std::fs::create_dir(&home).expect("a folder");
        let vault = folder.path().join("vault");
        std::fs::create_dir(&vault).expect("a folder");
        let settings =
            format!("workspace = 'Acme'\nvault = '{}'\n[agent]\nid = 'ana'\nname = 'Ana'\n", vault.display());
        std::fs::write(home.join("makegood.toml"), settings).expect("settings");
        Self { folder }
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).expect("a file");
        path.display().to_string()
    }

    fn ctl(&self, arguments: &[&str]) -> Said {
        ctl(&self.home(), &[], arguments)
    }

    /// Imports, which must end with this code and begin its last words with these.
    fn import(&self, arguments: &[&str], code: i32, counts: &str) -> Said {
        let said = self.ctl(&[&["import"], arguments].concat());
        assert_eq!(said.code, Some(code), "{arguments:?}: {}{}", said.out, said.err);
        assert!(said.out.contains(counts), "{arguments:?}: {}", said.out);
        said
    }
}

fn facts() -> Vec<Value> {
    let at = "2026-06-01T10:00:00Z";
    let fact = |kind: &str, data: Value| json!({ "type": kind, "data": data });
    vec![
        fact("provider", json!({ "id": "meridian", "retention_hours": 48, "retention_source": "documented" })),
        fact(
            "model",
            json!({ "id": "clip", "display_name": "Clip", "family": "clip", "aliases": [],
            "provider_id": "meridian", "media": "video", "mode": "async" }),
        ),
        fact("user", json!({ "id": "ada", "email": "ada@customer.example", "timezone": null, "locale": null })),
        fact(
            "account",
            json!({ "id": "acc", "kind": "personal", "owner_user_id": "ada", "storage_quota_mb": 10,
            "storage_used_mb": 1, "subscription": null, "balances": [
                { "id": "quota", "kind": "subscription_quota", "opening": 300, "opening_at": at, "current": 300 },
                { "id": "wallet", "kind": "wallet", "opening": 100, "opening_at": at, "current": 100 }] }),
        ),
        fact(
            "project",
            json!({ "id": "film", "name": "Film", "account_id": "acc", "workspace_id": null,
            "status": "active", "deleted_at": null }),
        ),
        fact(
            "node",
            json!({ "id": "shot", "project_id": "film", "label": "Shot", "status": "active",
            "deleted_at": null }),
        ),
    ]
}

fn run(id: &str) -> Value {
    json!({ "type": "run", "data": { "id": id, "project_id": "film", "node_id": "shot", "started_by": "ada",
        "model_id": "clip", "started_at": "2026-06-01T10:01:00Z", "requested_items": 1, "status": "running",
        "cancelled_at": null, "retry_of": null, "retry_initiator": null } })
}

fn event(id: usize, plain: &Value) -> Value {
    let kind = plain["type"].as_str().expect("a kind");
    json!({ "specversion": "1.0", "id": format!("e-{id}"), "source": "/platform", "type": format!("makegood.{kind}.v1"),
        "time": "2026-06-01T11:00:00Z", "data": plain["data"] })
}

fn lines(values: impl IntoIterator<Item = Value>) -> String {
    values.into_iter().map(|value| format!("{value}\n")).collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut gzip = Command::new("gzip").arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("gzip");
    gzip.stdin.take().expect("its input").write_all(text.as_bytes()).expect("its input");
    gzip.wait_with_output().expect("its output").stdout
}

#[test]
fn events_plain_facts_and_compressed_ones_are_the_same_facts() {
    let house = House::new();
    let plain = house.file("plain.jsonl", lines(facts()));
    let events = house.file("events.jsonl", lines(facts().iter().enumerate().map(|(id, fact)| event(id, fact))));
    let packed = house.file("packed.jsonl.gz", gzip(&lines(facts().into_iter().chain([run("r1")]))));
    house.import(&[&plain], 0, "added 6 · updated 0 · unchanged 0 · rejected 0");
    house.import(&[&events], 0, "added 0 · updated 0 · unchanged 6 · rejected 0");
    house.import(&[&packed], 0, "added 1 · updated 0 · unchanged 6 · rejected 0");
    house.import(&[&packed], 0, "added 0 · updated 0 · unchanged 7 · rejected 0");
    assert_eq!(house.ctl(&["import", "nowhere.jsonl"]).code, Some(2));
}

#[test]
fn a_bad_line_is_named_kept_and_tried_again() {
    let house = House::new();
    let early = json!({ "type": "charge", "data": { "id": "c1", "run_id": "r1", "account_id": "acc",
        "posted_at": "2026-06-01T10:02:00Z", "total": 5, "items": [{ "item": 1, "credits": 5 }],
        "sources": [{ "balance_id": "quota", "kind": "subscription_quota", "amount": 5 }], "idempotency_key": "k" } });
    let mut text = lines(facts());
    text.push_str("{\"type\": \"run\", \"data\": {\"id\": 7}}\n\nnot json\n");
    text.push_str(&format!("{early}\n"));
    let file = house.file("feed.jsonl", &text);
    let report = house.folder.path().join("report.jsonl").display().to_string();
    let said = house.import(&[&file, "--report", &report], 1, "added 6 · updated 0 · unchanged 0 · rejected 3");
    assert!(said.out.contains("line 7: data.id: invalid type: integer `7`, expected a string"), "{}", said.out);
    assert!(said.out.contains("line 10: charge c1: there is no run r1"), "{}", said.out);
    let rows = std::fs::read_to_string(&report).expect("the report");
    let rows: Vec<Value> = rows.lines().map(|row| serde_json::from_str(row).expect("JSON")).collect();
    let seen: Vec<_> = rows.iter().map(|row| (row["line"].as_u64(), row["retryable"].as_bool())).collect();
    assert_eq!(seen, [(Some(7), Some(false)), (Some(9), Some(false)), (Some(10), Some(true))]);

    let listed = house.ctl(&["deadletters", "list"]);
    assert_eq!((listed.code, listed.out.lines().count()), (Some(0), 3), "{}{}", listed.out, listed.err);
    assert!(listed.out.contains("feed.jsonl:10  charge c1: there is no run r1"), "{}", listed.out);
    // The charge waited for the run, and is taken with it.
    let late = house.file("late.jsonl", lines([run("r1")]));
    let said = house.import(&[&late], 0, "added 1");
    assert!(said.out.contains("1 dead letters waited for these and are taken now"), "{}", said.out);
    assert_eq!(house.import(&["--retry"], 1, "dead letters: 0 taken · 2 wait").out.lines().count(), 1);
    let dropped = house.ctl(&["deadletters", "drop", "2", "3"]);
    assert_eq!(dropped.code, Some(0), "{}", dropped.err);
    assert_eq!(house.ctl(&["deadletters", "drop", "2"]).code, Some(1), "it does not wait any more");
    assert_eq!(house.ctl(&["deadletters", "list"]).out, "");
    assert_eq!(house.ctl(&["deadletters", "list", "--all", "--json"]).out.lines().count(), 3);
    house.import(&["--retry"], 0, "dead letters: 0 taken · 0 wait");
}

#[test]
fn charges_and_runs_come_as_csv_with_columns_of_any_name() {
    let house = House::new();
    house.import(&[&house.file("base.jsonl", lines(facts()))], 0, "added 6");
    let runs = "Run,project_id,node_id,started_by,model_id,started_at,status,note\n\
        r1,film,shot,ada,clip,2026-06-01T10:01:00Z,running,\"a, b\"\nr2,film,shot,ada,clip,soon,running,\n";
    let runs = house.file("runs.csv", runs);
    let said =
        house.import(&[&runs, "--csv", "runs", "--map", "Run=id"], 1, "added 1 · updated 0 · unchanged 0 · rejected 1");
    assert!(said.out.contains("line 3: data.started_at: "), "{}", said.out);
    let charges = "id,run,account_id,posted_at,credits,balance_id,balance_kind,amount,balance_id_2,balance_kind_2,items\n\
        c1,r1,acc,2026-06-01T10:02:00Z,100,quota,subscription_quota,60,wallet,wallet,3\n\
        c2,r1,acc,2026-06-01T10:03:00Z,10,quota,subscription_quota,9,,,1\n\
        c3,r1,acc,2026-06-01T10:03:00Z,ten,quota,subscription_quota,,,,\n";
    let charges = house.file("charges.csv", charges);
    let map = house.file("map.toml", "run = 'run_id'\ncredits = 'total'\n");
    let said = house.import(
        &[&charges, "--csv", "charges", "--map-file", &map],
        1,
        "added 1 · updated 0 · unchanged 0 · rejected 2",
    );
    assert!(said.out.contains("line 3: amount: 1 credits of 10 were drawn from no balance"), "{}", said.out);
    assert!(said.out.contains("line 4: total: \"ten\" is no whole number"), "{}", said.out);
    let usage = house.ctl(&["export", "usage", "--csv"]);
    assert!(usage.out.contains("c1") && usage.out.contains("100"), "{}", usage.out);
    for (arguments, why) in [
        (vec!["--map", "Nothing=id"], "it has no column \"Nothing\""),
        (vec!["--map", "run=runid"], "runid is no field of such a row"),
        (vec![], "it has no column for run_id"),
    ] {
        let said = house.ctl(&[&["import", &charges, "--csv", "charges"], arguments.as_slice()].concat());
        assert_eq!(said.code, Some(2), "{arguments:?}");
        assert!(said.err.contains(why), "{arguments:?}: {}", said.err);
    }
}

/// Whoever exported it can find the place; and what is readable beside it is taken.
#[test]
fn a_row_that_cant_be_read_is_named_by_line_and_column_and_takes_no_other_along() {
    let house = House::new();
    house.import(&[&house.file("base.jsonl", lines(facts()))], 0, "added 6");
    let runs = "Run,project_id,node_id,started_by,model_id,started_at,status,note\n\
        r1,film,shot,ada,clip,2026-06-01T10:01:00Z,running,\"two\nlines\"\n\
        ,,,,,,,\n\
        r2,film,shot\n\
        r3,\"film,shot,ada,clip,2026-06-01T10:01:00Z,running,\n\
        r4,film,shot,ada,clip,2026-06-01T10:01:00Z,running,\n\
        r5,film,\"shot\",,clip,2026-06-01T10:01:00Z,running,\n\
        r6,film,\"shot\",ada,clip,2026-06-01T10:01:00Z,running,\"said \"\"so\"\"\"\n\
        r7,film,shot,ada,clip,2026-06-01T10:01:00Z,running,\"";
    let runs = house.file("runs.csv", runs);
    let report = house.home().join("report.jsonl").display().to_string();
    let arguments = [runs.as_str(), "--csv", "runs", "--map", "Run=id", "--report", &report];
    let said = house.import(&arguments, 1, "added 3 · updated 0 · unchanged 0 · rejected 5");
    for why in [
        "line 4: the row is empty: there is nothing in its columns 1 to 8",
        "line 5: started_by: column 4 (\"started_by\") is missing: the row has 3 of 8 columns",
        "line 6: column 2 (\"project_id\"): a quote is opened and not closed",
        "line 8: started_by: column 4 (\"started_by\") is empty",
        "line 10: column 8 (\"note\"): a quote is opened and not closed",
    ] {
        assert!(said.out.contains(why), "{why}: {}", said.out);
    }
    let report = std::fs::read_to_string(&report).expect("a report");
    assert_eq!(report.lines().count(), 5, "{report}");
    house.import(&arguments, 1, "added 0 · updated 0 · unchanged 3 · rejected 5");
}

/// What was read is noted with each thousand lines; a record that says that an import was interrupted is
/// believed, unless it is told not to be.
#[test]
fn an_interrupted_import_goes_on_where_it_was() {
    let house = House::new();
    house.import(&[&house.file("base.jsonl", lines(facts()))], 0, "added 6");
    let first: String = lines((0..1_000).map(|number| run(&format!("r{number}"))));
    let rest: String = lines((1_000..1_500).map(|number| run(&format!("r{number}"))));
    let file = house.file("runs.jsonl", format!("{first}{rest}"));
    house.import(&[&file], 0, "added 1500");
    let record = house.home().join("makegood.sqlite");
    let sql = format!(
        "UPDATE import_positions SET byte = {}, line = 1000, done = 0 WHERE file LIKE '%runs.jsonl'",
        first.len()
    );
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        use sqlx::{ConnectOptions as _, Connection as _};
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&record);
        let mut connection = options.connect().await.expect("the record");
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.expect("a position");
        connection.close().await.expect("closed");
    });
    let said = house.import(&[&file], 0, "added 0 · updated 0 · unchanged 500");
    assert!(said.err.contains("going on after line 1000 of"), "{}", said.err);
    house.import(&[&file], 0, "unchanged 1500");
    house.import(&[&file, "--from-start"], 0, "unchanged 1500");
}

#[test]
fn the_schemas_are_printed() {
    let house = House::new();
    let types = house.ctl(&["schema", "--list"]);
    assert_eq!(
        (types.code, types.out.lines().count()),
        (Some(0), 15 + 6),
        "those that are taken, and those that are told"
    );
    for word in types.out.lines() {
        let schema: Value = serde_json::from_str(&house.ctl(&["schema", word]).out).expect("JSON");
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{word}");
    }
    let whole: Value = serde_json::from_str(&house.ctl(&["schema"]).out).expect("JSON");
    assert_eq!(whole["$defs"].as_object().map(|all| all.len()), Some(15));
    let unknown = house.ctl(&["schema", "horse"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("horse is no type of event"), "{}", unknown.err);
}
