//! The preloaded library that stands in for the disk, compiled where it is needed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

const SOURCE: &str = include_str!("../shim/powercut.c");

/// Compiles the library into `folder` with the machine's C compiler.
pub fn compile(folder: &Path) -> anyhow::Result<PathBuf> {
    let (source, library) = (folder.join("powercut.c"), folder.join("powercut.so"));
    std::fs::write(&source, SOURCE)?;
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
        .arg(&library)
        .arg(&source)
        .args(["-ldl", "-lpthread"]);
    let done = cc.output().context("no C compiler: Debian has it as build-essential")?;
    if !done.status.success() {
        bail!("the shim does not compile: {}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(library)
}

/// How a process is watched by the library.
#[derive(Clone, Debug)]
pub struct Watch {
    pub library: PathBuf,
    /// Folder of the record.
    pub live: PathBuf,
    /// A folder that is watched with its subfolders.
    pub tree: Option<PathBuf>,
    /// Folder of what would be on the disk; without it, calls are only counted.
    pub keep: Option<PathBuf>,
    /// Number of the call before which the process ends itself.
    pub kill_at: Option<u64>,
    /// Files with this ending are not synced when they should be.
    pub lies: Option<&'static str>,
}

impl Watch {
    /// The environment that loads the library.
    pub fn apply(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library).env("POWERCUT_WATCH", &self.live);
        if let Some(tree) = &self.tree {
            command.env("POWERCUT_TREE", tree);
        }
        if let Some(keep) = &self.keep {
            command.env("POWERCUT_KEEP", keep);
        }
        if let Some(call) = self.kill_at {
            command.env("POWERCUT_KILL_AT", call.to_string());
        }
        if let Some(ending) = self.lies {
            command.env("POWERCUT_LIES", ending);
        }
    }
}
