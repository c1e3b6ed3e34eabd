//! What was rejected: its first lines on standard output, all of it in a file if one is wanted.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

/// Rejected lines that are printed; the rest is counted.
const SHOWN_MAX: u64 = 20;

/// A line that was not taken.
#[derive(Debug, Serialize)]
pub(super) struct Rejected {
    pub line: u64,
    /// What it is of, and its id; empty where it could not be read.
    pub kind: String,
    pub id: String,
    pub reason: String,
    /// What it lacks can still come.
    pub retryable: bool,
}

pub(super) struct Report {
    file: Option<BufWriter<File>>,
    count: u64,
}

impl Report {
    pub(super) fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let open = |path: &Path| File::create(path).with_context(|| format!("{} can't be written", path.display()));
        Ok(Self { file: path.map(open).transpose()?.map(BufWriter::new), count: 0 })
    }

    pub(super) fn add(&mut self, row: &Rejected) -> anyhow::Result<()> {
        self.count += 1;
        if let Some(file) = &mut self.file {
            serde_json::to_writer(&mut *file, row)?;
            file.write_all(b"\n")?;
        }
        if self.count <= SHOWN_MAX {
            let what = if row.kind.is_empty() { String::new() } else { format!("{} {}: ", row.kind, row.id) };
            println!("line {}: {what}{}", row.line, row.reason);
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        if self.count > SHOWN_MAX && self.file.is_none() {
            println!("and {} more: makegoodctl deadletters list", self.count - SHOWN_MAX);
        }
        self.file.as_mut().map_or(Ok(()), |file| file.flush()).context("the report can't be written")
    }
}
