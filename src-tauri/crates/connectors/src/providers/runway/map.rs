//! What Runway's answers mean.

use makegood_domain::ids::JobId;
use makegood_domain::work::JobState;
use serde_json::Value;

use super::wire::Task;
use crate::providers::reading::{Asset, Reading, body_of, words_in};

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
            list.iter().map(|url| Some(Asset { url: url.as_str()?.to_owned(), ..Asset::default() })).collect()
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
}
