//! Projects and their nodes.

use makegood_domain::ports::StoreResult;
use makegood_domain::work::{Node, Project};

use crate::rows::Columns;

pub(crate) fn project(row: &impl Columns) -> StoreResult<Project> {
    Ok(Project {
        id: row.text("id")?.as_str().into(),
        name: row.text("name")?,
        account_id: row.text("account_id")?.as_str().into(),
        workspace_id: row.opt_text("workspace_id")?.map(|id| id.as_str().into()),
        status: row.word("status")?,
        deleted_at: row.opt_time("deleted_at")?,
    })
}

pub(crate) fn node(row: &impl Columns) -> StoreResult<Node> {
    Ok(Node {
        id: row.text("id")?.as_str().into(),
        project_id: row.text("project_id")?.as_str().into(),
        label: row.text("label")?,
        status: row.word("status")?,
        deleted_at: row.opt_time("deleted_at")?,
    })
}
