//! Use cases over the domain's ports, and the wire contract of the window. Knows no database, no
//! network and no window.

mod approve;
mod bring;
mod canvas;
mod capture;
mod case_view;
mod confirm;
mod connections;
pub mod contract;
mod desk;
mod dispatch;
mod error;
pub mod evaluate;
mod finding;
mod in_transit;
pub mod intake;
mod labels;
pub mod letters;
mod look_up;
mod lost_job;
mod policy_view;
mod preview;
mod queue;
mod read_back;
mod reconcile;
mod recover;
mod refusals;
mod requests;
mod review;
mod transfers;
mod usage;
mod vault;

pub use desk::{Agent, Desk, Ports, Timer, WorkspaceInfo};
pub use error::{Error, Result};
pub use finding::Examined;
pub use preview::{PREVIEW_LIMIT_BYTES, PreviewBytes};
pub use reconcile::{Shift, pass_view};
pub use usage::UsageWanted;
pub use vault::{Checked, FileView, Sweeping, VaultSweep};
