//! What Kling may send.

use serde_json::json;

use crate::providers::explain::Word::{
    AuthError, ExpiredOrUnknown, Failed, List, Permanent, Queued, RateLimited, Retryable, Running, Succeeded, Unknown,
};
use crate::providers::payloads::check;

#[test]
fn what_it_may_send_is_taken_for_what_it_is() {
    check(
        "kling",
        &[
            (
                200,
                json!({"code": 0, "message": "SUCCEED", "request_id": "q", "data": {"task_id": "1", "task_status": "submitted", "created_at": 1772352000000_i64}}),
                Queued,
            ),
            (
                200,
                json!({"code": 0, "data": {"task_id": 860000000000000001_i64, "task_status": "processing"}}),
                Running,
            ),
            (
                200,
                json!({"code": 0, "data": {"task_id": "1", "task_status": "succeed", "task_result": {"videos": [{"id": "v", "url": "https://v.klingai.com/a.mp4", "duration": "5.1"}]}}}),
                Succeeded,
            ),
            (
                200,
                json!({"code": 0, "data": {"task_id": "1", "task_status": "succeed", "task_result": {"images": [{"index": 2, "url": "https://a.example/2"}, {"index": 0, "url": "https://a.example/0"}]}}}),
                Succeeded,
            ),
            (
                200,
                json!({"code": 0, "data": {"task_id": "1", "task_status": "succeed", "task_result": {"audios": [{"id": "a", "url_mp3": "https://a.example/s.mp3"}]}}}),
                Succeeded,
            ),
            (200, json!({"code": 0, "data": {"task_id": "1", "task_status": "succeed", "task_result": {}}}), Unknown),
            (200, json!({"code": 0, "data": {"task_id": "1", "task_status": "succeed"}}), Unknown),
            (
                200,
                json!({"code": 0, "data": {"task_id": "1", "task_status": "succeeded", "task_result": {"videos": [{"url": "https://a.example"}]}}}),
                Unknown,
            ),
            (
                200,
                json!({"code": 0, "data": {"task_id": "1", "task_status": "failed", "task_status_msg": "Failure to pass the risk control system"}}),
                Failed,
            ),
            (200, json!({"code": 0, "data": {"task_id": "1", "task_status": "failed", "task_status_msg": ""}}), Failed),
            (
                200,
                json!({"task_id": "1", "task_status": "failed", "task_status_msg": "broke", "updated_at": 1772352000000_i64}),
                Failed,
            ),
            (200, json!({"code": 0, "data": []}), List),
            (200, json!({"code": "0", "data": [{"task_id": "1", "task_status": "succeed"}]}), List),
            (401, json!({"code": 1004, "message": "Authorization token expired"}), AuthError),
            (403, json!({"code": 1103, "message": "no access"}), AuthError),
            (400, json!({"code": 1201, "message": "model_name is invalid"}), Permanent),
            (400, json!({"code": 1301, "message": "content security"}), Failed),
            (404, json!({"code": 1203, "message": "Task not found"}), ExpiredOrUnknown),
            (429, json!({"code": 1102, "message": "Account balance not enough"}), Permanent),
            (429, json!({"code": 1304, "message": "IP whitelist"}), Permanent),
            (429, json!({"code": 1302, "message": "too fast"}), RateLimited),
            (500, json!({"code": 5000, "message": "internal"}), Retryable),
            (200, json!({"code": 0, "message": "SUCCEED", "data": null}), Unknown),
        ],
    );
}
