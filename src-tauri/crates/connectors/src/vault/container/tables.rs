//! Where an MP4's samples are (ISO/IEC 14496-12, 8.7 and 8.16.3). A last box that ends where the file ends says nothing
//! of how long it should be: that is told by the tables that name its samples. Tables are read entry by entry, and only
//! as far as their box goes.

use super::boxes::{Found, KIND};
use super::{Bytes, Flaw, Stop};

const WHAT: &str = "a table of its samples";

/// The tables of a track.
#[derive(Default)]
pub(super) struct Tables {
    /// Where chunks begin, in 4 or 8 bytes each.
    offsets: Option<Found>,
    /// How many samples chunks have, by runs of them.
    runs: Option<Found>,
    /// How long samples are.
    sizes: Option<Found>,
    /// Whether the samples are in another file.
    is_elsewhere: bool,
}

/// A table's entries: where they begin, and how many there are.
struct Entries {
    at: u64,
    count: u64,
}

impl Tables {
    /// Notes a box of a track.
    pub fn note(&mut self, bytes: &mut Bytes, found: Found) -> Result<(), Stop> {
        match &found.name {
            b"stco" | b"co64" => self.offsets = Some(found),
            b"stsc" => self.runs = Some(found),
            b"stsz" => self.sizes = Some(found),
            // The flags of the first place of data, of which the lowest bit says that it is this file.
            _ if found.end - found.body >= 20 => {
                let [.., flags]: [u8; 4] = bytes.need(found.body + 16, KIND, WHAT)?;
                self.is_elsewhere = flags & 1 == 0;
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the chunk that begins last ends inside the file.
    pub fn lie_inside(&self, bytes: &mut Bytes) -> Result<(), Stop> {
        let Some(offsets) = self.offsets.filter(|_| !self.is_elsewhere) else { return Ok(()) };
        let is_long = &offsets.name == b"co64";
        let chunks = entries(bytes, &offsets, 4, if is_long { 8 } else { 4 })?;
        let mut last = None;
        for n in 0..chunks.count {
            let offset = match is_long {
                true => u64::from_be_bytes(bytes.need(chunks.at + n * 8, KIND, WHAT)?),
                false => u32::from_be_bytes(bytes.need(chunks.at + n * 4, KIND, WHAT)?).into(),
            };
            if last.is_none_or(|(last, _)| offset >= last) {
                last = Some((offset, n));
            }
        }
        let Some((offset, n)) = last else { return Ok(()) };
        // In files that are written from front to back it is the last one of its track; of others only the beginning
        // is looked at.
        let size = if n + 1 == chunks.count { self.last_chunk(bytes, chunks.count)? } else { 0 };
        match offset.checked_add(size) {
            Some(end) if end <= bytes.len => Ok(()),
            _ => Err(Flaw::Cut { kind: KIND, at: bytes.len, what: "samples that its index names" }.into()),
        }
    }

    /// The bytes of the last chunk; 0 where they are not told.
    fn last_chunk(&self, bytes: &mut Bytes, chunks: u64) -> Result<u64, Stop> {
        let (Some(runs), Some(sizes)) = (self.runs, self.sizes) else { return Ok(0) };
        let before = samples_before(bytes, &runs, chunks)?;
        let [s0, s1, s2, s3, c0, c1, c2, c3]: [u8; 8] = bytes.need(sizes.body + 4, KIND, WHAT)?;
        let (size, count) = (u32::from_be_bytes([s0, s1, s2, s3]), u32::from_be_bytes([c0, c1, c2, c3]));
        match size {
            // Each has its own.
            0 => {
                let table = entries(bytes, &sizes, 8, 4)?;
                (before..table.count).try_fold(0_u64, |sum, n| {
                    let size = u32::from_be_bytes(bytes.need(table.at + n * 4, KIND, WHAT)?);
                    Ok(sum.saturating_add(size.into()))
                })
            }
            // What old QuickTime says of sound that it has packed, where it means no bytes.
            1 => Ok(0),
            size => Ok(u64::from(count).saturating_sub(before).saturating_mul(size.into())),
        }
    }
}

/// The entries of a table, whose count stands `skip` bytes behind the beginning of its box, each so wide.
fn entries(bytes: &mut Bytes, table: &Found, skip: u64, width: u64) -> Result<Entries, Stop> {
    let told = u32::from_be_bytes(bytes.need(table.body + skip, KIND, WHAT)?);
    let at = table.body + skip + 4;
    Ok(Entries { at, count: u64::from(told).min(table.end.saturating_sub(at) / width) })
}

/// The samples of all chunks but the last.
fn samples_before(bytes: &mut Bytes, runs: &Found, chunks: u64) -> Result<u64, Stop> {
    let table = entries(bytes, runs, 4, 12)?;
    let (mut before, mut run) = (0_u64, (1_u64, 0_u64));
    let mut add = |until: u64, (first, each): (u64, u64)| {
        before = before.saturating_add(until.saturating_sub(first).saturating_mul(each));
    };
    for n in 0..table.count {
        let [f0, f1, f2, f3, e0, e1, e2, e3]: [u8; 8] = bytes.need(table.at + n * 12, KIND, WHAT)?;
        let next = (u32::from_be_bytes([f0, f1, f2, f3]).into(), u32::from_be_bytes([e0, e1, e2, e3]).into());
        add(next.0, run);
        run = next;
    }
    add(chunks, run);
    Ok(before)
}

/// Whether the segments that an index of them names end inside the file: one that was cut between them is not whole.
pub(super) fn segments_lie_inside(bytes: &mut Bytes, index: &Found) -> Result<(), Stop> {
    const WHAT: &str = "the index of its segments";
    let [version, ..] = bytes.need::<4>(index.body, KIND, WHAT)?;
    let (first, at) = if version == 0 {
        (u32::from_be_bytes(bytes.need(index.body + 16, KIND, WHAT)?).into(), index.body + 20)
    } else {
        (u64::from_be_bytes(bytes.need(index.body + 20, KIND, WHAT)?), index.body + 28)
    };
    let [_, _, c0, c1]: [u8; 4] = bytes.need(at, KIND, WHAT)?;
    let most = index.end.saturating_sub(at + 4) / 12;
    let mut end = index.end.saturating_add(first);
    for n in 0..u64::from(u16::from_be_bytes([c0, c1])).min(most) {
        let told = u32::from_be_bytes(bytes.need(at + 4 + n * 12, KIND, WHAT)?);
        end = end.saturating_add((told & 0x7fff_ffff).into());
    }
    if end <= bytes.len {
        return Ok(());
    }
    Err(Flaw::Cut { kind: KIND, at: bytes.len, what: "a segment that its index names" }.into())
}
