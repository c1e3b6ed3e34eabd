//! The tests of the house as a whole, in one binary: each further one would link everything again.

mod lockdown;
mod tidy;
mod tree;
