//! What fal sends: its queue, its result, and its request history.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::providers::reading::{count, moment};

/// The queue's status of a request. There is no failed state: `COMPLETED` is all there is.
#[derive(Clone, Debug, Deserialize)]
pub struct QueueStatus {
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub request_id: Option<String>,
    #[serde(default)]
    pub error: Value,
    #[serde(default)]
    pub error_type: Option<String>,
}

/// A list of the history, by endpoint.
#[derive(Clone, Debug, Deserialize)]
pub struct History {
    /// The list by search calls them results.
    #[serde(alias = "results")]
    pub items: Vec<Request>,
    #[serde(default)]
    pub next_cursor: Option<String>,
    #[serde(default)]
    pub has_more: Option<bool>,
}

/// A request as the history keeps it.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    #[serde(default)]
    pub request_id: Option<String>,
    #[serde(default)]
    pub endpoint_id: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    pub sent_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    pub started_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    pub ended_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "count")]
    pub status_code: Option<u64>,
    #[serde(default)]
    pub json_input: Value,
    /// Absent once the payload is gone.
    #[serde(default)]
    pub json_output: Option<Value>,
}

/// What fal's webhook delivers.
#[derive(Clone, Debug, Deserialize)]
pub struct Delivery {
    #[serde(default)]
    pub request_id: Option<String>,
    pub status: String,
    #[serde(default)]
    pub payload: Value,
    #[serde(default)]
    pub error: Value,
    #[serde(default)]
    pub error_type: Option<String>,
    /// Why there is no payload, where there is none.
    #[serde(default)]
    pub payload_error: Value,
}
