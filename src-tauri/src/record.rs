//! Which record a profile works on, and opening it: a file of one desk, or a team's server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use makegood_domain::ports::Store;
use makegood_practice as practice;
use makegood_store::postgres::{PgSettings, PgStore};
use makegood_store::sqlite::SqliteStore;
use serde::Deserialize;

use crate::settings::Settings;

/// A record on a PostgreSQL server, instead of a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordSettings {
    /// `postgres://login@host:5432/database`, with `?sslrootcert=FILE` for a CA of one's own.
    pub url: String,
    /// Environment variable that holds the password; else `PGPASSWORD` and `.pgpass` are looked at.
    pub password_env: Option<String>,
}

/// Where a record is.
#[derive(Clone, Debug)]
pub enum Place {
    File(PathBuf),
    Server(PgSettings),
}

impl Place {
    /// The record that settings name, those of the profile at `home`.
    ///
    /// # Errors
    /// Where they name two, or a password: that is for the environment.
    pub fn of(settings: &Settings, home: &Path) -> anyhow::Result<Self> {
        match (&settings.database, &settings.record) {
            (Some(_), Some(_)) => {
                anyhow::bail!(
                    "makegood.toml names two records: `database` is a file, `[record]` a server. Take one out"
                )
            }
            (file, None) => Ok(Self::File(home.join(file.as_deref().unwrap_or(Path::new("makegood.sqlite"))))),
            (None, Some(record)) => {
                server(&record.url, record.password_env.as_deref(), |name| std::env::var(name).ok())
                    .context("makegood.toml, [record]")
                    .map(Self::Server)
            }
        }
    }

    /// The record of the profile at `home`: that of its settings, else of the practice workspace.
    ///
    /// # Errors
    /// When the settings are there and can't be read.
    pub fn at(home: &Path) -> anyhow::Result<Self> {
        match Settings::load(home)? {
            Some(settings) => Self::of(&settings, home),
            None => Ok(Self::File(practice::Workspace::database(&home.join("practice")))),
        }
    }
}

/// A server's address with its password from the environment.
///
/// # Errors
/// Where the address holds a password, or the variable that is named is not set.
pub fn server(
    url: &str,
    password_env: Option<&str>,
    environment: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<PgSettings> {
    if holds_password(url) {
        anyhow::bail!(
            "the address holds a password, which others can read there: set an environment variable, and name it \
             (password_env), or use PGPASSWORD or .pgpass"
        );
    }
    let settings = PgSettings::new(url);
    match password_env {
        None => Ok(settings),
        Some(name) => match environment(name) {
            Some(password) => Ok(settings.with_password(password)),
            None => anyhow::bail!("the environment has no {name}, which should hold the record's password"),
        },
    }
}

fn holds_password(url: &str) -> bool {
    let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
    let authority = place.split_once("://").map_or(place, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    let login = authority.rsplit_once('@').map_or("", |(login, _)| login);
    login.contains(':') || parameters.split('&').any(|pair| pair.starts_with("password="))
}

/// A record, opened.
pub struct Record {
    pub store: Arc<dyn Store>,
    /// Why it can only be read: it is newer than this program, or can't be written.
    pub read_only: Option<String>,
}

/// Opens a record. A file is made and upgraded if need be; a server's record is its owner's to make.
///
/// # Errors
/// When it cannot be used; the text says why.
pub async fn open(place: &Place) -> anyhow::Result<Record> {
    Ok(match place {
        Place::File(path) => {
            let store = SqliteStore::open(path).await?;
            Record { read_only: store.read_only().map(str::to_owned), store: Arc::new(store) }
        }
        Place::Server(settings) => {
            let store = PgStore::connect(settings).await?;
            Record { read_only: store.read_only().map(str::to_owned), store: Arc::new(store) }
        }
    })
}

/// Opens a record, works on it, and closes it, whatever came of the work: what is in a file's log is
/// then in the file.
///
/// # Errors
/// When it cannot be used, or as the work ended.
pub async fn with<T>(place: &Place, work: impl AsyncFnOnce(&dyn Store) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let store = open(place).await?.store;
    let ended = work(&*store).await;
    store.close().await;
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> anyhow::Result<Place> {
        let text = format!("workspace = 'Acme'\n{text}");
        Place::of(&toml::from_str(&text)?, Path::new("profile"))
    }

    #[test]
    fn a_profile_has_one_record() {
        for (text, wanted) in [
            ("", Ok("profile/makegood.sqlite")),
            ("database = 'desk.sqlite'", Ok("profile/desk.sqlite")),
            ("[record]\nurl = 'postgres://ana@db.example.com/makegood'", Ok("postgres://ana@db.example.com/makegood")),
            ("database = 'a'\n[record]\nurl = 'postgres://ana@db.example.com/m'", Err("two records")),
            ("[record]\nurl = 'postgres://ana:secret@db.example.com/m'", Err("holds a password")),
            ("[record]\nurl = 'postgres://ana@db.example.com/m?password=secret'", Err("holds a password")),
            ("[record]\nurl = 'postgres://ana@db.example.com/m'\npassword = 'secret'", Err("password")),
            (
                "[record]\nurl = 'postgres://ana@db.example.com/m'\npassword_env = 'MAKEGOOD_NOT_SET'",
                Err("no MAKEGOOD_NOT_SET"),
            ),
        ] {
            match (place(text), wanted) {
                (Ok(Place::File(path)), Ok(wanted)) => assert_eq!(path, Path::new(wanted)),
                (Ok(Place::Server(settings)), Ok(wanted)) => assert_eq!(settings.url, wanted),
                (Err(why), Err(part)) => {
                    let why = format!("{why:#}");
                    assert!(why.contains(part) && !why.contains("secret@"), "{text}: {why}");
                }
                (got, wanted) => panic!("{text}: {got:?}, not {wanted:?}"),
            }
        }
    }

    #[test]
    fn a_password_comes_from_the_environment_and_is_not_shown() {
        let environment = |name: &str| (name == "DB_PASSWORD").then(|| "hunter2".to_owned());
        let settings = server("postgres://ana@db.example.com/m", Some("DB_PASSWORD"), environment).expect("it is set");
        assert!(!format!("{settings:?}").contains("hunter2"));
        assert!(server("postgres://ana@[::1]:5432/m", None, environment).is_ok(), "a port is no password");
    }
}
