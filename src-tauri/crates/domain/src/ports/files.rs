//! What the record says of the files in the vault.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::StoreResult;
use crate::ids::AgentId;
use crate::keeping::FileReference;

/// How long nothing is placed that was taken away: whoever found a file in the vault just before must fetch it
/// anew. Longer than any transfer takes.
pub const PLACED_NOT_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// A file that the record believes to be in the vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownFile {
    pub sha256: String,
    pub bytes: u64,
}

/// A file that is to be taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    pub sha256: String,
    /// As the vault tells them; the record may never have seen the file.
    pub bytes: u64,
    /// For the audit.
    pub why: String,
    pub by: AgentId,
    /// How long a file is kept that has no place.
    pub hold: SignedDuration,
}

/// The files of the vault, as the record knows them. A file is taken away in two steps, so that a crash in
/// between is seen: its removal is claimed, with a line of the audit, and ended when the vault has it no longer.
/// In between, and for [`PLACED_NOT_AFTER`] from the claim on, no output can be made of it or put in another place,
/// and no capture is kept of it.
#[async_trait]
pub trait FileStore: Send + Sync {
    /// Everything that our copy of one of these belongs to, in the order of files: outputs by their ids, then
    /// captures by their runs and instants.
    async fn file_references(&self, sha256: &[String]) -> StoreResult<Vec<FileReference>>;
    /// The files that the record has outputs or captures of and that were not taken away, after one, by their hashes.
    async fn known_files(&self, after: Option<&str>, limit: u32) -> StoreResult<Vec<KnownFile>>;
    /// Claims a removal; false where something needs the file at `at` after all. What is claimed already
    /// is claimed.
    async fn claim_removal(&self, removal: &Removal, at: Timestamp) -> StoreResult<bool>;
    /// The vault no longer has the file, and what was captured of it stands no longer. False where no removal of it
    /// is claimed.
    async fn end_removal(&self, sha256: &str, at: Timestamp) -> StoreResult<bool>;
    /// Files whose removal was claimed and not ended, by their hashes.
    async fn claimed_removals(&self, limit: u32) -> StoreResult<Vec<String>>;
    /// What this record is known by in a vault: made with it, and never another. A record that was copied into another
    /// database is another one, because both can be worked with from then on.
    async fn record_id(&self) -> StoreResult<String>;
}
