//! The providers as they answer on loopback.

pub mod state;
