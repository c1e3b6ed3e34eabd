//! What the Gemini API's answers about Veo mean.

use std::time::Duration;

use makegood_domain::ids::JobId;
use makegood_domain::work::JobState;

use super::wire::{Failure, File, Operation, Status, Videos};
use crate::providers::reading::{Asset, Cause, Piece, Pieces, Reading, body_of, said, words_in};

/// `google.rpc.Code.CANCELLED`.
const CANCELLED: i64 = 1;

/// Reads the answer to `GET /{operation name}`.
#[must_use]
pub fn explain(status: u16, body: &[u8]) -> Reading {
    match body_of::<Operation>(status, body) {
        Ok(operation) => read(operation),
        // 403 is what a deleted file *and* a file of another key's project get.
        Err(unread) if status == 403 && said(body).is_some_and(|words| words.contains(" File ")) => {
            Reading { cause: Some(Cause::GoneOrWrongKey), ..unread.into() }
        }
        Err(unread) => unread.into(),
    }
}

fn read(operation: Operation) -> Reading {
    let about = operation.name.map(JobId::new);
    let videos = operation.response.and_then(|response| response.videos);
    let reading = match (operation.done, operation.error, videos) {
        (Some(true), Some(error), _) => failed(error),
        (Some(true), None, Some(videos)) => done(videos),
        (Some(true), None, None) => Reading::unrecognised("the operation is done, and tells no result"),
        // An answer that names no operation is none about one.
        (_, _, _) if about.is_none() => Reading::unrecognised("the answer is about no operation"),
        (_, _, _) => Reading::of(JobState::Processing),
    };
    Reading { about, ..reading }
}

fn failed(error: Status) -> Reading {
    let state = if error.code == Some(CANCELLED) { JobState::Cancelled } else { JobState::Failed };
    let code = error.code.map_or_else(String::new, |code| format!("code {code}: "));
    Reading::of(state).saying(format!("{code}{}", error.message.unwrap_or_default()))
}

/// Done without an error is a success only as far as there are videos: the safety filter withholds
/// some or all, and counts them.
fn done(videos: Videos) -> Reading {
    let samples = videos.generated_samples.len();
    let files: Vec<Asset> = videos
        .generated_samples
        .into_iter()
        .filter_map(|sample| sample.video?.uri)
        .map(|url| Asset { url, ..Asset::default() })
        .collect();
    let filtered = usize::try_from(videos.rai_media_filtered_count.unwrap_or(0)).unwrap_or(usize::MAX);
    if files.len() != samples {
        return Reading::unrecognised("the operation is done, and a video has no address");
    }
    let reason = videos.rai_media_filtered_reasons.iter().find_map(words_in);
    let reading = match (files.is_empty(), filtered) {
        (true, 0) => Reading::unrecognised("the operation is done, with no video and none withheld"),
        (true, _) => Reading::of(JobState::Filtered),
        // How many can be withheld is bounded by what can be asked for, whatever is claimed.
        (false, _) => {
            let files = files.into_iter().map(Piece::File);
            let pieces = files.chain(std::iter::repeat_n(Piece::Filtered, filtered.min(64))).collect();
            Reading { pieces: Pieces::Listed(pieces), ..Reading::of(JobState::Succeeded) }
        }
    };
    Reading { error: reading.error.or(reason), ..reading }
}

/// Reads the answer to `GET /files/{id}` into the file; whether it can be told that it is there.
///
/// 403 is what a deleted file *and* a file of another key's project get, so it tells nothing.
pub fn note_file(status: u16, body: &[u8], asset: &mut Asset) -> bool {
    let is_file = |file: &File| file.name.as_deref().is_some_and(|name| name.starts_with("files/"));
    let Some(file) = serde_json::from_slice::<File>(body).ok().filter(|file| status == 200 && is_file(file)) else {
        return false;
    };
    asset.bytes = file.size_bytes.unwrap_or(0);
    asset.available_until = file.expiration_time;
    asset.finished_at = file.create_time;
    asset.exists_now = Some(true);
    true
}

/// The id of the file behind a download address: `…/files/{id}:download?alt=media`.
#[must_use]
pub fn file_id(path: &str) -> Option<&str> {
    let (_, rest) = path.rsplit_once("/files/")?;
    let id = rest.split(':').next().unwrap_or(rest);
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

/// This API says how long to wait in `details[].retryDelay`, as `27s` or `1.5s`.
#[must_use]
pub fn delay_in(body: &[u8]) -> Option<Duration> {
    let failure: Failure = serde_json::from_slice(body).ok()?;
    let delay = failure.error.details.into_iter().find_map(|detail| detail.retry_delay)?;
    let seconds: f64 = delay.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NAME: &str = "models/veo-9/operations/op1";

    fn explained(mut body: Value) -> Reading {
        body["name"] = json!(NAME);
        explain(200, body.to_string().as_bytes())
    }

    fn done_with(videos: Value) -> Value {
        json!({"done": true, "response": {"generateVideoResponse": videos}})
    }

    #[test]
    fn operations_become_states() {
        use JobState::{Cancelled, Failed, Filtered, Processing, Succeeded, Unrecognised};
        let sample = json!({"video": {"uri": "https://h.example/v1beta/files/f1:download?alt=media"}});
        for (body, want) in [
            (json!({}), Processing),
            (json!({"done": false}), Processing),
            (json!({"done": "yes"}), Unrecognised),
            (json!({"done": true}), Unrecognised),
            (json!({"done": true, "response": {}}), Unrecognised),
            (json!({"done": true, "error": {"code": 13, "message": "internal"}}), Failed),
            (json!({"done": true, "error": {"code": 1, "message": "cancelled"}}), Cancelled),
            (json!({"done": true, "error": {}}), Failed),
            (done_with(json!({"generatedSamples": [sample]})), Succeeded),
            (done_with(json!({"generatedSamples": [sample], "raiMediaFilteredCount": 0})), Succeeded),
            (done_with(json!({"generatedSamples": [{"video": {}}]})), Unrecognised),
            (done_with(json!({"raiMediaFilteredCount": 2})), Filtered),
            (done_with(json!({"raiMediaFilteredCount": "1"})), Filtered),
            (done_with(json!({"raiMediaFilteredCount": 0})), Unrecognised),
            (done_with(json!({})), Unrecognised),
        ] {
            assert_eq!(explained(body.clone()).state, want, "{body}");
        }
        assert_eq!(explain(200, b"{}").state, Unrecognised, "an answer without a name");
    }

    #[test]
    fn withheld_videos_are_items_of_their_own() {
        let sample = json!({"video": {"uri": "https://h.example/files/f1:download"}});
        let body =
            json!({"generatedSamples": [sample], "raiMediaFilteredCount": 1, "raiMediaFilteredReasons": ["why"]});
        let reading = explained(done_with(body));
        let Pieces::Listed(pieces) = &reading.pieces else { panic!("a list") };
        assert!(matches!(pieces[..], [Piece::File(_), Piece::Filtered]));
        assert_eq!(reading.error.as_deref(), Some("why"));
    }

    #[test]
    fn a_file_tells_its_length_and_deadline() {
        let mut asset = Asset::default();
        let body = br#"{"name":"files/f1","sizeBytes":"4096","expirationTime":"2026-03-03T08:00:00Z","createTime":"2026-03-01T08:00:00Z"}"#;
        assert!(note_file(200, body, &mut asset));
        assert_eq!((asset.bytes, asset.exists_now), (4096, Some(true)));
        assert!(asset.available_until > asset.finished_at);
        let mut unknown = Asset::default();
        assert!(!note_file(403, br#"{"error":{"code":403}}"#, &mut unknown));
        assert!(!note_file(200, br#"{"error":{"code":403}}"#, &mut unknown));
        assert_eq!(unknown, Asset::default());
    }

    #[test]
    fn ids_and_waits_are_found() {
        assert_eq!(file_id("/v1beta/files/abc:download"), Some("abc"));
        assert_eq!(file_id("/v1beta/files/abc"), Some("abc"));
        assert_eq!(file_id("/v1beta/files/"), None);
        assert_eq!(file_id("/elsewhere/abc"), None);
        let wait =
            |delay: &str| delay_in(json!({"error": {"details": [{}, {"retryDelay": delay}]}}).to_string().as_bytes());
        assert_eq!(wait("27s"), Some(Duration::from_secs(27)));
        assert_eq!(wait("1.5s"), Some(Duration::from_millis(1500)));
        for odd in ["soon", "-3s", "NaNs", "1e99s", ""] {
            assert_eq!(wait(odd), None, "{odd}");
        }
    }
}
