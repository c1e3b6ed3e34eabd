//! Who was first: what the loser of a race is told, instead of an error.

use std::fmt;

use jiff::Timestamp;

use super::State;
use crate::ids::ActionKey;

/// Who brought an item to where it stands. As text, in plain words: `it was refunded (rfd_1) by Ana
/// Prata on 14 March 2026 at 15:20:00 UTC`. The key is for programs, and not among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct First {
    pub state: State,
    /// The output that delivered it, or the refund.
    pub document: Option<String>,
    /// `None`: the platform.
    pub key: Option<ActionKey>,
    /// Who acted under the key, by name where the record has one; `None` where nobody knows.
    pub who: Option<String>,
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
        match (&self.key, &self.who) {
            (Some(_), Some(who)) => write!(f, " by {who}")?,
            (Some(_), None) => {}
            (None, _) => write!(f, " by the platform")?,
        }
        write!(f, " on {}", self.at.strftime("%-d %B %Y at %H:%M:%S UTC"))
    }
}
