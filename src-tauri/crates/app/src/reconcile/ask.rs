//! Asking the providers about the runs of a batch, some at a time each.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{ProviderId, RunId};
use makegood_domain::ports::DueRun;
use makegood_domain::reconcile::{AskAbout, Question, decide, leave_unheard, to_ask};
use makegood_domain::scope::{Dossier, Scope};
use makegood_domain::work::{Job, JobState};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Shift;
use crate::desk::Desk;
use crate::error::Result;
use crate::look_up::{job_ref, learned};

/// How many may ask one provider at a time: a slow one keeps the others waiting for nothing.
pub(super) struct Lanes {
    width: usize,
    by_provider: Mutex<HashMap<ProviderId, Arc<Semaphore>>>,
}

impl Lanes {
    pub(super) fn new(width: u32) -> Self {
        Self { width: usize::try_from(width).unwrap_or(1).max(1), by_provider: Mutex::default() }
    }

    /// Waits for a place; `None` only if the lane were closed, which nobody does.
    pub(super) async fn place(&self, provider: &ProviderId) -> Option<OwnedSemaphorePermit> {
        let lane = {
            let mut lanes = self.by_provider.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let lane = lanes.entry(provider.clone()).or_insert_with(|| Arc::new(Semaphore::new(self.width)));
            Arc::clone(lane)
        };
        lane.acquire_owned().await.ok()
    }
}

/// A run about which the providers were asked.
pub(super) struct Asked {
    pub due: DueRun,
    /// When something of it is lost, or its promise is broken.
    pub urgent_at: Timestamp,
    /// Jobs about which nobody could be asked: their provider is not connected.
    pub unheard: BTreeSet<AskAbout>,
    /// By provider: asked, and of those unanswered.
    pub answers: Vec<(ProviderId, bool)>,
    /// Why the run could not be asked about.
    pub problem: Option<String>,
}

impl Desk {
    /// Asks the provider about every job of a run whose last word is not known. Never fails: what could
    /// not be done is told, and the run settled with what is known.
    pub(super) async fn ask_about(&self, due: DueRun, lanes: &Lanes, shift: &Shift) -> Asked {
        let urgent_at = due.charged_at.unwrap_or(Timestamp::MAX);
        let mut asked = Asked { urgent_at, unheard: BTreeSet::new(), answers: Vec::new(), problem: None, due };
        if shift.is_over() {
            return asked;
        }
        let root = asked.due.root.clone();
        match self.ask_jobs(&root, lanes, self.next_pass_after(shift), &mut asked).await {
            Ok(urgent_at) => asked.urgent_at = urgent_at,
            Err(why) => asked.problem = Some(format!("{root} could not be asked about: {why}")),
        }
        asked
    }

    async fn ask_jobs(
        &self,
        root: &RunId,
        lanes: &Lanes,
        every: SignedDuration,
        asked: &mut Asked,
    ) -> Result<Timestamp> {
        let now = self.now();
        let Some(mut scope) = self.store.scope_of_run(root, now).await? else { return Ok(asked.urgent_at) };
        for wanted in to_ask(&scope, root, &self.policy, now) {
            let found = job_of(&scope, &wanted);
            let (Some((dossier, job)), Some(provider)) = (found, self.providers.get(&wanted.provider_id)) else {
                asked.unheard.insert(wanted);
                continue;
            };
            let answer = {
                let _place = lanes.place(&wanted.provider_id).await;
                provider.find_job(&job_ref(dossier, job), self.now()).await
            };
            let answered = !matches!(answer.job.state, JobState::LookupFailed | JobState::Unrecognised);
            asked.answers.push((wanted.provider_id.clone(), answered));
            let known = learned(job, answer.job);
            self.store.record_look_up(&known, &answer.raw).await?;
            keep(&mut scope, known);
        }
        leave_unheard(&mut scope, &asked.unheard);
        let tried = std::collections::BTreeMap::new();
        let question = Question { scope: &scope, root, tries: asked.due.tries, tried: &tried, every };
        Ok(decide(&question, &self.policy, self.now()).urgent_at)
    }
}

fn job_of<'a>(scope: &'a Scope, wanted: &AskAbout) -> Option<(&'a Dossier, &'a Job)> {
    let jobs = scope.runs.iter().flat_map(|dossier| dossier.jobs.iter().map(move |job| (dossier, job)));
    jobs.into_iter().find(|(_, job)| job.id == wanted.job_id && job.provider_id == wanted.provider_id)
}

fn keep(scope: &mut Scope, answer: Job) {
    let jobs = scope.runs.iter_mut().flat_map(|dossier| &mut dossier.jobs);
    for job in jobs.filter(|job| job.id == answer.id && job.provider_id == answer.provider_id) {
        *job = answer.clone();
    }
}
