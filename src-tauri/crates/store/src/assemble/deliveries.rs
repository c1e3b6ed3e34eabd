//! Webhooks and uploads.

use makegood_domain::ports::StoreResult;
use makegood_domain::work::{Route, Upload, Webhook};

use crate::rows::Columns;

pub(crate) fn webhook(row: &impl Columns) -> StoreResult<Webhook> {
    let route = row.opt_text("routed_project_id")?.zip(row.opt_text("routed_node_id")?);
    Ok(Webhook {
        id: row.text("id")?.as_str().into(),
        job_id: row.text("job_id")?.as_str().into(),
        run_id: row.text("run_id")?.as_str().into(),
        received_at: row.time("received_at")?,
        attempts: row.count("attempts")?,
        result: row.word("result")?,
        routed_to: route
            .map(|(project, node)| Route { project_id: project.as_str().into(), node_id: node.as_str().into() }),
    })
}

pub(crate) fn upload(row: &impl Columns) -> StoreResult<Upload> {
    Ok(Upload {
        run_id: row.text("run_id")?.as_str().into(),
        item: row.count("item")?,
        attempted_at: row.time("attempted_at")?,
        result: row.word("result")?,
    })
}
