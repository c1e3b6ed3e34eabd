//! Writes a provider into `makegood.toml` and leaves everything else as people wrote it, comments
//! included. The file is replaced whole or not at all, and never one that changed in the meantime.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use makegood_domain::ids::ProviderId;
use makegood_domain::ports::{ConnectionError, NewConnection};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use crate::settings::Settings;

/// The settings of a profile, as a file.
#[derive(Clone, Debug)]
pub struct SettingsFile {
    path: PathBuf,
}

impl SettingsFile {
    /// The file at `path`, which is there.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Adds a provider at the end of those that are there.
    ///
    /// # Errors
    /// When it is there already, or the file can't be read, understood or replaced.
    pub fn add(&self, new: &NewConnection) -> Result<(), ConnectionError> {
        let broken = |what: &str, why: &dyn std::fmt::Display| {
            ConnectionError::Unavailable(format!("{} {what}: {why}", self.path.display()))
        };
        // A link is followed: what it leads to is replaced, and the link stays.
        let path = self.path.canonicalize().map_err(|why| broken("can't be found", &why))?;
        let before = std::fs::read_to_string(&path).map_err(|why| broken("can't be read", &why))?;
        let known: Settings = toml::from_str(&before).map_err(|why| broken("can't be understood", &why))?;
        if known.providers.iter().any(|provider| provider.id == new.id.0) {
            return Err(ConnectionError::Refused(format!(
                "{} has a provider {} already. It is used from the next start on.",
                self.path.display(),
                new.id
            )));
        }
        let after = with_provider(&before, new).map_err(|why| broken("can't be added to", &why))?;
        // What was written must read as what was meant, before anybody's settings are replaced by it.
        let read: Settings = toml::from_str(&after).map_err(|why| broken("would not be understood", &why))?;
        if read.providers.len() != known.providers.len() + 1 {
            return Err(broken("can't be added to", &"its providers are written in a way that is not understood"));
        }
        replace(&path, &before, &after)
    }
}

impl SettingsFile {
    /// Whether a provider can be taken out as the file is now; nothing is changed.
    ///
    /// # Errors
    /// As [`Self::remove`] would end.
    pub fn removable(&self, id: &ProviderId) -> Result<(), ConnectionError> {
        self.without(id).map(drop)
    }

    /// Takes a provider out.
    ///
    /// # Errors
    /// When it is not there, something else of the settings needs it, or the file can't be read, understood or
    /// replaced.
    pub fn remove(&self, id: &ProviderId) -> Result<(), ConnectionError> {
        let (path, before, after) = self.without(id)?;
        replace(&path, &before, &after)
    }

    /// Where the file is, what it says, and what it would say without this provider.
    fn without(&self, id: &ProviderId) -> Result<(PathBuf, String, String), ConnectionError> {
        let broken = |what: &str, why: &dyn std::fmt::Display| {
            ConnectionError::Unavailable(format!("{} {what}: {why}", self.path.display()))
        };
        let path = self.path.canonicalize().map_err(|why| broken("can't be found", &why))?;
        let before = std::fs::read_to_string(&path).map_err(|why| broken("can't be read", &why))?;
        let known: Settings = toml::from_str(&before).map_err(|why| broken("can't be understood", &why))?;
        if !known.providers.iter().any(|provider| provider.id == id.0) {
            return Err(ConnectionError::Refused(format!("{} has no provider {id}.", self.path.display())));
        }
        if known.webhooks.iter().any(|webhook| webhook.provider == id.0 && webhook.form.is_none()) {
            return Err(ConnectionError::Refused(format!(
                "{} takes webhooks of {id} in the form of its adapter: take that [[webhook]] out first, or give it a \
                 `form`.",
                self.path.display()
            )));
        }
        let after = without_provider(&before, id).map_err(|why| broken("can't be changed", &why))?;
        let read: Settings = toml::from_str(&after).map_err(|why| broken("would not be understood", &why))?;
        if read.providers.len() + 1 != known.providers.len() || read.providers.iter().any(|one| one.id == id.0) {
            return Err(broken("can't be changed", &"its providers are written in a way that is not understood"));
        }
        Ok((path, before, after))
    }
}

/// `text` without the provider of this id.
fn without_provider(text: &str, id: &ProviderId) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|why: toml_edit::TomlError| why.to_string())?;
    match document.get_mut("provider") {
        Some(Item::ArrayOfTables(tables)) => {
            tables.retain(|table| table.get("id").and_then(Item::as_str) != Some(id.as_str()));
        }
        Some(Item::Value(Value::Array(array))) => array.retain(|value| {
            value.as_inline_table().and_then(|table| table.get("id")).and_then(Value::as_str) != Some(id.as_str())
        }),
        _ => return Err("`provider` is no list".to_owned()),
    }
    Ok(document.to_string())
}

/// `text` with one more provider.
fn with_provider(text: &str, new: &NewConnection) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|why: toml_edit::TomlError| why.to_string())?;
    let fields = [
        ("id", Some(new.id.0.as_str())),
        ("adapter", Some(new.adapter.as_str())),
        ("name", new.name.as_deref()),
        ("key_env", new.key_variable.as_deref()),
        ("base_url", new.base_url.as_deref()),
    ];
    let fields = fields.into_iter().filter_map(|(name, text)| Some((name, text?)));
    let list = document.entry("provider").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    match list {
        Item::ArrayOfTables(tables) => {
            let mut table = Table::new();
            for (name, text) in fields {
                table.insert(name, value(text));
            }
            tables.push(table);
        }
        Item::Value(Value::Array(array)) => push(array, fields.collect()),
        _ => return Err("`provider` is no list".to_owned()),
    }
    Ok(document.to_string())
}

/// For who writes providers in one line each: `provider = [{ id = "r", … }]`.
fn push(array: &mut Array, fields: Vec<(&str, &str)>) {
    array.push(fields.into_iter().collect::<InlineTable>());
}

/// Puts `after` into the place of `before`, which must still be there.
fn replace(path: &Path, before: &str, after: &str) -> Result<(), ConnectionError> {
    let broken = |why: &dyn std::fmt::Display| {
        ConnectionError::Unavailable(format!("{} can't be written: {why}", path.display()))
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut next = tempfile::NamedTempFile::new_in(folder).map_err(|why| broken(&why))?;
    next.write_all(after.as_bytes()).map_err(|why| broken(&why))?;
    let rights = std::fs::metadata(path).map_err(|why| broken(&why))?.permissions();
    next.as_file().set_permissions(rights).map_err(|why| broken(&why))?;
    next.as_file().sync_all().map_err(|why| broken(&why))?;
    let now = std::fs::read_to_string(path).map_err(|why| broken(&why))?;
    if now != before {
        return Err(ConnectionError::Stale(format!(
            "{} was changed by another program just now. Nothing was written; try again.",
            path.display()
        )));
    }
    next.persist(path).map_err(|why| broken(&why.error))?;
    // The new name is only durable once its folder is; where a folder can't be synced it is as good as it gets.
    if let Err(error) = std::fs::File::open(folder).and_then(|folder| folder.sync_all()) {
        tracing::debug!(%error, "the settings' folder was not synced");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "workspace = 'Acme' # the name\n\n# who works here\n[agent]\nid = 'ana'\nname = 'Ana'\n";

    fn new(id: &str) -> NewConnection {
        NewConnection {
            id: id.into(),
            adapter: "replicate".to_owned(),
            name: None,
            base_url: None,
            key_variable: Some("A_KEY".to_owned()),
        }
    }

    fn file(text: &str) -> (tempfile::TempDir, SettingsFile) {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("makegood.toml");
        std::fs::write(&path, text).expect("written");
        (dir, SettingsFile::new(path))
    }

    #[test]
    fn a_provider_is_added_and_every_comment_stays() {
        let with_one = format!("{START}\n[[provider]]\nid = 'a' # first\nadapter = 'fal'\nkey_env = 'A'\n");
        let in_line = format!("provider = [{{ id = 'a', adapter = 'fal' }}]\n{START}");
        for (text, count) in [(START.to_owned(), 1), (with_one, 2), (in_line, 2)] {
            let (_dir, file) = file(&text);
            file.add(&new("b")).expect("added");
            let after = std::fs::read_to_string(&file.path).expect("read");
            for line in text.lines().filter(|line| line.contains('#')) {
                assert!(after.contains(line), "{line} is in\n{after}");
            }
            let read: Settings = toml::from_str(&after).expect("settings");
            assert_eq!(read.providers.len(), count, "{after}");
            let added = read.providers.last().expect("one");
            assert_eq!((added.id.as_str(), added.key_env.as_deref()), ("b", Some("A_KEY")));
        }
    }

    #[test]
    fn what_is_there_or_not_understood_is_left_alone() {
        let with_one = format!("{START}[[provider]]\nid = 'b'\nadapter = 'fal'\n");
        for (text, says) in [
            (with_one.as_str(), "already"),
            ("workspace = ", "can't be understood"),
            ("workspace = 'Acme'\nprovider = 3\n", "can't be understood"),
        ] {
            let (_dir, file) = file(text);
            let why = file.add(&new("b")).expect_err("refused").to_string();
            assert!(why.contains(says) && why.contains("makegood.toml"), "{why}");
            assert_eq!(std::fs::read_to_string(&file.path).expect("read"), text);
        }
    }

    #[test]
    fn a_provider_is_taken_out_and_all_else_stays() {
        let tables = format!(
            "{START}\n[[provider]]\nid = 'a' # first\nadapter = 'fal'\n\n[[provider]]\nid = 'b'\nadapter = 'fal'\n"
        );
        let in_line = format!("provider = [{{ id = 'a', adapter = 'fal' }}, {{ id = 'b', adapter = 'fal' }}]\n{START}");
        for text in [tables, in_line] {
            let (_dir, file) = file(&text);
            assert!(file.remove(&"c".into()).expect_err("refused").to_string().contains("no provider c"));
            file.remove(&"b".into()).expect("taken out");
            let after = std::fs::read_to_string(&file.path).expect("read");
            for line in text.lines().filter(|line| line.contains('#')) {
                assert!(after.contains(line), "{line} is in\n{after}");
            }
            let read: Settings = toml::from_str(&after).expect("settings");
            assert_eq!(read.providers.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["a"], "{after}");
        }
    }

    #[test]
    fn names_with_quotes_are_written_as_text() {
        let (_dir, file) = file(START);
        let odd = NewConnection { name: Some("\"x\"\\ ]\n[agent]".to_owned()), ..new("b") };
        file.add(&odd).expect("added");
        let read: Settings = toml::from_str(&std::fs::read_to_string(&file.path).expect("read")).expect("settings");
        assert_eq!(read.providers[0].name, odd.name);
    }

    #[test]
    fn a_file_that_changed_meanwhile_is_not_replaced() {
        let (_dir, file) = file("theirs");
        let why = replace(&file.path, "what was read", "ours").expect_err("refused");
        assert!(matches!(why, ConnectionError::Stale(_)), "{why}");
        assert_eq!(std::fs::read_to_string(&file.path).expect("read"), "theirs");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_and_the_rights_of_the_file_stay() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let (dir, file) = file(START);
        std::fs::set_permissions(&file.path, std::fs::Permissions::from_mode(0o640)).expect("rights");
        let link = dir.path().join("link.toml");
        symlink(&file.path, &link).expect("a link");
        SettingsFile::new(link.clone()).add(&new("b")).expect("added");
        assert!(link.is_symlink(), "the link stays a link");
        let rights = std::fs::metadata(&file.path).expect("there").permissions().mode();
        assert_eq!(rights & 0o777, 0o640);
        assert_eq!(dir.path().read_dir().expect("a folder").count(), 2, "nothing is left over");
    }
}
