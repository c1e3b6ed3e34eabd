//! The answer to the customer, from message points, and the scan that keeps others out of it.

mod answer;
#[cfg(test)]
pub(crate) mod fixture;
mod items;
mod lang;
mod note;
mod released;
mod scan;
#[cfg(test)]
mod tests;
mod text;
mod when;

pub use answer::{Answer, AnswerInput, answer};
pub use note::{Asked, NoteInput, Tried, escalation_note, owner_notice};
pub use released::released;
pub use scan::{Leak, scan};
