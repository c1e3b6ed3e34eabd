//! The window before there is a core to ask: how far the program is with opening its workspace.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What the program is at. Told by the `opening` event, and to whoever asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Opening {
    Working {
        what: String,
        done: u32,
        /// Parts in all; 0 where nobody counts them.
        of: u32,
    },
    Open,
    /// Nothing is open, and nothing was changed.
    Failed {
        /// What can't be used, where it is, and why.
        why: String,
        /// Where the settings of this profile are looked for.
        settings: String,
    },
}

impl Opening {
    /// Something of which nobody counts the parts.
    #[must_use]
    pub fn at(what: &str) -> Self {
        Self::Working { what: what.to_owned(), done: 0, of: 0 }
    }
}
