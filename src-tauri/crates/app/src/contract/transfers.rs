//! Files on their way into the vault, and ending one, on the wire.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How far a file has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TransferPhase {
    /// Its provider is asked for it; no byte has come yet.
    Asking,
    Downloading,
    /// All its bytes are here: length, hash and content are looked at, and it is put into the vault, which can be a
    /// store over the network. From here on it can't be cancelled.
    Verifying,
    /// It is in the vault; the record is being told.
    Recording,
}

/// The transfers that this program makes now, the oldest first. Those of other desks are not seen.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TransfersView {
    pub transfers: Vec<TransferView>,
}

/// One file on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TransferView {
    /// The agent's action that it belongs to; null: the reconciler's.
    pub action_key: Option<String>,
    pub case_id: Option<String>,
    pub run_id: String,
    pub item: u32,
    pub provider_id: String,
    pub phase: TransferPhase,
    pub received_bytes: u64,
    /// Null where nobody has said how long the file is.
    pub total_bytes: Option<u64>,
    #[ts(type = "string")]
    pub started_at: Timestamp,
    /// Over the last ten seconds; null until that can be told.
    pub bytes_per_second: Option<u64>,
    /// At that rate; null where length or rate is not known.
    pub seconds_left: Option<u64>,
    /// Whether it can still be cancelled.
    pub can_cancel: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CancelTransferRequest {
    pub run_id: String,
    pub item: u32,
}

/// What became of the wish to end a transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CancelTransferResult {
    /// It has ended, its lease is given back, and nothing of the file is left.
    pub cancelled: bool,
    /// Why it was not ended, for people.
    pub why: Option<String>,
}
