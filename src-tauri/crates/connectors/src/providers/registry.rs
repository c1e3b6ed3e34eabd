//! The providers that an operator has set up, each behind the connection that its settings and its
//! key describe. A new key is a new connection: what failed with the old one says nothing of it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use makegood_domain::ids::ProviderId;
use makegood_domain::ports::{AdapterInfo, Descriptor, FileRetention, ProviderPort, Providers};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::http::{Account, AccountError, Form, Guard, Http, Key, Limits, Line, Pace, RealPace, same_origin};

use super::protocol::{Adapter, Facts, Protocol};
use super::settings::{ProviderSettings, SettingsError};
use super::table::{Requests, Retention, Row, Table};
use super::{adapters, all_facts, protocol};

/// A provider with its settings.
#[derive(Clone)]
struct Connected {
    settings: ProviderSettings,
    port: Arc<dyn ProviderPort>,
}

/// The providers that an operator has set up, by the catalogue's ids.
pub struct Registry {
    pace: Arc<dyn Pace>,
    table: Table,
    connected: RwLock<BTreeMap<ProviderId, Connected>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.read().keys()).finish()
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

    /// The same, with rows about providers that an operator has overruled some of.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_table(settings: Vec<ProviderSettings>, table: Table) -> Result<Self, SettingsError> {
        Self::made_of(settings, table, Arc::new(RealPace::new()))
    }

    /// The same, with another way of waiting.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_pace(settings: Vec<ProviderSettings>, pace: &Arc<dyn Pace>) -> Result<Self, SettingsError> {
        Self::made_of(settings, Table::built_in()?, Arc::clone(pace))
    }

    fn made_of(settings: Vec<ProviderSettings>, table: Table, pace: Arc<dyn Pace>) -> Result<Self, SettingsError> {
        let registry = Self { pace, table, connected: RwLock::default() };
        for one in settings {
            registry.add(one)?;
        }
        Ok(registry)
    }

    /// Connects one more provider.
    ///
    /// # Errors
    /// When the settings can't be followed, or name one that is there already.
    pub fn add(&self, settings: ProviderSettings) -> Result<(), SettingsError> {
        let port = connect(&settings, &self.table, Arc::clone(&self.pace))?;
        let mut connected = self.connected.write().unwrap_or_else(PoisonError::into_inner);
        if connected.contains_key(&settings.id) {
            return Err(SettingsError::Twice { id: settings.id });
        }
        connected.insert(settings.id.clone(), Connected { settings, port });
        Ok(())
    }

    /// Disconnects a provider; whether there was one.
    pub fn remove(&self, id: &ProviderId) -> bool {
        self.connected.write().unwrap_or_else(PoisonError::into_inner).remove(id).is_some()
    }

    /// Whether a connection can be made with this key. Nobody is asked.
    ///
    /// # Errors
    /// With why it can't, in words without the key.
    pub fn accepts(&self, id: &ProviderId, key: SecretString) -> Result<(), SettingsError> {
        let Some(settings) = self.settings(id) else { return Ok(()) };
        connect(&ProviderSettings { key: Some(key), ..settings }, &self.table, Arc::clone(&self.pace)).map(|_| ())
    }

    /// Goes on with another key, or without one. False where there is no such provider.
    ///
    /// # Errors
    /// When the key can't be used; the one from before stays then.
    pub fn set_key(&self, id: &ProviderId, key: Option<SecretString>) -> Result<bool, SettingsError> {
        let Some(mut settings) = self.settings(id) else { return Ok(false) };
        settings.key = key;
        let port = connect(&settings, &self.table, Arc::clone(&self.pace))?;
        let mut connected = self.connected.write().unwrap_or_else(PoisonError::into_inner);
        connected.insert(id.clone(), Connected { settings, port });
        Ok(true)
    }

    /// The settings of a provider, with its key.
    #[must_use]
    pub fn settings(&self, id: &ProviderId) -> Option<ProviderSettings> {
        self.read().get(id).map(|one| one.settings.clone())
    }

    /// The connection of a provider, also where it has no key and is not to be asked.
    #[must_use]
    pub fn connection(&self, id: &ProviderId) -> Option<Arc<dyn ProviderPort>> {
        self.read().get(id).map(|one| Arc::clone(&one.port))
    }

    /// Every provider that there is an adapter for, by the rows that this registry goes by.
    #[must_use]
    pub fn adapter_infos(&self) -> Vec<AdapterInfo> {
        infos(&self.table)
    }

    /// The ids of all, in their order.
    #[must_use]
    pub fn ids(&self) -> Vec<ProviderId> {
        self.read().keys().cloned().collect()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<ProviderId, Connected>> {
        self.connected.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Providers for Registry {
    /// One without a key is as good as not connected: it would only be refused.
    fn get(&self, id: &ProviderId) -> Option<Arc<dyn ProviderPort>> {
        self.read().get(id).filter(|one| one.settings.key.is_some()).map(|one| Arc::clone(&one.port))
    }

    fn all(&self) -> Vec<Descriptor> {
        self.read().values().map(|one| one.port.descriptor()).collect()
    }
}

/// Joins a protocol with the connection that the settings describe.
pub(super) fn connect(
    settings: &ProviderSettings,
    table: &Table,
    pace: Arc<dyn Pace>,
) -> Result<Arc<dyn ProviderPort>, SettingsError> {
    let Some(protocol) = protocol(&settings.adapter) else {
        let (id, adapter) = (settings.id.clone(), settings.adapter.clone());
        return Err(SettingsError::NoAdapter { id, adapter, known: adapters().join(", ") });
    };
    let row = table.row(protocol.facts().adapter);
    let line = line(settings, protocol, row)?;
    let history = line.also.clone();
    let http = Http::new(line, pace)
        .map_err(|error| SettingsError::Client { id: settings.id.clone(), why: error.to_string() })?;
    let file_minutes = match settings.retention_hours {
        Some(hours) => Some(hours.saturating_mul(60)),
        None => row.and_then(|row| row.retention.as_ref()).and_then(Retention::minutes),
    };
    let (id, name) = (settings.id.clone(), settings.name.clone());
    Ok(Adapter { protocol, id, name, http, history, file_minutes }.shared())
}

/// The connection that the settings describe.
fn line(
    settings: &ProviderSettings,
    protocol: &'static dyn Protocol,
    row: Option<&Row>,
) -> Result<Line, SettingsError> {
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
    // An address of the operator's own may have a key of its own, which is nothing for the vendor, and
    // other limits.
    let is_vendors = same_origin(&base, &address(settings, "base_url", facts.base_url)?);
    let regions = if is_vendors { protocol.regions() } else { &[] };
    let rate = row.filter(|_| is_vendors).and_then(|row| row.requests.as_ref()).map(Requests::rate);
    let files = row.map_or(&[][..], Row::file_hosts);
    let hosts = files.iter().cloned().chain(regions.iter().map(|host| (*host).to_owned()));
    let hosts = hosts.chain(settings.download_hosts.iter().cloned());
    // Trusted is what the operator gave; where a vendor's own address leads is judged.
    let (mut given, mut own): (Vec<&Url>, Vec<&Url>) = (downloads.iter().collect(), Vec::new());
    let bases = [(Some(&base), &settings.base_url), (history.as_ref(), &settings.history_url)];
    for (url, setting) in bases {
        if setting.is_some() { &mut given } else { &mut own }.extend(url);
    }
    Ok(Line {
        guard: Guard::new(given, hosts).with_hosts(own),
        key: settings
            .key
            .as_ref()
            .map(|secret| key(protocol, row.map_or(&[][..], Row::key_hosts), regions, secret))
            .transpose()
            .map_err(|error| SettingsError::Client { id: settings.id.clone(), why: error.to_string() })?,
        headers: facts.headers,
        limits: Limits { rate: settings.limits.rate.or(rate), ..settings.limits.clone() },
        also: history,
        base,
    })
}

fn address(settings: &ProviderSettings, setting: &'static str, text: &str) -> Result<Url, SettingsError> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| SettingsError::Address { id: settings.id.clone(), setting, url: text.to_owned() })
}

fn key(
    protocol: &'static dyn Protocol,
    hosts: &[String],
    regions: &[&str],
    secret: &SecretString,
) -> Result<Key, AccountError> {
    let facts = protocol.facts();
    let hosts = if facts.key.with_files { hosts } else { &[] };
    let also = hosts.iter().cloned().chain(regions.iter().map(|host| (*host).to_owned())).collect();
    let is_file = protocol.takes_accounts() && secret.expose_secret().trim_start().starts_with('{');
    let form = if is_file { Form::Account(Account::read(secret.expose_secret())?) } else { protocol.key_form(secret) };
    Ok(Key { header: facts.key.header, scheme: facts.key.scheme, secret: secret.clone(), form, also })
}

fn infos(table: &Table) -> Vec<AdapterInfo> {
    all_facts().map(|facts| info(facts, table.row(facts.adapter).and_then(|row| row.retention.as_ref()))).collect()
}

fn info(facts: &Facts, kept: Option<&Retention>) -> AdapterInfo {
    AdapterInfo {
        adapter: facts.adapter.to_owned(),
        name: facts.name.to_owned(),
        docs_url: facts.docs_url.to_owned(),
        key_hint: facts.key_hint.to_owned(),
        key_form: format!("{}: {}…", facts.key.header, facts.key.scheme),
        base_url: facts.base_url.to_owned(),
        capability: facts.capability.clone(),
        retention: kept.map(|row| FileRetention {
            minutes: row.minutes(),
            source: row.source.clone(),
            seen: Some(row.seen.to_string()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_without_a_key_is_set_up_and_not_asked() {
        let registry = Registry::new(vec![ProviderSettings::new("r", "replicate")]).expect("settings");
        let id = ProviderId::new("r");
        assert!(registry.get(&id).is_none() && registry.connection(&id).is_some());
        assert_eq!(registry.all().len(), 1);
        assert!(registry.set_key(&id, Some("r8_one".into())).expect("a key"));
        assert!(registry.get(&id).is_some());
        let unusable = registry.accepts(&id, "two\nlines".into()).expect_err("no header carries it").to_string();
        assert!(registry.accepts(&id, "r8_two".into()).is_ok() && !unusable.contains("two"), "{unusable}");
        let refused = registry.set_key(&id, Some("two\nlines".into())).expect_err("no header carries it").to_string();
        assert!(!refused.contains("two"), "{refused}");
        assert!(registry.get(&id).is_some(), "the key from before stays");
        assert!(registry.set_key(&id, None).expect("without") && registry.get(&id).is_none());
        assert!(!registry.set_key(&ProviderId::new("x"), None).expect("nobody"));
    }

    /// Every name leads into the network here.
    struct Inside;

    #[async_trait::async_trait]
    impl crate::http::Names for Inside {
        async fn addresses(&self, _: &str) -> std::io::Result<Vec<std::net::IpAddr>> {
            Ok(vec![std::net::Ipv4Addr::LOCALHOST.into()])
        }
    }

    /// What comes of a question at `url`, by the line of an adapter; nothing listens anywhere.
    async fn asked(settings: &ProviderSettings, url: &str) -> String {
        let table = Table::built_in().expect("the table");
        let protocol = protocol(&settings.adapter).expect("an adapter");
        let line = line(settings, protocol, table.row(&settings.adapter)).expect("a line");
        let line = Line { limits: Limits { tries: 1, ..Limits::default() }, ..line };
        let pace = Arc::new(crate::providers::subject::NoWait::default());
        let http = Http::with_names(line, pace, Arc::new(Inside)).expect("a client");
        let url = Url::parse(url).expect("an address");
        http.get(&crate::http::Ask::new(url, true)).await.expect_err("nothing answers").to_string()
    }

    #[tokio::test]
    async fn a_vendors_own_address_is_judged_by_where_it_leads_and_an_operators_is_not() {
        const JUDGED: &str = "not on the public internet";
        for adapter in adapters() {
            let own = ProviderSettings::new("p", adapter);
            let protocol = protocol(adapter).expect("an adapter");
            let base = protocol.facts().base_url;
            let told = asked(&own, base).await;
            assert!(told.contains(JUDGED), "{adapter}: {told}");
            if let Some(history) = protocol.history_url() {
                let told = asked(&own, history).await;
                assert!(told.contains(JUDGED), "{adapter}: {told}");
            }
            // The same address, where the operator says that it is meant.
            let given = ProviderSettings { base_url: Some(base.to_owned()), ..own };
            let told = asked(&given, base).await;
            assert!(!told.contains(JUDGED), "{adapter}: {told}");
        }
        let replicate = ProviderSettings::new("r", "replicate");
        let told = asked(&replicate, "https://evil.api.replicate.com/v1").await;
        assert!(told.contains("not among this provider's hosts"), "{told}");
    }

    #[test]
    fn the_key_goes_to_those_that_ask_for_it_and_to_nobody_else() {
        for (adapter, url, want) in [
            ("gemini_veo", "https://generativelanguage.googleapis.com/v1beta/files/f:download?alt=media", true),
            ("gemini_veo", "https://storage.googleapis.com/bucket/f", false),
            ("gemini_veo", "https://lh3.googleusercontent.com/f", false),
            ("gemini_veo", "https://1.2.3.4.bc.googleusercontent.com/f", false),
            ("vertex_veo", "https://europe-west4-aiplatform.googleapis.com/v1/x", true),
            ("vertex_veo", "https://storage.googleapis.com/storage/v1/b/x", true),
            ("stability", "https://api.stability.ai/v2beta/results/x", true),
            ("elevenlabs", "https://api.elevenlabs.io/v1/history/x/audio", true),
            ("elevenlabs", "https://cdn.elevenlabs.io/x", false),
            ("openai", "https://api.openai.com/v1/videos/x/content", true),
            ("openai", "https://cdn.openai.com/x", false),
            ("replicate", "https://replicate.delivery/x", true),
            ("fal", "https://v3.fal.media/x", false),
        ] {
            // Also where another address stands in for the vendor's: its files may still be the vendor's.
            for base_url in [None, Some("https://gateway.example".to_owned())] {
                let settings = ProviderSettings { key: Some("a-key".into()), ..ProviderSettings::new("p", adapter) };
                let settings = ProviderSettings { base_url, ..settings };
                let table = Table::built_in().expect("the table");
                let line = line(&settings, protocol(adapter).expect("an adapter"), table.row(adapter)).expect("a line");
                let http = Http::new(line, Arc::new(crate::providers::subject::NoWait::default())).expect("a client");
                assert_eq!(http.gives_key_to(&Url::parse(url).expect("an address")), want, "{adapter}: {url}");
            }
        }
    }

    #[test]
    fn every_adapter_presents_itself_whole() {
        let infos = infos(&Table::built_in().expect("the table"));
        assert_eq!(infos.len(), adapters().len());
        for info in infos {
            assert!(!info.name.is_empty() && !info.key_hint.is_empty(), "{info:?}");
            assert!(info.docs_url.starts_with("https://") && info.base_url.starts_with("https://"), "{info:?}");
            assert!(info.retention.is_some_and(|kept| kept.seen.is_some()), "{}", info.adapter);
        }
    }
}
