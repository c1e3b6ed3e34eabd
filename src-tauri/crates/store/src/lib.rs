//! The record: facts, cases, credits and what was done, in SQL. [`sqlite`] is the store of one desk,
//! [`postgres`] that of a team.
//!
//! The rules that protect money are in the schema (`migrations/`): keys, checks, foreign keys and
//! triggers. The code above them decides, words refusals, and never is the only guard.

#[macro_use]
mod rows;

mod assemble;
#[cfg(test)]
#[macro_use]
mod behaviour;
pub mod copy;
mod digests;
pub mod postgres;
mod queue;
mod schema;
mod scope;
pub mod sqlite;

#[cfg(test)]
mod test_world;
