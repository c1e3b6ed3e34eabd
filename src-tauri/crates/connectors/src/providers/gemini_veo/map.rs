//! What the Gemini API's answers about Veo mean.

use super::wire::File;
use crate::providers::reading::{Asset, Cause, Reading};
use crate::providers::veo;

/// Reads the answer to `GET /{operation name}`.
#[must_use]
pub fn explain(status: u16, body: &[u8]) -> Reading {
    let reading = veo::explain(status, body);
    // 403 is what a deleted file *and* a file of another key's project get.
    if status == 403 && reading.error.as_deref().is_some_and(|words| words.contains(" File ")) {
        return Reading { cause: Some(Cause::GoneOrWrongKey), ..reading };
    }
    reading
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn ids_are_found() {
        assert_eq!(file_id("/v1beta/files/abc:download"), Some("abc"));
        assert_eq!(file_id("/v1beta/files/abc"), Some("abc"));
        assert_eq!(file_id("/v1beta/files/"), None);
        assert_eq!(file_id("/elsewhere/abc"), None);
    }
}
