//! One call of a store, and what it came to in a form that two stores can be compared by: classes of
//! refusals and errors, not their words.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::capture::Capture;
use makegood_domain::feed::Fact;
use makegood_domain::ids::{ActionKey, AgentId, ApprovalId, CaseId, RunId};
use makegood_domain::plan::{Effect, Order, Plan};
use makegood_domain::ports::{
    ActionState, Applied, ApprovalDecision, ApprovalRequest, Begun, ChosenRuns, Decided, Detection, Draft, Finding,
    Kept, LetterEnd, NewCase, NewDelivery, NextLook, PassReport, Person, RawAnswer, Removal, SavedView, Store,
    StoreError, Told,
};
use makegood_domain::work::Job;

/// Where the platform is told.
pub(super) const ENDPOINTS: [&str; 2] = ["near", "far"];

/// A revision of a case as the caller says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Revision {
    Newest,
    /// One that never was.
    Wrong,
}

/// A call that changes something.
#[derive(Clone, Debug)]
pub(super) enum Call {
    Import(Vec<Fact>, Timestamp),
    Tell(Vec<Told>, Timestamp),
    Keep(Vec<NewDelivery>, Timestamp),
    Prune(u32, Timestamp),
    ClaimLetters(&'static str, u32, SignedDuration, Timestamp),
    /// The letter of this number in the outbox, and how its try ended.
    EndLetter(&'static str, usize, LetterEnd, Timestamp),
    EnableEndpoint(&'static str, Timestamp),
    LookUp(Job, Vec<RawAnswer>),
    Capture(Capture),
    ClaimRemoval(Removal, Timestamp),
    EndRemoval(String, Timestamp),
    Open(Box<NewCase>),
    Find(CaseId, Revision, Box<Finding>),
    Choose(CaseId, Revision, ChosenRuns),
    Assign(CaseId, Option<AgentId>, Timestamp),
    Draft(Draft, i64),
    View(AgentId, SavedView),
    DropView(AgentId, String),
    Begin(Order, Box<Plan>, Revision),
    Apply(ActionKey, u32, u32, Effect, Timestamp),
    Finish(ActionKey, ActionState, Timestamp),
    Claim(&'static str, u32, SignedDuration, Timestamp),
    EndLook(RunId, &'static str, NextLook, Timestamp),
    Settle(ActionKey, u32, Effect, Timestamp),
    Detect(Detection),
    CloseDetections(RunId, Vec<Detection>, Timestamp),
    Pass(PassReport),
    Person(Person, Timestamp),
    Ask(ApprovalRequest),
    Decide(ApprovalId, ApprovalDecision, Timestamp),
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// With this answer.
    Done(String),
    /// The record forbids it.
    Refused,
    /// An error of this class.
    Failed(String),
}

impl Outcome {
    pub(super) fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    pub(super) fn of<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> Self {
        match answer {
            Ok(answer) => Self::Done(format!("{answer:?}")),
            Err(error) => Self::failed(&error),
        }
    }

    fn failed(error: &StoreError) -> Self {
        Self::Failed(match error {
            StoreError::NotFound { what, id } => format!("there is no {what} {id}"),
            StoreError::Stale { what, id } => format!("{what} {id} has changed"),
            StoreError::Inconsistent { .. } => "inconsistent".to_owned(),
            StoreError::Unavailable(why) => format!("unavailable: {why}"),
            StoreError::Backend(why) => format!("backend: {why}"),
        })
    }
}

/// The revision that a caller means.
async fn revision(store: &dyn Store, case: &CaseId, which: Revision) -> Result<i64, StoreError> {
    match which {
        Revision::Newest => store.case(case).await.map(|record| record.revision),
        Revision::Wrong => Ok(1_000),
    }
}

/// Makes a call.
pub(super) async fn make(store: &dyn Store, call: &Call) -> Outcome {
    match call {
        Call::Import(facts, at) => Outcome::of(store.import(facts, *at).await.map(|report| {
            let rejected: Vec<_> =
                report.rejected.into_iter().map(|row| (row.index, row.kind, row.id, row.lacks)).collect();
            (report.outcomes, rejected)
        })),
        Call::Tell(told, at) => Outcome::of(store.take(told, *at).await.map(|report| report.outcomes)),
        Call::Keep(deliveries, at) => Outcome::of(store.keep_deliveries(deliveries, *at).await),
        Call::Prune(limit, at) => Outcome::of(store.prune(*limit, *at).await),
        Call::ClaimLetters(endpoint, limit, lease, at) => {
            let letters = store.claim_letters(endpoint, *limit, *lease, *at).await;
            // What a letter says is compared by the outbox; its text is each record's own.
            let told = |letter: makegood_domain::ports::Letter| (letter.id, letter.at, letter.kind, letter.tries);
            Outcome::of(letters.map(|letters| letters.into_iter().map(told).collect::<Vec<_>>()))
        }
        Call::EndLetter(endpoint, number, end, at) => match store.outbox(1_000).await {
            Ok(lines) => match lines.iter().rev().nth(*number) {
                Some(line) => {
                    let all = ENDPOINTS.map(str::to_owned);
                    Outcome::of(store.end_letter(endpoint, &line.id, end, &all, *at).await)
                }
                None => Outcome::Done("there is no such letter".to_owned()),
            },
            Err(error) => Outcome::failed(&error),
        },
        Call::EnableEndpoint(endpoint, at) => Outcome::of(store.enable_endpoint(endpoint, *at).await),
        Call::LookUp(job, raw) => Outcome::of(store.record_look_up(job, raw).await),
        Call::Capture(capture) => match store.keep_capture(capture, &"ana".into()).await {
            Ok(Kept::Refused(_)) => Outcome::Refused,
            other => Outcome::of(other),
        },
        Call::ClaimRemoval(removal, at) => Outcome::of(store.claim_removal(removal, *at).await),
        Call::EndRemoval(sha256, at) => Outcome::of(store.end_removal(sha256, *at).await),
        Call::Open(new) => Outcome::of(store.open_case(new).await),
        Call::Find(case, which, finding) => match revision(store, case, *which).await {
            Ok(revision) => Outcome::of(store.save_finding(case, revision, finding).await),
            Err(error) => Outcome::failed(&error),
        },
        Call::Choose(case, which, chosen) => match revision(store, case, *which).await {
            Ok(revision) => Outcome::of(store.choose_runs(case, revision, chosen).await),
            Err(error) => Outcome::failed(&error),
        },
        Call::Assign(case, agent, at) => Outcome::of(store.assign(case, agent.as_ref(), &"lead".into(), *at).await),
        Call::Draft(draft, base) => Outcome::of(store.save_draft(draft, *base).await),
        Call::View(agent, view) => Outcome::of(store.save_view(agent, view).await),
        Call::DropView(agent, name) => Outcome::of(store.delete_view(agent, name).await),
        Call::Begin(order, plan, which) => match revision(store, &plan.case_id, *which).await {
            Ok(case_revision) => {
                let plan = Plan { case_revision, ..Plan::clone(plan) };
                Outcome::of(store.begin_action(order, &plan).await.map(begun))
            }
            Err(error) => Outcome::failed(&error),
        },
        Call::Apply(key, step, part, effect, at) => applied(store.apply(key, *step, *part, effect, *at).await),
        Call::Finish(key, state, at) => Outcome::of(store.finish_action(key, state, *at).await),
        Call::Claim(worker, limit, lease, at) => Outcome::of(store.claim_due(worker, *limit, *lease, *at).await),
        Call::EndLook(root, worker, next, at) => Outcome::of(store.end_look(root, worker, next, *at).await),
        Call::Settle(key, part, effect, at) => applied(store.settle(key, *part, effect, *at).await),
        Call::Detect(detection) => Outcome::of(store.detect(detection).await),
        Call::CloseDetections(root, still, at) => Outcome::of(store.close_detections(root, still, *at).await),
        Call::Pass(report) => Outcome::of(store.save_pass(report).await),
        Call::Person(person, at) => Outcome::of(store.put_person(person, *at).await),
        Call::Ask(request) => decided(store.ask_approval(request).await),
        Call::Decide(id, decision, at) => decided(store.decide_approval(id, decision, *at).await),
    }
}

fn applied(answer: Result<Applied, StoreError>) -> Outcome {
    match answer {
        Ok(Applied::Refused(_)) => Outcome::Refused,
        other => Outcome::of(other),
    }
}

fn decided(answer: Result<Decided, StoreError>) -> Outcome {
    match answer {
        Ok(Decided::Refused(_)) => Outcome::Refused,
        other => Outcome::of(other),
    }
}

/// Without the words of why an approval is needed.
fn begun(begun: Begun) -> Begun {
    match begun {
        Begun::ApprovalNeeded { amount, .. } => Begun::ApprovalNeeded { amount, why: String::new() },
        other => other,
    }
}
