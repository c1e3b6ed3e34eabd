//! What the Gemini API may send about Veo.

use serde_json::json;

use crate::providers::explain::Word::{
    AssetInfo, AuthError, Cancelled, ExpiredOrUnknown, ExpiredOrWrongKey, Failed, List, Permanent, RateLimited,
    Retryable, Running, Succeeded, Unknown,
};
use crate::providers::payloads::check;

const NAME: &str = "models/veo-9/operations/op";

#[test]
fn what_it_may_send_is_taken_for_what_it_is() {
    let sample =
        json!({"video": {"uri": "https://generativelanguage.googleapis.com/v1beta/files/f:download?alt=media"}});
    check(
        "gemini_veo",
        &[
            (200, json!({"name": NAME}), Running),
            (200, json!({"name": NAME, "metadata": {"@type": "x"}, "done": false}), Running),
            (
                200,
                json!({"name": NAME, "done": true, "response": {"generateVideoResponse": {"generatedSamples": [sample], "raiMediaFilteredCount": 0}}}),
                Succeeded,
            ),
            (
                200,
                json!({"name": NAME, "done": true, "response": {"generateVideoResponse": {"generatedSamples": [sample], "raiMediaFilteredCount": 1}}}),
                Succeeded,
            ),
            (
                200,
                json!({"name": NAME, "done": true, "response": {"generateVideoResponse": {"generatedSamples": [], "raiMediaFilteredCount": 2}}}),
                Failed,
            ),
            (
                200,
                json!({"name": NAME, "done": true, "response": {"generateVideoResponse": {"generatedSamples": null, "raiMediaFilteredCount": "1"}}}),
                Failed,
            ),
            (
                200,
                json!({"name": NAME, "done": true, "response": {"generateVideoResponse": {"generatedSamples": []}}}),
                Unknown,
            ),
            (
                200,
                json!({"name": NAME, "done": true, "response": {"generateVideoResponse": {"generatedSamples": [{"video": null}]}}}),
                Unknown,
            ),
            (200, json!({"name": NAME, "done": true, "response": null}), Unknown),
            (200, json!({"name": NAME, "done": true, "response": {"generatedVideos": [sample]}}), Succeeded),
            (200, json!({"name": NAME, "done": true, "response": {"generatedVideos": []}}), Unknown),
            (
                200,
                json!({"name": NAME, "done": true, "error": {"code": 3, "message": "The prompt violates the usage guidelines"}}),
                Failed,
            ),
            (200, json!({"name": NAME, "done": true, "error": {"code": 8, "message": "Exhausted"}}), Failed),
            (200, json!({"name": NAME, "done": true, "error": {"code": 1, "message": "Cancelled"}}), Cancelled),
            (200, json!({"operations": [{"name": NAME, "done": true}], "nextPageToken": ""}), List),
            (200, json!({"files": [{"name": "files/f", "uri": "https://a.example"}]}), List),
            (
                200,
                json!({"name": "files/f", "state": "ACTIVE", "sizeBytes": "5", "expirationTime": "2026-03-03T08:00:00Z"}),
                AssetInfo,
            ),
            (400, json!({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "no"}}), Permanent),
            (
                400,
                json!({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "API key not valid. Please pass a valid API key.", "details": [{"reason": "API_KEY_INVALID"}]}}),
                AuthError,
            ),
            (
                403,
                json!({"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "Method doesn't allow unregistered callers"}}),
                AuthError,
            ),
            (
                403,
                json!({"error": {"code": 403, "message": "You do not have permission to access the File f or it may not exist."}}),
                ExpiredOrWrongKey,
            ),
            (
                404,
                json!({"error": {"code": 404, "status": "NOT_FOUND", "message": "Operation not found"}}),
                ExpiredOrUnknown,
            ),
            (429, json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}), RateLimited),
            (503, json!({"error": {"code": 503, "status": "UNAVAILABLE", "message": "overloaded"}}), Retryable),
        ],
    );
}
