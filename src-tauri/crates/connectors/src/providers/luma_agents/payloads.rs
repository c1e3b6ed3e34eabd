//! What the Luma Agents API may send.

use serde_json::json;

use crate::providers::explain::Word::{
    AuthError, ExpiredOrUnknown, Failed, Permanent, Queued, RateLimited, Retryable, Running, Succeeded, Unknown,
};
use crate::providers::payloads::check;

#[test]
fn what_it_may_send_is_taken_for_what_it_is() {
    check(
        "luma_agents",
        &[
            (201, json!({"id": "g", "state": "queued", "output": []}), Queued),
            (200, json!({"id": "g", "state": "processing", "output": null}), Running),
            (
                200,
                json!({"id": "g", "state": "completed", "output": [{"type": "image", "url": "https://a.example/i.png"}]}),
                Succeeded,
            ),
            (
                200,
                json!({"id": "g", "state": "completed", "output": [{"type": "image", "url": "https://a.example/1"}, {"type": "image", "url": "https://a.example/2"}]}),
                Succeeded,
            ),
            (200, json!({"id": "g", "state": "completed", "output": []}), Unknown),
            (200, json!({"id": "g", "state": "completed", "output": null}), Unknown),
            (200, json!({"id": "g", "state": "completed", "output": [{"type": "image", "url": null}]}), Unknown),
            (
                200,
                json!({"id": "g", "state": "failed", "failure_code": "content_moderated", "failure_reason": "no"}),
                Failed,
            ),
            (200, json!({"id": "g", "state": "failed", "failure_code": "budget_exhausted"}), Failed),
            (200, json!({"id": "g", "state": "failed", "failure_code": "rate_limited"}), Failed),
            (200, json!({"id": "g", "state": "failed", "failure_code": "of_tomorrow", "failure_reason": null}), Failed),
            (200, json!({"id": "g", "state": "failed"}), Failed),
            (200, json!({"id": "g", "state": "dreaming"}), Unknown),
            (200, json!({"id": "g", "state": "cancelled"}), Unknown),
            (200, json!({"id": "g"}), Unknown),
            (400, json!({"detail": "bad"}), Permanent),
            (401, json!({"detail": "no key"}), AuthError),
            (402, json!({"detail": "no budget"}), Permanent),
            (404, json!({"detail": "not found"}), ExpiredOrUnknown),
            (429, json!({"detail": "slow"}), RateLimited),
            (503, json!({"detail": "later"}), Retryable),
        ],
    );
}
