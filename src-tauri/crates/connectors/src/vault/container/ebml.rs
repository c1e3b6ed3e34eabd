//! WebM and Matroska: a header element and a segment, whose length must fit the file.

use super::{Bytes, Flaw, Stop};

const KIND: &str = "WebM";
const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1f43_b675;
const DOC_TYPE: u32 = 0x4282;
const MOST_ELEMENTS: u32 = 1_000_000;

/// An element's id, where its content begins, and its length; `None`: until the parent ends, as
/// live recordings have it.
struct Element {
    id: u32,
    body: u64,
    size: Option<u64>,
}

pub(super) fn webm(bytes: &mut Bytes) -> Result<&'static str, Stop> {
    let head = element(bytes, 0)?;
    let head_end = end_of(&head, bytes.len).ok_or(cut(0, "its header"))?;
    let kind = doc_type(bytes, &head, head_end)?;
    let mut at = head_end;
    for _ in 0..MOST_ELEMENTS {
        let found = element(bytes, at)?;
        let end = end_of(&found, bytes.len).ok_or(cut(at, "the rest of the recording"))?;
        if found.id == SEGMENT {
            has_cluster(bytes, found.body, end)?;
            return Ok(kind);
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
fn has_cluster(bytes: &mut Bytes, start: u64, end: u64) -> Result<(), Stop> {
    let (mut at, mut media) = (start, false);
    for _ in 0..MOST_ELEMENTS {
        if at >= end {
            break;
        }
        let found = element(bytes, at)?;
        media |= found.id == CLUSTER;
        at = end_of(&found, end).ok_or(cut(at, "the rest of a cluster"))?;
    }
    if media { Ok(()) } else { Err(cut(at, "media").into()) }
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
