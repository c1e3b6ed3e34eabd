//! What HeyGen sends.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::providers::reading::moment;

/// A video: as it is answered and listed.
#[derive(Clone, Debug, Deserialize)]
pub struct Video {
    /// `video_id` in answers to submissions and in older lists.
    #[serde(default)]
    pub id: Option<String>,
    #[serde(default)]
    pub video_id: Option<String>,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub callback_id: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    pub completed_at: Option<Timestamp>,
    #[serde(default)]
    pub video_url: Option<String>,
    #[serde(default)]
    pub failure_code: Option<String>,
    #[serde(default)]
    pub failure_message: Option<String>,
    /// The older form of the two above.
    #[serde(default)]
    pub error: Value,
}

impl Video {
    pub fn job_id(&self) -> Option<&str> {
        self.id.as_deref().or(self.video_id.as_deref())
    }
}

/// What its webhook delivers.
#[derive(Clone, Debug, Deserialize)]
pub struct Delivery {
    pub event_type: String,
    pub event_data: Event,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Event {
    #[serde(default)]
    pub video_id: Option<String>,
    #[serde(default)]
    pub video_translate_id: Option<String>,
    #[serde(default)]
    pub url: Option<String>,
    #[serde(default)]
    pub video_url: Option<String>,
    #[serde(default)]
    pub gif_url: Option<String>,
    #[serde(default)]
    pub msg: Option<String>,
    #[serde(default)]
    pub message: Option<String>,
    #[serde(default)]
    pub failure_message: Option<String>,
}
