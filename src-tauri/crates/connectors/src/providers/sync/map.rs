//! What Sync's answers mean.

use makegood_domain::ids::JobId;
use makegood_domain::ports::ListedJob;
use makegood_domain::work::JobState;
use serde_json::Value;

use super::wire::Generation;
use crate::providers::FileKind;
use crate::providers::reading::{Asset, Reading, body_of, words_in};

/// Reads the answer to `GET /v2/generate/{id}`, a delivery, or the answer to a submission.
#[must_use]
pub fn explain(status: u16, body: &[u8]) -> Reading {
    if status >= 400 {
        return refused(status, body);
    }
    let value = match body_of::<Value>(status, body) {
        Ok(value) => value,
        Err(unread) => return unread.into(),
    };
    match serde_json::from_value::<Generation>(unwrapped(value)) {
        Ok(generation) => match (&generation.status, generation.status_code) {
            // A refusal that came with the status of an answer.
            (None, Some(code)) if code >= 400 => refused(code, body),
            _ => read(&generation),
        },
        Err(error) => Reading::unrecognised(format!("the generation can't be read: {error}")),
    }
}

/// The generation itself, where a delivery has an envelope round it.
fn unwrapped(value: Value) -> Value {
    let inner = ["data", "generation"].into_iter().filter_map(|name| value.get(name)).find(|one| one.is_object());
    match inner {
        Some(inner) if value.get("status").is_none() => inner.clone(),
        _ => value,
    }
}

/// A refusal tells nothing of a job; except that some of a submission can leave it open whether
/// there is one.
fn refused(status: u16, body: &[u8]) -> Reading {
    let reading: Reading = match body_of::<Value>(status, body) {
        Ok(_) => Reading::unrecognised("an answer without a generation"),
        Err(unread) => unread.into(),
    };
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    // Its pages write the code in three ways.
    let is_code = |text: &&str| text.contains('_') && !text.contains(char::is_whitespace);
    let code = ["errorCode", "code", "error"].into_iter().find_map(|name| value[name].as_str().filter(is_code));
    match code {
        Some(code) if code.ends_with("_OUTCOME_UNKNOWN") => {
            let about = value["generationId"].as_str().map(JobId::new);
            Reading { about, ..Reading::unrecognised(format!("{code}: whether there is a generation is not known")) }
        }
        Some(code) if code.ends_with("_IN_PROGRESS") => {
            Reading { cause: Some(crate::providers::Cause::Passing), ..reading }
        }
        _ => reading,
    }
}

fn read(generation: &Generation) -> Reading {
    let word = generation.status.as_deref().unwrap_or_default();
    let reading = match word {
        "PENDING" => Reading::of(JobState::Queued),
        "PROCESSING" => Reading::of(JobState::Processing),
        "COMPLETED" => completed(generation),
        // Refused before it began, and just as final. `TIMED_OUT` is a word of the vendor's own library for Python
        // alone (sync-python-sdk, GenerationStatus).
        "FAILED" | "REJECTED" | "TIMED_OUT" => failed(generation),
        // With one L: docs.sync.so, Get Generation.
        "CANCELED" => Reading::of(JobState::Cancelled),
        _ => Reading::unrecognised(format!("Sync says {word:?} of the generation")),
    };
    Reading { about: generation.id.as_deref().map(JobId::new), ..reading }
}

fn completed(generation: &Generation) -> Reading {
    let urls = [&generation.output_media_url, &generation.output_url];
    match urls.into_iter().filter_map(Value::as_str).find(|url| !url.is_empty()) {
        Some(url) => Reading::with_files(vec![made(url.to_owned())]),
        None => Reading::unrecognised("Sync says COMPLETED, and names no output"),
    }
}

/// What a generation makes: the video that was sent, with other lips.
#[must_use]
pub fn made(url: String) -> Asset {
    Asset { url, kind: Some(FileKind::Video), ..Asset::default() }
}

fn failed(generation: &Generation) -> Reading {
    let code = generation.error_code.as_deref();
    let is_filter = code.is_some_and(|code| FILTERS.iter().any(|word| code.contains(word)));
    let error = match (code, words_in(&generation.error)) {
        (Some(code), Some(words)) => Some(format!("{code}: {words}")),
        (code, words) => words.or(code.map(str::to_owned)),
    };
    Reading { error, ..Reading::of(if is_filter { JobState::Filtered } else { JobState::Failed }) }
}

/// In the codes of failures that a safety filter made.
const FILTERS: [&str; 3] = ["moderat", "nsfw", "content_policy"];

/// Reads the answer to `GET /v2/generations`: newest first.
#[must_use]
pub fn page(status: u16, body: &[u8]) -> Option<Vec<ListedJob>> {
    let value = body_of::<Value>(status, body).ok()?;
    let list = match &value {
        Value::Array(list) => list,
        other => ["generations", "items", "data"].into_iter().find_map(|name| other.get(name)?.as_array())?,
    };
    list.iter().map(listed).collect()
}

fn listed(value: &Value) -> Option<ListedJob> {
    let generation = serde_json::from_value::<Generation>(value.clone()).ok()?;
    Some(ListedJob {
        state: read(&generation).state,
        job_id: JobId::new(generation.id?),
        created_at: generation.created_at,
        model: generation.model,
        prompt: None,
        reference: None,
    })
}

/// The address in the answer to `GET /v2/generations/{id}/download`: plain text, without quotes.
#[must_use]
pub fn fresh_address(status: u16, body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok().filter(|_| (200..300).contains(&status))?.trim();
    let text = serde_json::from_str::<String>(text).unwrap_or_else(|_| text.to_owned());
    (text.contains("://") && !text.contains(char::is_whitespace)).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::providers::reading::Cause;

    fn explained(body: &Value) -> Reading {
        explain(200, body.to_string().as_bytes())
    }

    #[test]
    fn words_become_states() {
        use JobState::{Cancelled, Failed, Filtered, NotFound, Processing, Queued, Succeeded, Unrecognised};
        let url = "https://assets.sync.so/g/out.mp4?token=x";
        for (body, want) in [
            (json!({"status": "PENDING"}), Queued),
            (json!({"status": "PROCESSING", "outputUrl": {}}), Processing),
            (json!({"status": "COMPLETED", "outputUrl": url}), Succeeded),
            (json!({"status": "COMPLETED", "outputUrl": null, "outputMediaUrl": url}), Succeeded),
            (json!({"status": "COMPLETED", "outputUrl": null}), Unrecognised),
            (json!({"status": "COMPLETED", "outputUrl": {}}), Unrecognised),
            (json!({"status": "COMPLETED", "segmentOutputUrl": url}), Unrecognised),
            (json!({"status": "FAILED", "error": null}), Failed),
            (json!({"status": "FAILED", "errorCode": "generation_content_moderated"}), Filtered),
            (json!({"status": "REJECTED", "error_code": "generation_rejected"}), Failed),
            (json!({"status": "TIMED_OUT"}), Failed),
            (json!({"status": "CANCELED"}), Cancelled),
            (json!({"status": "CANCELLED"}), Unrecognised),
            (json!({"status": "completed", "outputUrl": url}), Unrecognised),
            (json!({"status": "ARCHIVED"}), Unrecognised),
            (json!({"id": "g", "status": null}), Unrecognised),
            (json!({"type": "generation.updated", "data": {"status": "PROCESSING"}}), Processing),
            (json!({"statusCode": 404, "message": "Generation not found"}), NotFound),
            (json!({"message": "hello"}), Unrecognised),
        ] {
            assert_eq!(explained(&body).state, want, "{body}");
        }
    }

    #[test]
    fn a_refused_submission_may_leave_a_generation_behind() {
        let of = |status, code: &str| {
            let body = json!({"statusCode": status, "errorCode": code, "generationId": "g1", "message": "no"});
            explain(status, body.to_string().as_bytes())
        };
        let open = of(409, "IDEMPOTENCY_OUTCOME_UNKNOWN");
        assert_eq!((open.state, open.about), (JobState::Unrecognised, Some(JobId::from("g1"))));
        for name in ["errorCode", "code", "error"] {
            let body = json!({name: "IDEMPOTENCY_OUTCOME_UNKNOWN", "generationId": "g1"});
            let open = explain(409, body.to_string().as_bytes());
            assert_eq!((open.state, open.about), (JobState::Unrecognised, Some(JobId::from("g1"))), "{name}");
            let busy = explain(409, json!({name: "IDEMPOTENCY_REQUEST_IN_PROGRESS"}).to_string().as_bytes());
            assert_eq!(busy.cause, Some(Cause::Passing), "{name}");
        }
        let beside = json!({"error": "Conflict", "code": "IDEMPOTENCY_OUTCOME_UNKNOWN"});
        assert_eq!(explain(409, beside.to_string().as_bytes()).state, JobState::Unrecognised);
        let words = json!({"error": "The job is IN_PROGRESS", "statusCode": 409});
        assert_eq!(explain(409, words.to_string().as_bytes()).cause, Some(Cause::Refused));
        assert_eq!(of(409, "IDEMPOTENCY_REQUEST_IN_PROGRESS").cause, Some(Cause::Passing));
        assert_eq!(of(409, "IDEMPOTENCY_KEY_REUSED").cause, Some(Cause::Refused));
        assert_eq!(of(429, "concurrency_limit_reached").cause, Some(Cause::TooOften));
        assert_eq!(of(404, "generation_not_found").state, JobState::NotFound);
    }

    #[test]
    fn codes_and_words_of_a_failure_are_told() {
        let body = json!({"status": "FAILED", "error": "It broke", "error_code": "generation_pipeline_failed"});
        assert_eq!(explained(&body).error.as_deref(), Some("generation_pipeline_failed: It broke"));
        assert_eq!(explained(&json!({"status": "FAILED", "error": {}})).error, None);
    }

    #[test]
    fn lists_come_bare_or_wrapped() {
        let one = json!({"id": "g1", "status": "COMPLETED", "model": "lipsync-2", "createdAt": "2026-03-01T08:00:00Z",
            "outputUrl": "https://a.example/x"});
        let two = json!({"id": "g2", "status": "LATER"});
        for body in [json!([one, two]), json!({"generations": [one, two]}), json!({"data": [one, two]})] {
            let jobs = page(200, body.to_string().as_bytes()).expect("a list");
            let states: Vec<_> = jobs.iter().map(|job| job.state).collect();
            assert_eq!(states, [JobState::Succeeded, JobState::Unrecognised], "{body}");
            assert_eq!(jobs[0].model.as_deref(), Some("lipsync-2"));
        }
        for none in [json!({"id": "g1", "status": "PENDING"}), json!([{"status": "PENDING"}]), json!(7)] {
            assert_eq!(page(200, none.to_string().as_bytes()), None, "{none}");
        }
        assert_eq!(page(500, b"[]"), None);
    }

    #[test]
    fn the_fresh_address_is_plain_text() {
        let url = "https://s3.example/out.mp4?X-Amz-Signature=1";
        assert_eq!(fresh_address(200, format!("{url}\n").as_bytes()).as_deref(), Some(url));
        assert_eq!(fresh_address(200, format!("\"{url}\"").as_bytes()).as_deref(), Some(url));
        for (status, body) in [(404, url), (200, ""), (200, "<html> https://x </html>"), (200, "null")] {
            assert_eq!(fresh_address(status, body.as_bytes()), None, "{status} {body}");
        }
    }
}
