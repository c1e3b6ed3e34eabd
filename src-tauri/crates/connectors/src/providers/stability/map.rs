//! What Stability's answers mean. The HTTP status is the job's state: 202 while it is made, 200
//! with the file itself, else a refusal.

use base64::Engine;
use makegood_domain::work::JobState;
use serde_json::Value;

use super::wire::{Generation, Refusal};
use crate::http::inline::unpacked_bytes;
use crate::providers::reading::{Asset, Cause, Piece, Pieces, Reading, body_of, words_in};

/// An image that the filter took comes blurred, with this in place of `SUCCESS`.
const FILTERED: &str = "CONTENT_FILTERED";

/// Reads an answer about a result, in JSON or as the file's own bytes.
#[must_use]
pub fn explain(status: u16, body: &[u8]) -> Reading {
    if let Some(reading) = refusal(status, body) {
        return reading;
    }
    if (200..300).contains(&status)
        && status != 202
        && let Some(media_type) = media_type_of(body)
    {
        let bytes = base64::engine::general_purpose::STANDARD.encode(body);
        return Reading::with_files(vec![inline(media_type, &bytes)]);
    }
    match body_of::<Generation>(status, body) {
        Ok(generation) => read(status, &generation),
        // That it is still made, the status says by itself.
        Err(_) if status == 202 => Reading::of(JobState::Processing),
        Err(unread) => unread.into(),
    }
}

/// What a success says of its file, by its headers: the bytes come when they are asked for.
#[must_use]
pub fn of_file(finish_reason: Option<&str>, asset: Asset) -> Reading {
    match finish_reason {
        Some(FILTERED) => filtered(),
        None | Some("SUCCESS" | "") => Reading::with_files(vec![asset]),
        Some(word) => Reading::unrecognised(format!("Stability finished with {word:?}")),
    }
}

fn read(status: u16, generation: &Generation) -> Reading {
    if let Some(artifacts) = &generation.artifacts {
        return of_artifacts(artifacts);
    }
    if let Some(piece) = piece_of(generation) {
        return match piece {
            Ok(piece) => Reading { pieces: Pieces::Listed(vec![piece]), ..Reading::of(JobState::Succeeded) },
            Err(reading) => reading,
        };
    }
    match (status, generation.status.as_deref()) {
        (_, Some("in-progress")) => Reading::of(JobState::Processing),
        (_, Some(word)) => Reading::unrecognised(format!("Stability says {word:?} of the generation")),
        (202, None) => Reading::of(JobState::Processing),
        // The answer to the request itself: taken, and no more is known.
        (_, None) if generation.id.is_some() => Reading::of(JobState::Queued),
        (_, None) => Reading::unrecognised("Stability answered without a generation"),
    }
}

fn of_artifacts(artifacts: &[Generation]) -> Reading {
    let pieces: Option<Result<Vec<Piece>, Reading>> = artifacts.iter().map(piece_of).collect();
    match pieces {
        Some(Ok(pieces)) if !pieces.is_empty() => {
            Reading { pieces: Pieces::Listed(pieces), ..Reading::of(JobState::Succeeded) }
        }
        Some(Err(reading)) => reading,
        _ => Reading::unrecognised("Stability lists artifacts that are none"),
    }
}

fn filtered() -> Reading {
    let reading = Reading { pieces: Pieces::Listed(vec![Piece::Filtered]), ..Reading::of(JobState::Succeeded) };
    reading.saying("the content filter blurred it")
}

/// A file inside JSON; `None` where there is none.
fn piece_of(generation: &Generation) -> Option<Result<Piece, Reading>> {
    let parts = [&generation.video, &generation.image, &generation.audio, &generation.base64];
    let (place, text) = parts.iter().enumerate().find_map(|(i, part)| Some((i, part.as_deref()?)))?;
    Some(match generation.finish_reason.as_deref() {
        Some(FILTERED) => Ok(Piece::Filtered),
        None | Some("SUCCESS" | "") if text.is_empty() => {
            Err(Reading::unrecognised("Stability gives a file without bytes"))
        }
        None | Some("SUCCESS" | "") => Ok(Piece::File(asset_of(text, place))),
        Some("ERROR") => Err(Reading::of(JobState::Failed).saying("Stability finished with an error")),
        Some(word) => Err(Reading::unrecognised(format!("Stability finished with {word:?}"))),
    })
}

fn asset_of(text: &str, place: usize) -> Asset {
    if text.starts_with("data:") {
        return Asset { url: text.to_owned(), exists_now: Some(true), ..Asset::default() };
    }
    let usual = ["video/mp4", "image/png", "audio/mpeg", "image/png"];
    let engine = base64::engine::general_purpose::STANDARD;
    // A few bytes tell what it is; 64 characters are a whole number of groups.
    let head = text.get(..64).unwrap_or(text);
    let told = engine.decode(head).ok().and_then(|head| media_type_of(&head));
    inline(told.unwrap_or(usual[place]), text)
}

fn inline(media_type: &str, text: &str) -> Asset {
    Asset {
        url: format!("data:{media_type};base64,{text}"),
        bytes: unpacked_bytes(text),
        exists_now: Some(true),
        ..Asset::default()
    }
}

/// What a file is, by its first bytes; `None` where it is none of what is made there.
#[must_use]
pub fn media_type_of(bytes: &[u8]) -> Option<&'static str> {
    let at = |from: usize, mark: &[u8]| bytes.get(from..from + mark.len()) == Some(mark);
    if at(0, b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if at(0, b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if at(0, b"RIFF") && at(8, b"WEBP") {
        Some("image/webp")
    } else if at(0, b"RIFF") && at(8, b"WAVE") {
        Some("audio/wav")
    } else if at(4, b"ftyp") {
        Some("video/mp4")
    } else if at(0, b"glTF") {
        Some("model/gltf-binary")
    } else if at(0, b"ID3") || at(0, b"\xff\xfb") {
        Some("audio/mpeg")
    } else {
        None
    }
}

/// What a refusal says by its name, where the status says too little; `None` where there is none.
fn refusal(status: u16, body: &[u8]) -> Option<Reading> {
    let refusal = serde_json::from_slice::<Refusal>(body).ok().filter(|_| status != 202)?;
    let name = refusal.name.unwrap_or_default();
    let errors = match &refusal.errors {
        Value::Array(errors) => errors.iter().filter_map(words_in).collect::<Vec<_>>().join("; "),
        other => words_in(other).unwrap_or_default(),
    };
    let failed = |cause| Reading { cause: Some(cause), ..Reading::of(JobState::LookupFailed) };
    let reading = match name.as_str() {
        "content_moderation" | "content_filtered" | "invalid_prompts" => Reading::of(JobState::Filtered),
        "not_found" | "generation_not_found" => Reading::of(JobState::NotFound),
        "unauthorized" | "permission_denied" | "forbidden" => failed(Cause::KeyRefused),
        "rate_limit_exceeded" | "too_many_requests" => failed(Cause::TooOften),
        "internal_error" | "internal_server_error" | "service_unavailable" => failed(Cause::Passing),
        "bad_request" | "payload_too_large" | "payment_required" | "insufficient_balance" | "unprocessable_entity" => {
            failed(Cause::Refused)
        }
        _ => match body_of::<Value>(status, body) {
            Ok(_) if name.is_empty() => return None,
            Ok(_) => Reading::unrecognised("Stability answered with a refusal that is not known"),
            Err(unread) => Reading::from(unread),
        },
    };
    Some(reading.saying(format!("{name}: {errors}")))
}

/// Where a result is asked for: `results` for all of the newer services; the older ones have a
/// place of their own. Takes a service's path, or the address that was called.
#[must_use]
pub fn result_path(locator: Option<&str>) -> Vec<&'static str> {
    let path = locator.unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    if path.contains("image-to-video") {
        vec!["v2beta", "image-to-video", "result"]
    } else if path.contains("upscale/creative") {
        vec!["v2beta", "stable-image", "upscale", "creative", "result"]
    } else {
        vec!["v2beta", "results"]
    }
}

#[cfg(test)]
mod tests;
