//! The reads of a scope, in SQLite's words.

use jiff::Timestamp;
use makegood_domain::capture::Capture;
use makegood_domain::ids::{RunId, TicketId};
use makegood_domain::ledger::{Account, Charge, Refund};
use makegood_domain::ports::StoreResult;
use makegood_domain::scope::Scope;
use makegood_domain::support::{Requester, TicketLink};
use makegood_domain::work::{Job, Model, Node, Output, Project, Provider, Run, Upload, User, Webhook, Workspace};
use sqlx::SqliteConnection;

use super::fault::backend;
use super::rows::id_list;
use super::{
    SqliteStore, canvas, captures, catalogue, charges, deliveries, jobs, outputs, people, refunds, runs, ticket_links,
};
use crate::scope::{self, ScopeReader};

impl SqliteStore {
    pub(super) async fn read_scope(
        &self,
        requester: &Requester,
        except: Option<&TicketId>,
        as_of: Timestamp,
    ) -> StoreResult<Scope> {
        let mut tx = self.snapshot().await?;
        let scope = scope::read(&mut *tx, requester, except, as_of).await?;
        tx.rollback().await.map_err(backend)?;
        Ok(scope)
    }
}

impl SqliteStore {
    pub(super) async fn read_scope_of_run(&self, root: &RunId, as_of: Timestamp) -> StoreResult<Option<Scope>> {
        let mut tx = self.snapshot().await?;
        let scope = scope::read_run(&mut *tx, root, as_of).await?;
        tx.rollback().await.map_err(backend)?;
        Ok(scope)
    }
}

impl ScopeReader for SqliteConnection {
    async fn providers(&mut self) -> StoreResult<Vec<Provider>> {
        catalogue::providers(self).await
    }
    async fn models(&mut self) -> StoreResult<Vec<Model>> {
        catalogue::models(self).await
    }
    async fn users(&mut self, ids: &[String]) -> StoreResult<Vec<User>> {
        people::users(self, &id_list(ids)).await
    }
    async fn accounts(&mut self, ids: &[String]) -> StoreResult<Vec<Account>> {
        people::accounts(self, &id_list(ids)).await
    }
    async fn personal_accounts(&mut self, user: &str) -> StoreResult<Vec<String>> {
        people::personal_accounts(self, user).await
    }
    async fn workspaces_of_user(&mut self, user: &str) -> StoreResult<Vec<Workspace>> {
        people::workspaces_of_user(self, user).await
    }
    async fn workspaces_of_accounts(&mut self, accounts: &[String]) -> StoreResult<Vec<Workspace>> {
        people::workspaces_of_accounts(self, &id_list(accounts)).await
    }
    async fn projects(&mut self, ids: &[String]) -> StoreResult<Vec<Project>> {
        canvas::projects(self, &id_list(ids)).await
    }
    async fn projects_of_accounts(&mut self, accounts: &[String]) -> StoreResult<Vec<Project>> {
        canvas::projects_of_accounts(self, &id_list(accounts)).await
    }
    async fn nodes(&mut self, projects: &[String]) -> StoreResult<Vec<Node>> {
        canvas::nodes(self, &id_list(projects)).await
    }
    async fn nodes_by_id(&mut self, ids: &[String]) -> StoreResult<Vec<Node>> {
        canvas::nodes_by_id(self, &id_list(ids)).await
    }
    async fn runs_of_root(&mut self, root: &str) -> StoreResult<Vec<String>> {
        runs::of_root(self, root).await
    }
    async fn owner_of_root(&mut self, root: &str) -> StoreResult<Option<String>> {
        runs::owner_of_root(self, root).await
    }
    async fn foreign_runs_at(&mut self, nodes: &[String], accounts: &[String]) -> StoreResult<Vec<String>> {
        outputs::foreign_runs_at(self, &id_list(nodes), &id_list(accounts)).await
    }
    async fn runs_in_scope(&mut self, accounts: &[String], user: &str) -> StoreResult<Vec<String>> {
        runs::in_scope(self, &id_list(accounts), user).await
    }
    async fn runs_lying_in(&mut self, accounts: &[String]) -> StoreResult<Vec<String>> {
        outputs::runs_lying_in(self, &id_list(accounts)).await
    }
    async fn runs(&mut self, ids: &[String]) -> StoreResult<Vec<(Run, String)>> {
        runs::runs(self, &id_list(ids)).await
    }
    async fn charges(&mut self, runs: &[String]) -> StoreResult<Vec<Charge>> {
        charges::charges(self, &id_list(runs)).await
    }
    async fn refunds(&mut self, runs: &[String]) -> StoreResult<Vec<Refund>> {
        refunds::refunds(self, &id_list(runs)).await
    }
    async fn jobs(&mut self, runs: &[String]) -> StoreResult<Vec<Job>> {
        jobs::jobs(self, &id_list(runs)).await
    }
    async fn webhooks(&mut self, runs: &[String]) -> StoreResult<Vec<Webhook>> {
        deliveries::webhooks(self, &id_list(runs)).await
    }
    async fn uploads(&mut self, runs: &[String]) -> StoreResult<Vec<Upload>> {
        deliveries::uploads(self, &id_list(runs)).await
    }
    async fn outputs(&mut self, runs: &[String]) -> StoreResult<Vec<Output>> {
        outputs::outputs(self, &id_list(runs)).await
    }
    async fn captures(&mut self, runs: &[String]) -> StoreResult<Vec<Capture>> {
        captures::captures(self, &id_list(runs)).await
    }
    async fn told_tickets(&mut self, runs: &[String]) -> StoreResult<Vec<TicketLink>> {
        ticket_links::told(self, &id_list(runs)).await
    }
    async fn our_tickets(&mut self, runs: &[String]) -> StoreResult<Vec<TicketLink>> {
        ticket_links::ours(self, &id_list(runs)).await
    }
}
