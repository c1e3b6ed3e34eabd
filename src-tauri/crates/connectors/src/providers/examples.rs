//! Reads a folder of recorded documents, and says how many of them are understood:
//! `MAKEGOOD_PROVIDER_EXAMPLES=FOLDER cargo test -p makegood-connectors recorded -- --ignored --nocapture`. They quote
//! vendors, and stay outside; what must be understood without them is in the table of each provider, `payloads`.
//! Its `index.json` names each file, its HTTP status, and what it should be taken for.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::{Document, Origin, protocol};

#[derive(Deserialize)]
struct Index {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    file: String,
    provider: String,
    /// None for what was delivered to a webhook.
    http_status: Option<u16>,
    expect: String,
}

#[test]
#[ignore = "needs MAKEGOOD_PROVIDER_EXAMPLES, a folder of recorded documents"]
fn recorded_examples_are_understood() {
    let folder = std::env::var_os("MAKEGOOD_PROVIDER_EXAMPLES").expect("MAKEGOOD_PROVIDER_EXAMPLES names the folder");
    let folder = Path::new(&folder);
    let index = std::fs::read(folder.join("index.json")).expect("index.json");
    let index: Index = serde_json::from_slice(&index).expect("an index");
    let mut right = BTreeMap::<&str, usize>::new();
    let mut wrong = Vec::new();
    for case in &index.cases {
        let body = std::fs::read(folder.join(&case.file)).expect("an example");
        let Some(protocol) = protocol(&case.provider) else {
            wrong.push(format!("{}: no adapter", case.file));
            continue;
        };
        let origin = if case.http_status.is_none() { Origin::Webhook } else { Origin::Answer };
        let explained = protocol.explain(&Document { origin, status: case.http_status.unwrap_or(200), body: &body });
        let word = serde_json::to_value(explained.word).expect("a word");
        if word == case.expect.as_str() {
            *right.entry(&case.provider).or_default() += 1;
        } else {
            wrong.push(format!("{}: {} expected, {word}: {explained:?}", case.file, case.expect));
        }
    }
    println!("{} of {} examples understood: {right:?}", right.values().sum::<usize>(), index.cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
