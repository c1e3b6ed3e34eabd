//! What the Gemini API sends about Veo.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::providers::reading::{count, moment};

/// A long-running operation. `done` is absent until it is true.
#[derive(Clone, Debug, Deserialize)]
pub struct Operation {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub done: Option<bool>,
    #[serde(default)]
    pub error: Option<Status>,
    #[serde(default)]
    pub response: Option<Response>,
}

/// `google.rpc.Status`.
#[derive(Clone, Debug, Deserialize)]
pub struct Status {
    #[serde(default)]
    pub code: Option<i64>,
    #[serde(default)]
    pub message: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Response {
    #[serde(default, rename = "generateVideoResponse")]
    pub videos: Option<Videos>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Videos {
    #[serde(default)]
    pub generated_samples: Vec<Sample>,
    /// How many the safety filter withheld. Zero is not absent.
    #[serde(default, deserialize_with = "count")]
    pub rai_media_filtered_count: Option<u64>,
    #[serde(default)]
    pub rai_media_filtered_reasons: Vec<Value>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Sample {
    #[serde(default)]
    pub video: Option<Video>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Video {
    #[serde(default)]
    pub uri: Option<String>,
}

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

/// An error body, for the wait in it.
#[derive(Clone, Debug, Deserialize)]
pub struct Failure {
    pub error: FailureBody,
}

#[derive(Clone, Debug, Deserialize)]
pub struct FailureBody {
    #[serde(default)]
    pub details: Vec<Detail>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Detail {
    #[serde(default, rename = "retryDelay")]
    pub retry_delay: Option<String>,
}
