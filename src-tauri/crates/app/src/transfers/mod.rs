//! The files that this program brings now: how far each is, how fast, and ending one.
//!
//! It is what is under way, not what has happened: that is the record's. A program that ends takes its
//! board with it, and whoever goes on with a transfer enters it anew.

mod pace;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use makegood_domain::ids::{ActionKey, AgentId, CaseId, ProviderId, RunId};
use tokio::sync::watch;

use crate::contract::{
    CancelTransferRequest, CancelTransferResult, Nothing, Topic, TransferPhase, TransferView, TransfersView,
};
use crate::desk::Desk;
use crate::error::Result;
use pace::Pace;

/// What is brought, and for whom.
#[derive(Clone, Debug)]
pub(crate) struct Of {
    pub run_id: RunId,
    pub item: u32,
    pub provider_id: ProviderId,
    /// The agent's action and its case; none where a reconciler brings it.
    pub action: Option<(ActionKey, CaseId)>,
    /// What the provider promised; 0 where it did not.
    pub bytes: u64,
}

struct Row {
    of: Of,
    started_at: Timestamp,
    phase: TransferPhase,
    received: u64,
    total: Option<u64>,
    pace: Pace,
    /// Who wants it ended. Set at most once, and never after its bytes are all here.
    cancelled: watch::Sender<Option<AgentId>>,
    /// Closed when the row is taken off the board.
    ended: watch::Sender<()>,
}

#[derive(Default)]
struct Rows {
    next: u64,
    rows: BTreeMap<u64, Row>,
}

/// The transfers under way in this process.
#[derive(Default)]
pub(crate) struct Board(Mutex<Rows>);

impl Board {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transfer on the board, until it is dropped.
pub(crate) struct Watched<'d> {
    desk: &'d Desk,
    number: u64,
    cancelled: watch::Receiver<Option<AgentId>>,
}

impl Watched<'_> {
    fn change<T>(&self, change: impl FnOnce(&mut Row) -> T) -> Option<T> {
        self.desk.board.rows().rows.get_mut(&self.number).map(change)
    }

    /// So many more bytes have arrived.
    pub(crate) fn arrived(&self, bytes: usize, now: Timestamp) {
        let began = self.change(|row| {
            row.received = row.received.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
            row.pace.note(now, row.received);
            std::mem::replace(&mut row.phase, TransferPhase::Downloading) == TransferPhase::Asking
        });
        if began == Some(true) {
            self.desk.changed(Topic::Transfers);
        }
    }

    /// How many bytes have arrived.
    pub(crate) fn received(&self) -> u64 {
        self.change(|row| row.received).unwrap_or_default()
    }

    /// All its bytes are here, and nobody can end it any more; or somebody has: then who.
    pub(crate) fn all_here(&self) -> std::result::Result<(), AgentId> {
        let by = self.change(|row| {
            let by = row.cancelled.borrow().clone();
            if by.is_none() {
                row.phase = TransferPhase::Verifying;
            }
            by
        });
        self.desk.changed(Topic::Transfers);
        by.flatten().map_or(Ok(()), Err)
    }

    /// Its file is in the vault, and is written into the record.
    pub(crate) fn recording(&self) {
        self.change(|row| row.phase = TransferPhase::Recording);
        self.desk.changed(Topic::Transfers);
    }

    /// Ends when somebody wants the transfer ended, with who.
    pub(crate) async fn cancelled(&self) -> AgentId {
        let mut cancelled = self.cancelled.clone();
        loop {
            let by = cancelled.borrow_and_update().clone();
            match by {
                Some(by) => return by,
                None if cancelled.changed().await.is_ok() => {}
                // Off the board: nobody can want that any more.
                None => std::future::pending().await,
            }
        }
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.desk.board.rows().rows.remove(&self.number);
        self.desk.changed(Topic::Transfers);
    }
}

impl Desk {
    /// Puts a transfer on the board.
    pub(crate) fn watch(&self, of: Of) -> Watched<'_> {
        let now = self.now();
        let (cancelled, told) = watch::channel(None);
        let total = Some(of.bytes).filter(|bytes| *bytes > 0);
        let row = Row {
            of,
            started_at: now,
            phase: TransferPhase::Asking,
            received: 0,
            total,
            pace: Pace::begun(now, 0),
            cancelled,
            ended: watch::Sender::new(()),
        };
        let number = {
            let mut rows = self.board.rows();
            let number = rows.next;
            rows.next += 1;
            rows.rows.insert(number, row);
            number
        };
        self.changed(Topic::Transfers);
        Watched { desk: self, number, cancelled: told }
    }

    /// The files that this program brings now.
    ///
    /// # Errors
    /// None: nobody else is asked.
    pub async fn transfers(&self, _: Nothing) -> Result<TransfersView> {
        let now = self.now();
        let transfers = self.board.rows().rows.values().map(|row| view(row, now)).collect();
        Ok(TransfersView { transfers })
    }

    /// Ends the transfer of an item in this program, and waits until it has given its lease back. Nothing
    /// of the file is kept. Refused once all of the file is here: then it is delivered.
    ///
    /// # Errors
    /// None of its own: why it was not ended is in the answer.
    pub async fn cancel_transfer(&self, request: CancelTransferRequest) -> Result<CancelTransferResult> {
        let run_id = RunId(request.run_id);
        let mut too_late = None;
        let ending: Vec<_> = {
            let rows = self.board.rows();
            let wanted = rows.rows.values().filter(|row| row.of.run_id == run_id && row.of.item == request.item);
            wanted
                .filter_map(|row| {
                    if can_cancel(row.phase) {
                        row.cancelled
                            .send_if_modified(|by| by.is_none() && by.replace(self.agent.id.clone()).is_none());
                        return Some(row.ended.subscribe());
                    }
                    too_late = Some(row.phase);
                    None
                })
                .collect()
        };
        let cancelled = !ending.is_empty();
        for mut ended in ending {
            // Closed, without ever having changed.
            while ended.changed().await.is_ok() {}
        }
        let why = (!cancelled).then(|| why_not(&run_id, request.item, too_late));
        Ok(CancelTransferResult { cancelled, why })
    }
}

/// Once all bytes are here the file is kept, and what is kept is delivered: there is nothing half.
fn can_cancel(phase: TransferPhase) -> bool {
    phase < TransferPhase::Verifying
}

fn why_not(run_id: &RunId, item: u32, too_late: Option<TransferPhase>) -> String {
    match too_late {
        Some(TransferPhase::Recording) => {
            format!(
                "the file of item {item} of {run_id} is kept already, and is being recorded: it can't be cancelled any more"
            )
        }
        Some(_) => {
            format!(
                "all of the file of item {item} of {run_id} is here, and is being looked into and kept: it can't be cancelled any more"
            )
        }
        None => {
            format!("this program brings no file of item {item} of {run_id}: it has ended, or another desk brings it")
        }
    }
}

fn view(row: &Row, now: Timestamp) -> TransferView {
    let downloading = row.phase == TransferPhase::Downloading;
    let rate = if downloading { row.pace.rate(now) } else { None };
    let left = rate.zip(row.total).and_then(|(rate, total)| pace::left(row.received, total, rate));
    let action = row.of.action.as_ref();
    TransferView {
        action_key: action.map(|(key, _)| key.0.clone()),
        case_id: action.map(|(_, case)| case.0.clone()),
        run_id: row.of.run_id.0.clone(),
        item: row.of.item,
        provider_id: row.of.provider_id.0.clone(),
        phase: row.phase,
        received_bytes: row.received,
        total_bytes: row.total,
        started_at: row.started_at,
        bytes_per_second: rate,
        seconds_left: left,
        can_cancel: can_cancel(row.phase) && row.cancelled.borrow().is_none(),
    }
}
