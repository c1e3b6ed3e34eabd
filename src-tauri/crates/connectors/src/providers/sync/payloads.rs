//! What Sync may send.

use serde_json::json;

use crate::providers::explain::Word::{
    AssetInfo, AuthError, Cancelled, ExpiredOrUnknown, Failed, List, Permanent, Queued, RateLimited, Retryable,
    Running, Succeeded, Unknown,
};
use crate::providers::payloads::check;

#[test]
fn what_it_may_send_is_taken_for_what_it_is() {
    check(
        "sync",
        &[
            (200, json!("https://assets.sync.so/g/out.mp4?sig=x"), AssetInfo),
            (200, json!("no address"), Unknown),
            (
                201,
                json!({"id": "g", "status": "PENDING", "createdAt": "2026-03-01T08:00:00Z", "outputUrl": null}),
                Queued,
            ),
            (200, json!({"id": "g", "status": "PROCESSING", "progress": 41, "outputUrl": null}), Running),
            (
                200,
                json!({"id": "g", "status": "COMPLETED", "outputMediaUrl": "https://a.example/o.mp4", "outputDuration": 3}),
                Succeeded,
            ),
            (
                200,
                json!({"id": "g", "status": "COMPLETED", "outputUrl": "https://a.example/o.mp4", "error": null}),
                Succeeded,
            ),
            (200, json!({"id": "g", "status": "COMPLETED", "outputUrl": ""}), Unknown),
            (200, json!({"id": "g", "status": "COMPLETED"}), Unknown),
            (200, json!({"id": "g", "status": "FAILED", "error": "broke", "errorCode": "generation_timeout"}), Failed),
            (200, json!({"id": "g", "status": "FAILED", "error": {"message": "broke"}, "error_code": null}), Failed),
            (
                200,
                json!({"id": "g", "status": "REJECTED", "error": "concurrency", "error_code": "generation_rejected"}),
                Failed,
            ),
            (200, json!({"id": "g", "status": "TIMED_OUT"}), Failed),
            (200, json!({"id": "g", "status": "CANCELED"}), Cancelled),
            (200, json!({"id": "g", "status": "CANCELLED"}), Unknown),
            (200, json!({"id": "g", "status": "UPLOADING"}), Unknown),
            (200, json!({"id": "g", "status": 7}), Unknown),
            (200, json!([]), List),
            (200, json!([{"id": "g", "status": "PENDING"}, {"id": "h", "status": "FAILED"}]), List),
            (400, json!({"message": "timeout must be 1 to 10", "statusCode": 400}), Permanent),
            (401, json!({"message": "Unauthorized", "statusCode": 401}), AuthError),
            (
                402,
                json!({"message": "Payment required", "statusCode": 402, "errorCode": "insufficient_credits"}),
                Permanent,
            ),
            (404, json!({"message": "Generation not found", "statusCode": 404}), ExpiredOrUnknown),
            (
                429,
                json!({"message": "limit", "statusCode": 429, "errorCode": "concurrency_limit_reached"}),
                RateLimited,
            ),
            (
                500,
                json!({"message": "internal", "statusCode": 500, "errorCode": "internal_error", "requestId": "q"}),
                Retryable,
            ),
        ],
    );
}
