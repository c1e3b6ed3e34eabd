//! What fal's answers mean. A request that ended is `COMPLETED`, well or badly; only the result's
//! own answer tells which.

use makegood_domain::ids::JobId;
use makegood_domain::ports::ListedJob;
use makegood_domain::work::JobState;
use serde_json::Value;

use super::wire::{Delivery, History, QueueStatus, Request};
use crate::providers::files::{Shape, collect};
use crate::providers::reading::{Cause, Piece, Pieces, Reading, Unread, body_of, said, words_in};
use crate::providers::{Document, Explained, Facts, Origin, Word};

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
        "COMPLETED" if queue.error_type.as_deref() == Some("client_cancelled") => Reading::of(JobState::Cancelled),
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
/// own refusal. 5xx is not: some results that answer 504 are there a minute later.
#[must_use]
pub fn result(status: u16, body: &[u8], is_file: &dyn Fn(&str) -> bool) -> Reading {
    match status {
        400 | 405..=407 | 409 | 411..=424 => refused(body),
        _ => match body_of::<Value>(status, body) {
            Ok(output) => succeeded(&output, is_file),
            Err(unread) => unread.into(),
        },
    }
}

fn refused(body: &[u8]) -> Reading {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let filtered =
        parsed["detail"].as_array().into_iter().flatten().any(|one| one["type"] == "content_policy_violation");
    let state = if filtered { JobState::Filtered } else { JobState::Failed };
    Reading { error: said(body), ..Reading::of(state) }
}

/// The files of a result. An image that the filter took keeps its place in the list, black, and is
/// marked beside it.
fn succeeded(output: &Value, is_file: &dyn Fn(&str) -> bool) -> Reading {
    let flags: Vec<bool> = output["has_nsfw_concepts"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|flag| flag.as_bool().unwrap_or(false))
        .collect();
    let pieces: Vec<Piece> = collect(output, Shape::Objects, is_file)
        .into_iter()
        .enumerate()
        .map(|(i, asset)| if flags.get(i) == Some(&true) { Piece::Filtered } else { Piece::File(asset) })
        .collect();
    let all_filtered = !pieces.is_empty() && pieces.iter().all(|piece| *piece == Piece::Filtered);
    let state = if all_filtered { JobState::Filtered } else { JobState::Succeeded };
    Reading { pieces: Pieces::Listed(pieces), ..Reading::of(state) }
}

/// Reads the answer to `GET /models/requests/by-endpoint`: the request by its id, or `None` where
/// the history may not be asked, or does not know it.
///
/// # Errors
/// Where it may answer in a moment.
pub fn history(
    status: u16,
    body: &[u8],
    id: &JobId,
    is_file: &dyn Fn(&str) -> bool,
) -> Result<Option<Reading>, Unread> {
    let history = match body_of::<History>(status, body) {
        Ok(history) => history,
        Err(unread) if matches!(unread.cause, Some(Cause::Passing | Cause::TooOften)) => return Err(unread),
        Err(_) => return Ok(None),
    };
    let request = history.items.into_iter().find(|request| request.request_id == id.as_str());
    Ok(request.map(|request| {
        let reading = of_request(&request, is_file);
        let (started_at, finished_at) = (request.started_at, request.ended_at);
        Reading { about: Some(id.clone()), started_at, finished_at, ..reading }
    }))
}

/// A page of the history, and what to ask for the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub jobs: Vec<ListedJob>,
    pub next: Option<String>,
}

/// Reads a page of the history.
///
/// # Errors
/// Where it is none.
pub fn page(status: u16, body: &[u8]) -> Result<Page, Unread> {
    let history = body_of::<History>(status, body)?;
    let jobs = history.items.into_iter().map(|request| ListedJob {
        state: of_request(&request, &|_| false).state,
        job_id: JobId::new(request.request_id),
        created_at: request.sent_at.or(request.started_at),
        model: request.endpoint_id,
        prompt: request.json_input["prompt"].as_str().map(str::to_owned),
        reference: None,
    });
    Ok(Page { jobs: jobs.collect(), next: history.next_cursor.filter(|_| history.has_more != Some(false)) })
}

/// What a document says that came without its question.
#[must_use]
pub fn explain(facts: &'static Facts, document: &Document<'_>) -> Explained {
    let is_file = |text: &str| text.starts_with("data:") || text.starts_with("https://");
    let json = document.json();
    let word = json["status"].as_str();
    let is_delivery = matches!(word, Some("OK" | "ERROR")) && json.get("request_id").is_some();
    if is_delivery || document.origin == Origin::Webhook {
        return Explained::job(facts, delivery(document.body, &is_file));
    }
    if json.get("billing_events").is_some() {
        return Explained::of(facts, Word::Billing);
    }
    match page(document.status, document.body) {
        Ok(page) => return Explained::list(facts, page.jobs),
        // A list that can't be read is no result.
        Err(unread) if json.get("has_more").is_some() => return Explained::job(facts, unread.into()),
        Err(_) => {}
    }
    // A request to cancel what has ended is refused with the word that it has.
    if word == Some("ALREADY_COMPLETED") {
        return Explained::of(facts, Word::Succeeded).noting(RESULT_TELLS);
    }
    if word.is_some_and(|word| QUEUE_WORDS.contains(&word)) {
        return match self::status(document.status, document.body) {
            Status::Settled(reading) => Explained::job(facts, reading),
            Status::AskResult => {
                Explained { terminal: true, ..Explained::of(facts, Word::Succeeded) }.noting(RESULT_TELLS)
            }
        };
    }
    // A refusal of the platform is none of a model.
    if json["error"]["type"].is_string()
        && let Err(unread) = body_of::<Value>(document.status, document.body)
    {
        return Explained::job(facts, unread.into());
    }
    let reading = result(document.status, document.body, &is_file);
    // A result that answers 5xx may be there a minute later, or never.
    let is_fault = document.status >= 500;
    let cause = if is_fault { Some(Cause::PassingOrFailed) } else { reading.cause };
    Explained::job(facts, Reading { cause, ..reading })
}

/// The words that only the queue's status has.
const QUEUE_WORDS: [&str; 4] = ["IN_QUEUE", "IN_PROGRESS", "COMPLETED", "CANCELLATION_REQUESTED"];

const RESULT_TELLS: &str = "the queue has no word for failure: only the result's own answer tells how it ended";

fn of_request(request: &Request, is_file: &dyn Fn(&str) -> bool) -> Reading {
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
/// of fal's own; it is final all the same.
#[must_use]
pub fn delivery(body: &[u8], is_file: &dyn Fn(&str) -> bool) -> Reading {
    let Ok(delivery) = serde_json::from_slice::<Delivery>(body) else {
        return Reading::unrecognised("the delivery can't be read");
    };
    let reading = match delivery.status.as_str() {
        "OK" => succeeded(&delivery.payload, is_file),
        "ERROR" => {
            let refusal = refused(delivery.payload.to_string().as_bytes());
            Reading { error: refusal.error.or_else(|| words_in(&delivery.error)), ..refusal }
        }
        word => Reading::unrecognised(format!("fal delivers {word:?}")),
    };
    Reading { about: Some(JobId::new(delivery.request_id)), ..reading }
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
