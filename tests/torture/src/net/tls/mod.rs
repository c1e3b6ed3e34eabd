//! Faults below the answer: of TLS (N11), of the connection's frames in HTTP/2 (N13).
//!
//! They are played by a child, because a program reads once whose certificates it trusts: the child's system trusts
//! an authority that was made for it. Each script must end in its one outcome, and no question of the client, and so
//! no key, may be read by a server that was to be refused.
//!
//! Not played: a certificate that was revoked, and says so itself. The verifier of Linux has no list of those and
//! reads no stapled answer; those of macOS and Windows are their systems'.

mod authority;
mod frames;
mod scripts;
mod server;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::child;
use crate::suites::Run;
use crate::verdict::Verdict;
use authority::Authority;

/// Where a system's certificates are read from on Linux, where this is set.
const TRUSTED: &str = "SSL_CERT_FILE";
/// The rows of the table that are played here.
pub const ROWS: [&str; 2] = ["N11", "N13"];

/// What the child found.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Found {
    scripts: usize,
    handshakes: usize,
    wrong: Vec<Wrong>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Wrong {
    script: String,
    what: String,
}

/// Plays all of it, or what is asked for.
pub fn played(run: &Run, verdict: &mut Verdict) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let authority = Authority::new("the one that is trusted")?;
    let (trusted, key) = (folder.path().join("authority.pem"), folder.path().join("authority.key"));
    std::fs::write(&trusted, authority.pem())?;
    std::fs::write(&key, authority.key())?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["child-tls", "--key"]).arg(&key).env(TRUSTED, &trusted).env_remove("SSL_CERT_DIR");
    if let Some(only) = &run.only {
        command.args(["--only", only]);
    }
    let done = command.output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    anyhow::ensure!(done.status.success(), "the child that plays TLS: {}", said.trim());
    let found: Found = serde_json::from_slice(&done.stdout).context("what the child found")?;
    verdict.count("tls", format!("{} ({} handshakes)", found.scripts, found.handshakes));
    for Wrong { script, what } in found.wrong {
        verdict.fault(format!("{script}: {what}"), format!("net --only '{script}'"));
    }
    Ok(())
}

/// The arguments of the child.
#[derive(Clone, Debug, clap::Args)]
pub struct Child {
    /// The key of the authority that is trusted.
    #[arg(long)]
    key: PathBuf,
}

/// Is the child, whose system trusts the authority.
pub fn be(child: &Child, only: Option<String>) -> ExitCode {
    let run = Run { seed: 0, full: false, only };
    let found = child::runtime().and_then(|runtime| runtime.block_on(play(child, &run)));
    match found.and_then(|found| Ok(serde_json::to_string(&found)?)) {
        Ok(found) => {
            println!("{found}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn play(child: &Child, run: &Run) -> anyhow::Result<Found> {
    let authority = Authority::kept("the one that is trusted", &std::fs::read(&child.key)?)?;
    let mut found = Found::default();
    for script in scripts::all(&authority)? {
        if !run.wants(&script.name) {
            continue;
        }
        let played = script.play().await.with_context(|| script.name.clone())?;
        found.scripts += 1;
        found.handshakes += played.handshakes;
        found.wrong.extend(played.wrong.into_iter().map(|what| Wrong { script: script.name.clone(), what }));
    }
    Ok(found)
}
