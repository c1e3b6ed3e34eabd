//! What may come in. Every number is a promise to the machine that this runs on.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::house::House;
use crate::problem::Problem;

/// Limits of the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a webhook. Predictions with their logs and inline files have more than a megabyte, and a provider
    /// whose webhook is refused for its length may never tell of that job again.
    pub webhook_bytes: usize,
    /// Bytes of all bodies that are being read or kept at the same time.
    pub all_bytes: usize,
    /// Connections at the same time; further ones wait to be accepted.
    pub connections: usize,
    /// Bytes of a request's line and headers, and their number.
    pub head_bytes: usize,
    pub headers: usize,
    /// For the head of a request, from its first byte; also how long a connection may be idle.
    pub head: Duration,
    /// A body may come as slowly as it likes for so long, and then must have come at this rate all the while.
    pub grace: Duration,
    pub bytes_per_second: u32,
    /// For room among all bodies, each time that a body needs more of it.
    pub room: Duration,
    /// For a request, from its head to its answer.
    pub request: Duration,
    /// For what is under way when it is told to stop.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            webhook_bytes: 16 * 1024 * 1024,
            all_bytes: 256 * 1024 * 1024,
            connections: 1024,
            head_bytes: 64 * 1024,
            headers: 100,
            head: Duration::from_secs(15),
            grace: Duration::from_secs(5),
            bytes_per_second: 16 * 1024,
            room: Duration::from_secs(5),
            request: Duration::from_secs(30),
            stop: Duration::from_secs(25),
        }
    }
}

/// What stands around the method and the address, around a header's name and value, and at the end of a head.
const AROUND_A_LINE: usize = "  HTTP/1.1\r\n".len();
const AROUND_A_HEADER: usize = ": \r\n".len();
const END_OF_HEAD: usize = "\r\n".len();

/// Refuses a request whose head is longer than the limit. The connection has a limit too, but notices only when its
/// buffer is full, and a head that came in one piece may have been twice as long by then.
pub async fn keep_heads_short(State(house): State<Arc<House>>, request: Request, next: Next) -> Response {
    if head_bytes(&request) <= house.limits.head_bytes {
        return next.run(request).await;
    }
    let why = format!("the head is longer than the {} bytes that are taken", house.limits.head_bytes);
    Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, why).into_response()
}

/// Bytes of a request's line and headers, as they are sent without needless space.
fn head_bytes<B>(request: &axum::http::Request<B>) -> usize {
    let address = request.uri().path_and_query().map_or(1, |it| it.as_str().len());
    let headers = request.headers().iter().map(|(name, value)| AROUND_A_HEADER + name.as_str().len() + value.len());
    AROUND_A_LINE + request.method().as_str().len() + address + headers.sum::<usize>() + END_OF_HEAD
}
