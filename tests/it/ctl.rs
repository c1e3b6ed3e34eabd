//! `makegoodctl` as it is run: what it prints, where, and how it ends.

mod evaluating;

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
    let mut command = Command::new(env!("CARGO_BIN_EXE_makegoodctl"));
    command.arg("--home").arg(home).args(arguments).stdin(Stdio::null());
    for unset in ["PGPASSWORD", "PGPASSFILE", "PGHOST", "PGUSER", "MAKEGOOD_HOME", "MAKEGOOD_ADMIN_URL", "RUST_LOG"] {
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
