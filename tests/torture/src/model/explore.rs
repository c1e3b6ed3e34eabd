//! Breadth first through every state that a world can get into. A state is kept once, with the number
//! of the one that it was first reached from: millions of them fit into the memory of a small machine,
//! and which step led from one to the next is found again where it is to be told.

use std::fmt::Display;
use std::hash::{Hash, Hasher};

/// Something with states and steps between them.
pub trait World {
    type State: Copy + Eq + Hash;
    type Step: Copy + Display;

    fn start(&self) -> Self::State;

    /// Everything that can happen next, onto the end of `steps`. Nothing: the state is at rest.
    fn next(&self, state: &Self::State, steps: &mut Vec<(Self::Step, Self::State)>);

    /// What must not be in any state, in words.
    fn wrong(&self, state: &Self::State) -> Option<&'static str>;

    /// What must not be in a state at rest, in words.
    fn wrong_at_rest(&self, state: &Self::State) -> Option<&'static str>;
}

/// What was found on the way.
#[derive(Debug, Default)]
pub struct Found {
    pub states: usize,
    pub transitions: usize,
    /// States at rest.
    pub resting: usize,
    /// The first state that must not be, with the steps that lead to it. No shorter way leads to one.
    pub violation: Option<Violation>,
    /// States at rest that must not be.
    pub bad_rests: usize,
    /// States from which no good rest can be reached any more.
    pub stuck: usize,
}

#[derive(Debug)]
pub struct Violation {
    pub what: &'static str,
    pub steps: Vec<String>,
}

/// A state's number, in the order of discovery.
type Number = u32;

/// No state.
const NONE: Number = Number::MAX;

/// Finds a state's number by its hash: places of numbers, at most half of them taken.
struct Index {
    places: Vec<Number>,
}

/// A power of two.
const PLACES_FIRST: usize = 1 << 10;

impl Index {
    fn new() -> Self {
        Self { places: vec![NONE; PLACES_FIRST] }
    }

    /// The number of an equal state, or the place where the next number belongs.
    fn find<S: Eq + Hash>(&self, states: &[S], state: &S) -> Result<Number, usize> {
        let mut place = hash(state) & (self.places.len() - 1);
        loop {
            match self.places[place] {
                NONE => return Err(place),
                number if states[number as usize] == *state => return Ok(number),
                _ => place = (place + 1) & (self.places.len() - 1),
            }
        }
    }

    /// Makes room where it gets tight.
    fn grow<S: Hash>(&mut self, states: &[S]) {
        if states.len() * 2 < self.places.len() {
            return;
        }
        self.places = vec![NONE; self.places.len() * 2];
        for (number, state) in (0..).zip(states) {
            let mut place = hash(state) & (self.places.len() - 1);
            while self.places[place] != NONE {
                place = (place + 1) & (self.places.len() - 1);
            }
            self.places[place] = number;
        }
    }
}

fn hash<S: Hash>(state: &S) -> usize {
    let mut fold = Fold::default();
    state.hash(&mut fold);
    usize::try_from(fold.finish() & u64::from(u32::MAX)).unwrap_or_default()
}

struct Explorer<'a, W: World> {
    world: &'a W,
    states: Vec<W::State>,
    index: Index,
    /// Whence each state was first reached.
    parents: Vec<Number>,
    edges: Vec<(Number, Number)>,
}

/// Explores everything; stops at the first state that must not be.
pub fn explore<W: World>(world: &W) -> Found {
    let mut explorer =
        Explorer { world, states: Vec::new(), index: Index::new(), parents: Vec::new(), edges: Vec::new() };
    explorer.number(world.start(), NONE);
    explorer.run()
}

impl<W: World> Explorer<'_, W> {
    fn run(mut self) -> Found {
        let mut found = Found::default();
        let mut steps = Vec::new();
        let mut good_rests = Vec::new();
        let mut at = 0;
        while let Some(state) = self.states.get(at).copied() {
            let number = Number::try_from(at).unwrap_or(Number::MAX);
            if let Some(what) = self.world.wrong(&state) {
                found.violation = Some(Violation { what, steps: self.way_to(number) });
                break;
            }
            self.world.next(&state, &mut steps);
            if steps.is_empty() {
                found.resting += 1;
                match self.world.wrong_at_rest(&state) {
                    None => good_rests.push(number),
                    Some(what) => {
                        found.bad_rests += 1;
                        let way = || Violation { what, steps: self.way_to(number) };
                        found.violation.get_or_insert_with(way);
                    }
                }
            }
            for (_, next) in steps.drain(..) {
                let to = self.number(next, number);
                self.edges.push((number, to));
            }
            at += 1;
        }
        found.states = self.states.len();
        found.transitions = self.edges.len();
        if found.violation.is_none() {
            found.stuck = self.states.len() - self.can_reach(good_rests);
        }
        found
    }

    fn number(&mut self, state: W::State, parent: Number) -> Number {
        match self.index.find(&self.states, &state) {
            Ok(number) => number,
            Err(place) => {
                let number = Number::try_from(self.states.len()).unwrap_or(NONE);
                self.index.places[place] = number;
                self.states.push(state);
                self.parents.push(parent);
                self.index.grow(&self.states);
                number
            }
        }
    }

    fn way_to(&self, number: Number) -> Vec<String> {
        let mut told = Vec::new();
        let mut at = number as usize;
        let mut steps = Vec::new();
        while let Some(parent) = self.parents.get(at).filter(|parent| **parent != NONE) {
            self.world.next(&self.states[*parent as usize], &mut steps);
            let step = steps.drain(..).find(|(_, next)| *next == self.states[at]);
            told.extend(step.map(|(step, _)| step.to_string()));
            at = *parent as usize;
        }
        told.reverse();
        told
    }

    /// How many states can reach one of `rests`.
    fn can_reach(&self, rests: Vec<Number>) -> usize {
        let mut starts = vec![0_usize; self.states.len() + 1];
        for (_, to) in &self.edges {
            starts[*to as usize + 1] += 1;
        }
        for place in 1..starts.len() {
            starts[place] += starts[place - 1];
        }
        let mut from = vec![0 as Number; self.edges.len()];
        let mut filled = starts.clone();
        for (source, to) in &self.edges {
            from[filled[*to as usize]] = *source;
            filled[*to as usize] += 1;
        }
        let mut seen = vec![false; self.states.len()];
        let mut open = rests;
        let mut count = 0;
        while let Some(state) = open.pop() {
            if std::mem::replace(&mut seen[state as usize], true) {
                continue;
            }
            count += 1;
            open.extend(&from[starts[state as usize]..starts[state as usize + 1]]);
        }
        count
    }
}

/// A quick hash for small keys of our own making: nobody attacks a test's table.
#[derive(Default)]
struct Fold(u64);

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u8(*byte);
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.0 = (self.0.rotate_left(5) ^ u64::from(byte)).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn finish(&self) -> u64 {
        let mixed = (self.0 ^ (self.0 >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ (mixed >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts up to 9 by 1 or 3; 7 must not be.
    struct Counting {
        forbidden: u8,
        trap: u8,
    }

    impl World for Counting {
        type State = u8;
        type Step = u8;

        fn start(&self) -> u8 {
            0
        }

        fn next(&self, state: &u8, steps: &mut Vec<(u8, u8)>) {
            if *state == self.trap {
                steps.push((0, *state));
                return;
            }
            steps.extend([1, 3].into_iter().map(|by| (by, state + by)).filter(|(_, to)| *to <= 9));
        }

        fn wrong(&self, state: &u8) -> Option<&'static str> {
            (*state == self.forbidden).then_some("forbidden")
        }

        fn wrong_at_rest(&self, state: &u8) -> Option<&'static str> {
            (*state != 9).then_some("not the end")
        }
    }

    #[test]
    fn the_shortest_way_is_told() {
        let found = explore(&Counting { forbidden: 7, trap: 99 });
        let violation = found.violation.expect("a violation");
        assert_eq!((violation.what, violation.steps.len()), ("forbidden", 3));
    }

    /// Counts from 0 to the end by 1.
    struct Line(u32);

    impl World for Line {
        type State = u32;
        type Step = &'static str;

        fn start(&self) -> u32 {
            0
        }

        fn next(&self, state: &u32, steps: &mut Vec<(&'static str, u32)>) {
            steps.extend((*state < self.0).then_some(("one on", state + 1)));
        }

        fn wrong(&self, _: &u32) -> Option<&'static str> {
            None
        }

        fn wrong_at_rest(&self, state: &u32) -> Option<&'static str> {
            (*state != self.0).then_some("not the end")
        }
    }

    #[test]
    fn more_states_than_the_index_begins_with_are_each_found_once() {
        let found = explore(&Line(5_000));
        assert_eq!((found.states, found.transitions, found.resting), (5_001, 5_000, 1));
        assert!(found.violation.is_none() && found.stuck == 0);
    }

    #[test]
    fn a_state_that_never_rests_is_stuck() {
        let found = explore(&Counting { forbidden: 99, trap: 99 });
        assert_eq!((found.states, found.resting, found.bad_rests, found.stuck), (10, 1, 0, 0));
        let found = explore(&Counting { forbidden: 99, trap: 5 });
        assert_eq!((found.violation.is_none(), found.stuck), (true, 1));
    }
}
