//! What Google's storage says about a file. Operations are those of all Veo: [`super::super::veo`].

use jiff::Timestamp;
use serde::Deserialize;

use crate::providers::reading::{count, moment, text};

/// An object of Cloud Storage.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Object {
    /// `storage#object`.
    #[serde(default)]
    pub kind: Option<String>,
    #[serde(default)]
    pub bucket: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
    /// A 64-bit number, which this API writes as a text.
    #[serde(default, deserialize_with = "count")]
    pub size: Option<u64>,
    #[serde(default, deserialize_with = "text")]
    pub content_type: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    pub time_created: Option<Timestamp>,
    /// Of an object that was deleted and can still be brought back by its owner.
    #[serde(default, deserialize_with = "moment")]
    pub soft_delete_time: Option<Timestamp>,
}
