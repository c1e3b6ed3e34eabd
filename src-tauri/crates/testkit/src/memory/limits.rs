//! Who may restore how much without a second person (R53).

use jiff::Timestamp;
use makegood_domain::ids::{ActionKey, AgentId, ApprovalId};
use makegood_domain::money::Credits;
use makegood_domain::plan::{Order, Plan, moved_sum, releases, restorations, restored_sum};
use makegood_domain::ports::{Identity, Person, Role};

use super::record::Record;
use super::{Worked, approvals, refused};

/// What somebody may restore of whom nothing is recorded: in one posting, and in one UTC day.
const PER_POSTING: Credits = 500;
const PER_DAY: Credits = 2_000;

const DAY_SECONDS: i64 = 86_400;

/// Whether an action may begin.
pub(super) enum Permit {
    /// Within the limits, or nothing is restored.
    Free,
    /// A second person said yes to exactly this.
    Approved(ApprovalId),
    Needed {
        amount: Credits,
        why: String,
    },
}

/// Compares what a plan restores, and charges again, with what its agent may alone, and looks for the yes to the rest.
pub(super) fn permit(record: &Record, order: &Order, plan: &Plan) -> Permit {
    let wanted = restorations(plan);
    let (amount, back) = (moved_sum(&wanted, &releases(plan)), restored_sum(&wanted));
    if amount <= 0 {
        return Permit::Free;
    }
    let person = person(record, &order.agent);
    let restored = restored_on(record, &order.agent, order.at);
    let over = if amount > person.per_posting {
        format!("{amount} credits are over the limit of {} in one posting", person.per_posting)
    } else if back > 0 && restored.saturating_add(back) > person.per_day {
        format!("{back} credits, after {restored} today, are over the limit of {} in a day", person.per_day)
    } else {
        return Permit::Free;
    };
    match approvals::usable(record, order, plan) {
        Ok(id) => Permit::Approved(id),
        Err(missing) => Permit::Needed { amount, why: format!("{over}: {missing} (R53)") },
    }
}

/// Counts a restoration of an action against its agent's day: two actions that began within the limit
/// can't pass it together.
pub(super) fn count(
    record: &mut Record,
    agent: &AgentId,
    key: &ActionKey,
    amount: Credits,
    at: Timestamp,
) -> Worked<()> {
    let approved = is_approved(record, key);
    let Person { per_posting, per_day, .. } = person(record, agent);
    let restored = restored_on(record, agent, at);
    if !approved && amount > per_posting {
        return refused(format!(
            "{amount} credits are over the limit of {per_posting} in one posting: a second person must approve it (R53)"
        ));
    }
    if !approved && restored.saturating_add(amount) > per_day {
        return refused(format!(
            "{amount} credits, after {restored} today, are over the limit of {per_day} in a day: a second person must approve it (R53)"
        ));
    }
    record.person_days.put((agent.clone(), day(at)), restored.saturating_add(amount));
    Ok(())
}

/// Whether the action was begun on a second person's yes.
fn is_approved(record: &Record, key: &ActionKey) -> bool {
    record.approvals.values().any(|row| row.used_by.as_ref() == Some(key))
}

/// Refuses a debit over what its agent may make in one posting alone.
pub(super) fn check_debit(record: &Record, agent: &AgentId, key: &ActionKey, amount: Credits) -> Worked<()> {
    let limit = person(record, agent).per_posting;
    if amount <= limit || is_approved(record, key) {
        return Ok(());
    }
    refused(format!(
        "{amount} credits are over the limit of {limit} in one posting: a second person must approve it (R53)"
    ))
}

/// The person as recorded. Of somebody unknown, what the built-in policy allows.
pub(super) fn person(record: &Record, id: &AgentId) -> Person {
    record.people.get(id).cloned().unwrap_or_else(|| Person {
        id: id.clone(),
        name: id.0.clone(),
        roles: vec![Role::Agent, Role::Approver],
        per_posting: PER_POSTING,
        per_day: PER_DAY,
    })
}

pub(super) fn identity(record: &Record, said: &AgentId, at: Timestamp) -> Identity {
    let restored_today = restored_on(record, said, at);
    Identity { person: person(record, said), enforced: false, restored_today }
}

fn restored_on(record: &Record, id: &AgentId, at: Timestamp) -> Credits {
    record.person_days.get(&(id.clone(), day(at))).copied().unwrap_or_default()
}

fn day(at: Timestamp) -> i64 {
    at.as_second().div_euclid(DAY_SECONDS)
}
