//! Tells the window what to read again. An event carries no data, only the names of what changed:
//! the window asks for it as it asks for everything.

use std::collections::HashSet;

use makegood_app::contract::Topic;
use tauri::{AppHandle, Emitter as _};
use tokio::sync::broadcast::{Receiver, error::RecvError, error::TryRecvError};

/// The one event of the backend; its payload is one topic.
pub const CHANGED: &str = "changed";

/// Passes changes on until the core is gone. What piled up in the meantime is told once.
pub async fn pass_on(app: AppHandle, mut changes: Receiver<Topic>) {
    loop {
        let mut topics = match changes.recv().await {
            Ok(topic) => vec![topic],
            Err(RecvError::Lagged(_)) => all_lists(),
            Err(RecvError::Closed) => return,
        };
        loop {
            match changes.try_recv() {
                Ok(topic) => topics.push(topic),
                Err(TryRecvError::Lagged(_)) => topics.extend(all_lists()),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        let mut seen = HashSet::new();
        topics.retain(|topic| seen.insert(format!("{topic:?}")));
        for topic in topics {
            if let Err(error) = app.emit(CHANGED, &topic) {
                tracing::warn!(%error, ?topic, "the window was not told of a change");
            }
        }
    }
}

/// After events were missed nobody knows which cases changed: an empty case id stands for all.
fn all_lists() -> Vec<Topic> {
    vec![
        Topic::Queue,
        Topic::Case { case_id: String::new() },
        Topic::Outbox,
        Topic::Audit,
        Topic::Connections,
        Topic::Transfers,
    ]
}
