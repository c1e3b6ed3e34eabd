//! What Vertex may send about Veo, and its storage about files.

use serde_json::json;

use crate::providers::explain::Word::{
    AssetInfo, AuthError, Cancelled, Expired, ExpiredOrUnknown, Failed, List, Permanent, RateLimited, Retryable,
    Running, Succeeded, Unknown,
};
use crate::providers::payloads::check;

const NAME: &str = "projects/p/locations/l/publishers/google/models/m/operations/o";

#[test]
fn what_it_may_send_is_taken_for_what_it_is() {
    check(
        "vertex_veo",
        &[
            (200, json!({"name": NAME}), Running),
            (200, json!({"name": NAME, "done": false, "metadata": {}}), Running),
            (
                200,
                json!({"name": NAME, "done": true, "response": {"videos": [{"gcsUri": "gs://b/o.mp4", "mimeType": "video/mp4"}]}}),
                Succeeded,
            ),
            (
                200,
                json!({"name": NAME, "done": true, "response": {"videos": [{"bytesBase64Encoded": "AAAA"}], "raiMediaFilteredCount": 0}}),
                Succeeded,
            ),
            (
                200,
                json!({"name": NAME, "done": true, "response": {"generatedSamples": [{"video": {"uri": "gs://b/o.mp4", "encoding": "video/mp4"}}]}}),
                Succeeded,
            ),
            (
                200,
                json!({"name": NAME, "done": true, "response": {"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": ["Code 1"]}}),
                Failed,
            ),
            (200, json!({"name": NAME, "done": true, "response": {"@type": "x", "raiMediaFilteredCount": 0}}), Unknown),
            (200, json!({"name": NAME, "done": true, "response": {"videos": []}}), Unknown),
            (200, json!({"name": NAME, "done": true, "response": {"videos": [{}]}}), Unknown),
            (200, json!({"name": NAME, "done": true}), Unknown),
            (
                200,
                json!({"name": NAME, "done": true, "error": {"code": 3, "message": "sensitive words", "details": []}}),
                Failed,
            ),
            (200, json!({"name": NAME, "done": true, "error": {"code": 13, "message": "internal"}}), Failed),
            (200, json!({"name": NAME, "done": true, "error": {"code": 1, "message": "cancelled"}}), Cancelled),
            (200, json!({"operations": []}), List),
            (200, json!({"kind": "storage#object", "name": "o.mp4", "bucket": "b", "size": "9"}), AssetInfo),
            (404, json!({"error": {"code": 404, "message": "No such object: b/o.mp4"}}), Expired),
            (401, json!({"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "expired token"}}), AuthError),
            (400, json!({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "name"}}), Permanent),
            (404, json!({"error": {"code": 404, "status": "NOT_FOUND", "message": "not found"}}), ExpiredOrUnknown),
            (429, json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "quota"}}), RateLimited),
            (500, json!({"error": {"code": 500, "status": "INTERNAL"}}), Retryable),
        ],
    );
}
