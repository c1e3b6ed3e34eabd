//! HTTP/2 (RFC 9113) as far as a server needs it that answers each stream with what it is told, good or bad. What a
//! request says is not read: that there is one is all that counts.

use std::sync::atomic::Ordering;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::server::Counts;

/// What one stream gets.
#[derive(Clone, Copy, Debug)]
pub enum Reply {
    /// 200 and `{}`.
    Answer,
    /// The server is going away, and did nothing about this stream (6.8).
    GoesAwayBefore,
    /// The server is going away, and may have done what it was asked.
    GoesAwayAfter,
    /// The stream is over, with this code (7).
    Reset(u32),
    /// 200, half of the body, and the end of the stream with this code.
    ResetWithin(u32),
    /// So many frames of this kind, which nobody asked for.
    Flood(Frame, u32),
    /// The connection ends in the middle of a frame.
    Breaks,
}

/// Frames to flood with.
#[derive(Clone, Copy, Debug)]
pub enum Frame {
    Reset,
    Ping,
    Settings,
    /// Headers of 16 KiB that never end.
    Continuation,
}

/// `REFUSED_STREAM`: nothing was done about it.
pub const REFUSED: u32 = 0x7;
/// `INTERNAL_ERROR`.
pub const INTERNAL: u32 = 0x2;
/// `CANCEL`.
pub const CANCEL: u32 = 0x8;
/// `ENHANCE_YOUR_CALM`.
pub const CALM: u32 = 0xb;

const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const RST_STREAM: u8 = 0x3;
const SETTINGS: u8 = 0x4;
const PING: u8 = 0x6;
const GOAWAY: u8 = 0x7;
const CONTINUATION: u8 = 0x9;
const ACK: u8 = 0x1;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
/// `PRI * HTTP/2.0…` (3.4).
const PREFACE_BYTES: usize = 24;
/// `:status 200` of the static table (RFC 7541, A).
const STATUS_200: u8 = 0x88;
/// Frames that are sent together of a flood.
const BATCH: u32 = 256;

/// Serves one connection until it ends.
pub async fn speak<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    mut next: impl FnMut() -> Reply,
    counts: &Counts,
) -> std::io::Result<()> {
    let mut preface = [0; PREFACE_BYTES];
    stream.read_exact(&mut preface).await?;
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
    stream.flush().await?;
    let mut asked = None;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let [a, b, c, kind, flags, id @ ..] = head;
        let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).await?;
        let id = u32::from_be_bytes(id) & 0x7fff_ffff;
        match kind {
            SETTINGS if flags & ACK == 0 => stream.write_all(&frame(SETTINGS, ACK, 0, &[])).await?,
            PING if flags & ACK == 0 => stream.write_all(&frame(PING, ACK, 0, &payload)).await?,
            HEADERS => {
                counts.questions.fetch_add(1, Ordering::SeqCst);
                asked = Some(id);
            }
            _ => {}
        }
        if matches!(kind, HEADERS | DATA)
            && flags & END_STREAM != 0
            && let Some(id) = asked.take()
        {
            let goes_on = reply(&mut stream, id, next(), counts).await?;
            stream.flush().await?;
            if !goes_on {
                return stream.shutdown().await;
            }
        }
        stream.flush().await?;
    }
}

/// Whether the connection goes on.
async fn reply<S: AsyncWrite + Unpin>(stream: &mut S, id: u32, reply: Reply, counts: &Counts) -> std::io::Result<bool> {
    let goes_away = |last: u32| frame(GOAWAY, 0, 0, &[last.to_be_bytes(), 0_u32.to_be_bytes()].concat());
    match reply {
        Reply::Answer => {
            stream.write_all(&frame(HEADERS, END_HEADERS, id, &[STATUS_200])).await?;
            stream.write_all(&frame(DATA, END_STREAM, id, b"{}")).await?;
            counts.answered.fetch_add(1, Ordering::SeqCst);
            Ok(true)
        }
        Reply::GoesAwayBefore => stream.write_all(&goes_away(0)).await.map(|()| false),
        Reply::GoesAwayAfter => stream.write_all(&goes_away(id)).await.map(|()| false),
        Reply::Reset(code) => stream.write_all(&frame(RST_STREAM, 0, id, &code.to_be_bytes())).await.map(|()| true),
        Reply::ResetWithin(code) => {
            stream.write_all(&frame(HEADERS, END_HEADERS, id, &[STATUS_200])).await?;
            stream.write_all(&frame(DATA, 0, id, b"{")).await?;
            stream.write_all(&frame(RST_STREAM, 0, id, &code.to_be_bytes())).await.map(|()| true)
        }
        Reply::Flood(kind, count) => flood(stream, id, kind, count).await.map(|()| false),
        Reply::Breaks => {
            let whole = frame(HEADERS, END_HEADERS, id, &[STATUS_200]);
            stream.write_all(whole.get(..5).unwrap_or_default()).await.map(|()| false)
        }
    }
}

async fn flood<S: AsyncWrite + Unpin>(stream: &mut S, id: u32, kind: Frame, count: u32) -> std::io::Result<()> {
    if matches!(kind, Frame::Continuation) {
        stream.write_all(&frame(HEADERS, 0, id, &[STATUS_200])).await?;
    }
    let mut left = count;
    while left > 0 {
        let now = left.min(BATCH);
        let mut bytes = Vec::new();
        for number in 0..now {
            bytes.extend(match kind {
                // Of streams that nobody opened, among them its own.
                Frame::Reset => frame(RST_STREAM, 0, id + 2 * (number % 2), &CANCEL.to_be_bytes()),
                Frame::Ping => frame(PING, 0, 0, &[0; 8]),
                Frame::Settings => frame(SETTINGS, 0, 0, &[]),
                Frame::Continuation => frame(CONTINUATION, 0, id, &header_that_is_long()),
            });
        }
        stream.write_all(&bytes).await?;
        left -= now;
    }
    Ok(())
}

/// A literal header without indexing: `x` with 8 KiB (RFC 7541, 6.2.2).
fn header_that_is_long() -> Vec<u8> {
    const LENGTH: usize = 8 * 1024;
    // 127 + 8065, in seven bits a byte: the low ones first.
    let rest = LENGTH - 127;
    let low = u8::try_from(rest % 128).unwrap_or_default() | 0x80;
    let high = u8::try_from(rest / 128).unwrap_or_default();
    let mut bytes = vec![0x00, 0x01, b'x', 0x7f, low, high];
    bytes.resize(bytes.len() + LENGTH, b'a');
    bytes
}

fn frame(kind: u8, flags: u8, id: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or_default().to_be_bytes();
    let mut bytes = length.get(1..).unwrap_or_default().to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(id.to_be_bytes());
    bytes.extend(payload);
    bytes
}
