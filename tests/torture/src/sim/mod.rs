//! The program itself in virtual time: the platform's feed, reconcilers, agents and a provider, one
//! call of the record at a time, with ends of programs and broken links in between. A seed decides
//! everything, so a seed is a story.

mod checks;
mod fates;
mod house;
mod outside;
mod people;
mod timeline;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use makegood_domain::plan::ActionKind;
use makegood_domain::policy::Policy;
use makegood_domain::ports::{
    ActionStore as _, ApprovalStore as _, Clock as _, FactStore as _, Person, ReconcileStore as _, Role, Store,
};
use makegood_domain::settlement::State;
use makegood_testkit::MemoryStore;

use crate::dice::Dice;
use crate::suites::Run;
use crate::verdict::Verdict;
use checks::{Charged, Witness};
use fates::{Fate, Story, ground, story};
use house::{House, LIMIT};
use outside::{Mill, Weather};
use people::{Task, Tasks};
use timeline::{Timeline, Waits, later};

/// How long the quick form goes on starting new stories.
const QUICK: Duration = Duration::from_secs(45);
const SEEDS_FULL: u64 = 20_000;
/// Runs are pressed for this long, and then everything comes to rest.
const PRESSED: SignedDuration = SignedDuration::from_hours(8);
const WHOLE: SignedDuration = SignedDuration::from_hours(38);
/// A program ends once in so many turns.
const TURNS_A_CRASH: u64 = 1_500;
/// Of ten remedies nine are there within this time.
const MOST_WITHIN: SignedDuration = SignedDuration::from_hours(4);
/// Items of one run here.
const ITEMS_MAX: usize = 3;
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What all stories came to.
#[derive(Debug, Default)]
struct Sum {
    seeds: u64,
    virtual_time: SignedDuration,
    calls: u64,
    crashes: u64,
    delivered: usize,
    refunded: usize,
    leases: i64,
    waits: Vec<i64>,
}

pub fn run(run: &Run) -> anyhow::Result<Verdict> {
    let policy = Policy::default_policy().map_err(|why| anyhow::anyhow!("{why}"))?;
    let mut verdict = Verdict::default();
    let mut sum = Sum::default();
    let started = Instant::now();
    let single = run.only.as_ref().and_then(|only| only.parse::<u64>().ok());
    let seeds = single.map_or(run.seed..run.seed + SEEDS_FULL, |seed| seed..seed + 1);
    for seed in seeds {
        if !run.full && started.elapsed() > QUICK {
            break;
        }
        if let Err(why) = Tale::new(seed, &policy)?.play(&mut sum) {
            verdict.fault(format!("seed {seed}: {why}"), format!("sim --only {seed}"));
        }
    }
    sum.waits.sort_unstable();
    let p90 = sum.waits.get(sum.waits.len() * 9 / 10).copied().unwrap_or_default();
    if p90 > MOST_WITHIN.as_secs() && single.is_none() {
        verdict.fault(format!("one remedy of ten took longer than {} minutes", p90 / 60), run.replay("sim"));
    }
    verdict.count("seeds", sum.seeds);
    let days = sum.virtual_time.as_hours() / 24;
    verdict.count("virtual", format!("{}y{}d", days / 365, days % 365));
    verdict.count("delivered", sum.delivered);
    verdict.count("refunded", sum.refunded);
    verdict.count("leases", sum.leases);
    verdict.count("calls", sum.calls);
    verdict.count("crashes", sum.crashes);
    verdict.count("p90", format!("{}min", p90 / 60));
    verdict.count("broken", verdict.faults().len());
    Ok(verdict)
}

/// A program at work, and how it is started again.
struct Actor {
    program: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    wakes: Timestamp,
    start: Box<dyn FnMut() -> Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// Starts again by itself when it is done.
    stays: bool,
}

/// One seed.
struct Tale {
    store: Arc<MemoryStore>,
    house: Arc<House>,
    dice: Dice,
    actors: Vec<Actor>,
    charged: BTreeMap<String, Charged>,
    end: Timestamp,
}

impl Tale {
    fn new(seed: u64, policy: &Policy) -> anyhow::Result<Self> {
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
        let house = Arc::new(House::new(timeline, mill, shared, policy.clone(), Dice::new(seed, "link")));
        let mut tale = Self {
            store,
            house,
            charged: stories.iter().map(charged).collect(),
            actors: Vec::new(),
            end: later(start, WHOLE),
            dice,
        };
        tale.furnish(customers, start)?;
        tale.people(seed, &stories);
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

    fn people(&mut self, seed: u64, stories: &[Story]) {
        let mut said: Vec<_> = stories.iter().flat_map(|story| story.said.clone()).collect();
        said.sort_by_key(|(at, _)| *at);
        for story in stories {
            self.house.mill.submit(story.job.clone(), story.job_fate.clone());
        }
        let (said, taken) = (Arc::new(said), Arc::new(AtomicUsize::new(0)));
        self.employ(false, move |house| Box::pin(people::feed(house, Arc::clone(&said), Arc::clone(&taken))));
        for (name, every) in [("rec-1", 5), ("rec-2", 15)] {
            let every = SignedDuration::from_mins(every);
            self.employ(true, move |house| Box::pin(people::reconciler(house, name, every)));
        }
        for (name, label) in [("ana", "tickets of ana"), ("ben", "tickets of ben")] {
            let tasks = self.tickets(stories);
            self.employ(false, move |house| {
                let dice = Dice::new(seed.wrapping_add(house.next_id() << 32), label);
                Box::pin(people::agent(house, name, Arc::clone(&tasks), dice))
            });
        }
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

    fn play(mut self, sum: &mut Sum) -> Result<(), String> {
        let mut witness = Witness::default();
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
                let platform = call == "import";
                if let Some(wrong) = witness.look(&self.store, &self.charged, platform, timeline.now()) {
                    return Err(format!("after {call} at {}: {wrong}", timeline.now()));
                }
            }
        }
        self.rest(&witness)?;
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
        if let Some(late) = witness.overdue(&self.store, now) {
            return Err(format!("the promise is broken at {now}: {late}"));
        }
        let breaks = self.store.breaks();
        if breaks.is_empty() { Ok(()) } else { Err(format!("the books at {now}: {}", breaks.join("; "))) }
    }

    /// At the end everything has its remedy, and all lists agree.
    fn rest(&self, witness: &Witness) -> Result<(), String> {
        let told = |error: anyhow::Error| error.to_string();
        let audit = at_once(self.store.audit_verify()).map_err(told)?.map_err(|error| error.to_string())?;
        if let Some(line) = audit {
            return Err(format!("audit line {}: {}", line.seq, line.why));
        }
        let scan = at_once(self.store.full_scan()).map_err(told)?.map_err(|error| error.to_string())?;
        if !scan.missed.is_empty() || !scan.superfluous.is_empty() {
            return Err(format!("the list of due runs: missed {:?}, superfluous {:?}", scan.missed, scan.superfluous));
        }
        let parked = self.store.seen_due().iter().filter(|due| due.next_at.is_none()).count();
        if witness.open() > parked * ITEMS_MAX {
            return Err(format!("{} items are open at the end", witness.open()));
        }
        Ok(())
    }
}

fn charged(story: &Story) -> (String, Charged) {
    let troubled = story.fate != Fate::Delivered;
    (format!("chg_s{:05}", story.number), Charged { at: story.start, troubled })
}

/// The answer of a call that waits for nothing.
fn at_once<T>(call: impl Future<Output = T>) -> anyhow::Result<T> {
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
