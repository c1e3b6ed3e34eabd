//! People, what each may do alone, and the second person for the rest (R53).

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoreResult;
use crate::diagnose::ChargeRestoration;
use crate::ids::{ActionKey, AgentId, ApprovalId, CaseId};
use crate::money::Credits;
use crate::plan::Redebit;
use crate::words::words;

words! {
    /// What a person may do. One person can have several.
    Role {
        /// Works cases: reviews, recovers, restores up to the limits.
        Agent = "agent",
        /// Approves what is over an agent's limit; never the own request.
        Approver = "approver",
        /// Settles due runs by itself: one function, bounded in number.
        Reconciler = "reconciler",
        /// Brings the platform's facts.
        Feeder = "feeder",
        /// Reads everything, changes nothing.
        Auditor = "auditor",
    }
}

/// A person at the record, and what he or she may do alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: AgentId,
    pub name: String,
    pub roles: Vec<Role>,
    /// Credits in one posting, and in one UTC day, without a second person.
    pub per_posting: Credits,
    pub per_day: Credits,
}

/// Who is connected, and whether the record holds that person to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub person: Person,
    /// True where the database itself knows the login and refuses what it may not do. False where
    /// it can only be recorded: the file belongs to whoever can write it.
    pub enforced: bool,
    /// What this person restored today, in credits.
    pub restored_today: Credits,
}

words! {
    ApprovalState {
        Waiting = "waiting",
        Approved = "approved",
        Declined = "declined",
        /// Taken back by who asked.
        Withdrawn = "withdrawn",
        /// Used by one action; never again.
        Used = "used",
        /// Nobody decided, or nobody used it, in time.
        Expired = "expired",
    }
}

/// A request for a second person's yes, bound to exactly these restorations and releases, and this reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRequest {
    /// Given by the caller: the same request sent twice is one.
    pub id: ApprovalId,
    pub case_id: CaseId,
    pub restorations: Vec<ChargeRestoration>,
    pub releases: Vec<Redebit>,
    /// SHA-256 in hex over case, restorations, releases and reason ([`crate::plan::money_digest`]).
    pub digest: String,
    /// Credits that these move, in either direction.
    pub amount: Credits,
    pub reason: String,
    pub asked_by: AgentId,
    pub asked_at: Timestamp,
}

/// A request and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    pub request: ApprovalRequest,
    /// Of the ticket of its case, so that a list of requests is one read.
    pub subject: String,
    pub state: ApprovalState,
    pub decided_by: Option<AgentId>,
    pub decided_at: Option<Timestamp>,
    /// Words of who decided.
    pub note: Option<String>,
    /// A yes not used by then is void (I11).
    pub expires_at: Option<Timestamp>,
    pub used_by: Option<ActionKey>,
}

/// An answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalDecision {
    /// Must be the request's: what was looked at is what is decided.
    pub digest: String,
    pub state: ApprovalState,
    /// Who decides. Where the record knows the login, it must be that person.
    pub by: AgentId,
    pub note: Option<String>,
}

/// How a request or a decision went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decided {
    Done(Box<Approval>),
    /// It stands like this already, by the same request or decision.
    Already(Box<Approval>),
    /// The record forbids it, in plain words.
    Refused(String),
}

/// People and approvals.
#[async_trait]
pub trait ApprovalStore: Send + Sync {
    /// Who is connected. `said` counts only where the record does not know the login itself.
    async fn identity(&self, said: &AgentId, at: Timestamp) -> StoreResult<Identity>;
    /// By id.
    async fn people(&self) -> StoreResult<Vec<Person>>;
    /// Records a person with roles and limits; on a record that knows logins this needs its owner.
    async fn put_person(&self, person: &Person, at: Timestamp) -> StoreResult<()>;
    async fn ask_approval(&self, request: &ApprovalRequest) -> StoreResult<Decided>;
    async fn decide_approval(
        &self,
        id: &ApprovalId,
        decision: &ApprovalDecision,
        at: Timestamp,
    ) -> StoreResult<Decided>;
    /// Newest first; those past their time are told as expired.
    async fn approvals(&self, open_only: bool, limit: u64, at: Timestamp) -> StoreResult<Vec<Approval>>;
}
