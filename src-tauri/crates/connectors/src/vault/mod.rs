//! The vault on a disk: each file under the SHA-256 of its content, written once.
//!
//! A file arrives under a name of its own, is hashed on the way, looked into, synced, and only then
//! gets its place; the folder is synced after it. A crash leaves either nothing or the whole file
//! (reliability 1.5). Files whose name ends in `.part` are leftovers of a crash and mean nothing.

mod container;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use makegood_domain::plan::StoredFile;
use makegood_domain::ports::{FileSink, Incoming, Vault, VaultError};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// 2 GiB (reliability N9).
pub const LIMIT_BYTES: u64 = 2 * 1024 * 1024 * 1024;
const READ_CHUNK: usize = 256 * 1024;

/// A vault in a folder. Its subfolders are the first two digits of the hashes.
#[derive(Clone, Debug)]
pub struct LocalVault {
    root: PathBuf,
    limit_bytes: u64,
}

impl LocalVault {
    /// Opens the vault, making its folder if need be.
    ///
    /// # Errors
    /// When the folder can't be made.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, VaultError> {
        let root = root.into();
        std::fs::create_dir_all(&root).map_err(|e| write_error(&root, &e))?;
        Ok(Self { root, limit_bytes: LIMIT_BYTES })
    }

    /// The same vault with another limit on the length of a file.
    #[must_use]
    pub fn with_limit(self, limit_bytes: u64) -> Self {
        Self { limit_bytes, ..self }
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
}

#[async_trait]
impl Vault for LocalVault {
    async fn begin(&self) -> Result<Box<dyn Incoming>, VaultError> {
        let temp = tempfile::Builder::new()
            .prefix("incoming-")
            .suffix(".part")
            .tempfile_in(&self.root)
            .map_err(|e| write_error(&self.root, &e))?;
        let file = temp.reopen().map_err(|e| write_error(temp.path(), &e))?;
        Ok(Box::new(Arriving {
            vault: self.clone(),
            temp,
            file: tokio::fs::File::from_std(file),
            hash: Sha256::new(),
            bytes: 0,
        }))
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

/// A file on its way. Dropped before its commit, it is deleted.
struct Arriving {
    vault: LocalVault,
    temp: NamedTempFile,
    file: tokio::fs::File,
    hash: Sha256,
    bytes: u64,
}

#[async_trait]
impl FileSink for Arriving {
    async fn write(&mut self, chunk: &[u8]) -> Result<(), VaultError> {
        let limit_bytes = self.vault.limit_bytes;
        let bytes = self.bytes.saturating_add(chunk.len() as u64);
        if bytes > limit_bytes {
            return Err(VaultError::TooLong { limit_bytes });
        }
        self.file.write_all(chunk).await.map_err(|e| write_error(self.temp.path(), &e))?;
        self.hash.update(chunk);
        self.bytes = bytes;
        Ok(())
    }
}

#[async_trait]
impl Incoming for Arriving {
    async fn commit(self: Box<Self>, bytes: u64, sha256_prefix: &str) -> Result<StoredFile, VaultError> {
        let Self { vault, temp, mut file, hash, bytes: arrived } = *self;
        let sha256 = hex::encode(hash.finalize());
        promised(arrived, bytes, &sha256, sha256_prefix)?;
        file.flush().await.map_err(|e| write_error(temp.path(), &e))?;
        file.sync_all().await.map_err(|e| write_error(temp.path(), &e))?;
        let media_type = look_into(temp.path().to_owned()).await?;
        let path = vault.path_of(&sha256)?;
        let stored = StoredFile { sha256, bytes: arrived, media_type };
        keep(temp, path, &stored).await?;
        Ok(stored)
    }
}

/// Compares what came with what was promised.
fn promised(arrived: u64, bytes: u64, sha256: &str, prefix: &str) -> Result<(), VaultError> {
    let why = if arrived == 0 {
        "it is empty".to_owned()
    } else if bytes != 0 && bytes != arrived {
        format!("{bytes} bytes were promised, {arrived} came")
    } else if !sha256.starts_with(&prefix.to_ascii_lowercase()) {
        format!("a SHA-256 beginning with {prefix} was promised, {sha256} came")
    } else {
        return Ok(());
    };
    Err(VaultError::NotAsPromised { why })
}

/// Gives the file its place, unless the same content has it already.
async fn keep(temp: NamedTempFile, path: PathBuf, stored: &StoredFile) -> Result<(), VaultError> {
    let folder = path.parent().unwrap_or(&path).to_owned();
    let (place, whole) = (path.clone(), stored.clone());
    let taken = blocking(&path, move || {
        std::fs::create_dir_all(&folder)?;
        if let Some(root) = folder.parent() {
            sync_folder(root)?;
        }
        let taken = match temp.persist_noclobber(&place) {
            Ok(_) => None,
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Some(error.file),
            Err(error) => return Err(error.error),
        };
        sync_folder(&folder)?;
        Ok(taken)
    })
    .await?;
    let Some(temp) = taken else { return Ok(()) };
    let (hash, _) = hash_file(&path).await.map_err(|e| read_error(&path, &e))?;
    if hash == whole.sha256 {
        return Ok(());
    }
    // The disk has lost what was kept under this name; the same content, whole, takes its place.
    tracing::warn!(file.sha256 = whole.sha256, "a damaged file of the vault is replaced by a whole one");
    let place = path.clone();
    blocking(&path, move || {
        temp.persist(&place).map_err(|error| error.error)?;
        place.parent().map_or(Ok(()), sync_folder)
    })
    .await
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
