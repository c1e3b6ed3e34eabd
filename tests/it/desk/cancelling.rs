//! A transfer is shown while it goes on, and can be ended: nothing half is left, and the case can be acted on again.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use makegood_app::Desk;
use makegood_app::contract::{
    ActionView, CancelTransferRequest, CancelTransferResult, Nothing, OutcomeState, TransferPhase, TransferView,
};
use makegood_domain::ids::{CaseId, ProviderId};
use makegood_domain::plan::ActionKind;
use makegood_domain::ports::{
    Capability, Descriptor, FileSink, JobRef, LookUp, ProviderError, ProviderPort, Providers, Retry, Start,
};
use tokio::sync::Semaphore;
use tokio::sync::broadcast::error::RecvError;

use super::acting::{confirmation, review};
use super::fakes::Mill;
use super::world::*;

const STARTED: &str = "2026-03-12T18:04:22Z";
const FINISHED: &str = "2026-03-12T18:12:14Z";
/// Bytes that come before the provider waits.
const FIRST: usize = 16;

/// A provider, `mill`, that gives the first bytes of a file and the rest when it is let.
struct Halting {
    mill: Arc<Mill>,
    rest: Arc<Semaphore>,
}

#[async_trait]
impl ProviderPort for Halting {
    fn descriptor(&self) -> Descriptor {
        self.mill.descriptor()
    }

    fn capability(&self) -> Capability {
        self.mill.capability()
    }

    async fn find_job(&self, job: &JobRef, now: Timestamp) -> LookUp {
        self.mill.find_job(job, now).await
    }

    async fn fetch(&self, _: &JobRef, _: u32, sink: &mut dyn FileSink) -> Result<Option<String>, ProviderError> {
        let failed = |message: String| ProviderError {
            provider: ProviderId::new("mill"),
            operation: "fetch",
            message,
            retry: Retry::Temporary,
            gone: false,
        };
        let bytes = clip();
        let start = Start { from: 0, total: u64::try_from(bytes.len()).ok(), tag: None };
        sink.starts(&start).await.map_err(|why| failed(why.to_string()))?;
        sink.write(&bytes[..FIRST]).await.map_err(|why| failed(why.to_string()))?;
        let _let = self.rest.acquire().await.map_err(|why| failed(why.to_string()))?;
        sink.write(&bytes[FIRST..]).await.map_err(|why| failed(why.to_string()))?;
        Ok(None)
    }
}

struct One(Arc<Halting>);

impl Providers for One {
    fn get(&self, id: &ProviderId) -> Option<Arc<dyn ProviderPort>> {
        (id.as_str() == "mill").then(|| Arc::clone(&self.0) as _)
    }

    fn all(&self) -> Vec<Descriptor> {
        vec![self.0.descriptor()]
    }
}

struct Stage {
    house: House,
    desk: Arc<Desk>,
    case: CaseId,
    rest: Arc<Semaphore>,
}

async fn stage() -> Stage {
    let facts = [
        ground(),
        run_of_210("run_shot4", STARTED),
        vec![made_job("run_shot4", FINISHED, &clip()), upload_failed("run_shot4", FINISHED)],
    ];
    let house = house(&facts).await;
    let case = house.case("T-1", COMPLAINT).await;
    let rest = Arc::new(Semaphore::new(0));
    let halting = Halting { mill: Arc::clone(&house.mill), rest: Arc::clone(&rest) };
    let desk = desk_asking(Arc::new(One(Arc::new(halting))), &house.store, &house.clock, house.dir.path());
    Stage { house, desk, case, rest }
}

impl Stage {
    async fn confirm(&self, key: &str) -> tokio::task::JoinHandle<ActionView> {
        let request = confirmation(&review(&self.desk, &self.case, ActionKind::Recover).await, key);
        let desk = Arc::clone(&self.desk);
        tokio::spawn(async move { desk.confirm(request).await.expect("an outcome") })
    }

    /// The one transfer, as soon as it has come to this phase.
    async fn transfer(&self, phase: TransferPhase) -> TransferView {
        let mut changes = self.desk.changes();
        loop {
            let all = self.desk.transfers(Nothing {}).await.expect("a list").transfers;
            if let Some(one) = all.into_iter().find(|one| one.phase == phase) {
                return one;
            }
            match changes.recv().await {
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => panic!("no transfer comes to {phase:?}"),
            }
        }
    }

    async fn cancel(&self) -> CancelTransferResult {
        let request = CancelTransferRequest { run_id: "run_shot4".into(), item: 1 };
        self.desk.cancel_transfer(request).await.expect("an answer")
    }

    /// Files under the vault's folder, also half ones.
    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.house.dir.path().join("vault")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
                if entry.file_type().expect("a kind").is_dir() {
                    folders.push(entry.path());
                } else {
                    found.push(entry.file_name().to_string_lossy().into_owned());
                }
            }
        }
        found
    }
}

#[tokio::test]
async fn a_transfer_is_shown_with_its_rate_and_the_time_left() {
    let stage = stage().await;
    let confirming = stage.confirm("a").await;
    let begun = stage.transfer(TransferPhase::Downloading).await;
    let total = u64::try_from(clip().len()).expect("a small file");
    assert_eq!((begun.run_id.as_str(), begun.item, begun.provider_id.as_str()), ("run_shot4", 1, "mill"));
    assert_eq!((begun.received_bytes, begun.total_bytes), (16, Some(total)));
    assert_eq!((begun.case_id.as_deref(), begun.bytes_per_second), (Some(stage.case.as_str()), None));
    assert!(begun.action_key.is_some_and(|key| key.starts_with("a-")) && begun.can_cancel);
    stage.house.clock.advance(SignedDuration::from_secs(2));
    let later = stage.transfer(TransferPhase::Downloading).await;
    assert_eq!((later.bytes_per_second, later.seconds_left), (Some(8), Some((total - 16).div_ceil(8))));
    stage.rest.add_permits(1);
    let done = confirming.await.expect("no panic");
    assert_eq!(done.state, OutcomeState::Done, "{:?}", done.why);
    assert!(stage.desk.transfers(Nothing {}).await.expect("a list").transfers.is_empty());
}

#[tokio::test]
async fn a_cancelled_transfer_leaves_nothing_half_and_the_case_to_be_acted_on() {
    let stage = stage().await;
    let confirming = stage.confirm("a").await;
    stage.transfer(TransferPhase::Downloading).await;
    let cancelled = stage.cancel().await;
    assert_eq!((cancelled.cancelled, cancelled.why), (true, None));
    assert!(stage.desk.transfers(Nothing {}).await.expect("a list").transfers.is_empty(), "it has ended");
    let ended = confirming.await.expect("no panic");
    assert_eq!((ended.state, ended.retry), (OutcomeState::FailedBeforeEffect, true));
    assert_eq!(ended.why.as_deref(), Some("cancelled by ana: nothing was done"));
    assert_eq!(stage.files(), Vec::<String>::new(), "nothing of it is left");
    // Nobody holds the item: the next one has it at once, within the lease of the first.
    stage.rest.add_permits(1);
    let done = stage.confirm("b").await.await.expect("no panic");
    assert_eq!(done.state, OutcomeState::Done, "{:?}", done.why);
    let (logs, files): (Vec<_>, Vec<_>) = stage.files().into_iter().partition(|name| name.ends_with(".log"));
    assert_eq!(files.len(), 1, "the file and nothing half: {files:?}");
    assert_eq!(logs.len(), 1, "and what tells the next attempt that it was kept: {logs:?}");
}

#[tokio::test]
async fn what_is_not_on_its_way_is_not_cancelled() {
    let stage = stage().await;
    let before = stage.cancel().await;
    assert!(!before.cancelled && before.why.is_some_and(|why| why.contains("brings no file of item 1")));
    stage.rest.add_permits(1);
    let done = stage.confirm("a").await.await.expect("no panic");
    assert_eq!(done.state, OutcomeState::Done, "{:?}", done.why);
    assert!(!stage.cancel().await.cancelled, "it is delivered");
}
