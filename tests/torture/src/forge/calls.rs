//! Calls as a login would type them: what a forger sends is text.

use makegood_domain::plan::{Effect, Plan, money_digest, restorations};
use serde_json::{Value, json};

use crate::product::Job;

/// What callers say that the time is. It is never right.
const SAID: i64 = 17;

pub fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

pub fn document(value: &Value) -> String {
    format!("{}::jsonb", text(&value.to_string()))
}

/// `SELECT api.function(arguments)`; the answer comes as text.
pub fn call(function: &str, arguments: &[String]) -> String {
    format!("SELECT api.{function}({})::text", arguments.join(", "))
}

pub fn begin(order: &Value, plan: &Value) -> String {
    call("begin_action", &[document(order), document(plan), SAID.to_string()])
}

pub fn apply(key: &str, step: impl ToString, part: impl ToString, effect: &Value) -> String {
    call("apply", &[text(key), step.to_string(), part.to_string(), document(effect), SAID.to_string()])
}

pub fn finish(key: &str, state: &Value) -> String {
    call("finish_action", &[text(key), document(state), SAID.to_string()])
}

pub fn settle(key: &str, part: impl ToString, effect: &Value) -> String {
    call("settle", &[text(key), part.to_string(), document(effect), SAID.to_string()])
}

/// Each under its key, as part 0.
pub fn settle_many(wanted: &[(&str, &Value)]) -> String {
    let said: Vec<Value> =
        wanted.iter().map(|(key, effect)| json!({ "key": key, "part": 0, "effect": effect })).collect();
    call("settle_many", &[document(&Value::Array(said)), SAID.to_string()])
}

pub fn feed(facts: &Value) -> String {
    call("feed", &[document(facts), SAID.to_string()])
}

/// The same call with another word about the time.
pub fn at(call: &str, said: i64) -> String {
    call.replacen(&format!(", {SAID})::text"), &format!(", {said})::text"), 1)
}

pub fn ask(request: &Value) -> String {
    call("ask_approval", &[document(request), SAID.to_string()])
}

pub fn decide(id: &str, decision: &Value) -> String {
    call("decide_approval", &[text(id), document(decision), SAID.to_string()])
}

/// The answer `state` to a request of a digest.
pub fn decision(state: &str, digest: &Value) -> Value {
    json!({ "digest": digest, "state": state, "by": "ben", "note": null })
}

/// What a job's action is ordered with, for a reason.
pub fn order(job: &Job, reason: Option<&str>) -> Value {
    let mut order = json!(job.order(&job.plan(1)));
    order["reason"] = json!(reason);
    order
}

/// A plan of one effect after the other on the case of a job.
pub fn plan(job: &Job, effects: &[Value]) -> Value {
    let mut plan = json!(job.plan(1));
    plan["steps"] = effects.iter().map(|effect| json!({ "step": "do", "effect": effect })).collect();
    plan
}

pub fn effect(effect: &Effect) -> Value {
    json!(effect)
}

/// The request for a yes to the restorations of a job's plan.
pub fn request(job: &Job, reason: &str) -> Value {
    let plan: Plan = job.plan(1);
    let wanted = restorations(&plan);
    json!({
        "id": approval(job), "case_id": job.case(), "restorations": wanted, "reason": reason, "amount": job.total(),
        "digest": money_digest(&job.case(), &wanted, &[], reason), "asked_by": "fred", "asked_at": "2026-09-21T13:00:00Z",
    })
}

/// The id of a job's request.
pub fn approval(job: &Job) -> String {
    format!("apr-{}", job.key().0)
}
