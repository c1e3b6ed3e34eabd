//! PNG, JPEG and GIF: walked from the first block to the last.

use makegood_domain::media::{MediaFacts, PictureFacts};

use super::{Bytes, Flaw, Stop};

const CRC_TABLE: [u32; 256] = crc_table();
const PIECE: usize = 4096;

/// PNG: signature, IHDR, chunks with right checksums, IEND. Bytes after IEND are ignored, as
/// every decoder does.
pub(super) fn png(bytes: &mut Bytes) -> Result<MediaFacts, Stop> {
    const KIND: &str = "PNG";
    if bytes.up_to::<8>(0)? != *b"\x89PNG\r\n\x1a\n" {
        return Err(Flaw::Broken { kind: KIND, at: 0, what: "a wrong signature" }.into());
    }
    let (mut at, mut data, mut size_of) = (8, false, (0, 0));
    loop {
        let [l0, l1, l2, l3, name @ ..]: [u8; 8] = bytes.need(at, KIND, "a chunk")?;
        let size = u64::from(u32::from_be_bytes([l0, l1, l2, l3]));
        let sum: [u8; 4] = bytes.need(at + 8 + size, KIND, "the rest of a chunk")?;
        if crc(bytes, at + 4, size + 4)? != u32::from_be_bytes(sum) {
            return Err(Flaw::Broken { kind: KIND, at, what: "a wrong checksum" }.into());
        }
        match &name {
            b"IHDR" if at == 8 && size == 13 => {
                let [w0, w1, w2, w3, h0, h1, h2, h3] = bytes.need(at + 8, KIND, "its header")?;
                size_of = (u32::from_be_bytes([w0, w1, w2, w3]), u32::from_be_bytes([h0, h1, h2, h3]));
            }
            _ if at == 8 => return Err(Flaw::Broken { kind: KIND, at, what: "no header" }.into()),
            b"IDAT" => data = true,
            b"IEND" if data => return Ok(still("image/png", size_of, "png")),
            b"IEND" => return Err(Flaw::Broken { kind: KIND, at, what: "no picture" }.into()),
            _ => {}
        }
        at += 12 + size;
    }
}

/// A picture of this size.
pub(super) fn still(media_type: &str, (width, height): (u32, u32), codec: &str) -> MediaFacts {
    MediaFacts { picture: Some(PictureFacts { width, height, codec: codec.to_owned() }), ..MediaFacts::of(media_type) }
}

fn crc(bytes: &mut Bytes, at: u64, size: u64) -> std::io::Result<u32> {
    let (mut sum, mut done) = (u32::MAX, 0);
    while done < size {
        let piece: [u8; PIECE] = bytes.up_to(at + done)?;
        let take = (size - done).min(PIECE as u64);
        for byte in piece.iter().take(usize::try_from(take).unwrap_or(PIECE)) {
            sum = CRC_TABLE[usize::from(sum.to_le_bytes()[0] ^ byte)] ^ (sum >> 8);
        }
        done += take;
    }
    Ok(!sum)
}

const fn crc_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let (mut c, mut k) = (n as u32, 0);
        while k < 8 {
            c = if c & 1 == 1 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 };
            k += 1;
        }
        table[n] = c;
        n += 1;
    }
    table
}

/// JPEG: markers up to the picture, then its end mark. What cameras and editors append is allowed,
/// as long as the end mark is there.
pub(super) fn jpeg(bytes: &mut Bytes) -> Result<MediaFacts, Stop> {
    const KIND: &str = "JPEG";
    let (mut at, mut frame) = (2, None);
    loop {
        let [mark, code] = bytes.need(at, KIND, "a marker")?;
        if mark != 0xff {
            return Err(Flaw::Broken { kind: KIND, at, what: "no marker where one must be" }.into());
        }
        if code == 0xff {
            at += 1;
            continue;
        }
        let [_, _, h, l]: [u8; 4] = bytes.need(at, KIND, "a segment")?;
        let size = u64::from(u16::from_be_bytes([h, l]));
        if size < 2 {
            return Err(Flaw::Broken { kind: KIND, at, what: "an empty segment" }.into());
        }
        if frame.is_none() && matches!(code, 0xc0..=0xcf) && !matches!(code, 0xc4 | 0xc8 | 0xcc) {
            let [_, h0, h1, w0, w1]: [u8; 5] = bytes.need(at + 4, KIND, "a frame")?;
            frame = Some((u16::from_be_bytes([w0, w1]).into(), u16::from_be_bytes([h0, h1]).into()));
        }
        at += 2 + size;
        if code == 0xda {
            break;
        }
    }
    let Some(size) = frame else {
        return Err(Flaw::Broken { kind: KIND, at, what: "no frame before the picture" }.into());
    };
    end_mark(bytes, at)?;
    Ok(still("image/jpeg", size, "jpeg"))
}

/// Follows the coded picture, in which 0xff stands before 0 or a restart mark, to its end.
fn end_mark(bytes: &mut Bytes, from: u64) -> Result<(), Stop> {
    let (mut at, mut after_ff) = (from, false);
    while at < bytes.len {
        let piece: [u8; PIECE] = bytes.up_to(at)?;
        let take = usize::try_from(bytes.len - at).unwrap_or(PIECE).min(PIECE);
        for byte in &piece[..take] {
            if after_ff && *byte == 0xd9 {
                return Ok(());
            }
            after_ff = *byte == 0xff;
        }
        at += take as u64;
    }
    Err(Flaw::Cut { kind: "JPEG", at, what: "its end mark" }.into())
}

/// GIF: blocks up to the trailer, with at least one picture.
pub(super) fn gif(bytes: &mut Bytes) -> Result<MediaFacts, Stop> {
    const KIND: &str = "GIF";
    let head: [u8; 13] = bytes.need(0, KIND, "its header")?;
    if !matches!(&head[..6], b"GIF87a" | b"GIF89a") {
        return Err(Flaw::Broken { kind: KIND, at: 0, what: "a wrong signature" }.into());
    }
    let colours = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let size = (u16::from_le_bytes([head[6], head[7]]).into(), u16::from_le_bytes([head[8], head[9]]).into());
    let (mut at, mut pictures, mut hundredths) = (13 + colours(head[10]), 0_u64, 0_u64);
    loop {
        let [block] = bytes.need(at, KIND, "a block")?;
        match block {
            0x2c => {
                let image: [u8; 10] = bytes.need(at, KIND, "a picture")?;
                at = sub_blocks(bytes, at + 11 + colours(image[9]))?;
                pictures += 1;
            }
            0x21 => {
                // Before a picture that is shown for a time, that time.
                if let Some([0x21, 0xf9, 4, _, d0, d1]) = bytes.get(at)? {
                    hundredths += u64::from(u16::from_le_bytes([d0, d1]));
                }
                at = sub_blocks(bytes, at + 2)?;
            }
            0x3b if pictures > 0 => {
                let duration_ms = (pictures > 1).then_some(hundredths * 10);
                return Ok(MediaFacts { duration_ms, ..still("image/gif", size, "gif") });
            }
            _ => return Err(Flaw::Broken { kind: KIND, at, what: "an unknown block" }.into()),
        }
    }
}

fn sub_blocks(bytes: &mut Bytes, mut at: u64) -> Result<u64, Stop> {
    loop {
        let [size] = bytes.need(at, "GIF", "a data block")?;
        at += 1 + u64::from(size);
        if size == 0 {
            return Ok(at);
        }
    }
}
