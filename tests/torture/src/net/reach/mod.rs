//! Addresses that nobody may be led to (reliability 2.3): as what a job tells, as what is asked for, as where an answer
//! leads, and as where a name leads.
//!
//! All of it happens in a network of its own, in which every address is this machine, and whose kernel counts the
//! connections that are begun: to whichever address and port, whether somebody listens there or not. Before anything
//! is tried, it is tried whether the kernel counts.

mod dns;
pub mod names;
mod tries;
mod vectors;
mod watch;

use std::process::{Command, ExitCode};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::memory::{self, Growth, told};
use crate::child;
use crate::suites::Run;
use crate::verdict::Verdict;
use watch::Watch;

/// At least so many different addresses are tried.
const VECTORS_MIN: usize = 140;

/// What the child found.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Found {
    vectors: usize,
    tries: usize,
    /// Connections that were begun to where nobody may be led.
    forbidden: u64,
    /// Connections that were begun and allowed: to what is public, and to the server of the child.
    allowed: u64,
    /// Addresses of which it was seen that the kernel counts a connection to them.
    watched: usize,
    /// Scripts of what names lead to (N12).
    dns: usize,
    /// The most memory that was taken beyond what was in use before; `None` where nobody tells.
    grown: Option<u64>,
    wrong: Vec<String>,
}

/// Makes a network in which every address is this machine, and goes on as what is given.
const NETWORK: &str = "ip link set lo up && ip route add local 0.0.0.0/0 dev lo && \
    ip -6 addr add 2600::1/128 dev lo && ip -6 route add local ::/0 dev lo && exec \"$@\"";

/// Tries all of it, with each seed, in a network of its own, or, where none can be made, without sockets being counted.
pub fn watched(seeds: u64, run: &Run, verdict: &mut Verdict) -> anyhow::Result<()> {
    let (mut tries, mut forbidden, mut fewest, mut dns, mut grown, mut is_watched) = (0, 0, usize::MAX, 0, None, true);
    for seed in (run.seed..).take(usize::try_from(seeds)?) {
        let found = seeded(seed)?;
        tries += found.tries;
        forbidden += found.forbidden;
        (fewest, dns) = (fewest.min(found.vectors), found.dns);
        grown = grown.max(found.grown);
        is_watched &= found.watched > 0;
        judge(&found, &format!("net --seed {seed} --only ssrf"), verdict);
    }
    verdict.count("ssrf", format!("{fewest}x{seeds} ({tries} tries)"));
    verdict.count("dns", format!("{dns}x{seeds}"));
    verdict.count("forbidden-sockets", if is_watched { forbidden.to_string() } else { "uncounted".to_owned() });
    verdict.count("ssrf-grown", told(grown));
    Ok(())
}

/// All of it once.
fn seeded(seed: u64) -> anyhow::Result<Found> {
    let program = std::env::current_exe()?;
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--net", "sh", "-c", NETWORK, "sh"]).arg(program);
    command.args(["child-reach", "--seed", &seed.to_string()]);
    match command.output() {
        Ok(done) if done.status.success() => serde_json::from_slice(&done.stdout).context("what the child found"),
        done => {
            let why =
                done.map_or_else(|e| e.to_string(), |done| String::from_utf8_lossy(&done.stderr).trim().to_owned());
            anyhow::ensure!(!why.contains(COMPLAINT), "{why}");
            println!("           ssrf: no network of its own could be made, so no sockets are counted: {why}");
            child::runtime()?.block_on(found(seed, &mut Watch::blind()))
        }
    }
}

fn judge(found: &Found, replay: &str, verdict: &mut Verdict) {
    if found.vectors < VECTORS_MIN {
        verdict.fault(format!("ssrf: {} addresses were tried, not {VECTORS_MIN}", found.vectors), replay);
    }
    if found.forbidden > 0 {
        verdict.fault(format!("ssrf: {} forbidden connections were begun", found.forbidden), replay);
    }
    if found.watched > 0 && found.allowed == 0 {
        verdict.fault("ssrf: nothing that is allowed was reached: nothing was tried", replay);
    }
    if found.grown.is_some_and(|grown| grown > memory::GROWN_MAX) {
        verdict.fault(format!("ssrf: memory grew by {} bytes", found.grown.unwrap_or_default()), replay);
    }
    for wrong in &found.wrong {
        verdict.fault(format!("ssrf: {wrong}"), replay);
    }
}

/// What was found here, and how much memory it took.
async fn found(seed: u64, watch: &mut Watch) -> anyhow::Result<Found> {
    let growth = Growth::begun();
    let mut found = tries::all(seed, watch).await?;
    dns::all(seed, watch, &mut found).await?;
    found.grown = growth.so_far();
    Ok(found)
}

/// How a child that can't go on begins: then its network was made, and something else is wrong.
const COMPLAINT: &str = "ssrf child:";

/// Is the child, in a network of its own.
pub fn be(seed: u64) -> ExitCode {
    let tried = child::runtime().and_then(|runtime| {
        runtime.block_on(async {
            let mut watch = Watch::set().await?;
            found(seed, &mut watch).await
        })
    });
    match tried.and_then(|found| Ok(serde_json::to_string(&found)?)) {
        Ok(found) => {
            println!("{found}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{COMPLAINT} {error:#}");
            ExitCode::FAILURE
        }
    }
}
