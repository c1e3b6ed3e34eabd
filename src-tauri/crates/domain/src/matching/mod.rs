//! Claim to run (P2): filter, relax, tie-break, each candidate with the reasons for and against.

use serde::{Deserialize, Serialize};

use crate::diagnose::Flag;
use crate::ids::RunId;

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
