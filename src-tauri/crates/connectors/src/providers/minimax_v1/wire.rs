//! What MiniMax's first video API sends. Errors come with HTTP 200, in `base_resp`.

use jiff::Timestamp;
use serde::Deserialize;

use crate::providers::reading::{count, id, moment, text, whole};

/// A task; or, where it was asked to make one, only the task's id.
#[derive(Clone, Debug, Deserialize)]
pub struct Task {
    #[serde(default, deserialize_with = "id")]
    pub task_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub status: Option<String>,
    /// A text here, a number where the file is asked for.
    #[serde(default, deserialize_with = "id")]
    pub file_id: Option<String>,
    #[serde(default)]
    pub base_resp: Option<BaseResp>,
}

/// Whether the question was answered: code 0, or why not.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct BaseResp {
    #[serde(default, deserialize_with = "whole")]
    pub status_code: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    pub status_msg: Option<String>,
}

/// The answer about a file.
#[derive(Clone, Debug, Deserialize)]
pub struct Files {
    #[serde(default)]
    pub file: Option<File>,
    #[serde(default)]
    pub base_resp: Option<BaseResp>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct File {
    #[serde(default, deserialize_with = "count")]
    pub bytes: Option<u64>,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "text")]
    pub filename: Option<String>,
    /// What it was made or sent for: `video_generation`, and words for other services.
    #[serde(default, deserialize_with = "text")]
    pub purpose: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub download_url: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub backup_download_url: Option<String>,
}
