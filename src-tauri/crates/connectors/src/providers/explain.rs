//! What a document of a provider says, read without asking anybody: an answer kept in a ticket, a
//! webhook's body, a list. The same maps read it that read live answers, so that what is explained
//! here is what the reconciler would make of it.

use jiff::Timestamp;
use makegood_domain::ports::ListedJob;
use makegood_domain::work::JobState;
use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::protocol::Facts;
use super::reading::{Asset, Cause, Piece, Pieces, Reading};
use super::table;
use crate::http::is_below;

/// Where a document comes from. A hint: the document's own shape has the last word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    #[default]
    Answer,
    Webhook,
    List,
}

/// A document of a provider.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    pub origin: Origin,
    /// The HTTP status it came with; 200 for what was delivered to us.
    pub status: u16,
    pub body: &'a [u8],
}

impl Document<'_> {
    /// The body as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(self.body).unwrap_or_default()
    }
}

/// What a document says, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    /// The job succeeded, and its files are gone.
    Expired,
    /// Not found: it may have aged out, or never have been.
    ExpiredOrUnknown,
    /// A file is gone, or belongs to another key; nobody tells which.
    ExpiredOrWrongKey,
    CancelledOrUnknown,
    UnknownJob,
    /// The document is not understood.
    Unknown,
    AuthError,
    RateLimited,
    Retryable,
    /// Either passing, or the job's end; only asking again tells.
    RetryableOrFailed,
    /// The question itself was refused, and will be again.
    Permanent,
    /// The provider's service for these jobs is no more.
    ProviderRetired,
    List,
    Billing,
    /// About a file, and not about a job.
    AssetInfo,
    /// About neither.
    #[serde(rename = "n/a")]
    NotAJob,
}

/// What became of a job's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AssetState {
    Available,
    /// The address is over; asking again gives a fresh one.
    StaleUrl,
    Gone,
    /// The bytes are in the document itself.
    Inline,
    /// There is no file, and never was one to have later.
    Never,
}

/// A file that a document names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Output {
    /// Null where the bytes are in the document.
    pub url: Option<String>,
    /// `video`, `image`, `audio` or `file`.
    pub kind: &'static str,
    /// From 1, in the order of the run's items.
    pub item: u32,
    pub expires_at: Option<Timestamp>,
}

/// What a document says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained {
    pub provider: &'static str,
    #[serde(rename = "state")]
    pub word: Word,
    /// Null where the document says nothing about files.
    pub asset: Option<AssetState>,
    /// Whether the job has ended.
    pub terminal: bool,
    /// Whether the same question may be answered otherwise later.
    pub retryable: bool,
    pub outputs: Vec<Output>,
    pub error: Option<String>,
    pub notes: Vec<String>,
    /// Of a list: its jobs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<ListedJob>,
}

impl Explained {
    /// A document that says only this.
    #[must_use]
    pub fn of(facts: &Facts, word: Word) -> Self {
        Self {
            provider: facts.adapter,
            word,
            asset: None,
            terminal: false,
            retryable: matches!(word, Word::RateLimited | Word::Retryable | Word::RetryableOrFailed),
            outputs: Vec::new(),
            error: None,
            notes: Vec::new(),
            jobs: Vec::new(),
        }
    }

    /// A document about one job.
    #[must_use]
    pub fn job(facts: &Facts, reading: Reading) -> Self {
        let word = word_of(facts, &reading);
        let (asset, outputs) = files(&reading);
        let is_over =
            matches!(reading.state, JobState::Succeeded | JobState::Failed | JobState::Filtered | JobState::Cancelled);
        let mut notes = Vec::new();
        if reading.state == JobState::Filtered {
            notes.push("a safety filter withheld it".to_owned());
        }
        if let Pieces::Listed(pieces) = &reading.pieces {
            let withheld = pieces.iter().filter(|piece| **piece == Piece::Filtered).count();
            if withheld > 0 && reading.state != JobState::Filtered {
                notes.push(format!("a safety filter withheld {withheld} of {}", pieces.len()));
            }
        }
        Self { asset, terminal: is_over, outputs, error: reading.error, notes, ..Self::of(facts, word) }
    }

    /// A list of jobs.
    #[must_use]
    pub fn list(facts: &Facts, jobs: Vec<ListedJob>) -> Self {
        Self { jobs, ..Self::of(facts, Word::List) }
    }

    /// About a file that stands by itself.
    #[must_use]
    pub fn file(facts: &Facts, asset: &Asset) -> Self {
        let state = state_of(asset);
        let outputs = vec![output(1, asset)];
        Self { asset: Some(state), outputs, ..Self::of(facts, Word::AssetInfo) }
    }

    /// The same, with a remark.
    #[must_use]
    pub fn noting(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

fn word_of(facts: &Facts, reading: &Reading) -> Word {
    match (reading.state, reading.cause) {
        (_, Some(Cause::Retired)) => Word::ProviderRetired,
        (JobState::Queued, _) => Word::Queued,
        (JobState::Processing, _) => Word::Running,
        (JobState::Succeeded, _) if reading.pieces == Pieces::Gone => Word::Expired,
        (JobState::Succeeded, _) => Word::Succeeded,
        (JobState::Failed | JobState::Filtered, _) => Word::Failed,
        (JobState::Cancelled, _) => Word::Cancelled,
        (JobState::NotFound, _) => facts.not_found,
        (JobState::Unrecognised, _) => Word::Unknown,
        (JobState::LookupFailed, Some(Cause::KeyRefused)) => Word::AuthError,
        (JobState::LookupFailed, Some(Cause::TooOften)) => Word::RateLimited,
        (JobState::LookupFailed, Some(Cause::Refused)) => Word::Permanent,
        (JobState::LookupFailed, Some(Cause::PassingOrFailed)) => Word::RetryableOrFailed,
        (JobState::LookupFailed, Some(Cause::GoneOrWrongKey)) => Word::ExpiredOrWrongKey,
        (JobState::LookupFailed, Some(Cause::Passing) | None) => Word::Retryable,
    }
}

fn files(reading: &Reading) -> (Option<AssetState>, Vec<Output>) {
    match (&reading.pieces, reading.state) {
        (Pieces::Gone, _) => (Some(AssetState::Gone), Vec::new()),
        (Pieces::Listed(pieces), _) => {
            let files = (1..).zip(pieces).filter_map(|(item, piece)| match piece {
                Piece::File(asset) => Some((item, asset)),
                Piece::Filtered | Piece::Missing => None,
            });
            let states = files.clone().map(|(_, asset)| state_of(asset));
            let state = states.reduce(|one, other| if one == AssetState::Available { one } else { other });
            (Some(state.unwrap_or(AssetState::Never)), files.map(|(item, asset)| output(item, asset)).collect())
        }
        (Pieces::Unlisted, JobState::Failed | JobState::Filtered | JobState::Cancelled) => {
            (Some(AssetState::Never), Vec::new())
        }
        (Pieces::Unlisted, _) => (None, Vec::new()),
    }
}

fn state_of(asset: &Asset) -> AssetState {
    match asset.exists_now {
        Some(false) => AssetState::Gone,
        _ if asset.url.starts_with("data:") => AssetState::Inline,
        // It must be asked for, at an address that is made from the job's.
        _ => AssetState::Available,
    }
}

fn output(item: u32, asset: &Asset) -> Output {
    let is_inline = asset.url.starts_with("data:");
    Output {
        url: (!is_inline && !asset.url.is_empty()).then(|| asset.url.clone()),
        kind: kind_of(&asset.url),
        item,
        expires_at: asset.available_until,
    }
}

/// What kind of file an address is of, by its ending or its media type.
#[must_use]
pub fn kind_of(url: &str) -> &'static str {
    if let Some(inline) = url.strip_prefix("data:") {
        return match inline.split('/').next() {
            Some("video") => "video",
            Some("image") => "image",
            Some("audio") => "audio",
            _ => "file",
        };
    }
    let path = Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.path().to_owned());
    let ending = path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, ending)| ending);
    match ending.unwrap_or_default().to_ascii_lowercase().as_str() {
        "mp4" | "webm" | "mov" | "mkv" | "m4v" => "video",
        "png" | "jpg" | "jpeg" | "webp" | "gif" | "avif" | "svg" => "image",
        "mp3" | "wav" | "flac" | "ogg" | "opus" | "m4a" | "aac" => "audio",
        _ => "file",
    }
}

/// Whether a text is the address of a file at the provider's own hosts.
#[must_use]
pub fn is_file_of(facts: &Facts, text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let host = url.host_str().unwrap_or_default();
    url.scheme() == "https" && table::file_hosts(facts.adapter).iter().any(|suffix| is_below(host, suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_off_addresses() {
        for (url, want) in [
            ("https://c.example/a/b.MP4?sig=x.png", "video"),
            ("https://c.example/a/b.webp#x", "image"),
            ("https://c.example/a.b/c", "file"),
            ("https://c.example/files/f1:download?alt=media", "file"),
            ("data:audio/mpeg;base64,AAAA", "audio"),
            ("data:;base64,AAAA", "file"),
            ("", "file"),
        ] {
            assert_eq!(kind_of(url), want, "{url}");
        }
    }

    #[test]
    fn words_are_those_of_the_vocabulary() {
        for (word, want) in [
            (Word::NotAJob, "n/a"),
            (Word::RetryableOrFailed, "retryable_or_failed"),
            (Word::ExpiredOrWrongKey, "expired_or_wrong_key"),
            (Word::AssetInfo, "asset_info"),
        ] {
            assert_eq!(serde_json::to_value(word).ok(), Some(Value::from(want)));
        }
    }
}
