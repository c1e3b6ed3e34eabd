//! A small product, whatever keeps it: Ana and Ben with a personal account each, a workspace, and runs
//! as asked for; cases, findings, plans and effects about them.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::diagnose::{
    ChargeRestoration, Diagnosis, ItemAction, ItemActionKind, Remedy, RestoredItem, RestoredLine, Verdict,
};
use makegood_domain::feed::Fact;
use makegood_domain::ids::{CaseId, RunId};
use makegood_domain::matching::RunMatch;
use makegood_domain::money::BalanceKind;
use makegood_domain::plan::{ActionKind, Effect, Fetch, Order, Place, Plan, Step, StoredFile};
use makegood_domain::ports::{Finding, NewCase, Person, Role};
use makegood_domain::support::{Claim, Requester, Ticket};
use serde_json::{Value, json};

/// `seconds` after the first instant of the tests' world.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_773_000_000).unwrap() + SignedDuration::from_secs(seconds)
}

pub fn fact(kind: &str, data: Value) -> Fact {
    serde_json::from_value(json!({ "type": kind, "data": data })).unwrap()
}

fn account(id: &str, kind: &str, owner: &str, balances: &[(&str, &str, i64)]) -> Fact {
    let balances: Vec<Value> = balances
        .iter()
        .map(|(id, kind, opening)| {
            json!({ "id": id, "kind": kind, "opening": opening, "opening_at": at(0), "current": opening })
        })
        .collect();
    let subscription = json!({ "status": "active", "period_start": at(0), "period_end": at(2_592_000) });
    fact(
        "account",
        json!({ "id": id, "kind": kind, "owner_user_id": owner, "storage_quota_mb": 100, "storage_used_mb": 1,
            "subscription": subscription, "balances": balances }),
    )
}

pub fn project(id: &str, name: &str, account: &str, workspace: Option<&str>) -> Fact {
    fact(
        "project",
        json!({ "id": id, "name": name, "account_id": account, "workspace_id": workspace, "status": "active",
            "deleted_at": null }),
    )
}

pub fn node(id: &str, project: &str) -> Fact {
    fact("node", json!({ "id": id, "project_id": project, "label": id, "status": "active", "deleted_at": null }))
}

/// Ana (`acc_a`: `bal_q` 1000, `bal_w` 100), Ben (`acc_b`: `bal_b` 500), Cy, and Ben's workspace
/// `ws_s` (`acc_s`: `bal_p` 400), of which Ana is a member and Cy was one.
pub fn base() -> Vec<Fact> {
    let user =
        |id: &str, email: &str| fact("user", json!({ "id": id, "email": email, "timezone": "UTC", "locale": "en-US" }));
    let member = |id: &str, role: &str, status: &str| json!({ "user_id": id, "role": role, "status": status, "left_at": (status == "left").then(|| at(5)) });
    vec![
        fact("provider", json!({ "id": "meridian", "retention_hours": 48, "retention_source": "documented" })),
        fact(
            "model",
            json!({ "id": "veo", "display_name": "Veo 3.1", "family": "veo", "aliases": ["veo 3", "google veo"],
                "provider_id": "meridian", "media": "video", "mode": "async" }),
        ),
        user("usr_a", "ana@example.com"),
        user("usr_b", "ben@example.com"),
        user("usr_c", "cy@example.com"),
        account("acc_a", "personal", "usr_a", &[("bal_q", "subscription_quota", 1000), ("bal_w", "wallet", 100)]),
        account("acc_b", "personal", "usr_b", &[("bal_b", "wallet", 500)]),
        account("acc_s", "workspace", "usr_b", &[("bal_p", "workspace_pool", 400)]),
        fact(
            "workspace",
            json!({ "id": "ws_s", "name": "Dune Pictures", "account_id": "acc_s", "members": [
                member("usr_b", "owner", "active"), member("usr_a", "member", "active"),
                member("usr_c", "member", "left")] }),
        ),
        project("prj_a", "Spring lookbook", "acc_a", None),
        project("prj_b", "Rodeo promo", "acc_b", None),
        project("prj_s", "Episode 3", "acc_s", Some("ws_s")),
        node("nd_a", "prj_a"),
        node("nd_b", "prj_b"),
        node("nd_s", "prj_s"),
    ]
}

/// A run in `prj_{place}`, started by `usr_{by}`.
pub fn run(id: &str, place: &str, by: &str, seconds: i64) -> Fact {
    fact("run", run_row(id, place, by, seconds))
}

pub fn run_row(id: &str, place: &str, by: &str, seconds: i64) -> Value {
    json!({ "id": id, "project_id": format!("prj_{place}"), "node_id": format!("nd_{place}"),
        "started_by": format!("usr_{by}"), "model_id": "veo", "started_at": at(seconds), "requested_items": 1,
        "status": "succeeded", "cancelled_at": null, "retry_of": null, "retry_initiator": null,
        "params": { "seconds": 8 } })
}

/// A charge of `acc_{account}` with these prices, taken from these balances.
pub fn charge(id: &str, run: &str, account: &str, seconds: i64, prices: &[i64], sources: &[(&str, i64)]) -> Fact {
    let items: Vec<Value> =
        prices.iter().zip(1..).map(|(credits, item)| json!({ "item": item, "credits": credits })).collect();
    fact(
        "charge",
        json!({ "id": id, "run_id": run, "account_id": format!("acc_{account}"), "posted_at": at(seconds),
            "total": prices.iter().sum::<i64>(), "items": items, "sources": lines(sources),
            "idempotency_key": format!("{run}:{id}") }),
    )
}

fn lines(parts: &[(&str, i64)]) -> Vec<Value> {
    let kind = |id: &str| match id {
        "bal_q" => "subscription_quota",
        "bal_p" => "workspace_pool",
        _ => "wallet",
    };
    parts.iter().map(|(id, amount)| json!({ "balance_id": id, "kind": kind(id), "amount": amount })).collect()
}

pub fn output(id: &str, run: &str, place: &str, state: &str) -> Fact {
    fact(
        "output",
        json!({ "id": id, "run_id": run, "item": 1, "project_id": format!("prj_{place}"),
            "node_id": format!("nd_{place}"), "stored_at": at(60), "bytes": 10, "state": state,
            "in_history": true, "on_canvas": true }),
    )
}

pub fn refund(id: &str, charge: &str, run: &str, state: &str, items: &[u32], to: &[(&str, i64)]) -> Fact {
    fact(
        "refund",
        json!({ "id": id, "charge_id": charge, "run_id": run, "posted_at": at(90), "state": state, "kind": "auto",
            "items": items, "lines": lines(to), "ticket_id": null }),
    )
}

pub fn new_case(id: &str) -> NewCase {
    let requester = Requester {
        user_id: Some("usr_a".into()),
        email: "ana@example.com".into(),
        locale: None,
        timezone: Some("UTC".into()),
    };
    NewCase {
        case_id: id.into(),
        ticket: Ticket {
            id: format!("tck_{id}").as_str().into(),
            subject: "No clip".into(),
            body: "Where is it?".into(),
            created_at: at(500),
            requester,
            attachments: vec![],
            desk: Some("mail".into()),
        },
        files: vec![],
        due_at: at(90_000),
        opened_at: at(600),
    }
}

/// A finding about one run whose only item is recoverable.
pub fn finding(run: &str, verdict: Verdict, deadline: Option<Timestamp>) -> Finding {
    Finding {
        claim: Claim::default(),
        reader: "rules".into(),
        run_match: RunMatch::default(),
        diagnosis: Diagnosis {
            verdict,
            remedy: Remedy::RecoverAsset,
            matched_run: Some(run.into()),
            additional_runs: vec![],
            item_actions: vec![ItemAction { run: run.into(), item: 1, action: ItemActionKind::Recover, credits: 0 }],
            restorations: vec![],
            run_billable_after: None,
            retention_deadline: deadline,
            late_results: vec![],
            follow_up_at: None,
            flags: [].into(),
            message_points: vec![],
            linked_ticket: None,
            misplaced_outputs: vec![],
            reasons: vec![],
            would_change: vec![],
        },
        answer: "Hello".into(),
        answer_locale: "en-US".into(),
        answer_leaks: vec![],
        policy_version: "1".into(),
        found_at: at(700),
    }
}

pub fn order(key: &str, agent: &str) -> Order {
    Order { key: key.into(), digest: format!("digest of {key}"), agent: agent.into(), at: at(2000), reason: None }
}

pub fn plan(case: &CaseId, revision: i64) -> Plan {
    Plan {
        case_id: case.clone(),
        case_revision: revision,
        kind: ActionKind::Recover,
        remedy: Remedy::RecoverAsset,
        flags: vec![],
        steps: vec![],
    }
}

/// A step for each effect; those of a recovery are of steps that recover.
pub fn steps(effects: &[Effect]) -> Vec<Step> {
    let recover = |run_id: &RunId, item: u32, output_id: &str, place: Place| {
        let (provider_id, job_id) = ("meridian".into(), "job".into());
        let fetch = Fetch { provider_id, job_id, item, bytes: 0, sha256_prefix: String::new() };
        Step::RecoverItem { run_id: run_id.clone(), item, fetch, place, output_id: output_id.into() }
    };
    let nowhere = || Place::History { project_id: "prj_a".into() };
    let step = |effect: &Effect| match effect {
        Effect::LeaseItem { run_id, item, .. } | Effect::ReleaseItem { run_id, item, .. } => {
            recover(run_id, *item, "none", nowhere())
        }
        Effect::Deliver { run_id, item, output_id, place, .. } => {
            recover(run_id, *item, output_id.as_str(), place.clone())
        }
        other => Step::Do { effect: other.clone() },
    };
    effects.iter().map(step).collect()
}

/// Ana and Ben, who may restore any amount alone.
pub fn trusted() -> [Person; 2] {
    ["ana", "ben"].map(|id| {
        let (roles, all) = (vec![Role::Agent, Role::Approver], 1_000_000);
        Person { id: id.into(), name: id.into(), roles, per_posting: all, per_day: all }
    })
}

pub fn lease(run: &str) -> Effect {
    Effect::LeaseItem { run_id: run.into(), item: 1, lease_seconds: 900 }
}

pub fn deliver(run: &str, epoch: i64, place: &str) -> Effect {
    Effect::Deliver {
        run_id: run.into(),
        item: 1,
        epoch,
        output_id: format!("new_{run}_{epoch}").as_str().into(),
        file: StoredFile { sha256: "ab".repeat(32), bytes: 9, media_type: "video/mp4".into() },
        place: Place::Node {
            project_id: format!("prj_{place}").as_str().into(),
            node_id: format!("nd_{place}").as_str().into(),
        },
    }
}

/// The whole of a one-item charge on Ana's quota.
pub fn restore(id: &str, charge: &str, run: &str, amount: i64) -> Effect {
    Effect::Restore {
        refund_id: id.into(),
        restoration: ChargeRestoration {
            charge_id: charge.into(),
            run_id: run.into(),
            account_id: "acc_a".into(),
            items: vec![RestoredItem { item: 1, credits: amount }],
            lines: vec![RestoredLine {
                source: "bal_q".into(),
                target: "bal_q".into(),
                target_kind: BalanceKind::SubscriptionQuota,
                amount,
            }],
        },
        cause: "provider_failed".into(),
    }
}
