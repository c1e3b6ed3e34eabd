//! Two of the three commands of the window: `query` reads, `act` changes something; `media` is beside.

#![expect(clippy::let_underscore_must_use, reason = "written by Tauri's command macro")]

use std::future::Future;
use std::sync::Arc;

use makegood_app::Desk;
use makegood_app::contract::{Code, WireError};
use serde_json::Value;
use tauri::State;

use super::request::envelope;

/// The core, as Tauri keeps it for the commands.
pub struct Core(pub Arc<Desk>);

/// Answers a read.
#[tauri::command]
pub async fn query(core: State<'_, Core>, cmd: String, payload: Value) -> Result<Value, WireError> {
    let (desk, request) = (Arc::clone(&core.0), envelope(cmd, payload)?);
    to_the_end(async move { desk.query(request).await }).await
}

/// Does an act.
#[tauri::command]
pub async fn act(core: State<'_, Core>, cmd: String, payload: Value) -> Result<Value, WireError> {
    let (desk, request) = (Arc::clone(&core.0), envelope(cmd, payload)?);
    to_the_end(async move { desk.act(request).await }).await
}

/// Runs a request as a task of its own: a window that reloads in the middle does not cut a database
/// transaction in two, and a defect in one request is an answer, not a window that waits for ever.
async fn to_the_end(work: impl Future<Output = Result<Value, WireError>> + Send + 'static) -> Result<Value, WireError> {
    match tauri::async_runtime::spawn(work).await {
        Ok(answer) => answer,
        Err(defect) => {
            tracing::error!(%defect, "a request ended without an answer");
            Err(WireError {
                code: Code::Internal,
                message: "Makegood failed to answer; the log has the details. Look before you repeat an action.".into(),
                retry: false,
                incident: None,
            })
        }
    }
}
