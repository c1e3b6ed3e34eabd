//! What Replicate may send, in its documented words and beside them.

use serde_json::json;

use crate::providers::explain::Word::{
    AuthError, Cancelled, Expired, Failed, List, Permanent, Queued, RateLimited, Retryable, Running, Succeeded,
    Unknown, UnknownJob,
};
use crate::providers::payloads::check;

#[test]
fn what_it_may_send_is_taken_for_what_it_is() {
    check(
        "replicate",
        &[
            (
                201,
                json!({"id": "p", "status": "starting", "output": null, "urls": {"get": "https://a.example"}}),
                Queued,
            ),
            (
                200,
                json!({"id": "p", "status": "processing", "output": ["https://replicate.delivery/x/0.png"], "logs": "40%"}),
                Running,
            ),
            (
                200,
                json!({"id": "p", "status": "succeeded", "version": "hidden", "output": "https://replicate.delivery/x/o.mp4"}),
                Succeeded,
            ),
            (
                200,
                json!({"id": "p", "status": "succeeded", "output": {"files": [{"audio": "https://a.replicate.delivery/s.wav"}]}}),
                Succeeded,
            ),
            (
                200,
                json!({"id": "p", "status": "succeeded", "output": ["one ", "word"], "metrics": {"predict_time": 1.5}}),
                Succeeded,
            ),
            (200, json!({"id": "p", "status": "succeeded", "output": 42}), Succeeded),
            (200, json!({"id": "p", "status": "succeeded", "data_removed": true, "input": {}}), Expired),
            (200, json!({"id": "p", "status": "succeeded", "output": null}), Expired),
            (200, json!({"id": "p", "status": "failed", "error": {"detail": "CUDA out of memory"}}), Failed),
            (200, json!({"id": "p", "status": "failed", "data_removed": true, "error": null}), Failed),
            (200, json!({"id": "p", "status": "canceled", "error": null, "started_at": null}), Cancelled),
            (200, json!({"id": "p", "status": "aborted", "error": "Deadline exceeded"}), Cancelled),
            (200, json!({"id": "p", "status": "queued"}), Unknown),
            (200, json!({"id": "p", "status": null, "output": "https://replicate.delivery/x/o.mp4"}), Unknown),
            (200, json!({"results": [], "next": null, "previous": null}), List),
            (
                200,
                json!({"results": [{"id": "p", "status": "aborted"}, {"id": "q", "status": "later"}], "next": "https://a.example"}),
                List,
            ),
            (401, json!({"title": "Unauthenticated", "detail": "You did not pass a token", "status": 401}), AuthError),
            (402, json!({"title": "Insufficient credit", "detail": "Buy more", "status": 402}), Permanent),
            (404, json!({"title": "Not found", "status": 404}), UnknownJob),
            (422, json!({"detail": "- input: prompt is required", "invalid_fields": []}), Permanent),
            (429, json!({"detail": "Request was throttled. Expected available in 1 second."}), RateLimited),
            (503, json!(null), Retryable),
        ],
    );
}
