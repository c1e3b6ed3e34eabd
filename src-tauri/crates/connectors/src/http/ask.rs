//! A question, and what may go along with it.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::HeaderValue;
use url::Url;

use super::inline::Files;

/// A question. A GET, or a POST that only reads: nothing here changes anything at a provider, so
/// that every question may be asked again.
#[derive(Clone, Debug)]
pub struct Ask {
    pub(super) url: Url,
    /// The key goes along, to whom it may.
    pub(super) with_key: bool,
    pub(super) posted: Option<Posted>,
    /// The part that is wanted, as the header says it.
    pub(super) range: Option<String>,
    /// The version that the part must be of.
    pub(super) if_range: Option<HeaderValue>,
    /// Of an answer that holds files.
    pub(super) files: Option<Files>,
    /// Reads a wanted wait out of a refusal's body, where a provider says it there.
    pub(super) delay_in: fn(&[u8]) -> Option<Duration>,
    /// Asked a single time, whatever comes: somebody waits for the answer.
    pub(super) once: bool,
}

/// Which version of a file an answer was about: its strong `ETag` (RFC 9110, 8.8.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(pub(super) HeaderValue);

/// The body of a question that is asked by POST.
#[derive(Clone, Debug)]
pub(super) struct Posted {
    pub(super) media_type: &'static str,
    pub(super) body: Bytes,
}

impl Ask {
    #[must_use]
    pub fn new(url: Url, with_key: bool) -> Self {
        Self { url, with_key, posted: None, range: None, if_range: None, files: None, delay_in: |_| None, once: false }
    }

    /// The same question, asked by POST with this body. Only for what changes nothing: it is asked
    /// again as a GET is. No redirect is followed: nobody else is meant to get the body.
    #[must_use]
    pub fn posting(self, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { posted: Some(Posted { media_type, body: body.into() }), ..self }
    }

    /// The same, for an answer of up to so many bytes beside the client's limit, because files come inside it. They
    /// are taken out of it, and kept only where they are wanted.
    #[must_use]
    pub fn holding_files(self, longest: u64, are_wanted: bool) -> Self {
        Self { files: Some(Files { longest, are_wanted }), ..self }
    }

    /// The same, for a provider that says in a refusal's body how long to wait.
    #[must_use]
    pub fn delayed_by(self, delay_in: fn(&[u8]) -> Option<Duration>) -> Self {
        Self { delay_in, ..self }
    }

    /// The same, asked a single time: for somebody who waits for the answer.
    #[must_use]
    pub fn once(self) -> Self {
        Self { once: true, ..self }
    }

    /// The same, for so many of a file's last bytes, or all of a shorter one.
    #[must_use]
    pub fn last(self, bytes: u64) -> Self {
        Self { range: Some(format!("bytes=-{bytes}")), ..self }
    }

    /// The same, for these bytes of a file, of this version where there is one.
    #[must_use]
    pub fn between(self, range: &Range<u64>, version: Option<&Version>) -> Self {
        let (first, last) = (range.start, range.end.saturating_sub(1));
        let if_range = version.map(|version| version.0.clone());
        Self { range: Some(format!("bytes={first}-{last}")), if_range, ..self }
    }

    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }
}
