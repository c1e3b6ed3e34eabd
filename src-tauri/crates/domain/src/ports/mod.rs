//! The domain's view of the outside: what adapters must do. Nothing here does I/O.

mod outside;
mod store;

pub use outside::*;
pub use store::*;
