//! Amounts and balances (P4, P5, P6).

use super::check;
use crate::diagnose::world::{RunKit, World, ago, of_team};
use crate::ledger::SubscriptionStatus;
use crate::policy::RefundOrder;
use crate::work::{ItemState as I, JobState as J, MemberStatus};

fn failed(kit: RunKit) -> RunKit {
    kit.job(J::Failed, &[])
}

fn split() -> RunKit {
    RunKit::new("r", 30).charge(&[("q", 70), ("w", 140)])
}

/// Three items of 67, 67, 66, drawn as 50 and 150; the first was delivered.
fn split_batch() -> RunKit {
    let kit = RunKit::new("r", 30).items(3).charge(&[("q", 50), ("w", 150)]);
    kit.job(J::Succeeded, &[I::Succeeded, I::Failed, I::Failed]).stored(1)
}

#[test]
fn credits_go_back_to_where_they_came_from() {
    check(vec![
        ("wholly", World::of([failed(split())]), "provider_failed restore_credits; r:1 restore 210; q 70 w 140"),
        (
            "in part: the quota first",
            World::of([split_batch()]),
            "partial_batch restore_credits; r:2 restore 67, r:3 restore 66; q 50 w 83",
        ),
        (
            "in part, after the quota had its share back",
            World::of([split_batch().refund(1, &[2], &[("q", 50), ("w", 17)])]),
            "partial_batch restore_credits; r:3 restore 66; w 66",
        ),
        (
            "in part, after some of the quota's share came back",
            World::of([RunKit::new("r", 30).items(2).charge(&[("q", 60), ("w", 40)]).refund(1, &[1], &[("q", 50)])]),
            "never_submitted restore_credits; r:2 restore 50; q 10 w 40",
        ),
        (
            "the wallet first, if the policy says so",
            World::of([split_batch()]).edit(|world| world.policy.refund.order = RefundOrder::WalletFirst),
            "partial_batch restore_credits; r:2 restore 67, r:3 restore 66; w 133",
        ),
        (
            "prices that the feed does not list",
            World::of([split_batch().edit(|row| row.charges[0].items.clear())]),
            "partial_batch restore_credits; r:2 restore 67, r:3 restore 66; q 50 w 83",
        ),
        (
            "a run that cost nothing",
            World::of([failed(RunKit::new("r", 30).charge(&[("q", 0)]))]),
            "provider_failed none_not_charged; r:1 none",
        ),
        (
            "a run that cost nothing and can be had",
            World::of([RunKit::new("r", 30).charge(&[("q", 0)]).made()]),
            "webhook_lost recover_asset; r:1 recover",
        ),
        (
            "a batch with items that cost nothing",
            World::of([failed(RunKit::new("r", 30).items(3).charge(&[("q", 2)]))]),
            "provider_failed restore_credits; r:1 restore 1, r:2 restore 1, r:3 none; q 2",
        ),
    ]);
}

#[test]
fn quota_follows_the_period_and_the_plan() {
    let rolled = |world: World| {
        world.edit(|world| {
            world.account("acc").subscription.as_mut().expect("a plan").period_start = ago(10);
        })
    };
    let ended = |world: World| {
        world.edit(|world| {
            world.account("acc").subscription.as_mut().expect("a plan").status = SubscriptionStatus::Ended;
        })
    };
    let quota = || failed(RunKit::new("r", 30).charge(&[("q", 100)]));
    let wallet = || failed(RunKit::new("r", 30).charge(&[("w", 100)]));
    check(vec![
        (
            "rolled",
            rolled(World::of([quota()])),
            "provider_failed restore_credits; r:1 restore 100; q 100; quota_period_rolled",
        ),
        (
            "rolled, split",
            rolled(World::of([failed(split())])),
            "provider_failed restore_credits; r:1 restore 210; q 70 w 140; quota_period_rolled",
        ),
        (
            "rolled, from the wallet",
            rolled(World::of([wallet()])),
            "provider_failed restore_credits; r:1 restore 100; w 100",
        ),
        (
            "ended",
            ended(World::of([quota()])),
            "provider_failed restore_credits; r:1 restore 100; w 100; subscription_ended",
        ),
        (
            "ended, split",
            ended(World::of([failed(split())])),
            "provider_failed restore_credits; r:1 restore 210; w 210; subscription_ended",
        ),
        (
            "ended, from the wallet",
            ended(World::of([wallet()])),
            "provider_failed restore_credits; r:1 restore 100; w 100",
        ),
        (
            "ended, and part of the quota's share came back to the wallet",
            ended(World::of([split_batch().refund(1, &[2], &[("w", 67)])])),
            "partial_batch restore_credits; r:3 restore 66; w 66; subscription_ended",
        ),
        (
            "no plan at all",
            World::of([quota()]).edit(|world| world.account("acc").subscription = None),
            "provider_failed restore_credits; r:1 restore 100; w 100; subscription_ended",
        ),
        (
            "the period that is known is over, and the next not yet told",
            World::of([quota()])
                .edit(|world| world.account("acc").subscription.as_mut().expect("a plan").period_end = ago(1)),
            "provider_failed restore_credits; r:1 restore 100; q 100; quota_period_rolled",
        ),
        (
            "charged at the first second of the period",
            World::of([quota()]).edit(|world| {
                let posted = world.scope.runs[0].charges[0].posted_at;
                world.account("acc").subscription.as_mut().expect("a plan").period_start = posted;
            }),
            "provider_failed restore_credits; r:1 restore 100; q 100",
        ),
    ]);
}

#[test]
fn a_workspace_gets_back_what_it_paid() {
    let run = || failed(of_team(RunKit::new("r", 30)).charge(&[("pool", 80), ("pool_w", 20)]));
    check(vec![
        (
            "split",
            World::of([run()]).membership(MemberStatus::Active),
            "provider_failed restore_credits; r:1 restore 100; pool 80 pool_w 20",
        ),
        (
            "whose plan ended",
            World::of([run()]).membership(MemberStatus::Active).edit(|world| {
                world.account("team").subscription.as_mut().expect("a plan").status = SubscriptionStatus::Ended;
            }),
            "provider_failed restore_credits; r:1 restore 100; pool_w 100; subscription_ended",
        ),
        (
            "asked for by somebody who left",
            World::of([run()]).membership(MemberStatus::Left),
            "provider_failed restore_credits; r:1 restore 100; pool 80 pool_w 20; requester_not_member",
        ),
    ]);
}

#[test]
fn only_what_stands_on_the_right_balance_settles() {
    let kit = || failed(RunKit::new("r", 30).charge(&[("q", 100)]));
    check(vec![
        (
            "refunded",
            World::of([kit().refund(1, &[1], &[("q", 100)])]),
            "provider_failed none_already_refunded; r:1 none",
        ),
        (
            "reversed",
            World::of([kit().refund(1, &[1], &[("q", 100)]).reversed()]),
            "provider_failed restore_credits; r:1 restore 100; q 100",
        ),
        (
            "to somebody else's balance",
            World::of([kit().refund(1, &[1], &[("stranger_w", 100)])]),
            "provider_failed restore_credits; r:1 restore 100; q 100; wrong_balance_refund",
        ),
        (
            "to somebody else's balance, and reversed",
            World::of([kit().refund(1, &[1], &[("stranger_w", 100)]).reversed()]),
            "provider_failed restore_credits; r:1 restore 100; q 100",
        ),
        (
            "to somebody else's balance, and the file is there",
            World::of([RunKit::new("r", 30).charge(&[("q", 100)]).made().refund(1, &[1], &[("stranger_w", 100)])]),
            "webhook_lost recover_asset; r:1 recover; ; wrong_balance_refund",
        ),
        (
            "to the wallet of the same account",
            World::of([kit().refund(1, &[1], &[("w", 100)])]),
            "provider_failed none_already_refunded; r:1 none",
        ),
        (
            "one line right, one wrong",
            World::of([failed(split()).refund(1, &[1], &[("q", 70), ("stranger_w", 140)])]),
            "provider_failed restore_credits; r:1 restore 140; w 140; wrong_balance_refund",
        ),
        (
            "one line right, one wrong, and the file is there: never both",
            World::of([split().made().refund(1, &[1], &[("q", 70), ("stranger_w", 140)])]),
            "webhook_lost restore_credits; r:1 restore 140; w 140; wrong_balance_refund",
        ),
        (
            "the same item twice",
            World::of([RunKit::new("r", 30).items(2).charge(&[("q", 100)]).refund(1, &[1], &[("q", 50)]).refund(
                1,
                &[1],
                &[("q", 50)],
            )]),
            "never_submitted none_already_refunded; r:2 none",
        ),
        (
            "without naming items",
            World::of([RunKit::new("r", 30).items(2).charge(&[("q", 100)]).refund(1, &[], &[("q", 50)])]),
            "never_submitted restore_credits; r:2 restore 50; q 50",
        ),
        (
            "the run says refunded and no row does",
            World::of([kit().edit(|row| row.run.status = crate::work::RunStatus::Refunded)]),
            "provider_failed restore_credits; r:1 restore 100; q 100",
        ),
    ]);
}

#[test]
fn the_billable_figure_counts_what_stands() {
    for (name, world, want) in [
        ("restored now", World::of([failed(split())]), 0),
        ("in part", World::of([split_batch()]), 67),
        ("in part, in two steps", World::of([split_batch().refund(1, &[2], &[("q", 50), ("w", 17)])]), 67),
        ("wrong refund does not count", World::of([failed(split()).refund(1, &[1], &[("stranger_q", 210)])]), 0),
        ("recovered", World::of([split().made()]), 210),
        ("not charged", World::of([RunKit::new("r", 30)]), 0),
    ] {
        assert_eq!(world.diagnose().run_billable_after, Some(want), "{name}");
    }
}
