//! The servers, asked by the product's own adapters: what they answer is what the feed says.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use makegood_connectors::http::Pace;
use makegood_connectors::{ProviderSettings, Registry};
use makegood_domain::feed::Fact;
use makegood_domain::ids::{JobId, ProviderId, RunId};
use makegood_domain::matching::lost_job;
use makegood_domain::ports::{FileSink, JobRef, Providers, Start, VaultError};
use makegood_domain::work::{Job, JobState, Run};
use makegood_practice::catalogue::{Kept, PROVIDERS};
use makegood_practice::upstream::state::UpstreamJob;
use makegood_practice::upstream::{Manners, serve};
use makegood_practice::{fixed, settings};
use sha2::{Digest, Sha256};

use super::workspace::Still;
use super::{WORLD, anchor};

/// Goes on at once, at the time that the servers have: tokens are signed for it.
struct NoWait(jiff::Timestamp);

#[async_trait]
impl Pace for NoWait {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
    fn now(&self) -> jiff::Timestamp {
        self.0
    }
    fn chance(&self) -> f64 {
        0.5
    }
    async fn wait(&self, _time: Duration) {}
}

#[derive(Default)]
pub struct Bytes(pub Vec<u8>);

#[async_trait]
impl FileSink for Bytes {
    async fn starts(&mut self, start: &Start) -> Result<(), VaultError> {
        self.0.truncate(usize::try_from(start.from).unwrap_or(usize::MAX));
        Ok(())
    }

    async fn write(&mut self, chunk: &[u8]) -> Result<(), VaultError> {
        self.0.extend_from_slice(chunk);
        Ok(())
    }
}

/// The jobs of the runs that tickets are about, as the feed tells them.
fn told_jobs() -> Vec<(Run, Job)> {
    let mut runs: HashMap<RunId, Run> = HashMap::new();
    let wanted: Vec<&RunId> = WORLD.tickets.iter().flat_map(|row| &row.label.runs).collect();
    let mut jobs = Vec::new();
    for fact in &WORLD.facts {
        match fact {
            Fact::Run(run) if wanted.contains(&&run.id) => drop(runs.insert(run.id.clone(), run.clone())),
            Fact::Job(job) => jobs.extend(runs.get(&job.run_id).map(|run| (run.clone(), job.clone()))),
            _ => {}
        }
    }
    jobs
}

fn reference(run: &Run, job: &Job) -> JobRef {
    JobRef {
        provider_id: job.provider_id.clone(),
        job_id: job.id.clone(),
        run_id: run.id.clone(),
        locator: job.locator.clone(),
        requested_items: run.requested_items,
        submitted_at: job.submitted_at,
    }
}

/// Asks at once, at this time.
pub fn pace(now: jiff::Timestamp) -> Arc<dyn Pace> {
    Arc::new(NoWait(now))
}

/// The adapters that these settings connect.
pub fn connected(settings: Vec<ProviderSettings>, now: jiff::Timestamp) -> Registry {
    Registry::with_pace(settings, &pace(now)).expect("adapters")
}

/// The adapters read from the wire what the feed told, and fetch the very bytes.
#[tokio::test]
async fn look_ups_agree_with_the_feed_and_files_arrive_whole() {
    let upstream =
        serve(Arc::clone(&WORLD.upstream), Arc::new(Still(anchor())), Manners::default()).await.expect("servers");
    let providers = connected(settings(&upstream), anchor());
    let (mut asked, mut fetched, mut wrong) = (0, 0, Vec::new());
    for (run, job) in told_jobs() {
        let port = providers.get(&job.provider_id).expect("a provider");
        let reference = reference(&run, &job);
        let mut found = port.find_job(&reference, anchor()).await.job;
        // MiniMax says *too often* with HTTP 200, so that no client asks again by itself: a person does.
        if found.state == JobState::LookupFailed && job.state != JobState::LookupFailed {
            found = port.find_job(&reference, anchor()).await.job;
        }
        asked += 1;
        if found.state != job.state {
            wrong.push(format!(
                "{} {}: {:?}, told {:?}; {:?}",
                job.provider_id, job.id, found.state, job.state, found.error
            ));
            continue;
        }
        for told in &job.items {
            let Some(seen) = found.items.iter().find(|row| row.item == told.item) else {
                wrong.push(format!("{} {}: item {} is not answered", job.provider_id, job.id, told.item));
                continue;
            };
            let kept = told.file.as_ref().and_then(|file| file.exists_now);
            let exists = seen.file.as_ref().and_then(|file| file.exists_now);
            // A deleted Veo file gets the same answer as a foreign one: that tells nothing.
            let blind = kept == Some(false) && exists.is_none();
            if seen.state != told.state || (kept != exists && !blind) {
                wrong.push(format!("{} {}: item {seen:?}, told {told:?}", job.provider_id, job.id));
            }
            if kept == Some(true) && fetched < 60 {
                let mut sink = Bytes::default();
                port.fetch(&reference, told.item, &mut sink).await.expect("the file");
                let hash = hex::encode(Sha256::digest(&sink.0));
                let file = told.file.as_ref().expect("a file");
                assert!(hash.starts_with(&file.sha256_prefix) && sink.0.len() as u64 == file.bytes, "{}", job.id);
                fetched += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(asked >= 200 && fetched >= 40, "{asked} asked, {fetched} fetched");
}

/// What is kept now is gone later, without anything being done; what has no limit is still there.
#[tokio::test]
async fn files_expire_by_the_clock() {
    let later = anchor().checked_add(jiff::SignedDuration::from_hours(24 * 31)).expect("later");
    let upstream =
        serve(Arc::clone(&WORLD.upstream), Arc::new(Still(later)), Manners { throttles: false, ..Manners::default() });
    let upstream = upstream.await.expect("servers");
    let providers = connected(settings(&upstream), later);
    let limits = Kept::read().expect("the rows");
    let kept =
        |job: &Job| job.items.iter().any(|item| item.file.as_ref().is_some_and(|file| file.exists_now == Some(true)));
    let mut seen: HashMap<String, u32> = HashMap::new();
    for (run, job) in told_jobs().into_iter().filter(|(_, job)| kept(job)) {
        let count = seen.entry(job.provider_id.0.clone()).or_default();
        *count += 1;
        if *count > 2 {
            continue;
        }
        let port = providers.get(&job.provider_id).expect("a provider");
        let found = port.find_job(&reference(&run, &job), later).await.job;
        let has_limit = limits.minutes(job.provider_id.as_str()).is_some();
        assert_ne!(kept(&found), has_limit, "{} {}: {:?}", job.provider_id, job.id, found.state);
        let mut sink = Bytes::default();
        let fetched = port.fetch(&reference(&run, &job), 1, &mut sink).await;
        assert_ne!(fetched.is_ok(), has_limit, "{} {}", job.provider_id, job.id);
    }
    // Whoever keeps files at all has one that a ticket is about: all but OpenAI.
    assert_eq!(seen.len(), PROVIDERS.len() - 1, "{seen:?}");
}

/// A job whose id was lost is in its provider's list, and what was kept of the question proves that it is the run's.
#[tokio::test]
async fn lost_jobs_are_found_in_the_lists() {
    let upstream = serve(Arc::clone(&WORLD.upstream), Arc::new(Still(anchor())), Manners::default());
    let upstream = upstream.await.expect("servers");
    let providers = connected(settings(&upstream), anchor());
    let told = |fact: &Fact| if let Fact::Job(job) = fact { Some(job.id.clone()) } else { None };
    let known: BTreeSet<JobId> = WORLD.facts.iter().filter_map(told).collect();
    let kept_its_question = |fact: &&Fact| matches!(fact, Fact::Run(run) if run.params.get("endpoint").is_some());
    let mut lost: Vec<(&Run, &UpstreamJob)> = Vec::new();
    for fact in WORLD.facts.iter().filter(kept_its_question) {
        let Fact::Run(run) = fact else { continue };
        let job = WORLD.upstream.all().find(|job| job.reference == run.id.as_str()).expect("a job upstream");
        assert!(!known.contains(&JobId::new(job.id.as_str())), "{} is not lost", job.id);
        lost.push((run, job));
    }
    assert_eq!(lost.len(), 4, "runs without their job");
    for (run, job) in lost {
        let port = providers.get(&ProviderId::new(job.provider)).expect("a provider");
        let endpoint = run.params["endpoint"].as_str().map(str::to_owned);
        let window = lost_job::window(run, endpoint.clone());
        let list = port.list_jobs(&window, anchor()).await;
        let found = lost_job::weigh(run, None, endpoint.as_deref(), &known, &list);
        let first = found.first().unwrap_or_else(|| panic!("{}: nothing; {:?}", job.provider, list.why));
        assert!(first.proven && first.job.job_id.as_str() == job.id, "{}: {found:?}", job.provider);
    }
}

/// The two tickets that stand for trouble with a look-up get it.
#[test]
fn trouble_is_where_it_is_wanted() {
    let state = |id: &str| {
        let row = WORLD.tickets.iter().find(|row| row.ticket.id.as_str() == id).expect(id);
        let job: Vec<(JobId, JobState)> = told_jobs()
            .into_iter()
            .filter(|(run, _)| row.label.runs.contains(&run.id))
            .map(|(_, job)| (job.id, job.state))
            .collect();
        job.first().map(|(_, state)| *state)
    };
    assert_eq!(state(fixed::LOOK_UP_FAILS), Some(JobState::LookupFailed));
    assert_eq!(state(fixed::UNRECOGNISED), Some(JobState::Unrecognised));
}
