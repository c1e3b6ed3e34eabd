//! One seed: a house with its people, played from the first run to the last remedy.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::{Context, Waker};

use jiff::{SignedDuration, Timestamp};
use makegood_domain::plan::ActionKind;
use makegood_domain::policy::Policy;
use makegood_domain::ports::{ApprovalStore as _, Clock as _, FactStore as _, Person, Role, Store};
use makegood_domain::settlement::State;
use makegood_testkit::MemoryStore;

use super::Sum;
use super::checks::{Charged, Witness};
use super::fates::{Fate, Story, charge_id, ground, run_id, story};
use super::house::{House, LIMIT};
use super::outside::{Mill, Weather};
use super::people::{self, Task, Tasks};
use super::plant::Plant;
use super::rest;
use super::timeline::{Timeline, Waits, later};
use crate::dice::Dice;

/// Runs are pressed for this long, and then everything comes to rest.
const PRESSED: SignedDuration = SignedDuration::from_hours(8);
const WHOLE: SignedDuration = SignedDuration::from_hours(38);
/// A program ends once in so many turns.
const TURNS_A_CRASH: u64 = 1_500;
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// The reconcilers, and how often each comes by.
const RECONCILERS: [(&str, i64); 2] = [("rec-1", 5), ("rec-2", 15)];

/// A program at work, and how it is started again.
struct Actor {
    program: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    wakes: Timestamp,
    start: Box<dyn FnMut() -> Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// Starts again by itself when it is done.
    stays: bool,
}

/// One seed.
pub struct Tale {
    store: Arc<MemoryStore>,
    house: Arc<House>,
    dice: Dice,
    actors: Vec<Actor>,
    stories: Vec<Story>,
    policy: Policy,
    end: Timestamp,
}

impl Tale {
    pub fn new(seed: u64, policy: &Policy, plant: &Plant) -> anyhow::Result<Self> {
        let start = Timestamp::from_second(1_790_000_000)?;
        let mut dice = Dice::new(seed, "sim");
        let timeline = Timeline::new(start);
        let customers = 2 + u32::try_from(dice.below(3))?;
        let mut stories = Vec::new();
        for number in 0..8 + u32::try_from(dice.below(10))? {
            let pressed = later(start, SignedDuration::from_secs(dice.between(60, PRESSED.as_secs())));
            let customer = u32::try_from(dice.below(u64::from(customers)))?;
            stories.push(story(number, customer, pressed, &mut dice)?);
        }
        let mill = Mill::new(&timeline, Dice::new(seed, "mill"), outages(start, &mut dice), weather(&mut dice));
        let store = Arc::new(MemoryStore::new());
        let shared = Arc::clone(&store) as Arc<dyn Store>;
        let house = Arc::new(House::new(timeline, mill, shared, policy.clone(), plant, Dice::new(seed, "link")));
        let mut tale =
            Self { store, house, stories, policy: policy.clone(), actors: Vec::new(), end: later(start, WHOLE), dice };
        tale.furnish(customers, start)?;
        tale.people(seed);
        Ok(tale)
    }

    /// What stands before the first run.
    fn furnish(&self, customers: u32, start: Timestamp) -> anyhow::Result<()> {
        let facts = ground(customers, start)?;
        let report = at_once(self.store.import(&facts, start))??;
        anyhow::ensure!(report.rejected.is_empty(), "the ground is not taken: {:?}", report.rejected);
        for name in ["ana", "ben"] {
            let person = Person {
                id: name.into(),
                name: name.to_owned(),
                roles: vec![Role::Agent],
                per_posting: LIMIT,
                per_day: LIMIT,
            };
            at_once(self.store.put_person(&person, start))??;
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
        self.employ(false, move |house| Box::pin(people::feed(house, Arc::clone(&said), Arc::clone(&taken))));
        for (name, every) in RECONCILERS {
            let every = SignedDuration::from_mins(every);
            self.employ(true, move |house| Box::pin(people::reconciler(house, name, every)));
        }
        for (name, label) in [("ana", "tickets of ana"), ("ben", "tickets of ben")] {
            let tasks = self.tickets(&stories);
            self.employ(false, move |house| {
                let dice = Dice::new(seed.wrapping_add(house.next_id() << 32), label);
                Box::pin(people::agent(house, name, Arc::clone(&tasks), dice))
            });
        }
        self.stories = stories;
    }

    /// The tickets of one agent: about some of the runs, an hour to a day after them. The other agent
    /// may have tickets about the same ones.
    fn tickets(&mut self, stories: &[Story]) -> Tasks {
        let mut tasks = Vec::new();
        for story in stories {
            if self.dice.chance(40) {
                let at = later(story.start, SignedDuration::from_mins(self.dice.between(2, 25 * 60)));
                let prefers = if self.dice.chance(50) { ActionKind::Restore } else { ActionKind::Recover };
                tasks.push(Task::new(at, story.number, story.account, prefers));
            }
        }
        tasks.sort_by_key(|task| task.at);
        Tasks::new(tasks.into())
    }

    fn employ(
        &mut self,
        stays: bool,
        mut start: impl FnMut(Arc<House>) -> Pin<Box<dyn Future<Output = ()> + Send>> + 'static,
    ) {
        let house = Arc::clone(&self.house);
        let mut start: Box<dyn FnMut() -> _> = Box::new(move || start(Arc::clone(&house)));
        self.actors.push(Actor { program: Some(start()), wakes: Timestamp::MIN, start, stays });
    }

    pub fn play(mut self, sum: &mut Sum) -> Result<(), String> {
        let seldom = RECONCILERS.iter().map(|(_, every)| SignedDuration::from_mins(*every)).max().unwrap_or_default();
        let patience = self.policy.settle_after(seldom).min(self.policy.recover_until());
        let mut witness = Witness::new(self.stories.iter().map(charged).collect(), patience);
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
            sum.crashes += u64::from(self.turn(place));
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
        sum.waits.extend(witness.into_waits());
        Ok(())
    }

    /// One turn of one program. Whether it was ended.
    fn turn(&mut self, place: usize) -> bool {
        let timeline = Arc::clone(&self.house.timeline);
        let crashes = self.dice.below(TURNS_A_CRASH) == 0;
        let down_for = SignedDuration::from_mins(self.dice.between(1, 40));
        let actor = &mut self.actors[place];
        let mut program = match actor.program.take() {
            Some(program) => program,
            None => (actor.start)(),
        };
        if crashes {
            actor.wakes = later(timeline.now(), down_for);
            return true;
        }
        let mut context = Context::from_waker(Waker::noop());
        match timeline.turn_of(program.as_mut(), &mut context) {
            Some(waits) => {
                actor.wakes = if let Waits::Until(instant) = waits { instant } else { timeline.now() };
                actor.program = Some(program);
            }
            None => actor.wakes = if actor.stays { timeline.now() } else { Timestamp::MAX },
        }
        false
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

fn charged(story: &Story) -> (String, Charged) {
    let troubled = story.fate != Fate::Delivered;
    let (run, job) = (run_id(story.number), story.job_fate.clone());
    (charge_id(story.number), Charged { at: story.start, troubled, run, job })
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
        transfers_slow: percent(8),
    }
}

/// Mostly none, sometimes an hour or two, seldom most of a day.
fn outages(start: Timestamp, dice: &mut Dice) -> Vec<(Timestamp, Timestamp)> {
    let mut outages = Vec::new();
    if dice.chance(30) {
        let from = later(start, SignedDuration::from_mins(dice.between(0, 900)));
        let hours = if dice.chance(10) { dice.between(3, 30) } else { dice.between(1, 2) };
        outages.push((from, later(from, SignedDuration::from_hours(hours))));
    }
    outages
}
