//! Where the files of a vault stand, each under the SHA-256 of its content: a folder, or a store of objects.
//! A shelf takes whole files that were checked before, in one piece or not at all, and never lets one take
//! the place of another. What comes in pieces waits elsewhere until it is whole.

mod address;
mod folder;
mod looking;
mod store;
mod uploads;
mod words;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use makegood_domain::media::MediaFacts;
use url::Url;

pub use address::{Access, Address, AddressError, Endpoint, Locator};
pub use folder::FolderShelf;
pub use store::StoreShelf;

/// The name of a file by its content: a SHA-256, in small hexadecimal digits. Nothing else can become a path
/// or the key of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContentKey(String);

impl ContentKey {
    /// # Errors
    /// When `text` is no SHA-256.
    pub fn new(text: &str) -> Result<Self, ShelfError> {
        let is_hash = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if is_hash { Ok(Self(text.to_owned())) } else { Err(ShelfError::NoKey(text.to_owned())) }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first two digits: files of a shelf are kept apart by them, so that no list gets too long.
    #[must_use]
    pub fn shard(&self) -> &str {
        self.0.get(..2).unwrap_or_default()
    }
}

impl std::fmt::Display for ContentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A whole file on a disk of ours, hashed, looked into and synced, that wants a place.
#[derive(Clone, Debug)]
pub struct Staged<'a> {
    pub path: &'a Path,
    pub key: &'a ContentKey,
    pub bytes: u64,
    pub media_type: &'a str,
}

/// The name of the mark that says whose a shelf is.
pub const OWNER: &str = "owner";
/// A mark longer than this is none of ours, in bytes.
const LONGEST_OWNER: u64 = 256;

/// How a file got its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    Placed,
    /// The same content had it already.
    WasThere,
}

/// What reading a whole file found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    pub sha256: String,
    pub bytes: u64,
}

/// A file that stands on a shelf, by its list. What it holds is not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelved {
    pub key: ContentKey,
    pub bytes: u64,
    /// Since when; the store's clock.
    pub since: Option<Timestamp>,
}

/// Why a shelf did not do what it was asked. The words are for people: what, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShelfError {
    #[error("{0:?} is no SHA-256")]
    NoKey(String),
    #[error("{place} has no file {key}")]
    Missing { place: String, key: ContentKey },
    /// Something else stands under the name of a file: it was damaged or put there by somebody.
    #[error(
        "ALARM: {place} holds something else under the name of {key}: {found}. Nothing was overwritten; \
         see who wrote it, move it away, and try again"
    )]
    Another { place: String, key: ContentKey, found: String },
    /// It is no media file that is known here, or a broken one.
    #[error("{key} in {place} is no whole media file: {why}")]
    Flawed { place: String, key: ContentKey, why: String },
    /// What was to be put is not what it was said to be.
    #[error("the file that was to go to {place} is no longer {key}: {why}")]
    Changed { place: String, key: ContentKey, why: String },
    /// It arrived otherwise than it was sent, as often as it was tried.
    #[error("{key} arrives damaged at {place}: {why}")]
    Damaged { place: String, key: ContentKey, why: String },
    #[error("{place}: {why}")]
    Refused { place: String, why: String, temporary: bool },
}

impl ShelfError {
    /// Whether the same can be asked later.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Refused { temporary: true, .. } | Self::Damaged { .. })
    }
}

/// A place for files by their content.
#[async_trait]
pub trait Shelf: Send + Sync {
    /// Where it is, for people: `the folder vault`, `s3://bucket/prefix`.
    fn place(&self) -> &str;

    /// Gives a whole file its place, and says that only when it lasts. The staged file may be gone after it.
    ///
    /// # Errors
    /// When it has no place then, or something else stands there.
    async fn put(&self, staged: &Staged<'_>) -> Result<Put, ShelfError>;

    /// Reads the whole file and measures what is there: the proof.
    ///
    /// # Errors
    /// When it is not there or cannot be read to its end.
    async fn measure(&self, key: &ContentKey) -> Result<Measured, ShelfError>;

    /// What kind of media file it is: by its content, or as was found by its content when it was put.
    ///
    /// # Errors
    /// When it is not there, cannot be read, or is no media file.
    async fn media_type(&self, key: &ContentKey) -> Result<String, ShelfError>;

    /// What the file says of itself.
    ///
    /// # Errors
    /// When it is not there, cannot be read, or is no whole media file.
    async fn inspect(&self, key: &ContentKey) -> Result<MediaFacts, ShelfError>;

    /// Up to `bytes` of the file from byte `from` on; fewer only at its end.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    async fn read(&self, key: &ContentKey, from: u64, bytes: u64) -> Result<Vec<u8>, ShelfError>;

    /// Takes the file away. One that is not there is no error.
    ///
    /// # Errors
    /// When it is still there.
    async fn remove(&self, key: &ContentKey) -> Result<(), ShelfError>;

    /// The next files by their names, after one; none at the end.
    ///
    /// # Errors
    /// When the list can't be read.
    async fn list(&self, after: Option<&ContentKey>, limit: usize) -> Result<Vec<Shelved>, ShelfError>;

    /// An address at which anybody can read the file for a while, where the shelf can make one.
    ///
    /// # Errors
    /// When it can't be signed.
    async fn link(&self, key: &ContentKey, valid_for: Duration) -> Result<Option<Url>, ShelfError>;

    /// Puts a mark with its owner's name on the shelf, unless there is one. Whose it is.
    ///
    /// # Errors
    /// When it can't be read or written.
    async fn claim(&self, owner: &str) -> Result<String, ShelfError>;

    /// Takes away what was begun before an instant and never finished, and says how much that was.
    ///
    /// # Errors
    /// When it can't be found or taken away.
    async fn clear(&self, before: Timestamp) -> Result<u32, ShelfError>;
}
