//! An input in pieces that are taken in one transaction each.

use std::io::{self, BufRead, Read as _};

use anyhow::Context as _;
use makegood_domain::events::{self, EVENT_BYTES_MAX};
use makegood_domain::ports::{ImportPosition, Told, Unread};
use tokio::sync::mpsc::Sender;

use super::columns::Columns;
use super::input::Input;

/// Lines in one transaction.
const LINES: u64 = 1_000;
/// Bytes in one transaction, about: long lines make short pieces.
const BYTES: u64 = 4 * 1024 * 1024;
/// Bytes that are kept of a line that is too long.
const EXCERPT_BYTES: usize = 4 * 1024;

/// Lines that are taken together, each with its number in the file.
#[derive(Debug)]
pub(super) struct Piece {
    pub told: Vec<(u64, Told)>,
    pub unread: Vec<(u64, Unread)>,
    pub lines: u64,
    /// Where the file is read on after this piece.
    pub position: ImportPosition,
}

impl Piece {
    fn empty() -> Self {
        let position = ImportPosition { byte: 0, line: 0, done: false };
        Self { told: Vec::new(), unread: Vec::new(), lines: 0, position }
    }
}

/// Reads the input from a position on, until its end or until nobody takes the pieces any more.
pub(super) fn read(
    input: Input,
    columns: Option<Columns>,
    from: Option<&ImportPosition>,
    send: &Sender<Piece>,
) -> anyhow::Result<()> {
    let name = input.name.clone();
    let read = match columns {
        Some(columns) => columns.read(input.content, &input.name, from, send),
        None => lines(input.content, &input.name, from, send),
    };
    read.with_context(|| format!("{name} can't be read"))
}

/// Collects what was read, and sends it in pieces.
pub(super) struct Pieces<'a> {
    send: &'a Sender<Piece>,
    piece: Piece,
    begun_at: u64,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(send: &'a Sender<Piece>, begun_at: u64) -> Self {
        Self { send, piece: Piece::empty(), begun_at }
    }

    /// Adds a line; `false`: nobody wants more. `byte`: where the next line begins.
    pub(super) fn add(&mut self, line: u64, read: Result<Told, Unread>, byte: u64) -> bool {
        match read {
            Ok(told) => self.piece.told.push((line, told)),
            Err(unread) => self.piece.unread.push((line, unread)),
        }
        self.piece.lines += 1;
        self.piece.position = ImportPosition { byte, line, done: false };
        if self.piece.lines < LINES && byte.saturating_sub(self.begun_at) < BYTES {
            return true;
        }
        self.begun_at = byte;
        self.send.blocking_send(std::mem::replace(&mut self.piece, Piece::empty())).is_ok()
    }

    /// Sends the rest; after it, the input is at its end.
    pub(super) fn end(mut self, line: u64, byte: u64) {
        self.piece.position = ImportPosition { byte, line, done: true };
        // Who does not want the end has stopped before.
        drop(self.send.blocking_send(self.piece));
    }
}

fn lines(
    mut content: Box<dyn BufRead + Send>,
    name: &str,
    from: Option<&ImportPosition>,
    send: &Sender<Piece>,
) -> anyhow::Result<()> {
    let (mut byte, mut line) = from.map_or((0, 0), |position| (position.byte, position.line));
    let skipped = io::copy(&mut (&mut content).take(byte), &mut io::sink())?;
    anyhow::ensure!(skipped == byte, "it is shorter than when it was read last: --from-start reads all of it");
    let mut pieces = Pieces::new(send, byte);
    let mut text = Vec::new();
    loop {
        let length = read_line(&mut content, &mut text)?;
        if length == 0 {
            pieces.end(line, byte);
            return Ok(());
        }
        line += 1;
        byte += length;
        let trimmed = text.trim_ascii();
        let wanted = trimmed.is_empty() || pieces.add(line, event(trimmed, &format!("{name}:{line}")), byte);
        if !wanted {
            return Ok(());
        }
    }
}

fn event(text: &[u8], place: &str) -> Result<Told, Unread> {
    // Some programs begin a file with the mark of the byte order.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    match events::parse_line(text) {
        Ok(event) => Ok(Told::new(event, place).written_down()),
        Err(why) => Err(Unread {
            whole: text.len() <= EVENT_BYTES_MAX,
            reason: why.to_string(),
            raw: why.raw,
            place: place.to_owned(),
        }),
    }
}

/// Reads a line with its end, whose length is returned; of one that is too long to be an event, only the
/// beginning and enough more to be refused for its length.
pub(super) fn read_line(content: &mut impl BufRead, text: &mut Vec<u8>) -> io::Result<u64> {
    text.clear();
    let most = u64::try_from(EVENT_BYTES_MAX + EXCERPT_BYTES).unwrap_or(u64::MAX);
    let mut length = as_length(content.take(most).read_until(b'\n', text)?);
    while length >= most && !text.ends_with(b"\n") {
        let rest = content.fill_buf()?;
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            let all = rest.len();
            content.consume(all);
            length += as_length(all);
            if all == 0 {
                break;
            }
            continue;
        };
        content.consume(end + 1);
        length += as_length(end + 1);
        break;
    }
    Ok(length)
}

fn as_length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    fn pieces(content: &str, from: Option<&ImportPosition>) -> Vec<Piece> {
        let (send, mut receive) = mpsc::channel(100);
        let content: Box<dyn BufRead + Send> = Box::new(io::Cursor::new(content.as_bytes().to_vec()));
        lines(content, "feed", from, &send).unwrap();
        drop(send);
        std::iter::from_fn(|| receive.blocking_recv()).collect()
    }

    fn fact(number: u64) -> String {
        format!(r#"{{"type":"provider","data":{{"id":"p{number}","retention_source":"unknown"}}}}"#)
    }

    #[test]
    fn lines_keep_their_numbers_and_bad_ones_keep_nobody_out() {
        let long = "x".repeat(EVENT_BYTES_MAX + 2 * EXCERPT_BYTES);
        let content = format!("\u{feff}{}\n\n{{\n{long}\n{}", fact(1), fact(2));
        let [piece] = pieces(&content, None).try_into().unwrap();
        let told: Vec<_> = piece.told.iter().map(|(line, told)| (*line, told.place.as_str())).collect();
        assert_eq!(told, [(1, "feed:1"), (5, "feed:5")]);
        let unread: Vec<_> =
            piece.unread.iter().map(|(line, unread)| (*line, unread.whole, unread.raw.len())).collect();
        assert_eq!(unread, [(3, true, 1), (4, false, EXCERPT_BYTES)]);
        assert_eq!(piece.position, ImportPosition { byte: as_length(content.len()), line: 5, done: true });
    }

    #[test]
    fn a_piece_is_a_thousand_lines_and_the_next_reading_begins_after_it() {
        let content: String = (0..2_500).map(|number| fact(number) + "\n").collect();
        let all = pieces(&content, None);
        assert_eq!(all.iter().map(|piece| piece.told.len()).collect::<Vec<_>>(), [1_000, 1_000, 500]);
        assert_eq!(all.iter().map(|piece| piece.position.done).collect::<Vec<_>>(), [false, false, true]);
        let rest = pieces(&content, Some(&all[0].position));
        assert_eq!(rest.iter().map(|piece| piece.told.len()).collect::<Vec<_>>(), [1_000, 500]);
        assert_eq!(rest[0].told[0].0, 1_001);
        assert_eq!(rest[1].position, all[2].position);
    }
}
