//! Claim to run (P2): filter, relax, tie-break, each candidate with the reasons for and against.

mod choose;
mod explain;
mod filter;
pub mod logical;
pub mod lost_job;
mod model;
pub mod project;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::diagnose::Flag;
use crate::ids::RunId;
use crate::policy::Policy;
use crate::scope::Scope;
use crate::support::Claim;

pub use logical::{LogicalRun, logical_run, logical_runs};

use filter::{Evidence, Field};
use project::ProjectRef;

/// One thing that speaks for or against a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchReason {
    /// What was compared: `project`, `model`, `time`, `amount`, `run_ref`, `troubled`, `distance`.
    pub field: String,
    /// For agents: `started 38 s before the time given`.
    pub text: String,
}

/// A run in scope that was weighed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// First id of the logical run.
    pub run_id: RunId,
    pub matched: bool,
    /// Charged, and not simply delivered on the canvas without a refund (P2).
    pub troubled: bool,
    pub reasons_for: Vec<MatchReason>,
    pub reasons_against: Vec<MatchReason>,
}

/// What matching found. `matched` is empty where it finds none or cannot choose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunMatch {
    /// First ids of logical runs, the earliest first.
    pub matched: Vec<RunId>,
    /// Best first; those weighed closely, not the whole scope.
    pub candidates: Vec<Candidate>,
    /// `project_id_corrected`, `project_ref_unknown`, `evidence_relaxed`.
    pub flags: Vec<Flag>,
    /// How it was chosen, in plain words, for agents.
    pub explanation: String,
    /// An agent chose, against or without the rules.
    pub overruled_by: Option<String>,
}

/// Finds the run or runs that a claim means, among those in scope (P2).
#[must_use]
pub fn match_run(claim: &Claim, scope: &Scope, policy: &Policy) -> RunMatch {
    let runs = logical_runs(scope);
    let evidence = Evidence::of(claim, scope, policy);
    let quoted = filter::quoted(claim, &runs);
    let (choice, relaxed) = if quoted.is_empty() {
        let (left, relaxed) = filter::narrow(&runs, &evidence, scope);
        (choose::choose(&left, claim, scope, policy), relaxed)
    } else {
        (choose::choose_quoted(&quoted, claim, scope), Vec::new())
    };
    let matched: Vec<RunId> = choice.chosen.iter().map(|run| run.id().clone()).collect();
    let flags = if quoted.is_empty() { flags(&evidence, &relaxed) } else { Vec::new() };
    RunMatch {
        candidates: explain::candidates(&runs, &matched, &evidence, claim, scope, policy),
        explanation: explain::sentence(&choice, &evidence, &relaxed),
        matched,
        flags,
        overruled_by: None,
    }
}

/// The match that an agent makes by hand, against or without the rules. Runs that are not in scope are
/// left out: an agent can choose differently, but not for somebody else.
#[must_use]
pub fn overruled(chosen: &[RunId], by: &str, claim: &Claim, scope: &Scope, policy: &Policy) -> RunMatch {
    let runs = logical_runs(scope);
    let evidence = Evidence::of(claim, scope, policy);
    let wanted: BTreeSet<&RunId> = chosen.iter().collect();
    let picked: Vec<&LogicalRun<'_>> = runs.iter().filter(|run| wanted.iter().any(|id| run.contains(id))).collect();
    let matched: Vec<RunId> = picked.iter().map(|run| run.id().clone()).collect();
    let dropped = wanted.iter().filter(|id| !runs.iter().any(|run| run.contains(id))).count();
    let mut explanation = match matched.len() {
        0 => format!("{by} decided that none of the runs is meant."),
        1 => format!("Chosen by {by}."),
        count => format!("{count} runs chosen by {by}."),
    };
    if dropped > 0 {
        explanation
            .push_str(&format!(" {dropped} of the ids chosen are not in the requester's scope and were left out."));
    }
    RunMatch {
        candidates: explain::candidates(&runs, &matched, &evidence, claim, scope, policy),
        matched,
        flags: flags(&evidence, &[]),
        explanation,
        overruled_by: Some(by.to_owned()),
    }
}

fn flags(evidence: &Evidence, relaxed: &[Field]) -> Vec<Flag> {
    let project = match evidence.project {
        ProjectRef::Corrected(_) => Some(Flag::ProjectIdCorrected),
        ProjectRef::Unknown => Some(Flag::ProjectRefUnknown),
        ProjectRef::Absent | ProjectRef::Found(_) => None,
    };
    project.into_iter().chain((!relaxed.is_empty()).then_some(Flag::EvidenceRelaxed)).collect()
}

#[cfg(test)]
mod tests;
