//! What can be said of a media file by looking into it: what an agent sees beside the preview.

use serde::{Deserialize, Serialize};

/// What a file says of itself. Nothing here is decoded, and nothing of it decides anything: that the file is whole is
/// another question, which was answered before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaFacts {
    /// By structure, not by what was declared: `video/mp4`.
    pub media_type: String,
    /// How long it plays, in milliseconds; `None` for a picture that does not move, and where the file does not tell.
    pub duration_ms: Option<u64>,
    pub picture: Option<PictureFacts>,
    pub sound: Option<SoundFacts>,
}

/// The first moving picture of a file, or the picture itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureFacts {
    /// In pixels, as stored: a player may turn or stretch it.
    pub width: u32,
    pub height: u32,
    /// `h264`, `vp9`; the file's own word where that is not known here, empty where it has none.
    pub codec: String,
}

/// The first sound track of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundFacts {
    pub codec: String,
    pub channels: u32,
    /// Samples in a second, of each channel.
    pub sample_rate: u32,
}

impl MediaFacts {
    /// Facts of which only the kind of the file is known.
    #[must_use]
    pub fn of(media_type: &str) -> Self {
        Self { media_type: media_type.to_owned(), ..Self::default() }
    }
}
