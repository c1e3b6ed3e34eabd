//! A file that can't be used as a record, or only be read: one line says which one and why, and
//! nothing of it is touched.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;

use super::{Said, ctl, ctl_as_nobody};

const USER: &str = r#"{"type":"user","data":{"id":"u","email":"u@example.com","timezone":null,"locale":null}}"#;

/// A profile whose record is `place/record.sqlite`, made by `makegoodctl` and with one user in it.
struct House {
    folder: TempDir,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for part in ["home", "place"] {
            std::fs::create_dir(folder.path().join(part)).expect("a folder");
        }
        std::fs::write(folder.path().join("facts.jsonl"), USER).expect("facts");
        let record = folder.path().join("place/record.sqlite");
        let settings = format!(
            "workspace = 'Acme'\ndatabase = '{}'\nvault = '{}'\n[agent]\nid = 'ana'\nname = 'Ana'\n",
            record.display(),
            folder.path().join("vault").display()
        );
        std::fs::write(folder.path().join("home/makegood.toml"), settings).expect("settings");
        let house = Self { folder };
        let made = house.import();
        assert_eq!(made.code, Some(0), "{}", made.err);
        assert!(!house.has_log(), "what was imported is in the file");
        // The vault and its folder; also for the one who may write nothing else.
        std::fs::set_permissions(house.folder.path(), Permissions::from_mode(0o755)).expect("readable");
        // Commands look for the vault's folder too.
        std::fs::create_dir_all(house.folder.path().join("vault")).expect("a folder");
        house.mode("vault", 0o777);
        house
    }

    fn record(&self) -> PathBuf {
        self.folder.path().join("place/record.sqlite")
    }

    /// Whether something stands beside the file that belongs into it.
    fn has_log(&self) -> bool {
        self.folder.path().join("place/record.sqlite-wal").exists()
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn facts(&self) -> String {
        self.folder.path().join("facts.jsonl").display().to_string()
    }

    fn import(&self) -> Said {
        ctl(&self.home(), &[], &["import", &self.facts()])
    }

    fn export(&self) -> Said {
        ctl(&self.home(), &[], &["export", "usage", "--csv"])
    }

    /// What somebody is told who may read all of this and write none of it.
    fn without_rights(&self) -> (Said, Said) {
        (
            ctl_as_nobody(&self.home(), &[], &["import", &self.facts()]),
            ctl_as_nobody(&self.home(), &[], &["export", "usage", "--csv"]),
        )
    }

    fn mode(&self, part: &str, mode: u32) {
        let path = self.folder.path().join(part);
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).expect("permissions");
    }
}

fn digest(path: &Path) -> Vec<u8> {
    Sha256::digest(std::fs::read(path).expect("the record")).to_vec()
}

fn one_line(name: &str, said: &Said, wanted: &[&str]) {
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{name}: {}", said.err);
    assert_eq!(said.err.lines().count(), 1, "{name}: {}", said.err);
    for part in wanted {
        assert!(said.err.contains(part), "{name}, {part}: {}", said.err);
    }
}

#[test]
fn a_command_that_has_ended_leaves_one_file() {
    let house = House::new();
    let ticket = r#"{"id":"T-1","subject":"No clip","body":"I was charged.","created_at":"2026-03-14T15:02:00Z",
        "requester":{"user_id":"u","email":"u@example.com","locale":null,"timezone":null},"attachments":[]}"#;
    let tickets = house.folder.path().join("tickets.jsonl");
    std::fs::write(&tickets, ticket.replace('\n', "")).expect("tickets");
    let tickets = tickets.display().to_string();
    let nothing = house.folder.path().join("nothing.jsonl").display().to_string();
    for (arguments, code) in [
        (vec!["import", &house.facts()], 0),
        (vec!["import", &nothing], 2),
        (vec!["triage", &tickets], 0),
        (vec!["reconcile", "--once"], 0),
        (vec!["reconcile", "--full-scan"], 0),
        (vec!["export", "usage", "--json"], 0),
        (vec!["audit"], 0),
        (vec!["audit", "--verify"], 0),
    ] {
        let said = ctl(&house.home(), &[], &arguments);
        assert_eq!(said.code, Some(code), "{arguments:?}: {}", said.err);
        assert!(!house.has_log(), "{arguments:?}");
    }
}

#[tokio::test]
async fn a_read_that_breaks_off_prints_nothing() {
    let house = House::new();
    let address = format!("sqlite://{}", house.record().display());
    let mut record = SqliteConnection::connect(&address).await.expect("the record");
    sqlx::query("ALTER TABLE charges RENAME TO charges_of_old").execute(&mut record).await.expect("renamed");
    record.close().await.expect("closed");
    for form in ["--csv", "--json"] {
        let said = ctl(&house.home(), &[], &["export", "usage", form]);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{form}: {}", said.err);
    }
}

#[test]
fn what_is_no_record_is_named_and_left_alone() {
    let house = House::new();
    let (path, whole) = (house.record(), std::fs::read(house.record()).expect("the record"));
    let words = "this is not a database, and it is long enough to have a header. ".repeat(20);
    for (name, bytes, wanted) in [
        ("words", words.as_bytes(), "is not a database"),
        ("a short file", b"short".as_slice(), "is not a database"),
        ("half a record", &whole[..whole.len() / 2], "damaged"),
    ] {
        std::fs::write(&path, bytes).expect("written");
        let before = digest(&path);
        one_line(name, &house.import(), &["record.sqlite", wanted]);
        one_line(name, &house.export(), &["record.sqlite", wanted]);
        assert_eq!(digest(&path), before, "{name}");
    }
    std::fs::remove_file(&path).expect("removed");
    std::fs::create_dir(&path).expect("a folder");
    one_line("a folder", &house.import(), &["record.sqlite is a folder, and a record is a file"]);
}

#[test]
fn a_record_that_cannot_be_written_is_read() {
    let house = House::new();
    for (name, file, folder, wanted) in [
        ("a read-only file", 0o444, 0o777, "record.sqlite can't be written"),
        ("a read-only file in a read-only folder", 0o444, 0o555, "record.sqlite can't be written"),
        ("a read-only folder", 0o666, 0o555, "no file can be made in its folder"),
    ] {
        house.mode("place/record.sqlite", file);
        house.mode("place", folder);
        let before = digest(&house.record());
        let (imported, exported) = house.without_rights();
        one_line(name, &imported, &[wanted, "only read"]);
        assert_eq!(exported.code, Some(0), "{name}: {}", exported.err);
        assert!(exported.out.starts_with("kind,at,account"), "{name}: {}", exported.out);
        assert_eq!(digest(&house.record()), before, "{name}");
        house.mode("place", 0o755);
        for beside in ["place/record.sqlite-wal", "place/record.sqlite-shm"] {
            // Left by the reader where it could.
            drop(std::fs::remove_file(house.folder.path().join(beside)));
        }
    }
}

#[test]
fn what_cannot_be_read_or_made_is_named() {
    let house = House::new();
    // A log beside the file holds the newest changes; without its index it can't be read from here.
    let log = house.folder.path().join("place/record.sqlite-wal");
    std::fs::write(&log, "the newest changes").expect("a log");
    house.mode("place", 0o555);
    let (imported, exported) = house.without_rights();
    for said in [imported, exported] {
        one_line("a log", &said, &["record.sqlite can't be read where it is", "log beside it"]);
    }
    house.mode("place", 0o755);
    std::fs::remove_file(&log).expect("removed");
    house.mode("place/record.sqlite", 0o600);
    let readable = std::fs::metadata(house.record()).expect("there").uid() != 0;
    if !readable {
        one_line("a secret file", &house.without_rights().1, &["record.sqlite", "can't be opened"]);
    }
    std::fs::remove_file(house.record()).expect("removed");
    house.mode("place", 0o555);
    one_line("nothing", &house.without_rights().0, &["there is no record", "none can be made"]);
    house.mode("place", 0o755);
}
