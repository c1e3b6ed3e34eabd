//! What Stability may send, in JSON.

use serde_json::json;

use crate::providers::explain::Word::{
    AuthError, Billing, ExpiredOrUnknown, Failed, Permanent, Queued, RateLimited, Retryable, Running, Succeeded,
    Unknown,
};
use crate::providers::payloads::check;

#[test]
fn what_it_may_send_is_taken_for_what_it_is() {
    check(
        "stability",
        &[
            (200, json!({"id": "a6dc6c6e20acda010fe14d71f180658f2896ed9b4ec25aa99a6ff06c796987c4"}), Queued),
            (202, json!({"id": "g", "status": "in-progress"}), Running),
            (202, json!({}), Running),
            (200, json!({"credits": 12.5}), Billing),
            (200, json!({"credits": 0}), Billing),
            (200, json!({"video": "AAAA", "finish_reason": "SUCCESS", "seed": 1}), Succeeded),
            (200, json!({"image": "AAAA", "finish_reason": "SUCCESS", "seed": 1}), Succeeded),
            (200, json!({"result": "AAAA", "finish_reason": "SUCCESS", "seed": 1}), Succeeded),
            (200, json!({"artifacts": [{"base64": "AAAA", "finishReason": "SUCCESS", "seed": 1}]}), Succeeded),
            (200, json!({"video": "AAAA", "finish_reason": "CONTENT_FILTERED", "seed": 1}), Succeeded),
            (200, json!({"video": "", "finish_reason": "SUCCESS"}), Unknown),
            (200, json!({"video": "AAAA", "finish_reason": "LATER"}), Unknown),
            (200, json!({"finish_reason": "SUCCESS", "seed": 4}), Unknown),
            (400, json!({"id": "e", "name": "bad_request", "errors": ["some-field: is required"]}), Permanent),
            (401, json!({"id": "e", "name": "unauthorized", "errors": ["missing or invalid key"]}), AuthError),
            (402, json!({"id": "e", "name": "payment_required", "errors": ["credits"]}), Permanent),
            (403, json!({"id": "e", "name": "content_moderation", "errors": ["flagged"]}), Failed),
            (403, json!({"id": "e", "name": "permission_denied", "errors": ["no"]}), AuthError),
            (404, json!({"id": "e", "name": "not_found", "errors": ["not found"]}), ExpiredOrUnknown),
            (413, json!({"id": "e", "name": "payload_too_large", "errors": ["10MiB"]}), Permanent),
            (422, json!({"id": "e", "name": "unprocessable_entity", "errors": ["language"]}), Permanent),
            (429, json!({"id": "e", "name": "rate_limit_exceeded", "errors": ["150 in 10 s"]}), RateLimited),
            (500, json!({"id": "e", "name": "internal_error", "errors": ["sorry"]}), Retryable),
        ],
    );
}
