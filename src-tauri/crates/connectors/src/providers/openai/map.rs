//! What OpenAI's answers mean: of its video service, which is no more, and of its images, which
//! come in the answer to the request itself and are kept nowhere.

use jiff::SignedDuration;
use makegood_domain::ids::JobId;
use makegood_domain::ports::ListedJob;
use makegood_domain::work::JobState;
use serde_json::Value;

use super::wire::{Event, Image, Images, Video};
use crate::providers::reading::{Asset, Cause, Pieces, Reading, Unread, body_of, said, words_in};
use crate::providers::{Document, Explained, Facts, FileKind, Word};

/// The day on which the video service ended, by the vendor's page about its models.
pub const RETIRED: &str = "OpenAI ended its video service on 2026-09-24, and keeps no images: \
    of neither can anything be asked or fetched any more";

/// An image's address, where there is one, is good for an hour.
const IMAGE_ADDRESS: SignedDuration = SignedDuration::from_hours(1);

/// Reads the answer to `GET /videos/{id}`. The file's address is made from the id, at `base`.
#[must_use]
pub fn explain(status: u16, body: &[u8], base: &str) -> Reading {
    if let Some(reading) = refusal(status, body) {
        return reading;
    }
    match body_of::<Video>(status, body) {
        Ok(video) => read(video, base),
        Err(unread) => unread.into(),
    }
}

fn read(video: Video, base: &str) -> Reading {
    let word = video.status.as_deref().unwrap_or_default();
    let reading = match (word, &video.id) {
        ("queued", _) => Reading::of(JobState::Queued),
        ("in_progress", _) => Reading::of(JobState::Processing),
        ("completed", Some(id)) => {
            let url = format!("{}/videos/{id}/content", base.trim_end_matches('/'));
            let (available_until, kind) = (video.expires_at, Some(FileKind::Video));
            Reading::with_files(vec![Asset { url, available_until, kind, ..Asset::default() }])
        }
        ("completed", None) => Reading::unrecognised("the video is completed, and has no id to fetch it by"),
        // Not in the specification; other parties have seen it.
        ("expired", _) => Reading { pieces: Pieces::Gone, ..Reading::of(JobState::Succeeded) },
        ("failed", _) if is_filtered(&video.error) => Reading::of(JobState::Filtered),
        ("failed", _) => Reading::of(JobState::Failed),
        _ => Reading::unrecognised(format!("OpenAI says {word:?} of the video")),
    };
    Reading {
        about: video.id.map(JobId::new),
        finished_at: video.completed_at,
        error: reading.error.or_else(|| failure(&video.error)),
        ..reading
    }
}

/// Code and words of an error.
fn failure(error: &Value) -> Option<String> {
    match (error["code"].as_str(), words_in(error)) {
        (Some(code), Some(words)) => Some(format!("{code}: {words}")),
        (code, words) => words.or(code.map(str::to_owned)),
    }
}

/// Whether a request or a job was refused for what it shows.
fn is_filtered(error: &Value) -> bool {
    const CODES: [&str; 5] =
        ["moderation_blocked", "content_policy_violation", "content_filter", "sentinel_block", "safety_violation"];
    error["code"].as_str().is_some_and(|code| CODES.contains(&code))
}

/// Refusals that say more than their status.
fn refusal(status: u16, body: &[u8]) -> Option<Reading> {
    if !matches!(status, 400..=499) {
        return None;
    }
    let error = serde_json::from_slice::<Value>(body).ok()?.get("error").cloned()?;
    let code = error["code"].as_str().unwrap_or_default();
    let words = words_in(&error).unwrap_or_default();
    let failed = |cause| Reading { cause: Some(cause), ..Reading::of(JobState::LookupFailed) };
    let reading = match (status, code) {
        // The request for an image was the job.
        _ if is_filtered(&error) => Reading::of(JobState::Filtered),
        (404 | 410, _) if words.to_ascii_lowercase().contains("expired") => {
            Reading { pieces: Pieces::Gone, ..Reading::of(JobState::Succeeded) }
        }
        (404 | 410, _) if is_retired(code, &words) => retired(),
        (_, "model_not_found" | "model_deprecated") => retired(),
        (400 | 403, _) if has_ended(&words) => retired(),
        // What was asked for is the file, of a video that is still being made.
        (400, _) if words.to_ascii_lowercase().contains("video is not ready") => Reading::of(JobState::Processing),
        (400 | 403 | 429, "insufficient_quota" | "billing_hard_limit_reached" | "billing_not_active") => {
            failed(Cause::Refused)
        }
        _ => return None,
    };
    Some(Reading { error: failure(&error), ..reading })
}

/// The words for a model, and for a path, that OpenAI does not have any more.
fn is_retired(code: &str, words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    let is_model = words.contains("model") && words.contains("does not exist");
    let is_path = words.contains("invalid url") || words.contains("unknown url");
    code == "unknown_url" || is_model || is_path || words.contains("deprecated") || has_ended(&words)
}

/// Words for a service that has ended, whatever the status they come with.
fn has_ended(words: &str) -> bool {
    const MARKS: [&str; 5] =
        ["discontinued", "been retired", "no longer available", "no longer supported", "shut down"];
    let words = words.to_ascii_lowercase();
    MARKS.iter().any(|mark| words.contains(mark))
}

/// The service is no more. Nothing of the job can be had, whatever became of it.
#[must_use]
pub fn retired() -> Reading {
    Reading { cause: Some(Cause::Retired), ..Reading::of(JobState::NotFound).saying(RETIRED) }
}

/// A page of the list of videos, and the one after which the next begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub jobs: Vec<ListedJob>,
    pub next: Option<String>,
    /// All of its entries are videos. One that can't be read might be the one that is sought.
    pub is_whole: bool,
}

/// Reads the answer to `GET /videos`; `None` where it is no list.
#[must_use]
pub fn page(status: u16, body: &[u8]) -> Option<Page> {
    let json: Value = body_of(status, body).ok()?;
    let list = json["data"].as_array().filter(|_| json["object"] == "list")?;
    let jobs: Vec<ListedJob> = list.iter().filter_map(listed).collect();
    let last = json["last_id"].as_str().map(str::to_owned).or_else(|| jobs.last().map(|job| job.job_id.to_string()));
    Some(Page { is_whole: jobs.len() == list.len(), jobs, next: last.filter(|_| json["has_more"] == true) })
}

fn listed(value: &Value) -> Option<ListedJob> {
    let video: Video = serde_json::from_value(value.clone()).ok()?;
    Some(ListedJob {
        job_id: JobId::new(video.id.clone()?),
        created_at: video.created_at,
        model: video.model.clone(),
        prompt: video.prompt.clone(),
        reference: None,
        state: read(video, "").state,
    })
}

/// What a document says that came without its question.
#[must_use]
pub fn of_document(facts: &'static Facts, document: &Document<'_>) -> Explained {
    let json = document.json();
    if let Some(page) = page(document.status, document.body) {
        return Explained::list(facts, page.jobs);
    }
    if let Ok(event) = serde_json::from_value::<Event>(json.clone()) {
        return of_event(facts, event);
    }
    match json["type"].as_str().and_then(|kind| kind.split_once('.')) {
        Some(("image_generation" | "image_edit", "completed")) => {
            let image = Image { b64_json: json["b64_json"].as_str().map(str::to_owned), url: None };
            let output_format = json["output_format"].as_str().map(str::to_owned);
            return Explained::job(facts, images(Images { created: None, data: vec![image], output_format }));
        }
        Some(("image_generation" | "image_edit", "partial_image")) => {
            return Explained::job(facts, Reading::of(JobState::Processing));
        }
        _ => {}
    }
    if json["object"] == "video.deleted" && json["deleted"] == true {
        let gone = Reading { pieces: Pieces::Gone, ..Reading::of(JobState::Succeeded) };
        return Explained::job(facts, gone).noting("the account's owner deleted it");
    }
    if (200..300).contains(&document.status)
        && let Ok(answer) = serde_json::from_value::<Images>(json)
    {
        return Explained::job(facts, images(answer))
            .noting("images come once, in this answer: none can be asked for later");
    }
    Explained::job(facts, explain(document.status, document.body, facts.base_url))
}

/// What a webhook tells: ids only, so that the job must still be asked about.
fn of_event(facts: &'static Facts, event: Event) -> Explained {
    let Some(word) = event.kind.strip_prefix("video.") else {
        return Explained::of(facts, Word::NotAJob).noting(format!("about {}", event.kind));
    };
    let mut video = event.data;
    if let (true, None) = (video.is_object(), video.get("status")) {
        video["status"] = Value::from(word);
    }
    let reading = match serde_json::from_value::<Video>(video) {
        Ok(video) => read(video, facts.base_url),
        Err(error) => Reading::unrecognised(format!("the event can't be read: {error}")),
    };
    let finished_at = reading.finished_at.or(event.created_at);
    Explained::job(facts, Reading { finished_at, ..reading })
}

fn images(answer: Images) -> Reading {
    let until = answer.created.and_then(|created| created.checked_add(IMAGE_ADDRESS).ok());
    let format = answer.output_format.as_deref().unwrap_or("png");
    let wanted = answer.data.len();
    let files: Vec<Asset> = answer
        .data
        .into_iter()
        .filter_map(|image| match (image.b64_json, image.url) {
            (Some(text), _) if !text.is_empty() => {
                Some(Asset { url: format!("data:image/{format};base64,{text}"), ..Asset::default() })
            }
            (_, Some(url)) if !url.is_empty() => {
                Some(Asset { url, available_until: until, kind: Some(FileKind::Image), ..Asset::default() })
            }
            _ => None,
        })
        .collect();
    if files.is_empty() || files.len() != wanted {
        return Reading::unrecognised("the answer holds an image that is neither there nor at an address");
    }
    Reading { finished_at: answer.created, ..Reading::with_files(files) }
}

/// Why a list did not come.
#[must_use]
pub fn no_list(status: u16, body: &[u8]) -> Unread {
    let state = JobState::LookupFailed;
    let why = said(body).unwrap_or_else(|| "the list can't be read".to_owned());
    Unread { state, why: format!("HTTP {status}: {why}"), cause: Some(Cause::Refused) }
}

#[cfg(test)]
mod tests;
