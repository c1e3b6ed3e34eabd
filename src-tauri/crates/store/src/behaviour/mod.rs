//! What every store must do, whatever database it is on: each proof takes a store that has taken the
//! base facts, and is run beside each backend.

pub(crate) mod approvals;
pub(crate) mod claims;
pub(crate) mod due_list;
pub(crate) mod effects;
pub(crate) mod findings;
pub(crate) mod sweeps;

pub(crate) use crate::test_world as world;

use jiff::{SignedDuration, Timestamp};
use makegood_domain::feed::Fact;
use makegood_domain::ids::ActionKey;
use makegood_domain::ids::RunId;
use makegood_domain::plan::{Effect, Plan};
use makegood_domain::ports::{Applied, Begun, Receipt, Store};

/// The proofs, by module and name, as tests of the store that `$store` makes.
macro_rules! behaviours {
    ($store:path: $($module:ident::{$($name:ident),+ $(,)?}),+ $(,)?) => {$(
        mod $module {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::behaviour::$module::$name(&$store().await).await;
            })+
        }
    )+};
}
/// All of them.
macro_rules! every_behaviour {
    ($store:path) => {
        behaviours! { $store:
            due_list::{only_what_is_open_or_contradicts_itself_is_listed, facts_put_a_run_on_and_take_it_off,
                a_run_that_becomes_a_retry_leaves_its_place, a_project_that_changes_hands_is_looked_at},
            effects::{a_settled_run_leaves_the_list, a_damaged_item_comes_back, who_was_first_is_told_in_plain_words},
            claims::{two_workers_share_the_runs, a_crashed_claim_is_taken_over, an_end_says_what_comes_next,
                a_change_during_a_look_is_looked_at_again, a_parked_run_wakes_with_a_change},
            sweeps::{the_same_key_is_the_same_receipt, a_restoration_shows_its_detection, what_is_not_its_to_do_is_refused,
                a_young_charge_is_restored_only_after_a_detection, an_incident_needs_no_case, a_key_is_of_one_journal},
            findings::{a_detection_counts_once, a_detection_is_closed_and_can_come_again, a_pass_is_kept_as_it_ends,
                the_promise_is_counted, the_scope_of_a_run_is_that_run},
            approvals::{limits_are_by_posting_and_by_day, a_limit_that_was_lowered_counts_at_once,
                a_yes_is_for_exactly_this, a_yes_is_used_once,
                a_yes_expires_at_its_instant, nobody_answers_the_own_request, a_request_is_asked_once,
                two_actions_cannot_pass_the_day_together, an_unanswered_request_expires},
        }
    };
}
/// Takes these facts, all of them, at `at`.
pub(crate) async fn take(store: &dyn Store, facts: &[Fact], at: Timestamp) {
    assert_eq!(store.import(facts, at).await.unwrap().rejected, vec![], "the facts are whole");
}

/// The runs that are due at `at`, by id, looked at and given back unchanged.
pub(crate) async fn due(store: &dyn Store, at: Timestamp) -> Vec<(String, Option<Timestamp>)> {
    let lease = SignedDuration::from_secs(1);
    let mut runs = Vec::new();
    for run in store.claim_due("looker", 1000, lease, at).await.unwrap() {
        let again = makegood_domain::ports::NextLook::At { at };
        store.end_look(&run.root, "looker", &again, at).await.unwrap();
        runs.push((run.root.0, run.charged_at));
    }
    runs.sort();
    runs
}

/// Ids of the runs that are due.
pub(crate) async fn due_ids(store: &dyn Store, at: Timestamp) -> Vec<String> {
    due(store, at).await.into_iter().map(|run| run.0).collect()
}

/// Opens a case and begins an action on it with a step for each of these effects.
pub(crate) async fn begin(
    store: &dyn Store,
    key: &str,
    agent: &str,
    effects: &[Effect],
    reason: Option<&str>,
) -> Begun {
    let (case, _) = store.open_case(&world::new_case(&format!("case_{key}"))).await.unwrap();
    let plan = Plan { steps: world::steps(effects), ..world::plan(&case.id, case.revision) };
    let mut order = world::order(key, agent);
    order.reason = reason.map(str::to_owned);
    store.begin_action(&order, &plan).await.unwrap()
}

/// Does effects as the steps of one action of Ana's; each must be allowed.
pub(crate) async fn act(store: &dyn Store, key: &str, effects: &[Effect]) {
    assert_eq!(begin(store, key, "ana", effects, None).await, Begun::New);
    for (step, effect) in (0..).zip(effects) {
        let applied = store.apply(&key.into(), step, 0, effect, world::at(2000)).await.unwrap();
        assert!(matches!(applied, Applied::Done(_)), "{applied:?}");
    }
}

/// The receipt of what the reconciler does, which must be allowed.
pub(crate) async fn settled(store: &dyn Store, key: &str, part: u32, effect: &Effect, seconds: i64) -> Receipt {
    match store.settle(&ActionKey::from(key), part, effect, world::at(seconds)).await.unwrap() {
        Applied::Done(step) => step.receipt,
        Applied::Refused(why) => panic!("refused: {why}"),
    }
}

/// Why the reconciler may not do it.
pub(crate) async fn unsettled(store: &dyn Store, key: &str, part: u32, effect: &Effect, seconds: i64) -> String {
    match store.settle(&ActionKey::from(key), part, effect, world::at(seconds)).await.unwrap() {
        Applied::Done(step) => panic!("was done: {step:?}"),
        Applied::Refused(why) => why,
    }
}

/// Nothing is missed, nothing is listed that need not be.
pub(crate) async fn assert_list_is_right(store: &dyn Store) {
    let scan = store.full_scan().await.unwrap();
    assert_eq!((scan.missed, scan.superfluous), (vec![], Vec::<RunId>::new()));
}
