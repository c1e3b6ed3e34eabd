//! Archives that a provider gives in place of several files: each of their files is an item, in the archive's order.
//!
//! The index is read first, then of a file only its own bytes, in pieces: however long an archive is, a
//! piece of it is in memory. Where a server does not give parts, an archive is read that fits into one answer.

mod index;
#[cfg(test)]
mod tests;
mod unpack;

use std::ops::Range;

use makegood_domain::ports::{FileSink, Start, VaultError};

pub use index::{Flaw, Member};

use crate::http::{Answer, Ask, Http, HttpError, Version};
use unpack::Unpacking;

/// Asked for at once.
const PIECE: u64 = 4 * 1024 * 1024;
/// Media types of archives.
const TYPES: [&str; 3] = ["application/zip", "application/x-zip-compressed", "application/x-zip"];

/// Why a file of an archive did not come.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Another answer than a part of the archive: 403, 404 …
    #[error("HTTP {} in place of the archive", .0.status)]
    Answer(Answer),
    #[error("the archive is not unpacked: {0}")]
    Flaw(#[from] Flaw),
    #[error("the archive changed while it was read")]
    Changed,
    #[error(transparent)]
    Sink(VaultError),
}

/// Whether an answer about a file says that it is an archive.
pub fn is_archive(answer: &Answer) -> bool {
    answer.media_type().is_some_and(|kind| TYPES.contains(&kind.as_str()))
}

/// An archive at a provider, whose index was read.
pub struct Archive<'a> {
    http: &'a Http,
    ask: Ask,
    bytes: Bytes,
    members: Vec<Member>,
}

/// Where the bytes of an archive are.
enum Bytes {
    There { total: u64, version: Option<Version> },
    Here(Vec<u8>),
}

impl<'a> Archive<'a> {
    /// Reads the index.
    ///
    /// # Errors
    /// Where it can't be had, or is not to be believed.
    pub async fn open(http: &'a Http, ask: Ask) -> Result<Self, ArchiveError> {
        let answer = http.get(&ask.clone().last(index::TAIL)).await?;
        let (bytes, tail) = match (answer.status, answer.part()) {
            (206, Some((part, Some(total)))) if part.end == total => {
                (Bytes::There { total, version: answer.version() }, answer.body)
            }
            (200, _) => (Bytes::Here(answer.body), Vec::new()),
            _ => return Err(ArchiveError::Answer(answer)),
        };
        let mut archive = Self { http, ask, bytes, members: Vec::new() };
        let (tail, total) = match &archive.bytes {
            Bytes::There { total, .. } => (&tail[..], *total),
            Bytes::Here(whole) => (&whole[..], whole.len() as u64),
        };
        let place = index::find(tail, total)?;
        // Mostly it came with the end.
        let from = place.at.checked_sub(total - tail.len() as u64).and_then(|from| usize::try_from(from).ok());
        let index = match from.and_then(|from| tail.get(from..)) {
            Some(rest) => rest.get(..usize::try_from(place.bytes).unwrap_or(usize::MAX)).ok_or(Flaw::Broken)?.to_vec(),
            None => archive.read(place.at..place.at + place.bytes).await?,
        };
        archive.members = index::read(&place, &index)?;
        Ok(archive)
    }

    /// The files that it holds.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Unpacks the file of an item, the first being 1, into `sink`; `false` where there is none.
    ///
    /// # Errors
    /// Where it does not come, or is not as the index says.
    pub async fn unpack(&self, item: u32, sink: &mut dyn FileSink) -> Result<bool, ArchiveError> {
        let place = usize::try_from(item.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some(member) = self.members.get(place) else { return Ok(false) };
        let start = Start { from: 0, total: Some(member.bytes), tag: None };
        sink.starts(&start).await.map_err(ArchiveError::Sink)?;
        let mut unpacking = Unpacking::of(member);
        let mut from = member.at;
        while from < member.end {
            let to = from.saturating_add(PIECE).min(member.end);
            let piece = self.read(from..to).await?;
            unpacking.take(&piece, sink).await?;
            from = to;
        }
        unpacking.ended()?;
        Ok(true)
    }

    /// Exactly these bytes.
    async fn read(&self, range: Range<u64>) -> Result<Vec<u8>, ArchiveError> {
        let (total, version) = match &self.bytes {
            Bytes::There { total, version } => (*total, version.as_ref()),
            Bytes::Here(whole) => {
                let place = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
                let bytes = place.and_then(|(start, end)| whole.get(start..end));
                return Ok(bytes.ok_or(Flaw::Overlap)?.to_vec());
            }
        };
        let answer = self.http.get(&self.ask.clone().between(&range, version)).await?;
        match (answer.status, answer.part()) {
            (206, Some((part, whole))) => {
                let is_same = part == range && whole.is_none_or(|whole| whole == total);
                let is_same = is_same && version.is_none_or(|version| answer.version().as_ref() == Some(version));
                if is_same { Ok(answer.body) } else { Err(ArchiveError::Changed) }
            }
            (200 | 412 | 416, _) => Err(ArchiveError::Changed),
            _ => Err(ArchiveError::Answer(answer)),
        }
    }
}
