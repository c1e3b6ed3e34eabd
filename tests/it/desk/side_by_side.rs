//! Files that are saved while others are under way: nobody's slow file keeps another one waiting, and all of them
//! together are no more at a time with one provider than the policy says.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::feed::Fact;
use makegood_domain::ids::{JobId, ProviderId};
use makegood_domain::ports::{
    Capability, Descriptor, FileSink, JobRef, LookUp, ProviderError, ProviderPort, Providers,
};
use serde_json::json;
use tokio::sync::Semaphore;

use super::loom::{Loom, OneLoom, Says};
use super::reconciling::{CHARGED, Works, running_job, works};
use super::world::{platform_refund, rich_ground, run_of_210};

/// A provider, `press`, whose files come when they are let.
struct Press {
    loom: Arc<Loom>,
    /// A permit for each file that was begun, and for each that may end.
    begun: Semaphore,
    ends: Semaphore,
}

#[async_trait]
impl ProviderPort for Press {
    fn descriptor(&self) -> Descriptor {
        Descriptor { id: ProviderId::new("press"), name: "Press".into(), ..self.loom.descriptor() }
    }

    fn capability(&self) -> Capability {
        self.loom.capability()
    }

    async fn find_job(&self, asked: &JobRef, now: Timestamp) -> LookUp {
        self.loom.find_job(asked, now).await
    }

    async fn fetch(&self, asked: &JobRef, item: u32, sink: &mut dyn FileSink) -> Result<Option<String>, ProviderError> {
        self.begun.add_permits(1);
        self.ends.acquire().await.expect("not closed").forget();
        self.loom.fetch(asked, item, sink).await
    }
}

/// The registry of `mill` and `press`.
struct Both(OneLoom, Arc<Press>);

impl Providers for Both {
    fn get(&self, id: &ProviderId) -> Option<Arc<dyn ProviderPort>> {
        if id.as_str() == "press" { Some(Arc::clone(&self.1) as _) } else { self.0.get(id) }
    }

    fn all(&self) -> Vec<Descriptor> {
        vec![self.0.all().remove(0), self.1.descriptor()]
    }
}

/// Runs, each with its provider and whether its credits went back, of all of which the files are there.
async fn made(runs: &[(String, &str, bool)]) -> (Works, Arc<Press>) {
    let provider = json!({"id": "press", "retention_hours": 48, "retention_source": "documented"});
    let provider = serde_json::from_value(json!({ "type": "provider", "data": provider })).expect("a fact");
    let mut facts = vec![rich_ground(runs.len()), vec![provider]];
    for (run, provider, is_refunded) in runs {
        let mut job = running_job(run);
        if let Fact::Job(job) = &mut job {
            job.provider_id = (*provider).into();
        }
        facts.push([run_of_210(run, CHARGED), vec![job]].concat());
        facts.push(if *is_refunded { vec![platform_refund(run, CHARGED)] } else { Vec::new() });
    }
    let works = works(&facts).await;
    runs.iter().for_each(|(run, ..)| works.loom.script(run, Says::Made));
    let press = Press { loom: Arc::clone(&works.loom), begun: Semaphore::new(0), ends: Semaphore::new(0) };
    (works, Arc::new(press))
}

fn of(works: &Works, press: &Arc<Press>) -> Arc<makegood_app::Desk> {
    works.desk_of(Arc::new(Both(OneLoom(Arc::clone(&works.loom)), Arc::clone(press))))
}

fn jobs(runs: &[(String, &str, bool)]) -> Vec<JobId> {
    runs.iter().map(|(run, ..)| JobId(format!("job-{run}"))).collect()
}

/// So often it is looked whether a file was saved that is to be: whoever writes it takes its time.
const TURNS: usize = 100_000;
/// And that is not to be.
const FEW_TURNS: usize = 300;

/// Whether a run's file is saved after a while in which nothing else was let.
async fn is_saved(works: &Works, run: &str, turns: usize) -> bool {
    for _ in 0..turns {
        if !works.run(run).await.captures.is_empty() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

/// The same, of what is tried again half a minute after it was tried in vain: while it is waited for, the clock goes on.
async fn is_saved_in_time(works: &Works, run: &str) -> bool {
    for _ in 0..TURNS / FEW_TURNS {
        works.clock.advance(SignedDuration::from_secs(30));
        if is_saved(works, run, FEW_TURNS).await {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn a_new_wish_waits_for_nobody_elses_file() {
    let runs = [("run_a", "press"), ("run_b", "mill"), ("run_c", "mill")];
    let runs = runs.map(|(run, provider)| (run.to_owned(), provider, true));
    let (works, press) = made(&runs).await;
    works.loom.script("run_c", Says::MadeAndFails { gone: false });
    let desk = of(&works, &press);
    desk.heard_of(jobs(&runs[..1]));
    let saving = tokio::spawn({
        let desk = Arc::clone(&desk);
        async move { desk.capture_wanted().await }
    });
    press.begun.acquire().await.expect("not closed").forget();
    desk.heard_of(jobs(&runs[1..]));
    assert!(is_saved(&works, "run_b", TURNS).await, "while the other provider's file is under way");
    // What did not come is tried again in its time, also while that file is under way.
    let fetched = || works.loom.fetched.load(Ordering::SeqCst);
    while fetched() < 2 {
        tokio::task::yield_now().await;
    }
    assert!(!is_saved(&works, "run_c", FEW_TURNS).await);
    works.loom.script("run_c", Says::Made);
    assert!(is_saved_in_time(&works, "run_c").await);
    assert!(fetched() == 3, "it was tried in vain, and again");
    assert!(!saving.is_finished(), "the first file is still under way");
    press.ends.add_permits(1);
    assert_eq!(saving.await.expect("no panic"), 3);
    assert!(is_saved(&works, "run_a", TURNS).await);
}

#[tokio::test]
async fn a_file_that_is_under_way_is_not_begun_a_second_time_by_another_wish() {
    let runs = [("run_a".to_owned(), "press", true), ("run_b".to_owned(), "mill", true)];
    let (works, press) = made(&runs).await;
    let desk = of(&works, &press);
    desk.heard_of(jobs(&runs[..1]));
    let saving = tokio::spawn({
        let desk = Arc::clone(&desk);
        async move { desk.capture_wanted().await }
    });
    press.begun.acquire().await.expect("not closed").forget();
    desk.heard_of(jobs(&runs));
    assert!(is_saved(&works, "run_b", TURNS).await);
    assert!(!is_saved(&works, "run_a", FEW_TURNS).await && press.begun.available_permits() == 0, "once is enough");
    press.ends.add_permits(2);
    assert_eq!(saving.await.expect("no panic"), 2);
}

/// Until a provider with four places has begun as many files as it gives at a time, and some time more.
async fn full(works: &Works, press: &Press) {
    press.begun.acquire_many(4).await.expect("not closed").forget();
    for _ in 0..100 {
        works.run("run_0").await;
    }
    assert_eq!(press.begun.available_permits(), 0, "a fifth one was begun");
}

#[tokio::test]
async fn what_is_saved_and_what_is_delivered_share_the_places_with_a_provider() {
    for captures_first in [true, false] {
        let runs: Vec<_> = (0..12).map(|number| (format!("run_{number}"), "press", number < 6)).collect();
        let (works, press) = made(&runs).await;
        let desk = of(&works, &press);
        let capturing = {
            let (desk, heard) = (Arc::clone(&desk), jobs(&runs[..6]));
            async move {
                desk.heard_of(heard);
                desk.capture_wanted().await
            }
        };
        let (desk, shift) = (Arc::clone(&desk), works.shift("one"));
        let passing = async move { desk.reconcile_once(&shift).await.expect("a pass") };
        let (capturing, passing) = if captures_first {
            let capturing = tokio::spawn(capturing);
            full(&works, &press).await;
            (capturing, tokio::spawn(passing))
        } else {
            let passing = tokio::spawn(passing);
            full(&works, &press).await;
            (tokio::spawn(capturing), passing)
        };
        for _ in 0..100 {
            works.run("run_0").await;
        }
        assert_eq!(press.begun.available_permits(), 0, "a fifth one was begun");
        assert!(!capturing.is_finished() && !passing.is_finished(), "they wait for each other's places");
        press.ends.add_permits(runs.len());
        assert_eq!(capturing.await.expect("no panic"), 6);
        let report = passing.await.expect("no panic");
        assert_eq!(report.transferred, 6, "{:?}", report.problems);
    }
}
