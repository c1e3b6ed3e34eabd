//! When a provider is down, and when the program is not there.

use crate::dice::Dice;

/// Minutes in which somebody is not there: from, and until before.
#[derive(Clone, Debug)]
pub struct Outages(Vec<(i64, i64)>);

impl Outages {
    /// About two a day, most of some minutes, some of hours.
    pub fn of(dice: &mut Dice, minutes: i64) -> Self {
        let mut all = Vec::new();
        let mut at = dice.between(0, 600);
        while at < minutes {
            let length = if dice.chance(70) { dice.between(3, 45) } else { dice.between(60, 420) };
            all.push((at, at + length));
            at += length + dice.between(60, 1_300);
        }
        Self(all)
    }

    /// A program that is ended now and then, and begun anew some minutes later.
    pub fn of_program(dice: &mut Dice, minutes: i64) -> Self {
        let (mut all, mut at) = (Vec::new(), dice.between(60, 900));
        while at < minutes {
            let length = dice.between(1, 9);
            all.push((at, at + length));
            at += length + dice.between(120, 1_400);
        }
        Self(all)
    }

    /// Whether one begins in this minute.
    pub fn begins(&self, minute: i64) -> bool {
        self.0.iter().any(|(from, _)| *from == minute)
    }

    pub fn is_down(&self, minute: i64) -> bool {
        self.0.iter().any(|(from, until)| (*from..*until).contains(&minute))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_is_down_now_and_then_and_up_most_of_the_time() {
        for seed in 0..20 {
            let outages = Outages::of(&mut Dice::new(seed, "outages"), 10_080);
            let down = (0..10_080).filter(|minute| outages.is_down(*minute)).count();
            assert!((100..5_000).contains(&down), "seed {seed}: {down}");
        }
    }
}
