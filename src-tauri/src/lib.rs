//! Wiring of the programs.

pub mod shell;
