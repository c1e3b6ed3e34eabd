//! What callers say that the time is. With the record's own clock it must count for nothing: no yes lives
//! longer, no charge is older, no day is another one.

use serde_json::{Value, json};

use super::begin::restored;
use super::book::{Book, Ends};
use super::calls::{
    approval, ask, at, begin, call, decide, decision, document, effect, feed, order, plan, request, settle,
};
use super::stage::{AGENT, APPROVER, AUDITOR, FEEDER, RECONCILER, Same};
use crate::product::{ACCOUNT, Job};

/// Long ago, now in another unit, and far ahead.
const SAID: [i64; 4] = [-1, 0, 1_790_000_000, 8_000_000_000_000_000];

/// Whether an instant is the server's own, as a text.
fn now(instant: &str) -> String {
    format!("abs({instant} - extract(epoch FROM clock_timestamp()) * 1000000) < 3600000000")
}

pub fn add(book: &mut Book) {
    for said in SAID {
        instants(book, said);
        ages(book, said);
        limits(book, said);
    }
}

/// What is written is of the server's instant.
fn instants(book: &mut Book, said: i64) {
    let job = book.small();
    let attack = at(&begin(&order(&job, None), &json!(job.plan(1))), said);
    book.agent(format!("begin at {said}"), attack, Ends::Kept("new", Same::Money))
        .finds(format!("SELECT {} FROM record.actions WHERE key = '{}'", now("at"), job.key().0), "t");
    let job = book.recovery();
    let attack = at(&super::calls::apply(&job.key().0, 0, 0, &effect(&job.lease(60))), said);
    book.agent(format!("lease at {said}"), attack, Ends::Kept("leased", Same::Money))
        .given(AGENT, begin(&order(&job, None), &json!(job.plan(1))), "new")
        .finds(
            format!("SELECT {} FROM record.charge_items WHERE lease_key = '{}'", now("lease_until"), job.key().0),
            "t",
        );
    let job = book.small();
    let mut noticed = json!({ "kind": "orphan", "subject": job.charge(), "item": 0, "run_id": job.run(),
        "charge_id": job.charge(), "output_id": null, "cause": "provider_failed", "detail": "x", "closed_at": null });
    noticed["detected_at"] = json!(said.to_string());
    let attack = call("detect", &[document(&noticed)]);
    book.by(RECONCILER, format!("notice at {said}"), attack, Ends::Kept("true", Same::Money))
        .finds(format!("SELECT {} FROM record.detections WHERE subject = '{}'", now("detected_at"), job.charge()), "t");
    let sql = format!("SELECT {}", now(&format!("api.clock({said})")));
    book.by(AUDITOR, format!("the clock at {said}"), sql, Ends::Answer("t"));
}

/// What is young stays young, what is over is over.
fn ages(book: &mut Book, said: i64) {
    let job = book.small();
    let young = young(&job);
    let attack = at(&settle(&format!("rec-{}", job.charge()), 0, &young_restore(&job)), said);
    book.by(RECONCILER, format!("restore a young charge at {said}"), attack, Ends::No("nothing was noticed")).given(
        FEEDER,
        feed(&Value::Null).replace("'null'", &young),
        "\"added\": 2",
    );
    let job = book.big();
    let digest = request(&job, "a promise")["digest"].clone();
    let attack = at(&begin(&order(&job, Some("a promise")), &json!(job.plan(1))), said);
    book.agent(format!("use a yes that is over at {said}"), attack, Ends::Answer("approval_needed"))
        .given(AGENT, ask(&request(&job, "a promise")), "done")
        .given(APPROVER, decide(&approval(&job), &decision("approved", &digest)), "done")
        .arranged(aged("expires_at", &job));
    let job = book.big();
    let digest = request(&job, "a promise")["digest"].clone();
    let attack = at(&decide(&approval(&job), &decision("approved", &digest)), said);
    book.by(APPROVER, format!("say yes to what is over at {said}"), attack, Ends::No("expired already"))
        .given(AGENT, ask(&request(&job, "a promise")), "done")
        .arranged(aged("asked_at", &job));
}

/// Makes a request an old one, past the guards that keep it as it is.
fn aged(column: &str, job: &Job) -> String {
    format!(
        "SET session_replication_role = replica;
        UPDATE record.approvals SET {column} = 1000000 WHERE id = '{}'; RESET session_replication_role",
        approval(job)
    )
}

/// A run that was charged this minute, as SQL of the facts.
fn young(job: &Job) -> String {
    let row = |kind: &str, data: Value| json!({ "type": kind, "data": data });
    let id = format!("{}y", job.charge());
    let facts = json!([
        row(
            "run",
            json!({ "id": format!("{}y", job.run()), "project_id": "prj_t", "node_id": "nod_t", "started_by": "usr_t",
            "model_id": "mdl_t", "started_at": "NOW", "requested_items": 1, "status": "awaiting_result", "cancelled_at": null,
            "retry_of": null, "retry_initiator": null, "params": {} })
        ),
        row(
            "charge",
            json!({ "id": id, "run_id": format!("{}y", job.run()), "account_id": ACCOUNT, "posted_at": "NOW",
            "total": 10, "items": [{ "item": 1, "credits": 10 }],
            "sources": [{ "balance_id": "bal_w", "kind": "wallet", "amount": 10 }], "idempotency_key": id })
        ),
    ]);
    format!("replace('{facts}', 'NOW', (extract(epoch FROM now()) * 1000000)::bigint::text)")
}

fn young_restore(job: &Job) -> Value {
    let line = json!({ "source": "bal_w", "target": "bal_w", "target_kind": "wallet", "amount": 10 });
    json!({ "effect": "restore", "refund_id": format!("{}y", job.refund().0), "cause": "provider_failed", "restoration": {
        "charge_id": format!("{}y", job.charge()), "run_id": format!("{}y", job.run()), "account_id": ACCOUNT,
        "items": [{ "item": 1, "credits": 10 }], "lines": [line] } })
}

/// Another day is none because somebody says so.
fn limits(book: &mut Book, said: i64) {
    let parts: Vec<Job> = (0..3).map(|_| book.near()).collect();
    let attack = at(&begin(&order(&parts[2], None), &plan(&parts[2], &[effect(&parts[2].restore())])), said);
    let forgery = book.agent(format!("over the limit of a day at {said}"), attack, Ends::Answer("in a day"));
    for job in &parts[..2] {
        restored(forgery, job);
    }
}
