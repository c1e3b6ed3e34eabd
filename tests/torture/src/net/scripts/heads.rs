//! N9: answers that are too much: too long, too deep, packed, without end.

use super::super::wire::Act;
use super::{Script, Stage, Want};

const GIB: u64 = 1024 * 1024 * 1024;
/// The longest file of these scripts: whoever gathers one in memory takes more than a play may.
const LIMIT: u64 = 80 * 1024 * 1024;

pub fn scripts(stage: &mut Stage) -> Vec<Script> {
    [bodies(), heads(stage), answers()].concat()
}

fn too_long(what: &str) -> Script {
    Script { limit_bytes: LIMIT, ..Script::new("N9", what, Want::Failed(&["longer than the limit"])) }
}

fn bodies() -> Vec<Script> {
    let head =
        |lines: &str| Act::Send(format!("HTTP/1.1 200 OK\r\ncontent-type: video/mp4\r\n{lines}\r\n").into_bytes());
    let packed = |coding: &str| {
        let body = vec![head(&format!("content-encoding: {coding}\r\ncontent-length: 5000\r\n")), Act::Fill(5000)];
        Script::new("N9", format!("packed as {coding}"), Want::Failed(&["packed"])).files([body]).for_ever()
    };
    let piece = [b"10000\r\n".to_vec(), vec![0; 65_536], b"\r\n".to_vec()].concat();
    vec![
        too_long("10 GiB, announced")
            .files([vec![head(&format!("content-length: {}\r\n", 10 * GIB)), Act::Fill(10 * GIB)]]),
        too_long("no end, unannounced").files([vec![head(""), Act::Fill(10 * GIB)]]),
        too_long("no end, in pieces").files([vec![head("transfer-encoding: chunked\r\n"), Act::Endless(piece)]]),
        too_long("a byte more than may be")
            .files([vec![head(&format!("content-length: {}\r\n", LIMIT + 1)), Act::Fill(LIMIT + 1)]]),
        packed("gzip"),
        packed("br"),
        packed("zstd"),
        packed("identity, gzip"),
    ]
}

fn heads(stage: &mut Stage) -> Vec<Script> {
    let lines = |count: usize| (0..count).map(|n| format!("x-{n}: y\r\n")).collect::<String>();
    let with = |lines: &str| {
        let mut answer = stage.file.honest(None);
        if let Some(Act::Send(head)) = answer.first_mut() {
            let text = String::from_utf8_lossy(head).replacen("\r\n", &format!("\r\n{lines}"), 1);
            *head = text.into_bytes();
        }
        answer
    };
    let early: String = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(50);
    let mut hinted = stage.file.honest(None);
    hinted.insert(0, Act::Send(early.into_bytes()));
    let sound = |what: &str, answer| Script::new("N9", what, Want::Sound).files([answer]).attempts(2);
    let start = |text: &[u8]| Act::Send(text.to_vec());
    vec![
        sound("a hundred lines", with(&lines(90))),
        sound("a million lines", vec![start(b"HTTP/1.1 200 OK\r\n"), Act::Endless(b"x-a: y\r\n".to_vec())]),
        sound("a line of a megabyte", with(&format!("x-long: {}\r\n", "y".repeat(1_000_000)))),
        sound("a line without end", vec![start(b"HTTP/1.1 200 OK\r\nx-long: "), Act::Endless(vec![b'y'; 4096])]),
        sound("a first line without end", vec![Act::Endless(vec![b'H'; 4096])]),
        sound("bytes that are no text", vec![start(&[0xff, 0xfe, 0, 0, b'\r', b'\n', b'\r', b'\n'])]),
        sound("another protocol", vec![start(b"SSH-2.0-OpenSSH_9.2\r\n")]),
        sound("hints without end", vec![Act::Endless(b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec())]).hasty(),
        sound("some hints", hinted),
        sound("a status beyond all", Stage::json("999 What", "", "{}")),
    ]
}

/// Answers to the question.
fn answers() -> Vec<Script> {
    let unknown =
        |what: &str, answer| Script { for_ever: true, ..Script::new("N9", what, Want::Unknown).looks([answer]) };
    let head = |lines: &str| {
        Act::Send(format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{lines}\r\n").into_bytes())
    };
    let deep = |open: &str, close: &str| {
        Stage::json(
            "200 OK",
            "",
            &format!("{{\"id\":\"net\",\"output\":{}{}}}", open.repeat(10_000), close.repeat(10_000)),
        )
    };
    vec![
        unknown("an answer of 64 MiB", vec![head("content-length: 67108864\r\n"), Act::Fill(67_108_864)]),
        unknown("an answer without end", vec![head(""), Act::Endless(vec![b' '; 65_536])]),
        unknown("lists in lists", deep("[", "]")),
        unknown("objects in objects", deep("{\"a\":", "}")),
        unknown("a number of a megabyte", Stage::json("200 OK", "", &"9".repeat(1_000_000))),
    ]
}
