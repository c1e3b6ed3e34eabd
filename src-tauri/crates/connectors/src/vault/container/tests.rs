use std::io::Cursor;

use makegood_testkit::samples;

use super::*;

fn facts_of(bytes: &[u8]) -> Result<MediaFacts, Flaw> {
    inspect(Cursor::new(bytes.to_vec())).expect("memory can be read")
}

fn look(bytes: &[u8]) -> Result<String, Flaw> {
    facts_of(bytes).map(|facts| facts.media_type)
}

#[test]
fn whole_files_are_told_by_their_kind() {
    for sample in samples() {
        assert_eq!(look(&sample.bytes).as_deref(), Ok(sample.media_type));
    }
}

#[test]
fn files_cut_anywhere_are_refused() {
    for sample in samples() {
        for end in 0..sample.needed {
            let found = look(&sample.bytes[..end]);
            assert!(found.is_err(), "{} cut at {end} of {}: {found:?}", sample.media_type, sample.bytes.len());
        }
    }
}

#[test]
fn pages_and_texts_are_named() {
    for (text, want) in [
        ("<!DOCTYPE html><html><body>Link expired</body></html>", ", but an HTML page"),
        ("\n <html></html>", ", but an HTML page"),
        ("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", ", but an XML page"),
        (r#"{"detail":"Not found."}"#, ", but a JSON text"),
        ("plain words", ""),
        ("", ""),
    ] {
        assert_eq!(look(text.as_bytes()), Err(Flaw::Unknown(want)), "{text}");
    }
}

#[test]
fn lying_lengths_are_refused_without_following_them() {
    let samples = samples();
    let of = |kind: &str| samples.iter().find(|s| s.media_type == kind).expect("a sample").bytes.clone();
    let with = |kind: &str, at: usize, new: &[u8]| {
        let mut bytes = of(kind);
        bytes[at..at + new.len()].copy_from_slice(new);
        bytes
    };
    for (what, bytes) in [
        ("a box of 4 GiB", with("video/mp4", 20, &[0xff; 4])),
        ("a box of 3 bytes", with("video/mp4", 20, &[0, 0, 0, 3])),
        ("a nameless box", with("video/mp4", 24, &[0, 0, 0, 0])),
        ("a RIFF of 4 GiB less 2", with("audio/wav", 4, &[0xfe, 0xff, 0xff, 0xff])),
        ("a chunk past the end", with("audio/wav", 16, &[0xff, 0xff, 0, 0])),
        ("a flipped bit in a PNG", with("image/png", 45, &[0xff])),
        ("a JPEG segment of nothing", with("image/jpeg", 4, &[0, 0])),
        ("a segment past the end", with("video/webm", 16, &[0x89])),
    ] {
        assert!(look(&bytes).is_err(), "{what}");
    }
}

#[test]
fn endings_that_real_files_have_are_accepted() {
    let samples = samples();
    let of = |kind: &str| samples.iter().find(|s| s.media_type == kind).expect("a sample").bytes.clone();
    for (kind, tail) in [
        ("image/jpeg", &b"maker notes"[..]),
        ("image/png", b"trailing"),
        ("audio/mpeg", b"TAGtitle"),
        ("audio/mpeg", &[0; 12]),
    ] {
        assert_eq!(look(&[&of(kind)[..], tail].concat()).as_deref(), Ok(kind));
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(kind in 0_usize..12, at in 0_usize..200, new in proptest::collection::vec(0_u8.., 1..9)) {
        let mut bytes = samples()[kind].bytes.clone();
        for (i, byte) in new.iter().enumerate() {
            if let Some(place) = bytes.get_mut(at + i) {
                *place = *byte;
            }
        }
        // Whole or not is for the other tests: here it must end, with an answer.
        proptest::prop_assert!(inspect(Cursor::new(bytes)).is_ok());
    }
}
