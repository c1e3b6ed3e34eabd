//! Who was first: what the loser of a race is told, instead of an error.

use std::fmt;

use jiff::Timestamp;

use super::State;
use crate::ids::{ActionKey, AgentId};

/// Who brought an item to where it stands. As text, in plain words: `it was refunded (rfd_1) by ana
/// at 2026-03-14T15:20:00Z (action a1)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct First {
    pub state: State,
    /// The output that delivered it, or the refund.
    pub document: Option<String>,
    /// `None`: the platform.
    pub key: Option<ActionKey>,
    /// Who acted under the key, where that is known.
    pub agent: Option<AgentId>,
    pub at: Timestamp,
}

impl fmt::Display for First {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let document = self.document.as_deref().unwrap_or_default();
        match self.state {
            State::Delivering => write!(f, "it is being recovered")?,
            State::Refunded => write!(f, "it was refunded ({document})")?,
            State::Delivered => write!(f, "it was delivered ({document})")?,
            other => write!(f, "it is {}", other.word())?,
        }
        match (&self.key, &self.agent) {
            (Some(key), Some(agent)) => write!(f, " by {agent} at {} (action {key})", self.at),
            (Some(key), None) => write!(f, " at {} (action {key})", self.at),
            (None, _) => write!(f, " by the platform at {}", self.at),
        }
    }
}
