//! The vault: recovered files, each under the SHA-256 of its content, written once, on a [`shelf`] of any kind.
//!
//! A file arrives in the folder of files on their way ([`transit`]), is hashed there, looked into and synced, and
//! only then gets its place on the shelf. A crash leaves either nothing or the whole file in its place (reliability
//! 1.5), and on the way what had arrived.

mod container;
pub mod shelf;
pub mod transit;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::keeping::VaultFile;
use makegood_domain::media::MediaFacts;
use makegood_domain::plan::StoredFile;
use makegood_domain::ports::{FileSink, Held, Incoming, Start, TransitKey, Vault, VaultError};
use tokio::sync::OnceCell;

use shelf::{ContentKey, FolderShelf, Put, Shelf, ShelfError, StoreShelf};
use transit::{Staged, Transit};

/// 2 GiB (reliability N9).
pub const LIMIT_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// The folder of files on their way, in that of a vault on a disk.
const TRANSIT: &str = "transit";

/// A vault whose files stand on a shelf.
#[derive(Debug)]
pub struct ShelfVault<S> {
    shelf: Arc<S>,
    transit: Transit,
    owner: Arc<Owner>,
}

/// Whose files are kept, where that was said, and whether the shelf was found to be theirs.
#[derive(Debug, Default)]
struct Owner {
    record: OnceLock<String>,
    has_it: OnceCell<()>,
}

/// A vault in a folder.
pub type LocalVault = ShelfVault<FolderShelf>;
/// A vault in a store of objects.
pub type StoreVault = ShelfVault<StoreShelf>;

impl<S> Clone for ShelfVault<S> {
    fn clone(&self) -> Self {
        Self { shelf: Arc::clone(&self.shelf), transit: self.transit.clone(), owner: Arc::clone(&self.owner) }
    }
}

impl LocalVault {
    /// Opens the vault, making its folder if need be.
    ///
    /// # Errors
    /// When the folder can't be made.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, VaultError> {
        let root = root.into();
        let shelf = FolderShelf::open(&root).map_err(writing)?;
        Ok(Self::on(shelf, root.join(TRANSIT)))
    }
}

impl<S: Shelf> ShelfVault<S> {
    /// A vault on this shelf, with a folder on a disk of ours for files on their way.
    #[must_use]
    pub fn on(shelf: S, transit: impl Into<PathBuf>) -> Self {
        Self { shelf: Arc::new(shelf), transit: Transit::open(transit, LIMIT_BYTES), owner: Arc::default() }
    }

    /// The same vault with another limit on the length of a file.
    #[must_use]
    pub fn with_limit(self, limit_bytes: u64) -> Self {
        Self { transit: self.transit.with_limit(limit_bytes), ..self }
    }

    /// Makes sure that the shelf is our record's.
    async fn is_ours(&self) -> Result<(), VaultError> {
        let Some(record) = self.owner.record.get() else { return Ok(()) };
        let owner = self.shelf.claim(record).await.map_err(reading)?;
        if owner == *record {
            return Ok(());
        }
        let why = format!(
            "it belongs to another record ({owner}), and two records take away each other's files. Give this one a \
             folder, a bucket or a prefix of its own; where the other is worked with no more, delete the file `{}` \
             there, and this one takes it over",
            shelf::OWNER
        );
        Err(VaultError::Write { what: self.shelf.place().to_owned(), why })
    }

    /// Whether a file lies in its place, whole. That a shelf can't be asked now says nothing of what is on it.
    async fn has(&self, stored: &StoredFile) -> Result<bool, VaultError> {
        let Ok(key) = ContentKey::new(&stored.sha256) else { return Ok(false) };
        match self.shelf.measure(&key).await {
            Ok(found) => Ok(found.sha256 == stored.sha256 && found.bytes == stored.bytes),
            Err(ShelfError::Missing { .. }) => Ok(false),
            Err(error) => Err(reading(error)),
        }
    }
}

#[async_trait]
impl<S: Shelf + 'static> Vault for ShelfVault<S> {
    async fn begin(&self, key: &TransitKey) -> Result<Box<dyn Incoming>, VaultError> {
        self.owner.has_it.get_or_try_init(|| self.is_ours()).await?;
        let mut staged = self.transit.begin(key).await?;
        if let Some(stored) = staged.kept().cloned() {
            if self.has(&stored).await? {
                staged.was_kept();
            } else {
                staged.was_not_kept();
            }
        }
        Ok(Box::new(Arriving { vault: self.clone(), staged }))
    }

    async fn verify(&self, sha256: &str) -> Result<StoredFile, VaultError> {
        let key = ContentKey::new(sha256).map_err(reading)?;
        let found = self.shelf.measure(&key).await.map_err(reading)?;
        let media_type = self.shelf.media_type(&key).await.map_err(reading)?;
        Ok(StoredFile { sha256: found.sha256, bytes: found.bytes, media_type })
    }

    async fn inspect(&self, sha256: &str) -> Result<MediaFacts, VaultError> {
        let key = ContentKey::new(sha256).map_err(reading)?;
        self.shelf.inspect(&key).await.map_err(reading)
    }

    async fn read(&self, sha256: &str, limit_bytes: u64) -> Result<Vec<u8>, VaultError> {
        // One byte more than allowed tells a file that is too long, without trusting its metadata.
        let bytes = self.read_part(sha256, 0, limit_bytes.saturating_add(1)).await?;
        if bytes.len() as u64 > limit_bytes { Err(VaultError::TooLong { limit_bytes }) } else { Ok(bytes) }
    }

    fn place(&self) -> String {
        self.shelf.place().to_owned()
    }

    async fn read_part(&self, sha256: &str, from: u64, bytes: u64) -> Result<Vec<u8>, VaultError> {
        let key = ContentKey::new(sha256).map_err(reading)?;
        self.shelf.read(&key, from, bytes).await.map_err(reading)
    }

    async fn files(&self, after: Option<&str>, limit: usize) -> Result<Vec<VaultFile>, VaultError> {
        let after = after.map(ContentKey::new).transpose().map_err(reading)?;
        let listed = self.shelf.list(after.as_ref(), limit).await.map_err(reading)?;
        let file = |one: shelf::Shelved| VaultFile { sha256: one.key.to_string(), bytes: one.bytes, since: one.since };
        Ok(listed.into_iter().map(file).collect())
    }

    fn belongs_to(&self, record: &str) {
        if self.owner.record.set(record.to_owned()).is_err() {
            tracing::debug!(record, "the vault was told before whose it is");
        }
    }

    async fn claim(&self) -> Result<(), VaultError> {
        self.is_ours().await
    }

    async fn remove(&self, sha256: &str) -> Result<(), VaultError> {
        let key = ContentKey::new(sha256).map_err(writing)?;
        self.shelf.remove(&key).await.map_err(writing)
    }

    async fn link(&self, sha256: &str, valid_for: SignedDuration) -> Result<Option<String>, VaultError> {
        let key = ContentKey::new(sha256).map_err(reading)?;
        let valid_for = Duration::try_from(valid_for).unwrap_or_default();
        Ok(self.shelf.link(&key, valid_for).await.map_err(reading)?.map(String::from))
    }

    async fn clear(&self, before: Timestamp) -> Result<u32, VaultError> {
        self.shelf.clear(before).await.map_err(writing)
    }
}

/// A file on its way to a shelf.
struct Arriving<S> {
    vault: ShelfVault<S>,
    staged: Staged,
}

#[async_trait]
impl<S: Shelf> FileSink for Arriving<S> {
    fn held(&self) -> Option<Held> {
        self.staged.held()
    }

    async fn starts(&mut self, start: &Start) -> Result<(), VaultError> {
        self.staged.starts(start).await
    }

    async fn write(&mut self, chunk: &[u8]) -> Result<(), VaultError> {
        self.staged.write(chunk).await
    }
}

#[async_trait]
impl<S: Shelf> Incoming for Arriving<S> {
    fn is_anothers(&self) -> bool {
        self.staged.is_alone()
    }

    async fn commit(self: Box<Self>, bytes: u64, sha256_prefix: &str) -> Result<StoredFile, VaultError> {
        let Self { vault, staged } = *self;
        if let Some(stored) = staged.kept().cloned() {
            return match transit::promised(stored.bytes, bytes, &stored.sha256, sha256_prefix) {
                Ok(()) => Ok(stored),
                // Whatever was kept in its name, this file is another one, and is fetched next time.
                Err(refused) => staged.discard().await.and(Err(refused)),
            };
        }
        let arrived = staged.arrive(bytes, sha256_prefix).await?;
        let file = arrived.file();
        let key = ContentKey::new(&file.sha256).map_err(writing)?;
        let staged = shelf::Staged { path: arrived.path(), key: &key, bytes: file.bytes, media_type: &file.media_type };
        if vault.shelf.put(&staged).await.map_err(writing)? == Put::WasThere {
            tracing::debug!(file.sha256 = key.as_str(), "the vault had this file already");
        }
        arrived.release().await
    }

    async fn discard(self: Box<Self>) -> Result<(), VaultError> {
        self.staged.discard().await
    }
}

/// Makes a rename or a new name in a folder last.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// Other systems write the names with the file.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

fn write_error(path: &Path, error: &std::io::Error) -> VaultError {
    VaultError::Write { what: path.display().to_string(), why: error.to_string() }
}

fn writing(error: ShelfError) -> VaultError {
    let (what, why) = in_words(error);
    VaultError::Write { what, why }
}

fn reading(error: ShelfError) -> VaultError {
    match error {
        ShelfError::Flawed { why, .. } => VaultError::NotAsPromised { why },
        ShelfError::Missing { place, key } => VaultError::Missing { what: format!("{key} in {place}") },
        error => {
            let (what, why) = in_words(error);
            VaultError::Read { what, why }
        }
    }
}

/// What, and why.
fn in_words(error: ShelfError) -> (String, String) {
    match error {
        ShelfError::Missing { place, key } => (format!("{key} in {place}"), "it is not there".to_owned()),
        ShelfError::Refused { place, why, .. } => (place, why),
        ShelfError::NoKey(text) => (format!("{text:?}"), "this is no SHA-256".to_owned()),
        error => ("this file".to_owned(), error.to_string()),
    }
}

#[cfg(test)]
mod tests;
