//! Effects that an action should not get done, and ends that it should not get.

use makegood_domain::plan::Effect;
use serde_json::{Value, json};

use super::begin::restored;
use super::book::{Book, Ends, Forgery};
use super::calls::{apply, begin, call, document, effect, finish, order, plan, settle, text};
use super::stage::{AGENT, COLLEAGUE, RECONCILER, Same};
use crate::product::Job;

pub fn add(book: &mut Book) {
    numbers(book);
    other_effects(book);
    settled_items(book);
    leases(book);
    deliveries(book);
    nowhere(book);
    odd_effects(book);
    ends(book);
}

/// Begins the job's own plan first.
fn begun<'a>(book: &'a mut Book, job: &Job, name: String, attack: String, ends: Ends) -> &'a mut Forgery {
    let forgery = book.agent(name, attack, ends);
    forgery.given(AGENT, begin(&order(job, None), &json!(job.plan(1))), "new")
}

fn numbers(book: &mut Book) {
    for (name, step, part) in [
        ("a step after the last", "1", "0"),
        ("a step far away", "99", "0"),
        ("the step before the first", "-1", "0"),
        ("a step past 32 bits", "9223372036854775807", "0"),
        ("no step", "NULL", "0"),
        ("another part", "0", "1"),
        ("a part below 0", "0", "-1"),
        ("a part past 32 bits", "0", "9223372036854775807"),
        ("no part", "0", "NULL"),
    ] {
        let job = book.small();
        let attack = apply(&job.key().0, step, part, &effect(&job.restore()));
        begun(book, &job, format!("do {name}"), attack, Ends::No("plan"));
    }
    let job = book.small();
    let said = json!({ "effect": "say", "kind": "note", "text": "x", "locale": null });
    let key = job.key().0;
    book.agent("say a thing again as the step before the first", apply(&key, -1, 0, &said), Ends::No("plan"))
        .given(AGENT, begin(&order(&job, None), &plan(&job, std::slice::from_ref(&said))), "new")
        .given(AGENT, apply(&key, 0, 0, &said), "said");
    let job = book.small();
    book.agent("do a step of no action", apply("key-of-nothing-at-all", 0, 0, &effect(&job.restore())), Ends::Unknown);
    let arguments =
        ["NULL".to_owned(), "0".to_owned(), "0".to_owned(), document(&effect(&job.restore())), "0".to_owned()];
    book.agent("do a step without a key", call("apply", &arguments), Ends::Unknown);
    let job = book.small();
    let arguments = [text(&job.key().0), "0".to_owned(), "0".to_owned(), "NULL".to_owned(), "0".to_owned()];
    begun(book, &job, "do nothing".to_owned(), call("apply", &arguments), Ends::No("plan"));
    let job = book.small();
    let attack =
        call("apply", &[text(&job.key().0), "'first'".to_owned(), "0".to_owned(), "'{}'".to_owned(), "0".to_owned()]);
    begun(book, &job, "a step in words".to_owned(), attack, Ends::Unread);
}

fn other_effects(book: &mut Book) {
    let (job, other) = (book.small(), book.small());
    begun(
        book,
        &job,
        "restore another charge than was planned".to_owned(),
        apply(&job.key().0, 0, 0, &effect(&other.restore())),
        Ends::No("plan"),
    );
    let (job, mine) = (book.small(), book.small());
    book.agent(
        "the own effect under a colleague's key",
        apply(&job.key().0, 0, 0, &effect(&mine.restore())),
        Ends::No("plan"),
    )
    .given(COLLEAGUE, begin(&order(&job, None), &json!(job.plan(1))), "new");
    for (name, path, value) in [
        ("of another refund", "/refund_id", json!("rfd_mine")),
        ("for another cause", "/cause", json!("goodwill")),
        ("of more", "/restoration/lines/0/amount", json!(40)),
        ("from another source", "/restoration/lines/0/source", json!("bal_w")),
        ("to another balance", "/restoration/lines/0/target", json!("bal_other")),
        ("of another item", "/restoration/items/0/item", json!(3)),
        ("in words", "/restoration/lines/0/amount", json!("7")),
    ] {
        let job = book.plain();
        let mut forged = effect(&job.restore());
        if let Some(place) = forged.pointer_mut(path) {
            *place = value;
        }
        begun(
            book,
            &job,
            format!("the planned restoration, but {name}"),
            apply(&job.key().0, 0, 0, &forged),
            Ends::No("plan"),
        );
    }
    let job = book.small();
    let mut more = effect(&job.restore());
    more["also"] = json!({ "effect": "restore" });
    begun(
        book,
        &job,
        "the planned restoration and something beside it".to_owned(),
        apply(&job.key().0, 0, 0, &more),
        Ends::No("plan"),
    );
    for kind in ["lease_item", "deliver", "say", "set_case", "mint"] {
        let job = book.small();
        let other = json!({ "effect": kind, "run_id": job.run(), "item": 1, "lease_seconds": 9 });
        begun(
            book,
            &job,
            format!("{kind} where a restoration was planned"),
            apply(&job.key().0, 0, 0, &other),
            Ends::No("plan"),
        );
    }
}

fn settled_items(book: &mut Book) {
    let (job, second) = (book.small(), book.small());
    // The same charge under another case and key.
    let mut again = effect(&job.restore());
    again["refund_id"] = json!("rfd_again");
    let steps = plan(&second, &[again.clone()]);
    let forgery =
        book.agent("restore what is restored", apply(&second.key().0, 0, 0, &again), Ends::No("it was refunded"));
    restored(forgery, &job);
    forgery.given(AGENT, begin(&order(&second, None), &steps), "new");
    let (job, second) = (book.small(), book.small());
    let same = effect(&job.restore());
    let forgery = book.agent(
        "the same refund in another action",
        apply(&second.key().0, 0, 0, &same),
        Ends::No("there is a refund"),
    );
    restored(forgery, &job);
    forgery.given(AGENT, begin(&order(&second, None), &plan(&second, std::slice::from_ref(&same))), "new");
    let job = book.small();
    let attack = apply(&job.key().0, 0, 0, &effect(&job.restore()));
    let forgery = book.agent("the same step once more", attack, Ends::Answer("restored"));
    restored(forgery, &job);
    let job = book.small();
    let mut other = effect(&job.restore());
    other["cause"] = json!("another");
    let forgery =
        book.agent("a done step with another effect", apply(&job.key().0, 0, 0, &other), Ends::No("done already"));
    restored(forgery, &job);
    let (job, second) = (book.recovery(), book.small());
    let back = effect(&job.restore());
    let forgery = book.agent(
        "restore what a colleague is recovering",
        apply(&second.key().0, 0, 0, &back),
        Ends::No("is being recovered"),
    );
    forgery.given(COLLEAGUE, begin(&order(&job, None), &json!(job.plan(1))), "new");
    forgery.given(COLLEAGUE, apply(&job.key().0, 0, 0, &effect(&job.lease(600))), "leased");
    forgery.given(AGENT, begin(&order(&second, None), &plan(&second, std::slice::from_ref(&back))), "new");
    let (job, second) = (book.recovery(), book.small());
    let back = effect(&job.restore());
    let forgery =
        book.agent("restore what was delivered", apply(&second.key().0, 0, 0, &back), Ends::No("it was delivered"));
    delivered(forgery, &job);
    forgery.given(AGENT, begin(&order(&second, None), &plan(&second, std::slice::from_ref(&back))), "new");
}

fn delivered(forgery: &mut Forgery, job: &Job) {
    forgery.given(COLLEAGUE, begin(&order(job, None), &json!(job.plan(1))), "new");
    forgery.given(COLLEAGUE, apply(&job.key().0, 0, 0, &effect(&job.lease(600))), "leased");
    forgery.given(COLLEAGUE, apply(&job.key().0, 0, 1, &effect(&job.deliver(1))), "delivered");
}

fn leases(book: &mut Book) {
    for (name, seconds) in [
        ("of no time", json!(0)),
        ("that ended before it began", json!(-60)),
        ("of a thousand years", json!(31_557_600_000_i64)),
        ("past 64 bits of microseconds", json!(i64::MAX)),
        ("past all numbers", json!(1e300)),
        ("of half a second", json!(0.5)),
        ("in words", json!("long")),
        ("without an end", Value::Null),
    ] {
        let job = book.recovery();
        let mut lease = effect(&job.lease(60));
        lease["lease_seconds"] = seconds;
        begun(book, &job, format!("a lease {name}"), apply(&job.key().0, 0, 0, &lease), Ends::No(""));
    }
    let (job, second) = (book.recovery(), book.small());
    let mut taken = json!(job.plan(1));
    taken["case_id"] = json!(second.case());
    let attack = apply(&second.key().0, 0, 0, &effect(&job.lease(60)));
    let forgery = book.agent("lease what a colleague holds", attack, Ends::No("is being recovered"));
    forgery.given(COLLEAGUE, begin(&order(&job, None), &json!(job.plan(1))), "new");
    forgery.given(COLLEAGUE, apply(&job.key().0, 0, 0, &effect(&job.lease(600))), "leased");
    forgery.given(AGENT, begin(&order(&second, None), &taken), "new");
    for (name, field, value) in [("item", "item", json!(2)), ("run", "run_id", json!("run_other"))] {
        let job = book.recovery();
        let mut lease = effect(&job.lease(60));
        lease[field] = value;
        begun(
            book,
            &job,
            format!("lease another {name} than was planned"),
            apply(&job.key().0, 0, 0, &lease),
            Ends::No("plan"),
        );
    }
    let job = book.recovery();
    let release =
        effect(&Effect::ReleaseItem { run_id: job.run().as_str().into(), item: 1, epoch: 1, why: "x".to_owned() });
    begun(
        book,
        &job,
        "release what was never leased".to_owned(),
        apply(&job.key().0, 0, 2, &release),
        Ends::No("no longer"),
    );
}

fn deliveries(book: &mut Book) {
    let job = book.recovery();
    begun(
        book,
        &job,
        "deliver without a lease".to_owned(),
        apply(&job.key().0, 0, 1, &effect(&job.deliver(0))),
        Ends::No("no longer"),
    );
    for (name, path, value, words) in [
        ("with a later epoch", "/epoch", json!(2), "no longer"),
        ("without an epoch", "/epoch", Value::Null, "value"),
        ("with an epoch in words", "/epoch", json!("newest"), "value"),
        ("without a file", "/file", Value::Null, "value"),
        ("a file without a hash", "/file/sha256", Value::Null, "value"),
        ("a file of fewer bytes than none", "/file/bytes", json!(-1), "value"),
        ("a file whose size is a word", "/file/bytes", json!("big"), "value"),
        ("under another id", "/output_id", json!("out_mine"), "plan"),
        ("to another place", "/place/project_id", json!("prj_other"), "plan"),
    ] {
        let job = book.recovery();
        let mut forged = effect(&job.deliver(1));
        if let Some(place) = forged.pointer_mut(path) {
            *place = value;
        }
        begun(book, &job, format!("deliver {name}"), apply(&job.key().0, 0, 1, &forged), Ends::No(words)).given(
            AGENT,
            apply(&job.key().0, 0, 0, &effect(&job.lease(600))),
            "leased",
        );
    }
    for (name, place, words) in [
        ("another account's project", json!({ "kind": "history", "project_id": "prj_other" }), "another account"),
        ("a project that is not there", json!({ "kind": "history", "project_id": "prj_none" }), "no project"),
        ("a node of no project", json!({ "kind": "node", "project_id": "prj_t", "node_id": "nod_none" }), "no node"),
    ] {
        let job = book.recovery();
        let mut whole = json!(job.plan(1));
        whole["steps"][0]["place"] = place.clone();
        let mut deliver = effect(&job.deliver(1));
        deliver["place"] = place;
        let forgery =
            book.agent(format!("a planned delivery to {name}"), apply(&job.key().0, 0, 1, &deliver), Ends::No(words));
        forgery.given(AGENT, begin(&order(&job, None), &whole), "new");
        forgery.given(AGENT, apply(&job.key().0, 0, 0, &effect(&job.lease(600))), "leased");
    }
}

/// Plans of deliveries that are refused before anything is leased.
fn nowhere(book: &mut Book) {
    for (name, place) in [
        ("a place of no kind", json!({ "kind": "moon", "project_id": "prj_t" })),
        ("no place", Value::Null),
        ("a place that is a word", json!("node")),
    ] {
        let job = book.recovery();
        let mut whole = json!(job.plan(1));
        whole["steps"][0]["place"] = place.clone();
        book.agent(format!("a recovery to {name}"), begin(&order(&job, None), &whole), Ends::No("place"));
        let job = book.small();
        let moved = json!({ "effect": "move", "output_id": "out_old00002", "place": place });
        book.agent(format!("a move to {name}"), begin(&order(&job, None), &plan(&job, &[moved])), Ends::No("place"));
    }
}

/// Effects that a plan may have and that make no sense.
fn odd_effects(book: &mut Book) {
    for (name, odd, words) in [
        ("a message of no kind", json!({ "effect": "say", "kind": "shout", "text": "x", "locale": null }), "value"),
        ("a message without text", json!({ "effect": "say", "kind": "note", "text": null, "locale": null }), "value"),
        ("a state that no case has", json!({ "effect": "set_case", "state": "paid", "follow_up_at": null }), "value"),
        ("no state of a case", json!({ "effect": "set_case", "state": null, "follow_up_at": null }), "value"),
        ("a day that is none", json!({ "effect": "set_case", "state": "parked", "follow_up_at": "someday" }), "value"),
        (
            "an incident of no output",
            json!({ "effect": "open_incident", "run_id": null, "output_ids": ["out_none"], "summary": "x" }),
            "not there",
        ),
        (
            "an incident without words",
            json!({ "effect": "open_incident", "run_id": null, "output_ids": [], "summary": null }),
            "value",
        ),
        (
            "an incident whose outputs are a word",
            json!({ "effect": "open_incident", "run_id": null, "output_ids": "all", "summary": "x" }),
            "value",
        ),
        ("a link to no ticket", json!({ "effect": "link_ticket", "to": null }), "ticket"),
        (
            "a quarantine of no output",
            json!({ "effect": "quarantine", "output_id": "out_none", "reason": "x" }),
            "no output",
        ),
        (
            "a move of no output",
            json!({ "effect": "move", "output_id": null, "place": { "kind": "history", "project_id": "prj_t" } }),
            "no output",
        ),
        (
            "a move into another account",
            json!({ "effect": "move", "output_id": "out_old00002", "place": { "kind": "history", "project_id": "prj_other" } }),
            "another account",
        ),
        (
            "a move to no node",
            json!({ "effect": "move", "output_id": "out_old00002", "place": { "kind": "node", "project_id": "prj_t", "node_id": "nod_x" } }),
            "no node",
        ),
    ] {
        let job = book.small();
        let whole = plan(&job, std::slice::from_ref(&odd));
        book.agent(name, apply(&job.key().0, 0, 0, &odd), Ends::No(words)).given(
            AGENT,
            begin(&order(&job, None), &whole),
            "new",
        );
    }
}

fn ends(book: &mut Book) {
    let job = book.small();
    let attack = apply(&job.key().0, 0, 0, &effect(&job.restore()));
    begun(book, &job, "restore after the action is over".to_owned(), attack, Ends::No("is over")).given(
        AGENT,
        finish(&job.key().0, &json!({ "state": "refused", "why": "x" })),
        "",
    );
    let job = book.small();
    begun(
        book,
        &job,
        "say that another one's action is over".to_owned(),
        finish(&job.key().0, &json!({ "state": "done" })),
        Ends::Stale,
    )
    .given(AGENT, finish(&job.key().0, &json!({ "state": "refused", "why": "x" })), "");
    let job = book.small();
    // Whoever checks an action that somebody left behind may end it: no credits move, and the audit names who.
    book.agent(
        "end a colleague's action",
        finish(&job.key().0, &json!({ "state": "done" })),
        Ends::Kept("", Same::Money),
    )
    .given(COLLEAGUE, begin(&order(&job, None), &json!(job.plan(1))), "new")
    .finds(
        format!("SELECT actor FROM record.audit WHERE act = 'finish_action' AND detail LIKE '%{}%'", job.key().0),
        "fred",
    );
    for (name, state, words) in [
        ("no state", Value::Null, "state"),
        ("a state that is none", json!({ "state": "paid_twice" }), "state"),
        ("a state that is a number", json!({ "state": 1 }), "state"),
        ("a retry that is a word", json!({ "state": "refused", "why": "x", "retry": "often" }), "value"),
    ] {
        let job = book.small();
        begun(book, &job, format!("end with {name}"), finish(&job.key().0, &state), Ends::No(words));
    }
    book.agent("end no action", finish("key-of-nothing-at-all", &json!({ "state": "done" })), Ends::Unknown);
    book.agent(
        "end an action without a key",
        call("finish_action", &["NULL".to_owned(), "NULL".to_owned(), "0".to_owned()]),
        Ends::Unknown,
    );
    let job = book.small();
    let sweep = json!({ "effect": "open_incident", "run_id": job.run(), "output_ids": [], "summary": "x" });
    book.agent("end the reconciler's work", finish(&job.key().0, &json!({ "state": "done" })), Ends::Unknown).given(
        RECONCILER,
        settle(&job.key().0, 0, &sweep),
        "incident",
    );
}
