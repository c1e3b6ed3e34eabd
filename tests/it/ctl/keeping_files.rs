//! `makegoodctl vault`: what is listed, read again, and taken away.

use std::path::Path;
use std::time::Duration;

use makegood_testkit::Sample;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::ctl;

const SETTINGS: &str = "workspace = 'Acme'\n[agent]\nid = 'ana'\nname = 'Ana'\n";

fn home(settings: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::write(home.path().join("makegood.toml"), format!("{settings}{SETTINGS}")).expect("written");
    home
}

/// A file in the vault that no record knows, since so many hours.
fn left(home: &Path, payload: usize, hours: u64) -> String {
    let content = Sample::mp4(payload).bytes;
    let sha256: String = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
    let folder = home.join("vault").join(&sha256[..2]);
    std::fs::create_dir_all(&folder).expect("made");
    std::fs::write(folder.join(&sha256), &content).expect("written");
    let file = std::fs::File::options().write(true).open(folder.join(&sha256)).expect("open");
    let now = file.metadata().and_then(|about| about.modified()).expect("its time");
    file.set_modified(now - Duration::from_hours(hours)).expect("another time");
    sha256
}

fn listed(home: &Path) -> Vec<(String, String)> {
    let said = ctl(home, &[], &["vault", "list", "--json"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let text = |row: &Value, name: &str| row[name].as_str().expect("a text").to_owned();
    let rows = said.out.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    rows.map(|row| (text(&row, "sha256"), text(&row, "fate"))).collect()
}

#[test]
fn leftovers_are_taken_away_after_a_day_with_a_line_in_the_audit() {
    let home = home("");
    let (old, new) = (left(home.path(), 100, 25), left(home.path(), 200, 23));
    let mut wanted = vec![(old.clone(), "orphan".to_owned()), (new.clone(), "young".to_owned())];
    wanted.sort();
    assert_eq!(listed(home.path()), wanted);
    let rehearsed = ctl(home.path(), &[], &["vault", "sweep", "--dry-run"]);
    assert_eq!(rehearsed.code, Some(0), "{}", rehearsed.err);
    assert!(rehearsed.out.contains(&old) && !rehearsed.out.contains(&new), "{}", rehearsed.out);
    assert_eq!(listed(home.path()).len(), 2, "nothing is done in a rehearsal");
    let swept = ctl(home.path(), &[], &["vault", "sweep", "--json"]);
    let report: Value = serde_json::from_str(swept.out.trim()).expect("JSON");
    assert_eq!((swept.code, &report["removed"], &report["young"]), (Some(0), &1.into(), &1.into()), "{}", swept.err);
    assert_eq!(listed(home.path()), [(new, "young".to_owned())]);
    let audit = ctl(home.path(), &[], &["audit"]).out;
    let line = audit.lines().find(|line| line.contains(&old)).expect("a line");
    assert!(line.contains("remove_file") && line.contains("ana"), "{line}");
    assert_eq!(ctl(home.path(), &[], &["audit", "--verify"]).code, Some(0));
}

#[test]
fn a_check_of_a_record_without_files_is_whole() {
    let home = home("");
    let said = ctl(home.path(), &[], &["vault", "check"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.contains("0 files whole"), "{}", said.out);
    assert!(!home.path().join("vault-check.place").exists());
}

/// A file that the record believes in is read again, and damage to it is told.
#[test]
fn a_damaged_file_of_the_practice_workspace_is_found() {
    let home = tempfile::tempdir().expect("a folder");
    let driven = ctl(home.path(), &[], &["practice", "--drive"]);
    assert_eq!(driven.code, Some(0), "{}\n{}", driven.out, driven.err);
    let files = listed(home.path());
    let shown = files.iter().find(|(_, fate)| fate == "shown").expect("a recovered file");
    let whole = ctl(home.path(), &[], &["vault", "check"]);
    assert_eq!(whole.code, Some(0), "{}{}", whole.out, whole.err);
    let path = home.path().join("practice").join("vault").join(&shown.0[..2]).join(&shown.0);
    let mut content = std::fs::read(&path).expect("there");
    let middle = content.len() / 2;
    content[middle] ^= 1;
    std::fs::write(&path, content).expect("damaged");
    let said = ctl(home.path(), &[], &["vault", "check"]);
    assert_eq!(said.code, Some(1), "{}", said.out);
    assert!(said.out.lines().any(|line| line.contains(&shown.0) && line.contains("DAMAGED")), "{}", said.out);
}

#[test]
fn a_store_without_its_key_is_named_and_its_key_is_never_in_the_file() {
    for (settings, says) in [
        ("vault = 's3://box'\n", "wants a region"),
        ("vault = { at = 's3://box', region = 'eu-west-1', key_env = 'NOT_SET' }\n", "no NOT_SET"),
        ("vault = { at = 's3://box', region = 'eu-west-1', key = 'x' }\n", "key"),
        ("vault = 'ftp://box'\n", "not known here"),
    ] {
        let home = home(settings);
        let said = ctl(home.path(), &[], &["vault", "list"]);
        assert_eq!(said.code, Some(2), "{settings}: {}", said.out);
        assert!(said.err.contains(says), "{settings}: {}", said.err);
    }
    let home = home("vault = { at = 's3://box', endpoint = 'http://127.0.0.1:9', key_env = 'V' }\n");
    let said = ctl(home.path(), &[("V", "AKIA:SECRETSECRET")], &["vault", "list"]);
    assert_eq!(said.code, Some(2), "{}", said.out);
    assert!(said.err.contains("s3://box") && said.err.contains("network is up"), "{}", said.err);
    assert!(!said.err.contains("SECRETSECRET"), "{}", said.err);
}
