//! What will be done: steps in a fixed order (files first, then postings, then words), computed
//! purely, each with one effect that a store commits together with its audit row.

mod against;
mod belongs;
mod digest;
mod letter;
mod make;
mod offer;
mod record;
mod release;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use against::restorable;
pub use belongs::belongs;
pub use digest::{Redebit, RedebitItem, digest, money_digest, moved_sum, releases, restorations, restored_sum};
pub use letter::letter;
pub use make::{PlanInput, Refusal, plan};
pub use offer::{Offer, offers, primary_kind};
pub(crate) use record::{RunFacts, diagnosed_runs, run_facts};
pub(crate) use release::late;
pub use release::{Consent, ReleasedItem, Standing, covers};

use crate::diagnose::{ChargeRestoration, Flag, Remedy};
use crate::ids::{
    AccountId, ActionKey, AgentId, CaseId, JobId, NodeId, OutputId, ProjectId, ProviderId, RefundId, RunId, TicketId,
};
use crate::money::Credits;
use crate::support::MessageKind;
use crate::words::words;

words! {
    /// What an agent can do about a case.
    ActionKind {
        /// Bring a finished file into the project; with a batch, restore what cannot be had.
        Recover = "recover",
        Restore = "restore",
        Reattach = "reattach",
        Hold = "hold",
        /// Give a file that came after its refund, against a new debit that the customer agreed to (P4).
        Release = "release",
        /// Make a misplaced output unreachable, and deliver it to its owner where it has one in scope.
        Quarantine = "quarantine",
        /// Join the case to an older ticket about the same run.
        Link = "link",
        /// Ask the customer: which run, who are you, or tell that it takes time.
        Ask = "ask",
        /// Hand over to billing.
        Route = "route",
        /// Answer without any other effect: delivered, not eligible, already refunded, wait.
        Answer = "answer",
    }
}

/// Where a file goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Place {
    Node {
        project_id: ProjectId,
        node_id: NodeId,
    },
    /// In the project's generation history, on no node.
    History {
        project_id: ProjectId,
    },
    /// Kept by support until then (P13).
    Hold {
        project_id: ProjectId,
        until: Timestamp,
    },
}

/// A file in the vault, verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StoredFile {
    /// SHA-256 in hex; also the file's key in the vault.
    pub sha256: String,
    pub bytes: u64,
    /// By content, not by what was declared: `video/mp4`.
    pub media_type: String,
}

/// One change, committed whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Takes the item's lease, so that nobody restores it meanwhile. The receipt tells the epoch.
    LeaseItem {
        run_id: RunId,
        item: u32,
        lease_seconds: i64,
    },
    /// Records file and place, and the item as delivered. Refused if the epoch is not the newest.
    Deliver {
        run_id: RunId,
        item: u32,
        epoch: i64,
        output_id: OutputId,
        file: StoredFile,
        place: Place,
    },
    /// Gives the lease back: the file could not be had.
    ReleaseItem {
        run_id: RunId,
        item: u32,
        epoch: i64,
        why: String,
    },
    /// Posts a restoration. Refused where any item is delivered, leased, or already settled.
    Restore {
        refund_id: RefundId,
        restoration: ChargeRestoration,
        cause: String,
    },
    /// Takes back refunds that stand, and delivers their items by files that are saved, in one go (P4). Refused
    /// where a refund is of other items too, a balance has not got what would be taken, an item is delivered
    /// already, or the customer's agreement is not recorded. Never a reconciler's.
    Release {
        run_id: RunId,
        refund_ids: Vec<RefundId>,
        /// What these refunds returned, and the customer agreed to pay again.
        amount: Credits,
        items: Vec<ReleasedItem>,
        consent: Consent,
    },
    /// Puts a stored output where it belongs.
    Move {
        output_id: OutputId,
        place: Place,
    },
    /// Makes an output unreachable where it lies, without deleting it.
    Quarantine {
        output_id: OutputId,
        reason: String,
    },
    /// Opens a privacy incident.
    OpenIncident {
        run_id: Option<RunId>,
        output_ids: Vec<OutputId>,
        summary: String,
    },
    LinkTicket {
        to: TicketId,
    },
    /// Asks the feeder of the platform to have the upstream job cancelled (P8). Never deletes.
    CancelUpstream {
        provider_id: ProviderId,
        job_id: JobId,
    },
    /// Adds a message to the ticket and to the outbox.
    Say {
        kind: MessageKind,
        text: String,
        locale: String,
    },
    /// Tells the owner of a workspace (P11).
    TellOwner {
        account_id: AccountId,
        text: String,
    },
    /// Moves the case on; `follow_up_at` parks it.
    SetCase {
        state: CaseState,
        follow_up_at: Option<Timestamp>,
    },
}

words! {
    /// Where a case stands.
    CaseState {
        Open = "open",
        /// Parked until its follow-up.
        Waiting = "waiting",
        Settled = "settled",
        /// Joined to another ticket.
        Linked = "linked",
    }
}

/// Outside work that comes before an effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetch {
    pub provider_id: ProviderId,
    pub job_id: JobId,
    pub item: u32,
    /// What the look-up promised; empty or 0 where it did not.
    pub bytes: u64,
    pub sha256_prefix: String,
}

/// One step of a plan. Steps are done in order; a failed step stops the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Lease, fetch, verify, store, deliver: the whole saga of one item.
    RecoverItem {
        run_id: RunId,
        item: u32,
        fetch: Fetch,
        place: Place,
        output_id: OutputId,
    },
    Do {
        effect: Effect,
    },
}

/// What was reviewed. Its digest binds the confirmation to exactly this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub case_id: CaseId,
    pub case_revision: i64,
    pub kind: ActionKind,
    pub remedy: Remedy,
    pub flags: Vec<Flag>,
    pub steps: Vec<Step>,
}

/// Who acts, when, under which key, for which reviewed plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub key: ActionKey,
    /// SHA-256 of the plan, in hex.
    pub digest: String,
    pub agent: AgentId,
    pub at: Timestamp,
    /// Needed where the act goes against the verdict (R53).
    pub reason: Option<String>,
}
