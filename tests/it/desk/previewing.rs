//! What a case shows of files: its own, hashed as they lie there, and of the canvas before and after an act.

use makegood_app::Error;
use makegood_app::contract::{
    AdoptJobRequest, CanvasState, CaseRequest, ConfirmRequest, LostJobRequest, OutcomeState, PreviewKind,
    PreviewRequest, ReviewRequest, Tone,
};
use makegood_domain::feed::Fact;
use makegood_domain::ids::{CaseId, JobId};
use makegood_domain::plan::ActionKind;
use makegood_domain::ports::ListedJob;
use makegood_domain::work::{Job, JobState};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::saving::{dossier, finished};
use super::world::*;

const STARTED: &str = "2026-03-12T18:04:22Z";
const FINISHED: &str = "2026-03-12T18:12:14Z";

fn fact(kind: &str, data: Value) -> Fact {
    serde_json::from_value(json!({ "type": kind, "data": data })).expect("a test fact has the feed's form")
}

/// A file of another customer's run that lies in this customer's project.
fn a_strangers_file() -> Vec<Fact> {
    let period =
        json!({"status": "active", "period_start": "2026-03-01T00:00:00Z", "period_end": "2026-04-01T00:00:00Z"});
    vec![
        fact(
            "user",
            json!({"id": "usr_zoe", "email": "zoe@example.com", "timezone": "Europe/Lisbon", "locale": "pt-PT"}),
        ),
        fact(
            "account",
            json!({"id": "acc_zoe", "kind": "personal", "owner_user_id": "usr_zoe", "storage_quota_mb": 50000,
                   "storage_used_mb": 1, "subscription": period, "balances": []}),
        ),
        fact(
            "project",
            json!({"id": "prj_zoe00001", "name": "Zoe", "account_id": "acc_zoe", "workspace_id": null,
                   "status": "active", "deleted_at": null}),
        ),
        fact(
            "node",
            json!({"id": "nd_zoe", "project_id": "prj_zoe00001", "label": "One", "status": "active", "deleted_at": null}),
        ),
        fact(
            "run",
            json!({"id": "run_zoe", "project_id": "prj_zoe00001", "node_id": "nd_zoe", "started_by": "usr_zoe",
                   "model_id": "veo-3.1", "started_at": STARTED, "requested_items": 1, "status": "succeeded",
                   "cancelled_at": null, "retry_of": null, "retry_initiator": null, "params": {}}),
        ),
        fact("output", output("out_zoe", "run_zoe", Some("0123"))),
    ]
}

fn output(id: &str, run: &str, sha256: Option<&str>) -> Value {
    json!({"id": id, "run_id": run, "item": 1, "project_id": "prj_spring01", "node_id": "nd_shot4",
           "stored_at": FINISHED, "bytes": clip().len(), "state": "stored", "in_history": true, "on_canvas": true,
           "sha256": sha256})
}

async fn recoverable() -> (House, CaseId) {
    let facts = [
        ground(),
        run_of_210("run_shot4", STARTED),
        vec![made_job("run_shot4", FINISHED, &clip()), upload_failed("run_shot4", FINISHED)],
        a_strangers_file(),
    ];
    let house = house(&facts).await;
    let case = house.case("T-1", COMPLAINT).await;
    (house, case)
}

/// Recovers the case's file, and returns the output that it became.
async fn recovered(house: &House, case: &CaseId) -> String {
    let request = ReviewRequest { case_id: case.0.clone(), kind: ActionKind::Recover, answer: None, consent: None };
    let sheet = house.desk.review(request).await.expect("a sheet");
    let confirmation = ConfirmRequest {
        case_id: sheet.case_id,
        kind: sheet.kind,
        answer: None,
        case_revision: sheet.case_revision,
        digest: sheet.digest,
        reviewed_at: sheet.made_at,
        key: "preview-0123456789abcdef".to_owned(),
        reason: None,
        consent: None,
    };
    let done = house.desk.confirm(confirmation).await.expect("an outcome");
    assert_eq!(done.state, OutcomeState::Done, "{:?}", done.why);
    now_on_the_node(house, case).await.output_id.expect("an output")
}

async fn now_on_the_node(house: &House, case: &CaseId) -> CanvasState {
    let detail = house.desk.case_detail(CaseRequest { case_id: case.0.clone() }).await.expect("a case");
    assert_eq!(detail.canvas.len(), 1, "one run was matched");
    assert!(detail.canvas[0].items[0].after.is_none(), "only a review promises something");
    detail.canvas[0].items[0].now.clone()
}

fn of(case: &CaseId, output: &str) -> PreviewRequest {
    PreviewRequest { case_id: case.0.clone(), output_id: output.to_owned() }
}

fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Refused(why)) => why,
        other => panic!("{other:?} is no refusal"),
    }
}

#[tokio::test]
async fn the_canvas_is_told_before_and_after() {
    let (house, case) = recoverable().await;
    let before = now_on_the_node(&house, &case).await;
    assert_eq!((before.text.as_str(), before.tone, before.previewable), ("nothing", Tone::Bad, false));
    let request = ReviewRequest { case_id: case.0.clone(), kind: ActionKind::Recover, answer: None, consent: None };
    let sheet = house.desk.review(request).await.expect("a sheet");
    let item = &sheet.canvas[0].items[0];
    assert_eq!(item.now, before);
    let promised = item.after.clone().expect("the act fills the node");
    assert_eq!((promised.text.as_str(), promised.tone, promised.previewable), ("on the node", Tone::Ok, false));
    recovered(&house, &case).await;
    let after = now_on_the_node(&house, &case).await;
    assert_eq!((after.text, after.output_id, after.previewable), (promised.text, promised.output_id, true));
}

#[tokio::test]
async fn a_refund_is_told_as_what_the_node_gets_instead() {
    let facts = [ground(), run_of_210("run_shot4", STARTED), vec![failed_job("run_shot4", FINISHED)]];
    let house = house(&facts).await;
    let case = house.case("T-1", COMPLAINT).await;
    let request = ReviewRequest { case_id: case.0.clone(), kind: ActionKind::Restore, answer: None, consent: None };
    let sheet = house.desk.review(request).await.expect("a sheet");
    let item = &sheet.canvas[0].items[0];
    assert_eq!(item.now.text, "nothing");
    assert_eq!(item.after.as_ref().map(|row| row.text.as_str()), Some("210 credits back"));
}

#[tokio::test]
async fn a_recovered_file_is_shown_with_both_sides() {
    let (house, case) = recoverable().await;
    let id = recovered(&house, &case).await;
    let view = house.desk.preview(of(&case, &id)).await.expect("a preview");
    let hash = hex::encode(Sha256::digest(clip()));
    let kept = view.kept.expect("a copy");
    assert_eq!((&kept.sha256, kept.bytes, kept.intact, kept.fits), (&hash, clip().len() as u64, true, true));
    assert_eq!((kept.kind, kept.media_type.as_str()), (PreviewKind::Video, "video/mp4"));
    assert!(kept.media.is_some(), "the file was looked into");
    let promised = view.promised.expect("the provider told of it");
    assert_eq!((promised.bytes, promised.agrees), (Some(clip().len() as u64), Some(true)));
    assert!(hash.starts_with(&promised.sha256_prefix) && !promised.sha256_prefix.is_empty());
    assert_eq!(view.brought.map(|row| row.by).as_deref(), Some("ana"));
    let shown = house.desk.preview_bytes(of(&case, &id)).await.expect("bytes");
    assert_eq!((shown.media_type.as_str(), shown.bytes), ("video/mp4", clip()));
}

#[tokio::test]
async fn a_saved_file_is_shown_before_anybody_has_it() {
    for refunded in [false, true] {
        let further =
            if refunded { platform_refund("run_shot4", FINISHED) } else { upload_failed("run_shot4", FINISHED) };
        let house = finished(vec![further]).await;
        let case = house.case("T-1", COMPLAINT).await;
        let item = async || {
            let detail = house.desk.case_detail(CaseRequest { case_id: case.0.clone() }).await.expect("a case");
            detail.canvas[0].items[0].clone()
        };
        assert_eq!(item().await.saved, None, "nothing is ours yet");
        assert!(refusal(house.desk.preview(of(&case, "saved/1/run_shot4")).await).contains("not among"));
        house.desk.heard_of([JobId::new("job-run_shot4")]);
        assert_eq!(house.desk.capture_wanted().await, 1);
        let saved = item().await.saved.expect("a copy of ours");
        let view = house.desk.preview(of(&case, &saved)).await.expect("a preview");
        let kept = view.kept.expect("a copy");
        assert_eq!((view.state.as_str(), view.item, kept.intact, kept.fits), ("saved", 1, true, true));
        assert_eq!((kept.bytes, kept.kind, kept.media.is_some()), (clip().len() as u64, PreviewKind::Video, true));
        assert_eq!(view.promised.and_then(|promised| promised.agrees), Some(true));
        let shown = house.desk.preview_bytes(of(&case, &saved)).await.expect("bytes");
        assert_eq!((shown.media_type.as_str(), shown.bytes), ("video/mp4", clip()));
        assert!(dossier(&house, "run_shot4").await.outputs.is_empty(), "to see it delivers nothing");
        for strange in ["saved/2/run_shot4", "saved/1/run_zoe", "saved/1", "saved//run_shot4", "saved/x/run_shot4"] {
            assert!(refusal(house.desk.preview_bytes(of(&case, strange)).await).contains("not among"), "{strange}");
        }
        if !refunded {
            recovered(&house, &case).await;
            assert_eq!(item().await.saved, None, "now it is an output");
        }
    }
}

#[tokio::test]
async fn a_file_of_another_customer_is_shown_to_nobody() {
    let (house, case) = recoverable().await;
    for strange in ["out_zoe", "out_none", ""] {
        for why in [
            refusal(house.desk.preview(of(&case, strange)).await),
            refusal(house.desk.preview_bytes(of(&case, strange)).await),
            refusal(house.desk.open_outside(of(&case, strange)).await),
        ] {
            assert!(why.contains("not among the requester's own"), "{strange}: {why}");
        }
    }
    let none = CaseId::new("no-such-case");
    assert!(house.desk.preview_bytes(of(&none, "out_zoe")).await.is_err());
}

#[tokio::test]
async fn what_lies_there_and_is_not_what_was_stored_is_not_played() {
    let (house, case) = recoverable().await;
    let id = recovered(&house, &case).await;
    let hash = hex::encode(Sha256::digest(clip()));
    let path = house.dir.path().join("vault").join(&hash[..2]).join(&hash);
    let mut bytes = clip();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::remove_file(&path).expect("the file lies there");
    std::fs::write(&path, &bytes).expect("changed");
    let view = house.desk.preview(of(&case, &id)).await.expect("a preview");
    assert!(view.kept.is_some_and(|kept| !kept.intact) && view.promised.is_some_and(|row| row.agrees == Some(false)));
    let why = refusal(house.desk.preview_bytes(of(&case, &id)).await);
    assert!(why.contains("not what was stored"), "{why}");
    std::fs::remove_file(&path).expect("the file lies there");
    let view = house.desk.preview(of(&case, &id)).await.expect("a preview");
    assert!(view.kept.is_none() && view.why_not.is_some_and(|why| why.contains("not there")));
    assert!(refusal(house.desk.preview_bytes(of(&case, &id)).await).contains("not there"));
    assert!(refusal(house.desk.open_outside(of(&case, &id)).await).contains("no screen"));
}

#[tokio::test]
async fn a_lost_job_is_looked_for_from_its_own_case_only() {
    let mut lost = run_of_210("run_lost", STARTED);
    if let Fact::Run(run) = &mut lost[0] {
        run.params = json!({"prompt": "a red fox"});
    }
    let house = house(&[rich_ground(1), lost, a_strangers_file()]).await;
    let case = house.case("T-1", COMPLAINT).await;
    let made = |id: &str, prompt: &str| ListedJob {
        job_id: JobId::from(id),
        state: JobState::Failed,
        created_at: Some(at("2026-03-12T18:04:25Z")),
        model: Some("veo-3.1-generate".into()),
        prompt: Some(prompt.into()),
        reference: None,
    };
    *house.mill.listed.lock().expect("not poisoned") = vec![made("job-lost", "a red fox"), made("job-cat", "a cat")];
    let ask = |run: &str| LostJobRequest { case_id: case.0.clone(), run_id: run.to_owned() };
    let keep = |job: &str| AdoptJobRequest { case_id: case.0.clone(), run_id: "run_lost".into(), job_id: job.into() };
    assert!(refusal(house.desk.lost_job(ask("run_zoe")).await).contains("not about run run_zoe"));
    let view = house.desk.lost_job(ask("run_lost")).await.expect("a list");
    let told: Vec<_> = view.candidates.iter().map(|one| (one.job_id.as_str(), one.proven)).collect();
    assert_eq!((view.read, told), (2, vec![("job-lost", true), ("job-cat", false)]));
    assert!(refusal(house.desk.keep_lost_job(keep("job-cat")).await).contains("may be another customer's"));
    let Fact::Job(job) = failed_job("run_lost", STARTED) else { panic!("a job") };
    *house.mill.answer.lock().expect("not poisoned") = Some(Job { id: "job-lost".into(), ..job });
    house.desk.keep_lost_job(keep("job-lost")).await.expect("kept");
    let detail = house.desk.case_detail(CaseRequest { case_id: case.0.clone() }).await.expect("a case");
    assert_eq!(detail.jobs.iter().map(|job| job.job_id.as_str()).collect::<Vec<_>>(), ["job-lost"]);
    assert!(refusal(house.desk.lost_job(ask("run_lost")).await).contains("has a job already"));
}
