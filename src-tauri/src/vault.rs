//! Which vault a profile works with: a folder, or a store of objects, whose key is in the environment or in the
//! system's keyring and never in a file of ours.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use makegood_connectors::http::{Limits, RealPace};
use makegood_connectors::vault::shelf::{Access, Address, Locator, StoreShelf};
use makegood_connectors::{LocalVault, StoreVault};
use makegood_domain::ports::Vault;
use secrecy::SecretString;
use serde::de::{Error, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};

use crate::connections::{Environment, Keyring, Patience, aside};

/// Where recovered files are kept: a folder, or an address with what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VaultSettings {
    pub locator: Locator,
    /// Environment variable that holds the key; else those that the store's own programs go by, else the keyring.
    pub key_env: Option<String>,
    /// Folder for files on their way to a store; relative to the profile's folder.
    pub transit: Option<PathBuf>,
}

/// As a table. `vault = "…"` is the same with `at` alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// A folder relative to the profile's, `s3://bucket/prefix`, `gs://bucket/prefix`, or
    /// `azblob://account/container/prefix`.
    at: String,
    /// Another server than the vendor's own: `https://minio.example.com`.
    endpoint: Option<String>,
    /// S3: the region that the bucket was made in.
    region: Option<String>,
    key_env: Option<String>,
    transit: Option<PathBuf>,
}

impl<'de> Deserialize<'de> for VaultSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrTable)
    }
}

struct TextOrTable;

impl<'de> Visitor<'de> for TextOrTable {
    type Value = VaultSettings;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a folder or an address, or a table with `at`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<VaultSettings, E> {
        Ok(VaultSettings::at(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<VaultSettings, A::Error> {
        let Written { at, endpoint, region, key_env, transit } = Written::deserialize(MapAccessDeserializer::new(map))?;
        Ok(VaultSettings { locator: Locator { at, endpoint, region }, key_env, transit })
    }
}

impl VaultSettings {
    /// Nothing but a place.
    #[must_use]
    pub fn at(at: &str) -> Self {
        Self { locator: Locator { at: at.to_owned(), ..Locator::default() }, ..Self::default() }
    }
}

/// Who may be asked for a vault's key.
pub struct Keys<'a> {
    /// Tells the keys of one workspace from those of another in one keyring.
    pub workspace: &'a str,
    pub keyring: Arc<dyn Keyring>,
    pub environment: Environment,
}

impl Keys<'_> {
    /// Under which name the keyring holds the vault's key.
    #[must_use]
    pub fn account(&self) -> String {
        account(self.workspace)
    }

    /// The key of the vault at `address`, from where it comes first.
    async fn find(&self, settings: &VaultSettings, address: &Address) -> anyhow::Result<SecretString> {
        if let Some(name) = &settings.key_env {
            let key = self.told(name);
            return key
                .map(Into::into)
                .with_context(|| format!("the environment has no {name}, which is to hold its key"));
        }
        if let Some(key) = self.conventional(address)? {
            return Ok(key);
        }
        let account = self.account();
        // Somebody may have to type the keyring's password, and nothing can be done without the key.
        let found = aside(&self.keyring, Patience::default().with_people, move |keyring| keyring.get(&account)).await;
        found.context("its key is neither in the environment nor to be had from the keyring")?.with_context(|| {
            let hint = address.key_hint().unwrap_or_default();
            format!(
                "it has no key ({hint}): name an environment variable that holds it (key_env), or give it to the \
                 keyring with `makegoodctl vault key`"
            )
        })
    }

    fn told(&self, name: &str) -> Option<String> {
        (self.environment)(name).filter(|text| !text.is_empty())
    }

    /// The variables that each vendor's own programs go by.
    fn conventional(&self, address: &Address) -> anyhow::Result<Option<SecretString>> {
        Ok(match address {
            Address::Folder(_) => None,
            Address::S3 { .. } => match (self.told("AWS_ACCESS_KEY_ID"), self.told("AWS_SECRET_ACCESS_KEY")) {
                (Some(id), Some(secret)) => {
                    let token = self.told("AWS_SESSION_TOKEN").map(|token| format!(":{token}")).unwrap_or_default();
                    Some(format!("{id}:{secret}{token}").into())
                }
                _ => None,
            },
            Address::Google { .. } => match self.told("GOOGLE_APPLICATION_CREDENTIALS") {
                Some(path) => {
                    let key = std::fs::read_to_string(&path);
                    let named = || format!("{path}, which GOOGLE_APPLICATION_CREDENTIALS names, can't be read");
                    Some(key.with_context(named)?.into())
                }
                None => None,
            },
            Address::Azure { .. } => {
                self.told("AZURE_STORAGE_SAS_TOKEN").or_else(|| self.told("AZURE_STORAGE_KEY")).map(Into::into)
            }
        })
    }
}

/// Under which name the keyring holds the key of a workspace's vault.
#[must_use]
pub fn account(workspace: &str) -> String {
    format!("{workspace}: the vault")
}

/// Opens the vault of the profile at `home`. A store is not asked anything yet.
///
/// # Errors
/// When the settings can't be followed, or its key can't be found; the text says which vault and why.
pub async fn open(home: &Path, settings: &VaultSettings, keys: &Keys<'_>) -> anyhow::Result<Arc<dyn Vault>> {
    let address = settings.locator.read().context("makegood.toml, vault")?;
    let named = || format!("the vault {address}");
    if let Address::Folder(path) = &address {
        if settings.key_env.is_some() {
            anyhow::bail!("makegood.toml, vault: a folder has no key: leave `key_env` out");
        }
        return Ok(Arc::new(LocalVault::open(home.join(path))?));
    }
    let key = keys.find(settings, &address).await.with_context(named)?;
    let access: Access = address.access(&key).with_context(named)?;
    let shelf = StoreShelf::connect(address.clone(), &access, Limits::default(), Arc::new(RealPace::new()));
    let transit = home.join(settings.transit.as_deref().unwrap_or(Path::new("transit")));
    Ok(Arc::new(StoreVault::on(shelf.with_context(named)?, transit)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use makegood_domain::ports::KeyringState;
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::connections::KeyringError;

    #[derive(Default)]
    struct Ring(Mutex<BTreeMap<String, String>>);

    impl Keyring for Ring {
        fn state(&self) -> KeyringState {
            KeyringState::Ready("a test")
        }
        fn get(&self, account: &str) -> Result<Option<SecretString>, KeyringError> {
            Ok(self.0.lock().expect("one thread").get(account).map(|key| key.clone().into()))
        }
        fn put(&self, account: &str, key: &SecretString) -> Result<(), KeyringError> {
            self.0.lock().expect("one thread").insert(account.to_owned(), key.expose_secret().to_owned());
            Ok(())
        }
        fn remove(&self, account: &str) -> Result<(), KeyringError> {
            self.0.lock().expect("one thread").remove(account);
            Ok(())
        }
    }

    async fn opened(text: &str, variables: &[(&str, &str)], ring: Option<&str>) -> anyhow::Result<String> {
        #[derive(Deserialize)]
        struct File {
            vault: VaultSettings,
        }
        let home = tempfile::tempdir()?;
        let settings = toml::from_str::<File>(text)?.vault;
        let keyring = Arc::new(Ring::default());
        if let Some(key) = ring {
            keyring.put("Acme: the vault", &key.into())?;
        }
        let known: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let environment: Environment = Arc::new(move |name: &str| known.get(name).cloned());
        let vault = open(home.path(), &settings, &Keys { workspace: "Acme", keyring, environment }).await?;
        Ok(vault.place().replace(&home.path().display().to_string(), "HOME"))
    }

    #[tokio::test]
    async fn a_vault_is_a_folder_or_a_store_with_its_key_from_outside_the_file() {
        let aws = [("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SECRET_ACCESS_KEY", "HUNTER2")];
        let s3 = "[vault]\nat = 's3://box/p'\nregion = 'eu-west-1'";
        for (text, variables, ring, want) in [
            ("vault = 'files'", &[][..], None, Ok("the folder HOME/files")),
            ("[vault]\nat = 'files'", &[], None, Ok("the folder HOME/files")),
            (s3, &aws, None, Ok("s3://box/p")),
            (s3, &[], Some("AKIA:HUNTER2"), Ok("s3://box/p")),
            (&format!("{s3}\nkey_env = 'V'"), &[("V", "AKIA:HUNTER2")], None, Ok("s3://box/p")),
            ("vault = 'azblob://a/b'", &[("AZURE_STORAGE_KEY", "U0VDUkVU")], None, Ok("azblob://a/b")),
            ("vault = 'gs://b'", &[], Some("token"), Ok("gs://b")),
            (s3, &[], None, Err("makegoodctl vault key")),
            (s3, &aws[..1], None, Err("no key")),
            (s3, &[], Some("HUNTER2"), Err("written ID:SECRET")),
            (&format!("{s3}\nkey_env = 'V'"), &aws, Some("AKIA:HUNTER2"), Err("no V")),
            (&format!("{s3}\nkey = 'HUNTER2'"), &aws, None, Err("key")),
            ("vault = 's3://box'", &aws, None, Err("wants a region")),
            ("vault = 's3://AKIA:HUNTER2@box'", &aws, None, Err("a key, a port or a query")),
            ("vault = 'gs://b'", &[("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/file")], None, Err("can't be read")),
            ("[vault]\nat = 'files'\nkey_env = 'V'", &[], None, Err("a folder has no key")),
            ("vault = 3", &[], None, Err("a folder or an address")),
        ] {
            match (opened(text, variables, ring).await, want) {
                (Ok(place), Ok(want)) => assert_eq!(place, want),
                (Err(why), Err(part)) => {
                    let why = format!("{why:#}");
                    assert!(why.contains(part), "{text}: {why}");
                    assert!(!why.contains("HUNTER2") || text.contains("key = "), "{text}: {why}");
                }
                (got, want) => panic!("{text}: {got:?}, not {want:?}"),
            }
        }
    }
}
