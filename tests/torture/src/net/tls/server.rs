//! A server that speaks TLS as it is told, or does not, and counts what it could read.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::authority::Identity;
use super::frames::{self, Reply};

/// How connections are taken.
#[derive(Clone)]
pub enum Manner {
    /// TLS of these versions, with this identity; HTTP/1.1 inside.
    Shows(Identity, &'static [&'static SupportedProtocolVersion]),
    /// HTTP/2 inside: what the first streams get, and all after them.
    Frames(Identity, Vec<Reply>, Reply),
    /// These bytes for whatever comes first, and the end of the connection.
    Says(Vec<u8>),
    /// Nothing, for as long as the other end waits.
    Nothing,
}

pub const BOTH: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
pub const OLD: &[&SupportedProtocolVersion] = &[&TLS12];
pub const NEW: &[&SupportedProtocolVersion] = &[&TLS13];

/// What was counted.
#[derive(Debug, Default)]
pub struct Counts {
    pub connections: AtomicUsize,
    /// Questions that could be read.
    pub questions: AtomicUsize,
    /// Those of them that were answered.
    pub answered: AtomicUsize,
}

/// Listens on loopback until it is dropped.
pub struct Server {
    pub address: SocketAddr,
    pub counts: Arc<Counts>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

const PLAIN: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";

impl Server {
    pub async fn start(manner: &Manner) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, counts) = (listener.local_addr()?, Arc::new(Counts::default()));
        let acceptor = match manner {
            Manner::Shows(identity, versions) => Some(acceptor(identity, versions, b"http/1.1")?),
            Manner::Frames(identity, ..) => Some(acceptor(identity, BOTH, b"h2")?),
            Manner::Says(_) | Manner::Nothing => None,
        };
        let script = match manner {
            Manner::Frames(_, first, then) => Some((Arc::new(Mutex::new(first.clone().into())), *then)),
            _ => None,
        };
        let (shared, manner) = (Arc::clone(&counts), manner.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let (counts, acceptor, script) = (Arc::clone(&shared), acceptor.clone(), script.clone());
                let manner = manner.clone();
                // One who hangs up is what is wanted, mostly.
                tokio::spawn(async move { take(stream, &manner, acceptor, script, &counts).await.unwrap_or_default() });
            }
        });
        Ok(Self { address, counts, task })
    }
}

fn acceptor(
    identity: &Identity,
    versions: &[&'static SupportedProtocolVersion],
    inside: &[u8],
) -> anyhow::Result<TlsAcceptor> {
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(ring)
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_single_cert(vec![identity.certificate.clone()], identity.key.clone_key())?;
    config.alpn_protocols = vec![inside.to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What streams get, for all connections together.
type Script = (Arc<Mutex<std::collections::VecDeque<Reply>>>, Reply);

async fn take(
    mut stream: TcpStream,
    manner: &Manner,
    acceptor: Option<TlsAcceptor>,
    script: Option<Script>,
    counts: &Counts,
) -> std::io::Result<()> {
    if let Some(acceptor) = acceptor {
        let stream = acceptor.accept(stream).await?;
        return match script {
            Some((first, then)) => {
                let next = || first.lock().unwrap_or_else(PoisonError::into_inner).pop_front().unwrap_or(then);
                frames::speak(stream, next, counts).await
            }
            None => one_answer(stream, counts).await,
        };
    }
    let mut hello = [0; 1024];
    if stream.read(&mut hello).await? == 0 {
        return Ok(());
    }
    if let Manner::Says(bytes) = manner {
        stream.write_all(bytes).await?;
        return stream.shutdown().await;
    }
    while stream.read(&mut hello).await? > 0 {}
    Ok(())
}

/// Reads one head, and answers it.
async fn one_answer(mut stream: tokio_rustls::server::TlsStream<TcpStream>, counts: &Counts) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    counts.questions.fetch_add(1, Ordering::SeqCst);
    stream.write_all(PLAIN).await?;
    counts.answered.fetch_add(1, Ordering::SeqCst);
    stream.shutdown().await
}
