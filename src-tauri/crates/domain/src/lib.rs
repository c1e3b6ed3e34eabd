//! Makegood's rules: what a complaint claims, which run it means, what happened to it, and what is
//! owed. Pure: no I/O, no clock, no randomness; the same input always gives the same answer.

pub mod capture;
pub mod diagnose;
pub mod draft;
pub mod events;
pub mod feed;
pub mod ids;
pub mod keeping;
pub mod ledger;
pub mod matching;
pub mod media;
pub mod money;
pub mod plan;
pub mod policy;
pub mod ports;
pub mod reading;
pub mod reconcile;
pub mod scope;
pub mod settlement;
pub mod support;
pub mod usage;
mod words;
pub mod work;
