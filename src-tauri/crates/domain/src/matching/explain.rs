//! Why a run is a candidate, in words for agents.

use jiff::SignedDuration;

use super::choose::{Choice, Way, distance};
use super::filter::{Evidence, Field};
use super::logical::LogicalRun;
use super::{Candidate, MatchReason, ProjectRef};
use crate::diagnose::items;
use crate::ids::RunId;
use crate::policy::Policy;
use crate::scope::Scope;
use crate::support::Claim;

/// Every run in scope weighed, the best first, as many as the policy shows.
pub(super) fn candidates(
    runs: &[LogicalRun<'_>],
    matched: &[RunId],
    evidence: &Evidence,
    claim: &Claim,
    scope: &Scope,
    policy: &Policy,
) -> Vec<Candidate> {
    let mut weighed: Vec<_> = runs
        .iter()
        .map(|run| {
            let candidate = weigh(run, matched, evidence, claim, scope);
            let away = claim.clock_utc.map_or(SignedDuration::ZERO, |clock| distance(run, clock));
            (candidate, away)
        })
        .collect();
    weighed.sort_by_key(|(candidate, away)| {
        (!candidate.matched, candidate.reasons_against.len(), !candidate.troubled, *away)
    });
    weighed
        .into_iter()
        .map(|(candidate, _)| candidate)
        .take(policy.matching.candidates_shown.max(matched.len()))
        .collect()
}

fn weigh(run: &LogicalRun<'_>, matched: &[RunId], evidence: &Evidence, claim: &Claim, scope: &Scope) -> Candidate {
    let troubled = items::is_troubled(run, scope);
    let (mut pro, mut contra) = (Vec::new(), Vec::new());
    if !super::filter::quoted(claim, std::slice::from_ref(run)).is_empty() {
        pro.push(reason("run_ref", "quoted in the ticket".to_owned()));
    }
    for field in [Field::Project, Field::Model, Field::Time, Field::Amount] {
        if !evidence.gives(field) {
            continue;
        }
        let agrees = run.members().any(|row| evidence.agrees(field, row));
        let text = compare(field, agrees, run, evidence, scope);
        if agrees { &mut pro } else { &mut contra }.push(reason(field.word(), text));
    }
    if let Some(clock) = claim.clock_utc {
        let start = run.head().started_at;
        let text = format!("started {} the time given", offset(start.duration_since(clock)));
        if evidence.agrees_in_time(run) { &mut pro } else { &mut contra }.push(reason("distance", text));
    }
    let (list, text) = if troubled {
        (&mut pro, "charged, and not simply delivered on the canvas")
    } else if run.charges().is_empty() {
        (&mut contra, "no charge")
    } else {
        (&mut contra, "delivered on the canvas, without a refund")
    };
    list.push(reason("troubled", text.to_owned()));
    Candidate {
        run_id: run.id().clone(),
        matched: matched.contains(run.id()),
        troubled,
        reasons_for: pro,
        reasons_against: contra,
    }
}

impl Evidence {
    fn agrees_in_time(&self, run: &LogicalRun<'_>) -> bool {
        run.members().any(|row| self.agrees(Field::Time, row))
    }
}

fn compare(field: Field, agrees: bool, run: &LogicalRun<'_>, evidence: &Evidence, scope: &Scope) -> String {
    match field {
        Field::Project => match (&evidence.project, agrees) {
            (ProjectRef::Corrected(_), true) => {
                format!("in project {}, which the ticket writes with a typing error", run.head().project_id)
            }
            (_, true) => format!("in project {}, as the ticket says", run.head().project_id),
            (_, false) => format!("in project {}, not the one named", run.head().project_id),
        },
        Field::Model => {
            let id = &run.head().model_id;
            let name = scope.model(id).map_or_else(|| id.as_str(), |model| model.display_name.as_str());
            format!("ran on {name}{}", if agrees { ", as the ticket says" } else { ", not the model named" })
        }
        Field::Time => {
            let start = run.head().started_at;
            format!("started at {start}, {} the time that the ticket gives", if agrees { "within" } else { "outside" })
        }
        Field::Amount => {
            let totals: Vec<String> = run.charges().iter().map(|charge| charge.total.to_string()).collect();
            match (totals.is_empty(), agrees) {
                (true, _) => "not charged at all".to_owned(),
                (false, true) => format!("charged {}, as the ticket says", totals.join(" and ")),
                (false, false) => format!("charged {}, another amount", totals.join(" and ")),
            }
        }
    }
}

/// `38 s before`, `12 min after`, `3 h 5 min after`.
fn offset(away: SignedDuration) -> String {
    let side = if away.is_negative() { "before" } else { "after" };
    let seconds = away.abs().as_secs();
    match seconds {
        0 => "at".to_owned(),
        1..=99 => format!("{seconds} s {side}"),
        100..=5_999 => format!("{} min {side}", seconds / 60),
        _ => format!("{} h {} min {side}", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// One or two sentences on how the match came about.
pub(super) fn sentence(choice: &Choice<'_, '_>, evidence: &Evidence, relaxed: &[Field]) -> String {
    let mut text = match choice.way {
        Way::Quoted if choice.chosen.len() == 1 => "The ticket quotes the run.".to_owned(),
        Way::Quoted => format!("The ticket quotes {} runs.", choice.chosen.len()),
        Way::OnlyOne => "One run fits what the ticket says.".to_owned(),
        Way::AsStated => format!("{} runs fit, as many as the ticket states.", choice.chosen.len()),
        Way::Nearest => "Several runs fit; one is clearly nearest to the time given.".to_owned(),
        Way::NothingInScope => "No run in the requester's scope fits what the ticket says.".to_owned(),
        Way::CannotTell(count) => {
            format!("{count} runs fit and nothing tells them apart; the customer has to say which.")
        }
    };
    if choice.untroubled > 0 {
        text.push_str(&format!(" {} more fit but were delivered or not charged.", choice.untroubled));
    }
    if !relaxed.is_empty() {
        let words: Vec<&str> = relaxed.iter().map(|field| field.word()).collect();
        text.push_str(&format!(" Nothing fitted until the {} was left out.", words.join(" and the ")));
    }
    match evidence.project {
        ProjectRef::Corrected(_) => text.push_str(" The project id was typed wrongly and put right."),
        ProjectRef::Unknown => text.push_str(" The project named is not one of the requester's and was left out."),
        ProjectRef::Absent | ProjectRef::Found(_) => {}
    }
    if evidence.unknown_models {
        text.push_str(" The model named is not in the catalogue and was left out.");
    }
    text
}

fn reason(field: &str, text: String) -> MatchReason {
    MatchReason { field: field.to_owned(), text }
}
