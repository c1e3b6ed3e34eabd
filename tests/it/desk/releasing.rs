//! A late result of a refunded item: released against a new debit that the customer agreed to, and never else (P4).

use makegood_app::Error;
use makegood_app::contract::{
    ApprovalsRequest, AskApprovalRequest, CaseRequest, ConfirmRequest, ConsentGiven, DecideApprovalRequest,
    FileDeadline, OutcomeState, ReadBack, ReviewRequest, ReviewSheet, Say,
};
use makegood_domain::diagnose::{Remedy, Verdict};
use makegood_domain::feed::Fact;
use makegood_domain::ids::{CaseId, JobId};
use makegood_domain::ledger::RefundState;
use makegood_domain::plan::ActionKind;
use makegood_domain::ports::{ApprovalState, CaseStore as _, FactStore as _};
use serde_json::json;

use super::acting::{confirmation, review};
use super::fakes::Fetching;
use super::saving::{dossier, file_of, finished};
use super::telling::told;
use super::world::*;

const FINISHED: &str = "2026-03-12T18:12:14Z";

fn consent() -> ConsentGiven {
    let message = "Yes, please: charge me again and send me the clip.".to_owned();
    ConsentGiven { by: "fern@example.com".to_owned(), at: at("2026-03-14T09:30:00Z"), message }
}

/// A run that the platform refunded, whose file came later and is saved.
async fn late() -> (House, CaseId) {
    let house = finished(vec![platform_refund("run_shot4", FINISHED)]).await;
    let case = house.case("T-1", COMPLAINT).await;
    house.desk.heard_of([JobId::new("job-run_shot4")]);
    assert_eq!(house.desk.capture_wanted().await, 1);
    (house, case)
}

async fn reviewed(house: &House, case: &CaseId, consent: Option<ConsentGiven>) -> Result<ReviewSheet, Error> {
    let request = ReviewRequest { case_id: case.0.clone(), kind: ActionKind::Release, answer: None, consent };
    house.desk.review(request).await
}

fn confirming(sheet: &ReviewSheet, key: &str) -> ConfirmRequest {
    ConfirmRequest { consent: Some(consent()), ..confirmation(sheet, key) }
}

async fn levels(house: &House) -> Vec<i64> {
    let scope = house.store.scope(&ticket("T-1", COMPLAINT).requester, None, at(NOW)).await.expect("readable");
    scope.accounts.iter().flat_map(|account| &account.balances).map(|balance| balance.current).collect()
}

#[tokio::test]
async fn a_late_result_is_released_once_against_its_refund() {
    let (house, case) = late().await;
    assert_eq!(levels(&house).await, [70, 500]);
    let offers = house.desk.case_detail(CaseRequest { case_id: case.0.clone() }).await.expect("a case").offers;
    assert!(offers.iter().any(|offer| offer.kind == ActionKind::Release && offer.allowed && !offer.needs_reason));
    let sheet = reviewed(&house, &case, Some(consent())).await.expect("it can be reviewed");
    assert_eq!(sheet.title, "Release 1 output for 210 credits");
    let amounts: Vec<_> = sheet.postings.iter().map(|row| (row.amount, row.before, row.after)).collect();
    assert_eq!((amounts, sheet.restored_total), (vec![(-70, 70, 0), (-140, 500, 360)], 0));
    assert!(sheet.effects.iter().any(|line| line.contains("fern@example.com agreed")), "{:?}", sheet.effects);
    let done = house.desk.confirm(confirming(&sheet, "a")).await.expect("an outcome");
    assert_eq!(done.state, OutcomeState::Done, "{:?}", done.why);
    assert!(done.read_back.iter().any(|proof| matches!(proof, ReadBack::File { matches: true, .. })));
    let balances = done.read_back.iter().filter(|proof| matches!(proof, ReadBack::Balance { matches: true, .. }));
    assert_eq!(balances.count(), 2);
    assert_eq!(levels(&house).await, [0, 360]);
    let after = dossier(&house, "run_shot4").await;
    assert_eq!(after.refunds.iter().map(|row| row.state).collect::<Vec<_>>(), [RefundState::Reversed]);
    assert_eq!(after.outputs.iter().map(|row| row.on_canvas).collect::<Vec<_>>(), [true]);
    let again = house.desk.confirm(confirming(&sheet, "a")).await.expect("an outcome");
    assert!(again.repeated, "the same key is the same answer");
    assert_eq!(levels(&house).await, [0, 360], "and nothing is taken twice");
    let finding = house.store.case(&case).await.expect("a case").finding.expect("a finding");
    assert_eq!((finding.diagnosis.verdict, finding.diagnosis.remedy), (Verdict::DeliveredOk, Remedy::NoneDelivered));
    let twice = reviewed(&house, &case, Some(consent())).await;
    assert!(matches!(&twice, Err(Error::Refused(why)) if why.contains("no second remedy")), "{twice:?}");
    assert_eq!(told(&*house.store).await, ["asset.released".to_owned()].into());
}

#[tokio::test]
async fn a_late_result_that_is_saved_is_shown_as_saved() {
    let house = finished(vec![platform_refund("run_shot4", FINISHED)]).await;
    let case = house.case("T-1", COMPLAINT).await;
    let shown = async || {
        let detail = house.desk.case_detail(CaseRequest { case_id: case.0.clone() }).await.expect("a case");
        (detail.verdict.expect("a verdict").file, file_of(&house, "T-1").await)
    };
    let (head, row) = shown().await;
    assert!(matches!(head, FileDeadline::Running { .. }), "it can still be lost: {head:?}");
    assert!(matches!(row, FileDeadline::Running { .. }), "also in the queue: {row:?}");
    house.desk.heard_of([JobId::new("job-run_shot4")]);
    assert_eq!(house.desk.capture_wanted().await, 1);
    assert_eq!(shown().await, (FileDeadline::Saved, FileDeadline::Saved));
}

/// What the platform came to have after its refund, and keeps back.
fn held_back() -> Fact {
    let row = json!({ "id": "out_held", "run_id": "run_shot4", "item": 1, "project_id": "prj_spring01", "node_id": null,
        "stored_at": FINISHED, "bytes": 10, "state": "held", "in_history": false, "on_canvas": false });
    serde_json::from_value(json!({ "type": "output", "data": row })).expect("a fact")
}

#[tokio::test]
async fn what_the_platform_holds_back_is_saved_first_and_then_released() {
    let house = finished(vec![platform_refund("run_shot4", FINISHED), held_back()]).await;
    let case = house.case("T-1", COMPLAINT).await;
    let finding = house.store.case(&case).await.expect("a case").finding.expect("a finding");
    assert_eq!(finding.diagnosis.verdict, Verdict::LateResult);
    let early = reviewed(&house, &case, Some(consent())).await;
    assert!(matches!(&early, Err(Error::Refused(why)) if why.contains("no copy of ours to release yet")), "{early:?}");
    assert_eq!(levels(&house).await, [70, 500], "nobody pays for what nobody has read");
    assert_eq!(house.desk.capture_wanted().await, 1, "the review has begun to save it");
    let sheet = reviewed(&house, &case, Some(consent())).await.expect("it can be reviewed");
    assert_eq!(sheet.files.len(), 1);
    let done = house.desk.confirm(confirming(&sheet, "a")).await.expect("an outcome");
    assert_eq!(done.state, OutcomeState::Done, "{:?}", done.why);
    assert_eq!(levels(&house).await, [0, 360]);
    let shown = dossier(&house, "run_shot4").await.outputs.into_iter().filter(|row| row.on_canvas).count();
    assert_eq!(shown, 1, "once, and by our own copy");
}

#[tokio::test]
async fn what_only_the_platform_has_left_is_not_released_here() {
    let house = finished(vec![platform_refund("run_shot4", FINISHED), held_back()]).await;
    let case = house.case("T-1", COMPLAINT).await;
    *house.mill.fetching.lock().expect("not poisoned") = Fetching::Fails { gone: true };
    for _ in 0..2 {
        let refused = reviewed(&house, &case, Some(consent())).await;
        let named = "only the platform can release it";
        assert!(matches!(&refused, Err(Error::Refused(why)) if why.contains(named)), "{refused:?}");
        assert_eq!(house.desk.capture_wanted().await, 0);
    }
    assert_eq!(levels(&house).await, [70, 500]);
}

#[tokio::test]
async fn the_customer_is_told_of_the_debit_and_the_consent() {
    let (house, case) = late().await;
    let sheet = reviewed(&house, &case, Some(consent())).await.expect("it can be reviewed");
    let told = sheet.message.expect("an answer");
    for part in ["As you agreed on", "70 credits from your monthly credits and 140 credits from your wallet", "is now"]
    {
        assert!(told.text.contains(part), "{part}: {}", told.text);
    }
    assert!(!told.text.contains("can still be had") && told.ready, "{:?} {}", told.leaks, told.text);
    let said = Some("Here it is.".to_owned());
    let request =
        ReviewRequest { case_id: case.0.clone(), kind: ActionKind::Release, answer: said, consent: Some(consent()) };
    let own = house.desk.review(request).await.expect("it can be reviewed").message.expect("an answer");
    assert_eq!(own.text, "Here it is.", "what a person wrote is sent as it is");
}

#[tokio::test]
async fn nothing_is_released_without_the_customers_word() {
    let (house, case) = late().await;
    let with = |change: fn(&mut ConsentGiven)| {
        let mut given = consent();
        change(&mut given);
        Some(given)
    };
    for (name, given, want) in [
        ("none", None, "nobody has recorded it"),
        ("nobody's", with(|given| given.by.clear()), "who agreed"),
        ("nowhere", with(|given| given.message = "  ".to_owned()), "in which message"),
        ("before the refund", with(|given| given.at = at("2026-03-12T18:00:00Z")), "older than the refund"),
        ("tomorrow", with(|given| given.at = at("2026-03-20T00:00:00Z")), "in the future"),
    ] {
        let refused = reviewed(&house, &case, given).await;
        assert!(matches!(&refused, Err(Error::Refused(why)) if why.contains(want)), "{name}: {refused:?}");
    }
    // What was reviewed with a consent is not confirmed with another one.
    let sheet = reviewed(&house, &case, Some(consent())).await.expect("it can be reviewed");
    let other = ConfirmRequest { consent: with(|given| given.by = "ben".to_owned()), ..confirming(&sheet, "b") };
    assert!(matches!(house.desk.confirm(other).await, Err(Error::Stale(_))));
    assert_eq!(levels(&house).await, [70, 500]);
}

#[tokio::test]
async fn who_has_spent_the_refund_is_not_debited_below_nothing() {
    let (house, case) = late().await;
    let mut spent = run_of_210("run_other", "2026-03-13T08:00:00Z");
    for fact in &mut spent {
        if let makegood_domain::feed::Fact::Charge(charge) = fact {
            charge.total = 400;
            charge.items[0].credits = 400;
            charge.sources.remove(0);
            charge.sources[0].amount = 400;
        }
    }
    assert_eq!(house.store.import(&spent, at(NOW)).await.expect("taken").rejected, vec![]);
    let sheet = reviewed(&house, &case, Some(consent())).await.expect("it can be reviewed");
    let refused = house.desk.confirm(confirming(&sheet, "a")).await.expect("an outcome");
    let why = refused.why.unwrap_or_default();
    assert_eq!((refused.state, why.contains("bal_w has 100 credits")), (OutcomeState::Refused, true), "{why}");
    assert_eq!(levels(&house).await, [70, 100]);
    let after = dossier(&house, "run_shot4").await;
    assert_eq!((after.outputs.len(), after.refunds[0].state), (0, RefundState::Posted), "both or nothing");
}

#[tokio::test]
async fn nobody_pays_for_a_copy_that_is_not_there() {
    let (house, case) = late().await;
    let sheet = reviewed(&house, &case, Some(consent())).await.expect("it can be reviewed");
    let saved = dossier(&house, "run_shot4").await.captures.remove(0);
    let mut folders = vec![house.dir.path().join("vault")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
            if entry.file_type().expect("a kind").is_dir() {
                folders.push(entry.path());
            } else if entry.file_name().to_string_lossy().contains(&saved.file.sha256[8..]) {
                std::fs::remove_file(entry.path()).expect("removed");
            }
        }
    }
    let failed = house.desk.confirm(confirming(&sheet, "a")).await.expect("an outcome");
    assert_eq!((failed.state, failed.retry), (OutcomeState::FailedBeforeEffect, true), "{:?}", failed.why);
    assert_eq!(levels(&house).await, [70, 500]);
}

#[tokio::test]
async fn the_customers_yes_comes_after_the_answer_that_settled_the_case() {
    let (house, case) = late().await;
    let told = house.desk.confirm(confirmation(&review(&house.desk, &case, ActionKind::Answer).await, "a")).await;
    assert_eq!(told.expect("an outcome").state, OutcomeState::Done);
    let sheet = reviewed(&house, &case, Some(consent())).await.expect("it can still be released");
    let done = house.desk.confirm(confirming(&sheet, "b")).await.expect("an outcome");
    assert_eq!(done.state, OutcomeState::Done, "{:?}", done.why);
    assert_eq!(levels(&house).await, [0, 360]);
}

#[tokio::test]
async fn a_release_over_the_limit_waits_for_a_second_person() {
    let (house, case) = late().await;
    for name in ["cleo", "ben"] {
        limit(&house, name, 100).await;
    }
    let desk = |name| desk_on(&house.store, &house.clock, &house.mill, house.dir.path(), name);
    let (cleo, ben) = (desk("cleo"), desk("ben"));
    let review = async || {
        let (case_id, kind) = (case.0.clone(), ActionKind::Release);
        let request = ReviewRequest { case_id, kind, answer: None, consent: Some(consent()) };
        cleo.review(request).await.expect("it can be reviewed")
    };
    let reason = "she insists on this clip";
    let confirm = async |key: &str| {
        let request = confirming(&review().await, key);
        cleo.confirm(ConfirmRequest { reason: Some(reason.to_owned()), ..request }).await.expect("an outcome").state
    };
    let sheet = review().await;
    assert_eq!(sheet.approval_need.map(|need| (need.amount, need.per_posting)), Some((210, 100)));
    assert!(sheet.checks.iter().any(|check| !check.ok && check.text.contains("a second person")), "{:?}", sheet.checks);
    assert_eq!(confirm("early").await, OutcomeState::ApprovalNeeded);
    let request = AskApprovalRequest {
        id: "approval-0123456789abcdef".into(),
        case_id: sheet.case_id,
        kind: sheet.kind,
        answer: None,
        case_revision: sheet.case_revision,
        digest: sheet.digest,
        reviewed_at: sheet.made_at,
        reason: reason.to_owned(),
        consent: Some(consent()),
    };
    let asked = cleo.ask_approval(request).await.expect("asked");
    let [release] = asked.releases.as_slice() else { panic!("{:?}", asked.releases) };
    assert_eq!((release.amount, release.consent.by.as_str(), asked.amount), (210, "fern@example.com", 210));
    let (id, digest) = (asked.id.clone(), asked.digest.clone());
    let yes = DecideApprovalRequest { id, digest, say: Say::Approve, note: None, by: None };
    assert_eq!(ben.decide_approval(yes).await.expect("decided").state, ApprovalState::Approved);
    assert!(review().await.checks.iter().all(|check| check.ok), "the yes is seen on the sheet");
    assert_eq!(confirm("now").await, OutcomeState::Done);
    assert_eq!(levels(&house).await, [0, 360]);
    let used = ben.approvals(ApprovalsRequest { open_only: false, limit: 5 }).await.expect("readable").rows;
    assert_eq!(used[0].state, ApprovalState::Used);
}
