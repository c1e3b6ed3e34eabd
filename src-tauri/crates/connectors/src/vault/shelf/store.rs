//! A shelf in a store of objects: Amazon S3 and what speaks like it, Google Cloud Storage, Azure Blob
//! Storage, each by `opendal`, which makes and signs the requests; [`StorageLine`] sends them.
//!
//! A file is created and never overwritten: the store itself refuses a second one of the same name. It goes up
//! in parts of 8 MiB, four at a time. S3 checks each part by its CRC-32C and the whole by theirs; where a
//! store does not show that it has done so, the file is read again and hashed before it counts as kept.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use makegood_domain::media::MediaFacts;
use opendal::{ErrorKind, OperationContext, Operator, services};
use secrecy::ExposeSecret as _;
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt as _;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

use super::looking::Remote;
use super::uploads::Uploads;
use super::{
    Access, Address, ContentKey, Endpoint, LONGEST_OWNER, Measured, OWNER, Put, Shelf, ShelfError, Shelved, Staged,
    words,
};
use crate::http::{Limits, Pace, StorageLine};
use crate::vault::container;

/// The length of a part in bytes. Ten thousand of them, which is as many as a store takes, are 80 GiB.
pub const PART: usize = 8 * 1024 * 1024;
/// Parts under way at once; with one being read this bounds the memory of a file.
const PARTS_AT_ONCE: usize = 4;
/// Parts of all files of a shelf that are in memory at once: four files at full speed, 160 MiB. Others wait.
const PARTS_IN_ALL: u32 = 20;
/// How often a whole file is sent before it is given up.
const UPLOADS: u32 = 3;
/// How often a part is read before it is given up.
const READS: u32 = 3;

/// A shelf in a store of objects.
pub struct StoreShelf {
    address: Address,
    place: String,
    operator: Operator,
    /// Of S3: where parts of files that were never finished stay for ever unless they are taken away.
    uploads: Option<Uploads>,
    /// Whether a link to one file can be signed. A token can't sign, and what Azure's signature opens is not one
    /// file but all that it was given for: it is never handed on.
    signs: bool,
    pace: Arc<dyn Pace>,
    part: usize,
    /// As many permits as parts may be in memory.
    room: Semaphore,
}

impl std::fmt::Debug for StoreShelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreShelf").field("place", &self.place).finish_non_exhaustive()
    }
}

impl StoreShelf {
    /// The shelf at an address, for whoever has access. Nothing is asked yet.
    ///
    /// # Errors
    /// When the settings can't be followed.
    pub fn connect(address: Address, access: &Access, limits: Limits, pace: Arc<dyn Pace>) -> Result<Self, ShelfError> {
        let place = address.to_string();
        let refused = |why: String| ShelfError::Refused { place: place.clone(), why, temporary: false };
        let built = build(&address, access).map_err(|error| refused(words::plain(&address, &error)))?;
        let (operator, endpoint, others) =
            built.ok_or_else(|| refused("the key is of another kind of store".into()))?;
        let line = StorageLine::new(endpoint.guard(others), access.secrets(), limits, Arc::clone(&pace));
        let line = Arc::new(line.map_err(|error| refused(error.to_string()))?);
        let uploads = Uploads::of(&address, access, &line);
        let context = OperationContext::new().with_http_transport(opendal::HttpTransporter::new(Shared(line)));
        let signs = matches!(access, Access::S3 { .. } | Access::GoogleAccount(_));
        Ok(Self {
            operator: operator.with_context(context),
            address,
            place,
            uploads,
            signs,
            pace,
            part: PART,
            room: Semaphore::new(PARTS_IN_ALL as usize),
        })
    }

    /// The same shelf with other parts; a store takes none below 5 MiB but the last.
    #[must_use]
    pub fn with_part(self, bytes: usize) -> Self {
        Self { part: bytes, ..self }
    }

    fn refused(&self, error: &opendal::Error) -> ShelfError {
        let why = words::plain(&self.address, error);
        ShelfError::Refused { place: self.place.clone(), why, temporary: error.is_temporary() }
    }

    fn failed(&self, key: &ContentKey, error: &opendal::Error) -> ShelfError {
        if is_missing(error) {
            ShelfError::Missing { place: self.place.clone(), key: key.clone() }
        } else {
            self.refused(error)
        }
    }

    fn disk(&self, staged: &Staged<'_>, error: &std::io::Error) -> ShelfError {
        let why = format!("{} can't be read: {error}", staged.path.display());
        ShelfError::Refused { place: self.place.clone(), why, temporary: false }
    }

    /// Room for the parts of a file of so many bytes that are in memory at once, as soon as others have left it.
    /// Whoever has it asks for no more of it.
    async fn room(&self, bytes: u64) -> Result<SemaphorePermit<'_>, ShelfError> {
        let parts = bytes.div_ceil(self.part as u64).clamp(1, PARTS_AT_ONCE as u64) + 1;
        let permits = u32::try_from(parts).unwrap_or(PARTS_IN_ALL).min(PARTS_IN_ALL);
        // Nobody closes it.
        let closed =
            |_| ShelfError::Refused { place: self.place.clone(), why: "it is closed".into(), temporary: false };
        self.room.acquire_many(permits).await.map_err(closed)
    }

    /// Sends the file once.
    async fn send(&self, staged: &Staged<'_>) -> Result<(), Sent> {
        let _room = self.room(staged.bytes).await.map_err(Sent::Ours)?;
        let disk = |error: std::io::Error| Sent::Ours(self.disk(staged, &error));
        let mut file = tokio::fs::File::open(staged.path).await.map_err(disk)?;
        let path = path_of(staged.key);
        let writer = self.operator.writer_with(&path).if_not_exists(true);
        let writer = writer.content_type(staged.media_type).chunk(self.part).concurrent(PARTS_AT_ONCE);
        let mut writer = writer.await.map_err(Sent::Theirs)?;
        let sent = async {
            let mut hash = Sha256::new();
            loop {
                let part = next_part(&mut file, self.part).await.map_err(disk)?;
                if part.is_empty() {
                    break;
                }
                hash.update(&part);
                writer.write(part).await.map_err(Sent::Theirs)?;
            }
            // Before the store is told that this was all: what the disk lost meanwhile must not get the name.
            let found = hex::encode(hash.finalize());
            if found != staged.key.as_str() {
                let why = format!("it is {found} now");
                return Err(Sent::Ours(ShelfError::Changed {
                    place: self.place.clone(),
                    key: staged.key.clone(),
                    why,
                }));
            }
            writer.close().await.map(|_| ()).map_err(Sent::Theirs)
        }
        .await;
        if sent.is_err()
            && let Err(error) = writer.abort().await
        {
            // It is cleared with what else was never finished.
            tracing::debug!(file.sha256 = staged.key.as_str(), %error, "an upload was not given up in order");
        }
        sent
    }

    /// Whether the file that was just sent arrived as it is. What did not is taken away again: it is ours.
    async fn arrived(&self, staged: &Staged<'_>) -> Result<Result<(), String>, ShelfError> {
        let about =
            match self.operator.stat(&path_of(staged.key)).await.map_err(|error| self.failed(staged.key, &error)) {
                Err(ShelfError::Missing { .. }) => return Ok(Err("nothing is there".to_owned())),
                about => about?,
            };
        let flaw = if about.content_length() != staged.bytes {
            Some(format!("{} of {} bytes are there", about.content_length(), staged.bytes))
        } else if self.was_checked(staged.key).await {
            None
        } else {
            let found = self.measure(staged.key).await?;
            (found.sha256 != staged.key.as_str()).then(|| format!("it is {} there", found.sha256))
        };
        let Some(flaw) = flaw else { return Ok(Ok(())) };
        tracing::warn!(file.sha256 = staged.key.as_str(), flaw, "a file arrived damaged and is taken away again");
        self.remove(staged.key).await?;
        Ok(Err(flaw))
    }

    /// Whose the mark says that it is; `None` where there is none.
    async fn owner(&self) -> Result<Option<String>, ShelfError> {
        let read = async {
            let length = self.operator.stat(OWNER).await?.content_length();
            self.operator.read_with(OWNER).range(0..length.min(LONGEST_OWNER)).await
        };
        match read.await {
            Ok(told) => Ok(Some(String::from_utf8_lossy(&told.to_bytes()).trim().to_owned())),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(self.refused(&error)),
        }
    }

    /// Whether the store has compared a file with a checksum of ours. Where it can't be asked that, it has not.
    async fn was_checked(&self, key: &ContentKey) -> bool {
        let Some(s3) = &self.uploads else { return false };
        s3.has_checksum(key).await.unwrap_or_else(|error| {
            tracing::debug!(file.sha256 = key.as_str(), %error, "the store does not tell of a checksum");
            false
        })
    }

    /// Whether the file has its place already; `None` where nothing stands there.
    async fn there(&self, staged: &Staged<'_>) -> Result<Option<Put>, ShelfError> {
        match self.measure(staged.key).await {
            Ok(found) if found.sha256 == staged.key.as_str() && found.bytes == staged.bytes => Ok(Some(Put::WasThere)),
            Ok(found) => {
                tracing::error!(file.sha256 = staged.key.as_str(), found.sha256, "ALARM: another file under this name");
                Err(ShelfError::Another {
                    place: self.place.clone(),
                    key: staged.key.clone(),
                    found: format!("{} bytes with the hash {}", found.bytes, found.sha256),
                })
            }
            Err(ShelfError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A part of a file, read again where it breaks off.
    async fn part(&self, key: &ContentKey, from: u64, to: u64) -> Result<Bytes, opendal::Error> {
        let mut attempt = 1;
        loop {
            match self.operator.read_with(&path_of(key)).range(from..to).await {
                // What the store refused was waited for already.
                Err(error) if error.is_temporary() && attempt < READS && !words::was_answered(&error) => {
                    tracing::debug!(file.sha256 = key.as_str(), attempt, %error, "reading a part again");
                    attempt += 1;
                }
                read => return read.map(|part| part.to_bytes()),
            }
        }
    }
}

#[async_trait]
impl Shelf for StoreShelf {
    fn place(&self) -> &str {
        &self.place
    }

    async fn put(&self, staged: &Staged<'_>) -> Result<Put, ShelfError> {
        // A store only says at the end of a long upload that the name is taken, and what only speaks like Google's or
        // Azure's may not say it at all.
        if (staged.bytes > self.part as u64 || self.uploads.is_none())
            && let Some(put) = self.there(staged).await?
        {
            return Ok(put);
        }
        let mut attempt = 1;
        loop {
            let last = match self.send(staged).await {
                Ok(()) => match self.arrived(staged).await? {
                    Ok(()) => return Ok(Put::Placed),
                    Err(why) => ShelfError::Damaged { place: self.place.clone(), key: staged.key.clone(), why },
                },
                Err(Sent::Ours(error)) => return Err(error),
                Err(Sent::Theirs(error)) if is_worth_another(&error) => {
                    // The name is taken, or the answer to what we sent was lost: what is there decides.
                    if let Some(put) = self.there(staged).await? {
                        return Ok(put);
                    }
                    let refused = self.refused(&error);
                    // A store that stays busy was waited for already.
                    if error.is_temporary() && words::was_answered(&error) {
                        return Err(refused);
                    }
                    refused
                }
                Err(Sent::Theirs(error)) => return Err(self.refused(&error)),
            };
            if attempt >= UPLOADS {
                return Err(last);
            }
            self.pace.wait(crate::http::backoff(attempt, self.pace.chance())).await;
            attempt += 1;
        }
    }

    async fn measure(&self, key: &ContentKey) -> Result<Measured, ShelfError> {
        let failed = |error: opendal::Error| self.failed(key, &error);
        let bytes = self.operator.stat(&path_of(key)).await.map_err(failed)?.content_length();
        let _room = self.room(bytes).await?;
        let step = self.part as u64;
        let parts = (0..bytes.div_ceil(step)).map(|n| self.part(key, n * step, ((n + 1) * step).min(bytes)));
        let mut parts = futures_util::stream::iter(parts).buffered(PARTS_AT_ONCE);
        let (mut hash, mut read) = (Sha256::new(), 0);
        while let Some(part) = parts.try_next().await.map_err(failed)? {
            read += part.len() as u64;
            hash.update(&part);
        }
        Ok(Measured { sha256: hex::encode(hash.finalize()), bytes: read })
    }

    async fn media_type(&self, key: &ContentKey) -> Result<String, ShelfError> {
        let about = self.operator.stat(&path_of(key)).await.map_err(|error| self.failed(key, &error))?;
        Ok(about.content_type().unwrap_or("application/octet-stream").to_owned())
    }

    async fn inspect(&self, key: &ContentKey) -> Result<MediaFacts, ShelfError> {
        let path = path_of(key);
        let length = self.operator.stat(&path).await.map_err(|error| self.failed(key, &error))?.content_length();
        let remote = Remote::new(Handle::current(), self.operator.clone(), path, length);
        let looked = tokio::task::spawn_blocking(move || container::inspect(remote)).await;
        let place = self.place.clone();
        match looked.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
            Ok(found) => found.map_err(|flaw| ShelfError::Flawed { place, key: key.clone(), why: flaw.to_string() }),
            Err(error) => Err(ShelfError::Refused { place, why: error.to_string(), temporary: true }),
        }
    }

    async fn read(&self, key: &ContentKey, from: u64, bytes: u64) -> Result<Vec<u8>, ShelfError> {
        let failed = |error: opendal::Error| self.failed(key, &error);
        let whole = self.operator.stat(&path_of(key)).await.map_err(failed)?.content_length();
        let to = from.saturating_add(bytes).min(whole);
        if from >= to {
            return Ok(Vec::new());
        }
        Ok(self.part(key, from, to).await.map_err(failed)?.to_vec())
    }

    async fn remove(&self, key: &ContentKey) -> Result<(), ShelfError> {
        match self.operator.delete(&path_of(key)).await {
            Err(error) => match self.failed(key, &error) {
                ShelfError::Missing { .. } => Ok(()),
                error => Err(error),
            },
            Ok(()) => Ok(()),
        }
    }

    async fn list(&self, after: Option<&ContentKey>, limit: usize) -> Result<Vec<Shelved>, ShelfError> {
        let refused = |error: opendal::Error| self.refused(&error);
        let can_skip = self.operator.info().capability().list_with_start_after;
        let mut found: Vec<Shelved> = Vec::new();
        // Where a list can't begin in the middle, it is read by the first two digits.
        let first = after.and_then(|key| u8::from_str_radix(key.shard(), 16).ok()).unwrap_or_default();
        let shards: Vec<String> = match can_skip {
            true => vec![ROOT.to_owned()],
            false => (first..=u8::MAX).map(|shard| format!("{ROOT}{shard:02x}/")).collect(),
        };
        for shard in shards {
            let lister = self.operator.lister_with(&shard).recursive(true).limit(limit.clamp(1, 1_000));
            let lister = match after.filter(|_| can_skip) {
                Some(key) => lister.start_after(&path_of(key)),
                None => lister,
            };
            let mut lister = lister.await.map_err(refused)?;
            while let Some(entry) = lister.try_next().await.map_err(refused)? {
                let Some(key) = key_of(entry.path()).filter(|key| after.is_none_or(|after| key > after)) else {
                    continue;
                };
                let about = entry.metadata();
                let since = about.last_modified().map(opendal::raw::Timestamp::into_inner);
                found.push(Shelved { key, bytes: about.content_length(), since });
                if found.len() == limit {
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }

    async fn link(&self, key: &ContentKey, valid_for: Duration) -> Result<Option<Url>, ShelfError> {
        if !self.signs {
            return Ok(None);
        }
        let refused = |error: opendal::Error| self.refused(&error);
        let signed = self.operator.presign_read(&path_of(key), valid_for).await.map_err(refused)?;
        Ok(Url::parse(&signed.uri().to_string()).ok())
    }

    async fn claim(&self, owner: &str) -> Result<String, ShelfError> {
        if let Some(found) = self.owner().await? {
            return Ok(found);
        }
        let mark = self.operator.write_with(OWNER, owner.to_owned()).if_not_exists(true).content_type("text/plain");
        if let Err(error) = mark.await
            && !is_worth_another(&error)
        {
            return Err(self.refused(&error));
        }
        // Of two at once one was first: what is there decides.
        let why = || "the mark that says whose it is was not kept".to_owned();
        let refused = || ShelfError::Refused { place: self.place.clone(), why: why(), temporary: true };
        self.owner().await?.ok_or_else(refused)
    }

    async fn clear(&self, before: Timestamp) -> Result<u32, ShelfError> {
        let Some(uploads) = &self.uploads else { return Ok(0) };
        uploads.clear(before).await.map_err(|error| ShelfError::Refused {
            place: self.place.clone(),
            why: format!("what was never finished is not taken away: {}", words::of(&self.address, &error)),
            temporary: error.is_temporary(),
        })
    }
}

/// Why a file was not sent.
enum Sent {
    /// Before the store had a say.
    Ours(ShelfError),
    Theirs(opendal::Error),
}

/// Whether what is there should be looked at after a failure, and the file sent again where nothing is: the
/// name is taken, somebody else is writing it, our answer was lost, or a part was.
fn is_worth_another(error: &opendal::Error) -> bool {
    let lost = ["InvalidPart", "InvalidPartOrder", "BadDigest", "InvalidDigest", "InvalidBlockList", "IncompleteBody"];
    let is_lost = words::code(error).is_some_and(|code| lost.contains(&code) || code.contains("Checksum"));
    let is_taken =
        matches!(error.kind(), ErrorKind::ConditionNotMatch | ErrorKind::AlreadyExists | ErrorKind::Conflict);
    is_taken || is_lost || error.is_temporary() || words::code(error) == Some("NoSuchUpload")
}

/// Whether it is an object that is not there, and not the bucket.
fn is_missing(error: &opendal::Error) -> bool {
    error.kind() == ErrorKind::NotFound && !words::told(error).is_some_and(words::is_about_bucket)
}

/// The folder of all objects of ours below the prefix.
const ROOT: &str = "sha256/";

/// Where an object is, below the prefix.
fn path_of(key: &ContentKey) -> String {
    format!("{ROOT}{}/{key}", key.shard())
}

/// Whose object this is; `None` for what is none of ours.
fn key_of(path: &str) -> Option<ContentKey> {
    let key = ContentKey::new(path.rsplit('/').next()?).ok()?;
    (path_of(&key) == path).then_some(key)
}

/// Up to so many bytes; fewer only at the end.
async fn next_part(file: &mut tokio::fs::File, bytes: usize) -> std::io::Result<Bytes> {
    let mut part = Vec::with_capacity(bytes);
    file.take(bytes as u64).read_to_end(&mut part).await?;
    Ok(part.into())
}

/// The operator of an address, its server, and what other hosts its service needs; `None` where the access is
/// another kind's. Keys come from us alone: nothing of the machine is looked at.
fn build(address: &Address, access: &Access) -> opendal::Result<Option<(Operator, Endpoint, Vec<String>)>> {
    Ok(match (address, access) {
        (Address::S3 { bucket, prefix, endpoint, region }, Access::S3 { id, secret, token }) => {
            let mut builder = services::S3::default()
                .bucket(bucket)
                .root(prefix)
                .endpoint(endpoint.url.as_str())
                .region(region)
                .access_key_id(id)
                .secret_access_key(secret.expose_secret())
                .checksum_algorithm("crc32c")
                .disable_config_load()
                .disable_ec2_metadata();
            if let Some(token) = token {
                builder = builder.session_token(token.expose_secret());
            }
            Some((Operator::new(builder)?, endpoint.clone(), Vec::new()))
        }
        (Address::Google { bucket, prefix, endpoint }, Access::GoogleAccount(_) | Access::GoogleToken(_)) => {
            let builder = services::Gcs::default()
                .bucket(bucket)
                .root(prefix)
                .endpoint(endpoint.url.as_str().trim_end_matches('/'))
                .disable_config_load()
                .disable_vm_metadata();
            let builder = match access {
                Access::GoogleAccount(key) => {
                    builder.credential(&base64::engine::general_purpose::STANDARD.encode(key.expose_secret()))
                }
                Access::GoogleToken(token) => builder.token(token.expose_secret().to_owned()),
                _ => builder,
            };
            Some((Operator::new(builder)?, endpoint.clone(), vec!["oauth2.googleapis.com".to_owned()]))
        }
        (
            Address::Azure { account, container, prefix, endpoint },
            Access::AzureKey(key) | Access::AzureSignature(key),
        ) => {
            let builder = services::Azblob::default()
                .container(container)
                .root(prefix)
                .endpoint(endpoint.url.as_str().trim_end_matches('/'))
                .account_name(account);
            let builder = match access {
                Access::AzureKey(_) => builder.account_key(key.expose_secret()),
                _ => builder.sas_token(key.expose_secret()),
            };
            Some((Operator::new(builder)?, endpoint.clone(), Vec::new()))
        }
        _ => None,
    })
}

/// A line that two share.
struct Shared(Arc<StorageLine>);

impl opendal::HttpTransport for Shared {
    async fn fetch(
        &self,
        request: http::Request<opendal::Buffer>,
    ) -> opendal::Result<http::Response<opendal::HttpBody>> {
        self.0.fetch(request).await
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::poll;

    use super::super::Locator;
    use super::*;
    use crate::providers::subject::NoWait;

    /// A shelf that nobody is behind: nothing is sent in these tests.
    fn shelf() -> StoreShelf {
        let locator = Locator { at: "s3://box".into(), endpoint: Some("http://127.0.0.1:9".into()), region: None };
        let address = locator.read().expect("an address");
        let access = address.access(&"ID:SECRET".into()).expect("a key");
        StoreShelf::connect(address, &access, Limits::default(), Arc::new(NoWait::default())).expect("a shelf")
    }

    #[tokio::test]
    async fn files_under_way_together_take_no_more_memory_than_there_is_room_for() {
        let shelf = shelf();
        let all = PARTS_IN_ALL as usize;
        for (bytes, parts) in [(0, 2), (1, 2), (PART as u64 + 1, 3), (100 * PART as u64, 5)] {
            let room = shelf.room(bytes).await.expect("room");
            assert_eq!(all - shelf.room.available_permits(), parts, "{bytes}");
            drop(room);
        }
        let key = ContentKey::new(&"ab".repeat(32)).expect("a hash");
        let file = tempfile::NamedTempFile::new().expect("a file");
        let staged = Staged { path: file.path(), key: &key, bytes: 100, media_type: "video/mp4" };
        let others = shelf.room.acquire_many(PARTS_IN_ALL).await.expect("room");
        let mut put = pin!(shelf.put(&staged));
        assert!(poll!(&mut put).is_pending());
        drop(others);
        // It has waited, and takes its turn before anything else is done.
        assert!(poll!(&mut put).is_pending());
        assert_eq!(shelf.room.available_permits(), all - 2);
    }
}
