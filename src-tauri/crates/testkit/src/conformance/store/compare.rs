//! Everything that two records can be asked, side by side.

use jiff::Timestamp;
use makegood_domain::ids::{CaseId, RunId};
use makegood_domain::ports::{QueueOrder, QueueQuery, Store};
use makegood_domain::support::Requester;

use super::call::Outcome;
use super::product::at;
use super::scripts::content;

/// A question, and its answer.
pub(super) type Answer = (String, Outcome);

fn requester(user: &str) -> Requester {
    Requester { user_id: Some(user.into()), email: format!("{user}@example.com"), locale: None, timezone: None }
}

/// What changes with credits and items: asked after each call. Asks for the balances of everybody and
/// for every run with its refunds.
pub(super) async fn little(store: &dyn Store) -> Vec<Answer> {
    let mut answers = Vec::new();
    for user in ["usr_u", "usr_v"] {
        let scope = store.scope(&requester(user), None, at(0)).await;
        answers.push((format!("the scope of {user}"), Outcome::of(scope)));
    }
    answers
}

/// All the rest: asked at the end. `cases` are those that may have been opened.
pub(super) async fn all(store: &dyn Store, cases: &[CaseId], now: Timestamp) -> Vec<Answer> {
    let mut answers = little(store).await;
    let mut add = |question: String, answer: Outcome| answers.push((question, answer));
    let except = Some("tck_case_1".into());
    add("the scope of usr_w".into(), Outcome::of(store.scope(&requester("usr_w"), except.as_ref(), now).await));
    add("the catalogue".into(), Outcome::of(store.catalogue().await));
    for account in ["acc_u", "acc_v", "acc_w"] {
        let lines = store.postings(&account.into(), 100).await;
        let lines = lines.map(|lines| {
            let told = |row: makegood_domain::ports::PostingLine| {
                (row.at, row.kind, row.from, row.to, row.amount, row.charge_id, row.refund_id)
            };
            let mut told: Vec<_> = lines.into_iter().map(told).collect();
            told.sort();
            told
        });
        add(format!("the postings of {account}"), Outcome::of(lines));
    }
    let answers_of = store.answers(&"job_1".into()).await;
    let texts = answers_of.map(|rows| rows.into_iter().map(|row| row.answer).collect::<Vec<_>>());
    add("the answers about job_1".into(), Outcome::of(texts));
    for run in 1..=6 {
        let root = RunId::new(format!("run_{run}"));
        add(format!("the scope of {root}"), Outcome::of(store.scope_of_run(&root, now).await));
    }
    add("what was received".into(), Outcome::of(store.deliveries(50).await));
    for delivery in ["d_0", "d_1", "d_2"] {
        let body = store.delivery_body(&"meridian".into(), delivery).await;
        add(format!("the bytes of {delivery}"), Outcome::of(body));
    }
    add("the endpoints".into(), Outcome::of(store.endpoints().await));
    let counts = store.queue_counts().await.map(|mut counts| {
        counts.by_state.sort();
        counts.by_verdict.sort();
        counts
    });
    add("the queue's counts".into(), Outcome::of(counts));
    for query in queries(now) {
        add(format!("the queue {query:?}"), Outcome::of(store.queue(&query).await));
    }
    add("what has no finding".into(), Outcome::of(store.cases_without_finding(10).await));
    for case in cases {
        add(format!("{case}"), Outcome::of(store.case(case).await));
        add(format!("the drafts of {case}"), Outcome::of(store.drafts(case).await));
        add(format!("the actions of {case}"), Outcome::of(store.actions_of(case).await));
    }
    answers
}

/// What was journalled, noticed, asked and reported.
pub(super) async fn journals(store: &dyn Store, now: Timestamp) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut add = |question: &str, answer: Outcome| answers.push((question.to_owned(), answer));
    add("what is unfinished", Outcome::of(store.unfinished_actions().await));
    for key in ["key_1", "key_9"] {
        add("an action", Outcome::of(store.action(&key.into()).await));
    }
    add("the outbox", Outcome::of(store.outbox(100).await));
    let audit = store.audit(None, 200).await;
    add("the audit", Outcome::of(audit.map(|rows| rows.into_iter().map(|row| (row.at, row.act)).collect::<Vec<_>>())));
    let audit = store.audit(Some("case_1"), 3).await;
    add("the audit of case_1", Outcome::of(audit.map(|rows| rows.len())));
    add("whether the audit is whole", Outcome::of(store.audit_verify().await));
    for agent in ["ana", "ben"] {
        add("views", Outcome::of(store.saved_views(&agent.into()).await));
        let who = store.identity(&agent.into(), now).await.map(|who| (who.person, who.restored_today));
        add("who it is", Outcome::of(who));
    }
    let files = ['a', 'b', 'c'].map(content);
    add("what refers to files", Outcome::of(store.file_references(&files).await));
    for (after, limit) in [(None, 10), (None, 1), (files.first().map(String::as_str), 10)] {
        add("known files", Outcome::of(store.known_files(after, limit).await));
    }
    for (since, limit) in [(at(0), 50), (at(2_000), 50), (at(0), 1)] {
        add("what may have to be saved", Outcome::of(store.unkept_jobs(since, limit).await));
    }
    add("removals under way", Outcome::of(store.claimed_removals(10).await));
    add("people", Outcome::of(store.people().await));
    for open_only in [true, false] {
        add("approvals", Outcome::of(store.approvals(open_only, 50, now).await));
        add("detections", Outcome::of(store.detections(open_only, 50).await));
    }
    let charges = ["chg_1", "chg_2", "chg_3", "chg_9"].map(Into::into);
    add("detections of charges", Outcome::of(store.detections_of(&charges).await));
    add("passes", Outcome::of(store.passes(50).await));
    add("the next look", Outcome::of(store.next_due(now).await));
    add("the promise", Outcome::of(store.promise(now).await));
    add("the full scan", Outcome::of(store.full_scan().await));
    add("health", Outcome::of(store.health().await.map(drop)));
    for id in ["att_1", "att_9"] {
        add("an attachment", Outcome::of(store.attachment(&id.into()).await));
    }
    answers
}

fn queries(now: Timestamp) -> Vec<QueueQuery> {
    use makegood_domain::plan::CaseState;
    let all = QueueQuery { as_of: now, ..QueueQuery::default() };
    let mut queries: Vec<QueueQuery> =
        QueueOrder::ALL.iter().map(|order| QueueQuery { order: *order, ..all.clone() }).collect();
    queries.extend([
        QueueQuery { states: vec![CaseState::Open, CaseState::Waiting], ..all.clone() },
        QueueQuery { states: vec![CaseState::Settled], order: QueueOrder::Newest, ..all.clone() },
        QueueQuery { desks: vec!["mail".into()], limit: 2, ..all.clone() },
        QueueQuery { offset: 1, limit: 1, ..all.clone() },
        QueueQuery { assignee: Some("ana".into()), ..all.clone() },
        QueueQuery { search: "RUN_1 clip".into(), ..all.clone() },
        QueueQuery { search: "no".into(), ..all.clone() },
        QueueQuery { due_before: Some(at(90_000)), ..all.clone() },
        QueueQuery { deadline_before: Some(at(6_000)), ..all.clone() },
        QueueQuery { verdicts: vec![makegood_domain::diagnose::Verdict::UploadFailed], ..all.clone() },
        QueueQuery { remedies: vec![makegood_domain::diagnose::Remedy::RestoreCredits], ..all },
    ]);
    queries
}
