//! A server that says byte by byte what it is told to, and is honest where it is told nothing: it serves one file
//! in parts, in the version that is current. One request a connection, so that a fault is one request's.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::scripts::{Script, Stage};

/// Where the job is asked about, and its file.
pub const QUESTION: &str = "/v1/predictions/net";
pub const FILE: &str = "/f";
/// The longest request head that is read.
const LONGEST_HEAD: usize = 64 * 1024;
/// Between two bytes that drip, in real time: the time that passes is virtual.
const DRIP: Duration = Duration::from_millis(1);

/// What is done on a connection, one after another; then it is closed.
#[derive(Clone, Debug)]
pub enum Act {
    Send(Vec<u8>),
    /// So many bytes, all the same, made while they are sent.
    Fill(u64),
    /// The same bytes over and over, until the other end is tired of it.
    Endless(Vec<u8>),
    /// Virtual time passes.
    Pass(Duration),
    /// Byte by byte, with so much virtual time before each.
    Drip(Vec<u8>, Duration),
    /// Nothing more, without closing.
    Stall,
    /// The connection is torn down.
    Reset,
    /// Nothing more is sent, but the connection stays.
    HalfClose,
}

/// What one request gets.
pub type Answer = Vec<Act>;

/// A request that came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub range: Option<String>,
    /// When it came, in virtual time.
    pub at: Duration,
}

/// A version of the file.
#[derive(Clone, Debug)]
pub struct Version {
    pub bytes: Arc<Vec<u8>>,
    pub tag: &'static str,
}

impl Version {
    /// Answers with a part or all of it, as a sound server does.
    #[must_use]
    pub fn honest(&self, range: Option<(u64, bool)>) -> Answer {
        let length = self.bytes.len();
        let head = |status: &str, more: &str, sent: usize| {
            let tag = self.tag;
            format!(
                "HTTP/1.1 {status}\r\ncontent-type: video/mp4\r\ncontent-length: {sent}\r\netag: {tag}\r\naccept-ranges: \
                 bytes\r\nconnection: close\r\n{more}\r\n"
            )
        };
        let first = range.filter(|(_, same)| *same).and_then(|(first, _)| usize::try_from(first).ok());
        match first {
            Some(first) if first >= length => {
                vec![Act::Send(head("416 No", &format!("content-range: bytes */{length}\r\n"), 0).into_bytes())]
            }
            Some(first) => {
                let more = format!("content-range: bytes {first}-{}/{length}\r\n", length - 1);
                vec![
                    Act::Send(head("206 Part", &more, length - first).into_bytes()),
                    Act::Send(self.bytes[first..].to_vec()),
                ]
            }
            None => vec![Act::Send(head("200 OK", "", length).into_bytes()), Act::Send(self.bytes.to_vec())],
        }
    }

    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Act {
        Act::Send(self.bytes[range].to_vec())
    }
}

/// What a server is told.
#[derive(Debug)]
pub struct Told {
    pub looks: VecDeque<Answer>,
    pub files: VecDeque<Answer>,
    /// What the question gets when it was told all answers.
    pub look: Answer,
    /// What the file is when all answers were given.
    pub file: Version,
    /// Answers the last file's answer for ever.
    pub file_for_ever: Option<Answer>,
    pub seen: Vec<Seen>,
    /// Bytes that were sent of files, heads included.
    sent: Arc<AtomicU64>,
}

/// Virtual time, which the client's pace shows.
#[derive(Debug, Default)]
pub struct Hours(AtomicU64);

impl Hours {
    #[must_use]
    pub fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }

    pub fn pass(&self, time: Duration) {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        // Far enough for every wait, and never over the end.
        let _before = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| Some(now.saturating_add(ms)));
    }
}

/// Listens on loopback until it is dropped.
#[derive(Debug)]
pub struct Wire {
    told: Arc<Mutex<Told>>,
    taken: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Wire {
    pub fn listen(listener: TcpListener, told: Told, hours: Arc<Hours>) -> Self {
        let told = Arc::new(Mutex::new(told));
        let taken = Arc::new(AtomicU64::new(0));
        let (shared, count) = (Arc::clone(&told), Arc::clone(&taken));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let (told, hours) = (Arc::clone(&shared), Arc::clone(&hours));
                // A caller that hangs up is what many scripts are about.
                tokio::spawn(async move { serve(stream, &told, &hours).await.unwrap_or_default() });
            }
        });
        Self { told, taken, task }
    }

    pub fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connections that were taken since they were [taken from it](Self::take_taken).
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::SeqCst)
    }

    pub fn take_taken(&self) -> u64 {
        self.taken.swap(0, Ordering::SeqCst)
    }

    /// Bytes that were sent of files since it was told what to say.
    pub fn sent(&self) -> u64 {
        self.told().sent.load(Ordering::SeqCst)
    }
}

impl Told {
    /// Nothing: the server is honest.
    pub fn honest(file: Version, base: &str) -> Self {
        Self {
            looks: VecDeque::new(),
            files: VecDeque::new(),
            look: Stage::look(base),
            file,
            file_for_ever: None,
            seen: Vec::new(),
            sent: Arc::default(),
        }
    }

    pub fn by(script: &Script, file: Version, base: &str) -> Self {
        let honest = Self::honest(file, base);
        let for_ever = |answers: &[Answer]| answers.last().filter(|_| script.for_ever).cloned();
        Self {
            looks: script.looks.clone().into(),
            files: script.files.clone().into(),
            look: for_ever(&script.looks).unwrap_or_else(|| honest.look.clone()),
            file_for_ever: for_ever(&script.files),
            ..honest
        }
    }

    fn answer(&mut self, seen: &Seen, same_version: Option<String>) -> Answer {
        self.seen.push(seen.clone());
        if seen.path == QUESTION {
            return self.looks.pop_front().unwrap_or_else(|| self.look.clone());
        }
        if seen.path != FILE {
            let page = "<html>Sign in to the network</html>";
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n", page.len());
            return vec![Act::Send(head.into_bytes()), Act::Send(page.into())];
        }
        if let Some(answer) = self.files.pop_front().or_else(|| self.file_for_ever.clone()) {
            return answer;
        }
        let first = seen.range.as_ref().and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
        let same = same_version.is_none_or(|tag| tag == self.file.tag);
        self.file.honest(first.map(|first| (first, same)))
    }
}

async fn serve(mut stream: TcpStream, told: &Mutex<Told>, hours: &Hours) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < LONGEST_HEAD {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let mut words = text.split(' ').map(str::to_owned);
    let header = |name: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    };
    let seen = Seen {
        method: words.next().unwrap_or_default(),
        path: words.next().unwrap_or_default(),
        range: header("range"),
        at: hours.now(),
    };
    let (answer, sent) = {
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = if seen.path == FILE { Arc::clone(&told.sent) } else { Arc::default() };
        (told.answer(&seen, header("if-range")), sent)
    };
    for act in answer {
        perform(&mut stream, act, hours, &sent).await?;
    }
    stream.shutdown().await
}

/// Sends, and counts what the other end's machine took.
async fn send(stream: &mut TcpStream, mut bytes: &[u8], sent: &AtomicU64) -> std::io::Result<()> {
    while !bytes.is_empty() {
        let count = stream.write(bytes).await?;
        sent.fetch_add(count as u64, Ordering::SeqCst);
        bytes = &bytes[count..];
    }
    Ok(())
}

async fn perform(stream: &mut TcpStream, act: Act, hours: &Hours, sent: &AtomicU64) -> std::io::Result<()> {
    match act {
        Act::Send(bytes) => send(stream, &bytes, sent).await,
        Act::Fill(bytes) => {
            let piece = vec![0; 64 * 1024];
            let mut left = bytes;
            while left > 0 {
                let now = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                send(stream, &piece[..now], sent).await?;
                left -= now as u64;
            }
            Ok(())
        }
        Act::Endless(bytes) => loop {
            send(stream, &bytes, sent).await?;
        },
        Act::Pass(time) => {
            hours.pass(time);
            Ok(())
        }
        Act::Drip(bytes, each) => {
            stream.set_nodelay(true)?;
            for byte in bytes {
                hours.pass(each);
                send(stream, &[byte], sent).await?;
                tokio::time::sleep(DRIP).await;
            }
            Ok(())
        }
        Act::Stall => hang_up(stream).await,
        Act::Reset => stream.set_zero_linger().and(Err(std::io::ErrorKind::ConnectionReset.into())),
        Act::HalfClose => {
            stream.shutdown().await?;
            hang_up(stream).await
        }
    }
}

/// Until the other end gives up.
async fn hang_up(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}
