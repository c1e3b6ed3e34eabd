//! N1 to N4: servers that ask for patience, fail, fall silent, and drip.

use std::time::Duration;

use super::super::wire::{Act, Answer};
use super::{Script, Stage, Want};

const DATE: &str = "Sun, 22 Nov 2026 10:00:00 GMT";

pub fn scripts(stage: &mut Stage) -> Vec<Script> {
    [asked_to_wait(), failing(stage), silent(stage), dripping(stage)].concat()
}

/// N1: how long is waited, for each way to say it; `None`: it is put off.
fn asked_to_wait() -> Vec<Script> {
    let at = |value: &str| format!("retry-after: {value}\r\ndate: {DATE}\r\n");
    [
        ("seconds", at("3"), Some(3)),
        ("half a minute", at("30"), Some(30)),
        ("a date", at("Sun, 22 Nov 2026 10:00:20 GMT"), Some(20)),
        ("a date that is over", at("Sun, 22 Nov 2026 09:00:00 GMT"), Some(0)),
        ("a negative time", at("-5"), Some(0)),
        ("junk", at("in a moment"), Some(0)),
        ("nothing", at(""), Some(0)),
        ("part of a second", at("1.5"), Some(0)),
        ("two headers", format!("retry-after: 1\r\n{}", at("40")), Some(40)),
        ("junk and a time", format!("retry-after: soon\r\n{}", at("9")), Some(9)),
        ("a thousand million seconds", at("1000000000"), None),
        ("more digits than a number has", at("99999999999999999999999"), None),
    ]
    .into_iter()
    .flat_map(|(what, headers, waits)| {
        let refusal = Stage::json("429 Slow down", &headers, "{\"detail\":\"slow down\"}");
        let want = if waits.is_some() { Want::Whole } else { Want::Parked };
        let waits = Duration::from_secs(waits.unwrap_or(0));
        let asked = Script { waits, ..Script::new("N1", format!("asked, {what}"), want.clone()) };
        let file = Script { waits, ..Script::new("N1", format!("file, {what}"), want) };
        [asked.looks([refusal.clone()]), file.files([refusal])]
    })
    .collect()
}

/// N2: errors that pass, and those that do not.
fn failing(stage: &mut Stage) -> Vec<Script> {
    let status = |code: u16| Stage::json(&format!("{code} Trouble"), "", "{}");
    let mut scripts: Vec<Script> = [500, 502, 503, 504, 520, 529, 408, 425]
        .into_iter()
        .map(|code| Script::new("N2", format!("{code} twice"), Want::Whole).files([status(code), status(code)]))
        .collect();
    let mixed = [500, 503, 502, 429].map(status);
    scripts.push(Script::new("N2", "one after another", Want::Whole).looks(mixed.clone()));
    scripts.push(Script::new("N2", "each time another", Want::Whole).files(mixed));
    let always = Script::new("N2", "500 for ever", Want::Failed(&["500"])).files([status(500)]).for_ever();
    scripts.push(Script { asks: 12, ..always });
    let cut = stage.within();
    let after = stage.cut(cut, None);
    scripts.push(Script::new("N2", "503 after a cut", Want::Whole).files([after, status(503)]));
    scripts
}

/// N3: nothing comes any more, at each place.
fn silent(stage: &mut Stage) -> Vec<Script> {
    let quiet = |what: &str, files: Vec<Answer>| Script::new("N3", what, Want::Whole).files(files).hasty();
    let (near, far) = (stage.within(), stage.within());
    let half_head = vec![Act::Send(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec()), Act::Stall];
    let long = stage.file.honest(None);
    let mut marathon = vec![Act::Pass(Duration::from_secs(20 * 60))];
    marathon.extend(long);
    vec![
        quiet("before the head", vec![vec![Act::Stall]]),
        quiet("within the head", vec![half_head]),
        quiet("before the body", vec![stage.cut(0, Some(Act::Stall))]),
        quiet("within the body", vec![stage.cut(near, Some(Act::Stall))]),
        quiet("twice", vec![stage.cut(near, Some(Act::Stall)), stage.cut(far, Some(Act::Stall))]),
        Script::new("N3", "the question", Want::Whole).looks([vec![Act::Stall]]).hasty(),
        Script { want: Want::Failed(&["no answer", "nothing came"]), ..quiet("for ever", vec![vec![Act::Stall]]) }
            .for_ever(),
        Script::new("N3", "longer than a file may take", Want::Failed(&["not all of it was here after"]))
            .files([marathon.clone(), marathon])
            .for_ever(),
    ]
}

/// N4: too slow is as good as stalled, unless it is only slow.
fn dripping(stage: &mut Stage) -> Vec<Script> {
    let slow = Duration::from_secs(5);
    let drip = |stage: &Stage, from: usize, bytes: usize, each: Duration| {
        let mut answer = stage.cut(from, None);
        answer.push(Act::Drip(stage.file.bytes[from..from + bytes].to_vec(), each));
        answer
    };
    let at = stage.within().min(stage.file.bytes.len() - 100);
    let once = drip(stage, at, 20, slow);
    let from_the_first = drip(stage, 0, 20, slow);
    // Twenty KiB a second, a KiB at a time.
    let mut steady = stage.cut(0, None);
    for start in (0..stage.file.bytes.len()).step_by(1024) {
        steady.push(Act::Pass(Duration::from_millis(50)));
        steady.push(stage.file.part(start..(start + 1024).min(stage.file.bytes.len())));
    }
    let untagged = |answer: &Answer| without_tag(answer);
    vec![
        Script::new("N4", "in the body", Want::Whole).files([once.clone()]),
        Script::new("N4", "from the first byte", Want::Whole).files([from_the_first.clone()]),
        Script::new("N4", "twice", Want::Whole).files([once.clone(), from_the_first.clone()]),
        Script::new("N4", "without a version", Want::Whole).files([untagged(&once)]),
        Script::new("N4", "for ever", Want::Failed(&["bytes came in a second"])).files([from_the_first]).for_ever(),
        Script::new("N4", "slow enough to be borne", Want::Whole).files([steady]),
        Script::new("N4", "in the head", Want::Whole)
            .files([vec![Act::Drip(b"HTTP/1.1 200 OK\r\n".to_vec(), slow), Act::Stall]])
            .hasty(),
        Script::new("N4", "in the answer to the question", Want::Whole)
            .looks([vec![Act::Drip(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{".to_vec(), slow), Act::Stall]])
            .hasty(),
    ]
}

/// The same answer, without a word on the version.
pub fn without_tag(answer: &Answer) -> Answer {
    let mut answer = answer.clone();
    if let Some(Act::Send(head)) = answer.first_mut() {
        let text = String::from_utf8_lossy(head).into_owned();
        let lines = text.split("\r\n").filter(|line| !line.starts_with("etag:"));
        *head = lines.collect::<Vec<_>>().join("\r\n").into_bytes();
    }
    answer
}
