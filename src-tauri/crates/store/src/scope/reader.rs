//! The reads that a scope is put together from. Each is one statement, or one for each table, for
//! however many ids; ids that are not known are left out.

use makegood_domain::capture::Capture;
use makegood_domain::ledger::{Account, Charge, Refund};
use makegood_domain::ports::StoreResult;
use makegood_domain::support::TicketLink;
use makegood_domain::work::{Job, Model, Node, Output, Project, Provider, Run, Upload, User, Webhook, Workspace};

/// One instant of a record, read by key or index.
pub(crate) trait ScopeReader: Send {
    /// By id.
    fn providers(&mut self) -> impl Future<Output = StoreResult<Vec<Provider>>> + Send;
    /// By id, with their aliases.
    fn models(&mut self) -> impl Future<Output = StoreResult<Vec<Model>>> + Send;
    /// By id.
    fn users(&mut self, ids: &[String]) -> impl Future<Output = StoreResult<Vec<User>>> + Send;
    /// By id, with the levels of their balances.
    fn accounts(&mut self, ids: &[String]) -> impl Future<Output = StoreResult<Vec<Account>>> + Send;
    /// Ids of the personal accounts of a user: normally one.
    fn personal_accounts(&mut self, user: &str) -> impl Future<Output = StoreResult<Vec<String>>> + Send;
    /// Those of which the user is or was a member, by id, with all members.
    fn workspaces_of_user(&mut self, user: &str) -> impl Future<Output = StoreResult<Vec<Workspace>>> + Send;
    /// Those that own these accounts, by id, with all members.
    fn workspaces_of_accounts(
        &mut self,
        accounts: &[String],
    ) -> impl Future<Output = StoreResult<Vec<Workspace>>> + Send;
    /// By id.
    fn projects(&mut self, ids: &[String]) -> impl Future<Output = StoreResult<Vec<Project>>> + Send;
    /// By id.
    fn projects_of_accounts(&mut self, accounts: &[String]) -> impl Future<Output = StoreResult<Vec<Project>>> + Send;
    /// All nodes of these projects, by id.
    fn nodes(&mut self, projects: &[String]) -> impl Future<Output = StoreResult<Vec<Node>>> + Send;
    /// By id.
    fn nodes_by_id(&mut self, ids: &[String]) -> impl Future<Output = StoreResult<Vec<Node>>> + Send;
    /// Ids of the runs of a logical run.
    fn runs_of_root(&mut self, root: &str) -> impl Future<Output = StoreResult<Vec<String>>> + Send;
    /// The owner of the account that was charged first for a logical run; without a charge, of the
    /// account of its project.
    fn owner_of_root(&mut self, root: &str) -> impl Future<Output = StoreResult<Option<String>>> + Send;
    /// Ids of the runs of other accounts than these with an output that can be reached at one of
    /// these nodes.
    fn foreign_runs_at(
        &mut self,
        nodes: &[String],
        accounts: &[String],
    ) -> impl Future<Output = StoreResult<Vec<String>>> + Send;
    /// P2: ids of the runs of these accounts, and of runs that the user started.
    fn runs_in_scope(
        &mut self,
        accounts: &[String],
        user: &str,
    ) -> impl Future<Output = StoreResult<Vec<String>>> + Send;
    /// Ids of the runs of which an output lies in a project of these accounts.
    fn runs_lying_in(&mut self, accounts: &[String]) -> impl Future<Output = StoreResult<Vec<String>>> + Send;
    /// Oldest first, with the accounts of their projects.
    fn runs(&mut self, ids: &[String]) -> impl Future<Output = StoreResult<Vec<(Run, String)>>> + Send;
    /// Of these runs, oldest first.
    fn charges(&mut self, runs: &[String]) -> impl Future<Output = StoreResult<Vec<Charge>>> + Send;
    /// Of these runs as they were said, oldest first.
    fn refunds(&mut self, runs: &[String]) -> impl Future<Output = StoreResult<Vec<Refund>>> + Send;
    /// Of these runs, oldest submission first.
    fn jobs(&mut self, runs: &[String]) -> impl Future<Output = StoreResult<Vec<Job>>> + Send;
    /// Of these runs, oldest first.
    fn webhooks(&mut self, runs: &[String]) -> impl Future<Output = StoreResult<Vec<Webhook>>> + Send;
    /// Of these runs, oldest first within a run.
    fn uploads(&mut self, runs: &[String]) -> impl Future<Output = StoreResult<Vec<Upload>>> + Send;
    /// Of these runs, those that can be reached, oldest first.
    fn outputs(&mut self, runs: &[String]) -> impl Future<Output = StoreResult<Vec<Output>>> + Send;
    /// Copies of our own of what the jobs of these runs made, oldest first.
    fn captures(&mut self, runs: &[String]) -> impl Future<Output = StoreResult<Vec<Capture>>> + Send;
    /// Tickets about any of these runs that a feed told of, with all runs of each.
    fn told_tickets(&mut self, runs: &[String]) -> impl Future<Output = StoreResult<Vec<TicketLink>>> + Send;
    /// Tickets about any of these runs with a case here, with all runs of each.
    fn our_tickets(&mut self, runs: &[String]) -> impl Future<Output = StoreResult<Vec<TicketLink>>> + Send;
}
