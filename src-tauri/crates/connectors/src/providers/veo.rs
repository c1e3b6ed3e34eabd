//! What Veo's long-running operations mean. The Gemini API and Vertex AI send the same ones, but
//! for where the videos lie in them; both adapters read them here.

use std::time::Duration;

use makegood_domain::ids::JobId;
use makegood_domain::ports::ListedJob;
use makegood_domain::work::JobState;
use serde::Deserialize;
use serde_json::Value;

use super::explain::Explained;
use super::files::holds_more;
use super::kind::FileKind;
use super::protocol::Facts;
use super::reading::{Asset, Piece, Pieces, Reading, body_of, count, lenient, words_in};
use crate::http::inline::unpacked_bytes;

/// `google.rpc.Code.CANCELLED`.
const CANCELLED: i64 = 1;

/// More than can be asked for at once: how many are withheld is bounded by it, whatever is claimed.
const MOST_WITHHELD: usize = 64;

/// A long-running operation. `done` is absent until it is true.
#[derive(Clone, Debug, Deserialize)]
struct Operation {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    done: Option<bool>,
    /// `google.rpc.Status`.
    #[serde(default)]
    error: Value,
    /// As it came: what is not known of it may still hold an address.
    #[serde(default)]
    response: Value,
}

/// The Gemini API wraps the videos once more.
#[derive(Clone, Debug, Deserialize)]
struct Response {
    #[serde(default, rename = "generateVideoResponse")]
    wrapped: Option<Videos>,
    #[serde(flatten)]
    plain: Videos,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Videos {
    /// Vertex.
    #[serde(default)]
    videos: Option<Vec<Media>>,
    /// The Gemini API, older versions of Vertex, and, by the second name, what the vendor's own libraries write.
    #[serde(default, alias = "generatedVideos")]
    generated_samples: Option<Vec<Sample>>,
    /// How many the safety filter withheld. Zero is not absent.
    #[serde(default, deserialize_with = "count")]
    rai_media_filtered_count: Option<u64>,
    #[serde(default)]
    rai_media_filtered_reasons: Value,
    /// Of the prompt, which was refused as a whole.
    #[serde(default)]
    rai_error_message: Option<String>,
}

/// A sample is its video, or holds it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Sample {
    Holds { video: Media },
    Address(String),
    Is(Media),
}

/// A video at an address, or in the answer itself.
#[derive(Clone, Debug, Default, Deserialize)]
struct Media {
    #[serde(default, alias = "gcsUri", deserialize_with = "lenient")]
    uri: Option<String>,
    #[serde(default, alias = "bytesBase64Encoded", alias = "encodedVideo", deserialize_with = "lenient")]
    bytes: Option<String>,
    #[serde(default, alias = "mimeType", alias = "encoding", deserialize_with = "lenient")]
    media_type: Option<String>,
}

/// Reads the answer about an operation.
#[must_use]
pub fn explain(status: u16, body: &[u8]) -> Reading {
    match body_of::<Operation>(status, body) {
        Ok(operation) => read(operation),
        Err(unread) => unread.into(),
    }
}

/// A list of operations.
#[must_use]
pub fn list(facts: &'static Facts, operations: &[Value]) -> Explained {
    Explained::list(facts, operations.iter().filter_map(listed).collect())
}

fn listed(operation: &Value) -> Option<ListedJob> {
    let operation: Operation = serde_json::from_value(operation.clone()).ok()?;
    let job_id = JobId::new(operation.name.clone()?);
    let state = read(operation).state;
    Some(ListedJob { job_id, state, created_at: None, model: None, prompt: None, reference: None })
}

fn read(operation: Operation) -> Reading {
    let about = operation.name.map(JobId::new);
    let is_done = operation.done == Some(true);
    let is_failed = !is_ok(&operation.error);
    let reading = match operation.response {
        // An answer that names no operation is none about one.
        _ if !is_done && about.is_none() => Reading::unrecognised("the answer is about no operation"),
        _ if !is_done => Reading::of(JobState::Processing),
        Value::Null if is_failed => failed(&operation.error),
        Value::Null => Reading::unrecognised("the operation is done, and tells no result"),
        response => match responded(&response) {
            // An operation has a response or an error (google.longrunning.Operation), never both.
            reading if is_failed && has_file(&reading) => {
                Reading::unrecognised("the operation is done, and tells both an error and a video")
            }
            _ if is_failed => failed(&operation.error),
            reading => reading,
        },
    };
    Reading { about, ..reading }
}

/// Whether a `google.rpc.Status` is none, or the one for success: its code is 0, which writers of JSON leave out.
fn is_ok(error: &Value) -> bool {
    match error {
        Value::Null => true,
        Value::Object(fields) => match fields.get("code") {
            None | Some(Value::Null) => words_in(error).is_none(),
            Some(code) => code.as_i64().or_else(|| code.as_str()?.trim().parse().ok()) == Some(0),
        },
        _ => false,
    }
}

fn has_file(reading: &Reading) -> bool {
    let listed =
        matches!(&reading.pieces, Pieces::Listed(pieces) if pieces.iter().any(|p| matches!(p, Piece::File(_))));
    listed || reading.holds_more
}

/// What the response of an operation that is done tells. Words about what was withheld may name pages; any other
/// address that is not read as a video may be one.
fn responded(response: &Value) -> Reading {
    let Ok(told) = serde_json::from_value::<Response>(response.clone()) else {
        return Reading::unrecognised("the operation is done, and its response can't be read");
    };
    let reading = done(told.wrapped.unwrap_or(told.plain));
    let mut rest = response.clone();
    without_reasons(&mut rest);
    if let Some(wrapped) = rest.get_mut("generateVideoResponse") {
        without_reasons(wrapped);
    }
    let known: Vec<Asset> = match &reading.pieces {
        Pieces::Listed(pieces) => pieces
            .iter()
            .filter_map(|piece| if let Piece::File(asset) = piece { Some(asset.clone()) } else { None })
            .collect(),
        Pieces::Unlisted | Pieces::Gone => Vec::new(),
    };
    match holds_more(&rest, &known) {
        holds_more if holds_more && reading.state == JobState::Filtered => {
            let why = "all videos are said to be withheld, and an address is told that is not understood";
            Reading { holds_more, ..Reading::unrecognised(why) }
        }
        holds_more => Reading { holds_more, ..reading },
    }
}

fn without_reasons(videos: &mut Value) {
    if let Some(fields) = videos.as_object_mut() {
        fields.retain(|name, _| !matches!(name.as_str(), "raiMediaFilteredReasons" | "raiErrorMessage" | "@type"));
    }
}

fn failed(error: &Value) -> Reading {
    let code = error["code"].as_i64();
    let words = words_in(error);
    let state = match code {
        Some(CANCELLED) => JobState::Cancelled,
        _ if words.as_deref().is_some_and(names_a_filter) => JobState::Filtered,
        _ => JobState::Failed,
    };
    let code = code.map_or_else(String::new, |code| format!("code {code}: "));
    Reading::of(state).saying(format!("{code}{}", words.unwrap_or_default()))
}

/// Words of an error that the prompt or the picture was refused for what it shows.
fn names_a_filter(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    ["usage guidelines", "responsible ai", "safety filter", "sensitive words", "violat"]
        .iter()
        .any(|mark| words.contains(mark))
}

/// Done without an error is a success only as far as there are videos: the safety filter withholds
/// some or all, and counts them.
fn done(videos: Videos) -> Reading {
    let samples = videos.generated_samples.into_iter().flatten().map(|sample| match sample {
        Sample::Holds { video } | Sample::Is(video) => video,
        Sample::Address(uri) => Media { uri: Some(uri), ..Media::default() },
    });
    let media: Vec<Media> = videos.videos.into_iter().flatten().chain(samples).collect();
    let made = media.len();
    let files: Vec<Asset> = media.into_iter().filter_map(asset).collect();
    if files.len() != made {
        return Reading::unrecognised("the operation is done, and a video has neither address nor bytes");
    }
    let withheld = usize::try_from(videos.rai_media_filtered_count.unwrap_or(0)).unwrap_or(usize::MAX);
    let reason = words_in(&videos.rai_media_filtered_reasons).or(videos.rai_error_message);
    let reading = match (files.is_empty(), withheld) {
        (true, 0) if reason.is_some() => Reading::of(JobState::Filtered),
        (true, 0) => Reading::unrecognised("the operation is done, with no video and none withheld"),
        (true, _) => Reading::of(JobState::Filtered),
        (false, _) => {
            let withheld = std::iter::repeat_n(Piece::Filtered, withheld.min(MOST_WITHHELD));
            let pieces = files.into_iter().map(Piece::File).chain(withheld).collect();
            Reading { pieces: Pieces::Listed(pieces), ..Reading::of(JobState::Succeeded) }
        }
    };
    Reading { error: reading.error.or(reason), ..reading }
}

fn asset(media: Media) -> Option<Asset> {
    let kind = media.media_type.as_deref().and_then(FileKind::of_media_type).or(Some(FileKind::Video));
    match (media.uri.filter(|uri| !uri.is_empty()), media.bytes.filter(|bytes| !bytes.is_empty())) {
        (Some(url), _) => Some(Asset { url, kind, ..Asset::default() }),
        (None, Some(text)) => {
            let media_type = media.media_type.unwrap_or_else(|| "video/mp4".to_owned());
            let bytes = unpacked_bytes(&text);
            Some(Asset { url: format!("data:{media_type};base64,{text}"), bytes, kind, ..Asset::default() })
        }
        (None, None) => None,
    }
}

/// Google says how long to wait in `details[].retryDelay`, as `27s` or `1.5s`.
#[must_use]
pub fn delay_in(body: &[u8]) -> Option<Duration> {
    let failure: Value = serde_json::from_slice(body).ok()?;
    let details = failure["error"]["details"].as_array()?;
    let delay = details.iter().find_map(|detail| detail["retryDelay"].as_str())?;
    let seconds: f64 = delay.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
            // Code 0 is OK: an error that is none.
            (json!({"done": true, "error": {}}), Unrecognised),
            (json!({"done": true, "error": {"code": 0}}), Unrecognised),
            (json!({"done": true, "error": {"code": 0, "message": "", "details": []}, "response": {}}), Unrecognised),
            (json!({"done": true, "error": {}, "response": {"videos": [{"gcsUri": "gs://b/o.mp4"}]}}), Succeeded),
            (
                json!({"done": true, "error": {"code": "0"}, "response": {"videos": [{"gcsUri": "gs://b/o.mp4"}]}}),
                Succeeded,
            ),
            (json!({"done": true, "error": {"message": "no code"}}), Failed),
            (json!({"done": true, "error": "no status"}), Failed),
            (json!({"done": true, "error": {"code": 13}, "response": {"videos": []}}), Failed),
            (
                json!({"done": true, "error": {"code": 13}, "response": {"videos": [{"gcsUri": "gs://b/o.mp4"}]}}),
                Unrecognised,
            ),
            (
                json!({"done": true, "error": {"code": 13}, "response": {"video": {"link": "https://h.example/a"}}}),
                Unrecognised,
            ),
            (
                json!({"done": true, "error": {"code": 13}, "response": {"raiMediaFilteredCount": 1, "clip": "gs://b/o"}}),
                Unrecognised,
            ),
            (done_with(json!({"raiMediaFilteredCount": 1, "clips": [{"uri": "https://h.example/a"}]})), Unrecognised),
            (
                done_with(json!({"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": ["See https://h.example"]})),
                Filtered,
            ),
            (done_with(json!({"generatedSamples": [sample]})), Succeeded),
            (done_with(json!({"generatedSamples": [sample], "raiMediaFilteredCount": 0})), Succeeded),
            (done_with(json!({"generatedSamples": [{"video": {}}]})), Unrecognised),
            (done_with(json!({"raiMediaFilteredCount": 2})), Filtered),
            (done_with(json!({"raiMediaFilteredCount": "1"})), Filtered),
            (done_with(json!({"raiMediaFilteredCount": 0})), Unrecognised),
            (done_with(json!({})), Unrecognised),
            (done_with(json!({"generatedSamples": null, "raiMediaFilteredReasons": ["No"]})), Filtered),
            (
                done_with(json!({"generatedSamples": [{"video": {"encodedVideo": "AAAA", "encoding": "video/mp4"}}]})),
                Succeeded,
            ),
            (done_with(json!({"generatedSamples": ["gs://b/o.mp4"]})), Succeeded),
            (done_with(json!({"videos": [{"gcsUri": "gs://b/o.mp4", "mimeType": "video/mp4"}]})), Succeeded),
            (done_with(json!({"videos": [{"gcsUri": "gs://b/o.mp4"}, {"mimeType": "video/mp4"}]})), Unrecognised),
            (json!({"done": true, "response": {"videos": [{"gcsUri": "gs://b/o.mp4"}]}}), Succeeded),
            (json!({"done": true, "response": {"raiErrorMessage": "The prompt was refused"}}), Filtered),
            (json!({"done": true, "error": {"code": 3, "message": "This violates our usage guidelines"}}), Filtered),
            (json!({"done": true, "error": {"code": 3, "message": "5 seconds are not supported"}}), Failed),
            (json!({"error": {"code": 3, "message": "and not done"}}), Processing),
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
    fn bytes_in_the_answer_become_an_address_of_exact_length() {
        for (text, bytes) in [("AAAA", 3), ("AAA=", 2), ("AA==", 1)] {
            let reading = explained(done_with(json!({"videos": [{"bytesBase64Encoded": text}]})));
            let Pieces::Listed(pieces) = &reading.pieces else { panic!("a list") };
            let [Piece::File(asset)] = &pieces[..] else { panic!("a file") };
            assert_eq!((asset.url.as_str(), asset.bytes), (format!("data:video/mp4;base64,{text}").as_str(), bytes));
        }
    }

    #[test]
    fn waits_are_found() {
        let wait =
            |delay: &str| delay_in(json!({"error": {"details": [{}, {"retryDelay": delay}]}}).to_string().as_bytes());
        assert_eq!(wait("27s"), Some(Duration::from_secs(27)));
        assert_eq!(wait("1.5s"), Some(Duration::from_millis(1500)));
        for odd in ["soon", "-3s", "NaNs", "1e99s", ""] {
            assert_eq!(wait(odd), None, "{odd}");
        }
    }
}
