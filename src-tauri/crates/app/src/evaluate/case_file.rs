//! A line of a `cases.jsonl` file.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use makegood_domain::diagnose::{Flag, ItemAction, MessagePoint, Remedy, Verdict};
use makegood_domain::ids::{BalanceId, RunId};
use makegood_domain::ledger::{Account, Charge, Refund};
use makegood_domain::money::Credits;
use makegood_domain::support::{Claim, Ticket, TicketLink};
use makegood_domain::work::{Job, Model, Node, Output, Project, Provider, Run, Upload, User, Webhook, Workspace};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Why a line of a case file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}{}: {reason}", if .field.is_empty() { String::new() } else { format!(", `{}`", .field) })]
pub struct CaseError {
    /// From 1.
    pub line: usize,
    /// `world.runs[2]`; empty where the line as a whole is wrong.
    pub field: String,
    pub reason: String,
}

/// A ticket with its world and the expected result.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseFile {
    pub id: String,
    pub ticket: Ticket,
    pub world: World,
    pub expected: Expected,
    /// Why the result is as it is, for people.
    pub why: String,
}

/// Everything that is known about the product at `now`.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    pub now: Timestamp,
    pub providers: Vec<Provider>,
    pub models: Vec<Model>,
    pub users: Vec<User>,
    pub workspaces: Vec<Workspace>,
    pub accounts: Vec<Account>,
    pub projects: Vec<Project>,
    pub nodes: Vec<Node>,
    pub runs: Vec<Run>,
    pub charges: Vec<Charge>,
    /// What a look-up at `now` answers.
    pub jobs: Vec<Job>,
    pub webhooks: Vec<Webhook>,
    pub uploads: Vec<Upload>,
    pub outputs: Vec<Output>,
    pub refunds: Vec<Refund>,
    pub tickets: Vec<TicketLink>,
}

/// The result that reading, matching and diagnosis should reach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    pub reading: Claim,
    pub matched_run: Option<RunId>,
    pub additional_runs: Vec<RunId>,
    pub verdict: Verdict,
    pub remedy: Remedy,
    pub item_actions: Vec<ItemAction>,
    pub credits_to_restore: BTreeMap<BalanceId, Credits>,
    pub run_billable_after: Option<Credits>,
    pub retention_deadline: Option<Timestamp>,
    pub follow_up_at: Option<Timestamp>,
    pub flags: BTreeSet<Flag>,
    pub customer_message_points: Vec<MessagePoint>,
    pub must_not_contain: Vec<String>,
}

/// Reads a case file; empty lines are skipped.
///
/// # Errors
/// All lines that cannot be used, each with the field and the reason.
pub fn parse_cases(text: &str) -> Result<Vec<CaseFile>, Vec<CaseError>> {
    let (mut cases, mut errors) = (Vec::new(), Vec::new());
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match parse_line(at + 1, line) {
            Ok(case) => match seen.insert(case.id.clone(), at + 1) {
                Some(before) => errors.push(CaseError {
                    line: at + 1,
                    field: "id".to_owned(),
                    reason: format!("`{}` is already the id of line {before}", case.id),
                }),
                None => cases.push(case),
            },
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(cases) } else { Err(errors) }
}

fn parse_line(line: usize, text: &str) -> Result<CaseFile, CaseError> {
    let whole: Value = serde_json::from_str(text).map_err(|error| CaseError {
        line,
        field: String::new(),
        reason: format!("not JSON: {error}"),
    })?;
    let case = Part { line, path: String::new(), value: &whole };
    Ok(CaseFile {
        id: case.field("id")?.read()?,
        ticket: case.field("ticket")?.read()?,
        world: world(&case.field("world")?)?,
        expected: case.field("expected")?.read()?,
        why: case.field("why")?.read()?,
    })
}

fn world(part: &Part<'_>) -> Result<World, CaseError> {
    let now: Timestamp = part.field("now")?.read()?;
    let jobs = part.field("provider_jobs")?.rows_with(|part| job(part, now))?;
    Ok(World {
        now,
        providers: part.field("providers")?.rows()?,
        models: part.field("models")?.rows()?,
        users: part.field("users")?.rows()?,
        workspaces: part.field("workspaces")?.rows()?,
        accounts: part.field("accounts")?.rows()?,
        projects: part.field("projects")?.rows()?,
        nodes: part.field("nodes")?.rows()?,
        runs: part.field("runs")?.rows()?,
        charges: part.field("charges")?.rows()?,
        webhooks: part.field("webhooks")?.rows_with(|part| webhook(part, &jobs, now))?,
        jobs,
        uploads: part.field("uploads")?.rows()?,
        outputs: part.field("outputs")?.rows()?,
        refunds: part.field("refunds")?.rows()?,
        tickets: part.field("tickets")?.rows()?,
    })
}

/// A case file tells an error as an object of code and message; the feed tells it as text.
fn job(part: &Part<'_>, now: Timestamp) -> Result<Job, CaseError> {
    let mut row = part.value.clone();
    if let Some(error) = row.get_mut("error") {
        let word = |key: &str| error.get(key).and_then(Value::as_str);
        let text = match (word("code"), word("message")) {
            (Some(code), Some(message)) => Some(format!("{code}: {message}")),
            (one, other) => one.or(other).map(str::to_owned),
        };
        if error.is_object() {
            *error = text.map_or(Value::Null, Value::String);
        }
    }
    let mut job: Job = serde_json::from_value(row).map_err(|error| part.wrong(&error.to_string()))?;
    job.looked_up_at = job.looked_up_at.or(Some(now));
    Ok(job)
}

/// A delivery that never arrived has no time in a case file. It is placed where its first attempt was:
/// at the end of the job that it tells of.
fn webhook(part: &Part<'_>, jobs: &[Job], now: Timestamp) -> Result<Webhook, CaseError> {
    let mut row = part.value.clone();
    if row.get("received_at").is_some_and(Value::is_null) {
        let of = row.get("job_id").and_then(Value::as_str);
        let job = jobs.iter().find(|job| Some(job.id.as_str()) == of);
        let at = job.map_or(now, |job| job.finished_at.unwrap_or(job.submitted_at));
        row["received_at"] = Value::String(at.to_string());
    }
    serde_json::from_value(row).map_err(|error| part.wrong(&error.to_string()))
}

/// A part of a line that knows its place, so that errors can name it.
struct Part<'a> {
    line: usize,
    path: String,
    value: &'a Value,
}

impl<'a> Part<'a> {
    fn wrong(&self, reason: &str) -> CaseError {
        CaseError { line: self.line, field: self.path.clone(), reason: reason.to_owned() }
    }

    fn field(&self, name: &str) -> Result<Part<'a>, CaseError> {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        match self.value.get(name) {
            Some(value) => Ok(Part { line: self.line, path, value }),
            None => Err(CaseError { line: self.line, field: path, reason: "is missing".to_owned() }),
        }
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, CaseError> {
        T::deserialize(self.value).map_err(|error| self.wrong(&error.to_string()))
    }

    fn rows<T: DeserializeOwned>(&self) -> Result<Vec<T>, CaseError> {
        self.rows_with(Part::read)
    }

    fn rows_with<T>(&self, read: impl Fn(&Part<'a>) -> Result<T, CaseError>) -> Result<Vec<T>, CaseError> {
        let rows = self.value.as_array().ok_or_else(|| self.wrong("must be a list"))?;
        let part = |(at, value)| Part { line: self.line, path: format!("{}[{at}]", self.path), value };
        rows.iter().enumerate().map(part).map(|part| read(&part)).collect()
    }
}
