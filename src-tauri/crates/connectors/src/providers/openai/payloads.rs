//! What OpenAI may send: of videos while there were any, and of images.

use serde_json::json;

use crate::providers::explain::Word::{
    AuthError, Expired, Failed, List, NotAJob, Permanent, ProviderRetired, Queued, RateLimited, Retryable, Running,
    Succeeded, Unknown,
};
use crate::providers::payloads::check;

#[test]
fn what_it_may_send_is_taken_for_what_it_is() {
    check(
        "openai",
        &[
            (
                200,
                json!({"id": "video_1", "object": "video", "status": "queued", "progress": 0, "created_at": 1772352000}),
                Queued,
            ),
            (200, json!({"id": "video_1", "object": "video", "status": "in_progress", "progress": 33}), Running),
            (
                200,
                json!({"id": "video_1", "object": "video", "status": "completed", "expires_at": 1772355600, "error": null}),
                Succeeded,
            ),
            (
                200,
                json!({"id": "video_1", "object": "video", "status": "failed", "error": {"code": "internal_error", "message": "broke"}}),
                Failed,
            ),
            (200, json!({"id": "video_1", "object": "video", "status": "failed", "error": null}), Failed),
            (200, json!({"id": "video_1", "object": "video", "status": "expired"}), Expired),
            (200, json!({"id": "video_1", "object": "video", "status": "paused"}), Unknown),
            (200, json!({"object": "list", "data": [], "has_more": false, "first_id": null, "last_id": null}), List),
            (
                200,
                json!({"created": 1772352000, "data": [{"b64_json": "AAAA"}], "usage": {"total_tokens": 5}}),
                Succeeded,
            ),
            (
                200,
                json!({"created": 1772352000, "data": [{"url": "https://oaidalleapiprodscus.blob.core.windows.net/a.png"}]}),
                Succeeded,
            ),
            (200, json!({"created": 1772352000, "data": [{"b64_json": null, "url": null}]}), Unknown),
            (
                200,
                json!({"id": "evt_1", "object": "event", "type": "video.completed", "created_at": 1772352000, "data": {"id": "video_1"}}),
                Succeeded,
            ),
            (
                200,
                json!({"id": "evt_1", "object": "event", "type": "video.failed", "created_at": 1772352000, "data": {"id": "video_1"}}),
                Failed,
            ),
            (
                200,
                json!({"id": "evt_1", "object": "event", "type": "response.completed", "created_at": 1772352000, "data": {"id": "resp_1"}}),
                NotAJob,
            ),
            (
                400,
                json!({"error": {"code": "moderation_blocked", "type": "image_generation_user_error", "message": "rejected"}}),
                Failed,
            ),
            (
                400,
                json!({"error": {"code": "invalid_value", "type": "invalid_request_error", "message": "size", "param": "size"}}),
                Permanent,
            ),
            (
                401,
                json!({"error": {"code": "invalid_api_key", "type": "invalid_request_error", "message": "Incorrect API key"}}),
                AuthError,
            ),
            (
                404,
                json!({"error": {"code": null, "type": "invalid_request_error", "message": "Invalid URL (GET /v1/videos/video_1)"}}),
                ProviderRetired,
            ),
            (
                404,
                json!({"error": {"code": "model_not_found", "message": "The model `sora-2` does not exist"}}),
                ProviderRetired,
            ),
            (
                429,
                json!({"error": {"code": "rate_limit_exceeded", "type": "requests", "message": "slow"}}),
                RateLimited,
            ),
            (
                429,
                json!({"error": {"code": "insufficient_quota", "type": "insufficient_quota", "message": "quota"}}),
                Permanent,
            ),
            (
                400,
                json!({"error": {"code": null, "type": "invalid_request_error", "message": "Video is not ready yet"}}),
                Running,
            ),
            (500, json!({"error": {"type": "server_error", "message": "sorry"}}), Retryable),
        ],
    );
}
