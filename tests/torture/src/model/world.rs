//! One charged item, and everybody who may settle it: recoveries, agents who restore, agents who release a late
//! result, the reconciler, the platform's late facts, and the sender of what goes out. Any of them can stop at
//! any point, and any answer can be lost; both go on with the key that they had.

use std::fmt;

use super::explore::World;
use super::protocol::{self, Ask, Decider, Fault, Letter, Phase, Record, Snap};
use super::rules::Rules;

/// How often each kind of mishap may happen on one way.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Stops in the middle.
    pub crashes: u8,
    /// Commits of which the answer is lost.
    pub lost: u8,
    /// Leases that run out.
    pub expiries: u8,
    /// What the platform may say.
    pub platform: Platform,
    pub cast: Cast,
}

/// Who is there beside the reconciler and the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cast {
    /// Two recoveries, and two agents who restore.
    Restoring,
    /// One of each, and two agents who each have the customer's word for one release.
    Releasing,
}

pub struct Model {
    rules: Rules,
    budget: Budget,
    decider: Decider,
}

/// The numbers of those who write: recoveries, agents, one reconciler, releasers; the platform is nobody.
pub const RECOVERIES: usize = 2;
pub const AGENTS: usize = 2;
/// Agents who release; the first one's number.
pub const RELEASERS: usize = 2;
const RELEASER: u8 = 6;
const RECONCILER: u8 = 5;
const PLATFORM: u8 = 0;

/// Where a recovery stands. What it knows is lost with a crash; what it journalled is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Recovery {
    Idle,
    /// Read the item, to lease it.
    Saw(Snap),
    Leased(u8),
    Fetched(u8),
    /// The file is not to be had.
    Failed(u8),
    SawToDeliver(Snap, u8),
    SawToRelease(Snap, u8),
    /// Delivered; the letter is still to be written, where that is a step of its own.
    OwesLetter,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Restoring {
    Idle,
    Saw(Snap),
    Over,
}

/// What a recovery has in the journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Receipts {
    /// Epoch of its lease; 0: none.
    pub leased: u8,
    pub over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub record: Record,
    pub recoveries: [Recovery; RECOVERIES],
    pub receipts: [Receipts; RECOVERIES],
    pub agents: [Restoring; AGENTS],
    /// Which agents have a receipt of their restoration.
    pub restored: [bool; AGENTS],
    pub releasers: [Restoring; RELEASERS],
    /// Which of them have a receipt of their release.
    pub released: [bool; RELEASERS],
    pub reconciler: Restoring,
    pub looks: u8,
    pub crashes: u8,
    pub lost: u8,
    pub expiries: u8,
    pub platform: Platform,
}

/// The platform's facts that may still come, once each. None of them can be counted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Platform(u8);

impl Platform {
    const SILENT: Self = Self(0);
    /// Everything but that a delivered file is damaged.
    pub const TERSE: Self = Self(0b0111);
    pub const TALKATIVE: Self = Self(0b1111);
    const FACTS: [(u8, Ask, &'static str); 4] = [
        (0b0001, Ask::Deliver { epoch: 0 }, "says that it delivered"),
        (0b0010, Ask::Refund, "says that it refunded"),
        (0b0100, Ask::FactReversed, "says that it took the refund back"),
        (0b1000, Ask::FactDamaged, "says that the file is damaged"),
    ];

    fn may_say(self, fact: u8) -> bool {
        self.0 & fact != 0
    }

    fn without(self, fact: u8) -> Self {
        Self(self.0 & !fact)
    }
}

impl State {
    /// The same state for all that can still happen, where seq is compared: an old reading is only
    /// ever found to be old, the numbers themselves mean nothing, and agents are alike.
    fn forget(&mut self) {
        let current = self.record.seq;
        let known = |snap: &mut Snap| *snap = snap.seen_from(current);
        for recovery in &mut self.recoveries {
            match recovery {
                Recovery::Saw(snap) | Recovery::SawToDeliver(snap, _) | Recovery::SawToRelease(snap, _) => known(snap),
                _ => {}
            }
        }
        for actor in self.agents.iter_mut().chain(&mut self.releasers).chain([&mut self.reconciler]) {
            if let Restoring::Saw(snap) = actor {
                known(snap);
            }
        }
        self.record.seq = Snap::CURRENT;
        if (self.recoveries[0], self.receipts[0]) > (self.recoveries[1], self.receipts[1]) {
            self.swap_recoveries();
        }
        if (self.agents[0], self.restored[0]) > (self.agents[1], self.restored[1]) {
            self.agents.swap(0, 1);
            self.restored.swap(0, 1);
        }
        if (self.releasers[0], self.released[0]) > (self.releasers[1], self.released[1]) {
            self.releasers.swap(0, 1);
            self.released.swap(0, 1);
        }
    }

    fn swap_recoveries(&mut self) {
        self.recoveries.swap(0, 1);
        self.receipts.swap(0, 1);
        self.record.swap_holders();
        for recovery in &mut self.recoveries {
            match recovery {
                Recovery::Saw(snap) | Recovery::SawToDeliver(snap, _) | Recovery::SawToRelease(snap, _) => {
                    snap.swap_holders();
                }
                _ => {}
            }
        }
        for actor in self.agents.iter_mut().chain(&mut self.releasers).chain([&mut self.reconciler]) {
            if let Restoring::Saw(snap) = actor {
                snap.swap_holders();
            }
        }
    }
}

/// What happened, for people.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    who: &'static str,
    number: u8,
    what: &'static str,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = if self.number == 0 { String::new() } else { format!(" {}", self.number) };
        write!(f, "{}{number} {}", self.who, self.what)
    }
}

/// How a commit went.
enum Written {
    Done(Record),
    Refused,
    /// Somebody was faster: read again.
    Conflict,
}

type Steps = Vec<(Step, State)>;

impl Model {
    pub fn new(rules: Rules, budget: Budget) -> Self {
        Self { rules, budget, decider: Decider::new(rules) }
    }

    fn write(&self, now: &Record, snap: Snap, ask: Ask, by: u8) -> Written {
        if self.rules.compare_seq && now.seq != snap.seq {
            return Written::Conflict;
        }
        match self.decider.decide(snap, ask, by) {
            Some(next) => protocol::apply(&self.rules, now, snap, &next).map_or(Written::Conflict, Written::Done),
            None => Written::Refused,
        }
    }

    fn recovery(&self, state: &State, index: usize, steps: &mut Steps) {
        let by = u8::try_from(index + 1).unwrap_or_default();
        let mut tell = |what, next: State| steps.push((Step { who: "recovery", number: by, what }, next));
        let with = |pc| {
            let mut next = *state;
            next.recoveries[index] = pc;
            next
        };
        let (record, receipts) = (&state.record, state.receipts[index]);
        match state.recoveries[index] {
            Recovery::Idle if receipts.over => tell("hears that it is over", with(Recovery::Over)),
            Recovery::Idle if receipts.leased > 0 => {
                tell("hears of its lease", with(Recovery::Leased(receipts.leased)))
            }
            Recovery::Idle => tell("reads", with(Recovery::Saw(record.snap()))),
            Recovery::Saw(snap) => match self.write(record, snap, Ask::Lease, by) {
                Written::Done(record) => {
                    let mut next = with(Recovery::Leased(record.epoch));
                    next.record = record;
                    next.receipts[index].leased = record.epoch;
                    tell("leases", next);
                    self.unheard(next, index, |next| tell("leases, unheard", next));
                }
                Written::Refused => tell("is refused the lease", with(Recovery::Over)),
                Written::Conflict => tell("is too late to lease", with(Recovery::Idle)),
            },
            Recovery::Leased(epoch) => {
                let mut fetched = with(Recovery::Fetched(epoch));
                if !self.rules.record_first && protocol::held_by(record, by, epoch) {
                    fetched.record.shown = true;
                }
                tell("fetches the file", fetched);
                tell("cannot fetch the file", with(Recovery::Failed(epoch)));
            }
            Recovery::Fetched(epoch) => tell("reads to deliver", with(Recovery::SawToDeliver(record.snap(), epoch))),
            Recovery::Failed(epoch) => tell("reads to release", with(Recovery::SawToRelease(record.snap(), epoch))),
            Recovery::SawToDeliver(snap, epoch) => match self.write(record, snap, Ask::Deliver { epoch }, by) {
                Written::Done(record) => {
                    let after = if self.rules.letter_with_effect { Recovery::Over } else { Recovery::OwesLetter };
                    let mut next = with(after);
                    next.record = record;
                    next.receipts[index].over = true;
                    tell("delivers", next);
                    self.unheard(next, index, |next| tell("delivers, unheard", next));
                }
                Written::Refused => tell("is refused to deliver", with(Recovery::Over)),
                Written::Conflict => tell("is too late to deliver", with(Recovery::Fetched(epoch))),
            },
            Recovery::SawToRelease(snap, epoch) => match self.write(record, snap, Ask::Release { epoch }, by) {
                Written::Done(record) => {
                    let mut next = with(Recovery::Over);
                    next.record = record;
                    next.receipts[index].over = true;
                    tell("releases", next);
                    self.unheard(next, index, |next| tell("releases, unheard", next));
                }
                Written::Refused => tell("has lost the lease", with(Recovery::Over)),
                Written::Conflict => tell("is too late to release", with(Recovery::Failed(epoch))),
            },
            Recovery::OwesLetter => {
                let mut next = with(Recovery::Over);
                next.record.letter = Letter::Waiting;
                tell("writes the letter", next);
            }
            Recovery::Over => {}
        }
        let volatile = !matches!(state.recoveries[index], Recovery::Idle | Recovery::Over);
        if volatile && state.crashes < self.budget.crashes {
            let mut next = with(Recovery::Idle);
            next.crashes += 1;
            tell("crashes", next);
        }
    }

    /// The same commit with its answer lost: the recovery asks again.
    fn unheard(&self, mut next: State, index: usize, tell: impl FnOnce(State)) {
        if next.lost < self.budget.lost {
            next.lost += 1;
            next.recoveries[index] = Recovery::Idle;
            tell(next);
        }
    }

    fn agent(&self, state: &State, index: usize, steps: &mut Steps) {
        let by = u8::try_from(index + 1).unwrap_or_default();
        let mut tell = |what, next: State| steps.push((Step { who: "agent", number: by, what }, next));
        let with = |pc| {
            let mut next = *state;
            next.agents[index] = pc;
            next
        };
        match state.agents[index] {
            Restoring::Idle if state.restored[index] => tell("hears of the restoration", with(Restoring::Over)),
            Restoring::Idle => tell("reads", with(Restoring::Saw(state.record.snap()))),
            Restoring::Saw(snap) => {
                match self.write(&state.record, snap, Ask::Refund, by + 2) {
                    Written::Done(record) => {
                        let mut next = with(Restoring::Over);
                        next.record = record;
                        next.restored[index] = true;
                        tell("restores", next);
                        if state.lost < self.budget.lost {
                            next.agents[index] = Restoring::Idle;
                            next.lost += 1;
                            tell("restores, unheard", next);
                        }
                    }
                    Written::Refused => tell("is told who was first", with(Restoring::Over)),
                    Written::Conflict => tell("is too late", with(Restoring::Idle)),
                }
                if state.crashes < self.budget.crashes {
                    let mut next = with(Restoring::Idle);
                    next.crashes += 1;
                    tell("crashes", next);
                }
            }
            Restoring::Over => {}
        }
    }

    /// Gives a late result against a new debit, once, by the customer's word for it. A review of what is not
    /// refunded is refused, so that nobody begins before.
    fn releaser(&self, state: &State, index: usize, steps: &mut Steps) {
        let number = u8::try_from(index + 1).unwrap_or_default();
        let mut tell = |what, next: State| steps.push((Step { who: "releaser", number, what }, next));
        let with = |pc| {
            let mut next = *state;
            next.releasers[index] = pc;
            next
        };
        match state.releasers[index] {
            Restoring::Idle if state.released[index] && self.rules.release_once => {
                tell("hears of the release", with(Restoring::Over));
            }
            Restoring::Idle if state.record.phase == Phase::Refunded || !self.rules.refund_stands => {
                tell("reads", with(Restoring::Saw(state.record.snap())));
            }
            Restoring::Idle | Restoring::Over => {}
            Restoring::Saw(snap) => {
                match self.write(&state.record, snap, Ask::Redebit, RELEASER + number) {
                    Written::Done(record) => {
                        let mut next = with(Restoring::Over);
                        next.record = record;
                        next.released[index] = true;
                        tell("releases", next);
                        if state.lost < self.budget.lost {
                            next.releasers[index] = Restoring::Idle;
                            next.lost += 1;
                            tell("releases, unheard", next);
                        }
                    }
                    Written::Refused => tell("is told who was first", with(Restoring::Over)),
                    Written::Conflict => tell("is too late", with(Restoring::Idle)),
                }
                if state.crashes < self.budget.crashes {
                    let mut next = with(Restoring::Idle);
                    next.crashes += 1;
                    tell("crashes", next);
                }
            }
        }
    }

    /// Looks at what is open: ends a lease that is over, then restores; leaves a live one alone.
    fn reconciler(&self, state: &State, steps: &mut Steps) {
        let mut tell = |what, next: State| steps.push((Step { who: "reconciler", number: 0, what }, next));
        let with = |pc| State { reconciler: pc, ..*state };
        match state.reconciler {
            Restoring::Idle => {
                let snap = state.record.snap();
                let may_look = self.rules.sweep || state.looks == 0;
                if may_look && snap.phase.is_open() && !snap.leased() {
                    let looks = if self.rules.sweep { 0 } else { 1 };
                    tell("looks", State { looks, ..with(Restoring::Saw(snap)) });
                }
            }
            Restoring::Saw(snap) => {
                let (ask, what) = if snap.phase == Phase::Delivering {
                    (Ask::Fence, "ends the lease")
                } else {
                    (Ask::Refund, "restores")
                };
                match self.write(&state.record, snap, ask, RECONCILER) {
                    Written::Done(record) => tell(what, State { record, ..with(Restoring::Idle) }),
                    Written::Refused => tell("is refused", with(Restoring::Idle)),
                    Written::Conflict => tell("is too late", with(Restoring::Idle)),
                }
                if state.crashes < self.budget.crashes {
                    tell("crashes", State { crashes: state.crashes + 1, ..with(Restoring::Idle) });
                }
            }
            Restoring::Over => {}
        }
    }

    /// Time, the platform, and the sender of letters.
    fn surroundings(&self, state: &State, steps: &mut Steps) {
        let mut tell = |who, what, next: State| steps.push((Step { who, number: 0, what }, next));
        if state.record.snap().leased() && state.expiries < self.budget.expiries {
            let mut next = State { expiries: state.expiries + 1, ..*state };
            next.record.live = false;
            tell("the lease", "runs out", next);
        }
        if state.platform != Platform::SILENT {
            tell("the platform", "says no more", State { platform: Platform::SILENT, ..*state });
        }
        for (fact, ask, what) in Platform::FACTS {
            let snap = state.record.snap();
            let unknown_to_it = ask == Ask::FactDamaged && state.record.letter == Letter::Waiting;
            if state.platform.may_say(fact)
                && !unknown_to_it
                && let Written::Done(record) = self.write(&state.record, snap, ask, PLATFORM)
            {
                tell("the platform", what, State { record, platform: state.platform.without(fact), ..*state });
            }
        }
        self.letter(state, steps);
    }

    /// What goes out is sent until it is acknowledged; the canvas takes the same letter once.
    fn letter(&self, state: &State, steps: &mut Steps) {
        let mut tell = |what, next: State| steps.push((Step { who: "the letter", number: 0, what }, next));
        let mut next = *state;
        match state.record.letter {
            Letter::Waiting => {
                next.record.shown = true;
                next.record.letter = Letter::Sent;
                tell("arrives", next);
                if state.lost < self.budget.lost {
                    next.record.letter = Letter::Unheard;
                    tell("arrives, unheard", State { lost: state.lost + 1, ..next });
                }
            }
            Letter::Unheard => {
                next.record.shown |= !self.rules.letter_once;
                next.record.letter = Letter::Sent;
                tell("arrives again", next);
            }
            Letter::None | Letter::Sent => {}
        }
    }
}

impl World for Model {
    type State = State;
    type Step = Step;

    fn start(&self) -> State {
        let (recoveries, agents, releasers) = match self.budget.cast {
            Cast::Restoring => ([Recovery::Idle; RECOVERIES], [Restoring::Idle; AGENTS], [Restoring::Over; RELEASERS]),
            Cast::Releasing => {
                ([Recovery::Idle, Recovery::Over], [Restoring::Idle, Restoring::Over], [Restoring::Idle; RELEASERS])
            }
        };
        State {
            record: Record::charged(),
            recoveries,
            receipts: [Receipts::default(); RECOVERIES],
            agents,
            restored: [false; AGENTS],
            releasers,
            released: [false; RELEASERS],
            reconciler: Restoring::Idle,
            looks: 0,
            crashes: 0,
            lost: 0,
            expiries: 0,
            platform: self.budget.platform,
        }
    }

    fn next(&self, state: &State, steps: &mut Steps) {
        let before = steps.len();
        for index in 0..RECOVERIES {
            self.recovery(state, index, steps);
        }
        for index in 0..AGENTS {
            self.agent(state, index, steps);
        }
        for index in 0..RELEASERS {
            self.releaser(state, index, steps);
        }
        self.reconciler(state, steps);
        self.surroundings(state, steps);
        if self.rules.compare_seq {
            steps[before..].iter_mut().for_each(|(_, next)| next.forget());
        }
    }

    fn wrong(&self, state: &State) -> Option<&'static str> {
        let record = &state.record;
        match record.fault {
            Fault::None => {}
            Fault::Gap => return Some("I3: a transition was written over another"),
            Fault::UnderLease => return Some("credits were restored under a live lease"),
        }
        if !(0..=1).contains(&record.returned) {
            return Some("I2: more was returned than was charged, or less than nothing");
        }
        let agreed = state.released.iter().filter(|released| **released).count();
        if usize::from(record.released) > agreed {
            return Some("P4: charged again more often than the customer agreed");
        }
        if record.delivered && record.returned > 0 {
            return Some("I5: delivered and refunded");
        }
        if record.shown && record.returned > 0 {
            return Some("I6: shown on the canvas and refunded");
        }
        None
    }

    fn wrong_at_rest(&self, state: &State) -> Option<&'static str> {
        let record = &state.record;
        match record.phase {
            Phase::Delivered if record.returned != 0 => Some("I5: delivered, and the charge does not stand"),
            Phase::Delivered if !record.shown => Some("I7: delivered, and never shown"),
            Phase::Refunded if record.returned != 1 => Some("I5: refunded, and the credits did not come back"),
            Phase::Delivered | Phase::Refunded => None,
            _ => Some("at rest, and not settled"),
        }
    }
}
