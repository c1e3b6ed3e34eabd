//! Breadth first through every state that a world can get into.

use std::collections::HashMap;
use std::fmt::Display;
use std::hash::{BuildHasherDefault, Hash, Hasher};

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

struct Explorer<'a, W: World> {
    world: &'a W,
    states: Vec<W::State>,
    numbers: HashMap<W::State, Number, BuildHasherDefault<Fold>>,
    /// Whence each state was first reached.
    parents: Vec<Option<(Number, W::Step)>>,
    edges: Vec<(Number, Number)>,
}

/// Explores everything; stops at the first state that must not be.
pub fn explore<W: World>(world: &W) -> Found {
    let mut explorer =
        Explorer { world, states: Vec::new(), numbers: HashMap::default(), parents: Vec::new(), edges: Vec::new() };
    explorer.number(world.start(), None);
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
            for (step, next) in steps.drain(..) {
                let to = self.number(next, Some((number, step)));
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

    fn number(&mut self, state: W::State, parent: Option<(Number, W::Step)>) -> Number {
        if let Some(number) = self.numbers.get(&state) {
            return *number;
        }
        let number = Number::try_from(self.states.len()).unwrap_or(Number::MAX);
        self.states.push(state);
        self.parents.push(parent);
        self.numbers.insert(state, number);
        number
    }

    fn way_to(&self, number: Number) -> Vec<String> {
        let mut steps = Vec::new();
        let mut at = number;
        while let Some(Some((parent, step))) = self.parents.get(at as usize) {
            steps.push(step.to_string());
            at = *parent;
        }
        steps.reverse();
        steps
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
        self.0 ^ (self.0 >> 29)
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

    #[test]
    fn a_state_that_never_rests_is_stuck() {
        let found = explore(&Counting { forbidden: 99, trap: 99 });
        assert_eq!((found.states, found.resting, found.bad_rests, found.stuck), (10, 1, 0, 0));
        let found = explore(&Counting { forbidden: 99, trap: 5 });
        assert_eq!((found.violation.is_none(), found.stuck), (true, 1));
    }
}
