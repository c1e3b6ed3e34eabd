//! What the Dream Machine's answers mean.

use makegood_domain::ids::JobId;
use makegood_domain::ports::ListedJob;
use makegood_domain::work::JobState;
use serde_json::Value;

use super::wire::{Assets, Generation};
use crate::providers::files::holds_more_beside;
use crate::providers::reading::{Asset, Reading, Unread, body_of, words_in};
use crate::providers::{Document, Explained, Facts, FileKind, Word};

/// Reads the answer to `GET /generations/{id}`.
#[must_use]
pub fn explain(status: u16, body: &[u8]) -> Reading {
    match body_of::<Generation>(status, body) {
        Ok(generation) => read(generation),
        Err(unread) => unread.into(),
    }
}

fn read(generation: Generation) -> Reading {
    let reason = words_in(&generation.failure_reason);
    let word = generation.state.as_deref().unwrap_or_default();
    let reading = match word {
        "queued" => Reading::of(JobState::Queued),
        "dreaming" => Reading::of(JobState::Processing),
        "completed" => completed(generation.assets),
        "failed" if reason.as_deref().is_some_and(names_a_filter) => Reading::of(JobState::Filtered),
        "failed" => Reading::of(JobState::Failed),
        _ => Reading::unrecognised(format!("Luma says {word:?} of the generation")),
    };
    Reading { about: generation.id.map(JobId::new), error: reading.error.or(reason), ..reading }
}

/// A generation makes one file. Where a video comes with an image, that is only its first picture.
fn completed(assets: Assets) -> Reading {
    let made = [(assets.video, FileKind::Video), (assets.image, FileKind::Image)];
    let made = made.into_iter().find_map(|(url, kind)| Some((url.filter(|url| !url.is_empty())?, Some(kind))));
    let holds_more = holds_more_beside(&assets.others, &["progress_video"], &[]);
    match made {
        Some((url, kind)) => {
            Reading { holds_more, ..Reading::with_files(vec![Asset { url, kind, ..Asset::default() }]) }
        }
        None => Reading::unrecognised("Luma says that the generation is completed, and names no file"),
    }
}

/// Words of a failure that the prompt, a picture or the result was refused for what it shows.
pub fn names_a_filter(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    ["moderat", "not allowed because", "content policy", "nsfw"].iter().any(|mark| reason.contains(mark))
}

/// A page of the list, and whether there are more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub jobs: Vec<ListedJob>,
    pub has_more: bool,
}

/// Reads the answer to `GET /generations`, which older versions send without what is round it.
///
/// # Errors
/// Where it is no list.
pub fn page(status: u16, body: &[u8]) -> Result<Page, Unread> {
    let json: Value = body_of(status, body)?;
    let list = match &json {
        Value::Array(list) => Some(list),
        _ => json["generations"].as_array(),
    };
    let list = list.ok_or_else(|| Unread::refused("the list can't be read"))?;
    // What can't be read stands for a whole list that can't: it might be the one that is sought.
    let jobs: Option<Vec<ListedJob>> = list.iter().map(listed).collect();
    let jobs = jobs.ok_or_else(|| Unread::refused("the list holds what is no generation"))?;
    Ok(Page { jobs, has_more: json["has_more"] == true })
}

fn listed(value: &Value) -> Option<ListedJob> {
    let generation: Generation = serde_json::from_value(value.clone()).ok()?;
    Some(ListedJob {
        job_id: JobId::new(generation.id.clone()?),
        created_at: generation.created_at,
        model: generation.model.clone(),
        prompt: generation.request["prompt"].as_str().map(str::to_owned),
        reference: None,
        state: read(generation).state,
    })
}

/// What a document says that came without its question.
#[must_use]
pub fn of_document(facts: &'static Facts, document: &Document<'_>) -> Explained {
    let json = document.json();
    if let Ok(page) = page(document.status, document.body) {
        return Explained::list(facts, page.jobs);
    }
    if json.get("credit_balance").is_some() {
        return Explained::of(facts, Word::Billing);
    }
    let names: Option<Vec<&str>> = json.as_array().and_then(|list| list.iter().map(Value::as_str).collect());
    if names.is_some() || json["message"] == "pong" {
        return Explained::of(facts, Word::NotAJob);
    }
    if document.status == 204 {
        return Explained::of(facts, Word::NotAJob).noting("the generation was deleted on request");
    }
    Explained::job(facts, explain(document.status, document.body))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::providers::Origin;
    use crate::providers::reading::{Piece, Pieces};

    #[test]
    fn words_become_states() {
        use JobState::{Failed, Filtered, Processing, Queued, Succeeded, Unrecognised};
        for (body, want) in [
            (json!({"state": "queued"}), Queued),
            (json!({"state": "dreaming", "assets": {"progress_video": "https://c.example/p.mp4"}}), Processing),
            (json!({"state": "completed", "assets": {"video": "https://c.example/v.mp4"}}), Succeeded),
            (json!({"state": "completed", "assets": {"image": "https://c.example/i.jpg"}}), Succeeded),
            (json!({"state": "completed", "assets": null}), Unrecognised),
            (json!({"state": "completed", "assets": {"video": null, "image": ""}}), Unrecognised),
            (json!({"state": "completed", "assets": {"progress_video": "https://c.example/p.mp4"}}), Unrecognised),
            (json!({"state": "completed", "assets": "soon"}), Unrecognised),
            (json!({"state": "failed", "failure_reason": "400: advanced moderation failed"}), Filtered),
            (json!({"state": "failed", "failure_reason": "500: internal"}), Failed),
            (json!({"state": "failed", "failure_reason": null}), Failed),
            (json!({"state": "processing"}), Unrecognised),
            (json!({"state": "COMPLETED"}), Unrecognised),
            (json!({"state": null}), Unrecognised),
            (json!({}), Unrecognised),
        ] {
            assert_eq!(explain(200, body.to_string().as_bytes()).state, want, "{body}");
        }
    }

    #[test]
    fn the_video_is_the_one_file() {
        let body = json!({"id": "g", "state": "completed",
            "assets": {"image": "https://c.example/i.jpg", "video": "https://c.example/v.mp4", "progress_video": "https://c.example/p.mp4"}});
        let Pieces::Listed(pieces) = explain(200, body.to_string().as_bytes()).pieces else { panic!("a list") };
        assert!(matches!(&pieces[..], [Piece::File(asset)] if asset.url == "https://c.example/v.mp4"));
    }

    #[test]
    fn assets_of_other_names_are_kept_in_mind() {
        let (video, other) = ("https://c.example/v.mp4", "https://c.example/w.mp4");
        for (assets, want) in [
            (json!({"video": video, "image": other, "progress_video": other, "n": 1, "note": null}), false),
            (json!({"video": video, "video_4k": other}), true),
            (json!({"image": video, "variants": [{"url": other}]}), true),
        ] {
            let body = json!({"id": "g", "state": "completed", "assets": assets});
            assert_eq!(explain(200, body.to_string().as_bytes()).holds_more, want, "{body}");
        }
    }

    #[test]
    fn documents_are_told_apart() {
        let generation = json!({"id": "g", "state": "queued", "created_at": "2026-03-01T08:00:00Z"});
        for (status, body, want) in [
            (200, json!({"generations": [generation], "has_more": false}), Word::List),
            (200, json!({"generations": []}), Word::List),
            (200, json!([generation]), Word::List),
            (200, json!({"generations": [7]}), Word::Unknown),
            (200, json!(["pan_left", "orbit"]), Word::NotAJob),
            (200, json!({"message": "pong"}), Word::NotAJob),
            (200, json!({"credit_balance": 40}), Word::Billing),
            (201, generation.clone(), Word::Queued),
            (400, json!({"detail": "Insufficient credits"}), Word::Permanent),
            (401, json!({"detail": "Not authenticated"}), Word::AuthError),
            (403, json!({"detail": "Invalid key"}), Word::AuthError),
            (404, json!({"detail": "Generation not found"}), Word::ExpiredOrUnknown),
            (422, json!({"detail": [{"loc": ["path", "id"], "msg": "no uuid", "type": "uuid"}]}), Word::Permanent),
            (429, json!({"detail": "Too many"}), Word::RateLimited),
            (502, json!({}), Word::Retryable),
        ] {
            let text = body.to_string();
            let document = Document { origin: Origin::Answer, status, body: text.as_bytes() };
            assert_eq!(of_document(&super::super::FACTS, &document).word, want, "{status} {text}");
        }
    }
}
