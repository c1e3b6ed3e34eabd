//! The programs: `makegood`, the window, and `makegoodctl`, its headless twin. This crate wires
//! adapters to use cases and decides nothing.

pub mod clock;
pub mod connections;
pub mod ctl;
pub mod door;
pub mod logs;
pub mod record;
pub mod settings;
pub mod shell;
pub mod stated;
pub mod sweeps;
pub mod vault;
pub mod wiring;
