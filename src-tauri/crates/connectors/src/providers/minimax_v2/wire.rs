//! What MiniMax's second video API sends.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::providers::reading::{count, id, moment, text};

/// An answer about one task; or, where it was asked to make one, only the task's id.
#[derive(Clone, Debug, Deserialize)]
pub struct Envelope {
    #[serde(default)]
    pub task: Value,
    #[serde(default, deserialize_with = "id")]
    pub task_id: Option<String>,
}

/// A task. Callbacks and lists call its id as answers do, or `task_id`.
#[derive(Clone, Debug, Deserialize)]
pub struct Task {
    #[serde(default, alias = "task_id", deserialize_with = "id")]
    pub id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub status: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub model: Option<String>,
    #[serde(default)]
    pub error: Value,
    #[serde(default)]
    pub content: Value,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    pub updated_at: Option<Timestamp>,
}

/// A page of the list.
#[derive(Clone, Debug, Deserialize)]
pub struct Tasks {
    #[serde(alias = "tasks")]
    pub items: Vec<Value>,
    #[serde(default, deserialize_with = "count")]
    pub total: Option<u64>,
}

/// A refusal. `http_code` repeats the status as a text.
#[derive(Clone, Debug, Deserialize)]
pub struct Refusal {
    pub error: RefusalError,
}

#[derive(Clone, Debug, Deserialize)]
pub struct RefusalError {
    #[serde(default, rename = "type", deserialize_with = "text")]
    pub kind: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub message: Option<String>,
    #[serde(default, deserialize_with = "count")]
    pub http_code: Option<u64>,
}
