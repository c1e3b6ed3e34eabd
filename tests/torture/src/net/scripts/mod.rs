//! The faults as scripts, by the rows of the table (N1 to N17) that they belong to.

mod bodies;
mod content;
mod heads;
mod lies;
mod redirects;
mod retries;

use std::time::Duration;

use makegood_testkit::Sample;

pub use redirects::moved;

use super::wire::{Act, Answer, Version};
use crate::dice::Dice;

/// What must come of a script.
#[derive(Clone, Debug)]
pub enum Want {
    /// The current version of the file, whole.
    Whole,
    /// A whole version or a plain failure: whatever else would be no file.
    Sound,
    /// A failure that says one of these.
    Failed(&'static [&'static str]),
    /// Its provider no longer has it.
    Gone,
    /// Asked for later: then nothing was asked before the provider wished, and no more now.
    Parked,
    /// Whatever becomes of it: that it ends is the point.
    Any,
    /// The job may be what it is said to be, but no file is brought.
    NoFile,
    /// The job's state is not known, no file is brought, and nothing says that it is gone or failed.
    Unknown,
}

/// One fault, as a story.
#[derive(Clone, Debug)]
pub struct Script {
    /// The table's row and what happens: `N5/cut at half, reset`.
    pub name: String,
    /// Answers to the question, before the honest one.
    pub looks: Vec<Answer>,
    /// Answers to the file, before the honest ones.
    pub files: Vec<Answer>,
    /// The last of them, and of the answers to the question, for ever.
    pub for_ever: bool,
    pub want: Want,
    /// Whether limits in real time are to run out.
    pub hasty: bool,
    /// How often it is tried, one after another.
    pub attempts: u32,
    /// The longest file.
    pub limit_bytes: u64,
    /// The SHA-256 that was promised, or how it begins.
    pub promised: String,
    /// The least time that must pass before the second request of the question or the file.
    pub waits: Duration,
    /// Requests that are made at most.
    pub asks: usize,
    /// Bytes of the file that are sent at most, heads included, where that can be told to the byte or nearly so.
    pub sent: Option<u64>,
}

impl Script {
    pub fn new(row: &str, what: impl AsRef<str>, want: Want) -> Self {
        Self {
            name: format!("{row}/{}", what.as_ref()),
            looks: Vec::new(),
            files: Vec::new(),
            for_ever: false,
            want,
            hasty: false,
            attempts: 1,
            limit_bytes: 64 * 1024 * 1024,
            promised: String::new(),
            waits: Duration::ZERO,
            asks: 24,
            sent: None,
        }
    }

    pub fn files(self, files: impl IntoIterator<Item = Answer>) -> Self {
        Self { files: files.into_iter().collect(), ..self }
    }

    pub fn looks(self, looks: impl IntoIterator<Item = Answer>) -> Self {
        Self { looks: looks.into_iter().collect(), ..self }
    }

    pub fn for_ever(self) -> Self {
        Self { for_ever: true, ..self }
    }

    fn hasty(self) -> Self {
        Self { hasty: true, ..self }
    }

    fn attempts(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }
}

/// What the scripts of one seed are made with.
pub struct Stage {
    /// The version that the server is honest with.
    pub file: Version,
    /// An older one.
    pub old: Version,
    pub base: String,
    /// An address that nobody may ask.
    pub forbidden: String,
    pub dice: Dice,
}

impl Stage {
    pub fn new(seed: u64, name: &str, base: &str, forbidden: &str) -> Self {
        let mut dice = Dice::new(seed, name);
        let (file, old) = (version(&mut dice, "\"v2\""), version(&mut dice, "\"v1\""));
        Self { file, old, base: base.to_owned(), forbidden: forbidden.to_owned(), dice }
    }

    /// An answer with this head and body.
    fn said(status: &str, headers: &str, body: impl Into<Vec<u8>>) -> Answer {
        let head = format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\n\r\n");
        vec![Act::Send(head.into_bytes()), Act::Send(body.into())]
    }

    pub fn json(status: &str, headers: &str, body: &str) -> Answer {
        let headers = format!("content-type: application/json\r\ncontent-length: {}\r\n{headers}", body.len());
        Self::said(status, &headers, body)
    }

    /// The current version up to `end`, and then something else.
    fn cut(&self, end: usize, then: Option<Act>) -> Answer {
        let mut answer = self.file.honest(None);
        answer.truncate(1);
        answer.push(self.file.part(0..end));
        answer.extend(then);
        answer
    }

    /// The answer of a provider whose job has this file.
    pub fn look(base: &str) -> Answer {
        Self::json("200 OK", "", &prediction(&format!("[\"{base}/f\"]")))
    }

    /// A place in the file, never its end.
    fn within(&mut self) -> usize {
        1 + self.dice.index(self.file.bytes.len() - 2)
    }
}

/// What the provider says of a job that succeeded with this output.
pub fn prediction(output: &str) -> String {
    format!(
        "{{\"id\":\"net\",\"model\":\"acme/painter\",\"version\":\"hidden\",\"source\":\"api\",\"status\":\"succeeded\",\
         \"input\":{{}},\"output\":{output},\"error\":null,\"data_removed\":false,\"created_at\":\"2026-03-01T08:00:00Z\",\
         \"started_at\":\"2026-03-01T08:00:01Z\",\"completed_at\":\"2026-03-01T08:00:31Z\"}}"
    )
}

/// A video of some length, of which no two places are alike.
fn version(dice: &mut Dice, tag: &'static str) -> Version {
    let mut bytes = Sample::mp4(300_000 + dice.index(300_000)).bytes;
    // Between the header of the media and the index.
    let end = bytes.len() - 130;
    for byte in &mut bytes[40..end] {
        *byte = u8::try_from(dice.below(256)).unwrap_or(0);
    }
    Version { bytes: std::sync::Arc::new(bytes), tag }
}

/// The scripts of a stage.
pub fn all(stage: &mut Stage) -> Vec<Script> {
    let rows: [fn(&mut Stage) -> Vec<Script>; 6] =
        [retries::scripts, heads::scripts, bodies::scripts, content::scripts, redirects::scripts, lies::scripts];
    rows.iter().flat_map(|row| row(stage)).collect()
}
