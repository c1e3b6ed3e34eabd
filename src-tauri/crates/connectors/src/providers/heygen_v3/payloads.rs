//! What HeyGen may send, also in its older wrapping.

use serde_json::json;

use crate::providers::explain::Word::{
    AuthError, ExpiredOrUnknown, Failed, List, NotAJob, Permanent, Queued, RateLimited, Retryable, Running, Succeeded,
    Unknown,
};
use crate::providers::payloads::check;

#[test]
fn what_it_may_send_is_taken_for_what_it_is() {
    check(
        "heygen_v3",
        &[
            (200, json!({"data": {"video_id": "v", "status": "waiting", "output_format": "mp4"}}), Queued),
            (200, json!({"error": null, "data": {"video_id": "v"}}), Queued),
            (
                200,
                json!({"code": 100, "data": {"id": "v", "status": "processing", "video_url": null, "error": null}, "message": "Success"}),
                Running,
            ),
            (200, json!({"data": {"session_id": "s", "status": "generating", "video_id": "v"}}), Running),
            (
                200,
                json!({"data": {"id": "v", "status": "completed", "video_url": "https://files.heygen.ai/v.mp4?Expires=1", "duration": 4.2}}),
                Succeeded,
            ),
            (
                200,
                json!({"data": {"id": "v", "status": "completed", "video_url": null, "gif_url": "https://files.heygen.ai/v.gif"}}),
                Unknown,
            ),
            (
                200,
                json!({"data": {"id": "v", "status": "failed", "failure_code": null, "failure_message": null}}),
                Failed,
            ),
            (
                200,
                json!({"code": 100, "data": {"id": "v", "status": "failed", "error": {"code": 40119, "message": "too long"}}}),
                Failed,
            ),
            (200, json!({"data": {"id": "v", "status": "archived"}}), Unknown),
            (
                200,
                json!({"event_type": "avatar_video.success", "event_data": {"video_id": "v", "url": "https://files.heygen.ai/v.mp4"}}),
                Succeeded,
            ),
            (200, json!({"event_type": "avatar_video.fail", "event_data": {"video_id": "v", "msg": "broke"}}), Failed),
            (
                200,
                json!({"event_type": "video_translate.fail", "event_data": {"video_translate_id": "t", "message": "broke"}}),
                Failed,
            ),
            (
                200,
                json!({"event_type": "avatar_video_gif.success", "event_data": {"video_id": "v", "gif_url": "https://files.heygen.ai/v.gif"}}),
                Succeeded,
            ),
            (
                200,
                json!({"event_type": "avatar_video_caption.success", "event_data": {"video_id": "v", "url": "https://files.heygen.ai/v.mp4"}}),
                Succeeded,
            ),
            (
                200,
                json!({"event_type": "avatar_video_caption.fail", "event_data": {"video_id": "v", "msg": "broke"}}),
                Failed,
            ),
            (
                200,
                json!({"event_type": "video_agent.success", "event_data": {"session_id": "s", "video_id": "v"}}),
                Unknown,
            ),
            (200, json!({"event_type": "photo_avatar_train.success", "event_data": {"train_id": "t"}}), NotAJob),
            (200, json!({"data": [{"endpoint_id": "e", "url": "https://p.example", "status": "enabled"}]}), NotAJob),
            (200, json!({"data": [{"id": "v", "status": "completed"}], "has_more": false, "next_token": null}), List),
            (400, json!({"error": {"code": "invalid_parameter", "message": "limit"}}), Permanent),
            (401, json!({"error": {"code": "unauthorized", "message": "key"}}), AuthError),
            (404, json!({"error": {"code": "video_not_found", "message": "no"}}), ExpiredOrUnknown),
            (200, json!({"code": 400112, "message": "Unauthorized", "data": null}), AuthError),
            (429, json!({"error": {"code": "rate_limit_exceeded", "message": "slow"}}), RateLimited),
            (500, json!({"error": {"code": "internal_error", "message": "sorry"}}), Retryable),
        ],
    );
}
