//! Providers on the wire: what is set up, with which key, and how each connection fares.

use jiff::Timestamp;
use makegood_domain::ports::{KeyVerdict, LeftAlone};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::requests::RawAnswerView;

/// The providers of this workspace, of one instant.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionsView {
    #[ts(type = "string")]
    pub now: Timestamp,
    pub keyring: KeyringView,
    /// Why no provider can be added from the window; null where one can.
    pub closed_because: Option<String>,
    pub rows: Vec<ConnectionRow>,
    /// Every provider that this version can speak to.
    pub adapters: Vec<AdapterView>,
}

/// Whether the system keeps keys for us: one of the two is set.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct KeyringView {
    pub name: Option<String>,
    /// Why there is none, for people.
    pub why: Option<String>,
}

/// A provider that is set up.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionRow {
    pub id: String,
    pub name: String,
    pub adapter: AdapterView,
    /// The address that is asked.
    pub base_url: String,
    pub retention: Option<RetentionView>,
    pub key: KeyView,
    /// Sent back with a change of the key: what was looked at is what is changed.
    pub revision: u64,
    pub health: HealthView,
}

/// A provider that there is an adapter for.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AdapterView {
    pub adapter: String,
    pub name: String,
    pub docs_url: String,
    pub key_hint: String,
    /// The header that carries the key, with the word before it.
    pub key_form: String,
    pub base_url: String,
    pub can: CapabilityView,
    pub retention: Option<RetentionView>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each ability is there or not, apart from the others")]
pub struct CapabilityView {
    pub look_up: bool,
    pub list_by_time: bool,
    pub cost: bool,
    pub cancel: bool,
    pub webhook: bool,
    /// The provider itself tells a file's deadline.
    pub gives_expiry: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RetentionView {
    /// From the end of the job; null where no limit is stated.
    pub minutes: Option<u32>,
    pub source: String,
    /// When the source was last read, as `YYYY-MM-DD`; null where the settings say it.
    pub seen: Option<String>,
}

/// Where a key is. The key itself never crosses the bridge to the window.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct KeyView {
    pub place: KeyPlaceWord,
    /// The environment variable that holds it, or may hold it.
    pub variable: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum KeyPlaceWord {
    Keyring,
    Environment,
    /// It came with the workspace and can't be changed here.
    Workspace,
    Missing,
    /// The keyring is locked and waits for its password.
    Waiting,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HealthView {
    /// Null: not asked since this program started.
    pub last: Option<LastAnswerView>,
    pub retries_left: u32,
    pub retries_max: u32,
    /// Calls in a row that failed with all their tries, and how many of them open the breaker.
    pub failures: u32,
    pub failures_max: u32,
    pub left_alone: Option<LeftAloneView>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LastAnswerView {
    #[ts(type = "string")]
    pub at: Timestamp,
    pub took_ms: i64,
    /// HTTP status; null where no answer came.
    pub status: Option<u16>,
    /// Whether it was given to our key for sure, also where its status is that of a refusal.
    pub key_taken: bool,
    /// Why no answer came.
    pub why: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LeftAloneView {
    #[ts(type = "\"asked\" | \"failing\"")]
    pub why: LeftAlone,
    #[ts(type = "string")]
    pub until: Timestamp,
}

/// What a provider made of the key.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct KeyCheckView {
    #[ts(type = "KeyVerdict")]
    pub verdict: KeyVerdict,
    pub words: String,
    #[ts(type = "string")]
    pub at: Timestamp,
    pub took_ms: i64,
    pub answers: Vec<RawAnswerView>,
}

/// A key on its way in. It has no way out: it can't be written, and shows nothing of itself.
#[derive(Clone, Deserialize, TS)]
#[ts(type = "string")]
pub struct Secret(String);

impl Secret {
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

#[derive(Clone, Debug, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionRequest {
    pub id: String,
}

#[derive(Clone, Debug, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PutKeyRequest {
    pub id: String,
    pub key: Secret,
    /// Of the row on which this was decided.
    pub revision: u64,
}

#[derive(Clone, Debug, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RemoveKeyRequest {
    pub id: String,
    pub revision: u64,
}

#[derive(Clone, Debug, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AddConnectionRequest {
    /// As the platform's catalogue names the provider.
    pub id: String,
    pub adapter: String,
    pub name: Option<String>,
    pub base_url: Option<String>,
    /// The environment variable that holds the key, where the keyring does not.
    pub variable: Option<String>,
    pub key: Option<Secret>,
}
