//! Settings of a connected workspace: one TOML file. Without one, the practice workspace opens.
//! Keys of providers are never in it: they are in the system's keyring, or in the environment variable that
//! it names.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use serde::Deserialize;

use crate::door::{EndpointEntry, FeederEntry, WebhookEntry};
use crate::record::RecordSettings;
use crate::vault::VaultSettings;

#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("{path} can't be read: {why}")]
    Unreadable { path: PathBuf, why: String },
    #[error("{path}: {why}")]
    Wrong { path: PathBuf, why: String },
}

/// `makegood.toml` in the profile's folder.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name of the workspace, shown in the window.
    pub workspace: String,
    /// SQLite file; relative to the profile's folder. `makegood.sqlite` where no record is named.
    pub database: Option<PathBuf>,
    /// A team's record on a PostgreSQL server, instead of a file.
    pub record: Option<RecordSettings>,
    /// Where recovered files are kept: a folder, relative to the profile's, or a store of objects.
    #[serde(default = "default_vault")]
    pub vault: VaultSettings,
    /// Policy file; the built-in policy without one.
    pub policy: Option<PathBuf>,
    /// Who works here. A server's record knows that by the login.
    pub agent: Option<AgentSettings>,
    #[serde(default)]
    pub reconciler: ReconcilerSettings,
    #[serde(default, rename = "provider")]
    pub providers: Vec<ProviderEntry>,
    /// Whose webhooks `makegoodctl serve` takes.
    #[serde(default, rename = "webhook")]
    pub webhooks: Vec<WebhookEntry>,
    /// Who may tell it the platform's facts.
    #[serde(default, rename = "feeder")]
    pub feeders: Vec<FeederEntry>,
    /// Whom it tells what was done.
    #[serde(default, rename = "endpoint")]
    pub endpoints: Vec<EndpointEntry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentSettings {
    pub id: String,
    pub name: String,
}

/// When this program starts passes of the reconciler by itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReconcilerSettings {
    /// The longest time from a pass to the next one: `60m`, `2h`, or `off`; the policy's cadence where it is not said.
    pub every: Option<String>,
}

impl ReconcilerSettings {
    /// What is said, or `cadence`; `None` for `off`.
    ///
    /// # Errors
    /// When it is no duration, or one that is too short to finish a pass in.
    pub fn every(&self, cadence: SignedDuration) -> Result<Option<SignedDuration>, String> {
        match self.every.as_deref().map(str::trim) {
            None => Ok(Some(cadence)),
            Some("off") => Ok(None),
            Some(text) => every(text).map(Some),
        }
    }
}

/// A time between two passes, as people write it: `5m`, `1h 30m`.
///
/// # Errors
/// When it is no duration, or less than a minute or more than a day.
pub fn every(text: &str) -> Result<SignedDuration, String> {
    let wanted: SignedDuration = text.parse().map_err(|why| format!("`{text}` is no duration such as 60m: {why}"))?;
    if wanted < SignedDuration::from_mins(1) || wanted > SignedDuration::from_hours(24) {
        return Err(format!("`{text}` is not between a minute and a day"));
    }
    Ok(wanted)
}

/// A provider of the product's catalogue and the adapter that speaks to it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderEntry {
    /// As the platform's catalogue names it.
    pub id: String,
    /// As `makegoodctl provider list` names it.
    pub adapter: String,
    /// Environment variable that holds the key. Where it is set, the keyring is not asked.
    pub key_env: Option<String>,
    /// The name that agents see; the adapter's without one.
    pub name: Option<String>,
    /// Another address than the provider's own, trusted exactly as given.
    pub base_url: Option<String>,
    /// A second address of the vendor's, where it has one: fal's request history, and the storage that Vertex AI
    /// writes to.
    pub history_url: Option<String>,
    /// Addresses and hosts that files may come from beside the provider's own.
    #[serde(default)]
    pub download_bases: Vec<String>,
    #[serde(default)]
    pub download_hosts: Vec<String>,
    /// Overrules what is stated in the rows of `providers.toml`.
    pub retention_hours: Option<u32>,
}

fn default_vault() -> VaultSettings {
    VaultSettings::at("vault")
}

impl Settings {
    /// Where the settings of a profile are.
    #[must_use]
    pub fn path(home: &Path) -> PathBuf {
        home.join("makegood.toml")
    }

    /// The settings of a profile; `None` where there is no file.
    ///
    /// # Errors
    /// When the file is there and can't be read or understood; the text names file and place.
    pub fn load(home: &Path) -> Result<Option<Self>, SettingsError> {
        let path = Self::path(home);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(why) => return Err(SettingsError::Unreadable { path, why: why.to_string() }),
        };
        let settings: Self =
            toml::from_str(&text).map_err(|why| SettingsError::Wrong { path, why: why.to_string() })?;
        Ok(Some(settings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_is_no_settings() {
        let dir = tempfile::tempdir().expect("a folder");
        assert!(Settings::load(dir.path()).expect("no file is fine").is_none());
    }

    #[test]
    fn a_wrong_file_is_named_with_its_place() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("makegood.toml"), "workspace = 'Acme'\nkey = 'secret'\n").expect("written");
        let why = Settings::load(dir.path()).expect_err("an unknown field is refused").to_string();
        assert!(why.contains("makegood.toml") && why.contains("key"), "{why}");
    }

    #[test]
    fn the_reconciler_keeps_the_policys_cadence_unless_told() {
        let cadence = SignedDuration::from_mins(60);
        let said = |every: Option<&str>| ReconcilerSettings { every: every.map(str::to_owned) }.every(cadence);
        for (every, want) in [
            (None, Ok(Some(60))),
            (Some("off"), Ok(None)),
            (Some("5m"), Ok(Some(5))),
            (Some("1h 30m"), Ok(Some(90))),
            (Some("1s"), Err("between a minute and a day")),
            (Some("-5m"), Err("between a minute and a day")),
            (Some("2d"), Err("2d")),
            (Some("often"), Err("no duration")),
        ] {
            match (said(every), want) {
                (Ok(got), Ok(want)) => assert_eq!(got.map(|span| span.as_mins()), want, "{every:?}"),
                (Err(why), Err(part)) => assert!(why.contains(part), "{every:?}: {why}"),
                (got, want) => panic!("{every:?}: {got:?}, not {want:?}"),
            }
        }
    }

    #[test]
    fn a_small_file_is_enough() {
        let dir = tempfile::tempdir().expect("a folder");
        let text = "workspace = 'Acme'\n[agent]\nid = 'ana'\nname = 'Ana'\n\
                    [[provider]]\nid = 'replicate'\nadapter = 'replicate'\nkey_env = 'REPLICATE_API_TOKEN'\n";
        std::fs::write(dir.path().join("makegood.toml"), text).expect("written");
        let settings = Settings::load(dir.path()).expect("read").expect("there");
        assert_eq!((settings.providers.len(), settings.database), (1, None));
    }
}
