//! What matching and diagnosis may look at for one requester.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::capture::Capture;
use crate::ids::{AccountId, ModelId, NodeId, ProjectId, ProviderId};
use crate::ledger::{Account, AccountKind, Charge, Refund};
use crate::support::{Requester, TicketLink};
use crate::work::{Job, MemberStatus, Model, Node, Output, Project, Provider, Run, Upload, Webhook, Workspace};

/// All facts of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Dossier {
    pub run: Run,
    /// The account of the run's project; charges normally name the same one.
    pub account_id: AccountId,
    /// Oldest first.
    pub charges: Vec<Charge>,
    /// Posted and reversed ones, oldest first.
    pub refunds: Vec<Refund>,
    /// A run with none was never submitted. Several: oldest submission first.
    pub jobs: Vec<Job>,
    pub webhooks: Vec<Webhook>,
    pub uploads: Vec<Upload>,
    /// Wherever they lie, also in projects of other accounts.
    pub outputs: Vec<Output>,
    /// Copies of our own of what its jobs made, oldest first.
    pub captures: Vec<Capture>,
    /// Tickets known to be about this run, apart from the one being worked on.
    pub tickets: Vec<TicketLink>,
}

/// The runs, projects and people that a requester may be told about (P2), and next to them what
/// diagnosis needs to know but must not tell (P11).
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    pub requester: Requester,
    /// When the facts were read.
    pub as_of: Timestamp,
    pub providers: Vec<Provider>,
    pub models: Vec<Model>,
    /// Every account that a project, charge or output below names; those in scope and those not.
    pub accounts: Vec<Account>,
    /// Workspaces of which the requester is or was a member, active or not.
    pub workspaces: Vec<Workspace>,
    /// Projects in scope (P2), and those in which an output of a run in scope lies.
    pub projects: Vec<Project>,
    pub nodes: Vec<Node>,
    /// The runs in scope: of the requester's personal account, of workspaces where the requester
    /// is an active member, and runs that the requester started. Oldest first.
    pub runs: Vec<Dossier>,
    /// Runs of other accounts of which an output lies in a project in scope. Never told about.
    pub foreign_runs: Vec<Dossier>,
    /// Names, ids and addresses of people, workspaces and projects outside the requester's scope
    /// that are near enough to leak: what an answer is scanned for (P11).
    pub forbidden: Vec<String>,
    /// Providers that look no job up, ever: about a job of theirs the platform has the last word. A record
    /// knows of none; whoever asks the providers does.
    pub mute: BTreeSet<ProviderId>,
}

impl Scope {
    /// Whether the requester may be told about this project (P2): it is of the requester's
    /// personal account, or of a workspace where the requester is an active member.
    #[must_use]
    pub fn owns_project(&self, id: &ProjectId) -> bool {
        let Some(user) = &self.requester.user_id else { return false };
        let Some(project) = self.project(id) else { return false };
        let personal = self
            .account(&project.account_id)
            .is_some_and(|account| account.kind == AccountKind::Personal && account.owner_user_id == *user);
        personal
            || self.workspaces.iter().any(|workspace| {
                workspace.account_id == project.account_id
                    && workspace
                        .members
                        .iter()
                        .any(|member| member.user_id == *user && member.status == MemberStatus::Active)
            })
    }

    /// Whether a job has ended by the platform's word alone, though its provider could be asked. That is a
    /// reason to ask, and settles nothing: a webhook can be late, doubled, or about a try before the last.
    #[must_use]
    pub fn is_hearsay(&self, job: &Job) -> bool {
        job.looked_up_at.is_none() && job.state.is_terminal() && !self.mute.contains(&job.provider_id)
    }

    #[must_use]
    pub fn model(&self, id: &ModelId) -> Option<&Model> {
        self.models.iter().find(|row| row.id == *id)
    }

    #[must_use]
    pub fn provider(&self, id: &ProviderId) -> Option<&Provider> {
        self.providers.iter().find(|row| row.id == *id)
    }

    #[must_use]
    pub fn project(&self, id: &ProjectId) -> Option<&Project> {
        self.projects.iter().find(|row| row.id == *id)
    }

    #[must_use]
    pub fn node(&self, id: &NodeId) -> Option<&Node> {
        self.nodes.iter().find(|row| row.id == *id)
    }

    #[must_use]
    pub fn account(&self, id: &AccountId) -> Option<&Account> {
        self.accounts.iter().find(|row| row.id == *id)
    }
}
