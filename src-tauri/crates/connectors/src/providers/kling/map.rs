//! What Kling's answers mean. The code in the body says more than the HTTP status: 429 is both
//! *too often* and *your pack is empty*.

use std::collections::BTreeMap;

use makegood_domain::ids::JobId;
use makegood_domain::ports::ListedJob;
use makegood_domain::work::JobState;
use serde_json::Value;

use super::wire::{Envelope, File, Task};
use crate::providers::FileKind;
use crate::providers::files::holds_more;
use crate::providers::listing::Page;
use crate::providers::reading::{Asset, Cause, Piece, Pieces, Reading, Unread, body_of};

/// More outputs of one task nobody can ask for; an index beyond is no place in a series.
const OUTPUTS_MAX: usize = 64;

/// What an answer tells of a task, and the id of ours that it was submitted under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub reading: Reading,
    pub reference: Option<String>,
}

/// Reads the answer to `GET /v1/{type}/{id}`, or a callback.
#[must_use]
pub fn explain(status: u16, body: &[u8]) -> Told {
    let nothing = |reading| Told { reading, reference: None };
    match data_of(status, body) {
        Ok(Value::Array(_)) => nothing(Reading::unrecognised("Kling answered with a list of tasks")),
        Ok(data) => match serde_json::from_value::<Task>(data) {
            Ok(task) => Told { reference: reference(&task), reading: read(&task) },
            Err(_) => nothing(Reading::unrecognised("Kling answered without a task")),
        },
        Err(unread) => nothing(unread.into()),
    }
}

/// Whether a document is a list of tasks.
#[must_use]
pub fn is_list(body: &[u8]) -> bool {
    serde_json::from_slice::<Envelope>(body).is_ok_and(|envelope| envelope.data.is_array())
}

/// Reads the answer to `GET /v1/{type}?pageNum=…`.
///
/// # Errors
/// Where it is no list.
pub fn page(status: u16, body: &[u8]) -> Result<Page, Unread> {
    let Value::Array(tasks) = data_of(status, body)? else {
        return Err(Unread::refused("Kling answered without a list"));
    };
    Ok(Page::of(tasks, None, |task| {
        let task: Task = serde_json::from_value(task).ok()?;
        Some(ListedJob {
            job_id: JobId::new(task.task_id.clone()?),
            state: read(&task).state,
            created_at: task.created_at,
            model: None,
            prompt: None,
            reference: reference(&task),
        })
    }))
}

/// What is in the wrapping, or why there is nothing.
fn data_of(status: u16, body: &[u8]) -> Result<Value, Unread> {
    let envelope = serde_json::from_slice::<Envelope>(body).ok();
    if let Some((code, envelope)) = envelope.as_ref().and_then(|e| Some((e.code.filter(|code| *code != 0)?, e))) {
        let words = envelope.message.as_deref().unwrap_or_default();
        return Err(match refusal(code, words, status) {
            Some((state, cause)) => Unread { state, cause, why: format!("code {code}: {words}") },
            None => body_of::<Value>(status, body).map_or_else(|unread| unread, |_| strange(code, words)),
        });
    }
    match body_of::<Envelope>(status, body)?.data {
        // A callback is not wrapped.
        Value::Null => body_of(status, body),
        data => Ok(data),
    }
}

fn strange(code: i64, words: &str) -> Unread {
    let why = format!("Kling says {code}, which is not among its codes: {words}");
    Unread { state: JobState::Unrecognised, why, cause: None }
}

/// What a code says of the job, and of the question; `None` where it is not documented.
fn refusal(code: i64, words: &str, status: u16) -> Option<(JobState, Option<Cause>)> {
    let failed = |cause| (JobState::LookupFailed, Some(cause));
    let words = words.to_ascii_lowercase();
    Some(match code {
        1000..=1004 | 1103 => failed(Cause::KeyRefused),
        // An account in trouble, an empty pack, a caller who is not on the list: no waiting helps.
        1100..=1102 | 1304 => failed(Cause::Refused),
        1302 | 1303 => failed(Cause::TooOften),
        1203 => (JobState::NotFound, None),
        1200..=1202 if status == 404 || words.contains("not found") || words.contains("not exist") => {
            (JobState::NotFound, None)
        }
        1200..=1202 => failed(Cause::Refused),
        // The platform's rules on content: what was asked for is not made.
        1300 | 1301 => (JobState::Filtered, None),
        5000..=5002 => failed(Cause::Passing),
        _ => return None,
    })
}

fn reference(task: &Task) -> Option<String> {
    task.task_info["external_task_id"].as_str().filter(|id| !id.is_empty()).map(str::to_owned)
}

fn read(task: &Task) -> Reading {
    let word = task.task_status.as_deref().unwrap_or_default();
    let words = task.task_status_msg.as_deref().map(str::trim).filter(|words| !words.is_empty());
    let reading = match word {
        "submitted" => Reading::of(JobState::Queued),
        "processing" => Reading::of(JobState::Processing),
        "succeed" => succeeded(&task.task_result),
        "failed" if words.is_some_and(names_a_filter) => Reading::of(JobState::Filtered),
        "failed" => Reading::of(JobState::Failed),
        _ => Reading::unrecognised(format!("Kling says {word:?} of the task")),
    };
    let is_over = matches!(reading.state, JobState::Succeeded | JobState::Failed | JobState::Filtered);
    Reading {
        about: task.task_id.clone().map(JobId::new),
        finished_at: task.updated_at.filter(|_| is_over),
        error: reading.error.or(words.map(str::to_owned)),
        ..reading
    }
}

/// The files of a result. Only pictures say where they belong, and may come in any order.
fn succeeded(result: &Value) -> Reading {
    let (mut pieces, mut unread) = (Vec::new(), result.clone());
    for kind in ["videos", "images", "series_images", "audios"] {
        let Some(list) = result[kind].as_array() else { continue };
        let files = list.iter().map(|file| serde_json::from_value::<File>(file.clone()));
        let Ok(files) = files.collect::<Result<Vec<_>, _>>() else {
            return Reading::unrecognised(format!("Kling lists {kind} that are none"));
        };
        let of_kind = |piece| match piece {
            Piece::File(asset) => Piece::File(Asset { kind: FileKind::of_word(kind), ..asset }),
            other => other,
        };
        pieces.extend(in_order(&files).unwrap_or_else(|| files.iter().map(piece).collect()).into_iter().map(of_kind));
        let odd = list.iter().zip(&files).filter(|(_, file)| piece(file) == Piece::Missing);
        unread[kind] = odd.map(|(value, _)| value.clone()).collect();
    }
    if pieces.iter().any(|piece| matches!(piece, Piece::File(_))) {
        let holds_more = holds_more(&unread, &[]);
        return Reading { pieces: Pieces::Listed(pieces), holds_more, ..Reading::of(JobState::Succeeded) };
    }
    Reading::unrecognised("Kling says succeed, and gives no address of a file")
}

fn piece(file: &File) -> Piece {
    let url = [&file.url, &file.url_mp3, &file.url_wav].into_iter().flatten().find(|url| !url.is_empty());
    url.map_or(Piece::Missing, |url| Piece::File(Asset { url: url.clone(), ..Asset::default() }))
}

/// Files by their index, with gaps where one is missing; `None` where not all have one of their own.
fn in_order(files: &[File]) -> Option<Vec<Piece>> {
    let mut by_index = BTreeMap::new();
    for file in files {
        let index = usize::try_from(file.index?).ok().filter(|index| *index < OUTPUTS_MAX)?;
        if by_index.insert(index, piece(file)).is_some() {
            return None;
        }
    }
    let last = *by_index.keys().next_back()?;
    Some((0..=last).map(|index| by_index.remove(&index).unwrap_or(Piece::Missing)).collect())
}

/// Kling's words for an output that its rules on content withheld.
fn names_a_filter(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    ["risk control", "content security", "content policy", "content violat", "sensitive", "moderation"]
        .iter()
        .any(|name| words.contains(name))
}

/// The path of a type of task: `videos/text2video`. Also takes the address that was called, with or
/// without the task's id behind.
#[must_use]
pub fn type_path(locator: &str) -> Option<Vec<String>> {
    let path = match locator.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => locator,
    };
    let segments: Vec<&str> = path.split(['?', '#']).next()?.split('/').filter(|s| !s.is_empty()).collect();
    let segments = if segments.first() == Some(&"v1") { &segments[1..] } else { &segments[..] };
    let is_plain = |s: &&str| s.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let wanted = match segments {
        // `videos/avatar/image2video` and the like are a kind of their own below the kind.
        [_, "avatar" | "advanced-lip-sync", _, ..] if !is_number(segments[2]) => 3,
        ["videos" | "images" | "audio", _, ..] => 2,
        _ => return None,
    };
    let path = segments.get(..wanted)?;
    path.iter().all(is_plain).then(|| path.iter().map(|s| (*s).to_owned()).collect())
}

fn is_number(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests;
