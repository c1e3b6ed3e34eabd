//! What the second API of MiniMax may send.

use serde_json::json;

use crate::providers::explain::Word::{
    AuthError, Cancelled, ExpiredOrUnknown, Failed, List, Permanent, Queued, RateLimited, Retryable, Running,
    Succeeded, Unknown,
};
use crate::providers::payloads::check;

#[test]
fn what_it_may_send_is_taken_for_what_it_is() {
    check(
        "minimax_v2",
        &[
            (200, json!({"task_id": "341872563012"}), Queued),
            (200, json!({"task": {"id": "1", "status": "queued", "created_at": 1772352000}}), Queued),
            (200, json!({"task": {"id": 1, "status": "running"}}), Running),
            (
                200,
                json!({"task": {"id": "1", "status": "succeeded", "content": {"url": "https://a.example/o.mp4"}, "usage": {"total_seconds": 6}}}),
                Succeeded,
            ),
            (200, json!({"task": {"id": "1", "status": "succeeded", "content": {"url": ""}}}), Unknown),
            (200, json!({"task": {"id": "1", "status": "succeeded", "content": null}}), Unknown),
            (
                200,
                json!({"task": {"id": "1", "status": "failed", "error": {"code": 1027, "message": "sensitive"}}}),
                Failed,
            ),
            (200, json!({"task": {"id": "1", "status": "failed", "error": null}}), Failed),
            (200, json!({"task": {"id": "1", "status": "cancelled"}}), Cancelled),
            (200, json!({"task": {"id": "1", "status": "expired"}}), Unknown),
            (200, json!({"id": "1", "status": "running"}), Running),
            (200, json!({"items": [{"id": "1", "status": "queued"}], "total": 1}), List),
            (
                400,
                json!({"type": "error", "error": {"type": "bad_request_error", "message": "invalid params, invalid task_id (2013)", "http_code": "400"}}),
                ExpiredOrUnknown,
            ),
            (
                400,
                json!({"type": "error", "error": {"type": "bad_request_error", "message": "invalid params, bad page_size (2013)", "http_code": "400"}}),
                Permanent,
            ),
            (
                401,
                json!({"type": "error", "error": {"type": "authorized_error", "message": "login fail (1004)", "http_code": "401"}}),
                AuthError,
            ),
            (
                402,
                json!({"type": "error", "error": {"type": "insufficient_balance_error", "message": "insufficient balance (1008)", "http_code": "402"}}),
                Permanent,
            ),
            (
                429,
                json!({"type": "error", "error": {"type": "rate_limit_error", "message": "rate limit (1002)", "http_code": "429"}}),
                RateLimited,
            ),
            (
                500,
                json!({"type": "error", "error": {"type": "api_error", "message": "unknown error (1000)", "http_code": "500"}}),
                Retryable,
            ),
            (
                529,
                json!({"type": "error", "error": {"type": "overloaded_error", "message": "overloaded", "http_code": "529"}}),
                Retryable,
            ),
            (200, json!({}), Unknown),
        ],
    );
}
