//! What ElevenLabs' answers mean. Speech is made while the caller waits: there is no job, and the
//! history is the proof that something was made, and where it still is.

use makegood_domain::ids::JobId;
use makegood_domain::ports::ListedJob;
use makegood_domain::work::JobState;
use serde_json::Value;

use super::wire::{Dub, History, Item};
use crate::providers::reading::{Asset, Cause, Pieces, Reading, Unread, body_of, words_in};
use crate::providers::{Document, Explained, Facts, FileKind, Word};

/// Reads the answer to `GET /history/{id}`. The file's address is made from the id, at `base`.
#[must_use]
pub fn explain(status: u16, body: &[u8], base: &str) -> Reading {
    match refusal(status, body) {
        Some(reading) => reading,
        None => match body_of::<Item>(status, body) {
            Ok(item) => of_item(&item, base),
            Err(unread) => unread.into(),
        },
    }
}

/// What the history says of one item.
#[must_use]
pub fn of_item(item: &Item, base: &str) -> Reading {
    let word = item.state.as_deref().unwrap_or_default();
    let reading = match (word, &item.history_item_id) {
        ("processing", _) => Reading::of(JobState::Processing),
        ("created", Some(id)) => {
            let url = format!("{}/history/{id}/audio", base.trim_end_matches('/'));
            let kind = item.content_type.as_deref().and_then(FileKind::of_media_type).or(Some(FileKind::Audio));
            Reading::with_files(vec![Asset { url, kind, ..Asset::default() }])
        }
        ("created", None) => Reading::unrecognised("the item has no id to fetch it by"),
        ("deleted", _) => Reading { pieces: Pieces::Gone, ..Reading::of(JobState::Succeeded) },
        _ => Reading::unrecognised(format!("ElevenLabs says {word:?} of the item")),
    };
    Reading { about: item.history_item_id.clone().map(JobId::new), finished_at: item.date_unix, ..reading }
}

/// Reads the answer to `GET /dubbing/{id}`: one file a language, in the order of the languages.
#[must_use]
pub fn explain_dub(status: u16, body: &[u8], base: &str) -> Reading {
    match refusal(status, body) {
        Some(reading) => reading,
        None => match body_of::<Dub>(status, body) {
            Ok(dub) => of_dub(dub, base),
            Err(unread) => unread.into(),
        },
    }
}

fn of_dub(dub: Dub, base: &str) -> Reading {
    let word = dub.status.as_deref().unwrap_or_default();
    let kind = dub.media_metadata["content_type"].as_str().and_then(FileKind::of_media_type);
    let file = |language: &String| {
        let url = format!("{}/dubbing/{}/audio/{language}", base.trim_end_matches('/'), dub.dubbing_id);
        Asset { url, kind, ..Asset::default() }
    };
    let reading = match word {
        "queued" => Reading::of(JobState::Queued),
        "preparing" | "cloning" | "dubbing" => Reading::of(JobState::Processing),
        "dubbed" if !dub.target_languages.is_empty() => {
            Reading::with_files(dub.target_languages.iter().map(file).collect())
        }
        "dubbed" => Reading::unrecognised("the dub is done, and names no language"),
        "failed" => Reading::of(JobState::Failed),
        _ => Reading::unrecognised(format!("ElevenLabs says {word:?} of the dub")),
    };
    let error = reading.error.or_else(|| words_in(&dub.error));
    Reading { about: Some(JobId::new(dub.dubbing_id)), error, ..reading }
}

/// Refusals that say more than their status: newer ones in `code`, older ones in `status`.
fn refusal(status: u16, body: &[u8]) -> Option<Reading> {
    if !matches!(status, 400..=499) {
        return None;
    }
    let detail = serde_json::from_slice::<Value>(body).ok()?.get("detail").cloned()?;
    let codes = [detail["code"].as_str(), detail["status"].as_str()];
    let says = |words: &[&str]| codes.iter().flatten().any(|code| words.contains(code));
    let failed = |cause| Reading { cause: Some(cause), ..Reading::of(JobState::LookupFailed) };
    let reading = if says(&["history_item_not_found", "dubbing_not_found"]) {
        Reading::of(JobState::NotFound)
    } else if says(&["content_against_policy"]) {
        // The request for speech was the job.
        Reading::of(JobState::Filtered)
    } else if says(&["quota_exceeded", "insufficient_credits"]) {
        // Answered with 401, although the key is taken.
        failed(Cause::Refused)
    } else if says(&["invalid_api_key", "missing_permissions", "needs_authorization"]) {
        failed(Cause::KeyRefused)
    } else if says(&["too_many_concurrent_requests", "concurrent_limit_exceeded", "system_busy", "rate_limit_exceeded"])
    {
        failed(Cause::TooOften)
    } else {
        return None;
    };
    let code = codes.into_iter().flatten().next().unwrap_or_default();
    Some(reading.saying(format!("HTTP {status}: {code}: {}", words_in(&detail).unwrap_or_default())))
}

/// A page of the history, and the item after which the next begins.
#[derive(Clone, Debug)]
pub struct Page {
    pub items: Vec<Item>,
    pub next: Option<String>,
}

/// Reads the answer to `GET /history`.
///
/// # Errors
/// Where it is none.
pub fn page(status: u16, body: &[u8]) -> Result<Page, Unread> {
    let history = body_of::<History>(status, body)?;
    let last = history.last_history_item_id.or_else(|| history.history.last()?.history_item_id.clone());
    Ok(Page { items: history.history, next: last.filter(|_| history.has_more == Some(true)) })
}

/// An item as a job of a list; `None` where it has no id.
#[must_use]
pub fn listed(item: Item) -> Option<ListedJob> {
    let state = of_item(&item, "").state;
    Some(ListedJob {
        job_id: JobId::new(item.history_item_id?),
        state,
        created_at: item.date_unix,
        model: item.model_id,
        prompt: item.text,
        reference: item.request_id,
    })
}

/// What a document says that came without its question.
#[must_use]
pub fn of_document(facts: &'static Facts, document: &Document<'_>) -> Explained {
    let json = document.json();
    if let Ok(page) = page(document.status, document.body) {
        return Explained::list(facts, page.items.into_iter().filter_map(listed).collect());
    }
    let is_answered = (200..300).contains(&document.status);
    let has = |name: &str| json.get(name).is_some();
    if is_answered && (has("subscription") || (has("character_count") && has("character_limit"))) {
        return Explained::of(facts, Word::Billing);
    }
    if let Some(text) = json["audio_base64"].as_str().filter(|text| is_answered && !text.is_empty()) {
        let asset = Asset { url: format!("data:audio/mpeg;base64,{text}"), ..Asset::default() };
        return Explained::job(facts, Reading::with_files(vec![asset]));
    }
    // The answer to a request for a dub.
    if is_answered && has("dubbing_id") && has("expected_duration_sec") && !has("status") {
        return Explained::job(facts, Reading::of(JobState::Queued));
    }
    if has("dubbing_id") {
        return Explained::job(facts, explain_dub(document.status, document.body, facts.base_url));
    }
    // What was deleted on request, and what its webhooks tell, all of other products.
    if is_answered && (json["status"] == "ok" || (json["type"].is_string() && has("event_timestamp"))) {
        return Explained::of(facts, Word::NotAJob);
    }
    Explained::job(facts, explain(document.status, document.body, facts.base_url))
}

#[cfg(test)]
mod tests;
