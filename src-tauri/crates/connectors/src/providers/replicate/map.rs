//! What Replicate's answers mean.

use std::time::Duration;

use makegood_domain::ids::JobId;
use makegood_domain::ports::ListedJob;
use makegood_domain::work::JobState;
use serde_json::Value;

use super::wire::{File, Prediction, Predictions};
use crate::providers::FileKind;
use crate::providers::files::{Shape, holds_more, holds_more_beside, places};
use crate::providers::reading::{Asset, Piece, Pieces, Reading, body_of, said, words_in};
use crate::providers::{Document, Explained, Facts, Word};

/// Reads the answer to `GET /predictions/{id}`. `is_file` tells addresses of files from texts that
/// a model may also return.
#[must_use]
pub fn explain(status: u16, body: &[u8], is_file: &dyn Fn(&str) -> bool) -> Reading {
    match body_of::<Prediction>(status, body) {
        Ok(prediction) => read(prediction, is_file),
        Err(unread) => unread.into(),
    }
}

/// A page of the list of predictions, and the address of the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub jobs: Vec<ListedJob>,
    pub next: Option<String>,
    /// All of its entries are predictions. One that can't be read might be the one that is sought.
    pub is_whole: bool,
}

/// Reads the answer to `GET /predictions`; `None` where it is no list.
#[must_use]
pub fn page(status: u16, body: &[u8]) -> Option<Page> {
    let predictions = body_of::<Predictions>(status, body).ok()?;
    let entries = predictions.results.len();
    let jobs: Vec<ListedJob> = predictions.results.into_iter().filter_map(listed).collect();
    Some(Page { is_whole: jobs.len() == entries, jobs, next: predictions.next })
}

fn listed(entry: Value) -> Option<ListedJob> {
    let prediction: Prediction = serde_json::from_value(entry).ok()?;
    Some(ListedJob {
        job_id: JobId::new(prediction.id.clone()?),
        created_at: prediction.created_at,
        model: prediction.model.clone(),
        prompt: prediction.input["prompt"].as_str().map(str::to_owned),
        reference: None,
        state: read(prediction, &|text| text.starts_with("https://")).state,
    })
}

fn read(prediction: Prediction, is_file: &dyn Fn(&str) -> bool) -> Reading {
    let error = words_in(&prediction.error);
    let word = prediction.status.as_deref().unwrap_or_default();
    let reading = match word {
        "starting" => Reading::of(JobState::Queued),
        "processing" => Reading::of(JobState::Processing),
        "succeeded" => succeeded(&prediction, is_file),
        "failed" if error.as_deref().is_some_and(names_a_filter) => Reading::of(JobState::Filtered),
        "failed" => Reading::of(JobState::Failed),
        // `aborted`: its deadline passed before it began.
        "canceled" | "aborted" => Reading::of(JobState::Cancelled),
        _ => Reading::unrecognised(format!("Replicate says {word:?} of the job")),
    };
    Reading {
        about: prediction.id.map(JobId::new),
        started_at: prediction.started_at,
        finished_at: prediction.completed_at,
        error: reading.error.or(error),
        ..reading
    }
}

/// Fields of a prediction with addresses that are no output: of itself, of where it was told, of what it wrote.
const OWN: [&str; 6] = ["urls", "webhook", "webhook_completed", "logs", "version", "metrics"];

/// Replicate empties the output after an hour and leaves the record. Items that a model's own
/// filter dropped are missing from the list without a mark, so the list's length is compared with
/// what was asked; where one left `null` in its place, the others keep theirs.
fn succeeded(prediction: &Prediction, is_file: &dyn Fn(&str) -> bool) -> Reading {
    let removed = prediction.data_removed == Some(true);
    let output = match &prediction.output {
        Some(output) => output,
        None if removed => &Value::Null,
        None => return Reading::unrecognised("Replicate says succeeded, and the field of the output is not there"),
    };
    if removed || output.is_null() {
        let told_elsewhere = !removed && holds_more_beside(&prediction.others, &OWN, &[]);
        return match told_elsewhere {
            true => Reading::unrecognised("Replicate says succeeded without an output, and tells an address elsewhere"),
            false => Reading { pieces: Pieces::Gone, ..Reading::of(JobState::Succeeded) },
        };
    }
    let found = places(output, Shape::Texts, is_file);
    // An address elsewhere is listed too, so that people are told of it; nobody follows it.
    // A link among the words of a text is none of them.
    let found = match found.is_empty() && is_of_addresses(output) {
        true => places(output, Shape::Texts, &is_address),
        false => found,
    };
    let files: Vec<Asset> = found.iter().flatten().cloned().collect();
    match files.is_empty() {
        false => {
            let pieces = found.into_iter().map(|place| place.map_or(Piece::Missing, Piece::File)).collect();
            let holds_more = holds_more(output, &files);
            Reading { pieces: Pieces::Listed(pieces), holds_more, ..Reading::of(JobState::Succeeded) }
        }
        // It may be what was ordered, or stand in the place of it, or tell where the file is: nobody says that no file
        // was made.
        true if is_text(output) => Reading { holds_more: true, ..Reading::of(JobState::Succeeded) }
            .saying("the model returned a text, and no file that is known as one"),
        true => Reading::unrecognised("Replicate says succeeded, and the output is neither file nor text"),
    }
}

fn is_address(text: &str) -> bool {
    let is_one = ["https://", "http://", "file://"].into_iter().any(|scheme| text.starts_with(scheme));
    is_one && !text.contains(char::is_whitespace)
}

/// Whether all texts of an output are addresses.
fn is_of_addresses(output: &Value) -> bool {
    match output {
        Value::String(text) => text.is_empty() || is_address(text),
        Value::Array(list) => list.iter().all(is_of_addresses),
        Value::Object(fields) => fields.values().all(is_of_addresses),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Whether an output says something of its own; an empty one does not. A path inside the machine that
/// the model ran on is a text like any other.
fn is_text(output: &Value) -> bool {
    match output {
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty() && list.iter().all(is_text),
        Value::Object(fields) => !fields.is_empty() && fields.values().all(is_text),
        Value::Number(_) | Value::Bool(_) => true,
        Value::Null => false,
    }
}

/// What a document says that came without its question: a prediction, as answered or delivered, a
/// training, which is told in the same words, a list, or a file.
#[must_use]
pub fn of_document(facts: &'static Facts, document: &Document<'_>, is_file: &dyn Fn(&str) -> bool) -> Explained {
    if let Some(page) = page(document.status, document.body) {
        return Explained::list(facts, page.jobs);
    }
    let json = document.json();
    if (200..300).contains(&document.status) && json.get("status").is_none() {
        if let (true, Ok(file)) = (json["content_type"].is_string(), serde_json::from_value::<File>(json.clone())) {
            return Explained::file(facts, &of_file(&file));
        }
        let is_account = json.get("username").is_some() && json.get("type").is_some();
        if is_account || json["key"].as_str().is_some_and(|key| key.starts_with("whsec_")) {
            return Explained::of(facts, Word::NotAJob);
        }
    }
    Explained::job(facts, explain(document.status, document.body, is_file))
}

fn of_file(file: &File) -> Asset {
    let url = file.urls["get"].as_str().unwrap_or_default().to_owned();
    let (bytes, finished_at) = (file.size.unwrap_or(0), file.created_at);
    let kind = file.content_type.as_deref().and_then(FileKind::of_media_type);
    Asset { url, bytes, available_until: file.expires_at, finished_at, kind, ..Asset::default() }
}

/// Words of models on Replicate for an output that their filter withheld.
fn names_a_filter(error: &str) -> bool {
    let error = error.to_ascii_lowercase();
    ["nsfw", "flagged as sensitive", "safety filter"].iter().any(|words| error.contains(words))
}

/// Replicate writes how long to wait into the text of a 429: `resets in ~30s`.
#[must_use]
pub fn delay_in(body: &[u8]) -> Option<Duration> {
    let text = said(body)?;
    let (_, rest) = text.split_once("resets in ~")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    rest[digits.len()..].starts_with('s').then(|| digits.parse().ok().map(Duration::from_secs))?
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn is_file(text: &str) -> bool {
        text.starts_with("https://replicate.delivery/")
    }

    fn explained(more: &Value) -> Reading {
        let mut body =
            json!({"id": "p9x7", "created_at": "2026-03-01T08:00:00Z", "started_at": "2026-03-01T08:00:01Z"});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        explain(200, body.to_string().as_bytes(), &is_file)
    }

    #[test]
    fn words_become_states() {
        use JobState::{Cancelled, Failed, Filtered, Processing, Queued, Succeeded, Unrecognised};
        for (more, want) in [
            (json!({"status": "starting"}), Queued),
            (json!({"status": "processing", "output": null}), Processing),
            (json!({"status": "succeeded", "output": "https://replicate.delivery/a/b.mp4"}), Succeeded),
            (json!({"status": "succeeded", "output": null}), Succeeded),
            (json!({"status": "succeeded", "data_removed": true}), Succeeded),
            (json!({"status": "succeeded"}), Unrecognised),
            (json!({"status": "succeeded", "metrics": {"predict_time": 2.0}}), Unrecognised),
            (json!({"status": "failed", "error": "CUDA error: device-side assert"}), Failed),
            (json!({"status": "failed", "error": {"detail": "no"}}), Failed),
            (json!({"status": "failed"}), Failed),
            (json!({"status": "failed", "error": "NSFW content was found in all outputs"}), Filtered),
            (json!({"status": "failed", "error": "The input or output was flagged as sensitive. (E005)"}), Filtered),
            (json!({"status": "canceled"}), Cancelled),
            (json!({"status": "aborted"}), Cancelled),
            (json!({"status": "SUCCEEDED"}), Unrecognised),
            (json!({"status": "paused"}), Unrecognised),
            (json!({"status": null}), Unrecognised),
            (json!({"status": 3}), Unrecognised),
            (json!({}), Unrecognised),
        ] {
            assert_eq!(explained(&more).state, want, "{more}");
        }
    }

    #[test]
    fn outputs_of_any_shape_become_pieces() {
        const UNKNOWN: usize = 99;
        let file = |n: u32| format!("https://replicate.delivery/q/{n}.webp");
        let count = |output: Value| match explained(&json!({"status": "succeeded", "output": output})).pieces {
            Pieces::Listed(pieces) => Some(pieces.len()),
            Pieces::Gone => None,
            Pieces::Unlisted => Some(UNKNOWN),
        };
        assert_eq!(count(json!(file(0))), Some(1));
        assert_eq!(count(json!([file(0), file(1)])), Some(2));
        assert_eq!(count(json!({"video": file(0), "thumbs": [file(1)]})), Some(2));
        let links = json!(["Foxes", " are canids, see ", "https://elsewhere.example/fox", "."]);
        for text in [
            json!("a poem"),
            json!(["a", "poem"]),
            json!(["/src/out.png"]),
            json!({"score": 0.5}),
            json!(42),
            json!("see https://elsewhere.example/fox for more"),
            links,
        ] {
            let reading = explained(&json!({"status": "succeeded", "output": text}));
            let told = (reading.state, reading.pieces, reading.holds_more);
            assert_eq!(
                told,
                (JobState::Succeeded, Pieces::Unlisted, true),
                "no file is known, and none is denied: {text}"
            );
        }
        assert_eq!(count(json!("see https://elsewhere.example/a.png")), Some(UNKNOWN), "a text that tells an address");
        assert_eq!(count(json!({"text": "done", "file": " https://replicate.delivery/q/1.webp"})), Some(UNKNOWN));
        assert_eq!(count(json!("data:image/svg+xml,<svg/>")), Some(UNKNOWN), "a file, and no base64");
        assert_eq!(count(json!("https://elsewhere.example/a.png")), Some(1), "told, and not followed");
        for lacking in [json!([]), json!({}), json!(""), json!([null])] {
            assert_eq!(count(lacking.clone()), Some(UNKNOWN), "{lacking} is neither file nor text");
        }
        assert_eq!(count(json!(null)), None, "emptied");
        let removed = explained(&json!({"status": "succeeded", "output": file(0), "data_removed": true}));
        assert_eq!(removed.pieces, Pieces::Gone);
        let own = json!({"status": "succeeded", "output": null, "webhook": "https://p.example/", "logs": "at https://p.example",
            "urls": {"get": "https://api.replicate.com/v1/predictions/p", "web": "https://replicate.com/p/p"}});
        assert_eq!(explained(&own).pieces, Pieces::Gone);
        let elsewhere = json!({"status": "succeeded", "output": null, "output_files": [file(0)]});
        assert_eq!(explained(&elsewhere).state, JobState::Unrecognised, "not gone: told in another place");
    }

    #[test]
    fn a_hole_in_the_list_is_a_missing_item() {
        let file = |n: u32| format!("https://replicate.delivery/q/{n}.webp");
        let pieces = |output: Value| match explained(&json!({"status": "succeeded", "output": output})).pieces {
            Pieces::Listed(pieces) => {
                let url = |piece: &Piece| matches!(piece, Piece::File(asset) if asset.url.starts_with("https://"));
                pieces.iter().map(url).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(pieces(json!([file(0), null, file(2)])), [true, false, true]);
        assert_eq!(pieces(json!([null, file(1)])), [false, true]);
        assert_eq!(pieces(json!({"images": [file(0), "", file(2)]})), [true, false, true]);
        assert_eq!(pieces(json!([file(0), null])), [true, false]);
    }

    #[test]
    fn times_and_id_are_read_and_odd_times_do_no_harm() {
        let reading =
            explained(&json!({"status": "succeeded", "output": "a poem", "completed_at": "2026-03-01T08:00:09.5Z"}));
        assert_eq!(reading.about, Some(JobId::from("p9x7")));
        assert_eq!(reading.finished_at.map(|t| t.to_string()).as_deref(), Some("2026-03-01T08:00:09.5Z"));
        let odd = explained(&json!({"status": "succeeded", "output": "a poem", "completed_at": {"when": "yesterday"}}));
        assert_eq!((odd.state, odd.finished_at), (JobState::Succeeded, None));
    }

    #[test]
    fn documents_are_told_apart() {
        let word = |status: u16, body: Value| {
            let text = body.to_string();
            let document = Document { origin: crate::providers::Origin::Webhook, status, body: text.as_bytes() };
            of_document(&super::super::FACTS, &document, &is_file).word
        };
        let prediction = |status: &str| json!({"id": "p", "status": status, "output": null, "completed_at": null});
        for (status, body, want) in [
            (200, prediction("processing"), Word::Running),
            (201, prediction("starting"), Word::Queued),
            (202, prediction("starting"), Word::Queued),
            (200, prediction("aborted"), Word::Cancelled),
            (200, json!({"results": [prediction("failed"), {"id": 7}, null], "next": null}), Word::List),
            (200, json!({"results": []}), Word::List),
            (
                200,
                json!({"id": "f", "content_type": "image/png", "size": 9, "urls": {"get": "https://api.example/f"}}),
                Word::AssetInfo,
            ),
            (200, json!({"type": "user", "username": "acme"}), Word::NotAJob),
            (200, json!({"key": "whsec_abc"}), Word::NotAJob),
            (200, json!({"id": "p"}), Word::Unknown),
            (401, json!({"title": "Unauthenticated", "detail": "no", "status": 401}), Word::AuthError),
            (402, json!({"title": "Insufficient credit", "status": 402}), Word::Permanent),
            (404, json!({"detail": "not found"}), Word::UnknownJob),
            (422, json!({"title": "Input validation failed", "detail": "no", "status": 422}), Word::Permanent),
            (429, json!({"detail": "throttled"}), Word::RateLimited),
            (503, json!({}), Word::Retryable),
        ] {
            assert_eq!(word(status, body.clone()), want, "{status} {body}");
        }
    }

    #[test]
    fn the_wait_is_found_in_the_text() {
        let wait = |text: &str| delay_in(json!({ "detail": text }).to_string().as_bytes());
        assert_eq!(wait("Throttled. Your limit resets in ~12s."), Some(Duration::from_secs(12)));
        assert_eq!(wait("Your limit resets in ~a while"), None);
        assert_eq!(wait("resets in ~5m"), None);
        assert_eq!(wait("no"), None);
    }

    #[test]
    fn pieces_keep_their_addresses() {
        let reading = explained(&json!({"status": "succeeded", "output": "https://replicate.delivery/a/b.mp4"}));
        let Pieces::Listed(pieces) = reading.pieces else { panic!("a list") };
        assert!(matches!(&pieces[..], [Piece::File(asset)] if asset.url == "https://replicate.delivery/a/b.mp4"));
    }
}
