//! What a document of a provider says, read without asking anybody: an answer kept in a ticket, a
//! webhook's body, a list. The same maps read it that read live answers, so that what is explained
//! here is what the reconciler would make of it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::ports::ListedJob;
use makegood_domain::work::JobState;
use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::protocol::Facts;
use super::reading::{Asset, Cause, Piece, Pieces, Reading, moment_in};
use super::table::{self, Retention, Row};
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
    /// When the job ended, where the document tells.
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
        Self { asset: Some(state), outputs, ..Self::of(facts, Word::AssetInfo) }
    }

    /// The same as of an instant, by what the vendor states (`row`): addresses end, and files do. What the document
    /// says of the job stays as it is. A file that is in the document itself does not end.
    #[must_use]
    pub fn as_of(self, now: Timestamp, row: Option<&Row>) -> Self {
        if self.asset != Some(AssetState::Available) || self.outputs.is_empty() {
            return self;
        }
        let life = row.and_then(|row| row.address.as_ref());
        let kept = row.and_then(|row| row.retention.as_ref()).and_then(Retention::minutes);
        let after =
            |minutes: Option<u32>| self.finished_at?.checked_add(SignedDuration::from_mins(i64::from(minutes?))).ok();
        let is_past = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        let addresses_end = after(life.and_then(|life| life.minutes));
        let end =
            |output: &Output| output.expires_at.or_else(|| signed_until(output.url.as_deref()?)).or(addresses_end);
        let over = self.outputs.iter().filter(|output| is_past(end(output))).count();
        if is_past(after(kept)) {
            return Self { asset: Some(AssetState::Gone), ..self }.noting("the vendor keeps files for a shorter time");
        }
        match (over, life.is_some_and(|life| life.renewed)) {
            (0, _) => self,
            (over, _) if over < self.outputs.len() => self.noting(format!("{over} of the addresses are over")),
            (_, true) => Self { asset: Some(AssetState::StaleUrl), ..self }
                .noting("the address is over, and asking for the job again gives a fresh one"),
            (_, false) => Self { asset: Some(AssetState::Gone), ..self }
                .noting("the address is over, and no fresh one is promised"),
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

/// Until when an address is signed, in the usual ways: a date and seconds of S3 and its like, an instant of a CDN, of
/// Azure, or in a token. It tells nothing of the file behind it.
fn signed_until(url: &str) -> Option<Timestamp> {
    let url = Url::parse(url).ok().filter(|url| url.scheme() == "https")?;
    let value = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let dated = ["Amz", "Goog", "Tos"].into_iter().find_map(|vendor| {
        let from: Timestamp = value(&format!("X-{vendor}-Date"))?.parse().ok()?;
        let seconds: u32 = value(&format!("X-{vendor}-Expires"))?.parse().ok()?;
        from.checked_add(SignedDuration::from_secs(i64::from(seconds))).ok()
    });
    let token = || {
        let token = value("_jwt")?;
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
        moment_in(&serde_json::from_slice::<Value>(&claims).ok()?["exp"])
    };
    let instant = || value("Expires").or_else(|| value("se")).and_then(|until| moment_in(&Value::String(until)));
    dated.or_else(instant).or_else(token)
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
    use serde_json::json;

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

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    /// What a document of an adapter says as of an instant, by the rows that come with the program.
    fn asset_at(adapter: &str, body: &Value, now: &str) -> Option<AssetState> {
        let table = crate::providers::Table::built_in().expect("the table");
        let bytes = body.to_string().into_bytes();
        let document = Document { origin: Origin::Answer, status: 200, body: &bytes };
        let explained = crate::providers::protocol(adapter).expect("an adapter").explain(&document);
        let word = explained.word;
        let later = explained.as_of(at(now), table.row(adapter));
        assert_eq!(later.word, word, "what the job came to stays");
        later.asset
    }

    #[test]
    fn addresses_end_as_their_vendors_state() {
        use AssetState::{Available, Gone, Inline, StaleUrl};
        let signed = "https://c.example/a.mp4?X-Tos-Date=20260301T080000Z&X-Tos-Expires=3600";
        let runway = |query: &str| {
            let url = format!("https://dnznrvs05pmza.cloudfront.net/a.mp4{query}");
            json!({"id": "t", "status": "SUCCEEDED", "output": [url]})
        };
        // {"exp":1772355600}: 09:00
        let token = "?_jwt=e30.eyJleHAiOjE3NzIzNTU2MDB9.sig";
        let replicate = |output: &str| json!({"id": "p", "status": "succeeded", "output": output, "completed_at": "2026-03-01T08:00:00Z"});
        let file = replicate("https://replicate.delivery/a/b.mp4");
        let minimax = |query: &str| {
            let content = json!({"url": format!("https://c.example/a.mp4{query}")});
            json!({"task": {"id": "1", "status": "succeeded", "content": content, "updated_at": 1_772_352_000}})
        };
        let bfl =
            json!({"id": "b", "status": "Ready", "result": {"sample": "https://x.bfl.ai/a?se=2026-03-01T08:10:00Z"}});
        let seedance = json!({"id": "s", "status": "succeeded", "content": {"video_url": signed}});
        for (adapter, body, now, want) in [
            // Signed anew at each question: stale, and not gone.
            ("runway", runway(token), "2026-03-01T08:59:59Z", Available),
            ("runway", runway(token), "2026-03-01T09:00:00Z", StaleUrl),
            ("runway", runway(""), "2030-01-01T00:00:00Z", Available),
            ("runway", runway("?_jwt=eyJ.expires.sig"), "2030-01-01T00:00:00Z", Available),
            ("minimax_v2", minimax("?Expires=1772355600"), "2026-03-01T08:59:59Z", Available),
            ("minimax_v2", minimax("?Expires=1772355600"), "2026-03-01T09:00:00Z", StaleUrl),
            // Its record ends after a week, and with it whatever could sign anew.
            ("minimax_v2", minimax("?Expires=1772355600"), "2026-03-08T08:00:00Z", Gone),
            // The address is as old as the file.
            ("replicate", file.clone(), "2026-03-01T08:59:59Z", Available),
            ("replicate", file, "2026-03-01T09:00:00Z", Gone),
            ("replicate", replicate("data:image/png;base64,AAAA"), "2030-01-01T00:00:00Z", Inline),
            ("bfl", bfl.clone(), "2026-03-01T08:09:59Z", Available),
            ("bfl", bfl, "2026-03-01T08:10:00Z", Gone),
            ("seedance", seedance.clone(), "2026-03-01T08:59:59Z", Available),
            ("seedance", seedance, "2026-03-01T09:00:00Z", Gone),
        ] {
            assert_eq!(asset_at(adapter, &body, now), Some(want), "{adapter} at {now}: {body}");
        }
        let running = json!({"id": "t", "status": "RUNNING"});
        assert_eq!(asset_at("runway", &running, "2030-01-01T00:00:00Z"), None);
    }

    #[test]
    fn a_life_in_minutes_counts_from_the_end_of_the_job() {
        let table = |minutes: &str| {
            let row = format!(
                "[[provider]]\nadapter = 'replicate'\n[provider.retention]\nsource = 's'\nseen = 2026-03-01\n\
                [provider.address]\n{minutes}\nsource = 's'\nseen = 2026-03-01\n"
            );
            crate::providers::Table::default().overruled_by(&row).expect("a row")
        };
        let facts = crate::providers::protocol("replicate").expect("an adapter").facts();
        let told = |urls: &[&str], finished: Option<&str>, table: &crate::providers::Table| {
            let files = urls.iter().map(|url| Asset { url: (*url).to_owned(), ..Asset::default() }).collect();
            let reading = Reading { finished_at: finished.map(at), ..Reading::with_files(files) };
            Explained::job(facts, reading).as_of(at("2026-03-01T10:00:00Z"), table.row("replicate"))
        };
        let (plain, signed) = ("https://c.example/a", "https://c.example/b?Expires=1772355600");
        let done = Some("2026-03-01T08:00:00Z");
        for (urls, finished, row, want) in [
            (&[plain][..], done, "minutes = 120\nrenewed = true", AssetState::StaleUrl),
            (&[plain], done, "minutes = 120\nrenewed = false", AssetState::Gone),
            (&[plain], done, "minutes = 121\nrenewed = false", AssetState::Available),
            (&[plain], done, "renewed = true", AssetState::Available),
            (&[plain], None, "minutes = 1\nrenewed = true", AssetState::Available),
            (&[signed], None, "renewed = true", AssetState::StaleUrl),
            (&[plain, signed], None, "renewed = true", AssetState::Available),
        ] {
            assert_eq!(told(urls, finished, &table(row)).asset, Some(want), "{urls:?} {finished:?} {row}");
        }
        assert_eq!(told(&[plain, signed], None, &table("renewed = true")).notes, ["1 of the addresses are over"]);
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
