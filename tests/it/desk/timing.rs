//! Who starts passes by a timer: nobody while a provider has no key, and at once when it has one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use makegood::connections::{Keeper, Keeping, Keyring, KeyringError, Patience};
use makegood::sweeps::{self, Stop};
use makegood_app::contract::{Nothing, PutKeyRequest, RemoveKeyRequest, Topic};
use makegood_app::{Desk, Timer};
use makegood_connectors::{ProviderSettings, Registry};
use makegood_domain::ports::{KeyringState, ReconcileStore as _};
use secrecy::SecretString;
use tokio::sync::mpsc;

use super::world::{ground, house};

/// A keyring in memory.
#[derive(Default)]
struct Drawer(Mutex<BTreeMap<String, SecretString>>);

impl Keyring for Drawer {
    fn state(&self) -> KeyringState {
        KeyringState::Ready("a drawer")
    }

    fn get(&self, account: &str) -> Result<Option<SecretString>, KeyringError> {
        Ok(self.0.lock().expect("not poisoned").get(account).cloned())
    }

    fn put(&self, account: &str, key: &SecretString) -> Result<(), KeyringError> {
        self.0.lock().expect("not poisoned").insert(account.to_owned(), key.clone());
        Ok(())
    }

    fn remove(&self, account: &str) -> Result<(), KeyringError> {
        self.0.lock().expect("not poisoned").remove(account);
        Ok(())
    }
}

/// A keeper of one provider, `rep`, without a key.
async fn keeper() -> Arc<Keeper> {
    let registry = Registry::new(vec![ProviderSettings::new("rep", "replicate")]).expect("settings");
    let keeping = Keeping {
        workspace: "Test".to_owned(),
        keyring: Arc::new(Drawer::default()),
        patience: Patience::default(),
        environment: Arc::new(|_| None),
        file: Err("not here".to_owned()),
    };
    Keeper::open(Arc::new(registry), &BTreeMap::new(), keeping).await.expect("a keeper")
}

async fn off_because(desk: &Desk) -> Option<String> {
    let schedule = desk.reconciler(Nothing {}).await.expect("a view").schedule;
    assert_eq!(schedule.every_minutes.is_none(), schedule.off_because.is_some());
    schedule.off_because
}

#[tokio::test]
async fn passes_begin_as_soon_as_the_last_key_is_set() {
    let house = house(&[ground()]).await;
    let timer = Timer { every: Some(SignedDuration::from_hours(1)), off_because: None };
    let desk = Arc::into_inner(house.desk).expect("nobody else has it");
    let desk = Arc::new(desk.with_timer(timer).with_connections(keeper().await));
    let why = off_because(&desk).await.expect("nobody can ask");
    assert!(why.contains("provider rep: the keyring has no key") && why.contains("Passes start when"), "{why}");

    let (stop, mut changes) = (Stop::default(), desk.changes());
    let (tell, mut passes) = mpsc::unbounded_channel();
    let (kept, until) = (Arc::clone(&desk), stop.clone());
    let keeping = tokio::spawn(async move {
        let told = |pass| drop(tell.send(pass));
        sweeps::keep(&kept, "test", SignedDuration::from_hours(1), &until, told).await;
    });
    while changes.recv().await.expect("a change") != Topic::Reconciler {}
    assert!(passes.try_recv().is_err() && house.store.passes(9).await.expect("passes").is_empty(), "none was begun");

    let revision = desk.connections(Nothing {}).await.expect("a view").rows.remove(0).revision;
    let key = serde_json::json!({"id": "rep", "key": "r8_x", "revision": revision});
    let request: PutKeyRequest = serde_json::from_value(key).expect("a request");
    let row = desk.put_key(request).await.expect("kept");
    passes.recv().await.expect("a pass").expect("that was made");
    assert_eq!(off_because(&desk).await, None, "and the screen says so");

    desk.remove_key(RemoveKeyRequest { id: "rep".to_owned(), revision: row.revision }).await.expect("removed");
    assert!(off_because(&desk).await.is_some(), "the next one waits again");
    stop.now();
    keeping.await.expect("it ends");
    assert_eq!(house.store.passes(9).await.expect("passes").len(), 1);
}

#[tokio::test]
async fn who_waits_for_a_key_can_be_stopped() {
    let house = house(&[ground()]).await;
    let desk = Arc::into_inner(house.desk).expect("nobody else has it").with_connections(keeper().await);
    let stop = Stop::default();
    stop.now();
    sweeps::keep(&desk, "test", SignedDuration::from_hours(1), &stop, |_| ()).await;
    assert!(house.store.passes(9).await.expect("passes").is_empty());
}
