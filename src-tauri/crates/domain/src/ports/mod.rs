//! The domain's view of the outside: what adapters must do. Nothing here does I/O.

mod actions;
mod approval;
mod captures;
mod connections;
mod deliveries;
mod files;
mod intake;
mod letters;
mod outside;
mod reconcile;
mod store;

pub use actions::*;
pub use approval::*;
pub use captures::*;
pub use connections::*;
pub use deliveries::*;
pub use files::*;
pub use intake::*;
pub use letters::*;
pub use outside::*;
pub use reconcile::*;
pub use store::*;
