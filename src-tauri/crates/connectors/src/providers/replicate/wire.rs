//! What Replicate sends. Only what is read has a type; the state is kept as the word it is.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::providers::reading::{count, moment, text};

/// A prediction. `output` depends on the model: an address, a list, an object, a text.
#[derive(Clone, Debug, Deserialize)]
pub struct Prediction {
    #[serde(default)]
    pub id: Option<String>,
    #[serde(default)]
    pub status: Option<String>,
    /// `None` where the field is not there; emptied it is `null`.
    #[serde(default, deserialize_with = "there")]
    pub output: Option<Value>,
    #[serde(default)]
    pub error: Value,
    #[serde(default)]
    pub data_removed: Option<bool>,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    pub started_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    pub completed_at: Option<Timestamp>,
    #[serde(default)]
    pub model: Option<String>,
    /// Emptied with the output, after an hour.
    #[serde(default)]
    pub input: Value,
    #[serde(flatten)]
    pub others: Value,
}

/// What is there, `null` too.
fn there<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}

/// A page of the list.
#[derive(Clone, Debug, Deserialize)]
pub struct Predictions {
    pub results: Vec<Value>,
    #[serde(default)]
    pub next: Option<String>,
}

/// A file of the Files API.
#[derive(Clone, Debug, Deserialize)]
pub struct File {
    #[serde(default, deserialize_with = "count")]
    pub size: Option<u64>,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    pub expires_at: Option<Timestamp>,
    pub urls: Value,
    #[serde(default, deserialize_with = "text")]
    pub content_type: Option<String>,
}
