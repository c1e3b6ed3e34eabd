//! The vault on a disk: each file under the SHA-256 of its content, written once.
//!
//! A file arrives in the folder `transit`, is hashed on the way, looked into, synced, and only then
//! gets its place; the folder is synced after it. A crash leaves either nothing or the whole file in its place
//! (reliability 1.5), and in `transit` what had arrived.

mod container;
pub mod transit;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use makegood_domain::plan::StoredFile;
use makegood_domain::ports::{FileSink, Held, Incoming, Start, TransitKey, Vault, VaultError};
use sha2::{Digest, Sha256};
use tempfile::TempPath;
use tokio::io::AsyncReadExt;

use transit::{Arrived, Staged, Transit};

/// 2 GiB (reliability N9).
pub const LIMIT_BYTES: u64 = 2 * 1024 * 1024 * 1024;
const READ_CHUNK: usize = 256 * 1024;
/// The folder of files on their way.
const TRANSIT: &str = "transit";

/// A vault in a folder. Its subfolders are the first two digits of the hashes.
#[derive(Clone, Debug)]
pub struct LocalVault {
    root: PathBuf,
    transit: Transit,
}

impl LocalVault {
    /// Opens the vault, making its folder if need be.
    ///
    /// # Errors
    /// When the folder can't be made.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, VaultError> {
        let root = root.into();
        std::fs::create_dir_all(&root).map_err(|e| write_error(&root, &e))?;
        let transit = Transit::open(root.join(TRANSIT), LIMIT_BYTES);
        Ok(Self { root, transit })
    }

    /// The same vault with another limit on the length of a file.
    #[must_use]
    pub fn with_limit(self, limit_bytes: u64) -> Self {
        Self { transit: self.transit.with_limit(limit_bytes), ..self }
    }

    /// Where a file of this hash is. Only a hash can become a path.
    fn path_of(&self, sha256: &str) -> Result<PathBuf, VaultError> {
        let is_hash = sha256.len() == 64 && sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if is_hash {
            Ok(self.root.join(&sha256[..2]).join(sha256))
        } else {
            Err(VaultError::Read { what: format!("{sha256:?}"), why: "this is no SHA-256".to_owned() })
        }
    }

    /// Whether a file lies in its place, whole.
    async fn has(&self, stored: &StoredFile) -> bool {
        let Ok(path) = self.path_of(&stored.sha256) else { return false };
        hash_file(&path).await.is_ok_and(|(hash, bytes)| hash == stored.sha256 && bytes == stored.bytes)
    }
}

#[async_trait]
impl Vault for LocalVault {
    async fn begin(&self, key: &TransitKey) -> Result<Box<dyn Incoming>, VaultError> {
        let mut staged = self.transit.begin(key).await?;
        if let Some(stored) = staged.kept().cloned()
            && !self.has(&stored).await
        {
            staged.was_not_kept();
        }
        Ok(Box::new(Arriving { vault: self.clone(), staged }))
    }

    async fn verify(&self, sha256: &str) -> Result<StoredFile, VaultError> {
        let path = self.path_of(sha256)?;
        let (hash, bytes) = hash_file(&path).await.map_err(|e| read_error(&path, &e))?;
        let media_type = look_into(path).await?;
        Ok(StoredFile { sha256: hash, bytes, media_type })
    }

    async fn read(&self, sha256: &str, limit_bytes: u64) -> Result<Vec<u8>, VaultError> {
        let path = self.path_of(sha256)?;
        let file = tokio::fs::File::open(&path).await.map_err(|e| read_error(&path, &e))?;
        let mut bytes = Vec::new();
        // One byte more than allowed tells a file that is too long, without trusting its metadata.
        let mut limited = file.take(limit_bytes.saturating_add(1));
        limited.read_to_end(&mut bytes).await.map_err(|e| read_error(&path, &e))?;
        if bytes.len() as u64 > limit_bytes {
            return Err(VaultError::TooLong { limit_bytes });
        }
        Ok(bytes)
    }
}

/// A file on its way into a folder.
struct Arriving {
    vault: LocalVault,
    staged: Staged,
}

#[async_trait]
impl FileSink for Arriving {
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
impl Incoming for Arriving {
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
        let path = vault.path_of(&arrived.file().sha256)?;
        keep(&arrived, path).await?;
        arrived.release().await
    }

    async fn discard(self: Box<Self>) -> Result<(), VaultError> {
        self.staged.discard().await
    }
}

/// Gives the file its place, unless the same content has it already.
async fn keep(arrived: &Arrived, path: PathBuf) -> Result<(), VaultError> {
    let (from, place) = (arrived.path().to_owned(), path.clone());
    let folder = path.parent().unwrap_or(&path).to_owned();
    let is_taken = blocking(&path, move || {
        make_folder(&folder)?;
        let is_taken = match TempPath::try_from_path(from)?.persist_noclobber(&place) {
            Ok(()) => false,
            // The bytes stay where they are: they may be needed in a moment.
            Err(error) => {
                let from = error.path.keep();
                match (error.error.kind(), from) {
                    (ErrorKind::AlreadyExists, Ok(_)) => true,
                    _ => return Err(error.error),
                }
            }
        };
        sync_folder(&folder)?;
        Ok(is_taken)
    })
    .await?;
    if !is_taken {
        return Ok(());
    }
    let (hash, _) = hash_file(&path).await.map_err(|e| read_error(&path, &e))?;
    if hash == arrived.file().sha256 {
        return Ok(());
    }
    // The disk has lost what was kept under this name; the same content, whole, takes its place.
    tracing::warn!(file.sha256 = arrived.file().sha256, "a damaged file of the vault is replaced by a whole one");
    let (from, place) = (arrived.path().to_owned(), path.clone());
    blocking(&path, move || {
        std::fs::rename(from, &place)?;
        place.parent().map_or(Ok(()), sync_folder)
    })
    .await
}

/// Makes a folder of the vault, and makes its name last.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    // Where it was there already, another program may have made it, and not yet synced it.
    folder.parent().map_or(Ok(()), sync_folder)
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

async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, VaultError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(std::io::Error::other(error)))
        .map_err(|e| write_error(path, &e))
}

async fn hash_file(path: &Path) -> std::io::Result<(String, u64)> {
    let mut file = tokio::fs::File::open(path).await?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut chunk = vec![0; READ_CHUNK];
    loop {
        match file.read(&mut chunk).await? {
            0 => return Ok((hex::encode(hash.finalize()), bytes)),
            n => {
                hash.update(&chunk[..n]);
                bytes += n as u64;
            }
        }
    }
}

/// What kind of media file this is, by its structure.
async fn look_into(path: PathBuf) -> Result<String, VaultError> {
    let shown = path.clone();
    let found = tokio::task::spawn_blocking(move || container::inspect_file(&path))
        .await
        .unwrap_or_else(|error| Err(std::io::Error::other(error)))
        .map_err(|e| read_error(&shown, &e))?;
    found.map(str::to_owned).map_err(|flaw| VaultError::NotAsPromised { why: flaw.to_string() })
}

fn write_error(path: &Path, error: &std::io::Error) -> VaultError {
    VaultError::Write { what: path.display().to_string(), why: error.to_string() }
}

fn read_error(path: &Path, error: &std::io::Error) -> VaultError {
    VaultError::Read { what: path.display().to_string(), why: error.to_string() }
}

#[cfg(test)]
mod tests;
