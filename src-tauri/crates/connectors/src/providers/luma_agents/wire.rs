//! What the Luma Agents API sends. The state is kept as the word it is.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::providers::reading::{lenient, moment};

/// A generation.
#[derive(Clone, Debug, Deserialize)]
pub struct Generation {
    #[serde(default)]
    pub id: Option<String>,
    #[serde(default)]
    pub state: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub failure_code: Option<String>,
    #[serde(default)]
    pub failure_reason: Value,
    /// Filled when it is completed.
    #[serde(default)]
    pub output: Option<Vec<Output>>,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient")]
    pub model: Option<String>,
}

/// A file, at an address that is signed for an hour.
#[derive(Clone, Debug, Deserialize)]
pub struct Output {
    #[serde(default)]
    pub url: Option<String>,
    /// `video` or `image`.
    #[serde(default, rename = "type", deserialize_with = "lenient")]
    pub kind: Option<String>,
}
