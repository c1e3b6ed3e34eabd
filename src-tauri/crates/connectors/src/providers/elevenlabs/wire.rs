//! What ElevenLabs sends about its history and its dubs. States are kept as the words they are.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::providers::reading::{lenient, moment};

/// What was spoken once, as the history keeps it.
#[derive(Clone, Debug, Deserialize)]
pub struct Item {
    #[serde(default, deserialize_with = "lenient")]
    pub history_item_id: Option<String>,
    /// The id that the answer to the request had in its `request-id` header.
    #[serde(default, deserialize_with = "lenient")]
    pub request_id: Option<String>,
    #[serde(default)]
    pub state: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    pub date_unix: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient")]
    pub model_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub text: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub content_type: Option<String>,
}

/// A page of the history, newest first.
#[derive(Clone, Debug, Deserialize)]
pub struct History {
    pub history: Vec<Item>,
    #[serde(default)]
    pub has_more: Option<bool>,
    #[serde(default)]
    pub last_history_item_id: Option<String>,
}

/// A dubbing project.
#[derive(Clone, Debug, Deserialize)]
pub struct Dub {
    pub dubbing_id: String,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub target_languages: Vec<String>,
    /// Of what was dubbed, and of what came of it: speech in another language, or the film with it.
    #[serde(default)]
    pub media_metadata: Value,
    #[serde(default)]
    pub error: Value,
}
