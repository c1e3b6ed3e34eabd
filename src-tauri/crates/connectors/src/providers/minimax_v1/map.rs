//! What the answers of MiniMax's first video API mean.

use makegood_domain::ids::JobId;
use makegood_domain::work::JobState;
use serde_json::Value;

use super::wire::{BaseResp, Files, Task};
use crate::providers::FileKind;
use crate::providers::minimax::meaning;
use crate::providers::reading::{Asset, Pieces, Reading, Unread, body_of, said};

/// What an answer tells of a task, and the file to ask about next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub reading: Reading,
    pub file_id: Option<String>,
}

/// Reads the answer to `GET /v1/query/video_generation`, or a callback.
#[must_use]
pub fn explain(status: u16, body: &[u8]) -> Told {
    let nothing = |reading| Told { reading, file_id: None };
    let base = serde_json::from_slice::<Task>(body).ok().and_then(|task| task.base_resp);
    let task = match body_of::<Task>(status, body) {
        Ok(task) => task,
        Err(unread) => return nothing(refusal(base.as_ref()).unwrap_or_else(|| unread.into())),
    };
    let reading = read(&task, base.as_ref());
    let file_id = task.file_id.filter(|_| reading.state == JobState::Succeeded);
    Told { reading: Reading { about: task.task_id.map(JobId::new), ..reading }, file_id }
}

/// Callbacks write the words in small letters, and say `failed`.
fn read(task: &Task, base: Option<&BaseResp>) -> Reading {
    let refused = refusal(base);
    let Some(word) = task.status.as_deref() else {
        // The answer to the request itself: taken, and no more is known.
        let taken = task.task_id.is_some() && base.is_some_and(|base| base.status_code == Some(0));
        let taken = taken.then(|| Reading::of(JobState::Queued));
        return refused.or(taken).unwrap_or_else(|| Reading::unrecognised("MiniMax answered without a task"));
    };
    match (word.to_ascii_lowercase().as_str(), refused) {
        ("fail" | "failed", refused) => failed(base, refused),
        (_, Some(refused)) => refused,
        ("preparing" | "queueing", None) => Reading::of(JobState::Queued),
        ("processing", None) => Reading::of(JobState::Processing),
        ("success", None) if task.file_id.is_some() => {
            Reading::with_files(vec![Asset { kind: Some(FileKind::Video), ..Asset::default() }])
        }
        ("success", None) => Reading::unrecognised("MiniMax says Success, and names no file"),
        _ => Reading::unrecognised(format!("MiniMax says {word:?} of the task")),
    }
}

fn failed(base: Option<&BaseResp>, refused: Option<Reading>) -> Reading {
    let words = base.and_then(|base| base.status_msg.clone()).filter(|words| !words.is_empty() && words != "success");
    match refused {
        Some(refused) if refused.state == JobState::Filtered => refused,
        Some(refused) => Reading { error: refused.error, ..Reading::of(JobState::Failed) },
        None => Reading { error: words, ..Reading::of(JobState::Failed) },
    }
}

/// What the code says, where it is not 0.
fn refusal(base: Option<&BaseResp>) -> Option<Reading> {
    let code = base?.status_code.filter(|code| *code != 0)?;
    let words = base?.status_msg.as_deref().unwrap_or_default();
    Some(meaning(code, words).unwrap_or_else(|| {
        Reading::unrecognised(format!("MiniMax says {code}, which is not among its codes: {words}"))
    }))
}

/// Reads the answer to `GET /v1/files/retrieve`. `None`: MiniMax no longer knows the file. That is also what nothing
/// at all says there, where it is no page: the task has just been answered at the same address, in MiniMax's words.
///
/// # Errors
/// Where it tells nothing of the file.
pub fn file(status: u16, body: &[u8]) -> Result<Option<Asset>, Unread> {
    let files = serde_json::from_slice::<Files>(body).ok();
    let unread = |reading: Reading| Unread {
        state: JobState::LookupFailed,
        why: reading.error.unwrap_or_default(),
        cause: reading.cause,
    };
    if let Some(refused) = refusal(files.as_ref().and_then(|files| files.base_resp.as_ref())) {
        return if refused.state == JobState::NotFound { Ok(None) } else { Err(unread(refused)) };
    }
    let files = match body_of::<Files>(status, body) {
        Err(unread) if Reading::from(unread.clone()).is_missing() => return Ok(None),
        files => files?,
    };
    let told = files.file.and_then(|file| {
        let url = [file.download_url, file.backup_download_url].into_iter().flatten().find(|url| !url.is_empty())?;
        let of_video = file.purpose.as_deref() == Some("video_generation");
        let kind = of_video.then_some(FileKind::Video).or_else(|| FileKind::of_address(file.filename.as_deref()?));
        // 0 is what it says of a file that has a length all the same.
        Some(Asset { url, bytes: file.bytes.unwrap_or(0), finished_at: file.created_at, kind, ..Asset::default() })
    });
    told.map(Some).ok_or_else(|| {
        let words = said(body).unwrap_or_else(|| "no address".to_owned());
        unread(Reading::unrecognised(format!("MiniMax answered about the file with {words}")))
    })
}

/// Whether a document is about a file, and not about a task.
#[must_use]
pub fn is_file(document: &Value) -> bool {
    document["file"].is_object() && document.get("task_id").is_none()
}

/// The files of a task, with what was found out about the one that it names.
#[must_use]
pub fn with_file(reading: Reading, found: Option<Asset>) -> Reading {
    match found {
        Some(asset) => {
            let finished_at = reading.finished_at.or(asset.finished_at);
            Reading { finished_at, about: reading.about, ..Reading::with_files(vec![asset]) }
        }
        None => Reading { pieces: Pieces::Gone, ..reading }.saying("MiniMax no longer knows the file"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::providers::reading::Cause;

    fn bytes(value: &Value) -> Vec<u8> {
        value.to_string().into_bytes()
    }

    fn answered(status: &Value, file_id: &Value, code: i64, words: &str) -> Told {
        let base = json!({"status_code": code, "status_msg": words});
        explain(200, &bytes(&json!({"task_id": "77", "status": status, "file_id": file_id, "base_resp": base})))
    }

    #[test]
    fn words_become_states() {
        use JobState::{Failed, Filtered, LookupFailed, NotFound, Processing, Queued, Succeeded, Unrecognised};
        let none = json!("");
        for (status, file_id, code, words, want) in [
            (json!("Preparing"), &none, 0, "success", Queued),
            (json!("Queueing"), &none, 0, "success", Queued),
            (json!("Processing"), &none, 0, "success", Processing),
            (json!("processing"), &none, 0, "success", Processing),
            (json!("Success"), &json!("88"), 0, "success", Succeeded),
            (json!("success"), &json!(88), 0, "success", Succeeded),
            (json!("Success"), &none, 0, "success", Unrecognised),
            (json!("Success"), &json!("88"), 1027, "output new_sensitive", Filtered),
            (json!("Fail"), &none, 0, "success", Failed),
            (json!("failed"), &none, 0, "", Failed),
            (json!("Fail"), &none, 1000, "unknown error", Failed),
            (json!("Fail"), &none, 4711, "new", Failed),
            (json!("Fail"), &none, 1026, "input new_sensitive", Filtered),
            (json!(""), &none, 1027, "output new_sensitive", Filtered),
            (json!(""), &none, 1002, "rate limit", LookupFailed),
            (json!(""), &none, 2013, "invalid params, task_id not found", NotFound),
            (json!(""), &none, 4711, "new", Unrecognised),
            (json!(""), &none, 0, "success", Unrecognised),
            (json!("Archived"), &none, 0, "success", Unrecognised),
        ] {
            let told = answered(&status, file_id, code, words);
            assert_eq!(told.reading.state, want, "{status} {file_id} {code}");
            assert_eq!(told.reading.about, Some(JobId::from("77")));
            assert_eq!(told.file_id.is_some(), want == Succeeded, "{status} {file_id} {code}");
        }
    }

    #[test]
    fn a_request_that_was_taken_waits_and_one_that_was_not_does_not() {
        let sent = |code: i64, words: &str| {
            let base = json!({"status_code": code, "status_msg": words});
            explain(200, &bytes(&json!({"task_id": "77", "base_resp": base}))).reading
        };
        assert_eq!(sent(0, "success").state, JobState::Queued);
        assert_eq!(sent(1008, "insufficient balance").cause, Some(Cause::Refused));
        assert_eq!(sent(1026, "input new_sensitive").state, JobState::Filtered);
        assert_eq!(explain(200, b"{}").reading.state, JobState::Unrecognised);
        let limited = explain(429, br#"{"base_resp":{"status_code":1002,"status_msg":"slow"}}"#).reading;
        assert_eq!(limited.cause, Some(Cause::TooOften));
        assert_eq!(explain(503, b"<html>").reading.cause, Some(Cause::Passing));
    }

    #[test]
    fn files_are_there_gone_or_not_told() {
        let url = "https://video-product.cdn.minimax.io/a.mp4?Expires=1&Signature=x";
        let there = json!({"file": {"file_id": 88, "bytes": "912", "created_at": 1_772_352_000, "download_url": url},
            "base_resp": {"status_code": 0, "status_msg": "success"}});
        let asset = file(200, &bytes(&there)).expect("told").expect("there");
        assert_eq!((asset.url.as_str(), asset.bytes), (url, 912));
        assert_eq!(asset.finished_at.map(|at| at.as_second()), Some(1_772_352_000));
        let coded = |code: i64, words: &str| {
            file(200, &bytes(&json!({"file": null, "base_resp": {"status_code": code, "status_msg": words}})))
        };
        assert_eq!(coded(2013, "invalid params, file_id not found"), Ok(None));
        for gone in ["{}", "", "Not Found"] {
            assert_eq!(file(404, gone.as_bytes()), Ok(None), "{gone:?}");
        }
        assert!(file(404, b"<html>").is_err_and(|unread| unread.state == JobState::LookupFailed));
        assert_eq!(coded(1002, "rate limit").map_err(|unread| unread.cause), Err(Some(Cause::TooOften)));
        for unclear in [coded(0, "success"), coded(4711, "new"), file(200, b"<html>"), file(500, b"")] {
            assert!(unclear.is_err_and(|unread| unread.state != JobState::NotFound));
        }
        let unaddressed = json!({"file": {"file_id": 88, "download_url": ""}});
        assert!(file(200, &bytes(&unaddressed)).is_err());
        assert!(is_file(&there) && !is_file(&json!({"task_id": "77"})));
    }
}
