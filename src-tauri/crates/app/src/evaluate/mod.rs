//! Labelled cases: a ticket, the world it happened in, and the result that the policy leads to. Reads
//! case files, turns a world into facts for a store, and scores what came out, purely. Running a case
//! through a store is the caller's.

mod case_file;
mod facts;
mod report;
mod score;

pub use case_file::{CaseError, CaseFile, Expected, World, parse_cases};
pub use facts::facts;
pub use report::{Report, Totals};
pub use score::{CaseScore, Miss, Outcome, score};

#[cfg(test)]
mod cases_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod world_scope;
