//! The record in memory: the model that both databases are compared with, and the store of the
//! simulator. Money is decided by [`makegood_domain::settlement`], as everywhere; the rest is written
//! for reading, one lock around everything, and a unit of work that is refused is taken back whole.
//!
//! It says what the ports say and refuses what they refuse; words of refusals can differ. It keeps no
//! discrepancies, which no port tells of.

mod approvals;
mod captures;
mod cases;
mod dead_letters;
mod delivery;
mod due;
mod effects;
mod faults;
mod files;
mod findings;
mod import;
mod items;
mod journal;
mod ledger;
mod letters;
mod limits;
mod proof;
mod pruning;
mod queue;
mod received;
mod reconciler;
mod record;
mod refunds;
mod releases;
mod restoration;
mod runs;
mod scope;
mod sweeps;
mod table;
#[cfg(test)]
mod tests;
mod wiring;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use jiff::Timestamp;
use makegood_domain::ports::{StoreError, StoreResult};

pub use faults::{Fault, Op};
pub use proof::{SeenDue, SeenItem};
use record::Record;

/// A store in memory. Calls are done one after another, each whole or not at all.
#[derive(Debug, Default)]
pub struct MemoryStore {
    record: Mutex<Record>,
    faults: Mutex<VecDeque<(Op, Fault)>>,
    /// Given when it is first asked for.
    id: OnceLock<String>,
}

/// All that a store held at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot(Record);

/// Why a unit of work was not done.
enum Halt {
    /// The rules forbid it, in plain words.
    Refused(String),
    Failed(StoreError),
}

type Worked<T> = Result<T, Halt>;

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl Halt {
    /// As an error of the port, where a refusal means that the caller's rows contradict the record.
    fn at(self, at: &str) -> StoreError {
        match self {
            Self::Refused(why) => StoreError::Inconsistent { at: at.to_owned(), why },
            Self::Failed(error) => error,
        }
    }
}

fn refused<T>(why: impl Into<String>) -> Worked<T> {
    Err(Halt::Refused(why.into()))
}

/// As a record keeps it: finer than a microsecond is cut.
fn cut(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

impl MemoryStore {
    /// An empty record.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next call of `op` fails like this. Several for one `op` are used one after another.
    pub fn fail_next(&self, op: Op, fault: Fault) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push_back((op, fault));
    }

    /// All that it holds now, as a crash would leave it.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.record.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Holds exactly that again.
    pub fn restore(&self, snapshot: &Snapshot) {
        *self.record.lock().unwrap_or_else(PoisonError::into_inner) = snapshot.0.clone();
    }

    /// As no other of this program has it.
    fn id(&self) -> String {
        static MADE: AtomicU64 = AtomicU64::new(0);
        self.id.get_or_init(|| format!("memory-{}", MADE.fetch_add(1, Ordering::Relaxed))).clone()
    }

    fn fault(&self, op: Op) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let place = faults.iter().position(|(wanted, _)| *wanted == op)?;
        faults.remove(place).map(|(_, fault)| fault)
    }

    /// Reads as of one moment.
    fn read<T>(&self, op: Op, work: impl FnOnce(&Record) -> StoreResult<T>) -> StoreResult<T> {
        if let Some(fault) = self.fault(op) {
            return Err(fault.error());
        }
        work(&self.record.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does a unit of work. What it changed stands where it succeeds and `stays` says so of its answer.
    fn write<T>(
        &self,
        op: Op,
        stays: impl FnOnce(&T) -> bool,
        work: impl FnOnce(&mut Record) -> StoreResult<T>,
    ) -> StoreResult<T> {
        let fault = self.fault(op);
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = record.mark();
        let answer = work(&mut record);
        let stays = fault != Some(Fault::BeforeCommit) && answer.as_ref().is_ok_and(stays);
        if !stays {
            record.undo(&mark);
        }
        record.keep();
        match fault {
            Some(fault) => Err(fault.error()),
            None => answer,
        }
    }
}
