//! Evidence to verdict and remedy: pure, total, deterministic. Unknown never pays.

mod finding;

pub use finding::*;
