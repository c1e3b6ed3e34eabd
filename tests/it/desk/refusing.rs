//! Files that are refused as they come: tried again until it is sure that nothing else comes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::SignedDuration;
use makegood_domain::feed::Fact;
use makegood_domain::ids::JobId;
use makegood_testkit::Sample;

use super::fakes::Fetching;
use super::loom::{OneLoom, Says};
use super::reconciling::{CHARGED, running_job, works};
use super::saving::{dossier, finished};
use super::world::{made_job, platform_refund, rich_ground, run_of_210};

const FINISHED: &str = "2026-03-12T18:12:14Z";

#[tokio::test]
async fn a_file_that_is_none_is_fetched_three_times_and_then_only_when_there_is_another() {
    let works = works(&[rich_ground(1), run_of_210("run_0", CHARGED), vec![running_job("run_0")]]).await;
    works.loom.script("run_0", Says::MadeAmiss);
    let desk = works.desk_of(Arc::new(OneLoom(Arc::clone(&works.loom))));
    desk.heard_of([JobId::new("job-run_0")]);
    let mut problems = Vec::new();
    for _ in 0..3 * 4 {
        assert_eq!(desk.capture_wanted().await, 0);
        let report = desk.reconcile_once(&works.shift("one")).await.expect("a pass");
        assert_eq!((report.transferred, report.restored), (0, 0), "that pays nothing of itself");
        problems = if report.problems.is_empty() { problems } else { report.problems };
        works.clock.advance(SignedDuration::from_mins(15));
    }
    assert_eq!(works.loom.given.load(Ordering::SeqCst), 3);
    assert!(problems.iter().any(|problem| problem.contains("of no use")), "people are told: {problems:?}");
    // Its provider has another one now, and says so in the head of its answer.
    works.loom.script("run_0", Says::Made);
    works.clock.advance(SignedDuration::from_hours(1));
    let report = desk.reconcile_once(&works.shift("one")).await.expect("a pass");
    assert_eq!((report.transferred, report.restored), (1, 0), "{:?}", report.problems);
}

#[tokio::test]
async fn what_its_provider_has_made_anew_is_asked_about_before_it_is_tried_again() {
    let house = finished(vec![platform_refund("run_shot4", FINISHED)]).await;
    let anew = Sample::mp4(65).bytes;
    *house.mill.fetching.lock().expect("not poisoned") = Fetching::Gives(anew.clone());
    house.desk.heard_of([JobId::new("job-run_shot4")]);
    assert_eq!(house.desk.capture_wanted().await, 0, "its length and hash are those of another one");
    if let Fact::Job(job) = made_job("run_shot4", FINISHED, &anew) {
        *house.mill.answer.lock().expect("not poisoned") = Some(job);
    }
    house.clock.advance(SignedDuration::from_secs(30));
    assert_eq!(house.desk.capture_wanted().await, 1);
    let kept = &dossier(&house, "run_shot4").await.captures[0].file;
    assert_eq!(kept.bytes, anew.len() as u64);
}
