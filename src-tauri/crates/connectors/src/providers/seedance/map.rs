//! What ModelArk's answers about Seedance mean.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::JobId;
use makegood_domain::ports::ListedJob;
use makegood_domain::work::JobState;
use serde_json::Value;

use super::wire::{Failure, Task, Tasks};
use crate::providers::FileKind;
use crate::providers::files::holds_more_beside;
use crate::providers::listing::Page;
use crate::providers::reading::{Asset, Cause, Pieces, Reading, Unread, body_of};
use crate::providers::signature::signed_until;

/// Reads the answer to `GET …/contents/generations/tasks/{id}`, or a callback.
#[must_use]
pub fn explain(status: u16, body: &[u8]) -> Reading {
    let known = serde_json::from_slice::<Task>(body).ok();
    let is_job = known.as_ref().is_some_and(|task| task.status.is_some());
    if !is_job && let Some(reading) = known.as_ref().and_then(|task| refusal(status, &task.error)) {
        return reading;
    }
    match body_of::<Task>(status, body) {
        Ok(task) => read(&task),
        Err(unread) => unread.into(),
    }
}

fn read(task: &Task) -> Reading {
    let reading = match task.status.as_deref() {
        Some("queued") => Reading::of(JobState::Queued),
        Some("running") => Reading::of(JobState::Processing),
        Some("succeeded") => succeeded(&task.content, &task.others),
        Some("failed") => failed(&task.error),
        // The task ran out of the time that was set for it; nothing was made.
        Some("expired") => Reading::of(JobState::Failed).saying("the task's time ran out before it was done"),
        Some("cancelled") => Reading::of(JobState::Cancelled),
        Some(word) => Reading::unrecognised(format!("ModelArk says {word:?} of the task")),
        // The answer to the request itself: taken, and no more is known.
        None if task.id.is_some() && task.model.is_none() => Reading::of(JobState::Queued),
        None => Reading::unrecognised("ModelArk answered without a task"),
    };
    let is_over = !matches!(reading.state, JobState::Queued | JobState::Processing | JobState::Unrecognised);
    Reading { about: task.id.clone().map(JobId::new), finished_at: task.updated_at.filter(|_| is_over), ..reading }
}

/// After a task's end its content is kept for a day (docs.byteplus.com/en/docs/ModelArk/1521309).
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// The reading of an answer that came at `now`. An emptied content is the vendor's word for a file that is gone once its
/// day is over; before that it proves nothing. Where the task does not tell its end, that is not before its submission.
#[must_use]
pub fn believed_at(now: Timestamp, submitted_at: Timestamp, reading: Reading) -> Reading {
    let is_emptied = reading.state == JobState::Succeeded && reading.pieces == Pieces::Gone;
    let since = reading.finished_at.unwrap_or(submitted_at);
    if !is_emptied || now.duration_since(since) >= KEPT {
        return reading;
    }
    let why = "ModelArk says succeeded without a content, and the day that it keeps one is not over";
    Reading { about: reading.about, cause: Some(Cause::Passing), ..Reading::of(JobState::LookupFailed).saying(why) }
}

/// The video; its last frame is by the way. A day later the content is emptied, and the task stays: unless another
/// of its fields tells an address, the file is gone.
fn succeeded(content: &Value, others: &Value) -> Reading {
    let text = |name: &str| content[name].as_str().filter(|text| !text.is_empty());
    let video = text("video_url").map(|url| (url, Some(FileKind::Video)));
    match video.or_else(|| text("file_url").map(|url| (url, None))) {
        Some((url, kind)) => {
            let available_until = signed_until(url);
            let files = vec![Asset { url: url.to_owned(), available_until, kind, ..Asset::default() }];
            let holds_more = holds_more_beside(content, &["last_frame_url"], &files);
            Reading { holds_more, ..Reading::with_files(files) }
        }
        None if is_emptied(content) && !holds_more_beside(others, &["callback_url"], &[]) => {
            Reading { pieces: Pieces::Gone, ..Reading::of(JobState::Succeeded) }
        }
        None => Reading::unrecognised("ModelArk says succeeded, and gives a content that is not known"),
    }
}

fn is_emptied(content: &Value) -> bool {
    let is_nothing = |value: &Value| value.is_null() || value.as_str().is_some_and(str::is_empty);
    is_nothing(content) || content.as_object().is_some_and(|fields| fields.values().all(is_nothing))
}

fn failed(error: &Value) -> Reading {
    let failure: Failure = serde_json::from_value(error.clone()).unwrap_or_default();
    let filtered = failure.code.as_deref().is_some_and(names_a_filter);
    let state = if filtered { JobState::Filtered } else { JobState::Failed };
    Reading { error: words(&failure), ..Reading::of(state) }
}

fn words(failure: &Failure) -> Option<String> {
    match (&failure.code, &failure.message) {
        (Some(code), Some(message)) => Some(format!("{code}: {message}")),
        (code, message) => code.clone().or_else(|| message.clone()),
    }
}

/// `OutputVideoSensitiveContentDetected`, `InputTextSensitiveContentDetected.PolicyViolation` …
fn names_a_filter(code: &str) -> bool {
    ["SensitiveContent", "PolicyViolation", "RiskDetection"].iter().any(|name| code.contains(name))
}

/// What a refusal says by its code, where the status says too little; `None` where there is none.
fn refusal(status: u16, error: &Value) -> Option<Reading> {
    let failure: Failure = serde_json::from_value(error.clone()).ok()?;
    let code = failure.code.as_deref().unwrap_or_default();
    let said = failure.message.as_deref().unwrap_or_default().to_ascii_lowercase();
    let failed = |cause| Reading { cause: Some(cause), ..Reading::of(JobState::LookupFailed) };
    let is = |names: &[&str]| names.iter().any(|name| code.starts_with(name));
    let reading = if names_a_filter(code) {
        Reading::of(JobState::Filtered)
    } else if is(&["AuthenticationError", "InvalidAuthentication", "Unauthorized"]) {
        failed(Cause::KeyRefused)
    // An account in debt or at the limit that it has set itself: no waiting helps.
    } else if is(&["AccountOverdue", "QuotaExceeded", "SetLimitExceeded", "ModelNotOpen", "InsufficientBalance"])
        // Of the model that was asked for, and no word about any task.
        || is(&["InvalidEndpointOrModel", "ModelNotFound"])
    {
        failed(Cause::Refused)
    } else if is(&["ResourceNotFound", "NotFound", "TaskNotFound"])
        || (is(&["InvalidParameter"]) && said.contains("task") && said.contains("not found"))
    {
        Reading::of(JobState::NotFound)
    } else if is(&["RateLimit", "ServerOverloaded"]) || code.contains("RateLimitExceeded") {
        failed(Cause::TooOften)
    } else if is(&["InternalServiceError", "InternalError", "ServiceUnavailable"]) {
        failed(Cause::Passing)
    } else if (200..300).contains(&status) {
        Reading::unrecognised("ModelArk answered with an error that is not known")
    } else {
        return None;
    };
    Some(Reading { error: words(&failure).or(reading.error), ..reading })
}

/// Whether a document is a list of tasks.
#[must_use]
pub fn is_list(body: &[u8]) -> bool {
    serde_json::from_slice::<Tasks>(body).is_ok()
}

/// Reads the answer to `GET …/contents/generations/tasks?page_num=…`.
///
/// # Errors
/// Where it is no list.
pub fn page(status: u16, body: &[u8]) -> Result<Page, Unread> {
    let tasks = match body_of::<Tasks>(status, body) {
        Ok(tasks) => tasks,
        Err(unread) => {
            let known = serde_json::from_slice::<Task>(body).ok();
            let refused = known.and_then(|task| refusal(status, &task.error));
            return Err(refused.map_or(unread, |Reading { state, error, cause, .. }| Unread {
                state,
                why: error.unwrap_or_default(),
                cause,
            }));
        }
    };
    Ok(Page::of(tasks.items, tasks.total, |task| {
        let task: Task = serde_json::from_value(task).ok()?;
        Some(ListedJob {
            job_id: JobId::new(task.id.clone()?),
            state: read(&task).state,
            created_at: task.created_at,
            model: task.model,
            prompt: None,
            reference: None,
        })
    }))
}

#[cfg(test)]
mod tests;
