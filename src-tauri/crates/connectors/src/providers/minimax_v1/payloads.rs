//! What the first API of MiniMax may send.

use serde_json::json;

use crate::providers::explain::Word::{
    AssetInfo, AuthError, ExpiredOrUnknown, Failed, Permanent, Queued, RateLimited, Retryable, Running, Succeeded,
    Unknown,
};
use crate::providers::payloads::check;

#[test]
fn what_it_may_send_is_taken_for_what_it_is() {
    check(
        "minimax_v1",
        &[
            (
                200,
                json!({"task_id": "106916112212032", "base_resp": {"status_code": 0, "status_msg": "success"}}),
                Queued,
            ),
            (
                200,
                json!({"task_id": "1", "status": "Preparing", "file_id": "", "base_resp": {"status_code": 0}}),
                Queued,
            ),
            (200, json!({"task_id": "1", "status": "Queueing", "base_resp": {"status_code": 0}}), Queued),
            (
                200,
                json!({"task_id": "1", "status": "Processing", "file_id": "", "base_resp": {"status_code": 0}}),
                Running,
            ),
            (200, json!({"task_id": "1", "status": "processing"}), Running),
            (
                200,
                json!({"task_id": "1", "status": "Success", "file_id": "205258526306433", "base_resp": {"status_code": 0}}),
                Succeeded,
            ),
            (
                200,
                json!({"task_id": "1", "status": "Success", "file_id": 205258526306433_i64, "base_resp": {"status_code": 0}}),
                Succeeded,
            ),
            (
                200,
                json!({"task_id": "1", "status": "Success", "file_id": "", "base_resp": {"status_code": 0}}),
                Unknown,
            ),
            (
                200,
                json!({"task_id": "1", "status": "Fail", "base_resp": {"status_code": 1027, "status_msg": "sensitive"}}),
                Failed,
            ),
            (200, json!({"task_id": "1", "status": "failed", "base_resp": {"status_code": 0}}), Failed),
            (
                200,
                json!({"task_id": "1", "status": "Fail", "base_resp": {"status_code": 1000, "status_msg": "unknown error"}}),
                Failed,
            ),
            (200, json!({"task_id": "1", "status": "Cancelling"}), Unknown),
            (200, json!({"task_id": "1"}), Unknown),
            (200, json!({"base_resp": {"status_code": 1026, "status_msg": "input sensitive"}}), Failed),
            (200, json!({"base_resp": {"status_code": 1002, "status_msg": "rate limit"}}), RateLimited),
            (200, json!({"base_resp": {"status_code": 1004, "status_msg": "login fail"}}), AuthError),
            (200, json!({"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}), Permanent),
            (200, json!({"base_resp": {"status_code": 2049, "status_msg": "invalid api key"}}), AuthError),
            (200, json!({"base_resp": {"status_code": 1001, "status_msg": "timeout"}}), Retryable),
            (
                200,
                json!({"file": {"file_id": 5, "bytes": 10, "download_url": "https://public-cdn.example/o.mp4"}, "base_resp": {"status_code": 0}}),
                AssetInfo,
            ),
            (404, json!({}), ExpiredOrUnknown),
            (500, json!({}), Retryable),
        ],
    );
}
