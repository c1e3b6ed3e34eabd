//! FLAC (RFC 9639): a description of the stream, then frames. Frames tell no length; whether the last one is there is
//! told by the samples that the description counts.

use makegood_domain::media::{MediaFacts, SoundFacts};

use super::{Bytes, Flaw, Stop, millis};

const KIND: &str = "FLAC";
/// Read at once while the last frame is looked for.
const PIECE: usize = 16 * 1024;
/// The longest head of a frame: four bytes, a number of seven, two lengths of two, and the sum.
const LONGEST_HEAD: usize = 16;
/// As many heads that fit are followed to the end of the file: one is right, and nobody makes a file slow with others.
const MOST_HEADS: u32 = 8;
/// So far from the end the last frame may begin: 65,535 samples of eight channels of 32 bits, and what stands behind.
const LONGEST_FRAME: u64 = 65_535 * 8 * 4 + 64 * 1024;

/// What the description says that frames are read by.
struct Stream {
    sound: SoundFacts,
    /// 0 where nobody counted them.
    samples: u64,
    /// Samples of a frame, where all but the last have as many.
    block: u64,
}

/// The stream's description, metadata up to the block that is marked as the last, then sound up to the last sample.
pub(super) fn flac(bytes: &mut Bytes) -> Result<MediaFacts, Stop> {
    let described: [u8; 34] = bytes.need(8, KIND, "the description of the stream")?;
    let (sound, samples) = stream(described);
    let stream = Stream { sound, samples, block: u16::from_be_bytes([described[2], described[3]]).into() };
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
    if !matches!(bytes.need::<2>(at, KIND, "sound")?, [0xff, 0xf8 | 0xf9]) {
        return Err(Flaw::Broken { kind: KIND, at, what: "no frame where one must be" }.into());
    }
    if stream.samples > 0 && !ends_whole(bytes, at, &stream)? {
        return Err(Flaw::Cut { kind: KIND, at: bytes.len, what: "its last frame" }.into());
    }
    let duration_ms = millis(stream.samples, stream.sound.sample_rate.into()).filter(|ms| *ms > 0);
    Ok(MediaFacts { duration_ms, sound: Some(stream.sound), ..MediaFacts::of("audio/flac") })
}

/// What the description of a FLAC stream says: 20 bits of rate, 3 of channels less one, 5 of depth, 36 of samples
/// (RFC 9639, 8.2); no samples where nobody counted them.
pub(super) fn stream(described: [u8; 34]) -> (SoundFacts, u64) {
    let [b0, b1, b2, b3, b4, b5, b6, b7]: [u8; 8] = std::array::from_fn(|i| described[10 + i]);
    let packed = u64::from_be_bytes([b0, b1, b2, b3, b4, b5, b6, b7]);
    let bits = |from: u32, count: u32| packed >> (64 - from - count) & ((1 << count) - 1);
    let sample_rate = u32::try_from(bits(0, 20)).unwrap_or(0);
    let channels = u32::try_from(bits(20, 3)).unwrap_or(0) + 1;
    (SoundFacts { codec: "flac".to_owned(), channels, sample_rate }, bits(28, 36))
}

/// Whether a frame that ends with the last sample stands at the end, whole. Looked for from the end on, in pieces:
/// what only looks like the head of a frame ends elsewhere, or has another sum.
fn ends_whole(bytes: &mut Bytes, first: u64, stream: &Stream) -> Result<bool, Stop> {
    let earliest = first.max(bytes.len.saturating_sub(LONGEST_FRAME));
    let (mut end, mut heads_left) = (bytes.len, MOST_HEADS);
    while end > earliest {
        let start = earliest.max(end.saturating_sub(PIECE as u64));
        // A head may go on in the piece behind.
        let piece = bytes.up_to::<{ PIECE + LONGEST_HEAD }>(start)?;
        let heads = usize::try_from(end - start).unwrap_or(PIECE).min(PIECE);
        for at in (0..heads).rev() {
            let head = piece.get(at..at + LONGEST_HEAD).unwrap_or_default();
            if last_sample(head, stream.block) != Some(stream.samples) {
                continue;
            }
            if is_whole_frame(bytes, start + at as u64)? {
                return Ok(true);
            }
            heads_left -= 1;
            if heads_left == 0 {
                return Ok(false);
            }
        }
        end = start;
    }
    Ok(false)
}

/// The number of the sample behind a frame that begins so (RFC 9639, 9.1); `None` where this is no head of a frame.
fn last_sample(head: &[u8], block: u64) -> Option<u64> {
    let [0xff, kind @ (0xf8 | 0xf9), lengths, _, lead, ..] = *head else { return None };
    let more = match lead.leading_ones() {
        0 => 0,
        ones @ 2..=7 => ones as usize - 1,
        _ => return None,
    };
    let mut number = u64::from(lead) & (0xff_u64 >> (lead.leading_ones() + 1).min(8));
    for byte in head.get(5..5 + more)? {
        if byte & 0xc0 != 0x80 {
            return None;
        }
        number = number << 6 | u64::from(byte & 0x3f);
    }
    let mut at = 5 + more;
    let of = |at: usize| head.get(at).copied().map(u64::from);
    let samples = match lengths >> 4 {
        0 => return None,
        1 => 192,
        n @ 2..=5 => 576 << (n - 2),
        6 => {
            at += 1;
            of(at - 1)? + 1
        }
        7 => {
            at += 2;
            (of(at - 2)? << 8 | of(at - 1)?) + 1
        }
        n => 256 << (n - 8),
    };
    at += match lengths & 0xf {
        12 => 1,
        13 | 14 => 2,
        15 => return None,
        _ => 0,
    };
    let sum = head.get(..at)?.iter().fold(0_u8, |sum, byte| {
        (0..8).fold(sum ^ byte, |sum, _| if sum & 0x80 == 0 { sum << 1 } else { sum << 1 ^ 0x07 })
    });
    let first = if kind == 0xf9 { number } else { number.checked_mul(block)? };
    if sum == *head.get(at)? { first.checked_add(samples) } else { None }
}

/// Whether the bytes from `start` on are a frame with its sum, up to the end of the file or to a tag of the kinds that
/// other formats put there.
fn is_whole_frame(bytes: &mut Bytes, start: u64) -> Result<bool, Stop> {
    let (mut sum, mut at) = (0_u16, start);
    while at < bytes.len {
        let piece = bytes.up_to::<PIECE>(at)?;
        let here = usize::try_from(bytes.len - at).unwrap_or(PIECE).min(PIECE);
        for (i, byte) in piece[..here].iter().enumerate() {
            let is_tag = || [&b"TAG"[..], b"APETAGEX", b"ID3"].iter().any(|tag| piece[i..here].starts_with(tag));
            if sum == 0 && at + i as u64 > start && is_tag() {
                return Ok(true);
            }
            sum =
                (0..8).fold(
                    sum ^ u16::from(*byte) << 8,
                    |sum, _| {
                        if sum & 0x8000 == 0 { sum << 1 } else { sum << 1 ^ 0x8005 }
                    },
                );
        }
        at += here as u64;
    }
    Ok(sum == 0)
}
