//! The files that this program brings now: how far each is, how fast, and ending one.
//!
//! It is what is under way, not what has happened: that is the record's. A program that ends takes its
//! board with it, and whoever goes on with a transfer enters it anew.

mod pace;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use makegood_domain::ids::{ActionKey, AgentId, CaseId, ProviderId, RunId};
use makegood_domain::ports::Start;
use tokio::sync::watch;

use crate::contract::{
    CancelTransferRequest, CancelTransferResult, Nothing, Topic, TransferPhase, TransferView, TransfersView,
};
use crate::desk::Desk;
use crate::error::Result;
use pace::Pace;

/// Why a transfer is to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Somebody at this desk wants nothing of it.
    By(AgentId),
    /// Whoever delivers the file goes on with what is here of it.
    TakenOver,
}

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
    /// It is only saved: nobody waits for it, and whoever delivers it takes it over.
    pub captures: bool,
}

struct Row {
    of: Of,
    started_at: Timestamp,
    phase: TransferPhase,
    received: u64,
    total: Option<u64>,
    pace: Pace,
    /// Why it is to end. Set at most once, and never after its bytes are all here.
    stopped: watch::Sender<Option<Stop>>,
    /// Closed when the row is taken off the board.
    ended: watch::Sender<()>,
}

impl Row {
    /// Wants it ended, as far as that is possible. What it gives is closed when it has ended, either way.
    fn end(&self, why: Stop) -> watch::Receiver<()> {
        if can_cancel(self.phase) {
            self.stopped.send_if_modified(|known| known.is_none() && known.replace(why).is_none());
        }
        self.ended.subscribe()
    }
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
    stopped: watch::Receiver<Option<Stop>>,
}

impl Watched<'_> {
    fn change<T>(&self, change: impl FnOnce(&mut Row) -> T) -> Option<T> {
        self.desk.board.rows().rows.get_mut(&self.number).map(change)
    }

    /// From which byte on the file comes now, and how long it is, where that is told. What was here before
    /// did not arrive now.
    pub(crate) fn starts(&self, start: &Start, now: Timestamp) {
        self.change(|row| {
            row.received = start.from;
            row.total = start.total.or(row.total);
            row.pace = Pace::begun(now, start.from);
        });
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

    /// All its bytes are here, and nobody can end it any more; or somebody has: then why.
    pub(crate) fn all_here(&self) -> std::result::Result<(), Stop> {
        let stop = self.change(|row| {
            let stop = row.stopped.borrow().clone();
            if stop.is_none() {
                row.phase = TransferPhase::Verifying;
            }
            stop
        });
        self.desk.changed(Topic::Transfers);
        stop.flatten().map_or(Ok(()), Err)
    }

    /// Its file is in the vault, and is written into the record.
    pub(crate) fn recording(&self) {
        self.change(|row| row.phase = TransferPhase::Recording);
        self.desk.changed(Topic::Transfers);
    }

    /// Ends when the transfer is to end, with why.
    pub(crate) async fn stopped(&self) -> Stop {
        let mut stopped = self.stopped.clone();
        loop {
            let why = stopped.borrow_and_update().clone();
            match why {
                Some(why) => return why,
                None if stopped.changed().await.is_ok() => {}
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
        let (stopped, told) = watch::channel(None);
        let total = Some(of.bytes).filter(|bytes| *bytes > 0);
        let row = Row {
            of,
            started_at: now,
            phase: TransferPhase::Asking,
            received: 0,
            total,
            pace: Pace::begun(now, 0),
            stopped,
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
        Watched { desk: self, number, stopped: told }
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

    /// Ends what saves the file of an item without delivering it, and waits until it has ended; whether
    /// there was something.
    pub(crate) async fn end_captures(&self, run_id: &RunId, item: u32) -> bool {
        let ending: Vec<_> = {
            let rows = self.board.rows();
            let same = rows.rows.values().filter(|row| row.of.run_id == *run_id && row.of.item == item);
            same.filter(|row| row.of.captures).map(|row| row.end(Stop::TakenOver)).collect()
        };
        let any = !ending.is_empty();
        wait_for(ending).await;
        any
    }

    /// Whether this program is just bringing the file of an item.
    pub(crate) fn is_brought(&self, run_id: &RunId, item: u32) -> bool {
        self.board.rows().rows.values().any(|row| row.of.run_id == *run_id && row.of.item == item)
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
                        return Some(row.end(Stop::By(self.agent.id.clone())));
                    }
                    too_late = Some(row.phase);
                    None
                })
                .collect()
        };
        let cancelled = !ending.is_empty();
        wait_for(ending).await;
        let why = (!cancelled).then(|| why_not(&run_id, request.item, too_late));
        Ok(CancelTransferResult { cancelled, why })
    }
}

/// Each is closed, without ever having changed, when its transfer is off the board.
async fn wait_for(ending: Vec<watch::Receiver<()>>) {
    for mut ended in ending {
        while ended.changed().await.is_ok() {}
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
        can_cancel: can_cancel(row.phase) && row.stopped.borrow().is_none(),
    }
}
