//! Files that come inside an answer, as base64 in its JSON. An answer of tens of megabytes is never read as a whole:
//! while it arrives, the text of each file is taken out of it, and its head, its length and its place stay. So what
//! reads the answer reads some hundred bytes, a look-up keeps nothing else, and who wants the file unpacks it from the
//! one copy of the body that is kept for that.
//!
//! How much of such bodies is in memory at a time has one bound for the whole program, whoever asks whom: [`ROOM`].

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use base64::engine::general_purpose::STANDARD;
use base64::read::DecoderReader;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::HttpError;

/// A run of characters of base64 that is as long as this is a file's text: no word, id, key or address is.
const FILE_FROM: usize = 4096;
/// Characters that stay of one. They tell what kind of file it is, and are a whole number of groups.
const HEAD: usize = 64;

/// Bytes of bodies that are kept for their files at a time. A longer one is kept alone: then nobody else's is.
pub(super) const ROOM: u64 = 32 * 1024 * 1024;
/// In what the room is counted: a semaphore has no permits for so many bytes.
const PLACE: u64 = 1024;

static PLACES: Semaphore = Semaphore::const_new((ROOM / PLACE) as usize);

/// The longest answer that holds files, and whether they are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Files {
    pub longest: u64,
    pub are_wanted: bool,
}

/// The body of an answer whose files were taken out of it.
#[derive(Clone)]
pub struct Inline(Arc<Kept>);

struct Kept {
    body: Vec<u8>,
    /// `None` never: nobody closes the room.
    _place: Option<SemaphorePermit<'static>>,
}

impl fmt::Debug for Inline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inline({} bytes)", self.0.body.len())
    }
}

impl Inline {
    /// The bytes of the file of which this text is left.
    ///
    /// # Errors
    /// Where no file of this answer is meant.
    pub fn file<'a>(&'a self, left: &'a str) -> io::Result<impl Read + Send + use<'a>> {
        let (left, padding) = split_padding(left);
        let text = Left::read(left).and_then(|left| self.0.body.get(left.at..left.at.checked_add(left.length)?));
        let text = text.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        Ok(DecoderReader::new(text.chain(padding.as_bytes()), &STANDARD))
    }
}

/// Whether a text is what is left of a file's.
#[must_use]
pub fn is_left(text: &str) -> bool {
    Left::read(split_padding(text).0).is_some()
}

/// How many bytes a text in base64 unpacks to, or the one of which it is left.
#[must_use]
pub fn unpacked_bytes(text: &str) -> u64 {
    let (text, _) = split_padding(text);
    let characters = Left::read(text).map_or(text.len(), |left| left.length);
    characters as u64 * 3 / 4
}

fn split_padding(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_at(text.trim_end_matches('=').len())
}

/// What is left of a file's text: `HEAD[length@place]`. Its padding comes behind, as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Left {
    /// Characters of the text, without padding.
    length: usize,
    /// Where in the body it begins.
    at: usize,
}

impl Left {
    fn read(text: &str) -> Option<Self> {
        let (_, mark) = text.strip_suffix(']')?.rsplit_once('[')?;
        let (length, at) = mark.split_once('@')?;
        Some(Self { length: length.parse().ok()?, at: at.parse().ok()? })
    }
}

/// A body on its way.
pub(super) struct Body {
    longest: u64,
    /// What may be left of it without its files.
    longest_rest: u64,
    takes_out: bool,
    seen: usize,
    rest: Vec<u8>,
    /// Characters of base64 that came last, one after another.
    run: usize,
    has_files: bool,
    whole: Option<Kept>,
}

impl Body {
    /// An answer of up to `usual` bytes; where files come inside it, of up to so many beside them. Waits until there
    /// is room where they are wanted of an answer of this length, if it tells one; of a refusal they never are.
    pub async fn begin(files: Option<Files>, usual: u64, is_success: bool, told: Option<u64>) -> Self {
        let longest = files.map_or(usual, |files| files.longest);
        let whole = match files.filter(|files| files.are_wanted && is_success) {
            Some(_) => Some(Kept::begin(&PLACES, told.unwrap_or(longest).min(longest)).await),
            None => None,
        };
        Self {
            longest,
            longest_rest: usual,
            takes_out: files.is_some(),
            seen: 0,
            rest: Vec::new(),
            run: 0,
            has_files: false,
            whole,
        }
    }

    /// # Errors
    /// Where it is longer than it may be.
    pub fn take(&mut self, chunk: &[u8]) -> Result<(), HttpError> {
        if (self.seen + chunk.len()) as u64 > self.longest {
            return Err(HttpError::TooLong(self.longest));
        }
        if self.seen == 0 && !begins_json(chunk) {
            self.takes_out = false;
        }
        if let Some(whole) = &mut self.whole {
            whole.body.extend_from_slice(chunk);
        }
        if self.takes_out {
            self.take_apart(chunk);
        } else {
            self.rest.extend_from_slice(chunk);
            self.seen += chunk.len();
        }
        if self.rest.len() as u64 > self.longest_rest {
            return Err(HttpError::TooLong(self.longest_rest));
        }
        Ok(())
    }

    /// Bytes that came.
    pub fn seen(&self) -> u64 {
        self.seen as u64
    }

    /// What is left of it, and its whole where that is wanted and holds files.
    pub fn end(mut self) -> (Vec<u8>, Option<Inline>) {
        self.end_run();
        let inline = self.whole.filter(|_| self.has_files).map(|kept| Inline(Arc::new(kept)));
        (self.rest, inline)
    }

    fn take_apart(&mut self, chunk: &[u8]) {
        let mut more = chunk;
        while !more.is_empty() {
            let end = more.iter().position(|byte| !is_text(*byte)).unwrap_or(more.len());
            let (text, after) = more.split_at(end);
            self.go_on(text);
            if after.is_empty() {
                return;
            }
            self.end_run();
            let end = after.iter().position(|byte| is_text(*byte)).unwrap_or(after.len());
            let (between, next) = after.split_at(end);
            self.rest.extend_from_slice(between);
            self.seen += between.len();
            more = next;
        }
    }

    fn go_on(&mut self, text: &[u8]) {
        let was_file = self.run >= FILE_FROM;
        self.run += text.len();
        self.seen += text.len();
        if was_file {
            return;
        }
        self.rest.extend_from_slice(text);
        if self.run >= FILE_FROM {
            let begins = self.rest.len().saturating_sub(self.run);
            self.rest.truncate(begins + HEAD);
        }
    }

    fn end_run(&mut self) {
        let length = std::mem::take(&mut self.run);
        if length >= FILE_FROM {
            self.has_files = true;
            let at = self.seen - length;
            self.rest.extend_from_slice(format!("[{length}@{at}]").as_bytes());
        }
    }
}

impl Kept {
    /// Waits until there is room for a body of so many bytes.
    async fn begin(places: &'static Semaphore, bytes: u64) -> Self {
        let wanted = u32::try_from(bytes.min(ROOM).div_ceil(PLACE)).unwrap_or(u32::MAX);
        let place = places.acquire_many(wanted).await.ok();
        Self { body: Vec::with_capacity(usize::try_from(bytes).unwrap_or(0)), _place: place }
    }
}

/// What is no JSON may be a file itself, of which nothing is taken out.
fn begins_json(chunk: &[u8]) -> bool {
    chunk.trim_ascii_start().first().is_none_or(|byte| matches!(byte, b'{' | b'['))
}

const fn is_text(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use futures_util::FutureExt as _;

    use super::*;

    const WANTED: Files = Files { longest: 1 << 20, are_wanted: true };

    /// What is left of a body that comes in chunks of this length, and its files.
    async fn taken(body: &str, chunk: usize) -> (String, Option<Inline>) {
        let mut taken = Body::begin(Some(WANTED), 1 << 20, true, Some(body.len() as u64)).await;
        body.as_bytes().chunks(chunk).for_each(|chunk| taken.take(chunk).expect("short enough"));
        let (rest, inline) = taken.end();
        (String::from_utf8(rest).expect("text"), inline)
    }

    fn unpacked(inline: &Inline, left: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        inline.file(left).expect("a file").read_to_end(&mut bytes).expect("base64");
        bytes
    }

    #[tokio::test]
    async fn files_are_taken_out_wherever_the_body_is_cut() {
        let file = |length: usize| (0..length).map(|i| u8::try_from(i % 251).unwrap_or(0)).collect::<Vec<_>>();
        for length in [FILE_FROM * 3 / 4, 4_000, 4_001, 4_002] {
            let text = STANDARD.encode(file(length));
            let characters = text.trim_end_matches('=').len();
            // As some writers of JSON escape it.
            for padding in ["=", "\\u003d"] {
                let second = text.replace('=', padding);
                let body = format!("{{\"a\":\"{text}\",\"n\":1,\"b\":[\"{second}\"],\"c\":\"{}\"}}", "x".repeat(4_095));
                let head = &text[..HEAD];
                for chunk in [1, 2, 3, 63, 64, 65, 4_095, 4_096, 4_097, body.len()] {
                    let (rest, inline) = taken(&body, chunk).await;
                    assert!(rest.len() < 4_095 + 300, "{} characters are left", rest.len());
                    let rest: serde_json::Value = serde_json::from_str(&rest).expect("JSON");
                    let inline = inline.expect("files");
                    for left in [&rest["a"], &rest["b"][0]].map(|left| left.as_str().expect("a text")) {
                        assert!(is_left(left) && left.starts_with(&format!("{head}[{characters}@")), "{left}");
                        assert_eq!(unpacked_bytes(left), length as u64);
                        assert!(unpacked(&inline, left) == file(length), "{length} bytes in chunks of {chunk}");
                    }
                    assert_eq!((rest["n"].as_u64(), rest["c"].as_str().map(str::len)), (Some(1), Some(4_095)));
                }
            }
        }
    }

    #[tokio::test]
    async fn what_has_no_files_stays_as_it_is_and_is_not_kept() {
        let long = "a".repeat(FILE_FROM);
        for body in ["", "{}", "null", &format!("{{\"a\":\"{}\"}}", &long[1..]), &format!("\u{0}PNG{long}")] {
            for chunk in [1, 4_096] {
                let (rest, inline) = taken(body, chunk).await;
                assert!(rest == *body && inline.is_none(), "{}", body.len());
            }
        }
    }

    #[tokio::test]
    async fn a_body_is_kept_only_where_its_files_are_wanted() {
        let body = format!("{{\"a\":\"{}\"}}", "A".repeat(FILE_FROM));
        for (are_wanted, is_success, want) in [(true, true, true), (true, false, false), (false, true, false)] {
            let mut taken = Body::begin(Some(Files { are_wanted, ..WANTED }), 8_192, is_success, None).await;
            taken.take(body.as_bytes()).expect("short enough");
            assert_eq!(taken.end().1.is_some(), want, "wanted: {are_wanted}, a success: {is_success}");
        }
    }

    #[tokio::test]
    async fn what_is_left_has_the_usual_limit_and_all_of_it_its_own() {
        let files = Some(Files { longest: 20_000, are_wanted: false });
        for (files, body, want) in [
            (files, format!("{{\"a\":\"{}\"}}", "A".repeat(15_000)), Ok(())),
            (files, format!("{{\"a\":\"{}\"}}", "A".repeat(20_000)), Err(HttpError::TooLong(20_000))),
            (files, format!("{{\"a\":\"{}\"}}", "A ".repeat(5_000)), Err(HttpError::TooLong(9_000))),
            (None, format!("{{\"a\":\"{}\"}}", "A".repeat(15_000)), Err(HttpError::TooLong(9_000))),
        ] {
            let mut taken = Body::begin(files, 9_000, true, None).await;
            let came = body.as_bytes().chunks(1_000).try_for_each(|chunk| taken.take(chunk));
            assert_eq!(came, want, "{files:?}, {} bytes", body.len());
        }
    }

    #[test]
    fn a_text_that_only_looks_taken_out_is_no_file() {
        let kept = Kept { body: b"{\"a\":\"QUJD\"}".to_vec(), _place: None };
        let inline = Inline(Arc::new(kept));
        assert_eq!(unpacked(&inline, "QUJD[4@6]"), b"ABC");
        for odd in
            ["", "QUJD", "[4@99]", "[99@6]", "[-1@6]", "[4@18446744073709551615]", "[18446744073709551615@6]", "[4]"]
        {
            assert!(inline.file(odd).is_err(), "{odd}");
        }
        for (text, bytes) in [("AAAA", 3), ("AAA=", 2), ("AA==", 1), ("", 0), ("AAAA[10@5]==", 7)] {
            assert_eq!(unpacked_bytes(text), bytes, "{text}");
        }
    }

    #[tokio::test]
    async fn bodies_wait_for_room_and_a_long_one_is_kept_alone() {
        static ROOMY: Semaphore = Semaphore::const_new((ROOM / PLACE) as usize);
        let begin = |bytes: u64| Kept::begin(&ROOMY, bytes);
        let (half, other) = (begin(ROOM / 2).await, begin(ROOM / 2 - PLACE).await);
        assert!(begin(PLACE + 1).now_or_never().is_none(), "there is no room for more");
        assert!(begin(PLACE).now_or_never().is_some(), "but for this");
        drop(half);
        assert!(begin(2 * ROOM).now_or_never().is_none(), "a long one waits for all of it");
        drop(other);
        let long = begin(2 * ROOM).now_or_never().expect("the whole room");
        assert!(begin(1).now_or_never().is_none(), "beside a long one there is none");
        drop(long);
        assert!(begin(1).now_or_never().is_some());
    }
}
