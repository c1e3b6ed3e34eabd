//! The same for a folder with subfolders, in which files get their names by renames: what of its contents was not
//! synced is lost as elsewhere, and what was made or renamed in a folder that was not synced since may not have been.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::disk::{Loss, image, missing, read};
use crate::dice::Dice;

/// How the names of its images begin.
const TREE: &str = "tree";
/// Where its changes of names are kept.
const NAMES: &str = "names.log";

/// A change of names, by the names of the images.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    Renamed { from: String, to: String },
    Made(String),
}

impl Change {
    /// The folder that must be synced for it to last.
    fn folder(&self) -> &str {
        let (Self::Renamed { to: name, .. } | Self::Made(name)) = self;
        name.rsplit_once('%').map_or(TREE, |(folder, _)| folder)
    }
}

/// Cuts the power: what was touched in `tree` becomes what is on the disk. Changes of names are lost from some one on:
/// a journal keeps their order.
pub fn cut(tree: &Path, keep: &Path, loss: Loss, dice: &mut Dice) -> io::Result<()> {
    let mut images = BTreeMap::new();
    for entry in std::fs::read_dir(keep)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let stem = name.strip_suffix(".durable").or(name.strip_suffix(".pending"));
        if let Some(stem) = stem.filter(|stem| stem.starts_with(TREE) && !images.contains_key(*stem)) {
            images.insert(stem.to_owned(), image(keep, stem, loss, dice)?.0);
        }
    }
    let log = String::from_utf8_lossy(&read(&keep.join(NAMES))?).into_owned();
    let mut changes = unsynced(&log);
    let kept = if loss == Loss::All { 0 } else { dice.index(changes.len() + 1) };
    for change in changes.drain(..).skip(kept).rev() {
        undo(tree, &mut images, &change)?;
    }
    for (name, content) in images {
        let path = real(tree, &name);
        // Without its folder it has no name.
        if path.parent().is_some_and(Path::is_dir) {
            std::fs::write(path, content)?;
        }
    }
    Ok(())
}

/// The changes of names after which their folder was not synced, in their order.
fn unsynced(log: &str) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for line in log.lines() {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["R", from, to] => changes.push(Change::Renamed { from: from.to_owned(), to: to.to_owned() }),
            ["M", folder] => changes.push(Change::Made(folder.to_owned())),
            ["S", folder] => changes.retain(|change| change.folder() != folder),
            // It was being written when the process died.
            _ => {}
        }
    }
    changes
}

fn undo(tree: &Path, images: &mut BTreeMap<String, Vec<u8>>, change: &Change) -> io::Result<()> {
    match change {
        Change::Renamed { from, to } => {
            std::fs::remove_file(real(tree, to)).or_else(missing)?;
            if let Some(content) = images.remove(to) {
                images.entry(from.clone()).or_insert(content);
            }
        }
        Change::Made(folder) => {
            std::fs::remove_dir_all(real(tree, folder)).or_else(missing)?;
            let below = format!("{folder}%");
            images.retain(|name, _| !name.starts_with(&below));
        }
    }
    Ok(())
}

/// The path of what an image is called.
fn real(tree: &Path, name: &str) -> PathBuf {
    let below = name.strip_prefix(TREE).unwrap_or(name);
    below.split('%').filter(|part| !part.is_empty()).fold(tree.to_path_buf(), |path, part| path.join(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_renamed_in_a_folder_that_was_not_synced_has_its_old_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let (tree, keep) = (folder.path().join("vault"), folder.path().join("keep"));
        for made in [tree.join("transit"), tree.join("ab"), tree.join("cd"), keep.clone()] {
            std::fs::create_dir_all(made).expect("a folder");
        }
        for (name, content) in [("ab/ab1", "one"), ("cd/cd1", "two"), ("ab/other", "untouched")] {
            std::fs::write(tree.join(name), content).expect("a file");
        }
        std::fs::write(keep.join("tree%ab%ab1.durable"), "one").expect("an image");
        std::fs::write(keep.join("tree%cd%cd1.durable"), "two").expect("an image");
        let log =
            "M tree%cd\nS tree\nR tree%transit%1.part tree%ab%ab1\nS tree%ab\nR tree%transit%2.part tree%cd%cd1\nM tre";
        std::fs::write(keep.join(NAMES), log).expect("a log");
        cut(&tree, &keep, Loss::All, &mut Dice::new(1, "cut")).expect("a cut");
        let read = |name: &str| std::fs::read_to_string(tree.join(name)).ok();
        assert_eq!(read("ab/ab1").as_deref(), Some("one"), "its folder was synced");
        assert_eq!((read("cd/cd1"), read("transit/2.part").as_deref()), (None, Some("two")));
        assert_eq!(read("ab/other").as_deref(), Some("untouched"));
    }

    #[test]
    fn a_folder_that_was_made_and_not_synced_is_gone_with_what_is_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let (tree, keep) = (folder.path().join("vault"), folder.path().join("keep"));
        std::fs::create_dir_all(tree.join("cd")).expect("a folder");
        std::fs::create_dir_all(&keep).expect("a folder");
        std::fs::write(keep.join("tree%cd%cd1.durable"), "two").expect("an image");
        std::fs::write(keep.join(NAMES), "M tree%cd\n").expect("a log");
        cut(&tree, &keep, Loss::All, &mut Dice::new(1, "cut")).expect("a cut");
        assert!(!tree.join("cd").exists());
    }
}
