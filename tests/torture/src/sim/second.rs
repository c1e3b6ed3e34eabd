//! The second person's yes (I11), watched from outside the record: no sum over a limit without a yes
//! of somebody else who may give one, to exactly that money, not old, and used once.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use makegood_app::contract::{ApprovalsRequest, AskApprovalRequest, ConfirmRequest, DecideApprovalRequest, Say};
use makegood_app::{Desk, Error};
use makegood_domain::ids::{ActionKey, AgentId, ApprovalId};
use makegood_domain::money::Credits;
use makegood_domain::plan::{Order, Plan, restorations};
use makegood_domain::ports::{ApprovalDecision, ApprovalRequest, ApprovalState, Begun, Clock as _, Person, Role};

use super::house::{House, Line};
use super::people::{REASON, minutes};
use super::races::{Met, Race};
use crate::dice::Dice;

/// Asks for a yes to what is to be confirmed.
pub async fn ask(house: &House, desk: &Desk, request: &ConfirmRequest) -> Result<(), Error> {
    let ConfirmRequest { case_id, kind, case_revision, digest, reviewed_at, reason, .. } = request.clone();
    let id = format!("approval-asked-{:012}", house.next_id());
    let reason = reason.unwrap_or_else(|| REASON.to_owned());
    let asked = AskApprovalRequest {
        id,
        case_id,
        kind,
        answer: None,
        case_revision,
        digest,
        reviewed_at,
        reason,
        consent: None,
    };
    desk.ask_approval(asked).await.map(|_| ())
}

/// Somebody who says yes or no to what others ask, now and then. Whoever `leaves` goes on trying, and may not.
pub async fn approver(house: Arc<House>, name: &'static str, leaves: Option<Timestamp>, mut dice: Dice) {
    let desk = house.desk(name);
    loop {
        house.timeline.sleep(minutes(dice.between(2, 20))).await;
        let now = house.timeline.now();
        if leaves.is_some_and(|leaves| leaves <= now) {
            let nobody =
                Person { id: name.into(), name: name.to_owned(), roles: Vec::new(), per_posting: 0, per_day: 0 };
            // Where the link broke, it is recorded next time.
            let _left = house.linked(Line::Home).put_person(&nobody, now).await;
        }
        // A glance that costs nothing: mostly nobody asks.
        if !house.probe.waits_for_yes() {
            continue;
        }
        let Ok(open) = desk.approvals(ApprovalsRequest { open_only: true, limit: 20 }).await else { continue };
        for row in open.rows.into_iter().filter(|row| row.state == ApprovalState::Waiting) {
            if dice.chance(15) {
                continue;
            }
            let say = if dice.chance(85) { Say::Approve } else { Say::Decline };
            let by = if dice.chance(5) { row.asked_by } else { name.to_owned() };
            let decision = DecideApprovalRequest { id: row.id, digest: row.digest, say, note: None, by: Some(by) };
            // Refused, or not heard: it is open next time, or it is not.
            let _decided = desk.decide_approval(decision).await;
        }
    }
}

/// How long a yes can be used.
const YES: SignedDuration = SignedDuration::from_mins(15);
const DAY_SECONDS: i64 = 86_400;

#[derive(Debug)]
struct Asked {
    request: ApprovalRequest,
    yes_at: Option<Timestamp>,
    used: bool,
}

/// Whose action it is, and whether a second person stands behind it.
#[derive(Debug)]
struct Behind {
    agent: AgentId,
    approved: bool,
}

#[derive(Debug, Default)]
pub struct Second {
    people: BTreeMap<AgentId, Person>,
    asked: BTreeMap<ApprovalId, Asked>,
    begun: BTreeMap<ActionKey, Behind>,
    restored: BTreeMap<(AgentId, i64), Credits>,
}

fn day(at: Timestamp) -> i64 {
    at.as_second().div_euclid(DAY_SECONDS)
}

impl Second {
    pub fn person(&mut self, person: &Person) {
        self.people.insert(person.id.clone(), person.clone());
    }

    /// Whether a request has no yes.
    pub fn waits(&self) -> bool {
        self.asked.values().any(|asked| asked.yes_at.is_none())
    }

    pub fn asked(&mut self, request: &ApprovalRequest) {
        let fresh = Asked { request: request.clone(), yes_at: None, used: false };
        self.asked.entry(request.id.clone()).or_insert(fresh);
    }

    /// An answer that was taken. Returns what is wrong with that.
    pub fn decided(&mut self, id: &ApprovalId, decision: &ApprovalDecision, at: Timestamp) -> Option<String> {
        if decision.state != ApprovalState::Approved {
            return None;
        }
        let Some(asked) = self.asked.get_mut(id) else {
            return Some(format!("{id} was approved, and nobody asked (I11)"));
        };
        asked.yes_at.get_or_insert(at);
        let by = &decision.by;
        if *by == asked.request.asked_by {
            return Some(format!("{by} approved the own request {id} (I11)"));
        }
        let may = self.people.get(by).is_some_and(|person| person.roles.contains(&Role::Approver));
        (!may).then(|| format!("{by} approved {id}, and may not (I11)"))
    }

    fn limits(&self, agent: &AgentId) -> (Credits, Credits) {
        self.people.get(agent).map_or((0, 0), |person| (person.per_posting, person.per_day))
    }

    fn restored_on(&self, agent: &AgentId, at: Timestamp) -> Credits {
        self.restored.get(&(agent.clone(), day(at))).copied().unwrap_or_default()
    }

    /// An action that was to begin. Returns what is wrong with the answer.
    pub fn began(&mut self, order: &Order, plan: &Plan, answer: &Begun, met: &mut Met) -> Option<String> {
        let of_case = |asked: &&mut Asked| asked.request.case_id == plan.case_id;
        if matches!(answer, Begun::ApprovalNeeded { .. }) {
            let void = self.asked.values_mut().filter(of_case).any(|asked| asked.yes_at.is_some());
            met.add(Race::YesVoid, u64::from(void));
        }
        if let Begun::Busy { key, .. } = answer
            && self.begun.get(key).is_some_and(|behind| behind.agent != order.agent)
        {
            met.count(Race::OneCase);
        }
        if !matches!(answer, Begun::New) {
            return None;
        }
        let wanted = restorations(plan);
        let amount: Credits = wanted.iter().flat_map(|charge| &charge.lines).map(|line| line.amount).sum();
        let (per_posting, per_day) = self.limits(&order.agent);
        let over = amount > per_posting || self.restored_on(&order.agent, order.at) + amount > per_day;
        let needed = amount > 0 && over;
        let mut fitting = self.asked.values_mut().filter(of_case).filter(|asked| {
            let request = &asked.request;
            let fresh = asked.yes_at.is_some_and(|at| order.at.duration_since(at) <= YES);
            let same = request.restorations == wanted && order.reason.as_ref() == Some(&request.reason);
            fresh && same && !asked.used && request.asked_by == order.agent
        });
        let yes = if needed { fitting.next() } else { None };
        let approved = yes.is_some();
        if let Some(yes) = yes {
            yes.used = true;
            met.count(Race::YesUsed);
        }
        self.begun.insert(order.key.clone(), Behind { agent: order.agent.clone(), approved });
        (needed && !approved).then(|| format!("{} began with {amount} credits, and nobody said yes (I11)", order.key))
    }

    /// Credits that an action returned. Returns what is wrong with that.
    pub fn restored(&mut self, key: &ActionKey, amount: Credits, at: Timestamp) -> Option<String> {
        let Some(Behind { agent, approved }) = self.begun.get(key) else {
            return Some(format!("{key} restored, and never began"));
        };
        let (per_posting, per_day) = self.limits(agent);
        let today = self.restored.entry((agent.clone(), day(at))).or_default();
        *today += amount;
        let over = amount > per_posting || *today > per_day;
        (over && !approved)
            .then(|| format!("{agent} restored {amount} credits, {today} in a day, and nobody said yes (I11)"))
    }
}
