//! What holds for any rows at all, also for those that no sound platform would send.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::told;
use crate::diagnose::world::{RunKit, World};
use crate::diagnose::{Diagnosis, Evidence, ItemActionKind, diagnose};
use crate::ids::{BalanceId, TicketId};
use crate::ledger::{RefundState, SubscriptionStatus};
use crate::matching::RunMatch;
use crate::money::Credits;
use crate::work::{ItemState, JobState, OutputState, UploadResult};

/// A job's state, and of each item its state and whether its file exists.
type Answer = (JobState, Vec<(ItemState, Option<bool>)>);

#[derive(Clone, Debug)]
struct Plan {
    items: u32,
    charges: Vec<(Credits, Credits)>,
    /// Charge, items, lines as shares of quota, wallet and a stranger's balance, and whether it stands.
    refunds: Vec<(usize, Vec<u32>, [Credits; 3], bool)>,
    job: Option<Answer>,
    outputs: Vec<(u32, OutputState, usize)>,
    upload: Option<UploadResult>,
    hours_ago: i64,
    cancelled: Option<i64>,
    plan_ended: bool,
    deleted: bool,
    used_mb: i64,
}

const PLACES: [&str; 5] = ["prj_one/nd_one", "prj_one", "prj_one/nd_else", "prj_two", "prj_stranger"];

fn job() -> impl Strategy<Value = Option<Answer>> {
    use JobState as J;
    let state = prop::sample::select(vec![
        J::Queued,
        J::Processing,
        J::Succeeded,
        J::Failed,
        J::Filtered,
        J::Cancelled,
        J::NotFound,
        J::LookupFailed,
        J::Unrecognised,
    ]);
    use ItemState as I;
    let item = prop::sample::select(vec![I::Succeeded, I::Failed, I::Filtered, I::NotReturned, I::Processing]);
    prop::option::of((state, prop::collection::vec((item, any::<Option<bool>>()), 0..5)))
}

fn refund() -> impl Strategy<Value = (usize, Vec<u32>, [Credits; 3], bool)> {
    (0..3_usize, prop::collection::vec(0..6_u32, 0..4), [0..150_i64, 0..150_i64, 0..60_i64], any::<bool>())
}

fn plan() -> impl Strategy<Value = Plan> {
    let output = (
        1..6_u32,
        prop::sample::select(vec![OutputState::Stored, OutputState::Corrupt, OutputState::Held]),
        0..5_usize,
    );
    let upload = prop::option::of(prop::sample::select(vec![UploadResult::Timeout, UploadResult::QuotaExceeded]));
    let rows = (
        1..5_u32,
        prop::collection::vec((0..300_i64, 0..300_i64), 0..4),
        prop::collection::vec(refund(), 0..4),
        job(),
        prop::collection::vec(output, 0..4),
    );
    let rest = (upload, 0..60_i64, prop::option::of(0..100_i64), any::<bool>(), any::<bool>(), 900..1_001_i64);
    (rows, rest).prop_map(
        |((items, charges, refunds, job, outputs), (upload, hours_ago, cancelled, plan_ended, deleted, used_mb))| {
            Plan {
                items,
                charges,
                refunds,
                job,
                outputs,
                upload,
                hours_ago,
                cancelled,
                plan_ended,
                deleted: deleted && plan_ended,
                used_mb,
            }
        },
    )
}

fn world(plan: &Plan) -> World {
    let mut kit = RunKit::new("r", plan.hours_ago).items(plan.items);
    for (quota, wallet) in &plan.charges {
        kit = kit.charge(&[("q", *quota), ("w", *wallet)]);
    }
    for (charge, items, [quota, wallet, wrong], stands) in &plan.refunds {
        if *charge < plan.charges.len() {
            kit = kit.refund(charge + 1, items, &[("q", *quota), ("w", *wallet), ("stranger_w", *wrong)]);
            if !stands {
                kit = kit.edit(|row| {
                    if let Some(refund) = row.refunds.last_mut() {
                        refund.state = RefundState::Reversed;
                    }
                });
            }
        }
    }
    if let Some((state, items)) = &plan.job {
        let states: Vec<ItemState> = items.iter().map(|(state, _)| *state).collect();
        kit = kit.job(*state, &states);
        for (item, (_, exists)) in (1..).zip(items) {
            kit = kit.file(item, |file| file.exists_now = *exists);
        }
    }
    for (item, state, place) in &plan.outputs {
        kit = kit.output(*item, *state, PLACES[*place]);
    }
    if let Some(result) = plan.upload {
        kit = kit.upload(1, result);
    }
    if let Some(seconds) = plan.cancelled {
        kit = kit.cancelled(seconds);
    }
    let mut world = World::of([kit]);
    world.account("acc").storage_used_mb = plan.used_mb;
    if plan.plan_ended {
        world.account("acc").subscription.as_mut().expect("a plan").status = SubscriptionStatus::Ended;
    }
    if plan.deleted { world.delete_project("prj_one") } else { world }
}

/// Standing refunds of a charge on the balances of its own account, over all its items.
fn returned(world: &World, charge: &str) -> Credits {
    let rows = world.scope.runs.iter().flat_map(|row| &row.refunds);
    rows.filter(|refund| refund.charge_id.as_str() == charge && refund.state == RefundState::Posted)
        .flat_map(|refund| &refund.lines)
        .filter(|line| ["q", "w"].contains(&line.balance_id.as_str()))
        .map(|line| line.amount)
        .sum()
}

fn bounded(world: &World, got: &Diagnosis) -> Result<(), TestCaseError> {
    for back in &got.restorations {
        let charge = world.scope.runs.iter().flat_map(|row| &row.charges).find(|row| row.id == back.charge_id);
        let charge = charge.expect("a charge of the world");
        for item in &back.items {
            let price = charge.items.iter().find(|row| row.item == item.item).map_or(0, |row| row.credits);
            prop_assert!(
                item.credits > 0 && item.credits <= price,
                "item {} gets {} of {price}",
                item.item,
                item.credits
            );
        }
        let mut by_source: BTreeMap<&BalanceId, Credits> = BTreeMap::new();
        for line in &back.lines {
            *by_source.entry(&line.source).or_insert(0) += line.amount;
            prop_assert!(["q", "w"].contains(&line.target.as_str()), "target {}", line.target);
        }
        for (source, amount) in by_source {
            let drawn: Credits =
                charge.sources.iter().filter(|line| line.balance_id == *source).map(|line| line.amount).sum();
            prop_assert!(amount <= drawn, "{source} gets {amount} of {drawn}");
        }
        let items: Credits = back.items.iter().map(|item| item.credits).sum();
        let lines: Credits = back.lines.iter().map(|line| line.amount).sum();
        prop_assert_eq!(items, lines);
        prop_assert!(
            lines + returned(world, charge.id.as_str()).min(charge.total) <= charge.total,
            "more than the charge"
        );
    }
    Ok(())
}

fn never_both(got: &Diagnosis) -> Result<(), TestCaseError> {
    let delivers = |kind| matches!(kind, ItemActionKind::Recover | ItemActionKind::Hold | ItemActionKind::Reattach);
    let delivered: BTreeSet<u32> =
        got.item_actions.iter().filter(|act| delivers(act.action)).map(|act| act.item).collect();
    for item in got.restorations.iter().flat_map(|charge| &charge.items) {
        prop_assert!(!delivered.contains(&item.item), "item {} is delivered and restored", item.item);
    }
    let numbers: Vec<u32> = got.item_actions.iter().map(|act| act.item).collect();
    let once: BTreeSet<u32> = numbers.iter().copied().collect();
    prop_assert_eq!(once.len(), numbers.len(), "an item has two actions");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_rows_lead_to_paying_too_much(plan in plan()) {
        let world = world(&plan);
        let got = world.diagnose();
        bounded(&world, &got)?;
        never_both(&got)?;
        prop_assert_eq!(&got, &world.diagnose(), "the same evidence gives the same");
        if matches!(plan.job, Some((JobState::Unrecognised, _))) && got.verdict != crate::diagnose::Verdict::DuplicateCharge {
            let cancelled = plan.cancelled.is_some();
            prop_assert!(cancelled || got.restored_total() == 0, "unknown pays: {}", told(&got));
        }
        // A standing refund of an item keeps its file from being delivered.
        for act in &got.item_actions {
            let named = plan.refunds.iter().any(|(charge, items, [q, w, _], stands)| {
                *stands && *charge == 0 && plan.charges.len() == 1 && items == &[act.item] && q + w > 0
                    && plan.charges.iter().all(|(quota, wallet)| quota + wallet >= i64::from(plan.items))
            });
            prop_assert!(!(named && matches!(act.action, ItemActionKind::Recover)), "{}", told(&got));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn extreme_amounts_do_not_overflow(quota in any::<i64>(), wallet in any::<i64>(), back in any::<i64>(), items in prop::sample::select(vec![0, 1, 7, u32::MAX])) {
        let kit = RunKit::new("r", 30).charge(&[("q", 1)]).refund(1, &[1], &[("q", 1)]).edit(|row| {
            row.run.requested_items = items;
            row.charges[0].total = quota;
            row.charges[0].sources[0].amount = wallet;
            row.refunds[0].lines[0].amount = back;
        });
        let mut world = World::of([kit]);
        world.account("acc").storage_quota_mb = quota;
        world.account("acc").storage_used_mb = wallet;
        let run_match = RunMatch { matched: vec!["r".into()], ..RunMatch::default() };
        let ticket_id = TicketId::from("TCK");
        let evidence = Evidence {
            claim: &world.claim,
            run_match: &run_match,
            scope: &world.scope,
            ticket_id: &ticket_id,
            ticket_created_at: world.ticket_at,
        };
        let got = diagnose(&evidence, &world.policy, world.now);
        prop_assert_eq!(got.matched_run, Some("r".into()));
    }
}
