use makegood_testkit::Sample;

use super::*;

fn key() -> TransitKey {
    TransitKey { provider_id: "loom".into(), job_id: "job".into(), item: 1 }
}

struct Home {
    folder: tempfile::TempDir,
    vault: LocalVault,
}

fn home() -> Home {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = LocalVault::open(folder.path()).expect("a vault");
    Home { folder, vault }
}

impl Home {
    async fn put(&self, bytes: &[u8], promised: u64, prefix: &str) -> Result<StoredFile, VaultError> {
        let mut incoming = self.vault.begin(&key()).await?;
        for chunk in bytes.chunks(10) {
            incoming.write(chunk).await?;
        }
        incoming.commit(promised, prefix).await
    }

    /// Files that are kept: what is on its way, and what was refused, does not count.
    fn files(&self) -> usize {
        fn count(path: &Path) -> usize {
            let entries = std::fs::read_dir(path).expect("a folder").map(|e| e.expect("an entry").path());
            let kept = entries.filter(|path| !path.ends_with(TRANSIT));
            kept.map(|p| if p.is_dir() { count(&p) } else { 1 }).sum()
        }
        count(self.folder.path())
    }
}

#[tokio::test]
async fn a_file_is_kept_under_its_hash_and_proved_by_reading() {
    let (home, video) = (home(), Sample::mp4(5_000));
    let stored = home.put(&video.bytes, video.bytes.len() as u64, "").await.expect("stored");
    assert_eq!((stored.bytes, stored.media_type.as_str()), (video.bytes.len() as u64, "video/mp4"));
    assert_eq!(home.vault.verify(&stored.sha256).await, Ok(stored.clone()));
    assert_eq!(home.vault.read(&stored.sha256, 1 << 20).await, Ok(video.bytes.clone()));
    let again = home.put(&video.bytes, 0, &stored.sha256[..16].to_uppercase()).await;
    assert_eq!(again, Ok(stored), "the same content is the same file");
    assert_eq!(home.files(), 1);
}

#[tokio::test]
async fn a_vault_is_one_records_and_another_is_told_so() {
    let (home, picture) = (home(), Sample::png());
    home.vault.belongs_to("record-a");
    let stored = home.put(&picture.bytes, 0, "").await.expect("stored");
    // The first use has put its mark there.
    let other = LocalVault::open(home.folder.path()).expect("a vault");
    other.belongs_to("record-b");
    for told in [other.claim().await, other.begin(&key()).await.map(|_| ())] {
        let why = told.map_err(|why| why.to_string()).expect_err("it is another's");
        assert!(why.contains("belongs to another record (record-a)"), "{why}");
    }
    assert_eq!(other.verify(&stored.sha256).await, Ok(stored), "looking is free");
    let again = LocalVault::open(home.folder.path()).expect("a vault");
    again.belongs_to("record-a");
    assert_eq!(again.claim().await, Ok(()));
    std::fs::remove_file(home.folder.path().join(shelf::OWNER)).expect("given up");
    assert_eq!(other.claim().await, Ok(()), "of nobody's it takes hold");
    assert!(again.claim().await.is_err(), "and who had it before is refused, though it was not");
}

#[tokio::test]
async fn what_was_not_promised_is_refused_and_leaves_nothing() {
    let (home, video) = (home(), Sample::mp4(100));
    for (bytes, promised, prefix, says) in [
        (&video.bytes[..], 99, "", "99 bytes were promised"),
        (&video.bytes[..], 0, "00ff", "beginning with 00ff"),
        (&video.bytes[..video.bytes.len() - 1], 0, "", "it is cut"),
        (&b"<html>expired</html>"[..], 0, "", "HTML page"),
        (&b""[..], 0, "", "it is empty"),
    ] {
        let refused = home.put(bytes, promised, prefix).await.expect_err("refused");
        assert!(matches!(&refused, VaultError::NotAsPromised { why } if why.contains(says)), "{refused}");
    }
    assert_eq!(home.files(), 0);
}

#[tokio::test]
async fn the_limit_is_kept_while_the_file_comes() {
    let home = home();
    let vault = home.vault.clone().with_limit(15);
    let mut incoming = vault.begin(&key()).await.expect("begun");
    assert_eq!(incoming.write(&[0; 15]).await, Ok(()));
    assert_eq!(incoming.write(&[0]).await, Err(VaultError::TooLong { limit_bytes: 15 }));
    drop(incoming);
    assert_eq!(home.files(), 0);
}

#[tokio::test]
async fn damage_is_seen_and_a_whole_copy_repairs_it() {
    let (home, picture) = (home(), Sample::png());
    let stored = home.put(&picture.bytes, 0, "").await.expect("stored");
    let path = home.folder.path().join(&stored.sha256[..2]).join(&stored.sha256);
    let other = Sample::mp4(10);
    std::fs::write(&path, &other.bytes).expect("damaged");
    let seen = home.vault.verify(&stored.sha256).await.expect("readable");
    assert_ne!(seen.sha256, stored.sha256, "the true hash is told");
    assert_eq!(home.put(&picture.bytes, 0, "").await, Ok(stored.clone()));
    assert_eq!(home.vault.verify(&stored.sha256).await, Ok(stored.clone()));
    std::fs::remove_file(&path).expect("gone");
    assert!(matches!(home.vault.verify(&stored.sha256).await, Err(VaultError::Missing { .. })));
    std::fs::remove_dir_all(home.folder.path()).expect("gone");
    let unmounted = home.vault.verify(&stored.sha256).await;
    assert!(matches!(unmounted, Err(VaultError::Read { .. })), "who has no folder knows of no file: {unmounted:?}");
}

#[tokio::test]
async fn reading_is_bounded_and_stays_in_the_vault() {
    let (home, picture) = (home(), Sample::png());
    let stored = home.put(&picture.bytes, 0, "").await.expect("stored");
    let length = picture.bytes.len() as u64;
    assert_eq!(home.vault.read(&stored.sha256, length).await.map(|b| b.len()), Ok(picture.bytes.len()));
    let short = home.vault.read(&stored.sha256, length - 1).await;
    assert_eq!(short, Err(VaultError::TooLong { limit_bytes: length - 1 }));
    let upper = stored.sha256.to_uppercase();
    for name in ["", "../../etc/passwd", "abc", upper.as_str()] {
        assert!(matches!(home.vault.verify(name).await, Err(VaultError::Read { .. })), "{name}");
        assert!(home.vault.read(name, 10).await.is_err(), "{name}");
    }
}
