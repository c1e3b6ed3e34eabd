//! What the answers of MiniMax's second video API mean.

use makegood_domain::ids::JobId;
use makegood_domain::ports::ListedJob;
use makegood_domain::work::JobState;
use serde_json::Value;

use super::wire::{Envelope, Refusal, Task, Tasks};
use crate::providers::FileKind;
use crate::providers::files::{holds_more, holds_more_beside};
use crate::providers::listing::Page;
use crate::providers::minimax::{code_in, meaning};
use crate::providers::reading::{Asset, Pieces, Reading, Unread, body_of, words_in};

/// Reads the answer to `GET /v2/query/video_generation/{id}`, or a callback.
#[must_use]
pub fn explain(status: u16, body: &[u8]) -> Reading {
    if let Some(reading) = refusal(status, body) {
        return reading;
    }
    let envelope = match body_of::<Envelope>(status, body) {
        Ok(envelope) => envelope,
        Err(unread) => return unread.into(),
    };
    let whole = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let task = if envelope.task.is_object() { envelope.task } else { whole };
    match serde_json::from_value::<Task>(task) {
        Ok(task) if task.status.is_some() => read(&task),
        // The answer to the request itself: taken, and no more is known.
        _ if envelope.task_id.is_some() => {
            Reading { about: envelope.task_id.map(JobId::new), ..Reading::of(JobState::Queued) }
        }
        _ => Reading::unrecognised("MiniMax answered without a task"),
    }
}

/// What a refusal says: by the code behind its words, else by its status. A task that is older than
/// seven days is an invalid id there, with HTTP 400.
fn refusal(status: u16, body: &[u8]) -> Option<Reading> {
    let json = serde_json::from_slice::<Value>(body).ok()?;
    if json["type"] != "error" && !json["base_resp"].is_object() {
        return None;
    }
    let (words, code, status) = match serde_json::from_value::<Refusal>(json.clone()) {
        Ok(Refusal { error }) => {
            let words = error.message.or(error.kind).unwrap_or_default();
            // A gateway may hide the status; it is repeated inside.
            let inner = error.http_code.and_then(|code| u16::try_from(code).ok());
            let status = inner.filter(|_| (200..300).contains(&status)).unwrap_or(status);
            let code = code_in(&words);
            (words, code, status)
        }
        Err(_) => {
            let code = json["base_resp"]["status_code"].as_i64().filter(|code| *code != 0)?;
            (json["base_resp"]["status_msg"].as_str().unwrap_or_default().to_owned(), Some(code), status)
        }
    };
    if let Some(reading) = code.and_then(|code| meaning(code, &words)) {
        return Some(reading);
    }
    Some(match body_of::<Value>(status, body) {
        Ok(_) => Reading::unrecognised(format!("MiniMax answered with an error that is not known: {words}")),
        Err(unread) => unread.into(),
    })
}

fn read(task: &Task) -> Reading {
    let word = task.status.as_deref().unwrap_or_default();
    let reading = match word {
        "queued" => Reading::of(JobState::Queued),
        "running" => Reading::of(JobState::Processing),
        "succeeded" => succeeded(&task.content),
        "failed" => failed(&task.error),
        "cancelled" => Reading::of(JobState::Cancelled),
        _ => Reading::unrecognised(format!("MiniMax says {word:?} of the task")),
    };
    let is_over = !matches!(reading.state, JobState::Queued | JobState::Processing | JobState::Unrecognised);
    Reading { about: task.id.clone().map(JobId::new), finished_at: task.updated_at.filter(|_| is_over), ..reading }
}

fn succeeded(content: &Value) -> Reading {
    let text = |name: &str| content[name].as_str().filter(|text| !text.is_empty());
    match (text("url"), text("prompt")) {
        (Some(url), _) => {
            // "Time-limited download URL of a video task output" (the vendor's specification).
            let files = vec![Asset { url: url.to_owned(), kind: Some(FileKind::Video), ..Asset::default() }];
            let holds_more = holds_more_beside(content, &["prompt"], &files);
            Reading { holds_more, ..Reading::with_files(files) }
        }
        (None, Some(_)) if !holds_more(content, &[]) => {
            // What the task was to make is not told here: nobody says that no file was made.
            Reading { holds_more: true, ..Reading::of(JobState::Succeeded) }.saying("the task made a text, and no file")
        }
        (None, _) => Reading::unrecognised("MiniMax says succeeded, and gives no address of a file"),
    }
}

fn failed(error: &Value) -> Reading {
    let code = error["code"].as_i64().or_else(|| error["code"].as_str()?.trim().parse().ok());
    let words = words_in(error).unwrap_or_default();
    let state = if matches!(code, Some(1026 | 1027)) { JobState::Filtered } else { JobState::Failed };
    let error = match code {
        Some(code) => Some(format!("code {code}: {words}")),
        None => Some(words).filter(|words| !words.is_empty()),
    };
    Reading { error, pieces: Pieces::Unlisted, ..Reading::of(state) }
}

/// Whether a document is a list of tasks.
#[must_use]
pub fn is_list(body: &[u8]) -> bool {
    serde_json::from_slice::<Tasks>(body).is_ok()
}

/// Reads the answer to `GET /v2/query/video_generation?page_num=…`.
///
/// # Errors
/// Where it is no list.
pub fn page(status: u16, body: &[u8]) -> Result<Page, Unread> {
    if let Some(Reading { state, error, cause, .. }) = refusal(status, body) {
        return Err(Unread { state, why: error.unwrap_or_default(), cause });
    }
    let tasks = body_of::<Tasks>(status, body)?;
    Ok(Page::of(tasks.items, tasks.total, |task| {
        let task: Task = serde_json::from_value(task).ok()?;
        Some(ListedJob {
            job_id: JobId::new(task.id.clone()?),
            state: read(&task).state,
            created_at: task.created_at,
            model: task.model,
            prompt: None,
            reference: None,
        })
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::providers::reading::Cause;

    fn bytes(value: &Value) -> Vec<u8> {
        value.to_string().into_bytes()
    }

    fn answered(more: &Value) -> Reading {
        let mut task = json!({"id": "42", "created_at": 1_772_352_000, "updated_at": 1_772_352_060});
        for (name, value) in more.as_object().into_iter().flatten() {
            task[name] = value.clone();
        }
        let wrapped = explain(200, &bytes(&json!({ "task": task })));
        assert_eq!(wrapped, explain(200, &bytes(&task)), "a callback may be the bare task: {more}");
        wrapped
    }

    #[test]
    fn words_become_states() {
        use JobState::{Cancelled, Failed, Filtered, Processing, Queued, Succeeded, Unrecognised};
        for (more, want) in [
            (json!({"status": "queued"}), Queued),
            (json!({"status": "running", "content": null}), Processing),
            (json!({"status": "succeeded", "content": {"url": "https://cdn.hailuoai.com/a.mp4"}}), Succeeded),
            (json!({"status": "succeeded", "content": {"prompt": "A boat"}, "task_type": "h3_context_ir"}), Succeeded),
            (
                json!({"status": "succeeded", "content": {"prompt": "A boat", "video_url": "https://c.example/a"}}),
                Unrecognised,
            ),
            (json!({"status": "succeeded", "content": {"url": ""}}), Unrecognised),
            (json!({"status": "succeeded", "content": null}), Unrecognised),
            (json!({"status": "succeeded"}), Unrecognised),
            (json!({"status": "failed", "error": {"code": "1026", "message": "sensitive"}}), Filtered),
            (json!({"status": "failed", "error": {"code": 1027, "message": "sensitive"}}), Filtered),
            (json!({"status": "failed", "error": {"code": "1000", "message": "broke"}}), Failed),
            (json!({"status": "failed", "error": null}), Failed),
            (json!({"status": "cancelled"}), Cancelled),
            (json!({"status": "Success"}), Unrecognised),
            (json!({"status": "expired"}), Unrecognised),
            (json!({"status": 3}), Unrecognised),
        ] {
            assert_eq!(answered(&more).state, want, "{more}");
        }
        let ended = answered(&json!({"status": "failed", "error": {"code": "1000", "message": "broke"}}));
        assert_eq!(ended.about, Some(JobId::from("42")));
        assert_eq!(ended.finished_at.map(|at| at.as_second()), Some(1_772_352_060));
        assert_eq!(ended.error.as_deref(), Some("code 1000: broke"));
    }

    #[test]
    fn a_request_that_was_taken_waits() {
        let taken = explain(200, br#"{"task_id":"42"}"#);
        assert_eq!((taken.state, taken.about), (JobState::Queued, Some(JobId::from("42"))));
        let stopped = explain(200, br#"{"task_id":"42","action":"cancelled","status":"cancelled"}"#);
        assert_eq!((stopped.state, stopped.about), (JobState::Cancelled, Some(JobId::from("42"))));
        assert_eq!(explain(200, b"{}").state, JobState::Unrecognised);
        assert_eq!(explain(200, br#"{"task":null}"#).state, JobState::Unrecognised);
    }

    #[test]
    fn refusals_are_read_by_their_code_then_by_their_status() {
        use JobState::{Filtered, LookupFailed, NotFound, Unrecognised};
        for (status, kind, message, state, cause) in [
            (400, "bad_request_error", "invalid params, invalid task_id (2013)", NotFound, None),
            (400, "bad_request_error", "invalid params, no prompt (2013)", LookupFailed, Some(Cause::Refused)),
            (401, "authorized_error", "login fail (1004)", LookupFailed, Some(Cause::KeyRefused)),
            (402, "insufficient_balance_error", "insufficient balance (1008)", LookupFailed, Some(Cause::Refused)),
            (422, "unprocessable_entity_error", "no (9999)", LookupFailed, Some(Cause::Refused)),
            (422, "unprocessable_entity_error", "input new_sensitive (1026)", Filtered, None),
            (429, "rate_limit_error", "rate limit (1002)", LookupFailed, Some(Cause::TooOften)),
            (429, "rate_limit_error", "slow down", LookupFailed, Some(Cause::TooOften)),
            (500, "server_error", "internal error (1000)", LookupFailed, Some(Cause::Passing)),
            (529, "overloaded_error", "overloaded", LookupFailed, Some(Cause::Passing)),
            (404, "not_found_error", "nothing here", NotFound, None),
        ] {
            let error = json!({"type": kind, "message": message, "http_code": status.to_string()});
            let body = bytes(&json!({"type": "error", "error": error, "request_id": "r"}));
            for sent in [status, 200] {
                let reading = explain(sent, &body);
                assert_eq!((reading.state, reading.cause), (state, cause), "{sent} {message}");
            }
            assert!(page(status, &body).is_err_and(|unread| unread.state == state), "{status} {message}");
        }
        let odd = explain(200, br#"{"type":"error","error":{"message":"?"}}"#);
        assert_eq!(odd.state, Unrecognised);
        let older = explain(200, br#"{"base_resp":{"status_code":1004,"status_msg":"login fail"}}"#);
        assert_eq!(older.cause, Some(Cause::KeyRefused));
    }

    #[test]
    fn files_of_other_names_are_kept_in_mind() {
        let url = "https://cdn.hailuoai.com/a.mp4";
        for (content, want) in [
            (json!({"url": url, "prompt": "like https://c.example/fox.png"}), false),
            (json!({"url": url, "urls": [url, "https://cdn.hailuoai.com/b.mp4"]}), true),
        ] {
            let body = json!({"task": {"id": "1", "status": "succeeded", "content": content}});
            assert_eq!(explain(200, body.to_string().as_bytes()).holds_more, want, "{body}");
        }
    }

    #[test]
    fn lists_keep_what_is_a_task() {
        let task = json!({"id": 42, "model": "MiniMax-H3", "status": "running", "created_at": 1_772_352_000});
        let page = page(200, &bytes(&json!({"items": [task, {}, null], "total": "3"}))).expect("a page");
        assert_eq!((page.jobs.len(), page.unread, page.total), (1, 2, Some(3)));
        let job = &page.jobs[0];
        assert_eq!(
            (job.job_id.as_str(), job.state, job.model.as_deref()),
            ("42", JobState::Processing, Some("MiniMax-H3"))
        );
        assert!(super::page(200, br#"{"task":{}}"#).is_err());
    }
}
