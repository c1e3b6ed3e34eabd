//! What the Gemini API's answers about Veo mean.

use makegood_domain::ids::JobId;
use makegood_domain::work::JobState;
use serde_json::Value;

use super::wire::File;
use crate::providers::reading::{Asset, Cause, Reading, words_in};
use crate::providers::{AssetState, Document, Explained, Facts, FileKind, Word, veo};

/// Reads the answer to `GET /{operation name}`.
#[must_use]
pub fn explain(status: u16, body: &[u8]) -> Reading {
    let reading = veo::explain(status, body);
    let says = |mark: &str| reading.error.as_deref().is_some_and(|words| words.contains(mark));
    // A key that is none is told as a bad request.
    if status == 400 && (says("API key not valid") || says("API key expired") || says("API_KEY_INVALID")) {
        return Reading { cause: Some(Cause::KeyRefused), ..reading };
    }
    // 403 is what a deleted file *and* a file of another key's project get.
    if status == 403 && says(" File ") {
        return Reading { cause: Some(Cause::GoneOrWrongKey), ..reading };
    }
    reading
}

/// What a document says that came without its question: operations, files, lists, and events.
#[must_use]
pub fn of_document(facts: &'static Facts, document: &Document<'_>) -> Explained {
    let json = document.json();
    let mut asset = Asset::default();
    let wrapped = json.get("file").filter(|file| file.is_object()).map(ToString::to_string);
    let body = wrapped.as_deref().map_or(document.body, str::as_bytes);
    match note_file(document.status, body, &mut asset) {
        Told::Nothing => {}
        told => return of_file(facts, &told, &asset),
    }
    if let Some(operations) = json["operations"].as_array() {
        return veo::list(facts, operations);
    }
    if json["files"].is_array() || json["generatedFiles"].is_array() {
        return Explained::list(facts, Vec::new()).noting("of files, and not of jobs");
    }
    if let Some(kind) = json["type"].as_str().filter(|_| json["data"].is_object()) {
        return of_event(facts, kind, &json["data"]);
    }
    Explained::job(facts, explain(document.status, document.body))
}

/// What a webhook tells: what happened, an id, and sometimes where the file is.
fn of_event(facts: &'static Facts, kind: &str, data: &Value) -> Explained {
    let reading = match kind {
        "video.generated" => match data["output_file_uri"].as_str() {
            Some(url) => {
                let kind = Some(FileKind::Video);
                Reading::with_files(vec![Asset { url: url.to_owned(), kind, ..Asset::default() }])
            }
            None => Reading::of(JobState::Succeeded),
        },
        "video.failed" => Reading { error: words_in(data), ..Reading::of(JobState::Failed) },
        "video.cancelled" | "video.canceled" => Reading::of(JobState::Cancelled),
        _ if kind.starts_with("video.") => Reading::unrecognised(format!("Gemini tells {kind:?}")),
        _ => return Explained::of(facts, Word::NotAJob).noting(format!("about {kind}")),
    };
    let id = data["id"].as_str().or_else(|| data["name"].as_str());
    Explained::job(facts, Reading { about: id.map(JobId::new), ..reading })
}

/// What a document about a file says. That its processing failed says that there is no file, and nothing of the job
/// that it was for.
fn of_file(facts: &'static Facts, told: &Told, asset: &Asset) -> Explained {
    let known = Explained::of(facts, Word::AssetInfo);
    match told {
        Told::There => Explained::file(facts, asset),
        Told::NotYet => {
            Explained { retryable: true, ..known }.noting("the file is not there yet: it is being processed")
        }
        Told::Failed(words) => Explained { asset: Some(AssetState::Never), error: words.clone(), ..known }
            .noting("the file's processing failed, which says nothing of the job"),
        Told::Strange(word) => known.noting(format!("Gemini says {word:?} of the file")),
        Told::Nothing => known,
    }
}

/// What the Files API says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    There,
    /// It is being processed, or generated.
    NotYet,
    /// It could not be processed: with the vendor's words for why.
    Failed(Option<String>),
    /// A word that is not known.
    Strange(String),
    /// The answer is about no file.
    Nothing,
}

/// Reads the answer to `GET /files/{id}`, or about a generated file; where it is there, into the file, whose address
/// stays if it has one. The states are those of `File.state` and `GeneratedFile.state` in the vendor's specification; a
/// file without one is there.
///
/// 403 is what a deleted file *and* a file of another key's project get, so it tells nothing.
pub fn note_file(status: u16, body: &[u8], asset: &mut Asset) -> Told {
    let is_file = |file: &File| {
        file.name.as_deref().is_some_and(|name| name.starts_with("files/") || name.starts_with("generatedFiles/"))
    };
    let Some(file) = serde_json::from_slice::<File>(body).ok().filter(|file| status == 200 && is_file(file)) else {
        return Told::Nothing;
    };
    match file.state.as_deref() {
        None | Some("" | "STATE_UNSPECIFIED" | "ACTIVE" | "GENERATED") => {}
        Some("PROCESSING" | "GENERATING") => return Told::NotYet,
        Some("FAILED") => return Told::Failed(words_in(&file.error)),
        Some(word) => return Told::Strange(word.to_owned()),
    }
    if asset.url.is_empty() {
        asset.url = [file.download_uri, file.uri].into_iter().flatten().find(|url| !url.is_empty()).unwrap_or_default();
    }
    let of_video = file.video_metadata.is_object().then_some(FileKind::Video);
    asset.kind = file.mime_type.as_deref().and_then(FileKind::of_media_type).or(of_video).or(asset.kind);
    asset.bytes = file.size_bytes.unwrap_or(0);
    asset.available_until = file.expiration_time;
    asset.finished_at = file.create_time;
    asset.exists_now = Some(true);
    Told::There
}

/// The id of the file behind a download address: `…/files/{id}:download?alt=media`.
#[must_use]
pub fn file_id(path: &str) -> Option<&str> {
    let (_, rest) = path.rsplit_once("/files/")?;
    let id = rest.split(':').next().unwrap_or(rest);
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_tells_its_length_and_deadline() {
        let mut asset = Asset::default();
        let body = br#"{"name":"files/f1","sizeBytes":"4096","expirationTime":"2026-03-03T08:00:00Z","createTime":"2026-03-01T08:00:00Z"}"#;
        assert_eq!(note_file(200, body, &mut asset), Told::There);
        assert_eq!((asset.bytes, asset.exists_now), (4096, Some(true)));
        assert!(asset.available_until > asset.finished_at);
        let mut unknown = Asset::default();
        assert_eq!(note_file(403, br#"{"error":{"code":403}}"#, &mut unknown), Told::Nothing);
        assert_eq!(note_file(200, br#"{"error":{"code":403}}"#, &mut unknown), Told::Nothing);
        assert_eq!(unknown, Asset::default());
    }

    #[test]
    fn a_file_is_there_as_its_state_says() {
        let (bytes, about) = ("https://g.example/download/f1", "https://g.example/v1beta/files/f1");
        let error = json!({"code": 13, "message": "The file could not be read"});
        for (name, state, told) in [
            ("files/f1", json!("ACTIVE"), Told::There),
            ("files/f1", json!("STATE_UNSPECIFIED"), Told::There),
            ("files/f1", json!(null), Told::There),
            ("files/f1", json!("PROCESSING"), Told::NotYet),
            ("files/f1", json!("FAILED"), Told::Failed(Some("The file could not be read".to_owned()))),
            ("files/f1", json!("ARCHIVED"), Told::Strange("ARCHIVED".to_owned())),
            ("generatedFiles/g1", json!("GENERATED"), Told::There),
            ("generatedFiles/g1", json!("GENERATING"), Told::NotYet),
            ("models/veo-9/operations/o1", json!("ACTIVE"), Told::Nothing),
        ] {
            let body = json!({"name": name, "state": state, "error": error, "uri": about, "downloadUri": bytes,
                "mimeType": "video/mp4", "sizeBytes": "9"});
            let (mut new, mut known) = (Asset::default(), Asset { url: about.to_owned(), ..Asset::default() });
            assert_eq!(note_file(200, body.to_string().as_bytes(), &mut new), told, "{body}");
            note_file(200, body.to_string().as_bytes(), &mut known);
            assert_eq!(known.url, about, "an address that was there stays: {body}");
            let is_there = told == Told::There;
            let want = if is_there { (bytes, Some(true), Some(FileKind::Video)) } else { ("", None, None) };
            assert_eq!((new.url.as_str(), new.exists_now, new.kind), want, "{body}");
        }
    }

    #[test]
    fn a_document_about_a_file_says_whether_it_can_be_had() {
        let explained = |body: Value| {
            let text = body.to_string();
            let document = Document { origin: crate::providers::Origin::Answer, status: 200, body: text.as_bytes() };
            of_document(&super::super::FACTS, &document)
        };
        let file = |more: Value| {
            let mut body = json!({"name": "files/f1", "uri": "https://g.example/v1beta/files/f1"});
            for (name, value) in more.as_object().into_iter().flatten() {
                body[name] = value.clone();
            }
            explained(body)
        };
        let there = file(json!({"state": "ACTIVE", "mimeType": "video/mp4", "expirationTime": "2026-03-03T08:00:00Z"}));
        assert_eq!((there.word, there.asset), (Word::AssetInfo, Some(AssetState::Available)));
        let [output] = &there.outputs[..] else { panic!("one file: {there:?}") };
        assert_eq!(output.url.as_deref(), Some("https://g.example/v1beta/files/f1"));
        assert_eq!(output.kind, FileKind::Video);
        assert_eq!(output.expires_at.map(|at| at.to_string()).as_deref(), Some("2026-03-03T08:00:00Z"));
        for (body, asset, retryable, error) in [
            (json!({"state": "PROCESSING"}), None, true, None),
            (
                json!({"state": "FAILED", "error": {"code": 13, "message": "Not a video"}}),
                Some(AssetState::Never),
                false,
                Some("Not a video"),
            ),
            (json!({"state": "FAILED"}), Some(AssetState::Never), false, None),
            (json!({"state": "ARCHIVED"}), None, false, None),
        ] {
            let told = file(body.clone());
            assert_eq!((told.word, told.asset, told.retryable), (Word::AssetInfo, asset, retryable), "{body}");
            assert_eq!((told.error.as_deref(), told.terminal, told.outputs.len()), (error, false, 0), "{body}");
        }
    }

    #[test]
    fn ids_are_found() {
        assert_eq!(file_id("/v1beta/files/abc:download"), Some("abc"));
        assert_eq!(file_id("/v1beta/files/abc"), Some("abc"));
        assert_eq!(file_id("/v1beta/files/"), None);
        assert_eq!(file_id("/elsewhere/abc"), None);
    }

    #[test]
    fn documents_are_told_apart() {
        let error = |code: u16, message: &str| json!({"error": {"code": code, "message": message, "status": "S"}});
        let event = |kind: &str, data: Value| json!({"type": kind, "data": data});
        let operation = json!({"name": "models/veo-9/operations/o1"});
        for (status, body, want) in [
            (200, operation.clone(), Word::Running),
            (200, json!({"operations": [operation, {}], "nextPageToken": "t"}), Word::List),
            (200, json!({"files": [{"name": "files/f1"}]}), Word::List),
            (200, json!({"generatedFiles": []}), Word::List),
            (200, json!({"name": "files/f1", "state": "ACTIVE", "sizeBytes": "9"}), Word::AssetInfo),
            (200, json!({"file": {"name": "files/f1"}}), Word::AssetInfo),
            (200, json!({"name": "generatedFiles/g1", "state": "GENERATED"}), Word::AssetInfo),
            (200, json!({}), Word::Unknown),
            (200, event("video.generated", json!({"id": "o1"})), Word::Succeeded),
            (
                200,
                event("video.generated", json!({"id": "o1", "output_file_uri": "https://g.example/files/f1"})),
                Word::Succeeded,
            ),
            (200, event("video.failed", json!({"id": "o1"})), Word::Failed),
            (200, event("video.archived", json!({"id": "o1"})), Word::Unknown),
            (200, event("batch.succeeded", json!({"id": "b1"})), Word::NotAJob),
            (400, error(400, "API key not valid. Please pass a valid API key."), Word::AuthError),
            (400, error(400, "Unsupported name"), Word::Permanent),
            (401, error(401, "Missing credentials"), Word::AuthError),
            (403, error(403, "You may not read the File f1 or it may not exist."), Word::ExpiredOrWrongKey),
            (403, error(403, "The caller has no permission"), Word::AuthError),
            (404, error(404, "Not found"), Word::ExpiredOrUnknown),
            (429, error(429, "Quota"), Word::RateLimited),
            (501, error(501, "Operation is not implemented"), Word::Permanent),
            (503, error(503, "Overloaded"), Word::Retryable),
        ] {
            let text = body.to_string();
            let document = Document { origin: crate::providers::Origin::Answer, status, body: text.as_bytes() };
            assert_eq!(of_document(&super::super::FACTS, &document).word, want, "{status} {text}");
        }
    }
}
