//! How a suite ends, and the one line that it is told in.

use std::fmt::Write as _;
use std::time::Duration;

/// What a suite counted, and what it found wrong.
#[derive(Debug, Default)]
pub struct Verdict {
    counts: Vec<(&'static str, String)>,
    faults: Vec<Fault>,
}

/// One thing that must not be.
#[derive(Debug)]
struct Fault {
    what: String,
    /// Arguments that bring it about again.
    replay: String,
}

impl Verdict {
    /// Adds a figure to the line.
    pub fn count(&mut self, name: &'static str, value: impl ToString) {
        self.counts.push((name, value.to_string()));
    }

    /// Adds something wrong, with the arguments that bring it about again.
    pub fn fault(&mut self, what: impl Into<String>, replay: impl Into<String>) {
        self.faults.push(Fault { what: what.into(), replay: replay.into() });
    }

    #[must_use]
    pub fn passed(&self) -> bool {
        self.faults.is_empty()
    }

    /// What is wrong, in words; empty where nothing is.
    #[must_use]
    pub fn faults(&self) -> Vec<&str> {
        self.faults.iter().map(|fault| fault.what.as_str()).collect()
    }

    /// One line: name, counts, time, verdict. A failure is followed by the first faults and by how
    /// to see the first of them again.
    #[must_use]
    pub fn told(&self, suite: &str, took: Duration) -> String {
        let mut line = format!("{suite:<10}");
        for (name, value) in &self.counts {
            // Writing to a string cannot fail.
            let _infallible = write!(line, " {name}={value}");
        }
        let verdict = if self.passed() { "PASS" } else { "FAIL" };
        let mut told = format!("{line:<100} {:>6.1}s {verdict}", took.as_secs_f64());
        for fault in self.faults.iter().take(FAULTS_TOLD) {
            let _infallible = write!(told, "\n           {}", fault.what);
        }
        if self.faults.len() > FAULTS_TOLD {
            let _infallible = write!(told, "\n           and {} more", self.faults.len() - FAULTS_TOLD);
        }
        if let Some(fault) = self.faults.first() {
            let _infallible = write!(told, "\nreplay:    cargo run -p makegood-torture -- {}", fault.replay);
        }
        told
    }
}

/// More than these are only counted: the first ones are what somebody looks into.
const FAULTS_TOLD: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_was_counted_and_a_failure_how_to_see_it_again() {
        let mut verdict = Verdict::default();
        verdict.count("cuts", 40);
        let told = verdict.told("powercut", Duration::from_millis(1_250));
        assert!(told.starts_with("powercut   cuts=40 ") && told.ends_with(" 1.2s PASS"), "{told}");
        verdict.fault("restore 7 is lost", "powercut --seed 3");
        let told = verdict.told("powercut", Duration::ZERO);
        assert!(told.contains("FAIL\n           restore 7 is lost\nreplay:    cargo run"), "{told}");
        assert!(told.ends_with("-- powercut --seed 3"), "{told}");
    }
}
