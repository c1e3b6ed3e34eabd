//! Files that a real encoder made, two seconds of a test picture and a tone at most: what they say of themselves,
//! and what becomes of them when they are cut or damaged.

use std::cell::Cell;
use std::io::Cursor;
use std::rc::Rc;

use makegood_domain::media::{PictureFacts, SoundFacts};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

type Said =
    (&'static str, &'static [u8], &'static str, Option<u64>, Option<&'static str>, Option<(&'static str, u32, u32)>);

/// Name, content, type, milliseconds, codec of the picture (64 x 48 pixels), and codec, channels and rate of the sound.
fn files() -> Vec<Said> {
    macro_rules! file {
        ($name:literal, $($said:expr),+) => {
            ($name, include_bytes!(concat!("samples/", $name)).as_slice(), $($said),+)
        };
    }
    vec![
        file!("h264-aac.mp4", "video/mp4", Some(1500), Some("h264"), Some(("aac", 2, 44_100))),
        file!("fragmented.mp4", "video/mp4", None, Some("h264"), None),
        file!("mjpeg-pcm.mov", "video/quicktime", Some(200), Some("mjpeg"), Some(("pcm", 1, 8000))),
        file!("vp9-opus.webm", "video/webm", Some(1508), Some("vp9"), Some(("opus", 2, 48_000))),
        file!("aac.m4a", "audio/mp4", Some(1500), None, Some(("aac", 1, 44_100))),
        file!("tone.mp3", "audio/mpeg", Some(1567), None, Some(("mp3", 1, 44_100))),
        file!("tone.wav", "audio/wav", Some(300), None, Some(("pcm", 2, 8000))),
        file!("tone.flac", "audio/flac", Some(300), None, Some(("flac", 1, 8000))),
        file!("opus.ogg", "audio/ogg", Some(1500), None, Some(("opus", 1, 48_000))),
        file!("vorbis.ogg", "audio/ogg", Some(1500), None, Some(("vorbis", 2, 44_100))),
        file!("still.png", "image/png", None, Some("png"), None),
        file!("still.jpg", "image/jpeg", None, Some("jpeg"), None),
        file!("still.avif", "image/avif", None, Some("av1"), None),
        file!("lossy.webp", "image/webp", None, Some("webp"), None),
        file!("lossless.webp", "image/webp", None, Some("webp"), None),
        file!("moving.webp", "image/webp", Some(500), Some("webp"), None),
        file!("moving.gif", "image/gif", Some(500), Some("gif"), None),
    ]
}

#[test]
fn files_say_how_long_how_large_and_how_coded_they_are() {
    for (name, bytes, media_type, duration_ms, picture, sound) in files() {
        let picture = picture.map(|codec| PictureFacts { width: 64, height: 48, codec: codec.to_owned() });
        let sound =
            sound.map(|(codec, channels, sample_rate)| SoundFacts { codec: codec.to_owned(), channels, sample_rate });
        let want = MediaFacts { media_type: media_type.to_owned(), duration_ms, picture, sound };
        assert_eq!(inspect(Cursor::new(bytes)).expect("readable"), Ok(want), "{name}");
    }
}

#[test]
fn files_cut_anywhere_are_refused() {
    let mut random = StdRng::seed_from_u64(5);
    for (name, bytes, ..) in files() {
        let first = (0..bytes.len().min(64)).chain(bytes.len() - 2..bytes.len());
        let cuts: Vec<usize> = first.chain((0..200).map(|_| random.random_range(0..bytes.len()))).collect();
        // What follows the last frame of sound, or the end mark of a picture, is not needed.
        let is_spare = |end: usize| match name {
            "tone.mp3" => end > 400,
            _ => false,
        };
        for end in cuts.into_iter().filter(|end| !is_spare(*end)) {
            let found = inspect(Cursor::new(&bytes[..end])).expect("readable");
            assert!(found.is_err(), "{name} cut at {end} of {}: {found:?}", bytes.len());
        }
    }
}

/// Counts the bytes that are read.
struct Counted {
    inner: Cursor<Vec<u8>>,
    read: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(out)?;
        self.read.set(self.read.get() + n as u64);
        Ok(n)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.inner.seek(to)
    }
}

/// One to eight changes: a bit, a run of bytes, a hole, a repetition, a length that lies.
fn damaged(bytes: &[u8], random: &mut StdRng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..random.random_range(1..=8) {
        let at = random.random_range(0..bytes.len());
        let end = (at + random.random_range(1..=16)).min(bytes.len());
        match random.random_range(0..6) {
            0 => bytes[at] ^= 1 << random.random_range(0..8),
            1 => random.fill(&mut bytes[at..end]),
            2 => bytes[at..end].fill(0xff),
            3 => bytes[at..end].fill(0),
            4 => drop(bytes.splice(at..end, [])),
            _ => {
                let again = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, again));
            }
        }
        if bytes.is_empty() {
            bytes.push(0);
        }
    }
    bytes
}

#[test]
fn damaged_files_get_an_answer_after_a_bounded_reading() {
    // A PNG's smallest piece is twelve bytes, and is read by four thousand.
    const READ_PER_BYTE: u64 = 400;
    for (name, bytes, ..) in files() {
        let mut refused = 0;
        for seed in 0..200 {
            let damaged = damaged(bytes, &mut StdRng::seed_from_u64(seed));
            let most = damaged.len() as u64 * READ_PER_BYTE + 65_536;
            let read = Rc::new(Cell::new(0));
            let source = Counted { inner: Cursor::new(damaged), read: Rc::clone(&read) };
            let found = inspect(source).unwrap_or_else(|error| panic!("{name}, seed {seed}: {error}"));
            refused += u32::from(found.is_err());
            assert!(read.get() <= most, "{name}, seed {seed}: {} bytes were read", read.get());
        }
        assert!(refused > 0, "{name}: no damage is seen");
    }
}
