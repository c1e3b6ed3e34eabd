//! Providers as their keeper sees them: what is set up, with which key, and how it fares.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Capability, Descriptor, RawAnswer};
use crate::ids::ProviderId;
use crate::words::words;

words! {
    /// What a person did about a provider's connection, as the audit says it. Never the key.
    ConnectionChange {
        Added = "provider_added",
        Removed = "provider_removed",
        KeySet = "key_set",
        KeyRemoved = "key_removed",
        KeyTested = "key_tested",
    }
}

/// What a provider made of our key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyVerdict {
    Accepted,
    /// The provider does not take it.
    AuthError,
    RateLimited,
    /// No answer came.
    Unreachable,
    /// It answered with a fault of its own, which says nothing of the key.
    Faulty,
    /// It answered something that says neither yes nor no.
    Unclear,
    /// It was not asked: there is no key, no question to ask, or the provider is left alone now.
    NotAsked,
}

impl KeyVerdict {
    pub const ALL: &[Self] = &[
        Self::Accepted,
        Self::AuthError,
        Self::RateLimited,
        Self::Unreachable,
        Self::Faulty,
        Self::Unclear,
        Self::NotAsked,
    ];

    /// As it is written on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::AuthError => "auth_error",
            Self::RateLimited => "rate_limited",
            Self::Unreachable => "unreachable",
            Self::Faulty => "faulty",
            Self::Unclear => "unclear",
            Self::NotAsked => "not_asked",
        }
    }
}

/// The outcome of asking a provider whether it takes our key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCheck {
    pub verdict: KeyVerdict,
    /// What was asked and answered, for people. No keys, no signed addresses.
    pub words: String,
    /// How long the provider took.
    pub took: SignedDuration,
    pub raw: Vec<RawAnswer>,
}

impl KeyCheck {
    /// Nobody was asked, and why.
    pub fn not_asked(words: impl Into<String>) -> Self {
        Self { verdict: KeyVerdict::NotAsked, words: words.into(), took: SignedDuration::ZERO, raw: Vec::new() }
    }
}

/// Why a provider is not asked for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftAlone {
    /// It asked for a pause.
    Asked,
    /// It failed too often in a row.
    Failing,
}

/// How a connection fares, as far as this process has asked. Spans are counted from the moment of
/// the question, because a connection knows no date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The provider's last answer, or that none came.
    pub last: Option<LastAnswer>,
    /// Retries that may still be made; each tenth answer earns one.
    pub retries_left: u32,
    pub retries_max: u32,
    /// Calls in a row that failed with all their tries, and how many of them open the breaker.
    pub failures: u32,
    pub failures_max: u32,
    /// Why nothing is asked now, and for how long.
    pub left_alone: Option<(LeftAlone, SignedDuration)>,
}

/// One answer, without what it said of anybody's job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastAnswer {
    /// Time since it came.
    pub ago: SignedDuration,
    /// From the question to the end of the answer, or to the beginning of a file.
    pub took: SignedDuration,
    /// HTTP status; `None` where no answer came.
    pub status: Option<u16>,
    /// Whether it was given to our key for sure, also where its status is that of a refusal.
    pub key_taken: bool,
    /// Why no answer came; empty where one did.
    pub why: String,
}

/// How long a provider keeps files, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRetention {
    /// Minutes from the end of the job; `None` where no limit is stated.
    pub minutes: Option<u32>,
    pub source: String,
    /// When the source was last read, as `YYYY-MM-DD`.
    pub seen: Option<String>,
}

/// A provider that there is an adapter for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterInfo {
    /// Its name in settings.
    pub adapter: String,
    pub name: String,
    pub docs_url: String,
    pub key_hint: String,
    /// How the key goes out: the header, with the word before the key.
    pub key_form: String,
    pub base_url: String,
    pub capability: Capability,
    pub retention: Option<FileRetention>,
}

/// Where a provider's key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// The operating system's keyring.
    Keyring,
    /// This variable of the environment. It comes before the keyring.
    Environment(String),
    /// It came with the workspace, and is not to be changed here.
    Workspace,
    /// There is none.
    Missing,
    /// The keyring has not answered yet: it is locked, and waits for its password.
    Waiting,
}

/// A provider that is set up, with or without a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub descriptor: Descriptor,
    pub adapter: AdapterInfo,
    /// The address that is asked.
    pub base_url: String,
    /// The adapter's, or what the settings say instead.
    pub retention: Option<FileRetention>,
    pub key: KeyPlace,
    /// The variable that may hold the key instead, where the settings name one.
    pub key_variable: Option<String>,
    /// Counts the changes of the key, so that a change made on an old view is refused.
    pub revision: u64,
    pub health: Health,
}

/// Whether the system keeps keys for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyringState {
    /// Its name, for people.
    Ready(&'static str),
    /// Why there is none, for people.
    Absent(String),
}

/// A provider to be added to the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewConnection {
    /// As the platform's catalogue names it.
    pub id: ProviderId,
    pub adapter: String,
    /// The name that agents see; the adapter's without one.
    pub name: Option<String>,
    /// Another address than the vendor's own.
    pub base_url: Option<String>,
    /// The variable that holds the key, where the keyring does not.
    pub key_variable: Option<String>,
}

/// Why a connection was not changed; nothing was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionError {
    #[error("there is no provider {0} in the settings")]
    Unknown(ProviderId),
    /// What was seen is no longer so.
    #[error("{0}")]
    Stale(String),
    /// It is against the rules; the words are for people.
    #[error("{0}")]
    Refused(String),
    /// Keyring or settings can't be used now.
    #[error("{0}")]
    Unavailable(String),
}

/// The connections of a workspace, and what its keeper may do about them. A key goes in and never
/// comes out.
#[async_trait]
pub trait Connections: Send + Sync {
    /// Every provider that there is an adapter for.
    fn adapters(&self) -> Vec<AdapterInfo>;
    /// Every provider that is set up.
    fn connections(&self) -> Vec<Connection>;
    async fn keyring(&self) -> KeyringState;
    /// Why not every provider can be asked: the first one that has no key, for people. `None` where all can.
    fn keyless(&self) -> Option<String>;
    /// Waits until every provider that is set up can be asked.
    async fn all_have_keys(&self);
    /// Why no provider can be added here; `None` where one can.
    fn closed_because(&self) -> Option<String>;
    /// Keeps the key in the keyring and goes on with it. `revision` is that of the view on which
    /// this was decided.
    ///
    /// # Errors
    /// When it is not kept; the key in use is then the one from before.
    async fn put_key(&self, id: &ProviderId, key: &str, revision: u64) -> Result<(), ConnectionError>;
    /// Takes the key out of the keyring; the provider is not asked any more.
    ///
    /// # Errors
    /// When it is still there.
    async fn remove_key(&self, id: &ProviderId, revision: u64) -> Result<(), ConnectionError>;
    /// Asks the provider whether it takes the key.
    ///
    /// # Errors
    /// When there is no such provider.
    async fn check(&self, id: &ProviderId, now: Timestamp) -> Result<KeyCheck, ConnectionError>;
    /// Forgets failures and fills the budget of retries. A pause that the provider asked for is kept.
    ///
    /// # Errors
    /// When there is no such provider.
    fn reset(&self, id: &ProviderId) -> Result<(), ConnectionError>;
    /// Writes a provider into the settings and connects it, with `key` in the keyring if there is one.
    ///
    /// # Errors
    /// When it is not written; nothing is connected then.
    async fn add(&self, new: NewConnection, key: Option<&str>) -> Result<(), ConnectionError>;
    /// Takes a provider out of the settings and disconnects it; a key that is ours to change leaves the keyring
    /// before.
    ///
    /// # Errors
    /// When it is still in the settings.
    async fn remove(&self, id: &ProviderId, revision: u64) -> Result<(), ConnectionError>;
}
