//! What is stored, where it lies, and what the customer did about it (P10).

use super::check;
use crate::diagnose::MessagePoint;
use crate::diagnose::world::{RunKit, World, ago};
use crate::work::{ItemState as I, JobState as J, OutputState, Presence, RetryInitiator};

fn charged(hours_ago: i64) -> RunKit {
    RunKit::new("r", hours_ago).charge(&[("q", 100)])
}

fn at(kit: RunKit, place: &str) -> RunKit {
    kit.made().output(1, OutputState::Stored, place)
}

#[test]
fn a_stored_file_is_found_where_it_lies() {
    let refund = |kit: RunKit| kit.refund(1, &[1], &[("q", 100)]);
    check(vec![
        ("in place", World::of([at(charged(3), "prj_one/nd_one")]), "delivered_ok none_delivered; r:1 none"),
        (
            "in the history alone",
            World::of([at(charged(3), "prj_one")]),
            "delivered_not_on_canvas guide_to_asset; r:1 guide",
        ),
        (
            "at another node",
            World::of([at(charged(3), "prj_one/nd_else")]),
            "misattributed_same_customer reattach; r:1 reattach",
        ),
        (
            "in another project",
            World::of([at(charged(3), "prj_two/nd_two")]),
            "misattributed_same_customer reattach; r:1 reattach",
        ),
        (
            "in the history of another project",
            World::of([at(charged(3), "prj_two")]),
            "misattributed_same_customer reattach; r:1 reattach",
        ),
        (
            "at a node that was deleted since",
            World::of([at(charged(3), "prj_one/nd_one")]).edit(|world| world.scope.nodes[0].status = Presence::Deleted),
            "delivered_not_on_canvas guide_to_asset; r:1 guide",
        ),
        (
            "twice, once in place",
            World::of([at(charged(3), "prj_two/nd_two").stored(1)]),
            "delivered_ok none_delivered; r:1 none",
        ),
        (
            "in another project, and refunded: the refund was its remedy",
            World::of([refund(at(charged(30), "prj_two/nd_two"))]),
            "misattributed_same_customer none_already_refunded; r:1 none",
        ),
        (
            "in place and refunded",
            World::of([refund(at(charged(30), "prj_one/nd_one"))]),
            "delivered_ok none_delivered; r:1 none",
        ),
        (
            "one of two astray",
            World::of([at(RunKit::new("r", 3).items(2).charge(&[("q", 9)]), "prj_one/nd_one").output(
                2,
                OutputState::Stored,
                "prj_two/nd_two",
            )]),
            "misattributed_same_customer reattach; r:2 reattach",
        ),
        (
            "one of two off the canvas",
            World::of([at(RunKit::new("r", 3).items(2).charge(&[("q", 9)]), "prj_one/nd_one").output(
                2,
                OutputState::Stored,
                "prj_one",
            )]),
            "delivered_not_on_canvas guide_to_asset; r:2 guide",
        ),
    ]);
}

#[test]
fn a_stray_output_is_named_and_nothing_expires() {
    let got = World::of([at(charged(3), "prj_two/nd_two")]).diagnose();
    assert_eq!(got.misplaced_outputs, vec!["out0_r_1".into()]);
    assert_eq!(got.retention_deadline, None);
    assert_eq!(got.follow_up_at, None);
    assert_eq!(got.run_billable_after, Some(100));
}

#[test]
fn cancelling_keeps_the_charge_once_the_provider_began() {
    let done = |kit: RunKit| kit.made();
    check(vec![
        (
            "before it began, never submitted",
            World::of([charged(30).cancelled(5)]),
            "cancelled_before_start restore_credits; r:1 restore 100; q 100",
        ),
        (
            "before it began, which it then did",
            World::of([done(charged(30)).cancelled(5)]),
            "cancelled_before_start recover_asset; r:1 recover",
        ),
        (
            "before it began, and the file is gone",
            World::of([done(charged(30)).gone(1).cancelled(5)]),
            "cancelled_before_start restore_credits; r:1 restore 100; q 100",
        ),
        (
            "after, and nothing was made",
            World::of([charged(30).job(J::Cancelled, &[]).cancelled(60)]),
            "cancelled_after_start none_not_eligible; r:1 none",
        ),
        (
            "after, at the same second",
            World::of([charged(30).job(J::Cancelled, &[]).cancelled(20)]),
            "cancelled_after_start none_not_eligible; r:1 none",
        ),
        (
            "after, and the file is there",
            World::of([done(charged(3)).cancelled(60)]),
            "cancelled_after_start recover_asset; r:1 recover",
        ),
        (
            "after, and the file is gone",
            World::of([done(charged(30)).gone(1).cancelled(60)]),
            "cancelled_after_start none_not_eligible; r:1 none",
        ),
        (
            "after, and it is stored",
            World::of([done(charged(30)).stored(1).cancelled(60)]),
            "cancelled_after_start guide_to_asset; r:1 guide",
        ),
        (
            "after, and there is no room",
            World::of([done(charged(30)).cancelled(60)]).edit(|world| world.account("acc").storage_used_mb = 999),
            "cancelled_after_start hold_asset; r:1 hold; ; needs_storage_space",
        ),
        (
            "after, the file is there, and it was refunded all the same",
            World::of([done(charged(30)).cancelled(60).refund(1, &[1], &[("q", 100)])]),
            "cancelled_after_start none_already_refunded; r:1 none",
        ),
        (
            "a provider that does not say when it began",
            World::of([done(charged(30)).cancelled(60).edit(|row| row.jobs[0].processing_started_at = None)]),
            "cancelled_after_start recover_asset; r:1 recover",
        ),
        (
            "half of a batch was made",
            World::of([RunKit::new("r", 30)
                .items(2)
                .charge(&[("q", 9)])
                .job(J::Cancelled, &[I::Succeeded, I::NotReturned])
                .cancelled(60)]),
            "cancelled_after_start recover_asset; r:1 recover, r:2 none",
        ),
    ]);
}

#[test]
fn a_deleted_project_keeps_the_charge() {
    let world = |kit: RunKit| World::of([kit]).delete_project("prj_one");
    check(vec![
        ("file there", world(charged(3).made()), "project_deleted hold_asset; r:1 hold"),
        ("file gone", world(charged(30).made().gone(1)), "project_deleted none_not_eligible; r:1 none"),
        (
            "no file made",
            world(charged(30).job(J::Failed, &[])),
            "provider_failed restore_credits; r:1 restore 100; q 100",
        ),
        ("still running", world(charged(3).job(J::Processing, &[])), "in_progress wait_in_progress; r:1 wait"),
        (
            "refunded before",
            world(charged(30).made().refund(1, &[1], &[("q", 100)])),
            "project_deleted none_already_refunded; r:1 none",
        ),
        (
            "stored before it was deleted",
            world(at(charged(30), "prj_one/nd_one").gone(1)),
            "project_deleted hold_asset; r:1 hold",
        ),
        ("cancelled as well", world(charged(30).made().cancelled(60)), "cancelled_after_start hold_asset; r:1 hold"),
    ]);
    let held = world(charged(3).made()).diagnose();
    assert_eq!(held.follow_up_at, Some(ago(-14 * 24)));
    let points = [MessagePoint::DeletedProjectKeepsCharge, MessagePoint::AssetOnHoldUntil];
    assert!(points.iter().all(|point| held.message_points.contains(point)), "{:?}", held.message_points);
}

#[test]
fn a_second_charge_is_returned_wholly() {
    let twice = |kit: RunKit| kit.charge(&[("q", 60), ("w", 40)]);
    let retry = |kit: RunKit| kit.retry_of("r", RetryInitiator::System);
    let again = || RunKit::new("r2", 29).charge(&[("q", 100)]);
    check(vec![
        (
            "delivered",
            World::of([at(twice(charged(3)), "prj_one/nd_one")]),
            "duplicate_charge restore_credits; r:1 none; q 60 w 40",
        ),
        (
            "delivered elsewhere in the account",
            World::of([at(twice(charged(3)), "prj_two/nd_two")]),
            "duplicate_charge restore_credits; r:1 none; q 60 w 40",
        ),
        (
            "the second was returned before",
            World::of([at(twice(charged(3)), "prj_one/nd_one").refund(2, &[1], &[("q", 60), ("w", 40)])]),
            "duplicate_charge none_already_refunded; r:1 none",
        ),
        (
            "the first was returned before: the second stands",
            World::of([at(twice(charged(3)), "prj_one/nd_one").refund(1, &[1], &[("q", 100)])]),
            "duplicate_charge none_already_refunded; r:1 none",
        ),
        (
            "part of the second was returned before",
            World::of([RunKit::new("r", 3)
                .items(2)
                .charge(&[("q", 100)])
                .charge(&[("q", 60), ("w", 40)])
                .refund(2, &[1], &[("q", 50)])
                .made()
                .stored(1)
                .stored(2)]),
            "duplicate_charge restore_credits; r:1 none, r:2 none; q 10 w 40",
        ),
        (
            "the system's retry delivered",
            World::of([charged(30).job(J::Failed, &[]), retry(again().made().stored(1))]),
            "duplicate_charge restore_credits; r:1 none; q 100",
        ),
        (
            "the customer's retry is a run of its own",
            World::of([again().made().stored(1).retry_of("r", RetryInitiator::Customer)]),
            "delivered_ok none_delivered; r2:1 none",
        ),
        (
            "neither delivered: both are owed",
            World::of([charged(30).job(J::Failed, &[]), retry(again().job(J::Failed, &[]))]),
            "provider_failed restore_credits; r:1 restore 200; q 200",
        ),
        (
            "the surplus is settled and an item is missing: the item decides",
            World::of([RunKit::new("r", 30)
                .items(2)
                .charge(&[("q", 100)])
                .charge(&[("q", 100)])
                .refund(2, &[1, 2], &[("q", 100)])
                .job(J::Succeeded, &[I::Succeeded, I::Failed])
                .stored(1)]),
            "partial_batch restore_credits; r:2 restore 50; q 50",
        ),
    ]);
}

#[test]
fn a_system_retry_decides_with_its_run() {
    let retry = |kit: RunKit| kit.retry_of("r", RetryInitiator::System);
    check(vec![
        (
            "the retry made a file",
            World::of([charged(30).job(J::Failed, &[]), retry(RunKit::new("r2", 29).made())]),
            "webhook_lost recover_asset; r:1 recover",
        ),
        (
            "the first cannot be looked up",
            World::of([charged(30).job(J::LookupFailed, &[]), retry(RunKit::new("r2", 29).job(J::Failed, &[]))]),
            "provider_unreachable retry_provider_lookup; r:1 wait",
        ),
        (
            "the retry is not done after a day",
            World::of([charged(30).job(J::Failed, &[]), retry(RunKit::new("r2", 29).job(J::Processing, &[]))]),
            "provider_stalled restore_credits; r:1 restore 100; q 100; cancel_upstream",
        ),
        (
            "the retry was never submitted",
            World::of([charged(30).job(J::Filtered, &[]), retry(RunKit::new("r2", 29))]),
            "provider_filtered restore_credits; r:1 restore 100; q 100",
        ),
    ]);
}
