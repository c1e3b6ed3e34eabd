//! Documents that a provider may send, made up from its own words, against what each should be taken
//! for. One table a provider, beside its map.

use serde_json::Value;

use super::explain::{Document, Origin, Word};
use super::protocol;

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
}
