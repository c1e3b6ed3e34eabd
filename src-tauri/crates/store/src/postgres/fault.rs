//! What can go wrong in a call: the record refuses it, or the database fails.

use makegood_domain::ports::StoreError;
use sqlx::postgres::PgDatabaseError;

/// Raised by the functions of schema `api`, in plain words.
const REFUSED: &str = "MG001";
/// Message: what kind of row. Detail: its id.
const STALE: &str = "MG002";
/// Message: what kind of row. Detail: its id.
const NOT_FOUND: &str = "MG003";
/// Message: why. Detail: where.
const INCONSISTENT: &str = "MG004";
/// Of several at a time, one is not like the others: nothing was done.
const ONE_BY_ONE: &str = "MG005";

const FOREIGN_KEY: &str = "23503";
const CHECK: &str = "23514";

const MISSING: &str = "23502";
const TWICE: &str = "23505";

/// SQLSTATE class of values that are out of range or not what they should be.
const UNREADABLE: &str = "22";

/// SQLSTATE class of broken keys, checks and references.
const CONSTRAINTS: &str = "23";

/// Rows that the functions name when they are stale or missing.
const NAMES: &[&str] = &[
    "account",
    "action",
    "approval",
    "attachment",
    "balance",
    "case",
    "charge",
    "draft",
    "item",
    "job",
    "message",
    "output",
    "refund",
    "run",
    "ticket",
];

/// Why a call did nothing.
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
        match said(&error).and_then(refusal) {
            Some(why) => Self::Refused(why),
            None => Self::Failed(backend(error)),
        }
    }
}

/// What the server itself said.
pub(super) fn said(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error()?.try_downcast_ref()
}

/// The words of a broken rule. Functions speak for themselves; named checks are words with `_`.
fn refusal(error: &PgDatabaseError) -> Option<String> {
    let code = error.code();
    if code == REFUSED || code == ONE_BY_ONE {
        return Some(error.message().to_owned());
    }
    if code.starts_with(UNREADABLE) {
        return Some(format!("a value can't be read: {}", error.message()));
    } else if !code.starts_with(CONSTRAINTS) {
        return None;
    }
    let words = match (code, error.constraint()) {
        (FOREIGN_KEY, _) => "it refers to a row that is not there, or that belongs to another account".to_owned(),
        (CHECK, Some("level_below_zero")) => "a balance would fall below 0".to_owned(),
        (CHECK, Some("refunded_above_price")) => "more would be refunded than the item cost".to_owned(),
        (CHECK, Some("restored_above_given")) => "more would be restored than the balance gave".to_owned(),
        (CHECK, Some(check)) => format!("a value is not allowed: {check}"),
        (MISSING, _) => format!("a value is missing: {}", error.column().unwrap_or("nobody knows which")),
        (TWICE, _) => "there is one of the same already".to_owned(),
        _ => error.message().to_owned(),
    };
    Some(words)
}

/// A database error in the words of the port.
pub(crate) fn backend(error: sqlx::Error) -> StoreError {
    let Some(said) = said(&error) else {
        return match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed => StoreError::Unavailable(format!("the database can't be reached: {error}")),
            other => StoreError::Backend(other.to_string()),
        };
    };
    let id = || said.detail().unwrap_or_default().to_owned();
    match said.code() {
        STALE => StoreError::Stale { what: name(said.message()), id: id() },
        NOT_FOUND => StoreError::NotFound { what: name(said.message()), id: id() },
        INCONSISTENT => StoreError::Inconsistent { at: id(), why: said.message().to_owned() },
        "53100" => StoreError::Unavailable("the database's disk is full: nothing was changed".to_owned()),
        "42501" => StoreError::Unavailable(format!(
            "this login is not allowed to do that ({}): the record's owner can give it a role by `makegoodctl db grant`",
            said.message()
        )),
        "25006" => StoreError::Unavailable("the database can't be written: it is read-only".to_owned()),
        _ => StoreError::Backend(error.to_string()),
    }
}

fn name(what: &str) -> &'static str {
    NAMES.iter().find(|name| **name == what).copied().unwrap_or("row")
}

/// A fault as an error of the port, where a refusal means that the caller's rows contradict the record.
pub(super) fn as_error(fault: Fault, at: &str) -> StoreError {
    match fault {
        Fault::Refused(why) => StoreError::Inconsistent { at: at.to_owned(), why },
        Fault::Failed(error) => error,
    }
}
