//! The reads of a scope, in PostgreSQL's words.

use jiff::Timestamp;
use makegood_domain::capture::Capture;
use makegood_domain::ids::{RunId, TicketId};
use makegood_domain::ledger::{Account, Charge, Refund};
use makegood_domain::ports::StoreResult;
use makegood_domain::scope::Scope;
use makegood_domain::support::{Requester, TicketLink};
use makegood_domain::work::{Job, Model, Node, Output, Project, Provider, Run, Upload, User, Webhook, Workspace};
use sqlx::postgres::PgConnection;

use super::{
    by_id, by_ids, canvas, captures, catalogue, charges, deliveries, jobs, outputs, people, refunds, runs, ticket_links,
};
use crate::assemble::{self, each, texts};
use crate::postgres::PgStore;
use crate::postgres::fault::backend;
use crate::scope::{self, ScopeReader};

impl PgStore {
    pub(in crate::postgres) async fn read_scope(
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

impl PgStore {
    pub(in crate::postgres) async fn read_scope_of_run(
        &self,
        root: &RunId,
        as_of: Timestamp,
    ) -> StoreResult<Option<Scope>> {
        let mut tx = self.snapshot().await?;
        let scope = scope::read_run(&mut *tx, root, as_of).await?;
        tx.rollback().await.map_err(backend)?;
        Ok(scope)
    }
}

impl ScopeReader for PgConnection {
    async fn providers(&mut self) -> StoreResult<Vec<Provider>> {
        let rows = sqlx::query(catalogue::PROVIDERS).fetch_all(self).await.map_err(backend)?;
        each(&rows, assemble::provider)
    }
    async fn models(&mut self) -> StoreResult<Vec<Model>> {
        catalogue::models(self).await
    }
    async fn users(&mut self, ids: &[String]) -> StoreResult<Vec<User>> {
        each(&by_ids(self, people::USERS, ids).await?, assemble::user)
    }
    async fn accounts(&mut self, ids: &[String]) -> StoreResult<Vec<Account>> {
        let balances = by_ids(self, people::BALANCES, ids).await?;
        assemble::accounts(&by_ids(self, people::ACCOUNTS, ids).await?, &balances)
    }
    async fn personal_accounts(&mut self, user: &str) -> StoreResult<Vec<String>> {
        texts(&by_id(self, people::PERSONAL_ACCOUNTS, user).await?, "id")
    }
    async fn workspaces_of_user(&mut self, user: &str) -> StoreResult<Vec<Workspace>> {
        let rows = by_id(self, people::WORKSPACES_OF_USER, user).await?;
        people::with_members(self, rows).await
    }
    async fn workspaces_of_accounts(&mut self, accounts: &[String]) -> StoreResult<Vec<Workspace>> {
        let rows = by_ids(self, people::WORKSPACES_OF_ACCOUNTS, accounts).await?;
        people::with_members(self, rows).await
    }
    async fn projects(&mut self, ids: &[String]) -> StoreResult<Vec<Project>> {
        each(&by_ids(self, canvas::PROJECTS, ids).await?, assemble::project)
    }
    async fn projects_of_accounts(&mut self, accounts: &[String]) -> StoreResult<Vec<Project>> {
        each(&by_ids(self, canvas::PROJECTS_OF_ACCOUNTS, accounts).await?, assemble::project)
    }
    async fn nodes(&mut self, projects: &[String]) -> StoreResult<Vec<Node>> {
        each(&by_ids(self, canvas::NODES, projects).await?, assemble::node)
    }
    async fn nodes_by_id(&mut self, ids: &[String]) -> StoreResult<Vec<Node>> {
        each(&by_ids(self, canvas::NODES_BY_ID, ids).await?, assemble::node)
    }
    async fn runs_of_root(&mut self, root: &str) -> StoreResult<Vec<String>> {
        texts(&by_id(self, runs::OF_ROOT, root).await?, "id")
    }
    async fn owner_of_root(&mut self, root: &str) -> StoreResult<Option<String>> {
        Ok(texts(&by_id(self, runs::OWNER_OF_ROOT, root).await?, "owner_user_id")?.pop())
    }
    async fn foreign_runs_at(&mut self, nodes: &[String], accounts: &[String]) -> StoreResult<Vec<String>> {
        let query = sqlx::query_scalar(outputs::FOREIGN_AT).bind(nodes).bind(accounts);
        query.fetch_all(self).await.map_err(backend)
    }
    async fn runs_in_scope(&mut self, accounts: &[String], user: &str) -> StoreResult<Vec<String>> {
        let query = sqlx::query_scalar(runs::IN_SCOPE).bind(accounts).bind(user);
        query.fetch_all(self).await.map_err(backend)
    }
    async fn runs_lying_in(&mut self, accounts: &[String]) -> StoreResult<Vec<String>> {
        texts(&by_ids(self, outputs::LYING_IN, accounts).await?, "run_id")
    }
    async fn runs(&mut self, ids: &[String]) -> StoreResult<Vec<(Run, String)>> {
        each(&by_ids(self, runs::RUNS, ids).await?, assemble::run)
    }
    async fn charges(&mut self, runs: &[String]) -> StoreResult<Vec<Charge>> {
        let items = by_ids(self, charges::ITEMS, runs).await?;
        let sources = by_ids(self, charges::SOURCES, runs).await?;
        assemble::charges(&by_ids(self, charges::CHARGES, runs).await?, &items, &sources)
    }
    async fn refunds(&mut self, runs: &[String]) -> StoreResult<Vec<Refund>> {
        let items = by_ids(self, refunds::ITEMS_SAID, runs).await?;
        let lines = by_ids(self, refunds::LINES_SAID, runs).await?;
        assemble::refunds(&by_ids(self, refunds::REFUNDS, runs).await?, &items, &lines)
    }
    async fn jobs(&mut self, runs: &[String]) -> StoreResult<Vec<Job>> {
        let items = by_ids(self, jobs::ITEMS, runs).await?;
        assemble::jobs(&by_ids(self, jobs::JOBS, runs).await?, &items)
    }
    async fn webhooks(&mut self, runs: &[String]) -> StoreResult<Vec<Webhook>> {
        each(&by_ids(self, deliveries::WEBHOOKS, runs).await?, assemble::webhook)
    }
    async fn uploads(&mut self, runs: &[String]) -> StoreResult<Vec<Upload>> {
        each(&by_ids(self, deliveries::UPLOADS, runs).await?, assemble::upload)
    }
    async fn outputs(&mut self, runs: &[String]) -> StoreResult<Vec<Output>> {
        each(&by_ids(self, outputs::OUTPUTS, runs).await?, assemble::output)
    }
    async fn captures(&mut self, runs: &[String]) -> StoreResult<Vec<Capture>> {
        each(&by_ids(self, captures::CAPTURES, runs).await?, assemble::capture)
    }
    async fn told_tickets(&mut self, runs: &[String]) -> StoreResult<Vec<TicketLink>> {
        let rows = by_ids(self, ticket_links::TOLD, runs).await?;
        let runs = by_ids(self, ticket_links::TOLD_RUNS, &texts(&rows, "id")?).await?;
        assemble::told_tickets(&rows, &runs)
    }
    async fn our_tickets(&mut self, runs: &[String]) -> StoreResult<Vec<TicketLink>> {
        let rows = by_ids(self, ticket_links::OURS, runs).await?;
        let runs = by_ids(self, ticket_links::OUR_RUNS, &texts(&rows, "case_id")?).await?;
        assemble::our_tickets(&rows, &runs)
    }
}
