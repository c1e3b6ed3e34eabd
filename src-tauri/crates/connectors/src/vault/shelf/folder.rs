//! A shelf on a disk. A file gets its place by a rename within the folder, and the folder is synced after it,
//! so that a crash leaves either nothing or the whole file (reliability 1.5).

use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use makegood_domain::media::MediaFacts;
use sha2::{Digest, Sha256};
use url::Url;

use super::super::{container, sync_folder};
use super::{ContentKey, LONGEST_OWNER, Measured, OWNER, Put, Shelf, ShelfError, Shelved, Staged};

const READ_CHUNK: usize = 256 * 1024;
/// How the name of something ends that has no place yet.
const UNFINISHED: &str = ".part";

/// A folder whose subfolders are the first two digits of the hashes.
#[derive(Clone, Debug)]
pub struct FolderShelf {
    root: PathBuf,
    place: String,
}

impl FolderShelf {
    /// Opens the folder, making it if need be.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, ShelfError> {
        let root = root.into();
        let place = format!("the folder {}", root.display());
        let shelf = Self { root, place };
        std::fs::create_dir_all(&shelf.root).map_err(|error| shelf.refused(&error))?;
        Ok(shelf)
    }

    /// Where the file of this content is, or would be.
    #[must_use]
    pub fn path_of(&self, key: &ContentKey) -> PathBuf {
        self.root.join(key.shard()).join(key.as_str())
    }

    fn refused(&self, error: &std::io::Error) -> ShelfError {
        let temporary = matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::Interrupted | ErrorKind::TimedOut);
        ShelfError::Refused { place: self.place.clone(), why: error.to_string(), temporary }
    }

    fn failed(&self, key: &ContentKey, error: &std::io::Error) -> ShelfError {
        // Without its folder the disk itself may not be there: that says nothing of a file.
        if error.kind() == ErrorKind::NotFound && self.root.is_dir() {
            ShelfError::Missing { place: self.place.clone(), key: key.clone() }
        } else {
            self.refused(error)
        }
    }

    /// Work on the disk, where it keeps nobody waiting.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
    ) -> std::io::Result<T> {
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
    }
}

#[async_trait]
impl Shelf for FolderShelf {
    fn place(&self) -> &str {
        &self.place
    }

    async fn put(&self, staged: &Staged<'_>) -> Result<Put, ShelfError> {
        let (from, to, root) = (staged.path.to_owned(), self.path_of(staged.key), self.root.clone());
        let (key, bytes) = (staged.key.as_str().to_owned(), staged.bytes);
        self.aside(move || put(&from, &to, &root, &key, bytes)).await.map_err(|error| self.refused(&error))
    }

    async fn measure(&self, key: &ContentKey) -> Result<Measured, ShelfError> {
        let path = self.path_of(key);
        self.aside(move || measure(&path)).await.map_err(|error| self.failed(key, &error))
    }

    async fn media_type(&self, key: &ContentKey) -> Result<String, ShelfError> {
        Ok(self.inspect(key).await?.media_type)
    }

    async fn inspect(&self, key: &ContentKey) -> Result<MediaFacts, ShelfError> {
        let path = self.path_of(key);
        let found =
            self.aside(move || container::inspect_file(&path)).await.map_err(|error| self.failed(key, &error))?;
        let (place, key) = (self.place.clone(), key.clone());
        found.map_err(|flaw| ShelfError::Flawed { place, key, why: flaw.to_string() })
    }

    async fn read(&self, key: &ContentKey, from: u64, bytes: u64) -> Result<Vec<u8>, ShelfError> {
        let path = self.path_of(key);
        let read = self.aside(move || {
            let mut file = std::fs::File::open(path)?;
            file.seek(SeekFrom::Start(from))?;
            let mut part = Vec::new();
            file.take(bytes).read_to_end(&mut part)?;
            Ok(part)
        });
        read.await.map_err(|error| self.failed(key, &error))
    }

    async fn remove(&self, key: &ContentKey) -> Result<(), ShelfError> {
        let path = self.path_of(key);
        let removed = self.aside(move || match std::fs::remove_file(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => path.parent().map_or(Ok(()), sync_folder),
        });
        removed.await.map_err(|error| self.refused(&error))
    }

    async fn list(&self, after: Option<&ContentKey>, limit: usize) -> Result<Vec<Shelved>, ShelfError> {
        let (root, after) = (self.root.clone(), after.cloned());
        self.aside(move || list(&root, after.as_ref(), limit)).await.map_err(|error| self.refused(&error))
    }

    async fn link(&self, _: &ContentKey, _: Duration) -> Result<Option<Url>, ShelfError> {
        Ok(None)
    }

    async fn claim(&self, owner: &str) -> Result<String, ShelfError> {
        let (root, owner) = (self.root.clone(), owner.to_owned());
        self.aside(move || claim(&root, &owner)).await.map_err(|error| self.refused(&error))
    }

    async fn clear(&self, before: Timestamp) -> Result<u32, ShelfError> {
        let root = self.root.clone();
        self.aside(move || clear(&root, before)).await.map_err(|error| self.refused(&error))
    }
}

/// Gives a file its place, unless the same content has it already. Of two who put the same file at once the
/// later one's copy stays, which is the same.
fn put(from: &Path, to: &Path, root: &Path, key: &str, bytes: u64) -> std::io::Result<Put> {
    let folder = to.parent().unwrap_or(root);
    if !folder.is_dir() {
        make_shards(root)?;
    }
    if to.try_exists()? {
        let there = measure(to)?;
        if there.sha256 == key && there.bytes == bytes {
            // Whoever put it there may have died before its name had reached the disk.
            sync_folder(folder)?;
            return Ok(Put::WasThere);
        }
        // The disk has lost what was kept under this name; the same content, whole, takes its place.
        tracing::error!(file.sha256 = key, "ALARM: a damaged file of the vault is replaced by a whole one");
    }
    match std::fs::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::CrossesDevices => copy(from, to, root)?,
        renamed => renamed?,
    }
    sync_folder(folder)?;
    Ok(Put::Placed)
}

/// Makes the subfolders, all at once: to make each last by itself would cost as much as all of them.
fn make_shards(root: &Path) -> std::io::Result<()> {
    for shard in 0..=u8::MAX {
        std::fs::create_dir_all(root.join(format!("{shard:02x}")))?;
    }
    sync_folder(root)
}

/// For a file that was staged on another disk.
fn copy(from: &Path, to: &Path, root: &Path) -> std::io::Result<()> {
    let mut temp = tempfile::Builder::new().prefix("placing-").suffix(UNFINISHED).tempfile_in(root)?;
    std::io::copy(&mut std::fs::File::open(from)?, temp.as_file_mut())?;
    temp.as_file().sync_all()?;
    temp.persist(to).map_err(|error| error.error)?;
    std::fs::remove_file(from)
}

fn measure(path: &Path) -> std::io::Result<Measured> {
    let mut file = std::fs::File::open(path)?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut chunk = vec![0; READ_CHUNK];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(Measured { sha256: hex::encode(hash.finalize()), bytes }),
            n => {
                hash.update(chunk.get(..n).unwrap_or_default());
                bytes += n as u64;
            }
        }
    }
}

/// The names in a folder, in order; none where there is no such folder.
fn names(folder: &Path) -> std::io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().into_string());
    }
    names.sort_unstable();
    Ok(names)
}

fn list(root: &Path, after: Option<&ContentKey>, limit: usize) -> std::io::Result<Vec<Shelved>> {
    let mut found = Vec::new();
    let first = after.map_or("", ContentKey::shard);
    for shard in names(root)?.into_iter().filter(|name| name.len() == 2 && name.as_str() >= first) {
        for name in names(&root.join(&shard))? {
            let Ok(key) = ContentKey::new(&name) else { continue };
            if key.shard() != shard || after.is_some_and(|after| key <= *after) {
                continue;
            }
            // Somebody may take it away meanwhile.
            let Ok(about) = root.join(&shard).join(&name).metadata() else { continue };
            let since = about.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
            found.push(Shelved { key, bytes: about.len(), since });
            if found.len() == limit {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// Whose the folder is; of nobody's, from now on the owner's.
fn claim(root: &Path, owner: &str) -> std::io::Result<String> {
    let path = root.join(OWNER);
    if !path.try_exists()? {
        let mut mark = tempfile::Builder::new().prefix("owner-").suffix(UNFINISHED).tempfile_in(root)?;
        mark.write_all(owner.as_bytes())?;
        mark.as_file().sync_all()?;
        match mark.persist_noclobber(&path) {
            Err(error) if error.error.kind() != ErrorKind::AlreadyExists => return Err(error.error),
            // Of two at once one was first.
            Ok(_) | Err(_) => sync_folder(root)?,
        }
    }
    let mut told = String::new();
    std::fs::File::open(&path)?.take(LONGEST_OWNER).read_to_string(&mut told)?;
    Ok(told.trim().to_owned())
}

/// Removes what a crash left on its way to its place.
fn clear(root: &Path, before: Timestamp) -> std::io::Result<u32> {
    let mut cleared = 0;
    for name in names(root)?.into_iter().filter(|name| name.ends_with(UNFINISHED)) {
        let path = root.join(name);
        let Ok(about) = path.metadata() else { continue };
        let since = about.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
        if about.is_file() && since.is_some_and(|since| since < before) {
            std::fs::remove_file(&path)?;
            cleared += 1;
        }
    }
    Ok(cleared)
}
