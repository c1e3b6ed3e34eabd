//! The small product that the scripts are about: two customers, a workspace, and runs that went every
//! way they can.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::feed::Fact;
use serde_json::{Value, json};

/// `seconds` after the first instant of the product.
pub(super) fn at(seconds: i64) -> Timestamp {
    let start = Timestamp::from_second(1_780_000_000).unwrap_or(Timestamp::UNIX_EPOCH);
    start.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(start)
}

fn fact(kind: &str, data: Value) -> Fact {
    match serde_json::from_value(json!({ "type": kind, "data": data })) {
        Ok(fact) => fact,
        Err(error) => panic!("no {kind}: {error}"),
    }
}

fn account(id: &str, kind: &str, owner: &str, balances: &[(&str, &str, i64)]) -> Fact {
    let balances: Vec<Value> = balances
        .iter()
        .map(|(id, kind, opening)| {
            json!({ "id": id, "kind": kind, "opening": opening, "opening_at": at(0), "current": opening })
        })
        .collect();
    let plan = json!({ "status": "active", "period_start": at(0), "period_end": at(2_592_000) });
    fact(
        "account",
        json!({ "id": id, "kind": kind, "owner_user_id": owner, "storage_quota_mb": 100, "storage_used_mb": 1,
            "subscription": plan, "balances": balances }),
    )
}

/// The account of Uma with another count of her quota.
pub(super) fn recount(opening: i64, since: i64) -> Fact {
    let quota = json!({ "id": "quota_u", "kind": "subscription_quota", "opening": opening, "opening_at": at(since),
        "current": opening });
    fact(
        "account",
        json!({ "id": "acc_u", "kind": "personal", "owner_user_id": "usr_u", "storage_quota_mb": 100,
            "storage_used_mb": 1, "subscription": null, "balances": [quota] }),
    )
}

fn user(id: &str) -> Fact {
    fact("user", json!({ "id": id, "email": format!("{id}@example.com"), "timezone": "UTC", "locale": "en-GB" }))
}

pub(super) fn project(id: &str, account: &str, workspace: Option<&str>) -> Fact {
    fact(
        "project",
        json!({ "id": id, "name": format!("Name of {id}"), "account_id": account, "workspace_id": workspace,
            "status": "active", "deleted_at": null }),
    )
}

fn node(id: &str, project: &str) -> Fact {
    fact("node", json!({ "id": id, "project_id": project, "label": id, "status": "active", "deleted_at": null }))
}

/// Uma (`acc_u`: `quota_u` 300, `wallet_u` 200), Vic (`acc_v`: `wallet_v` 100), Wim who left, and
/// Vic's workspace `ws` (`acc_w`: `pool` 150), of which Uma is a member.
pub(super) fn base() -> Vec<Fact> {
    let member = |id: &str, role: &str, left: Option<i64>| {
        let status = if left.is_some() { "left" } else { "active" };
        json!({ "user_id": id, "role": role, "status": status, "left_at": left.map(at) })
    };
    vec![
        fact("provider", json!({ "id": "meridian", "retention_hours": 48, "retention_source": "documented" })),
        fact(
            "model",
            json!({ "id": "clip", "display_name": "Clip 2", "family": "clip", "aliases": ["clip two", "clips"],
                "provider_id": "meridian", "media": "video", "mode": "async" }),
        ),
        user("usr_u"),
        user("usr_v"),
        user("usr_w"),
        account("acc_u", "personal", "usr_u", &[("quota_u", "subscription_quota", 300), ("wallet_u", "wallet", 200)]),
        account("acc_v", "personal", "usr_v", &[("wallet_v", "wallet", 100)]),
        account("acc_w", "workspace", "usr_v", &[("pool", "workspace_pool", 150)]),
        fact(
            "workspace",
            json!({ "id": "ws", "name": "Pictures", "account_id": "acc_w", "members": [
                member("usr_v", "owner", None), member("usr_u", "member", None), member("usr_w", "member", Some(5))] }),
        ),
        project("prj_u", "acc_u", None),
        project("prj_u2", "acc_u", None),
        project("prj_v", "acc_v", None),
        project("prj_w", "acc_w", Some("ws")),
        node("nod_u", "prj_u"),
        node("nod_u2", "prj_u2"),
        node("nod_v", "prj_v"),
        node("nod_w", "prj_w"),
    ]
}

/// A run of Uma's in the project of `place`; with `retry_of`, one that the system started again.
pub(super) fn run(id: &str, place: &str, seconds: i64, retry_of: Option<&str>, status: &str) -> Fact {
    fact(
        "run",
        json!({ "id": id, "project_id": format!("prj_{place}"), "node_id": format!("nod_{place}"),
            "started_by": "usr_u", "model_id": "clip", "started_at": at(seconds), "requested_items": 3,
            "status": status, "cancelled_at": null, "retry_of": retry_of,
            "retry_initiator": retry_of.map(|_| "system"), "params": { "seconds": 8 } }),
    )
}

fn kind(balance: &str) -> &'static str {
    match balance {
        "quota_u" => "subscription_quota",
        "pool" => "workspace_pool",
        _ => "wallet",
    }
}

fn lines(parts: &[(&str, i64)]) -> Vec<Value> {
    parts.iter().map(|(id, amount)| json!({ "balance_id": id, "kind": kind(id), "amount": amount })).collect()
}

pub(super) fn charge(id: &str, run: &str, account: &str, seconds: i64, prices: &[i64], from: &[(&str, i64)]) -> Fact {
    let items: Vec<Value> =
        prices.iter().zip(1..).map(|(credits, item)| json!({ "item": item, "credits": credits })).collect();
    fact(
        "charge",
        json!({ "id": id, "run_id": run, "account_id": account, "posted_at": at(seconds),
            "total": prices.iter().sum::<i64>(), "items": items, "sources": lines(from),
            "idempotency_key": format!("{run}:{id}") }),
    )
}

/// An output of an item, at the place's node; `bytes` 0 is no file.
pub(super) fn output(id: &str, run: &str, item: u32, place: &str, state: &str, bytes: u64) -> Fact {
    fact(
        "output",
        json!({ "id": id, "run_id": run, "item": item, "project_id": format!("prj_{place}"),
            "node_id": format!("nod_{place}"), "stored_at": at(60), "bytes": bytes, "state": state,
            "in_history": true, "on_canvas": true }),
    )
}

pub(super) fn refund(id: &str, charge: &str, run: &str, state: &str, items: &[u32], to: &[(&str, i64)]) -> Fact {
    fact(
        "refund",
        json!({ "id": id, "charge_id": charge, "run_id": run, "posted_at": at(90), "state": state, "kind": "auto",
            "items": items, "lines": lines(to), "ticket_id": null }),
    )
}

/// A job with a file for each of `items`, of which the provider tells less from item to item, and one
/// item more that it made nothing of.
pub(super) fn job(id: &str, run: &str, state: &str, items: &[u32]) -> Fact {
    let files = [
        json!({ "bytes": 10, "sha256_prefix": "ab", "available_until": at(9_000), "exists_now": true }),
        json!({ "bytes": 0, "sha256_prefix": "", "available_until": null, "exists_now": null }),
        json!({ "bytes": u64::MAX, "sha256_prefix": "cd", "available_until": null, "exists_now": false }),
    ];
    let made = items
        .iter()
        .zip(files.iter().cycle())
        .map(|(item, file)| json!({ "item": item, "state": "succeeded", "finished_at": at(50), "file": file }));
    let next = items.iter().max().map_or(1, |last| last + 1);
    let none = json!({ "item": next, "state": "failed", "finished_at": null, "file": null });
    let items: Vec<Value> = made.chain([none]).collect();
    fact(
        "job",
        json!({ "id": id, "run_id": run, "provider_id": "meridian", "submitted_at": at(12), "state": state,
            "processing_started_at": at(13), "finished_at": null, "items": items, "error": null,
            "locator": "v1/jobs" }),
    )
}

/// A row of each kind with nothing that may be left out.
pub(super) fn bare() -> Vec<Fact> {
    vec![
        fact("provider", json!({ "id": "mute", "retention_hours": null, "retention_source": "unknown" })),
        fact("user", json!({ "id": "usr_x", "email": "x@example.com", "timezone": null, "locale": null })),
        fact(
            "account",
            json!({ "id": "acc_x", "kind": "personal", "owner_user_id": "usr_x", "storage_quota_mb": 0,
                "storage_used_mb": 0, "subscription": null, "balances": [] }),
        ),
        project("prj_x", "acc_x", None),
        node("nod_x", "prj_x"),
        fact(
            "run",
            json!({ "id": "run_x", "project_id": "prj_x", "node_id": "nod_x", "started_by": "usr_x", "model_id": "clip",
                "started_at": at(10), "requested_items": 1, "status": "running", "cancelled_at": null,
                "retry_of": null, "retry_initiator": null, "params": null }),
        ),
        fact(
            "job",
            json!({ "id": "job_x", "run_id": "run_x", "provider_id": "mute", "submitted_at": at(11),
                "state": "queued", "processing_started_at": null, "finished_at": null, "items": [], "error": null }),
        ),
        fact(
            "webhook",
            json!({ "id": "whk_x", "job_id": "job_x", "run_id": "run_x", "received_at": at(12), "attempts": 0,
                "result": "timeout", "routed_to": null }),
        ),
        fact(
            "output",
            json!({ "id": "out_x", "run_id": "run_x", "item": 1, "project_id": "prj_x", "node_id": null,
                "stored_at": at(13), "bytes": 0, "state": "held", "in_history": false, "on_canvas": false }),
        ),
        fact(
            "ticket",
            json!({ "id": "tck_x", "created_at": at(14), "status": "closed", "run_ids": [], "outcome": null,
                "requester_user_id": null }),
        ),
    ]
}

pub(super) fn webhook(id: &str, run: &str, place: &str) -> Fact {
    fact(
        "webhook",
        json!({ "id": id, "job_id": "job_1", "run_id": run, "received_at": at(55), "attempts": 2,
            "result": "accepted", "routed_to": { "project_id": format!("prj_{place}"), "node_id": format!("nod_{place}") } }),
    )
}

pub(super) fn upload(run: &str, item: u32, result: &str) -> Fact {
    fact("upload", json!({ "run_id": run, "item": item, "attempted_at": at(57), "result": result }))
}

pub(super) fn ticket(id: &str, status: &str, runs: &[&str]) -> Fact {
    fact(
        "ticket",
        json!({ "id": id, "created_at": at(70), "status": status, "run_ids": runs, "outcome": null,
            "requester_user_id": "usr_u" }),
    )
}

/// What happened: `run_1` with three items and two sources, `run_2` its retry by the system, charged
/// again, `run_3` in the workspace, `run_4` from before the count, `run_5` for nothing, `run_6` uncharged.
pub(super) fn happened() -> Vec<Fact> {
    vec![
        run("run_1", "u", 10, None, "awaiting_result"),
        run("run_2", "u", 20, Some("run_1"), "awaiting_result"),
        run("run_3", "w", 30, None, "awaiting_result"),
        run("run_4", "u2", -90, None, "awaiting_result"),
        run("run_5", "u", 40, None, "awaiting_result"),
        run("run_6", "u", 45, None, "running"),
        charge("chg_1", "run_1", "acc_u", 11, &[34, 33, 33], &[("quota_u", 60), ("wallet_u", 40)]),
        charge("chg_2", "run_2", "acc_u", 21, &[20, 20], &[("wallet_u", 40)]),
        charge("chg_3", "run_3", "acc_w", 31, &[50], &[("pool", 50)]),
        charge("chg_4", "run_4", "acc_u", -80, &[25], &[("quota_u", 25)]),
        charge("chg_5", "run_5", "acc_u", 41, &[0, 7], &[("wallet_u", 7)]),
        job("job_1", "run_1", "processing", &[1, 2]),
        webhook("whk_1", "run_1", "u"),
        upload("run_1", 1, "timeout"),
        ticket("tck_old", "open", &["run_1"]),
    ]
}
