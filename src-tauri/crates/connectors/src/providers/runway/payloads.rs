//! What Runway may send.

use serde_json::json;

use crate::providers::explain::Word::{
    AuthError, Billing, Cancelled, CancelledOrUnknown, Failed, Permanent, Queued, RateLimited, Retryable, Running,
    Succeeded, Unknown,
};
use crate::providers::payloads::check;

#[test]
fn what_it_may_send_is_taken_for_what_it_is() {
    check(
        "runway",
        &[
            (200, json!({"id": "17f20503-6c24-4c16-946b-35dbbce2af2f"}), Queued),
            (
                200,
                json!({"id": "t", "status": "PENDING", "createdAt": "2026-03-01T08:00:00Z", "estimatedCost": {"credits": 5}}),
                Queued,
            ),
            (200, json!({"id": "t", "status": "THROTTLED"}), Queued),
            (200, json!({"id": "t", "status": "RUNNING", "progress": 1}), Running),
            (
                200,
                json!({"id": "t", "status": "SUCCEEDED", "output": ["https://dnznrvs05pmza.cloudfront.net/a.mp4?_jwt=x"], "cost": {"credits": 5}}),
                Succeeded,
            ),
            (
                200,
                json!({"id": "t", "status": "SUCCEEDED", "output": {"n": ["https://dnznrvs05pmza.cloudfront.net/a.mp4"], "m": []}}),
                Succeeded,
            ),
            (200, json!({"id": "t", "status": "SUCCEEDED", "output": {"n": []}}), Unknown),
            (200, json!({"id": "t", "status": "SUCCEEDED", "output": null}), Unknown),
            (200, json!({"id": "t", "status": "SUCCEEDED", "output": [null]}), Unknown),
            (
                200,
                json!({"id": "t", "status": "FAILED", "failure": "Unsafe", "failureCode": "SAFETY.INPUT.TEXT"}),
                Failed,
            ),
            (200, json!({"id": "t", "status": "FAILED", "failure": null, "failureCode": null}), Failed),
            (
                200,
                json!({"id": "t", "status": "FAILED", "failureCode": "ASSET.INVALID", "cost": {"credits": 0}}),
                Failed,
            ),
            (200, json!({"id": "t", "status": "CANCELLED"}), Cancelled),
            (200, json!({"id": "t", "status": "CANCELED"}), Unknown),
            (200, json!({"id": "t", "status": 3}), Unknown),
            (200, json!({"tier": {"maxMonthlyCreditSpend": 1}, "creditBalance": 12, "usage": {"models": {}}}), Billing),
            (400, json!({"error": "Validation of params failed", "issues": []}), Permanent),
            (401, json!({"error": "You have not provided a valid key"}), AuthError),
            (404, json!({"error": "not found"}), CancelledOrUnknown),
            (429, json!({"error": "You do not have enough daily generations"}), RateLimited),
            (502, json!("Bad gateway"), Retryable),
        ],
    );
}
