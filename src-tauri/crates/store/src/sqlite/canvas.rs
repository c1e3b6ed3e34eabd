//! Projects and their nodes.

use makegood_domain::ports::StoreResult;
use makegood_domain::work::{Node, Project};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::fault::{Worked, backend};
use super::rows::{Columns, micros, word};

statements! {
    PUT_PROJECT = "INSERT INTO projects (id, name, account_id, workspace_id, status, deleted_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, account_id = excluded.account_id,
            workspace_id = excluded.workspace_id, status = excluded.status, deleted_at = excluded.deleted_at";
    PUT_NODE = "INSERT INTO nodes (id, project_id, label, status, deleted_at) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (id) DO UPDATE SET project_id = excluded.project_id, label = excluded.label,
            status = excluded.status, deleted_at = excluded.deleted_at";
    PROJECTS = "SELECT id, name, account_id, workspace_id, status, deleted_at FROM projects
        WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY rowid";
    PROJECTS_OF_ACCOUNTS = "SELECT id, name, account_id, workspace_id, status, deleted_at FROM projects
        WHERE account_id IN (SELECT value FROM json_each(?1)) ORDER BY rowid";
    NODES = "SELECT id, project_id, label, status, deleted_at FROM nodes
        WHERE project_id IN (SELECT value FROM json_each(?1)) ORDER BY rowid";
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
    rows.iter().map(project).collect()
}

/// All projects of these accounts.
pub(super) async fn projects_of_accounts(connection: &mut SqliteConnection, ids: &str) -> StoreResult<Vec<Project>> {
    let rows = sqlx::query(PROJECTS_OF_ACCOUNTS).bind(ids).fetch_all(connection).await.map_err(backend)?;
    rows.iter().map(project).collect()
}

/// All nodes of these projects.
pub(super) async fn nodes(connection: &mut SqliteConnection, projects: &str) -> StoreResult<Vec<Node>> {
    let rows = sqlx::query(NODES).bind(projects).fetch_all(connection).await.map_err(backend)?;
    rows.iter()
        .map(|row| {
            Ok(Node {
                id: row.text("id")?.as_str().into(),
                project_id: row.text("project_id")?.as_str().into(),
                label: row.text("label")?,
                status: row.word("status")?,
                deleted_at: row.opt_time("deleted_at")?,
            })
        })
        .collect()
}

fn project(row: &SqliteRow) -> StoreResult<Project> {
    Ok(Project {
        id: row.text("id")?.as_str().into(),
        name: row.text("name")?,
        account_id: row.text("account_id")?.as_str().into(),
        workspace_id: row.opt_text("workspace_id")?.map(|id| id.as_str().into()),
        status: row.word("status")?,
        deleted_at: row.opt_time("deleted_at")?,
    })
}
