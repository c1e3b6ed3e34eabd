//! Copies of our own: a file that a provider made, brought into the vault before its provider forgets it,
//! whatever becomes of its item.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{JobId, RunId};
use crate::plan::StoredFile;

/// A provider's file that is in the vault. It delivers nothing and settles nothing: it makes the file
/// exist (P7), wherever else it may be gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// The run of the job, which may be a retry by the system of the run that the customer started.
    pub run_id: RunId,
    pub job_id: JobId,
    pub item: u32,
    pub file: StoredFile,
    pub captured_at: Timestamp,
}
