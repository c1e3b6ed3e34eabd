//! How the tests of all adapters connect: real sockets, no real waiting.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::ProviderId;
use makegood_domain::ports::{ProviderPort, Providers};
use makegood_testkit::conformance::{Connected, KEY};

use super::{ProviderSettings, Registry};
use crate::http::Pace;

/// Adds up what it is asked to wait, and goes on at once; that sum is its time.
#[derive(Debug, Default)]
pub struct NoWait(Mutex<Duration>);

#[async_trait]
impl Pace for NoWait {
    fn elapsed(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
            .saturating_add(SignedDuration::try_from(self.elapsed()).unwrap_or_default())
            .unwrap_or_default()
    }

    fn chance(&self) -> f64 {
        0.5
    }

    async fn wait(&self, time: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += time;
    }
}

/// An adapter at `base`.
pub fn connect(adapter: &str, base: &str) -> Connected {
    connect_with(ProviderSettings { base_url: Some(base.to_owned()), ..ProviderSettings::new("conforming", adapter) })
}

/// An adapter with other settings than the usual ones.
pub fn connect_with(settings: ProviderSettings) -> Connected {
    connect_with_key(settings, KEY)
}

/// An adapter with another key than the usual one.
pub fn connect_with_key(settings: ProviderSettings, key: &str) -> Connected {
    let pace = Arc::new(NoWait::default());
    let id: ProviderId = settings.id.clone();
    let settings = ProviderSettings { key: Some(key.into()), ..settings };
    let registry = Registry::with_pace(vec![settings], &(pace.clone() as Arc<dyn Pace>)).expect("settings");
    let port = registry.get(&id).expect("the provider");
    Connected { port, waited: Arc::new(move || pace.elapsed()) }
}

/// An adapter without a key, which nobody may ask through.
pub fn connect_bare(settings: &ProviderSettings) -> Arc<dyn ProviderPort> {
    super::registry::connect(settings, &super::Table::built_in().expect("the table"), Arc::new(NoWait::default()))
        .expect("settings")
}
