//! What every store must do, whatever database it is on: each proof takes a store that has taken the
//! base facts, and is run beside each backend.

pub(crate) mod approvals;
pub(crate) mod captures;
pub(crate) mod cases;
pub(crate) mod claims;
pub(crate) mod due_list;
pub(crate) mod effects;
pub(crate) mod facts;
pub(crate) mod files;
pub(crate) mod findings;
pub(crate) mod hearsay;
pub(crate) mod intake;
pub(crate) mod journal;
pub(crate) mod letters;
pub(crate) mod meetings;
pub(crate) mod received;
pub(crate) mod releases;
pub(crate) mod remedies;
pub(crate) mod scope;
pub(crate) mod sweeps;
pub(crate) mod together;

pub(crate) use crate::test_world as world;

use async_trait::async_trait;
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
/// The same, of proofs that make the record they need, and see more of it than the ports tell.
macro_rules! seen_behaviours {
    ($store:ty: $($module:ident::{$($name:ident),+ $(,)?}),+ $(,)?) => {$(
        mod $module {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::behaviour::$module::$name::<$store>().await;
            })+
        }
    )+};
}
/// All of them.
macro_rules! every_behaviour {
    ($store:path) => {
        behaviours! { $store:
            due_list::{the_next_look_is_known_and_is_nobodys_claim, only_what_is_open_or_contradicts_itself_is_listed, facts_put_a_run_on_and_take_it_off,
                a_run_that_becomes_a_retry_leaves_its_place, a_project_that_changes_hands_is_looked_at},
            effects::{a_settled_run_leaves_the_list, a_damaged_item_comes_back, who_was_first_is_told_in_plain_words},
            claims::{two_workers_share_the_runs, a_crashed_claim_is_taken_over, an_end_says_what_comes_next,
                a_change_during_a_look_is_looked_at_again, a_parked_run_wakes_with_a_change, a_parked_run_sleeps_through_what_the_reconciler_does},
            sweeps::{the_same_key_is_the_same_receipt, a_restoration_shows_its_detection, what_is_not_its_to_do_is_refused,
                a_young_charge_is_restored_only_after_a_detection, an_incident_needs_no_case, a_key_is_of_one_journal},
            files::{a_file_is_taken_away_when_nothing_needs_it, what_an_output_shows_stays_and_a_quarantine_ends,
                what_was_taken_away_is_not_shown_until_it_comes_again, what_nobody_recorded_is_taken_away_too},
            captures::{a_capture_stands_until_its_file_is_taken_away, what_is_being_taken_away_is_not_captured,
                a_capture_and_a_removal_at_once_do_not_both_happen,
                what_may_have_to_be_saved_is_told_after_a_restart, what_was_captured_is_known_and_referred_to},
            findings::{a_detection_counts_once, a_detection_is_closed_and_can_come_again, a_pass_is_kept_as_it_ends,
                the_promise_is_counted, the_scope_of_a_run_is_that_run},
            received::{a_delivery_is_kept_once_as_it_came, a_delivery_leads_to_the_run_of_our_own_job,
                what_came_before_its_job_waits_for_it, a_hint_is_no_evidence, a_delivery_wakes_what_is_open_and_nothing_else,
                what_is_old_is_let_go_of_and_evidence_is_not, what_is_old_goes_a_little_at_a_time,
                a_change_of_a_connection_is_written_down},
            letters::{the_platform_is_told_what_was_done, a_try_that_failed_comes_again,
                an_endpoint_that_takes_nothing_is_disabled, each_endpoint_is_told, what_was_given_up_has_failed},
            intake::{an_event_counts_once_whatever_it_says, a_letter_is_kept_once_and_counted,
                a_letter_says_what_it_waits_for, what_cannot_be_read_is_kept_until_somebody_ends_it,
                a_file_is_read_on_from_where_it_was},
            hearsay::{a_feeds_word_of_a_job_is_nobodys_look_up, what_was_said_before_comes_late_and_changes_nothing,
                a_refund_that_was_reversed_was_posted_before, the_state_follows_from_the_set_of_events},
            approvals::{limits_are_by_posting_and_by_day, a_limit_that_was_lowered_counts_at_once,
                a_yes_is_for_exactly_this, a_yes_is_used_once,
                a_yes_expires_at_its_instant, nobody_answers_the_own_request, a_request_is_asked_once,
                two_actions_cannot_pass_the_day_together, an_unanswered_request_expires},
        }
    };
}
/// All of these, which need a database.
macro_rules! every_seen_behaviour {
    ($store:ty) => {
        seen_behaviours! { $store:
            cases::{a_ticket_has_one_case, a_finding_counts_from_the_revision_it_was_made_at,
                the_queue_follows_ledger_and_vault, a_file_that_is_gone_does_not_come_before_one_that_can_be_lost,
                a_case_is_a_ticket_about_its_run, no_text_is_lost, views_are_kept_by_agent_and_name},
            together::{sets_leave_what_single_facts_leave},
            meetings::{what_the_platform_tells_meets_a_group_that_restores},
            facts::{the_same_again_changes_nothing, mutable_rows_change_and_ledger_rows_do_not,
                what_cannot_be_taken_is_named_and_keeps_nobody_out, credits_that_come_back_later_in_a_batch_can_be_spent,
                what_is_older_than_the_opening_does_not_draw, a_new_count_of_a_balance_keeps_what_followed_it,
                refunds_settle_as_far_as_they_are_of_the_charge, outputs_deliver_where_they_are_intact_and_with_the_payer,
                contradictions_of_the_platform_are_kept_and_named, a_look_up_is_kept_with_its_raw_answers,
                postings_tell_where_credits_went},
            journal::{a_key_is_for_one_thing_for_ever, a_step_has_one_receipt, only_what_was_reviewed_is_done, an_end_is_an_end, a_failed_action_says_whether_trying_again_can_help, every_other_effect_leaves_its_receipt_its_line_and_its_letter, what_was_said_is_kept_to_the_microsecond_it_was_said_at},
            scope::{runs_are_in_scope_by_account_membership_and_start, who_left_a_workspace_is_told_no_names_of_it, an_output_with_somebody_else_is_forbidden_from_both_sides, tickets_about_a_run_are_with_it_except_the_one_worked_on},
            releases::{a_refund_is_taken_back_and_its_item_delivered_in_one_go, what_cannot_be_released_moves_nothing,
                a_release_is_within_the_limit_of_who_makes_it,
                a_release_over_the_limit_needs_a_second_persons_yes_to_exactly_it,
                a_request_for_a_release_adds_up},
            remedies::{a_restoration_moves_credits_once,
                a_live_lease_keeps_a_restoration_off_and_a_dead_one_is_fenced,
                an_action_whose_own_lease_is_over_can_restore, an_item_that_cost_something_is_not_settled_by_nothing,
                the_schema_and_the_code_know_the_same_pairs_of_states, a_delivery_settles_its_item,
                a_released_item_can_be_restored, the_platforms_refund_fences_a_recovery,
                a_duplicate_charge_is_restored_while_the_first_is_delivered,
                a_moved_output_delivers_and_a_quarantined_one_is_out_of_reach,
                a_refunded_items_file_is_not_handed_over, restorations_that_do_not_add_up_are_refused},
        }
    };
}

/// A store of which a proof sees more than its ports tell.
#[async_trait]
pub(crate) trait Seen: Store + Sized {
    /// A record without anything in it.
    async fn empty() -> Self;
    /// What a query answers, one number or text a row. It names the tables as they are called on SQLite;
    /// on PostgreSQL views of schema `api` have the same names.
    async fn numbers(&self, sql: &str) -> Vec<i64>;
    async fn texts(&self, sql: &str) -> Vec<String>;
}

/// A record with the base facts and these, where Ana and Ben may restore any amount alone.
pub(crate) async fn world<S: Seen>(further: Vec<Fact>) -> S {
    let store = S::empty().await;
    take(&store, &world::base().into_iter().chain(further).collect::<Vec<_>>(), world::at(1000)).await;
    for person in world::trusted() {
        store.put_person(&person, world::at(0)).await.unwrap();
    }
    store
}

/// One number of the record.
pub(crate) async fn number<S: Seen>(store: &S, sql: &str) -> i64 {
    let found = store.numbers(sql).await;
    let [number] = found[..] else { panic!("{sql}: {found:?}") };
    number
}

/// Level of a balance.
pub(crate) async fn level<S: Seen>(store: &S, id: &str) -> i64 {
    number(store, &format!("SELECT level FROM balances WHERE id = '{id}'")).await
}

/// State of item 1 of a charge.
pub(crate) async fn state<S: Seen>(store: &S, charge: &str) -> String {
    store.texts(&format!("SELECT state FROM charge_items WHERE charge_id = '{charge}' AND item = 1")).await.remove(0)
}

/// The ledger adds up.
pub(crate) async fn assert_whole<S: Seen>(store: &S) {
    assert_eq!(store.texts("SELECT kind || ' ' || subject FROM ledger_breaks").await, Vec::<String>::new());
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

/// An action with a step for each of these effects, begun.
pub(crate) async fn begun(store: &dyn Store, key: &str, agent: &str, effects: &[Effect]) -> ActionKey {
    assert_eq!(begin(store, key, agent, effects, None).await, Begun::New);
    key.into()
}

/// The receipt of an effect that must be allowed.
pub(crate) async fn done(store: &dyn Store, key: &ActionKey, step: u32, effect: &Effect) -> Receipt {
    match store.apply(key, step, 0, effect, world::at(2000 + i64::from(step))).await.unwrap() {
        Applied::Done(receipt) => receipt.receipt,
        Applied::Refused(why) => panic!("refused: {why}"),
    }
}

/// The words of an effect that must be refused at `seconds`.
pub(crate) async fn refused_at(store: &dyn Store, key: &ActionKey, step: u32, effect: &Effect, seconds: i64) -> String {
    match store.apply(key, step, 0, effect, world::at(seconds)).await.unwrap() {
        Applied::Done(receipt) => panic!("was done: {receipt:?}"),
        Applied::Refused(why) => why,
    }
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
