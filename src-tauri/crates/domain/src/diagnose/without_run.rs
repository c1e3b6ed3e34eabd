//! Verdicts that need no matched run: an unknown requester, another topic, somebody else's asset, and
//! no match.

use std::collections::BTreeSet;

use super::{
    Diagnosis, Evidence, FactRef, FactSource, Flag, ItemAction, ItemActionKind, MessagePoint, Reason, Remedy, Verdict,
};
use crate::ids::{OutputId, ProjectId};
use crate::matching::project;
use crate::policy::Policy;
use crate::scope::Dossier;
use crate::support::Topic;
use crate::work::Output;

/// The verdicts that come before matching.
pub(super) fn before_matching(evidence: &Evidence<'_>, policy: &Policy) -> Option<Diagnosis> {
    if evidence.scope.requester.user_id.is_none() {
        let text = "The address belongs to no user: nothing may be told before the account holder is verified.";
        return Some(Diagnosis {
            would_change: vec!["The requester proves to be the holder of an account.".to_owned()],
            ..bare(
                evidence,
                Verdict::RequesterUnknown,
                Remedy::VerifyIdentity,
                MessagePoint::VerifyIdentity,
                "P11",
                text,
            )
        });
    }
    match evidence.claim.topic {
        Topic::BillingOther => Some(Diagnosis {
            would_change: vec!["The customer names a run that was charged and gave no output.".to_owned()],
            ..bare(
                evidence,
                Verdict::OutOfScope,
                Remedy::RouteToBilling,
                MessagePoint::RoutedToBilling,
                "verdict table",
                "The ticket is about purchases, renewals or expiry, not about a run.",
            )
        }),
        Topic::ForeignAsset => foreign_asset(evidence, policy),
        Topic::MissingOutput => None,
    }
}

/// P2 found none, or could not choose.
pub(super) fn no_match(evidence: &Evidence<'_>) -> Diagnosis {
    let text = if evidence.run_match.explanation.is_empty() {
        "No run was found that the ticket could mean."
    } else {
        evidence.run_match.explanation.as_str()
    };
    Diagnosis {
        flags: evidence.run_match.flags.iter().copied().collect(),
        would_change: vec![
            "The customer gives the project id, the time with its zone, the model, or the credits of the run."
                .to_owned(),
            "An agent chooses a run among the candidates.".to_owned(),
        ],
        ..bare(evidence, Verdict::NoMatch, Remedy::AskForDetails, MessagePoint::AskDetails, "P2", text)
    }
}

/// P11: an output of another account in a project of the requester. Looked for in the project that the
/// ticket names, if it names one in scope, else in all of them.
fn foreign_asset(evidence: &Evidence<'_>, policy: &Policy) -> Option<Diagnosis> {
    let scope = evidence.scope;
    let own: BTreeSet<&ProjectId> = project::own_projects(scope).into_iter().map(|project| &project.id).collect();
    let strays = |within: &dyn Fn(&Output) -> bool| -> Vec<(&Dossier, &Output)> {
        scope
            .foreign_runs
            .iter()
            .flat_map(|row| row.outputs.iter().map(move |output| (row, output)))
            .filter(|(row, output)| own.contains(&output.project_id) && is_foreign(row, output, evidence))
            .filter(|(_, output)| within(output))
            .collect()
    };
    let named = project::resolve(evidence.claim.project_ref.as_deref(), scope, policy);
    let is_named = |output: &Output| named.projects().is_none_or(|ids| ids.contains(&output.project_id));
    let mut found = strays(&is_named);
    if found.is_empty() {
        found = strays(&|_| true);
    }
    if found.is_empty() {
        return None;
    }
    Some(incident(evidence, &found))
}

/// An output whose run is of another account than the project in which it lies.
fn is_foreign(row: &Dossier, output: &Output, evidence: &Evidence<'_>) -> bool {
    evidence.scope.project(&output.project_id).is_some_and(|project| project.account_id != row.account_id)
}

fn incident(evidence: &Evidence<'_>, found: &[(&Dossier, &Output)]) -> Diagnosis {
    let mut actions: Vec<ItemAction> = found
        .iter()
        .map(|(row, output)| ItemAction {
            run: row.run.id.clone(),
            item: output.item,
            action: ItemActionKind::Quarantine,
            credits: 0,
        })
        .collect();
    actions.sort_by(|a, b| (&a.run, a.item).cmp(&(&b.run, b.item)));
    actions.dedup();
    let misplaced: Vec<OutputId> = found.iter().map(|(_, output)| output.id.clone()).collect();
    let facts = found
        .iter()
        .map(|(_, output)| FactRef {
            source: FactSource::Storage,
            id: output.id.to_string(),
            at: Some(output.stored_at),
            says: format!("made for another account, lies in {}", output.project_id),
        })
        .collect();
    let mut diagnosis = bare(
        evidence,
        Verdict::ForeignAssetInProject,
        Remedy::QuarantineAndIncident,
        MessagePoint::ForeignAssetRemoved,
        "P11",
        "An asset of another account lies in the customer's project. That is an incident in every case.",
    );
    diagnosis.message_points.push(MessagePoint::PrivacyReviewOpened);
    diagnosis.flags.insert(Flag::PrivacyIncident);
    diagnosis.item_actions = actions;
    diagnosis.misplaced_outputs = misplaced;
    if let Some(reason) = diagnosis.reasons.first_mut() {
        reason.facts = facts;
    }
    diagnosis.would_change = vec!["The output turns out to belong to the account of the project.".to_owned()];
    diagnosis
}

fn bare(
    evidence: &Evidence<'_>,
    verdict: Verdict,
    remedy: Remedy,
    point: MessagePoint,
    rule: &str,
    text: &str,
) -> Diagnosis {
    let ticket = FactRef {
        source: FactSource::Ticket,
        id: evidence.ticket_id.to_string(),
        at: Some(evidence.ticket_created_at),
        says: "as the customer tells it".to_owned(),
    };
    Diagnosis {
        verdict,
        remedy,
        matched_run: None,
        additional_runs: Vec::new(),
        item_actions: Vec::new(),
        restorations: Vec::new(),
        run_billable_after: None,
        retention_deadline: None,
        late_results: Vec::new(),
        follow_up_at: None,
        flags: BTreeSet::new(),
        message_points: vec![point],
        linked_ticket: None,
        misplaced_outputs: Vec::new(),
        reasons: vec![Reason { rule: rule.to_owned(), text: text.to_owned(), facts: vec![ticket] }],
        would_change: Vec::new(),
    }
}
