//! What is written: one call of a function of schema `api` each, which is one unit of work.

pub(super) mod actions;
pub(super) mod audit;
pub(super) mod captures;
pub(super) mod cases;
pub(super) mod drafts;
pub(super) mod facts;
pub(super) mod files;
pub(super) mod findings;
pub(super) mod received;
pub(super) mod reconciler;
pub(super) mod rights;
pub(super) mod sweeps;

use makegood_domain::ports::{StoreError, StoreResult};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::link::Argument;
use super::rows::micros;
use jiff::Timestamp;

/// A document as an argument of type `jsonb`, which can hold every text but one with a NUL in it:
/// that sign is kept as U+FFFD, as in [`text`].
fn document<T: Serialize>(value: &T) -> StoreResult<String> {
    whole_text(super::rows::document(value)?)
}

/// The text of a document, as [`document`] makes one.
fn whole_text(text: String) -> StoreResult<String> {
    if !text.contains("\\u0000") {
        return Ok(text);
    }
    let value = serde_json::from_str(&text).map_err(|error| StoreError::Backend(error.to_string()))?;
    super::rows::document(&without_nul(value))
}

fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "\u{fffd}")),
        Value::Array(parts) => parts.into_iter().map(without_nul).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, field)| (name, without_nul(field))).collect(),
        other => other,
    }
}

/// A text as PostgreSQL can keep it: a NUL becomes U+FFFD.
fn text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn said(text: &str) -> Argument<'_> {
    Argument::Text(Some(text))
}

fn at(instant: Timestamp) -> Argument<'static> {
    Argument::Int(Some(micros(instant)))
}

/// What a function answered, as what it promises.
fn answer<T: DeserializeOwned>(value: Value, function: &str) -> StoreResult<T> {
    serde_json::from_value(value)
        .map_err(|error| StoreError::Backend(format!("api.{function} answered something else: {error}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_nul_is_kept_as_the_sign_for_what_cannot_be_shown() {
        let said = json!({ "text": "a\0b", "path": "c:\\u0000", "list": ["\0"] });
        let kept: Value = serde_json::from_str(&document(&said).unwrap()).unwrap();
        assert_eq!(kept, json!({ "text": "a\u{fffd}b", "path": "c:\\u0000", "list": ["\u{fffd}"] }));
        assert_eq!(text("\0"), "\u{fffd}");
    }
}
