//! What ModelArk may send about Seedance.

use serde_json::json;

use crate::providers::explain::Word::{
    AuthError, Cancelled, Expired, ExpiredOrUnknown, Failed, List, Permanent, Queued, RateLimited, Retryable, Running,
    Succeeded, Unknown,
};
use crate::providers::payloads::check;

#[test]
fn what_it_may_send_is_taken_for_what_it_is() {
    check(
        "seedance",
        &[
            (200, json!({"id": "cgt-20260301-a"}), Queued),
            (
                404,
                json!({"error": {"code": "InvalidEndpointOrModel.NotFound", "message": "The model m does not exist"}}),
                Permanent,
            ),
            (200, json!({"id": "cgt-1", "model": "m", "status": "queued", "created_at": 1772352000}), Queued),
            (200, json!({"id": "cgt-1", "model": "m", "status": "running", "content": null}), Running),
            (
                200,
                json!({"id": "cgt-1", "model": "m", "status": "succeeded", "content": {"video_url": "https://ark.tos.example/v.mp4?X-Tos-Expires=86400&X-Tos-Date=20260301T080000Z"}}),
                Succeeded,
            ),
            (
                200,
                json!({"id": "cgt-1", "model": "m", "status": "succeeded", "content": {"video_url": "https://a.example/v.mp4", "last_frame_url": "https://a.example/l.png"}, "usage": {"completion_tokens": 9}}),
                Succeeded,
            ),
            (200, json!({"id": "cgt-1", "model": "m", "status": "succeeded", "content": null}), Expired),
            (200, json!({"id": "cgt-1", "model": "m", "status": "succeeded", "content": {}}), Expired),
            (200, json!({"id": "cgt-1", "model": "m", "status": "succeeded"}), Expired),
            (200, json!({"id": "cgt-1", "model": "m", "status": "succeeded", "content": {"video_url": ""}}), Expired),
            (
                200,
                json!({"id": "cgt-1", "model": "m", "status": "failed", "error": {"code": "OutputVideoSensitiveContentDetected", "message": "no"}}),
                Failed,
            ),
            (200, json!({"id": "cgt-1", "model": "m", "status": "failed", "error": null}), Failed),
            (200, json!({"id": "cgt-1", "model": "m", "status": "expired", "execution_expires_after": 172800}), Failed),
            (200, json!({"id": "cgt-1", "model": "m", "status": "cancelled"}), Cancelled),
            (200, json!({"id": "cgt-1", "model": "m", "status": "paused"}), Unknown),
            (200, json!({"items": [], "total": 0}), List),
            (
                400,
                json!({"error": {"code": "InvalidParameter", "message": "ratio", "param": "ratio", "type": "BadRequest"}}),
                Permanent,
            ),
            (
                401,
                json!({"error": {"code": "AuthenticationError", "message": "key", "type": "Unauthorized"}}),
                AuthError,
            ),
            (
                403,
                json!({"error": {"code": "AccountOverdueError", "message": "overdue", "type": "Forbidden"}}),
                Permanent,
            ),
            (
                404,
                json!({"error": {"code": "ResourceNotFound", "message": "task", "type": "NotFound"}}),
                ExpiredOrUnknown,
            ),
            (
                429,
                json!({"error": {"code": "RateLimitExceeded.EndpointRPMExceeded", "message": "slow", "type": "TooManyRequests"}}),
                RateLimited,
            ),
            (
                500,
                json!({"error": {"code": "InternalServiceError", "message": "sorry", "type": "InternalServerError"}}),
                Retryable,
            ),
        ],
    );
}
