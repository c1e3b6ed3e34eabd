//! Restoring against the verdict: only what is there to be given back, with a reason and a reply of the
//! agent's own (R53).

use makegood_app::Error;
use makegood_app::contract::{CaseRequest, ConfirmRequest, OutcomeState, ReviewRequest, ReviewSheet};
use makegood_domain::diagnose::Verdict;
use makegood_domain::feed::Fact;
use makegood_domain::ids::CaseId;
use makegood_domain::plan::ActionKind;
use makegood_domain::ports::{ActionStore as _, FactStore as _};
use serde_json::json;

use super::world::*;

const STARTED: &str = "2026-03-14T14:00:00Z";
const COMPLAINT_OF_TODAY: &str =
    "Project prj_spring01, Veo 3.1, March 14 around 10:00am. Charged 210 credits, the node is empty.";
const REPLY: &str = "Your 210 credits are back where they came from. Sorry for the wait.";
const REASON: &str = "The customer needs another model before the provider will answer.";

/// Charged an hour ago, and the provider is still at it: the verdict is to wait.
async fn still_computing() -> (House, CaseId) {
    let job = json!({"id": "job-run_shot4", "run_id": "run_shot4", "provider_id": "mill", "submitted_at": STARTED,
                     "state": "processing", "processing_started_at": STARTED, "finished_at": null, "items": [],
                     "error": null});
    let job: Fact = serde_json::from_value(json!({"type": "job", "data": job})).expect("a job");
    let house = house(&[ground(), run_of_210("run_shot4", STARTED), vec![job]]).await;
    let case = house.case("T-1", COMPLAINT_OF_TODAY).await;
    let found = house.desk.examine(&case).await.expect("a finding").finding.diagnosis;
    assert_eq!(found.verdict, Verdict::InProgress);
    (house, case)
}

async fn sheet(house: &House, case: &CaseId, answer: Option<&str>) -> ReviewSheet {
    let answer = answer.map(str::to_owned);
    let request = ReviewRequest { case_id: case.0.clone(), kind: ActionKind::Restore, answer, consent: None };
    house.desk.review(request).await.expect("the act can be reviewed")
}

fn confirmation(sheet: &ReviewSheet, answer: Option<&str>, reason: Option<&str>) -> ConfirmRequest {
    ConfirmRequest {
        case_id: sheet.case_id.clone(),
        kind: sheet.kind,
        answer: answer.map(str::to_owned),
        case_revision: sheet.case_revision,
        digest: sheet.digest.clone(),
        reviewed_at: sheet.made_at,
        key: format!("key-{}-0123456789abcdef", reason.map_or(0, str::len)),
        reason: reason.map(str::to_owned),
        consent: None,
    }
}

#[tokio::test]
async fn it_is_offered_with_its_amount_and_asks_for_a_reason_and_an_own_reply() {
    let (house, case) = still_computing().await;
    let detail = house.desk.case_detail(CaseRequest { case_id: case.0.clone() }).await.expect("the case");
    let offer = detail.offers.iter().find(|offer| offer.kind == ActionKind::Restore).expect("offered");
    assert_eq!((offer.primary, offer.allowed, offer.needs_reason), (false, true, true));
    assert_eq!(offer.label, "Restore 210 credits against the verdict");
    let drafted = sheet(&house, &case, None).await;
    assert!(drafted.needs_reason && drafted.checks.iter().any(|check| !check.ok), "{:?}", drafted.checks);
    let own = sheet(&house, &case, Some(REPLY)).await;
    assert!(own.checks.iter().all(|check| check.ok), "{:?}", own.checks);
    assert_eq!(own.restored_total, 210);
}

#[tokio::test]
async fn without_a_reason_nothing_is_done() {
    let (house, case) = still_computing().await;
    let sheet = sheet(&house, &case, Some(REPLY)).await;
    for reason in [None, Some("   ")] {
        let refused = house.desk.confirm(confirmation(&sheet, Some(REPLY), reason)).await;
        assert!(matches!(&refused, Err(Error::Refused(why)) if why.contains("reason")), "{refused:?}");
    }
    let scope = house.store.scope(&ticket("T-x", "").requester, None, at(NOW)).await.expect("a scope");
    assert!(scope.runs.iter().all(|dossier| dossier.refunds.is_empty()), "credits moved");
}

#[tokio::test]
async fn with_a_reason_the_credits_go_back_and_the_reason_stays() {
    let (house, case) = still_computing().await;
    let sheet = sheet(&house, &case, Some(REPLY)).await;
    let done = house.desk.confirm(confirmation(&sheet, Some(REPLY), Some(REASON))).await.expect("an outcome");
    assert_eq!(done.state, OutcomeState::Done, "{:?}", done.why);
    let lines = house.store.audit(Some(&case.0), 100).await.expect("the audit");
    assert!(lines.iter().any(|line| line.detail.contains(REASON)), "the audit does not know why");
}
