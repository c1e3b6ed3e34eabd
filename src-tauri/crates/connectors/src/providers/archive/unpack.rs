//! Unpacks one file of an archive while its bytes arrive, in little memory, and compares it with the index.

use flate2::{Crc, Decompress, FlushDecompress, Status};
use makegood_domain::ports::FileSink;

use super::ArchiveError;
use super::index::{Flaw, HEAD, Member, Method, u16_at};

/// Unpacked at once.
const PIECE: usize = 64 * 1024;

/// A file that is being unpacked.
pub struct Unpacking<'a> {
    member: &'a Member,
    /// Bytes of the head that are still to come; `None` before its length is known.
    head: Option<u64>,
    /// The head until it is whole.
    begun: Vec<u8>,
    /// Packed bytes that are still to come.
    left: u64,
    inflate: Decompress,
    is_at_end: bool,
    crc: Crc,
    piece: Vec<u8>,
}

impl<'a> Unpacking<'a> {
    pub fn of(member: &'a Member) -> Self {
        Self {
            member,
            head: None,
            begun: Vec::new(),
            left: member.packed,
            inflate: Decompress::new(false),
            is_at_end: member.method == Method::Stored,
            crc: Crc::new(),
            piece: vec![0; PIECE],
        }
    }

    /// Takes the next bytes of the archive.
    pub async fn take(&mut self, bytes: &[u8], sink: &mut dyn FileSink) -> Result<(), ArchiveError> {
        let mut rest = self.past_the_head(bytes)?;
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(rest.len());
        rest = &rest[..most];
        self.left -= most as u64;
        match self.member.method {
            Method::Stored => self.keep(rest, sink).await,
            Method::Deflated => self.inflate(rest, sink).await,
        }
    }

    /// Whether all of it came, and it is what the index says.
    pub fn ended(self) -> Result<(), Flaw> {
        let is_whole = self.left == 0 && self.is_at_end && self.crc.sum() == self.member.crc;
        let bytes = match self.member.method {
            Method::Stored => self.member.packed,
            Method::Deflated => self.inflate.total_out(),
        };
        if is_whole && bytes == self.member.bytes { Ok(()) } else { Err(Flaw::NotAsSaid) }
    }

    /// What of these bytes lies behind the member's head.
    fn past_the_head<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], Flaw> {
        let mut rest = bytes;
        if self.head.is_none() {
            let wanted = usize::try_from(HEAD).unwrap_or(usize::MAX) - self.begun.len();
            let (now, later) = rest.split_at(wanted.min(rest.len()));
            self.begun.extend_from_slice(now);
            rest = later;
            if now.len() < wanted {
                return Ok(rest);
            }
            self.head = Some(self.rest_of_head()?);
        }
        let left = self.head.unwrap_or_default();
        let skip = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        self.head = Some(left - skip as u64);
        Ok(&rest[skip..])
    }

    /// The length of name and extra field. Lengths and sums of the head itself are not read: whoever wrote the archive
    /// in one go had none yet.
    fn rest_of_head(&self) -> Result<u64, Flaw> {
        let head = &self.begun;
        let method = match self.member.method {
            Method::Stored => 0,
            Method::Deflated => 8,
        };
        if !head.starts_with(b"PK\x03\x04") || u16_at(head, 8) != Some(method) {
            return Err(Flaw::NotAsSaid);
        }
        let (name, extra) = (u16_at(head, 26).ok_or(Flaw::Broken)?, u16_at(head, 28).ok_or(Flaw::Broken)?);
        let rest = u64::from(name) + u64::from(extra);
        if self.member.at + HEAD + rest + self.member.packed > self.member.end {
            return Err(Flaw::Overlap);
        }
        Ok(rest)
    }

    async fn keep(&mut self, bytes: &[u8], sink: &mut dyn FileSink) -> Result<(), ArchiveError> {
        self.crc.update(bytes);
        sink.write(bytes).await.map_err(ArchiveError::Sink)
    }

    async fn inflate(&mut self, mut packed: &[u8], sink: &mut dyn FileSink) -> Result<(), ArchiveError> {
        let mut piece = std::mem::take(&mut self.piece);
        loop {
            if self.is_at_end {
                // What follows the end of the stream was said to be of the file.
                return if packed.is_empty() { Ok(()) } else { Err(Flaw::NotAsSaid.into()) };
            }
            let (before, made) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self.inflate.decompress(packed, &mut piece, FlushDecompress::None);
            let status = status.map_err(|_| Flaw::NotAsSaid)?;
            let taken = usize::try_from(self.inflate.total_in() - before).unwrap_or(usize::MAX);
            packed = packed.get(taken..).unwrap_or_default();
            let made = usize::try_from(self.inflate.total_out() - made).unwrap_or(usize::MAX).min(piece.len());
            if self.inflate.total_out() > self.member.bytes {
                return Err(Flaw::NotAsSaid.into());
            }
            self.keep(&piece[..made], sink).await?;
            match status {
                Status::StreamEnd => self.is_at_end = true,
                Status::Ok | Status::BufError if packed.is_empty() && made < piece.len() => {
                    self.piece = piece;
                    return Ok(());
                }
                Status::BufError if taken == 0 && made == 0 => return Err(Flaw::NotAsSaid.into()),
                Status::Ok | Status::BufError => {}
            }
        }
    }
}
