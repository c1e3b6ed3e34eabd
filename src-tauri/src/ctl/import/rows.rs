//! Rows of CSV (RFC 4180): a line each, or several where a quoted cell goes on over the end of one. What can't be
//! read is one line and never more: a quote that nobody closes would else take all rows after it along.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use makegood_domain::events::EVENT_BYTES_MAX;

use super::pieces::read_line;

/// Lines over which one cell may go on.
const CELL_LINES_MAX: usize = 100;
/// Bytes that are kept of a line that can't be read.
const EXCERPT_BYTES: usize = 4 * 1024;

/// A row, or the line in its place that is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The first of its lines, from 1.
    pub line: u64,
    /// Where the next row begins.
    pub byte: u64,
    pub cells: Result<Vec<String>, Flaw>,
}

/// Why a line is no row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    /// In which cell, from 0; `None` where it is the whole line.
    pub cell: Option<usize>,
    pub why: &'static str,
    /// The beginning of the line.
    pub raw: String,
}

/// Why a text can't be taken apart, and in which cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Torn {
    Open(usize),
    Behind(usize),
}

const OPEN: &str = "a quote is opened and not closed";
const BEHIND: &str = "something comes after the closing quote";
const NO_TEXT: &str = "it is no text in UTF-8";
const TOO_LONG: &str = "the line is too long";

/// An input, row by row.
pub(super) struct Rows {
    content: Box<dyn BufRead + Send>,
    /// Lines that were read and belong to no row yet, each with its length in the input.
    ahead: VecDeque<(Vec<u8>, u64)>,
    line: u64,
    byte: u64,
}

impl Rows {
    pub(super) fn new(content: Box<dyn BufRead + Send>) -> Self {
        Self { content, ahead: VecDeque::new(), line: 0, byte: 0 }
    }

    /// The next row; lines with nothing in them are none. A row of several lines is taken for one only where
    /// `is_row` says that its cells fit.
    pub(super) fn next(&mut self, is_row: &dyn Fn(&[String]) -> bool) -> io::Result<Option<Row>> {
        loop {
            let Some((bytes, length)) = self.peek(0)? else { return Ok(None) };
            let is_blank = bytes.trim_ascii().is_empty();
            let bytes = if is_blank { Vec::new() } else { bytes.to_vec() };
            let first = self.line + 1;
            if is_blank {
                self.take(1);
                continue;
            }
            let (lines, cells) = self.row(&bytes, length, is_row)?;
            self.take(lines);
            return Ok(Some(Row { line: first, byte: self.byte, cells }));
        }
    }

    /// How many lines the row that begins with this one has, and what is in it.
    fn row(
        &mut self,
        first: &[u8],
        length: u64,
        is_row: &dyn Fn(&[String]) -> bool,
    ) -> io::Result<(usize, Result<Vec<String>, Flaw>)> {
        let flaw = |cell, why| {
            let excerpt = first.get(..EXCERPT_BYTES).unwrap_or(first);
            let raw = String::from_utf8_lossy(excerpt).trim_end().to_owned();
            Ok((1, Err(Flaw { cell, why, raw })))
        };
        if length > u64::try_from(EVENT_BYTES_MAX).unwrap_or(u64::MAX) {
            return flaw(None, TOO_LONG);
        }
        let mut text = match std::str::from_utf8(first) {
            Ok(text) => text.to_owned(),
            Err(error) => {
                let before = first.get(..error.valid_up_to()).unwrap_or_default();
                return flaw(Some(before.iter().filter(|byte| **byte == b',').count()), NO_TEXT);
            }
        };
        let cell = match split(&text) {
            Ok(cells) => return Ok((1, Ok(cells))),
            Err(Torn::Behind(cell)) => return flaw(Some(cell), BEHIND),
            Err(Torn::Open(cell)) => cell,
        };
        for more in 1..CELL_LINES_MAX {
            let Some((next, _)) = self.peek(more)? else { break };
            let Ok(next) = std::str::from_utf8(next) else { break };
            text.push_str(next);
            match split(&text) {
                Ok(cells) if is_row(&cells) => return Ok((more + 1, Ok(cells))),
                Err(Torn::Open(_)) if text.len() <= EVENT_BYTES_MAX => {}
                Ok(_) | Err(_) => break,
            }
        }
        flaw(Some(cell), OPEN)
    }

    /// The line so many after the next one.
    fn peek(&mut self, number: usize) -> io::Result<Option<(&[u8], u64)>> {
        while self.ahead.len() <= number {
            let mut text = Vec::new();
            let length = read_line(&mut self.content, &mut text)?;
            if length == 0 {
                return Ok(None);
            }
            // Some programs begin a file with the mark of the byte order.
            if self.byte == 0 && self.ahead.is_empty() && text.starts_with(b"\xef\xbb\xbf") {
                text.drain(..3);
            }
            self.ahead.push_back((text, length));
        }
        Ok(self.ahead.get(number).map(|(text, length)| (text.as_slice(), *length)))
    }

    fn take(&mut self, lines: usize) {
        for (_, length) in self.ahead.drain(..lines.min(self.ahead.len())) {
            self.line += 1;
            self.byte += length;
        }
    }
}

/// The cells of a row, without blanks round them.
fn split(text: &str) -> Result<Vec<String>, Torn> {
    let mut cells = Vec::new();
    let mut rest = text.strip_suffix('\n').unwrap_or(text);
    rest = rest.strip_suffix('\r').unwrap_or(rest);
    loop {
        let (cell, behind) = match rest.strip_prefix('"') {
            Some(quoted) => unquoted(quoted, cells.len())?,
            None => {
                let (cell, behind) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
                (cell.to_owned(), behind)
            }
        };
        cells.push(cell.trim().to_owned());
        match behind.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Ok(cells),
        }
    }
}

/// A cell up to the quote that closes it, and what is behind; a quote in it is written twice.
fn unquoted(text: &str, number: usize) -> Result<(String, &str), Torn> {
    let mut cell = String::new();
    let mut rest = text;
    loop {
        let (part, behind) = rest.split_once('"').ok_or(Torn::Open(number))?;
        cell.push_str(part);
        if let Some(more) = behind.strip_prefix('"') {
            cell.push('"');
            rest = more;
            continue;
        }
        let behind = behind.trim_start_matches([' ', '\t']);
        let is_closed = behind.is_empty() || behind.starts_with(',');
        return if is_closed { Ok((cell, behind)) } else { Err(Torn::Behind(number)) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as text, a flaw as its cell and its reason; of three cells, of which the second holds no end of a line.
    fn rows(content: &[u8]) -> Vec<(u64, String)> {
        let mut rows = Rows::new(Box::new(io::Cursor::new(content.to_vec())));
        let is_row = |cells: &[String]| cells.len() == 3 && !cells[1].contains('\n');
        let mut all = Vec::new();
        let mut last = 0;
        while let Some(row) = rows.next(&is_row).unwrap() {
            assert!(row.byte > last, "it goes on");
            last = row.byte;
            all.push((
                row.line,
                match row.cells {
                    Ok(cells) => cells.join("|"),
                    Err(flaw) => format!("{:?} {} <{}>", flaw.cell, flaw.why, flaw.raw),
                },
            ));
        }
        assert_eq!(last, u64::try_from(content.trim_ascii_end().len()).unwrap().max(last));
        all
    }

    #[test]
    fn cells_are_what_is_between_commas() {
        for (text, want) in [
            ("a,b,c\n", "a|b|c"),
            ("\u{feff}a, b ,c\r\n", "a|b|c"),
            ("a,,", "a||"),
            (",,\n", "||"),
            ("\"a,1\",\"say \"\"b\"\"\",\" c \" \n", "a,1|say \"b\"|c"),
            ("a,b \"x\" y,\"\"\n", "a|b \"x\" y|"),
            ("one\n", "one"),
        ] {
            assert_eq!(rows(text.as_bytes()), [(1, want.to_owned())], "{text:?}");
        }
        assert_eq!(rows(b"\n  \r\n\na,b,c\n\n"), [(4, "a|b|c".to_owned())]);
    }

    #[test]
    fn a_line_that_cant_be_read_takes_no_other_along() {
        let open = |line: u64, cell, raw| (line, format!("Some({cell}) a quote is opened and not closed <{raw}>"));
        let row = |line: u64, text: &str| (line, text.to_owned());
        for (text, want) in [
            // Nobody closes it.
            ("a,\"b,c\nd,e,f\ng,h,i\n", vec![open(1, 1, "a,\"b,c"), row(2, "d|e|f"), row(3, "g|h|i")]),
            // The quote of a later row would close it.
            ("a,\"b,c\nd,e,f\ng,\"h\",i\n", vec![open(1, 1, "a,\"b,c"), row(2, "d|e|f"), row(3, "g|h|i")]),
            ("a,b,\"c\nd,e,\"f\"\n", vec![open(1, 2, "a,b,\"c"), row(2, "d|e|f")]),
            // It is closed, and is no row of this table.
            ("a,\"b\nd\",f\ng,h,i\n", vec![open(1, 1, "a,\"b"), row(2, "d\"|f"), row(3, "g|h|i")]),
            // At the end.
            ("a,b,c\nd,\"e", vec![row(1, "a|b|c"), open(2, 1, "d,\"e")]),
            // A note over several lines is one cell.
            ("a,b,\"c\nd, e\n\"\"f\"\"\"\ng,h,i\n", vec![row(1, "a|b|c\nd, e\n\"f\""), row(4, "g|h|i")]),
            (
                "a,\"b\"x,c\nd,e,f\n",
                vec![row(1, "Some(1) something comes after the closing quote <a,\"b\"x,c>"), row(2, "d|e|f")],
            ),
        ] {
            assert_eq!(rows(text.as_bytes()), want, "{text:?}");
        }
        let torn = rows(b"a,b,c\nd,\xff,f\ng,h,i\n");
        assert_eq!(torn[1], (2, "Some(1) it is no text in UTF-8 <d,\u{fffd},f>".to_owned()));
        assert_eq!(torn[2], row(3, "g|h|i"));
        let long = format!("a,b,{}\nd,e,f\n", "x".repeat(EVENT_BYTES_MAX));
        let found = rows(long.as_bytes());
        assert!(found[0].1.starts_with("None the line is too long <a,b,xxx"), "{}", found[0].1.len());
        assert_eq!(found[1..], [row(2, "d|e|f")]);
    }
}
