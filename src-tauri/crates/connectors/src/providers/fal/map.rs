//! What fal's answers mean. A request that ended is `COMPLETED`, well or badly; only the result's
//! own answer tells which.

use makegood_domain::ids::JobId;
use makegood_domain::ports::ListedJob;
use makegood_domain::work::JobState;
use serde_json::Value;

use super::wire::{Delivery, History, QueueStatus, Request};
use crate::providers::FileKind;
use crate::providers::files::{Shape, collect, holds_more, places};
use crate::providers::reading::{Asset, Cause, Piece, Pieces, Reading, Unread, body_of, said, words_in};

/// The kind of error of a request that its caller gave up.
const CANCELLED: &str = "client_cancelled";

/// What the queue's status settles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    Settled(Reading),
    /// It ended; how, the result tells.
    AskResult,
}

/// Reads the answer to `GET …/requests/{id}/status`; 202 is usual while it is not done.
#[must_use]
pub fn status(status: u16, body: &[u8]) -> Status {
    let queue = match body_of::<QueueStatus>(status, body) {
        Ok(queue) => queue,
        Err(unread) => return Status::Settled(unread.into()),
    };
    let word = queue.status.as_deref().unwrap_or_default();
    let error = words_in(&queue.error);
    let reading = match word {
        "IN_QUEUE" => Reading::of(JobState::Queued),
        // A request to cancel stops nothing that a runner has begun.
        "IN_PROGRESS" | "CANCELLATION_REQUESTED" => Reading::of(JobState::Processing),
        "COMPLETED" if queue.error_type.as_deref() == Some(CANCELLED) => Reading::of(JobState::Cancelled),
        "COMPLETED" if error.is_some() || queue.error_type.is_some() => Reading::of(JobState::Failed),
        "COMPLETED" => return Status::AskResult,
        _ => Reading::unrecognised(format!("fal says {word:?} of the request")),
    };
    let about = queue.request_id.map(JobId::new);
    let error = reading.error.or(match (queue.error_type, error) {
        (Some(kind), Some(words)) => Some(format!("{kind}: {words}")),
        (kind, words) => words.or(kind),
    });
    Status::Settled(Reading { about, error, ..reading })
}

/// Reads the answer to `GET …/requests/{id}` of a request that ended: 400 and 422 are the model's
/// own refusal, where they come in its form. Whatever else is of 4xx may be of anybody in between, and
/// some results that answer 504 are there a minute later.
#[must_use]
pub fn result(status: u16, body: &[u8], is_file: &dyn Fn(&str) -> bool) -> Reading {
    match status {
        400 if says_that_it_runs(body) => Reading::of(JobState::Processing),
        400 | 422 if is_of_fal(body) => refused(body),
        499 if is_of_fal(body) => Reading { error: said(body), ..Reading::of(JobState::Cancelled) },
        _ => match body_of::<Value>(status, body) {
            Ok(output) => succeeded(&output, is_file),
            Err(unread) => unread.into(),
        },
    }
}

/// A result that is asked for too early is refused with the status of a refusal by the model.
fn says_that_it_runs(body: &[u8]) -> bool {
    said(body).is_some_and(|words| words.to_ascii_lowercase().contains("still in progress"))
}

/// Whether an error has fal's own form: `detail`, a text or a list, or `error_type`. A page or an error of a
/// gateway has neither, and says nothing of the request.
fn is_of_fal(body: &[u8]) -> bool {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let has_detail = match &parsed["detail"] {
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(list) => list.iter().any(Value::is_object),
        _ => false,
    };
    has_detail || parsed["error_type"].as_str().is_some_and(|kind| !kind.is_empty())
}

fn refused(body: &[u8]) -> Reading {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let filtered =
        parsed["detail"].as_array().into_iter().flatten().any(|one| one["type"] == "content_policy_violation");
    let state = match parsed["error_type"].as_str() {
        _ if filtered => JobState::Filtered,
        Some(CANCELLED) => JobState::Cancelled,
        _ => JobState::Failed,
    };
    Reading { error: said(body), ..Reading::of(state) }
}

/// The files of a result. An image that the filter took keeps its place in the list, black, and is
/// marked beside it.
///
/// Each model has names of its own for what it returns, and not all are known here: a result in which no file
/// is found is never taken for one without a file.
fn succeeded(output: &Value, is_file: &dyn Fn(&str) -> bool) -> Reading {
    let flags: Vec<bool> = output["has_nsfw_concepts"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|flag| flag.as_bool().unwrap_or(false))
        .collect();
    let found = places(output, Shape::Objects, is_file);
    let found = match found.iter().any(Option::is_some) {
        true => found,
        false => less_sure(output, is_file).into_iter().map(Some).collect(),
    };
    let files: Vec<Asset> = found.iter().flatten().cloned().collect();
    if files.is_empty() {
        return without_file(output);
    }
    let holds_more = holds_more(output, &files);
    // The flags are about the images, place by place; other files come before or behind them.
    let mut flags = flags.into_iter();
    let mut is_withheld = |place: &Option<Asset>| {
        let is_image =
            place.as_ref().is_none_or(|asset| !matches!(asset.kind, Some(FileKind::Video | FileKind::Audio)));
        is_image && flags.next() == Some(true)
    };
    let pieces: Vec<Piece> = found
        .into_iter()
        .map(|place| match (is_withheld(&place), place) {
            (true, _) => Piece::Filtered,
            (false, Some(asset)) => Piece::File(asset),
            (false, None) => Piece::Missing,
        })
        .collect();
    let all_filtered = !pieces.is_empty() && pieces.iter().all(|piece| *piece == Piece::Filtered);
    let state = if all_filtered { JobState::Filtered } else { JobState::Succeeded };
    Reading { pieces: Pieces::Listed(pieces), holds_more, ..Reading::of(state) }
}

/// Names under which models return files.
const FILES: [&str; 9] = ["image", "images", "video", "videos", "audio", "audio_file", "file", "files", "model_mesh"];

/// Files in a form that few models use, and addresses elsewhere: those are listed so that people are
/// told of them, and nobody follows them.
fn less_sure(output: &Value, is_file: &dyn Fn(&str) -> bool) -> Vec<Asset> {
    let named = outputs(output);
    let found = collect(&named, Shape::Texts, is_file);
    if found.is_empty() { collect(&named, Shape::Objects, &|_| true) } else { found }
}

/// The part of a result that is named like files: elsewhere, an address may repeat the input.
fn outputs(output: &Value) -> Value {
    let fields = output.as_object().into_iter().flatten();
    fields.filter(|(name, _)| FILES.contains(&name.as_str())).map(|(name, one)| (name.clone(), one.clone())).collect()
}

/// A text, a number: the request went well, and nobody says that no file was made. Where a file should be and is
/// not, an address is, or an error is, nothing is known. Not even an empty list says so much, as the queue says of
/// the same request that it went well.
fn without_file(output: &Value) -> Reading {
    let is_odd = |(name, value): (&String, &Value)| {
        FILES.contains(&name.as_str()) || (matches!(name.as_str(), "detail" | "error" | "status") && !value.is_null())
    };
    let why = "the result holds no file that is known as one";
    match output {
        Value::Object(fields) if !fields.is_empty() && !fields.iter().any(is_odd) && !holds_more(output, &[]) => {
            Reading { holds_more: true, ..Reading::of(JobState::Succeeded) }.saying(why)
        }
        _ => Reading::unrecognised(why),
    }
}

/// What the history says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    Told(Box<Reading>),
    /// It answered, and the request is not in it.
    Unlisted,
    /// It knows nothing of the endpoint, or can't be asked.
    Untold,
}

/// Reads the answer to `GET /models/requests/by-endpoint`: the request by its id.
///
/// # Errors
/// Where the history did not answer: a key that may not ask it says nothing of the request.
pub fn history(status: u16, body: &[u8], id: &JobId, is_file: &dyn Fn(&str) -> bool) -> Result<Kept, Unread> {
    let history = match body_of::<History>(status, body) {
        Ok(history) => history,
        Err(Unread { state: JobState::NotFound, cause: None, .. }) => return Ok(Kept::Untold),
        Err(unread) => {
            let unread = unread.of_another_question();
            return Err(Unread { why: format!("fal's history: {}", unread.why), ..unread });
        }
    };
    let request = history.items.into_iter().find(|request| request.request_id.as_deref() == Some(id.as_str()));
    Ok(request.map_or(Kept::Unlisted, |request| {
        let reading = of_request(&request, is_file);
        let (started_at, finished_at) = (request.started_at, request.ended_at);
        Kept::Told(Box::new(Reading { about: Some(id.clone()), started_at, finished_at, ..reading }))
    }))
}

/// A page of the history, and what to ask for the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub jobs: Vec<ListedJob>,
    pub next: Option<String>,
    /// All of its entries have an id. One that has none might be the one that is sought.
    pub is_whole: bool,
}

/// Reads a page of the history.
///
/// # Errors
/// Where it is none.
pub fn page(status: u16, body: &[u8]) -> Result<Page, Unread> {
    let history = body_of::<History>(status, body)?;
    let entries = history.items.len();
    let jobs = history.items.into_iter().filter_map(|request| {
        Some(ListedJob {
            state: of_request(&request, &|text| text.starts_with("https://")).state,
            job_id: JobId::new(request.request_id?),
            created_at: request.sent_at.or(request.started_at),
            model: request.endpoint_id,
            prompt: request.json_input["prompt"].as_str().map(str::to_owned),
            reference: None,
        })
    });
    let jobs: Vec<ListedJob> = jobs.collect();
    let next = history.next_cursor.filter(|_| history.has_more != Some(false));
    Ok(Page { is_whole: jobs.len() == entries, jobs, next })
}

/// What the history says of one request.
#[must_use]
pub fn of_request(request: &Request, is_file: &dyn Fn(&str) -> bool) -> Reading {
    let words =
        |code: u64| format!("HTTP {code}: {}", request.json_output.as_ref().and_then(words_in).unwrap_or_default());
    match (request.ended_at, request.status_code, &request.json_output) {
        (None, _, _) => Reading::of(JobState::Processing),
        (Some(_), Some(200..=299), Some(output)) => succeeded(output, is_file),
        // The payload is gone, and with it every address.
        (Some(_), Some(200..=299), None) => Reading { pieces: Pieces::Gone, ..Reading::of(JobState::Succeeded) },
        (Some(_), Some(499), _) => Reading::of(JobState::Cancelled),
        (Some(_), Some(code @ 400..=599), _) => Reading::of(JobState::Failed).saying(words(code)),
        (Some(_), code, _) => Reading::unrecognised(format!("the request ended with status {code:?}")),
    }
}

/// Reads what the webhook delivered. An `ERROR` without a refusal in it is only a failed delivery
/// of fal's own; it is final all the same, unless what it names is a status by which a gateway says that it got no
/// answer: some results that answer 504 are there a minute later (symptom 11), and the queue tells.
#[must_use]
pub fn delivery(body: &[u8], is_file: &dyn Fn(&str) -> bool) -> Reading {
    let Ok(delivery) = serde_json::from_slice::<Delivery>(body) else {
        return Reading::unrecognised("the delivery can't be read");
    };
    let reading = match delivery.status.as_str() {
        // It went well, and was too much to deliver: the queue has the result.
        "OK" if delivery.payload.is_null() && !delivery.payload_error.is_null() => {
            Reading { error: words_in(&delivery.payload_error), ..Reading::of(JobState::Succeeded) }
        }
        "OK" => succeeded(&delivery.payload, is_file),
        "ERROR" if delivery.error_type.as_deref() == Some(CANCELLED) => {
            Reading { error: words_in(&delivery.error), ..Reading::of(JobState::Cancelled) }
        }
        "ERROR" if is_of_a_gateway(&delivery) => {
            let error = words_in(&delivery.error);
            Reading { cause: Some(Cause::Passing), error, ..Reading::of(JobState::LookupFailed) }
        }
        "ERROR" => {
            let refusal = refused(delivery.payload.to_string().as_bytes());
            Reading { error: refusal.error.or_else(|| words_in(&delivery.error)), ..refusal }
        }
        word => Reading::unrecognised(format!("fal delivers {word:?}")),
    };
    Reading { about: delivery.request_id.map(JobId::new), ..reading }
}

/// Whether an `ERROR` comes without any word of the model or of fal's, and names a status that says nothing of a
/// request: `Invalid status code: 504`.
fn is_of_a_gateway(delivery: &Delivery) -> bool {
    let words = words_in(&delivery.error).unwrap_or_default();
    let code = words.rsplit_once("status code: ").and_then(|(_, code)| code.trim_end_matches('.').parse::<u16>().ok());
    let is_wordless = delivery.payload.is_null() && delivery.error_type.is_none();
    is_wordless && code.is_some_and(|code| matches!(code, 408 | 425 | 429 | 500..=599))
}

/// Owner and alias of an endpoint: the path of its requests. `fal-ai/flux/dev` is asked at
/// `fal-ai/flux`; below `workflows` and `comfy` there are three segments. Also takes the status or
/// response address that fal gave at submission.
#[must_use]
pub fn request_path(locator: &str) -> Option<Vec<String>> {
    let path = match locator.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1.split("/requests/").next()?,
        None => locator,
    };
    let segments: Vec<&str> = path.split(['?', '#']).next()?.split('/').filter(|s| !s.is_empty()).collect();
    let wanted = if matches!(segments.first(), Some(&("workflows" | "comfy"))) { 3 } else { 2 };
    Some(segments.get(..wanted)?.iter().map(|s| (*s).to_owned()).collect())
}

#[cfg(test)]
mod tests;
