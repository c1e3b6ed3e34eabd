//! Requests for a second person's yes: one case, exactly these restorations and releases, this reason, used once
//! by one action, and not for long (R53, I11).

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::ApprovalId;
use makegood_domain::plan::{Order, Plan, money_digest, moved_sum, releases, restorations};
use makegood_domain::ports::{
    Approval, ApprovalDecision, ApprovalRequest, ApprovalState, Decided, Role, StoreError, StoreResult,
};

use super::record::Record;
use super::{effects, items, limits};

/// How long a yes can be used, and a request waits for one.
const YES: SignedDuration = SignedDuration::from_mins(15);
const WAIT: SignedDuration = SignedDuration::from_hours(24);

fn no(why: impl Into<String>) -> StoreResult<Decided> {
    Ok(Decided::Refused(why.into()))
}

pub(super) fn ask(record: &mut Record, request: &ApprovalRequest) -> StoreResult<Decided> {
    if let Some(known) = record.approvals.get(&request.id) {
        let asked_at = known.request.asked_at;
        if known.request == (ApprovalRequest { asked_at, ..request.clone() }) {
            return Ok(Decided::Already(Box::new(as_of(known.clone(), request.asked_at))));
        }
        return no(format!("the id {} is of another request", request.id));
    }
    if money_digest(&request.case_id, &request.restorations, &request.releases, &request.reason) != request.digest {
        return no("the digest is not that of the case, the credits and the reason");
    }
    if moved_sum(&request.restorations, &request.releases) != request.amount || request.amount <= 0 {
        return no(format!("what is asked for does not come to {} credits", request.amount));
    }
    let Some(case) = record.cases.get(&request.case_id) else {
        return no(format!("there is no case {}", request.case_id));
    };
    let approval = Approval {
        request: request.clone(),
        subject: case.ticket.subject.clone(),
        state: ApprovalState::Waiting,
        decided_by: None,
        decided_at: None,
        note: None,
        expires_at: None,
        used_by: None,
    };
    record.approvals.put(request.id.clone(), approval.clone());
    let (by, case) = (request.asked_by.as_str(), request.case_id.as_str());
    effects::audit(record, by, "ask_approval", case, request.id.as_str(), request.asked_at);
    Ok(Decided::Done(Box::new(approval)))
}

pub(super) fn decide(
    record: &mut Record,
    id: &ApprovalId,
    decision: &ApprovalDecision,
    at: Timestamp,
) -> StoreResult<Decided> {
    let Some(known) = record.approvals.get(id) else {
        return Err(StoreError::NotFound { what: "approval", id: id.0.clone() });
    };
    let known = as_of(known.clone(), at);
    if known.request.digest != decision.digest {
        return no("what was looked at is not what is asked: look at it again");
    }
    // A yes stays one, also where it was used meanwhile.
    let stands = known.state == decision.state
        || (decision.state == ApprovalState::Approved && known.state == ApprovalState::Used);
    if stands && known.decided_by.as_ref() == Some(&decision.by) {
        return Ok(Decided::Already(Box::new(known)));
    }
    if let Err(why) = check(record, &known, decision) {
        return no(why);
    }
    let approval = Approval {
        state: decision.state,
        decided_by: Some(decision.by.clone()),
        decided_at: Some(at),
        note: decision.note.clone(),
        expires_at: (decision.state == ApprovalState::Approved).then(|| at.saturating_add(YES).unwrap_or(at)),
        ..known
    };
    record.approvals.put(id.clone(), approval.clone());
    let case = approval.request.case_id.0.clone();
    effects::audit(record, decision.by.as_str(), "decide_approval", &case, id.as_str(), at);
    Ok(Decided::Done(Box::new(approval)))
}

/// Whether this answer to this request is one that this person may give.
fn check(record: &Record, known: &Approval, decision: &ApprovalDecision) -> Result<(), String> {
    if known.state != ApprovalState::Waiting {
        return Err(format!("the request is {} already", known.state.word()));
    }
    let own = decision.by == known.request.asked_by;
    match decision.state {
        ApprovalState::Withdrawn if own => Ok(()),
        ApprovalState::Withdrawn => Err("only who asked can take a request back".to_owned()),
        ApprovalState::Approved | ApprovalState::Declined if own => {
            Err("a second person must decide: this is your own request (R53)".to_owned())
        }
        ApprovalState::Approved | ApprovalState::Declined => {
            let may = limits::person(record, &decision.by).roles.contains(&Role::Approver);
            if may { Ok(()) } else { Err(format!("{} may not approve", decision.by)) }
        }
        other => Err(format!("nobody decides that a request is {}", other.word())),
    }
}

/// The yes that an action can use, the one that can be used longest, or why there is none.
pub(super) fn usable(record: &Record, order: &Order, plan: &Plan) -> Result<ApprovalId, String> {
    let reason = order.reason.as_deref().unwrap_or_default();
    let digest = money_digest(&plan.case_id, &restorations(plan), &releases(plan), reason);
    let of_this = |row: &&Approval| {
        let request = &row.request;
        (&request.case_id, &request.digest, &request.asked_by) == (&plan.case_id, &digest, &order.agent)
    };
    let yes = record.approvals.values().filter(of_this).filter(|row| row.state == ApprovalState::Approved);
    match yes.max_by_key(|row| row.expires_at) {
        Some(row) if row.expires_at.is_some_and(|until| order.at <= until) => return Ok(row.request.id.clone()),
        Some(_) => return Err(format!("it was approved more than {} minutes ago, ask again", YES.as_mins())),
        None => {}
    }
    let waits = |row: &Approval| as_of(row.clone(), order.at).state == ApprovalState::Waiting;
    let asked = record.approvals.values().filter(of_this).any(waits);
    Err(if asked { "it waits for a second person's answer" } else { "a second person must approve it" }.to_owned())
}

/// Newest first.
pub(super) fn list(record: &Record, open_only: bool, limit: u64, at: Timestamp) -> Vec<Approval> {
    let mut rows: Vec<Approval> = record.approvals.values().map(|row| as_of(row.clone(), at)).collect();
    rows.retain(|row| !open_only || matches!(row.state, ApprovalState::Waiting | ApprovalState::Approved));
    rows.sort_by(|a, b| (b.request.asked_at, &b.request.id).cmp(&(a.request.asked_at, &a.request.id)));
    rows.truncate(items::size(limit));
    rows
}

/// The request as it is told at `at`: past its time, it is expired.
fn as_of(mut known: Approval, at: Timestamp) -> Approval {
    let late = match known.state {
        ApprovalState::Waiting => known.request.asked_at < at.saturating_sub(WAIT).unwrap_or(Timestamp::MIN),
        ApprovalState::Approved => known.expires_at.is_some_and(|until| at > until),
        _ => false,
    };
    if late {
        known.state = ApprovalState::Expired;
    }
    known
}
