//! A second person's yes: to exactly one sum, for one reason, used once, not for long (R53, I11).

use std::sync::Arc;

use makegood_app::contract::{
    ApprovalView, ApprovalsRequest, AskApprovalRequest, CaseRequest, ConfirmRequest, DecideApprovalRequest, Nothing,
    OutcomeState, ReviewRequest, ReviewSheet, Say, WithdrawApprovalRequest,
};
use makegood_app::{Desk, Error};
use makegood_domain::ids::CaseId;
use makegood_domain::plan::ActionKind;
use makegood_domain::ports::{ApprovalState, FactStore as _};
use makegood_testkit::{Fault, ManualClock, MemoryStore, Op, keep_look_ups};

use super::fakes::Mill;
use super::world::*;

const STARTED: &str = "2026-03-12T18:04:22Z";
const REASON: &str = "the storyboard failed as a whole, promised by the lead";

struct Office {
    house: House,
    case: CaseId,
    /// May restore 100 credits alone; the case is about 210.
    cleo: Arc<Desk>,
    ben: Arc<Desk>,
}

async fn office() -> Office {
    let facts = [ground(), run_of_210("run_shot4", STARTED), vec![failed_job("run_shot4", STARTED)]];
    let house = house(&facts).await;
    let case = house.case("T-1", COMPLAINT).await;
    limit(&house, "cleo", 100).await;
    limit(&house, "ben", 100).await;
    let desk = |name| desk_on(&house.store, &house.clock, &house.mill, house.dir.path(), name);
    let (cleo, ben) = (desk("cleo"), desk("ben"));
    Office { house, case, cleo, ben }
}

impl Office {
    async fn sheet(&self) -> ReviewSheet {
        let request =
            ReviewRequest { case_id: self.case.0.clone(), kind: ActionKind::Restore, answer: None, consent: None };
        self.cleo.review(request).await.expect("the action can be reviewed")
    }

    async fn ask(&self, reason: &str) -> Result<ApprovalView, Error> {
        let sheet = self.sheet().await;
        let request = AskApprovalRequest {
            id: "approval-0123456789abcdef".into(),
            case_id: sheet.case_id,
            kind: sheet.kind,
            answer: None,
            case_revision: sheet.case_revision,
            digest: sheet.digest,
            reviewed_at: sheet.made_at,
            reason: reason.to_owned(),
            consent: None,
        };
        self.cleo.ask_approval(request).await
    }

    async fn decide(&self, desk: &Desk, asked: &ApprovalView, say: Say) -> Result<ApprovalView, Error> {
        let request = DecideApprovalRequest {
            id: asked.id.clone(),
            digest: asked.digest.clone(),
            say,
            note: Some("seen".into()),
            by: None,
        };
        desk.decide_approval(request).await
    }

    async fn confirm(&self, key: &str, reason: &str) -> OutcomeState {
        let sheet = self.sheet().await;
        let request = ConfirmRequest {
            case_id: sheet.case_id,
            kind: sheet.kind,
            answer: None,
            case_revision: sheet.case_revision,
            digest: sheet.digest,
            reviewed_at: sheet.made_at,
            key: format!("{key}-0123456789abcdef"),
            reason: Some(reason.to_owned()),
            consent: None,
        };
        self.cleo.confirm(request).await.expect("an outcome").state
    }
}

#[tokio::test]
async fn a_yes_lets_exactly_this_happen_once() {
    let office = office().await;
    let need = office.sheet().await.approval_need.expect("over the limit");
    assert_eq!((need.amount, need.per_posting), (210, 100));
    assert_eq!(office.confirm("early", REASON).await, OutcomeState::ApprovalNeeded);
    let asked = office.ask(REASON).await.expect("asked");
    assert_eq!((asked.state, asked.amount, asked.mine, asked.can_decide), (ApprovalState::Waiting, 210, true, false));
    let sums: Vec<_> = asked.postings.iter().map(|row| (row.balance_id.as_str(), row.amount)).collect();
    assert_eq!(sums, [("bal_q", 70), ("bal_w", 140)]);
    let said = office.decide(&office.ben, &asked, Say::Approve).await.expect("decided");
    assert_eq!((said.state, said.decided_by.as_deref()), (ApprovalState::Approved, Some("ben")));
    let sheet = office.sheet().await;
    assert!(sheet.checks.iter().all(|check| check.ok), "{:?}", sheet.checks);
    assert_eq!(office.confirm("other", "another reason").await, OutcomeState::ApprovalNeeded, "for this reason only");
    assert_eq!(office.confirm("now", REASON).await, OutcomeState::Done);
    let rows = list(&office.ben, false).await;
    assert_eq!((rows.len(), rows[0].state), (1, ApprovalState::Used));
    assert!(list(&office.ben, true).await.is_empty(), "nothing waits any more");
    let detail = office.cleo.case_detail(CaseRequest { case_id: office.case.0.clone() }).await.expect("a case");
    assert_eq!(detail.approval.expect("the case tells of it").state, ApprovalState::Used);
    let me = office.cleo.app_info(Nothing {}).await.expect("info").identity;
    assert_eq!((me.restored_today, me.enforced), (210, false), "a file can only record who acted");
}

async fn list(desk: &Desk, open_only: bool) -> Vec<ApprovalView> {
    desk.approvals(ApprovalsRequest { open_only, limit: 50 }).await.expect("readable").rows
}

#[tokio::test]
async fn nobody_says_yes_to_the_own_request() {
    let office = office().await;
    let asked = office.ask(REASON).await.expect("asked");
    assert!(matches!(office.decide(&office.cleo, &asked, Say::Approve).await, Err(Error::Refused(_))));
    assert_eq!(office.confirm("a", REASON).await, OutcomeState::ApprovalNeeded);
    let seen_by_ben = &list(&office.ben, true).await[0];
    assert!(seen_by_ben.can_decide && !seen_by_ben.mine);
}

#[tokio::test]
async fn a_yes_is_over_after_a_quarter_of_an_hour() {
    let office = office().await;
    let asked = office.ask(REASON).await.expect("asked");
    office.decide(&office.ben, &asked, Say::Approve).await.expect("decided");
    office.house.clock.advance(jiff::SignedDuration::from_mins(16));
    assert_eq!(office.confirm("late", REASON).await, OutcomeState::ApprovalNeeded);
    assert_eq!(list(&office.ben, false).await[0].state, ApprovalState::Expired);
}

#[tokio::test]
async fn a_no_and_a_withdrawal_let_nothing_happen() {
    for declined in [true, false] {
        let office = office().await;
        let asked = office.ask(REASON).await.expect("asked");
        let state = if declined {
            office.decide(&office.ben, &asked, Say::Decline).await.expect("decided").state
        } else {
            let request = WithdrawApprovalRequest { id: asked.id.clone(), digest: asked.digest.clone() };
            office.cleo.withdraw_approval(request).await.expect("withdrawn").state
        };
        assert_eq!(state, if declined { ApprovalState::Declined } else { ApprovalState::Withdrawn });
        assert_eq!(office.confirm("a", REASON).await, OutcomeState::ApprovalNeeded);
        assert!(office.decide(&office.ben, &asked, Say::Approve).await.is_err(), "what is decided stays decided");
    }
}

#[tokio::test]
async fn a_request_needs_a_reason_and_is_asked_once() {
    let office = office().await;
    assert!(matches!(office.ask("  ").await, Err(Error::BadRequest(_))));
    let first = office.ask(REASON).await.expect("asked");
    let again = office.ask(REASON).await.expect("the same");
    assert_eq!((first.id, first.asked_at), (again.id, again.asked_at));
    assert!(matches!(office.ask("for something else").await, Err(Error::Refused(_))), "the id is of another request");
    assert_eq!(list(&office.ben, true).await.len(), 1);
}

#[tokio::test]
async fn a_page_of_requests_is_one_read() {
    let (dir, store) = (tempfile::tempdir().expect("a folder"), Arc::new(MemoryStore::new()));
    let facts = [ground(), run_of_210("run_shot4", STARTED), vec![failed_job("run_shot4", STARTED)]].concat();
    store.import(&facts, at(NOW)).await.expect("an import");
    keep_look_ups(&*store, &facts).await.expect("look-ups");
    let (clock, mill) = (Arc::new(ManualClock::new(at(NOW))), Mill::giving(&clip()));
    let desk = desk_on(&store, &clock, &mill, dir.path(), "cleo");
    let case = desk.take_in("case-T-1".into(), ticket("T-1", COMPLAINT), Vec::new()).await.expect("a case").case.id;
    let request = ReviewRequest { case_id: case.0.clone(), kind: ActionKind::Restore, answer: None, consent: None };
    let sheet = desk.review(request).await.expect("the action can be reviewed");
    let asked = AskApprovalRequest {
        id: "approval-0123456789abcdef".into(),
        case_id: sheet.case_id,
        kind: sheet.kind,
        answer: None,
        case_revision: sheet.case_revision,
        digest: sheet.digest,
        reviewed_at: sheet.made_at,
        reason: REASON.to_owned(),
        consent: None,
    };
    desk.ask_approval(asked).await.expect("asked");
    // Whoever asks for the cases of the page, one by one, meets this.
    store.fail_next(Op::Case, Fault::BeforeCommit);
    let rows = list(&desk, true).await;
    assert_eq!(rows.iter().map(|row| row.subject.as_str()).collect::<Vec<_>>(), ["Charged and no clip"]);
}
