//! The folder, and what only a folder does.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use makegood_connectors::vault::shelf::{FolderShelf, Put, Shelf};

use crate::behaviour;
use crate::subject::{OnDisk, Subject};

#[tokio::test]
async fn a_folder_does_what_every_shelf_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = Arc::new(FolderShelf::open(folder.path().join("vault")).expect("a shelf"));
    behaviour::holds(&Subject { shelf, reads_what_it_takes: false, makes_links: false }).await;
}

#[tokio::test]
async fn a_damaged_file_is_replaced_by_a_whole_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = FolderShelf::open(folder.path()).expect("a shelf");
    let file = OnDisk::of(1, 500);
    file.put(&shelf).await.expect("kept");
    for damage in [&b"half"[..], b""] {
        std::fs::write(shelf.path_of(&file.key), damage).expect("damaged");
        assert_eq!(shelf.measure(&file.key).await.expect("readable").bytes, damage.len() as u64);
        assert_eq!(file.put(&shelf).await, Ok(Put::Placed));
        assert_eq!(shelf.measure(&file.key).await.expect("readable").sha256, file.key.as_str());
    }
    assert!(!file.path().exists(), "it was moved, not copied");
}

#[tokio::test]
async fn foreign_files_are_not_listed_and_only_old_leftovers_are_cleared() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = FolderShelf::open(folder.path()).expect("a shelf");
    let file = OnDisk::of(2, 50);
    file.put(&shelf).await.expect("kept");
    let elsewhere = folder.path().join("00").join(file.key.as_str());
    for (path, content) in
        [(folder.path().join("notes.txt"), "x"), (folder.path().join("left.part"), "x"), (elsewhere, "x")]
    {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, content).expect("written");
    }
    let listed = shelf.list(None, 10).await.expect("a list");
    assert_eq!(listed.iter().map(|one| &one.key).collect::<Vec<_>>(), [&file.key]);
    let written = folder.path().join("left.part").metadata().expect("there").modified().expect("a time");
    let written = Timestamp::try_from(written).expect("a time");
    assert_eq!(shelf.clear(written - SignedDuration::from_hours(1)).await, Ok(0));
    assert_eq!(shelf.clear(written + SignedDuration::from_hours(1)).await, Ok(1));
    assert!(folder.path().join("notes.txt").exists() && !folder.path().join("left.part").exists());
}
