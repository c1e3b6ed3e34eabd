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

use super::memory;
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
pub struct Found {
    pub scripts: usize,
    handshakes: usize,
    /// The most memory that a play took beyond what was in use before; `None` where nobody tells.
    grown: Option<u64>,
    pub wrong: Vec<Wrong>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Wrong {
    pub script: String,
    pub what: String,
}

/// Plays all of it, or what is asked for, with each seed.
pub fn played(seeds: u64, run: &Run, verdict: &mut Verdict) -> anyhow::Result<()> {
    let (mut scripts, mut handshakes, mut grown) = (0, 0, None);
    for seed in (run.seed..).take(usize::try_from(seeds)?) {
        let found = asked(seed, run.only.as_deref(), &[])?;
        (scripts, handshakes) = (found.scripts, handshakes + found.handshakes);
        grown = grown.max(found.grown);
        for Wrong { script, what } in found.wrong {
            verdict.fault(format!("{script} seed {seed}: {what}"), format!("net --seed {seed} --only '{script}'"));
        }
    }
    verdict.count("tls", format!("{scripts}x{seeds} ({handshakes} handshakes)"));
    verdict.count("tls-grown", memory::told(grown));
    Ok(())
}

/// What the child finds with a seed, while these variables are set for it.
pub fn asked(seed: u64, only: Option<&str>, variables: &[(&str, String)]) -> anyhow::Result<Found> {
    let folder = tempfile::tempdir()?;
    let authority = Authority::new("the one that is trusted")?;
    let (trusted, key) = (folder.path().join("authority.pem"), folder.path().join("authority.key"));
    std::fs::write(&trusted, authority.pem())?;
    std::fs::write(&key, authority.key())?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["child-tls", "--seed", &seed.to_string(), "--key"]).arg(&key).env(TRUSTED, &trusted);
    command.env_remove("SSL_CERT_DIR").envs(variables.iter().map(|(name, value)| (name, value)));
    if let Some(only) = only {
        command.args(["--only", only]);
    }
    let done = command.output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    anyhow::ensure!(done.status.success(), "the child that plays TLS: {}", said.trim());
    serde_json::from_slice(&done.stdout).context("what the child found")
}

/// The arguments of the child.
#[derive(Clone, Debug, clap::Args)]
pub struct Child {
    /// The key of the authority that is trusted.
    #[arg(long)]
    key: PathBuf,
}

/// Is the child, whose system trusts the authority.
pub fn be(child: &Child, seed: u64, only: Option<String>) -> ExitCode {
    let run = Run { seed, full: false, only };
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
    for script in scripts::all(&authority, run.seed)? {
        if !run.wants(&script.name) {
            continue;
        }
        let played = script.play().await.with_context(|| script.name.clone())?;
        found.scripts += 1;
        found.handshakes += played.handshakes;
        found.grown = found.grown.max(played.grown);
        found.wrong.extend(played.wrong.into_iter().map(|what| Wrong { script: script.name.clone(), what }));
    }
    Ok(found)
}
