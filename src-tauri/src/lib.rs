//! Wiring of the programs.
