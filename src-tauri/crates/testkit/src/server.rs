//! A server that answers as it is told, byte by byte: it can lie about lengths, break off, and
//! fall silent, which well-behaved mock servers can't.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One answer. Made by [`Reply::json`] and [`Reply::file`], changed by the rest.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    send: Option<usize>,
    length: Option<String>,
    ranges: bool,
    stall: bool,
    silent: bool,
}

impl Reply {
    #[must_use]
    pub fn new(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), media_type.to_owned())],
            body: body.into(),
            send: None,
            length: None,
            ranges: false,
            stall: false,
            silent: false,
        }
    }

    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// A file that can be asked for in parts.
    #[must_use]
    pub fn file(media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { ranges: true, ..Self::new(200, media_type, body) }
    }

    /// The same bytes as a part of a file, whether or not one was asked for; `range` as `Content-Range` has it.
    #[must_use]
    pub fn part_of(self, range: &str) -> Self {
        Self { status: 206, ranges: false, ..self }.header("content-range", range)
    }

    #[must_use]
    pub fn redirect(to: &str) -> Self {
        Self::new(302, "text/plain", "").header("location", to)
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends only the first bytes of the body, then closes.
    #[must_use]
    pub fn cut_after(self, bytes: usize) -> Self {
        Self { send: Some(bytes), ..self }
    }

    /// Sends only the first bytes of the body, then nothing, without closing.
    #[must_use]
    pub fn stall_after(self, bytes: usize) -> Self {
        Self { send: Some(bytes), stall: true, ..self }
    }

    /// Sends nothing at all, without closing.
    #[must_use]
    pub fn silent(self) -> Self {
        Self { silent: true, ..self }
    }

    /// Claims this length, whatever is sent.
    #[must_use]
    pub fn claims_length(self, length: &str) -> Self {
        Self { length: Some(length.to_owned()), ..self }
    }

    /// The answer to a request for a part, where the file can be had in parts.
    fn part(&self, range: Option<&str>) -> Self {
        let first = range.filter(|_| self.ranges).and_then(|r| {
            let (first, last) = r.strip_prefix("bytes=")?.split_once('-')?;
            if first.is_empty() {
                return Some((self.body.len().saturating_sub(last.parse().ok()?), None));
            }
            Some((first.parse::<usize>().ok()?, last.parse::<usize>().ok()))
        });
        let Some((first, last)) = first.filter(|(first, _)| *first < self.body.len()) else { return self.clone() };
        let last = last.unwrap_or(usize::MAX).min(self.body.len() - 1);
        let mut part = self.clone().header("content-range", &format!("bytes {first}-{last}/{}", self.body.len()));
        part.status = 206;
        part.body = self.body.get(first..=last).unwrap_or_default().to_vec();
        part
    }

    fn head(&self) -> String {
        let length = self.length.clone().unwrap_or_else(|| self.body.len().to_string());
        let mut head = format!("HTTP/1.1 {} Told\r\ncontent-length: {length}\r\nconnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        head
    }
}

/// A request that came.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path and query.
    pub target: String,
    pub body: Vec<u8>,
    headers: BTreeMap<String, String>,
}

impl Request {
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(&name.to_ascii_lowercase()).map(String::as_str)
    }
}

#[derive(Debug, Default)]
struct Script {
    replies: BTreeMap<String, Vec<Reply>>,
    /// To what nothing is scripted for.
    otherwise: Option<Reply>,
    seen: Vec<Request>,
}

/// Listens on loopback until it is dropped.
#[derive(Debug)]
pub struct Server {
    base: String,
    script: Arc<Mutex<Script>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let script = Arc::<Mutex<Script>>::default();
        let shared = Arc::clone(&script);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let script = Arc::clone(&shared);
                // A caller that hangs up is part of the tests, and tells nobody anything.
                tokio::spawn(async move { answer(stream, &script).await.unwrap_or_default() });
            }
        });
        Ok(Self { base, script, task })
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Answers requests for `path` (queries and methods are ignored) with these, in order, and then with the last
    /// one for ever.
    pub fn on(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        script.replies.insert(path.to_owned(), replies.into_iter().collect());
    }

    /// Answers like this wherever nothing is scripted.
    pub fn otherwise(&self, reply: Reply) {
        self.script.lock().unwrap_or_else(PoisonError::into_inner).otherwise = Some(reply);
    }

    /// What was asked so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Request> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner).seen.clone()
    }
}

impl Script {
    fn reply_to(&mut self, request: &Request) -> Reply {
        self.seen.push(request.clone());
        let path = request.target.split('?').next().unwrap_or_default();
        match self.replies.get_mut(path) {
            Some(replies) if replies.len() > 1 => replies.remove(0),
            Some(replies) if !replies.is_empty() => replies[0].clone(),
            _ => match &self.otherwise {
                Some(reply) => reply.clone(),
                None => Reply::json(404, &serde_json::json!({ "detail": "nothing was scripted here" })),
            },
        }
        .part(request.header("range"))
    }
}

async fn answer(stream: TcpStream, script: &Mutex<Script>) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let first = line(&mut reader).await?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = BTreeMap::new();
    loop {
        let line = line(&mut reader).await?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    // What is left unread when the connection closes would take the answer with it.
    let mut body = vec![0; headers.get("content-length").and_then(|n| n.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body).await?;
    let request = Request { method, target, body, headers };
    let reply = script.lock().unwrap_or_else(PoisonError::into_inner).reply_to(&request);
    if reply.silent {
        line(&mut reader).await?;
        return Ok(());
    }
    writer.write_all(reply.head().as_bytes()).await?;
    let end = reply.send.unwrap_or(usize::MAX).min(reply.body.len());
    writer.write_all(&reply.body[..end]).await?;
    writer.flush().await?;
    if reply.stall {
        // Until the caller gives up and closes.
        line(&mut reader).await?;
    }
    writer.shutdown().await
}

/// The next line, without its end; empty where nothing more comes.
async fn line(reader: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> std::io::Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line).await?;
    Ok(line.trim_end().to_owned())
}
