//! The files that the loopback providers hand out: real MP4, PNG and WAV, each copy unique.
//!
//! A copy is a sample from `samples/` with a mark of the job put where the format allows anything:
//! a `free` box at the end of an MP4 (ISO/IEC 14496-12, 8.1.2), a `tEXt` chunk before the `IEND` of
//! a PNG (W3C PNG 11.3.3), a `LIST` `INFO` chunk in a WAV. Players ignore all three.

use makegood_domain::work::Media;
use sha2::{Digest, Sha256};

const VIDEOS: [&[u8]; 3] = [
    include_bytes!("../samples/test-card.mp4"),
    include_bytes!("../samples/fractal.mp4"),
    include_bytes!("../samples/dusk.mp4"),
];
const IMAGES: [&[u8]; 2] = [include_bytes!("../samples/dusk.png"), include_bytes!("../samples/fractal.png")];
const TONE: &[u8] = include_bytes!("../samples/tone.wav");

/// A PNG ends with this chunk: length 0, `IEND`, its checksum.
const IEND_LENGTH: usize = 12;
const RIFF_HEADER_LENGTH: usize = 12;

/// What is known of a file without keeping it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Print {
    pub bytes: u64,
    /// SHA-256 in hex.
    pub sha256: String,
}

/// File name ending and media type.
#[must_use]
pub fn kind(media: Media) -> (&'static str, &'static str) {
    match media {
        Media::Video | Media::Lipsync => ("mp4", "video/mp4"),
        Media::Image => ("png", "image/png"),
        Media::Audio => ("wav", "audio/wav"),
    }
}

/// The whole file of one item of a job. The same job and item always give the same bytes.
#[must_use]
pub fn file(media: Media, job: &str, item: u32) -> Vec<u8> {
    let mark = format!("makegood practice {job} item {item}");
    // FNV-1a: a stable choice of the sample, whatever the Rust version.
    let choice = mark
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    match media {
        Media::Video | Media::Lipsync => mp4(sample(&VIDEOS, choice), &mark),
        Media::Image => png(sample(&IMAGES, choice), &mark),
        Media::Audio => wav(TONE, &mark),
    }
}

/// Length and hash of `file`.
#[must_use]
pub fn print(media: Media, job: &str, item: u32) -> Print {
    let bytes = file(media, job, item);
    Print { bytes: bytes.len() as u64, sha256: hex::encode(Sha256::digest(&bytes)) }
}

fn sample(of: &[&'static [u8]], choice: u64) -> &'static [u8] {
    let count = of.len().max(1) as u64;
    usize::try_from(choice % count).ok().and_then(|at| of.get(at)).copied().unwrap_or_default()
}

fn mp4(sample: &[u8], mark: &str) -> Vec<u8> {
    let mut out = sample.to_vec();
    out.extend_from_slice(&length(mark.len() + 8).to_be_bytes());
    out.extend_from_slice(b"free");
    out.extend_from_slice(mark.as_bytes());
    out
}

fn png(sample: &[u8], mark: &str) -> Vec<u8> {
    let (image, end) = sample.split_at(sample.len().saturating_sub(IEND_LENGTH));
    let mut chunk = b"tEXtComment\0".to_vec();
    chunk.extend_from_slice(mark.as_bytes());
    let mut out = image.to_vec();
    out.extend_from_slice(&length(chunk.len() - 4).to_be_bytes());
    out.extend_from_slice(&chunk);
    out.extend_from_slice(&crc32(&chunk).to_be_bytes());
    out.extend_from_slice(end);
    out
}

fn wav(sample: &[u8], mark: &str) -> Vec<u8> {
    let mut text = mark.as_bytes().to_vec();
    text.push(0);
    if text.len() % 2 == 1 {
        text.push(0);
    }
    let (header, chunks) = sample.split_at(RIFF_HEADER_LENGTH.min(sample.len()));
    let mut out = header.to_vec();
    out.extend_from_slice(chunks);
    out.extend_from_slice(b"LIST");
    out.extend_from_slice(&length(text.len() + 12).to_le_bytes());
    out.extend_from_slice(b"INFOICMT");
    out.extend_from_slice(&length(text.len()).to_le_bytes());
    out.extend_from_slice(&text);
    let size = length(out.len().saturating_sub(8)).to_le_bytes();
    if let Some(field) = out.get_mut(4..8) {
        field.copy_from_slice(&size);
    }
    out
}

/// Samples are small; a length over 4 GiB cannot come up.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// CRC-32 of PNG chunks (W3C PNG, annex D), over chunk type and data.
fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_differ_and_repeat() {
        for media in [Media::Video, Media::Image, Media::Audio, Media::Lipsync] {
            assert_eq!(file(media, "a", 1), file(media, "a", 1));
            assert_ne!(print(media, "a", 1).sha256, print(media, "a", 2).sha256);
            assert_ne!(print(media, "a", 1).sha256, print(media, "b", 1).sha256);
        }
    }

    #[test]
    fn every_box_of_an_mp4_fits() {
        for job in 0..12 {
            let bytes = file(Media::Video, &job.to_string(), 1);
            let (mut at, mut kinds) = (0, Vec::new());
            while at < bytes.len() {
                let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
                assert!(size >= 8 && at + size <= bytes.len(), "box of {size} bytes at {at}");
                kinds.push(String::from_utf8_lossy(&bytes[at + 4..at + 8]).into_owned());
                at += size;
            }
            assert_eq!(kinds.first().map(String::as_str), Some("ftyp"));
            assert!(kinds.contains(&"moov".into()) && kinds.contains(&"mdat".into()), "{kinds:?}");
            assert_eq!(kinds.last().map(String::as_str), Some("free"));
        }
    }

    #[test]
    fn every_chunk_of_a_png_has_its_checksum() {
        for job in 0..6 {
            let bytes = file(Media::Image, &job.to_string(), 1);
            assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
            let (mut at, mut kinds) = (8, Vec::new());
            while at < bytes.len() {
                let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
                let sum = u32::from_be_bytes(bytes[at + 8 + size..at + 12 + size].try_into().unwrap());
                assert_eq!(crc32(&bytes[at + 4..at + 8 + size]), sum);
                kinds.push(String::from_utf8_lossy(&bytes[at + 4..at + 8]).into_owned());
                at += size + 12;
            }
            assert!(kinds.contains(&"tEXt".into()) && kinds.last().map(String::as_str) == Some("IEND"), "{kinds:?}");
            let decoded = resvg::tiny_skia::Pixmap::decode_png(&bytes).unwrap();
            assert!(decoded.width() >= 64);
        }
    }

    #[test]
    fn the_chunks_of_a_wav_fill_it() {
        let bytes = file(Media::Audio, "job", 1);
        assert_eq!((&bytes[..4], &bytes[8..12]), (&b"RIFF"[..], &b"WAVE"[..]));
        assert_eq!(u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize, bytes.len() - 8);
        let (mut at, mut kinds) = (12, Vec::new());
        while at < bytes.len() {
            let size = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
            kinds.push(String::from_utf8_lossy(&bytes[at..at + 4]).into_owned());
            at += 8 + size + size % 2;
        }
        assert_eq!(at, bytes.len());
        assert!(kinds.contains(&"fmt ".into()) && kinds.contains(&"data".into()), "{kinds:?}");
    }
}
