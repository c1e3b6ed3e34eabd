//! A workspace on disk: made once, opened again, forgotten on demand.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use makegood_domain::ports::{CaseStore, Clock, FactStore, NewCase};
use makegood_practice::{Workspace, WorkspaceError, reset};

use super::{SEED, anchor};

/// A clock that stands where it was put.
pub struct Still(pub Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }
}

async fn open(dir: &Path) -> Result<Workspace, WorkspaceError> {
    Workspace::open_or_create(dir, SEED, Arc::new(Still(anchor()))).await
}

#[tokio::test]
async fn a_workspace_is_made_once_and_opened_again() {
    let home = tempfile::tempdir().expect("a folder");
    let dir = home.path().join("practice");
    let first = open(&dir).await.expect("a workspace");
    let tickets = first.new_tickets();
    assert!(tickets.len() >= 250, "{} tickets", tickets.len());
    assert!(tickets.iter().map(|row| row.files.len()).sum::<usize>() >= 100);
    assert_eq!(first.provider_settings().len(), 17);
    let store = first.store();
    for (number, row) in tickets.iter().enumerate().take(10) {
        let (ticket, files) = (row.ticket.clone(), row.files.clone());
        let (due_at, opened_at) = (ticket.created_at, anchor());
        let case_id = format!("case-{number}").as_str().into();
        store.open_case(&NewCase { case_id, ticket, files, due_at, opened_at }).await.expect("a case");
    }
    drop(first);
    // Another seed does not make another world of what is there.
    let again = Workspace::open_or_create(&dir, SEED + 1, Arc::new(Still(anchor()))).await.expect("a workspace");
    assert_eq!(again.new_tickets().len(), tickets.len() - 10);
    assert!(!again.store().catalogue().await.expect("models").is_empty());
    drop(again);
    reset(&dir).expect("forgotten");
    assert!(!dir.exists());
    reset(&dir).expect("nothing to forget");
}

#[tokio::test]
async fn foreign_folders_and_other_versions_are_left_alone() {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::write(home.path().join("thesis.txt"), "mine").expect("a file");
    assert!(matches!(reset(home.path()), Err(WorkspaceError::NotOurs { .. })));
    assert!(home.path().join("thesis.txt").exists());
    let card = home.path().join("practice.json");
    std::fs::write(&card, r#"{"world":9999,"seed":1,"anchor":"2026-01-01T00:00:00Z"}"#).expect("a file");
    assert!(matches!(open(home.path()).await, Err(WorkspaceError::Version { .. })));
    std::fs::write(&card, "{").expect("a file");
    assert!(matches!(open(home.path()).await, Err(WorkspaceError::Card { .. })));
}
