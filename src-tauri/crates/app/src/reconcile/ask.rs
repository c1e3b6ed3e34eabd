//! Asking the providers about a run.

use std::collections::BTreeMap;

use jiff::Timestamp;
use makegood_domain::ports::{NextLook, ProviderPort};
use makegood_domain::reconcile::{AskAbout, Question, decide, to_ask};
use makegood_domain::scope::{Dossier, Scope};
use makegood_domain::work::{Job, JobState};

use super::look::{Came, Hand, Look, Pass, Wish};
use crate::desk::Desk;
use crate::error::Result;
use crate::look_up::{job_ref, learned};

impl Desk {
    /// Asks the provider about every job of a run whose last word is not known. `None` where it can be
    /// settled with what is known now.
    pub(super) async fn ask_about<'p>(
        &self,
        look: &mut Look<'p>,
        pass: &'p Pass<'p>,
        hand: &mut Hand<'p>,
    ) -> Result<Option<Came>> {
        let (root, now) = (look.due.root.clone(), self.now());
        let Some(mut scope) = self.store.scope_of_run(&root, now).await? else {
            return Ok(Some(Came::Next(NextLook::Done)));
        };
        self.note_mute_providers(&mut scope);
        let known = BTreeMap::new();
        let question = Question { scope: &scope, root: &root, tries: look.due.tries, tried: &known, every: pass.every };
        let decision = decide(&question, &self.policy, now);
        (look.urgent_at, look.settle_at) = (decision.urgent_at, decision.settle_at);
        for wanted in to_ask(&scope, &root, &self.policy, now) {
            if look.asked.contains(&wanted) {
                continue;
            }
            let found = job_of(&scope, &wanted);
            let (Some((dossier, job)), Some(provider)) = (found, self.providers.get(&wanted.provider_id)) else {
                look.unheard.insert(wanted);
                continue;
            };
            match self.wish(look, pass, &wanted.provider_id) {
                Wish::Granted => {}
                Wish::Without => {
                    look.outcome.answers.push((wanted.provider_id.clone(), false));
                    look.unheard.insert(wanted);
                    continue;
                }
                Wish::Wait if pass.is_over(now) => return Ok(Some(Came::Back(self.in_a_while()))),
                Wish::Wait => return Ok(Some(Came::Waits(wanted.provider_id))),
            }
            let answered = self.ask(&*provider, dossier, job, hand).await?;
            look.outcome.answers.push((wanted.provider_id.clone(), answered));
            look.asked.insert(wanted);
        }
        Ok(None)
    }

    /// Asks about one job and keeps the answer; whether there was one. A provider that takes too long has
    /// given none.
    async fn ask(
        &self,
        provider: &dyn ProviderPort,
        dossier: &Dossier,
        job: &Job,
        hand: &mut Hand<'_>,
    ) -> Result<bool> {
        let job_ref = job_ref(dossier, job);
        let patience = self.policy.patience_for_answer();
        let until = self.now().saturating_add(patience).unwrap_or(Timestamp::MAX);
        let answer = hand.without(self.by(until, provider.find_job(&job_ref, self.now()))).await;
        let (told, raw) = match answer {
            Some(answer) => (answer.job, answer.raw),
            None => (self.silent(job), Vec::new()),
        };
        let answered = !matches!(told.state, JobState::LookupFailed | JobState::Unrecognised);
        self.store.record_look_up(&learned(job, told), &raw).await?;
        Ok(answered)
    }

    fn silent(&self, job: &Job) -> Job {
        let minutes = self.policy.reconcile.answer_minutes;
        Job {
            state: JobState::LookupFailed,
            error: Some(format!("no answer within {minutes} minutes")),
            looked_up_at: Some(self.now()),
            ..job.clone()
        }
    }
}

/// A job that is to be asked about, with its run.
pub(crate) fn job_of<'a>(scope: &'a Scope, wanted: &AskAbout) -> Option<(&'a Dossier, &'a Job)> {
    let jobs = scope.runs.iter().flat_map(|dossier| dossier.jobs.iter().map(move |job| (dossier, job)));
    jobs.into_iter().find(|(_, job)| job.id == wanted.job_id && job.provider_id == wanted.provider_id)
}
