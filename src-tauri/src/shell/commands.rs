//! Two of the commands of the window: `query` reads, `act` changes something. `media` is beside, and so are the two of
//! the time before there is a core to ask.

#![expect(clippy::let_underscore_must_use, reason = "written by Tauri's command macro")]

use std::future::Future;
use std::sync::{Arc, OnceLock};

use makegood_app::Desk;
use makegood_app::contract::{Code, WireError};
use serde_json::Value;
use tauri::State;

use super::request::envelope;

/// The core, as Tauri keeps it for the commands: there once the workspace is open, and then for good.
#[derive(Clone, Default)]
pub struct Core(Arc<OnceLock<Arc<Desk>>>);

impl Core {
    /// Puts the core in. A second one is not taken: what was answered came from the first.
    pub fn put(&self, desk: Arc<Desk>) {
        if self.0.set(desk).is_err() {
            tracing::error!("a second core was built, and is not used");
        }
    }

    /// # Errors
    /// While the workspace is not open.
    pub fn desk(&self) -> Result<Arc<Desk>, WireError> {
        self.0.get().cloned().ok_or_else(|| WireError {
            code: Code::Unavailable,
            message: "the workspace is not open yet".into(),
            retry: true,
            incident: None,
        })
    }
}

/// Answers a read.
#[tauri::command]
pub async fn query(core: State<'_, Core>, cmd: String, payload: Value) -> Result<Value, WireError> {
    let (desk, request) = (core.desk()?, envelope(cmd, payload)?);
    to_the_end(async move { desk.query(request).await }).await
}

/// Does an act.
#[tauri::command]
pub async fn act(core: State<'_, Core>, cmd: String, payload: Value) -> Result<Value, WireError> {
    let (desk, request) = (core.desk()?, envelope(cmd, payload)?);
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
