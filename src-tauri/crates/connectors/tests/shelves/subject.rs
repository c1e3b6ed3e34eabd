//! A shelf under test, and files for it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use makegood_connectors::http::{Limits, Pace};
use makegood_connectors::vault::shelf::{ContentKey, Locator, Put, Shelf, ShelfError, Staged, StoreShelf};
use sha2::{Digest, Sha256};

/// The smallest part that stores take.
pub const PART: usize = 5 * 1024 * 1024;

/// What a shelf can, as data: it chooses the tests.
pub struct Subject {
    pub shelf: Arc<dyn Shelf>,
    /// Whether it looks at the content of what it is given.
    pub reads_what_it_takes: bool,
    pub makes_links: bool,
}

/// Adds up what it is asked to wait, and goes on at once. Its clock is the real one, because stores judge it.
#[derive(Debug, Default)]
pub struct Unhurried(AtomicU64);

impl Unhurried {
    pub fn waited(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

#[async_trait]
impl Pace for Unhurried {
    fn elapsed(&self) -> Duration {
        self.waited()
    }

    #[expect(clippy::disallowed_methods, reason = "real servers refuse requests of another time")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn chance(&self) -> f64 {
        0.5
    }

    async fn wait(&self, time: Duration) {
        self.0.fetch_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// A shelf in the store at `at`, for whoever has `key`.
pub fn connect(at: &str, endpoint: &str, key: &str, pace: &Arc<Unhurried>) -> StoreShelf {
    let region = at.starts_with("s3:").then(|| "us-east-1".to_owned());
    let locator = Locator { at: at.to_owned(), endpoint: Some(endpoint.to_owned()), region };
    let address = locator.read().expect("an address");
    let access = address.access(&key.into()).expect("a key");
    let limits = Limits { head: Duration::from_secs(60), tries: 4, ..Limits::default() };
    let pace = Arc::clone(pace) as Arc<dyn Pace>;
    StoreShelf::connect(address, &access, limits, pace).expect("a shelf").with_part(PART)
}

/// A file on our own disk with its key.
pub struct OnDisk {
    folder: tempfile::TempDir,
    pub key: ContentKey,
    pub content: Vec<u8>,
}

impl OnDisk {
    /// Bytes that differ by `seed` and in each of their places.
    pub fn of(seed: u64, bytes: usize) -> Self {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let content = (0..bytes).map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        });
        let content: Vec<u8> = content.collect();
        let key = ContentKey::new(&hex::encode(Sha256::digest(&content))).expect("a hash");
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, key, content }
    }

    pub fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("staged")
    }

    /// Lies ready, and is put.
    pub async fn put(&self, shelf: &dyn Shelf) -> Result<Put, ShelfError> {
        self.put_as(shelf, &self.content).await
    }

    /// As [`Self::put`], with other bytes on the disk than the key says.
    pub async fn put_as(&self, shelf: &dyn Shelf, content: &[u8]) -> Result<Put, ShelfError> {
        let path = self.path();
        std::fs::write(&path, content).expect("staged");
        shelf.put(&self.staged(&path)).await
    }

    pub fn staged<'a>(&'a self, path: &'a Path) -> Staged<'a> {
        Staged { path, key: &self.key, bytes: self.content.len() as u64, media_type: "video/mp4" }
    }
}
