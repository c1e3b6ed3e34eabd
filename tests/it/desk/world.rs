//! A small world: one customer, one project, and runs that went wrong.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use makegood_app::{Agent, Desk, Ports, WorkspaceInfo};
use makegood_connectors::LocalVault;
use makegood_domain::feed::Fact;
use makegood_domain::ids::{AgentId, CaseId};
use makegood_domain::policy::Policy;
use makegood_domain::ports::{ApprovalStore as _, Clock, FactStore as _, Person, Providers, Reader, Role, Store};
use makegood_domain::reading::RuleReader;
use makegood_domain::support::Ticket;
use makegood_store::sqlite::SqliteStore;
use makegood_testkit::{ManualClock, Sample, keep_look_ups};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::fakes::Mill;

pub const NOW: &str = "2026-03-14T15:20:00Z";

/// A desk on a fresh record, and what must live as long.
pub struct House {
    pub desk: Arc<Desk>,
    pub store: Arc<SqliteStore>,
    pub clock: Arc<ManualClock>,
    pub mill: Arc<Mill>,
    pub dir: TempDir,
}

/// A whole, small clip.
pub fn clip() -> Vec<u8> {
    Sample::mp4(64).bytes
}

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a test instant parses")
}

fn fact(kind: &str, data: Value) -> Fact {
    serde_json::from_value(json!({ "type": kind, "data": data })).expect("a test fact has the feed's form")
}

/// Catalogue, customer, account with 2,000 quota and 300 wallet, one project with two nodes.
pub fn ground() -> Vec<Fact> {
    vec![
        fact("provider", json!({"id": "mill", "retention_hours": 48, "retention_source": "documented"})),
        fact(
            "model",
            json!({"id": "veo-3.1", "display_name": "Veo 3.1", "family": "veo", "aliases": ["veo 3"],
                   "provider_id": "mill", "media": "video", "mode": "async"}),
        ),
        fact(
            "user",
            json!({"id": "usr_fern", "email": "fern@example.com", "timezone": "America/New_York", "locale": "en-US"}),
        ),
        fact(
            "account",
            json!({"id": "acc_fern", "kind": "personal", "owner_user_id": "usr_fern", "storage_quota_mb": 50000,
                   "storage_used_mb": 100, "subscription": {"status": "active", "period_start": "2026-03-01T00:00:00Z",
                   "period_end": "2026-04-01T00:00:00Z"}, "balances": [
                     {"id": "bal_q", "kind": "subscription_quota", "opening": 70, "opening_at": "2026-03-01T00:00:00Z", "current": 0},
                     {"id": "bal_w", "kind": "wallet", "opening": 500, "opening_at": "2026-03-01T00:00:00Z", "current": 360}]}),
        ),
        fact(
            "project",
            json!({"id": "prj_spring01", "name": "Spring lookbook", "account_id": "acc_fern", "workspace_id": null,
                   "status": "active", "deleted_at": null}),
        ),
        fact(
            "node",
            json!({"id": "nd_shot4", "project_id": "prj_spring01", "label": "Shot 4", "status": "active", "deleted_at": null}),
        ),
    ]
}

/// The same, with enough in the balances for so many runs and 1,000 left in each.
pub fn rich_ground(count: usize) -> Vec<Fact> {
    let count = i64::try_from(count).expect("few");
    let mut facts = ground();
    for fact in &mut facts {
        if let Fact::Account(account) = fact {
            for (balance, each) in account.balances.iter_mut().zip([70, 140]) {
                balance.opening = each * count + 1_000;
                balance.current = 1_000;
            }
        }
    }
    facts
}

/// A run of 210 credits, 70 from the quota and 140 from the wallet.
pub fn run_of_210(id: &str, started_at: &str) -> Vec<Fact> {
    let posted_at = at(started_at).to_string();
    vec![
        fact(
            "run",
            json!({"id": id, "project_id": "prj_spring01", "node_id": "nd_shot4", "started_by": "usr_fern",
                   "model_id": "veo-3.1", "started_at": started_at, "requested_items": 1,
                   "status": "post_processing_failed", "cancelled_at": null, "retry_of": null,
                   "retry_initiator": null, "params": {}}),
        ),
        fact(
            "charge",
            json!({"id": format!("chg_{id}"), "run_id": id, "account_id": "acc_fern", "posted_at": posted_at,
                   "total": 210, "items": [{"item": 1, "credits": 210}], "sources": [
                     {"balance_id": "bal_q", "kind": "subscription_quota", "amount": 70},
                     {"balance_id": "bal_w", "kind": "wallet", "amount": 140}],
                   "idempotency_key": format!("{id}:1")}),
        ),
    ]
}

/// The provider's word that it failed.
pub fn failed_job(run: &str, at: &str) -> Fact {
    fact(
        "job",
        json!({"id": format!("job-{run}"), "run_id": run, "provider_id": "mill", "submitted_at": at, "state": "failed",
               "processing_started_at": at, "finished_at": at,
               "items": [{"item": 1, "state": "failed", "finished_at": at, "file": null}], "error": "internal",
               "looked_up_at": at}),
    )
}

/// The provider's word that it made a file, of these bytes, and still has it.
pub fn made_job(run: &str, at: &str, bytes: &[u8]) -> Fact {
    let prefix: String = Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    fact(
        "job",
        json!({"id": format!("job-{run}"), "run_id": run, "provider_id": "mill", "submitted_at": at,
               "state": "succeeded", "processing_started_at": at, "finished_at": at,
               "items": [{"item": 1, "state": "succeeded", "finished_at": at, "file":
                 {"bytes": bytes.len(), "sha256_prefix": prefix, "available_until": null, "exists_now": true}}],
               "error": null}),
    )
}

/// A refund that the platform posts by itself.
pub fn platform_refund(run: &str, at: &str) -> Fact {
    fact(
        "refund",
        json!({"id": format!("ref_{run}"), "charge_id": format!("chg_{run}"), "run_id": run, "posted_at": at,
               "state": "posted", "kind": "auto", "items": [1], "lines": [
                 {"balance_id": "bal_q", "kind": "subscription_quota", "amount": 70},
                 {"balance_id": "bal_w", "kind": "wallet", "amount": 140}], "ticket_id": null}),
    )
}

pub fn upload_failed(run: &str, at: &str) -> Fact {
    fact("upload", json!({"run_id": run, "item": 1, "attempted_at": at, "result": "network_error"}))
}

pub fn ticket(id: &str, body: &str) -> Ticket {
    serde_json::from_value(json!({
        "id": id, "subject": "Charged and no clip", "body": body, "created_at": "2026-03-14T15:02:00Z",
        "requester": {"user_id": "usr_fern", "email": "fern@example.com", "locale": "en-US", "timezone": "America/New_York"},
        "attachments": []
    }))
    .expect("a test ticket has the intake's form")
}

pub const COMPLAINT: &str =
    "Project prj_spring01, Veo 3.1, March 12 around 2:05pm. Charged 210 credits, the node is empty.";

/// A desk on these facts.
pub async fn house(facts: &[Vec<Fact>]) -> House {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Arc::new(SqliteStore::open(&dir.path().join("record.sqlite")).await.expect("a record"));
    let report = store.import(&facts.concat(), at(NOW)).await.expect("an import");
    assert_eq!(report.rejected, [], "the test world is a world");
    keep_look_ups(&*store, &facts.concat()).await.expect("look-ups");
    let (clock, mill) = (Arc::new(ManualClock::new(at(NOW))), Mill::giving(&clip()));
    let desk = desk_on(&store, &clock, &mill, dir.path(), "ana");
    House { desk, store, clock, mill, dir }
}

/// A desk of an agent on a record that others may work on too.
pub fn desk_on(
    store: &Arc<impl Store + 'static>,
    clock: &Arc<impl Clock + 'static>,
    mill: &Arc<Mill>,
    dir: &Path,
    agent: &str,
) -> Arc<Desk> {
    desk_reading(Arc::new(RuleReader), store, clock, mill, dir, agent)
}

/// The same, with tickets read by `reader`.
pub fn desk_reading(
    reader: Arc<dyn Reader>,
    store: &Arc<impl Store + 'static>,
    clock: &Arc<impl Clock + 'static>,
    mill: &Arc<Mill>,
    dir: &Path,
    agent: &str,
) -> Arc<Desk> {
    let ports = Ports {
        store: Arc::clone(store) as _,
        providers: Arc::clone(mill) as _,
        vault: Arc::new(LocalVault::open(dir.join("vault")).expect("a vault")),
        reader,
        clock: Arc::clone(clock) as _,
    };
    let agent = Agent { id: AgentId::new(agent), name: agent.to_owned() };
    let info = WorkspaceInfo { name: "Test".into(), banner: None };
    Arc::new(Desk::new(ports, Policy::default_policy().expect("the built-in policy"), agent, info))
}

/// Ana's desk, which asks these providers.
pub fn desk_asking(
    providers: Arc<dyn Providers>,
    store: &Arc<impl Store + 'static>,
    clock: &Arc<impl Clock + 'static>,
    dir: &Path,
) -> Arc<Desk> {
    let ports = Ports {
        store: Arc::clone(store) as _,
        providers,
        vault: Arc::new(LocalVault::open(dir.join("vault")).expect("a vault")),
        reader: Arc::new(RuleReader),
        clock: Arc::clone(clock) as _,
    };
    let info = WorkspaceInfo { name: "Test".into(), banner: None };
    let agent = Agent { id: AgentId::new("ana"), name: "ana".to_owned() };
    Arc::new(Desk::new(ports, Policy::default_policy().expect("the built-in policy"), agent, info))
}

/// Records what a person may restore in one posting without a second one.
pub async fn limit(house: &House, id: &str, per_posting: i64) {
    let roles = vec![Role::Agent, Role::Approver];
    let person = Person { id: AgentId::new(id), name: id.to_owned(), roles, per_posting, per_day: 10 * per_posting };
    house.store.put_person(&person, at(NOW)).await.expect("recorded");
}

impl House {
    /// Takes a ticket in and returns its case.
    pub async fn case(&self, id: &str, body: &str) -> CaseId {
        let taken = self.desk.take_in(CaseId(format!("case-{id}")), ticket(id, body), Vec::new()).await;
        taken.expect("a case").case.id
    }
}
