//! The same files by programs that nobody here wrote.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::AT_A_TIME;
use super::server::Server;

pub struct Theirs {
    pub bare: Duration,
    /// With what it takes to have the files on the disk.
    pub synced: Duration,
}

/// Brings the files, hashes a single one, and then syncs them.
pub fn brought(server: &Server, folder: &Path, first: usize, files: usize) -> Theirs {
    std::fs::create_dir_all(folder).expect("a folder");
    let begun = Instant::now();
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--fail", "--output"]).arg(folder.join("#1"));
    if files > 1 {
        curl.args(["--parallel", "--parallel-max", &AT_A_TIME.to_string()]);
    }
    run(curl.arg(format!("{}/f/[{first}-{}]", server.base, first + files - 1)));
    if files == 1 {
        run(Command::new("sha256sum").arg(folder.join(first.to_string())));
    }
    let bare = begun.elapsed();
    let mut sync = Command::new("sync");
    run(sync.args((first..first + files).map(|number| folder.join(number.to_string()))));
    let synced = begun.elapsed();
    std::fs::remove_dir_all(folder).expect("removed");
    Theirs { bare, synced }
}

fn run(command: &mut Command) {
    // Of many at a time curl tells its progress, however silent it is to be.
    let done = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("the program is there");
    assert!(done.success(), "{command:?}: {done}");
}
