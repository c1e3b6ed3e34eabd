//! The file of an output on the wire, seen from both sides, and where on the canvas it lies.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::queue::Tone;

/// A file, as a case knows it: an output's, or our own copy of an item of which nobody has an output yet.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PreviewRequest {
    pub case_id: String,
    /// An output, or what [`CanvasItem::saved`] gave.
    pub output_id: String,
}

/// A file: what the provider promised, what the record says, what lies in the vault.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PreviewView {
    pub output_id: String,
    pub run_id: String,
    pub item: u32,
    /// `stored`, `damaged`, `held`; `saved`: it is our own copy, and nobody's output.
    pub state: String,
    pub tone: Tone,
    /// `Spring lookbook / Shot 4`; of a copy, the place that it has not come to.
    pub place: String,
    /// When it was stored, or our copy was made.
    #[ts(type = "string")]
    pub stored_at: Timestamp,
    /// Bytes as the record tells them.
    pub bytes: u64,
    /// SHA-256 in hex as the record tells it; null where the platform stored the file and told none.
    pub sha256: Option<String>,
    /// Null where no copy of ours can be read; `why_not` says why.
    pub kept: Option<KeptFile>,
    pub why_not: Option<String>,
    /// Null where no provider told of a file for this item.
    pub promised: Option<PromisedFile>,
    /// Null where nobody brought it through Makegood.
    pub brought: Option<BroughtBy>,
}

/// What another program was asked to open: a copy of a file, or a list of one entry with a link to it that soon ends.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OpenedOutside {
    /// It cannot be written, and is deleted when this program ends.
    pub path: String,
}

/// What can be shown of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PreviewKind {
    Video,
    Audio,
    Image,
    /// A type that the window does not show.
    Other,
}

/// The copy in the vault, read again for this answer.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct KeptFile {
    /// Hashed from what lies there, not from its name.
    pub sha256: String,
    pub bytes: u64,
    /// By content: `video/mp4`.
    pub media_type: String,
    pub kind: PreviewKind,
    /// Hash and length are those of the record.
    pub intact: bool,
    #[ts(type = "string")]
    pub checked_at: Timestamp,
    /// What it says of itself; null where it was not looked into, or does not tell.
    pub media: Option<MediaView>,
    /// Short enough to be played in the window.
    pub fits: bool,
    /// Bytes up to which a file is shown in the window.
    pub limit_bytes: u64,
}

/// What a media file says of itself, as it was found by looking into it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MediaView {
    /// How long it plays, in milliseconds; null for a picture that does not move, and where the file does not tell.
    pub duration_ms: Option<u64>,
    pub picture: Option<PictureView>,
    pub sound: Option<SoundView>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PictureView {
    /// In pixels, as stored.
    pub width: u32,
    pub height: u32,
    /// `h264`; empty where the file has no word for it.
    pub codec: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SoundView {
    pub codec: String,
    pub channels: u32,
    /// Samples in a second, of each channel.
    pub sample_rate: u32,
}

/// A file as its provider told of it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PromisedFile {
    pub provider_id: String,
    pub provider_name: String,
    pub job_id: String,
    /// Null: not told.
    pub bytes: Option<u64>,
    /// First characters in hex; empty: not told.
    pub sha256_prefix: String,
    /// What was told agrees with the copy in the vault; null where nothing was told, or nothing is kept.
    pub agrees: Option<bool>,
    /// When the provider was asked; null: as the platform told it.
    #[ts(type = "string | null")]
    pub told_at: Option<Timestamp>,
}

/// Who brought a file, and read it back.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BroughtBy {
    /// Id of the person.
    pub by: String,
    #[ts(type = "string")]
    pub at: Timestamp,
    /// Of the action.
    pub key: String,
}

/// A node of the canvas that a matched run was to fill.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CanvasNode {
    pub run_id: String,
    pub node_id: String,
    pub label: String,
    pub project_id: String,
    pub project: String,
    /// The node or its project was deleted.
    pub deleted: bool,
    pub items: Vec<CanvasItem>,
}

/// One requested output, and what is to be seen of it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CanvasItem {
    pub item: u32,
    /// Our own copy of its file, to be previewed, where nothing of it is stored that can be.
    pub saved: Option<String>,
    pub now: CanvasState,
    /// What an act makes of it; null where it changes nothing, and outside a review.
    pub after: Option<CanvasState>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CanvasState {
    /// `nothing`, `on the node`, `in the history only`, `320 credits back`.
    pub text: String,
    pub tone: Tone,
    /// The output that lies there, or will.
    pub output_id: Option<String>,
    /// It is one whose file may be in the vault: a preview can be asked for.
    pub previewable: bool,
}
