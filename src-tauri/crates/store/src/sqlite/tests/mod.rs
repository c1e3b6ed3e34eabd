//! Tests of the store as a whole, beside the tables they are about.

mod attacks;
mod behaviour;
mod conformance;
mod faults;
mod group;
mod journal;
mod opening;
mod property;
mod queue;
mod races;
mod remedies;
mod scope;
mod statements;
mod whole;
mod world;
