//! Files on their way: where bytes lie until the file is whole, wherever it ends up then.
//!
//! What arrives survives the program: the next attempt for the same file (provider, job, item) goes on where this one
//! ended, if the server still has the same version of it. A file lock keeps two programs off one part; the later one
//! works by itself, on a part that nobody goes on from. What is refused is set aside under a name that nobody
//! reads, as evidence, and like all that nobody has touched for a day it is deleted (reliability N7).

mod part;
mod sweep;
#[cfg(test)]
mod tests;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use makegood_domain::plan::StoredFile;
use makegood_domain::ports::{FileSink, Held, Start, TransitKey, VaultError};
use sha2::{Digest, Sha256};

use super::{container, write_error};
use part::{Found, Part, Version};
use sweep::Sweeper;
use worker::{PIECE, Worker};

/// How often, and how long between, a part is asked for that an attempt of this program may just be leaving.
const LOCK_TRIES: u32 = 16;
const LOCK_PAUSE: Duration = Duration::from_millis(25);

/// A folder for files on their way.
#[derive(Clone, Debug)]
pub struct Transit {
    folder: Arc<PathBuf>,
    limit_bytes: u64,
    sweeper: Arc<Sweeper>,
}

impl Transit {
    /// Uses a folder, which is made when the first file comes. What nobody has touched in it for a day is deleted.
    #[must_use]
    pub fn open(folder: impl Into<PathBuf>, limit_bytes: u64) -> Self {
        let (folder, sweeper) = (folder.into(), Sweeper::default());
        sweeper.sweep(&folder);
        Self { folder: Arc::new(folder), limit_bytes, sweeper: Arc::new(sweeper) }
    }

    /// The same folder with another limit on the length of a file.
    #[must_use]
    pub fn with_limit(self, limit_bytes: u64) -> Self {
        Self { limit_bytes, ..self }
    }

    /// Goes on with a file, or begins it.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn begin(&self, key: &TransitKey) -> Result<Staged, VaultError> {
        let (folder, sweeper) = (Arc::clone(&self.folder), Arc::clone(&self.sweeper));
        blocking(&self.folder, move || {
            std::fs::create_dir_all(&*folder)?;
            sweeper.sweep_if_due(&folder);
            Ok(())
        })
        .await?;
        let stem = stem(key);
        for attempt in 1..=LOCK_TRIES {
            let (folder, name) = (Arc::clone(&self.folder), stem.clone());
            if let Some(found) = blocking(&self.folder, move || Part::open(&folder, &name)).await? {
                return Ok(self.staged(stem, found, false));
            }
            if attempt < LOCK_TRIES {
                tokio::time::sleep(LOCK_PAUSE).await;
            }
        }
        tracing::debug!(transit = stem, "another program is bringing this file: this one works alone");
        let folder = Arc::clone(&self.folder);
        let part = blocking(&self.folder, move || Part::alone(&folder)).await?;
        Ok(self.staged(stem, Found { part, kept: None }, true))
    }

    fn staged(&self, stem: String, found: Found, is_alone: bool) -> Staged {
        let Found { part, kept } = found;
        let (bytes, version) = (part.bytes(), part.version().clone());
        let (folder, limit_bytes) = (Arc::clone(&self.folder), self.limit_bytes);
        Staged {
            folder,
            limit_bytes,
            stem,
            hands: Hands::Idle(part),
            filling: None,
            bytes,
            version,
            kept,
            is_placed: false,
            is_alone,
            started: false,
        }
    }
}

/// A file on its way. Dropped, what arrived stays for the next attempt, if that can go on from it.
#[derive(Debug)]
pub struct Staged {
    folder: Arc<PathBuf>,
    limit_bytes: u64,
    stem: String,
    hands: Hands,
    /// The buffer that is being filled.
    filling: Option<Vec<u8>>,
    /// Received, the held ones included.
    bytes: u64,
    version: Version,
    kept: Option<StoredFile>,
    /// Whether the keeper has found it in its place.
    is_placed: bool,
    /// Whether another attempt has what is here of the file.
    is_alone: bool,
    /// Whether the receiver was told which bytes come.
    started: bool,
}

/// Who has the part.
#[derive(Debug)]
enum Hands {
    Idle(Part),
    Busy(Worker),
    /// It failed, and its worker has left it.
    Nobody,
}

impl Staged {
    /// What an earlier attempt said it was keeping. Whether it got its place is for the keeper to look.
    #[must_use]
    pub fn kept(&self) -> Option<&StoredFile> {
        self.kept.as_ref()
    }

    /// Whether another attempt has what is here of the file, so that this one sees nothing of it.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.is_alone
    }

    /// What an earlier attempt meant to keep is in its place: what is left of it here is of no use.
    pub fn was_kept(&mut self) {
        self.is_placed = self.kept.is_some();
    }

    /// What an earlier attempt meant to keep is not where it should be. If all of it lies here still, no byte is missing.
    pub fn was_not_kept(&mut self) {
        let whole = self.kept.take().map(|stored| stored.bytes);
        if whole == Some(self.bytes) {
            self.version.total = whole;
        }
    }

    /// Compares what arrived with what was promised, looks into it, and makes it last.
    ///
    /// # Errors
    /// As `Incoming::commit`.
    pub async fn arrive(mut self, bytes: u64, sha256_prefix: &str) -> Result<Arrived, VaultError> {
        let part = self.part().await?;
        let sha256 = part.sha256();
        if let Some(total) = part.version().total.filter(|total| *total > part.bytes()) {
            let why = format!("{total} bytes were announced, {} came", part.bytes());
            self.hands = Hands::Idle(part);
            return Err(VaultError::NotAsPromised { why });
        }
        if let Err(refused) = promised(part.bytes(), bytes, &sha256, sha256_prefix) {
            return Err(self.set_aside(part, refused).await);
        }
        let path = part.path().to_owned();
        let (part, looked) = blocking(&path, move || look_and_sync(part, sha256)).await?;
        match looked {
            Ok(file) => Ok(Arrived { part, file }),
            Err(refused) => Err(self.set_aside(part, refused).await),
        }
    }

    /// Deletes what arrived.
    ///
    /// # Errors
    /// When it can't be deleted.
    pub async fn discard(mut self) -> Result<(), VaultError> {
        let part = self.part().await?;
        let path = part.path().to_owned();
        blocking(&path, move || part.remove()).await
    }

    /// The part, with all that was received written.
    async fn part(&mut self) -> Result<Part, VaultError> {
        match std::mem::replace(&mut self.hands, Hands::Nobody) {
            Hands::Idle(part) => Ok(part),
            Hands::Busy(mut worker) => {
                if let Some(last) = self.filling.take() {
                    worker.write(last).await.map_err(|e| self.failed(&e))?;
                }
                worker.finish().await.map_err(|e| self.failed(&e))
            }
            Hands::Nobody => Err(self.failed(&std::io::Error::other("it could not be written before"))),
        }
    }

    async fn worker(&mut self) -> Result<&mut Worker, VaultError> {
        if let Hands::Idle(_) = self.hands {
            self.hands = Hands::Busy(Worker::of(self.part().await?));
        }
        match &mut self.hands {
            Hands::Busy(worker) => Ok(worker),
            _ => Err(write_error(&self.folder, &std::io::Error::other("it could not be written before"))),
        }
    }

    /// The same, of a worker that has ended.
    fn broken(&mut self, error: &std::io::Error) -> VaultError {
        self.hands = Hands::Nobody;
        self.failed(error)
    }

    fn failed(&self, error: &std::io::Error) -> VaultError {
        write_error(&self.folder.join(format!("{}.part", self.stem)), error)
    }

    /// Keeps what was refused as evidence, and tells why it was.
    async fn set_aside(&self, part: Part, refused: VaultError) -> VaultError {
        let aside = self.folder.join(format!("refused-{}-{}.evidence", self.stem, &part.sha256()[..16]));
        let path = part.path().to_owned();
        let moved = blocking(&path, move || if part.bytes() == 0 { part.remove() } else { part.set_aside(&aside) });
        match moved.await {
            Ok(()) => refused,
            Err(error) => error,
        }
    }
}

#[async_trait]
impl FileSink for Staged {
    fn held(&self) -> Option<Held> {
        if let Some(stored) = &self.kept {
            return Some(Held { bytes: stored.bytes, total: Some(stored.bytes), tag: self.version.tag.clone() });
        }
        let Version { tag, total } = self.version.clone();
        let held = Held { bytes: self.bytes, total, tag };
        (held.bytes > 0 && (held.tag.is_some() || held.is_whole())).then_some(held)
    }

    async fn starts(&mut self, start: &Start) -> Result<(), VaultError> {
        let limit_bytes = self.limit_bytes;
        if start.total.is_some_and(|total| total > limit_bytes) {
            return Err(VaultError::TooLong { limit_bytes });
        }
        let held = self.held();
        let continues = held.is_some_and(|held| {
            held.bytes == start.from
                && held.tag.is_some()
                && held.tag == start.tag
                && (held.total.is_none() || start.total.is_none() || held.total == start.total)
        });
        self.started = true;
        if continues {
            return Ok(());
        }
        if start.from != 0 {
            let why = format!("bytes from {} on do not continue what is here", start.from);
            return Err(VaultError::NotAsPromised { why });
        }
        if let Some(buffer) = &mut self.filling {
            buffer.clear();
        }
        (self.bytes, self.kept) = (0, None);
        self.version = Version { tag: start.tag.clone(), total: start.total };
        let version = self.version.clone();
        let restarted = self.worker().await?.restart(version).await;
        restarted.map_err(|e| self.broken(&e))
    }

    async fn write(&mut self, mut chunk: &[u8]) -> Result<(), VaultError> {
        if !self.started {
            // Whoever does not say which bytes come brings the file from its beginning.
            self.starts(&Start::default()).await?;
        }
        let limit_bytes = self.limit_bytes;
        if self.bytes.saturating_add(chunk.len() as u64) > limit_bytes {
            return Err(VaultError::TooLong { limit_bytes });
        }
        while !chunk.is_empty() {
            let mut buffer = match self.filling.take() {
                Some(buffer) => buffer,
                None => {
                    let buffer = self.worker().await?.buffer().await;
                    buffer.map_err(|e| self.broken(&e))?
                }
            };
            let (now, later) = chunk.split_at(chunk.len().min(PIECE - buffer.len()));
            buffer.extend_from_slice(now);
            self.bytes += now.len() as u64;
            chunk = later;
            if buffer.len() < PIECE {
                self.filling = Some(buffer);
            } else {
                let written = self.worker().await?.write(buffer).await;
                written.map_err(|e| self.broken(&e))?;
            }
        }
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        match std::mem::replace(&mut self.hands, Hands::Nobody) {
            // What was kept is known by the log, which stays; and until it was looked for, so does what is here of it.
            Hands::Idle(part) if self.kept.is_some() && (self.is_placed || !part.is_of_use()) => part.remove_bytes(),
            Hands::Idle(part) => part.leave(),
            Hands::Busy(worker) => {
                worker.leave(self.filling.take());
                Ok(())
            }
            Hands::Nobody => Ok(()),
        }
        .unwrap_or_else(|error| tracing::debug!(%error, transit = self.stem, "a part could not be deleted"));
    }
}

/// A file that has arrived: whole, looked into, on the disk, and still locked. It is given its place and then released.
/// Dropped before that, the next attempt finds all of it here.
#[derive(Debug)]
pub struct Arrived {
    part: Part,
    file: StoredFile,
}

impl Arrived {
    /// Where it lies until it is released.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.part.path()
    }

    #[must_use]
    pub fn file(&self) -> &StoredFile {
        &self.file
    }

    /// It has its place: what is left of it here is deleted, and the next attempt is told what was kept.
    ///
    /// # Errors
    /// When it can't be deleted.
    pub async fn release(self) -> Result<StoredFile, VaultError> {
        let Self { part, file } = self;
        let path = part.path().to_owned();
        blocking(&path, move || part.remove_bytes()).await?;
        Ok(file)
    }
}

/// The file of a part, or why it is none.
type Looked = Result<StoredFile, VaultError>;

/// Looks into a part and makes it last. What it is, is noted before it gets its place: whoever comes after a crash
/// looks for it there, and goes on from the part where it is not there yet.
fn look_and_sync(mut part: Part, sha256: String) -> std::io::Result<(Part, Looked)> {
    match container::inspect_file(part.path())? {
        Ok(facts) => {
            let file = StoredFile { sha256, bytes: part.bytes(), media_type: facts.media_type };
            part.sync_kept(&file)?;
            Ok((part, Ok(file)))
        }
        Err(flaw) => {
            part.sync()?;
            Ok((part, Err(VaultError::NotAsPromised { why: flaw.to_string() })))
        }
    }
}

/// Compares what came with what was promised.
pub(super) fn promised(arrived: u64, bytes: u64, sha256: &str, prefix: &str) -> Result<(), VaultError> {
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

/// The name of a file's part: its key's hash, so that no id becomes a path.
fn stem(key: &TransitKey) -> String {
    let mut hash = Sha256::new();
    for text in [key.provider_id.as_str(), key.job_id.as_str()] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.update(key.item.to_be_bytes());
    hex::encode(&hash.finalize()[..16])
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
