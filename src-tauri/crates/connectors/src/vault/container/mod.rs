//! Looks into a file: is it a whole media file, and of which kind? By structure, not by the first
//! bytes alone, so that a file that was cut, or an error page under a video's name, is refused
//! (reliability N5, N7); and what does it say of itself: how long, how large, coded how? No decoding, no allocation
//! by what a file claims, and no more steps than it has bytes.

mod boxes;
mod ebml;
mod flac;
mod images;
mod riff;
mod sound;
mod tables;

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use makegood_domain::media::MediaFacts;

/// Why a file is no whole media file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("it is no media file that is known here{0}")]
    Unknown(&'static str),
    #[error("it is cut: {kind} at byte {at} wants {what}")]
    Cut { kind: &'static str, at: u64, what: &'static str },
    #[error("it is broken: {kind} at byte {at}: {what}")]
    Broken { kind: &'static str, at: u64, what: &'static str },
}

type Checked = std::io::Result<Result<MediaFacts, Flaw>>;

/// What the file at `path` says of itself, or its flaw.
///
/// # Errors
/// When it can't be read.
pub fn inspect_file(path: &Path) -> Checked {
    inspect(BufReader::new(File::open(path)?))
}

/// What a file says of itself, or its flaw.
///
/// # Errors
/// When it can't be read.
pub fn inspect(source: impl Read + Seek + 'static) -> Checked {
    let mut bytes = Bytes::new(Box::new(source))?;
    match examine(&mut bytes) {
        Ok(facts) => Ok(Ok(facts)),
        Err(Stop::Flaw(flaw)) => Ok(Err(flaw)),
        Err(Stop::Io(error)) => Err(error),
    }
}

fn examine(bytes: &mut Bytes) -> Result<MediaFacts, Stop> {
    let head = bytes.up_to::<16>(0)?;
    match head {
        [0x89, b'P', b'N', b'G', ..] => images::png(bytes),
        [0xff, 0xd8, 0xff, ..] => images::jpeg(bytes),
        [b'G', b'I', b'F', b'8', ..] => images::gif(bytes),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => riff::webp(bytes),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => riff::wav(bytes),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => ebml::webm(bytes),
        [b'f', b'L', b'a', b'C', ..] => flac::flac(bytes),
        [b'O', b'g', b'g', b'S', ..] => sound::ogg(bytes),
        [b'I', b'D', b'3', ..] => sound::mp3(bytes),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] | [_, _, _, _, b'm', b'o', b'o', b'v', ..] => boxes::isobmff(bytes),
        [_, _, _, _, b'w', b'i', b'd', b'e', ..] | [_, _, _, _, b'm', b'd', b'a', b't', ..] => boxes::isobmff(bytes),
        [0xff, second, ..] if second & 0xe6 == 0xe2 => sound::mp3(bytes),
        _ => Err(Flaw::Unknown(looks_like(&head)).into()),
    }
}

/// What people should hear about the usual impostors.
fn looks_like(head: &[u8; 16]) -> &'static str {
    let text = head.trim_ascii_start().to_ascii_lowercase();
    if text.starts_with(b"<?xml") {
        ", but an XML page"
    } else if text.starts_with(b"<!doc") || text.starts_with(b"<html") {
        ", but an HTML page"
    } else if text.starts_with(b"{") || text.starts_with(b"[") {
        ", but a JSON text"
    } else {
        ""
    }
}

/// How long so many units take of which a second has `per_second`; `None` where that is nonsense.
fn millis(units: u64, per_second: u64) -> Option<u64> {
    (u128::from(units) * 1000).checked_div(per_second.into()).and_then(|ms| u64::try_from(ms).ok())
}

/// Why an examination ends.
enum Stop {
    Flaw(Flaw),
    Io(std::io::Error),
}

impl From<Flaw> for Stop {
    fn from(flaw: Flaw) -> Self {
        Self::Flaw(flaw)
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// A file by position. Reading past its end is a cut, not an error of the disk.
struct Bytes {
    source: Box<dyn Source>,
    at: u64,
    len: u64,
}

impl Bytes {
    fn new(mut source: Box<dyn Source>) -> std::io::Result<Self> {
        let len = source.seek(SeekFrom::End(0))?;
        let at = source.seek(SeekFrom::Start(0))?;
        Ok(Self { source, at, len })
    }

    /// Exactly `N` bytes at `at`; `None` where the file ends before.
    fn get<const N: usize>(&mut self, at: u64) -> std::io::Result<Option<[u8; N]>> {
        if at.checked_add(N as u64).is_none_or(|end| end > self.len) {
            return Ok(None);
        }
        self.go_to(at)?;
        let mut out = [0; N];
        self.source.read_exact(&mut out)?;
        self.at += N as u64;
        Ok(Some(out))
    }

    /// Up to `N` bytes at `at`, the rest zero.
    fn up_to<const N: usize>(&mut self, at: u64) -> std::io::Result<[u8; N]> {
        self.go_to(at)?;
        let mut out = [0; N];
        let mut filled = 0;
        while filled < N {
            match self.source.read(&mut out[filled..])? {
                0 => break,
                n => filled += n,
            }
        }
        self.at += filled as u64;
        Ok(out)
    }

    /// Exactly `N` bytes, or the flaw that the file is cut.
    fn need<const N: usize>(&mut self, at: u64, kind: &'static str, what: &'static str) -> Result<[u8; N], Stop> {
        self.get(at)?.ok_or_else(|| Flaw::Cut { kind, at, what }.into())
    }

    /// Moves without losing what is buffered: short steps are the rule.
    fn go_to(&mut self, at: u64) -> std::io::Result<()> {
        if at != self.at {
            self.at = self.source.seek(SeekFrom::Start(at))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod real_files;
#[cfg(test)]
mod tests;
