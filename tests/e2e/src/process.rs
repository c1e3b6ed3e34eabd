//! Programs that end with us: each is ended by its own id, none by a name.

use std::process::{Child, Command};

/// A program we started. It is killed and awaited when it goes out of scope.
pub struct Owned(Child);

impl Owned {
    pub fn start(command: &mut Command) -> anyhow::Result<Self> {
        use anyhow::Context as _;
        let program = command.get_program().to_owned();
        command.spawn().map(Self).with_context(|| format!("{} does not start; `make setup`", program.display()))
    }

    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        if self.0.kill().is_ok() {
            drop(self.0.wait());
        }
    }
}

/// The processes that `parent` started and that still run.
pub fn children(parent: u32) -> Vec<u32> {
    let list = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

/// Ends a process at once, as a crash does: it cannot notice, let alone save anything.
pub fn kill_at_once(id: u32) -> anyhow::Result<()> {
    let status = Command::new("kill").args(["-KILL", &id.to_string()]).status()?;
    anyhow::ensure!(status.success(), "process {id} was not there to be killed");
    Ok(())
}

/// Whether the process still runs. A zombie does not.
pub fn runs(id: u32) -> bool {
    let Ok(status) = std::fs::read_to_string(format!("/proc/{id}/stat")) else { return false };
    status.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with('Z'))
}
