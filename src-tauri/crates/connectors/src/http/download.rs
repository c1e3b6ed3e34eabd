//! Streams a file into a sink, and never takes a part of it for the whole: the length is checked,
//! a body that breaks off is continued only from the same version of the file (a strong `ETag`),
//! and bytes of two versions are never joined. What the sink holds of an earlier attempt is continued in the same way;
//! whatever cannot be continued is begun again.

use std::ops::Range;
use std::time::Duration;

use makegood_domain::ports::{FileSink, Held, Start, VaultError};
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue};

use super::speed::Speed;
use super::{Answer, Arrived, Ask, Http, HttpError, Version};

/// Further questions about one file, after the first.
const RESUMES: u32 = 3;

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
#[derive(Default)]
struct Progress {
    /// In the sink.
    received: u64,
    total: Option<u64>,
    tag: Option<HeaderValue>,
    /// At the beginning of the next body, which the sink has already.
    skip: u64,
    media_type: Option<String>,
    speed: Speed,
}

/// What became of one body.
enum Streamed {
    Whole,
    /// It may be gone on with.
    Broken(HttpError),
}

/// What an answer brings.
enum Opened {
    Body(Response),
    /// Nothing that can be gone on with: it is to be asked for from the beginning.
    Anew,
    Answer(Answer),
}

impl Http {
    /// Fetches a file into `sink`.
    ///
    /// # Errors
    /// When it breaks off and can't be continued, is too slow, or the sink refuses it.
    pub async fn download(&self, ask: &Ask, sink: &mut dyn FileSink) -> Result<Downloaded, DownloadError> {
        let mut progress = Progress::of(sink.held().filter(|_| ask.posted.is_none()), self.pace.elapsed());
        let mut broken = None;
        for _ in 0..=RESUMES {
            let mut response = match self.body(ask, &mut progress, sink).await? {
                Opened::Body(response) => response,
                Opened::Anew => {
                    progress.forget();
                    match self.body(ask, &mut progress, sink).await? {
                        Opened::Body(response) => response,
                        Opened::Answer(answer) => return Ok(Downloaded::Answer(answer)),
                        Opened::Anew => continue,
                    }
                }
                // Of a file that broke off a moment ago, trouble of the server says nothing.
                Opened::Answer(answer) if answer.status >= 500 => {
                    return broken.map_or(Ok(Downloaded::Answer(answer)), Err);
                }
                Opened::Answer(answer) => return Ok(Downloaded::Answer(answer)),
            };
            match self.stream(&mut response, &mut progress, sink).await? {
                Streamed::Whole => {
                    return Ok(Downloaded::Whole { bytes: progress.received, media_type: progress.media_type });
                }
                Streamed::Broken(error) => {
                    tracing::debug!(received = progress.received, %error, "a file broke off");
                    broken = Some(DownloadError::from(error));
                }
            }
        }
        Err(broken.unwrap_or_else(|| HttpError::Cut("no part of it could be used".to_owned()).into()))
    }

    /// Asks for what is missing, and tells the sink what comes.
    async fn body(&self, ask: &Ask, progress: &mut Progress, sink: &mut dyn FileSink) -> Result<Opened, DownloadError> {
        let response = match self.patiently(&progress.question(ask), false).await? {
            Arrived::Open(response) => response,
            Arrived::Whole(answer) if answer.status == 416 && progress.received > 0 => return Ok(Opened::Anew),
            Arrived::Whole(answer) => return Ok(Opened::Answer(answer)),
        };
        if response.status().as_u16() == 206 && progress.received > 0 {
            if !progress.continues(&response) {
                return Ok(Opened::Anew);
            }
        } else if progress.received > 0 && response.status().as_u16() != 200 {
            // Of the rest nothing can be had in this way; of the whole file it says nothing.
            return Ok(Opened::Anew);
        } else {
            progress.begins(&response)?;
        }
        sink.starts(&progress.start()).await?;
        progress.speed.begin_anew(self.pace.elapsed(), progress.received);
        Ok(Opened::Body(response))
    }

    /// Streams what there is.
    async fn stream(
        &self,
        response: &mut Response,
        progress: &mut Progress,
        sink: &mut dyn FileSink,
    ) -> Result<Streamed, DownloadError> {
        loop {
            let mut chunk = match self.chunk(response).await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => return Ok(progress.whole().map_or_else(Streamed::Broken, |()| Streamed::Whole)),
                Err(error) => return Ok(Streamed::Broken(error)),
            };
            let known = usize::try_from(progress.skip).unwrap_or(usize::MAX).min(chunk.len());
            progress.skip -= known as u64;
            let new = chunk.split_off(known);
            if progress.total.is_some_and(|total| new.len() as u64 > total.saturating_sub(progress.received)) {
                return Ok(Streamed::Broken(HttpError::Cut("more came than was announced".to_owned())));
            }
            sink.write(&new).await?;
            progress.received += new.len() as u64;
            let now = self.pace.elapsed();
            progress.speed.in_time(now, self.line.limits.file)?;
            if let Err(error) = progress.speed.keeps_up(now, progress.received) {
                return Ok(Streamed::Broken(error));
            }
        }
    }
}

impl Progress {
    fn of(held: Option<Held>, started: Duration) -> Self {
        let fresh = Self { speed: Speed::since(started), ..Self::default() };
        let Some(held) = held else { return fresh };
        match held.tag.and_then(|tag| HeaderValue::try_from(tag).ok()) {
            Some(tag) => Self { received: held.bytes, total: held.total, tag: Some(tag), ..fresh },
            None => fresh,
        }
    }

    /// Whatever is asked for next is asked for from its first byte.
    fn forget(&mut self) {
        *self = Self { speed: self.speed, ..Self::default() };
    }

    /// Of a file that is here already its last byte is asked for: no range is shorter, and the answer tells whether
    /// the version still is the same.
    fn question(&mut self, ask: &Ask) -> Ask {
        let Some(tag) = self.tag.clone().filter(|_| self.received > 0) else {
            self.received = 0;
            return ask.clone();
        };
        let first = self.first();
        Ask { range: Some(format!("bytes={first}-")), if_range: Some(tag), ..ask.clone() }
    }

    /// The first byte that a continuation must bring.
    fn first(&self) -> u64 {
        if self.total == Some(self.received) { self.received.saturating_sub(1) } else { self.received }
    }

    /// Whether an answer goes on exactly where the file broke off, in the same version.
    fn continues(&mut self, response: &Response) -> bool {
        let headers = response.headers();
        let range = text(headers, CONTENT_RANGE).and_then(|r| content_range(&r));
        let Some((first, total)) = range else { return false };
        let same_length = total.is_none() || self.total.is_none() || total == self.total;
        let is_next = first == self.first() && self.tag.is_some() && headers.get(ETAG) == self.tag.as_ref();
        if !is_next || !same_length || coding(headers).is_some() {
            return false;
        }
        self.total = self.total.or(total);
        self.skip = self.received - first;
        self.media_type = self.media_type.take().or_else(|| text(headers, CONTENT_TYPE));
        true
    }

    /// Takes an answer for the whole file, whichever version that is.
    fn begins(&mut self, response: &Response) -> Result<(), HttpError> {
        let total = length(response)?;
        let headers = response.headers();
        let (tag, media_type) = (strong_tag(headers), text(headers, CONTENT_TYPE));
        *self = Self { total, tag, media_type, speed: self.speed, ..Self::default() };
        Ok(())
    }

    fn start(&self) -> Start {
        let tag = self.tag.as_ref().and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        Start { from: self.received, total: self.total, tag }
    }

    fn whole(&self) -> Result<(), HttpError> {
        match self.total {
            Some(total) if total != self.received => {
                Err(HttpError::Cut(format!("{} of {total} bytes came", self.received)))
            }
            _ => Ok(()),
        }
    }
}

/// The length that is promised, and whether the body is the file itself.
fn length(response: &Response) -> Result<Option<u64>, HttpError> {
    let headers = response.headers();
    if let Some(coding) = coding(headers) {
        return Err(HttpError::Cut(format!("the file came packed ({coding}), which was not asked for")));
    }
    if response.status().as_u16() != 200 {
        return Err(HttpError::Cut(format!("the whole file was asked for, and {} answered", response.status())));
    }
    Ok(text(headers, CONTENT_LENGTH).and_then(|n| n.parse().ok()))
}

/// How the body is packed, if it is: bytes of a file are asked for as they are.
fn coding(headers: &HeaderMap) -> Option<String> {
    text(headers, CONTENT_ENCODING).filter(|coding| coding != "identity")
}

/// First byte and whole length of `bytes 5-9/10`; the length may be `*`.
pub(super) fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let total = if total == "*" { None } else { Some(total.parse::<u64>().ok()?) };
    (first <= last && total.is_none_or(|t| last < t)).then_some((first, total))
}

/// The answer's strong tag; a weak one says nothing about bytes, and an empty one nothing at all.
fn strong_tag(headers: &HeaderMap) -> Option<HeaderValue> {
    let tag = headers.get(ETAG)?;
    let text = tag.to_str().ok()?;
    let quoted = text.strip_prefix('"')?.strip_suffix('"')?;
    (!quoted.is_empty()).then(|| tag.clone())
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

    /// Which bytes of a file these are, and its whole length where that is told; `None` where the answer is no part,
    /// comes packed, or has another length than it says.
    #[must_use]
    pub fn part(&self) -> Option<(Range<u64>, Option<u64>)> {
        let range = text(&self.headers, CONTENT_RANGE).filter(|_| coding(&self.headers).is_none())?;
        let (first, total) = content_range(&range)?;
        let end = first.checked_add(self.body.len() as u64)?;
        let is_as_said = range.starts_with(&format!("bytes {first}-{}/", end.checked_sub(1)?));
        is_as_said.then_some((first..end, total))
    }

    /// The version of the file, where the answer tells it in a way that says something about bytes.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        strong_tag(&self.headers).map(Version)
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
}
