//! A job whose id was lost is found in the provider's list, and kept only where it is proven.

use makegood_domain::feed::Fact;
use makegood_domain::ids::{JobId, RunId};
use makegood_domain::ports::{FactStore as _, ListedJob, ReconcileStore as _};
use makegood_domain::work::{Job, JobState};
use serde_json::json;

use super::world::*;

const START: &str = "2026-03-12T18:04:22Z";

/// A run that kept its prompt and no job, beside one whose job is known.
async fn house_with_a_lost_job() -> House {
    let mut lost = run_of_210("run_lost", START);
    if let Fact::Run(run) = &mut lost[0] {
        run.params = json!({"prompt": "a red fox"});
    }
    let other = run_of_210("run_other", START);
    let house = house(&[rich_ground(2), lost, other, vec![failed_job("run_other", START)]]).await;
    let listed = |id: &str, prompt: &str| ListedJob {
        job_id: JobId::from(id),
        state: JobState::Failed,
        created_at: Some(at("2026-03-12T18:04:25Z")),
        model: Some("veo-3.1-generate".into()),
        prompt: Some(prompt.into()),
        reference: None,
    };
    let jobs = vec![
        listed("job-run_other", "a red fox"),
        listed("job-lost", "a red fox"),
        listed("job-of-a-stranger", "a cat"),
    ];
    *house.mill.listed.lock().expect("not poisoned") = jobs;
    house
}

fn failed(id: &str, run: &str) -> Job {
    let Fact::Job(job) = failed_job(run, START) else { panic!("a job") };
    Job { id: JobId::from(id), ..job }
}

#[tokio::test]
async fn the_job_that_is_proven_is_kept_with_its_look_up() {
    let house = house_with_a_lost_job().await;
    let run = RunId::from("run_lost");
    let found = house.desk.find_lost_job(&run).await.expect("a list");
    assert_eq!((found.read, found.is_whole), (3, true));
    let told: Vec<_> = found.candidates.iter().map(|one| (one.job.job_id.as_str(), one.proven)).collect();
    assert_eq!(told, [("job-lost", true), ("job-of-a-stranger", false)], "another run's is not offered");
    *house.mill.answer.lock().expect("not poisoned") = Some(failed("job-lost", "run_lost"));
    house.desk.adopt_job(&run, &"job-lost".into()).await.expect("kept");
    let scope = house.store.scope_of_run(&run, at(NOW)).await.expect("read").expect("a run");
    let jobs: Vec<_> = scope.runs[0].jobs.iter().map(|job| (job.id.as_str(), job.state)).collect();
    assert_eq!(jobs, [("job-lost", JobState::Failed)]);
}

#[tokio::test]
async fn what_may_be_another_customers_is_refused() {
    let house = house_with_a_lost_job().await;
    let run = RunId::from("run_lost");
    *house.mill.answer.lock().expect("not poisoned") = Some(failed("job-of-a-stranger", "run_lost"));
    for (job, why) in [
        ("job-of-a-stranger", "may be another customer's"),
        ("job-run_other", "or it is another run's"),
        ("job-nobody-lists", "not among the provider's jobs"),
    ] {
        let refused = house.desk.adopt_job(&run, &job.into()).await.expect_err("refused").to_string();
        assert!(refused.contains(why), "{job}: {refused}");
    }
    // The provider no longer answers about the one that is proven.
    *house.mill.answer.lock().expect("not poisoned") = None;
    assert!(house.desk.adopt_job(&run, &"job-lost".into()).await.is_err());
    assert_eq!(
        house.store.owners_of_jobs(&["job-lost".into(), "job-of-a-stranger".into()]).await.expect("read").len(),
        0
    );
    assert!(house.desk.find_lost_job(&"run_none".into()).await.is_err());
}
