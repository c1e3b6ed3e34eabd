//! Suites that every adapter of a kind must pass.
