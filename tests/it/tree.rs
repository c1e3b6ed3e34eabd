//! The source tree as the house rules see it.

use std::path::{Path, PathBuf};

/// What a build leaves behind or others wrote.
const NOT_OURS: [&str; 9] =
    [".git", "target", "node_modules", "dist", "dist-fake", "gen", "permissions", "generated", "test-artifacts"];

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a file of the repository.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file of ours under `folder`, as a path from the root, sorted.
pub fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        let entries = folder.read_dir().unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries {
            let path: PathBuf = entry.expect("an entry of the folder").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("names are UTF-8");
            if path.is_symlink() || NOT_OURS.contains(&name) {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else {
                let own = path.strip_prefix(root()).expect("below the root");
                found.push(own.to_str().expect("names are UTF-8").to_owned());
            }
        }
    }
    found.sort();
    found
}

/// The files of ours under `folder` whose names end in one of `endings`.
pub fn files_with(folder: &str, endings: &[&str]) -> Vec<String> {
    let mut found = files(folder);
    found.retain(|path| endings.iter().any(|ending| path.ends_with(ending)));
    found
}

/// Fails with all that was found, so that one run names every breach.
#[track_caller]
pub fn none(breaches: &[String], rule: &str) {
    assert!(breaches.is_empty(), "{rule}\n  {}", breaches.join("\n  "));
}
