//! Group commit: effects that arrive while a commit is under way are committed together, each in its
//! own savepoint. One sync of the disk then stands for all of them; what is refused or fails takes
//! nobody else with it. Nobody is answered before the commit that holds the effect.

use std::pin::Pin;

use makegood_domain::ports::{StoreError, StoreResult};
use sqlx::sqlite::SqlitePool;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::fault::backend;
use super::open::refuse_changed;

/// Effects in one commit: more would make the first one wait too long.
const GROUP_MAX: usize = 64;

/// Effects that may wait; beyond that their callers do.
const WAITING_MAX: usize = 1024;

/// What an effect came to: its answer, and whether its rows are to be kept.
pub(super) struct Outcome<T> {
    pub answer: StoreResult<T>,
    pub keep: bool,
}

type Pending<'c, T> = Pin<Box<dyn Future<Output = T> + Send + 'c>>;

/// Tells the caller how the commit went.
type Tell = Box<dyn FnOnce(StoreResult<()>) + Send>;

/// Does the work within the group's transaction, if that may write; whether it is kept, and how its
/// caller is told.
type Work = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection, StoreResult<()>) -> Pending<'c, (bool, Tell)> + Send>;

/// The way to the writing task. The task ends with the last store that knows it.
#[derive(Clone, Debug)]
pub(super) struct Group {
    queue: mpsc::Sender<Work>,
}

impl Group {
    /// Starts the task that commits; it takes its connection from `writer` for each group.
    pub(super) fn start(writer: SqlitePool) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(commit_groups(writer, waiting));
        Self { queue }
    }

    /// Does `work` in the next group, and returns its answer after the commit.
    ///
    /// # Errors
    /// Those of the work, and of the commit: then nothing of it is kept.
    pub(super) async fn run<T, F>(&self, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Pending<'c, Outcome<T>> + Send + 'static,
    {
        let (told, answer) = oneshot::channel();
        let work: Work = Box::new(move |connection, allowed| {
            Box::pin(async move {
                let outcome = match allowed {
                    Ok(()) => work(connection).await,
                    Err(why) => Outcome { answer: Err(why), keep: false },
                };
                let keep = outcome.keep;
                let tell: Tell = Box::new(move |committed| {
                    // A caller that is gone asks again with the same key.
                    let answer = match outcome.answer {
                        Ok(answer) => committed.map(|()| answer),
                        Err(error) => Err(error),
                    };
                    drop(told.send(answer));
                });
                (keep, tell)
            })
        });
        let stopped = |()| StoreError::Unavailable("the record is being closed".to_owned());
        self.queue.send(work).await.map_err(|_| stopped(()))?;
        answer.await.map_err(|_| stopped(()))?
    }
}

async fn commit_groups(writer: SqlitePool, mut waiting: mpsc::Receiver<Work>) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    while waiting.recv_many(&mut group, GROUP_MAX).await > 0 {
        let mut told = Vec::with_capacity(group.len());
        let committed = commit(&writer, &mut group, &mut told).await;
        group.clear();
        for tell in told {
            tell(committed.as_ref().copied().map_err(again));
        }
    }
}

/// One transaction for the group. All are told after it, the refused ones too: what was first may be
/// in the same group. A caller whose work was not reached is told by the end of its channel.
async fn commit(writer: &SqlitePool, group: &mut Vec<Work>, told: &mut Vec<Tell>) -> StoreResult<()> {
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(backend)?;
    let allowed = refuse_changed(&mut tx).await;
    if group.len() == 1 {
        // Nobody else is in the transaction: it is its own savepoint.
        let Some(work) = group.pop() else { return Ok(()) };
        let (keep, tell) = work(&mut tx, allowed).await;
        told.push(tell);
        return if keep { tx.commit().await } else { tx.rollback().await }.map_err(backend);
    }
    for work in group.drain(..) {
        let mut savepoint = tx.begin().await.map_err(backend)?;
        let (keep, tell) = work(&mut savepoint, allowed.as_ref().copied().map_err(again)).await;
        told.push(tell);
        let ended = if keep { savepoint.commit().await } else { savepoint.rollback().await };
        ended.map_err(backend)?;
    }
    tx.commit().await.map_err(backend)
}

/// The same error for everybody in the group.
fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(why) => StoreError::Unavailable(why.clone()),
        other => StoreError::Backend(other.to_string()),
    }
}
