//! Actions that all need the same second person's yes: one of them gets it.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context as _, bail};
use makegood_domain::ids::{ActionKey, AgentId, ApprovalId};
use makegood_domain::plan::{Order, digest, money_digest, restorations};
use makegood_domain::ports::{
    ActionState, ActionStore as _, ApprovalDecision, ApprovalRequest, ApprovalState, ApprovalStore as _, Begun,
    CaseStore as _, Decided, Person, Role,
};
use makegood_store::postgres::PgStore;

use crate::child::Work;
use crate::pg::Server;
use crate::product::{self, Job, LATE};
use crate::suites::Run;
use crate::verdict::Verdict;

const LANE: &str = "yes";
const REASON: &str = "the customer has waited long enough";
/// May restore next to nothing alone.
const AGENT: &str = "mia";
const APPROVER: &str = "lea";
/// Tries of one process for one approval, while others hold the case.
const TRIES_MAX: u32 = 400;

fn job(number: u64) -> Job {
    Job::new(LANE, number).recovering(false)
}

/// Requests, and a yes to each.
pub async fn prepare(server: &Server, approvals: u64) -> anyhow::Result<()> {
    let owner = server.owner().await?;
    super::bring(&owner, (0..approvals).map(job)).await?;
    for (id, role) in [(AGENT, Role::Agent), (APPROVER, Role::Approver)] {
        let person = Person { id: id.into(), name: id.to_owned(), roles: vec![role], per_posting: 1, per_day: 1 };
        owner.put_person(&person, product::at(0)).await?;
    }
    for number in 0..approvals {
        approve(&owner, &job(number)).await.with_context(|| format!("approval {number}"))?;
    }
    owner.close().await;
    Ok(())
}

async fn approve(owner: &PgStore, job: &Job) -> anyhow::Result<()> {
    let (case, _) = owner.open_case(&job.new_case()).await?;
    let restorations = restorations(&job.plan(case.revision));
    let digest = money_digest(&case.id, &restorations, &[], REASON);
    let request = ApprovalRequest {
        id: ApprovalId(format!("apr-{}", case.id)),
        case_id: case.id,
        restorations,
        releases: Vec::new(),
        digest: digest.clone(),
        amount: job.total(),
        reason: REASON.to_owned(),
        asked_by: AGENT.into(),
        asked_at: product::at(LATE + 550),
    };
    let asked = owner.ask_approval(&request).await?;
    anyhow::ensure!(matches!(asked, Decided::Done(_)), "asked: {asked:?}");
    let decision = ApprovalDecision { digest, state: ApprovalState::Approved, by: APPROVER.into(), note: None };
    let decided = owner.decide_approval(&request.id, &decision, product::at(LATE + 560)).await?;
    anyhow::ensure!(matches!(decided, Decided::Done(_)), "decided: {decided:?}");
    Ok(())
}

/// Begins an action on each case, under a key of its own.
pub async fn use_all(store: &PgStore, work: &Work, told: &mut impl Write) -> anyhow::Result<()> {
    for number in 0..work.count {
        let key = ActionKey(format!("key-for-a-yes-{}-{number}", work.from));
        if begins(store, &job(number), &key).await.with_context(|| format!("approval {number}"))? {
            writeln!(told, "used {number} {key}")?;
            told.flush()?;
            // Given up before anything was done, so that the case is free for the others.
            let state = ActionState::FailedBeforeEffect { why: "given up".to_owned(), retry: true };
            store.finish_action(&key, &state, product::at(LATE + 610)).await?;
        }
    }
    Ok(())
}

/// Whether the record let this action begin.
async fn begins(store: &PgStore, job: &Job, key: &ActionKey) -> anyhow::Result<bool> {
    for _ in 0..TRIES_MAX {
        let revision = store.case(&job.case()).await?.revision;
        let plan = job.plan(revision);
        let order = Order {
            key: key.clone(),
            digest: digest(&plan),
            agent: AgentId::new(AGENT),
            at: product::at(LATE + 600),
            reason: Some(REASON.to_owned()),
        };
        match store.begin_action(&order, &plan).await? {
            Begun::New => return Ok(true),
            Begun::ApprovalNeeded { .. } => return Ok(false),
            Begun::CaseChanged { .. } | Begun::Busy { .. } => {}
            other => bail!("{other:?}"),
        }
    }
    bail!("the case was never free")
}

/// Each yes was used once.
pub fn judge(told: &[String], approvals: u64, run: &Run, verdict: &mut Verdict) {
    let mut uses: BTreeMap<u64, u64> = BTreeMap::new();
    for line in told {
        if let ["used", number, _] = line.split_whitespace().collect::<Vec<_>>()[..]
            && let Ok(number) = number.parse()
        {
            *uses.entry(number).or_default() += 1;
        }
    }
    for number in 0..approvals {
        let times = uses.get(&number).copied().unwrap_or_default();
        if times != 1 {
            verdict.fault(format!("approval {number} was used {times} times"), run.replay("pg-race"));
        }
    }
    verdict.count("approvals", approvals);
}
