//! A vault that can't be reached for a while: what is in it is there all the same, and what is on its way to it waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use makegood_app::Desk;
use makegood_connectors::vault::ShelfVault;
use makegood_connectors::vault::shelf::{ContentKey, FolderShelf, Measured, Put, Shelf, ShelfError, Shelved, Staged};
use makegood_domain::feed::Fact;
use makegood_domain::ids::{JobId, ProviderId};
use makegood_domain::media::MediaFacts;
use makegood_domain::ports::{
    Capability, Descriptor, FileSink, JobRef, LookUp, ProviderError, ProviderPort, Providers, Vault as _,
};
use url::Url;

use super::loom::{Loom, OneLoom, Says};
use super::reconciling::{CHARGED, Works, running_job, works};
use super::world::{platform_refund, rich_ground, run_of_210};

/// A folder that is away while the switch is on. Files on their way lie on a disk that is there.
struct Away {
    folder: FolderShelf,
    is_away: Arc<AtomicBool>,
}

impl Away {
    fn there(&self) -> Result<&FolderShelf, ShelfError> {
        if self.is_away.load(Ordering::SeqCst) {
            return Err(ShelfError::Refused {
                place: "s3://vault".into(),
                why: "503 Slow Down".into(),
                temporary: true,
            });
        }
        Ok(&self.folder)
    }
}

#[async_trait]
impl Shelf for Away {
    fn place(&self) -> &str {
        self.folder.place()
    }

    async fn put(&self, staged: &Staged<'_>) -> Result<Put, ShelfError> {
        self.there()?.put(staged).await
    }

    async fn measure(&self, key: &ContentKey) -> Result<Measured, ShelfError> {
        self.there()?.measure(key).await
    }

    async fn media_type(&self, key: &ContentKey) -> Result<String, ShelfError> {
        self.there()?.media_type(key).await
    }

    async fn inspect(&self, key: &ContentKey) -> Result<MediaFacts, ShelfError> {
        self.there()?.inspect(key).await
    }

    async fn read(&self, key: &ContentKey, from: u64, bytes: u64) -> Result<Vec<u8>, ShelfError> {
        self.there()?.read(key, from, bytes).await
    }

    async fn remove(&self, key: &ContentKey) -> Result<(), ShelfError> {
        self.there()?.remove(key).await
    }

    async fn list(&self, after: Option<&ContentKey>, limit: usize) -> Result<Vec<Shelved>, ShelfError> {
        self.there()?.list(after, limit).await
    }

    async fn link(&self, key: &ContentKey, valid_for: Duration) -> Result<Option<Url>, ShelfError> {
        self.there()?.link(key, valid_for).await
    }

    async fn claim(&self, owner: &str) -> Result<String, ShelfError> {
        self.there()?.claim(owner).await
    }

    async fn clear(&self, before: Timestamp) -> Result<u32, ShelfError> {
        self.there()?.clear(before).await
    }
}

/// One run, an hour after its charge, whose provider keeps files for that long, with a desk whose vault can be away.
struct Outage {
    works: Works,
    desk: Arc<Desk>,
    is_away: Arc<AtomicBool>,
    vault: ShelfVault<Away>,
}

async fn outage(further: Vec<Fact>) -> Outage {
    let mut ground = rich_ground(1);
    for fact in &mut ground {
        if let Fact::Provider(mill) = fact {
            mill.retention_hours = Some(1);
        }
    }
    let works = works(&[ground, run_of_210("run_0", CHARGED), vec![running_job("run_0")], further]).await;
    let is_away = Arc::new(AtomicBool::new(false));
    let folder = FolderShelf::open(works.folder().join("vault")).expect("a folder");
    let vault = ShelfVault::on(Away { folder, is_away: Arc::clone(&is_away) }, works.folder().join("transit"));
    let desk = works.desk_keeping_in(Arc::new(vault.clone()), Arc::new(OneLoom(Arc::clone(&works.loom))));
    Outage { works, desk, is_away, vault }
}

impl Outage {
    fn is_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }

    /// How many files were delivered and how many items restored, in a pass after so many minutes.
    async fn pass_after(&self, minutes: i64) -> (u64, u64) {
        self.works.clock.advance(SignedDuration::from_mins(minutes));
        let report = self.desk.reconcile_once(&self.works.shift("one")).await.expect("a pass");
        (report.transferred, report.restored)
    }

    fn fetched(&self) -> u32 {
        self.works.loom.fetched.load(Ordering::SeqCst)
    }

    /// Saves the file, without delivering it.
    async fn save(&self) {
        self.works.loom.script("run_0", Says::Made);
        self.desk.heard_of([JobId::new("job-run_0")]);
        assert_eq!(self.desk.capture_wanted().await, 1);
    }
}

#[tokio::test]
async fn a_vault_that_cannot_be_read_pays_nothing_for_what_is_in_it() {
    let outage = outage(Vec::new()).await;
    outage.save().await;
    outage.works.loom.script("run_0", Says::MadeAndFails { gone: true });
    outage.is_away(true);
    for _ in 0..3 {
        assert_eq!(outage.pass_after(60).await, (0, 0));
    }
    assert_eq!(outage.fetched(), 1, "its provider is not asked for what is ours");
    outage.is_away(false);
    assert_eq!(outage.pass_after(60).await, (1, 0));
}

#[tokio::test]
async fn what_the_vault_has_lost_is_paid_where_its_provider_has_it_no_longer() {
    let outage = outage(Vec::new()).await;
    outage.save().await;
    let files = outage.vault.files(None, 2).await.expect("a list");
    outage.vault.remove(&files[0].sha256).await.expect("taken away");
    outage.works.loom.script("run_0", Says::MadeAndFails { gone: true });
    assert_eq!(outage.pass_after(1).await, (0, 1), "it was looked for, and nobody has it");
}

#[tokio::test]
async fn a_file_that_is_here_whole_is_not_given_up_when_its_provider_deletes_it_before_the_vault_is_back() {
    let outage = outage(Vec::new()).await;
    outage.works.loom.script("run_0", Says::Made);
    outage.is_away(true);
    outage.desk.heard_of([JobId::new("job-run_0")]);
    assert_eq!(outage.desk.capture_wanted().await, 0, "it has come, and the vault does not take it");
    outage.works.loom.script("run_0", Says::Deleted);
    for minutes in [15, 60, 240] {
        assert_eq!(outage.pass_after(minutes).await, (0, 0), "after {minutes} more minutes");
    }
    outage.is_away(false);
    assert_eq!(outage.pass_after(60).await, (1, 0));
    assert_eq!(outage.fetched(), 1);
}

#[tokio::test]
async fn a_late_result_that_is_here_whole_is_kept_as_soon_as_the_vault_is_back() {
    let outage = outage(vec![platform_refund("run_0", CHARGED)]).await;
    outage.works.loom.script("run_0", Says::Made);
    outage.is_away(true);
    outage.desk.heard_of([JobId::new("job-run_0")]);
    assert_eq!(outage.desk.capture_wanted().await, 0);
    outage.works.loom.script("run_0", Says::Deleted);
    // Longer than its provider kept it.
    for _ in 0..12 {
        outage.works.clock.advance(SignedDuration::from_mins(15));
        assert_eq!(outage.desk.capture_wanted().await, 0);
    }
    outage.is_away(false);
    outage.works.clock.advance(SignedDuration::from_mins(15));
    assert_eq!((outage.desk.capture_wanted().await, outage.fetched()), (1, 1));
}

/// `mill`, which gives the file of `run_1` to nobody in time.
struct Busy(Arc<Loom>);

#[async_trait]
impl ProviderPort for Busy {
    fn descriptor(&self) -> Descriptor {
        self.0.descriptor()
    }

    fn capability(&self) -> Capability {
        self.0.capability()
    }

    async fn find_job(&self, job: &JobRef, now: Timestamp) -> LookUp {
        self.0.find_job(job, now).await
    }

    async fn fetch(&self, job: &JobRef, item: u32, sink: &mut dyn FileSink) -> Result<Option<String>, ProviderError> {
        let got = self.0.fetch(job, item, sink).await;
        if job.job_id.as_str() == "job-run_1" {
            std::future::pending::<()>().await;
        }
        got
    }
}

impl Providers for Busy {
    fn get(&self, id: &ProviderId) -> Option<Arc<dyn ProviderPort>> {
        (id.as_str() == "mill").then(|| Arc::new(Self(Arc::clone(&self.0))) as _)
    }

    fn all(&self) -> Vec<Descriptor> {
        vec![self.0.descriptor()]
    }
}

/// Times that it is looked whether something has come, while others have their turn.
const TURNS: usize = 2_000;

#[tokio::test]
async fn what_is_ours_needs_no_place_with_its_provider() {
    let runs = ["run_0", "run_1"].map(|run| [run_of_210(run, CHARGED), vec![running_job(run)]].concat());
    let mut works = works(&[rich_ground(2), runs.concat()]).await;
    works.policy.reconcile.per_provider = 1;
    for run in ["run_0", "run_1"] {
        works.loom.script(run, Says::Made);
    }
    let desk = works.desk_of(Arc::new(Busy(Arc::clone(&works.loom))));
    desk.heard_of([JobId::new("job-run_0")]);
    assert_eq!(desk.capture_wanted().await, 1);
    // The only place is taken for the other one's file, and stays so until both are to be settled.
    desk.heard_of([JobId::new("job-run_1")]);
    let saving = tokio::spawn({
        let desk = Arc::clone(&desk);
        async move { desk.capture_wanted().await }
    });
    while works.loom.fetched.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    works.clock.advance(SignedDuration::from_hours(22));
    let pass = tokio::spawn({
        let (desk, shift) = (Arc::clone(&desk), works.shift("one"));
        async move { desk.reconcile_once(&shift).await }
    });
    let mut run = works.run("run_0").await;
    for _ in 0..TURNS {
        if !run.outputs.is_empty() {
            break;
        }
        run = works.run("run_0").await;
    }
    assert_eq!((run.outputs.len(), run.refunds.len()), (1, 0));
    pass.abort();
    saving.abort();
}
