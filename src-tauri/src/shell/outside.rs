//! Opening a file of the vault in the system's own player, for what the window cannot show: too long, or in a
//! format that its web view cannot decode.
//!
//! Another program never gets the vault's file itself: it gets a copy that nobody can write, in a folder that only
//! this user can enter, hashed while it is made. The folder goes when this program does; what a crash left is
//! deleted at the next start.
//!
//! A long film in a store of objects is not fetched once more for that: where the vault makes links, the player gets a
//! list with one that ends within the hour, in the same folder. A link is not given as an argument, which everybody on
//! this machine can read; where no program opens such a list, a copy is made after all.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use makegood_domain::plan::StoredFile;
use makegood_domain::ports::{Player, Vault, VaultError};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;

/// The desktop's own way to open a file (xdg-utils).
const OPENER: &str = "xdg-open";
/// An opener that is still there after that has found a program: some stay until it ends.
const DECIDED: Duration = Duration::from_secs(5);
/// A longer file is not copied where a link does: what the window does not play in its memory.
const LINKED_ABOVE_BYTES: u64 = makegood_app::PREVIEW_LIMIT_BYTES;
/// So long a link can be read: a long film, with pauses.
const LINK_LASTS: SignedDuration = SignedDuration::from_hours(1);
/// Read of the vault at once: 4 MiB.
const PART_BYTES: u64 = 4 * 1024 * 1024;

/// The system's program for each type.
pub struct SystemPlayer {
    root: PathBuf,
    opener: String,
    linked_above: u64,
    /// Each copy has a folder of its own, deleted with this.
    copies: Mutex<Vec<TempDir>>,
}

impl SystemPlayer {
    /// Copies go below `profile`; those of an earlier run are deleted.
    #[must_use]
    pub fn new(profile: &Path) -> Self {
        Self::with_opener(profile.join("shown"), OPENER.to_owned())
    }

    fn with_opener(root: PathBuf, opener: String) -> Self {
        if let Err(error) = std::fs::remove_dir_all(&root)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, folder = %root.display(), "copies of an earlier run are still there");
        }
        Self { root, opener, linked_above: LINKED_ABOVE_BYTES, copies: Mutex::default() }
    }

    fn failed(&self, error: &std::io::Error) -> VaultError {
        VaultError::Write { what: format!("a copy below {}", self.root.display()), why: error.to_string() }
    }

    /// A new file in a folder of its own that only this user can enter.
    fn begun(&self, name: &str) -> Result<(TempDir, PathBuf, std::fs::File), VaultError> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.root).map_err(|e| self.failed(&e))?;
        let folder = tempfile::Builder::new().prefix("copy-").tempdir_in(&self.root).map_err(|e| self.failed(&e))?;
        let path = folder.path().join(name);
        let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        Ok((folder, path, opened.map_err(|e| self.failed(&e))?))
    }

    /// Nobody writes it from now on, and it stays for as long as this program.
    fn kept(&self, folder: TempDir, path: PathBuf) -> Result<PathBuf, VaultError> {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).map_err(|e| self.failed(&e))?;
        self.copies.lock().unwrap_or_else(PoisonError::into_inner).push(folder);
        Ok(path)
    }

    async fn copied(&self, vault: &dyn Vault, file: &StoredFile, name: &str) -> Result<PathBuf, VaultError> {
        let (folder, path, to) = self.begun(&file_name(name, &file.media_type))?;
        copy(vault, file, to, &path).await?;
        self.kept(folder, path)
    }

    /// A list of one entry, a link to the file; `None` where it is to be copied.
    async fn listed(&self, vault: &dyn Vault, file: &StoredFile, name: &str) -> Result<Option<PathBuf>, VaultError> {
        let plays = file.media_type.starts_with("video/") || file.media_type.starts_with("audio/");
        if file.bytes <= self.linked_above || !plays {
            return Ok(None);
        }
        let Some(link) = vault.link(&file.sha256, LINK_LASTS).await? else { return Ok(None) };
        let (folder, path, mut to) = self.begun(&file_name(name, LIST))?;
        to.write_all(format!("#EXTM3U\n{link}\n").as_bytes()).map_err(|e| self.failed(&e))?;
        Ok(Some(self.kept(folder, path)?))
    }

    /// Lets the system's program for its type open a file.
    async fn opened(&self, path: &Path, media_type: &str) -> Result<String, String> {
        let mut opener = tokio::process::Command::new(&self.opener);
        opener.arg(path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = opener.spawn().map_err(|why| format!("{} can't be started: {why}", self.opener))?;
        match tokio::time::timeout(DECIDED, child.wait()).await {
            Ok(Ok(status)) if !status.success() => {
                Err(format!("no program of this machine opens {media_type}: {} ended with {status}", self.opener))
            }
            Ok(Err(why)) => Err(format!("{} was lost: {why}", self.opener)),
            Ok(Ok(_)) | Err(_) => Ok(path.display().to_string()),
        }
    }
}

/// The type of a list that players open.
const LIST: &str = "audio/x-mpegurl";

#[async_trait]
impl Player for SystemPlayer {
    async fn open(&self, vault: &dyn Vault, file: &StoredFile, name: &str) -> Result<String, String> {
        match self.listed(vault, file, name).await {
            Ok(Some(list)) => match self.opened(&list, LIST).await {
                Ok(path) => return Ok(path),
                Err(why) => tracing::info!(why, "a list with a link is not opened, so the file is copied"),
            },
            Ok(None) => {}
            Err(why) => tracing::warn!(%why, "no link to a file was made, so it is copied"),
        }
        let path = self.copied(vault, file, name).await.map_err(|why| why.to_string())?;
        self.opened(&path, &file.media_type).await
    }
}

/// Copies a file of any length part by part, hashed on the way.
async fn copy(vault: &dyn Vault, file: &StoredFile, to: std::fs::File, path: &Path) -> Result<(), VaultError> {
    let failed =
        |error: &std::io::Error| VaultError::Write { what: path.display().to_string(), why: error.to_string() };
    let (mut to, mut hash, mut at) = (tokio::fs::File::from_std(to), Sha256::new(), 0);
    while at < file.bytes {
        let part = vault.read_part(&file.sha256, at, PART_BYTES).await?;
        if part.is_empty() {
            break;
        }
        at += part.len() as u64;
        hash.update(&part);
        to.write_all(&part).await.map_err(|e| failed(&e))?;
    }
    to.flush().await.map_err(|e| failed(&e))?;
    let copied = hex::encode(hash.finalize());
    if copied == file.sha256 {
        return Ok(());
    }
    Err(VaultError::NotAsPromised { why: format!("{} was to be copied, {copied} came", file.sha256) })
}

/// A name that is no path and ends as its type does, so that the right program opens it.
fn file_name(name: &str, media_type: &str) -> String {
    let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).take(80).collect();
    let plain = if plain.is_empty() { "output".to_owned() } else { plain };
    let ending = match media_type {
        "video/mp4" => "mp4",
        "video/webm" => "webm",
        "video/quicktime" => "mov",
        "audio/mpeg" => "mp3",
        "audio/wav" => "wav",
        "audio/flac" => "flac",
        "audio/ogg" => "ogg",
        "audio/mp4" => "m4a",
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/webp" => "webp",
        "image/gif" => "gif",
        LIST => "m3u",
        _ => "bin",
    };
    format!("{plain}.{ending}")
}

#[cfg(test)]
mod tests {
    use makegood_domain::ports::{Incoming, TransitKey};

    use super::*;

    struct One(Vec<u8>);

    #[async_trait]
    impl Vault for One {
        async fn begin(&self, _: &TransitKey) -> Result<Box<dyn Incoming>, VaultError> {
            Err(VaultError::Late)
        }
        async fn verify(&self, _: &str) -> Result<StoredFile, VaultError> {
            Ok(file(&self.0))
        }
        async fn read(&self, _: &str, _: u64) -> Result<Vec<u8>, VaultError> {
            Ok(self.0.clone())
        }
    }

    fn file(bytes: &[u8]) -> StoredFile {
        let sha256 = hex::encode(Sha256::digest(bytes));
        StoredFile { sha256, bytes: bytes.len() as u64, media_type: "video/mp4".to_owned() }
    }

    #[tokio::test]
    async fn another_program_gets_a_copy_that_cannot_be_written() {
        let home = tempfile::tempdir().expect("a folder");
        let (root, vault) = (home.path().join("shown"), One(b"a film".to_vec()));
        let player = SystemPlayer::with_opener(root.clone(), "true".to_owned());
        let path = PathBuf::from(player.open(&vault, &file(&vault.0), "out/../1").await.expect("opened"));
        assert_eq!(path.file_name().and_then(|name| name.to_str()), Some("out1.mp4"));
        assert!(path.starts_with(&root));
        assert_eq!(std::fs::read(&path).expect("a copy"), vault.0);
        let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&root)), (0o400, 0o700));
        drop(player);
        assert!(!path.exists(), "it goes with the program");
    }

    #[tokio::test]
    async fn what_changed_on_the_disk_is_not_opened_and_a_missing_program_is_told() {
        let home = tempfile::tempdir().expect("a folder");
        let vault = One(b"another film".to_vec());
        for (opener, wanted, says) in [
            ("true", file(b"a film"), "was to be copied"),
            ("false", file(&vault.0), "no program of this machine opens video/mp4"),
            ("makegood-has-no-such-opener", file(&vault.0), "can't be started"),
        ] {
            let player = SystemPlayer::with_opener(home.path().join("shown"), opener.to_owned());
            let why = player.open(&vault, &wanted, "out").await.expect_err("refused");
            assert!(why.contains(says), "{opener}: {why}");
        }
    }

    /// A vault that makes links, and counts how often the bytes of a file are read.
    struct Linking {
        one: One,
        read: std::sync::atomic::AtomicUsize,
    }

    const LINK: &str = "https://box.example/files/ab?X-Amz-Expires=3600&X-Amz-Signature=secret";

    #[async_trait]
    impl Vault for Linking {
        async fn begin(&self, key: &TransitKey) -> Result<Box<dyn Incoming>, VaultError> {
            self.one.begin(key).await
        }
        async fn verify(&self, sha256: &str) -> Result<StoredFile, VaultError> {
            self.one.verify(sha256).await
        }
        async fn read(&self, sha256: &str, limit_bytes: u64) -> Result<Vec<u8>, VaultError> {
            self.read.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            self.one.read(sha256, limit_bytes).await
        }
        async fn link(&self, _: &str, valid_for: SignedDuration) -> Result<Option<String>, VaultError> {
            assert!(valid_for <= SignedDuration::from_hours(1), "a link that leaks is soon worth nothing");
            Ok(Some(LINK.to_owned()))
        }
    }

    /// An opener that writes down what it was given, and opens what ends so.
    fn opener(home: &Path, ending: &str) -> String {
        let path = home.join(format!("opens-{ending}"));
        let script = format!(
            "#!/bin/sh\necho \"$@\" >> {}/given\ncase $1 in *.{ending}) ;; *) exit 4 ;; esac\n",
            home.display()
        );
        std::fs::write(&path, script).expect("an opener");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).expect("an opener");
        path.display().to_string()
    }

    #[tokio::test]
    async fn a_long_film_of_a_vault_that_makes_links_is_not_copied() {
        let home = tempfile::tempdir().expect("a folder");
        let vault = Linking { one: One(b"a long film".to_vec()), read: 0.into() };
        let film = file(&vault.one.0);
        let still = StoredFile { media_type: "image/png".to_owned(), ..film.clone() };
        for (opens, what, above, ends, reads) in [
            ("m3u", &film, film.bytes - 1, "out.m3u", 0),
            ("mp4", &film, film.bytes - 1, "out.mp4", 1),
            ("mp4", &film, film.bytes, "out.mp4", 1),
            ("png", &still, 0, "out.png", 1),
        ] {
            vault.read.store(0, std::sync::atomic::Ordering::SeqCst);
            let player = SystemPlayer::with_opener(home.path().join("shown"), opener(home.path(), opens));
            let player = SystemPlayer { linked_above: above, ..player };
            let path = PathBuf::from(player.open(&vault, what, "out").await.expect("opened"));
            assert_eq!(path.file_name().and_then(|name| name.to_str()), Some(ends), "{opens}");
            assert_eq!(vault.read.load(std::sync::atomic::Ordering::SeqCst), reads, "{opens}, above {above}");
            let mode = std::fs::metadata(&path).expect("it is there").permissions().mode() & 0o777;
            assert_eq!(mode, 0o400);
            let content = std::fs::read(&path).expect("it is there");
            let wanted = if reads == 0 { format!("#EXTM3U\n{LINK}\n").into_bytes() } else { vault.one.0.clone() };
            assert_eq!(content, wanted);
        }
        let given = std::fs::read_to_string(home.path().join("given")).expect("it was asked");
        assert!(!given.contains("secret"), "everybody can read what a program is started with: {given}");
    }
}
