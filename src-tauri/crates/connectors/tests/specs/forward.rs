//! Stands between an adapter and Prism, and adds the header that says which of the documented
//! answers is wanted: an adapter under test must not know that header.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What was answered to one question.
#[derive(Clone, Debug)]
pub struct Passed {
    /// Path and query.
    pub target: String,
    pub status: u16,
    pub body: Vec<u8>,
}

#[derive(Debug, Default)]
struct State {
    prefer: String,
    passed: Vec<Passed>,
}

/// Listens on loopback until it is dropped.
pub struct Forward {
    port: u16,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Forward {
    /// Passes questions on to `port`.
    pub async fn to(port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let own = listener.local_addr()?.port();
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                // A broken connection shows in what the adapter makes of it.
                tokio::spawn(async move { pass(stream, port, &state).await.unwrap_or_default() });
            }
        });
        Ok(Self { port: own, state, task })
    }

    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Asks Prism for this from now on: `example=failed`, `code=404`. Forgets what was passed.
    pub fn prefer(&self, what: &str) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) =
            State { prefer: what.to_owned(), passed: Vec::new() };
    }

    pub fn passed(&self) -> Vec<Passed> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).passed.clone()
    }
}

async fn pass(mut from: TcpStream, port: u16, state: &Mutex<State>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(from.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let prefer = state.lock().unwrap_or_else(PoisonError::into_inner).prefer.clone();
    let mut asked = String::new();
    for line in head.trim_end().lines().filter(|line| !line.to_ascii_lowercase().starts_with("connection:")) {
        asked.push_str(line);
        asked.push_str("\r\n");
    }
    if !prefer.is_empty() {
        asked.push_str(&format!("prefer: {prefer}\r\n"));
    }
    asked.push_str("connection: close\r\n\r\n");
    let mut to = TcpStream::connect(("127.0.0.1", port)).await?;
    to.write_all(asked.as_bytes()).await?;
    let mut answer = Vec::new();
    to.read_to_end(&mut answer).await?;
    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
    state.lock().unwrap_or_else(PoisonError::into_inner).passed.push(read(target, &answer));
    from.write_all(&answer).await?;
    from.shutdown().await
}

fn read(target: String, answer: &[u8]) -> Passed {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
    let head = String::from_utf8_lossy(&answer[..end]);
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Passed { target, status, body: answer[end..].to_vec() }
}
