//! Random sequences of calls over few rows, so that they meet: few runs, few keys, few instants.

use jiff::Timestamp;
use makegood_domain::diagnose::Verdict;
use makegood_domain::feed::Fact;
use makegood_domain::money::Credits;
use makegood_domain::plan::{CaseState, Effect, Place, Step};
use makegood_domain::ports::{ActionState, ApprovalState, DetectionKind, NextLook, Role};
use makegood_domain::support::MessageKind;

use super::call::{Call, Revision};
use super::desk::{
    decision, deliver, detection, draft, finding, key, lease, minutes, new_case, node, order, person, plan, recover,
    release, request, restore,
};
use super::dice::Dice;
use super::product::{at, base, charge, happened, job, output, project, refund, run};

/// Calls after those that set the scene.
const CALLS: u64 = 40;

const KEYS: [&str; 3] = ["key_1", "key_2", "key_3"];

/// The sequence of a seed.
pub(super) fn sequence(seed: u64) -> Vec<Call> {
    let mut dice = Dice::new(seed);
    let mut calls = vec![Call::Import(base(), at(100)), Call::Import(happened(), at(101))];
    let limit = dice.pick(&[10_000, 10_000, 60]);
    let roles = [Role::Agent, Role::Approver];
    calls.extend(["ana", "ben"].map(|id| Call::Person(person(id, limit, 2 * limit, &roles), at(102))));
    for number in 1..=3 {
        calls.push(Call::Open(new_case(number, Some("usr_u"))));
    }
    // What each key is for, all along.
    let plans: Vec<Vec<Step>> = KEYS.iter().map(|_| steps(&mut dice)).collect();
    let mut now = 2_000;
    for _ in 0..1 + dice.below(CALLS) {
        now += dice.pick(&[0, 1, 5, 30, 60, 3_600, 40_000]);
        calls.push(call(&mut dice, &plans, now));
    }
    calls
}

fn call(dice: &mut Dice, plans: &[Vec<Step>], now: i64) -> Call {
    let case = dice.number(1, 3);
    let case_id = || format!("case_{case}").as_str().into();
    match dice.below(40) {
        0..=7 => begin(dice, plans, now),
        8..=19 => apply(dice, plans, now),
        20..=22 => Call::Import(vec![fact(dice), fact(dice)], at(now)),
        23..=26 => Call::Settle(key(&format!("rec-{}", dice.below(4))), dice.number(0, 1), item_effect(dice), at(now)),
        27 | 28 => Call::Finish(key(dice.pick(&KEYS)), end(dice), at(now)),
        29 | 30 => Call::Claim(dice.pick(&["one", "two"]), dice.number(1, 3), minutes(dice.between(1, 60)), at(now)),
        31 | 32 => Call::EndLook(dice.pick(&RUNS).into(), dice.pick(&["one", "two"]), next(dice, now), at(now)),
        33 => {
            let (charge, run, ..) = dice.pick(&CHARGES);
            Call::Detect(detection(DetectionKind::Orphan, charge, dice.number(0, 3), run, now))
        }
        34 => Call::CloseDetections(dice.pick(&RUNS).into(), vec![], at(now)),
        35 => {
            let verdict = dice.pick(&[Verdict::UploadFailed, Verdict::ProviderFailed]);
            Call::Find(case_id(), Revision::Newest, finding(dice.pick(&RUNS), verdict, dice.between(1_000, 9_000)))
        }
        36 => Call::Draft(draft(case, dice.pick(&["ana", "ben"]), dice.pick(&["a", "b", "c"]), 0), dice.between(0, 2)),
        37 | 38 => approval(dice, plans, now),
        _ => Call::Assign(case_id(), dice.pick(&[None, Some("ana".into())]), at(now)),
    }
}

const RUNS: [&str; 6] = ["run_1", "run_2", "run_3", "run_4", "run_5", "run_6"];

/// Charge, run, account, items, balances.
type Charged = (&'static str, &'static str, &'static str, u32, &'static [&'static str]);
const CHARGES: [Charged; 5] = [
    ("chg_1", "run_1", "acc_u", 3, &["quota_u", "wallet_u"]),
    ("chg_2", "run_2", "acc_u", 2, &["wallet_u"]),
    ("chg_3", "run_3", "acc_w", 1, &["pool"]),
    ("chg_4", "run_4", "acc_u", 1, &["quota_u"]),
    ("chg_5", "run_5", "acc_u", 2, &["wallet_u"]),
];

fn place(dice: &mut Dice) -> Place {
    match dice.below(8) {
        0 => Place::History { project_id: "prj_u".into() },
        1 => Place::Hold { project_id: "prj_u".into(), until: at(99_000) },
        2 => node("v"),
        3 | 4 => node("w"),
        _ => node("u"),
    }
}

fn steps(dice: &mut Dice) -> Vec<Step> {
    (0..5)
        .map(|number| match dice.below(6) {
            0..=2 => {
                let run = dice.pick(&RUNS);
                let output = format!("new_{}", dice.below(6));
                recover(run, dice.number(1, 3), &output, place(dice))
            }
            3 | 4 => Step::Do { effect: restoration(dice, number) },
            _ => Step::Do { effect: other(dice) },
        })
        .collect()
}

fn restoration(dice: &mut Dice, number: u64) -> Effect {
    let (charge, run, account, items, balances) = dice.pick(&CHARGES);
    let amounts: &[Credits] = &[0, 1, 5, 7, 20, 25, 33, 34, 50];
    let mut parts = vec![(dice.number(1, items), dice.pick(amounts))];
    if dice.once_in(3) {
        parts.push((dice.number(1, items), dice.pick(amounts)));
    }
    let mut total: Credits = parts.iter().map(|part| part.1).sum();
    if dice.once_in(12) {
        total += 1;
    }
    let source = dice.pick(balances);
    let target = if dice.once_in(8) { dice.pick(&["wallet_u", "wallet_v", "pool"]) } else { source };
    let mut lines = vec![(source, target, total)];
    if total > 4 && balances.len() > 1 && dice.once_in(2) {
        lines = balances.iter().zip([total - 4, 4]).map(|(balance, part)| (*balance, *balance, part)).collect();
    }
    let id = format!("rst_{}_{number}", dice.below(9));
    restore(&id, (charge, run, account), (&parts, &lines))
}

fn other(dice: &mut Dice) -> Effect {
    let output_id = || format!("out_{}", 1);
    match dice.below(6) {
        0 | 1 => Effect::Move { output_id: dice.pick(&OUTPUTS).into(), place: place(dice) },
        2 | 3 => Effect::Quarantine { output_id: dice.pick(&OUTPUTS).into(), reason: "foreign".into() },
        4 => {
            Effect::OpenIncident { run_id: None, output_ids: vec![output_id().as_str().into()], summary: "seen".into() }
        }
        _ => Effect::SetCase { state: dice.pick(CaseState::ALL), follow_up_at: None },
    }
}

const OUTPUTS: [&str; 5] = ["out_1", "out_2", "out_3", "new_0", "new_1"];

fn begin(dice: &mut Dice, plans: &[Vec<Step>], now: i64) -> Call {
    let (name, steps) = key_and_steps(dice, plans);
    let mut plan = plan(dice.number(1, 3), &[]);
    plan.steps = steps;
    let which = if dice.once_in(12) { Revision::Wrong } else { Revision::Newest };
    Call::Begin(order(name, dice.pick(&["ana", "ben"]), now), plan, which)
}

fn key_and_steps(dice: &mut Dice, plans: &[Vec<Step>]) -> (&'static str, Vec<Step>) {
    let pairs: Vec<(&'static str, Vec<Step>)> = KEYS.into_iter().zip(plans.iter().cloned()).collect();
    dice.pick(&pairs)
}

fn apply(dice: &mut Dice, plans: &[Vec<Step>], now: i64) -> Call {
    let (name, steps) = key_and_steps(dice, plans);
    let numbered: Vec<(u32, Step)> = (0..).zip(steps).collect();
    let (number, step) = dice.pick(&numbered);
    let (part, effect) = match step {
        Step::Do { effect } => (0, effect),
        Step::RecoverItem { run_id, item, place, output_id, .. } => {
            let epoch = dice.between(0, 4);
            let effect = match dice.below(4) {
                0 => release(run_id.as_str(), item, epoch),
                1 | 2 => deliver(run_id.as_str(), item, epoch.max(1), output_id.as_str(), place),
                _ => lease(run_id.as_str(), item, dice.pick(&[0, 30, 900, 5_000])),
            };
            (dice.number(0, 3), effect)
        }
    };
    Call::Apply(key(name), number, part, effect, at(now))
}

/// What the reconciler does, or may not do.
fn item_effect(dice: &mut Dice) -> Effect {
    let (run, item) = (dice.pick(&RUNS), dice.number(1, 3));
    match dice.below(9) {
        0..=2 => lease(run, item, dice.pick(&[60, 900])),
        3 | 4 => deliver(run, item, dice.between(1, 3), &format!("new_{}", dice.below(6)), place(dice)),
        5 | 6 => restoration(dice, 100),
        7 => other(dice),
        _ => Effect::Say { kind: MessageKind::Note, text: "no".into(), locale: "en".into() },
    }
}

fn fact(dice: &mut Dice) -> Fact {
    let run_id = dice.pick(&RUNS);
    let state = dice.pick(&["stored", "stored", "corrupt", "held"]);
    match dice.below(9) {
        0..=2 => {
            let (id, item) = (dice.pick(&["out_1", "out_2", "out_3"]), dice.number(1, 3));
            output(id, run_id, item, dice.pick(&["u", "u", "v", "w"]), state, dice.pick(&[10, 10, 0]))
        }
        3..=5 => {
            let (charge, run, _, items, balances) = dice.pick(&CHARGES);
            let target = if dice.once_in(5) { "wallet_v" } else { dice.pick(balances) };
            let lines = [(target, dice.between(0, 60))];
            let named = if dice.once_in(3) { vec![] } else { vec![dice.number(1, items)] };
            // The same row again, posted or reversed.
            let id = format!("rfd_{charge}_{}_{}", named.len(), lines[0].1 % 2);
            refund(&id, charge, run, dice.pick(&["posted", "posted", "reversed"]), &named, &lines)
        }
        6 => run(run_id, "u", 10, None, dice.pick(&["running", "refunded", "succeeded"])),
        7 => match dice.below(2) {
            0 => project("prj_u2", dice.pick(&["acc_u", "acc_v"]), None),
            _ => job("job_1", run_id, dice.pick(&["processing", "succeeded", "failed"]), &[1]),
        },
        _ => {
            let prices = [dice.between(0, 40), dice.between(0, 40)];
            charge(dice.pick(&["chg_8", "chg_9"]), run_id, "acc_u", 200, &prices, &[("wallet_u", prices.iter().sum())])
        }
    }
}

fn end(dice: &mut Dice) -> ActionState {
    match dice.below(4) {
        0 => ActionState::Unknown { why: "cut".into() },
        1 => ActionState::Refused { why: "no".into() },
        _ => ActionState::Done,
    }
}

fn next(dice: &mut Dice, now: i64) -> NextLook {
    match dice.below(3) {
        0 => NextLook::At { at: at(now + dice.between(0, 5_000)) },
        1 => NextLook::Parked { why: "for people".into() },
        _ => NextLook::Done,
    }
}

/// Asks for a plan's restorations, or answers.
fn approval(dice: &mut Dice, plans: &[Vec<Step>], now: i64) -> Call {
    let (name, steps) = key_and_steps(dice, plans);
    let case = dice.number(1, 3);
    let mut plan = plan(case, &[]);
    plan.steps = steps;
    let request = request(&format!("apr_{name}_{case}"), &plan, "ana", now);
    if dice.once_in(2) {
        return Call::Ask(request);
    }
    let state = dice.pick(&[
        ApprovalState::Approved,
        ApprovalState::Approved,
        ApprovalState::Declined,
        ApprovalState::Withdrawn,
    ]);
    let now: Timestamp = at(now);
    Call::Decide(request.id.clone(), decision(&request, state, dice.pick(&["ana", "ben"])), now)
}
