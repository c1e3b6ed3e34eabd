//! Slow providers: they keep nobody else waiting, and their transfers keep what they hold, and end.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::feed::Fact;
use makegood_domain::ids::{ActionKey, ProviderId, RunId};
use makegood_domain::plan::Effect;
use makegood_domain::ports::{
    Applied, Capability, Descriptor, FileSink, JobRef, LookUp, ProviderError, ProviderPort, Providers,
    ReconcileStore as _, Retry,
};
use makegood_domain::work::JobState;
use makegood_store::sqlite::SqliteStore;
use makegood_testkit::ManualClock;
use serde_json::json;
use tokio::sync::Semaphore;

use super::loom::{Loom, OneLoom, Says};
use super::reconciling::{CHARGED, Works, running_job, works};
use super::world::{clip, rich_ground, run_of_210};

fn descriptor(id: &str) -> Descriptor {
    Descriptor { id: ProviderId::new(id), name: id.to_owned(), docs_url: String::new(), key_hint: String::new() }
}

fn looks_up() -> Capability {
    Capability { look_up: true, ..Capability::default() }
}

/// A provider, `press`, that answers when it is let, and then knows nothing.
struct Stuck(Semaphore);

#[async_trait]
impl ProviderPort for Stuck {
    fn descriptor(&self) -> Descriptor {
        descriptor("press")
    }

    fn capability(&self) -> Capability {
        looks_up()
    }

    async fn find_job(&self, asked: &JobRef, now: Timestamp) -> LookUp {
        let _let = self.0.acquire().await.expect("not closed");
        let Fact::Job(job) = running_job("any") else { panic!("a job") };
        let (id, run_id, provider_id) = (asked.job_id.clone(), asked.run_id.clone(), asked.provider_id.clone());
        let job = makegood_domain::work::Job { id, run_id, provider_id, state: JobState::LookupFailed, ..job };
        LookUp { job: makegood_domain::work::Job { looked_up_at: Some(now), ..job }, raw: Vec::new() }
    }

    async fn fetch(&self, _: &JobRef, _: u32, _: &mut dyn FileSink) -> Result<Option<String>, ProviderError> {
        panic!("it has no files")
    }
}

/// The registry of `mill` and `press`.
struct Both(OneLoom, Arc<Stuck>);

impl Providers for Both {
    fn get(&self, id: &ProviderId) -> Option<Arc<dyn ProviderPort>> {
        if id.as_str() == "press" { Some(Arc::clone(&self.1) as _) } else { self.0.get(id) }
    }

    fn all(&self) -> Vec<Descriptor> {
        vec![descriptor("mill"), descriptor("press")]
    }
}

/// So many runs with the stuck provider, and so many with the other one, which has failed with all of them.
async fn beside(stuck: usize, failed: usize) -> (Works, Arc<Stuck>) {
    let provider = json!({"id": "press", "retention_hours": 48, "retention_source": "documented"});
    let provider = serde_json::from_value(json!({ "type": "provider", "data": provider })).expect("a fact");
    let mut facts = vec![rich_ground(stuck + failed), vec![provider]];
    for number in 0..stuck {
        let run = format!("run_a{number}");
        let mut job = running_job(&run);
        if let Fact::Job(job) = &mut job {
            job.provider_id = "press".into();
        }
        facts.push([run_of_210(&run, CHARGED), vec![job]].concat());
    }
    for number in 0..failed {
        let run = format!("run_b{number}");
        facts.push([run_of_210(&run, CHARGED), vec![running_job(&run)]].concat());
    }
    let works = works(&facts).await;
    for number in 0..failed {
        works.loom.script(&format!("run_b{number}"), Says::Failed);
    }
    (works, Arc::new(Stuck(Semaphore::new(0))))
}

impl Works {
    /// How many of these runs have their credits back.
    async fn paid(&self, name: &str, count: usize) -> usize {
        let mut paid = 0;
        for number in 0..count {
            paid += usize::from(!self.run(&format!("{name}{number}")).await.refunds.is_empty());
        }
        paid
    }

    /// Waits until so many are paid while a pass is at work; how many were after many looks.
    async fn until_paid(&self, name: &str, count: usize, wanted: usize) -> usize {
        let mut paid = 0;
        for _ in 0..500 {
            paid = self.paid(name, count).await;
            if paid >= wanted {
                break;
            }
            tokio::task::yield_now().await;
        }
        paid
    }
}

#[tokio::test]
async fn a_provider_that_does_not_answer_keeps_nobody_else_waiting() {
    let (works, stuck) = beside(20, 3).await;
    let desk = works.desk_of(Arc::new(Both(OneLoom(Arc::clone(&works.loom)), Arc::clone(&stuck))));
    let shift = works.shift("one");
    let pass = tokio::spawn(async move { desk.reconcile_once(&shift).await });
    assert_eq!(works.until_paid("run_b", 3, 3).await, 3, "while the other provider keeps all who ask it");
    stuck.0.add_permits(20);
    let report = pass.await.expect("no panic").expect("a pass");
    assert_eq!((report.looked_at, report.restored, report.waiting), (23, 3, 20), "{:?}", report.problems);
}

#[tokio::test]
async fn near_hour_24_a_silent_provider_is_not_waited_for_long() {
    let (works, stuck) = beside(20, 0).await;
    works.clock.advance(SignedDuration::from_mins(22 * 60));
    let desk = works.desk_of(Arc::new(Both(OneLoom(Arc::clone(&works.loom)), Arc::clone(&stuck))));
    let shift = works.shift("one");
    let pass = tokio::spawn(async move { desk.reconcile_once(&shift).await });
    assert_eq!(works.until_paid("run_a", 20, 1).await, 0, "four are with the provider, the others wait for it");
    // An answer that takes too long is none: the next four are with it.
    works.clock.advance(SignedDuration::from_mins(6));
    assert_eq!(works.until_paid("run_a", 20, 4).await, 4, "those that were with it");
    // The next four are with it now, and nobody else waits any longer.
    works.clock.advance(SignedDuration::from_mins(6));
    assert_eq!(works.until_paid("run_a", 20, 16).await, 16, "all but the last four that came to it");
    works.clock.advance(SignedDuration::from_mins(6));
    let report = pass.await.expect("no panic").expect("a pass");
    assert_eq!((report.looked_at, report.restored), (20, 20), "{:?}", report.problems);
}

#[tokio::test]
async fn near_hour_24_a_busy_provider_still_gives_every_file() {
    let mut facts = vec![rich_ground(20)];
    for number in 0..20 {
        let run = format!("run_{number}");
        facts.push([run_of_210(&run, CHARGED), vec![running_job(&run)]].concat());
    }
    let works = works(&facts).await;
    works.clock.advance(SignedDuration::from_mins(22 * 60));
    (0..20).for_each(|number| works.loom.script(&format!("run_{number}"), Says::Made));
    let desk = works.desk_of(Arc::new(OneLoom(Arc::clone(&works.loom))));
    let report = desk.reconcile_once(&works.shift("one")).await.expect("a pass");
    assert_eq!((report.transferred, report.restored), (20, 0), "four at a time: {:?}", report.problems);
}

/// A file that takes seven minutes a byte, so many of them, and then its rest. Others want its item too.
struct Trickle {
    loom: Arc<Loom>,
    clock: Arc<ManualClock>,
    store: Arc<SqliteStore>,
    slow_bytes: usize,
    /// Whether another worker got the item, after each byte.
    taken: Mutex<Vec<bool>>,
}

#[async_trait]
impl ProviderPort for Trickle {
    fn descriptor(&self) -> Descriptor {
        descriptor("mill")
    }

    fn capability(&self) -> Capability {
        looks_up()
    }

    async fn find_job(&self, asked: &JobRef, now: Timestamp) -> LookUp {
        self.loom.find_job(asked, now).await
    }

    async fn fetch(&self, asked: &JobRef, _: u32, sink: &mut dyn FileSink) -> Result<Option<String>, ProviderError> {
        let bytes = clip();
        let failed = |message: String| ProviderError {
            provider: ProviderId::new("mill"),
            operation: "fetch",
            message,
            retry: Retry::Temporary,
            gone: false,
        };
        for (place, byte) in bytes.iter().take(self.slow_bytes).enumerate() {
            sink.write(&[*byte]).await.map_err(|why| failed(why.to_string()))?;
            self.clock.advance(SignedDuration::from_mins(7));
            tokio::task::yield_now().await;
            let key = ActionKey(format!("another-worker-{place:04}"));
            let lease = Effect::LeaseItem { run_id: RunId(asked.run_id.0.clone()), item: 1, lease_seconds: 60 };
            let now = makegood_domain::ports::Clock::now(&*self.clock);
            let answer = self.store.settle(&key, 0, &lease, now).await.expect("an answer");
            self.taken.lock().expect("not poisoned").push(matches!(answer, Applied::Done(_)));
        }
        sink.write(&bytes[self.slow_bytes.min(bytes.len())..]).await.map_err(|why| failed(why.to_string()))?;
        Ok(Some("video/mp4".into()))
    }
}

/// The registry of that one.
struct OneTrickle(Arc<Trickle>);

impl Providers for OneTrickle {
    fn get(&self, id: &ProviderId) -> Option<Arc<dyn ProviderPort>> {
        (id.as_str() == "mill").then(|| Arc::clone(&self.0) as _)
    }

    fn all(&self) -> Vec<Descriptor> {
        vec![descriptor("mill")]
    }
}

/// A pass over a run whose file comes so slowly, so many hours after its charge.
async fn trickling(hours: i64, slow_bytes: usize) -> (Works, Arc<Trickle>, makegood_domain::ports::PassReport) {
    let works = works(&[rich_ground(1), run_of_210("run_0", CHARGED), vec![running_job("run_0")]]).await;
    works.clock.advance(SignedDuration::from_hours(hours - 1));
    works.loom.script("run_0", Says::Made);
    let (loom, clock, store) = (Arc::clone(&works.loom), Arc::clone(&works.clock), Arc::clone(&works.store));
    let trickle = Arc::new(Trickle { loom, clock, store, slow_bytes, taken: Mutex::default() });
    let desk = works.desk_of(Arc::new(OneTrickle(Arc::clone(&trickle))));
    let report = desk.reconcile_once(&works.shift("one")).await.expect("a pass");
    (works, trickle, report)
}

#[tokio::test]
async fn a_transfer_that_outlasts_its_lease_keeps_it_while_bytes_arrive() {
    let (works, trickle, report) = trickling(1, 7).await;
    assert_eq!((report.transferred, report.restored), (1, 0), "{:?}", report.problems);
    assert_eq!(*trickle.taken.lock().expect("not poisoned"), [false; 7], "49 minutes under leases of 20");
    assert_eq!(works.run("run_0").await.outputs.len(), 1);
}

#[tokio::test]
async fn a_transfer_ends_also_where_bytes_arrive_for_ever() {
    for (hours, restored) in [(1, 0), (30, 1)] {
        let (works, trickle, report) = trickling(hours, 40).await;
        assert_eq!((report.transferred, report.restored), (0, restored), "hour {hours}: {:?}", report.problems);
        let taken = trickle.taken.lock().expect("not poisoned").clone();
        assert!(taken.len() <= 9 && !taken.contains(&true), "hour {hours}, nobody got in between: {taken:?}");
        let took = works.clock_now().duration_since(super::world::at(CHARGED)) - SignedDuration::from_hours(hours);
        assert!(took <= SignedDuration::from_mins(70), "hour {hours}: {took}");
    }
}
