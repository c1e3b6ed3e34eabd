//! A provider whose files differ in eight bytes, and are sent as fast as they are taken.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Where a file's number is in it.
const OWN_AT: usize = 64;

pub struct Provider {
    /// `http://127.0.0.1:PORT`.
    pub base: String,
    task: JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Provider {
    pub async fn start(content: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let content = Arc::new(content);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let content = Arc::clone(&content);
                tokio::spawn(async move { send(stream, &content).await.unwrap_or_default() });
            }
        });
        Self { base, task }
    }
}

async fn send(stream: TcpStream, content: &[u8]) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    let asked = lines.next_line().await?.unwrap_or_default();
    let path = asked.split(' ').nth(1).unwrap_or_default();
    let number: u64 = path.rsplit('/').next().and_then(|last| last.parse().ok()).unwrap_or_default();
    while lines.next_line().await?.is_some_and(|line| !line.is_empty()) {}
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: video/mp4\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        content.len()
    );
    let (before, own) = content.split_at(OWN_AT);
    writer.write_all(&[head.as_bytes(), before, &number.to_be_bytes()].concat()).await?;
    writer.write_all(own.get(8..).unwrap_or_default()).await?;
    writer.shutdown().await
}
