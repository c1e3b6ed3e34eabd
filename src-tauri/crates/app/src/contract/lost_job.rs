//! A run whose job's id was lost: what its provider lists, on the wire.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LostJobRequest {
    pub case_id: String,
    pub run_id: String,
}

/// The jobs that a provider lists about the time of a run, weighed.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LostJobView {
    pub run_id: String,
    pub provider_id: String,
    pub provider_name: String,
    /// Jobs that were read: those of all customers.
    pub read: u64,
    /// Whether all jobs of that time were read.
    pub is_whole: bool,
    /// Why there is no list, or only a part of it.
    pub why: Option<String>,
    #[ts(type = "string")]
    pub asked_at: Timestamp,
    /// Likeliest first; none that is known as another run's.
    pub candidates: Vec<LostJobCandidate>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LostJobCandidate {
    pub job_id: String,
    pub state: String,
    #[ts(type = "string | null")]
    pub created_at: Option<Timestamp>,
    pub model: Option<String>,
    /// Something only this run's job can have speaks for it, and nothing against it: it can be kept.
    pub proven: bool,
    pub reasons_for: Vec<String>,
    pub reasons_against: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AdoptJobRequest {
    pub case_id: String,
    pub run_id: String,
    pub job_id: String,
}
