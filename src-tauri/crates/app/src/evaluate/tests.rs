//! Reading and scoring, on a case small enough to see through.

use makegood_domain::diagnose::{Diagnosis, Evidence, ItemActionKind, Remedy, diagnose};
use makegood_domain::feed::Fact;
use makegood_domain::matching::match_run;
use makegood_domain::policy::Policy;
use serde_json::{Value, json};

use super::world_scope::scope_of;
use super::{CaseFile, CaseScore, Outcome, Report, facts, parse_cases, score};

/// A failed run of 40 credits, two days old; the reading is right and so is the expected result.
fn case() -> Value {
    let reading = json!({
        "topic": "missing_output", "project_ref": "Kite", "run_refs": [], "job_refs": [], "model_refs": [],
        "clock_utc": null, "window": null, "amount": 40, "stated_runs": 1
    });
    json!({
        "id": "X-01",
        "why": "The provider failed and the window is over.",
        "ticket": {
            "id": "T-1", "subject": "No clip", "body": "40 credits gone", "created_at": "2026-05-20T11:00:00Z", "attachments": [],
            "requester": {"user_id": "usr", "email": "kite@example.com", "locale": "en-GB", "timezone": null}
        },
        "world": {
            "now": "2026-05-20T12:00:00Z",
            "reconciler": {"cadence_minutes": 60, "window_hours": 24, "last_sweep_at": "2026-05-20T11:30:00Z"},
            "providers": [{"id": "prov", "retention_hours": 48, "retention_source": "documented"}],
            "models": [{"id": "m", "display_name": "M", "family": "m", "aliases": [], "provider_id": "prov", "media": "video", "mode": "async"}],
            "users": [{"id": "usr", "email": "kite@example.com", "timezone": null, "locale": null}],
            "workspaces": [],
            "accounts": [{
                "id": "acc", "kind": "personal", "owner_user_id": "usr", "storage_quota_mb": 100, "storage_used_mb": 1,
                "subscription": {"status": "active", "period_start": "2026-05-01T00:00:00Z", "period_end": "2026-06-01T00:00:00Z"},
                "balances": [{"id": "q", "kind": "subscription_quota", "opening": 100, "opening_at": "2026-05-01T00:00:00Z", "current": 60}]
            }],
            "projects": [{"id": "prj", "name": "Kite", "account_id": "acc", "workspace_id": null, "status": "active", "deleted_at": null}],
            "nodes": [{"id": "nd", "project_id": "prj", "label": "A", "status": "active", "deleted_at": null, "output_ids": []}],
            "runs": [run("r2", json!("r1")), run("r1", Value::Null)],
            "charges": [{
                "id": "c", "run_id": "r1", "account_id": "acc", "posted_at": "2026-05-18T12:00:02Z", "total": 40,
                "items": [{"item": 1, "credits": 40}], "sources": [{"balance_id": "q", "kind": "subscription_quota", "amount": 40}],
                "idempotency_key": "r1:1"
            }],
            "provider_jobs": [{
                "id": "j", "run_id": "r1", "provider_id": "prov", "submitted_at": "2026-05-18T12:00:03Z", "state": "failed",
                "processing_started_at": null, "finished_at": "2026-05-18T12:05:00Z", "items": [],
                "error": {"code": "internal", "message": "generation failed"}
            }],
            "webhooks": [{"id": "wh", "job_id": "j", "run_id": "r1", "received_at": null, "attempts": 5, "result": "timeout", "routed_to": null}],
            "uploads": [], "outputs": [], "refunds": [], "tickets": []
        },
        "expected": {
            "reading": reading, "matched_run": "r1", "additional_runs": [], "verdict": "provider_failed", "remedy": "restore_credits",
            "item_actions": [{"run": "r1", "item": 1, "action": "restore", "credits": 40}], "credits_to_restore": {"q": 40},
            "run_billable_after": 0, "retention_deadline": null, "follow_up_at": null, "flags": [],
            "customer_message_points": ["confirm_run"], "must_not_contain": ["Hidden Reel"]
        }
    })
}

/// The second is a retry that the system made of the first, and is listed before it.
fn run(id: &str, retry_of: Value) -> Value {
    let initiator = if retry_of.is_null() { Value::Null } else { json!("system") };
    json!({
        "id": id, "project_id": "prj", "node_id": "nd", "started_by": "usr", "model_id": "m", "started_at": "2026-05-18T12:00:00Z",
        "requested_items": 1, "status": "awaiting_result", "cancelled_at": null, "retry_of": retry_of, "retry_initiator": initiator, "params": {}
    })
}

fn parsed() -> CaseFile {
    parse_cases(&case().to_string()).expect("a sound case").remove(0)
}

fn decided(case: &CaseFile) -> Diagnosis {
    let policy = Policy::default_policy().expect("the built-in policy");
    let scope = scope_of(&case.world, &case.ticket.requester);
    let run_match = match_run(&case.expected.reading, &scope, &policy);
    let evidence = Evidence {
        claim: &case.expected.reading,
        run_match: &run_match,
        scope: &scope,
        ticket_id: &case.ticket.id,
        ticket_created_at: case.ticket.created_at,
    };
    diagnose(&evidence, &policy, case.world.now)
}

fn scored(case: &CaseFile, diagnosis: &Diagnosis, draft: &str) -> CaseScore {
    score(case, &Outcome { reading: &case.expected.reading, diagnosis, draft })
}

#[test]
fn what_cannot_be_read_is_named_by_line_and_field() {
    for (change, field, reason) in [
        (("/world/runs/1/status", json!("asleep")), "world.runs[1]", "asleep"),
        (("/world/charges/0/total", json!(1.5)), "world.charges[0]", "floating point"),
        (("/world/provider_jobs/0/state", json!("lost")), "world.provider_jobs[0]", "lost"),
        (("/world/now", json!("yesterday")), "world.now", "year"),
        (("/world/outputs", json!({})), "world.outputs", "must be a list"),
        (("/expected/verdict", json!("bad_luck")), "expected", "bad_luck"),
        (("/ticket/created_at", Value::Null), "ticket", "null"),
    ] {
        let mut bad = case();
        *bad.pointer_mut(change.0).expect("a place in the case") = change.1;
        let text = format!("\n{}\n{bad}\n", case());
        let errors = parse_cases(&text).expect_err(change.0);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!((errors[0].line, errors[0].field.as_str()), (3, field));
        assert!(errors[0].reason.contains(reason), "{}", errors[0]);
    }
}

#[test]
fn every_bad_line_is_told_at_once() {
    let mut short = case();
    short["world"].as_object_mut().expect("a world").remove("refunds");
    let text = format!("{}\nnot json\n{short}\n{}", case(), case());
    let errors: Vec<String> =
        parse_cases(&text).expect_err("three bad lines").iter().map(ToString::to_string).collect();
    assert!(errors[0].starts_with("line 2: not JSON"), "{errors:?}");
    assert_eq!(errors[1], "line 3, `world.refunds`: is missing");
    assert_eq!(errors[2], "line 4, `id`: `X-01` is already the id of line 1");
}

#[test]
fn a_world_becomes_facts_that_refer_backwards() {
    let world = parsed().world;
    let rows = facts(&world);
    let place = |wanted: &dyn Fn(&Fact) -> bool| rows.iter().position(wanted).expect("a row");
    let first = place(&|row| matches!(row, Fact::Run(run) if run.id.as_str() == "r1"));
    let retry = place(&|row| matches!(row, Fact::Run(run) if run.id.as_str() == "r2"));
    let charge = place(&|row| matches!(row, Fact::Charge(_)));
    assert!(first < retry && retry < charge, "{first} {retry} {charge}");
    assert_eq!(rows.len(), 11);
    let job = rows.iter().find_map(|row| if let Fact::Job(job) = row { Some(job) } else { None }).expect("a job");
    assert_eq!(job.looked_up_at, Some(world.now));
    assert_eq!(job.error.as_deref(), Some("internal: generation failed"));
    assert_eq!(world.webhooks[0].received_at, job.finished_at.expect("a finished job"));
}

#[test]
fn a_case_that_comes_out_right_counts() {
    let case = parsed();
    let got = scored(&case, &decided(&case), "40 credits are back.");
    assert!(got.counts && got.misses.is_empty(), "{:?}", got.misses);
    let report = Report::new("2026-11-1", vec![got]);
    assert_eq!(report.summary(), "cases 1/1 · reading 100.0 % · overpaid 0 · leaks 0 · double remedies 0");
    assert!(report.is_clean());
}

#[test]
fn a_wrong_remedy_overpays_and_does_not_count() {
    let mut case = parsed();
    case.expected.remedy = Remedy::NoneAlreadyRefunded;
    case.expected.credits_to_restore.clear();
    case.expected.reading.amount = Some(41);
    let right = parsed();
    let diagnosis = decided(&right);
    let got = score(&case, &Outcome { reading: &right.expected.reading, diagnosis: &diagnosis, draft: "" });
    let fields: Vec<&str> = got.misses.iter().map(|miss| miss.field.as_str()).collect();
    assert_eq!(fields, ["reading.amount", "remedy", "credits_to_restore"]);
    assert_eq!((got.counts, got.overpaid, got.reading_right, got.reading_total), (false, 40, 8, 9));
    assert!(got.misses[1].trail.iter().any(|line| line.contains("charged 40")), "{:?}", got.misses[1].trail);
    let report = Report::new("2026-11-1", vec![got]);
    assert_eq!(report.summary(), "cases 0/1 · reading 88.8 % · overpaid 40 · leaks 0 · double remedies 0");
    assert!(
        report.human(false).starts_with("X-01 WRONG\n  reading.amount: expected 41, got 40\n"),
        "{}",
        report.human(false)
    );
    let back: Report = serde_json::from_str(&report.json().expect("JSON")).expect("the same report");
    assert_eq!(back, report);
}

#[test]
fn a_miss_that_is_not_decisive_still_counts() {
    let mut case = parsed();
    case.expected.run_billable_after = Some(40);
    let got = scored(&case, &decided(&parsed()), "");
    assert_eq!((got.counts, got.misses.len()), (true, 1));
}

#[test]
fn an_answer_that_leaks_does_not_count() {
    let case = parsed();
    let got = scored(&case, &decided(&case), "Your clip went to HIDDEN REEL.");
    assert_eq!((got.counts, got.leaks.len()), (false, 1));
    assert!(!Report::new("v", vec![got]).is_clean());
}

#[test]
fn credits_and_asset_for_one_item_are_noticed() {
    let case = parsed();
    let mut diagnosis = decided(&case);
    diagnosis.item_actions[0].action = ItemActionKind::Recover;
    let got = scored(&case, &diagnosis, "");
    assert_eq!(got.double_remedies, ["r1 item 1"]);
    assert_eq!(Report::new("v", vec![got]).totals.double_remedies, 1);
}
