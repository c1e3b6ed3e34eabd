//! MP4, MOV, M4A, AVIF: a row of boxes that must end exactly where the file ends.

use super::{Bytes, Flaw, Stop};

const KIND: &str = "MP4";
/// More top-level boxes than any real file has; a fragmented hour of video has some thousands.
const MOST_BOXES: u32 = 200_000;

/// What was found at the top level.
#[derive(Default)]
struct Seen {
    brand: Option<[u8; 4]>,
    index: bool,
    media: bool,
    picture: bool,
}

pub(super) fn isobmff(bytes: &mut Bytes) -> Result<&'static str, Stop> {
    let (mut at, mut seen) = (0, Seen::default());
    for _ in 0..MOST_BOXES {
        if at == bytes.len {
            return verdict(&seen, at).map_err(Stop::from);
        }
        let (name, next) = one_box(bytes, at)?;
        match &name {
            b"ftyp" => seen.brand = bytes.get::<4>(at + 8)?,
            b"moov" => seen.index = true,
            b"mdat" | b"moof" => seen.media = true,
            b"meta" => seen.picture = true,
            _ => {}
        }
        at = next;
    }
    Err(Flaw::Broken { kind: KIND, at, what: "too many boxes" }.into())
}

/// Name of the box at `at`, and where the next one begins.
fn one_box(bytes: &mut Bytes, at: u64) -> Result<([u8; 4], u64), Stop> {
    let [s0, s1, s2, s3, name @ ..]: [u8; 8] = bytes.need(at, KIND, "a box header")?;
    if !name.iter().all(|b| b.is_ascii_graphic() || matches!(b, b' ' | 0xa9)) {
        return Err(Flaw::Broken { kind: KIND, at, what: "a box without a name" }.into());
    }
    let size = match u32::from_be_bytes([s0, s1, s2, s3]) {
        0 => bytes.len - at,
        1 => u64::from_be_bytes(bytes.need(at + 8, KIND, "a long box header")?),
        n => u64::from(n),
    };
    if size < 8 {
        return Err(Flaw::Broken { kind: KIND, at, what: "a box shorter than its header" }.into());
    }
    match at.checked_add(size) {
        Some(next) if next <= bytes.len => Ok((name, next)),
        _ => Err(Flaw::Cut { kind: KIND, at, what: "the rest of a box" }.into()),
    }
}

fn verdict(seen: &Seen, at: u64) -> Result<&'static str, Flaw> {
    let cut = |what| Flaw::Cut { kind: KIND, at, what };
    match seen.brand.as_ref() {
        Some(b"avif" | b"avis") if seen.picture && seen.media => Ok("image/avif"),
        Some(b"heic" | b"heix" | b"mif1") if seen.picture && seen.media => Ok("image/heic"),
        _ if !seen.index => Err(cut("the index (moov)")),
        _ if !seen.media => Err(cut("the media (mdat)")),
        Some(b"M4A " | b"M4B ") => Ok("audio/mp4"),
        Some(b"qt  ") | None => Ok("video/quicktime"),
        Some(_) => Ok("video/mp4"),
    }
}
