//! What the Gemini API sends about Veo.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::providers::reading::{count, moment, text};

/// A file of the Files API, sent or generated.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct File {
    #[serde(default)]
    pub name: Option<String>,
    /// A 64-bit number, which this API writes as a text.
    #[serde(default, deserialize_with = "count")]
    pub size_bytes: Option<u64>,
    #[serde(default, deserialize_with = "moment")]
    pub create_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    pub expiration_time: Option<Timestamp>,
    /// `PROCESSING`, `ACTIVE` or `FAILED`; of a generated one `GENERATING`, `GENERATED` or `FAILED`.
    #[serde(default)]
    pub state: Option<String>,
    /// `google.rpc.Status`, where it failed.
    #[serde(default)]
    pub error: Value,
    /// Where the bytes are.
    #[serde(default, deserialize_with = "text")]
    pub download_uri: Option<String>,
    /// Where the file is told of.
    #[serde(default, deserialize_with = "text")]
    pub uri: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub mime_type: Option<String>,
    /// Of a video only.
    #[serde(default)]
    pub video_metadata: Value,
}
