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

/// So many boxes in one another, the innermost of which is empty.
fn nested(outer: &[&[u8; 4]], name: &[u8; 4], depth: usize) -> Vec<u8> {
    let names: Vec<_> = outer.iter().copied().chain(std::iter::repeat_n(name, depth)).collect();
    let sizes = (1..=names.len()).rev().map(|boxes| u32::try_from(boxes * 8).expect("small").to_be_bytes());
    sizes.zip(names).flat_map(|(size, name)| [size, *name].concat()).collect()
}

/// So many elements in one another, each of which says that it ends where the one around it does.
fn nested_elements(head: &[u8], outer: &[&[u8]], name: &[u8], depth: usize) -> Vec<u8> {
    let unknown = |id: &[u8]| [id, &[0xff]].concat();
    [head.to_vec(), outer.iter().flat_map(|id| unknown(id)).collect(), unknown(name).repeat(depth)].concat()
}

#[test]
fn files_of_nothing_but_heads_in_one_another_are_refused() {
    const DEEP: usize = 20_000;
    let file_type = b"\0\0\0\x10ftypisom\0\0\0\0";
    for name in [b"mdia", b"minf", b"stbl", b"trak", b"moov", b"mvex", b"stsd", b"meta", b"iprp", b"ipco"] {
        for outer in [&[][..], &[b"moov"], &[b"moov", b"trak"], &[b"meta", b"iprp"]] {
            let found = look(&[&file_type[..], &nested(outer, name, DEEP)].concat());
            assert!(found.is_err(), "{}: {found:?}", String::from_utf8_lossy(name));
        }
    }
    let (segment, tracks, track) = ([0x18, 0x53, 0x80, 0x67], [0x16, 0x54, 0xae, 0x6b], [0xae]);
    let document = b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm";
    for name in [&segment[..], &tracks, &track, &[0xe0], &[0xe1], &[0x15, 0x49, 0xa9, 0x66]] {
        for outer in [&[][..], &[&segment[..]], &[&segment[..], &tracks], &[&segment[..], &tracks, &track]] {
            let found = look(&nested_elements(document, outer, name, DEEP));
            assert!(found.is_err(), "{name:02x?}: {found:?}");
        }
    }
    let lists = |riff: &[u8; 4]| {
        let inner = b"LIST\xff\xff\0\0".repeat(DEEP);
        let size = u32::try_from(inner.len() + 4).expect("small").to_le_bytes();
        [b"RIFF".as_slice(), &size, riff, &inner].concat()
    };
    assert!(look(&lists(b"WEBP")).is_err() && look(&lists(b"WAVE")).is_err());
    // A tag in a tag is none, and a tag's length is only stepped over.
    assert!(look(&b"ID3\x04\0\0\x7f\x7f\x7f\x7f".repeat(DEEP)).is_err());
}

#[test]
fn boxes_of_a_track_may_lie_in_one_another_as_deep_as_real_ones_do() {
    let deep = |boxes| {
        let file = [&b"\0\0\0\x10ftypisom\0\0\0\0"[..], &nested(&[b"moov", b"trak"], b"mdia", boxes)].concat();
        look(&[&file[..], b"\0\0\0\x08mdat"].concat())
    };
    assert_eq!(deep(15).as_deref(), Ok("video/mp4"));
    assert!(matches!(deep(16), Err(Flaw::Broken { what: "boxes too deep in one another", .. })), "{:?}", deep(16));
}

fn boxed(name: &[u8; 4], inner: &[u8]) -> Vec<u8> {
    let size = u32::try_from(inner.len() + 8).expect("small").to_be_bytes();
    [&size[..], name, inner].concat()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// An MP4 whose index comes first and whose media goes on to its end, however long it is: three chunks of two, two and
/// one samples of `sizes` bytes each, from the media's first byte on.
fn open_ended(sizes: [u32; 5], is_long: bool, is_elsewhere: bool) -> Vec<u8> {
    let file = |from: u32| {
        let chunks = [from, from + sizes[0] + sizes[1], from + sizes[..4].iter().sum::<u32>()];
        let offsets = match is_long {
            true => boxed(b"co64", &words(&[0, 3, 0, chunks[0], 0, chunks[1], 0, chunks[2]])),
            false => boxed(b"stco", &words(&[0, 3, chunks[0], chunks[1], chunks[2]])),
        };
        let each = match sizes.iter().all(|size| *size == sizes[0]) {
            true => boxed(b"stsz", &words(&[0, sizes[0], 5])),
            false => boxed(b"stsz", &[words(&[0, 0, 5]), words(&sizes)].concat()),
        };
        let runs = boxed(b"stsc", &words(&[0, 2, 1, 2, 1, 3, 1, 1]));
        let place = boxed(b"dref", &[words(&[0, 1]), boxed(b"url ", &words(&[u32::from(!is_elsewhere)]))].concat());
        let table = boxed(b"stbl", &[runs, each, offsets].concat());
        let inner = boxed(b"minf", &[boxed(b"dinf", &place), table].concat());
        let movie = boxed(b"moov", &boxed(b"trak", &boxed(b"mdia", &inner)));
        [&boxed(b"ftyp", b"isom\0\0\0\0")[..], &movie, b"\0\0\0\0mdat"].concat()
    };
    let head = file(u32::try_from(file(0).len()).expect("small"));
    let media = vec![7; sizes.iter().sum::<u32>() as usize];
    [head, media].concat()
}

#[test]
fn media_that_ends_wherever_the_file_does_must_hold_what_the_index_names() {
    for sizes in [[10, 20, 30, 40, 50], [8; 5]] {
        for is_long in [false, true] {
            let whole = open_ended(sizes, is_long, false);
            assert_eq!(look(&whole).as_deref(), Ok("video/mp4"), "{sizes:?}");
            for cut in 1..=sizes.iter().sum::<u32>() as usize {
                let found = look(&whole[..whole.len() - cut]);
                assert!(matches!(found, Err(Flaw::Cut { .. })), "{sizes:?}, {cut} bytes less: {found:?}");
            }
            let elsewhere = open_ended(sizes, is_long, true);
            assert!(look(&elsewhere[..elsewhere.len() - 1]).is_ok(), "its samples are in another file");
        }
    }
}

#[test]
fn tables_that_say_more_than_their_box_holds_are_read_to_its_end() {
    let whole = open_ended([10, 20, 30, 40, 50], false, false);
    for name in [b"stco", b"stsc", b"stsz"] {
        let at = whole.windows(4).position(|window| window == name).expect("a table");
        for skip in [8, 12] {
            let mut lying = whole.clone();
            lying[at + skip..at + skip + 4].fill(0xff);
            assert!(inspect(Cursor::new(lying)).is_ok(), "it ends, with an answer");
        }
    }
}

#[test]
fn a_file_of_segments_must_hold_those_that_its_index_names() {
    let segment = [boxed(b"moof", &[]), boxed(b"mdat", &[7; 100])].concat();
    let length = u32::try_from(segment.len()).expect("small");
    let head = [boxed(b"ftyp", b"isom\0\0\0\0"), boxed(b"moov", &[])].concat();
    for version in [0_u32, 1] {
        let (times, count) = (vec![0; 2 + 2 * version as usize], 3_u32);
        let entries: Vec<u32> = (0..count).flat_map(|_| [length, 1_000, 0]).collect();
        let index = boxed(b"sidx", &words(&[&[version << 24, 1, 1_000][..], &times, &[count], &entries].concat()));
        let with = |segments: usize| look(&[&head[..], &index, &segment.repeat(segments)].concat());
        assert_eq!(with(3).as_deref(), Ok("video/mp4"));
        assert_eq!(with(4).as_deref(), Ok("video/mp4"), "more may follow");
        assert!(matches!(with(2), Err(Flaw::Cut { .. })), "{:?}", with(2));
    }
}

/// Every sample, and the kinds that are told from another one by a name only.
fn every_kind() -> Vec<(String, Vec<u8>)> {
    let mut kinds: Vec<_> = samples().into_iter().map(|sample| (sample.media_type.to_owned(), sample.bytes)).collect();
    let picture = |brand: &[u8; 4]| {
        let size = [&b"\0\0\0\x14ispe\0\0\0\0"[..], &[0, 0, 0, 64, 0, 0, 0, 48]].concat();
        let within = |name: &[u8; 4], inner: &[u8]| {
            let size = u32::try_from(inner.len() + 8).expect("small").to_be_bytes();
            [&size[..], name, inner].concat()
        };
        let items = within(b"meta", &[&[0; 4][..], &within(b"iprp", &within(b"ipco", &size))].concat());
        [&within(b"ftyp", &[&brand[..], &[0; 4]].concat())[..], &items, b"\0\0\0\x09mdatx"].concat()
    };
    kinds.extend([("image/avif".to_owned(), picture(b"avif")), ("image/heic".to_owned(), picture(b"heic"))]);
    kinds.push((
        "video/x-matroska".to_owned(),
        b"\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska\x18\x53\x80\x67\x85\x1f\x43\xb6\x75\x80".to_vec(),
    ));
    kinds
}

#[test]
fn no_single_bit_of_any_kind_makes_it_panic_or_go_on_for_ever() {
    for (kind, bytes) in every_kind() {
        assert_eq!(look(&bytes).as_deref(), Ok(kind.as_str()));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(inspect(Cursor::new(flipped)).is_ok(), "{kind}, bit {bit}");
        }
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
    fn no_bytes_make_it_panic(kind in 0_usize..15, at in 0_usize..200, new in proptest::collection::vec(0_u8.., 1..9)) {
        let mut bytes = every_kind().swap_remove(kind).1;
        for (i, byte) in new.iter().enumerate() {
            if let Some(place) = bytes.get_mut(at + i) {
                *place = *byte;
            }
        }
        // Whole or not is for the other tests: here it must end, with an answer.
        proptest::prop_assert!(inspect(Cursor::new(bytes)).is_ok());
    }
}
