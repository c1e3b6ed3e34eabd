//! Words for colleagues: the escalation note, and the notice to the owner of a workspace.

use std::sync::LazyLock;

use jiff::Timestamp;
use regex::Regex;

use super::lang::{Lang, Tongue};
use super::text::{Phrases, fill};
use super::when::Calendar;
use crate::diagnose::{ChargeRestoration, Diagnosis};
use crate::plan::{RunFacts, diagnosed_runs};
use crate::scope::Scope;
use crate::support::{Claim, Ticket};

/// Something that was tried, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    pub at: Timestamp,
    pub what: String,
    pub outcome: String,
}

/// What is asked, of whom, by when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub what: String,
    pub of: String,
    pub by: Option<Timestamp>,
}

/// What an escalation note is made from. Its numbers are fields, so that a note can be made again
/// from newer facts.
#[derive(Clone, Copy)]
pub struct NoteInput<'a> {
    pub ticket: &'a Ticket,
    pub claim: &'a Claim,
    pub diagnosis: &'a Diagnosis,
    pub scope: &'a Scope,
    pub now: Timestamp,
    pub tried: &'a [Tried],
    pub asked: Option<&'a Asked>,
}

/// Lines of a note's timeline; the rest are counted.
const LONGEST_TIMELINE: usize = 40;

/// The note for staff, in English and plain text that is Markdown as well: verdict, ids, times on
/// one clock (UTC), what was tried, what is asked, and as of when the facts are. Provider errors
/// are quoted without addresses, which expire and can carry keys.
#[must_use]
pub fn escalation_note(input: &NoteInput<'_>) -> String {
    let diagnosis = input.diagnosis;
    let runs = diagnosed_runs(input.scope, diagnosis);
    let flags: Vec<_> = diagnosis.flags.iter().map(|flag| flag.word()).collect();
    let flags = if flags.is_empty() { String::new() } else { format!(" ({})", flags.join(", ")) };
    let mut lines = vec![
        format!("**Staff only: {} → {}{flags}**", diagnosis.verdict.word(), diagnosis.remedy.word()),
        String::new(),
        "Ids".to_owned(),
    ];
    lines.extend(ids(input, &runs));
    lines.extend([String::new(), "Times (UTC)".to_owned()]);
    lines.extend(timeline(input, &runs));
    lines.extend([String::new(), "Reasons".to_owned()]);
    lines.extend(bullets(diagnosis.reasons.iter().map(|reason| format!("{}: {}", reason.rule, reason.text))));
    lines.extend([String::new(), "Tried".to_owned()]);
    lines.extend(bullets(input.tried.iter().map(|row| format!("{} {}: {}", clock(row.at), row.what, row.outcome))));
    lines.extend([String::new(), "Asked".to_owned()]);
    lines.extend(bullets(input.asked.iter().map(|asked| {
        let by = asked.by.map(|by| format!(", by {} UTC", clock(by))).unwrap_or_default();
        format!("{} (of {}{by})", asked.what, asked.of)
    })));
    lines.extend([
        String::new(),
        format!("Facts as of {} UTC; note of {} UTC.", clock(input.scope.as_of), clock(input.now)),
    ]);
    without_addresses(&lines.join("\n"))
}

fn bullets(rows: impl Iterator<Item = String>) -> Vec<String> {
    let rows: Vec<_> = rows.map(|row| format!("- {row}")).collect();
    if rows.is_empty() { vec!["- nothing".to_owned()] } else { rows }
}

/// Date and time to the second; the caller names the zone once.
fn clock(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn ids(input: &NoteInput<'_>, runs: &[RunFacts<'_>]) -> Vec<String> {
    let ticket = input.ticket;
    let desk = ticket.desk.as_deref().map(|desk| format!(" ({desk})")).unwrap_or_default();
    let mut rows = vec![format!("ticket {}{desk}", ticket.id)];
    for run in runs {
        rows.push(format!("project {}, node {}", run.first.run.project_id, run.first.run.node_id));
        for dossier in &run.all {
            let retry = if dossier.run.retry_of.is_some() { " (retry by the system)" } else { "" };
            rows.push(format!("run {}{retry}, model {}", dossier.run.id, dossier.run.model_id));
            let charges = dossier.charges.iter();
            rows.extend(charges.map(|row| format!("charge {}: {} credits of {}", row.id, row.total, row.account_id)));
            rows.extend(dossier.refunds.iter().map(|row| format!("refund {} of {}", row.id, row.charge_id)));
            rows.extend(dossier.jobs.iter().map(|row| format!("job {} at {}", row.id, row.provider_id)));
            rows.extend(dossier.outputs.iter().map(|row| format!("output {} of item {}", row.id, row.item)));
        }
    }
    if runs.is_empty() {
        let quoted = input.claim.project_ref.iter().chain(&input.claim.run_refs).chain(&input.claim.job_refs);
        rows.extend(quoted.map(|text| format!("quoted by the customer, not matched: {text}")));
    }
    bullets(rows.into_iter())
}

fn timeline(input: &NoteInput<'_>, runs: &[RunFacts<'_>]) -> Vec<String> {
    let mut events = vec![(input.ticket.created_at, "ticket written".to_owned())];
    for dossier in runs.iter().flat_map(|run| &run.all) {
        let run = &dossier.run;
        events.push((run.started_at, format!("{} started", run.id)));
        events.extend(run.cancelled_at.map(|at| (at, format!("{} cancelled", run.id))));
        events.extend(dossier.charges.iter().map(|row| (row.posted_at, format!("{} posted: {}", row.id, row.total))));
        events.extend(dossier.refunds.iter().map(|row| (row.posted_at, format!("{} posted", row.id))));
        for job in &dossier.jobs {
            events.push((job.submitted_at, format!("{} submitted", job.id)));
            events.extend(job.processing_started_at.map(|at| (at, format!("{} begun", job.id))));
            let error = job.error.as_deref().map(|error| format!(": “{error}”")).unwrap_or_default();
            let end = |at| (at, format!("{} ended {}{error}", job.id, words(&job.state)));
            events.extend(job.finished_at.map(end));
        }
        let webhooks = dossier.webhooks.iter();
        events.extend(webhooks.map(|row| (row.received_at, format!("webhook {}", words(&row.result)))));
        let uploads = dossier.uploads.iter();
        events.extend(
            uploads.map(|row| (row.attempted_at, format!("upload of item {} {}", row.item, words(&row.result)))),
        );
        let outputs = dossier.outputs.iter();
        events
            .extend(outputs.map(|row| (row.stored_at, format!("item {} in storage, {}", row.item, words(&row.state)))));
    }
    events.extend(input.diagnosis.retention_deadline.map(|at| (at, "the file's deadline".to_owned())));
    events.extend(input.diagnosis.follow_up_at.map(|at| (at, "follow-up".to_owned())));
    events.sort();
    let left_out = events.len().saturating_sub(LONGEST_TIMELINE);
    let mut lines: Vec<_> =
        events.into_iter().take(LONGEST_TIMELINE).map(|(at, what)| format!("- {} {what}", clock(at))).collect();
    if left_out > 0 {
        lines.push(format!("- and {left_out} more"));
    }
    lines
}

/// A word of the feed, as it is written there.
fn words<T: serde::Serialize + std::fmt::Debug>(word: &T) -> String {
    match serde_json::to_value(word) {
        Ok(serde_json::Value::String(text)) => text.replace('_', " "),
        _ => format!("{word:?}"),
    }
}

static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"(?i)\bhttps?://[^\s<>"”]+"#).ok());

fn without_addresses(text: &str) -> String {
    match ADDRESS.as_ref() {
        Some(address) => address.replace_all(text, "[address left out]").into_owned(),
        None => text.to_owned(),
    }
}

/// What the owner of a workspace is told when somebody who left it asks about a run (P11): which
/// run, what happened, and what was returned to the workspace. In English, times in UTC.
#[must_use]
pub fn owner_notice(scope: &Scope, diagnosis: &Diagnosis, restorations: &[ChargeRestoration]) -> String {
    let tongue = Tongue { lang: Lang::En, region: String::new() };
    let calendar = Calendar::new(&tongue, None, scope.as_of);
    let phrases = Phrases::of(tongue.lang);
    let runs = diagnosed_runs(scope, diagnosis);
    let workspace = runs.first().and_then(|run| {
        let account = &run.first.account_id;
        scope.workspaces.iter().find(|row| row.account_id == *account)
    });
    let of = workspace.map(|row| format!(" “{}”", row.name)).unwrap_or_default();
    let mut parts = vec![format!("A run that your workspace{of} paid for did not go as it should.")];
    for run in &runs {
        let project = run.project.map_or("not known", |project| &*project.name);
        let model = scope.model(&run.first.run.model_id).map_or("model not known", |model| &*model.display_name);
        let when = calendar.write(run.first.run.started_at);
        parts.push(format!("Project “{project}”, {model}, started {when}."));
    }
    parts.push((phrases.cause)(diagnosis.verdict).replace("Your result", "The result").replace("your", "the"));
    for line in restorations.iter().flat_map(|row| &row.lines) {
        let word = phrases.counted(tongue.lang, &phrases.credits, line.amount);
        let credits = fill(word, &[("n", &tongue.number(line.amount))]);
        let to = phrases.to_balance.get(line.target_kind);
        parts.push(format!("We have returned {}.", fill(to, &[("credits", &credits)])));
    }
    parts.push(
        "It was reported by somebody who started the run and is no longer a member; they were given no details."
            .to_owned(),
    );
    parts.join(" ")
}
