//! Random sequences of calls over few rows, so that they meet: few runs, few keys, few instants. The
//! model is played beside them, so that a lease is followed by a delivery often enough, and a request
//! by its answer.

use makegood_domain::diagnose::Verdict;
use makegood_domain::feed::Fact;
use makegood_domain::ids::ActionKey;
use makegood_domain::money::Credits;
use makegood_domain::plan::{CaseState, Effect, Place, Step};
use makegood_domain::ports::{
    ActionState, ActionStore as _, Applied, ApprovalRequest, ApprovalState, DetectionKind, NextLook, Receipt,
    ReconcileStore as _, Role,
};
use makegood_domain::support::MessageKind;

use super::call::{self, Call, Revision};
use super::desk::{
    decision, deliver, detection, draft, finding, key, lease, minutes, new_case, node, order, person, plan, recover,
    redebit, release, request, restore,
};
use super::dice::Dice;
use super::product::{at, base, charge, happened, job, output, project, refund, run};
use super::scripts::{capture, content, removal};
use super::way_in;
use crate::MemoryStore;

/// Calls after those that set the scene: so many at least, and so many more at most.
const CALLS: u64 = 15;
const MORE_CALLS: u64 = 26;

const KEYS: [&str; 3] = ["key_1", "key_2", "key_3"];

/// A lease that was taken: by which step of an action, or by the reconciler.
#[derive(Clone)]
struct Held {
    key: ActionKey,
    step: Option<u32>,
    run: String,
    item: u32,
    epoch: i64,
    output: String,
    place: Place,
}

/// What has happened so far.
struct Scene {
    dice: Dice,
    model: MemoryStore,
    /// What each key is for, all along.
    plans: Vec<Vec<Step>>,
    held: Vec<Held>,
    asked: Vec<(&'static str, u32, ApprovalRequest)>,
    now: i64,
}

/// The sequence of a seed.
pub(super) async fn sequence(seed: u64) -> Vec<Call> {
    let mut dice = Dice::new(seed);
    let lying = vec![
        output("out_1", "run_1", 3, "v", "stored", 10),
        output("out_2", "run_6", 1, "v", "stored", 10),
        output("out_3", "run_5", 2, "u", "stored", 10),
    ];
    let mut calls = vec![Call::Import(base(), at(100)), Call::Import([happened(), lying].concat(), at(101))];
    let limit = dice.pick(&[10_000, 10_000, 30]);
    let roles = [Role::Agent, Role::Approver];
    calls.extend(["ana", "ben"].map(|id| Call::Person(person(id, limit, 2 * limit, &roles), at(102))));
    for number in 1..=3 {
        calls.push(Call::Open(new_case(number, Some("usr_u"))));
    }
    let plans = KEYS.iter().map(|_| steps(&mut dice)).collect();
    let mut scene = Scene { dice, model: MemoryStore::new(), plans, held: vec![], asked: vec![], now: 2_000 };
    for call in &calls {
        call::make(&scene.model, call).await;
    }
    for _ in 0..CALLS + scene.dice.below(MORE_CALLS) {
        scene.now += scene.dice.pick(&[0, 1, 5, 30, 60, 600, 3_600, 40_000]);
        let next = scene.next();
        if call::make(&scene.model, &next).await.is_done() {
            scene.remember(&next).await;
        }
        calls.push(next);
    }
    calls
}

impl Scene {
    /// Keeps the leases that were taken, and the requests that were made.
    async fn remember(&mut self, done: &Call) {
        let (key, step, receipt) = match done {
            Call::Apply(key, step, part, effect @ Effect::LeaseItem { .. }, at) => {
                (key, Some(*step), self.model.apply(key, *step, *part, effect, *at).await)
            }
            Call::Settle(key, part, effect @ Effect::LeaseItem { .. }, at) => {
                (key, None, self.model.settle(key, *part, effect, *at).await)
            }
            _ => return,
        };
        let (Call::Apply(.., effect, _) | Call::Settle(.., effect, _)) = done else { return };
        let Effect::LeaseItem { run_id, item, .. } = effect else { return };
        let Ok(Applied::Done(receipt)) = receipt else { return };
        let Receipt::Leased { epoch, .. } = receipt.receipt else { return };
        let planned = step.and_then(|step| self.planned(key, step));
        let (output, place) = planned.unwrap_or_else(|| (format!("new_{}", self.dice.below(6)), home(run_id.as_str())));
        let (key, run) = (key.clone(), run_id.0.clone());
        self.held.push(Held { key, step, run, item: *item, epoch, output, place });
    }

    fn planned(&self, key: &ActionKey, step: u32) -> Option<(String, Place)> {
        let place = KEYS.iter().position(|name| *name == key.as_str())?;
        match self.plans.get(place)?.get(usize::try_from(step).ok()?)? {
            Step::RecoverItem { output_id, place, .. } => Some((output_id.0.clone(), place.clone())),
            Step::Do { .. } => None,
        }
    }

    fn next(&mut self) -> Call {
        let dice = &mut self.dice;
        if !self.held.is_empty() && dice.once_in(3) {
            return follow(dice, &self.held, self.now);
        }
        if !self.asked.is_empty() && dice.once_in(6) {
            let (name, case, request) = dice.pick(&self.asked);
            return answer(dice, (name, case, &request), &self.plans, self.now);
        }
        let call = call(dice, &self.plans, self.now);
        if let Call::Ask(request) = &call {
            let known = KEYS.iter().find(|name| request.id.as_str().contains(**name));
            let case = request.case_id.as_str().strip_prefix("case_").and_then(|case| case.parse().ok());
            self.asked.extend(known.zip(case).map(|(name, case)| (*name, case, request.clone())));
        }
        call
    }
}

/// What follows a lease: mostly what should.
fn follow(dice: &mut Dice, held: &[Held], now: i64) -> Call {
    let mut lease = dice.pick(held);
    if dice.once_in(10) {
        lease.epoch -= 1;
    }
    if dice.once_in(10) {
        lease.key = key(dice.pick(&KEYS));
    }
    let effect = if dice.once_in(4) {
        release(&lease.run, lease.item, lease.epoch)
    } else {
        deliver(&lease.run, lease.item, lease.epoch, &lease.output, lease.place)
    };
    let part = dice.number(1, 3);
    match lease.step {
        Some(step) => Call::Apply(lease.key, step, part, effect, at(now)),
        None => Call::Settle(lease.key, part, effect, at(now)),
    }
}

/// What follows a request: an answer, or the action that uses it.
fn answer(
    dice: &mut Dice,
    (name, case, request): (&'static str, u32, &ApprovalRequest),
    plans: &[Vec<Step>],
    now: i64,
) -> Call {
    if dice.once_in(3) {
        let place = KEYS.iter().position(|known| *known == name).unwrap_or_default();
        let mut plan = plan(case, &[]);
        plan.steps = plans.get(place).cloned().unwrap_or_default();
        return Call::Begin(order(name, "ana", now), plan, Revision::Newest);
    }
    let states = [ApprovalState::Approved, ApprovalState::Approved, ApprovalState::Declined, ApprovalState::Withdrawn];
    let decision = decision(request, dice.pick(&states), dice.pick(&["ana", "ben", "ben"]));
    Call::Decide(request.id.clone(), decision, at(now))
}

fn call(dice: &mut Dice, plans: &[Vec<Step>], now: i64) -> Call {
    let case = dice.number(1, 3);
    let case_id = || format!("case_{case}").as_str().into();
    match dice.below(52) {
        46..=51 => way_in::call(dice, now),
        0..=6 => begin(dice, plans, now),
        7..=18 => apply(dice, plans, now),
        19 | 20 => Call::Import(vec![fact(dice), fact(dice)], at(now)),
        21 | 22 => way_in::tell(vec![fact(dice), fact(dice)], dice, now),
        23..=27 => Call::Settle(key(&format!("rec-{}", dice.below(9))), dice.number(0, 1), item_effect(dice), at(now)),
        28 => Call::Finish(key(dice.pick(&KEYS)), end(dice), at(now)),
        29 | 30 => Call::Claim(dice.pick(&["one", "two"]), dice.number(1, 3), minutes(dice.between(1, 60)), at(now)),
        31 | 32 => Call::EndLook(dice.pick(&RUNS).into(), dice.pick(&["one", "two"]), next(dice, now), at(now)),
        33 | 34 => {
            let (charge, run, ..) = dice.pick(&CHARGES);
            Call::Detect(detection(DetectionKind::Orphan, charge, dice.number(0, 3), run, now))
        }
        35 => Call::CloseDetections(dice.pick(&RUNS).into(), vec![], at(now)),
        36 => {
            let verdict = dice.pick(&[Verdict::UploadFailed, Verdict::ProviderFailed]);
            Call::Find(case_id(), Revision::Newest, finding(dice.pick(&RUNS), verdict, dice.between(1_000, 9_000)))
        }
        37 => Call::Draft(draft(case, dice.pick(&["ana", "ben"]), dice.pick(&["a", "b", "c"]), 0), dice.between(0, 2)),
        38 => {
            let (name, steps) = key_and_steps(dice, plans);
            let mut plan = plan(case, &[]);
            plan.steps = steps;
            Call::Ask(request(&format!("apr_{name}_{case}"), &plan, "ana", now))
        }
        39 | 40 => {
            let (sign, item) = (dice.pick(&SIGNS), dice.number(0, 3));
            Call::Capture(capture(dice.pick(&["job_1", "job_2"]), item, sign, 9, now))
        }
        41 | 42 => {
            let hold = dice.pick(&[0, 1, 60, 14 * 24 * 60]);
            Call::ClaimRemoval(removal(dice.pick(&SIGNS), hold), at(now))
        }
        43 | 44 => Call::EndRemoval(content(dice.pick(&SIGNS)), at(now)),
        _ => Call::Assign(case_id(), dice.pick(&[None, Some("ana".into())]), at(now)),
    }
}

/// Files that are saved and taken away; the first one is also the one that is delivered.
const SIGNS: [char; 2] = ['a', 'b'];

/// Where a run's output belongs.
fn home(run: &str) -> Place {
    node(match run {
        "run_3" => "w",
        "run_4" => "u2",
        _ => "u",
    })
}

const RUNS: [&str; 6] = ["run_1", "run_2", "run_3", "run_4", "run_5", "run_6"];

/// Charge, run, account, prices, balances.
type Charged = (&'static str, &'static str, &'static str, &'static [Credits], &'static [&'static str]);
const CHARGES: [Charged; 5] = [
    ("chg_1", "run_1", "acc_u", &[34, 33, 33], &["quota_u", "wallet_u"]),
    ("chg_2", "run_2", "acc_u", &[20, 20], &["wallet_u"]),
    ("chg_3", "run_3", "acc_w", &[50], &["pool"]),
    ("chg_4", "run_4", "acc_u", &[25], &["quota_u"]),
    ("chg_5", "run_5", "acc_u", &[0, 7], &["wallet_u"]),
];

/// Mostly where a run's output belongs.
fn place(dice: &mut Dice, run: &str) -> Place {
    match dice.below(12) {
        0 => Place::History { project_id: "prj_u".into() },
        1 => Place::Hold { project_id: "prj_u".into(), until: at(99_000) },
        2 => node("v"),
        3 => node("w"),
        _ => home(run),
    }
}

fn steps(dice: &mut Dice) -> Vec<Step> {
    (0..5)
        .map(|number| match dice.below(8) {
            0..=3 => {
                let (run, output) = (dice.pick(&RUNS), format!("new_{}", dice.below(6)));
                recover(run, dice.number(1, 2), &output, place(dice, run))
            }
            4 | 5 => Step::Do { effect: restoration(dice, number) },
            _ => Step::Do { effect: other(dice) },
        })
        .collect()
}

/// Mostly the price of an item, back to where it came from.
fn restoration(dice: &mut Dice, number: u64) -> Effect {
    let (charge, run, account, prices, balances) = dice.pick(&CHARGES);
    let numbered: Vec<(u32, Credits)> = (1..).zip(prices.iter().copied()).collect();
    let mut parts = vec![dice.pick(&numbered)];
    if dice.once_in(3) {
        parts.push(dice.pick(&numbered));
    }
    if dice.once_in(4) {
        for part in &mut parts {
            part.1 = dice.between(0, part.1 + 1);
        }
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
    match dice.below(8) {
        6 | 7 => {
            let refund = dice.pick(&["rfd_1", "rst_0_100", "rst_1_100", "rst_2_100"]);
            redebit(dice.pick(&RUNS), &[refund], dice.pick(&[20, 25, 33, 34, 50]), &[dice.number(1, 3)], 2_000)
        }
        0 | 1 => Effect::Move { output_id: dice.pick(&OUTPUTS).into(), place: place(dice, "run_1") },
        2 | 3 => Effect::Quarantine { output_id: dice.pick(&OUTPUTS).into(), reason: "foreign".into() },
        4 => Effect::OpenIncident { run_id: None, output_ids: vec!["out_1".into()], summary: "seen".into() },
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
            let epoch = dice.between(0, 2);
            let effect = match dice.below(8) {
                0 => release(run_id.as_str(), item, epoch),
                1 => deliver(run_id.as_str(), item, epoch, output_id.as_str(), place),
                _ => lease(run_id.as_str(), item, dice.pick(&[0, 30, 900, 5_000, 5_000])),
            };
            (dice.number(0, 3), effect)
        }
    };
    Call::Apply(key(name), number, part, effect, at(now))
}

/// What the reconciler does, or may not do.
fn item_effect(dice: &mut Dice) -> Effect {
    let (run, item) = (dice.pick(&RUNS), dice.number(1, 3));
    match dice.below(10) {
        0..=2 => lease(run, item, dice.pick(&[60, 900])),
        3 | 4 => deliver(run, item, dice.between(1, 3), &format!("new_{}", dice.below(6)), place(dice, run)),
        5..=7 => restoration(dice, 100),
        8 => other(dice),
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
            let (charge, run, _, prices, balances) = dice.pick(&CHARGES);
            let items = u32::try_from(prices.len()).unwrap_or(1);
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
