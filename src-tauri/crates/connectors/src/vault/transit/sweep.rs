//! Deletes what lies about: parts that nobody goes on from, logs of what was kept long ago, evidence.

use std::fs::{File, Metadata};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Kept for so long after it was touched last (reliability N7).
const KEPT: Duration = Duration::from_hours(24);
/// Between two sweeps of one program.
const BETWEEN: Duration = Duration::from_hours(1);

#[derive(Debug, Default)]
pub(super) struct Sweeper {
    last: Mutex<Option<Instant>>,
}

impl Sweeper {
    pub fn sweep_if_due(&self, folder: &Path) {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() >= BETWEEN) {
            self.sweep(folder);
        }
    }

    /// Whatever can't be deleted now is left to the next sweep.
    pub fn sweep(&self, folder: &Path) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        if let Err(error) = sweep(folder) {
            tracing::debug!(folder = %folder.display(), %error, "files on their way could not be swept");
        }
    }
}

fn sweep(folder: &Path) -> std::io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    let now = time_of(folder)?;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let is_old =
            |found: &Metadata| found.modified().is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > KEPT));
        // Another program may have deleted it meanwhile.
        if entry.metadata().is_ok_and(|found| found.is_file() && is_old(&found)) && !is_in_use(&entry.path()) {
            let _left_to_the_next = std::fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// The present by the clock that the ages of the folder's files are told by, which on a file server is
/// another one than this machine's.
fn time_of(folder: &Path) -> std::io::Result<SystemTime> {
    tempfile::tempfile_in(folder)?.metadata()?.modified()
}

/// Whether somebody holds the lock of a part, or of the part that a log belongs to.
fn is_in_use(path: &Path) -> bool {
    match File::open(path.with_extension("log")) {
        Ok(log) => log.try_lock().is_err(),
        Err(_) => false,
    }
}
