//! Streams a file into a sink, and never takes a part of it for the whole: the length is checked,
//! a body that breaks off is continued only from the same version of the file (a strong `ETag`),
//! and bytes of two versions are never joined.

use std::time::Duration;

use makegood_domain::ports::{FileSink, VaultError};
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue};

use super::{Answer, Arrived, Ask, Http, HttpError};

/// Continuations of one file.
const RESUMES: u32 = 3;
/// Slower than this over the window is as good as stalled (N4).
const SLOWEST_BYTES_PER_SEC: u64 = 16 * 1024;
const WINDOW: Duration = Duration::from_secs(30);

/// What came.
#[derive(Debug)]
pub enum Downloaded {
    /// The whole file, as far as the provider says; `media_type` is what it declared.
    Whole { bytes: u64, media_type: Option<String> },
    /// Another answer than a file: 404, 403, 500 …
    Answer(Answer),
}

/// Why a file did not come.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Sink(#[from] VaultError),
}

/// How far a download is.
struct Progress {
    received: u64,
    total: Option<u64>,
    tag: Option<HeaderValue>,
    started: Duration,
    window: (Duration, u64),
}

impl Http {
    /// Fetches a file into `sink`.
    ///
    /// # Errors
    /// When it breaks off and can't be continued, is too slow, or the sink refuses it.
    pub async fn download(&self, ask: &Ask, sink: &mut dyn FileSink) -> Result<Downloaded, DownloadError> {
        let mut response = match self.patiently(ask, false).await? {
            Arrived::Open(response) => response,
            Arrived::Whole(answer) => return Ok(Downloaded::Answer(answer)),
        };
        let media_type = text(response.headers(), CONTENT_TYPE);
        let now = self.pace.elapsed();
        let mut progress = Progress {
            received: 0,
            total: length(&response)?,
            tag: strong_tag(response.headers()),
            started: now,
            window: (now, 0),
        };
        for _ in 0..=RESUMES {
            let Err(error) = self.stream(&mut response, &mut progress, sink).await? else {
                return Ok(Downloaded::Whole { bytes: progress.received, media_type });
            };
            let Some(tag) = progress.tag.clone() else { return Err(error.into()) };
            tracing::debug!(received = progress.received, "a file broke off, asking for the rest");
            let range = Some(format!("bytes={}-", progress.received));
            let rest = Ask { range, if_range: Some(tag.clone()), ..ask.clone() };
            response = match self.patiently(&rest, false).await? {
                Arrived::Open(next) if continues(&next, &progress, &tag) => next,
                _ => return Err(error.into()),
            };
        }
        Err(HttpError::Cut(format!("{} times in a row", RESUMES + 1)).into())
    }

    /// Streams what there is. The outer error ends the download, the inner one may be resumed.
    async fn stream(
        &self,
        response: &mut Response,
        progress: &mut Progress,
        sink: &mut dyn FileSink,
    ) -> Result<Result<(), HttpError>, DownloadError> {
        loop {
            let chunk = match self.chunk(response).await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => return Ok(progress.whole()),
                Err(error) => return Ok(Err(error)),
            };
            sink.write(&chunk).await?;
            progress.received += chunk.len() as u64;
            progress.keeps_up(self.pace.elapsed(), self.line.limits.file)?;
        }
    }
}

impl Progress {
    fn whole(&self) -> Result<(), HttpError> {
        match self.total {
            Some(total) if total != self.received => {
                Err(HttpError::Cut(format!("{} of {total} bytes came", self.received)))
            }
            _ => Ok(()),
        }
    }

    fn keeps_up(&mut self, now: Duration, whole: Duration) -> Result<(), HttpError> {
        if now.saturating_sub(self.started) > whole {
            return Err(HttpError::Cut(format!("the file was not here after {} s", whole.as_secs())));
        }
        let (since, before) = self.window;
        let passed = now.saturating_sub(since);
        if passed >= WINDOW {
            if (self.received - before) < SLOWEST_BYTES_PER_SEC * passed.as_secs() {
                return Err(HttpError::Cut(format!("less than {SLOWEST_BYTES_PER_SEC} bytes came in a second")));
            }
            self.window = (now, self.received);
        }
        Ok(())
    }
}

/// The length that is promised, and whether the body is the file itself.
fn length(response: &Response) -> Result<Option<u64>, HttpError> {
    let headers = response.headers();
    if let Some(coding) = text(headers, CONTENT_ENCODING).filter(|c| c != "identity") {
        return Err(HttpError::Cut(format!("the file came packed ({coding}), which was not asked for")));
    }
    if response.status().as_u16() != 200 {
        return Err(HttpError::Cut(format!("the whole file was asked for, and {} answered", response.status())));
    }
    Ok(text(headers, CONTENT_LENGTH).and_then(|n| n.parse().ok()))
}

/// Whether an answer goes on exactly where the file broke off, in the same version.
fn continues(response: &Response, progress: &Progress, tag: &HeaderValue) -> bool {
    let headers = response.headers();
    let range = text(headers, CONTENT_RANGE).and_then(|r| content_range(&r));
    response.status().as_u16() == 206
        && headers.get(ETAG) == Some(tag)
        && range.is_some_and(|(first, total)| {
            first == progress.received && (total.is_none() || progress.total.is_none() || total == progress.total)
        })
}

/// First byte and whole length of `bytes 5-9/10`; the length may be `*`.
pub(super) fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let total = if total == "*" { None } else { Some(total.parse::<u64>().ok()?) };
    (first <= last && total.is_none_or(|t| last < t)).then_some((first, total))
}

/// The answer's strong tag; a weak one says nothing about bytes.
fn strong_tag(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\"")).cloned()
}

fn text(headers: &HeaderMap, name: reqwest::header::HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.trim().to_ascii_lowercase())
}

impl Answer {
    /// The length of the file that this answers about: of `Content-Range` for a part, else of
    /// `Content-Length`; 0 where neither tells.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        match self.status {
            206 => text(&self.headers, CONTENT_RANGE).and_then(|r| content_range(&r)?.1).unwrap_or(0),
            _ => text(&self.headers, CONTENT_LENGTH).and_then(|n| n.parse().ok()).unwrap_or(0),
        }
    }

    /// The declared media type, without parameters.
    #[must_use]
    pub fn media_type(&self) -> Option<String> {
        let declared = text(&self.headers, CONTENT_TYPE)?;
        declared.split(';').next().map(|t| t.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_strictly() {
        for (text, want) in [
            ("bytes 5-9/10", Some((5, Some(10)))),
            ("bytes 0-0/7", Some((0, Some(7)))),
            ("bytes 5-9/*", Some((5, None))),
            ("bytes 5-9/9", None),
            ("bytes 9-5/10", None),
            ("bytes */10", None),
            ("items 5-9/10", None),
            ("", None),
        ] {
            assert_eq!(content_range(text), want, "{text}");
        }
    }

    #[test]
    fn drips_and_marathons_are_ended() {
        let secs = Duration::from_secs;
        let fresh = |received| Progress { received, total: None, tag: None, started: secs(0), window: (secs(0), 0) };
        let limit = secs(900);
        assert!(fresh(1).keeps_up(secs(29), limit).is_ok());
        assert!(fresh(1).keeps_up(secs(30), limit).is_err());
        assert!(fresh(30 * SLOWEST_BYTES_PER_SEC).keeps_up(secs(30), limit).is_ok());
        assert!(fresh(u64::MAX / 2).keeps_up(secs(901), limit).is_err());
    }
}
