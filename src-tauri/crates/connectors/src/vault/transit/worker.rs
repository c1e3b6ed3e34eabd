//! Hashes and writes what arrives on a thread of its own, so that the network is not waited for while the disk is, nor
//! the other way round.
//!
//! [`BUFFERS`] buffers of [`PIECE`] bytes go round between the two: 1 MiB is all that is on its way, and all that a
//! killed program loses (reliability 1.4, k2). A power cut loses what had not reached the disk: while bytes arrive
//! they are synced, on a third thread, as soon as [`SYNCED_BYTES`] are waiting and [`SYNC_PAUSE`] has passed; what
//! stands still is synced as well. To wait for the disk after each MiB would hold fast transfers to a tenth of their
//! speed, to save fetching again what arrived in a tenth of a second. For the same reason the first [`SYNC_FROM`] bytes
//! are not synced on their way while they come within a second: a short file is synced once, when it is whole.

use std::io::{Error, Result};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle as Thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use super::part::{Part, Version};

/// Bytes of one buffer.
pub(super) const PIECE: usize = 256 * 1024;
/// Buffers of one file.
const BUFFERS: usize = 4;
const SYNCED_BYTES: u64 = 1024 * 1024;
const SYNC_PAUSE: Duration = Duration::from_millis(100);
const SYNC_FROM: u64 = 32 * 1024 * 1024;
const FIRST_SYNC: Duration = Duration::from_secs(1);

enum Order {
    Bytes(Vec<u8>),
    Restart(Version),
    /// Nothing more comes: the part is given back.
    Finish,
}

/// The thread that writes a part, as the receiver knows it. Dropped, it writes what it has and leaves the part.
#[derive(Debug)]
pub(super) struct Worker {
    orders: Sender<Order>,
    empty: UnboundedReceiver<Vec<u8>>,
    made: usize,
    /// `None` after it was asked how it ended.
    done: Option<JoinHandle<Result<Option<Part>>>>,
}

impl Worker {
    pub fn of(part: Part) -> Self {
        let (orders, told) = channel();
        let (back, empty) = unbounded_channel();
        let done = tokio::task::spawn_blocking(move || Writer::new(part, told, back).work());
        Self { orders, empty, made: 0, done: Some(done) }
    }

    /// An empty buffer, once there is one.
    pub async fn buffer(&mut self) -> Result<Vec<u8>> {
        if let Ok(buffer) = self.empty.try_recv() {
            return Ok(buffer);
        }
        if self.made < BUFFERS {
            self.made += 1;
            return Ok(Vec::with_capacity(PIECE));
        }
        match self.empty.recv().await {
            Some(buffer) => Ok(buffer),
            None => Err(self.why().await),
        }
    }

    pub async fn write(&mut self, buffer: Vec<u8>) -> Result<()> {
        self.order(Order::Bytes(buffer)).await
    }

    pub async fn restart(&mut self, version: Version) -> Result<()> {
        self.order(Order::Restart(version)).await
    }

    /// What was written, all of it.
    pub async fn finish(mut self) -> Result<Part> {
        self.order(Order::Finish).await?;
        self.ended().await?.ok_or_else(stopped)
    }

    /// Writes a last buffer without waiting for it.
    pub fn leave(self, last: Option<Vec<u8>>) {
        // A worker that has ended has left the part already.
        let _ended = last.map(|buffer| self.orders.send(Order::Bytes(buffer)));
    }

    async fn order(&mut self, order: Order) -> Result<()> {
        match self.orders.send(order) {
            Ok(()) => Ok(()),
            Err(_) => Err(self.why().await),
        }
    }

    /// Why the worker has ended; the first asker is told.
    async fn why(&mut self) -> Error {
        match self.ended().await {
            Ok(_) => stopped(),
            Err(error) => error,
        }
    }

    async fn ended(&mut self) -> Result<Option<Part>> {
        let Some(done) = self.done.take() else { return Err(stopped()) };
        done.await.unwrap_or_else(|error| Err(Error::other(error)))
    }
}

fn stopped() -> Error {
    Error::other("the writer had stopped")
}

/// The other end.
struct Writer {
    part: Part,
    told: Receiver<Order>,
    back: UnboundedSender<Vec<u8>>,
    /// Bytes that no sync was begun for.
    waiting: u64,
    /// When a sync was begun last.
    begun: Instant,
    /// Whether one was ever begun.
    is_synced: bool,
    sync: Option<Thread<Result<()>>>,
}

impl Writer {
    fn new(part: Part, told: Receiver<Order>, back: UnboundedSender<Vec<u8>>) -> Self {
        Self { part, told, back, waiting: 0, begun: Instant::now(), is_synced: false, sync: None }
    }

    fn work(mut self) -> Result<Option<Part>> {
        let done = self.orders();
        // Nothing is deleted or moved while it is being synced.
        let synced = self.sync.take().map_or(Ok(()), join);
        match (done, synced) {
            (Ok(true), Ok(())) => Ok(Some(self.part)),
            (Ok(false), Ok(())) => self.part.leave().map(|()| None),
            (Err(error), _) | (Ok(_), Err(error)) => {
                self.part.leave()?;
                Err(error)
            }
        }
    }

    /// Does what it is told; whether the part is wanted back.
    fn orders(&mut self) -> Result<bool> {
        loop {
            let order = if self.waiting == 0 {
                self.told.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                self.told.recv_timeout(SYNC_PAUSE)
            };
            match order {
                Ok(Order::Bytes(mut buffer)) => {
                    self.part.append(&buffer)?;
                    self.waiting += buffer.len() as u64;
                    buffer.clear();
                    // Nobody takes it back where the receiver is gone.
                    let _gone = self.back.send(buffer);
                    if self.waiting >= SYNCED_BYTES {
                        self.sync()?;
                    }
                }
                Ok(Order::Restart(version)) => {
                    self.part.restart(version)?;
                    self.waiting = 0;
                }
                Ok(Order::Finish) => return Ok(true),
                Err(RecvTimeoutError::Timeout) => self.sync()?,
                Err(RecvTimeoutError::Disconnected) => return Ok(false),
            }
        }
    }

    /// Begins a sync, unless one is going on or has only just been begun.
    fn sync(&mut self) -> Result<()> {
        let is_busy = self.sync.as_ref().is_some_and(|thread| !thread.is_finished());
        let pause = if self.part.bytes() < SYNC_FROM && !self.is_synced { FIRST_SYNC } else { SYNC_PAUSE };
        if is_busy || self.begun.elapsed() < pause {
            return Ok(());
        }
        self.sync.take().map_or(Ok(()), join)?;
        if let Some(work) = self.part.syncing()? {
            self.sync = Some(std::thread::Builder::new().name("sync-part".to_owned()).spawn(work)?);
        }
        (self.begun, self.waiting, self.is_synced) = (Instant::now(), 0, true);
        Ok(())
    }
}

fn join(thread: Thread<Result<()>>) -> Result<()> {
    thread.join().unwrap_or_else(|_| Err(stopped()))
}
