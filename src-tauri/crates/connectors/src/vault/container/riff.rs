//! WebP and WAV: a RIFF whose length, and whose chunks' lengths, must fit the file.

use super::{Bytes, Flaw, Stop};

/// Writers that could not go back to fill in a length leave this.
const UNKNOWN: u32 = u32::MAX;

pub(super) fn webp(bytes: &mut Bytes) -> Result<&'static str, Stop> {
    const KIND: &str = "WebP";
    let end = riff_end(bytes, KIND)?;
    let mut picture = false;
    walk(bytes, KIND, end, |name| picture |= matches!(name, b"VP8 " | b"VP8L" | b"ANMF"))?;
    if picture { Ok("image/webp") } else { Err(Flaw::Broken { kind: KIND, at: end, what: "no picture" }.into()) }
}

pub(super) fn wav(bytes: &mut Bytes) -> Result<&'static str, Stop> {
    const KIND: &str = "WAV";
    let end = riff_end(bytes, KIND)?;
    let (mut format, mut sound) = (false, false);
    walk(bytes, KIND, end, |name| {
        format |= name == b"fmt ";
        sound |= name == b"data";
    })?;
    if format && sound {
        Ok("audio/wav")
    } else {
        Err(Flaw::Broken { kind: KIND, at: end, what: "no format or no sound" }.into())
    }
}

/// Where the RIFF ends; at the file's end where its writer did not know.
fn riff_end(bytes: &mut Bytes, kind: &'static str) -> Result<u64, Stop> {
    let [_, _, _, _, size @ ..]: [u8; 8] = bytes.need(0, kind, "its header")?;
    match u32::from_le_bytes(size) {
        UNKNOWN => Ok(bytes.len),
        n if u64::from(n) + 8 <= bytes.len => Ok(u64::from(n) + 8),
        _ => Err(Flaw::Cut { kind, at: 4, what: "as many bytes as its header says" }.into()),
    }
}

fn walk(bytes: &mut Bytes, kind: &'static str, end: u64, mut see: impl FnMut(&[u8; 4])) -> Result<(), Stop> {
    let mut at = 12;
    // A last odd byte is padding.
    while at + 1 < end {
        let head: [u8; 8] = bytes.need(at, kind, "a chunk")?;
        let [n0, n1, n2, n3, size @ ..] = head;
        let size = u32::from_le_bytes(size);
        see(&[n0, n1, n2, n3]);
        if size == UNKNOWN {
            return Ok(());
        }
        let next = at + 8 + u64::from(size);
        if next > end {
            return Err(Flaw::Cut { kind, at, what: "the rest of a chunk" }.into());
        }
        at = next + u64::from(size % 2);
    }
    Ok(())
}
