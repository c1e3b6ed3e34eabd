//! Group commit: effects that arrive while a commit is under way are committed together. One sync of the disk
//! then stands for all of them; what is refused or fails takes nobody else with it. Restorations are done whole,
//! all of a group by one statement, which is their transaction; everything else, and they where one of them is not
//! as most are, in one after it, each in its own savepoint. Nobody is answered before the commit that holds the
//! effect.

use std::collections::HashSet;
use std::pin::Pin;

use makegood_domain::ports::{Applied, StoreError, StoreResult};
use sqlx::sqlite::SqlitePool;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::fault::backend;
use super::open::refuse_changed;
use super::sweeps::step_by_step;
use super::whole::{self, Sweep};

/// Effects in one commit: more would make the first one wait too long.
const GROUP_MAX: usize = 64;

/// Effects that may wait; beyond that their callers do.
const WAITING_MAX: usize = 1024;

/// What an effect came to: its answer, and whether its rows are to be kept.
pub(super) struct Outcome<T> {
    pub answer: StoreResult<T>,
    pub keep: bool,
}

pub(super) type Pending<'c, T> = Pin<Box<dyn Future<Output = T> + Send + 'c>>;

/// Tells the caller how the commit went.
type Tell = Box<dyn FnOnce(StoreResult<()>) + Send>;

/// Does the work within the group's transaction, if that may write; whether it is kept, and how its
/// caller is told.
type Steps = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection, StoreResult<()>) -> Pending<'c, (bool, Tell)> + Send>;

/// A restoration of the reconciler, and its caller.
struct Waiting {
    sweep: Sweep,
    told: oneshot::Sender<StoreResult<Applied>>,
}

enum Work {
    Restoration(Box<Waiting>),
    Steps(Steps),
}

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
        self.queue.send(Work::Steps(steps(work, told))).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Restores in the next group, and returns the receipt after the commit.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub(super) async fn restore(&self, sweep: Sweep) -> StoreResult<Applied> {
        let (told, answer) = oneshot::channel();
        self.queue.send(Work::Restoration(Box::new(Waiting { sweep, told }))).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the record is being closed".to_owned())
}

/// Work whose caller hears of it by `told`.
fn steps<T, F>(work: F, told: oneshot::Sender<StoreResult<T>>) -> Steps
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> Pending<'c, Outcome<T>> + Send + 'static,
{
    Box::new(move |connection, allowed| {
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
    })
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

/// One transaction for the restorations of the group, and one for the rest. All of the rest are told after theirs,
/// the refused ones too: what was first may be in the same group. A caller whose work was not reached is told by the
/// end of its channel.
async fn commit(writer: &SqlitePool, group: &mut Vec<Work>, told: &mut Vec<Tell>) -> StoreResult<()> {
    let mut connection = writer.acquire().await.map_err(backend)?;
    let (restorations, mut others) = parted(group.drain(..));
    others.extend(restore_whole(&mut connection, restorations).await?);
    if others.is_empty() {
        return Ok(());
    }
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.map_err(backend)?;
    let allowed = refuse_changed(&mut tx).await;
    if others.len() == 1 {
        // Nobody else is in the transaction: it is its own savepoint.
        let Some(steps) = others.pop() else { return Ok(()) };
        let (keep, tell) = steps(&mut tx, allowed).await;
        told.push(tell);
        return if keep { tx.commit().await } else { tx.rollback().await }.map_err(backend);
    }
    for steps in others {
        let mut savepoint = tx.begin().await.map_err(backend)?;
        let (keep, tell) = steps(&mut savepoint, allowed.as_ref().copied().map_err(again)).await;
        told.push(tell);
        let ended = if keep { savepoint.commit().await } else { savepoint.rollback().await };
        ended.map_err(backend)?;
    }
    tx.commit().await.map_err(backend)
}

/// The restorations that can be done whole, each of another charge and under another key, and the rest.
fn parted(group: impl Iterator<Item = Work>) -> (Vec<Waiting>, Vec<Steps>) {
    let (mut restorations, mut others) = (Vec::new(), Vec::new());
    let (mut keys, mut charges) = (HashSet::new(), HashSet::new());
    for work in group {
        match work {
            Work::Steps(steps) => others.push(steps),
            Work::Restoration(waiting) => {
                let is_new_key = keys.insert(waiting.sweep.key.clone());
                let charge = waiting.sweep.restoration().map(|restoration| restoration.charge_id.clone());
                if charge.is_some_and(|charge| charges.insert(charge)) && is_new_key {
                    restorations.push(*waiting);
                } else {
                    others.push(alone(*waiting));
                }
            }
        }
    }
    (restorations, others)
}

fn alone(Waiting { sweep, told }: Waiting) -> Steps {
    steps(move |connection| step_by_step(connection, sweep), told)
}

/// Does them whole, and tells their callers; or returns them all, to be done each by itself, and has changed nothing.
async fn restore_whole(connection: &mut SqliteConnection, restorations: Vec<Waiting>) -> StoreResult<Vec<Steps>> {
    if restorations.is_empty() {
        return Ok(Vec::new());
    }
    let sweeps: Vec<&Sweep> = restorations.iter().map(|waiting| &waiting.sweep).collect();
    match whole::commit(connection, &sweeps).await {
        Ok(Some(receipts)) => {
            for (waiting, receipt) in restorations.into_iter().zip(receipts) {
                drop(waiting.told.send(Ok(Applied::Done(receipt))));
            }
            Ok(Vec::new())
        }
        Ok(None) => Ok(restorations.into_iter().map(alone).collect()),
        Err(error) => {
            for waiting in restorations {
                drop(waiting.told.send(Err(again(&error))));
            }
            Err(error)
        }
    }
}

/// The same error for everybody in the group.
fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(why) => StoreError::Unavailable(why.clone()),
        other => StoreError::Backend(other.to_string()),
    }
}
