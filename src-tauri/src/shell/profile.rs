//! The directory that holds one person's workspace, and the lock that keeps it to one window.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Neither MAKEGOOD_HOME nor a home directory is known.
    #[error("there is no place to keep the workspace: set MAKEGOOD_HOME to a directory")]
    Nowhere,
    /// The directory or the lock file in it cannot be made.
    #[error("{}: cannot be written", path.display())]
    Unwritable {
        /// What was being made.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another Makegood has it.
    #[error("{}: another Makegood window has this workspace open", path.display())]
    InUse {
        /// The profile's directory.
        path: PathBuf,
    },
}

/// Where the profile is: `MAKEGOOD_HOME`, else the user's data directory as the XDG rules name it.
///
/// # Errors
/// [`ProfileError::Nowhere`] when the environment names no place. A relative path is no place
/// either: it would be another one with each working directory.
pub fn directory(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf, ProfileError> {
    let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
    absolute("MAKEGOOD_HOME")
        .or_else(|| absolute("XDG_DATA_HOME").map(|data| data.join("makegood")))
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share/makegood")))
        .ok_or(ProfileError::Nowhere)
}

/// A name for the profile that fits a bus name: two profiles may be open at once, one may not be twice.
#[must_use]
pub fn bus_name(identifier: &str, profile: &Path) -> String {
    let digest = Sha256::digest(profile.as_os_str().as_encoded_bytes());
    let tag: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{identifier}.p{tag}")
}

/// Holds the profile. The system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct ProfileLock {
    _file: File,
}

impl ProfileLock {
    /// Takes the profile at `directory`, which is made if missing.
    ///
    /// # Errors
    /// [`ProfileError::InUse`] when another process has it, [`ProfileError::Unwritable`] when it
    /// cannot be made or the file system knows no locks.
    pub fn take(directory: &Path) -> Result<Self, ProfileError> {
        let unwritable = |path: &Path| {
            let path = path.to_owned();
            move |source| ProfileError::Unwritable { path, source }
        };
        std::fs::create_dir_all(directory).map_err(unwritable(directory))?;
        let path = directory.join("window.lock");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(unwritable(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ProfileError::InUse { path: directory.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(unwritable(&path)(source)),
        }
        // The number is for a person who wonders who holds the lock; nothing reads it.
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(unwritable(&path))?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_is_where_the_environment_says() {
        type Environment = &'static [(&'static str, &'static str)];
        let table: [(Environment, Option<&str>); 6] = [
            (&[("MAKEGOOD_HOME", "/m"), ("XDG_DATA_HOME", "/x"), ("HOME", "/h")], Some("/m")),
            (&[("XDG_DATA_HOME", "/x"), ("HOME", "/h")], Some("/x/makegood")),
            (&[("HOME", "/h")], Some("/h/.local/share/makegood")),
            (&[("MAKEGOOD_HOME", "relative"), ("HOME", "/h")], Some("/h/.local/share/makegood")),
            (&[("MAKEGOOD_HOME", "")], None),
            (&[], None),
        ];
        for (environment, expected) in table {
            let read = |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
            assert_eq!(directory(read).ok().as_deref(), expected.map(Path::new), "{environment:?}");
        }
    }

    #[test]
    fn a_profile_is_held_by_one_at_a_time_and_free_again_afterwards() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let profile = home.path().join("new/profile");
        let held = ProfileLock::take(&profile).expect("the first takes it");
        assert!(matches!(ProfileLock::take(&profile), Err(ProfileError::InUse { path }) if path == profile));
        drop(held);
        ProfileLock::take(&profile).expect("free again");
    }

    #[test]
    fn a_profile_that_cannot_be_made_names_the_place() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let in_the_way = home.path().join("file");
        std::fs::write(&in_the_way, "").expect("a file");
        let error = ProfileLock::take(&in_the_way).expect_err("a file is no directory");
        assert!(error.to_string().contains(in_the_way.to_str().expect("UTF-8")), "{error}");
    }

    #[test]
    fn two_profiles_have_two_bus_names_and_both_are_valid() {
        let one = bus_name("dev.makegood.console", Path::new("/a"));
        let two = bus_name("dev.makegood.console", Path::new("/b"));
        assert_ne!(one, two);
        assert!(one.strip_prefix("dev.makegood.console.p").is_some_and(|tag| tag.len() == 16), "{one}");
    }
}
