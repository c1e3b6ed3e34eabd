//! The product's side of a script: its adapter, its vault, its client, and virtual waiting.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use makegood_connectors::http::{Limits, Pace};
use makegood_connectors::vault::LocalVault;
use makegood_connectors::{ProviderSettings, Registry};
use makegood_domain::plan::StoredFile;
use makegood_domain::ports::{
    FileSink, Held, Incoming, JobRef, ProviderPort, Providers as _, Retry, Start, TransitKey, Vault, VaultError,
};
use makegood_domain::work::JobState;
use sha2::{Digest, Sha256};

use super::wire::Hours;

/// A limit in real time of what a script lets run out.
const HASTY: Duration = Duration::from_millis(250);
/// A limit in real time that no script reaches, however busy the machine is.
pub const PATIENT: Duration = Duration::from_secs(60);

/// A bug, outside the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    Nothing,
    /// Whatever version follows is added to what is here.
    Splices,
    /// Whatever came before an error is the file, and nobody looks into it.
    TakesParts,
    /// Files are gathered in memory.
    Hoards,
    /// Any address is trusted.
    TrustsAll,
    /// Asks again without waiting as it was asked to.
    Impatient,
    /// Forgets after each question how often it has asked again.
    ForgetsBudget,
}

impl Plant {
    /// Whether files are kept in memory and never reach the vault.
    pub fn hoards(self) -> bool {
        matches!(self, Self::TakesParts | Self::Hoards)
    }
}

/// Waits by letting virtual time pass.
pub struct Waiting {
    pub hours: Arc<Hours>,
    pub plant: Plant,
}

#[async_trait]
impl Pace for Waiting {
    fn elapsed(&self) -> Duration {
        self.hours.now()
    }

    fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.elapsed()).unwrap_or_default();
        Timestamp::UNIX_EPOCH.saturating_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    fn chance(&self) -> f64 {
        0.5
    }

    async fn wait(&self, time: Duration) {
        if self.plant != Plant::Impatient {
            self.hours.pass(time);
        }
    }
}

/// What a bringing came to: exactly one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done { sha256: String },
    Failed { why: String, retry: Retry, gone: bool },
}

/// How the client and the vault are set up.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub hasty: bool,
    /// The longest file.
    pub limit_bytes: u64,
    pub plant: Plant,
}

pub struct House {
    provider: Arc<dyn ProviderPort>,
    vault: LocalVault,
    plant: Plant,
}

impl House {
    /// A house whose provider lives at `base`; `forbidden` is for a planted bug.
    pub fn new(base: &str, forbidden: &str, home: &Path, hours: &Arc<Hours>, setting: Setting) -> anyhow::Result<Self> {
        let mut settings = ProviderSettings::new("net", "replicate");
        if setting.plant == Plant::TrustsAll {
            settings.download_bases.push(forbidden.to_owned());
        }
        settings.base_url = Some(format!("{base}/v1"));
        settings.key = Some("r8_net".into());
        // Who listens where nobody may go answers nothing.
        let short = if setting.hasty || setting.plant == Plant::TrustsAll { HASTY } else { PATIENT };
        settings.limits = Limits { head: short, stall: short, ..Limits::default() };
        let pace: Arc<dyn Pace> = Arc::new(Waiting { hours: Arc::clone(hours), plant: setting.plant });
        let registry = Registry::with_pace(vec![settings], &pace)?;
        let provider = registry.get(&"net".into()).ok_or_else(|| anyhow::anyhow!("the provider is not connected"))?;
        let vault = LocalVault::open(home)?.with_limit(setting.limit_bytes);
        Ok(Self { provider, vault, plant: setting.plant })
    }

    /// What the provider says of the job.
    pub async fn state(&self) -> JobState {
        self.provider.find_job(&job(), Timestamp::UNIX_EPOCH).await.job.state
    }

    /// Gives the file up: nothing of it is to be left.
    pub async fn cancel(&self) -> Result<(), VaultError> {
        self.vault.begin(&key()).await?.discard().await
    }

    /// Brings the file into the vault, once, as the recovery does.
    pub async fn bring(&self, bytes: u64, sha256_prefix: &str) -> Outcome {
        let failed = |why: String| Outcome::Failed { why, retry: Retry::Temporary, gone: false };
        let incoming = match self.vault.begin(&key()).await {
            Ok(incoming) => incoming,
            Err(error) => return failed(error.to_string()),
        };
        let mut incoming: Box<dyn Incoming> = match self.plant {
            Plant::Splices => Box::new(Splicing { into: incoming, began: false }),
            Plant::TakesParts | Plant::Hoards => Box::new(Hoard::default()),
            _ => incoming,
        };
        let is_whole = incoming.held().is_some_and(|held| held.is_whole());
        if !is_whole && let Err(error) = self.provider.fetch(&job(), 1, &mut *incoming).await {
            let takes = self.plant == Plant::TakesParts && !error.gone;
            if !takes {
                return Outcome::Failed { why: error.to_string(), retry: error.retry, gone: error.gone };
            }
        }
        match incoming.commit(bytes, sha256_prefix).await {
            Ok(stored) => Outcome::Done { sha256: stored.sha256 },
            Err(error) => failed(error.to_string()),
        }
    }
}

fn key() -> TransitKey {
    TransitKey { provider_id: "net".into(), job_id: job().job_id, item: 1 }
}

fn job() -> JobRef {
    JobRef {
        provider_id: "net".into(),
        job_id: "net".into(),
        run_id: "run_net".into(),
        locator: None,
        requested_items: 1,
        submitted_at: Timestamp::UNIX_EPOCH,
    }
}

/// A planted bug: tells the file on its way that its bytes continue, whatever version they are of.
struct Splicing {
    into: Box<dyn Incoming>,
    began: bool,
}

#[async_trait]
impl FileSink for Splicing {
    fn held(&self) -> Option<Held> {
        self.into.held()
    }

    async fn starts(&mut self, start: &Start) -> Result<(), VaultError> {
        if std::mem::replace(&mut self.began, true) { Ok(()) } else { self.into.starts(start).await }
    }

    async fn write(&mut self, chunk: &[u8]) -> Result<(), VaultError> {
        self.into.write(chunk).await
    }
}

#[async_trait]
impl Incoming for Splicing {
    async fn commit(self: Box<Self>, bytes: u64, sha256_prefix: &str) -> Result<StoredFile, VaultError> {
        self.into.commit(bytes, sha256_prefix).await
    }

    async fn discard(self: Box<Self>) -> Result<(), VaultError> {
        self.into.discard().await
    }
}

/// A planted bug: keeps everything in memory, and looks into nothing.
#[derive(Default)]
pub struct Hoard {
    bytes: Vec<u8>,
}

#[async_trait]
impl FileSink for Hoard {
    async fn starts(&mut self, start: &Start) -> Result<(), VaultError> {
        self.bytes.truncate(usize::try_from(start.from).unwrap_or(usize::MAX));
        Ok(())
    }

    async fn write(&mut self, chunk: &[u8]) -> Result<(), VaultError> {
        // Even a bug must not take the machine with it.
        if self.bytes.len() > 256 * 1024 * 1024 {
            return Err(VaultError::TooLong { limit_bytes: 256 * 1024 * 1024 });
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }
}

#[async_trait]
impl Incoming for Hoard {
    async fn commit(self: Box<Self>, _: u64, _: &str) -> Result<StoredFile, VaultError> {
        let bytes = u64::try_from(self.bytes.len()).unwrap_or(u64::MAX);
        Ok(StoredFile { sha256: hex_of(&self.bytes), bytes, media_type: "video/mp4".to_owned() })
    }

    async fn discard(self: Box<Self>) -> Result<(), VaultError> {
        Ok(())
    }
}

/// SHA-256 in hex.
pub fn hex_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
