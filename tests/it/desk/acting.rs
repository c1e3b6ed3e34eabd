//! Recovering and restoring: once, never both, never twice.

use makegood_app::Desk;
use makegood_app::Error;
use makegood_app::contract::{
    ActionKeyRequest, ActionView, CaseRequest, ConfirmRequest, OutcomeState, ReadBack, ReviewRequest, ReviewSheet,
};
use makegood_domain::diagnose::{Remedy, Verdict};
use makegood_domain::ids::{ActionKey, AgentId, CaseId};
use makegood_domain::plan::{ActionKind, Effect, Order, Step};
use makegood_domain::ports::{ActionStore as _, FactStore as _};
use sha2::{Digest as _, Sha256};

use super::fakes::Fetching;
use super::telling::told;
use super::world::*;

const STARTED: &str = "2026-03-12T18:04:22Z";
const FINISHED: &str = "2026-03-12T18:12:14Z";

async fn recoverable() -> (House, CaseId) {
    let facts = [
        ground(),
        run_of_210("run_shot4", STARTED),
        vec![made_job("run_shot4", FINISHED, &clip()), upload_failed("run_shot4", FINISHED)],
    ];
    let house = house(&facts).await;
    let case = house.case("T-1", COMPLAINT).await;
    (house, case)
}

async fn failed_at_provider() -> (House, CaseId) {
    let facts = [ground(), run_of_210("run_shot4", STARTED), vec![failed_job("run_shot4", FINISHED)]];
    let house = house(&facts).await;
    let case = house.case("T-1", COMPLAINT).await;
    (house, case)
}

pub(super) async fn review(desk: &Desk, case: &CaseId, kind: ActionKind) -> ReviewSheet {
    let request = ReviewRequest { case_id: case.0.clone(), kind, answer: None, consent: None };
    desk.review(request).await.expect("the action can be reviewed")
}

pub(super) fn confirmation(sheet: &ReviewSheet, key: &str) -> ConfirmRequest {
    ConfirmRequest {
        case_id: sheet.case_id.clone(),
        kind: sheet.kind,
        answer: None,
        case_revision: sheet.case_revision,
        digest: sheet.digest.clone(),
        reviewed_at: sheet.made_at,
        key: format!("{key}-0123456789abcdef"),
        reason: None,
        consent: None,
    }
}

async fn act(desk: &Desk, case: &CaseId, kind: ActionKind, key: &str) -> Result<ActionView, Error> {
    let sheet = review(desk, case, kind).await;
    desk.confirm(confirmation(&sheet, key)).await
}

async fn levels(house: &House) -> (i64, i64) {
    let ticket = ticket("T-x", "");
    let scope = house.store.scope(&ticket.requester, None, at(NOW)).await.expect("a scope");
    let level = |id: &str| {
        let balances = scope.accounts.iter().flat_map(|account| &account.balances);
        balances.filter(|row| row.id.as_str() == id).map(|row| row.current).sum::<i64>()
    };
    (level("bal_q"), level("bal_w"))
}

#[tokio::test]
async fn a_recovered_file_is_kept_placed_and_read_back() {
    let (house, case) = recoverable().await;
    let done = act(&house.desk, &case, ActionKind::Recover, "a").await.expect("an outcome");
    assert_eq!(done.state, OutcomeState::Done, "{:?}", done.why);
    let hash: String = Sha256::digest(clip()).iter().map(|byte| format!("{byte:02x}")).collect();
    let file = done.read_back.iter().find_map(|proof| match proof {
        ReadBack::File { sha256, matches, place, .. } => Some((sha256.clone(), *matches, place.clone())),
        _ => None,
    });
    let (sha256, matches, place) = file.expect("a file was read back");
    assert_eq!((sha256, matches), (hash, true));
    assert!(place.starts_with("Spring lookbook / Shot 4"), "{place}");
    let after = house.desk.examine(&case).await.expect("a finding").finding.diagnosis;
    assert_eq!((after.verdict, after.remedy), (Verdict::DeliveredOk, Remedy::NoneDelivered));
    assert_eq!(levels(&house).await, (0, 360), "a recovery moves no credits");
    assert_eq!(told(&*house.store).await, ["asset.delivered".to_owned()].into());
}

#[tokio::test]
async fn a_split_charge_goes_back_to_both_balances_it_came_from() {
    let (house, case) = failed_at_provider().await;
    let sheet = review(&house.desk, &case, ActionKind::Restore).await;
    let shown: Vec<_> = sheet.postings.iter().map(|row| (row.balance_id.as_str(), row.before, row.after)).collect();
    assert_eq!(shown, [("bal_q", 0, 70), ("bal_w", 360, 500)]);
    let done = house.desk.confirm(confirmation(&sheet, "a")).await.expect("an outcome");
    assert_eq!(done.state, OutcomeState::Done, "{:?}", done.why);
    assert_eq!(levels(&house).await, (70, 500));
    let after = house.desk.examine(&case).await.expect("a finding").finding.diagnosis;
    assert_eq!(after.remedy, Remedy::NoneAlreadyRefunded);
    assert_eq!(told(&*house.store).await, ["credits.restored".to_owned()].into());
}

#[tokio::test]
async fn the_same_key_gets_the_same_answer_and_one_effect() {
    let (house, case) = failed_at_provider().await;
    let request = confirmation(&review(&house.desk, &case, ActionKind::Restore).await, "a");
    let first = house.desk.confirm(request.clone()).await.expect("an outcome");
    let second = house.desk.confirm(request).await.expect("the same outcome");
    assert_eq!((first.state, second.state, second.repeated), (OutcomeState::Done, OutcomeState::Done, true));
    assert_eq!(levels(&house).await, (70, 500), "one effect");
}

#[tokio::test]
async fn a_key_that_was_used_for_something_else_is_refused() {
    let (house, case) = failed_at_provider().await;
    let request = confirmation(&review(&house.desk, &case, ActionKind::Restore).await, "a");
    house.desk.confirm(request.clone()).await.expect("an outcome");
    let other = ConfirmRequest { digest: "another".into(), ..request };
    let refused = house.desk.confirm(other).await.expect_err("another digest under the same key");
    assert!(matches!(refused, Error::Refused(_)), "{refused}");
    assert_eq!(levels(&house).await, (70, 500));
}

#[tokio::test]
async fn two_agents_settle_one_charge_once() {
    let (house, case) = failed_at_provider().await;
    let other = desk_on(&house.store, &house.clock, &house.mill, house.dir.path(), "ben");
    let (mine, theirs) = (
        confirmation(&review(&house.desk, &case, ActionKind::Restore).await, "a"),
        confirmation(&review(&other, &case, ActionKind::Restore).await, "b"),
    );
    let (first, second) = tokio::join!(house.desk.confirm(mine), other.confirm(theirs));
    let done = [&first, &second]
        .iter()
        .filter(|outcome| outcome.as_ref().is_ok_and(|view| view.state == OutcomeState::Done))
        .count();
    assert_eq!(done, 1, "{first:?} / {second:?}");
    assert_eq!(levels(&house).await, (70, 500));
}

#[tokio::test]
async fn a_second_remedy_is_refused_by_the_record_itself() {
    let (house, case) = recoverable().await;
    act(&house.desk, &case, ActionKind::Recover, "a").await.expect("an outcome");
    let request = ReviewRequest { case_id: case.0.clone(), kind: ActionKind::Restore, answer: None, consent: None };
    assert!(matches!(house.desk.review(request).await, Err(Error::Refused(_))), "the window offers no restoration");
    // And if somebody journalled one all the same: the keys of the record forbid it.
    let planned = failed_at_provider_plan().await;
    let order = Order {
        key: ActionKey::new("forced-0123456789abcdef"),
        digest: "x".into(),
        agent: AgentId::new("mallory"),
        at: at(NOW),
        reason: None,
    };
    let mut plan = planned;
    plan.case_id = case.clone();
    plan.case_revision = house.desk.examine(&case).await.expect("a finding").case.revision;
    house.store.begin_action(&order, &plan).await.expect("journalled");
    let restore = plan.steps.iter().find_map(|step| match step {
        Step::Do { effect: effect @ Effect::Restore { .. } } => Some(effect),
        _ => None,
    });
    let applied = house.store.apply(&order.key, 0, 0, restore.expect("a restoration"), at(NOW)).await;
    assert!(matches!(applied, Ok(makegood_domain::ports::Applied::Refused(_))), "{applied:?}");
    assert_eq!(levels(&house).await, (0, 360));
}

/// The plan that restores the very charge of `recoverable`.
async fn failed_at_provider_plan() -> makegood_domain::plan::Plan {
    let (house, case) = failed_at_provider().await;
    act(&house.desk, &case, ActionKind::Restore, "p").await.expect("an outcome");
    let record = house.store.action(&ActionKey::new("p-0123456789abcdef")).await.expect("readable");
    record.expect("journalled").plan
}

#[tokio::test]
async fn a_file_that_cannot_be_had_changes_nothing_and_can_be_tried_again() {
    let (house, case) = recoverable().await;
    *house.mill.fetching.lock().expect("not poisoned") = Fetching::Fails { gone: false };
    let failed = act(&house.desk, &case, ActionKind::Recover, "a").await.expect("an outcome");
    assert_eq!((failed.state, failed.retry), (OutcomeState::FailedBeforeEffect, true), "{:?}", failed.why);
    *house.mill.fetching.lock().expect("not poisoned") = Fetching::Gives(clip());
    let done = act(&house.desk, &case, ActionKind::Recover, "b").await.expect("an outcome");
    assert_eq!(done.state, OutcomeState::Done, "{:?}", done.why);
}

#[tokio::test]
async fn a_file_that_is_not_the_promised_one_is_refused() {
    let (house, case) = recoverable().await;
    for (wrong, bytes) in [("an error page", b"<html>expired</html>".to_vec()), ("cut short", clip()[..40].to_vec())] {
        *house.mill.fetching.lock().expect("not poisoned") = Fetching::Gives(bytes);
        let failed = act(&house.desk, &case, ActionKind::Recover, wrong).await.expect("an outcome");
        assert_eq!(failed.state, OutcomeState::FailedBeforeEffect, "{wrong}: {:?}", failed.why);
    }
    let after = house.desk.examine(&case).await.expect("a finding").finding.diagnosis;
    assert_eq!(after.verdict, Verdict::UploadFailed, "nothing was delivered");
}

#[tokio::test]
async fn a_review_binds_to_the_facts_it_was_made_from() {
    let (house, case) = failed_at_provider().await;
    let request = confirmation(&review(&house.desk, &case, ActionKind::Restore).await, "a");
    house.store.import(&[platform_refund("run_shot4", "2026-03-14T15:20:00Z")], at(NOW)).await.expect("an import");
    let stale = house.desk.confirm(request).await.expect_err("the platform refunded in between");
    assert!(matches!(stale, Error::Stale(_)), "{stale}");
    assert_eq!(levels(&house).await, (70, 500), "refunded once, by the platform");
}

#[tokio::test]
async fn an_old_review_is_looked_at_again() {
    let (house, case) = failed_at_provider().await;
    let request = confirmation(&review(&house.desk, &case, ActionKind::Restore).await, "a");
    house.clock.set(at("2026-03-14T15:40:00Z"));
    assert!(matches!(house.desk.confirm(request).await, Err(Error::Stale(_))));
    assert_eq!(levels(&house).await, (0, 360));
}

#[tokio::test]
async fn over_the_limit_nobody_acts_alone() {
    let (house, case) = failed_at_provider().await;
    let junior = desk_on(&house.store, &house.clock, &house.mill, house.dir.path(), "cleo");
    limit(&house, "cleo", 100).await;
    let sheet = review(&junior, &case, ActionKind::Restore).await;
    assert!(sheet.checks.iter().any(|check| !check.ok), "the sheet says so");
    let need = sheet.approval_need.as_ref().expect("over the limit").clone();
    assert_eq!((need.amount, need.per_posting), (210, 100));
    let stopped = junior.confirm(confirmation(&sheet, "a")).await.expect("an outcome");
    assert_eq!(stopped.state, OutcomeState::ApprovalNeeded);
    assert!(stopped.why.expect("a reason").contains("limit of 100"));
    assert_eq!(levels(&house).await, (0, 360));
    let asked = house.store.actions_of(&case).await.expect("readable");
    assert!(asked.is_empty(), "nothing was journalled");
}

#[tokio::test]
async fn what_a_crash_left_in_the_middle_is_finished_on_the_next_start() {
    let (house, case) = recoverable().await;
    let sheet = review(&house.desk, &case, ActionKind::Recover).await;
    let key = ActionKey::new("crashed-0123456789abcdef");
    let planned = {
        let other = desk_on(&house.store, &house.clock, &house.mill, house.dir.path(), "ana");
        // The same sheet on an identical record gives the same plan; take it from its journal.
        let (twin, twin_case) = recoverable().await;
        act(&twin.desk, &twin_case, ActionKind::Recover, "t").await.expect("an outcome");
        drop(other);
        twin.store.action(&ActionKey::new("t-0123456789abcdef")).await.expect("readable").expect("journalled").plan
    };
    let order = Order { key: key.clone(), digest: sheet.digest, agent: AgentId::new("ana"), at: at(NOW), reason: None };
    let plan = makegood_domain::plan::Plan { case_id: case.clone(), case_revision: sheet.case_revision, ..planned };
    house.store.begin_action(&order, &plan).await.expect("journalled");
    let Some(Step::RecoverItem { run_id, item, .. }) = plan.steps.first() else { panic!("a recovery comes first") };
    let lease = Effect::LeaseItem { run_id: run_id.clone(), item: *item, lease_seconds: 1_200 };
    house.store.apply(&key, 0, 0, &lease, at(NOW)).await.expect("leased");
    // Here the program died. Another one starts on the same record.
    let next = desk_on(&house.store, &house.clock, &house.mill, house.dir.path(), "ana");
    assert_eq!(next.resume_unfinished().await.expect("resumed"), 1);
    let view = next.action(ActionKeyRequest { key: key.0 }).await.expect("an outcome");
    assert_eq!(view.state, OutcomeState::Done, "{:?}", view.why);
    assert_eq!(next.resume_unfinished().await.expect("nothing left"), 0);
}

#[tokio::test]
async fn a_case_shows_what_it_rests_on() {
    let (house, case) = recoverable().await;
    let detail = house.desk.case_detail(CaseRequest { case_id: case.0.clone() }).await.expect("a case");
    let fields: Vec<_> = detail.claim_rows.iter().map(|row| row.field.as_str()).collect();
    assert_eq!(fields, ["project", "time", "model", "amount", "refund", "provider", "output"]);
    let lanes: Vec<_> = detail.timeline.lanes.iter().map(|lane| lane.name.as_str()).collect();
    assert_eq!(lanes, ["ticket", "charge", "provider", "webhook", "storage", "refund"]);
    assert_eq!(detail.timeline.gaps.len(), 1, "finished, never stored");
    let primary = detail.offers.iter().find(|offer| offer.primary).expect("one act is proposed");
    assert_eq!((primary.kind, primary.allowed), (ActionKind::Recover, true));
    assert!(detail.answer.ready, "{:?}", detail.answer.leaks);
    for id in ["run_shot4", "chg_", "job-", "mill", "Mill"] {
        assert!(!detail.answer.text.contains(id), "the answer names {id}: {}", detail.answer.text);
    }
}
