//! Projects and their nodes.

use makegood_domain::ports::StoreResult;
use makegood_domain::work::{Node, Project};
use sqlx::SqliteConnection;

use super::fault::{Worked, backend};
use super::rows::{micros, word};
use crate::assemble::{each, node, project};

statements! {
    PUT_PROJECT = "INSERT INTO projects (id, name, account_id, workspace_id, status, deleted_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, account_id = excluded.account_id,
            workspace_id = excluded.workspace_id, status = excluded.status, deleted_at = excluded.deleted_at";
    PUT_NODE = "INSERT INTO nodes (id, project_id, label, status, deleted_at) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (id) DO UPDATE SET project_id = excluded.project_id, label = excluded.label,
            status = excluded.status, deleted_at = excluded.deleted_at";
    PROJECTS = "SELECT id, name, account_id, workspace_id, status, deleted_at FROM projects
        WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id";
    PROJECTS_OF_ACCOUNTS = "SELECT id, name, account_id, workspace_id, status, deleted_at FROM projects
        WHERE account_id IN (SELECT value FROM json_each(?1)) ORDER BY id";
    NODES = "SELECT id, project_id, label, status, deleted_at FROM nodes
        WHERE project_id IN (SELECT value FROM json_each(?1)) ORDER BY id";
    NODES_BY_ID = "SELECT id, project_id, label, status, deleted_at FROM nodes
        WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id";
    ACCOUNT_OF = "SELECT account_id FROM projects WHERE id = ?1";
    /// The logical runs of a project, and those with an output in it.
    ROOTS_IN = "SELECT root_id FROM runs WHERE project_id = ?1
        UNION SELECT r.root_id FROM outputs o JOIN runs r ON r.id = o.run_id WHERE o.project_id = ?1";
}

pub(super) async fn put_project(connection: &mut SqliteConnection, row: &Project) -> Worked<()> {
    sqlx::query(PUT_PROJECT)
        .bind(row.id.as_str())
        .bind(&row.name)
        .bind(row.account_id.as_str())
        .bind(row.workspace_id.as_ref().map(|id| id.as_str()))
        .bind(word(&row.status)?)
        .bind(row.deleted_at.map(micros))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn put_node(connection: &mut SqliteConnection, row: &Node) -> Worked<()> {
    sqlx::query(PUT_NODE)
        .bind(row.id.as_str())
        .bind(row.project_id.as_str())
        .bind(&row.label)
        .bind(word(&row.status)?)
        .bind(row.deleted_at.map(micros))
        .execute(connection)
        .await?;
    Ok(())
}

/// The projects of these ids.
pub(super) async fn projects(connection: &mut SqliteConnection, ids: &str) -> StoreResult<Vec<Project>> {
    let rows = sqlx::query(PROJECTS).bind(ids).fetch_all(connection).await.map_err(backend)?;
    each(&rows, project)
}

/// All projects of these accounts.
pub(super) async fn projects_of_accounts(connection: &mut SqliteConnection, ids: &str) -> StoreResult<Vec<Project>> {
    let rows = sqlx::query(PROJECTS_OF_ACCOUNTS).bind(ids).fetch_all(connection).await.map_err(backend)?;
    each(&rows, project)
}

/// All nodes of these projects.
pub(super) async fn nodes(connection: &mut SqliteConnection, projects: &str) -> StoreResult<Vec<Node>> {
    let rows = sqlx::query(NODES).bind(projects).fetch_all(connection).await.map_err(backend)?;
    each(&rows, node)
}

/// The nodes of these ids.
pub(super) async fn nodes_by_id(connection: &mut SqliteConnection, ids: &str) -> StoreResult<Vec<Node>> {
    let rows = sqlx::query(NODES_BY_ID).bind(ids).fetch_all(connection).await.map_err(backend)?;
    each(&rows, node)
}

/// The account that a project belongs to; `None` for an unknown project.
pub(super) async fn account_of(connection: &mut SqliteConnection, project: &str) -> StoreResult<Option<String>> {
    sqlx::query_scalar(ACCOUNT_OF).bind(project).fetch_optional(connection).await.map_err(backend)
}

/// The logical runs that a change of a project's account concerns.
pub(super) async fn roots_in(connection: &mut SqliteConnection, project: &str) -> StoreResult<Vec<String>> {
    sqlx::query_scalar(ROOTS_IN).bind(project).fetch_all(connection).await.map_err(backend)
}
