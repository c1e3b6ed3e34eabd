//! Values of rows as both databases keep them, and the one form in which rows are compared.
//!
//! A row is one line: a JSON array of its values in the order of the table's columns, ended by a line
//! feed. Numbers are whole; yes and no are 1 and 0; bytes are an object `{"hex": …}`. Documents are
//! JSON themselves, with sorted names, without spaces, and with whole numbers written as such. A NUL
//! in a text, which PostgreSQL cannot keep, is U+FFFD.

use makegood_domain::ports::{StoreError, StoreResult};
use serde_json::{Number, Value};
use sha2::{Digest, Sha256};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Text,
    Bytes,
    /// JSON: text on SQLite, `jsonb` on PostgreSQL.
    Document,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    /// In the form of comparison.
    Document(String),
}

impl Cell {
    /// A text as both sides can keep it.
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.replace('\0', "\u{fffd}"))
    }

    /// A document in the form of comparison. `at` names it in an error.
    pub(super) fn document(text: &str, at: &str) -> StoreResult<Self> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| StoreError::Inconsistent { at: at.to_owned(), why: error.to_string() })?;
        Ok(Self::Document(plain(value).to_string()))
    }

    fn json(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Int(number) => number.to_string(),
            Self::Text(text) => Value::String(text.clone()).to_string(),
            Self::Bytes(bytes) => format!("{{\"hex\":\"{}\"}}", hex::encode(bytes)),
            Self::Document(text) => text.clone(),
        }
    }

    /// As a field of `COPY … FROM STDIN` in text format.
    fn copied(&self) -> String {
        match self {
            Self::Null => "\\N".to_owned(),
            Self::Int(number) => number.to_string(),
            Self::Text(text) | Self::Document(text) => escaped(text),
            Self::Bytes(bytes) => format!("\\\\x{}", hex::encode(bytes)),
        }
    }
}

fn escaped(text: &str) -> String {
    let mut field = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '\\' => field.push_str("\\\\"),
            '\n' => field.push_str("\\n"),
            '\r' => field.push_str("\\r"),
            '\t' => field.push_str("\\t"),
            other => field.push(other),
        }
    }
    field
}

/// JSON with sorted names (as `serde_json`'s map keeps them), without NUL, whole numbers as such.
fn plain(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "\u{fffd}")),
        Value::Array(parts) => parts.into_iter().map(plain).collect(),
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> =
                fields.into_iter().map(|(name, field)| (name.replace('\0', "\u{fffd}"), plain(field))).collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            fields.into_iter().collect()
        }
        Value::Number(number) => Value::Number(whole(number)),
        other => other,
    }
}

/// `1.0` and `1e0` are `1`: PostgreSQL keeps the value, not the spelling.
fn whole(number: Number) -> Number {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < EXACT => {
            format!("{float:.0}").parse::<i64>().map_or(number, Number::from)
        }
        _ => number,
    }
}

/// A row as a line of `COPY … FROM STDIN`.
pub(super) fn copy_line(cells: &[Cell]) -> String {
    let fields: Vec<String> = cells.iter().map(Cell::copied).collect();
    fields.join("\t") + "\n"
}

/// Rows and digest of a table, as far as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Digested {
    pub rows: u64,
    pub digest: String,
}

/// Takes rows in the order of their key.
#[derive(Default)]
pub(super) struct Digester {
    rows: u64,
    sha: Sha256,
}

impl Digester {
    pub(super) fn take(&mut self, cells: &[Cell]) {
        let values: Vec<String> = cells.iter().map(Cell::json).collect();
        self.sha.update(format!("[{}]\n", values.join(",")));
        self.rows += 1;
    }

    pub(super) fn end(self) -> Digested {
        Digested { rows: self.rows, digest: hex::encode(self.sha.finalize()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_compared_by_what_they_say() {
        for (one, other) in [
            (r#"{"b": 1, "a": [1.0, 2e2]}"#, r#"{"a":[1,200],"b":1}"#),
            (r#"{"a":"x\u0000y"}"#, "{\"a\":\"x\u{fffd}y\"}"),
            (r#"[0.5, -0.0, 1e400]"#, ""),
        ] {
            let Ok(one) = Cell::document(one, "t") else {
                assert_eq!(other, "", "only what is no number is refused");
                continue;
            };
            assert_eq!(one, Cell::document(other, "t").unwrap());
        }
        assert_ne!(Cell::document("[1.5]", "t").unwrap(), Cell::document("[1]", "t").unwrap());
        assert!(Cell::document("{", "cases.document").unwrap_err().to_string().contains("cases.document"));
    }

    #[test]
    fn no_two_rows_read_alike() {
        let rows = [
            vec![Cell::Null],
            vec![Cell::text("")],
            vec![Cell::text("null")],
            vec![Cell::Int(0)],
            vec![Cell::text("0")],
            vec![Cell::Bytes(vec![])],
            vec![Cell::Bytes(vec![0])],
            vec![Cell::text("a"), Cell::text("b")],
            vec![Cell::text("a,b")],
            vec![Cell::text("a\",\"b")],
            vec![Cell::text("a\n")],
            vec![Cell::text("a\\n")],
        ];
        let digest = |row: &Vec<Cell>| {
            let mut digester = Digester::default();
            digester.take(row);
            digester.end().digest
        };
        let digests: std::collections::BTreeSet<String> = rows.iter().map(digest).collect();
        assert_eq!(digests.len(), rows.len());
    }

    #[test]
    fn fields_of_a_copy_keep_every_sign() {
        let cells =
            [Cell::Null, Cell::text("\\N"), Cell::text("a\tb\r\nc\\."), Cell::Bytes(vec![0, 255]), Cell::Int(-1)];
        assert_eq!(copy_line(&cells), "\\N\t\\\\N\ta\\tb\\r\\nc\\\\.\t\\\\x00ff\t-1\n");
    }
}
