//! Tickets, and what is taken from them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AttachmentId, MessageId, RunId, TicketId, UserId};
use crate::money::Credits;
use crate::words::words;

/// Who wrote a ticket. `user_id` is `None` where the address belongs to no user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requester {
    pub user_id: Option<UserId>,
    pub email: String,
    pub locale: Option<String>,
    pub timezone: Option<String>,
}

/// A file that came with a ticket. `description` is the text in it, or what it shows; it counts as
/// ticket text (P1). The bytes live elsewhere, under `id`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    #[serde(default)]
    pub id: Option<AttachmentId>,
    pub name: String,
    pub kind: String,
    pub description: String,
}

/// A ticket as it comes in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    pub id: TicketId,
    pub subject: String,
    pub body: String,
    pub created_at: Timestamp,
    pub requester: Requester,
    pub attachments: Vec<Attachment>,
    /// Which help desk it came from, as its adapter names it.
    #[serde(default)]
    pub desk: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TicketStatus {
    Open,
    Closed,
}

/// Another ticket and the runs it is known to be about (P12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TicketLink {
    pub id: TicketId,
    pub created_at: Timestamp,
    pub status: TicketStatus,
    pub run_ids: Vec<RunId>,
    pub outcome: Option<String>,
    pub requester_user_id: Option<UserId>,
}

words! {
    /// Who wrote a message of a ticket, and who can see it.
    MessageKind {
        Customer = "customer",
        Reply = "reply",
        /// Staff only.
        Note = "note",
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: MessageId,
    pub ticket_id: TicketId,
    pub kind: MessageKind,
    pub author: String,
    pub at: Timestamp,
    pub text: String,
}

/// What a ticket is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    #[default]
    MissingOutput,
    ForeignAsset,
    BillingOther,
}

/// What the customer says, as a careful reader takes it from the text and the pictures (P1).
/// A reading decides nothing: it is compared with the record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub topic: Topic,
    /// Project id or name, as written.
    pub project_ref: Option<String>,
    pub run_refs: Vec<String>,
    pub job_refs: Vec<String>,
    /// Model names as written.
    pub model_refs: Vec<String>,
    /// The one instant that a clock time names; `None` for spans, dates, and times without zone.
    pub clock_utc: Option<Timestamp>,
    /// First and last instant that fit.
    pub window: Option<(Timestamp, Timestamp)>,
    /// The credit figure that the customer gives for one run.
    pub amount: Option<Credits>,
    /// How many runs or Billing rows the customer says are concerned.
    pub stated_runs: Option<u32>,
}
