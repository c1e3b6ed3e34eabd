//! Screenshots with what was read in them, held against the rows they prove.

use makegood_domain::ports::ReadingContext;
use makegood_domain::reading::read;
use makegood_domain::support::{Attachment, Claim, Ticket};

use super::{matched_dossiers, model_name};
use crate::contract::{Agreement, Shot, ShotRead};
use crate::finding::Examined;

pub(super) fn shots(examined: &Examined) -> Vec<Shot> {
    let attachments = &examined.case.ticket.attachments;
    attachments.iter().map(|attachment| shot(examined, attachment)).collect()
}

fn shot(examined: &Examined, attachment: &Attachment) -> Shot {
    let claim = read_alone(examined, attachment);
    Shot {
        attachment_id: attachment.id.as_ref().map(|id| id.0.clone()),
        name: attachment.name.clone(),
        media_type: attachment.kind.clone(),
        text: attachment.description.clone(),
        reads: reads(examined, &claim),
    }
}

/// What this picture alone says: a ticket that holds nothing else.
fn read_alone(examined: &Examined, attachment: &Attachment) -> Claim {
    let ticket = &examined.case.ticket;
    let alone =
        Ticket { subject: String::new(), body: String::new(), attachments: vec![attachment.clone()], ..ticket.clone() };
    let context = ReadingContext {
        models: examined.scope.models.clone(),
        projects: examined.scope.projects.iter().filter(|row| examined.scope.owns_project(&row.id)).cloned().collect(),
    };
    read(&alone, &context)
}

fn reads(examined: &Examined, claim: &Claim) -> Vec<ShotRead> {
    let dossiers = matched_dossiers(examined);
    let first = dossiers.first();
    let mut reads = Vec::new();
    let mut push = |field: &str, value: String, agrees: Option<bool>, against: String| {
        let agreement = match agrees {
            None => Agreement::Unsure,
            Some(true) => Agreement::Agrees,
            Some(false) => Agreement::Contradicts,
        };
        reads.push(ShotRead { field: field.to_owned(), value, agreement, against });
    };
    if let Some(project) = &claim.project_ref {
        let run = first.map(|dossier| &dossier.run);
        let name = run.and_then(|run| examined.scope.project(&run.project_id)).map(|row| row.name.as_str());
        let agrees = run.map(|run| project == run.project_id.as_str() || Some(project.as_str()) == name);
        push("project", project.clone(), agrees, run.map(|run| run.project_id.0.clone()).unwrap_or_default());
    }
    if let Some(model) = claim.model_refs.first() {
        let found = first.map(|dossier| model_name(&examined.scope, dossier)).unwrap_or_default();
        let fits = first.map(|_| found.to_lowercase().contains(&model.to_lowercase()));
        // A marketing name is no contradiction: matching has resolved it already.
        push("model", model.clone(), fits.filter(|fits| *fits), found);
    }
    if let Some(clock) = claim.clock_utc {
        let charge = first.and_then(|dossier| dossier.charges.first());
        let near = charge.map(|charge| (charge.posted_at.as_second() - clock.as_second()).abs() <= 180);
        let value = clock.strftime("%-d %b %H:%M UTC").to_string();
        push("time", value, near, charge.map(|charge| charge.id.0.clone()).unwrap_or_default());
    }
    if let Some(amount) = claim.amount {
        let charge = first.and_then(|dossier| dossier.charges.first());
        let same = charge.map(|charge| charge.total == amount);
        push("amount", amount.to_string(), same, charge.map(|charge| charge.id.0.clone()).unwrap_or_default());
    }
    reads
}
