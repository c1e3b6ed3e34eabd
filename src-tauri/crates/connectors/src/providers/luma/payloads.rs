//! What the Dream Machine may send.

use serde_json::json;

use crate::providers::explain::Word::{
    AuthError, Billing, ExpiredOrUnknown, Failed, List, NotAJob, Permanent, Queued, RateLimited, Retryable, Running,
    Succeeded, Unknown,
};
use crate::providers::payloads::check;

#[test]
fn what_it_may_send_is_taken_for_what_it_is() {
    check(
        "luma",
        &[
            (201, json!({"id": "g", "state": "queued", "assets": null, "failure_reason": null}), Queued),
            (
                200,
                json!({"id": "g", "state": "dreaming", "assets": {"image": "https://storage.cdn-luma.com/f.jpg"}}),
                Running,
            ),
            (
                200,
                json!({"id": "g", "state": "dreaming", "assets": {"progress_video": "https://storage.cdn-luma.com/p.mp4"}}),
                Running,
            ),
            (
                200,
                json!({"id": "g", "state": "completed", "assets": {"video": "https://storage.cdn-luma.com/v.mp4", "image": null}}),
                Succeeded,
            ),
            (
                200,
                json!({"id": "g", "state": "completed", "generation_type": "image", "assets": {"image": "https://storage.cdn-luma.com/i.jpg"}}),
                Succeeded,
            ),
            (200, json!({"id": "g", "state": "completed", "assets": {}}), Unknown),
            (200, json!({"id": "g", "state": "completed", "assets": null}), Unknown),
            (
                200,
                json!({"id": "g", "state": "completed", "assets": {"progress_video": "https://storage.cdn-luma.com/p.mp4"}}),
                Unknown,
            ),
            (
                200,
                json!({"id": "g", "state": "failed", "failure_reason": "Prompt not allowed because advanced moderation failed"}),
                Failed,
            ),
            (200, json!({"id": "g", "state": "failed", "failure_reason": null}), Failed),
            (200, json!({"id": "g", "state": "processing"}), Unknown),
            (200, json!({"id": "g", "state": null}), Unknown),
            (200, json!([]), List),
            (
                200,
                json!({"has_more": true, "count": 1, "limit": 1, "offset": 0, "generations": [{"id": "g", "state": "queued"}]}),
                List,
            ),
            (200, json!({"credit_balance": 1200.5}), Billing),
            (200, json!({"message": "pong"}), NotAJob),
            (400, json!({"detail": "Invalid request"}), Permanent),
            (401, json!({"detail": "Unauthorized"}), AuthError),
            (404, json!({"detail": "Generation not found"}), ExpiredOrUnknown),
            (422, json!({"detail": [{"loc": ["path", "id"], "msg": "not a uuid"}]}), Permanent),
            (429, json!({"detail": "Too many requests"}), RateLimited),
            (500, json!({"detail": "Internal Server Error"}), Retryable),
        ],
    );
}
