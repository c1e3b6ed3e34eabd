//! What is waited for, and until when (P3, P8, P9).

use super::check;
use crate::diagnose::world::{RunKit, World, ago};
use crate::diagnose::{MessagePoint, Verdict};
use crate::work::{ItemState as I, JobState as J};

fn charged(hours_ago: i64) -> RunKit {
    RunKit::new("r", hours_ago).charge(&[("q", 100)])
}

/// The end of the window of a run that began so long ago: the charge came two seconds later.
fn window_end(hours_ago: i64) -> jiff::Timestamp {
    ago(hours_ago - 24) + jiff::SignedDuration::from_secs(2)
}

#[test]
fn the_reconciler_has_its_window() {
    let dying = |kit: RunKit| kit.made().file(1, |file| file.available_until = Some(ago(-2)));
    check(vec![
        ("failed", World::of([charged(20).job(J::Failed, &[])]), "provider_failed wait_for_reconciler; r:1 wait"),
        ("filtered", World::of([charged(20).job(J::Filtered, &[])]), "provider_filtered wait_for_reconciler; r:1 wait"),
        ("never submitted", World::of([charged(20)]), "never_submitted wait_for_reconciler; r:1 wait"),
        (
            "file that outlives the window",
            World::of([charged(20).made()]),
            "webhook_lost wait_for_reconciler; r:1 wait",
        ),
        (
            "file that does not",
            World::of([dying(charged(20))]),
            "webhook_lost recover_asset; r:1 recover; ; urgent_retention",
        ),
        (
            "file that would not, and is gone",
            World::of([dying(charged(20)).gone(1)]),
            "webhook_lost wait_for_reconciler; r:1 wait",
        ),
        (
            "cancelled in the queue",
            World::of([charged(20).job(J::Queued, &[]).cancelled(10)]),
            "cancelled_before_start wait_for_reconciler; r:1 wait",
        ),
        (
            "half a batch, one item of it dying",
            World::of([RunKit::new("r", 20)
                .items(3)
                .charge(&[("q", 100)])
                .job(J::Succeeded, &[I::Succeeded, I::Succeeded, I::Failed])
                .file(2, |file| file.available_until = Some(ago(-2)))
                .stored(1)]),
            "partial_batch recover_asset; r:2 recover, r:3 wait; ; urgent_retention",
        ),
        (
            "refunded already: nothing to wait for",
            World::of([charged(20).job(J::Failed, &[]).refund(1, &[1], &[("q", 100)])]),
            "provider_failed none_already_refunded; r:1 none",
        ),
    ]);
}

#[test]
fn the_wait_has_an_end() {
    let wait = World::of([charged(20).job(J::Failed, &[])]).diagnose();
    assert_eq!(wait.follow_up_at, Some(window_end(20)));
    assert_eq!(wait.run_billable_after, Some(100));
    let mixed = World::of([RunKit::new("r", 20)
        .items(2)
        .charge(&[("q", 100)])
        .job(J::Succeeded, &[I::Succeeded, I::Failed])
        .file(1, |file| file.available_until = Some(ago(-2)))])
    .diagnose();
    assert_eq!(mixed.follow_up_at, Some(window_end(20)), "the second item still waits");
    assert_eq!(mixed.retention_deadline, Some(ago(-2)));
}

#[test]
fn the_window_ends_to_the_second() {
    let at = |seconds: i64| {
        World::of([charged(24).job(J::Failed, &[])]).edit(|world| world.now += jiff::SignedDuration::from_secs(seconds))
    };
    check(vec![
        ("one second before", at(1), "provider_failed wait_for_reconciler; r:1 wait"),
        ("at its end", at(2), "provider_failed restore_credits; r:1 restore 100; q 100"),
    ]);
}

#[test]
fn a_job_has_a_day() {
    check(vec![
        (
            "processing",
            World::of([charged(5).job(J::Processing, &[I::Processing])]),
            "in_progress wait_in_progress; r:1 wait",
        ),
        ("queued", World::of([charged(5).job(J::Queued, &[])]), "in_progress wait_in_progress; r:1 wait"),
        (
            "stalled",
            World::of([charged(26).job(J::Processing, &[I::Processing])]),
            "provider_stalled restore_credits; r:1 restore 100; q 100; cancel_upstream",
        ),
        (
            "stalled and refunded by hand",
            World::of([charged(26).job(J::Processing, &[]).refund(1, &[1], &[("q", 100)])]),
            "provider_stalled none_already_refunded; r:1 none",
        ),
        (
            "still queued a day after it was cancelled",
            World::of([charged(26).job(J::Queued, &[]).cancelled(10)]),
            "cancelled_before_start restore_credits; r:1 restore 100; q 100; cancel_upstream",
        ),
    ]);
    let waiting = World::of([charged(5).job(J::Queued, &[])]).diagnose();
    assert_eq!(waiting.follow_up_at, Some(window_end(5)));
}

#[test]
fn a_failed_look_up_is_repeated_for_a_business_day() {
    let asked = |hours_ago: i64| {
        World::of([charged(80).job(J::LookupFailed, &[])]).edit(|world| world.ticket_at = ago(hours_ago))
    };
    check(vec![
        ("the same day", asked(3), "provider_unreachable retry_provider_lookup; r:1 wait"),
        (
            "a day later",
            asked(24),
            "provider_unreachable restore_credits; r:1 restore 100; q 100; provider_unconfirmed",
        ),
        (
            "inside the window of the reconciler, which cannot ask either",
            World::of([charged(3).job(J::LookupFailed, &[])]),
            "provider_unreachable retry_provider_lookup; r:1 wait",
        ),
        (
            "refunded before",
            World::of([charged(80).job(J::LookupFailed, &[]).refund(1, &[1], &[("q", 100)])]),
            "provider_unreachable none_already_refunded; r:1 none",
        ),
        (
            "cancelled, and nobody can say whether it had started",
            World::of([charged(80).job(J::LookupFailed, &[]).cancelled(10)]),
            "provider_unreachable retry_provider_lookup; r:1 wait",
        ),
    ]);
    assert_eq!(asked(3).diagnose().follow_up_at, Some(ago(-21)));
    // The ticket of a Friday is followed up on Monday.
    let friday = World::of([charged(140).job(J::LookupFailed, &[])])
        .edit(|world| {
            world.ticket_at = "2026-05-15T16:00:00Z".parse().expect("an instant");
            world.now = "2026-05-16T18:00:00Z".parse().expect("an instant");
        })
        .diagnose();
    assert_eq!(friday.follow_up_at, Some("2026-05-18T16:00:00Z".parse().expect("an instant")));
}

#[test]
fn what_the_platform_alone_tells_of_an_end_never_pays() {
    let told = |kit: RunKit, hours_ago| World::of([kit.told()]).edit(|world| world.ticket_at = ago(hours_ago));
    let failed = |hours| charged(hours).job(J::Failed, &[I::Failed]);
    check(vec![
        ("failed", told(failed(80), 3), "provider_unreachable retry_provider_lookup; r:1 wait"),
        ("inside the window", told(failed(3), 1), "provider_unreachable retry_provider_lookup; r:1 wait"),
        (
            "nobody could ask for a business day",
            told(failed(80), 24),
            "provider_unreachable restore_credits; r:1 restore 100; q 100; provider_unconfirmed",
        ),
        (
            "success without a file",
            told(charged(80).job(J::Succeeded, &[I::NotReturned]), 3),
            "provider_unreachable retry_provider_lookup; r:1 wait",
        ),
        (
            "a file that is gone, as the platform says",
            told(charged(80).made().gone(1), 3),
            "provider_unreachable retry_provider_lookup; r:1 wait",
        ),
        ("a file that is there is tried", told(charged(80).made(), 3), "webhook_lost recover_asset; r:1 recover"),
        (
            "a provider that looks nothing up",
            told(failed(80), 3).edit(|world| {
                world.scope.mute.insert("prov".into());
            }),
            "provider_failed restore_credits; r:1 restore 100; q 100",
        ),
    ]);
    let reasons = told(failed(80), 3).diagnose().reasons;
    let says = |text: &str| {
        reasons
            .iter()
            .any(|reason| reason.text.contains(text) || reason.facts.iter().any(|fact| fact.says.contains(text)))
    };
    assert!(says("told by the platform, provider not asked") && says("has to be asked first"), "{reasons:#?}");
    assert!(!says("could not be asked"), "{reasons:#?}");
}

#[test]
fn an_answer_that_is_not_understood_never_pays() {
    let late = World::of([charged(500).job(J::Unrecognised, &[])]).edit(|world| world.ticket_at = ago(400));
    let got = late.diagnose();
    assert_eq!(super::told(&got), "provider_unreachable retry_provider_lookup; r:1 wait");
    assert_eq!(got.follow_up_at, Some(ago(-24)));
    let said = got.reasons.iter().any(|reason| reason.text.contains("not understood"));
    assert!(said, "{:#?}", got.reasons);
}

#[test]
fn the_answer_names_what_is_waited_for() {
    use MessagePoint as P;
    for (world, verdict, points) in [
        (
            World::of([charged(5).job(J::Queued, &[])]),
            Verdict::InProgress,
            vec![P::ConfirmRun, P::StillRunning, P::WaitUntil],
        ),
        (
            World::of([charged(5).job(J::LookupFailed, &[])]),
            Verdict::ProviderUnreachable,
            vec![P::ConfirmRun, P::ProviderLookupPending, P::WaitUntil],
        ),
        (
            World::of([charged(5).job(J::Failed, &[])]),
            Verdict::ProviderFailed,
            vec![P::ConfirmRun, P::WhatHappened, P::WaitUntil],
        ),
    ] {
        let got = world.diagnose();
        assert_eq!((got.verdict, got.message_points), (verdict, points));
    }
}
