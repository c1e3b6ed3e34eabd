//! What may come over the bridge at all, whatever it asks.

use std::io::{Error, Write};

use makegood_app::contract::{Code, Envelope, WireError};
use serde_json::Value;

/// The largest payload in bytes of JSON. The longest honest one is a draft of some kilobytes.
pub const LARGEST_BYTES: usize = 1024 * 1024;

/// Puts a command and its payload together as the contract's envelope, if the payload is of
/// bearable size; what it means is the contract's to judge.
///
/// # Errors
/// [`Code::BadRequest`], in words that name the limit.
pub fn envelope(cmd: String, payload: Value) -> Result<Envelope, WireError> {
    // Writing fails only when the limit is passed: a value always has a text.
    match serde_json::to_writer(Measure { left: LARGEST_BYTES }, &payload) {
        Ok(()) => Ok(Envelope { cmd, payload }),
        Err(_) => Err(WireError {
            code: Code::BadRequest,
            message: format!("a request may have at most {LARGEST_BYTES} bytes"),
            retry: false,
            incident: None,
        }),
    }
}

/// Counts what is written and keeps nothing.
struct Measure {
    left: usize,
}

impl Write for Measure {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        self.left = self.left.checked_sub(bytes.len()).ok_or_else(|| Error::other("too long"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_payload_has_at_most_a_mebibyte_of_json() {
        let quotes = 2;
        let table = [
            ("nothing", Value::Null, true),
            ("an object", json!({ "limit": 50 }), true),
            ("exactly the limit", json!("x".repeat(LARGEST_BYTES - quotes)), true),
            ("a byte more", json!("x".repeat(LARGEST_BYTES - quotes + 1)), false),
            ("short text that is long as JSON", json!("\u{1}".repeat(LARGEST_BYTES / 6 + 1)), false),
        ];
        for (name, payload, admitted) in table {
            let answer = envelope("queue".to_owned(), payload.clone());
            assert_eq!(answer.is_ok(), admitted, "{name}");
            match answer {
                Ok(passed) => assert_eq!((passed.cmd.as_str(), passed.payload), ("queue", payload), "{name}"),
                Err(error) => assert_eq!(error.code, Code::BadRequest, "{name}"),
            }
        }
    }
}
