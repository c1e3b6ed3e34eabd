//! Bugs of whoever brings files: of what takes the bytes, of what is trusted, and of how it waits.

use super::{Bed, Bug};
use crate::net::{self, Plant, Size};

/// The rows in which some bug shows.
const ROWS: &[&str] = &["N1", "N2", "N5", "N6", "N9", "N10"];

pub fn beds() -> Vec<Bed> {
    let bug = |name, shows, rows, plant| Bug {
        name,
        shows,
        play: Box::new(move |run| net::played(&Size { seeds: 1, rows, plant }, run)),
    };
    let bugs = vec![
        bug("two versions are joined", &["wanted Whole", "wanted Sound"], &["N6"], Plant::Splices),
        bug("what came before a break is the file", &["wanted Whole, got Done"], &["N5"], Plant::TakesParts),
        bug("files are gathered in memory", &["memory grew"], &["N9"], Plant::Hoards),
        bug("any address is trusted", &["a forbidden address was asked"], &["N10"], Plant::TrustsAll),
        bug("whoever fails is asked again and again", &["retries were made"], &["N2"], Plant::ForgetsBudget),
        bug("nobody waits as asked", &["asked earlier than"], &["N1"], Plant::Impatient),
    ];
    let control = Size { seeds: 1, rows: ROWS, plant: Plant::Nothing };
    vec![Bed { suite: "net", control: Box::new(move |run| net::played(&control, run)), bugs }]
}
