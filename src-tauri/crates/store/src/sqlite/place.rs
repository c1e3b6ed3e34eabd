//! Where a record lies: whether it can be kept there, written there, or only read.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use makegood_domain::ports::{StoreError, StoreResult};

/// Makes the folder of a record, and refuses places that can't hold one.
///
/// # Errors
/// `Unavailable`: which place, and why not.
pub(super) fn prepare(path: &Path) -> StoreResult<()> {
    let folder = folder_of(path);
    let unavailable = |why: String| Err(StoreError::Unavailable(why));
    if let Err(error) = std::fs::create_dir_all(folder) {
        return unavailable(match error.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
                format!("{} can't be a record: a part of its path is a file, not a folder", path.display())
            }
            _ => format!("the folder {} can't be made: {error}", folder.display()),
        });
    }
    if path.is_dir() {
        return unavailable(format!("{} is a folder, and a record is a file", path.display()));
    }
    if path.is_symlink() && !path.exists() {
        return unavailable(format!("{} leads to a file that is not there", path.display()));
    }
    refuse_network_file_system(folder)?;
    if !path.exists() && is_read_only(folder) {
        return unavailable(format!(
            "there is no record {}, and none can be made: its folder can't be written",
            path.display()
        ));
    }
    Ok(())
}

pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Where SQLite keeps what is committed and not yet folded into the file.
pub(super) fn log_of(path: &Path) -> PathBuf {
    beside(path, "-wal")
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Why an existing record can only be read: the file can't be written, or no log can be made beside it.
pub(super) fn why_unwritable(path: &Path) -> Option<String> {
    if let Err(error) = std::fs::OpenOptions::new().append(true).open(path)
        && says_read_only(&error)
    {
        return Some(format!("{} can't be written ({error}), and is only read", path.display()));
    }
    is_read_only(folder_of(path))
        .then(|| format!("{} is only read: no file can be made in its folder, which writing needs", path.display()))
}

/// Refuses a record of which a part is in a log that can't be read: without its index, which is made in
/// the folder. What is in the log was acknowledged, so it is never left out.
pub(super) fn refuse_unread_log(path: &Path) -> StoreResult<()> {
    if log_of(path).exists() && !beside(path, "-shm").exists() && is_read_only(folder_of(path)) {
        return Err(StoreError::Unavailable(format!(
            "{} can't be read where it is: its newest changes are in the log beside it, and reading them needs a folder \
             that can be written. Copy both files to one",
            path.display()
        )));
    }
    Ok(())
}

/// Whether an error of the system says that something is there and can't be written.
pub(super) fn says_read_only(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}

/// Whether no file can be made in a folder.
pub(super) fn is_read_only(folder: &Path) -> bool {
    let probe = folder.join(format!(".makegood-{}", std::process::id()));
    match std::fs::OpenOptions::new().write(true).create_new(true).open(&probe) {
        Ok(_) => {
            drop(std::fs::remove_file(&probe));
            false
        }
        Err(error) => says_read_only(&error),
    }
}

/// Types of file systems over a network. SQLite's log needs shared memory, which they don't have.
const NETWORK_FILE_SYSTEMS: &[&str] = &[
    "9p",
    "afs",
    "ceph",
    "cifs",
    "coda",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.sshfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "smb3",
    "smbfs",
];

fn refuse_network_file_system(folder: &Path) -> StoreResult<()> {
    let (Ok(folder), Ok(mounts)) = (folder.canonicalize(), std::fs::read_to_string("/proc/self/mountinfo")) else {
        return Ok(());
    };
    match network_file_system(&mounts, &folder) {
        Some(kind) => Err(StoreError::Unavailable(format!(
            "{} is on a network file system ({kind}); a record needs a local disk",
            folder.display()
        ))),
        None => Ok(()),
    }
}

/// The type of the mount that holds `folder`, if it is one over a network. `mounts` is as Linux
/// tells it: `36 35 98:0 /root /mount options - type source options`.
pub(super) fn network_file_system(mounts: &str, folder: &Path) -> Option<String> {
    mounts
        .lines()
        .filter_map(|line| {
            let (place, kind) = line.split_once(" - ")?;
            let mount = place.split(' ').nth(4)?.replace("\\040", " ");
            folder.starts_with(&mount).then(|| (mount.len(), kind.split(' ').next().unwrap_or_default()))
        })
        .max_by_key(|(length, _)| *length)
        .map(|(_, kind)| kind.to_owned())
        .filter(|kind| NETWORK_FILE_SYSTEMS.contains(&kind.as_str()))
}
