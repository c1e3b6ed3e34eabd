//! The tests of the house as a whole, in one binary: each further one would link everything again.

#![expect(clippy::expect_used, reason = "a test that cannot read what it judges has failed")]

mod ctl;
mod desk;
mod lockdown;
mod tidy;
mod tree;
