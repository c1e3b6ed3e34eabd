//! What HeyGen's answers mean. Version 3 wraps everything in `data`; a refusal is in `error`, with
//! whatever status.

use makegood_domain::ids::JobId;
use makegood_domain::ports::ListedJob;
use makegood_domain::work::JobState;
use serde_json::Value;

use super::wire::{Delivery, Event, Video};
use crate::providers::reading::{Asset, Cause, Reading, Unread, body_of, words_in};
use crate::providers::{Document, Explained, Facts, FileKind, Word};

/// Reads the answer to `GET /v3/videos/{id}`, or to a submission.
#[must_use]
pub fn explain(status: u16, body: &[u8]) -> Reading {
    let value = match body_of::<Value>(status, body) {
        Ok(value) => value,
        Err(unread) => return unread.into(),
    };
    let inner = value.get("data").filter(|data| data.is_object());
    if inner.is_none()
        && value.get("status").is_none()
        && let Some(unread) = refusal(&value)
    {
        return unread.into();
    }
    match serde_json::from_value::<Video>(inner.unwrap_or(&value).clone()) {
        Ok(video) => read(&video),
        Err(error) => Reading::unrecognised(format!("the video can't be read: {error}")),
    }
}

/// A refusal that came with the status of an answer: `error`, or the older `code` and `message`.
fn refusal(value: &Value) -> Option<Unread> {
    let error = &value["error"];
    let code = if error.is_object() { &error["code"] } else { &value["code"] };
    let words = words_in(error).or_else(|| words_in(&value["message"]))?;
    let code = code.as_str().map_or_else(|| code.to_string(), str::to_ascii_lowercase);
    let text = format!("{code} {}", words.to_ascii_lowercase());
    let says = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    let (state, cause) = if says(&["not_found", "not found", "does not exist"]) {
        (JobState::NotFound, None)
    } else if says(&["unauthorized", "unauthenticated", "forbidden", "invalid_api_key", "api key"]) {
        (JobState::LookupFailed, Some(Cause::KeyRefused))
    } else if says(&["rate_limit", "rate limit", "too_many", "too many"]) {
        (JobState::LookupFailed, Some(Cause::TooOften))
    } else if says(&["internal", "unavailable", "timeout", "timed out"]) {
        (JobState::LookupFailed, Some(Cause::Passing))
    } else if says(&["invalid", "missing", "insufficient", "quota"]) {
        (JobState::LookupFailed, Some(Cause::Refused))
    } else {
        (JobState::Unrecognised, None)
    };
    Some(Unread { state, cause, why: format!("{code}: {words}") })
}

fn read(video: &Video) -> Reading {
    let reading = match video.status.as_deref() {
        // `waiting`: an older word for the same.
        Some("pending" | "waiting") => Reading::of(JobState::Queued),
        // `generating`: of the agent that writes the script first.
        Some("processing" | "generating") => Reading::of(JobState::Processing),
        Some("completed") => with_file(video.video_url.as_deref(), FileKind::Video),
        Some("failed") => failed(video),
        // What a submission was answered with: nothing but the id.
        None if video.video_id.is_some() => Reading::of(JobState::Queued),
        word => Reading::unrecognised(format!("HeyGen says {:?} of the video", word.unwrap_or_default())),
    };
    let finished_at = video.completed_at.filter(|_| !matches!(reading.state, JobState::Queued | JobState::Processing));
    Reading { about: video.job_id().map(JobId::new), finished_at, ..reading }
}

fn with_file(url: Option<&str>, kind: FileKind) -> Reading {
    match url.filter(|url| !url.is_empty()) {
        Some(url) => Reading::with_files(vec![Asset { url: url.to_owned(), kind: Some(kind), ..Asset::default() }]),
        None => Reading::unrecognised("HeyGen says that the video is complete, and names no file"),
    }
}

fn failed(video: &Video) -> Reading {
    let code = video.failure_code.clone().or_else(|| video.error["code"].as_str().map(str::to_owned));
    let words = video.failure_message.clone().or_else(|| words_in(&video.error));
    let state = state_of_failure(code.as_deref().unwrap_or_default());
    let error = match (code, words) {
        (Some(code), Some(words)) => Some(format!("{code}: {words}")),
        (code, words) => code.or(words),
    };
    Reading { error, ..Reading::of(state) }
}

fn state_of_failure(code: &str) -> JobState {
    let code = code.to_ascii_lowercase();
    let is_filter = ["moderat", "nsfw", "sensitive", "content_policy"].iter().any(|word| code.contains(word));
    if is_filter { JobState::Filtered } else { JobState::Failed }
}

/// Reads what a webhook delivers; `None` where it is about no video.
#[must_use]
pub fn delivery(body: &[u8]) -> Option<Reading> {
    let delivery = serde_json::from_slice::<Delivery>(body).ok()?;
    let Event { video_id, video_translate_id, url, video_url, gif_url, msg, message, failure_message } =
        delivery.event_data;
    let about = video_id.or(video_translate_id).map(JobId::new);
    let (kind, outcome) = delivery.event_type.rsplit_once('.').unwrap_or((&delivery.event_type, ""));
    let reading = match (kind, outcome) {
        (kind, "success") if is_of_videos(kind) => match video_url.or(url) {
            Some(url) => with_file(Some(&url), FileKind::Video),
            None => with_file(gif_url.as_deref(), FileKind::Image),
        },
        ("personalized_video", "") => with_file(video_url.or(url).as_deref(), FileKind::Video),
        (kind, "fail") if is_of_videos(kind) => {
            Reading { error: failure_message.or(msg).or(message), ..Reading::of(JobState::Failed) }
        }
        // Of avatars, of proofs, of live sessions.
        _ if about.is_none() => return None,
        _ => Reading::unrecognised(format!("HeyGen delivers {:?}", delivery.event_type)),
    };
    Some(Reading { about, ..reading })
}

/// Kinds of deliveries that end with a video, or with the same one in another form.
fn is_of_videos(kind: &str) -> bool {
    matches!(kind, "avatar_video" | "avatar_video_gif" | "avatar_video_caption" | "video_translate" | "video_agent")
}

/// A page of the list, and what to ask for the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub jobs: Vec<ListedJob>,
    pub next: Option<String>,
}

/// Reads the answer to `GET /v3/videos`: newest first. `None` where it is none.
#[must_use]
pub fn page(status: u16, body: &[u8]) -> Option<Page> {
    let value = body_of::<Value>(status, body).ok()?;
    let (list, round) = match &value["data"] {
        Value::Array(list) => (list, &value),
        older => (older["videos"].as_array()?, older),
    };
    let jobs = list.iter().map(listed).collect::<Option<Vec<_>>>()?;
    let next = ["next_token", "token"].into_iter().find_map(|name| round[name].as_str());
    let is_last = round["has_more"].as_bool() == Some(false);
    Some(Page { jobs, next: next.filter(|next| !is_last && !next.is_empty()).map(str::to_owned) })
}

fn listed(value: &Value) -> Option<ListedJob> {
    let video = serde_json::from_value::<Video>(value.clone()).ok()?;
    // A list leaves addresses out: that a complete video names none is no contradiction there.
    let state = match video.status.as_deref() {
        Some("completed") => JobState::Succeeded,
        _ => read(&video).state,
    };
    Some(ListedJob {
        job_id: JobId::new(video.job_id()?),
        state,
        created_at: video.created_at,
        model: None,
        prompt: None,
        reference: video.callback_id,
    })
}

/// What a document says that came without its question.
#[must_use]
pub fn explain_any(facts: &'static Facts, document: &Document<'_>) -> Explained {
    let json = document.json();
    if json.get("event_type").is_some() {
        return match delivery(document.body) {
            Some(reading) => Explained::job(facts, reading),
            None => Explained::of(facts, Word::NotAJob).noting("a delivery about no video"),
        };
    }
    let is_endpoint = |value: &Value| value.get("endpoint_id").is_some();
    let data = &json["data"];
    if is_endpoint(data) || data.as_array().is_some_and(|list| list.iter().any(is_endpoint)) {
        return Explained::of(facts, Word::NotAJob).noting("about where deliveries go");
    }
    match page(document.status, document.body) {
        Some(page) => Explained::list(facts, page.jobs),
        None => Explained::job(facts, explain(document.status, document.body)),
    }
}

#[cfg(test)]
mod tests;
