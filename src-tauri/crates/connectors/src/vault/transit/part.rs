//! A file that has not arrived whole, and the log that says which of its bytes can be trusted.
//!
//! The log is a text of lines. The first names the version of the file (its strong `ETag`) and its length. Each
//! further one is a mark: so many bytes had been written, and this is their SHA-256. A mark is written after its bytes
//! and neither is waited for until it has reached the disk, because nothing is believed on its word: whoever opens
//! the part hashes it from the beginning and takes what the last matching mark covers. The operating system keeps both
//! when the program is killed; after a power cut the marks tell what the disk has kept. (The state of a SHA-256 could
//! be kept in place of its digest, which would save that reading; but then nobody would have read the bytes since,
//! and reading a file costs a hundredth of fetching it.)

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use makegood_domain::plan::StoredFile;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::vault::sync_folder;

/// Read at once while a part is hashed.
const PIECE: usize = 256 * 1024;
/// A log longer than this is none of ours: the longest file has far fewer marks.
const LONGEST_LOG: u64 = 16 * 1024 * 1024;

/// Which version of a file a part is of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Version {
    pub tag: Option<String>,
    pub total: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Of(Version),
    At(u64, String),
    /// The file is whole, was looked into, and is about to get its place.
    Kept(StoredFile),
}

/// The log of a part, locked for as long as it is open.
#[derive(Debug)]
struct Log {
    path: PathBuf,
    file: File,
}

/// A file that has not arrived whole.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    file: File,
    hash: Sha256,
    bytes: u64,
    version: Version,
    /// `None` where nobody goes on from this part.
    log: Option<Log>,
    /// Whether the names of part and log were made to last.
    named: bool,
    /// Whether the log ends with the note that just these bytes are the whole file.
    noted: bool,
}

/// A part as it was found.
#[derive(Debug)]
pub(super) struct Found {
    pub part: Part,
    /// What an earlier attempt said it was keeping.
    pub kept: Option<StoredFile>,
}

impl Part {
    /// Opens the part `stem` of a folder and takes its lock; `None` where another holds it.
    pub fn open(folder: &Path, stem: &str) -> std::io::Result<Option<Found>> {
        let Some(log) = Log::lock(folder.join(format!("{stem}.log")))? else { return Ok(None) };
        let path = folder.join(format!("{stem}.part"));
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        let mut part = Self {
            path,
            file,
            hash: Sha256::new(),
            bytes: 0,
            version: Version::default(),
            log: Some(log),
            named: false,
            noted: false,
        };
        let kept = part.trust()?;
        Ok(Some(Found { part, kept }))
    }

    /// A part that nobody goes on from, under a name of its own.
    pub fn alone(folder: &Path) -> std::io::Result<Self> {
        let named = tempfile::Builder::new().prefix("alone-").suffix(".part").tempfile_in(folder)?;
        let (file, path) = named.keep().map_err(|error| error.error)?;
        let (hash, version) = (Sha256::new(), Version::default());
        Ok(Self { path, file, hash, bytes: 0, version, log: None, named: false, noted: false })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn version(&self) -> &Version {
        &self.version
    }

    /// Whether a later attempt can go on from here: it can ask for the rest of this version, or nothing is missing.
    pub fn is_of_use(&self) -> bool {
        self.log.is_some() && self.bytes > 0 && (self.version.tag.is_some() || self.noted)
    }

    /// SHA-256 of what is here, in hex.
    pub fn sha256(&self) -> String {
        hex::encode(self.hash.clone().finalize())
    }

    /// Takes what the last matching mark covers, and cuts off the rest of both. Of a version without a strong tag there
    /// are no marks: the note that the file is whole is its only one. What was kept has left its place here: then the
    /// log alone is of use.
    fn trust(&mut self) -> std::io::Result<Option<StoredFile>> {
        let Some(log) = &mut self.log else { return Ok(None) };
        let mut lines = log.lines()?;
        let (mut good, mut read) = (0, 0);
        let kept = match lines.pop() {
            Some((Line::Kept(stored), end)) => {
                good = end;
                Some(stored)
            }
            Some(line) => {
                lines.push(line);
                None
            }
            None => None,
        };
        let (mut hash, mut piece) = (Sha256::new(), vec![0; PIECE]);
        self.file.seek(SeekFrom::Start(0))?;
        for (line, end) in lines {
            match line {
                Line::Of(version) if read == 0 => self.version = version,
                Line::At(bytes, digest) if bytes > read => {
                    if !hash_on(&mut self.file, &mut hash, bytes - read, &mut piece)? {
                        break;
                    }
                    read = bytes;
                    if hex::encode(hash.clone().finalize()) != digest {
                        break;
                    }
                    (self.hash, self.bytes) = (hash.clone(), bytes);
                }
                Line::Of(_) | Line::At(..) | Line::Kept(_) => break,
            }
            good = good.max(end);
        }
        log.file.set_len(good)?;
        log.file.seek(SeekFrom::Start(good))?;
        if let Some(stored) = &kept {
            self.trust_note(stored, &mut piece)?;
        }
        self.file.set_len(self.bytes)?;
        self.file.seek(SeekFrom::Start(self.bytes))?;
        Ok(kept)
    }

    /// Takes all that is here where it is just what the note says, whatever the marks cover.
    fn trust_note(&mut self, stored: &StoredFile, piece: &mut [u8]) -> std::io::Result<()> {
        let mut hash = self.hash.clone();
        if self.bytes != stored.bytes {
            if stored.bytes == 0 || self.file.metadata()?.len() != stored.bytes {
                return Ok(());
            }
            hash = Sha256::new();
            self.file.seek(SeekFrom::Start(0))?;
            if !hash_on(&mut self.file, &mut hash, stored.bytes, piece)? {
                return Ok(());
            }
        }
        if hex::encode(hash.clone().finalize()) == stored.sha256 {
            (self.hash, self.bytes, self.noted) = (hash, stored.bytes, true);
        }
        Ok(())
    }

    /// Forgets what is here: bytes of this version come, from the first on.
    pub fn restart(&mut self, version: Version) -> std::io::Result<()> {
        // The log first: a crash in between leaves bytes that no mark covers.
        if let Some(log) = &mut self.log {
            log.file.set_len(0)?;
            log.file.seek(SeekFrom::Start(0))?;
        }
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        (self.hash, self.bytes, self.noted) = (Sha256::new(), 0, false);
        if let Some(log) = self.log.as_mut().filter(|_| version.tag.is_some()) {
            log.write(&Line::Of(version.clone()))?;
        }
        self.version = version;
        Ok(())
    }

    /// Adds bytes, and a mark behind them.
    pub fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        self.noted = false;
        if self.version.tag.is_some() {
            self.mark()?;
        }
        Ok(())
    }

    fn mark(&mut self) -> std::io::Result<()> {
        let (bytes, digest) = (self.bytes, self.sha256());
        self.log.as_mut().map_or(Ok(()), |log| log.write(&Line::At(bytes, digest)))
    }

    /// What makes what is here survive a power cut, to be done while more is written. `None` where
    /// nobody would go on from it.
    pub fn syncing(&mut self) -> std::io::Result<Option<impl FnOnce() -> std::io::Result<()> + Send + use<>>> {
        let Some(log) = self.log.as_ref().filter(|_| self.is_of_use()) else { return Ok(None) };
        let (file, log) = (self.file.try_clone()?, log.file.try_clone()?);
        let folder = self.path.parent().filter(|_| !std::mem::replace(&mut self.named, true)).map(Path::to_owned);
        Ok(Some(move || {
            file.sync_data()?;
            log.sync_data()?;
            folder.map_or(Ok(()), |folder| sync_folder(&folder))
        }))
    }

    /// Makes the bytes last.
    pub fn sync(&self) -> std::io::Result<()> {
        self.file.sync_all()
    }

    /// Makes the bytes last, and with them the note that the file is about to get its place, so that nobody fetches it
    /// again who comes after a crash. Which of the two reaches the disk first is all the same: whoever finds the note
    /// looks for the file in its place, and else trusts only bytes that he has hashed. So one commit of the disk's
    /// journal does for both.
    pub fn sync_kept(&mut self, stored: &StoredFile) -> std::io::Result<()> {
        let Some(log) = &mut self.log else { return self.sync() };
        log.write(&Line::Kept(stored.clone()))?;
        std::thread::scope(|both| {
            let noted = both.spawn(|| log.file.sync_data());
            self.file.sync_all()?;
            noted.join().unwrap_or_else(|_| Err(std::io::Error::other("the note was not synced")))
        })
    }

    /// Leaves the part for whoever goes on; removes it where nobody could.
    pub fn leave(self) -> std::io::Result<()> {
        if self.is_of_use() { Ok(()) } else { self.remove() }
    }

    /// Deletes the bytes. The log stays and tells what was kept.
    pub fn remove_bytes(self) -> std::io::Result<()> {
        gone(std::fs::remove_file(&self.path))
    }

    /// Deletes all of it. The log goes last: it holds the lock.
    pub fn remove(self) -> std::io::Result<()> {
        gone(std::fs::remove_file(&self.path))?;
        self.log.map_or(Ok(()), |log| gone(std::fs::remove_file(&log.path)))
    }

    /// Puts what was refused where nobody goes on from it or serves it.
    pub fn set_aside(self, aside: &Path) -> std::io::Result<()> {
        gone(std::fs::rename(&self.path, aside))?;
        self.log.map_or(Ok(()), |log| gone(std::fs::remove_file(&log.path)))
    }
}

impl Log {
    /// Opens and locks; `None` where another has the lock.
    fn lock(path: PathBuf) -> std::io::Result<Option<Self>> {
        loop {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // Whoever had the lock before may have deleted the file: then this locks a file without a name.
            let locked = same_file::Handle::from_file(file.try_clone()?)?;
            match same_file::Handle::from_path(&path) {
                Ok(named) if named == locked => return Ok(Some(Self { path, file })),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The lines that can be read, each with where it ends.
    fn lines(&mut self) -> std::io::Result<Vec<(Line, u64)>> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut reader = BufReader::new((&self.file).take(LONGEST_LOG));
        let (mut lines, mut end, mut text) = (Vec::new(), 0, Vec::new());
        loop {
            text.clear();
            end += reader.read_until(b'\n', &mut text)? as u64;
            // A line without an end was being written when the program or the machine died.
            match text.strip_suffix(b"\n").and_then(|line| serde_json::from_slice(line).ok()) {
                Some(line) => lines.push((line, end)),
                None => return Ok(lines),
            }
        }
    }

    fn write(&mut self, line: &Line) -> std::io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.write_all(&text)
    }
}

/// Hashes the next bytes of a file; false where it ends before.
fn hash_on(file: &mut File, hash: &mut Sha256, bytes: u64, piece: &mut [u8]) -> std::io::Result<bool> {
    let mut left = bytes;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        match file.read(&mut piece[..most]) {
            Ok(0) => return Ok(false),
            Ok(n) => {
                hash.update(&piece[..n]);
                left -= n as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// What is gone already needs no deleting.
fn gone(done: std::io::Result<()>) -> std::io::Result<()> {
    match done {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
