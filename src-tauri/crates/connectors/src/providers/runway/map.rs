//! What Runway's answers mean.

use makegood_domain::ids::JobId;
use makegood_domain::ports::ListedJob;
use makegood_domain::work::JobState;
use serde_json::Value;

use super::wire::Task;
use crate::providers::reading::{Asset, Cause, Reading, body_of, moment_in, words_in};
use crate::providers::{Document, Explained, Facts, Word};

/// Reads the answer to `GET /v1/tasks/{id}`. A deleted, a cancelled and an unknown task are all
/// 404 there: *not found*.
#[must_use]
pub fn explain(status: u16, body: &[u8]) -> Reading {
    match body_of::<Task>(status, body) {
        Ok(task) => read(&task),
        Err(unread) => unread.into(),
    }
}

fn read(task: &Task) -> Reading {
    let word = task.status.as_deref().unwrap_or_default();
    let reading = match word {
        // `THROTTLED`: over the account's concurrency, and waiting.
        "PENDING" | "THROTTLED" => Reading::of(JobState::Queued),
        "RUNNING" => Reading::of(JobState::Processing),
        "SUCCEEDED" => succeeded(&task.output),
        "FAILED" => failed(task),
        "CANCELLED" => Reading::of(JobState::Cancelled),
        _ => Reading::unrecognised(format!("Runway says {word:?} of the task")),
    };
    Reading { about: task.id.as_deref().map(JobId::new), ..reading }
}

/// A success without a single output contradicts itself: the next look-up may tell more.
fn succeeded(output: &Value) -> Reading {
    match addresses(output) {
        Some(files) if !files.is_empty() => Reading::with_files(files),
        _ => Reading::unrecognised("Runway says SUCCEEDED, and lists no output"),
    }
}

/// The addresses of the output; `None` where it has a shape that is not known. A workflow's come
/// in the order of its nodes' ids.
fn addresses(output: &Value) -> Option<Vec<Asset>> {
    match output {
        Value::Array(list) => {
            let address = |url: &Value| url.as_str().filter(|url| !url.is_empty()).map(str::to_owned);
            list.iter().map(|url| Some(Asset { url: address(url)?, ..Asset::default() })).collect()
        }
        Value::Object(nodes) => nodes.values().map(addresses).collect::<Option<Vec<_>>>().map(|lists| lists.concat()),
        _ => None,
    }
}

fn failed(task: &Task) -> Reading {
    let code = task.failure_code.as_deref();
    let filtered = code.is_some_and(|code| code == "SAFETY" || code.starts_with("SAFETY."));
    let state = if filtered { JobState::Filtered } else { JobState::Failed };
    let error = match (code, words_in(&task.failure)) {
        (Some(code), Some(words)) => Some(format!("{code}: {words}")),
        (Some(code), None) => Some(code.to_owned()),
        (None, words) => words,
    };
    Reading { error, ..Reading::of(state) }
}

/// What a document says that came without its question.
#[must_use]
pub fn of_document(facts: &'static Facts, document: &Document<'_>) -> Explained {
    let json = document.json();
    let has = |name: &str| json.get(name).is_some();
    if document.status == 204 {
        let note = "a task was cancelled while it ran, or deleted after it had ended";
        return Explained::of(facts, Word::CancelledOrUnknown).noting(note);
    }
    if !(200..300).contains(&document.status) {
        let reading = explain(document.status, document.body);
        // Not found is a setting of the account, and no task.
        let is_setting = matches!(json["code"].as_str(), Some("router_config_not_found" | "no_eligible_model"));
        if is_setting {
            let refused = Reading { cause: Some(Cause::Refused), ..Reading::of(JobState::LookupFailed) };
            return Explained::job(facts, Reading { error: reading.error, ..refused });
        }
        return Explained::job(facts, reading);
    }
    if has("creditBalance") || (has("results") && has("models")) {
        return Explained::of(facts, Word::Billing);
    }
    if let Some(list) = json["data"].as_array() {
        let jobs = list.iter().filter_map(listed).collect();
        return Explained::list(facts, jobs).noting("how requests were routed, and not what became of their tasks");
    }
    // The answer to a request: there is a task, and it has no state yet.
    let is_submitted = json["id"].is_string() && !has("status");
    let is_known = |name: &String| matches!(name.as_str(), "id" | "estimatedCost" | "routing" | "createdAt");
    if is_submitted && json.as_object().is_some_and(|fields| fields.keys().all(is_known)) {
        return Explained::job(
            facts,
            Reading { about: json["id"].as_str().map(JobId::new), ..Reading::of(JobState::Queued) },
        );
    }
    Explained::job(facts, explain(document.status, document.body))
}

/// A request that was routed, by its own id; of its task nothing is told.
fn listed(entry: &Value) -> Option<ListedJob> {
    Some(ListedJob {
        job_id: JobId::new(entry["id"].as_str()?),
        state: JobState::Unrecognised,
        created_at: moment_in(&entry["createdAt"]),
        model: entry["model"].as_str().map(str::to_owned),
        prompt: None,
        reference: entry["requestId"].as_str().map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::providers::reading::Pieces;

    fn explained(body: &Value) -> Reading {
        explain(200, body.to_string().as_bytes())
    }

    #[test]
    fn words_become_states() {
        use JobState::{Cancelled, Failed, Filtered, Processing, Queued, Succeeded, Unrecognised};
        for (body, want) in [
            (json!({"status": "PENDING"}), Queued),
            (json!({"status": "THROTTLED"}), Queued),
            (json!({"status": "RUNNING", "progress": 0.4}), Processing),
            (json!({"status": "SUCCEEDED", "output": ["https://c.example/a.mp4?_jwt=x"]}), Succeeded),
            (json!({"status": "SUCCEEDED", "output": []}), Unrecognised),
            (json!({"status": "SUCCEEDED", "output": {}}), Unrecognised),
            (json!({"status": "SUCCEEDED", "output": ["https://c.example/a.mp4", ""]}), Unrecognised),
            (json!({"status": "SUCCEEDED", "output": [{"uri": "x"}]}), Unrecognised),
            (json!({"status": "SUCCEEDED"}), Unrecognised),
            (json!({"status": "FAILED", "failure": "Something broke"}), Failed),
            (json!({"status": "FAILED", "failureCode": "INTERNAL.BAD_OUTPUT.CODE01"}), Failed),
            (json!({"status": "FAILED", "failureCode": "SAFETY.OUTPUT.VIDEO"}), Filtered),
            (json!({"status": "FAILED", "failureCode": "SAFETYNET"}), Failed),
            (json!({"status": "CANCELLED"}), Cancelled),
            (json!({"status": "succeeded"}), Unrecognised),
            (json!({"status": "ARCHIVED"}), Unrecognised),
            (json!({}), Unrecognised),
        ] {
            assert_eq!(explained(&body).state, want, "{body}");
        }
    }

    #[test]
    fn a_workflow_lists_its_nodes_one_after_the_other() {
        let body = json!({"id": "t", "status": "SUCCEEDED", "output": {"n1": ["a", "b"], "n2": ["c"]}});
        let Pieces::Listed(pieces) = explained(&body).pieces else { panic!("a list") };
        assert_eq!(pieces.len(), 3);
    }

    #[test]
    fn code_and_words_are_both_told() {
        let body = json!({"status": "FAILED", "failure": "Try again", "failureCode": "INTERNAL"});
        assert_eq!(explained(&body).error.as_deref(), Some("INTERNAL: Try again"));
    }

    #[test]
    fn documents_are_told_apart() {
        for (status, body, want) in [
            (200, json!({"id": "t", "estimatedCost": {"credits": 5}}), Word::Queued),
            (200, json!({"id": "t", "routing": {"model": "m"}}), Word::Queued),
            (200, json!({"id": "t"}), Word::Queued),
            (200, json!({"id": "t", "status": null}), Word::Unknown),
            (200, json!({"id": "t", "title": "x"}), Word::Unknown),
            (200, json!({}), Word::Unknown),
            (200, json!({"tier": {}, "creditBalance": 40, "usage": {}}), Word::Billing),
            (200, json!({"results": [], "models": []}), Word::Billing),
            (200, json!({"data": [{"id": "q", "requestId": "r", "status": "routed"}], "hasMore": false}), Word::List),
            (204, json!(null), Word::CancelledOrUnknown),
            (400, json!({"error": "No model", "code": "no_eligible_model", "pipeline": []}), Word::Permanent),
            (
                400,
                json!({"error": "Validation failed", "issues": [{"path": ["id"], "message": "no uuid"}]}),
                Word::Permanent,
            ),
            (401, json!({"error": "Unauthorized"}), Word::AuthError),
            (404, json!({"error": "Task not found"}), Word::CancelledOrUnknown),
            (404, json!({"error": "None", "code": "router_config_not_found"}), Word::Permanent),
            (429, json!({"error": "Daily limit"}), Word::RateLimited),
            (502, json!({}), Word::Retryable),
        ] {
            let text = if body.is_null() { String::new() } else { body.to_string() };
            let document = Document { origin: crate::providers::Origin::Answer, status, body: text.as_bytes() };
            assert_eq!(of_document(&super::super::FACTS, &document).word, want, "{status} {text}");
        }
    }
}
