//! MP3, FLAC and Ogg.

use super::{Bytes, Flaw, Stop};

/// Ogg: pages from the first to one that says it is the last.
pub(super) fn ogg(bytes: &mut Bytes) -> Result<&'static str, Stop> {
    const KIND: &str = "Ogg";
    let (mut at, mut last) = (0, false);
    while at < bytes.len {
        let head: [u8; 27] = bytes.need(at, KIND, "a page")?;
        if &head[..4] != b"OggS" {
            return Err(Flaw::Broken { kind: KIND, at, what: "no page where one must be" }.into());
        }
        let mut size = 0;
        for i in 0..u64::from(head[26]) {
            let [lace] = bytes.need(at + 27 + i, KIND, "a page")?;
            size += u64::from(lace);
        }
        last = head[5] & 4 != 0;
        at += 27 + u64::from(head[26]) + size;
    }
    if at == bytes.len && last {
        Ok("audio/ogg")
    } else {
        Err(Flaw::Cut { kind: KIND, at, what: "its last page" }.into())
    }
}

/// FLAC: the stream's description, metadata up to the block that is marked as the last, then sound.
pub(super) fn flac(bytes: &mut Bytes) -> Result<&'static str, Stop> {
    const KIND: &str = "FLAC";
    let mut at = 4;
    loop {
        let [flags, size @ ..]: [u8; 4] = bytes.need(at, KIND, "a metadata block")?;
        let [s0, s1, s2] = size;
        let size = u64::from(u32::from_be_bytes([0, s0, s1, s2]));
        if at == 4 && (flags & 0x7f != 0 || size != 34) {
            return Err(Flaw::Broken { kind: KIND, at, what: "no description of the stream" }.into());
        }
        at += 4 + size;
        if flags & 0x80 != 0 {
            break;
        }
    }
    match bytes.need::<2>(at, KIND, "sound")? {
        [0xff, 0xf8 | 0xf9] => Ok("audio/flac"),
        _ => Err(Flaw::Broken { kind: KIND, at, what: "no frame where one must be" }.into()),
    }
}

/// MP3: an ID3 tag or none, then frames end to end, up to a closing tag or the file's end.
pub(super) fn mp3(bytes: &mut Bytes) -> Result<&'static str, Stop> {
    const KIND: &str = "MP3";
    let mut at = id3_end(bytes)?;
    let mut frames = 0_u32;
    while at < bytes.len {
        let head = bytes.up_to::<8>(at)?;
        if head.starts_with(b"TAG") || &head == b"APETAGEX" {
            break;
        }
        let Some(size) = frame_size(head) else {
            // A few zeros at the end are padding of the writer.
            return if frames > 1 && only_zeros(bytes, at)? { Ok("audio/mpeg") } else { Err(no_frame(at).into()) };
        };
        if at + size > bytes.len {
            return Err(Flaw::Cut { kind: KIND, at, what: "the rest of a frame" }.into());
        }
        at += size;
        frames += 1;
    }
    if frames > 1 { Ok("audio/mpeg") } else { Err(no_frame(at).into()) }
}

fn no_frame(at: u64) -> Flaw {
    Flaw::Broken { kind: "MP3", at, what: "no frame where one must be" }
}

fn only_zeros(bytes: &mut Bytes, from: u64) -> std::io::Result<bool> {
    let tail = bytes.up_to::<4096>(from)?;
    Ok(bytes.len - from <= 4096 && tail.iter().all(|b| *b == 0))
}

fn id3_end(bytes: &mut Bytes) -> Result<u64, Stop> {
    let head = bytes.up_to::<10>(0)?;
    if !head.starts_with(b"ID3") {
        return Ok(0);
    }
    let size = head[6..].iter().fold(0, |size, byte| size << 7 | u64::from(byte & 0x7f));
    let footer = if head[5] & 0x10 == 0 { 0 } else { 10 };
    Ok(10 + size + footer)
}

/// Length of an MPEG audio frame of layer III in bytes; `None` where this is none.
fn frame_size(head: [u8; 8]) -> Option<u64> {
    const V1: [u64; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const V2: [u64; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    const RATES: [u64; 3] = [44_100, 48_000, 32_000];
    let [sync, version, rates, ..] = head;
    let layer_3 = version & 0x06 == 0x02;
    if sync != 0xff || version & 0xe0 != 0xe0 || !layer_3 {
        return None;
    }
    let (is_v1, shift) = match version >> 3 & 3 {
        3 => (true, 0),
        2 => (false, 1),
        0 => (false, 2),
        _ => return None,
    };
    let kbit = *(if is_v1 { V1 } else { V2 }).get(usize::from(rates >> 4)).filter(|k| **k > 0)?;
    let rate = RATES.get(usize::from(rates >> 2 & 3))? >> shift;
    let padding = u64::from(rates >> 1 & 1);
    Some((if is_v1 { 144_000 } else { 72_000 }) * kbit / rate + padding)
}
