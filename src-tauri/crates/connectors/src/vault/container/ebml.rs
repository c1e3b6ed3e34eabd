//! WebM and Matroska: a header element and a segment, whose length must fit the file (RFC 8794, RFC 9559).

use makegood_domain::media::{MediaFacts, PictureFacts, SoundFacts};

use super::{Bytes, Flaw, Stop};

const KIND: &str = "WebM";
const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1f43_b675;
const INFO: u32 = 0x1549_a966;
const TIMESTAMP_SCALE: u32 = 0x2a_d7b1;
const DURATION: u32 = 0x4489;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK: u32 = 0xae;
const CODEC: u32 = 0x86;
const VIDEO: u32 = 0xe0;
const WIDTH: u32 = 0xb0;
const HEIGHT: u32 = 0xba;
const AUDIO: u32 = 0xe1;
const RATE: u32 = 0xb5;
const CHANNELS: u32 = 0x9f;
const DOC_TYPE: u32 = 0x4282;
const MOST_ELEMENTS: u32 = 1_000_000;
/// Unless the file says otherwise, times are milliseconds (RFC 9559, 5.1.2.9).
const NANOS_PER_UNIT: u64 = 1_000_000;

/// An element's id, where its content begins, and its length; `None`: until the parent ends, as
/// live recordings have it.
struct Element {
    id: u32,
    body: u64,
    size: Option<u64>,
}

pub(super) fn webm(bytes: &mut Bytes) -> Result<MediaFacts, Stop> {
    let head = element(bytes, 0)?;
    let head_end = end_of(&head, bytes.len).ok_or(cut(0, "its header"))?;
    let kind = doc_type(bytes, &head, head_end)?;
    let mut at = head_end;
    for _ in 0..MOST_ELEMENTS {
        let found = element(bytes, at)?;
        let end = end_of(&found, bytes.len).ok_or(cut(at, "the rest of the recording"))?;
        if found.id == SEGMENT {
            return segment(bytes, (found.body, end), kind);
        }
        at = end;
    }
    Err(Flaw::Broken { kind: KIND, at, what: "too many elements" }.into())
}

fn doc_type(bytes: &mut Bytes, head: &Element, end: u64) -> Result<&'static str, Stop> {
    let mut at = head.body;
    while at < end {
        let found = element(bytes, at)?;
        if found.id == DOC_TYPE {
            let text = bytes.up_to::<8>(found.body)?;
            return match found.size {
                Some(4) if text.starts_with(b"webm") => Ok("video/webm"),
                Some(8) if text.starts_with(b"matroska") => Ok("video/x-matroska"),
                _ => Err(Flaw::Broken { kind: KIND, at, what: "an unknown document type" }.into()),
            };
        }
        at = end_of(&found, end).ok_or(cut(at, "its header"))?;
    }
    Err(Flaw::Broken { kind: KIND, at, what: "no document type" }.into())
}

/// Walks the segment's children: media is there, and each child ends inside.
fn segment(bytes: &mut Bytes, span: (u64, u64), kind: &str) -> Result<MediaFacts, Stop> {
    let (mut media, mut facts) = (false, MediaFacts::of(kind));
    children(bytes, span, &mut |bytes, found, end| {
        match found.id {
            CLUSTER => media = true,
            INFO => facts.duration_ms = lasting(bytes, (found.body, end))?,
            TRACKS => children(bytes, (found.body, end), &mut |bytes, found, end| match found.id {
                TRACK => track(bytes, (found.body, end), &mut facts),
                _ => Ok(()),
            })?,
            _ => {}
        }
        Ok(())
    })?;
    if !media {
        return Err(cut(span.0, "media").into());
    }
    Ok(facts)
}

type See<'a> = dyn FnMut(&mut Bytes, &Element, u64) -> Result<(), Stop> + 'a;

/// Calls `see` with each child and where it ends.
fn children(bytes: &mut Bytes, (mut at, end): (u64, u64), see: &mut See<'_>) -> Result<(), Stop> {
    for _ in 0..MOST_ELEMENTS {
        if at >= end {
            break;
        }
        let found = element(bytes, at)?;
        at = end_of(&found, end).ok_or(cut(at, "the rest of a cluster"))?;
        see(bytes, &found, at)?;
    }
    Ok(())
}

fn lasting(bytes: &mut Bytes, span: (u64, u64)) -> Result<Option<u64>, Stop> {
    let (mut scale, mut units) = (NANOS_PER_UNIT, None);
    children(bytes, span, &mut |bytes, found, _| {
        match found.id {
            TIMESTAMP_SCALE => scale = number(bytes, found)?,
            DURATION => units = Some(float(bytes, found)?),
            _ => {}
        }
        Ok(())
    })?;
    let ms = units.map(|units| units * (scale as f64) / 1e6).filter(|ms| ms.is_finite() && (0.0..1e15).contains(ms));
    Ok(ms.map(|ms| ms.round() as u64).filter(|ms| *ms > 0))
}

fn track(bytes: &mut Bytes, span: (u64, u64), facts: &mut MediaFacts) -> Result<(), Stop> {
    let (mut codec, mut picture, mut sound) = (String::new(), None, None);
    children(bytes, span, &mut |bytes, found, end| {
        match found.id {
            CODEC => codec = word(bytes, found)?,
            VIDEO => {
                let mut seen = PictureFacts::default();
                children(bytes, (found.body, end), &mut |bytes, found, _| {
                    match found.id {
                        WIDTH => seen.width = small(number(bytes, found)?),
                        HEIGHT => seen.height = small(number(bytes, found)?),
                        _ => {}
                    }
                    Ok(())
                })?;
                picture = Some(seen);
            }
            AUDIO => {
                // What is not said is this (RFC 9559, 5.1.4.1.29).
                let mut seen = SoundFacts { channels: 1, sample_rate: 8000, ..SoundFacts::default() };
                children(bytes, (found.body, end), &mut |bytes, found, _| {
                    match found.id {
                        RATE => seen.sample_rate = small(float(bytes, found)?.clamp(0.0, 1e9).round() as u64),
                        CHANNELS => seen.channels = small(number(bytes, found)?),
                        _ => {}
                    }
                    Ok(())
                })?;
                sound = Some(seen);
            }
            _ => {}
        }
        Ok(())
    })?;
    let named = codec.clone();
    facts.picture = facts.picture.take().or_else(|| picture.map(|seen| PictureFacts { codec: named, ..seen }));
    facts.sound = facts.sound.take().or_else(|| sound.map(|seen| SoundFacts { codec, ..seen }));
    Ok(())
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The last bytes of up to eight, as an unsigned number.
fn number(bytes: &mut Bytes, found: &Element) -> Result<u64, Stop> {
    let size = found.size.filter(|size| *size <= 8).and_then(|size| usize::try_from(size).ok());
    let size = size.ok_or(Flaw::Broken { kind: KIND, at: found.body, what: "a number that is too long" })?;
    let all: [u8; 8] = bytes.up_to(found.body)?;
    Ok(all[..size].iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn float(bytes: &mut Bytes, found: &Element) -> Result<f64, Stop> {
    match found.size {
        Some(4) => Ok(f32::from_be_bytes(bytes.need(found.body, KIND, "a number")?).into()),
        Some(8) => Ok(f64::from_be_bytes(bytes.need(found.body, KIND, "a number")?)),
        Some(0) => Ok(0.0),
        _ => Err(Flaw::Broken { kind: KIND, at: found.body, what: "a number of an odd length" }.into()),
    }
}

/// What people call a codec.
fn word(bytes: &mut Bytes, found: &Element) -> Result<String, Stop> {
    let all: [u8; 32] = bytes.up_to(found.body)?;
    let size = found.size.map_or(0, |size| usize::try_from(size).unwrap_or(usize::MAX)).min(all.len());
    let id = String::from_utf8_lossy(&all[..size]).trim_end_matches('\0').to_owned();
    let known = match id.as_str() {
        "V_VP8" => "vp8",
        "V_VP9" => "vp9",
        "V_AV1" => "av1",
        "V_MPEG4/ISO/AVC" => "h264",
        "V_MPEGH/ISO/HEVC" => "hevc",
        "A_OPUS" => "opus",
        "A_VORBIS" => "vorbis",
        "A_FLAC" => "flac",
        "A_AAC" => "aac",
        "A_MPEG/L3" => "mp3",
        _ => return Ok(id),
    };
    Ok(known.to_owned())
}

/// Where an element ends, if that is inside its parent.
fn end_of(element: &Element, parent_end: u64) -> Option<u64> {
    match element.size {
        None => Some(parent_end),
        Some(size) => element.body.checked_add(size).filter(|end| *end <= parent_end),
    }
}

fn element(bytes: &mut Bytes, at: u64) -> Result<Element, Stop> {
    let [first] = bytes.need::<1>(at, KIND, "an element")?;
    let id_len = u64::from(first.leading_zeros()) + 1;
    if id_len > 4 {
        return Err(Flaw::Broken { kind: KIND, at, what: "an element id that is too long" }.into());
    }
    let mut id = 0;
    for i in 0..id_len {
        let [byte] = bytes.need::<1>(at + i, KIND, "an element id")?;
        id = id << 8 | u32::from(byte);
    }
    let size_at = at + id_len;
    let [first] = bytes.need::<1>(size_at, KIND, "an element length")?;
    let size_len = u64::from(first.leading_zeros()) + 1;
    if size_len > 8 {
        return Err(Flaw::Broken { kind: KIND, at, what: "an element length that is too long" }.into());
    }
    let mut size = u64::from(first) & ((1 << (8 - size_len)) - 1);
    for i in 1..size_len {
        let [byte] = bytes.need::<1>(size_at + i, KIND, "an element length")?;
        size = size << 8 | u64::from(byte);
    }
    let unknown = (1_u64 << (7 * size_len)) - 1;
    Ok(Element { id, body: size_at + size_len, size: (size != unknown).then_some(size) })
}

fn cut(at: u64, what: &'static str) -> Flaw {
    Flaw::Cut { kind: KIND, at, what }
}
