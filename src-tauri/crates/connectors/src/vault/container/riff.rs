//! WebP and WAV: a RIFF whose length, and whose chunks' lengths, must fit the file.

use makegood_domain::media::{MediaFacts, SoundFacts};

use super::images::still;
use super::{Bytes, Flaw, Stop, millis};

/// Writers that could not go back to fill in a length leave this.
const UNKNOWN: u32 = u32::MAX;

pub(super) fn webp(bytes: &mut Bytes) -> Result<MediaFacts, Stop> {
    const KIND: &str = "WebP";
    let end = riff_end(bytes, KIND)?;
    let (mut canvas, mut first, mut shown_ms) = (None, None, None);
    walk(bytes, KIND, end, &mut |bytes, name, at, _| {
        match name {
            b"VP8X" => {
                let [_, _, _, _, w0, w1, w2, h0, h1, h2]: [u8; 10] = bytes.need(at, KIND, "its canvas")?;
                let side = |low, middle, high| u32::from_le_bytes([low, middle, high, 0]) + 1;
                canvas = Some((side(w0, w1, w2), side(h0, h1, h2)));
            }
            b"VP8 " => first = first.or(lossy(bytes, at)?),
            b"VP8L" => first = first.or(lossless(bytes, at)?),
            b"ANMF" => {
                let frame: [u8; 16] = bytes.need(at, KIND, "a frame")?;
                let ms = u32::from_le_bytes([frame[12], frame[13], frame[14], 0]);
                shown_ms = Some(shown_ms.unwrap_or(0) + u64::from(ms));
                first = first.or(Some((1, 1)));
            }
            _ => {}
        }
        Ok(())
    })?;
    match (canvas, first) {
        (canvas, Some(size)) => {
            Ok(MediaFacts { duration_ms: shown_ms, ..still("image/webp", canvas.unwrap_or(size), "webp") })
        }
        (_, None) => Err(Flaw::Broken { kind: KIND, at: end, what: "no picture" }.into()),
    }
}

/// The size of a picture in VP8: 14 bits a side, after the start code of a key frame (RFC 6386, 9.1).
fn lossy(bytes: &mut Bytes, at: u64) -> Result<Option<(u32, u32)>, Stop> {
    let [_, _, _, s0, s1, s2, w0, w1, h0, h1]: [u8; 10] = bytes.need(at, "WebP", "its picture")?;
    if [s0, s1, s2] != [0x9d, 0x01, 0x2a] {
        return Err(Flaw::Broken { kind: "WebP", at, what: "no key frame where one must be" }.into());
    }
    let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    Ok(Some((side(w0, w1), side(h0, h1))))
}

/// The size of a picture in VP8L: 14 bits a side, less one (RFC 9649, 3.4).
fn lossless(bytes: &mut Bytes, at: u64) -> Result<Option<(u32, u32)>, Stop> {
    let [signature, sizes @ ..]: [u8; 5] = bytes.need(at, "WebP", "its picture")?;
    if signature != 0x2f {
        return Err(Flaw::Broken { kind: "WebP", at, what: "no picture where one must be" }.into());
    }
    let sizes = u32::from_le_bytes(sizes);
    Ok(Some(((sizes & 0x3fff) + 1, (sizes >> 14 & 0x3fff) + 1)))
}

/// What a `fmt ` chunk says.
struct Format {
    facts: SoundFacts,
    bytes_per_second: u32,
}

pub(super) fn wav(bytes: &mut Bytes) -> Result<MediaFacts, Stop> {
    const KIND: &str = "WAV";
    let end = riff_end(bytes, KIND)?;
    let (mut format, mut sound) = (None, None);
    walk(bytes, KIND, end, &mut |bytes, name, at, size| {
        match name {
            b"fmt " if format.is_none() => format = Some(described(bytes, at)?),
            b"data" => sound = Some(sound.unwrap_or(0) + size),
            _ => {}
        }
        Ok(())
    })?;
    let (Some(format), Some(sound)) = (format, sound) else {
        return Err(Flaw::Broken { kind: KIND, at: end, what: "no format or no sound" }.into());
    };
    let duration_ms = millis(sound, format.bytes_per_second.into());
    Ok(MediaFacts { duration_ms, sound: Some(format.facts), ..MediaFacts::of("audio/wav") })
}

fn described(bytes: &mut Bytes, at: u64) -> Result<Format, Stop> {
    let [t0, t1, c0, c1, r0, r1, r2, r3, b0, b1, b2, b3]: [u8; 12] = bytes.need(at, "WAV", "its format")?;
    let tag = match u16::from_le_bytes([t0, t1]) {
        // The extensible form tells the same further behind.
        0xfffe => bytes.get(at + 24)?.map_or(0xfffe, u16::from_le_bytes),
        tag => tag,
    };
    let codec = match tag {
        1 => "pcm".to_owned(),
        3 => "pcm_float".to_owned(),
        6 => "alaw".to_owned(),
        7 => "mulaw".to_owned(),
        0x11 => "adpcm".to_owned(),
        0x55 => "mp3".to_owned(),
        other => format!("{other:#06x}"),
    };
    let (channels, sample_rate) = (u16::from_le_bytes([c0, c1]).into(), u32::from_le_bytes([r0, r1, r2, r3]));
    let bytes_per_second = u32::from_le_bytes([b0, b1, b2, b3]);
    Ok(Format { facts: SoundFacts { codec, channels, sample_rate }, bytes_per_second })
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

/// Is called with a chunk's name, where its content begins, and how long that is.
type See<'a> = dyn FnMut(&mut Bytes, &[u8; 4], u64, u64) -> Result<(), Stop> + 'a;

fn walk(bytes: &mut Bytes, kind: &'static str, end: u64, see: &mut See<'_>) -> Result<(), Stop> {
    let mut at = 12;
    // A last odd byte is padding.
    while at + 1 < end {
        let head: [u8; 8] = bytes.need(at, kind, "a chunk")?;
        let [n0, n1, n2, n3, size @ ..] = head;
        let size = u32::from_le_bytes(size);
        if size == UNKNOWN {
            return see(bytes, &[n0, n1, n2, n3], at + 8, end.saturating_sub(at + 8));
        }
        let next = at + 8 + u64::from(size);
        if next > end {
            return Err(Flaw::Cut { kind, at, what: "the rest of a chunk" }.into());
        }
        see(bytes, &[n0, n1, n2, n3], at + 8, size.into())?;
        at = next + u64::from(size % 2);
    }
    Ok(())
}
