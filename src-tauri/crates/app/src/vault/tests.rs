//! Sweeps over a vault in memory that fails when it is told to.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use makegood_domain::ids::{ProviderId, RunId};
use makegood_domain::plan::{Effect, Place, StoredFile};
use makegood_domain::policy::Policy;
use makegood_domain::ports::{
    ActionStore as _, Applied, Descriptor, FactStore as _, FileStore as _, Incoming, ProviderPort, Providers,
    ReconcileStore as _, Store, TransitKey, Vault,
};
use makegood_domain::reading::RuleReader;
use makegood_testkit::{ManualClock, MemoryStore, World};

use super::*;
use crate::desk::{Agent, Ports, WorkspaceInfo};

#[derive(Default)]
struct Shelf {
    files: Mutex<BTreeMap<String, VaultFile>>,
    /// Why nothing can be taken away.
    stuck: Mutex<Option<&'static str>>,
    /// Whose it is, where it is another record's.
    owner: Mutex<Option<&'static str>>,
    /// Removals that the audit did not know of when they were made.
    unannounced: Mutex<Vec<String>>,
    store: Mutex<Option<Arc<MemoryStore>>>,
}

fn held<T>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Vault for Shelf {
    async fn begin(&self, _: &TransitKey) -> std::result::Result<Box<dyn Incoming>, VaultError> {
        Err(VaultError::Write { what: "a file".into(), why: "nothing is put here".into() })
    }
    async fn verify(&self, sha256: &str) -> std::result::Result<StoredFile, VaultError> {
        match held(&self.files).get(sha256) {
            Some(file) => {
                Ok(StoredFile { sha256: sha256.to_owned(), bytes: file.bytes, media_type: "video/mp4".into() })
            }
            None => Err(VaultError::Missing { what: sha256.to_owned() }),
        }
    }
    async fn read(&self, sha256: &str, _: u64) -> std::result::Result<Vec<u8>, VaultError> {
        Err(VaultError::Read { what: sha256.to_owned(), why: "nothing is read here".into() })
    }
    async fn files(&self, after: Option<&str>, limit: usize) -> std::result::Result<Vec<VaultFile>, VaultError> {
        let files = held(&self.files);
        let later = files.values().filter(|file| after.is_none_or(|after| file.sha256.as_str() > after));
        Ok(later.take(limit).cloned().collect())
    }
    async fn remove(&self, sha256: &str) -> std::result::Result<(), VaultError> {
        let store = held(&self.store).clone().expect("a record");
        if !store.claimed_removals(100).await.expect("a list").contains(&sha256.to_owned()) {
            held(&self.unannounced).push(sha256.to_owned());
        }
        if let Some(why) = *held(&self.stuck) {
            return Err(VaultError::Write { what: sha256.to_owned(), why: why.to_owned() });
        }
        held(&self.files).remove(sha256);
        Ok(())
    }
    async fn clear(&self, _: Timestamp) -> std::result::Result<u32, VaultError> {
        Ok(3)
    }
    async fn claim(&self) -> std::result::Result<(), VaultError> {
        match *held(&self.owner) {
            None => Ok(()),
            Some(owner) => Err(VaultError::Write { what: "the shelf".into(), why: format!("it is {owner}'s") }),
        }
    }
}

struct Nobody;

impl Providers for Nobody {
    fn get(&self, _: &ProviderId) -> Option<Arc<dyn ProviderPort>> {
        None
    }
    fn all(&self) -> Vec<Descriptor> {
        Vec::new()
    }
}

struct House {
    desk: Desk,
    shelf: Arc<Shelf>,
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
}

fn start() -> Timestamp {
    "2026-11-01T00:00:00Z".parse().expect("an instant")
}

fn house() -> House {
    let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(ManualClock::new(start())));
    let shelf = Arc::new(Shelf { store: Mutex::new(Some(Arc::clone(&store))), ..Shelf::default() });
    let ports = Ports {
        store: Arc::clone(&store) as Arc<dyn Store>,
        providers: Arc::new(Nobody),
        vault: Arc::clone(&shelf) as Arc<dyn Vault>,
        reader: Arc::new(RuleReader),
        clock: Arc::clone(&clock) as Arc<dyn makegood_domain::ports::Clock>,
    };
    let agent = Agent { id: "ana".into(), name: "Ana".into() };
    let workspace = WorkspaceInfo { name: "Test".into(), banner: None };
    let desk = Desk::new(ports, Policy::default_policy().expect("a policy"), agent, workspace);
    House { desk, shelf, store, clock }
}

impl House {
    /// A file that lies in the vault since the start.
    fn lies(&self, digits: &str) -> String {
        let sha256 = digits.repeat(32);
        let file = VaultFile { sha256: sha256.clone(), bytes: 10, since: Some(start()) };
        held(&self.shelf.files).insert(sha256.clone(), file);
        sha256
    }

    /// The same, as the output of a run.
    async fn delivered(&self, run: &RunId, digits: &str, hold_until: Option<&str>) {
        let sha256 = self.lies(digits);
        let place = match hold_until {
            None => Place::History { project_id: "prj_film".into() },
            Some(until) => Place::Hold { project_id: "prj_film".into(), until: until.parse().expect("an instant") },
        };
        let lease = Effect::LeaseItem { run_id: run.clone(), item: 1, lease_seconds: 600 };
        let deliver = Effect::Deliver {
            run_id: run.clone(),
            item: 1,
            epoch: 1,
            output_id: format!("out_{digits}").as_str().into(),
            file: StoredFile { sha256, bytes: 10, media_type: "video/mp4".into() },
            place,
        };
        let key = format!("rec-{digits}").as_str().into();
        let now = start().saturating_add(SignedDuration::from_hours(1)).expect("an instant");
        for (part, effect) in (0..).zip([lease, deliver]) {
            let done = self.store.settle(&key, part, &effect, now).await.expect("settled");
            assert!(matches!(done, Applied::Done(_)), "{done:?}");
        }
    }

    fn files(&self) -> Vec<String> {
        held(&self.shelf.files).keys().map(|sha256| sha256[..2].to_owned()).collect()
    }

    async fn sweep(&self, is_rehearsal: bool) -> (VaultSweep, Vec<String>) {
        let (stop, mut told) = (AtomicBool::new(false), Vec::new());
        let sweeping = Sweeping { is_rehearsal, by: "ana".into(), stop: &stop };
        let swept = self.desk.sweep_vault(&sweeping, |view| told.push(view.file.sha256[..2].to_owned())).await;
        assert_eq!(*held(&self.shelf.unannounced), Vec::<String>::new(), "each stood in the record before");
        (swept.expect("a report"), told)
    }

    /// Two shown or held, two over, and one that came just now.
    async fn filled() -> Self {
        let (house, mut world) = (house(), World::new("mill", start()));
        let runs: Vec<RunId> = (0..3).map(|_| world.charged_run(1, 10)).collect();
        assert_eq!(house.store.import(&world.facts(), start()).await.expect("taken").rejected, []);
        house.delivered(&runs[0], "aa", None).await;
        house.delivered(&runs[1], "bb", Some("2026-11-15T00:00:00Z")).await;
        house.delivered(&runs[2], "cc", Some("2026-11-20T00:00:00Z")).await;
        house.lies("dd");
        house.clock.set("2026-11-15T00:00:00Z".parse().expect("an instant"));
        let young = VaultFile { sha256: "ee".repeat(32), bytes: 10, since: Some(house.desk.now()) };
        held(&house.shelf.files).insert(young.sha256.clone(), young);
        house
    }
}

#[tokio::test]
async fn what_nothing_needs_goes_and_everything_else_stays() {
    let house = House::filled().await;
    let (rehearsed, told) = house.sweep(true).await;
    assert_eq!((told, house.files().len()), (vec!["bb".to_owned(), "dd".to_owned()], 5));
    let wanted = VaultSweep {
        looked_at: 5,
        bytes: 50,
        removed: 2,
        removed_bytes: 20,
        held: 1,
        young: 1,
        ..VaultSweep::default()
    };
    assert_eq!(rehearsed, wanted);
    let (swept, told) = house.sweep(false).await;
    assert_eq!((swept, told.len()), (VaultSweep { cleared: 3, ..wanted }, 2));
    assert_eq!(house.files(), ["aa", "cc", "ee"]);
    let lines = house.store.audit(Some(&"bb".repeat(32)), 10).await.expect("lines");
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((line.actor.as_str(), line.act.as_str()), ("ana", "remove_file"));
    assert!(line.detail.contains("2026-11-15T00:00:00Z"), "{}", line.detail);
    assert_eq!(house.sweep(false).await.0.removed, 0, "once");
}

#[tokio::test]
async fn what_broke_off_is_ended_by_the_next_sweep() {
    let house = House::filled().await;
    *held(&house.shelf.stuck) = Some("the disk is read-only");
    let (swept, _) = house.sweep(false).await;
    assert_eq!((swept.removed, swept.failed.len(), house.files().len()), (0, 2, 5));
    assert!(swept.failed[0].contains("read-only"), "{:?}", swept.failed);
    *held(&house.shelf.stuck) = None;
    let (swept, told) = house.sweep(false).await;
    assert_eq!((swept.failed, told, house.files()), (vec![], vec![], vec!["aa".into(), "cc".into(), "ee".into()]));
    assert_eq!(house.store.claimed_removals(10).await.expect("a list"), Vec::<String>::new());
}

#[tokio::test]
async fn a_sweep_stops_between_files_and_comes_once_an_hour() {
    let house = House::filled().await;
    let stop = AtomicBool::new(true);
    let sweeping = Sweeping { is_rehearsal: false, by: "ana".into(), stop: &stop };
    let swept = house.desk.sweep_vault(&sweeping, |_| panic!("nothing is begun")).await.expect("a report");
    assert!(swept.is_cut_short && swept.looked_at == 0, "{swept:?}");
    stop.store(false, Ordering::Relaxed);
    let mut last = None;
    let mut due = async |minutes: i64| {
        house.clock.advance(SignedDuration::from_mins(minutes));
        house.desk.sweep_vault_if_due(&mut last, &stop).await.expect("a report").map(|swept| swept.removed)
    };
    assert_eq!(due(0).await, Some(2));
    assert_eq!(due(59).await, None);
    assert_eq!(due(1).await, Some(0));
}

#[tokio::test]
async fn a_check_tells_a_whole_file_from_a_damaged_and_a_missing_one() {
    let house = House::filled().await;
    let recorded = house.desk.recorded_files(None).await.expect("a list");
    assert_eq!(recorded.len(), 3);
    assert_eq!(house.desk.check_file(&recorded[0]).await, Checked::Whole);
    held(&house.shelf.files).get_mut(&recorded[1].sha256).expect("there").bytes = 7;
    let checked = house.desk.check_file(&recorded[1]).await;
    assert!(matches!(&checked, Checked::Damaged { why } if why.contains("7 bytes")), "{checked:?}");
    held(&house.shelf.files).remove(&recorded[2].sha256);
    let checked = house.desk.check_file(&recorded[2]).await;
    assert!(matches!(&checked, Checked::Unread { why } if why.contains("not there")), "{checked:?}");
    let after = house.desk.recorded_files(Some(&recorded[1].sha256)).await.expect("a list");
    assert_eq!(after, recorded[2..]);
}

#[tokio::test]
async fn of_a_vault_of_another_record_nothing_is_taken_away() {
    let house = House::filled().await;
    let before = house.files();
    house.clock.advance(SignedDuration::from_hours(24 * 60));
    *held(&house.shelf.owner) = Some("another record");
    let stop = AtomicBool::new(false);
    let sweeping = Sweeping { is_rehearsal: false, by: "ana".into(), stop: &stop };
    let told = house.desk.sweep_vault(&sweeping, |view| panic!("{view:?} goes")).await.map_err(|why| why.to_string());
    assert!(told.as_ref().is_err_and(|why| why.contains("another record")), "{told:?}");
    assert_eq!(house.files(), before);
    let claimed = house.store.claimed_removals(10).await.expect("a list");
    assert_eq!(claimed, Vec::<String>::new(), "nor is any removal in the record");
    *held(&house.shelf.owner) = None;
    let (swept, _) = house.sweep(false).await;
    assert!(swept.removed > 0, "its own it is swept of");
}
