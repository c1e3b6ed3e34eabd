//! What Kling sends. Answers are wrapped in `code`, `message` and `data`; callbacks are the bare task.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::providers::reading::{id, moment, text, whole};

/// The wrapping of every answer. `code` is 0 where the question was answered.
#[derive(Clone, Debug, Deserialize)]
pub struct Envelope {
    #[serde(default, deserialize_with = "whole")]
    pub code: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    pub message: Option<String>,
    #[serde(default)]
    pub data: Value,
}

/// A task.
#[derive(Clone, Debug, Deserialize)]
pub struct Task {
    #[serde(default, deserialize_with = "id")]
    pub task_id: Option<String>,
    #[serde(default)]
    pub task_info: Value,
    #[serde(default, deserialize_with = "text")]
    pub task_status: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub task_status_msg: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    pub updated_at: Option<Timestamp>,
    #[serde(default)]
    pub task_result: Value,
}

/// A file of a result. Sounds have an address for each format, pictures a place in their series.
#[derive(Clone, Debug, Deserialize)]
pub struct File {
    #[serde(default, deserialize_with = "whole")]
    pub index: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    pub url: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub url_mp3: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub url_wav: Option<String>,
}
