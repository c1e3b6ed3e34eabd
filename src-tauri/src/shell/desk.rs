//! What the window needs of the core.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use makegood_app::contract::{Code, Topic, WireError};
use makegood_domain::ids::AttachmentId;
use makegood_domain::ports::AttachmentFile;
use serde_json::Value;
use tokio::sync::broadcast;

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
    tokio::fs::metadata(home).await.with_context(|| format!("{}: cannot be opened", home.display()))?;
    let (told, _) = broadcast::channel(1);
    Ok(Arc::new(Unconnected { told }))
}

/// Stands where no workspace is wired yet: says so to every request.
struct Unconnected {
    told: broadcast::Sender<Topic>,
}

impl Unconnected {
    fn unavailable<T>() -> Result<T, WireError> {
        let message = "no workspace is connected".to_owned();
        Err(WireError { code: Code::Unavailable, message, retry: false, incident: None })
    }
}

#[async_trait]
impl Desk for Unconnected {
    async fn query(&self, _request: Value) -> Result<Value, WireError> {
        Self::unavailable()
    }

    async fn act(&self, _request: Value) -> Result<Value, WireError> {
        Self::unavailable()
    }

    async fn attachment(&self, _id: &AttachmentId) -> Result<AttachmentFile, WireError> {
        Self::unavailable()
    }

    fn changes(&self) -> broadcast::Receiver<Topic> {
        self.told.subscribe()
    }
}
