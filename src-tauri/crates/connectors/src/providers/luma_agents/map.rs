//! What the answers of the Luma Agents API mean.

use makegood_domain::ids::JobId;
use makegood_domain::ports::ListedJob;
use makegood_domain::work::JobState;
use serde_json::Value;

use super::wire::Generation;
use crate::providers::luma::map::names_a_filter;
use crate::providers::reading::{Asset, Reading, body_of, words_in};
use crate::providers::{Document, Explained, Facts, FileKind};

/// Reads the answer to `GET /generations/{id}`.
#[must_use]
pub fn explain(status: u16, body: &[u8]) -> Reading {
    match body_of::<Generation>(status, body) {
        Ok(generation) => read(generation),
        Err(unread) => unread.into(),
    }
}

fn read(generation: Generation) -> Reading {
    let word = generation.state.clone().unwrap_or_default();
    let code = generation.failure_code.as_deref();
    let reason = words_in(&generation.failure_reason);
    let is_filtered =
        code == Some("content_moderated") || (code.is_none() && reason.as_deref().is_some_and(names_a_filter));
    let reading = match word.as_str() {
        "queued" => Reading::of(JobState::Queued),
        "processing" => Reading::of(JobState::Processing),
        "completed" => completed(&generation),
        "failed" if is_filtered => Reading::of(JobState::Filtered),
        // Whatever the code: `output_not_found` is our symptom, told by the provider itself, and
        // `rate_limited` is the generation's end as well, not a refusal of the question.
        "failed" => Reading::of(JobState::Failed),
        _ => Reading::unrecognised(format!("Luma says {word:?} of the generation")),
    };
    let error = match (code, reason) {
        (Some(code), Some(reason)) => Some(format!("{code}: {reason}")),
        (code, reason) => reason.or(code.map(str::to_owned)),
    };
    Reading { about: generation.id.map(JobId::new), error: reading.error.or(error), ..reading }
}

fn completed(generation: &Generation) -> Reading {
    let output = generation.output.as_deref().unwrap_or_default();
    let files: Vec<Asset> = output
        .iter()
        .filter_map(|file| {
            let url = file.url.clone().filter(|url| !url.is_empty())?;
            Some(Asset { url, kind: file.kind.as_deref().and_then(FileKind::of_word), ..Asset::default() })
        })
        .collect();
    if files.is_empty() || files.len() != output.len() {
        return Reading::unrecognised("Luma says that the generation is completed, and a file has no address");
    }
    Reading::with_files(files)
}

/// What a document says that came without its question. No list is documented; one that comes all
/// the same is read.
#[must_use]
pub fn of_document(facts: &'static Facts, document: &Document<'_>) -> Explained {
    let json = document.json();
    let list = json.as_array().or_else(|| json["generations"].as_array()).or_else(|| json["data"].as_array());
    match list.map(|list| list.iter().map(listed).collect::<Option<Vec<_>>>()) {
        Some(Some(jobs)) if (200..300).contains(&document.status) => Explained::list(facts, jobs),
        _ => Explained::job(facts, explain(document.status, document.body)),
    }
}

fn listed(value: &Value) -> Option<ListedJob> {
    let generation: Generation = serde_json::from_value(value.clone()).ok()?;
    Some(ListedJob {
        job_id: JobId::new(generation.id.clone()?),
        created_at: generation.created_at,
        model: generation.model.clone(),
        prompt: None,
        reference: None,
        state: read(generation).state,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::providers::{Origin, Word};

    #[test]
    fn words_and_codes_become_states() {
        use JobState::{Failed, Filtered, Processing, Queued, Succeeded, Unrecognised};
        let file = json!({"type": "video", "url": "https://c.example/v.mp4?sig=x"});
        for (body, want) in [
            (json!({"state": "queued"}), Queued),
            (json!({"state": "processing", "output": null}), Processing),
            (json!({"state": "dreaming"}), Unrecognised),
            (json!({"state": "completed", "output": [file, file]}), Succeeded),
            (json!({"state": "completed", "output": []}), Unrecognised),
            (json!({"state": "completed", "output": null}), Unrecognised),
            (json!({"state": "completed", "output": [file, {"type": "video"}]}), Unrecognised),
            (json!({"state": "failed", "failure_code": "output_not_found", "output": []}), Failed),
            (json!({"state": "failed", "failure_code": "budget_exhausted"}), Failed),
            (json!({"state": "failed", "failure_code": "rate_limited"}), Failed),
            (json!({"state": "failed", "failure_code": "a_new_one"}), Failed),
            (json!({"state": "failed", "failure_code": "content_moderated"}), Filtered),
            (json!({"state": "failed", "failure_reason": "It did not pass moderation"}), Filtered),
            (json!({"state": "failed"}), Failed),
            (json!({"state": 4}), Unrecognised),
            (json!({}), Unrecognised),
        ] {
            assert_eq!(explain(200, body.to_string().as_bytes()).state, want, "{body}");
        }
        let told = explain(200, br#"{"state":"failed","failure_code":"corrupt_input","failure_reason":"The picture"}"#);
        assert_eq!(told.error.as_deref(), Some("corrupt_input: The picture"));
    }

    #[test]
    fn documents_are_told_apart() {
        let generation = json!({"id": "g", "state": "queued"});
        for (status, body, want) in [
            (201, generation.clone(), Word::Queued),
            (200, json!([generation]), Word::List),
            (200, json!({"data": [generation]}), Word::List),
            (200, json!({"data": ["x"]}), Word::Unknown),
            (400, json!({"detail": "No such model"}), Word::Permanent),
            (401, json!({"detail": "No key"}), Word::AuthError),
            (403, json!({"error": {"message": "No"}}), Word::AuthError),
            (404, json!({"detail": "Not found"}), Word::ExpiredOrUnknown),
            (409, json!({"detail": "Conflict"}), Word::Permanent),
            (422, json!({"detail": [{"msg": "no"}]}), Word::Permanent),
            (429, json!({"detail": "Slow down"}), Word::RateLimited),
            (500, json!({}), Word::Retryable),
        ] {
            let text = body.to_string();
            let document = Document { origin: Origin::Answer, status, body: text.as_bytes() };
            assert_eq!(of_document(&super::super::FACTS, &document).word, want, "{status} {text}");
        }
    }
}
