//! What ElevenLabs may send.

use serde_json::json;

use crate::providers::explain::Word::{
    AuthError, Billing, Expired, ExpiredOrUnknown, Failed, List, NotAJob, Permanent, Queued, RateLimited, Retryable,
    Running, Succeeded, Unknown,
};
use crate::providers::payloads::check;

#[test]
fn what_it_may_send_is_taken_for_what_it_is() {
    check(
        "elevenlabs",
        &[
            (
                200,
                json!({"history_item_id": "h", "state": "created", "request_id": "q", "date_unix": 1772352000, "text": "hi"}),
                Succeeded,
            ),
            (200, json!({"history_item_id": "h", "state": "processing"}), Running),
            (200, json!({"history_item_id": "h", "state": "deleted"}), Expired),
            (200, json!({"history_item_id": "h", "state": "archived"}), Unknown),
            (200, json!({"history_item_id": "h", "state": null}), Unknown),
            (200, json!({"history": [], "has_more": false, "last_history_item_id": null}), List),
            (
                200,
                json!({"history": [{"history_item_id": "h", "state": "created"}], "has_more": true, "last_history_item_id": "h"}),
                List,
            ),
            (
                200,
                json!({"tier": "creator", "character_count": 12, "character_limit": 100, "status": "active"}),
                Billing,
            ),
            (200, json!({"dubbing_id": "d", "expected_duration_sec": 12.5}), Queued),
            (200, json!({"dubbing_id": "d", "status": "dubbing", "target_languages": ["de"], "error": null}), Running),
            (200, json!({"dubbing_id": "d", "status": "dubbed", "target_languages": ["de", "fr"]}), Succeeded),
            (200, json!({"dubbing_id": "d", "status": "failed", "target_languages": [], "error": "broke"}), Failed),
            (200, json!({"status": "ok"}), NotAJob),
            (400, json!({"detail": {"status": "history_item_not_found", "message": "no"}}), ExpiredOrUnknown),
            (401, json!({"detail": {"status": "invalid_api_key", "message": "no"}}), AuthError),
            (401, json!({"detail": {"status": "quota_exceeded", "message": "0 credits"}}), Permanent),
            (404, json!({"detail": "Not Found"}), ExpiredOrUnknown),
            (422, json!({"detail": [{"loc": ["path"], "msg": "bad", "type": "value_error"}]}), Permanent),
            (429, json!({"detail": {"status": "too_many_concurrent_requests", "message": "slow"}}), RateLimited),
            (429, json!({"detail": {"status": "system_busy", "message": "later"}}), RateLimited),
            (503, json!({"detail": "later"}), Retryable),
        ],
    );
}
