//! What OpenAI sends about videos and images. Only what is read has a type; the state is kept as
//! the word it is.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::providers::reading::{lenient, moment};

/// A video job.
#[derive(Clone, Debug, Deserialize)]
pub struct Video {
    #[serde(default)]
    pub id: Option<String>,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub model: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub prompt: Option<String>,
    #[serde(default)]
    pub error: Value,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    pub completed_at: Option<Timestamp>,
    /// When the files go.
    #[serde(default, deserialize_with = "moment")]
    pub expires_at: Option<Timestamp>,
}

/// The answer of the image service: the images themselves, or short-lived addresses of them.
#[derive(Clone, Debug, Deserialize)]
pub struct Images {
    #[serde(default, deserialize_with = "moment")]
    pub created: Option<Timestamp>,
    pub data: Vec<Image>,
    /// `png`, `webp` or `jpeg`.
    #[serde(default, deserialize_with = "lenient")]
    pub output_format: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Image {
    #[serde(default)]
    pub b64_json: Option<String>,
    #[serde(default)]
    pub url: Option<String>,
}

/// What a webhook delivers: the name of what happened, and an id.
#[derive(Clone, Debug, Deserialize)]
pub struct Event {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<Timestamp>,
    pub data: Value,
}
