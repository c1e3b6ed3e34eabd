//! Other people's things, people who may not be told, and other tickets (P11, P12).

use super::{check, told};
use crate::diagnose::world::{RunKit, World, ago, of_team};
use crate::diagnose::{Flag, MessagePoint as P, Remedy, Verdict};
use crate::matching::RunMatch;
use crate::support::{TicketStatus, Topic};
use crate::work::{JobState as J, MemberStatus, OutputState};

fn charged(hours_ago: i64) -> RunKit {
    RunKit::new("r", hours_ago).charge(&[("q", 100)])
}

fn astray(kit: RunKit) -> RunKit {
    kit.made().output(1, OutputState::Stored, "prj_stranger")
}

#[test]
fn an_output_at_somebody_elses_is_an_incident() {
    let refunded = |kit: RunKit| kit.refund(1, &[1], &[("q", 100)]);
    check(vec![
        (
            "inside the window",
            World::of([astray(charged(3))]),
            "misattributed_other_customer quarantine_and_recover; r:1 reattach; ; privacy_incident",
        ),
        (
            "a copy, with the right one in place",
            World::of([astray(charged(3)).stored(1)]),
            "misattributed_other_customer quarantine_and_incident; r:1 quarantine; ; privacy_incident",
        ),
        (
            "refunded meanwhile: not delivered as well",
            World::of([refunded(astray(charged(30)))]),
            "misattributed_other_customer quarantine_and_incident; r:1 quarantine; ; privacy_incident",
        ),
        (
            "damaged, and the provider still has it",
            World::of([charged(3).made().output(1, OutputState::Corrupt, "prj_stranger")]),
            "misattributed_other_customer quarantine_and_recover; r:1 recover; ; privacy_incident",
        ),
        (
            "in a workspace that the customer is in",
            World::of([charged(3).made().output(1, OutputState::Stored, "prj_team")]).membership(MemberStatus::Active),
            "misattributed_other_customer quarantine_and_recover; r:1 reattach; ; privacy_incident",
        ),
        (
            "in a project that nobody knows",
            World::of([charged(3).made().output(1, OutputState::Stored, "prj_nowhere")]),
            "misattributed_other_customer quarantine_and_recover; r:1 reattach; ; privacy_incident",
        ),
        (
            "of a run that was not charged",
            World::of([astray(RunKit::new("r", 3))]),
            "not_charged none_not_charged; ; ; privacy_incident",
        ),
    ]);
    let got = World::of([astray(charged(3))]).diagnose();
    assert_eq!(got.retention_deadline, None);
    assert_eq!(got.misplaced_outputs, vec!["out0_r_1".into()]);
    assert_eq!(got.message_points, [P::ConfirmRun, P::WhatHappened, P::AssetMovedToRightPlace, P::PrivacyReviewOpened]);
}

/// A stranger's run with an output in the customer's project.
fn intruder() -> RunKit {
    RunKit::new("r_foreign", 5)
        .edit(|row| {
            row.account_id = "stranger".into();
            row.run.project_id = "prj_stranger".into();
        })
        .output(1, OutputState::Stored, "prj_two/nd_two")
}

fn reported(runs: Vec<RunKit>, foreign: Vec<RunKit>) -> World {
    World::of(runs).edit(|world| {
        world.scope.foreign_runs = foreign.into_iter().map(|kit| kit.0).collect();
        world.claim.topic = Topic::ForeignAsset;
    })
}

#[test]
fn a_foreign_asset_is_taken_away_whatever_else_there_is() {
    let want = "foreign_asset_in_project quarantine_and_incident; r_foreign:1 quarantine; ; privacy_incident";
    check(vec![
        ("found", reported(vec![], vec![intruder()]), want),
        ("beside a troubled run", reported(vec![charged(30)], vec![intruder()]), want),
        (
            "in the project that is named",
            reported(vec![], vec![intruder()]).edit(|world| world.claim.project_ref = Some("Two".to_owned())),
            want,
        ),
        (
            "in another project than is named",
            reported(vec![], vec![intruder()]).edit(|world| world.claim.project_ref = Some("prj_one".to_owned())),
            want,
        ),
        ("reported, and none there", reported(vec![], vec![]), "no_match ask_for_details"),
        (
            "there, and the ticket is about something else",
            reported(vec![charged(30)], vec![intruder()]).edit(|world| world.claim.topic = Topic::MissingOutput),
            "never_submitted restore_credits; r:1 restore 100; q 100",
        ),
    ]);
    let got = reported(vec![], vec![intruder()]).diagnose();
    assert_eq!((got.matched_run, got.run_billable_after, got.retention_deadline), (None, None, None));
    assert_eq!(got.message_points, [P::ForeignAssetRemoved, P::PrivacyReviewOpened]);
}

#[test]
fn some_tickets_are_answered_without_a_run() {
    check(vec![
        (
            "nobody knows the address",
            World::of([charged(30)]).edit(|world| world.scope.requester.user_id = None),
            "requester_unknown verify_identity",
        ),
        (
            "nobody knows the address, and it is about billing",
            World::of([]).edit(|world| {
                world.scope.requester.user_id = None;
                world.claim.topic = Topic::BillingOther;
            }),
            "requester_unknown verify_identity",
        ),
        (
            "about a renewal",
            World::of([charged(30)]).edit(|world| world.claim.topic = Topic::BillingOther),
            "out_of_scope route_to_billing",
        ),
        ("nothing matched", World::of([]), "no_match ask_for_details"),
    ]);
}

#[test]
fn no_match_keeps_what_was_found_out_about_the_project() {
    let run_match = RunMatch { flags: vec![Flag::ProjectRefUnknown], ..RunMatch::default() };
    let got = World::of([charged(30)]).diagnose_matched(&run_match);
    assert_eq!(told(&got), "no_match ask_for_details; ; ; project_ref_unknown");
    assert_eq!((got.matched_run, got.run_billable_after, got.follow_up_at), (None, None, None));
}

#[test]
fn a_run_that_is_not_in_scope_is_not_matched() {
    let run_match = RunMatch { matched: vec!["r_foreign".into()], ..RunMatch::default() };
    let got = reported(vec![], vec![]).diagnose_matched(&run_match);
    assert_eq!(got.verdict, Verdict::NoMatch);
}

#[test]
fn one_who_left_gets_no_details() {
    let run = || of_team(RunKit::new("r", 30)).charge(&[("pool", 100)]);
    let left = World::of([run().job(J::Failed, &[])]).membership(MemberStatus::Left).diagnose();
    assert_eq!(left.message_points, [P::HandledWithWorkspaceOwner]);
    let never = World::of([run().job(J::Failed, &[])]).diagnose();
    assert!(never.flags.contains(&Flag::RequesterNotMember), "{never:?}");
    let waits =
        World::of([of_team(RunKit::new("r", 3)).charge(&[("pool", 100)])]).membership(MemberStatus::Left).diagnose();
    assert_eq!((waits.remedy, waits.message_points), (Remedy::WaitForReconciler, vec![P::HandledWithWorkspaceOwner]));
    let member = World::of([run().job(J::Failed, &[])]).membership(MemberStatus::Active).diagnose();
    assert!(member.message_points.contains(&P::CreditsToWorkspace), "{:?}", member.message_points);
}

#[test]
fn an_older_ticket_goes_on_with_the_run() {
    let failed = |hours_ago: i64| charged(hours_ago).job(J::Failed, &[]);
    let open = |kit: RunKit, id: &str, at: i64| kit.ticket(id, at, TicketStatus::Open);
    let closed = |kit: RunKit| kit.ticket("T1", 10, TicketStatus::Closed);
    check(vec![
        ("open and older", World::of([open(failed(30), "T1", 10)]), "provider_failed link_to_ticket"),
        (
            "open and younger",
            World::of([open(failed(30), "T1", 0)]),
            "provider_failed restore_credits; r:1 restore 100; q 100",
        ),
        (
            "this very ticket",
            World::of([open(failed(30), "TCK", 10)]),
            "provider_failed restore_credits; r:1 restore 100; q 100",
        ),
        ("open, and the run waits", World::of([open(failed(3), "T1", 2)]), "provider_failed link_to_ticket"),
        (
            "open, and an incident",
            World::of([open(astray(charged(30)), "T1", 2)]),
            "misattributed_other_customer link_to_ticket; ; ; privacy_incident",
        ),
        (
            "closed and unremedied",
            World::of([closed(failed(30))]),
            "provider_failed restore_credits; r:1 restore 100; q 100; reopened",
        ),
        (
            "closed, and the run waits",
            World::of([closed(failed(20))]),
            "provider_failed wait_for_reconciler; r:1 wait; ; reopened",
        ),
        (
            "closed and refunded",
            World::of([closed(failed(30)).refund(1, &[1], &[("q", 100)])]),
            "provider_failed none_already_refunded; r:1 none",
        ),
        (
            "closed and delivered",
            World::of([closed(charged(30).made().stored(1))]),
            "delivered_ok none_delivered; r:1 none",
        ),
        ("one closed, one open", World::of([open(closed(failed(30)), "T2", 5)]), "provider_failed link_to_ticket"),
        (
            "open, about a system retry of the run",
            World::of([
                failed(30),
                open(
                    RunKit::new("r2", 29).job(J::Failed, &[]).retry_of("r", crate::work::RetryInitiator::System),
                    "T1",
                    5,
                ),
            ]),
            "provider_failed link_to_ticket",
        ),
    ]);
    let linked = World::of([open(open(charged(30).made(), "T2", 5), "T1", 10)]).diagnose();
    assert_eq!(linked.linked_ticket, Some("T1".into()));
    assert_eq!(linked.message_points, [P::ConfirmRun, P::LinkedToExistingTicket]);
    assert_eq!((linked.run_billable_after, linked.follow_up_at), (Some(100), None));
    assert!(linked.retention_deadline.is_some_and(|deadline| deadline > ago(0)));
}
