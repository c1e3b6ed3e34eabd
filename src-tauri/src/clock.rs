//! The one place where the present and new ids come from.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use makegood_domain::ports::{Clock, Ids};

/// The system's clock.
pub struct SystemClock;

/// A timer knows nothing of a clock that is set or a machine that sleeps: it is looked at this often.
const LOOK: Duration = Duration::from_secs(30);

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the clock behind domain's Clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep_until(&self, instant: Timestamp) {
        loop {
            let Some(left) = Duration::try_from(instant.duration_since(self.now())).ok().filter(|left| !left.is_zero())
            else {
                return;
            };
            tokio::time::sleep(left.min(LOOK)).await;
        }
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
