//! What holds of every run, whatever its rows say.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Decision, Question, Tried, decide};
use crate::diagnose::Verdict;
use crate::diagnose::items::items;
use crate::diagnose::money::Money;
use crate::diagnose::world::{RunKit, World, ago};
use crate::matching::logical_runs;
use crate::plan::Effect;
use crate::ports::NextLook;
use crate::work::{ItemState, JobState, OutputState, RetryInitiator};

const ITEMS: u32 = 3;
const JOB_STATES: &[Option<JobState>] = &[
    None,
    Some(JobState::Queued),
    Some(JobState::Processing),
    Some(JobState::Succeeded),
    Some(JobState::Succeeded),
    Some(JobState::Failed),
    Some(JobState::Filtered),
    Some(JobState::Cancelled),
    Some(JobState::NotFound),
    Some(JobState::LookupFailed),
    Some(JobState::Unrecognised),
];
const ITEM_STATES: &[ItemState] = &[
    ItemState::Succeeded,
    ItemState::Succeeded,
    ItemState::Failed,
    ItemState::Filtered,
    ItemState::NotReturned,
    ItemState::Processing,
];
const TRIED: &[Option<Tried>] = &[
    None,
    None,
    Some(Tried::Failed { gone: false }),
    Some(Tried::Failed { gone: true }),
    Some(Tried::Lost),
    Some(Tried::Arrived),
    Some(Tried::Refused),
];

/// The fate of one item: at the provider, in storage, in the ledger, and in this look.
#[derive(Clone, Copy, Debug)]
struct Fate {
    state: ItemState,
    exists: Option<bool>,
    /// Hours from now to the deadline; `None`: the provider's retention.
    deadline: Option<i64>,
    output: Option<(OutputState, &'static str)>,
    refunded: bool,
    tried: Option<Tried>,
}

fn any_fate() -> impl Strategy<Value = Fate> {
    let places = select(&["prj_one/nd_one", "prj_one", "prj_two/nd_two", "prj_stranger/nd_x"][..]);
    let states = select(&[OutputState::Stored, OutputState::Corrupt, OutputState::Held][..]);
    (
        select(ITEM_STATES),
        select(&[Some(true), Some(true), Some(false), None][..]),
        proptest::option::of(-2_i64..40),
        proptest::option::weighted(0.3, (states, places)),
        proptest::bool::weighted(0.2),
        select(TRIED),
    )
        .prop_map(|(state, exists, deadline, output, refunded, tried)| Fate {
            state,
            exists,
            deadline,
            output,
            refunded,
            tried,
        })
}

/// A run of so many hours, with one or two charges, a job or none, and perhaps a retry by the system.
fn world(
    hours: i64,
    charges: usize,
    job: Option<JobState>,
    retry: Option<Option<JobState>>,
    cancelled: Option<i64>,
    fates: &[Fate],
) -> World {
    let mut kit = RunKit::new("r", hours).items(ITEMS);
    for _ in 0..charges {
        kit = kit.charge(&[("q", 50), ("w", 50)]);
    }
    let states: Vec<ItemState> = fates.iter().map(|fate| fate.state).collect();
    if let Some(state) = job {
        kit = kit.job(state, &states);
    }
    for (item, fate) in (1..).zip(fates) {
        kit = kit.file(item, |file| {
            file.exists_now = fate.exists;
            file.available_until = fate.deadline.map(|hours| ago(-hours));
        });
        if let Some((state, place)) = fate.output {
            kit = kit.output(item, state, place);
        }
        if fate.refunded && charges > 0 {
            kit = kit.refund(1, &[item], &[("q", 10)]);
        }
    }
    if let Some(seconds) = cancelled {
        kit = kit.cancelled(seconds);
    }
    let mut runs = vec![kit];
    if let Some(state) = retry {
        let kit = RunKit::new("r2", hours).items(ITEMS).retry_of("r", RetryInitiator::System);
        runs.push(state.into_iter().fold(kit, |kit, state| kit.job(state, &states)));
    }
    World::of(runs)
}

fn decision(world: &World, every: SignedDuration, tries: u32, fates: &[Fate]) -> Decision {
    let tried: BTreeMap<u32, Tried> = (1..).zip(fates).filter_map(|(item, fate)| Some((item, fate.tried?))).collect();
    let root = "r".into();
    decide(&Question { scope: &world.scope, root: &root, tries, tried: &tried, every }, &world.policy, world.now)
}

fn restored(decision: &Decision) -> BTreeMap<(String, u32), i64> {
    let mut sums = BTreeMap::new();
    for step in &decision.restorations {
        let Effect::Restore { restoration, .. } = &step.effect else { continue };
        for item in &restoration.items {
            *sums.entry((restoration.charge_id.to_string(), item.item)).or_insert(0) += item.credits;
        }
        let by_lines: i64 = restoration.lines.iter().map(|line| line.amount).sum();
        assert_eq!(by_lines, restoration.items.iter().map(|row| row.credits).sum::<i64>());
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_decision_is_safe_and_never_forgets(
        hours in 0_i64..50,
        charges in 0_usize..3,
        tries in 0_u32..40,
        every in select(&[0_i64, 5, 60, 600][..]),
        job in select(JOB_STATES),
        retry in proptest::option::weighted(0.2, select(JOB_STATES)),
        cancelled in proptest::option::weighted(0.1, select(&[1_i64, 60][..])),
        fates in proptest::collection::vec(any_fate(), 3..=3),
    ) {
        let world = world(hours, charges, job, retry, cancelled, &fates);
        let every = SignedDuration::from_mins(every);
        let decision = decision(&world, every, tries, &fates);
        let runs = logical_runs(&world.scope);
        let money = Money::of(&runs[0], &world.scope, &world.policy);
        let views = items(&runs[0], &world.scope, &world.policy, world.now);
        let paid = restored(&decision);

        // One remedy an item (P4), each once, and never more than is owed.
        let fetched: BTreeSet<u32> = decision.transfers.iter().map(|row| row.item).collect();
        prop_assert_eq!(fetched.len(), decision.transfers.len());
        prop_assert_eq!(paid.len(), decision.restorations.len());
        for ((charge, item), credits) in &paid {
            prop_assert!(!fetched.contains(item), "item {} gets both", item);
            prop_assert!(!views.iter().any(|view| view.item == *item && view.is_stored()), "{} is stored", item);
            let view = money.charges.iter().find(|view| view.charge.id.as_str() == charge).expect("a charge");
            prop_assert!(*credits > 0 && *credits <= view.owed(*item), "{} of {}", credits, item);
        }

        // What was refused is left alone, what failed is not tried twice in a look.
        for (item, fate) in (1_u32..).zip(&fates) {
            prop_assert!(fate.tried.is_none() || !fetched.contains(&item));
            let pays = paid.keys().any(|(_, paid)| *paid == item);
            prop_assert!(fate.tried != Some(Tried::Refused) || !pays);
        }

        // Unknown never pays before the last pass that can keep the promise; a remedy that was begun in credits goes on so.
        let end = money.first_posted_at().map(|at| at + SignedDuration::from_hours(24));
        let in_window = end.is_some_and(|end| world.now < end);
        let told = |state: Option<JobState>| state.is_some_and(JobState::is_terminal);
        let settle_at = money.first_posted_at().map(|at| at + world.policy.settle_after(every));
        let waits = settle_at.is_some_and(|settle_at| world.now < settle_at);
        let known = told(job) && retry.is_none_or(told);
        if waits && !known && decision.verdict != Verdict::CancelledBeforeStart {
            for (_, item) in paid.keys() {
                let tried = usize::try_from(*item - 1).ok().and_then(|at| fates.get(at)).and_then(|fate| fate.tried);
                let begun = money.standing(*item) > 0;
                prop_assert!(begun || matches!(tried, Some(Tried::Failed { .. } | Tried::Lost | Tried::Arrived)), "item {} paid on hearsay", item);
            }
        }

        // While something is owed there is something to do, a next look in time, or a reason for people.
        let owed = views.iter().any(|view| !view.is_stored() && money.owed(view.item) > 0);
        match &decision.next {
            NextLook::At { at } => {
                prop_assert!(*at > world.now);
                prop_assert!(!waits || settle_at.is_some_and(|settle_at| *at <= settle_at), "{} is after the last pass", at);
                prop_assert!(!in_window || end.is_some_and(|end| *at <= end), "{} is after the window", at);
                prop_assert!(*at <= world.now + SignedDuration::from_mins(60));
            }
            NextLook::Parked { why } => prop_assert!(!why.is_empty()),
            NextLook::Done => prop_assert!(!owed || decision.acts(), "owed, and done: {:?}", decision),
        }
        // The same facts, the same decision.
        prop_assert_eq!(&decision, &self::decision(&world, every, tries, &fates));
    }

    #[test]
    fn after_hour_24_only_people_and_odd_answers_are_waited_for(
        hours in 25_i64..80,
        job in select(JOB_STATES),
        fates in proptest::collection::vec(any_fate(), 3..=3),
    ) {
        let world = world(hours, 1, job, None, None, &fates);
        let decision = decision(&world, SignedDuration::from_mins(5), 20, &fates);
        let odd = job == Some(JobState::Unrecognised) || fates.iter().any(|fate| fate.tried == Some(Tried::Refused));
        if let NextLook::At { .. } = decision.next {
            prop_assert!(odd || decision.acts(), "{:?}", decision);
        }
    }
}
