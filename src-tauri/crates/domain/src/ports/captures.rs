//! The record of copies of our own.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::StoreResult;
use crate::capture::Capture;
use crate::ids::AgentId;

/// What became of a copy that is to be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// The capture that stands: of two files of the same item of the same job the first one counts (R17).
    Stands(Capture),
    /// Its file is just taken out of the vault; in plain words.
    Refused(String),
}

/// Which files are in the vault, and why. A capture stands until its file is taken out of the vault; then its item
/// can be captured anew.
#[async_trait]
pub trait CaptureStore: Send + Sync {
    /// Keeps that the file of an item of a job is in the vault, with its line in the audit. Refused where the
    /// removal of the file is claimed, and for [`super::PLACED_NOT_AFTER`] from then on.
    ///
    /// `by` is who brought it; a record that knows its logins goes by the login.
    async fn keep_capture(&self, capture: &Capture, by: &AgentId) -> StoreResult<Kept>;
}
