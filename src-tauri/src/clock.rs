//! The one place where the present and new ids come from.

use jiff::Timestamp;
use makegood_domain::ports::{Clock, Ids};

/// The system's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the clock behind domain's Clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still, for evaluating labelled cases.
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// UUIDv7, random and ordered by time.
pub struct SystemIds;

impl Ids for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "the source behind domain's Ids")]
    fn new_id(&self) -> String {
        uuid::Uuid::now_v7().to_string()
    }
}
