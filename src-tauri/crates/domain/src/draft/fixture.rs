//! A small record for the tests of answers and plans: Ana, who owns a personal account and is a
//! member of one workspace, and a stranger next door.

use jiff::Timestamp;
use serde_json::json;

use crate::diagnose::{
    ChargeRestoration, Diagnosis, Flag, ItemAction, ItemActionKind, MessagePoint, Remedy, RestoredItem, RestoredLine,
    Verdict,
};
use crate::ids::{AccountId, BalanceId, ChargeId, OutputId, RunId, TicketId};
use crate::money::{BalanceKind, Credits};
use crate::scope::{Dossier, Scope};
use crate::support::{Claim, Requester, Ticket, TicketLink, TicketStatus};
use crate::work::{ItemState, Job, JobItem, JobState, Output, OutputState, ProviderFile};

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

pub(crate) fn now() -> Timestamp {
    at("2026-05-20T09:00:00Z")
}

fn rows<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).expect("rows of the record")
}

pub(crate) fn requester(locale: Option<&str>, timezone: Option<&str>) -> Requester {
    Requester {
        user_id: Some("usr_ana001".into()),
        email: "ana@example.com".to_owned(),
        locale: locale.map(str::to_owned),
        timezone: timezone.map(str::to_owned),
    }
}

pub(crate) fn ticket(locale: Option<&str>, timezone: Option<&str>) -> Ticket {
    Ticket {
        id: "TCK-1".into(),
        subject: "charged".to_owned(),
        body: "I was charged and the node is empty, I have nothing".to_owned(),
        created_at: at("2026-05-19T10:00:00Z"),
        requester: requester(locale, timezone),
        attachments: Vec::new(),
        desk: Some("sample".to_owned()),
    }
}

pub(crate) fn claim() -> Claim {
    Claim { project_ref: Some("prj_spot01".to_owned()), ..Claim::default() }
}

/// Ana's run of three items at `lumen`: charged 100, submitted, nothing stored yet.
pub(crate) fn dossier() -> Dossier {
    Dossier {
        run: rows(json!({
            "id": "run_a1b2c3", "project_id": "prj_spot01", "node_id": "nd_hero01", "started_by": "usr_ana001",
            "model_id": "kling-3.0", "started_at": "2026-05-17T12:58:00Z", "requested_items": 3,
            "status": "awaiting_result", "cancelled_at": null, "retry_of": null, "retry_initiator": null
        })),
        account_id: "acc_ana001".into(),
        charges: rows(json!([{
            "id": "chg_first1", "run_id": "run_a1b2c3", "account_id": "acc_ana001",
            "posted_at": "2026-05-17T12:58:02Z", "total": 100,
            "items": [{"item": 1, "credits": 34}, {"item": 2, "credits": 33}, {"item": 3, "credits": 33}],
            "sources": [
                {"balance_id": "bal_quota1", "kind": "subscription_quota", "amount": 60},
                {"balance_id": "bal_walle1", "kind": "wallet", "amount": 40}
            ],
            "idempotency_key": "k1"
        }])),
        refunds: Vec::new(),
        jobs: vec![job(&[1, 2, 3])],
        webhooks: Vec::new(),
        uploads: rows(json!([
            {"run_id": "run_a1b2c3", "item": 1, "attempted_at": "2026-05-17T13:05:00Z", "result": "network_error"}
        ])),
        outputs: Vec::new(),
        captures: Vec::new(),
        tickets: Vec::new(),
    }
}

/// A succeeded job whose files for these items the look-up saw.
pub(crate) fn job(items: &[u32]) -> Job {
    let file = |item: &u32| JobItem {
        item: *item,
        state: ItemState::Succeeded,
        finished_at: Some(at("2026-05-17T13:04:00Z")),
        file: Some(ProviderFile {
            bytes: 5_000_000,
            sha256_prefix: "ab12".to_owned(),
            available_until: None,
            exists_now: Some(true),
        }),
    };
    Job {
        id: "op-ftadv7hhzq".into(),
        run_id: "run_a1b2c3".into(),
        provider_id: "lumen".into(),
        submitted_at: at("2026-05-17T12:58:05Z"),
        state: JobState::Succeeded,
        processing_started_at: Some(at("2026-05-17T12:59:00Z")),
        finished_at: Some(at("2026-05-17T13:04:00Z")),
        items: items.iter().map(file).collect(),
        error: Some("see https://files.lumen.example/x?sig=1".to_owned()),
        looked_up_at: Some(now()),
        locator: None,
    }
}

pub(crate) fn output(id: &str, item: u32, project: &str, node: Option<&str>) -> Output {
    Output {
        id: id.into(),
        run_id: "run_a1b2c3".into(),
        item,
        project_id: project.into(),
        node_id: node.map(Into::into),
        stored_at: at("2026-05-17T13:06:00Z"),
        bytes: 5_000_000,
        state: OutputState::Stored,
        in_history: true,
        on_canvas: node.is_some(),
        sha256: None,
    }
}

pub(crate) fn scope() -> Scope {
    let subscription =
        json!({"status": "active", "period_start": "2026-05-01T00:00:00Z", "period_end": "2026-06-01T00:00:00Z"});
    Scope {
        requester: requester(Some("en-GB"), Some("Europe/London")),
        as_of: now(),
        providers: rows(json!([{"id": "lumen", "retention_hours": 720, "retention_source": "documented"}])),
        models: rows(json!([{
            "id": "kling-3.0", "display_name": "Kling 3.0", "family": "kling", "aliases": [], "provider_id": "lumen",
            "media": "video", "mode": "async"
        }])),
        accounts: rows(json!([
            {"id": "acc_ana001", "kind": "personal", "owner_user_id": "usr_ana001", "storage_quota_mb": 1000,
             "storage_used_mb": 998, "subscription": subscription, "balances": [
                {"id": "bal_quota1", "kind": "subscription_quota", "opening": 500, "opening_at": "2026-05-01T00:00:00Z", "current": 440},
                {"id": "bal_walle1", "kind": "wallet", "opening": 100, "opening_at": "2026-05-01T00:00:00Z", "current": 60}]},
            {"id": "acc_other1", "kind": "personal", "owner_user_id": "usr_other1", "storage_quota_mb": 1000,
             "storage_used_mb": 0, "subscription": subscription, "balances": []},
            {"id": "acc_studio", "kind": "workspace", "owner_user_id": "usr_owner1", "storage_quota_mb": 1000,
             "storage_used_mb": 0, "subscription": subscription, "balances": []}
        ])),
        workspaces: rows(json!([{
            "id": "ws_studio", "name": "Dune Pictures", "account_id": "acc_studio", "members": [
                {"user_id": "usr_owner1", "role": "owner", "status": "active", "left_at": null},
                {"user_id": "usr_ana001", "role": "member", "status": "left", "left_at": "2026-05-18T00:00:00Z"}]
        }])),
        projects: rows(json!([
            {"id": "prj_spot01", "name": "Spot", "account_id": "acc_ana001", "workspace_id": null, "status": "active", "deleted_at": null},
            {"id": "prj_other1", "name": "Rodeo promo", "account_id": "acc_other1", "workspace_id": null, "status": "active", "deleted_at": null},
            {"id": "prj_epis03", "name": "Episode 3", "account_id": "acc_studio", "workspace_id": "ws_studio", "status": "active", "deleted_at": null}
        ])),
        nodes: rows(json!([
            {"id": "nd_hero01", "project_id": "prj_spot01", "label": "Hero", "status": "active", "deleted_at": null},
            {"id": "nd_alt001", "project_id": "prj_spot01", "label": "Wide", "status": "active", "deleted_at": null}
        ])),
        runs: vec![dossier()],
        foreign_runs: Vec::new(),
        forbidden: ["Rodeo promo", "prj_other1", "usr_other1", "stranger.studio@example.com", "Zoë"]
            .map(str::to_owned)
            .to_vec(),
        mute: std::collections::BTreeSet::new(),
    }
}

pub(crate) fn diagnosis(verdict: Verdict, remedy: Remedy) -> Diagnosis {
    Diagnosis {
        verdict,
        remedy,
        matched_run: Some("run_a1b2c3".into()),
        additional_runs: Vec::new(),
        item_actions: Vec::new(),
        restorations: Vec::new(),
        run_billable_after: Some(0),
        retention_deadline: None,
        late_results: Vec::new(),
        follow_up_at: None,
        flags: std::collections::BTreeSet::new(),
        message_points: vec![MessagePoint::ConfirmRun],
        linked_ticket: None,
        misplaced_outputs: Vec::new(),
        reasons: Vec::new(),
        would_change: Vec::new(),
    }
}

pub(crate) fn act(item: u32, action: ItemActionKind, credits: Credits) -> ItemAction {
    ItemAction { run: "run_a1b2c3".into(), item, action, credits }
}

/// Gives back these items of a charge, all to the quota.
pub(crate) fn restoration(charge: &str, items: &[(u32, Credits)]) -> ChargeRestoration {
    let quota = || BalanceId::from("bal_quota1");
    ChargeRestoration {
        charge_id: ChargeId::from(charge),
        run_id: RunId::from("run_a1b2c3"),
        account_id: AccountId::from("acc_ana001"),
        items: items.iter().map(|&(item, credits)| RestoredItem { item, credits }).collect(),
        lines: vec![RestoredLine {
            source: quota(),
            target: quota(),
            target_kind: BalanceKind::SubscriptionQuota,
            amount: items.iter().map(|(_, credits)| credits).sum(),
        }],
    }
}

/// A record and a diagnosis in which every message point finds what it needs.
pub(crate) fn full() -> (Scope, Diagnosis) {
    let mut scope = scope();
    if let Some(dossier) = scope.runs.first_mut() {
        dossier.outputs = vec![output("out_stored1", 1, "prj_spot01", None)];
        dossier.jobs = vec![job(&[2, 3])];
        dossier.refunds = rows(json!([{
            "id": "rfd_back01", "charge_id": "chg_first1", "run_id": "run_a1b2c3", "posted_at": "2026-05-18T08:00:00Z",
            "state": "posted", "kind": "auto", "items": [2],
            "lines": [{"balance_id": "bal_quota1", "kind": "subscription_quota", "amount": 1}], "ticket_id": null
        }]));
        dossier.tickets = vec![TicketLink {
            id: TicketId::from("TCK-0"),
            created_at: at("2026-05-18T10:00:00Z"),
            status: TicketStatus::Open,
            run_ids: vec!["run_a1b2c3".into()],
            outcome: None,
            requester_user_id: Some("usr_ana001".into()),
        }];
    }
    let mut diagnosis = diagnosis(Verdict::PartialBatch, Remedy::RecoverAssetAndRestoreCredits);
    diagnosis.item_actions = vec![
        act(1, ItemActionKind::Reattach, 0),
        act(2, ItemActionKind::Recover, 0),
        act(3, ItemActionKind::Restore, 33),
    ];
    diagnosis.restorations = vec![restoration("chg_first1", &[(3, 33)])];
    diagnosis.run_billable_after = Some(1_067);
    diagnosis.follow_up_at = Some(at("2026-05-21T15:00:00Z"));
    diagnosis.retention_deadline = Some(at("2026-05-19T13:04:00Z"));
    diagnosis.linked_ticket = Some(TicketId::from("TCK-0"));
    diagnosis.misplaced_outputs = vec![OutputId::from("out_stored1")];
    diagnosis.flags = [Flag::UrgentRetention].into();
    (scope, diagnosis)
}
