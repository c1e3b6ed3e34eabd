//! What Stability sends where it does not send the file itself.

use serde::Deserialize;
use serde_json::Value;

use crate::providers::reading::{id, text};

/// A result inside JSON, an answer about one that is being made, or one to the request itself.
#[derive(Clone, Debug, Deserialize)]
pub struct Generation {
    #[serde(default, deserialize_with = "id")]
    pub id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub status: Option<String>,
    #[serde(default, alias = "finishReason", deserialize_with = "text")]
    pub finish_reason: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub video: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub image: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub audio: Option<String>,
    /// Of a list of artifacts, as the first API made; `result` where what was made can be of any kind.
    #[serde(default, alias = "result", deserialize_with = "text")]
    pub base64: Option<String>,
    #[serde(default)]
    pub artifacts: Option<Vec<Generation>>,
}

/// A refusal; its id is the refusal's own, not the job's.
#[derive(Clone, Debug, Deserialize)]
pub struct Refusal {
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(default)]
    pub errors: Value,
}
