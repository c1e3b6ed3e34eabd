//! Files that change in the vault after they were kept: what is not the file that was promised proves nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use makegood_app::contract::{ActionKeyRequest, ActionView, OutcomeState, ReadBack};
use makegood_app::{Agent, Desk, Ports, WorkspaceInfo};
use makegood_connectors::LocalVault;
use makegood_domain::feed::Fact;
use makegood_domain::ids::{AgentId, JobId};
use makegood_domain::plan::{ActionKind, StoredFile};
use makegood_domain::policy::Policy;
use makegood_domain::ports::{Incoming, TransitKey, Vault, VaultError};
use makegood_domain::reading::RuleReader;
use makegood_testkit::Sample;
use sha2::{Digest as _, Sha256};

use super::acting::{confirmation, review};
use super::fakes::Fetching;
use super::saving::dossier;
use super::world::*;

const STARTED: &str = "2026-03-12T18:04:22Z";
const FINISHED: &str = "2026-03-12T18:12:14Z";

/// The file that lies under a hash, wherever in this folder.
fn file_of(folder: &Path, sha256: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("an entry").path()).find_map(|path| {
        let is_it = path.file_name().is_some_and(|name| name == sha256);
        if path.is_dir() { file_of(&path, sha256) } else { is_it.then_some(path) }
    })
}

/// Changes the last byte of a file: it is as long as before, and of the same kind.
fn flip(folder: &Path, sha256: &str) {
    let path = file_of(folder, sha256).expect("the file");
    let mut bytes = std::fs::read(&path).expect("readable");
    *bytes.last_mut().expect("not empty") ^= 1;
    // What is kept may be read-only: a damage asks for no leave.
    std::fs::remove_file(&path).expect("removed");
    std::fs::write(&path, bytes).expect("written");
}

/// A vault on a disk that changes a byte of a file just before it is first read again.
struct Rotting {
    vault: LocalVault,
    folder: PathBuf,
    rotten: AtomicBool,
}

#[async_trait]
impl Vault for Rotting {
    async fn begin(&self, key: &TransitKey) -> Result<Box<dyn Incoming>, VaultError> {
        self.vault.begin(key).await
    }

    async fn verify(&self, sha256: &str) -> Result<StoredFile, VaultError> {
        if !self.rotten.swap(true, Ordering::SeqCst) {
            flip(&self.folder, sha256);
        }
        self.vault.verify(sha256).await
    }

    async fn read(&self, sha256: &str, limit_bytes: u64) -> Result<Vec<u8>, VaultError> {
        self.vault.read(sha256, limit_bytes).await
    }
}

fn desk_keeping_in(vault: Arc<dyn Vault>, house: &House) -> Desk {
    let ports = Ports {
        store: Arc::clone(&house.store) as _,
        providers: Arc::clone(&house.mill) as _,
        vault,
        reader: Arc::new(RuleReader),
        clock: Arc::clone(&house.clock) as _,
    };
    let info = WorkspaceInfo { name: "Test".into(), banner: None };
    let agent = Agent { id: AgentId::new("ana"), name: "ana".to_owned() };
    Desk::new(ports, Policy::default_policy().expect("the built-in policy"), agent, info)
}

fn files(view: &ActionView) -> Vec<bool> {
    let matching = |proof: &ReadBack| match proof {
        ReadBack::File { matches, .. } => Some(*matches),
        _ => None,
    };
    view.read_back.iter().filter_map(matching).collect()
}

#[tokio::test]
async fn a_file_of_the_right_length_and_other_bytes_is_not_done() {
    let made = made_job("run_shot4", FINISHED, &clip());
    let facts = [ground(), run_of_210("run_shot4", STARTED), vec![made, upload_failed("run_shot4", FINISHED)]];
    let house = house(&facts).await;
    let folder = house.dir.path().join("vault");
    let vault = LocalVault::open(&folder).expect("a vault");
    let desk = desk_keeping_in(Arc::new(Rotting { vault, folder, rotten: AtomicBool::new(false) }), &house);
    let case = house.case("T-1", COMPLAINT).await;
    let sheet = review(&desk, &case, ActionKind::Recover).await;
    let view = desk.confirm(confirmation(&sheet, "a")).await.expect("an outcome");
    assert_eq!((view.state, files(&view)), (OutcomeState::Unknown, vec![false]), "{:?}", view.why);
    assert!(view.why.as_ref().is_some_and(|why| why.contains("damaged")), "{:?}", view.why);
    // Whoever asks again has it brought again: then it is whole, and only then done.
    let again = desk.check(ActionKeyRequest { key: view.key }).await.expect("an outcome");
    assert_eq!((again.state, files(&again)), (OutcomeState::Done, vec![true]), "{:?}", again.why);
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_copy_that_is_damaged_gives_way_to_what_its_provider_has_now() {
    // Its provider promises no bytes, and makes other ones when it is asked again.
    let mut made = made_job("run_shot4", FINISHED, &clip());
    if let Fact::Job(job) = &mut made
        && let Some(file) = &mut job.items[0].file
    {
        (file.bytes, file.sha256_prefix) = (0, String::new());
    }
    let further = vec![made.clone(), upload_failed("run_shot4", FINISHED)];
    let house = house(&[ground(), run_of_210("run_shot4", STARTED), further]).await;
    if let Fact::Job(job) = made {
        *house.mill.answer.lock().expect("not poisoned") = Some(job);
    }
    house.desk.heard_of([JobId::new("job-run_shot4")]);
    assert_eq!(house.desk.capture_wanted().await, 1);
    flip(&house.dir.path().join("vault"), &hex(&clip()));
    let other = Sample::mp4(65).bytes;
    *house.mill.fetching.lock().expect("not poisoned") = Fetching::Gives(other.clone());
    let case = house.case("T-1", COMPLAINT).await;
    let sheet = review(&house.desk, &case, ActionKind::Recover).await;
    let done = house.desk.confirm(confirmation(&sheet, "a")).await.expect("an outcome");
    assert_eq!(done.state, OutcomeState::Done, "{:?}", done.why);
    let after = dossier(&house, "run_shot4").await;
    assert_eq!(after.outputs.iter().filter_map(|row| row.sha256.clone()).collect::<Vec<_>>(), [hex(&other)]);
}
