//! Finding a run's job again where its id was lost, and keeping the one that is proven.

use makegood_domain::ids::{CaseId, JobId, ProviderId, RunId};
use makegood_domain::matching::lost_job::{self, JobCandidate};
use makegood_domain::ports::JobRef;
use makegood_domain::scope::Dossier;
use makegood_domain::work::{Job, JobState, Model};
use serde::Serialize;

use crate::contract::{AdoptJobRequest, LostJobCandidate, LostJobRequest, LostJobView, Nothing, Topic};
use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::finding::Examined;
use crate::labels;

/// What a provider lists about the time of a run.
#[derive(Clone, Debug, Serialize)]
pub struct LostJob {
    pub provider_id: ProviderId,
    /// Jobs that were read: those of all customers.
    pub read: usize,
    /// Whether all jobs of that time were read.
    pub is_whole: bool,
    /// Why there is no list, or only a part of it.
    pub why: Option<String>,
    /// Likeliest first; none that is known as another run's.
    pub candidates: Vec<JobCandidate>,
}

impl Desk {
    /// The jobs that could be the lost one of a run of this case. Nothing is kept.
    ///
    /// # Errors
    /// `Refused` for a run that the case is not about, or that has a job.
    pub async fn lost_job(&self, request: LostJobRequest) -> Result<LostJobView> {
        let run_id = RunId(request.run_id);
        let examined = self.examine(&CaseId(request.case_id)).await?;
        jobless(&examined, &run_id)?;
        let found = self.find_lost_job(&run_id).await?;
        let provider = self.providers.get(&found.provider_id);
        Ok(LostJobView {
            run_id: run_id.0,
            provider_name: provider.map_or_else(|| found.provider_id.0.clone(), |port| port.descriptor().name),
            provider_id: found.provider_id.0,
            read: found.read as u64,
            is_whole: found.is_whole,
            why: found.why,
            asked_at: self.now(),
            candidates: found.candidates.into_iter().map(candidate_view).collect(),
        })
    }

    /// Keeps a listed job as the run's, where it is proven, and examines the case again.
    ///
    /// # Errors
    /// `Refused` for a run that the case is not about, or that has a job, and for a job that is not proven.
    pub async fn keep_lost_job(&self, request: AdoptJobRequest) -> Result<Nothing> {
        let (case_id, run_id) = (CaseId(request.case_id), RunId(request.run_id));
        let examined = self.examine(&case_id).await?;
        jobless(&examined, &run_id)?;
        self.adopt_job(&run_id, &JobId(request.job_id)).await?;
        self.examine(&case_id).await?;
        self.changed(Topic::Case { case_id: case_id.0 });
        self.changed(Topic::Queue);
        Ok(Nothing {})
    }

    /// Asks the provider of a run's model for the jobs of that time, and weighs them. Nothing is kept.
    ///
    /// # Errors
    /// `Refused` for an unknown run, and where its provider is not connected.
    pub async fn find_lost_job(&self, run_id: &RunId) -> Result<LostJob> {
        let (dossier, model) = self.run_and_model(run_id).await?;
        self.weigh_listed(&dossier, &model).await
    }

    /// Keeps a listed job as the run's, with a look-up of it. Only one that is proven: a file of another
    /// customer's job would be delivered to this one (P13).
    ///
    /// # Errors
    /// `Refused` where the job is not proven, or the provider can't be asked about it.
    pub async fn adopt_job(&self, run_id: &RunId, job_id: &JobId) -> Result<Job> {
        let (dossier, model) = self.run_and_model(run_id).await?;
        let found = self.weigh_listed(&dossier, &model).await?;
        let candidate = found.candidates.iter().find(|one| one.job.job_id == *job_id);
        let refused = |why: &str| Err(Error::Refused(format!("job {job_id} was not taken for run {run_id}: {why}")));
        let Some(candidate) = candidate else {
            return refused("it is not among the provider's jobs of that time, or it is another run's");
        };
        if !candidate.proven {
            return refused("nothing proves that it is this run's, and it may be another customer's");
        }
        let Some(provider) = self.providers.get(&found.provider_id) else {
            return refused("its provider is not connected");
        };
        let wanted = JobRef {
            provider_id: found.provider_id,
            job_id: job_id.clone(),
            run_id: run_id.clone(),
            locator: locator(&dossier),
            requested_items: dossier.run.requested_items,
            submitted_at: candidate.job.created_at.unwrap_or(dossier.run.started_at),
        };
        let answer = provider.find_job(&wanted, self.now()).await;
        if matches!(answer.job.state, JobState::LookupFailed | JobState::Unrecognised | JobState::NotFound) {
            return refused(answer.job.error.as_deref().unwrap_or("the provider tells nothing of it"));
        }
        self.store.record_look_up(&answer.job, &answer.raw).await?;
        Ok(answer.job)
    }

    async fn run_and_model(&self, run_id: &RunId) -> Result<(Dossier, Model)> {
        let scope = self.store.scope_of_run(run_id, self.now()).await?;
        let mut scope = scope.ok_or_else(|| Error::Refused(format!("there is no run {run_id}")))?;
        let place = scope.runs.iter().position(|dossier| dossier.run.id == *run_id);
        let dossier = place.map(|place| scope.runs.swap_remove(place));
        let dossier = dossier.ok_or_else(|| Error::Refused(format!("there is no run {run_id}")))?;
        let model = scope.models.into_iter().find(|model| model.id == dossier.run.model_id);
        let model =
            model.ok_or_else(|| Error::Refused(format!("the catalogue has no model {}", dossier.run.model_id)))?;
        Ok((dossier, model))
    }

    async fn weigh_listed(&self, dossier: &Dossier, model: &Model) -> Result<LostJob> {
        let Some(provider) = self.providers.get(&model.provider_id) else {
            return Err(Error::Refused(format!("{} is not connected", model.provider_id)));
        };
        let locator = locator(dossier);
        let window = lost_job::window(&dossier.run, locator.clone());
        let list = provider.list_jobs(&window, self.now()).await;
        let ids: Vec<JobId> = list.jobs.iter().map(|job| job.job_id.clone()).collect();
        let owners = self.store.owners_of_jobs(&ids).await?;
        let taken = owners.into_iter().filter(|(_, run)| *run != dossier.run.id).map(|(job, _)| job).collect();
        Ok(LostJob {
            provider_id: model.provider_id.clone(),
            read: list.jobs.len(),
            is_whole: list.is_whole,
            why: list.why.clone(),
            candidates: lost_job::weigh(&dossier.run, Some(model), locator.as_deref(), &taken, &list),
        })
    }
}

/// A run that the case is about, matched or weighed, and of which no job is known.
fn jobless(examined: &Examined, run_id: &RunId) -> Result<()> {
    let found = &examined.finding.run_match;
    let about = found.matched.contains(run_id) || found.candidates.iter().any(|one| one.run_id == *run_id);
    let dossier = examined.scope.runs.iter().find(|dossier| dossier.run.id == *run_id).filter(|_| about);
    match dossier {
        None => Err(Error::Refused(format!("this case is not about run {run_id}"))),
        Some(dossier) => match dossier.jobs.first() {
            Some(job) => Err(Error::Refused(format!("run {run_id} has a job already: {}", job.id))),
            None => Ok(()),
        },
    }
}

fn candidate_view(one: JobCandidate) -> LostJobCandidate {
    let texts =
        |reasons: Vec<makegood_domain::matching::MatchReason>| reasons.into_iter().map(|row| row.text).collect();
    LostJobCandidate {
        job_id: one.job.job_id.0,
        state: labels::job_state(one.job.state).0.to_owned(),
        created_at: one.job.created_at,
        model: one.job.model,
        proven: one.proven,
        reasons_for: texts(one.reasons_for),
        reasons_against: texts(one.reasons_against),
    }
}

/// The endpoint that was called, as the run or another try of it kept it.
fn locator(dossier: &Dossier) -> Option<String> {
    let told = dossier.run.params["endpoint"].as_str().map(str::to_owned);
    told.or_else(|| dossier.jobs.iter().find_map(|job| job.locator.clone()))
}
