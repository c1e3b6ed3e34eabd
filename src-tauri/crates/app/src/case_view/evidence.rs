//! Generation history and provider evidence.

use makegood_domain::ids::{NodeId, ProjectId};
use makegood_domain::ports::StoredAnswer;
use makegood_domain::scope::Dossier;
use makegood_domain::work::{Job, JobItem, Output, OutputState};

use super::{file_deadline, matched_dossiers, model_name};
use crate::contract::{AnswerRef, HistoryRow, JobItemView, JobView, Tone};
use crate::desk::Desk;
use crate::error::Result;
use crate::finding::Examined;
use crate::labels;

/// Rows of history around the matched run.
const HISTORY_ROWS_MAX: usize = 40;
/// Raw answers listed with a job.
const ANSWERS_SHOWN_MAX: usize = 10;

/// The newest items of the project that the complaint is about; of the whole scope without one.
pub(super) fn history(examined: &Examined) -> Vec<HistoryRow> {
    let matched = matched_dossiers(examined);
    let project = matched.first().map(|dossier| dossier.run.project_id.clone());
    let around = matched.first().map(|dossier| dossier.run.started_at);
    let mut dossiers: Vec<&Dossier> = examined
        .scope
        .runs
        .iter()
        .filter(|dossier| project.as_ref().is_none_or(|id| dossier.run.project_id == *id))
        .collect();
    dossiers.sort_by_key(|dossier| match around {
        Some(at) => (dossier.run.started_at.as_second() - at.as_second()).abs(),
        None => -dossier.run.started_at.as_second(),
    });
    let mut rows: Vec<HistoryRow> = dossiers
        .into_iter()
        .take(HISTORY_ROWS_MAX)
        .flat_map(|dossier| {
            let is_matched = matched.iter().any(|row| row.run.id == dossier.run.id);
            (1..=dossier.run.items()).map(move |item| history_row(examined, dossier, item, is_matched))
        })
        .take(HISTORY_ROWS_MAX)
        .collect();
    rows.sort_by(|a, b| b.started_at.cmp(&a.started_at).then(a.item.cmp(&b.item)));
    rows
}

fn history_row(examined: &Examined, dossier: &Dossier, item: u32, matched: bool) -> HistoryRow {
    let scope = &examined.scope;
    let output = dossier.outputs.iter().find(|row| row.item == item);
    let refunded = dossier
        .refunds
        .iter()
        .any(|refund| refund.state == makegood_domain::ledger::RefundState::Posted && refund.items.contains(&item));
    let (state, tone) = match (output.map(|row| row.state), refunded) {
        (Some(OutputState::Stored), _) => ("stored", Tone::Ok),
        (Some(OutputState::Corrupt), _) => ("damaged", Tone::Bad),
        (Some(OutputState::Held), _) => ("held", Tone::Warn),
        (None, true) => ("refunded", Tone::Info),
        (None, false) if dossier.charges.is_empty() => ("not charged", Tone::Neutral),
        (None, false) => ("no output", Tone::Bad),
    };
    let price = |charge: &makegood_domain::ledger::Charge| {
        charge.items.iter().filter(|row| row.item == item).map(|row| row.credits).sum::<i64>()
    };
    HistoryRow {
        run_id: dossier.run.id.0.clone(),
        item,
        model: model_name(scope, dossier),
        node: scope.node(&dossier.run.node_id).map_or_else(String::new, |node| node.label.clone()),
        project: scope.project(&dossier.run.project_id).map_or_else(String::new, |row| row.name.clone()),
        started_at: dossier.run.started_at,
        credits: dossier.charges.iter().map(price).sum(),
        state: state.to_owned(),
        tone,
        place: output.map_or_else(|| "nowhere".to_owned(), |output| place(examined, output)),
        output_id: output.map(|output| output.id.0.clone()),
        matched,
    }
}

pub(super) fn place(examined: &Examined, output: &Output) -> String {
    named(examined, &output.project_id, output.node_id.as_ref())
}

/// A place out of the requester's scope is told to the agent as such, by id only.
pub(super) fn named(examined: &Examined, project_id: &ProjectId, node_id: Option<&NodeId>) -> String {
    let scope = &examined.scope;
    let name = scope.project(project_id).map_or(project_id.as_str(), |row| row.name.as_str());
    match node_id {
        Some(node) => format!("{name} / {}", scope.node(node).map_or(node.as_str(), |row| row.label.as_str())),
        None => format!("{name} / history only"),
    }
}

impl Desk {
    pub(super) async fn jobs(&self, examined: &Examined) -> Result<Vec<JobView>> {
        let mut views = Vec::new();
        for dossier in matched_dossiers(examined) {
            for job in &dossier.jobs {
                let answers = self.store.answers(&job.id).await?;
                views.push(self.job_view(examined, job, &answers));
            }
        }
        Ok(views)
    }

    fn job_view(&self, examined: &Examined, job: &Job, answers: &[StoredAnswer]) -> JobView {
        let (state, tone) = labels::job_state(job.state);
        let adapter = self.providers.get(&job.provider_id);
        JobView {
            job_id: job.id.0.clone(),
            run_id: job.run_id.0.clone(),
            provider_id: job.provider_id.0.clone(),
            provider_name: adapter.as_ref().map_or_else(|| job.provider_id.0.clone(), |port| port.descriptor().name),
            state: state.to_owned(),
            tone,
            error: job.error.clone(),
            submitted_at: job.submitted_at,
            finished_at: job.finished_at,
            looked_up_at: job.looked_up_at,
            items: job.items.iter().map(|item| self.item_view(examined, job, item)).collect(),
            can_look_up: adapter.is_some_and(|port| port.capability().look_up),
            answers: answers
                .iter()
                .take(ANSWERS_SHOWN_MAX)
                .map(|stored| AnswerRef {
                    id: stored.id.clone(),
                    url: stored.answer.url.clone(),
                    status: stored.answer.status,
                    fetched_at: stored.answer.fetched_at,
                })
                .collect(),
        }
    }

    fn item_view(&self, examined: &Examined, job: &Job, item: &JobItem) -> JobItemView {
        let (state, tone) = labels::item_state(item.state);
        let provider = examined.scope.provider(&job.provider_id);
        let deadline = file_deadline(examined, &self.policy, job, item.item);
        let retention = match (&deadline, provider.and_then(|row| row.retention_hours)) {
            (None, _) => String::new(),
            (Some((_, true)), _) => format!("assumed {} days", self.policy.retention.assumed_days),
            (Some(_), Some(hours)) => format!("{hours} h"),
            (Some(_), None) => "told by the provider".to_owned(),
        };
        JobItemView {
            item: item.item,
            state: state.to_owned(),
            tone,
            bytes: item.file.as_ref().map(|file| file.bytes).filter(|bytes| *bytes > 0),
            sha256_prefix: item.file.as_ref().map(|file| file.sha256_prefix.clone()).unwrap_or_default(),
            exists_now: item.file.as_ref().and_then(|file| file.exists_now),
            deadline: deadline.map(|(until, _)| until),
            retention,
        }
    }
}
