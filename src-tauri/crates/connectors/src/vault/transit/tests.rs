use std::fs::{File, OpenOptions};
use std::time::SystemTime;

use makegood_domain::ports::Vault;
use makegood_testkit::Sample;

use super::super::LocalVault;
use super::*;

const MIB: usize = 1024 * 1024;

struct Home {
    folder: tempfile::TempDir,
    transit: Transit,
    video: Vec<u8>,
}

fn home() -> Home {
    let folder = tempfile::tempdir().expect("a folder");
    let transit = Transit::open(folder.path().join("transit"), 8 * MIB as u64);
    Home { folder, transit, video: Sample::mp4(3 * MIB).bytes }
}

fn key() -> TransitKey {
    TransitKey { provider_id: "loom".into(), job_id: "../job".into(), item: 1 }
}

fn tagged(from: usize, tag: &str, total: usize) -> Start {
    Start { from: from as u64, total: Some(total as u64), tag: Some(tag.to_owned()) }
}

impl Home {
    fn version(&self, from: usize, tag: &str) -> Start {
        tagged(from, tag, self.video.len())
    }

    /// Brings the first bytes and is dropped.
    async fn broken_off_at(&self, end: usize) {
        let mut staged = self.transit.begin(&key()).await.expect("begun");
        staged.starts(&self.version(0, "\"v1\"")).await.expect("from the first byte");
        for chunk in self.video[..end].chunks(100_003) {
            staged.write(chunk).await.expect("written");
        }
    }

    async fn held(&self) -> Option<u64> {
        self.transit.begin(&key()).await.expect("begun").held().map(|held| held.bytes)
    }

    /// The files in transit whose name ends so.
    fn files(&self, ending: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path().join("transit")).expect("a folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths.filter(|path| path.to_string_lossy().ends_with(ending)).collect()
    }

    fn open(&self, ending: &str) -> File {
        OpenOptions::new().read(true).write(true).open(&self.files(ending)[0]).expect("a file")
    }
}

#[tokio::test]
async fn an_attempt_goes_on_where_the_last_one_ended() {
    let home = home();
    let end = 2 * MIB + 77;
    home.broken_off_at(end).await;
    let mut staged = home.transit.begin(&key()).await.expect("begun");
    let want = Held { bytes: end as u64, total: Some(home.video.len() as u64), tag: Some("\"v1\"".to_owned()) };
    assert_eq!(staged.held(), Some(want));
    staged.starts(&home.version(end, "\"v1\"")).await.expect("it continues");
    staged.write(&home.video[end..]).await.expect("written");
    let arrived = staged.arrive(home.video.len() as u64, "").await.expect("whole");
    assert_eq!(std::fs::read(arrived.path()).expect("readable"), home.video);
    assert_eq!(arrived.file().sha256, hex::encode(Sha256::digest(&home.video)));
}

#[tokio::test]
async fn bytes_of_two_versions_are_never_joined() {
    let home = home();
    home.broken_off_at(MIB).await;
    let mut staged = home.transit.begin(&key()).await.expect("begun");
    for start in [
        home.version(MIB, "\"v2\""),
        home.version(MIB - 1, "\"v1\""),
        home.version(MIB + 1, "\"v1\""),
        tagged(MIB, "\"v1\"", home.video.len() + 1),
        Start { tag: None, ..home.version(MIB, "\"v1\"") },
    ] {
        let refused = staged.starts(&start).await;
        assert!(matches!(refused, Err(VaultError::NotAsPromised { .. })), "{start:?}: {refused:?}");
    }
    let other = Sample::mp4(2 * MIB + 5).bytes;
    staged.starts(&tagged(0, "\"v2\"", other.len())).await.expect("begun anew");
    staged.write(&other).await.expect("written");
    let arrived = staged.arrive(0, "").await.expect("whole");
    assert_eq!(std::fs::read(arrived.path()).expect("readable"), other);
}

#[tokio::test]
async fn whoever_does_not_say_what_comes_begins_at_the_beginning() {
    let home = home();
    home.broken_off_at(MIB).await;
    let mut staged = home.transit.begin(&key()).await.expect("begun");
    staged.write(&home.video).await.expect("written");
    let arrived = staged.arrive(home.video.len() as u64, "").await.expect("whole");
    assert_eq!(arrived.file().sha256, hex::encode(Sha256::digest(&home.video)));
}

#[tokio::test]
async fn what_the_disk_did_not_keep_is_not_believed() {
    let piece = PIECE as u64;
    type Damage = fn(&Home);
    let cases: [(&str, Damage, Option<u64>); 7] = [
        ("nothing happened", |_| (), Some(5 * piece + 9)),
        ("the end is lost", |home| home.open(".part").set_len(5 * PIECE as u64).expect("cut"), Some(5 * piece)),
        (
            "a part in between is lost",
            |home| home.open(".part").set_len(3 * PIECE as u64 - 1).expect("cut"),
            Some(2 * piece),
        ),
        ("a byte is another", |home| flip(&home.files(".part")[0], 4 * PIECE + 1), Some(4 * piece)),
        (
            "the last mark is torn",
            |home| {
                let log = home.open(".log");
                log.set_len(log.metadata().expect("a log").len() - 3).expect("cut");
            },
            Some(5 * piece),
        ),
        ("the version is unreadable", |home| flip(&home.files(".log")[0], 0), None),
        ("the bytes are gone", |home| std::fs::remove_file(&home.files(".part")[0]).expect("gone"), None),
    ];
    for (what, damage, want) in cases {
        let home = home();
        home.broken_off_at(5 * PIECE + 9).await;
        assert_eq!(home.held().await, Some(5 * piece + 9), "before: {what}");
        damage(&home);
        assert_eq!(home.held().await, want, "{what}");
    }
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).expect("readable");
    bytes[at] ^= 1;
    std::fs::write(path, bytes).expect("written");
}

#[tokio::test]
async fn the_second_of_two_at_once_works_alone() {
    let home = home();
    home.broken_off_at(MIB).await;
    let mut first = home.transit.begin(&key()).await.expect("begun");
    let mut second = home.transit.begin(&key()).await.expect("begun");
    assert_eq!((first.held().map(|held| held.bytes), second.held()), (Some(MIB as u64), None));
    assert!(!first.is_alone() && second.is_alone(), "what the second sees says nothing of what is there");
    second.starts(&home.version(0, "\"v1\"")).await.expect("from the first byte");
    first.starts(&home.version(MIB, "\"v1\"")).await.expect("it continues");
    second.write(&home.video).await.expect("written");
    first.write(&home.video[MIB..]).await.expect("written");
    for staged in [first, second] {
        let arrived = staged.arrive(home.video.len() as u64, "").await.expect("whole");
        assert_eq!(arrived.release().await.expect("released").sha256, hex::encode(Sha256::digest(&home.video)));
    }
    assert_eq!(home.files(".part").len(), 0);
    let mut alone = home.transit.begin(&key()).await.expect("begun");
    alone.was_not_kept();
    let mut other = home.transit.begin(&key()).await.expect("begun");
    other.write(b"half of it").await.expect("written");
    other.discard().await.expect("nothing stays");
    drop(alone);
    assert_eq!(home.held().await, None);
}

#[tokio::test]
async fn what_was_refused_is_kept_as_evidence_and_never_gone_on_from() {
    let home = home();
    for (bytes, promised, prefix) in
        [(&home.video[..], 5, ""), (&home.video[..], 0, "00ff"), (b"<html>gone</html>", 0, "")]
    {
        let mut staged = home.transit.begin(&key()).await.expect("begun");
        staged.starts(&tagged(0, "\"v1\"", bytes.len())).await.expect("begun");
        staged.write(bytes).await.expect("written");
        let refused = staged.arrive(promised, prefix).await;
        assert!(matches!(refused, Err(VaultError::NotAsPromised { .. })), "{refused:?}");
        assert_eq!(home.held().await, None);
    }
    assert_eq!((home.files(".part").len(), home.files(".evidence").len()), (0, 2), "one a content");
}

#[tokio::test]
async fn cancelling_leaves_nothing() {
    let home = home();
    home.broken_off_at(MIB).await;
    let mut staged = home.transit.begin(&key()).await.expect("begun");
    staged.starts(&home.version(MIB, "\"v1\"")).await.expect("it continues");
    staged.write(&home.video[MIB..2 * MIB]).await.expect("written");
    staged.discard().await.expect("deleted");
    assert_eq!(home.files("").len(), 0);
    // Without a strong tag nobody can go on: then the end of the attempt is the end of its bytes.
    let mut staged = home.transit.begin(&key()).await.expect("begun");
    staged.write(&home.video[..MIB]).await.expect("written");
    drop(staged);
    assert_eq!(home.held().await, None);
    assert_eq!(home.files("").len(), 0);
}

#[tokio::test]
async fn a_day_later_it_is_swept_unless_somebody_has_it() {
    let home = home();
    home.broken_off_at(MIB).await;
    let in_use = home.transit.begin(&key()).await.expect("begun");
    let old = SystemTime::UNIX_EPOCH;
    let all_old =
        || home.files("").iter().for_each(|path| File::open(path).and_then(|f| f.set_modified(old)).expect("old"));
    all_old();
    let again = || Transit::open(home.folder.path().join("transit"), MIB as u64);
    again();
    assert_eq!(home.files("").len(), 2, "somebody has it");
    drop(in_use);
    home.files(".log").iter().for_each(|path| File::open(path).and_then(|f| f.set_modified(old)).expect("old"));
    std::fs::write(home.folder.path().join("transit/refused-x.evidence"), "page").expect("written");
    again();
    assert_eq!(home.files(".evidence").len(), 1, "it is of today");
    all_old();
    again();
    assert_eq!(home.files("").len(), 0);
}

#[tokio::test]
async fn what_had_arrived_before_a_crash_is_not_fetched_again() {
    // Without a strong tag: what many networks of servers, files of an archive and answers that hold a file have not.
    for tag in [Some("\"v1\"".to_owned()), None] {
        let home = home();
        let mut staged = home.transit.begin(&key()).await.expect("begun");
        staged.starts(&Start { tag, ..home.version(0, "") }).await.expect("from the first byte");
        staged.write(&home.video).await.expect("written");
        // The program dies between the note and the place.
        let stored = staged.arrive(0, "").await.expect("whole").file().clone();
        drop(home.transit.begin(&key()).await.expect("begun"));
        let mut staged = home.transit.begin(&key()).await.expect("begun");
        assert_eq!(staged.kept(), Some(&stored));
        staged.was_not_kept();
        assert!(staged.held().is_some_and(|held| held.is_whole()));
        // And once more, before anything was done with it.
        drop(staged);
        let mut staged = home.transit.begin(&key()).await.expect("begun");
        assert_eq!(staged.kept(), Some(&stored));
        staged.was_not_kept();
        assert!(staged.held().is_some_and(|held| held.is_whole()));
        let released = staged.arrive(0, "").await.expect("whole").release().await;
        assert_eq!(released, Ok(stored.clone()));
        let staged = home.transit.begin(&key()).await.expect("begun");
        assert_eq!(staged.kept(), Some(&stored), "and after its place it is still known");
        drop(staged);
        let mut staged = home.transit.begin(&key()).await.expect("begun");
        staged.was_not_kept();
        assert_eq!(staged.held(), None, "but its bytes are no longer here");
    }
}

#[tokio::test]
async fn what_a_note_calls_whole_is_believed_only_as_far_as_it_is_there() {
    type Damage = fn(&Home);
    let cases: [(&str, Damage); 3] = [
        ("its end is lost", |home| home.open(".part").set_len(home.video.len() as u64 - 1).expect("cut")),
        ("there is more of it", |home| home.open(".part").set_len(home.video.len() as u64 + 1).expect("grown")),
        ("a byte is another", |home| flip(&home.files(".part")[0], MIB)),
    ];
    for (what, damage) in cases {
        let home = home();
        let mut staged = home.transit.begin(&key()).await.expect("begun");
        staged.write(&home.video).await.expect("written");
        staged.arrive(0, "").await.expect("whole");
        damage(&home);
        let mut staged = home.transit.begin(&key()).await.expect("begun");
        staged.was_not_kept();
        assert_eq!(staged.held(), None, "{what}");
    }
}

#[tokio::test]
async fn a_vault_that_has_the_file_asks_for_no_byte_and_one_that_lost_it_for_all() {
    let (folder, video) = (tempfile::tempdir().expect("a folder"), Sample::mp4(MIB).bytes);
    let vault = LocalVault::open(folder.path()).expect("a vault");
    let mut incoming = vault.begin(&key()).await.expect("begun");
    incoming.starts(&tagged(0, "\"v1\"", video.len())).await.expect("begun");
    incoming.write(&video).await.expect("written");
    let stored = incoming.commit(0, "").await.expect("kept");
    let again = vault.begin(&key()).await.expect("begun");
    assert!(again.held().is_some_and(|held| held.is_whole()));
    assert_eq!(again.commit(video.len() as u64, "").await, Ok(stored.clone()));
    let again = vault.begin(&key()).await.expect("begun");
    assert!(again.commit(0, "00ff").await.is_err(), "another file is wanted now");
    assert_eq!(vault.begin(&key()).await.expect("begun").held(), None);

    let mut incoming = vault.begin(&key()).await.expect("begun");
    incoming.starts(&tagged(0, "\"v1\"", video.len())).await.expect("begun");
    incoming.write(&video).await.expect("written");
    assert_eq!(incoming.commit(0, "").await, Ok(stored.clone()));
    std::fs::write(folder.path().join(&stored.sha256[..2]).join(&stored.sha256), "other bytes").expect("damaged");
    assert_eq!(vault.begin(&key()).await.expect("begun").held(), None);
}

#[tokio::test]
async fn a_disk_that_takes_nothing_is_told_plainly() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("transit"), "a file where a folder must be").expect("written");
    let transit = Transit::open(folder.path().join("transit"), MIB as u64);
    let refused = transit.begin(&key()).await.expect_err("no folder");
    assert!(matches!(&refused, VaultError::Write { what, .. } if what.contains("transit")), "{refused}");
    assert_eq!(std::fs::read(folder.path().join("transit")).expect("readable").len(), 29);
}
