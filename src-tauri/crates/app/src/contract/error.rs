//! Errors on the wire. A code exists only if the window branches on it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request cannot be understood; the window and the core disagree.
    BadRequest,
    NotFound,
    /// The case changed since the window read it: read again, nothing was done.
    Stale,
    /// The rules do not allow it; nothing was done.
    Refused,
    /// The database or a file cannot be used now.
    Unavailable,
    /// A defect. `incident` is the log id to quote.
    Internal,
}

/// What went wrong, in words for people, and whether trying again can help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, thiserror::Error)]
#[error("{message}")]
pub struct WireError {
    pub code: Code,
    pub message: String,
    pub retry: bool,
    pub incident: Option<String>,
}

/// What the window must read again. Told by the `changed` event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "topic", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Topic {
    Queue,
    Case {
        case_id: String,
    },
    Action {
        key: String,
        case_id: String,
    },
    Outbox,
    Audit,
    /// A pass of the reconciler began, got further, or ended.
    Reconciler,
    Approvals,
    /// Providers, their keys, or how their connections fare.
    Connections,
    /// A transfer began, got into its next phase, or ended. Its bytes are not told: ask now and then.
    Transfers,
}
