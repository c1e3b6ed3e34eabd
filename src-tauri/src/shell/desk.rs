//! What the window needs of the core.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use makegood_app::contract::{Code, Envelope, Topic, WireError};
use makegood_domain::ids::AttachmentId;
use makegood_domain::ports::{AttachmentFile, CaseStore as _};
use serde_json::Value;
use tokio::sync::broadcast;

use crate::wiring::{self, Console};

/// The core as the window sees it.
#[async_trait]
pub trait Desk: Send + Sync + 'static {
    /// Answers a read.
    async fn query(&self, request: Value) -> Result<Value, WireError>;
    /// Does an act.
    async fn act(&self, request: Value) -> Result<Value, WireError>;
    /// The bytes of an attachment.
    async fn attachment(&self, id: &AttachmentId) -> Result<AttachmentFile, WireError>;
    /// What changed, from now on.
    fn changes(&self) -> broadcast::Receiver<Topic>;
}

/// Builds the core on the profile at `home`.
///
/// # Errors
/// When the workspace cannot be opened.
pub async fn open(home: &Path) -> anyhow::Result<Arc<dyn Desk>> {
    Ok(Arc::new(wiring::open(home).await?))
}

fn envelope(request: Value) -> Result<Envelope, WireError> {
    serde_json::from_value(request).map_err(|why| WireError {
        code: Code::BadRequest,
        message: format!("this request can't be understood: {why}"),
        retry: false,
        incident: None,
    })
}

#[async_trait]
impl Desk for Console {
    async fn query(&self, request: Value) -> Result<Value, WireError> {
        self.desk.query(envelope(request)?).await
    }

    async fn act(&self, request: Value) -> Result<Value, WireError> {
        self.desk.act(envelope(request)?).await
    }

    async fn attachment(&self, id: &AttachmentId) -> Result<AttachmentFile, WireError> {
        self.desk.store().attachment(id).await.map_err(|why| makegood_app::Error::from(why).into())
    }

    fn changes(&self) -> broadcast::Receiver<Topic> {
        self.desk.changes()
    }
}
