//! The shell: the window around the core. It opens a profile, builds the core on it, shows it and
//! passes requests through. It decides nothing about cases or money.
//!
//! What needs no window is compiled without one, so that its tests run everywhere.

pub mod outside;
pub mod profile;
pub mod rendering;
pub mod request;

#[cfg(feature = "desktop")]
mod attachments;
#[cfg(feature = "desktop")]
mod commands;
#[cfg(feature = "desktop")]
mod events;
#[cfg(feature = "desktop")]
mod geometry;
#[cfg(feature = "desktop")]
mod launch;
#[cfg(feature = "desktop")]
mod media;
#[cfg(feature = "desktop")]
mod opening;
#[cfg(feature = "desktop")]
mod window;

#[cfg(feature = "desktop")]
pub use launch::{context, run};
