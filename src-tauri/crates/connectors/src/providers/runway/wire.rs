//! What Runway sends.

use serde::Deserialize;
use serde_json::Value;

/// A task. `output` is a list of addresses; a workflow's is a map from node to such a list.
#[derive(Clone, Debug, Deserialize)]
pub struct Task {
    #[serde(default)]
    pub id: Option<String>,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub output: Value,
    #[serde(default)]
    pub failure: Value,
    #[serde(default, rename = "failureCode")]
    pub failure_code: Option<String>,
}
