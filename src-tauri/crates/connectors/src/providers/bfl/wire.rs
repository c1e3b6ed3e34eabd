//! What Black Forest Labs send.

use serde::Deserialize;
use serde_json::Value;

/// A task: as it is answered, as it is delivered, and as it is taken in.
#[derive(Clone, Debug, Deserialize)]
pub struct Task {
    #[serde(default)]
    pub id: Option<String>,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub result: Value,
    /// `Moderation Reasons` and the like.
    #[serde(default)]
    pub details: Value,
    #[serde(default)]
    pub error: Value,
    #[serde(default)]
    pub message: Value,
    /// Only in the answer to a submission; on the host of the region that took the task.
    #[serde(default)]
    pub polling_url: Option<String>,
    /// The same, of a submission that named one.
    #[serde(default)]
    pub webhook_url: Option<String>,
}
