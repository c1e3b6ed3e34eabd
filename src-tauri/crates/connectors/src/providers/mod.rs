//! Providers of generations. One folder each: `wire` is what they send, `map` decides what it
//! means, `mod` says what is fixed about them and asks. A new one is a folder and a line in
//! [`ADAPTERS`].

pub mod bfl;
pub mod fal;
pub mod gemini_veo;
pub mod replicate;
pub mod runway;

mod explain;
mod files;
mod inquiry;
mod protocol;
mod reading;
mod retention;
mod settings;

use std::collections::BTreeMap;
use std::sync::Arc;

use makegood_domain::ids::ProviderId;
use makegood_domain::ports::{Descriptor, ProviderPort, Providers};
use secrecy::SecretString;
use url::Url;

pub use explain::{AssetState, Document, Explained, Origin, Output, Word};
pub use inquiry::Inquiry;
pub use protocol::{Facts, Protocol};
pub use reading::{Asset, Cause, Piece, Pieces, Reading, Unread};
pub use retention::{Retention, rows as retention_rows};
pub use settings::{ProviderSettings, SettingsError};

use crate::http::{Guard, Http, Key, Line, Pace, RealPace, same_origin};
use protocol::Adapter;

/// Pages of a list that are read at most: more than that, and the time asked for was too wide.
const PAGES_MAX: usize = 20;

/// Every adapter.
const ADAPTERS: &[&dyn Protocol] = &[&replicate::Replicate, &fal::Fal, &gemini_veo::Veo, &runway::Runway, &bfl::Bfl];

/// The protocol of an adapter's name.
#[must_use]
pub fn protocol(adapter: &str) -> Option<&'static dyn Protocol> {
    ADAPTERS.iter().copied().find(|protocol| protocol.facts().adapter == adapter)
}

/// What is fixed about every provider that there is an adapter for.
pub fn all_facts() -> impl Iterator<Item = &'static Facts> {
    ADAPTERS.iter().map(|protocol| protocol.facts())
}

/// The names of all adapters.
#[must_use]
pub fn adapters() -> Vec<&'static str> {
    all_facts().map(|facts| facts.adapter).collect()
}

/// The providers that an operator has set up, by the catalogue's ids.
#[derive(Clone, Default)]
pub struct Registry {
    providers: BTreeMap<ProviderId, Arc<dyn ProviderPort>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.providers.keys()).finish()
    }
}

impl Registry {
    /// Connects every provider of the settings. Nothing is asked yet.
    ///
    /// # Errors
    /// With the first setting that can't be followed.
    pub fn new(settings: Vec<ProviderSettings>) -> Result<Self, SettingsError> {
        Self::with_pace(settings, &(Arc::new(RealPace::new()) as Arc<dyn Pace>))
    }

    /// The same, with another way of waiting.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_pace(settings: Vec<ProviderSettings>, pace: &Arc<dyn Pace>) -> Result<Self, SettingsError> {
        let mut providers = BTreeMap::new();
        for one in settings {
            let Some(protocol) = protocol(&one.adapter) else {
                return Err(SettingsError::NoAdapter {
                    id: one.id,
                    adapter: one.adapter,
                    known: adapters().join(", "),
                });
            };
            let provider = connect(protocol, &one, Arc::clone(pace))?;
            if providers.insert(one.id.clone(), provider).is_some() {
                return Err(SettingsError::Twice { id: one.id });
            }
        }
        Ok(Self { providers })
    }
}

impl Providers for Registry {
    fn get(&self, id: &ProviderId) -> Option<Arc<dyn ProviderPort>> {
        self.providers.get(id).cloned()
    }

    fn all(&self) -> Vec<Descriptor> {
        self.providers.values().map(|provider| provider.descriptor()).collect()
    }
}

/// Joins a protocol with the connection that the settings describe.
fn connect(
    protocol: &'static dyn Protocol,
    settings: &ProviderSettings,
    pace: Arc<dyn Pace>,
) -> Result<Arc<dyn ProviderPort>, SettingsError> {
    let facts = protocol.facts();
    let base = address(settings, "base_url", settings.base_url.as_deref().unwrap_or(facts.base_url))?;
    // The vendor's history knows nothing of jobs that were asked for somewhere else.
    let history = settings.history_url.as_deref().or(protocol.history_url().filter(|_| settings.base_url.is_none()));
    let history = history.map(|text| address(settings, "history_url", text)).transpose()?;
    let downloads: Vec<Url> = settings
        .download_bases
        .iter()
        .map(|text| address(settings, "download_bases", text))
        .collect::<Result<_, _>>()?;
    let regions = if same_origin(&base, &address(settings, "base_url", facts.base_url)?) {
        protocol.regions()
    } else {
        // An address of the operator's own may have a key of its own, which is nothing for the vendor.
        &[]
    };
    let hosts = facts.file_hosts.iter().chain(regions).map(|host| (*host).to_owned());
    let hosts = hosts.chain(settings.download_hosts.iter().cloned());
    let line = Line {
        guard: Guard::new(std::iter::once(&base).chain(&history).chain(&downloads), hosts),
        key: settings.key.as_ref().map(|secret| key(facts, regions, secret)),
        headers: facts.headers,
        limits: settings.limits.clone(),
        also: history.clone(),
        base,
    };
    let http = Http::new(line, pace)
        .map_err(|error| SettingsError::Client { id: settings.id.clone(), why: error.to_string() })?;
    let file_minutes = match settings.retention_hours {
        Some(hours) => Some(hours.saturating_mul(60)),
        None => retention_of(facts.adapter)?,
    };
    let (id, name) = (settings.id.clone(), settings.name.clone());
    Ok(Adapter { protocol, id, name, http, history, file_minutes }.shared())
}

fn address(settings: &ProviderSettings, setting: &'static str, text: &str) -> Result<Url, SettingsError> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| SettingsError::Address { id: settings.id.clone(), setting, url: text.to_owned() })
}

fn key(facts: &'static Facts, regions: &'static [&'static str], secret: &SecretString) -> Key {
    let files: &[&str] = if facts.key_with_files { facts.file_hosts } else { &[] };
    let also = files.iter().chain(regions).copied().collect();
    Key { header: facts.key_header, scheme: facts.key_scheme, secret: secret.clone(), also }
}

fn retention_of(adapter: &str) -> Result<Option<u32>, SettingsError> {
    let rows = retention::rows().map_err(|error| SettingsError::Retention(error.to_string()))?;
    Ok(rows.into_iter().find(|row| row.adapter == adapter).and_then(|row| row.minutes()))
}

#[cfg(test)]
mod examples;
#[cfg(test)]
pub(crate) mod subject;
#[cfg(test)]
mod tests;
