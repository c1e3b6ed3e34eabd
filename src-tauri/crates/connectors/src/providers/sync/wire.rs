//! What Sync sends.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::providers::reading::moment;

/// A generation: as it is answered, listed and delivered. Refusals have the same last fields.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Generation {
    #[serde(default)]
    pub id: Option<String>,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub model: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<Timestamp>,
    /// An empty object where there is none yet, in some versions.
    #[serde(default)]
    pub output_media_url: Value,
    /// The older name of the same.
    #[serde(default)]
    pub output_url: Value,
    #[serde(default)]
    pub error: Value,
    #[serde(default, alias = "error_code")]
    pub error_code: Option<String>,
    /// Of a refusal.
    #[serde(default)]
    pub status_code: Option<u16>,
}
