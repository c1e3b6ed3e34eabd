use std::collections::BTreeMap;
use std::path::Path;

use makegood_domain::ports::{KeyVerdict, Providers as _};

use super::*;

/// A keyring in memory, which fails as it is told.
#[derive(Default)]
struct Memory {
    keys: Mutex<BTreeMap<String, String>>,
    fails: Mutex<Option<KeyringError>>,
}

impl Memory {
    fn hold(&self, account: &str, key: Option<&str>) {
        let mut keys = self.keys.lock().expect("keys");
        match key {
            Some(key) => keys.insert(account.to_owned(), key.to_owned()),
            None => keys.remove(account),
        };
    }

    fn held(&self, account: &str) -> Option<String> {
        self.keys.lock().expect("keys").get(account).cloned()
    }

    fn fail(&self, with: Option<KeyringError>) {
        *self.fails.lock().expect("fails") = with;
    }

    fn trouble(&self) -> Result<(), KeyringError> {
        self.fails.lock().expect("fails").clone().map_or(Ok(()), Err)
    }
}

impl Keyring for Memory {
    fn state(&self) -> KeyringState {
        KeyringState::Ready("memory")
    }

    fn get(&self, account: &str) -> Result<Option<SecretString>, KeyringError> {
        self.trouble()?;
        Ok(self.held(account).map(Into::into))
    }

    fn put(&self, account: &str, key: &SecretString) -> Result<(), KeyringError> {
        self.trouble()?;
        self.hold(account, Some(key.expose_secret()));
        Ok(())
    }

    fn remove(&self, account: &str) -> Result<(), KeyringError> {
        self.trouble()?;
        self.hold(account, None);
        Ok(())
    }
}

/// Waits for a person who never comes.
struct Prompting;

impl Keyring for Prompting {
    fn state(&self) -> KeyringState {
        KeyringState::Ready("prompting")
    }

    fn get(&self, _: &str) -> Result<Option<SecretString>, KeyringError> {
        loop {
            std::thread::park();
        }
    }

    fn put(&self, _: &str, _: &SecretString) -> Result<(), KeyringError> {
        Ok(())
    }

    fn remove(&self, _: &str) -> Result<(), KeyringError> {
        Ok(())
    }
}

/// Longer than a keyring in memory takes, and short enough to wait for.
const PATIENCE: Duration = Duration::from_millis(500);
const ACCOUNT: &str = "Acme: r";
const VARIABLE: &str = "A_KEY";

fn id() -> ProviderId {
    ProviderId::new("r")
}

/// A keeper of one provider, `r`, whose variable is `A_KEY`.
async fn keeper(keyring: Arc<dyn Keyring>, in_environment: Option<&'static str>) -> (Arc<Registry>, Arc<Keeper>) {
    let registry = Arc::new(Registry::new(vec![ProviderSettings::new("r", "replicate")]).expect("settings"));
    let keeping = Keeping {
        workspace: "Acme".to_owned(),
        keyring,
        patience: Patience { at_start: PATIENCE, with_people: PATIENCE },
        environment: Arc::new(move |name| in_environment.filter(|_| name == VARIABLE).map(str::to_owned)),
        file: Err("not here".to_owned()),
    };
    let variables = BTreeMap::from([(id(), VARIABLE.to_owned())]);
    let keeper = Keeper::open(Arc::clone(&registry), &variables, keeping).await.expect("a keeper");
    (registry, keeper)
}

fn shown(keeper: &Keeper) -> (KeyPlace, u64) {
    let one = keeper.connections().remove(0);
    (one.key, one.revision)
}

fn in_use(registry: &Registry) -> Option<String> {
    registry.settings(&id())?.key.map(|key| key.expose_secret().to_owned())
}

#[tokio::test]
async fn the_environment_comes_before_the_keyring_and_an_empty_variable_is_none() {
    for (variable, kept, place, key) in [
        (Some("env"), Some("ring"), KeyPlace::Environment(VARIABLE.to_owned()), Some("env")),
        (Some("env"), None, KeyPlace::Environment(VARIABLE.to_owned()), Some("env")),
        (Some(""), Some("ring"), KeyPlace::Keyring, Some("ring")),
        (None, Some("ring"), KeyPlace::Keyring, Some("ring")),
        (None, None, KeyPlace::Missing, None),
    ] {
        let ring = Arc::new(Memory::default());
        ring.hold(ACCOUNT, kept);
        let (registry, keeper) = keeper(ring, variable).await;
        assert_eq!((shown(&keeper).0, in_use(&registry).as_deref()), (place, key), "{variable:?} {kept:?}");
        assert_eq!(keeper.keyless().is_none(), key.is_some());
        assert_eq!(registry.get(&id()).is_some(), key.is_some(), "one without a key is not asked");
    }
}

#[tokio::test]
async fn a_key_is_set_replaced_and_removed() {
    let ring = Arc::new(Memory::default());
    let (registry, keeper) = keeper(ring.clone(), None).await;
    for key in ["one", "two"] {
        let (_, revision) = shown(&keeper);
        keeper.put_key(&id(), key, revision).await.expect("kept");
        assert_eq!((in_use(&registry).as_deref(), ring.held(ACCOUNT).as_deref()), (Some(key), Some(key)));
    }
    let (place, revision) = shown(&keeper);
    assert_eq!(place, KeyPlace::Keyring);
    let unusable = keeper.put_key(&id(), "no\nheader", revision).await.expect_err("it can't be sent").to_string();
    assert!(!unusable.contains("header\n") && ring.held(ACCOUNT).as_deref() == Some("two"), "{unusable}");
    keeper.remove_key(&id(), revision).await.expect("removed");
    assert_eq!((in_use(&registry), ring.held(ACCOUNT), shown(&keeper).0), (None, None, KeyPlace::Missing));
    let (_, revision) = shown(&keeper);
    let again = keeper.remove_key(&id(), revision).await;
    assert!(matches!(again, Err(ConnectionError::Refused(_))), "{again:?}");
}

#[tokio::test]
async fn a_change_on_an_old_view_or_over_somebody_elses_is_refused() {
    let ring = Arc::new(Memory::default());
    let (registry, keeper) = keeper(ring.clone(), None).await;
    let (_, old) = shown(&keeper);
    keeper.put_key(&id(), "one", old).await.expect("kept");
    let late = keeper.put_key(&id(), "two", old).await;
    assert!(matches!(late, Err(ConnectionError::Stale(_))), "{late:?}");
    assert_eq!(in_use(&registry).as_deref(), Some("one"));

    ring.hold(ACCOUNT, Some("theirs"));
    let (_, revision) = shown(&keeper);
    let over = keeper.put_key(&id(), "two", revision).await;
    assert!(matches!(over, Err(ConnectionError::Stale(_))), "{over:?}");
    assert_eq!(in_use(&registry).as_deref(), Some("theirs"), "what the keyring holds is used");
    let (_, revision) = shown(&keeper);
    keeper.put_key(&id(), "two", revision).await.expect("seen, and replaced");
    assert_eq!(ring.held(ACCOUNT).as_deref(), Some("two"));
}

#[tokio::test]
async fn what_is_not_kept_is_not_used() {
    let ring = Arc::new(Memory::default());
    let (registry, keeper) = keeper(ring.clone(), None).await;
    let (_, revision) = shown(&keeper);
    ring.fail(Some(KeyringError::Locked("no password".to_owned())));
    let failed = keeper.put_key(&id(), "one", revision).await.expect_err("locked");
    assert_eq!(failed.to_string(), "The keyring is locked: no password.");
    assert_eq!((in_use(&registry), shown(&keeper)), (None, (KeyPlace::Missing, revision)));
    ring.fail(None);
    keeper.put_key(&id(), "one", revision).await.expect("the same view is still good");
}

#[tokio::test]
async fn keys_of_environment_and_workspace_are_not_changed_here() {
    let (registry, keeper) = keeper(Arc::new(Memory::default()), Some("env")).await;
    let (_, revision) = shown(&keeper);
    let refused = keeper.put_key(&id(), "one", revision).await.expect_err("the variable comes first").to_string();
    assert!(refused.contains(VARIABLE) && !refused.contains("env "), "{refused}");
    assert!(keeper.remove_key(&id(), revision).await.is_err());
    assert_eq!(in_use(&registry).as_deref(), Some("env"));

    let given = ProviderSettings { key: Some("given".into()), ..ProviderSettings::new("r", "replicate") };
    let registry = Arc::new(Registry::new(vec![given]).expect("settings"));
    let keeping = Keeping {
        workspace: "Practice".to_owned(),
        keyring: Arc::new(Memory::default()),
        patience: Patience::default(),
        environment: Arc::new(|_| None),
        file: Err("it is a practice".to_owned()),
    };
    let keeper = Keeper::open(registry, &BTreeMap::new(), keeping).await.expect("a keeper");
    let (place, revision) = shown(&keeper);
    assert_eq!(place, KeyPlace::Workspace);
    assert!(keeper.put_key(&id(), "one", revision).await.is_err());
    let new =
        NewConnection { id: "x".into(), adapter: "fal".to_owned(), name: None, base_url: None, key_variable: None };
    let closed = keeper.add(new, None).await.expect_err("closed").to_string();
    assert_eq!((closed.as_str(), keeper.closed_because().as_deref()), ("it is a practice", Some("it is a practice")));
}

#[tokio::test]
async fn a_keyring_that_waits_for_a_person_does_not_hold_the_window_up() {
    let (registry, keeper) = keeper(Arc::new(Prompting), None).await;
    assert_eq!((shown(&keeper).0, in_use(&registry)), (KeyPlace::Waiting, None));
    assert!(keeper.keyless().is_some_and(|why| why.contains("locked")));
    let (_, revision) = shown(&keeper);
    let silent = keeper.put_key(&id(), "one", revision).await.expect_err("nobody types the password").to_string();
    assert!(silent.contains("has not answered"), "{silent}");
}

#[tokio::test]
async fn an_added_provider_is_written_connected_and_has_its_key() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("makegood.toml");
    std::fs::write(&path, "workspace = 'Acme'\n").expect("written");
    let (ring, registry) = (Arc::new(Memory::default()), Arc::new(Registry::new(Vec::new()).expect("none")));
    let keeping = Keeping {
        workspace: "Acme".to_owned(),
        keyring: ring.clone(),
        patience: Patience::default(),
        environment: Arc::new(|_| None),
        file: Ok(SettingsFile::new(path.clone())),
    };
    let keeper = Keeper::open(Arc::clone(&registry), &BTreeMap::new(), keeping).await.expect("a keeper");
    let new = |id: &str, adapter: &str, base_url: Option<&str>| NewConnection {
        id: id.into(),
        adapter: adapter.to_owned(),
        name: Some("Ours".to_owned()),
        base_url: base_url.map(str::to_owned),
        key_variable: None,
    };
    keeper.add(new("r", "replicate", Some("http://127.0.0.1:9/v1")), Some("one")).await.expect("added");
    assert_eq!((ring.held(ACCOUNT).as_deref(), in_use(&registry).as_deref()), (Some("one"), Some("one")));
    let one = keeper.connections().remove(0);
    assert_eq!((one.descriptor.name.as_str(), one.base_url.as_str()), ("Ours", "http://127.0.0.1:9/v1"));

    let before = std::fs::read_to_string(&path).expect("read");
    for (new, says) in [
        (new("r", "fal", None), "already"),
        (new("x", "nobody", None), "no adapter"),
        (new("x", "fal", Some("ftp://files")), "not an address"),
    ] {
        let refused = keeper.add(new, None).await.expect_err("refused").to_string();
        assert!(refused.contains(says), "{refused}");
    }
    assert_eq!(std::fs::read_to_string(&path).expect("read"), before, "nothing refused is written");

    ring.fail(Some(KeyringError::Failed("no room".to_owned())));
    let half = keeper.add(new("f", "fal", None), Some("two")).await.expect_err("no key").to_string();
    assert!(half.contains("was added, but its key was not kept") && !half.contains("two"), "{half}");
    assert_eq!(keeper.connections().len(), 2, "it is there, without a key");
}

/// A keeper of no provider yet, that may write `makegood.toml` in `dir`.
async fn empty_keeper(dir: &Path, keyring: Arc<dyn Keyring>) -> (Arc<Registry>, Arc<Keeper>) {
    let registry = Arc::new(Registry::new(Vec::new()).expect("none"));
    let keeping = Keeping {
        workspace: "Acme".to_owned(),
        keyring,
        patience: Patience::default(),
        environment: Arc::new(|_| None),
        file: Ok(SettingsFile::new(dir.join("makegood.toml"))),
    };
    let keeper = Keeper::open(Arc::clone(&registry), &BTreeMap::new(), keeping).await.expect("a keeper");
    (registry, keeper)
}

fn replicate() -> NewConnection {
    NewConnection { id: id(), adapter: "replicate".to_owned(), name: None, base_url: None, key_variable: None }
}

#[tokio::test]
async fn a_removed_provider_leaves_neither_settings_nor_a_key() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("makegood.toml");
    std::fs::write(&path, "workspace = 'Acme' # ours\n").expect("written");
    let ring = Arc::new(Memory::default());
    let (registry, keeper) = empty_keeper(dir.path(), ring.clone()).await;
    keeper.add(replicate(), Some("one")).await.expect("added");
    let (_, revision) = shown(&keeper);
    let late = keeper.remove(&id(), revision + 1).await;
    assert!(matches!(late, Err(ConnectionError::Stale(_))), "{late:?}");
    ring.fail(Some(KeyringError::Failed("no bus".to_owned())));
    assert!(keeper.remove(&id(), revision).await.is_err());
    assert_eq!(keeper.connections().len(), 1, "a key that can't be taken out keeps its provider");
    ring.fail(None);
    keeper.remove(&id(), revision).await.expect("removed");
    assert_eq!((ring.held(ACCOUNT), keeper.connections().len(), registry.get(&id()).is_some()), (None, 0, false));
    let left = std::fs::read_to_string(&path).expect("read");
    assert!(left.contains("workspace = 'Acme' # ours") && !left.contains("replicate"), "{left}");
    assert!(matches!(keeper.remove(&id(), 0).await, Err(ConnectionError::Unknown(_))));
    keeper.add(replicate(), Some("two")).await.expect("and added again");
    assert_eq!(in_use(&registry).as_deref(), Some("two"));
}

#[tokio::test]
async fn a_provider_that_the_settings_need_keeps_its_key() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("makegood.toml");
    std::fs::write(&path, "workspace = 'Acme'\n[[webhook]]\nprovider = 'r'\nsecret_env = ['S']\n").expect("written");
    let ring = Arc::new(Memory::default());
    let (registry, keeper) = empty_keeper(dir.path(), ring.clone()).await;
    keeper.add(replicate(), Some("one")).await.expect("added");
    let needed = keeper.remove(&id(), shown(&keeper).1).await.expect_err("its webhooks are taken").to_string();
    assert!(needed.contains("takes webhooks of r"), "{needed}");
    assert_eq!((ring.held(ACCOUNT).as_deref(), in_use(&registry).as_deref()), (Some("one"), Some("one")));
}

/// Whether somebody who begins to wait for keys now goes on at once.
fn all_have_keys(keeper: &Keeper) -> bool {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    std::pin::pin!(keeper.all_have_keys()).as_mut().poll(&mut context).is_ready()
}

#[tokio::test]
async fn whoever_waits_for_keys_goes_on_when_the_last_one_is_there() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("makegood.toml"), "workspace = 'Acme'\n").expect("written");
    let (_, keeper) = empty_keeper(dir.path(), Arc::new(Memory::default())).await;
    assert!(all_have_keys(&keeper), "nobody is waited for");
    keeper.add(replicate(), None).await.expect("added");
    keeper.add(NewConnection { id: "f".into(), adapter: "fal".to_owned(), ..replicate() }, None).await.expect("added");
    let (waits, begun) = (Arc::clone(&keeper), Arc::new(tokio::sync::Notify::new()));
    let begins = Arc::clone(&begun);
    let waiting = tokio::spawn(async move {
        begins.notify_one();
        waits.all_have_keys().await;
    });
    begun.notified().await;
    keeper.put_key(&id(), "one", 0).await.expect("kept");
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished() && !all_have_keys(&keeper), "one has none");
    keeper.put_key(&"f".into(), "two", 0).await.expect("kept");
    waiting.await.expect("woken by the last key");
    keeper.remove_key(&id(), 1).await.expect("removed");
    assert!(!all_have_keys(&keeper));
    keeper.remove(&id(), 2).await.expect("removed");
    assert!(all_have_keys(&keeper), "who is not asked needs none");
}

#[tokio::test]
async fn a_check_says_what_the_provider_says_and_a_reset_is_for_those_there_are() {
    let (_, keeper) = keeper(Arc::new(Memory::default()), None).await;
    let check = keeper.check(&id(), Timestamp::UNIX_EPOCH).await.expect("a provider");
    assert_eq!(check.verdict, KeyVerdict::NotAsked, "{}", check.words);
    let nobody = ProviderId::new("x");
    assert!(keeper.check(&nobody, Timestamp::UNIX_EPOCH).await.is_err() && keeper.reset(&nobody).is_err());
    assert!(keeper.reset(&id()).is_ok());
}
