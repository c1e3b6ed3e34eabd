//! What people and the reconciler do with the product: cases, findings, plans, effects, requests.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::diagnose::{
    ChargeRestoration, Diagnosis, ItemAction, ItemActionKind, Remedy, RestoredItem, RestoredLine, Verdict,
};
use makegood_domain::ids::{ActionKey, CaseId};
use makegood_domain::matching::RunMatch;
use makegood_domain::money::{BalanceKind, Credits};
use makegood_domain::plan::{
    ActionKind, Consent, Effect, Fetch, Order, Place, Plan, ReleasedItem, Step, StoredFile, money_digest, moved_sum,
    releases, restorations,
};
use makegood_domain::ports::{
    ApprovalDecision, ApprovalRequest, ApprovalState, AttachmentFile, Detection, DetectionKind, Draft, DraftKind,
    Finding, NewCase, PassReport, Person, Role,
};
use makegood_domain::support::{Attachment, Claim, Requester, Ticket};

use super::product::at;

/// The cases that scripts open.
pub(super) fn cases() -> Vec<CaseId> {
    (1..=4).map(|number| CaseId::new(format!("case_{number}"))).collect()
}

pub(super) fn new_case(number: u32, user: Option<&str>) -> Box<NewCase> {
    let attachment = |id: &str| Attachment {
        id: Some(id.into()),
        name: format!("{id}.png"),
        kind: "image".into(),
        description: "an empty canvas".into(),
    };
    let mut attachments = Vec::new();
    let mut files = Vec::new();
    if number == 1 {
        attachments = vec![attachment("att_1"), attachment("att_2")];
        files.push(AttachmentFile {
            id: "att_1".into(),
            name: "att_1.png".into(),
            media_type: "image/png".into(),
            bytes: vec![1, 2, 3],
        });
    }
    Box::new(NewCase {
        case_id: format!("case_{number}").as_str().into(),
        ticket: Ticket {
            id: format!("tck_case_{number}").as_str().into(),
            subject: format!("No clip {number}"),
            body: "Where is it?".into(),
            created_at: at(500),
            requester: Requester {
                user_id: user.map(Into::into),
                email: "usr_u@example.com".into(),
                locale: None,
                timezone: Some("UTC".into()),
            },
            attachments,
            desk: (!number.is_multiple_of(2)).then(|| "mail".into()),
        },
        files,
        due_at: at(90_000 - i64::from(number)),
        opened_at: at(600 + i64::from(number)),
    })
}

/// A finding about one run; its first item can be lost until `deadline`.
pub(super) fn finding(run: &str, verdict: Verdict, deadline: i64) -> Box<Finding> {
    let item_actions = vec![ItemAction { run: run.into(), item: 1, action: ItemActionKind::Recover, credits: 0 }];
    Box::new(Finding {
        claim: Claim::default(),
        reader: "rules".into(),
        run_match: RunMatch::default(),
        diagnosis: Diagnosis {
            verdict,
            remedy: Remedy::RecoverAsset,
            matched_run: Some(run.into()),
            additional_runs: vec![],
            item_actions,
            restorations: vec![],
            run_billable_after: Some(5),
            retention_deadline: Some(at(deadline)),
            late_results: vec![],
            follow_up_at: None,
            flags: [].into(),
            message_points: vec![],
            linked_ticket: None,
            misplaced_outputs: vec![],
            reasons: vec![],
            would_change: vec!["a file".into()],
        },
        answer: "Hello".into(),
        answer_locale: "en-GB".into(),
        answer_leaks: vec![],
        policy_version: "1".into(),
        found_at: at(700),
    })
}

pub(super) fn draft(case: u32, author: &str, text: &str, revision: i64) -> Draft {
    Draft {
        case_id: format!("case_{case}").as_str().into(),
        kind: DraftKind::EscalationNote,
        author: author.into(),
        text: text.into(),
        revision,
        saved_at: at(710),
    }
}

pub(super) fn node(place: &str) -> Place {
    Place::Node { project_id: format!("prj_{place}").as_str().into(), node_id: format!("nod_{place}").as_str().into() }
}

pub(super) fn lease(run: &str, item: u32, seconds: i64) -> Effect {
    Effect::LeaseItem { run_id: run.into(), item, lease_seconds: seconds }
}

pub(super) fn release(run: &str, item: u32, epoch: i64) -> Effect {
    Effect::ReleaseItem { run_id: run.into(), item, epoch, why: "the provider no longer has it".into() }
}

pub(super) fn deliver(run: &str, item: u32, epoch: i64, output: &str, place: Place) -> Effect {
    let file = StoredFile { sha256: "ab".repeat(32), bytes: 9, media_type: "video/mp4".into() };
    Effect::Deliver { run_id: run.into(), item, epoch, output_id: output.into(), file, place }
}

/// Items of a run released by the file that [`deliver`] brings, against these refunds.
pub(super) fn redebit(run: &str, refunds: &[&str], amount: Credits, items: &[u32], agreed: i64) -> Effect {
    let file = StoredFile { sha256: "ab".repeat(32), bytes: 9, media_type: "video/mp4".into() };
    let item = |number: &u32| ReleasedItem {
        item: *number,
        output_id: format!("late_{number}").as_str().into(),
        file: file.clone(),
        place: node("u"),
    };
    Effect::Release {
        run_id: run.into(),
        refund_ids: refunds.iter().map(|id| (*id).into()).collect(),
        amount,
        items: items.iter().map(item).collect(),
        consent: Consent { by: "Uma".into(), at: at(agreed), message: "yes".into() },
    }
}

/// Credits of items, and from which balance to which.
pub(super) type Parts<'a> = (&'a [(u32, Credits)], &'a [(&'a str, &'a str, Credits)]);

pub(super) fn restore(id: &str, (charge, run, account): (&str, &str, &str), (items, lines): Parts<'_>) -> Effect {
    let items = items.iter().map(|(item, credits)| RestoredItem { item: *item, credits: *credits }).collect();
    let line = |(source, target, amount): &(&str, &str, Credits)| RestoredLine {
        source: (*source).into(),
        target: (*target).into(),
        target_kind: BalanceKind::Wallet,
        amount: *amount,
    };
    let restoration = ChargeRestoration {
        charge_id: charge.into(),
        run_id: run.into(),
        account_id: account.into(),
        items,
        lines: lines.iter().map(line).collect(),
    };
    Effect::Restore { refund_id: id.into(), restoration, cause: "provider_failed".into() }
}

/// A plan of one step an effect; those of a recovery are of a step that recovers to `place`.
pub(super) fn plan(case: u32, effects: &[Effect]) -> Box<Plan> {
    let steps = effects.iter().map(|effect| match effect {
        Effect::LeaseItem { run_id, item, .. } | Effect::ReleaseItem { run_id, item, .. } => {
            recover(run_id.as_str(), *item, "out_none", node("u"))
        }
        Effect::Deliver { run_id, item, output_id, place, .. } => {
            recover(run_id.as_str(), *item, output_id.as_str(), place.clone())
        }
        other => Step::Do { effect: other.clone() },
    });
    Box::new(Plan {
        case_id: format!("case_{case}").as_str().into(),
        case_revision: 0,
        kind: ActionKind::Recover,
        remedy: Remedy::RecoverAsset,
        flags: vec![],
        steps: steps.collect(),
    })
}

pub(super) fn recover(run: &str, item: u32, output: &str, place: Place) -> Step {
    let fetch =
        Fetch { provider_id: "meridian".into(), job_id: "job_1".into(), item, bytes: 0, sha256_prefix: String::new() };
    Step::RecoverItem { run_id: run.into(), item, fetch, place, output_id: output.into() }
}

pub(super) fn order(key: &str, agent: &str, seconds: i64) -> Order {
    let reason = Some("agreed on the phone".into());
    Order { key: key.into(), digest: format!("digest of {key}"), agent: agent.into(), at: at(seconds), reason }
}

pub(super) fn person(id: &str, per_posting: Credits, per_day: Credits, roles: &[Role]) -> Person {
    Person { id: id.into(), name: id.to_uppercase(), roles: roles.to_vec(), per_posting, per_day }
}

/// A request for what a plan restores.
pub(super) fn request(id: &str, plan: &Plan, agent: &str, seconds: i64) -> ApprovalRequest {
    let (restorations, releases, reason) = (restorations(plan), releases(plan), "agreed on the phone".to_owned());
    ApprovalRequest {
        id: id.into(),
        case_id: plan.case_id.clone(),
        digest: money_digest(&plan.case_id, &restorations, &releases, &reason),
        amount: moved_sum(&restorations, &releases),
        restorations,
        releases,
        reason,
        asked_by: agent.into(),
        asked_at: at(seconds),
    }
}

pub(super) fn decision(request: &ApprovalRequest, state: ApprovalState, by: &str) -> ApprovalDecision {
    ApprovalDecision { digest: request.digest.clone(), state, by: by.into(), note: Some("seen".into()) }
}

pub(super) fn detection(kind: DetectionKind, charge: &str, item: u32, run: &str, seconds: i64) -> Detection {
    Detection {
        kind,
        subject: charge.into(),
        item,
        run_id: run.into(),
        charge_id: Some(charge.into()),
        output_id: None,
        cause: "provider_failed".into(),
        detail: "the provider failed".into(),
        detected_at: at(seconds),
        closed_at: None,
    }
}

pub(super) fn pass(id: &str, seconds: i64, finished_at: Option<Timestamp>) -> PassReport {
    PassReport {
        id: id.into(),
        worker: "desk/1".into(),
        started_at: at(seconds),
        finished_at,
        looked_at: 3,
        transferred: 1,
        restored: 1,
        credits: 34,
        waiting: 0,
        unknown: 0,
        parked: 1,
        detected: 1,
        incidents: 0,
        oldest_open: Some(at(11)),
        by_provider: vec![],
        problems: vec!["meridian did not answer".into()],
    }
}

pub(super) fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

pub(super) fn key(text: &str) -> ActionKey {
    text.into()
}
