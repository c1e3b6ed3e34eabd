//! Asking the providers about the jobs of a case.

use std::collections::BTreeSet;

use makegood_domain::ids::{CaseId, ProviderId, RunId};
use makegood_domain::plan::Fetch;
use makegood_domain::ports::JobRef;
use makegood_domain::scope::{Dossier, Scope};
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
        let mut asked = Vec::new();
        for dossier in examined.scope.runs.iter().filter(wanted) {
            for job in &dossier.jobs {
                self.look_up_job(dossier, job, &mut result).await?;
            }
            asked.push(dossier.run.id.clone());
        }
        self.want_saved(asked);
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
        self.store.record_look_up(&learned(job, answer.job), &answer.raw).await?;
        Ok(())
    }
}

impl Desk {
    /// Notes which of the providers in a scope look no job up. One that is not connected is none of them: it
    /// could be asked, and was not.
    pub(crate) fn note_mute_providers(&self, scope: &mut Scope) {
        let jobs = scope.runs.iter().flat_map(|dossier| &dossier.jobs);
        let named: BTreeSet<&ProviderId> = jobs.map(|job| &job.provider_id).collect();
        let is_mute = |id: &&ProviderId| self.providers.get(id).is_some_and(|port| !port.capability().look_up);
        scope.mute = named.into_iter().filter(is_mute).cloned().collect();
    }
}

impl Desk {
    /// The record learns of a provider's word, given when the file was asked for, that it no longer has it: as of a
    /// look-up that finds no file (P7). Else a provider whose look-ups can't tell would be asked for it for ever.
    pub(crate) async fn note_gone(&self, run: &RunId, fetch: &Fetch) -> Result<()> {
        let now = self.now();
        let Some(scope) = self.store.scope_of_run(run, now).await? else { return Ok(()) };
        let mut jobs = scope.runs.iter().flat_map(|dossier| &dossier.jobs);
        let Some(mut job) = jobs.find(|job| job.id == fetch.job_id).cloned() else { return Ok(()) };
        let item = job.items.iter_mut().find(|row| row.item == fetch.item);
        let Some(file) = item.and_then(|item| item.file.as_mut()) else { return Ok(()) };
        file.exists_now = Some(false);
        job.looked_up_at = Some(now);
        Ok(self.store.record_look_up(&job, &[]).await?)
    }
}

/// What is known of a job after a look-up: the new answer, and what it leaves out from before. Not
/// every provider tells when a job ended or how long a file is, and one that could not answer has
/// taken nothing back.
pub(crate) fn learned(known: &Job, mut answer: Job) -> Job {
    answer.locator = answer.locator.or_else(|| known.locator.clone());
    answer.processing_started_at = answer.processing_started_at.or(known.processing_started_at);
    if !matches!(answer.state, JobState::Queued | JobState::Processing) {
        answer.finished_at = answer.finished_at.or(known.finished_at);
    }
    if matches!(answer.state, JobState::LookupFailed | JobState::Unrecognised) {
        answer.items.clone_from(&known.items);
    }
    for item in &mut answer.items {
        let Some(before) = known.items.iter().find(|before| before.item == item.item) else { continue };
        item.finished_at = item.finished_at.or(before.finished_at);
        if let (Some(file), Some(known)) = (&mut item.file, &before.file) {
            if file.bytes == 0 {
                file.bytes = known.bytes;
            }
            if file.sha256_prefix.is_empty() {
                file.sha256_prefix.clone_from(&known.sha256_prefix);
            }
            file.available_until = file.available_until.or(known.available_until);
            // Who can't tell has not made it again.
            file.exists_now = file.exists_now.or(known.exists_now.filter(|there| !there));
        }
    }
    answer
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

#[cfg(test)]
mod tests {
    use super::*;
    use makegood_domain::ids::{JobId, RunId};
    use makegood_domain::work::{ItemState, JobItem, ProviderFile};

    fn at(text: &str) -> jiff::Timestamp {
        text.parse().expect("a test instant parses")
    }

    fn job(state: JobState, finished: Option<&str>, bytes: u64, prefix: &str) -> Job {
        let file =
            ProviderFile { bytes, sha256_prefix: prefix.to_owned(), available_until: None, exists_now: Some(true) };
        let item = JobItem { item: 1, state: ItemState::Succeeded, finished_at: finished.map(at), file: Some(file) };
        Job {
            id: JobId::new("job-1"),
            run_id: RunId::new("run-1"),
            provider_id: ProviderId::new("mill"),
            submitted_at: at("2026-03-12T18:00:00Z"),
            state,
            processing_started_at: None,
            finished_at: finished.map(at),
            items: vec![item],
            error: None,
            looked_up_at: None,
            locator: None,
        }
    }

    #[test]
    fn an_answer_that_leaves_something_out_takes_nothing_back() {
        let known = job(JobState::Succeeded, Some("2026-03-12T18:10:00Z"), 4_096, "137223a9");
        let newer = learned(&known, job(JobState::Succeeded, None, 0, ""));
        let file = newer.items[0].file.as_ref().expect("a file");
        assert_eq!((newer.finished_at, newer.items[0].finished_at), (known.finished_at, known.finished_at));
        assert_eq!((file.bytes, file.sha256_prefix.as_str()), (4_096, "137223a9"));
    }

    #[test]
    fn no_answer_keeps_the_items_and_says_that_it_is_none() {
        let known = job(JobState::Succeeded, Some("2026-03-12T18:10:00Z"), 4_096, "137223a9");
        let silent = Job { items: Vec::new(), ..job(JobState::LookupFailed, None, 0, "") };
        let newer = learned(&known, silent);
        assert_eq!((newer.state, &newer.items), (JobState::LookupFailed, &known.items));
    }

    #[test]
    fn a_file_that_is_gone_comes_back_only_by_the_word_of_who_can_tell() {
        let told = |exists_now| {
            let mut told = job(JobState::Succeeded, None, 0, "");
            told.items[0].file.as_mut().expect("a file").exists_now = exists_now;
            told
        };
        let after = |known, answer| {
            let newer = learned(&told(known), told(answer));
            newer.items[0].file.as_ref().expect("a file").exists_now
        };
        assert_eq!(after(Some(false), None), Some(false));
        assert_eq!(after(Some(false), Some(true)), Some(true));
        assert_eq!((after(Some(true), None), after(Some(true), Some(false))), (None, Some(false)));
    }

    #[test]
    fn a_job_that_runs_again_has_not_ended() {
        let known = job(JobState::Succeeded, Some("2026-03-12T18:10:00Z"), 1, "a");
        assert_eq!(learned(&known, job(JobState::Processing, None, 0, "")).finished_at, None);
    }
}
