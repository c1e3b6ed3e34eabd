//! `makegoodctl recover` and `release` as they are run, against a provider on this machine: what they show before and
//! while they do something, how they are interrupted, and what they refuse.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ports::Clock as _;
use makegood_testkit::{Reply, Sample, Server};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::{Said, ctl};

const KEY: (&str, &str) = ("REP_KEY", "r8_bringing");

/// A connected profile whose one provider is `server`.
struct Studio {
    folder: TempDir,
    server: Server,
    clip: Vec<u8>,
    now: Timestamp,
}

impl Studio {
    /// With runs of one item each that were charged 30 hours ago, and what the platform tells further.
    async fn open(runs: &[&str], further: &[Value]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start().await.expect("a port");
        let base = server.base();
        let settings = format!(
            "workspace = 'Acme'\n[agent]\nid = 'ana'\nname = 'Ana'\n[reconciler]\nevery = 'off'\n[[provider]]\n\
             id = 'rep'\nadapter = 'replicate'\nkey_env = 'REP_KEY'\nbase_url = '{base}/v1'\nretention_hours = 72\n"
        );
        std::fs::write(folder.path().join("makegood.toml"), settings).expect("settings");
        let now = makegood::clock::SystemClock.now();
        let studio = Self { folder, server, clip: Sample::mp4(200_000).bytes, now };
        let mut facts = studio.ground(runs.len().max(1));
        runs.iter().for_each(|run| facts.extend(studio.run(run)));
        studio.tell("import", "facts.jsonl", &[&facts[..], further].concat());
        for run in runs {
            studio.says(run, "succeeded");
            studio.gives(run, Reply::file("video/mp4", studio.clip.clone()));
        }
        studio
    }

    fn at(&self, hours_ago: i64) -> String {
        (self.now - SignedDuration::from_hours(hours_ago)).to_string()
    }

    fn home(&self) -> &Path {
        self.folder.path()
    }

    fn ctl(&self, arguments: &[&str]) -> Said {
        ctl(self.home(), &[KEY], arguments)
    }

    /// Writes rows to a file and gives it to a command, which must take all of them.
    fn tell(&self, command: &str, name: &str, rows: &[Value]) {
        let path = self.home().join(name);
        std::fs::write(&path, rows.iter().map(|row| format!("{row}\n")).collect::<String>()).expect("a file");
        let said = self.ctl(&[command, path.to_str().expect("a path of text")]);
        assert_eq!(said.code, Some(0), "{command}: {}{}", said.out, said.err);
    }

    /// A customer who has 500 credits left after so many runs.
    fn ground(&self, runs: usize) -> Vec<Value> {
        let (opening, before) = (500 + 40 * runs, self.at(900));
        vec![
            fact("provider", json!({ "id": "rep", "retention_hours": 72, "retention_source": "contract" })),
            fact(
                "model",
                json!({ "id": "clip", "display_name": "Clip", "family": "clip", "aliases": [],
                "provider_id": "rep", "media": "video", "mode": "async" }),
            ),
            fact("user", json!({ "id": "ada", "email": "ada@customer.example", "timezone": null, "locale": null })),
            fact(
                "account",
                json!({ "id": "acc", "kind": "personal", "owner_user_id": "ada", "storage_quota_mb": 1000,
                "storage_used_mb": 1, "subscription": null, "balances": [
                    { "id": "bal_w", "kind": "wallet", "opening": opening, "opening_at": before, "current": 500 }] }),
            ),
            fact(
                "project",
                json!({ "id": "film", "name": "Film", "account_id": "acc", "workspace_id": null, "status": "active",
                "deleted_at": null }),
            ),
            fact(
                "node",
                json!({ "id": "shot", "project_id": "film", "label": "Shot", "status": "active",
                "deleted_at": null }),
            ),
        ]
    }

    fn run(&self, id: &str) -> Vec<Value> {
        let at = self.at(30);
        vec![
            fact(
                "run",
                json!({ "id": id, "project_id": "film", "node_id": "shot", "started_by": "ada", "model_id": "clip",
                "started_at": at, "requested_items": 1, "status": "post_processing_failed", "cancelled_at": null,
                "retry_of": null, "retry_initiator": null, "params": {} }),
            ),
            fact(
                "charge",
                json!({ "id": format!("chg_{id}"), "run_id": id, "account_id": "acc", "posted_at": at, "total": 40,
                "items": [{ "item": 1, "credits": 40 }],
                "sources": [{ "balance_id": "bal_w", "kind": "wallet", "amount": 40 }], "idempotency_key": id }),
            ),
            fact(
                "job",
                json!({ "id": format!("job-{id}"), "run_id": id, "provider_id": "rep", "submitted_at": at,
                "state": "processing", "processing_started_at": at, "finished_at": null, "items": [], "error": null }),
            ),
        ]
    }

    /// The platform's refund of a run.
    fn refund(&self, run: &str, hours_ago: i64) -> Value {
        let row = json!({ "id": format!("ref_{run}"), "charge_id": format!("chg_{run}"), "run_id": run,
            "posted_at": self.at(hours_ago), "state": "posted", "kind": "auto", "items": [1],
            "lines": [{ "balance_id": "bal_w", "kind": "wallet", "amount": 40 }], "ticket_id": null });
        fact("refund", row)
    }

    /// What its provider says of the job of a run.
    fn says(&self, run: &str, status: &str) {
        let output = (status == "succeeded").then(|| json!([format!("{}/{run}.mp4", self.server.base())]));
        let job = json!({ "id": format!("job-{run}"), "model": "acme/clip", "version": "hidden", "status": status,
            "input": {}, "output": output, "error": null, "created_at": self.at(30), "started_at": self.at(30),
            "completed_at": self.at(29) });
        self.server.on(&format!("/v1/predictions/job-{run}"), [Reply::json(200, &job)]);
    }

    fn gives(&self, run: &str, reply: Reply) {
        self.server.on(&format!("/{run}.mp4"), [reply]);
    }

    /// A ticket about a run, taken in as a case.
    fn complain(&self, ticket: &str, run: &str) {
        let row = json!({ "id": ticket, "subject": "Charged and no clip", "body": format!("Run {run}: the node is empty."),
            "created_at": self.at(2), "requester": { "user_id": "ada", "email": "ada@customer.example", "locale": "en-US",
            "timezone": "UTC" }, "attachments": [] });
        self.tell("triage", &format!("{ticket}.jsonl"), &[row]);
    }

    /// Everything below the vault, but for what was refused and is evidence.
    fn everything(&self) -> Vec<PathBuf> {
        let mut files = all_files(&self.home().join("vault"));
        // What was refused, and the mark that says whose the vault is, are no files of anybody's.
        files.retain(|file| {
            file.extension().is_none_or(|extension| extension != "evidence") && !file.ends_with("owner")
        });
        files
    }

    /// The files that are kept. What a transfer was locked by is swept later.
    fn files(&self) -> Vec<PathBuf> {
        let transit = self.home().join("vault").join("transit");
        self.everything().into_iter().filter(|file| !file.starts_with(&transit)).collect()
    }
}

fn fact(kind: &str, data: Value) -> Value {
    json!({ "type": kind, "data": data })
}

fn all_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_shown_brought_and_read_back_and_then_there_is_nothing_more_to_bring() {
    let studio = Studio::open(&["run_a1b2c3"], &[]).await;
    studio.complain("T-1", "run_a1b2c3");
    let shown = studio.ctl(&["recover", "T-1", "--dry-run"]);
    assert_eq!(shown.code, Some(0), "{}{}", shown.out, shown.err);
    for part in ["Webhook lost → Recover", "review    Recover 1 output", "item 1 of run_a1b2c3, 200144 bytes → Film"]
    {
        assert!(shown.out.contains(part), "{part}: {}", shown.out);
    }
    let done = studio.ctl(&["recover", "run_a1b2c3"]);
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    assert!(done.out.contains("outcome   Done") && done.out.contains("read back from the vault"), "{}", done.out);
    assert!(done.out.contains(&sha256(&studio.clip)), "{}", done.out);
    let [file] = &studio.files()[..] else { panic!("{:?}", studio.files()) };
    assert_eq!(std::fs::read(file).expect("there"), studio.clip);
    let again = studio.ctl(&["recover", "T-1"]);
    assert_eq!(again.code, Some(1), "{}", again.out);
    assert!(again.err.contains("no file is brought: "), "{}", again.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_or_not_called_for_is_refused_by_name() {
    let studio = Studio::open(&["run_a1b2c3", "run_d4e5f6"], &[]).await;
    studio.complain("T-1", "run_a1b2c3");
    studio.complain("T-2", "run_d4e5f6");
    studio.says("run_d4e5f6", "failed");
    let who = ["--agreed-by", "Ada", "--agreed-at", &studio.at(0), "--agreed-in", "yes"];
    for command in ["recover", "release"] {
        for what in ["T-9", "run_c", "", "' OR 1=1 --", "../../etc/passwd"] {
            let consent = if command == "release" { &who[..] } else { &[] };
            let said = studio.ctl(&[&[command], consent, &["--", what]].concat());
            assert_eq!(said.code, Some(2), "{command} {what:?}: {}{}", said.out, said.err);
            assert!(said.err.contains("there is no case"), "{command} {what:?}: {}", said.err);
        }
    }
    for (arguments, why) in
        [(&["recover", "T-2"][..], "no file is brought: "), (&["recover", "T-1", "--item", "2"], "item 2 is not among")]
    {
        let said = studio.ctl(arguments);
        assert_eq!(said.code, Some(1), "{arguments:?}: {}{}", said.out, said.err);
        assert!(said.err.contains(why), "{arguments:?}: {}", said.err);
    }
    let said = studio.ctl(&[&["release", "T-1"], &who[..], &["--yes"]].concat());
    assert_eq!(said.code, Some(2), "{}", said.out);
    assert!(said.err.contains("there is nothing to release"), "{}", said.err);
    let files = studio.files();
    assert!(files.len() <= 1, "only what a look-up has saved may be there: {files:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_cases_about_one_run_are_told_apart() {
    let studio = Studio::open(&["run_a1b2c3"], &[]).await;
    studio.complain("T-1", "run_a1b2c3");
    studio.complain("T-2", "run_a1b2c3");
    let said = studio.ctl(&["recover", "run_a1b2c3"]);
    assert_eq!(said.code, Some(2), "{}", said.out);
    assert!(said.err.contains("say which"), "{}", said.err);
    assert_eq!(studio.ctl(&["recover", "T-1"]).code, Some(0));
}

/// Runs `recover` until it has shown a part of the file, interrupts it, and tells all that it said.
fn interrupted(studio: &Studio, signal: &str) -> Said {
    let mut child: Child = Command::new(env!("CARGO_BIN_EXE_makegoodctl"))
        .arg("--home")
        .arg(studio.home())
        .args(["recover", "T-1"])
        .env("HOME", studio.home())
        .env(KEY.0, KEY.1)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("makegoodctl can be run");
    let mut lines = BufReader::new(child.stderr.take().expect("its words")).lines();
    let mut err = String::new();
    for line in lines.by_ref().map_while(Result::ok) {
        err.push_str(&line);
        err.push('\n');
        if line.contains("item 1 of run_a1b2c3: 0.") {
            break;
        }
    }
    let told = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(told.is_ok_and(|told| told.success()));
    lines.map_while(Result::ok).for_each(|line| err.push_str(&format!("{line}\n")));
    let mut out = String::new();
    child.stdout.take().expect("its output").read_to_string(&mut out).expect("text");
    Said { code: child.wait().expect("ended").code(), out, err }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_ends_the_transfer_leaves_nothing_half_and_may_be_followed_by_another_try() {
    for signal in ["-INT", "-TERM"] {
        let studio = Studio::open(&["run_a1b2c3"], &[]).await;
        studio.complain("T-1", "run_a1b2c3");
        studio.gives("run_a1b2c3", Reply::file("video/mp4", studio.clip.clone()).stall_after(120_000));
        let said = interrupted(&studio, signal);
        assert_eq!(said.code, Some(1), "{signal}: {}{}", said.out, said.err);
        assert!(said.out.contains("cancelled by ana"), "{signal}: {}{}", said.out, said.err);
        assert!(said.err.contains("of 0.2 MB"), "how far it was: {}", said.err);
        assert_eq!(studio.everything(), Vec::<PathBuf>::new(), "{signal}");
        studio.gives("run_a1b2c3", Reply::file("video/mp4", studio.clip.clone()));
        let again = studio.ctl(&["recover", "T-1"]);
        assert_eq!(again.code, Some(0), "{signal}: {}{}", again.out, again.err);
        let [file] = &studio.files()[..] else { panic!("{:?}", studio.files()) };
        assert_eq!(std::fs::read(file).expect("there"), studio.clip, "{signal}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credits_go_back_beside_a_file_only_where_somebody_says_yes() {
    let studio = Studio::open(&[], &[]).await;
    let mut facts = studio.run("run_a1b2c3");
    facts[0]["data"]["requested_items"] = 2.into();
    facts[1]["data"]["items"] = json!([{ "item": 1, "credits": 20 }, { "item": 2, "credits": 20 }]);
    studio.tell("import", "batch.jsonl", &facts);
    // Of two items its provider has made one.
    studio.says("run_a1b2c3", "succeeded");
    studio.gives("run_a1b2c3", Reply::file("video/mp4", studio.clip.clone()));
    studio.complain("T-1", "run_a1b2c3");
    let asked = studio.ctl(&["recover", "T-1"]);
    assert_eq!(asked.code, Some(1), "{}{}", asked.out, asked.err);
    assert!(
        asked.out.contains("posting   20 credits") && asked.err.contains("say --yes"),
        "{}{}",
        asked.out,
        asked.err
    );
    let done = studio.ctl(&["recover", "T-1", "--yes"]);
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    assert!(done.out.contains("read back from the vault") && done.out.contains("balance   "), "{}", done.out);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_result_is_released_once_and_with_the_customers_word() {
    let studio = Studio::open(&["run_a1b2c3"], &[]).await;
    studio.tell("import", "refund.jsonl", &[studio.refund("run_a1b2c3", 10)]);
    studio.complain("T-1", "run_a1b2c3");
    let release = |at: &str, more: &[&str]| {
        let consent =
            ["release", "T-1", "--agreed-by", "ada@customer.example", "--agreed-at", at, "--agreed-in", "yes"];
        studio.ctl(&[&consent[..], more].concat())
    };
    let (early, good) = (studio.at(11), studio.at(1));
    let refused = release(&early, &["--yes"]);
    assert_eq!(refused.code, Some(2), "{}", refused.out);
    assert!(refused.err.contains("older than the refund"), "{}", refused.err);
    assert_eq!(studio.ctl(&["release", "T-1"]).code, Some(2), "nobody's word is none");
    let shown = release(&good, &[]);
    assert_eq!(shown.code, Some(1), "{}{}", shown.out, shown.err);
    assert!(shown.out.contains("debit     40 credits from"), "{}", shown.out);
    assert!(shown.err.contains("nothing was done"), "{}", shown.err);
    let done = release(&good, &["--yes"]);
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    assert!(done.out.contains("outcome   Done") && done.out.contains(&sha256(&studio.clip)), "{}", done.out);
    assert!(done.out.contains(": 540 → 500"), "the refund is taken back: {}", done.out);
    let again = release(&good, &["--yes"]);
    assert_eq!(again.code, Some(2), "{}", again.out);
    assert!(again.err.contains("not confirmed") || again.err.contains("no second remedy"), "{}", again.err);
}
