//! What the reconciler settles. Restorations that arrive while others are under way go together: one call
//! does its part for all of them in each of its statements, and one commit stands for all. Where one of
//! them is not as most are, none is done, and each is sent alone. Nobody is answered before the commit.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use makegood_domain::ids::{ActionKey, ChargeId};
use makegood_domain::plan::Effect;
use makegood_domain::ports::{Applied, StoreError, StoreResult};
use serde::Serialize;
use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::actions::Done;
use super::{answer, at, document, said};
use crate::postgres::fault::{Fault, Worked};
use crate::postgres::link::{Argument, Link};

statements! {
    SETTLE = "SELECT api.settle($1, $2, $3::jsonb, $4)";
    SETTLE_MANY = "SELECT api.settle_many($1::jsonb, $2)";
}

/// Restorations in one call: more would keep the levels of their balances locked too long.
const TOGETHER_MAX: usize = 64;

/// Calls at a time. With more, each would hold fewer, and cost more for each. Each has a connection that
/// stays its own: one that never made the call before makes fifty plans first.
pub(in crate::postgres) const LANES: u32 = 2;

/// So long a few wait beside a call that holds many: it may hang.
const HOLD: Duration = Duration::from_millis(20);

/// Restorations that may wait; beyond that their callers do.
const WAITING_MAX: usize = 1024;

/// An effect of the reconciler under its key.
#[derive(Clone, Debug)]
pub(in crate::postgres) struct Sweep {
    pub key: ActionKey,
    pub part: u32,
    pub effect: Effect,
    /// For a record whose clock is the caller's, as in tests.
    pub when: Timestamp,
}

impl Sweep {
    /// The charge that it restores.
    fn charge(&self) -> Option<&ChargeId> {
        match &self.effect {
            Effect::Restore { restoration, .. } => Some(&restoration.charge_id),
            _ => None,
        }
    }
}

/// One that waits, and its caller.
struct Waiting {
    sweep: Sweep,
    told: oneshot::Sender<StoreResult<Applied>>,
}

/// The way to be settled with others. Its task ends with the last store that knows it.
#[derive(Clone, Debug)]
pub(in crate::postgres) struct Sweeps {
    queue: mpsc::Sender<Waiting>,
    lanes: Link,
}

impl Sweeps {
    /// Starts the task that sends them: those that go together by `lanes`, which has [`LANES`]
    /// connections, the others by `link`.
    pub(in crate::postgres) fn start(lanes: Link, link: Link) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(send_groups(lanes.clone(), link, waiting));
        Self { queue, lanes }
    }

    /// The connections that are its own.
    pub(in crate::postgres) fn connections(&self) -> &PgPool {
        &self.lanes.calls
    }

    /// Settles a restoration in the next call, and returns its receipt after the commit.
    pub(in crate::postgres) async fn settle(&self, sweep: Sweep) -> StoreResult<Applied> {
        let (told, answer) = oneshot::channel();
        let stopped = |()| StoreError::Unavailable("the record is being closed".to_owned());
        self.queue.send(Waiting { sweep, told }).await.map_err(|_| stopped(()))?;
        answer.await.map_err(|_| stopped(()))?
    }
}

async fn send_groups(lanes: Link, link: Link, mut queue: mpsc::Receiver<Waiting>) {
    let mut calls = JoinSet::new();
    // How many each call under way holds.
    let mut under_way = HashMap::new();
    let mut waiting = Vec::new();
    let mut is_closed = false;
    let mut is_held_long = false;
    while !(is_closed && waiting.is_empty() && calls.is_empty()) {
        tokio::select! {
            Some(ended) = calls.join_next_with_id() => {
                let id = match ended {
                    Ok((id, ())) => id,
                    Err(broken) => broken.id(),
                };
                under_way.remove(&id);
            }
            next = queue.recv(), if !is_closed && waiting.len() < WAITING_MAX => match next {
                Some(next) => waiting.push(next),
                None => is_closed = true,
            },
            () = tokio::time::sleep(HOLD), if !waiting.is_empty() => is_held_long = true,
        }
        gather(&mut queue, &mut waiting).await;
        let held: usize = if std::mem::take(&mut is_held_long) { 0 } else { under_way.values().sum() };
        for size in shares(waiting.len(), LANES as usize - calls.len(), held) {
            let group: Vec<Waiting> = waiting.drain(..size).collect();
            let (lanes, link) = (lanes.clone(), link.clone());
            let call = calls.spawn(async move { settle_group(&lanes, &link, group).await });
            under_way.insert(call.id(), size);
        }
    }
}

/// How many go into each call that is made now: an even share for each free lane. Fewer than half of what
/// is under way wait for it, because a call that holds one costs as much as one that holds seven.
fn shares(waiting: usize, free: usize, under_way: usize) -> Vec<usize> {
    if waiting * 2 < under_way || free == 0 {
        return Vec::new();
    }
    let share = waiting.div_ceil(free).min(TOGETHER_MAX);
    (0..free).map(|lane| share.min(waiting.saturating_sub(lane * share))).filter(|share| *share > 0).collect()
}

/// Takes those that wait, and those whose callers were only about to ask: the answers of a call wake many
/// at a time, and the first of them must not go alone.
async fn gather(queue: &mut mpsc::Receiver<Waiting>, waiting: &mut Vec<Waiting>) {
    let mut before = usize::MAX;
    while waiting.len() != before && waiting.len() < WAITING_MAX {
        before = waiting.len();
        tokio::task::yield_now().await;
        while waiting.len() < WAITING_MAX
            && let Ok(next) = queue.try_recv()
        {
            waiting.push(next);
        }
    }
}

async fn settle_group(lanes: &Link, link: &Link, mut group: Vec<Waiting>) {
    if group.len() == 1
        && let Some(Waiting { sweep, told }) = group.pop()
    {
        drop(told.send(settle_alone(lanes, &sweep).await));
        return;
    }
    let (mut charges, mut keys) = (HashSet::new(), HashSet::new());
    let (together, mut alone): (Vec<Waiting>, Vec<Waiting>) = group.into_iter().partition(|waiting| {
        let is_new_key = keys.insert(waiting.sweep.key.clone());
        waiting.sweep.charge().is_some_and(|charge| charges.insert(charge.clone())) && is_new_key
    });
    match settle_together(lanes, &together).await {
        Ok(applied) => {
            for (waiting, applied) in together.into_iter().zip(applied) {
                // A caller that is gone asks again with the same key.
                drop(waiting.told.send(Ok(applied)));
            }
        }
        Err(Fault::Failed(StoreError::Unavailable(why))) => {
            // Each by itself would only try as often again. Whoever asks again does with the same key.
            for waiting in together {
                drop(waiting.told.send(Err(StoreError::Unavailable(why.clone()))));
            }
        }
        // Which of them it is about, and in which words, each learns by itself.
        Err(_) => alone.extend(together),
    }
    join_all(alone.into_iter().map(|waiting| async move {
        drop(waiting.told.send(settle_alone(link, &waiting.sweep).await));
    }))
    .await;
}

/// An element of what `api.settle_many` takes.
#[derive(Serialize)]
struct Said<'a> {
    key: &'a ActionKey,
    part: u32,
    effect: &'a Effect,
}

/// Receipts in the order of the group, or none of it is done.
async fn settle_together(link: &Link, group: &[Waiting]) -> Worked<Vec<Applied>> {
    let Some(when) = group.iter().map(|waiting| waiting.sweep.when).max() else { return Ok(Vec::new()) };
    let wanted: Vec<Said<'_>> = group
        .iter()
        .map(|Waiting { sweep, .. }| Said { key: &sweep.key, part: sweep.part, effect: &sweep.effect })
        .collect();
    let done = link.call(SETTLE_MANY, &[said(&document(&wanted)?), at(when)]).await?;
    let done: Vec<Done> = answer(done, "settle_many")?;
    if done.len() != group.len() {
        let why = format!("api.settle_many answered {} of {}", done.len(), group.len());
        return Err(Fault::Failed(StoreError::Backend(why)));
    }
    done.into_iter().map(|done| Ok(done.applied()?)).collect()
}

/// One by itself, with the record's words where it is refused.
pub(in crate::postgres) async fn settle_alone(link: &Link, sweep: &Sweep) -> StoreResult<Applied> {
    let wanted = document(&sweep.effect)?;
    let part = Argument::Int(Some(i64::from(sweep.part)));
    match link.call(SETTLE, &[said(sweep.key.as_str()), part, said(&wanted), at(sweep.when)]).await {
        Ok(done) => answer::<Done>(done, "settle")?.applied(),
        Err(Fault::Refused(why)) => Ok(Applied::Refused(why)),
        Err(Fault::Failed(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_shared_by_the_free_lanes_and_is_not_sent_in_drips() {
        let table = [
            // waiting, free, under way: sent
            (0, 2, 0, vec![]),
            (1, 2, 0, vec![1]),
            (2, 2, 0, vec![1, 1]),
            (7, 2, 0, vec![4, 3]),
            (1, 1, 7, vec![]),
            (3, 1, 7, vec![]),
            (4, 1, 7, vec![4]),
            (8, 0, 8, vec![]),
            (300, 2, 0, vec![TOGETHER_MAX, TOGETHER_MAX]),
            (100, 1, 64, vec![TOGETHER_MAX]),
        ];
        for (waiting, free, under_way, sent) in table {
            assert_eq!(shares(waiting, free, under_way), sent, "{waiting} wait, {free} free, {under_way} under way");
        }
    }
}
