//! A TCP link to a PostgreSQL server that breaks where it is told to: at the n-th message of one
//! direction, before it, in the middle of it, or after it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Length 8, and the number that asks for TLS.
const TLS_QUESTION: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    ToServer,
    ToClient,
}

/// How much of the message at which the link breaks still arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrives {
    Nothing,
    Half,
    All,
}

/// Where the link breaks next.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    pub direction: Direction,
    /// Messages of that direction that pass before.
    pub after: u64,
    pub arrives: Arrives,
}

/// The next cut, shared by all links, and how many messages there were.
#[derive(Debug, Default)]
pub struct Scissors(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    next: Option<Cut>,
    /// Letter of the message at which the link was cut; 0 for the first of a client, which has none.
    cut_at: Option<u8>,
    messages: BTreeMap<Direction, u64>,
}

impl Scissors {
    fn with<T>(&self, work: impl FnOnce(&mut Seen) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn arm(&self, cut: Cut) {
        self.with(|seen| (seen.next, seen.cut_at) = (Some(cut), None));
    }

    /// Whether the cut is still to come.
    pub fn is_armed(&self) -> bool {
        self.with(|seen| seen.next.is_some())
    }

    /// Takes the cut away. The letter of the message at which the link was cut, if it was.
    pub fn disarm(&self) -> Option<u8> {
        self.with(|seen| {
            seen.next = None;
            seen.cut_at.take()
        })
    }

    pub fn count_anew(&self) {
        self.with(|seen| seen.messages.clear());
    }

    /// Messages of a direction since they were counted anew.
    pub fn counted(&self, direction: Direction) -> u64 {
        self.with(|seen| seen.messages.get(&direction).copied().unwrap_or_default())
    }

    /// Counts a message. What arrives of it, where the link breaks at it.
    fn meets(&self, direction: Direction, letter: u8) -> Option<Arrives> {
        self.with(|seen| {
            *seen.messages.entry(direction).or_default() += 1;
            let cut = seen.next.as_mut().filter(|cut| cut.direction == direction)?;
            if cut.after > 0 {
                cut.after -= 1;
                return None;
            }
            seen.cut_at = Some(letter);
            seen.next.take().map(|cut| cut.arrives)
        })
    }
}

/// Whether a message is part of signing in: a client's first, its password, and the server's questions.
pub fn is_sign_in(direction: Direction, letter: u8) -> bool {
    match direction {
        Direction::ToServer => matches!(letter, 0 | b'p'),
        Direction::ToClient => matches!(letter, b'R' | b'S' | b'K'),
    }
}

/// Whether a message has a statement done and committed, or tells what came of it: outside a transaction
/// `Execute` and `Sync` are its commit, and rows, the end of the command and readiness its answer.
pub fn is_commit(direction: Direction, letter: u8) -> bool {
    match direction {
        Direction::ToServer => matches!(letter, b'E' | b'S'),
        Direction::ToClient => matches!(letter, b'D' | b'C' | b'Z'),
    }
}

/// Listens, and links every caller to `server`. Ends with the runtime.
pub async fn listen(server: u16, scissors: Arc<Scissors>) -> std::io::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let scissors = Arc::clone(&scissors);
            tokio::spawn(async move {
                if let Ok(upstream) = TcpStream::connect(("127.0.0.1", server)).await {
                    link(client, upstream, scissors).await;
                }
            });
        }
    });
    Ok(port)
}

/// Carries messages both ways until one side is gone or the link is cut.
async fn link(mut client: TcpStream, server: TcpStream, scissors: Arc<Scissors>) {
    // Small messages that wait for one another take 40 ms each.
    let is_prompt = client.set_nodelay(true).is_ok() && server.set_nodelay(true).is_ok();
    if !is_prompt || !greet(&mut client).await {
        return;
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let other = Arc::clone(&scissors);
    let mut there: JoinHandle<()> =
        tokio::spawn(async move { carry(from_client, to_server, Direction::ToServer, &scissors).await });
    let mut back: JoinHandle<()> =
        tokio::spawn(async move { carry(from_server, to_client, Direction::ToClient, &other).await });
    // Whichever ends first ends both: a link is whole or gone.
    tokio::select! {
        _ = &mut there => back.abort(),
        _ = &mut back => there.abort(),
    }
}

/// Tells a caller who asks for TLS that there is none: the answer is one byte, and no message. The
/// question is looked at before it is taken, as it may be none.
async fn greet(client: &mut TcpStream) -> bool {
    let mut question = [0_u8; TLS_QUESTION.len()];
    loop {
        match client.peek(&mut question).await {
            Ok(0) | Err(_) => return false,
            Ok(length) if length < question.len() => tokio::task::yield_now().await,
            Ok(_) if question != TLS_QUESTION => return true,
            Ok(_) => return client.read_exact(&mut question).await.is_ok() && client.write_all(b"N").await.is_ok(),
        }
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, direction: Direction, scissors: &Scissors) {
    let mut is_first = direction == Direction::ToServer;
    while let Some(message) = message(&mut from, is_first).await {
        let letter = if std::mem::take(&mut is_first) { 0 } else { message.first().copied().unwrap_or_default() };
        let arrives = scissors.meets(direction, letter);
        let length = match arrives {
            Some(Arrives::Nothing) => 0,
            Some(Arrives::Half) => message.len() / 2,
            Some(Arrives::All) | None => message.len(),
        };
        if to.write_all(&message[..length]).await.is_err() || to.flush().await.is_err() || arrives.is_some() {
            return;
        }
    }
}

/// One message of the protocol: a letter and a length; the first one of a client has no letter.
async fn message(from: &mut OwnedReadHalf, is_first: bool) -> Option<Vec<u8>> {
    let mut head = vec![0_u8; if is_first { 4 } else { 5 }];
    from.read_exact(&mut head).await.ok()?;
    let length: [u8; 4] = head[head.len() - 4..].try_into().ok()?;
    let rest = usize::try_from(u32::from_be_bytes(length)).ok()?.checked_sub(4)?;
    let start = head.len();
    head.resize(start + rest, 0);
    from.read_exact(&mut head[start..]).await.ok()?;
    Some(head)
}
