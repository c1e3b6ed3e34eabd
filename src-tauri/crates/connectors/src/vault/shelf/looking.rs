//! Looks into a file of a store as if it lay here: what is read is fetched, in pieces.

use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};

use opendal::Operator;
use tokio::runtime::Handle;

/// Fetched at once. Most files tell what they are in their first or their last.
const PIECE: u64 = 256 * 1024;

/// A file of a store, by position. Read on a thread that may wait.
pub(super) struct Remote {
    runtime: Handle,
    operator: Operator,
    path: String,
    length: u64,
    at: u64,
    /// The last piece that was fetched, and where it begins.
    piece: (u64, Vec<u8>),
}

impl Remote {
    pub fn new(runtime: Handle, operator: Operator, path: String, length: u64) -> Self {
        Self { runtime, operator, path, length, at: 0, piece: (0, Vec::new()) }
    }

    /// What of the fetched piece lies at the position; nothing where another one must be fetched.
    fn here(&self) -> &[u8] {
        let (start, bytes) = &self.piece;
        let skip = self.at.checked_sub(*start).and_then(|skip| usize::try_from(skip).ok());
        skip.and_then(|skip| bytes.get(skip..)).unwrap_or_default()
    }
}

impl Read for Remote {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        if self.at >= self.length {
            return Ok(0);
        }
        if self.here().is_empty() {
            let range = self.at..self.at.saturating_add(PIECE).min(self.length);
            let fetched = self.runtime.block_on(async { self.operator.read_with(&self.path).range(range).await });
            self.piece = (self.at, fetched.map_err(Error::other)?.to_vec());
            if self.here().is_empty() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        let here = self.here();
        let count = here.len().min(out.len());
        out[..count].copy_from_slice(&here[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Remote {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let place = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = place.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
