//! What fal may send: the queue, the results, the deliveries and the platform.

use serde_json::json;

use crate::providers::explain::Word::{
    AuthError, Billing, Cancelled, ExpiredOrUnknown, Failed, List, NotAJob, Permanent, Queued, RateLimited, Retryable,
    RetryableOrFailed, Running, Succeeded, Unknown,
};
use crate::providers::payloads::check;

#[test]
fn what_it_may_send_is_taken_for_what_it_is() {
    check(
        "fal",
        &[
            (
                200,
                json!({"request_id": "r", "status_url": "https://queue.fal.run/a/b/requests/r/status", "response_url": "https://queue.fal.run/a/b/requests/r"}),
                Queued,
            ),
            (202, json!({"status": "IN_QUEUE", "queue_position": 0, "response_url": "https://a.example"}), Queued),
            (200, json!({"status": "COMPLETED", "logs": null, "metrics": {"inference_time": 3.1}}), Succeeded),
            (
                200,
                json!({"status": "COMPLETED", "error": "Client cancelled", "error_type": "client_cancelled"}),
                Cancelled,
            ),
            (200, json!({"status": "COMPLETED", "error_type": "startup_timeout"}), Failed),
            (200, json!({"status": "WAITING", "request_id": "r"}), Unknown),
            (400, json!({"detail": "Request is still in progress"}), Running),
            (400, json!({"status": "ALREADY_COMPLETED"}), Succeeded),
            (404, json!({"status": "NOT_FOUND"}), ExpiredOrUnknown),
            (404, json!({"detail": "Request not found"}), ExpiredOrUnknown),
            (200, json!({"image": {"url": "data:image/png;base64,AAAA", "content_type": "image/png"}}), Succeeded),
            (200, json!({"output": "a description, and no file"}), Succeeded),
            (200, json!({"images": [], "has_nsfw_concepts": [], "seed": 18446744073709551615_u64}), Unknown),
            (200, json!({"video": null, "seed": 1}), Unknown),
            (200, json!({"images": [{"url": "https://v3b.fal.media/a.png"}], "has_nsfw_concepts": [true]}), Failed),
            (422, json!({"detail": [{"loc": ["body"], "msg": "none", "type": "no_media_generated"}]}), Failed),
            (499, json!({"detail": "Client cancelled", "error_type": "client_cancelled"}), Cancelled),
            (500, json!({"detail": "Runner lost", "error_type": "runner_disconnected"}), RetryableOrFailed),
            (403, json!({"detail": "User is locked. Reason: Exhausted balance."}), AuthError),
            (429, json!({"detail": "Too many requests", "error_type": "concurrent_requests_limit"}), RateLimited),
            (
                200,
                json!({"request_id": "r", "status": "ERROR", "payload": {"detail": [{"msg": "bad", "type": "value_error"}]}}),
                Failed,
            ),
            (
                200,
                json!({"request_id": "r", "status": "OK", "payload": {"audio": {"url": "https://v3b.fal.media/a.mp3"}}}),
                Succeeded,
            ),
            (
                200,
                json!({"items": [{"request_id": "r", "status_code": null, "ended_at": null}], "has_more": false}),
                List,
            ),
            (
                200,
                json!({"prices": [{"endpoint_id": "a/b", "unit_price": 0.1}], "next_cursor": null, "has_more": false}),
                Billing,
            ),
            (200, json!({"username": "a", "credits": {"current_balance": 1.5, "currency": "USD"}}), Billing),
            (200, json!({"webhook_ip_ranges": ["192.0.2.0/24"]}), NotAJob),
            (400, json!({"error": {"type": "validation_error", "message": "endpoint_id"}}), Permanent),
            (500, json!({"error": {"type": "server_error", "message": "sorry"}}), Retryable),
        ],
    );
}
