//! A product whose runs were charged and never delivered: what there is to restore.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::diagnose::{ChargeRestoration, RestoredItem, RestoredLine};
use makegood_domain::feed::Fact;
use makegood_domain::ids::ActionKey;
use makegood_domain::money::BalanceKind;
use makegood_domain::plan::Effect;
use serde_json::{Value, json};

/// What each run cost.
pub const PRICE: i64 = 10;

/// Facts in one batch of an import.
const BATCH: usize = 1_000;

/// Where everything began; runs start one a second from then on.
pub fn start() -> Timestamp {
    "2026-03-02T00:00:00Z".parse().expect("an instant")
}

/// When the runs are restored: past the 24 hours of all of them.
pub fn later() -> Timestamp {
    start() + SignedDuration::from_hours(24 * 30)
}

fn fact(kind: &str, data: Value) -> Fact {
    serde_json::from_value(json!({ "type": kind, "data": data })).expect("a fact")
}

/// A provider, a model, and `accounts` customers with one project, one node and one wallet each.
pub fn people(accounts: u64) -> Vec<Fact> {
    let mut facts = vec![
        fact("provider", json!({ "id": "mill", "retention_hours": 48, "retention_source": "documented" })),
        fact(
            "model",
            json!({ "id": "veo", "display_name": "Veo 3.1", "family": "veo", "aliases": [], "provider_id": "mill",
                "media": "video", "mode": "async" }),
        ),
    ];
    for n in 0..accounts {
        let balance = json!({ "id": format!("bal_{n}"), "kind": "wallet", "opening": 1_000_000_000_i64,
            "opening_at": start(), "current": 1_000_000_000_i64 });
        facts.push(fact(
            "user",
            json!({ "id": format!("usr_{n}"), "email": format!("{n}@example.com"), "timezone": "UTC", "locale": "en-US" }),
        ));
        facts.push(fact(
            "account",
            json!({ "id": format!("acc_{n}"), "kind": "personal", "owner_user_id": format!("usr_{n}"),
                "storage_quota_mb": 100, "storage_used_mb": 1, "subscription": null, "balances": [balance] }),
        ));
        facts.push(fact(
            "project",
            json!({ "id": format!("prj_{n}"), "name": format!("Project {n}"), "account_id": format!("acc_{n}"),
                "workspace_id": null, "status": "active", "deleted_at": null }),
        ));
        facts.push(fact(
            "node",
            json!({ "id": format!("nd_{n}"), "project_id": format!("prj_{n}"), "label": "Shot", "status": "active",
                "deleted_at": null }),
        ));
    }
    facts
}

/// Run `n` of customer `n % accounts`, submitted and charged, with a job of which nothing came.
pub fn run(n: u64, accounts: u64) -> [Fact; 3] {
    let (id, at) = (format!("run_{n}"), start() + SignedDuration::from_secs(i64::try_from(n).expect("small")));
    let who = n % accounts;
    let source = json!({ "balance_id": format!("bal_{who}"), "kind": "wallet", "amount": PRICE });
    [
        fact(
            "run",
            json!({ "id": id, "project_id": format!("prj_{who}"), "node_id": format!("nd_{who}"),
                "started_by": format!("usr_{who}"), "model_id": "veo", "started_at": at, "requested_items": 1,
                "status": "awaiting_result", "cancelled_at": null, "retry_of": null, "retry_initiator": null,
                "params": {} }),
        ),
        fact(
            "charge",
            json!({ "id": format!("chg_{n}"), "run_id": id, "account_id": format!("acc_{who}"), "posted_at": at,
                "total": PRICE, "items": [{ "item": 1, "credits": PRICE }], "sources": [source],
                "idempotency_key": id }),
        ),
        fact(
            "job",
            json!({ "id": format!("job_{n}"), "run_id": id, "provider_id": "mill", "submitted_at": at,
                "state": "processing", "processing_started_at": at, "finished_at": null, "items": [], "error": null }),
        ),
    ]
}

/// The restoration of run `n`, whole, to the wallet of its customer.
pub fn restoration(n: u64, accounts: u64) -> Effect {
    let who = n % accounts;
    restoration_to(n, &format!("acc_{who}"), &format!("bal_{who}"), BalanceKind::Wallet)
}

/// The same to another balance.
pub fn restoration_to(n: u64, account: &str, balance: &str, kind: BalanceKind) -> Effect {
    Effect::Restore {
        refund_id: format!("rfd_{n}").as_str().into(),
        restoration: ChargeRestoration {
            charge_id: format!("chg_{n}").as_str().into(),
            run_id: format!("run_{n}").as_str().into(),
            account_id: account.into(),
            items: vec![RestoredItem { item: 1, credits: PRICE }],
            lines: vec![RestoredLine {
                source: balance.into(),
                target: balance.into(),
                target_kind: kind,
                amount: PRICE,
            }],
        },
        cause: "provider_failed".into(),
    }
}

/// The reconciler's key for it.
pub fn key(n: u64) -> ActionKey {
    ActionKey(format!("rec-chg_{n}-1-1"))
}

/// Facts in batches that a store takes one at a time.
pub fn batches(facts: &[Fact]) -> impl Iterator<Item = &[Fact]> {
    facts.chunks(BATCH)
}
