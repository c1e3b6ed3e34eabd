//! Reconcilers who claim the same runs: each run is somebody's, and nobody else's until that claim is over.

use std::collections::BTreeMap;
use std::io::Write;

use jiff::SignedDuration;
use makegood_domain::ports::ReconcileStore as _;
use makegood_store::postgres::PgStore;

use crate::child::Work;
use crate::product;
use crate::suites::Run;
use crate::verdict::Verdict;

const ROUNDS: i64 = 2;
const LEASE: SignedDuration = SignedDuration::from_mins(10);
const AT_A_TIME: u32 = 7;

/// Claims until nothing is left, and again when all these claims are over.
pub async fn claim(store: &PgStore, work: &Work, told: &mut impl Write) -> anyhow::Result<()> {
    let worker = format!("racer-{}", work.from);
    for round in 0..ROUNDS {
        let now = product::at(product::LATE + round * (LEASE.as_secs() + 1));
        loop {
            let claimed = store.claim_due(&worker, AT_A_TIME, LEASE, now).await?;
            if claimed.is_empty() {
                break;
            }
            for run in claimed {
                writeln!(told, "claimed {round} {}", run.root)?;
            }
            told.flush()?;
        }
    }
    Ok(())
}

/// In each round each run was claimed once.
pub fn judge(told: &[String], jobs: u64, run: &Run, verdict: &mut Verdict) {
    let mut claims: BTreeMap<&str, u64> = BTreeMap::new();
    for claimed in told.iter().filter_map(|line| line.strip_prefix("claimed ")) {
        *claims.entry(claimed).or_default() += 1;
    }
    for (claimed, times) in claims.iter().filter(|(_, times)| **times > 1) {
        verdict.fault(format!("run {claimed} was claimed {times} times at once"), run.replay("pg-race"));
    }
    let rounds = u64::try_from(ROUNDS).unwrap_or_default();
    if u64::try_from(claims.len()).unwrap_or_default() < jobs * rounds {
        verdict.fault(format!("only {} claims of {jobs} runs in {rounds} rounds", claims.len()), run.replay("pg-race"));
    }
    verdict.count("claims", claims.values().sum::<u64>());
}
