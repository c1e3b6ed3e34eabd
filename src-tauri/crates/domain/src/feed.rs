//! The platform's facts, one at a time, as they are imported. What a feed says is stored as said;
//! whether it hangs together is found by diagnosis and the reconciler, not refused at the door,
//! except where it would break the ledger's arithmetic.

use serde::{Deserialize, Serialize};

use crate::ledger::{Account, Charge, Refund};
use crate::support::TicketLink;
use crate::work::{Job, Model, Node, Output, Project, Provider, Run, Upload, User, Webhook, Workspace};

/// One fact. Rows refer to rows before them: users before accounts, accounts before projects,
/// projects before nodes, nodes before runs, runs before everything that happened to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum Fact {
    Provider(Provider),
    Model(Model),
    User(User),
    Account(Account),
    Workspace(Workspace),
    Project(Project),
    Node(Node),
    Run(Run),
    Charge(Charge),
    Job(Job),
    Webhook(Webhook),
    Upload(Upload),
    Output(Output),
    Refund(Refund),
    Ticket(TicketLink),
}

impl Fact {
    /// The word of the feed for what this is a fact of.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Provider(_) => "provider",
            Self::Model(_) => "model",
            Self::User(_) => "user",
            Self::Account(_) => "account",
            Self::Workspace(_) => "workspace",
            Self::Project(_) => "project",
            Self::Node(_) => "node",
            Self::Run(_) => "run",
            Self::Charge(_) => "charge",
            Self::Job(_) => "job",
            Self::Webhook(_) => "webhook",
            Self::Upload(_) => "upload",
            Self::Output(_) => "output",
            Self::Refund(_) => "refund",
            Self::Ticket(_) => "ticket",
        }
    }

    /// The id of the row among those of its kind. An upload has none: it is told apart by its run, its
    /// item and its instant.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Provider(row) => row.id.0.clone(),
            Self::Model(row) => row.id.0.clone(),
            Self::User(row) => row.id.0.clone(),
            Self::Account(row) => row.id.0.clone(),
            Self::Workspace(row) => row.id.0.clone(),
            Self::Project(row) => row.id.0.clone(),
            Self::Node(row) => row.id.0.clone(),
            Self::Run(row) => row.id.0.clone(),
            Self::Charge(row) => row.id.0.clone(),
            Self::Job(row) => row.id.0.clone(),
            Self::Webhook(row) => row.id.0.clone(),
            Self::Upload(row) => format!("{}/{}/{}", row.run_id, row.item, row.attempted_at),
            Self::Output(row) => row.id.0.clone(),
            Self::Refund(row) => row.id.0.clone(),
            Self::Ticket(row) => row.id.0.clone(),
        }
    }
}
