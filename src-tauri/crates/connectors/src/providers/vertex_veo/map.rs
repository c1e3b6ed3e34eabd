//! What Vertex AI's answers about Veo mean, and where its files lie.

use serde_json::Value;
use url::Url;

use super::wire::Object;
use crate::providers::reading::{Asset, Cause, Pieces, Reading, is_of_an_api, said};
use crate::providers::{Document, Explained, Facts, FileKind, veo};
use makegood_domain::work::JobState;

/// An operation's name, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// `projects/…/locations/…/publishers/google/models/…`.
    pub model: String,
    pub operation: String,
}

impl Name {
    /// Reads the whole name of an operation, or its last part below the model's path.
    #[must_use]
    pub fn read(id: &str, model: Option<&str>) -> Option<Self> {
        let (model, operation) = match id.trim_matches('/').split_once("/operations/") {
            Some((model, operation)) => (model, operation),
            None => (model?.trim_matches('/'), id),
        };
        let is_whole = model.starts_with("projects/") && model.contains("/locations/") && model.contains("/models/");
        (is_whole && !operation.is_empty() && !operation.contains('/'))
            .then(|| Self { model: model.to_owned(), operation: operation.to_owned() })
    }

    #[must_use]
    pub fn whole(&self) -> String {
        format!("{}/operations/{}", self.model, self.operation)
    }

    /// Whether an answer that names its operation is about this one. The same project goes by its
    /// name and by its number, so that only the rest is compared.
    #[must_use]
    pub fn is_of(&self, other: &str) -> bool {
        let below_project = |whole: &str| whole.split_once("/locations/").map(|(_, rest)| rest.to_owned());
        below_project(&self.whole()) == below_project(other)
    }

    /// The host that answers for the operation's location; each location has its own.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        let location = self.model.split_once("/locations/")?.1.split('/').next()?;
        let is_word =
            !location.is_empty() && location.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        match location {
            _ if !is_word => None,
            "global" => Some("aiplatform.googleapis.com".to_owned()),
            "us" | "eu" => Some(format!("aiplatform.{location}.rep.googleapis.com")),
            _ => Some(format!("{location}-aiplatform.googleapis.com")),
        }
    }
}

/// Bucket and object of `gs://bucket/object`.
#[must_use]
pub fn object(address: &str) -> Option<(&str, &str)> {
    let (bucket, name) = address.strip_prefix("gs://")?.split_once('/')?;
    (!bucket.is_empty() && !name.is_empty()).then_some((bucket, name))
}

/// Where the storage's JSON API has an object: with `alt=media` the file, without it what is known
/// of it.
#[must_use]
pub fn object_url(storage: &Url, address: &str) -> Option<Url> {
    let (bucket, name) = object(address)?;
    let mut url = storage.clone();
    // An object's name is one segment, with all the slashes in it.
    url.path_segments_mut().ok()?.pop_if_empty().extend(["b", bucket, "o", name]);
    Some(url)
}

/// What became of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    There(Asset),
    Gone,
    /// The storage does not tell those who may not read, or could not say.
    Untold,
}

/// Reads what the storage says of an object.
#[must_use]
pub fn object_of(status: u16, body: &[u8]) -> Found {
    match (status, serde_json::from_slice::<Object>(body)) {
        (200, Ok(object)) if object.kind.as_deref() == Some("storage#object") => match object.soft_delete_time {
            Some(_) => Found::Gone,
            None => Found::There(Asset {
                url: format!("gs://{}/{}", object.bucket.unwrap_or_default(), object.name.unwrap_or_default()),
                bytes: object.size.unwrap_or(0),
                finished_at: object.time_created,
                exists_now: Some(true),
                kind: object.content_type.as_deref().and_then(FileKind::of_media_type),
                ..Asset::default()
            }),
        },
        (404 | 410, _) if is_of_an_api(body) => Found::Gone,
        _ => Found::Untold,
    }
}

/// What a document says that came without its question.
#[must_use]
pub fn explain(facts: &'static Facts, document: &Document<'_>) -> Explained {
    let json = document.json();
    if let Some(operations) = json["operations"].as_array() {
        return veo::list(facts, operations);
    }
    if json["kind"] == "storage#object"
        && let Found::There(asset) = object_of(document.status, document.body)
    {
        return Explained::file(facts, &asset);
    }
    Explained::job(
        facts,
        refusal(document.status, &json).unwrap_or_else(|| veo::explain(document.status, document.body)),
    )
}

/// Refusals that only the storage and the token's endpoint have.
fn refusal(status: u16, json: &Value) -> Option<Reading> {
    let words = said(json.to_string().as_bytes()).unwrap_or_default();
    let failed =
        |cause| Some(Reading { cause: Some(cause), ..Reading::of(JobState::LookupFailed).saying(words.clone()) });
    match (status, json["error"].as_str()) {
        (400 | 401, Some("invalid_grant" | "invalid_client" | "unauthorized_client" | "invalid_token")) => {
            failed(Cause::KeyRefused)
        }
        // An object that is gone, and one of a bucket that is not to be read, get the same.
        (403, _) if words.contains("storage.objects.") => failed(Cause::GoneOrWrongKey),
        (404, _) if words.starts_with("No such object") => {
            Some(Reading { pieces: Pieces::Gone, ..Reading::of(JobState::Succeeded).saying(words) })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::providers::Word;

    const MODEL: &str = "projects/acme-1/locations/europe-west4/publishers/google/models/veo-9";

    #[test]
    fn names_are_whole_or_below_a_model() {
        let whole = format!("{MODEL}/operations/op-1");
        for (id, model, want) in [
            (whole.as_str(), None, true),
            (whole.as_str(), Some("projects/other"), true),
            ("op-1", Some(MODEL), true),
            ("op-1", Some("/projects/acme-1/locations/europe-west4/publishers/google/models/veo-9/"), true),
            ("op-1", None, false),
            ("op-1", Some("models/veo-9"), false),
            ("models/veo-9/operations/op-1", None, false),
            ("", Some(MODEL), false),
            ("projects/a/locations/b/publishers/c/models/d/operations/", None, false),
            ("a/b", Some(MODEL), false),
        ] {
            assert_eq!(Name::read(id, model).map(|name| name.whole() == whole), want.then_some(true), "{id} {model:?}");
        }
    }

    #[test]
    fn a_location_has_its_host_and_a_project_two_names() {
        let host = |location: &str| {
            Name { model: format!("projects/p/locations/{location}/publishers/google/models/m"), operation: "o".into() }
                .host()
        };
        assert_eq!(host("us-central1").as_deref(), Some("us-central1-aiplatform.googleapis.com"));
        assert_eq!(host("global").as_deref(), Some("aiplatform.googleapis.com"));
        assert_eq!(host("eu").as_deref(), Some("aiplatform.eu.rep.googleapis.com"));
        for odd in ["", "evil.example#", "A", "x.y"] {
            assert_eq!(host(odd), None, "{odd}");
        }
        let name = Name { model: MODEL.to_owned(), operation: "op-1".to_owned() };
        assert!(name.is_of(&name.whole()));
        assert!(name.is_of("projects/123/locations/europe-west4/publishers/google/models/veo-9/operations/op-1"));
        assert!(!name.is_of("projects/acme-1/locations/europe-west4/publishers/google/models/veo-9/operations/op-2"));
        assert!(!name.is_of("op-1"));
    }

    #[test]
    fn objects_have_one_segment_each() {
        let storage = Url::parse("https://storage.example/storage/v1").expect("a base");
        let url = |address: &str| object_url(&storage, address).map(|url| url.to_string());
        assert_eq!(
            url("gs://b-1/runs/7/a b.mp4").as_deref(),
            Some("https://storage.example/storage/v1/b/b-1/o/runs%2F7%2Fa%20b.mp4")
        );
        for odd in ["gs://b", "gs://", "gs:///x", "s3://b/o", "https://x/y", ""] {
            assert_eq!(url(odd), None, "{odd}");
        }
    }

    #[test]
    fn the_storage_tells_of_objects() {
        let object = |more: Value| {
            let mut body = json!({"kind": "storage#object", "bucket": "b", "name": "v.mp4", "size": "4096"});
            for (name, value) in more.as_object().into_iter().flatten() {
                body[name] = value.clone();
            }
            object_of(200, body.to_string().as_bytes())
        };
        assert!(matches!(object(json!({})), Found::There(asset) if asset.bytes == 4096 && asset.url == "gs://b/v.mp4"));
        assert_eq!(object(json!({"softDeleteTime": "2026-03-01T08:00:00Z"})), Found::Gone);
        assert_eq!(object(json!({"kind": "storage#bucket"})), Found::Untold);
        for (status, want) in [(404, Found::Gone), (410, Found::Gone), (403, Found::Untold), (500, Found::Untold)] {
            assert_eq!(object_of(status, b"{}"), want, "HTTP {status}");
        }
    }

    #[test]
    fn documents_are_explained() {
        let name = format!("{MODEL}/operations/op-1");
        let filtered = json!({"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": ["No"]});
        for (status, body, want) in [
            (200, json!({"name": name}), Word::Running),
            (
                200,
                json!({"name": name, "done": true, "response": {"videos": [{"gcsUri": "gs://b/o.mp4"}]}}),
                Word::Succeeded,
            ),
            (
                200,
                json!({"name": name, "done": true, "response": {"videos": [{"bytesBase64Encoded": "AAAA"}]}}),
                Word::Succeeded,
            ),
            (200, json!({"name": name, "done": true, "response": {"videos": []}}), Word::Unknown),
            (200, json!({"name": name, "done": true, "response": {"videos": null}}), Word::Unknown),
            (200, json!({"name": name, "done": true, "response": filtered}), Word::Failed),
            (200, json!({"name": name, "done": true, "error": {"code": 1, "message": "stopped"}}), Word::Cancelled),
            (
                200,
                json!({"operations": [{"name": name}, {"name": name, "done": true, "error": {"code": 3}}]}),
                Word::List,
            ),
            (200, json!({"operations": []}), Word::List),
            (200, json!({"kind": "storage#object", "bucket": "b", "name": "o", "size": "3"}), Word::AssetInfo),
            (
                400,
                json!({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "Bad name"}}),
                Word::Permanent,
            ),
            (400, json!({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}), Word::AuthError),
            (401, json!({"error": {"code": 401, "status": "UNAUTHENTICATED"}}), Word::AuthError),
            (403, json!({"error": {"code": 403, "message": "Permission 'aiplatform.x' denied"}}), Word::AuthError),
            (
                403,
                json!({"error": {"code": 403, "message": "x does not have storage.objects.get access"}}),
                Word::ExpiredOrWrongKey,
            ),
            (404, json!({"error": {"code": 404, "message": "No such object: b/o.mp4"}}), Word::Expired),
            (404, json!([{"error": {"code": 404, "message": "not found"}}]), Word::ExpiredOrUnknown),
            (429, json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}), Word::RateLimited),
            (503, json!({"error": {"code": 503, "status": "UNAVAILABLE"}}), Word::Retryable),
        ] {
            let text = body.to_string();
            let document = Document { origin: crate::providers::Origin::Answer, status, body: text.as_bytes() };
            assert_eq!(explain(&super::super::FACTS, &document).word, want, "{status} {text}");
        }
    }
}
