//! The record of copies of our own.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoreResult;
use crate::capture::Capture;
use crate::ids::{AgentId, JobId, RunId};

/// What became of a copy that is to be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// The capture that stands: of two files of the same item of the same job the first one counts (R17).
    Stands(Capture),
    /// Its file is just taken out of the vault; in plain words.
    Refused(String),
}

/// A job of which something may be with its provider that is nowhere of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unkept {
    pub job_id: JobId,
    pub run_id: RunId,
    /// Its provider said of a file that it is there. Else somebody told of the job, and its provider is to be asked.
    pub made: bool,
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

    /// Jobs of which something may have to be saved, the newest first, then by id: those that were asked about and have
    /// a file that was finished at `since` or later, of which neither a capture stands nor an output of the run is
    /// stored, and those of which a delivery came since then and no last word is known. A hint for who saves, and nothing more: what is
    /// to be saved follows from the run's scope.
    async fn unkept_jobs(&self, since: Timestamp, limit: u32) -> StoreResult<Vec<Unkept>>;
}
