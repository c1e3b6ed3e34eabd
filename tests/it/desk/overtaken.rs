//! Cases that somebody changes while they are looked at: what was done is answered as done, and what
//! was only seen is looked at again.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use makegood_app::contract::{ActionView, ConfirmRequest, OutcomeState, ReviewRequest};
use makegood_app::{Desk, Error};
use makegood_domain::ids::{ActionKey, AgentId, CaseId};
use makegood_domain::plan::ActionKind;
use makegood_domain::ports::{
    ActionState, ActionStore as _, CaseStore as _, ChosenRuns, Clock, Reader, ReaderError, ReadingContext, StoreError,
};
use makegood_domain::reading::RuleReader;
use makegood_domain::support::{Claim, Ticket};
use makegood_store::sqlite::SqliteStore;
use tokio::runtime::Handle;

use super::world::*;

const STARTED: &str = "2026-03-12T18:04:22Z";
const KEY: &str = "key-0123456789abcdef";

async fn failed_at_provider() -> (House, CaseId) {
    let house = house(&[ground(), run_of_210("run_shot4", STARTED), vec![failed_job("run_shot4", STARTED)]]).await;
    let case = house.case("T-1", COMPLAINT).await;
    (house, case)
}

async fn reviewed(desk: &Desk, case: &CaseId) -> ConfirmRequest {
    let request = ReviewRequest { case_id: case.0.clone(), kind: ActionKind::Restore, answer: None, consent: None };
    let sheet = desk.review(request).await.expect("the action can be reviewed");
    ConfirmRequest {
        case_id: sheet.case_id,
        kind: sheet.kind,
        answer: None,
        case_revision: sheet.case_revision,
        digest: sheet.digest,
        reviewed_at: sheet.made_at,
        key: KEY.to_owned(),
        reason: None,
        consent: None,
    }
}

/// Reads by the rules. From when `after` is done on, somebody chooses the run of the case again at each
/// reading, as often as is `left`.
struct Meddler {
    store: Arc<SqliteStore>,
    case: CaseId,
    after: Option<ActionKey>,
    left: AtomicU32,
}

impl Meddler {
    fn new(house: &House, case: &CaseId, after: Option<&str>, left: u32) -> Arc<Self> {
        let after = after.map(ActionKey::new);
        Arc::new(Self { store: Arc::clone(&house.store), case: case.clone(), after, left: AtomicU32::new(left) })
    }

    async fn meddles(&self) -> bool {
        if let Some(key) = &self.after {
            let record = self.store.action(key).await.expect("readable");
            if record.is_none_or(|record| record.state != ActionState::Done) {
                return false;
            }
        }
        self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }
}

#[async_trait]
impl Reader for Meddler {
    fn name(&self) -> &str {
        RuleReader.name()
    }

    async fn read(&self, ticket: &Ticket, context: &ReadingContext) -> Result<Claim, ReaderError> {
        if self.meddles().await {
            let case = self.store.case(&self.case).await.expect("a case");
            let chosen = ChosenRuns {
                run_ids: vec!["run_shot4".into()],
                agent: AgentId::new("ben"),
                reason: format!("seen at revision {}", case.revision),
                at: at(NOW),
            };
            self.store.choose_runs(&case.id, case.revision, &chosen).await.expect("chosen");
        }
        RuleReader.read(ticket, context).await
    }
}

#[tokio::test]
async fn what_is_done_is_answered_as_done_whoever_changes_the_case_then() {
    for times in [1, u32::MAX] {
        let (house, case) = failed_at_provider().await;
        let meddler = Meddler::new(&house, &case, Some(KEY), times);
        let desk = desk_reading(meddler, &house.store, &house.clock, &house.mill, house.dir.path(), "ana");
        let request = reviewed(&desk, &case).await;
        let done = desk.confirm(request).await;
        assert!(done.as_ref().is_ok_and(|view| view.state == OutcomeState::Done), "{times} changes: {done:?}");
    }
}

#[tokio::test]
async fn a_case_that_changes_is_looked_at_again_and_not_for_ever() {
    for (times, is_found) in [(1, true), (u32::MAX, false)] {
        let house = house(&[ground(), run_of_210("run_shot4", STARTED)]).await;
        let case = CaseId::new("case-T-2");
        let meddler = Meddler::new(&house, &case, None, times);
        let desk = desk_reading(meddler, &house.store, &house.clock, &house.mill, house.dir.path(), "ana");
        match desk.take_in(case, ticket("T-2", COMPLAINT), Vec::new()).await {
            Ok(examined) => assert!(is_found && examined.case.chosen_runs.is_some(), "the choice is seen"),
            Err(why) => assert!(!is_found && matches!(why, Error::Store(StoreError::Stale { .. })), "{why}"),
        }
    }
}

/// The time, whose first teller once there is a request is overtaken by another program with the same
/// one: it is asked for between the look whether the key is known and the look at the case.
struct Twin {
    house: House,
    request: Mutex<Option<ConfirmRequest>>,
    answered: Mutex<Option<ActionView>>,
}

impl Clock for Twin {
    fn now(&self) -> Timestamp {
        let request = self.request.lock().expect("not poisoned").take();
        if let Some(request) = request {
            let confirmed = self.house.desk.confirm(request);
            let view = tokio::task::block_in_place(|| Handle::current().block_on(confirmed));
            *self.answered.lock().expect("not poisoned") = Some(view.expect("the other program is done"));
        }
        self.house.clock.now()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_sent_twice_at_once_gets_its_one_answer_twice() {
    let (house, case) = failed_at_provider().await;
    let twin = Arc::new(Twin { house, request: Mutex::default(), answered: Mutex::default() });
    let house = &twin.house;
    let desk = desk_on(&house.store, &twin, &house.mill, house.dir.path(), "ana");
    let request = reviewed(&desk, &case).await;
    *twin.request.lock().expect("not poisoned") = Some(request.clone());
    let second = desk.confirm(request).await.expect("the same answer");
    let first = twin.answered.lock().expect("not poisoned").take().expect("the other one was first");
    assert_eq!((first.state, second.state), (OutcomeState::Done, OutcomeState::Done));
    assert_eq!((first.read_back.len(), second.repeated), (second.read_back.len(), true));
    let actions = house.store.actions_of(&case).await.expect("readable");
    assert_eq!(actions.len(), 1, "one action");
}
