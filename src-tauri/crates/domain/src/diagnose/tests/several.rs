//! Several matched runs, one answer.

use super::check;
use crate::diagnose::world::{RunKit, World, ago};
use crate::support::TicketStatus;
use crate::work::JobState as J;

fn run(id: &str, hours_ago: i64) -> RunKit {
    RunKit::new(id, hours_ago).charge(&[("q", 100)])
}

#[test]
fn runs_are_put_together() {
    check(vec![
        (
            "both failed",
            World::of([run("b", 30).job(J::Failed, &[]), run("a", 29).job(J::Failed, &[])]),
            "provider_failed restore_credits; b:1 restore 100, a:1 restore 100; q 200",
        ),
        (
            "one can be had, one failed",
            World::of([run("a", 30).made(), run("b", 29).job(J::Failed, &[])]),
            "webhook_lost recover_asset_and_restore_credits; a:1 recover, b:1 restore 100; q 100",
        ),
        (
            "one was refunded, one failed: what is done decides",
            World::of([run("a", 30).made().refund(1, &[1], &[("q", 100)]), run("b", 29).job(J::Failed, &[])]),
            "provider_failed restore_credits; a:1 none, b:1 restore 100; q 100",
        ),
        (
            "one waits, one failed",
            World::of([run("a", 26).job(J::Failed, &[]), run("b", 3).job(J::Failed, &[])]),
            "provider_failed restore_credits; a:1 restore 100, b:1 wait; q 100",
        ),
        (
            "both were delivered: two runs, two charges",
            World::of([run("a", 30).made().stored(1), run("b", 30).made().stored(1)]),
            "delivered_ok none_delivered; a:1 none, b:1 none",
        ),
        (
            "one is already being worked on",
            World::of([
                run("a", 30).job(J::Failed, &[]).ticket("T1", 9, TicketStatus::Open),
                run("b", 29).job(J::Failed, &[]),
            ]),
            "provider_failed restore_credits; b:1 restore 100; q 100",
        ),
    ]);
}

#[test]
fn figures_are_those_of_all_runs() {
    let got = World::of([
        run("a", 30).made().file(1, |file| file.available_until = Some(ago(-50))),
        run("b", 29).made().file(1, |file| file.available_until = Some(ago(-40))),
        run("c", 20).job(J::Failed, &[]),
    ])
    .diagnose();
    assert_eq!(got.matched_run, Some("a".into()));
    assert_eq!(got.additional_runs, ["b".into(), "c".into()]);
    assert_eq!(got.run_billable_after, Some(300));
    assert_eq!(got.retention_deadline, Some(ago(-40)));
    assert_eq!(got.follow_up_at, Some(ago(-4) + jiff::SignedDuration::from_secs(2)));
}
