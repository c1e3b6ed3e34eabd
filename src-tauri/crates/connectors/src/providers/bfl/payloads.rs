//! What Black Forest Labs may send.

use serde_json::json;

use crate::providers::explain::Word::{
    AuthError, Billing, ExpiredOrUnknown, Failed, NotAJob, Permanent, Queued, RateLimited, Retryable, Running,
    Succeeded, Unknown,
};
use crate::providers::payloads::check;

#[test]
fn what_it_may_send_is_taken_for_what_it_is() {
    check(
        "bfl",
        &[
            (
                200,
                json!({"id": "t", "polling_url": "https://api.eu.bfl.ai/v1/get_result?id=t", "cost": 4.0, "input_mp": 0.0, "output_mp": 1.05}),
                Queued,
            ),
            (200, json!({"id": "t", "status": "Pending", "webhook_url": "https://p.example/h"}), Queued),
            (200, json!({"id": "t", "status": "Pending", "progress": 0.0, "result": {}}), Running),
            (200, json!({"id": "t", "status": "Pending", "preview": {"sample": "https://a.bfl.ai/p.png"}}), Running),
            (
                200,
                json!({"id": "t", "status": "Ready", "result": {"sample": "https://delivery-us1.bfl.ai/r/s.jpeg?se=2026-03-01T08%3A10%3A00Z&sig=x", "start_time": 1772352000.1, "duration": 4.2}}),
                Succeeded,
            ),
            (
                200,
                json!({"id": "t", "status": "Ready", "result": {"sample": "https://a.bfl.ai/s.png"}, "timestamp": "2026-03-01T08:00:00Z"}),
                Succeeded,
            ),
            (200, json!({"id": "t", "status": "Ready", "result": null}), Unknown),
            (200, json!({"id": "t", "status": "Ready", "result": {"prompt": "x", "seed": 1}}), Unknown),
            (200, json!({"id": "t", "status": "Error", "result": null, "details": {"message": "broke"}}), Failed),
            (
                200,
                json!({"id": "t", "status": "Error", "error": "content_policy_violation", "message": "no", "timestamp": "2026-03-01T08:00:00Z"}),
                Failed,
            ),
            (200, json!({"id": "t", "status": "Request Moderated", "details": {"Moderation Reasons": ["a"]}}), Failed),
            (200, json!({"id": "t", "status": "Content Moderated"}), Failed),
            (200, json!({"id": "t", "status": "Task not found"}), ExpiredOrUnknown),
            (404, json!({"id": "t", "status": "Task not found", "result": null}), ExpiredOrUnknown),
            (200, json!({"id": "t", "status": "Queued"}), Unknown),
            (200, json!({"id": "t", "status": null}), Unknown),
            (200, json!({"credits": 12.5}), Billing),
            (200, json!({"finetunes": ["f"]}), NotAJob),
            (402, json!({"detail": "Insufficient credits"}), Permanent),
            (403, json!({"detail": "Not authenticated"}), AuthError),
            (422, json!({"detail": [{"type": "missing", "loc": ["query", "id"], "msg": "Field required"}]}), Permanent),
            (429, json!({"error": "rate_limit_exceeded", "retry_after": "5"}), RateLimited),
            (503, json!({"detail": "high load"}), Retryable),
        ],
    );
}
