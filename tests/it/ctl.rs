//! `makegoodctl` as it is run: what it prints, where, and how it ends.

mod asking_providers;
mod bringing_files;
mod evaluating;
mod importing;
mod keeping_files;
mod opening_files;
mod opening_servers;
mod serving;

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What a command said and how it ended.
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Runs `makegoodctl` on the profile `home`, with these variables and none of PostgreSQL's own.
pub fn ctl(home: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Said {
    run(Command::new(env!("CARGO_BIN_EXE_makegoodctl")), home, variables, arguments)
}

/// The same as somebody whom permissions hold: root may write what is read-only.
pub fn ctl_as_nobody(home: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Said {
    let is_root = std::fs::metadata("/proc/self").expect("a process").uid() == 0;
    if !is_root {
        return ctl(home, variables, arguments);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups", env!("CARGO_BIN_EXE_makegoodctl")]);
    run(command, home, variables, arguments)
}

fn run(mut command: Command, home: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Said {
    command.arg("--home").arg(home).args(arguments).stdin(Stdio::null());
    for unset in ["PGPASSWORD", "PGPASSFILE", "PGHOST", "PGUSER", "MAKEGOOD_HOME", "MAKEGOOD_ADMIN_URL", "MAKEGOOD_LOG"]
    {
        command.env_remove(unset);
    }
    // Else a password of whoever runs the tests could be found.
    command.env("HOME", home).envs(variables.iter().copied());
    said(command.output())
}

fn said(output: std::io::Result<Output>) -> Said {
    let output = output.expect("makegoodctl can be run");
    let text = |bytes| String::from_utf8(bytes).expect("makegoodctl prints text");
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}
