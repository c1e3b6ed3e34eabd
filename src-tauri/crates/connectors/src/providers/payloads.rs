//! Documents that a provider may send, made up from its own words, against what each should be taken
//! for. One table a provider, beside its map; each holds all that its provider can say.

use serde_json::Value;

use super::explain::{Document, Origin, Word};
use super::{adapters, protocol};

/// Explains each body with its HTTP status, and tells all that are taken for something else.
pub fn check(adapter: &str, rows: &[(u16, Value, Word)]) {
    let protocol = protocol(adapter).expect("an adapter");
    let mut wrong = Vec::new();
    for (status, body, want) in rows {
        let bytes = body.to_string().into_bytes();
        let explained = protocol.explain(&Document { origin: Origin::Answer, status: *status, body: &bytes });
        if explained.word != *want {
            wrong.push(format!("HTTP {status} {body}: {want:?} expected, {:?} found", explained.word));
        }
    }
    assert!(wrong.is_empty(), "{adapter}:\n{}", wrong.join("\n"));
    let facts = protocol.facts();
    let lacks = |word: &Word| !rows.iter().any(|(_, _, known)| known == word);
    let lists = facts.capability.list_by_time.then_some(Word::List);
    // Who is asked nothing any more finds nothing either.
    let not_found = if facts.capability.look_up { facts.not_found } else { Word::ProviderRetired };
    let missing: Vec<Word> = ALWAYS.into_iter().chain(lists).chain([not_found]).filter(lacks).collect();
    assert_eq!(missing, [], "{adapter}: no row is taken for these");
}

/// What every provider can say.
const ALWAYS: [Word; 8] = [
    Word::Running,
    Word::Succeeded,
    Word::Failed,
    Word::AuthError,
    Word::RateLimited,
    Word::Retryable,
    Word::Permanent,
    Word::Unknown,
];

#[test]
fn every_adapter_has_a_table() {
    for adapter in adapters() {
        let path = format!("{}/src/providers/{adapter}/payloads.rs", env!("CARGO_MANIFEST_DIR"));
        let table = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path}: {why}"));
        assert!(table.contains("#[test]") && table.contains(&format!("\"{adapter}\",")), "{path} checks nothing");
    }
}
