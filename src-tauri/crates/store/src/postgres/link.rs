//! Calls of the functions of schema `api`. A call is one statement outside any transaction of ours:
//! it is committed whole when it is answered. When the link breaks before the answer, nobody knows
//! whether it was; asked again with the same arguments, a function answers what it answered.

use std::time::Duration;

use makegood_domain::ports::StoreError;
use serde_json::Value;
use sqlx::postgres::PgPool;

use super::PgStore;
use super::fault::{Fault, Worked, said};

/// So often a call is sent before its outcome is called unknown (R14).
const TRIES: u32 = 8;

/// Before the second try; doubled before each further one.
const PAUSE: Duration = Duration::from_millis(25);

/// An argument of a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Argument<'a> {
    Text(Option<&'a str>),
    Int(Option<i64>),
    Bytes(Option<&'a [u8]>),
}

/// The way to the functions.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// For calls, and for nothing that opens a transaction.
    pub(super) calls: PgPool,
    /// Why nothing may be written.
    pub(super) read_only: Option<String>,
}

impl PgStore {
    pub(super) async fn call(&self, sql: &'static str, arguments: &[Argument<'_>]) -> Worked<Value> {
        self.link.call(sql, arguments).await
    }
}

impl Link {
    /// Runs `SELECT api.f($1, …)` and returns its one value; a function that returns nothing gives null.
    ///
    /// `sql` must select one `jsonb`.
    pub(super) async fn call(&self, sql: &'static str, arguments: &[Argument<'_>]) -> Worked<Value> {
        if let Some(why) = &self.read_only {
            return Err(Fault::Failed(StoreError::Unavailable(why.clone())));
        }
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match self.call_once(sql, arguments).await {
                Err(error) if is_worth_another(&error) => {
                    tracing::warn!(%error, sql, "the call is sent again");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                answered => return Ok(answered?),
            }
        }
        Ok(self.call_once(sql, arguments).await?)
    }

    async fn call_once(&self, sql: &'static str, arguments: &[Argument<'_>]) -> Result<Value, sqlx::Error> {
        let mut query = sqlx::query_scalar::<_, Option<Value>>(sql);
        for argument in arguments {
            query = match *argument {
                Argument::Text(text) => query.bind(text),
                Argument::Int(number) => query.bind(number),
                Argument::Bytes(bytes) => query.bind(bytes),
            };
        }
        Ok(query.fetch_one(&self.calls).await?.unwrap_or_default())
    }
}

/// Whether the same call may end otherwise: the link broke, the server went down, or two writers
/// were in each other's way.
fn is_worth_another(error: &sqlx::Error) -> bool {
    match said(error) {
        Some(said) => {
            matches!(said.code(), "40001" | "40P01" | "57P01" | "57P02" | "57P03") || said.code().starts_with("08")
        }
        None => matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed),
    }
}
