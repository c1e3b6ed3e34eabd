//! What ModelArk sends about content generation tasks.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::providers::reading::{count, id, moment, text};

/// A task. Where one was asked for, the answer is its id alone.
#[derive(Clone, Debug, Deserialize)]
pub struct Task {
    #[serde(default, deserialize_with = "id")]
    pub id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub model: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub status: Option<String>,
    /// Emptied a day after the task's end.
    #[serde(default)]
    pub content: Value,
    #[serde(default)]
    pub error: Value,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    pub updated_at: Option<Timestamp>,
    #[serde(flatten)]
    pub others: Value,
}

/// A page of the list.
#[derive(Clone, Debug, Deserialize)]
pub struct Tasks {
    pub items: Vec<Value>,
    #[serde(default, deserialize_with = "count")]
    pub total: Option<u64>,
}

/// A refusal of the question, or a task's own failure.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Failure {
    #[serde(default, deserialize_with = "text")]
    pub code: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub message: Option<String>,
}
