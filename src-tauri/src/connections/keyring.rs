//! Where keys are kept: the operating system's keyring. Its calls can wait for a person who types a
//! password, so each is made aside, in a thread that nobody waits for at the end.

use std::sync::Arc;
use std::time::Duration;

use makegood_domain::ports::KeyringState;
use secrecy::SecretString;
use tokio::sync::oneshot;

/// Why a key could not be read, kept or removed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    #[error("there is no keyring: {0}")]
    Absent(String),
    #[error("the keyring is locked: {0}")]
    Locked(String),
    #[error("the keyring has not answered within {} s", .0.as_secs())]
    Silent(Duration),
    #[error("the keyring failed: {0}")]
    Failed(String),
}

/// A place for keys. Calls may block for as long as a person takes.
pub trait Keyring: Send + Sync {
    fn state(&self) -> KeyringState;
    /// # Errors
    /// When it can't be read; a key that is not there is no error.
    fn get(&self, account: &str) -> Result<Option<SecretString>, KeyringError>;
    /// # Errors
    /// When it is not kept.
    fn put(&self, account: &str, key: &SecretString) -> Result<(), KeyringError>;
    /// # Errors
    /// When it is still there; one that was not there is no error.
    fn remove(&self, account: &str) -> Result<(), KeyringError>;
}

/// Calls the keyring aside, for as long as `patience`. What is still under way then goes on.
///
/// # Errors
/// When it did not answer in time, or as it answered.
pub async fn aside<T: Send + 'static>(
    keyring: &Arc<dyn Keyring>,
    patience: Duration,
    call: impl FnOnce(&dyn Keyring) -> Result<T, KeyringError> + Send + 'static,
) -> Result<T, KeyringError> {
    let answer = begin(keyring, call);
    match tokio::time::timeout(patience, answer).await {
        Ok(answer) => answer.unwrap_or_else(|_| Err(KeyringError::Failed("its thread ended".to_owned()))),
        Err(_) => Err(KeyringError::Silent(patience)),
    }
}

/// Begins a call aside. The answer may come late, or never.
pub fn begin<T: Send + 'static>(
    keyring: &Arc<dyn Keyring>,
    call: impl FnOnce(&dyn Keyring) -> T + Send + 'static,
) -> oneshot::Receiver<T> {
    let (tell, answer) = oneshot::channel();
    let keyring = Arc::clone(keyring);
    let begun = std::thread::Builder::new().name("keyring".to_owned()).spawn(move || {
        // Nobody may be listening any more.
        drop(tell.send(call(&*keyring)));
    });
    if let Err(error) = begun {
        tracing::warn!(%error, "no thread for the keyring");
    }
    answer
}

/// The keyring of the system that this program runs on.
#[cfg(feature = "desktop")]
#[must_use]
pub fn of_the_system() -> Arc<dyn Keyring> {
    Arc::new(os::System)
}

/// The keyring of the system that this program runs on: none, in a program that was built without.
#[cfg(not(feature = "desktop"))]
#[must_use]
pub fn of_the_system() -> Arc<dyn Keyring> {
    Arc::new(Without)
}

/// In the place of a keyring, in a program that was built without.
#[cfg(not(feature = "desktop"))]
#[derive(Clone, Copy, Debug)]
struct Without;

#[cfg(not(feature = "desktop"))]
impl Without {
    const WHY: &str = "this program was built without one";
}

#[cfg(not(feature = "desktop"))]
impl Keyring for Without {
    fn state(&self) -> KeyringState {
        KeyringState::Absent(Self::WHY.to_owned())
    }

    fn get(&self, _: &str) -> Result<Option<SecretString>, KeyringError> {
        Err(KeyringError::Absent(Self::WHY.to_owned()))
    }

    fn put(&self, _: &str, _: &SecretString) -> Result<(), KeyringError> {
        Err(KeyringError::Absent(Self::WHY.to_owned()))
    }

    fn remove(&self, _: &str) -> Result<(), KeyringError> {
        Err(KeyringError::Absent(Self::WHY.to_owned()))
    }
}

#[cfg(feature = "desktop")]
mod os {
    use keyring::{Entry, Error};
    use makegood_domain::ports::KeyringState;
    use secrecy::{ExposeSecret as _, SecretString};

    use super::{Keyring, KeyringError};

    /// The name under which the system lists our keys.
    const SERVICE: &str = "makegood provider key";
    /// What people call the keyring of their system.
    const NAME: &str = if cfg!(target_os = "macos") {
        "the macOS Keychain"
    } else if cfg!(windows) {
        "the Windows Credential Manager"
    } else {
        "the desktop's keyring"
    };

    /// The keyring of the system: Secret Service, Keychain or Credential Manager.
    #[derive(Clone, Copy, Debug)]
    pub struct System;

    impl Keyring for System {
        fn state(&self) -> KeyringState {
            match Entry::store_status() {
                Ok(()) => KeyringState::Ready(NAME),
                Err(error) => KeyringState::Absent(error.to_string()),
            }
        }

        fn get(&self, account: &str) -> Result<Option<SecretString>, KeyringError> {
            match entry(account)?.get_password() {
                Ok(key) => Ok(Some(key.into())),
                Err(Error::NoEntry) => Ok(None),
                Err(error) => Err(told(&error)),
            }
        }

        fn put(&self, account: &str, key: &SecretString) -> Result<(), KeyringError> {
            entry(account)?.set_password(key.expose_secret()).map_err(|error| told(&error))
        }

        fn remove(&self, account: &str) -> Result<(), KeyringError> {
            match entry(account)?.delete_credential() {
                Ok(()) | Err(Error::NoEntry) => Ok(()),
                Err(error) => Err(told(&error)),
            }
        }
    }

    fn entry(account: &str) -> Result<Entry, KeyringError> {
        if let Err(error) = Entry::store_status() {
            return Err(KeyringError::Absent(error.to_string()));
        }
        Entry::new(SERVICE, account).map_err(|error| told(&error))
    }

    /// Without the bytes of a key that some errors carry.
    fn told(error: &Error) -> KeyringError {
        match error {
            Error::NoStorageAccess(why) => KeyringError::Locked(why.to_string()),
            Error::NoDefaultStore => KeyringError::Absent(error.to_string()),
            Error::BadEncoding(_) | Error::BadDataFormat(..) => {
                KeyringError::Failed("what it holds is no text, and not from this program".to_owned())
            }
            Error::Ambiguous(_) => KeyringError::Failed("it holds several keys under this name".to_owned()),
            other => KeyringError::Failed(other.to_string()),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        /// Run by hand: `dbus-run-session`, a keyring unlocked in it, and `--ignored`.
        #[test]
        #[ignore = "needs the keyring of a desktop session"]
        fn a_key_is_kept_replaced_and_removed() {
            let account = format!("test: {}", std::process::id());
            assert!(matches!(System.state(), KeyringState::Ready(_)), "{:?}", System.state());
            assert!(matches!(System.get(&account), Ok(None)));
            for key in ["one", "{\"type\": \"service_account\"}"] {
                System.put(&account, &key.into()).expect("kept");
                let kept = System.get(&account).expect("read").expect("there");
                assert_eq!(kept.expose_secret(), key);
            }
            System.remove(&account).expect("removed");
            assert!(matches!(System.get(&account), Ok(None)));
            System.remove(&account).expect("one that is not there is no error");
        }
    }
}
