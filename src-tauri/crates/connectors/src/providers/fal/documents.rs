//! What a document of fal's says that came without its question. Queue, results, platform and
//! webhooks share a few addresses and no envelope, so that only the shape tells them apart.

use makegood_domain::work::JobState;
use serde_json::Value;

use super::map::{Status, delivery, of_request, page, result, status};
use super::wire::Request;
use crate::providers::reading::{Asset, Cause, Pieces, Reading, words_in};
use crate::providers::{Document, Explained, Facts, Origin, Word};

/// The words that only the queue's status has.
const QUEUE_WORDS: [&str; 4] = ["IN_QUEUE", "IN_PROGRESS", "COMPLETED", "CANCELLATION_REQUESTED"];

const RESULT_TELLS: &str = "the queue has no word for failure: only the result's own answer tells how it ended";

/// Reads a document by its shape.
#[must_use]
pub fn explain(facts: &'static Facts, document: &Document<'_>) -> Explained {
    let is_file = |text: &str| text.starts_with("data:") || text.starts_with("https://");
    let json = document.json();
    let has = |name: &str| json.get(name).is_some();
    let word = json["status"].as_str();
    let is_of_queue = word.is_some_and(|word| QUEUE_WORDS.contains(&word));
    let is_delivery = matches!(word, Some("OK" | "ERROR")) && has("request_id");
    if is_delivery || (document.origin == Origin::Webhook && !is_of_queue) {
        return Explained::job(facts, delivery(document.body, &is_file));
    }
    if let Some(explained) = of_platform(facts, document.status, &json) {
        return explained;
    }
    match page(document.status, document.body) {
        Ok(page) => return Explained::list(facts, page.jobs),
        // A list that can't be read is no result.
        Err(unread) if has("has_more") => return Explained::job(facts, unread.into()),
        Err(_) => {}
    }
    // A request to cancel what has ended is refused with the word that it has.
    if word == Some("ALREADY_COMPLETED") {
        return Explained::of(facts, Word::Succeeded).noting(RESULT_TELLS);
    }
    let is_answered = (200..300).contains(&document.status);
    let is_kept = ["sent_at", "ended_at", "status_code"].into_iter().any(has);
    if is_answered
        && is_kept
        && has("request_id")
        && let Ok(request) = serde_json::from_value::<Request>(json.clone())
    {
        return Explained::job(facts, of_request(&request, &is_file));
    }
    // The answer to a request, which may leave the state out.
    if is_answered && word.is_none() && has("request_id") && (has("status_url") || has("response_url")) {
        return Explained::of(facts, Word::Queued);
    }
    // The queue's form with a word that it does not have is told as such, and not as a result.
    let has_form = ["request_id", "response_url", "status_url", "queue_position"].into_iter().any(has);
    if is_of_queue || (is_answered && word.is_some() && has_form) {
        return match status(document.status, document.body) {
            Status::Settled(reading) => Explained::job(facts, reading),
            Status::AskResult => {
                Explained { terminal: true, ..Explained::of(facts, Word::Succeeded) }.noting(RESULT_TELLS)
            }
        };
    }
    let reading = result(document.status, document.body, &is_file);
    // A result that answers 5xx may be there a minute later, or never.
    let cause = if document.status >= 500 { Some(Cause::PassingOrFailed) } else { reading.cause };
    Explained::job(facts, Reading { cause, ..reading })
}

/// Answers of `api.fal.ai` that are about no single request.
fn of_platform(facts: &'static Facts, status: u16, json: &Value) -> Option<Explained> {
    if !(200..300).contains(&status) {
        return platform_error(json).map(|reading| Explained::job(facts, reading));
    }
    let has = |name: &str| json.get(name).is_some();
    if ["billing_events", "time_series", "prices"].into_iter().any(has) || (has("credits") && has("username")) {
        return Some(Explained::of(facts, Word::Billing));
    }
    if has("webhook_ip_ranges") {
        return Some(Explained::of(facts, Word::NotAJob).noting("the addresses that webhooks come from"));
    }
    if let Some(results) = json["cdn_delete_results"].as_array() {
        return Some(match results.iter().all(|result| result["exception"].is_null()) {
            true => Explained::job(facts, Reading { pieces: Pieces::Gone, ..Reading::of(JobState::Succeeded) }),
            false => Explained::of(facts, Word::AssetInfo).noting("some of the files could not be deleted"),
        });
    }
    if let Some(url) = json["signed_url"].as_str() {
        return Some(Explained::file(facts, &Asset { url: url.to_owned(), ..Asset::default() }));
    }
    if has("expiration_duration_seconds") || has("initial_acl") || (has("default") && has("rules")) {
        let note = match json["expiration_duration_seconds"].as_u64() {
            Some(seconds) => format!("files are kept for {seconds} s from when they were made"),
            None => "nothing says that files expire".to_owned(),
        };
        return Some(Explained::of(facts, Word::AssetInfo).noting(note));
    }
    None
}

/// The platform's own form of an error, which says nothing of a request: the queue's has `detail`.
fn platform_error(json: &Value) -> Option<Reading> {
    let error = json.get("error").filter(|_| json.get("detail").is_none())?;
    let (state, cause) = match error["type"].as_str()? {
        "authorization_error" => (JobState::LookupFailed, Some(Cause::KeyRefused)),
        "rate_limited" => (JobState::LookupFailed, Some(Cause::TooOften)),
        "server_error" => (JobState::LookupFailed, Some(Cause::Passing)),
        "validation_error" | "not_implemented" => (JobState::LookupFailed, Some(Cause::Refused)),
        "not_found" => (JobState::NotFound, None),
        _ => return None,
    };
    Some(Reading { cause, error: words_in(error), ..Reading::of(state) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn word(origin: Origin, status: u16, body: &Value) -> Word {
        let text = body.to_string();
        explain(&super::super::FACTS, &Document { origin, status, body: text.as_bytes() }).word
    }

    #[test]
    fn the_queues_form_is_never_taken_for_a_result() {
        for (body, want) in [
            (json!({"status": "IN_QUEUE", "request_id": "r"}), Word::Queued),
            (json!({"status": "CANCELLATION_REQUESTED"}), Word::Running),
            (json!({"status": "COMPLETED"}), Word::Succeeded),
            (json!({"status": "COMPLETED", "error_type": "client_cancelled"}), Word::Cancelled),
            (json!({"status": "FAILED", "request_id": "r"}), Word::Unknown),
            (json!({"status": "completed", "response_url": "https://queue.fal.run/a/b/requests/r"}), Word::Unknown),
            (json!({"status": "failed"}), Word::Unknown),
            (json!({"request_id": "r", "ended_at": null, "sent_at": "2026-03-01T08:00:00Z"}), Word::Running),
            (json!({"request_id": "r", "ended_at": "2026-03-01T08:00:00Z", "status_code": 200}), Word::Expired),
            (json!({"request_id": "r", "ended_at": "2026-03-01T08:00:00Z", "status_code": 422}), Word::Failed),
        ] {
            assert_eq!(word(Origin::Answer, 200, &body), want, "{body}");
            assert_eq!(word(Origin::List, 200, &body), want, "{body}");
        }
        assert_eq!(word(Origin::Answer, 400, &json!({"status": "ALREADY_COMPLETED"})), Word::Succeeded);
        assert_eq!(word(Origin::Answer, 404, &json!({"status": "NOT_FOUND"})), Word::ExpiredOrUnknown);
    }

    #[test]
    fn a_result_without_its_file_is_no_success() {
        let file = json!({"url": "https://v3b.fal.media/f/a.mp4"});
        for (body, want) in [
            (json!({"video": file}), Word::Succeeded),
            (json!({"images": ["https://v3b.fal.media/f/a.png"], "seed": 1}), Word::Succeeded),
            (json!({"output": "a caption", "image_url": "https://v3b.fal.media/in.png"}), Word::Unknown),
            (json!({"output": "an answer", "error": null, "partial": false}), Word::Succeeded),
            (json!({"images": []}), Word::Unknown),
            (json!({"video": null, "seed": 3}), Word::Unknown),
            (json!({}), Word::Unknown),
            (json!(null), Word::Unknown),
            (json!({"detail": "Input is too long"}), Word::Unknown),
            (json!({"error": {"message": "It broke"}}), Word::Unknown),
        ] {
            assert_eq!(word(Origin::Answer, 200, &body), want, "{body}");
        }
        for (status, want) in
            [(422, Word::Failed), (499, Word::Cancelled), (402, Word::Permanent), (504, Word::RetryableOrFailed)]
        {
            assert_eq!(word(Origin::Answer, status, &json!({"detail": "no"})), want, "{status}");
        }
    }

    #[test]
    fn deliveries_are_read_whole_or_not() {
        let file = json!({"images": [{"url": "https://v3b.fal.media/f/a.png"}]});
        for (body, want) in [
            (json!({"request_id": "r", "status": "OK", "payload": file}), Word::Succeeded),
            (
                json!({"request_id": "r", "status": "OK", "payload": null, "payload_error": "Too large"}),
                Word::Succeeded,
            ),
            (json!({"request_id": "r", "status": "OK", "payload": null}), Word::Unknown),
            (
                json!({"request_id": "r", "status": "ERROR", "payload": null, "error": "Invalid status code: 404"}),
                Word::Failed,
            ),
            (
                json!({"request_id": "r", "status": "ERROR", "payload": null, "error": "Invalid status code: 422"}),
                Word::Failed,
            ),
            (
                json!({"request_id": "r", "status": "ERROR", "payload": null, "error": "Invalid status code: 504"}),
                Word::Retryable,
            ),
            (
                json!({"request_id": "r", "status": "ERROR", "payload": null, "payload_error": "none", "error": "Invalid status code: 500"}),
                Word::Retryable,
            ),
            (
                json!({"request_id": "r", "status": "ERROR", "payload": null, "error": "Invalid status code: 408"}),
                Word::Retryable,
            ),
            (
                json!({"request_id": "r", "status": "ERROR", "payload": {"detail": "It broke"}, "error": "Invalid status code: 500"}),
                Word::Failed,
            ),
            (json!({"request_id": "r", "status": "ERROR", "payload": null, "error": "Out of memory"}), Word::Failed),
            (
                json!({"status": "ERROR", "error": "Invalid status code: 422", "payload": {"detail": "no"}}),
                Word::Failed,
            ),
            (
                json!({"request_id": "r", "status": "ERROR", "error": "gone", "error_type": "client_cancelled", "payload": null}),
                Word::Cancelled,
            ),
            (
                json!({"request_id": "r", "status": "ERROR", "error": "gone", "error_type": "startup_timeout", "payload": null}),
                Word::Failed,
            ),
            (json!({"request_id": "r", "status": "LATER"}), Word::Unknown),
            (json!({"request_id": "r", "status": "IN_PROGRESS"}), Word::Running),
            (json!({}), Word::Unknown),
        ] {
            assert_eq!(word(Origin::Webhook, 200, &body), want, "{body}");
        }
    }

    #[test]
    fn the_platform_is_told_apart() {
        let error = |kind: &str| json!({"error": {"type": kind, "message": "as it says"}});
        let deleted = |exception: Value| json!({"cdn_delete_results": [{"link": "https://v3.fal.media/a", "exception": exception}]});
        for (status, body, want) in [
            (200, json!({"billing_events": [], "has_more": false}), Word::Billing),
            (200, json!({"time_series": [], "has_more": false}), Word::Billing),
            (200, json!({"prices": []}), Word::Billing),
            (200, json!({"username": "acme", "credits": {"current_balance": 2.5}}), Word::Billing),
            (200, json!({"webhook_ip_ranges": ["192.0.2.1/32"]}), Word::NotAJob),
            (200, json!({"expiration_duration_seconds": 3600, "initial_acl": null}), Word::AssetInfo),
            (200, json!({"default": "forbid", "rules": []}), Word::AssetInfo),
            (200, json!({"signed_url": "https://v3.fal.media/a.png?identity=x"}), Word::AssetInfo),
            (200, deleted(json!(null)), Word::Expired),
            (200, deleted(json!("not found")), Word::AssetInfo),
            (200, json!({"items": [{"request_id": "r"}, {"request_id": null}], "has_more": false}), Word::List),
            (200, json!({"results": []}), Word::List),
            (400, error("validation_error"), Word::Permanent),
            (401, error("authorization_error"), Word::AuthError),
            (403, error("authorization_error"), Word::AuthError),
            (404, error("not_found"), Word::ExpiredOrUnknown),
            (429, error("rate_limited"), Word::RateLimited),
            (500, error("server_error"), Word::Retryable),
            (501, error("not_implemented"), Word::Permanent),
        ] {
            assert_eq!(word(Origin::Answer, status, &body), want, "{status} {body}");
        }
    }
}
