//! Bodies: read as they arrive, into room that all of them share. Room is taken for what is there and never for what
//! was announced, so whoever announces much and sends nothing keeps nobody else out.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use crate::limits::Limits;
use crate::problem::Problem;

/// Bytes that one permit of the room stands for.
const KIB: usize = 1024;
/// A body takes as much again as it has, at least and at most so much, and no more than its length.
const LEAST_STEP: usize = 4 * KIB;
const STEP: usize = 64 * KIB;

/// What all bodies that are being read or kept may take together.
#[derive(Clone, Debug)]
pub struct Room(Arc<Semaphore>);

/// A body, and the room that it takes.
pub struct Taken {
    pub bytes: Bytes,
    /// Given back when what was sent is kept.
    pub room: Option<OwnedSemaphorePermit>,
}

impl Room {
    pub fn of(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new((bytes / KIB).min(Semaphore::MAX_PERMITS))))
    }

    /// Reads a body of at most `limit` bytes.
    ///
    /// # Errors
    /// It is longer, broke off, came too slowly, or found no room in time. What it had taken is given back.
    pub async fn read(
        &self,
        headers: &HeaderMap,
        mut body: Body,
        limit: usize,
        limits: &Limits,
    ) -> Result<Taken, Problem> {
        let said = headers.get(header::CONTENT_LENGTH).and_then(|text| text.to_str().ok()?.parse::<usize>().ok());
        let most = said.unwrap_or(limit);
        if most > limit {
            return Err(too_long(limit));
        }
        let (mut bytes, mut room) = (Vec::new(), None);
        // When the sender began, later by what it had to wait for us.
        let mut began = Instant::now();
        loop {
            let Ok(frame) = timeout_at(patience(began, bytes.len(), limits), body.frame()).await else {
                return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the body came too slowly"));
            };
            let Some(frame) = frame else { break };
            let Ok(data) = frame.map_err(broke_off)?.into_data() else { continue };
            let length = bytes.len() + data.len();
            if length > limit {
                return Err(too_long(limit));
            }
            if length > bytes.capacity() {
                let step = bytes.capacity().clamp(LEAST_STEP, STEP);
                let capacity = (bytes.capacity() + step).min(most).max(length);
                let asked = Instant::now();
                self.grow(&mut room, capacity, limits.room).await?;
                began += asked.elapsed();
                bytes.reserve_exact(capacity - bytes.len());
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Taken { bytes: bytes.into(), room })
    }

    /// Takes what a body of `capacity` bytes lacks, in `wait` at the most: bodies that hold all room between them
    /// would wait for each other for ever.
    async fn grow(
        &self,
        room: &mut Option<OwnedSemaphorePermit>,
        capacity: usize,
        wait: Duration,
    ) -> Result<(), Problem> {
        let has = room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let lacks = u32::try_from(capacity.div_ceil(KIB).saturating_sub(has)).unwrap_or(u32::MAX);
        let more = match timeout(wait, Arc::clone(&self.0).acquire_many_owned(lacks)).await {
            Ok(Ok(more)) => more,
            Ok(Err(_)) => return Err(Problem::later("this server is being stopped")),
            Err(_) => return Err(Problem::later("too much is being sent at the moment")),
        };
        match room {
            Some(room) => room.merge(more),
            None => *room = Some(more),
        }
        Ok(())
    }
}

/// Until when more must have come than these bytes.
fn patience(began: Instant, bytes: usize, limits: &Limits) -> Instant {
    let earned = Duration::from_secs(1).mul_f64(bytes as f64 / f64::from(limits.bytes_per_second.max(1)));
    began + limits.grace + earned
}

fn too_long(limit: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than the {limit} bytes that are taken"))
}

fn broke_off<E>(_: E) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "the body broke off")
}

#[cfg(test)]
mod tests;
