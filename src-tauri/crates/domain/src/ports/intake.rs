//! What comes in beside what is known: tellings of facts, those that could not be taken, and how far a
//! file was read.

use std::borrow::Cow;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{ImportReport, StoreResult};
use crate::events::{Event, Origin};
use crate::feed::Fact;
use crate::words::words;

/// An event, and where it came from: `feed.jsonl:12`, or who sent it.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    pub event: Event,
    pub place: String,
    /// Where it was [written down](Self::written_down) before.
    written: Option<Written>,
}

/// A fact as JSON, and what it is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    text: String,
    digest: [u8; 32],
}

impl Told {
    pub fn new(event: Event, place: impl Into<String>) -> Self {
        Self { event, place: place.into(), written: None }
    }

    /// The same, with its fact written down now, by somebody who has time: the record that takes it, one batch after
    /// the other, then needs not do it. The fact must not change after this.
    #[must_use]
    pub fn written_down(self) -> Self {
        // What can't be written is refused when it is taken.
        let written = Written::of(&self.event.fact).ok();
        Self { written, ..self }
    }

    /// The fact as a record keeps it.
    ///
    /// # Errors
    /// When it can't be written as JSON, which no fact that was read can't.
    pub fn written(&self) -> serde_json::Result<Cow<'_, Written>> {
        match &self.written {
            Some(written) => Ok(Cow::Borrowed(written)),
            None => Written::of(&self.event.fact).map(Cow::Owned),
        }
    }
}

impl Written {
    /// # Errors
    /// When it can't be written as JSON.
    pub fn of(fact: &Fact) -> serde_json::Result<Self> {
        let text = serde_json::to_string(fact)?;
        let digest = Sha256::digest(text.as_bytes()).into();
        Ok(Self { text, digest })
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of the text.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

words! {
    /// What became of a dead letter.
    DeadLetterState {
        Waiting = "waiting",
        /// It was taken after all, or a newer telling of its row was.
        Retried = "retried",
        /// A person gave it up.
        Dropped = "dropped",
    }
}

/// Something that could not be read as an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// What came, or its beginning.
    pub raw: String,
    /// All of what came is in `raw`, so that it can be read again.
    pub whole: bool,
    pub reason: String,
    pub place: String,
}

/// What could not be read, or was rejected, with the reason. The same one is kept once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    pub id: i64,
    /// The feed's word for what it is of, and the row's id; empty where it could not be read.
    pub kind: String,
    pub row_id: String,
    pub origin: Option<Origin>,
    /// When the sender says that it was so.
    pub time: Option<Timestamp>,
    /// What came; of what could be read, the plain fact.
    pub raw: String,
    pub whole: bool,
    pub reason: String,
    /// The row for which it waits, by kind and id: once that is told, it is tried again.
    pub waits_for: Option<(String, String)>,
    pub place: String,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    /// How often it was told or tried.
    pub tries: u32,
    pub state: DeadLetterState,
}

/// Which letters are wanted, by their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLettersWanted {
    /// `None`: of any state.
    pub state: Option<DeadLetterState>,
    /// Only those after this one: the next page.
    pub after: i64,
    pub limit: u64,
}

/// How far a file was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportPosition {
    /// Bytes, after decompression, that need not be read again.
    pub byte: u64,
    /// Lines in them.
    pub line: u64,
    /// The file was read to its end.
    pub done: bool,
}

/// The way in.
#[async_trait]
pub trait IntakeStore: Send + Sync {
    /// Takes events in one transaction; what cannot be taken is rejected one by one, and kept with the dead
    /// letters. An event that was taken before, by its source and id, changes nothing whatever it says.
    async fn take(&self, told: &[Told], at: Timestamp) -> StoreResult<ImportReport>;
    /// Keeps what could not be read.
    async fn bury(&self, unread: &[Unread], at: Timestamp) -> StoreResult<()>;
    async fn dead_letters(&self, wanted: &DeadLettersWanted) -> StoreResult<Vec<DeadLetter>>;
    /// Those that wait for one of these rows, by kind and id.
    async fn dead_letters_waiting_for(&self, rows: &[(String, String)], limit: u64) -> StoreResult<Vec<DeadLetter>>;
    /// Ends a letter that waits. One that does not wait, or is not there, stays as it is: `false`.
    async fn end_dead_letter(&self, id: i64, state: DeadLetterState, at: Timestamp) -> StoreResult<bool>;
    /// How far a file was read that is known by this name.
    async fn import_position(&self, file: &str) -> StoreResult<Option<ImportPosition>>;
    async fn keep_position(&self, file: &str, position: &ImportPosition, at: Timestamp) -> StoreResult<()>;
}
