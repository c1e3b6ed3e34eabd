//! What can go wrong in a use case, and how it crosses the bridge: public text apart from internal.

use makegood_domain::ports::{ConnectionError, ReaderError, StoreError};

use crate::contract::{Code, WireError};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("this request can't be understood: {0}")]
    BadRequest(String),
    #[error("{0}")]
    Stale(String),
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Reader(#[from] ReaderError),
    #[error(transparent)]
    Connection(#[from] ConnectionError),
}

pub type Result<T> = std::result::Result<T, Error>;

impl From<Error> for WireError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let (code, retry) = match &error {
            Error::BadRequest(_) => (Code::BadRequest, false),
            Error::Stale(_) | Error::Store(StoreError::Stale { .. }) | Error::Connection(ConnectionError::Stale(_)) => {
                (Code::Stale, true)
            }
            Error::Refused(_) | Error::Connection(ConnectionError::Refused(_)) => (Code::Refused, false),
            Error::Store(StoreError::NotFound { .. }) | Error::Connection(ConnectionError::Unknown(_)) => {
                (Code::NotFound, false)
            }
            Error::Store(StoreError::Unavailable(_))
            | Error::Reader(_)
            | Error::Connection(ConnectionError::Unavailable(_)) => (Code::Unavailable, true),
            Error::Store(StoreError::Backend(_) | StoreError::Inconsistent { .. }) => (Code::Internal, true),
        };
        if code == Code::Internal {
            tracing::error!(error = %message, "a use case failed");
        }
        Self { code, message, retry, incident: None }
    }
}
