//! Asking the providers about the jobs of a case.

use makegood_domain::ids::CaseId;
use makegood_domain::ports::JobRef;
use makegood_domain::scope::Dossier;
use makegood_domain::work::{Job, JobState};

use crate::contract::{CaseRequest, LookUpResult, Topic};
use crate::desk::Desk;
use crate::error::Result;

impl Desk {
    /// Asks about every job of the matched runs, or of the candidates where none is matched, keeps
    /// the answers, and examines the case again.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn look_up(&self, request: CaseRequest) -> Result<LookUpResult> {
        let case_id = CaseId(request.case_id);
        let examined = self.examine(&case_id).await?;
        let matched = &examined.finding.run_match;
        let wanted = |dossier: &&Dossier| {
            if matched.matched.is_empty() {
                matched.candidates.iter().any(|candidate| candidate.run_id == dossier.run.id)
            } else {
                logical_run(dossier, &matched.matched)
            }
        };
        let mut result = LookUpResult { asked: 0, changed: false, problems: Vec::new() };
        for dossier in examined.scope.runs.iter().filter(wanted) {
            for job in &dossier.jobs {
                self.look_up_job(dossier, job, &mut result).await?;
            }
        }
        let after = self.examine(&case_id).await?;
        result.changed = after.finding.diagnosis != examined.finding.diagnosis;
        self.changed(Topic::Case { case_id: case_id.0 });
        Ok(result)
    }

    async fn look_up_job(&self, dossier: &Dossier, job: &Job, result: &mut LookUpResult) -> Result<()> {
        let Some(provider) = self.providers.get(&job.provider_id) else {
            result.problems.push(format!("{} is not connected: job {} was not asked about", job.provider_id, job.id));
            return Ok(());
        };
        let answer = provider.find_job(&job_ref(dossier, job), self.now()).await;
        result.asked += 1;
        if answer.job.state == JobState::LookupFailed {
            let why = answer.job.error.as_deref().unwrap_or("no answer");
            result.problems.push(format!("{} could not answer about {}: {why}", job.provider_id, job.id));
        }
        self.store.record_look_up(&answer.job, &answer.raw).await?;
        Ok(())
    }
}

pub(crate) fn job_ref(dossier: &Dossier, job: &Job) -> JobRef {
    JobRef {
        provider_id: job.provider_id.clone(),
        job_id: job.id.clone(),
        run_id: job.run_id.clone(),
        locator: job.locator.clone(),
        requested_items: dossier.run.requested_items,
        submitted_at: job.submitted_at,
    }
}

/// Whether the run is one of the matched ones, or a system retry of one (P2).
fn logical_run(dossier: &Dossier, matched: &[makegood_domain::ids::RunId]) -> bool {
    matched.contains(&dossier.run.id) || dossier.run.retry_of.as_ref().is_some_and(|first| matched.contains(first))
}
