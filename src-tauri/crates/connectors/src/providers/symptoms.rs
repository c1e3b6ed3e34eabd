//! What customers of the providers have complained about in public, each as a test with its number.
//!
//! | no. | what happened | where it is held against |
//! | --- | --- | --- |
//! | 1, 4 | no webhook ever comes; events are missing or out of order | `tests/it/desk/symptoms.rs` |
//! | 2, 3 | our receiver answers 301 or 413 | the server's tests |
//! | 5 | the file is gone after an hour | here |
//! | 6 | *not found* under load | here, and for every adapter in the conformance suite |
//! | 7 | the job's id was lost | here |
//! | 8 | the output is a path inside the provider's machine | here |
//! | 9 | fewer pictures than were asked for | here; the credits in `tests/it/desk/symptoms.rs` |
//! | 10 to 17 | fal: no word for failure, results that fail, requests that are lost | here |
//! | 18 | no cost in the answer | here: what tells the cost is known as such |
//! | 19 to 25 | Veo: nothing was made, and nobody says so; files that can't be had | here |
//! | 26 | the signature is not the documented one | `webhooks/tests` |
//! | 27 | a failed job stays charged | `tests/it/desk/symptoms.rs` |
//! | 28 | the provider gave the service up | here |
//! | 29 to 32 | the platform's own: late results, refunds that moved nothing, reused ids, forgotten refunds | `tests/it/desk/symptoms.rs` |
//! | 33 | a timeout, and nothing to find it by | the domain's tests of drafts |
//! | 34 | two layers of errors | here: the inner one is told |
//! | 35 | a blurred picture in the place of a refusal | here |
//! | 36 | addresses that end before the file does | here |
//! | 37 | failed after waiting, without having run | here |

use makegood_domain::ids::{JobId, ProviderId};
use makegood_domain::ports::{JobRef, JobWindow};
use makegood_domain::work::{Job, JobState};
use makegood_testkit::{Reply, Sample, Server};
use serde_json::{Value, json};

use super::explain::{AssetState, Document, Explained, Origin, Word};
use super::{protocol, subject};

fn explained(adapter: &str, origin: Origin, status: u16, body: &Value) -> Explained {
    let bytes = body.to_string().into_bytes();
    protocol(adapter).expect("an adapter").explain(&Document { origin, status, body: &bytes })
}

fn answer(adapter: &str, status: u16, body: &Value) -> Explained {
    explained(adapter, Origin::Answer, status, body)
}

/// Looks a job of `items` up at a provider that answers so.
async fn find(adapter: &str, id: &str, locator: Option<&str>, items: u32, server: &Server) -> Job {
    let at = |text: &str| text.parse().expect("a time");
    let job = JobRef {
        provider_id: ProviderId::new("conforming"),
        job_id: JobId::new(id),
        run_id: "run_1".into(),
        locator: locator.map(str::to_owned),
        requested_items: items,
        submitted_at: at("2026-03-01T08:00:00Z"),
    };
    let connected = subject::connect(adapter, server.base());
    connected.port.find_job(&job, at("2026-03-01T09:30:00Z")).await.job
}

async fn server(script: &[(&str, Vec<Reply>)]) -> Server {
    let server = Server::start().await.expect("a port");
    for (path, replies) in script {
        server.on(path, replies.clone());
    }
    server
}

fn ok(body: &Value) -> Vec<Reply> {
    vec![Reply::json(200, body)]
}

#[tokio::test]
async fn symptom_05_a_link_is_dead_after_an_hour() {
    let emptied = json!({"id": "p", "status": "succeeded", "output": null, "data_removed": true});
    let told = answer("replicate", 200, &emptied);
    assert_eq!((told.word, told.asset), (Word::Expired, Some(AssetState::Gone)));
    let server = Server::start().await.expect("a port");
    let url = format!("{}/out.mp4", server.base());
    server.on("/predictions/p", ok(&json!({"id": "p", "status": "succeeded", "output": url})));
    let found = find("replicate", "p", None, 1, &server).await;
    assert_eq!(found.state, JobState::Succeeded, "the job ended well all the same");
    assert_eq!(found.items[0].file.as_ref().and_then(|file| file.exists_now), Some(false), "{found:?}");
}

#[tokio::test]
async fn symptom_06_not_found_for_a_moment_is_not_believed() {
    let missing = Reply::json(404, &json!({"detail": "Not found."}));
    let running = Reply::json(200, &json!({"id": "p", "status": "processing"}));
    let server = server(&[("/predictions/p", vec![missing, running])]).await;
    assert_eq!(find("replicate", "p", None, 1, &server).await.state, JobState::Processing);
}

#[tokio::test]
async fn symptom_07_a_lost_id_is_found_by_time() {
    let one =
        json!({"id": "p", "status": "succeeded", "created_at": "2026-03-01T08:00:01Z", "input": {"prompt": "a fox"}});
    let server = server(&[("/predictions", ok(&json!({"results": [one], "next": null})))]).await;
    let at = |text: &str| text.parse().expect("a time");
    let (since, until) = (at("2026-03-01T07:59:00Z"), at("2026-03-01T08:05:00Z"));
    let window = JobWindow { run_id: "run_1".into(), locator: None, since, until };
    let listed = subject::connect("replicate", server.base()).port.list_jobs(&window, until).await;
    assert_eq!((listed.jobs.len(), listed.is_whole), (1, true), "{listed:?}");
    assert_eq!(listed.jobs[0].prompt.as_deref(), Some("a fox"));
}

#[test]
fn symptom_08_a_path_inside_their_machine_is_no_file() {
    let told = answer("replicate", 200, &json!({"id": "p", "status": "succeeded", "output": "/tmp/out-0.png"}));
    assert_eq!((told.word, told.outputs.len()), (Word::Succeeded, 0));
    assert_ne!(told.asset, Some(AssetState::Available));
}

#[tokio::test]
async fn symptom_09_fewer_pictures_than_asked_for_are_missing_items() {
    use makegood_domain::work::ItemState::{NotReturned, Succeeded};
    let server = Server::start().await.expect("a port");
    let urls: Vec<String> = (0..2).map(|n| format!("{}/{n}.png", server.base())).collect();
    server.on("/predictions/p", ok(&json!({"id": "p", "status": "succeeded", "output": urls})));
    for n in 0..2 {
        server.on(&format!("/{n}.png"), [Reply::file("image/png", Sample::png().bytes)]);
    }
    let found = find("replicate", "p", None, 4, &server).await;
    let states: Vec<_> = found.items.iter().map(|item| item.state).collect();
    assert_eq!(states, [Succeeded, Succeeded, NotReturned, NotReturned]);
}

const STATUS: &str = "/acme/painter/requests/r/status";
const RESULT: &str = "/acme/painter/requests/r";

async fn fal(status: Vec<Reply>, result: Vec<Reply>) -> Job {
    let server = server(&[(STATUS, status), (RESULT, result)]).await;
    find("fal", "r", Some("acme/painter/fast/v2"), 1, &server).await
}

#[tokio::test]
async fn symptom_10_a_failure_shows_only_in_the_result() {
    let refusal = json!({"detail": [{"loc": ["body"], "msg": "unreadable picture", "type": "image_load_error"}]});
    let found = fal(ok(&json!({"status": "COMPLETED"})), vec![Reply::json(422, &refusal)]).await;
    assert_eq!((found.state, found.error.as_deref()), (JobState::Failed, Some("unreadable picture")));
}

#[tokio::test]
async fn symptom_11_a_result_that_times_out_is_no_failure() {
    let late = Reply::json(504, &json!({"detail": "Gateway timeout"}));
    let done = Reply::json(200, &json!({"video": {"url": "https://v3b.fal.media/files/a.mp4"}}));
    let found = fal(ok(&json!({"status": "COMPLETED"})), vec![late.clone(), late.clone(), done]).await;
    assert_eq!(found.state, JobState::Succeeded);
    let never = fal(ok(&json!({"status": "COMPLETED"})), vec![late]).await;
    assert_eq!(never.state, JobState::LookupFailed, "nothing is known, so nothing is paid");
}

#[test]
fn symptom_12_a_delivery_may_say_error_and_carry_nothing() {
    let body = json!({"request_id": "r", "gateway_request_id": "r", "status": "ERROR", "payload": null,
        "error": "Invalid status code: 404"});
    let told = explained("fal", Origin::Webhook, 200, &body);
    assert_eq!((told.word, told.error.as_deref()), (Word::Failed, Some("Invalid status code: 404")));
}

#[test]
fn symptom_13_a_retry_inside_the_provider_has_another_gateway_id() {
    let body = json!({"request_id": "ours", "gateway_request_id": "theirs", "status": "OK",
        "payload": {"images": [{"url": "https://v3b.fal.media/files/a.png"}]}});
    let reading = super::fal::map::delivery(body.to_string().as_bytes(), &|_| true);
    assert_eq!(reading.about, Some(JobId::from("ours")), "joined by the id that we were given");
}

#[tokio::test]
async fn symptom_14_a_status_that_flaps_is_asked_again() {
    let flap = Reply::json(500, &json!({"detail": "oops"}));
    let done = Reply::json(200, &json!({"status": "COMPLETED"}));
    let result = ok(&json!({"video": {"url": "https://v3b.fal.media/files/a.mp4"}}));
    assert_eq!(fal(vec![flap, done], result).await.state, JobState::Succeeded);
}

#[tokio::test]
async fn symptom_15_requests_live_below_the_first_two_parts_of_the_endpoint() {
    let server = server(&[(STATUS, ok(&json!({"status": "IN_QUEUE"})))]).await;
    for locator in ["acme/painter", "acme/painter/fast/v2", "https://queue.fal.run/acme/painter/requests/r/status"] {
        let found = find("fal", "r", Some(locator), 1, &server).await;
        assert_eq!(found.state, JobState::Queued, "{locator}");
    }
}

#[tokio::test]
async fn symptom_16_only_404_and_410_mean_that_a_request_is_gone() {
    for (status, want) in [
        (404, JobState::NotFound),
        (410, JobState::NotFound),
        (400, JobState::LookupFailed),
        (403, JobState::LookupFailed),
        (429, JobState::LookupFailed),
        (503, JobState::LookupFailed),
    ] {
        let found = fal(vec![Reply::json(status, &json!({"detail": "no"}))], Vec::new()).await;
        assert_eq!(found.state, want, "HTTP {status}");
    }
}

#[test]
fn symptom_17_a_black_picture_is_a_withheld_one() {
    let black = json!({"images": [{"url": "https://v3b.fal.media/files/b.png"}], "has_nsfw_concepts": [true]});
    let told = answer("fal", 200, &black);
    assert_eq!((told.word, told.outputs.len()), (Word::Failed, 0), "{told:?}");
}

#[test]
fn symptom_18_what_a_request_cost_is_told_elsewhere() {
    let bill = json!({"billing_events": [{"request_id": "r", "cost_total": 0.21}], "next_cursor": null});
    assert_eq!(answer("fal", 200, &bill).word, Word::Billing);
}

fn gemini(response: &Value) -> Explained {
    let name = "models/veo-9/operations/op";
    answer("gemini_veo", 200, &json!({"name": name, "done": true, "response": response}))
}

#[test]
fn symptom_19_done_with_a_count_and_no_samples_was_withheld() {
    let vertex = json!({"name": "projects/p/locations/l/publishers/google/models/m/operations/o", "done": true,
        "response": {"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": ["Not shown. Code 1"]}});
    assert_eq!(answer("vertex_veo", 200, &vertex).word, Word::Failed);
}

#[test]
fn symptom_20_all_videos_withheld_is_a_failure_with_its_reason() {
    let told = gemini(&json!({"generateVideoResponse": {"raiMediaFilteredCount": 1,
        "raiMediaFilteredReasons": ["The sound was withheld"]}}));
    assert_eq!((told.word, told.error.as_deref()), (Word::Failed, Some("The sound was withheld")));
}

#[test]
fn symptom_21_done_with_nothing_at_all_is_not_known() {
    for empty in [json!({}), json!(null), json!({"generateVideoResponse": {}})] {
        assert_eq!(gemini(&empty).word, Word::Unknown, "{empty}");
    }
}

#[tokio::test]
async fn symptom_22_a_download_gets_the_key() {
    let server = Server::start().await.expect("a port");
    let uri = format!("{}/files/f1:download?alt=media", server.base());
    let samples = json!({"generateVideoResponse": {"generatedSamples": [{"video": {"uri": uri}}]}});
    let name = "models/veo-9/operations/op";
    server.on(&format!("/{name}"), ok(&json!({"name": name, "done": true, "response": samples})));
    server.on("/files/f1:download", [Reply::file("video/mp4", Sample::mp4(9).bytes)]);
    let found = find("gemini_veo", name, None, 1, &server).await;
    assert_eq!(found.items[0].file.as_ref().and_then(|file| file.exists_now), Some(true), "{found:?}");
    assert!(server.seen().iter().all(|request| request.header("x-goog-api-key").is_some()));
}

#[test]
fn symptom_23_a_file_of_another_project_looks_like_a_deleted_one() {
    let refusal = json!({"error": {"code": 403, "status": "PERMISSION_DENIED",
        "message": "You do not have permission to access the File f1 or it may not exist."}});
    assert_eq!(answer("gemini_veo", 403, &refusal).word, Word::ExpiredOrWrongKey);
}

#[test]
fn symptom_24_vertex_gives_an_object_or_the_bytes() {
    for (video, want) in [
        (json!({"gcsUri": "gs://bucket/o/sample_0.mp4", "mimeType": "video/mp4"}), AssetState::Available),
        (json!({"bytesBase64Encoded": "AAAA", "mimeType": "video/mp4"}), AssetState::Inline),
    ] {
        let body = json!({"name": "projects/p/locations/l/publishers/google/models/m/operations/o", "done": true,
            "response": {"raiMediaFilteredCount": 0, "videos": [video]}});
        let told = answer("vertex_veo", 200, &body);
        assert_eq!((told.word, told.asset), (Word::Succeeded, Some(want)));
    }
}

#[test]
fn symptom_25_a_count_of_zero_is_a_count() {
    assert_eq!(gemini(&json!({"generateVideoResponse": {"raiMediaFilteredCount": 0}})).word, Word::Unknown);
    let sample = json!({"video": {"uri": "https://generativelanguage.googleapis.com/v1beta/files/f:download"}});
    let made = json!({"generateVideoResponse": {"generatedSamples": [sample], "raiMediaFilteredCount": 0}});
    let told = gemini(&made);
    assert_eq!((told.word, told.outputs.len()), (Word::Succeeded, 1));
}

#[test]
fn symptom_28_a_retired_service_is_said_to_be_so() {
    let gone = json!({"error": {"message": "The Videos API has been shut down.", "type": "invalid_request_error",
        "param": null, "code": "deprecated"}});
    assert_eq!(answer("openai", 404, &gone).word, Word::ProviderRetired);
}

#[test]
fn symptom_34_the_inner_error_is_told() {
    let failed = json!({"status": "COMPLETED", "request_id": "r", "error_type": "runner_disconnected",
        "error": {"detail": [{"msg": "CUDA out of memory", "type": "internal"}]}});
    assert_eq!(answer("fal", 200, &failed).error.as_deref(), Some("runner_disconnected: CUDA out of memory"));
}

#[test]
fn symptom_35_a_blurred_picture_is_a_withheld_one() {
    let blurred = json!({"image": "AAAA", "finish_reason": "CONTENT_FILTERED", "seed": 1});
    let told = answer("stability", 200, &blurred);
    assert_eq!(
        (told.word, told.outputs.len()),
        (Word::Succeeded, 0),
        "it succeeded there, and nothing of it is a file"
    );
    assert!(told.error.is_some() || !told.notes.is_empty(), "and that is told: {told:?}");
}

#[test]
fn symptom_36_an_address_ends_and_the_file_does_not() {
    // Runway signs anew at each look-up; Replicate's file ends with its record.
    let table = super::Table::built_in().expect("the table");
    let later = |adapter: &str, body: &Value| {
        let now = "2026-03-04T08:00:00Z".parse().ok();
        answer(adapter, 200, body).as_of(now, table.row(adapter)).asset
    };
    // Signed until 2026-03-01T09:00:00Z.
    let url = "https://dnznrvs05pmza.cloudfront.net/a.mp4?_jwt=e30.eyJleHAiOjE3NzIzNTU2MDB9.sig";
    let task = json!({"id": "t", "status": "SUCCEEDED", "output": [url]});
    assert_eq!(answer("runway", 200, &task).asset, Some(AssetState::Available));
    assert_eq!(later("runway", &task), Some(AssetState::StaleUrl));
    let prediction = json!({"id": "p", "status": "succeeded", "completed_at": "2026-03-01T08:00:00Z",
        "output": "https://replicate.delivery/a/b.mp4"});
    assert_eq!(answer("replicate", 200, &prediction).asset, Some(AssetState::Available));
    assert_eq!(later("replicate", &prediction), Some(AssetState::Gone));
}

#[test]
fn symptom_37_a_job_that_failed_in_the_queue_has_failed() {
    let body = json!({"id": "p", "status": "failed", "error": "Queue is full", "started_at": null,
        "metrics": {"predict_time": 0}, "output": null});
    let told = answer("replicate", 200, &body);
    assert_eq!((told.word, told.terminal, told.error.as_deref()), (Word::Failed, true, Some("Queue is full")));
}
