//! What vendors state about their services, as a profile goes by it: the rows that come with the
//! program, overruled by the operator's own in `providers.toml` of the profile's folder.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context as _;
use makegood_connectors::providers::Table;

/// The operator's own rows, in the profile's folder.
pub const FILE: &str = "providers.toml";

/// The rows that the profile at `home` goes by.
///
/// # Errors
/// When the operator's file is there and can't be read or followed; the text names file and place.
pub fn table(home: &Path) -> anyhow::Result<Table> {
    let (path, table) = (home.join(FILE), Table::built_in()?);
    match std::fs::read_to_string(&path) {
        Ok(text) => table.overruled_by(&text).with_context(|| path.display().to_string()),
        Err(why) if why.kind() == ErrorKind::NotFound => Ok(table),
        Err(why) => Err(why).with_context(|| format!("{} can't be read", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use makegood_connectors::providers::Retention;

    use super::*;

    #[test]
    fn a_profile_overrules_the_rows_and_a_wrong_file_is_named() {
        let home = tempfile::tempdir().expect("a folder");
        let built_in = Table::built_in().expect("the table");
        assert_eq!(table(home.path()).expect("no file is fine"), built_in);
        let row = "[[provider]]\nadapter = 'runway'\n[provider.retention]\nfile_hours = 12\n";
        let write = |text: &str| std::fs::write(home.path().join(FILE), text).expect("written");
        write(&format!("{row}source = 'our contract'\nseen = 2026-12-01\n"));
        let kept = |table: &Table| table.row("runway").and_then(|row| row.retention.as_ref()?.minutes());
        let overruled = table(home.path()).expect("rows");
        assert_eq!((kept(&built_in), kept(&overruled)), (None, Some(12 * 60)));
        assert_eq!(overruled.row("fal"), built_in.row("fal"));
        let source =
            overruled.row("runway").and_then(|row| row.retention.as_ref()).map(|kept: &Retention| &*kept.source);
        assert_eq!(source, Some("our contract"));
        write(row);
        let why = format!("{:#}", table(home.path()).expect_err("it has no source"));
        assert!(why.contains("providers.toml") && why.contains("source"), "{why}");
    }
}
