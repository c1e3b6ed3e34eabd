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

    /// Rows that must be there for it to be taken, by kind and id, those first on which others of them depend.
    #[must_use]
    pub fn refers_to(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Provider(_) | Self::User(_) | Self::Ticket(_) => Vec::new(),
            Self::Refund(row) => vec![("charge", row.charge_id.as_str()), ("run", row.run_id.as_str())],
            Self::Model(row) => vec![("provider", row.provider_id.as_str())],
            Self::Account(row) => vec![("user", row.owner_user_id.as_str())],
            Self::Workspace(row) => {
                let members = row.members.iter().map(|member| ("user", member.user_id.as_str()));
                std::iter::once(("account", row.account_id.as_str())).chain(members).collect()
            }
            Self::Project(row) => {
                let workspace = row.workspace_id.iter().map(|id| ("workspace", id.as_str()));
                std::iter::once(("account", row.account_id.as_str())).chain(workspace).collect()
            }
            Self::Node(row) => vec![("project", row.project_id.as_str())],
            Self::Run(row) => {
                let parent = row.retry_of.iter().map(|id| ("run", id.as_str()));
                [
                    ("project", row.project_id.as_str()),
                    ("node", row.node_id.as_str()),
                    ("user", row.started_by.as_str()),
                    ("model", row.model_id.as_str()),
                ]
                .into_iter()
                .chain(parent)
                .collect()
            }
            Self::Charge(row) => vec![("run", row.run_id.as_str()), ("account", row.account_id.as_str())],
            Self::Job(row) => vec![("run", row.run_id.as_str()), ("provider", row.provider_id.as_str())],
            Self::Webhook(row) => vec![("run", row.run_id.as_str())],
            Self::Upload(row) => vec![("run", row.run_id.as_str())],
            Self::Output(row) => {
                let node = row.node_id.iter().map(|id| ("node", id.as_str()));
                [("run", row.run_id.as_str()), ("project", row.project_id.as_str())].into_iter().chain(node).collect()
            }
        }
    }
}
