//! What Luma's Dream Machine sends. The state is kept as the word it is.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::providers::reading::{lenient, moment};

/// A generation, as answered, listed, and delivered to a callback.
#[derive(Clone, Debug, Deserialize)]
pub struct Generation {
    #[serde(default)]
    pub id: Option<String>,
    #[serde(default)]
    pub state: Option<String>,
    #[serde(default)]
    pub failure_reason: Value,
    #[serde(default, deserialize_with = "lenient")]
    pub assets: Assets,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient")]
    pub model: Option<String>,
    #[serde(default)]
    pub request: Value,
}

/// The files of a generation. The film of its progress is none of them.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Assets {
    #[serde(default)]
    pub video: Option<String>,
    #[serde(default)]
    pub image: Option<String>,
    #[serde(flatten)]
    pub others: Value,
}
