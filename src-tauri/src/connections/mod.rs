//! The connections of a workspace, looked after: which key each provider has and from where, and what
//! the window may change about that.
//!
//! A variable of the environment comes first, because it was set for this very start; then the
//! keyring. A key is never written anywhere else, and never given back.

mod keyring;
mod settings_file;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use makegood_connectors::{ProviderSettings, Registry, SettingsError};
use makegood_domain::ids::ProviderId;
use makegood_domain::ports::{
    AdapterInfo, Connection, ConnectionError, Connections, FileRetention, KeyCheck, KeyPlace, KeyringState,
    NewConnection,
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::watch;

pub use keyring::{Keyring, KeyringError, aside, of_the_system};
pub use settings_file::SettingsFile;

use keyring::begin;

/// How long the keyring is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// By a start and a view: the window then opens, and keys are used as they come.
    pub at_start: Duration,
    /// By a change, while a person may be asked for a password.
    pub with_people: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { at_start: Duration::from_secs(2), with_people: Duration::from_mins(2) }
    }
}

/// Reads a variable of the environment.
pub type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What is known of a provider's key.
#[derive(Clone, Debug)]
struct Kept {
    place: KeyPlace,
    variable: Option<String>,
    revision: u64,
}

/// What a keeper is made of.
pub struct Keeping {
    /// Tells the keys of one workspace from those of another in one keyring.
    pub workspace: String,
    pub keyring: Arc<dyn Keyring>,
    pub patience: Patience,
    pub environment: Environment,
    /// Where a provider can be added, or why none can.
    pub file: Result<SettingsFile, String>,
}

/// Looks after the connections of a workspace.
pub struct Keeper {
    registry: Arc<Registry>,
    adapters: Vec<AdapterInfo>,
    keeping: Keeping,
    kept: Mutex<BTreeMap<ProviderId, Kept>>,
    /// One change at a time: each looks before it writes.
    changing: tokio::sync::Mutex<()>,
    /// Marked after each change of `kept`.
    keys: watch::Sender<()>,
}

impl Keeper {
    /// Finds the keys of the providers in `registry`, each with the variable that may hold it. One that
    /// came with a key keeps it. Whoever's key the keyring has not told in time is told it when it comes.
    ///
    /// # Errors
    /// When the retention table can't be read, or a variable holds what can't be a key.
    pub async fn open(
        registry: Arc<Registry>,
        variables: &BTreeMap<ProviderId, String>,
        keeping: Keeping,
    ) -> Result<Arc<Self>, SettingsError> {
        let mut kept = BTreeMap::new();
        let mut wanted = Vec::new();
        for id in registry.ids() {
            let variable = variables.get(&id).cloned();
            let told = variable.as_ref().and_then(|name| (keeping.environment)(name).filter(|key| !key.is_empty()));
            let place = match (&variable, told) {
                (Some(name), Some(key)) => {
                    registry.set_key(&id, Some(key.into()))?;
                    KeyPlace::Environment(name.clone())
                }
                _ if registry.settings(&id).is_some_and(|one| one.key.is_some()) => KeyPlace::Workspace,
                _ => {
                    wanted.push(id.clone());
                    KeyPlace::Missing
                }
            };
            kept.insert(id, Kept { place, variable, revision: 0 });
        }
        let adapters = registry.adapter_infos();
        let (kept, changing) = (Mutex::new(kept), tokio::sync::Mutex::new(()));
        let keeper = Arc::new(Self { registry, adapters, keeping, kept, changing, keys: watch::Sender::new(()) });
        if !wanted.is_empty() {
            keeper.read_keys(wanted).await;
        }
        Ok(keeper)
    }

    /// Reads these keys aside; waits a little, and takes what comes later when it comes.
    async fn read_keys(self: &Arc<Self>, wanted: Vec<ProviderId>) {
        let accounts: Vec<_> = wanted.into_iter().map(|id| (self.account(&id), id)).collect();
        let asked: Vec<ProviderId> = accounts.iter().map(|(_, id)| id.clone()).collect();
        let mut answer = begin(&self.keeping.keyring, move |keyring| {
            accounts.into_iter().map(|(account, id)| (id, keyring.get(&account))).collect::<Vec<_>>()
        });
        if let Ok(found) = tokio::time::timeout(self.keeping.patience.at_start, &mut answer).await {
            self.take(found.unwrap_or_default());
            return;
        }
        tracing::warn!("the keyring does not answer; its keys are used as soon as it does");
        for id in asked {
            self.note(&id, KeyPlace::Waiting);
        }
        let keeper = Arc::clone(self);
        tokio::spawn(async move { keeper.take(answer.await.unwrap_or_default()) });
    }

    fn take(&self, found: Vec<(ProviderId, Result<Option<SecretString>, KeyringError>)>) {
        for (id, key) in found {
            match key {
                Ok(Some(key)) => match self.registry.set_key(&id, Some(key)) {
                    Ok(_) => self.note(&id, KeyPlace::Keyring),
                    Err(error) => {
                        tracing::warn!(%error, "the keyring holds what is no key");
                        self.note(&id, KeyPlace::Missing);
                    }
                },
                Ok(None) => match self.registry.set_key(&id, None) {
                    Ok(_) => self.note(&id, KeyPlace::Missing),
                    Err(error) => tracing::warn!(%error, "a key stays in use that the keyring no longer has"),
                },
                Err(KeyringError::Locked(why)) => {
                    tracing::warn!(provider = %id, why, "the keyring is locked");
                    self.note(&id, KeyPlace::Waiting);
                }
                Err(error) => {
                    tracing::debug!(provider = %id, %error, "no key");
                    self.note(&id, KeyPlace::Missing);
                }
            }
        }
    }

    /// Under which name the keyring holds a provider's key.
    fn account(&self, id: &ProviderId) -> String {
        format!("{}: {id}", self.keeping.workspace)
    }

    fn note(&self, id: &ProviderId, place: KeyPlace) {
        self.change(|kept| {
            if let Some(one) = kept.get_mut(id) {
                one.place = place;
                one.revision += 1;
            }
        });
    }

    /// Changes what is known of the keys, and wakes whoever waits for them.
    fn change(&self, change: impl FnOnce(&mut BTreeMap<ProviderId, Kept>)) {
        change(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        self.keys.send_replace(());
    }

    fn of(&self, id: &ProviderId) -> Result<Kept, ConnectionError> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(id).cloned().ok_or_else(|| ConnectionError::Unknown(id.clone()))
    }

    /// What stands before each change of a key: the view was not old, the key is ours to change, and the
    /// keyring holds what it held when we last looked.
    async fn before_change(&self, id: &ProviderId, revision: u64) -> Result<Kept, ConnectionError> {
        let known = self.of(id)?;
        if known.revision != revision {
            return Err(ConnectionError::Stale(format!("The key of {id} was changed meanwhile. Look again.")));
        }
        match &known.place {
            KeyPlace::Environment(name) => {
                return Err(ConnectionError::Refused(format!(
                    "The environment variable {name} holds the key of {id} and comes first. Unset it and start \
                     again to use the keyring."
                )));
            }
            KeyPlace::Workspace => {
                return Err(ConnectionError::Refused(format!("The key of {id} belongs to this workspace.")));
            }
            KeyPlace::Keyring | KeyPlace::Missing | KeyPlace::Waiting => {}
        }
        let account = self.account(id);
        let there = self.ask(move |keyring| keyring.get(&account)).await?;
        let ours = self.registry.settings(id).and_then(|one| one.key);
        if is_same(there.as_ref(), ours.as_ref()) {
            return Ok(known);
        }
        self.take(vec![(id.clone(), Ok(there))]);
        Err(ConnectionError::Stale(format!(
            "Another program changed the key of {id} in the keyring meanwhile; its key is used now. Look again."
        )))
    }

    async fn ask<T: Send + 'static>(
        &self,
        call: impl FnOnce(&dyn Keyring) -> Result<T, KeyringError> + Send + 'static,
    ) -> Result<T, ConnectionError> {
        let answer = aside(&self.keeping.keyring, self.keeping.patience.with_people, call).await;
        answer.map_err(|error| ConnectionError::Unavailable(as_sentence(&error.to_string())))
    }

    fn connection(&self, id: &ProviderId, kept: &Kept) -> Option<Connection> {
        let (settings, port) = (self.registry.settings(id)?, self.registry.connection(id)?);
        let adapter = self.adapters.iter().find(|info| info.adapter == settings.adapter)?.clone();
        let retention = match settings.retention_hours {
            None => adapter.retention.clone(),
            Some(hours) => Some(FileRetention {
                minutes: Some(hours.saturating_mul(60)),
                source: "this workspace's settings".to_owned(),
                seen: None,
            }),
        };
        Some(Connection {
            descriptor: port.descriptor(),
            base_url: settings.base_url.unwrap_or_else(|| adapter.base_url.clone()),
            adapter,
            retention,
            key: kept.place.clone(),
            key_variable: kept.variable.clone(),
            revision: kept.revision,
            health: port.health(),
        })
    }
}

#[async_trait]
impl Connections for Keeper {
    fn adapters(&self) -> Vec<AdapterInfo> {
        self.adapters.clone()
    }

    fn connections(&self) -> Vec<Connection> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        kept.iter().filter_map(|(id, one)| self.connection(id, one)).collect()
    }

    async fn keyring(&self) -> KeyringState {
        match aside(&self.keeping.keyring, self.keeping.patience.at_start, |keyring| Ok(keyring.state())).await {
            Ok(state) => state,
            Err(error) => KeyringState::Absent(error.to_string()),
        }
    }

    fn keyless(&self) -> Option<String> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find_map(|(id, one)| match (&one.place, &one.variable) {
            (KeyPlace::Missing, Some(name)) => {
                Some(format!("provider {id}: the environment has no {name}, and the keyring no key"))
            }
            (KeyPlace::Missing, None) => Some(format!("provider {id}: the keyring has no key")),
            (KeyPlace::Waiting, _) => Some(format!("provider {id}: the keyring is locked")),
            (KeyPlace::Keyring | KeyPlace::Environment(_) | KeyPlace::Workspace, _) => None,
        })
    }

    async fn all_have_keys(&self) {
        // Listens before it looks, so that no change falls between the two.
        let mut changes = self.keys.subscribe();
        while self.keyless().is_some() {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    fn closed_because(&self) -> Option<String> {
        self.keeping.file.as_ref().err().cloned()
    }

    async fn put_key(&self, id: &ProviderId, key: &str, revision: u64) -> Result<(), ConnectionError> {
        let _one = self.changing.lock().await;
        self.before_change(id, revision).await?;
        let (account, wanted) = (self.account(id), SecretString::from(key));
        let refused = |error: SettingsError| ConnectionError::Refused(as_sentence(&error.to_string()));
        // What can't be used must not take the place of what can.
        self.registry.accepts(id, wanted.clone()).map_err(refused)?;
        let written = wanted.clone();
        let there = self
            .ask(move |keyring| {
                keyring.put(&account, &written)?;
                keyring.get(&account)
            })
            .await?;
        if !is_same(there.as_ref(), Some(&wanted)) {
            let words = format!("The keyring did not keep the key of {id}: what it holds is not what was written.");
            return Err(ConnectionError::Unavailable(words));
        }
        self.registry.set_key(id, Some(wanted)).map_err(refused)?;
        self.note(id, KeyPlace::Keyring);
        Ok(())
    }

    async fn remove_key(&self, id: &ProviderId, revision: u64) -> Result<(), ConnectionError> {
        let _one = self.changing.lock().await;
        if self.before_change(id, revision).await?.place != KeyPlace::Keyring {
            return Err(ConnectionError::Refused(format!("The keyring has no key of {id}.")));
        }
        let account = self.account(id);
        self.ask(move |keyring| keyring.remove(&account)).await?;
        self.registry.set_key(id, None).map_err(|error| ConnectionError::Refused(error.to_string()))?;
        self.note(id, KeyPlace::Missing);
        Ok(())
    }

    async fn check(&self, id: &ProviderId, now: Timestamp) -> Result<KeyCheck, ConnectionError> {
        if self.of(id)?.place == KeyPlace::Waiting {
            // Somebody is there now who can type the keyring's password.
            let account = self.account(id);
            let key = self.ask(move |keyring| keyring.get(&account)).await?;
            self.take(vec![(id.clone(), Ok(key))]);
        }
        let port = self.registry.connection(id).ok_or_else(|| ConnectionError::Unknown(id.clone()))?;
        Ok(port.check(now).await)
    }

    fn reset(&self, id: &ProviderId) -> Result<(), ConnectionError> {
        self.registry.connection(id).ok_or_else(|| ConnectionError::Unknown(id.clone()))?.reset();
        Ok(())
    }

    async fn add(&self, new: NewConnection, key: Option<&str>) -> Result<(), ConnectionError> {
        let file = self.keeping.file.clone().map_err(ConnectionError::Refused)?;
        let refused = |error: SettingsError| ConnectionError::Refused(as_sentence(&error.to_string()));
        let settings = ProviderSettings {
            name: new.name.clone(),
            base_url: new.base_url.clone(),
            ..ProviderSettings::new(new.id.0.clone(), new.adapter.clone())
        };
        let id = new.id.clone();
        {
            let _one = self.changing.lock().await;
            if self.of(&id).is_ok() {
                return Err(ConnectionError::Refused(format!("There is a provider {id} already.")));
            }
            // Connected before it is written: settings that can't be followed must not reach the file.
            Registry::new(vec![settings.clone()]).map_err(refused)?;
            file.add(&new)?;
            self.registry.add(settings).map_err(refused)?;
            let told = new.key_variable.as_ref().and_then(|name| (self.keeping.environment)(name));
            let place = match (&new.key_variable, told.filter(|key| !key.is_empty())) {
                (Some(name), Some(told)) => {
                    self.registry.set_key(&id, Some(told.into())).map_err(refused)?;
                    KeyPlace::Environment(name.clone())
                }
                _ => KeyPlace::Missing,
            };
            let kept = Kept { place, variable: new.key_variable, revision: 0 };
            self.change(|all| drop(all.insert(id.clone(), kept)));
        }
        let Some(key) = key else { return Ok(()) };
        self.put_key(&id, key, 0).await.map_err(|error| {
            ConnectionError::Unavailable(format!("The provider {id} was added, but its key was not kept. {error}"))
        })
    }

    async fn remove(&self, id: &ProviderId, revision: u64) -> Result<(), ConnectionError> {
        let file = self.keeping.file.clone().map_err(ConnectionError::Refused)?;
        let _one = self.changing.lock().await;
        let known = self.of(id)?;
        if known.revision != revision {
            return Err(ConnectionError::Stale(format!("The key of {id} was changed meanwhile. Look again.")));
        }
        file.removable(id)?;
        if known.place == KeyPlace::Keyring {
            // The key first: nobody would look for it again once its provider is gone.
            let account = self.account(id);
            self.ask(move |keyring| keyring.remove(&account)).await?;
            self.registry.set_key(id, None).map_err(|error| ConnectionError::Refused(error.to_string()))?;
            self.note(id, KeyPlace::Missing);
        }
        file.remove(id)?;
        self.registry.remove(id);
        self.change(|all| drop(all.remove(id)));
        Ok(())
    }
}

/// Whether both are the same key, or both none. Keys are not compared with what people guess, so the
/// time that it takes tells nobody anything.
fn is_same(one: Option<&SecretString>, other: Option<&SecretString>) -> bool {
    one.map(|key| key.expose_secret()) == other.map(|key| key.expose_secret())
}

fn as_sentence(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
