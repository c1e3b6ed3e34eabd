//! What an operator says about a provider. Keys come from the keyring or the environment, never
//! from a settings file, so they are not part of what is read from one.

use makegood_domain::ids::ProviderId;
use secrecy::SecretString;
use serde::Deserialize;

use crate::http::Limits;

/// One provider, as the product's catalogue names it, and the adapter that speaks with it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSettings {
    pub id: ProviderId,
    /// The name of an adapter: `replicate`, `fal`, `runway` …
    pub adapter: String,
    /// The name that agents see; the adapter's where none is given.
    #[serde(default)]
    pub name: Option<String>,
    /// Trusted exactly as given, scheme, host and port, `http://127.0.0.1:4101` included; the
    /// vendor's own where none is given.
    #[serde(default)]
    pub base_url: Option<String>,
    /// Where fal's request history is asked, and the storage of Vertex. The vendor's own where neither this nor
    /// `base_url` is given; not asked where only `base_url` is.
    #[serde(default)]
    pub history_url: Option<String>,
    /// Addresses beside the base that files may come from, trusted as exactly.
    #[serde(default)]
    pub download_bases: Vec<String>,
    /// Hosts beside the vendor's own that files may come from, with all names below them.
    #[serde(default)]
    pub download_hosts: Vec<String>,
    /// Overrules the stated retention; from the end of the job.
    #[serde(default)]
    pub retention_hours: Option<u32>,
    #[serde(skip)]
    pub key: Option<SecretString>,
    #[serde(skip)]
    pub limits: Limits,
}

impl ProviderSettings {
    /// Settings of a vendor's public service; all else is set on the fields.
    pub fn new(id: impl Into<String>, adapter: impl Into<String>) -> Self {
        Self {
            id: ProviderId::new(id),
            adapter: adapter.into(),
            name: None,
            base_url: None,
            history_url: None,
            download_bases: Vec::new(),
            download_hosts: Vec::new(),
            retention_hours: None,
            key: None,
            limits: Limits::default(),
        }
    }
}

/// Why providers can't be connected as the settings say.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("provider {id}: there is no adapter `{adapter}`; there are: {known}")]
    NoAdapter { id: ProviderId, adapter: String, known: String },
    #[error("provider {id} is set up twice")]
    Twice { id: ProviderId },
    #[error("provider {id}: {setting} {url} is not an address of http or https")]
    Address { id: ProviderId, setting: &'static str, url: String },
    #[error("provider {id}: {why}")]
    Client { id: ProviderId, why: String },
    #[error("the rows about providers can't be followed: {0}")]
    Table(#[from] super::TableError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_a_settings_file_is_refused() {
        let with_key = r#"{"id":"r","adapter":"replicate","key":"r8_secret"}"#;
        assert!(serde_json::from_str::<ProviderSettings>(with_key).is_err());
        let plain = r#"{"id":"r","adapter":"replicate","base_url":"http://127.0.0.1:4101/v1"}"#;
        assert!(
            serde_json::from_str::<ProviderSettings>(plain)
                .is_ok_and(|s| s.base_url.as_deref() == Some("http://127.0.0.1:4101/v1"))
        );
    }
}
