//! One seed: a house with its people, played from the first run to the last remedy.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::{Context, Waker};

use jiff::{SignedDuration, Timestamp};
use makegood_domain::plan::ActionKind;
use makegood_domain::policy::Policy;
use makegood_domain::ports::{Clock as _, FactStore as _, Person, Role, Store};
use makegood_domain::settlement::State;
use makegood_testkit::MemoryStore;

use super::Sum;
use super::checks::{Charged, PROMISE, Witness};
use super::fates::{Fate, Press, Story, charge_id, ground, run_id, story};
use super::house::{House, Line};
use super::outside::{Mill, OTHER, PROVIDER, Weather};
use super::people::{self, Task, Tasks};
use super::plant::Plant;
use super::rest;
use super::second;
use super::timeline::{Timeline, Waits, later};
use crate::dice::Dice;

/// Runs are pressed for this long, and then everything comes to rest.
const PRESSED: SignedDuration = SignedDuration::from_hours(8);
const WHOLE: SignedDuration = SignedDuration::from_hours(38);
/// A program ends or is stopped once in so many turns.
const TURNS_A_MISHAP: i64 = 750;
/// What agents work at has few turns, and most of what can go wrong is between two of them.
const TURNS_OF_AGENTS: i64 = 75;
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// The reconcilers, and how often each comes by.
const OFTEN: &[(&str, i64)] = &[("rec-1", 5), ("rec-2", 15)];
/// In some houses nobody comes by more often than each hour, and in some there is only one.
const HOURLY: &[(&str, i64)] = &[("rec-1", 60), ("rec-2", 60)];
const LONE: &[(&str, i64)] = &[("rec-1", 60)];
/// Of 100 houses, and of 100 of those.
const HOURLY_OF_100: u32 = 35;
const LONE_OF_100: u32 = 50;
/// Of 100 houses those with a provider that takes minutes for everything, one reconciler that comes by
/// each hour, once its machine is on, and many runs that were pressed at about the same time.
const SLOW_OF_100: u32 = 4;
const RUSH: SignedDuration = SignedDuration::from_hours(4);
const RUNS_OF_RUSH: u32 = 40;
/// Half of these machines are on only in the last two of these.
const OFF_HOURS: i64 = 22;

/// Credits that an agent may restore alone, in one posting and in one day.
const PER_POSTING: i64 = 75;
const PER_DAY: i64 = 160;
/// Who says yes to more.
const APPROVER: &str = "cyd";

/// What befalls a program.
enum Mishap {
    Ends,
    /// It stands still, and goes on where it was.
    Stops,
}

/// How long a program is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// Until it has told everything.
    Feeds,
    /// Until the last ticket.
    Tickets,
    /// Until the end.
    Stays,
    /// The same, and the promise rests on it.
    Reconciles,
}

impl Work {
    /// Turns until something befalls a program.
    fn spared(self, dice: &mut Dice) -> u64 {
        let turns = if self == Self::Tickets { TURNS_OF_AGENTS } else { TURNS_A_MISHAP };
        dice.between(1, 2 * turns).unsigned_abs()
    }
}

/// A program at work, and how it is started again.
struct Actor {
    program: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    wakes: Timestamp,
    start: Box<dyn FnMut() -> Pin<Box<dyn Future<Output = ()> + Send>>>,
    work: Work,
    /// Turns until something befalls it.
    spared: u64,
    /// It was stopped, and has not gone on yet.
    stopped: bool,
}

/// One seed.
pub struct Tale {
    store: Arc<MemoryStore>,
    house: Arc<House>,
    dice: Dice,
    actors: Vec<Actor>,
    stories: Vec<Story>,
    policy: Policy,
    reconcilers: &'static [(&'static str, i64)],
    /// Until when the reconcilers' machine is off.
    off_until: Timestamp,
    slow: bool,
    end: Timestamp,
}

impl Tale {
    pub fn new(seed: u64, policy: &Policy, plant: &Plant, slow: bool) -> anyhow::Result<Self> {
        let start = Timestamp::from_second(1_790_000_000)?;
        let mut dice = Dice::new(seed, "sim");
        let timeline = Timeline::new(start);
        let customers = 2 + u32::try_from(dice.below(3))?;
        let mut of_slow = Dice::new(seed, "slow");
        let slow = of_slow.chance(SLOW_OF_100) || slow;
        let earliest = if of_slow.chance(50) { OFF_HOURS - 2 } else { 0 };
        let off = SignedDuration::from_mins(if slow { of_slow.between(60 * earliest, 60 * OFF_HOURS) } else { 0 });
        let reconcilers = match (dice.chance(HOURLY_OF_100), dice.chance(LONE_OF_100)) {
            _ if slow => LONE,
            (true, true) => LONE,
            (true, false) => HOURLY,
            (false, _) => OFTEN,
        };
        let stories = stories(customers, start, slow, &mut dice)?;
        let outages = outages(start, &stories, &mut dice);
        let weather = Weather { other_is_slow: slow, ..weather(&mut dice) };
        let mill = Mill::new(&timeline, Dice::new(seed, "mill"), outages, weather);
        let store = Arc::new(MemoryStore::new());
        let shared = Arc::clone(&store) as Arc<dyn Store>;
        let house = Arc::new(House::new(timeline, mill, shared, policy.clone(), plant, Dice::new(seed, "link")));
        let mut tale = Self {
            store,
            house,
            stories,
            policy: policy.clone(),
            reconcilers,
            actors: Vec::new(),
            off_until: later(start, off),
            slow,
            end: later(start, WHOLE),
            dice,
        };
        tale.furnish(customers, start)?;
        tale.people(seed);
        Ok(tale)
    }

    /// What stands before the first run.
    fn furnish(&self, customers: u32, start: Timestamp) -> anyhow::Result<()> {
        let facts = ground(customers, start)?;
        let report = at_once(self.store.import(&facts, start))??;
        anyhow::ensure!(report.rejected.is_empty(), "the ground is not taken: {:?}", report.rejected);
        for (name, role) in [("ana", Role::Agent), ("ben", Role::Agent), (APPROVER, Role::Approver)] {
            let person = Person {
                id: name.into(),
                name: name.to_owned(),
                roles: vec![role],
                per_posting: PER_POSTING,
                per_day: PER_DAY,
            };
            at_once(self.house.store.put_person(&person, start))??;
        }
        Ok(())
    }

    fn people(&mut self, seed: u64) {
        let stories = std::mem::take(&mut self.stories);
        let mut said: Vec<_> = stories.iter().flat_map(|story| story.said.clone()).collect();
        said.sort_by_key(|(at, _)| *at);
        for story in &stories {
            self.house.mill.submit(story.job.clone(), story.job_fate.clone());
        }
        let (said, taken) = (Arc::new(said), Arc::new(AtomicUsize::new(0)));
        self.employ(Work::Feeds, move |house| Box::pin(people::feed(house, Arc::clone(&said), Arc::clone(&taken))));
        let line = self.line();
        for (name, every) in self.reconcilers {
            let every = SignedDuration::from_mins(*every);
            self.employ(Work::Reconciles, move |house| Box::pin(people::reconciler(house, name, every, line)));
        }
        let leaves = self.dice.chance(15).then(|| later(self.house.timeline.now(), HOUR * 12));
        self.employ(Work::Stays, move |house| {
            let dice = Dice::new(seed.wrapping_add(house.next_id() << 32), "approver");
            Box::pin(second::approver(house, APPROVER, leaves, dice))
        });
        for (name, task) in self.tickets(&stories) {
            // Each in a window of its own.
            let tasks = Tasks::new(vec![task].into());
            self.employ(Work::Tickets, move |house| {
                let dice = Dice::new(seed.wrapping_add(house.next_id() << 32), name);
                Box::pin(people::agent(house, name, Arc::clone(&tasks), dice))
            });
        }
        self.stories = stories;
    }

    /// The tickets of two agents: about some of the runs, minutes to a day after them. About some runs
    /// both have one, at about the same time: the same, or another one that the customer wrote.
    fn tickets(&mut self, stories: &[Story]) -> Vec<(&'static str, Task)> {
        let mut tasks = Vec::new();
        for story in stories {
            // Customers seldom write about what is there, and mostly while they wait for it.
            if self.dice.chance(if story.fate == Fate::Delivered { 80 } else { 20 }) {
                continue;
            }
            let minutes = match self.dice.below(100) {
                0..50 => self.dice.between(1, 15),
                50..85 => self.dice.between(10, 60),
                _ => self.dice.between(60, 25 * 60),
            };
            let mut at = later(story.start, SignedDuration::from_mins(minutes));
            let written = at;
            let desks = match self.dice.below(10) {
                0..4 => &["ana", "ben"][..],
                4..8 => &["ben", "ana"],
                8 => &["ana"],
                _ => &["ben"],
            };
            let mut prefers = self.prefers();
            for (place, name) in desks.iter().enumerate() {
                let second = place > 0 && self.dice.chance(70);
                let about = (story.number, story.account);
                tasks.push((*name, Task::new(at, written, about, prefers, second)));
                at = later(at, SignedDuration::from_secs(self.dice.between(0, 60)));
                prefers = if self.dice.chance(60) { prefers } else { self.prefers() };
            }
        }
        tasks
    }

    fn prefers(&mut self) -> ActionKind {
        if self.dice.chance(50) { ActionKind::Restore } else { ActionKind::Recover }
    }

    fn employ(
        &mut self,
        work: Work,
        mut start: impl FnMut(Arc<House>) -> Pin<Box<dyn Future<Output = ()> + Send>> + 'static,
    ) {
        let house = Arc::clone(&self.house);
        let mut start: Box<dyn FnMut() -> _> = Box::new(move || start(Arc::clone(&house)));
        let spared = work.spared(&mut self.dice);
        let wakes = if work == Work::Reconciles { self.off_until } else { Timestamp::MIN };
        self.actors.push(Actor { program: Some(start()), wakes, start, work, spared, stopped: false });
    }

    pub fn play(mut self, sum: &mut Sum) -> Result<(), String> {
        let seldom =
            self.reconcilers.iter().map(|(_, every)| SignedDuration::from_mins(*every)).max().unwrap_or_default();
        let patience = self.policy.settle_after(seldom).min(self.policy.recover_until());
        let mut witness =
            Witness::new(self.stories.iter().map(|story| charged(story, &self.house.mill)).collect(), patience);
        let timeline = Arc::clone(&self.house.timeline);
        let mut next_hour = later(timeline.now(), HOUR);
        let started = timeline.now();
        while timeline.now() < self.end {
            let now = timeline.now();
            let ready: Vec<usize> = (0..self.actors.len()).filter(|place| self.actors[*place].wakes <= now).collect();
            if ready.is_empty() {
                let wakes = self.actors.iter().map(|actor| actor.wakes).min().unwrap_or(Timestamp::MAX);
                timeline.advance_to(wakes.min(next_hour).min(self.end));
                if timeline.now() >= next_hour {
                    next_hour = later(next_hour, HOUR);
                    self.hourly(&witness)?;
                }
                continue;
            }
            let place = ready[self.dice.index(ready.len())];
            self.turn(place, sum);
            if let Some(call) = self.house.link.last_write() {
                let wrong = witness.look(&self.store, call, &self.house.probe, timeline.now());
                if let Some(wrong) = wrong.or_else(|| self.house.probe.wrong()) {
                    return Err(format!("after {call:?} at {}: {wrong}", timeline.now()));
                }
            }
        }
        rest::look(&rest::Rest {
            store: &self.store,
            house: &self.house,
            stories: &self.stories,
            witness: &witness,
            policy: &self.policy,
        })?;
        sum.seeds += 1;
        sum.virtual_time += timeline.now().duration_since(started);
        sum.calls += self.house.link.calls();
        sum.delivered += witness.count(State::Delivered);
        sum.refunded += witness.count(State::Refunded);
        sum.leases += witness.leases();
        sum.out_over_24 += witness.unheard();
        sum.met.add_all(&self.house.probe.met());
        if self.slow {
            // Those who were waited for while the machine was off say nothing of how long a remedy takes.
            sum.slow += 1;
            return Ok(());
        }
        let waits = witness.into_waits();
        if self.reconcilers != OFTEN {
            sum.hourly += 1;
            sum.hourly_waits.extend(&waits);
        }
        sum.waits.extend(waits);
        Ok(())
    }

    /// How the reconcilers of this house reach the record.
    fn line(&self) -> Line {
        match self.reconcilers {
            LONE | HOURLY => Line::Spared,
            _ => Line::Near,
        }
    }

    /// What befalls a program in this turn, and how long it takes: seldom anything.
    fn mishap(&mut self, place: usize) -> Option<(Mishap, SignedDuration)> {
        let actor = &mut self.actors[place];
        actor.spared = actor.spared.saturating_sub(1);
        if actor.spared > 0 {
            return None;
        }
        let work = actor.work;
        self.actors[place].spared = work.spared(&mut self.dice);
        let (strikes, longest) = match work {
            Work::Reconciles => (self.house.luck.leaves(self.house.timeline.now()), 40),
            _ => (true, 90),
        };
        let mishap = if self.dice.chance(50) { Mishap::Ends } else { Mishap::Stops };
        strikes.then(|| (mishap, SignedDuration::from_mins(self.dice.between(1, longest))))
    }

    /// One turn of one program.
    fn turn(&mut self, place: usize, sum: &mut Sum) {
        let timeline = Arc::clone(&self.house.timeline);
        let mishap = self.mishap(place);
        let actor = &mut self.actors[place];
        let mut program = match actor.program.take() {
            Some(program) => program,
            None => (actor.start)(),
        };
        match mishap {
            Some((Mishap::Ends, time)) => {
                (actor.wakes, actor.stopped) = (later(timeline.now(), time), false);
                sum.crashes += 1;
                return;
            }
            Some((Mishap::Stops, time)) => {
                (actor.wakes, actor.stopped, actor.program) = (later(timeline.now(), time), true, Some(program));
                sum.stops += 1;
                return;
            }
            None => {}
        }
        let went_on = std::mem::take(&mut actor.stopped).then(|| timeline.now());
        self.house.probe.turn_of(place, went_on);
        let mut context = Context::from_waker(Waker::noop());
        match timeline.turn_of(program.as_mut(), &mut context) {
            Some(waits) => {
                actor.wakes = if let Waits::Until(instant) = waits { instant } else { timeline.now() };
                actor.program = Some(program);
            }
            None => {
                actor.wakes =
                    if matches!(actor.work, Work::Stays | Work::Reconciles) { timeline.now() } else { Timestamp::MAX }
            }
        }
    }

    fn hourly(&self, witness: &Witness) -> Result<(), String> {
        let now = self.house.timeline.now();
        if let Some(late) = witness.overdue(&self.house.probe, now).or_else(|| self.house.probe.wrong()) {
            return Err(format!("the promise is broken at {now}: {late}"));
        }
        let breaks = self.store.breaks();
        if breaks.is_empty() { Ok(()) } else { Err(format!("the books at {now}: {}", breaks.join("; "))) }
    }
}

fn charged(story: &Story, mill: &Mill) -> (String, Charged) {
    let troubled = story.fate != Fate::Delivered;
    let (run, job) = (run_id(story.number), story.job_fate.clone());
    let out_since = mill.out_at(later(story.start, PROMISE));
    (charge_id(story.number), Charged { at: story.start, troubled, run, job, out_since })
}

/// The runs that will be pressed. Some are the customer's own retry of an earlier one.
fn stories(customers: u32, start: Timestamp, slow: bool, dice: &mut Dice) -> anyhow::Result<Vec<Story>> {
    let mut stories: Vec<Story> = Vec::new();
    let (more, within) = if slow { (RUNS_OF_RUSH, RUSH) } else { (0, PRESSED) };
    for number in 0..8 + more + u32::try_from(dice.below(10))? {
        let pressed = later(start, SignedDuration::from_secs(dice.between(60, within.as_secs())));
        let customer = u32::try_from(dice.below(u64::from(customers)))?;
        let before = stories.iter().filter(|story| story.account == customer && story.start < pressed);
        let before: Vec<u32> = before.map(|story| story.number).collect();
        let retry_of = if dice.chance(20) { before.get(dice.index(before.len())).copied() } else { None };
        let provider = if number % 2 == 0 { PROVIDER } else { OTHER };
        stories.push(story(Press { number, account: customer, start: pressed, provider, retry_of }, dice)?);
    }
    Ok(stories)
}

/// The answer of a call that waits for nothing.
pub fn at_once<T>(call: impl Future<Output = T>) -> anyhow::Result<T> {
    let mut call = std::pin::pin!(call);
    match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        std::task::Poll::Ready(answer) => Ok(answer),
        std::task::Poll::Pending => anyhow::bail!("the record in memory waits for something"),
    }
}

fn weather(dice: &mut Dice) -> Weather {
    let mut percent = |most: u64| u32::try_from(dice.below(most)).unwrap_or_default();
    Weather {
        answers_lost: percent(12),
        transfers_cut: percent(25),
        vault_fails: percent(4),
        transfers_slow: percent(20),
        other_is_slow: false,
    }
}

/// Mostly none, sometimes an hour or two, seldom most of a day. Some lie over hour 24 of a charge, and
/// some of those began before its job was done.
fn outages(start: Timestamp, stories: &[Story], dice: &mut Dice) -> Vec<(Timestamp, Timestamp)> {
    let mut outages = Vec::new();
    if dice.chance(30) {
        let from = later(start, SignedDuration::from_mins(dice.between(0, 900)));
        let hours = if dice.chance(10) { dice.between(3, 30) } else { dice.between(1, 2) };
        outages.push((from, later(from, SignedDuration::from_hours(hours))));
    }
    if let Some(story) = stories.get(dice.index(stories.len())).filter(|_| dice.chance(8)) {
        let early = if dice.chance(25) { dice.between(0, 60) } else { dice.between(18 * 60, 24 * 60 - 1) };
        let over = later(story.start, PROMISE + SignedDuration::from_mins(dice.between(1, 300)));
        outages.push((later(story.start, SignedDuration::from_mins(early)), over));
    }
    outages
}
