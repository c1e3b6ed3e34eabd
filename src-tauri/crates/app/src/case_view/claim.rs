//! Claim against finding, row by row, each with its *as of*.

use jiff::Timestamp;
use makegood_domain::diagnose::Flag;
use makegood_domain::ledger::RefundState;
use makegood_domain::money::Credits;
use makegood_domain::scope::Dossier;
use makegood_domain::work::{JobState, OutputState};

use super::{matched_dossiers, model_name};
use crate::contract::{Agreement, ClaimRow};
use crate::finding::Examined;
use crate::labels;

pub(super) fn rows(examined: &Examined) -> Vec<ClaimRow> {
    let dossiers = matched_dossiers(examined);
    let Some(first) = dossiers.first().copied() else { return unmatched(examined) };
    let mut rows = vec![project(examined, first), time(examined, first), model(examined, first)];
    rows.push(amount(examined, &dossiers));
    rows.push(refund(examined, &dossiers));
    rows.extend(dossiers.iter().map(|dossier| provider(examined, dossier)));
    rows.push(output(examined, &dossiers));
    rows
}

struct Row<'a> {
    field: &'a str,
    said: String,
    agreement: Agreement,
    id: String,
    found: String,
    remark: String,
}

impl Row<'_> {
    fn told_at(self, as_of: Timestamp) -> ClaimRow {
        ClaimRow {
            field: self.field.to_owned(),
            said: self.said,
            agreement: self.agreement,
            id: self.id,
            found: self.found,
            remark: self.remark,
            as_of,
        }
    }
}

/// Without a run there is only what was said.
fn unmatched(examined: &Examined) -> Vec<ClaimRow> {
    let claim = &examined.finding.claim;
    let as_of = examined.scope.as_of;
    let said = |field: &str, said: String| {
        let agreement = if said.is_empty() { Agreement::NotSaid } else { Agreement::Unsure };
        let found = if said.is_empty() { "not said" } else { "no run decided" };
        Row { field, said, agreement, id: String::new(), found: found.to_owned(), remark: String::new() }.told_at(as_of)
    };
    vec![
        said("project", claim.project_ref.clone().unwrap_or_default()),
        said("time", window_text(examined)),
        said("model", claim.model_refs.join(", ")),
        said("amount", claim.amount.map(|credits| format!("{credits} credits")).unwrap_or_default()),
    ]
}

fn window_text(examined: &Examined) -> String {
    let claim = &examined.finding.claim;
    match (claim.clock_utc, claim.window) {
        (Some(at), _) => format!("{} UTC", at.strftime("%-d %b %H:%M")),
        (None, Some((from, until))) => {
            format!("{} to {} UTC", from.strftime("%-d %b %H:%M"), until.strftime("%-d %b %H:%M"))
        }
        (None, None) => String::new(),
    }
}

fn project(examined: &Examined, dossier: &Dossier) -> ClaimRow {
    let scope = &examined.scope;
    let said = examined.finding.claim.project_ref.clone().unwrap_or_default();
    let row = scope.project(&dossier.run.project_id);
    let name = row.map_or("", |project| project.name.as_str());
    let same = said == dossier.run.project_id.as_str() || (!said.is_empty() && said == name);
    let flags = &examined.finding.run_match.flags;
    let (agreement, remark) = match (said.is_empty(), same) {
        (true, _) => (Agreement::NotSaid, ""),
        (false, true) => (Agreement::Agrees, "in the requester's scope"),
        (false, false) if flags.contains(&Flag::ProjectIdCorrected) => (Agreement::Unsure, "id corrected (P2)"),
        (false, false) if flags.contains(&Flag::ProjectRefUnknown) => (Agreement::Contradicts, "resolves to nothing"),
        (false, false) => (Agreement::Unsure, ""),
    };
    let id = dossier.run.project_id.0.clone();
    Row { field: "project", said, agreement, id, found: name.to_owned(), remark: remark.to_owned() }
        .told_at(scope.as_of)
}

fn time(examined: &Examined, dossier: &Dossier) -> ClaimRow {
    let claim = &examined.finding.claim;
    let at = dossier.run.started_at;
    let (agreement, remark) = match (claim.clock_utc, claim.window) {
        (None, None) => (Agreement::NotSaid, String::new()),
        (clock, window) => {
            let inside = window.is_some_and(|(from, until)| from <= at && at <= until);
            let remark = clock.map(|clock| apart(at, clock)).unwrap_or_default();
            (if inside { Agreement::Agrees } else { Agreement::Contradicts }, remark)
        }
    };
    let found = format!("{} UTC", at.strftime("%-d %b %H:%M:%S"));
    Row { field: "time", said: window_text(examined), agreement, id: dossier.run.id.0.clone(), found, remark }
        .told_at(examined.scope.as_of)
}

/// `38 s earlier`, `2 min later`, `1 h 05 min later`.
fn apart(at: Timestamp, clock: Timestamp) -> String {
    let seconds = at.as_second() - clock.as_second();
    let word = if seconds < 0 { "earlier" } else { "later" };
    match seconds.abs() {
        0 => "the very second".to_owned(),
        s if s < 60 => format!("{s} s {word}"),
        s if s < 3600 => format!("{} min {word}", s / 60),
        s => format!("{} h {:02} min {word}", s / 3600, s % 3600 / 60),
    }
}

fn model(examined: &Examined, dossier: &Dossier) -> ClaimRow {
    let said = examined.finding.claim.model_refs.join(", ");
    let against = examined
        .finding
        .run_match
        .candidates
        .iter()
        .find(|candidate| candidate.run_id == dossier.run.id)
        .is_some_and(|candidate| candidate.reasons_against.iter().any(|reason| reason.field == "model"));
    let agreement = match (said.is_empty(), against) {
        (true, _) => Agreement::NotSaid,
        (false, true) => Agreement::Contradicts,
        (false, false) => Agreement::Agrees,
    };
    let items = dossier.run.requested_items;
    let remark = format!("{items} {}", if items == 1 { "item" } else { "items" });
    let found = model_name(&examined.scope, dossier);
    Row { field: "model", said, agreement, id: dossier.run.model_id.0.clone(), found, remark }
        .told_at(examined.scope.as_of)
}

fn amount(examined: &Examined, dossiers: &[&Dossier]) -> ClaimRow {
    let charges: Vec<_> = dossiers.iter().flat_map(|dossier| &dossier.charges).collect();
    let total: Credits = charges.iter().map(|charge| charge.total).sum();
    let said = examined.finding.claim.amount;
    let agreement = match said {
        None => Agreement::NotSaid,
        Some(said) if charges.iter().any(|charge| charge.total == said) || said == total => Agreement::Agrees,
        Some(_) => Agreement::Contradicts,
    };
    let sources: Vec<String> = charges
        .iter()
        .flat_map(|charge| &charge.sources)
        .filter(|line| line.amount > 0)
        .map(|line| format!("{} {}", line.amount, labels::balance(line.kind).to_lowercase()))
        .collect();
    Row {
        field: "amount",
        said: said.map(|credits| format!("{credits} credits")).unwrap_or_default(),
        agreement,
        id: charges.first().map(|charge| charge.id.0.clone()).unwrap_or_default(),
        found: if charges.is_empty() { "no charge".to_owned() } else { format!("{total} credits charged") },
        remark: sources.join(" + "),
    }
    .told_at(examined.scope.as_of)
}

fn refund(examined: &Examined, dossiers: &[&Dossier]) -> ClaimRow {
    let refunds: Vec<_> = dossiers.iter().flat_map(|dossier| &dossier.refunds).collect();
    let posted: Credits = refunds
        .iter()
        .filter(|refund| refund.state == RefundState::Posted)
        .flat_map(|refund| &refund.lines)
        .map(|line| line.amount)
        .sum();
    let reversed = refunds.iter().any(|refund| refund.state == RefundState::Reversed);
    Row {
        field: "refund",
        said: String::new(),
        agreement: Agreement::NotSaid,
        id: refunds.first().map(|refund| refund.id.0.clone()).unwrap_or_default(),
        found: if posted == 0 { "no posting refers to this charge".to_owned() } else { format!("{posted} refunded") },
        remark: if reversed { "a reversed refund settles nothing".to_owned() } else { String::new() },
    }
    .told_at(examined.scope.as_of)
}

fn provider(examined: &Examined, dossier: &Dossier) -> ClaimRow {
    let Some(job) = dossier.jobs.last() else {
        return Row {
            field: "provider",
            said: String::new(),
            agreement: Agreement::NotSaid,
            id: dossier.run.id.0.clone(),
            found: "never submitted to a provider".to_owned(),
            remark: String::new(),
        }
        .told_at(examined.scope.as_of);
    };
    let made = job.items.iter().filter(|item| item.file.is_some()).count();
    let exists = job.items.iter().filter(|item| item.file.as_ref().is_some_and(|file| file.exists_now == Some(true)));
    let remark = match (job.state, made) {
        (JobState::Succeeded, 0) => "succeeded without a file".to_owned(),
        (_, 0) => job.error.clone().unwrap_or_default(),
        (_, made) => format!("{} of {made} files still there", exists.count()),
    };
    Row {
        field: "provider",
        said: String::new(),
        agreement: Agreement::NotSaid,
        id: job.id.0.clone(),
        found: match job.finished_at {
            Some(at) => format!("{} {}", labels::job_state(job.state).0, at.strftime("%-d %b %H:%M:%S")),
            None => labels::job_state(job.state).0.to_owned(),
        },
        remark,
    }
    .told_at(job.looked_up_at.unwrap_or(examined.scope.as_of))
}

fn output(examined: &Examined, dossiers: &[&Dossier]) -> ClaimRow {
    let outputs: Vec<_> = dossiers.iter().flat_map(|dossier| &dossier.outputs).collect();
    let stored = outputs.iter().filter(|row| row.state == OutputState::Stored).count();
    let wanted = dossiers.first().map_or(0, |dossier| dossier.run.requested_items);
    let complaint = examined.finding.claim.topic == makegood_domain::support::Topic::MissingOutput;
    let missing = stored < usize::try_from(wanted).unwrap_or(usize::MAX);
    Row {
        field: "output",
        said: if complaint { "missing".to_owned() } else { String::new() },
        agreement: match (complaint, missing) {
            (false, _) => Agreement::NotSaid,
            (true, true) => Agreement::Agrees,
            (true, false) => Agreement::Contradicts,
        },
        id: outputs.first().map(|row| row.id.0.clone()).unwrap_or_default(),
        found: format!("{stored} of {wanted} stored"),
        remark: if outputs.iter().any(|row| row.state == OutputState::Corrupt) {
            "a stored file is damaged".to_owned()
        } else {
            String::new()
        },
    }
    .told_at(examined.scope.as_of)
}

#[cfg(test)]
mod tests {
    use super::apart;

    #[test]
    fn distances_are_told_in_one_unit_that_fits() {
        let clock: jiff::Timestamp = "2026-03-12T18:05:00Z".parse().expect("a test instant parses");
        for (at, want) in [
            ("2026-03-12T18:04:22Z", "38 s earlier"),
            ("2026-03-12T18:05:00Z", "the very second"),
            ("2026-03-12T18:07:30Z", "2 min later"),
            ("2026-03-12T16:00:00Z", "2 h 05 min earlier"),
        ] {
            assert_eq!(apart(at.parse().expect("a test instant parses"), clock), want);
        }
    }
}
