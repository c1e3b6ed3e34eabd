//! MP3 and Ogg.

use makegood_domain::media::{MediaFacts, PictureFacts, SoundFacts};

use super::flac::stream as flac_stream;
use super::{Bytes, Flaw, Stop, millis};

/// The first stream of an Ogg file that says what it is.
struct OggStream {
    serial: [u8; 4],
    sound: Option<SoundFacts>,
    picture: Option<PictureFacts>,
    /// Units of a position in a second; 0 where a position means something else.
    per_second: u32,
    /// Units at the beginning that are not played.
    skipped: u64,
}

/// Ogg: pages from the first to one that says it is the last.
pub(super) fn ogg(bytes: &mut Bytes) -> Result<MediaFacts, Stop> {
    const KIND: &str = "Ogg";
    let (mut at, mut last, mut stream, mut position) = (0, false, None, 0);
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
        let body = at + 27 + u64::from(head[26]);
        let [_, _, _, _, _, _, p0, p1, p2, p3, p4, p5, p6, p7, s0, s1, s2, s3, ..] = head;
        let told = u64::from_le_bytes([p0, p1, p2, p3, p4, p5, p6, p7]);
        if stream.is_none() && head[5] & 2 != 0 {
            stream = ogg_stream([s0, s1, s2, s3], &bytes.up_to(body)?);
        }
        if told != u64::MAX && stream.as_ref().is_some_and(|stream| stream.serial == [s0, s1, s2, s3]) {
            position = position.max(told);
        }
        last = head[5] & 4 != 0;
        at = body + size;
    }
    if at != bytes.len || !last {
        return Err(Flaw::Cut { kind: KIND, at, what: "its last page" }.into());
    }
    let Some(stream) = stream else { return Ok(MediaFacts::of("audio/ogg")) };
    let duration_ms = millis(position.saturating_sub(stream.skipped), stream.per_second.into());
    let kind = if stream.picture.is_some() { "video/ogg" } else { "audio/ogg" };
    Ok(MediaFacts { duration_ms, picture: stream.picture, sound: stream.sound, ..MediaFacts::of(kind) })
}

/// What the first packet of a stream says.
fn ogg_stream(serial: [u8; 4], packet: &[u8; 64]) -> Option<OggStream> {
    let rate = |at: usize| packet[at..at + 4].try_into().map_or(0, u32::from_le_bytes);
    let sound = |codec: &str, channels: u8, sample_rate: u32, per_second, skipped| {
        let facts = SoundFacts { codec: codec.to_owned(), channels: channels.into(), sample_rate };
        Some(OggStream { serial, sound: Some(facts), picture: None, per_second, skipped })
    };
    if packet.starts_with(b"OpusHead") {
        // Whatever was recorded, Opus is played and counted at 48 kHz (RFC 7845, 4 and 5.1).
        return sound("opus", packet[9], 48_000, 48_000, u16::from_le_bytes([packet[10], packet[11]]).into());
    }
    if packet.starts_with(b"\x01vorbis") {
        return sound("vorbis", packet[11], rate(12), rate(12), 0);
    }
    if packet.starts_with(b"Speex   ") {
        return sound("speex", packet[48], rate(36), rate(36), 0);
    }
    if packet.starts_with(b"\x7fFLAC") {
        let stream = packet[17..51].try_into().ok().map(flac_stream)?;
        return sound("flac", u8::try_from(stream.0.channels).ok()?, stream.0.sample_rate, stream.0.sample_rate, 0);
    }
    if packet.starts_with(b"\x80theora") {
        let side = |at: usize| u32::from_be_bytes([0, packet[at], packet[at + 1], packet[at + 2]]);
        let picture = PictureFacts { width: side(14), height: side(17), codec: "theora".to_owned() };
        return Some(OggStream { serial, sound: None, picture: Some(picture), per_second: 0, skipped: 0 });
    }
    None
}

/// MP3: an ID3 tag or none, then frames end to end, up to a closing tag or the file's end.
pub(super) fn mp3(bytes: &mut Bytes) -> Result<MediaFacts, Stop> {
    const KIND: &str = "MP3";
    let mut at = id3_end(bytes)?;
    let (mut frames, mut sound, mut samples) = (0_u32, None, 0_u64);
    while at < bytes.len {
        let head = bytes.up_to::<8>(at)?;
        if head.starts_with(b"TAG") || &head == b"APETAGEX" {
            break;
        }
        let Some(frame) = frame(head) else {
            // A few zeros at the end are padding of the writer.
            if frames > 1 && only_zeros(bytes, at)? {
                break;
            }
            return Err(no_frame(at).into());
        };
        if at + frame.size > bytes.len {
            return Err(Flaw::Cut { kind: KIND, at, what: "the rest of a frame" }.into());
        }
        at += frame.size;
        frames += 1;
        samples += frame.samples;
        sound = sound.or(Some(frame.sound));
    }
    if frames <= 1 {
        return Err(no_frame(at).into());
    }
    let duration_ms = sound.as_ref().and_then(|sound| millis(samples, sound.sample_rate.into()));
    Ok(MediaFacts { duration_ms, sound, ..MediaFacts::of("audio/mpeg") })
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

/// A frame of MPEG audio.
struct Frame {
    size: u64,
    samples: u64,
    sound: SoundFacts,
}

/// The frame of layer III that begins so; `None` where this is none.
fn frame(head: [u8; 8]) -> Option<Frame> {
    const V1: [u64; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const V2: [u64; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    const RATES: [u32; 3] = [44_100, 48_000, 32_000];
    let [sync, version, rates, mode, ..] = head;
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
    let sample_rate = RATES.get(usize::from(rates >> 2 & 3))? >> shift;
    let padding = u64::from(rates >> 1 & 1);
    let samples = if is_v1 { 1152 } else { 576 };
    let size = samples / 8 * 1000 * kbit / u64::from(sample_rate) + padding;
    let channels = if mode >> 6 == 3 { 1 } else { 2 };
    Some(Frame { size, samples, sound: SoundFacts { codec: "mp3".to_owned(), channels, sample_rate } })
}
