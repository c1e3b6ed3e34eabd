//! One clock over all systems.

use makegood_domain::ledger::RefundState;
use makegood_domain::policy::Policy;
use makegood_domain::scope::Dossier;

use super::{file_deadline, matched_dossiers};
use crate::contract::{Gap, Lane, Timeline, TimelineEvent, Tone};
use crate::finding::Examined;
use crate::labels;

pub(super) fn timeline(examined: &Examined, policy: &Policy) -> Timeline {
    let dossiers = matched_dossiers(examined);
    let now = examined.scope.as_of;
    let lanes = vec![
        lane("ticket", "Ticket", "", ticket(examined)),
        lane("charge", "Charge", "none posted", dossiers.iter().flat_map(|d| charges(d)).collect()),
        lane(
            "provider",
            "Provider",
            "never submitted",
            dossiers.iter().flat_map(|d| jobs(examined, d, policy)).collect(),
        ),
        lane("webhook", "Webhook", "none received", dossiers.iter().flat_map(|d| webhooks(d)).collect()),
        lane("storage", "Storage", "no upload tried", dossiers.iter().flat_map(|d| storage(d)).collect()),
        lane("refund", "Refund", "none posted", dossiers.iter().flat_map(|d| refunds(d)).collect()),
    ];
    Timeline { lanes, gaps: gaps(examined, &dossiers), now }
}

fn lane(name: &str, label: &str, empty: &str, mut events: Vec<TimelineEvent>) -> Lane {
    events.sort_by_key(|event| event.at);
    Lane { name: name.to_owned(), label: label.to_owned(), empty: empty.to_owned(), events }
}

fn event(at: jiff::Timestamp, label: String, tone: Tone, id: &str, detail: String) -> TimelineEvent {
    TimelineEvent { at, until: None, label, tone, id: id.to_owned(), detail }
}

fn ticket(examined: &Examined) -> Vec<TimelineEvent> {
    let ticket = &examined.case.ticket;
    vec![event(ticket.created_at, "opened".into(), Tone::Neutral, ticket.id.as_str(), ticket.subject.clone())]
}

fn charges(dossier: &Dossier) -> Vec<TimelineEvent> {
    let view = |charge: &makegood_domain::ledger::Charge| {
        event(
            charge.posted_at,
            format!("−{}", charge.total),
            Tone::Info,
            charge.id.as_str(),
            charge.idempotency_key.clone(),
        )
    };
    dossier.charges.iter().map(view).collect()
}

fn jobs(examined: &Examined, dossier: &Dossier, policy: &Policy) -> Vec<TimelineEvent> {
    let mut events = Vec::new();
    for job in &dossier.jobs {
        let (word, tone) = labels::job_state(job.state);
        let mut span = event(
            job.submitted_at,
            match job.finished_at {
                Some(_) => word.to_owned(),
                None => format!("{word} since"),
            },
            tone,
            job.id.as_str(),
            job.error.clone().unwrap_or_default(),
        );
        span.until = job.finished_at;
        events.push(span);
        for item in &job.items {
            let deadline = file_deadline(examined, policy, job, item.item);
            if let (Some(finished), Some((until, _))) = (item.finished_at.or(job.finished_at), deadline) {
                let kept = examined.scope.as_of < until;
                let mut keeping = event(
                    finished,
                    if kept { "file kept".to_owned() } else { "file deleted".to_owned() },
                    if kept { Tone::Warn } else { Tone::Neutral },
                    job.id.as_str(),
                    format!("item {} until {}", item.item, until.strftime("%-d %b %H:%M:%S UTC")),
                );
                keeping.until = Some(until);
                events.push(keeping);
            }
        }
    }
    events
}

fn webhooks(dossier: &Dossier) -> Vec<TimelineEvent> {
    let view = |webhook: &makegood_domain::work::Webhook| {
        let (word, tone) = labels::webhook(webhook.result);
        let tries = match webhook.attempts {
            1 => "1 try".to_owned(),
            n => format!("{n} tries"),
        };
        event(webhook.received_at, word.to_owned(), tone, webhook.id.as_str(), tries)
    };
    dossier.webhooks.iter().map(view).collect()
}

fn storage(dossier: &Dossier) -> Vec<TimelineEvent> {
    let uploads = dossier.uploads.iter().map(|upload| {
        let (word, tone) = labels::upload(upload.result);
        event(upload.attempted_at, word.to_owned(), tone, dossier.run.id.as_str(), format!("item {}", upload.item))
    });
    let outputs = dossier.outputs.iter().map(|output| {
        let (word, tone) = match output.state {
            makegood_domain::work::OutputState::Stored => ("stored", Tone::Ok),
            makegood_domain::work::OutputState::Corrupt => ("damaged", Tone::Bad),
            makegood_domain::work::OutputState::Held => ("held", Tone::Warn),
        };
        event(output.stored_at, word.to_owned(), tone, output.id.as_str(), format!("item {}", output.item))
    });
    uploads.chain(outputs).collect()
}

fn refunds(dossier: &Dossier) -> Vec<TimelineEvent> {
    let view = |refund: &makegood_domain::ledger::Refund| {
        let total: i64 = refund.lines.iter().map(|line| line.amount).sum();
        let (label, tone) = match refund.state {
            RefundState::Posted => (format!("+{total}"), Tone::Ok),
            RefundState::Reversed => (format!("+{total} reversed"), Tone::Warn),
        };
        event(refund.posted_at, label, tone, refund.id.as_str(), refund.cause.clone().unwrap_or_default())
    };
    dossier.refunds.iter().map(view).collect()
}

/// The hole that the complaint is about: finished at the provider, nothing stored since.
fn gaps(examined: &Examined, dossiers: &[&Dossier]) -> Vec<Gap> {
    let gap = |dossier: &&Dossier| {
        let finished = dossier.jobs.last()?.finished_at?;
        let last_try = dossier.uploads.iter().map(|row| row.attempted_at).max().unwrap_or(finished);
        let stored = u32::try_from(dossier.outputs.len()).unwrap_or(u32::MAX) >= dossier.run.requested_items;
        let open = !stored && dossier.refunds.is_empty() && !dossier.charges.is_empty();
        open.then(|| Gap {
            from: finished.max(last_try),
            until: examined.case.ticket.created_at.max(finished),
            label: "finished, never stored".to_owned(),
        })
    };
    dossiers.iter().filter_map(gap).filter(|gap| gap.from < gap.until).collect()
}
