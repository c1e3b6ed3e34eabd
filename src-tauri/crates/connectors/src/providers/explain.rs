//! What a document of a provider says, read without asking anybody: an answer kept in a ticket, a
//! webhook's body, a list. The same maps read it that read live answers, so that what is explained
//! here is what the reconciler would make of it.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ports::ListedJob;
use makegood_domain::work::JobState;
use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::kind::FileKind;
use super::protocol::{Facts, Protocol};
use super::reading::{Asset, Cause, Piece, Pieces, Reading};
use super::signature::{says_that_it_is_over, signed_until};
use super::stability::map::media_type_of;
use super::table::{self, Row};
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
    pub kind: FileKind,
    /// From 1, in the order of the run's items.
    pub item: u32,
    /// Until when the file can be fetched: by this address, or by a fresh one where the vendor gives such to whoever
    /// asks again. So it is the end of the file where that is known and addresses are renewed; where they are not, the
    /// end of the file or of the address, whichever comes first; and the end of the address where nothing else is known.
    /// Null where nothing tells. What the document states goes before the vendor's statement in general; see
    /// [`Explained::as_of`].
    pub expires_at: Option<Timestamp>,
    /// Until when the address is good.
    #[serde(skip)]
    address_until: Option<Timestamp>,
    /// Until when the file is kept.
    #[serde(skip)]
    file_until: Option<Timestamp>,
}

/// Explains a document as far as nobody has to be asked: by its protocol, by what the vendor states (`row`), and as of
/// an instant where one is given.
#[must_use]
pub fn explain(
    protocol: &dyn Protocol,
    document: &Document<'_>,
    now: Option<Timestamp>,
    row: Option<&Row>,
) -> Explained {
    if let Some(words) = says_that_it_is_over(document.status, document.body) {
        return Explained::over(protocol.facts(), words, row);
    }
    let explained = match now {
        Some(now) => protocol.explain_at(document, now),
        None => protocol.explain(document),
    };
    if explained.word == Word::Unknown
        && (200..300).contains(&document.status)
        && let Some(media_type) = media_type_of(document.body)
    {
        return Explained::bytes(protocol.facts(), media_type);
    }
    explained.as_of(now, row)
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
    /// When the job ended, or the file was made, where the document tells.
    #[serde(skip)]
    pub finished_at: Option<Timestamp>,
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
            finished_at: None,
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
        if reading.cause == Some(Cause::Wordless) {
            notes.push("it came without the provider's own words, and may be of anybody in between".to_owned());
        }
        if reading.state == JobState::Filtered {
            notes.push("a safety filter withheld it".to_owned());
        }
        if let Pieces::Listed(pieces) = &reading.pieces {
            let withheld = pieces.iter().filter(|piece| **piece == Piece::Filtered).count();
            if withheld > 0 && reading.state != JobState::Filtered {
                notes.push(format!("a safety filter withheld {withheld} of {}", pieces.len()));
            }
        }
        let finished_at = reading.finished_at.filter(|_| is_over);
        Self { asset, terminal: is_over, finished_at, outputs, error: reading.error, notes, ..Self::of(facts, word) }
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
        Self { asset: Some(state), finished_at: asset.finished_at, outputs, ..Self::of(facts, Word::AssetInfo) }
    }

    /// The file itself, as the addresses of files answer.
    fn bytes(facts: &Facts, media_type: &str) -> Self {
        let file = Asset { url: format!("data:{media_type};base64,"), ..Asset::default() };
        Self::file(facts, &file).noting(format!("the document is the file itself, {media_type} by its first bytes"))
    }

    /// A store's refusal of an address whose signature is over: about a file, and no word of the provider's about a job.
    fn over(facts: &Facts, words: String, row: Option<&Row>) -> Self {
        let known = Self { error: Some(words), ..Self::of(facts, Word::AssetInfo) };
        match is_renewed(row) {
            true => Self { asset: Some(AssetState::StaleUrl), ..known }
                .noting("the address is over, and asking for the job again gives a fresh one"),
            false => known.noting("the address is over, and no fresh one is promised; of the file nothing is told"),
        }
    }

    /// The same with the ends of its files, by what the vendor states (`row`), and as of an instant: addresses end,
    /// and files do. Without one it is as of the last instant that the document itself tells. What the document says of
    /// the job stays as it is. A file that is in the document itself does not end.
    #[must_use]
    pub fn as_of(self, now: Option<Timestamp>, row: Option<&Row>) -> Self {
        if self.asset != Some(AssetState::Available) || self.outputs.is_empty() {
            return self;
        }
        let dated = self.dated(row);
        let Some(now) = now.or(dated.finished_at) else { return dated.noting_sooner_ends() };
        let over = |end: fn(&Output) -> Option<Timestamp>| {
            dated.outputs.iter().filter(|output| end(output).is_some_and(|at| at <= now)).count()
        };
        let all = dated.outputs.len();
        if over(|output| output.file_until) == all {
            return Self { asset: Some(AssetState::Gone), ..dated }.noting("the file is kept for a shorter time");
        }
        match (over(|output| output.address_until), is_renewed(row)) {
            (0, _) => dated.noting_sooner_ends(),
            (over, _) if over < all => dated.noting(format!("{over} of the addresses are over")),
            (_, true) => Self { asset: Some(AssetState::StaleUrl), ..dated }
                .noting("the address is over, and asking for the job again gives a fresh one"),
            (_, false) => Self { asset: Some(AssetState::Gone), ..dated }
                .noting("the address is over, and no fresh one is promised"),
        }
    }

    /// The same with the ends of its files: as the document or the address states them, else counted from the job's end.
    fn dated(mut self, row: Option<&Row>) -> Self {
        let after_end =
            |minutes: Option<u32>| self.finished_at?.checked_add(SignedDuration::from_mins(i64::from(minutes?))).ok();
        let kept = after_end(row.and_then(|row| row.retention.as_ref()?.minutes()));
        let good = after_end(row.and_then(|row| row.address.as_ref()?.minutes));
        for output in self.outputs.iter_mut().filter(|output| output.url.is_some()) {
            // What is stated of all files gives way to what the document says of this one.
            output.address_until = output.address_until.or(good.filter(|_| output.file_until.is_none()));
            output.file_until = output.file_until.or(kept);
            let (address, file) = (output.address_until, output.file_until);
            output.expires_at = match is_renewed(row) {
                true => file.or(address),
                false => [file, address].into_iter().flatten().min(),
            };
        }
        self
    }

    /// The same with the end of an address that comes before its file's.
    fn noting_sooner_ends(self) -> Self {
        let sooner = |output: &Output| output.address_until.filter(|at| output.expires_at.is_some_and(|end| *at < end));
        match self.outputs.iter().filter_map(sooner).min() {
            Some(at) => self.noting(format!("the address is good until {at}, and asking again gives a fresh one")),
            None => self,
        }
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
        (JobState::NotFound, _) | (JobState::LookupFailed, Some(Cause::Wordless)) => facts.not_found,
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
    let signed = signed_until(&asset.url);
    // The type that bytes in the document come with goes before whatever the field is called.
    let inline = FileKind::of_address(&asset.url).filter(|_| is_inline);
    let kind = inline.or(asset.kind).or_else(|| FileKind::of_address(&asset.url)).unwrap_or(FileKind::File);
    Output {
        url: (!is_inline && !asset.url.is_empty()).then(|| asset.url.clone()),
        kind,
        item,
        expires_at: [asset.available_until, signed].into_iter().flatten().min(),
        address_until: signed,
        file_until: asset.available_until,
    }
}

/// Whether asking again gives a fresh address.
fn is_renewed(row: Option<&Row>) -> bool {
    row.and_then(|row| row.address.as_ref()).is_some_and(|life| life.renewed)
}

/// Whether a text is the address of a file at the provider's own hosts.
#[must_use]
pub fn is_file_of(facts: &Facts, text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let host = url.host_str().unwrap_or_default();
    url.scheme() == "https" && table::file_hosts(facts.adapter).iter().any(|suffix| is_below(host, suffix))
}

#[cfg(test)]
mod tests;
