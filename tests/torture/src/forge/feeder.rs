//! What a feed should not get to change: what is posted, what is settled, what was done here.

use makegood_domain::feed::Fact;
use serde_json::{Value, json};

use super::book::{Book, Ends, Forgery};
use super::calls::{begin, call, effect, feed, order, settle};
use super::stage::{AGENT, FEEDER, RECONCILER, Same};
use crate::product::{self, ACCOUNT, Job, at, fact};

/// Another account, with a balance, a project and a charged run of its own.
pub fn strangers() -> anyhow::Result<Vec<Fact>> {
    let balance =
        json!({ "id": "bal_other", "kind": "wallet", "opening": 1_000, "opening_at": at(0), "current": 1_000 });
    Ok(vec![
        fact(
            "user",
            json!({ "id": "usr_other", "email": "o@customer.example", "timezone": "UTC", "locale": "en-GB" }),
        )?,
        fact(
            "account",
            json!({ "id": "acc_other", "kind": "personal", "owner_user_id": "usr_other", "storage_quota_mb": 1,
            "storage_used_mb": 0, "balances": [balance],
            "subscription": { "status": "active", "period_start": at(0), "period_end": at(31_536_000) } }),
        )?,
        fact(
            "project",
            json!({ "id": "prj_other", "name": "Other", "account_id": "acc_other", "workspace_id": null,
            "status": "active", "deleted_at": null }),
        )?,
        fact(
            "node",
            json!({ "id": "nod_other", "project_id": "prj_other", "label": "Shot", "status": "active", "deleted_at": null }),
        )?,
        fact(
            "run",
            json!({ "id": "run_other", "project_id": "prj_other", "node_id": "nod_other", "started_by": "usr_other",
            "model_id": "mdl_t", "started_at": at(60), "requested_items": 1, "status": "awaiting_result", "cancelled_at": null,
            "retry_of": null, "retry_initiator": null, "params": {} }),
        )?,
        fact(
            "charge",
            json!({ "id": "chg_other", "run_id": "run_other", "account_id": "acc_other", "posted_at": at(60),
            "total": 10, "items": [{ "item": 1, "credits": 10 }],
            "sources": [{ "balance_id": "bal_other", "kind": "wallet", "amount": 10 }], "idempotency_key": "other" }),
        )?,
    ])
}

pub fn add(book: &mut Book) {
    charges(book);
    new_charges(book);
    refunds(book);
    outputs(book);
    garbage(book);
}

/// A fact that is not taken is kept with its reason, and moves nothing.
const BURIED: Ends = Ends::Kept("\"reason\"", Same::Money);

fn by<'a>(book: &'a mut Book, name: impl Into<String>, facts: &Value, ends: Ends) -> &'a mut Forgery {
    book.by(FEEDER, name, feed(facts), ends)
}

/// The charge of a job as it was fed, with something else in it.
fn charge(job: &Job, forge: impl Fn(&mut Value)) -> Value {
    let facts = job.facts().unwrap_or_default();
    let mut charge = json!(facts.last());
    forge(&mut charge["data"]);
    charge
}

fn charges(book: &mut Book) {
    for (name, field, value) in [
        ("another total", "total", json!(1)),
        ("other items", "items", json!([{ "item": 1, "credits": 1 }])),
        ("another account", "account_id", json!("acc_other")),
        ("another time", "posted_at", json!("2020-01-01T00:00:00Z")),
        ("another run", "run_id", json!("run_other")),
    ] {
        let job = book.small();
        let forged = charge(&job, |row| row[field] = value.clone());
        by(book, format!("change a posted charge: {name}"), &json!([forged]), BURIED);
    }
    let job = book.small();
    let mut forged = charge(&job, |row| row["total"] = json!(1));
    forged["digest"] = json!("00".repeat(32));
    by(book, "change a posted charge under a digest of the own", &json!([forged]), BURIED);
    let job = book.small();
    let mut forged = charge(&job, |row| row["total"] = json!(1));
    forged["digest"] = json!("no hex");
    by(book, "a digest that is none", &json!([forged]), BURIED);
}

fn new_charges(book: &mut Book) {
    for (name, field, value) in [
        ("below 0", "total", json!(-10)),
        ("whose items do not add up", "total", json!(11)),
        ("of nothing at all", "total", Value::Null),
        ("of credits in words", "total", json!("ten")),
        ("past 64 bits", "total", json!(1e30)),
        ("of an account that is not there", "account_id", json!("acc_none")),
        (
            "of a balance of another account",
            "sources",
            json!([{ "balance_id": "bal_other", "kind": "wallet", "amount": 10 }]),
        ),
        ("of the system's balance", "sources", json!([{ "balance_id": "issuance", "kind": "wallet", "amount": 10 }])),
        (
            "of a source below 0",
            "sources",
            json!([{ "balance_id": "bal_w", "kind": "wallet", "amount": 20 },
            { "balance_id": "bal_q", "kind": "wallet", "amount": -10 }]),
        ),
        (
            "of the same balance twice",
            "sources",
            json!([{ "balance_id": "bal_w", "kind": "wallet", "amount": 5 },
            { "balance_id": "bal_w", "kind": "wallet", "amount": 5 }]),
        ),
        ("with the same item twice", "items", json!([{ "item": 1, "credits": 5 }, { "item": 1, "credits": 5 }])),
        ("with an item below 0", "items", json!([{ "item": 1, "credits": 15 }, { "item": 2, "credits": -5 }])),
        ("with item 0", "items", json!([{ "item": 0, "credits": 10 }])),
        ("whose items are a word", "items", json!("all")),
        ("posted at no time", "posted_at", json!("soon")),
    ] {
        let job = book.small();
        let mut row = json!({ "id": format!("{}b", job.charge()), "run_id": job.run(), "account_id": ACCOUNT, "posted_at": at(90),
            "total": 10, "items": [{ "item": 1, "credits": 10 }],
            "sources": [{ "balance_id": "bal_w", "kind": "wallet", "amount": 10 }], "idempotency_key": name });
        row[field] = value;
        by(book, format!("a charge {name}"), &json!([{ "type": "charge", "data": row }]), BURIED);
    }
    let job = book.small();
    let most = product::OPENING + 1;
    let row = json!({ "id": format!("{}b", job.charge()), "run_id": job.run(), "account_id": ACCOUNT, "posted_at": at(90), "total": most,
        "items": [{ "item": 1, "credits": most }], "sources": [{ "balance_id": "bal_w", "kind": "wallet", "amount": most }],
        "idempotency_key": "most" });
    by(book, "a charge of more than there is", &json!([{ "type": "charge", "data": row }]), BURIED);
}

/// A refund of all that a job cost, by the platform.
fn refund(job: &Job, id: &str) -> Value {
    json!({ "type": "refund", "data": { "id": id, "charge_id": job.charge(), "run_id": job.run(), "posted_at": at(4_000),
        "state": "posted", "kind": "auto", "items": [], "ticket_id": null, "detected_at": null, "cause": null,
        "lines": [{ "balance_id": "bal_q", "kind": "subscription_quota", "amount": job.total() }] } })
}

fn refunds(book: &mut Book) {
    let job = book.plain();
    let id = format!("{}-1", job.charge());
    let mut more = refund(&job, &id);
    more["data"]["lines"][0]["amount"] = json!(1_000);
    by(book, "change a posted refund", &json!([more]), BURIED).given(
        FEEDER,
        feed(&json!([refund(&job, &id)])),
        "\"added\": 1",
    );
    let job = book.plain();
    by(
        book,
        "refund twice under another id",
        &json!([refund(&job, &format!("{}-2", job.charge()))]),
        Ends::Kept("\"added\": 1", Same::Settled),
    )
    .given(FEEDER, feed(&json!([refund(&job, &format!("{}-1", job.charge()))])), "\"added\": 1")
    .finds("SELECT count(*) FROM api.ledger_breaks", "0");
    let job = book.plain();
    let attack = json!([refund(&job, &format!("{}-1", job.charge()))]);
    by(book, "refund what was restored here", &attack, Ends::Kept("\"added\": 1", Same::Settled)).given(
        RECONCILER,
        settle(&format!("rec-{}", job.charge()), 0, &effect(&job.restore())),
        "restored",
    );
    let job = book.plain();
    let mut reversed = refund(&job, &job.refund().0);
    reversed["data"]["state"] = json!("reversed");
    by(book, "reverse what was restored here", &json!([reversed]), Ends::Kept("", Same::Money))
        .given(RECONCILER, settle(&format!("rec-{}", job.charge()), 0, &effect(&job.restore())), "restored")
        .finds(format!("SELECT state FROM record.refunds WHERE id = '{}'", job.refund().0), "posted");
    let job = book.plain();
    let known = refund(&job, &job.refund().0);
    let mut reversed = refund(&job, &job.refund().0);
    reversed["data"]["state"] = json!("reversed");
    reversed["digest"] = json!("02".repeat(32));
    reversed["posted_digest"] = json!("01".repeat(32));
    let mut told = known;
    told["digest"] = json!("01".repeat(32));
    // Of what the platform says that it knows it may say that it took it back: the credits go, and the item
    // is owed again.
    by(book, "reverse what was restored here and is known there", &json!([reversed]), Ends::Kept("", Same::Sums))
        .given(RECONCILER, settle(&format!("rec-{}", job.charge()), 0, &effect(&job.restore())), "restored")
        .given(FEEDER, feed(&json!([told])), "\"added\": 1")
        .finds(
            format!(
                "SELECT sum(refunded) || ' ' || min(state) FROM record.charge_items WHERE charge_id = '{}'",
                job.charge()
            ),
            "0 reversed",
        );
    for (name, field, value) in [
        ("of no charge", "charge_id", json!("chg_none")),
        ("of a line past 64 bits", "lines", json!([{ "balance_id": "bal_q", "kind": "wallet", "amount": 1e30 }])),
        ("whose lines are a word", "lines", json!("all")),
        ("of items in words", "items", json!(["first"])),
        ("posted at no time", "posted_at", Value::Null),
        ("of no kind", "kind", json!("gift")),
    ] {
        let job = book.plain();
        let mut forged = refund(&job, &format!("{}-1", job.charge()));
        forged["data"][field] = value;
        by(book, format!("a refund {name}"), &json!([forged]), BURIED);
    }
    let job = book.plain();
    let mut less = refund(&job, &format!("{}-1", job.charge()));
    less["data"]["lines"][0]["amount"] = json!(-5);
    by(book, "a refund below 0", &json!([less]), Ends::Kept("", Same::Settled));
}

fn outputs(book: &mut Book) {
    let job = book.small();
    let row = |project: &str, run: String| {
        json!([{ "type": "output", "data": { "id": format!("out-{run}"), "run_id": run, "item": 1, "project_id": project, "node_id": null,
            "stored_at": at(100), "bytes": 10, "state": "stored", "in_history": true, "on_canvas": false, "sha256": null } }])
    };
    by(book, "an output in another account", &row("prj_other", job.run()), Ends::Kept("\"added\": 1", Same::Money));
    by(book, "an output of no run", &row("prj_t", "run_none".to_owned()), BURIED);
    by(book, "an output of no project", &row("prj_none", job.run()), BURIED);
    let refunded = book.small();
    by(book, "an output of what is refunded", &row("prj_t", refunded.run()), Ends::Kept("\"added\": 1", Same::Money))
        .given(RECONCILER, settle(&format!("rec-{}", refunded.charge()), 0, &effect(&refunded.restore())), "restored");
    let job = book.small();
    let work = |run: &str| {
        json!([{ "type": "job", "data": { "id": "job-of-somebody", "run_id": run, "provider_id": "mill", "submitted_at": at(70),
            "state": "failed", "processing_started_at": null, "finished_at": null, "error": "x", "looked_up_at": null,
            "locator": null, "items": [] } }])
    };
    by(book, "somebody else's job as the own", &work(&job.run()), Ends::Kept("\"updated\": 1", Same::Money)).given(
        FEEDER,
        feed(&work("run_other")),
        "\"added\": 1",
    );
    let (job, agent) = (book.small(), book.small());
    let account = json!([{ "type": "account", "data": { "id": "acc_other", "kind": "personal", "owner_user_id": "usr_other",
        "storage_quota_mb": 1, "storage_used_mb": 0, "subscription": { "status": "active", "period_start": at(0), "period_end": at(9) },
        "balances": [{ "id": "bal_other", "kind": "wallet", "opening": 5_000, "opening_at": at(0), "current": 5_000 }] } }]);
    // The platform counts its balances: another opening is a line that says so, and the ledger adds up.
    by(book, "another opening", &account, Ends::Kept("\"updated\": 1", Same::Settled))
        .given(AGENT, begin(&order(&agent, None), &json!(agent.plan(1))), "new")
        .finds("SELECT (SELECT count(*) FROM api.ledger_breaks) || ' ' || (SELECT max(line) FROM record.openings WHERE balance_id = 'bal_other')", "0 1");
    let mut taken = account;
    taken[0]["data"]["balances"][0] =
        json!({ "id": "bal_w", "kind": "wallet", "opening": 5, "opening_at": at(0), "current": 5 });
    taken[0]["data"]["storage_used_mb"] = json!(job.number);
    by(book, "another account's balance as the own", &taken, BURIED);
    taken[0]["data"]["balances"][0] =
        json!({ "id": "bal_other", "kind": "wallet", "opening": -5, "opening_at": at(0), "current": 5 });
    by(book, "an opening below 0", &taken, BURIED);
    taken[0]["data"]["balances"][0] =
        json!({ "id": "issuance", "kind": "wallet", "opening": 5, "opening_at": at(0), "current": 5 });
    by(book, "the system's balance as the own", &taken, BURIED);
}

fn garbage(book: &mut Book) {
    for (name, facts, ends) in [
        ("no list", json!({ "type": "user" }), Ends::No("facts")),
        ("a word", json!("facts"), Ends::No("facts")),
        ("a number", json!(7), Ends::No("facts")),
        ("numbers", json!([1, 2]), BURIED),
        ("nothings", json!([null]), BURIED),
        ("facts of no kind", json!([{ "type": "wish", "data": { "id": "x" } }]), BURIED),
        ("facts without a kind", json!([{ "data": { "id": "x" } }]), BURIED),
        ("facts without data", json!([{ "type": "user" }]), BURIED),
        ("facts whose data is a list", json!([{ "type": "user", "data": [1] }]), BURIED),
        ("facts with an empty id", json!([{ "type": "user", "data": { "id": "" } }]), BURIED),
        (
            "a kind that is SQL",
            json!([{ "type": "users; DROP TABLE record.charges; --", "data": { "id": "x" } }]),
            BURIED,
        ),
    ] {
        by(book, format!("feed {name}"), &facts, ends);
    }
    book.by(FEEDER, "feed nothing", call("feed", &["NULL".to_owned(), "0".to_owned()]), Ends::No("facts"));
    let injected = json!([{ "type": "user", "data": { "id": "'); DROP TABLE record.users; --", "email": "$$; SELECT 1", "timezone": null, "locale": null } }]);
    by(book, "SQL as the id of a user", &injected, Ends::Kept("\"added\": 1", Same::Money));
    let deep = format!("'{}1{}'::jsonb", "[".repeat(3_000), "]".repeat(3_000));
    book.by(FEEDER, "feed what is nested 3,000 deep", call("feed", &[deep, "0".to_owned()]), BURIED);
}
