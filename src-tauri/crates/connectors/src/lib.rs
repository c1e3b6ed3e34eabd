//! Everything that talks to the outside: providers over HTTP, their webhooks, and the vault where
//! recovered files are kept. The only crate with an HTTP client; `http` builds it, with the limits that all share.
//!
//! A new provider is one folder in `providers/` and one line in its table of adapters.

pub mod courier;
pub mod http;
pub mod providers;
pub mod tokens;
pub mod vault;
pub mod webhooks;

pub use providers::{ProviderSettings, Registry, SettingsError};
pub use vault::{LocalVault, StoreVault};
