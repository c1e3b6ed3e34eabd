//! What can go wrong in a unit of work: the record refuses it, or the database fails.

use makegood_domain::ports::StoreError;
use sqlx::error::DatabaseError;

/// Primary result codes of SQLite that mean something to people.
const BUSY: u32 = 5;
const READ_ONLY: u32 = 8;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANNOT_OPEN: u32 = 14;
const CONSTRAINT: u32 = 19;
const NOT_A_DATABASE: u32 = 26;

/// Extended result code of a broken foreign key.
const FOREIGN_KEY: u32 = 787;

/// Why a unit of work was not done.
#[derive(Debug)]
pub(super) enum Fault {
    /// The rules of the record forbid it, in plain words.
    Refused(String),
    Failed(StoreError),
}

pub(super) type Worked<T> = Result<T, Fault>;

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error().filter(|error| primary_code(*error) == CONSTRAINT) {
            Some(broken) => Self::Refused(plain(broken)),
            None => Self::Failed(backend(error)),
        }
    }
}

/// A refusal in plain words.
pub(super) fn refused<T>(why: impl Into<String>) -> Worked<T> {
    Err(Fault::Refused(why.into()))
}

/// Text of a broken foreign key, for telling which row is missing.
pub(super) const MISSING_ROW: &str = "it refers to a row that is not there, or that belongs to another account";

/// Why credits can't be taken that are not there (yet).
pub(super) const BELOW_ZERO: &str = "a balance would fall below 0";

/// The words of a broken rule. Triggers speak for themselves; named checks are words with `_`.
fn plain(broken: &dyn DatabaseError) -> String {
    let message = broken.message();
    if extended_code(broken) == FOREIGN_KEY {
        return MISSING_ROW.to_owned();
    }
    match message.strip_prefix("CHECK constraint failed: ") {
        Some("level_below_zero") => BELOW_ZERO.to_owned(),
        Some("refunded_above_price") => "more would be refunded than the item cost".to_owned(),
        Some("restored_above_given") => "more would be restored than the balance gave".to_owned(),
        Some(check) => format!("a value is not allowed: {check}"),
        None => message.to_owned(),
    }
}

fn extended_code(error: &dyn DatabaseError) -> u32 {
    error.code().and_then(|code| code.parse().ok()).unwrap_or_default()
}

fn primary_code(error: &dyn DatabaseError) -> u32 {
    extended_code(error) & 0xff
}

/// A database error in the words of the port.
pub(super) fn backend(error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().map(primary_code);
    match code {
        Some(BUSY) => StoreError::Unavailable("the database is locked by another program".to_owned()),
        Some(READ_ONLY) => StoreError::Unavailable("the database can't be written: it is read-only".to_owned()),
        Some(CORRUPT) => StoreError::Unavailable(format!("the database file is damaged: {error}")),
        Some(FULL) => StoreError::Unavailable("the disk is full: nothing was changed".to_owned()),
        Some(CANNOT_OPEN) => StoreError::Unavailable(
            "the file can't be opened: look whether it and its folder are there, and may be read and written"
                .to_owned(),
        ),
        Some(NOT_A_DATABASE) => StoreError::Unavailable("the file is not a database".to_owned()),
        _ => StoreError::Backend(error.to_string()),
    }
}

/// A fault as an error of the port, where a refusal means that the caller's rows contradict the record.
pub(super) fn as_error(fault: Fault, at: &str) -> StoreError {
    match fault {
        Fault::Refused(why) => StoreError::Inconsistent { at: at.to_owned(), why },
        Fault::Failed(error) => error,
    }
}
