//! An agent overrules the match, and that is kept.

use makegood_app::Error;
use makegood_app::contract::{CaseRequest, ChooseRunsRequest};
use makegood_domain::diagnose::Verdict;

use super::world::*;

const VAGUE: &str = "One of my Veo 3.1 clips from March 12 in prj_spring01 never came.";

async fn two_that_fit() -> (House, makegood_domain::ids::CaseId) {
    let (early, late) = ("2026-03-12T14:04:22Z", "2026-03-12T18:04:22Z");
    let mut first = run_of_210("run_early", early);
    // Only one of them could draw the quota: the other was paid from the wallet.
    let second = serde_json::to_value(run_of_210("run_late", late)).expect("json");
    let second: Vec<makegood_domain::feed::Fact> = serde_json::from_value(from_wallet(second)).expect("facts");
    first.push(failed_job("run_early", early));
    let house = house(&[ground(), first, second, vec![failed_job("run_late", late)]]).await;
    let case = house.case("T-2", VAGUE).await;
    (house, case)
}

fn from_wallet(mut facts: serde_json::Value) -> serde_json::Value {
    facts[1]["data"]["sources"] = serde_json::json!([{"balance_id": "bal_w", "kind": "wallet", "amount": 210}]);
    facts
}

#[tokio::test]
async fn two_runs_that_fit_are_asked_about_until_somebody_chooses() {
    let (house, case) = two_that_fit().await;
    let detail = house.desk.case_detail(CaseRequest { case_id: case.0.clone() }).await.expect("a case");
    assert_eq!(detail.verdict.expect("a verdict").verdict, Verdict::NoMatch);
    assert_eq!(detail.match_view.candidates.len(), 2);
    let choose = ChooseRunsRequest {
        case_id: case.0.clone(),
        case_revision: detail.head.revision,
        run_ids: vec!["run_late".into()],
        reason: "the customer said on the phone: the evening one".into(),
    };
    house.desk.choose_runs(choose.clone()).await.expect("chosen");
    let detail = house.desk.case_detail(CaseRequest { case_id: case.0.clone() }).await.expect("a case");
    assert_eq!(detail.verdict.expect("a verdict").verdict, Verdict::ProviderFailed);
    assert_eq!(detail.match_view.matched, ["run_late"]);
    assert_eq!(detail.match_view.chosen_by.as_deref(), Some("ana"));
    let again = house.desk.choose_runs(choose).await;
    assert!(matches!(again, Err(Error::Stale(_))), "the case has changed since");
}

#[tokio::test]
async fn a_run_out_of_scope_or_without_a_reason_cannot_be_chosen() {
    let (house, case) = two_that_fit().await;
    let revision = house.desk.examine(&case).await.expect("a finding").case.revision;
    let choose = |run: &str, reason: &str| ChooseRunsRequest {
        case_id: case.0.clone(),
        case_revision: revision,
        run_ids: vec![run.into()],
        reason: reason.into(),
    };
    assert!(matches!(house.desk.choose_runs(choose("run_of_somebody", "why not")).await, Err(Error::Refused(_))));
    assert!(matches!(house.desk.choose_runs(choose("run_late", "  ")).await, Err(Error::BadRequest(_))));
}
