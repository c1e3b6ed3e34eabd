//! Columns to values: instants are UTC microseconds, words are those of the domain's serde names.

use jiff::Timestamp;
use makegood_domain::ports::{StoreError, StoreResult};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Names SQL statements, and lists them for the tests that prepare each on a fresh schema.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$doc])* pub(super) const $name: &str = $sql;)+
        #[cfg(test)]
        pub(crate) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),+];
    };
}

/// The instant as the store keeps it. Finer than a microsecond is cut.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// The instant of a column.
pub(crate) fn instant(value: i64, at: &str) -> StoreResult<Timestamp> {
    Timestamp::from_microsecond(value)
        .map_err(|_| StoreError::Inconsistent { at: at.to_owned(), why: format!("{value} is no instant") })
}

/// The serde name of a plain enum.
pub(crate) fn word<T: Serialize>(value: &T) -> StoreResult<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => Ok(text),
        Ok(other) => Err(StoreError::Backend(format!("{other} is no word"))),
        Err(error) => Err(StoreError::Backend(error.to_string())),
    }
}

/// Words for an optional value.
pub(crate) fn opt_word<T: Serialize>(value: Option<&T>) -> StoreResult<Option<String>> {
    value.map(word).transpose()
}

/// The enum of a serde name.
pub(crate) fn parse_word<T: DeserializeOwned>(text: String, at: &str) -> StoreResult<T> {
    serde_json::from_value(serde_json::Value::String(text))
        .map_err(|error| StoreError::Inconsistent { at: at.to_owned(), why: error.to_string() })
}

/// A document as JSON text.
pub(crate) fn document<T: Serialize>(value: &T) -> StoreResult<String> {
    serde_json::to_string(value).map_err(unwritten)
}

pub(crate) fn unwritten(error: serde_json::Error) -> StoreError {
    StoreError::Backend(format!("a document can't be written: {error}"))
}

/// A document from JSON text.
pub(crate) fn parse_document<T: DeserializeOwned>(text: &str, at: &str) -> StoreResult<T> {
    serde_json::from_str(text).map_err(|error| StoreError::Inconsistent { at: at.to_owned(), why: error.to_string() })
}

/// A count or number that the domain keeps unsigned.
pub(crate) fn unsigned<T: TryFrom<i64>>(value: i64, at: &str) -> StoreResult<T> {
    T::try_from(value)
        .map_err(|_| StoreError::Inconsistent { at: at.to_owned(), why: format!("{value} is out of range") })
}

/// An unsigned number as a column. Beyond `i64` it is kept at the largest.
pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Reading of columns by name, whichever database the row came from.
pub(crate) trait Columns {
    fn text(&self, column: &str) -> StoreResult<String>;
    fn opt_text(&self, column: &str) -> StoreResult<Option<String>>;
    fn int(&self, column: &str) -> StoreResult<i64>;
    fn opt_int(&self, column: &str) -> StoreResult<Option<i64>>;

    fn count<T: TryFrom<i64>>(&self, column: &str) -> StoreResult<T> {
        unsigned(self.int(column)?, column)
    }
    fn flag(&self, column: &str) -> StoreResult<bool> {
        Ok(self.int(column)? != 0)
    }
    fn time(&self, column: &str) -> StoreResult<Timestamp> {
        instant(self.int(column)?, column)
    }
    fn opt_time(&self, column: &str) -> StoreResult<Option<Timestamp>> {
        self.opt_int(column)?.map(|value| instant(value, column)).transpose()
    }
    fn word<T: DeserializeOwned>(&self, column: &str) -> StoreResult<T> {
        parse_word(self.text(column)?, column)
    }
    fn opt_word<T: DeserializeOwned>(&self, column: &str) -> StoreResult<Option<T>> {
        self.opt_text(column)?.map(|text| parse_word(text, column)).transpose()
    }
}
