//! N5 and N6: bodies that break off, and heads that lie about them.

use super::super::wire::{Act, Answer};
use super::retries::without_tag;
use super::{Script, Stage, Want};

/// The heads of a few answers, in bytes.
const HEADS: u64 = 4096;

pub fn scripts(stage: &mut Stage) -> Vec<Script> {
    [broken_off(stage), chunked(stage), lengths(stage), parts(stage)].concat()
}

/// N5: at each place, by each way to end.
fn broken_off(stage: &mut Stage) -> Vec<Script> {
    let length = stage.file.bytes.len();
    let any = stage.within();
    let places = [
        ("the first byte", 0),
        ("one byte", 1),
        ("half", length / 2),
        ("99 %", length * 99 / 100),
        ("the last byte", length - 1),
    ];
    let ends = [("closed", None), ("reset", Some(Act::Reset)), ("half closed", Some(Act::HalfClose))];
    let mut scripts = Vec::new();
    for (place, at) in places {
        for (how, end) in &ends {
            let cut = stage.cut(at, end.clone());
            // What came is not fetched again; a reset takes along what was under way.
            let again = if matches!(end, Some(Act::Reset)) { at } else { 0 };
            let sent = Some((length + again) as u64 + HEADS);
            let script = Script::new("N5", format!("{how} at {place}"), Want::Whole);
            scripts.push(Script { sent, ..script.files([cut]) });
        }
    }
    let cut = stage.cut(any, None);
    scripts.push(Script::new("N5", "without a version", Want::Whole).files([without_tag(&cut)]));
    scripts.push(Script::new("N5", "each time", Want::Failed(&["broke off"])).files([stage.cut(any, None)]).for_ever());
    // The program ends in between: the next attempt goes on from what lies there.
    let four = [any, length / 3, length / 2, length - 9].map(|at| stage.cut(at, None));
    let script = Script::new("N5", "more often than one attempt bears", Want::Whole).files(four).attempts(2);
    // Each but the first is longer than what it was asked for.
    scripts.push(Script { sent: Some(3 * length as u64), ..script });
    scripts
}

/// N5: an early end of a body that comes in pieces.
fn chunked(stage: &mut Stage) -> Vec<Script> {
    let pieces = |bytes: &[u8]| {
        let mut body = Vec::new();
        for piece in bytes.chunks(10_000) {
            body.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
            body.extend_from_slice(piece);
            body.extend_from_slice(b"\r\n");
        }
        body
    };
    let head = "content-type: video/mp4\r\netag: \"v2\"\r\ntransfer-encoding: chunked\r\n";
    let at = stage.within();
    let whole = [pieces(&stage.file.bytes), b"0\r\n\r\n".to_vec()].concat();
    let mut scripts =
        vec![Script::new("N5", "pieces, whole", Want::Whole).files([Stage::said("200 OK", head, whole.clone())])];
    for (what, end) in [
        ("without the last", whole.len() - 5),
        ("within the last", whole.len() - 3),
        ("within a piece", at),
        ("at none", 0),
    ] {
        let cut = Stage::said("200 OK", head, &whole[..end]);
        scripts.push(Script::new("N5", format!("pieces, ended {what}"), Want::Whole).files([cut]));
    }
    let junk = Stage::said("200 OK", head, "zzz\r\nnot a length");
    scripts.push(Script::new("N5", "pieces of no length", Want::Whole).files([junk]));
    let huge = [b"ffffffffffffffff\r\n", &stage.file.bytes[..1]].concat();
    let huge = Stage::said("200 OK", head, huge);
    scripts.push(Script::new("N5", "a piece of all there is", Want::Whole).files([huge]));
    scripts
}

/// N6: what the head says of the length.
fn lengths(stage: &mut Stage) -> Vec<Script> {
    let bytes = stage.file.bytes.to_vec();
    let length = bytes.len();
    let say = |lines: &str| {
        let head = format!("content-type: video/mp4\r\netag: \"v2\"\r\n{lines}");
        Stage::said("200 OK", &head, bytes.clone())
    };
    let n = |n: usize| format!("content-length: {n}\r\n");
    let sound = |what: &str, lines: String| Script::new("N6", what, Want::Sound).files([say(&lines)]).attempts(2);
    vec![
        sound("a smaller length", n(length - 1000)),
        sound("a length of nothing", n(0)),
        Script::new("N6", "a larger length", Want::Whole).files([say(&n(length + 1000))]),
        sound("a negative length", "content-length: -5\r\n".to_owned()),
        sound("a length in words", "content-length: all\r\n".to_owned()),
        sound("the same length twice", format!("{}{}", n(length), n(length))),
        sound("two lengths", format!("{}{}", n(length), n(length - 7))),
        sound("two lengths in a line", format!("content-length: {length}, {}\r\n", length - 7)),
        sound("a length and pieces", format!("{}transfer-encoding: chunked\r\n", n(length))),
        sound("a length beyond all numbers", "content-length: 99999999999999999999999999\r\n".to_owned()),
        sound("no length", String::new()),
    ]
}

/// N6: answers to a question for the rest.
fn parts(stage: &mut Stage) -> Vec<Script> {
    let at = 1000 + stage.dice.index(100_000);
    let length = stage.file.bytes.len();
    let rest = stage.file.bytes[at..].to_vec();
    let part = |range: &str, tag: &str| {
        let range = if range.is_empty() { String::new() } else { format!("content-range: {range}\r\n") };
        let head = format!("content-type: video/mp4\r\n{range}{tag}content-length: {}\r\n", rest.len());
        Stage::said("206 Part", &head, rest.clone())
    };
    let right = format!("bytes {at}-{}/{length}", length - 1);
    let tag = "etag: \"v2\"\r\n";
    let other = |first: usize, total: usize| format!("bytes {first}-{}/{total}", first + rest.len() - 1);
    let cut = stage.cut(at, None);
    let after = |what: &str, next: Answer| Script::new("N6", what, Want::Whole).files([cut.clone(), next]);
    let mut old = stage.old.honest(None);
    old.truncate(1);
    old.push(stage.old.part(0..at.min(stage.old.bytes.len() - 1)));
    vec![
        after("a part without its place", part("", tag)),
        after("a part from another byte", part(&other(at + 1, length), tag)),
        after("a part from the first byte", part(&other(0, length), tag)),
        after("a part of another length", part(&other(at, length + 9), tag)),
        after("a part in other units", part(&right.replace("bytes", "pages"), tag)),
        after("a part that ends before it begins", part(&format!("bytes {at}-{}/{length}", at - 1), tag)),
        after("a part of another version", part(&right, "etag: \"v3\"\r\n")),
        after("a part of no version", part(&right, "")),
        after("a part of a weak version", part(&right, "etag: W/\"v2\"\r\n")),
        after("a part of several", part("", "content-type: multipart/byteranges; boundary=x\r\n")),
        after("the whole file again", stage.file.honest(None)),
        after("nothing of that kind", Stage::json("416 No", "", "{}")),
        after("no content", Stage::said("204 None", "", "")),
        Script::new("N6", "another version in between", Want::Whole).files([old.clone()]),
        Script::new("N6", "a weak version in between", Want::Whole).files([without_tag(&old)]),
        Script::new("N6", "a part that nobody asked for", Want::Sound).files([part(&right, tag)]).attempts(2),
    ]
}
