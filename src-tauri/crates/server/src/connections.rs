//! Connections: accepted up to a limit, read with patience but not for ever, and ended after what is under way.

use std::sync::Arc;

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::limits::Limits;

/// How serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Connections that were cut because they took too long to end.
    pub cut: usize,
}

/// Serves until `stop` says true, then ends what is under way.
pub async fn serve(listener: TcpListener, routes: Router, limits: &Limits, mut stop: watch::Receiver<bool>) -> Ended {
    let room = Arc::new(Semaphore::new(limits.connections));
    let mut open = JoinSet::new();
    while !*stop.borrow() {
        let accepted = async {
            let place = Arc::clone(&room).acquire_owned().await.ok()?;
            Some((place, listener.accept().await))
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => match accepted {
                Some(accepted) => accepted,
                None => break,
            },
            changed = stop.changed() => match changed {
                Ok(()) => continue,
                Err(_) => break,
            },
            Some(_) = open.join_next() => continue,
        };
        match accepted {
            Ok((stream, _)) => {
                let (routes, limits, stop) = (routes.clone(), limits.clone(), stop.clone());
                open.spawn(async move {
                    one(stream, routes, &limits, stop).await;
                    drop(place);
                });
            }
            Err(why) => {
                // Out of handles, mostly: some will be given back.
                tracing::warn!(%why, "a connection can't be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    let all = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.stop, all).await.is_ok() {
        return Ended { cut: 0 };
    }
    let cut = open.len();
    open.shutdown().await;
    Ended { cut }
}

/// One connection, request after request. A stop ends it after the request at hand.
async fn one(stream: TcpStream, routes: Router, limits: &Limits, mut stop: watch::Receiver<bool>) {
    if let Err(why) = stream.set_nodelay(true) {
        tracing::debug!(%why, "answers of a connection are held back");
    }
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(limits.head_bytes)
        .max_headers(limits.headers);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    tokio::pin!(connection);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(why) = ended {
                    tracing::debug!(%why, "a connection broke off");
                }
                return;
            }
            changed = stop.changed() => {
                if changed.is_err() || *stop.borrow() {
                    connection.as_mut().graceful_shutdown();
                    if let Err(why) = connection.await {
                        tracing::debug!(%why, "a connection broke off");
                    }
                    return;
                }
            }
        }
    }
}
