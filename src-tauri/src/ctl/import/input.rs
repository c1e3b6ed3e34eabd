//! What is imported: a file or standard input, as it is or compressed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use flate2::bufread::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

/// A file is known again by so many of its first bytes, and its path.
const KNOWN_BY_BYTES: u64 = 64 * 1024;
const BUFFER_BYTES: usize = 256 * 1024;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Something to be imported, opened.
pub(super) struct Input {
    /// As people call it.
    pub name: String,
    /// What its position is kept under; standard input can't be read on.
    pub key: Option<String>,
    /// Bytes of the file as it lies on the disk.
    pub size: Option<u64>,
    /// Bytes of it that were read.
    pub read: Arc<AtomicU64>,
    pub content: Box<dyn BufRead + Send>,
}

impl Input {
    /// Opens a file, or standard input for `-`.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let read = Arc::new(AtomicU64::new(0));
        if path == Path::new("-") {
            let content = decoded(Counted { inner: io::stdin(), read: Arc::clone(&read) }).context("standard input")?;
            return Ok(Self { name: "standard input".to_owned(), key: None, size: None, read, content });
        }
        let name = path.display().to_string();
        let opened = || -> io::Result<(File, String, u64)> {
            let mut file = File::open(path)?;
            let mut beginning = Vec::new();
            (&mut file).take(KNOWN_BY_BYTES).read_to_end(&mut beginning)?;
            file.seek(SeekFrom::Start(0))?;
            let digest = hex(&Sha256::digest(&beginning));
            let key = format!("{digest} {}", path.canonicalize()?.display());
            let size = file.metadata()?.len();
            Ok((file, key, size))
        };
        let (file, key, size) = opened().with_context(|| format!("{name} can't be read"))?;
        let counted = Counted { inner: file, read: Arc::clone(&read) };
        let content = decoded(counted).with_context(|| format!("{name} can't be read"))?;
        Ok(Self { name, key: Some(key), size: Some(size), read, content })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Decompresses what is compressed.
fn decoded(raw: impl Read + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    let mut raw = BufReader::with_capacity(BUFFER_BYTES, raw);
    if raw.fill_buf()?.starts_with(&GZIP) {
        return Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(raw))));
    }
    Ok(Box::new(raw))
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.read.fetch_add(u64::try_from(count).unwrap_or_default(), Ordering::Relaxed);
        Ok(count)
    }
}
