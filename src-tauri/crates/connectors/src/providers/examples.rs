//! Reads a folder of recorded answers, if there is one, and says how many of them are understood:
//! `MAKEGOOD_PROVIDER_EXAMPLES=FOLDER cargo test -p makegood-connectors examples -- --nocapture`.
//! Its `index.json` names each file, its HTTP status, and what it should be taken for.

use std::path::Path;

use makegood_domain::ids::JobId;
use makegood_domain::work::JobState;
use serde::Deserialize;
use serde_json::Value;

use super::{Asset, Pieces, Reading, fal, replicate, runway, veo};

#[derive(Deserialize)]
struct Index {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    file: String,
    provider: String,
    http_status: Option<u16>,
    expect: String,
}

/// Hosts of recordings are nobody's: any address counts as a file's.
fn is_file(text: &str) -> bool {
    text.starts_with("https://")
}

/// What one recording is taken for, in the index's words.
fn taken_for(case: &Case, body: &[u8]) -> Option<Reading> {
    let status = case.http_status.unwrap_or(200);
    let name = case.file.rsplit('/').next().unwrap_or_default();
    Some(match case.provider.as_str() {
        "replicate" if case.expect == "list" => {
            return all(rows(body, "results"), |row| {
                replicate::map::explain(200, row.to_string().as_bytes(), &is_file)
            });
        }
        "replicate" => replicate::map::explain(status, body, &is_file),
        "runway" => runway::map::explain(status, body),
        "gemini_veo" if name.contains("file") => {
            let mut asset = Asset::default();
            let found = veo::map::note_file(status, body, &mut asset);
            Reading::of(if found { JobState::Succeeded } else { JobState::LookupFailed })
        }
        "gemini_veo" => veo::map::explain(status, body),
        "fal" if name.starts_with("webhook") => fal::map::delivery(body, &is_file),
        "fal" if name.starts_with("result") => fal::map::result(status, body, &is_file),
        "fal" if case.expect == "list" => {
            let id = |row: &Value| JobId::new(row["request_id"].as_str().unwrap_or_default());
            return rows(body, "items")
                .into_iter()
                .chain(rows(body, "results"))
                .map(|row| fal::map::history(status, body, &id(&row), &is_file))
                .next_back()?;
        }
        "fal" => match fal::map::status(status, body) {
            fal::map::Status::Settled(reading) => reading,
            fal::map::Status::AskResult => Reading::of(JobState::Succeeded),
        },
        _ => return None,
    })
}

fn rows(body: &[u8], field: &str) -> Vec<Value> {
    let page: Value = serde_json::from_slice(body).unwrap_or_default();
    page[field].as_array().cloned().unwrap_or_default()
}

fn all(rows: Vec<Value>, read: impl Fn(Value) -> Reading) -> Option<Reading> {
    rows.into_iter().map(read).next_back()
}

fn fits(expect: &str, reading: &Reading) -> bool {
    use JobState::{Cancelled, Failed, Filtered, LookupFailed, NotFound, Processing, Queued, Succeeded, Unrecognised};
    match expect {
        "queued" => reading.state == Queued,
        "running" => reading.state == Processing,
        "succeeded" => reading.state == Succeeded && reading.pieces != Pieces::Gone,
        "failed" => matches!(reading.state, Failed | Filtered),
        "cancelled" => reading.state == Cancelled,
        "expired" => reading.state == Succeeded && reading.pieces == Pieces::Gone,
        "unknown" => reading.state == Unrecognised,
        "unknown_job" | "expired_or_unknown" | "cancelled_or_unknown" => reading.state == NotFound,
        "auth_error" | "rate_limited" | "retryable" | "retryable_or_failed" | "expired_or_wrong_key" => {
            reading.state == LookupFailed
        }
        "list" => matches!(reading.state, Succeeded),
        _ => false,
    }
}

#[test]
fn recorded_examples_are_understood() {
    let Some(folder) = std::env::var_os("MAKEGOOD_PROVIDER_EXAMPLES") else { return };
    let folder = Path::new(&folder);
    let index = std::fs::read(folder.join("index.json")).expect("index.json");
    let index: Index = serde_json::from_slice(&index).expect("an index");
    let (mut right, mut wrong) = (0, Vec::new());
    for case in &index.cases {
        let body = std::fs::read(folder.join(&case.file)).expect("an example");
        match taken_for(case, &body) {
            Some(reading) if fits(&case.expect, &reading) => right += 1,
            Some(reading) => wrong.push(format!("{}: {} expected, {:?}", case.file, case.expect, reading)),
            None if super::adapters().contains(&case.provider.as_str()) => wrong.push(format!("{}: unread", case.file)),
            None => {}
        }
    }
    println!("{right} of {} examples understood", right + wrong.len());
    assert!(right > 0 && wrong.is_empty(), "{}", wrong.join("\n"));
}
