//! The practice workspace: a seeded world of customers, runs and tickets, and loopback servers
//! that answer as the providers do. The product does not know that it practises: it talks to the
//! servers through its own connectors and reads the world through its own store.

mod background;
mod cast;
pub mod catalogue;
mod crew;
pub mod dice;
mod ledger;
pub mod media;
mod pictures;
mod scenarios;
pub mod screenshots;
mod stage;
mod tale;
mod tickets;
pub mod upstream;
pub mod words;
mod workspace;
mod world;

pub use scenarios::fixed;
pub use workspace::{NewTicket, RECOVER_TICKET, SPLIT_TICKET, Workspace, WorkspaceError, reset, settings};
pub use world::{Label, PracticeTicket, World, WorldError};
