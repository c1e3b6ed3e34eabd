//! What came out of a case against what should have (exact equality, field by field).

use std::collections::BTreeSet;

use makegood_domain::diagnose::{Diagnosis, ItemActionKind};
use makegood_domain::ids::RunId;
use makegood_domain::money::Credits;
use makegood_domain::support::Claim;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CaseFile, Expected};

/// What a case came to.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<'a> {
    pub reading: &'a Claim,
    pub diagnosis: &'a Diagnosis,
    /// The draft of the answer to the customer.
    pub draft: &'a str,
}

/// A field that came out differently, with the reasoning that led to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Miss {
    /// `verdict`; fields of the reading as `reading.amount`.
    pub field: String,
    pub expected: Value,
    pub got: Value,
    /// For people who look for the cause.
    pub trail: Vec<String>,
}

/// One case, scored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseScore {
    pub id: String,
    /// Runs, verdict, remedy and credits are right, and the answer leaks nothing.
    pub counts: bool,
    pub misses: Vec<Miss>,
    pub reading_right: u32,
    pub reading_total: u32,
    /// Credits given above what was expected, over all balances.
    pub overpaid: Credits,
    /// What the answer contains and must not.
    pub leaks: Vec<String>,
    /// Items for which credits are restored and the asset is delivered as well.
    pub double_remedies: Vec<String>,
}

/// Fields that decide whether a case counts.
const DECISIVE: [&str; 4] = ["matched_run", "verdict", "remedy", "credits_to_restore"];

/// Scores one case.
#[must_use]
pub fn score(case: &CaseFile, outcome: &Outcome<'_>) -> CaseScore {
    let reading = compare(&reading_fields(&case.expected.reading), &reading_fields(outcome.reading), &[]);
    let trail: Vec<String> = outcome
        .diagnosis
        .reasons
        .iter()
        .map(|reason| {
            let facts: Vec<String> = reason.facts.iter().map(|fact| format!("{} {}", fact.id, fact.says)).collect();
            format!("{}: {} [{}]", reason.rule, reason.text, facts.join("; "))
        })
        .collect();
    let decided = compare(&expected_fields(&case.expected), &diagnosis_fields(outcome.diagnosis), &trail);
    let draft = outcome.draft.to_lowercase();
    let leaks: Vec<String> =
        case.expected.must_not_contain.iter().filter(|text| draft.contains(&text.to_lowercase())).cloned().collect();
    let counts = leaks.is_empty() && !decided.iter().any(|miss| DECISIVE.contains(&miss.field.as_str()));
    let reading_total = count(reading_fields(&case.expected.reading).len());
    CaseScore {
        id: case.id.clone(),
        counts,
        reading_right: reading_total - count(reading.len()),
        reading_total,
        overpaid: overpaid(&case.expected, outcome.diagnosis),
        leaks,
        double_remedies: double_remedies(outcome.diagnosis),
        misses: reading.into_iter().chain(decided).collect(),
    }
}

type Fields = Vec<(&'static str, Value)>;

fn reading_fields(claim: &Claim) -> Fields {
    vec![
        ("reading.topic", json!(claim.topic)),
        ("reading.project_ref", json!(claim.project_ref)),
        ("reading.run_refs", json!(claim.run_refs)),
        ("reading.job_refs", json!(claim.job_refs)),
        ("reading.model_refs", json!(claim.model_refs)),
        ("reading.clock_utc", json!(claim.clock_utc)),
        ("reading.window", json!(claim.window)),
        ("reading.amount", json!(claim.amount)),
        ("reading.stated_runs", json!(claim.stated_runs)),
    ]
}

fn expected_fields(expected: &Expected) -> Fields {
    vec![
        ("matched_run", runs(expected.matched_run.as_ref(), &expected.additional_runs)),
        ("verdict", json!(expected.verdict)),
        ("remedy", json!(expected.remedy)),
        ("credits_to_restore", json!(expected.credits_to_restore)),
        ("item_actions", json!(expected.item_actions)),
        ("run_billable_after", json!(expected.run_billable_after)),
        ("retention_deadline", json!(expected.retention_deadline)),
        ("follow_up_at", json!(expected.follow_up_at)),
        ("flags", json!(expected.flags)),
    ]
}

fn diagnosis_fields(got: &Diagnosis) -> Fields {
    vec![
        ("matched_run", runs(got.matched_run.as_ref(), &got.additional_runs)),
        ("verdict", json!(got.verdict)),
        ("remedy", json!(got.remedy)),
        ("credits_to_restore", json!(got.credits_to_restore())),
        ("item_actions", json!(got.item_actions)),
        ("run_billable_after", json!(got.run_billable_after)),
        ("retention_deadline", json!(got.retention_deadline)),
        ("follow_up_at", json!(got.follow_up_at)),
        ("flags", json!(got.flags)),
    ]
}

/// One field for the matched and the additional runs: they are right together or not at all.
fn runs(first: Option<&RunId>, others: &[RunId]) -> Value {
    json!(first.into_iter().chain(others).collect::<Vec<_>>())
}

fn compare(expected: &Fields, got: &Fields, trail: &[String]) -> Vec<Miss> {
    expected
        .iter()
        .zip(got)
        .filter(|((_, expected), (_, got))| expected != got)
        .map(|((field, expected), (_, got))| Miss {
            field: (*field).to_owned(),
            expected: expected.clone(),
            got: got.clone(),
            trail: trail.to_vec(),
        })
        .collect()
}

fn overpaid(expected: &Expected, got: &Diagnosis) -> Credits {
    got.credits_to_restore()
        .iter()
        .map(|(balance, credits)| (credits - expected.credits_to_restore.get(balance).copied().unwrap_or(0)).max(0))
        .fold(0, Credits::saturating_add)
}

/// Items that are delivered by this remedy and restored by it too.
fn double_remedies(got: &Diagnosis) -> Vec<String> {
    let delivers = |kind: ItemActionKind| {
        matches!(kind, ItemActionKind::Recover | ItemActionKind::Hold | ItemActionKind::Reattach)
    };
    let delivered: BTreeSet<(&RunId, u32)> = got
        .item_actions
        .iter()
        .filter(|action| delivers(action.action))
        .map(|action| (&action.run, action.item))
        .collect();
    let by_action = got
        .item_actions
        .iter()
        .filter(|action| action.credits > 0 || action.action == ItemActionKind::Restore)
        .map(|action| (&action.run, action.item));
    let by_posting =
        got.restorations.iter().flat_map(|charge| charge.items.iter().map(|row| (&charge.run_id, row.item)));
    let doubled: BTreeSet<_> = by_action.chain(by_posting).filter(|key| delivered.contains(key)).collect();
    doubled.into_iter().map(|(run, item)| format!("{run} item {item}")).collect()
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
