//! MP4, MOV, M4A, AVIF: a row of boxes that must end exactly where the file ends (ISO/IEC 14496-12).

use makegood_domain::media::{MediaFacts, PictureFacts, SoundFacts};

use super::tables::{self, Tables};
use super::{Bytes, Flaw, Stop, millis};

pub(super) const KIND: &str = "MP4";
/// More boxes than any real file has; a fragmented hour of video has some thousands.
const MOST_BOXES: u32 = 200_000;
/// A description longer than this is not read.
const LONGEST_ENTRY: u64 = 64 * 1024;
/// Boxes of a track that lie in one another; real ones are three deep. Without a limit a small file of nothing but
/// heads would use up the stack, which ends the whole program.
const DEEPEST: u32 = 16;

/// A box: where its content begins and ends.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub name: [u8; 4],
    pub body: u64,
    pub end: u64,
}

/// What was found.
#[derive(Default)]
struct Seen {
    brand: Option<[u8; 4]>,
    index: bool,
    media: bool,
    picture: bool,
    boxes: u32,
    /// The longest track, which may have a beginning or an end that is not played.
    tracks_ms: Option<u64>,
    facts: MediaFacts,
}

/// A track while its boxes are read.
#[derive(Default)]
struct Track {
    handler: [u8; 4],
    duration_ms: Option<u64>,
    entry: Option<Found>,
    tables: Tables,
}

pub(super) fn isobmff(bytes: &mut Bytes) -> Result<MediaFacts, Stop> {
    let (mut at, mut seen) = (0, Seen::default());
    while at != bytes.len {
        let found = seen.next(bytes, at, bytes.len)?;
        match &found.name {
            b"ftyp" => seen.brand = bytes.get::<4>(found.body)?,
            b"moov" => {
                seen.index = true;
                seen.movie(bytes, &found)?;
            }
            b"mdat" | b"moof" => seen.media = true,
            b"sidx" => tables::segments_lie_inside(bytes, &found)?,
            b"meta" => {
                seen.picture = true;
                seen.items(bytes, &found)?;
            }
            _ => {}
        }
        at = found.end;
    }
    let kind = verdict(&seen, at)?;
    let duration_ms = seen.facts.duration_ms.or(seen.tracks_ms);
    Ok(MediaFacts { media_type: kind.to_owned(), duration_ms, ..seen.facts })
}

impl Seen {
    /// The box at `at`, which must end inside its parent.
    fn next(&mut self, bytes: &mut Bytes, at: u64, parent_end: u64) -> Result<Found, Stop> {
        self.boxes += 1;
        if self.boxes > MOST_BOXES {
            return Err(Flaw::Broken { kind: KIND, at, what: "too many boxes" }.into());
        }
        let [s0, s1, s2, s3, name @ ..]: [u8; 8] = bytes.need(at, KIND, "a box header")?;
        if !name.iter().all(|b| b.is_ascii_graphic() || matches!(b, b' ' | 0xa9)) {
            return Err(Flaw::Broken { kind: KIND, at, what: "a box without a name" }.into());
        }
        let (size, head) = match u32::from_be_bytes([s0, s1, s2, s3]) {
            0 => (parent_end.saturating_sub(at), 8),
            1 => (u64::from_be_bytes(bytes.need(at + 8, KIND, "a long box header")?), 16),
            n => (u64::from(n), 8),
        };
        if size < head {
            return Err(Flaw::Broken { kind: KIND, at, what: "a box shorter than its header" }.into());
        }
        match at.checked_add(size) {
            Some(end) if end <= parent_end => Ok(Found { name, body: at + head, end }),
            _ => Err(Flaw::Cut { kind: KIND, at, what: "the rest of a box" }.into()),
        }
    }

    /// Calls `see` with each box of a parent.
    fn each(
        &mut self,
        bytes: &mut Bytes,
        (mut at, end): (u64, u64),
        see: &mut dyn FnMut(&mut Self, &mut Bytes, Found) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        // Fewer bytes than a header has are the padding of old writers.
        while end.saturating_sub(at) >= 8 {
            let found = self.next(bytes, at, end)?;
            at = found.end;
            see(self, bytes, found)?;
        }
        Ok(())
    }

    fn movie(&mut self, bytes: &mut Bytes, movie: &Found) -> Result<(), Stop> {
        let mut scale = None;
        self.each(bytes, (movie.body, movie.end), &mut |seen, bytes, found| {
            match &found.name {
                b"mvhd" => {
                    let (per_second, units) = timed(bytes, &found)?;
                    scale = Some(per_second);
                    seen.lasts(units.and_then(|units| millis(units, per_second.into())));
                }
                b"mvex" => seen.fragments(bytes, &found, scale)?,
                b"trak" => seen.track(bytes, &found)?,
                _ => {}
            }
            Ok(())
        })
    }

    /// The longest time that is told of the whole.
    fn lasts(&mut self, duration_ms: Option<u64>) {
        self.facts.duration_ms = self.facts.duration_ms.max(duration_ms.filter(|ms| *ms > 0));
    }

    /// A fragmented file tells its length apart from its index, if at all.
    fn fragments(&mut self, bytes: &mut Bytes, parent: &Found, scale: Option<u32>) -> Result<(), Stop> {
        self.each(bytes, (parent.body, parent.end), &mut |seen, bytes, found| {
            if let (b"mehd", Some(scale)) = (&found.name, scale) {
                let [version, ..] = bytes.need::<4>(found.body, KIND, "the length of its fragments")?;
                let units = if version == 1 {
                    u64::from_be_bytes(bytes.need(found.body + 4, KIND, "the length of its fragments")?)
                } else {
                    u32::from_be_bytes(bytes.need(found.body + 4, KIND, "the length of its fragments")?).into()
                };
                seen.lasts(millis(units, scale.into()));
            }
            Ok(())
        })
    }

    fn track(&mut self, bytes: &mut Bytes, parent: &Found) -> Result<(), Stop> {
        let mut track = Track::default();
        self.inside(bytes, parent, DEEPEST, &mut track)?;
        track.tables.lie_inside(bytes)?;
        self.tracks_ms = self.tracks_ms.max(track.duration_ms.filter(|ms| *ms > 0));
        let Some(entry) = track.entry else { return Ok(()) };
        let codec = word(entry.name);
        match &track.handler {
            b"vide" if self.facts.picture.is_none() => {
                let [w0, w1, h0, h1] = bytes.need(entry.body + 24, KIND, "the size of its picture")?;
                let (width, height) = (u16::from_be_bytes([w0, w1]).into(), u16::from_be_bytes([h0, h1]).into());
                self.facts.picture = Some(PictureFacts { width, height, codec });
            }
            b"soun" if self.facts.sound.is_none() => {
                let [c0, c1, _, _, _, _, _, _, r0, r1]: [u8; 10] =
                    bytes.need(entry.body + 16, KIND, "the description of its sound")?;
                let (told, sample_rate) = (u16::from_be_bytes([c0, c1]).into(), u16::from_be_bytes([r0, r1]).into());
                // Writers of AAC put 2 there whatever it is, and the truth into the decoder's description.
                let channels = if codec == "aac" { self.aac_channels(bytes, &entry)?.unwrap_or(told) } else { told };
                self.facts.sound = Some(SoundFacts { codec, channels, sample_rate });
            }
            _ => {}
        }
        Ok(())
    }

    /// The channels in an `esds` box, whose descriptors lie in one another (ISO/IEC 14496-1, 7.2.6): of the stream, of
    /// its decoder, and of the sound: 5 bits of a kind, 4 of a rate, 4 of the channels.
    fn aac_channels(&mut self, bytes: &mut Bytes, entry: &Found) -> Result<Option<u32>, Stop> {
        const PLAIN_ENTRY: u64 = 28;
        let mut channels = None;
        // QuickTime's longer entries tell the truth themselves.
        if bytes.need(entry.body + 8, KIND, "the description of its sound")? != [0, 0] {
            return Ok(None);
        }
        self.each(bytes, (entry.body + PLAIN_ENTRY, entry.end), &mut |_, bytes, found| {
            if &found.name == b"esds" {
                let inner: [u8; 64] = bytes.up_to(found.body + 4)?;
                channels = descriptor(&inner, 3)
                    .and_then(|stream| descriptor(stream.get(3..)?, 4))
                    .and_then(|decoder| descriptor(decoder.get(13..)?, 5))
                    .and_then(|sound| Some(u32::from(sound.get(1)? >> 3 & 0xf)))
                    .filter(|channels| (1..=7).contains(channels));
            }
            Ok(())
        })?;
        // The seventh arrangement is of eight channels.
        Ok(channels.map(|channels| if channels == 7 { 8 } else { channels }))
    }

    /// What a box of a track says, and those in it, at most so deep.
    fn inside(&mut self, bytes: &mut Bytes, parent: &Found, deep: u32, track: &mut Track) -> Result<(), Stop> {
        let Some(deeper) = deep.checked_sub(1) else {
            return Err(Flaw::Broken { kind: KIND, at: parent.body, what: "boxes too deep in one another" }.into());
        };
        self.each(bytes, (parent.body, parent.end), &mut |seen, bytes, found| {
            match &found.name {
                b"mdia" | b"minf" | b"stbl" | b"dinf" => seen.inside(bytes, &found, deeper, track)?,
                b"mdhd" => {
                    let (per_second, units) = timed(bytes, &found)?;
                    track.duration_ms = units.and_then(|units| millis(units, per_second.into()));
                }
                // QuickTime has a second handler, of data, inside the media's information.
                b"hdlr" if track.handler == [0; 4] => {
                    track.handler = bytes.need(found.body + 8, KIND, "the kind of a track")?;
                }
                b"stco" | b"co64" | b"stsc" | b"stsz" | b"dref" => track.tables.note(bytes, found)?,
                b"stsd" if found.end - found.body > 16 => {
                    let entry = seen.next(bytes, found.body + 8, found.end)?;
                    track.entry = (entry.end - entry.body <= LONGEST_ENTRY).then_some(entry);
                }
                _ => {}
            }
            Ok(())
        })
    }

    /// The size of a picture that is no movie: the largest of those that its items have.
    fn items(&mut self, bytes: &mut Bytes, parent: &Found) -> Result<(), Stop> {
        // A version and flags come first, except in QuickTime, which has no pictures here.
        let inner = (parent.body + 4, parent.end);
        if !matches!(self.brand.as_ref(), Some(b"avif" | b"avis" | b"heic" | b"heix" | b"mif1")) {
            return Ok(());
        }
        self.each(bytes, inner, &mut |seen, bytes, found| {
            if &found.name != b"iprp" {
                return Ok(());
            }
            seen.each(bytes, (found.body, found.end), &mut |seen, bytes, found| {
                if &found.name != b"ipco" {
                    return Ok(());
                }
                seen.each(bytes, (found.body, found.end), &mut |seen, bytes, found| match &found.name {
                    b"ispe" => seen.extent(bytes, &found),
                    _ => Ok(()),
                })
            })
        })
    }

    fn extent(&mut self, bytes: &mut Bytes, found: &Found) -> Result<(), Stop> {
        let [w0, w1, w2, w3, h0, h1, h2, h3]: [u8; 8] = bytes.need(found.body + 4, KIND, "the size of its picture")?;
        let (width, height) = (u32::from_be_bytes([w0, w1, w2, w3]), u32::from_be_bytes([h0, h1, h2, h3]));
        let area = |facts: &PictureFacts| u64::from(facts.width) * u64::from(facts.height);
        let codec = if matches!(self.brand.as_ref(), Some(b"avif" | b"avis")) { "av1" } else { "hevc" };
        let new = PictureFacts { width, height, codec: codec.to_owned() };
        if self.facts.picture.as_ref().is_none_or(|old| area(old) < area(&new)) {
            self.facts.picture = Some(new);
        }
        Ok(())
    }
}

/// Units in a second, and how many of them; `None` where the file says that nobody knows.
fn timed(bytes: &mut Bytes, found: &Found) -> Result<(u32, Option<u64>), Stop> {
    const WHAT: &str = "how long it plays";
    let [version, ..] = bytes.need::<4>(found.body, KIND, WHAT)?;
    if version == 1 {
        let scale = u32::from_be_bytes(bytes.need(found.body + 20, KIND, WHAT)?);
        let units = u64::from_be_bytes(bytes.need(found.body + 24, KIND, WHAT)?);
        return Ok((scale, (units != u64::MAX).then_some(units)));
    }
    let scale = u32::from_be_bytes(bytes.need(found.body + 12, KIND, WHAT)?);
    let units = u32::from_be_bytes(bytes.need(found.body + 16, KIND, WHAT)?);
    Ok((scale, (units != u32::MAX).then_some(units.into())))
}

/// What follows the head of a descriptor of this kind: its length takes up to four bytes, of which all but the last
/// have their high bit set.
fn descriptor(bytes: &[u8], kind: u8) -> Option<&[u8]> {
    let (found, rest) = bytes.split_first()?;
    let length = rest.iter().take(4).position(|byte| byte & 0x80 == 0)?;
    if *found == kind { rest.get(length + 1..) } else { None }
}

/// What people call a codec.
fn word(name: [u8; 4]) -> String {
    match &name {
        b"avc1" | b"avc3" => "h264",
        b"hvc1" | b"hev1" => "hevc",
        b"av01" => "av1",
        b"vp08" => "vp8",
        b"vp09" => "vp9",
        b"mp4v" => "mpeg4",
        b"jpeg" | b"mjpa" | b"mjpb" => "mjpeg",
        b"apcn" | b"apch" | b"apcs" | b"apco" | b"ap4h" | b"ap4x" => "prores",
        b"mp4a" => "aac",
        b"Opus" => "opus",
        b"fLaC" => "flac",
        b"alac" => "alac",
        b"ac-3" => "ac3",
        b"ec-3" => "eac3",
        b".mp3" => "mp3",
        b"sowt" | b"twos" | b"lpcm" | b"in24" | b"in32" | b"raw " | b"ipcm" => "pcm",
        b"fl32" | b"fl64" | b"fpcm" => "pcm_float",
        _ => return name.iter().map(|b| char::from(*b)).collect::<String>().trim().to_owned(),
    }
    .to_owned()
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
