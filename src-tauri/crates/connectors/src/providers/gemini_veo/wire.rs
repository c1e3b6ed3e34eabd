//! What the Gemini API sends about Veo.

use jiff::Timestamp;
use serde::Deserialize;

use crate::providers::reading::{count, moment};

/// A file of the Files API.
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
}
