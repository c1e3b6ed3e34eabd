//! A command of the window: the bytes of one file of the vault, for playing.
//!
//! WebKitGTK plays no media over a scheme of the program's own: its player (GStreamer) fetches by itself
//! and knows only the web's schemes and blobs. So the bytes cross the bridge raw, and the page makes a blob
//! of them. What they may be, and of which files, is the core's to decide.

#![expect(clippy::let_underscore_must_use, reason = "written by Tauri's command macro")]

use makegood_app::contract::{Code, PreviewRequest, WireError};
use tauri::State;
use tauri::ipc::Response;

use super::commands::Core;

/// Answers with the bytes of an output's file, whole.
#[tauri::command]
pub async fn media(core: State<'_, Core>, case_id: String, output_id: String) -> Result<Response, WireError> {
    let desk = core.desk()?;
    let work = async move { desk.preview_bytes(PreviewRequest { case_id, output_id }).await };
    match tauri::async_runtime::spawn(work).await {
        Ok(Ok(file)) => Ok(Response::new(file.bytes)),
        Ok(Err(why)) => Err(why.into()),
        Err(defect) => {
            tracing::error!(%defect, "a preview ended without an answer");
            let message = "Makegood failed to read the file; the log has the details.".into();
            Err(WireError { code: Code::Internal, message, retry: true, incident: None })
        }
    }
}
