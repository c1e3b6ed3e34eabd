//! What the reconciler's login should not get settled, and claims and reports that are not its own.

use serde_json::{Value, json};

use super::book::{Book, Ends, Forgery};
use super::calls::{begin, call, document, effect, order, settle, settle_many, text};
use super::stage::{AGENT, RECONCILER, Same, clock};
use crate::product::Job;

pub fn add(book: &mut Book) {
    kinds(book);
    keys(book);
    too_soon(book);
    amounts(book);
    together(book);
    deliveries(book);
    claims(book);
    notes(book);
    passes(book);
}

/// The key under which the reconciler settles a job.
fn key(job: &Job) -> String {
    format!("rec-{}-1-1", job.charge())
}

fn by(book: &mut Book, name: impl Into<String>, attack: String, ends: Ends) -> &mut Forgery {
    book.by(RECONCILER, name, attack, ends)
}

fn kinds(book: &mut Book) {
    for kind in ["say", "set_case", "link_ticket", "tell_owner", "mint", ""] {
        let job = book.small();
        let said = json!({ "effect": kind, "kind": "note", "text": "x", "to": "tck", "state": "settled", "account_id": "acc_t" });
        by(book, format!("settle '{kind}'"), settle(&key(&job), 0, &said), Ends::No("nothing else"));
    }
    let job = book.small();
    for (name, said) in [
        ("no effect", Value::Null),
        ("an empty effect", json!({})),
        ("a list", json!([])),
        ("a word", json!("restore")),
    ] {
        by(book, format!("settle {name}"), settle(&key(&job), 0, &said), Ends::No("there is no effect"));
    }
    by(
        book,
        "settle nothing",
        call("settle", &[text(&key(&job)), "0".to_owned(), "NULL".to_owned(), "0".to_owned()]),
        Ends::No("there is no effect"),
    );
}

fn keys(book: &mut Book) {
    let job = book.small();
    let attack = settle(&job.key().0, 0, &effect(&job.restore()));
    by(book, "settle under an action's key", attack, Ends::No("is an action's")).given(
        AGENT,
        begin(&order(&job, None), &json!(job.plan(1))),
        "new",
    );
    let (job, other) = (book.small(), book.small());
    by(
        book,
        "settle another charge under a used key",
        settle(&key(&job), 0, &effect(&other.restore())),
        Ends::No("done already"),
    )
    .given(RECONCILER, settle(&key(&job), 0, &effect(&job.restore())), "restored");
    let job = book.small();
    by(book, "settle the same twice", settle(&key(&job), 0, &effect(&job.restore())), Ends::Answer("restored")).given(
        RECONCILER,
        settle(&key(&job), 0, &effect(&job.restore())),
        "restored",
    );
    let job = book.small();
    let mut again = effect(&job.restore());
    again["refund_id"] = json!("rfd_second");
    by(book, "settle it again under another key", settle("rec-another-1-1", 0, &again), Ends::No("it was refunded"))
        .given(RECONCILER, settle(&key(&job), 0, &effect(&job.restore())), "restored");
    for (name, part) in [("no part", "NULL"), ("a part below 0", "-1")] {
        let job = book.small();
        let attack = settle(&key(&job), part, &effect(&job.restore()));
        by(book, format!("settle {name}"), attack, Ends::No("the number of its part"));
    }
    let job = book.small();
    let arguments = ["NULL".to_owned(), "0".to_owned(), document(&effect(&job.restore())), "0".to_owned()];
    by(book, "settle without a key", call("settle", &arguments), Ends::No("needs a key"));
}

fn too_soon(book: &mut Book) {
    let job = book.small();
    by(book, "restore a young charge", settle(&key(&job), 0, &effect(&job.restore())), Ends::No("nothing was noticed"))
        .arranged(clock(3_600));
    let job = book.several();
    let mut noticed = detection(&job);
    noticed["item"] = json!(1);
    by(
        book,
        "restore items of a young charge of which one was noticed",
        settle(&key(&job), 0, &effect(&job.restore())),
        Ends::No("nothing was noticed about item 2"),
    )
    .arranged(clock(3_600))
    .given(RECONCILER, call("detect", &[document(&noticed)]), "true");
    let job = book.small();
    let mut sooner = effect(&job.restore());
    sooner["restoration"]["items"] = json!([]);
    by(book, "restore no items of a young charge", settle(&key(&job), 0, &sooner), Ends::No("do not add up"))
        .arranged(clock(3_600));
    let job = book.small();
    by(
        book,
        "restore more than it may in an hour",
        settle(&key(&job), 0, &effect(&job.restore())),
        Ends::No("as many as it may"),
    )
    .arranged("UPDATE record.reconciler_limits SET restorations_per_hour = 0");
    let (job, other) = (book.small(), book.small());
    by(
        book,
        "restore one more in the hour",
        settle(&key(&job), 0, &effect(&job.restore())),
        Ends::No("as many as it may"),
    )
    .arranged("UPDATE record.reconciler_limits SET restorations_per_hour = 1")
    .given(RECONCILER, settle(&key(&other), 0, &effect(&other.restore())), "restored");
}

/// Without words it is for the server to say, in its own.
fn broken_or(words: &'static str) -> Ends {
    if words.is_empty() { Ends::Broken } else { Ends::No(words) }
}

fn amounts(book: &mut Book) {
    for (name, path, value, words) in [
        ("a line below 0", "/lines/0/amount", json!(-5), "whole numbers"),
        ("a line of a half", "/lines/0/amount", json!(0.5), "whole numbers"),
        ("a line in words", "/lines/0/amount", json!("ten"), "whole numbers"),
        ("a line past 64 bits", "/lines/0/amount", json!(1e30), "whole numbers"),
        ("a line of nothing", "/lines/0/amount", Value::Null, "whole numbers"),
        ("an item in words", "/items/0/item", json!("first"), "whole numbers"),
        ("an item of a half credit", "/items/0/credits", json!(0.5), "whole numbers"),
        ("lines that are none", "/lines", json!("all"), "as a list"),
        ("no lines", "/lines", Value::Null, "as a list"),
        ("no items", "/items", Value::Null, "as a list"),
        ("items that are an object", "/items", json!({}), "as a list"),
        ("a source that the charge never drew from", "/lines/0/source", json!("bal_w"), ""),
        ("a target of another account", "/lines/0/target", json!("bal_other"), ""),
        ("a target of the system's", "/lines/0/target", json!("issuance"), ""),
        ("a charge of another account", "/charge_id", json!("chg_other"), "another account"),
        ("no charge", "/charge_id", Value::Null, ""),
        ("another account", "/account_id", json!("acc_other"), "another account"),
        ("another run", "/run_id", json!("run_other"), "is not of run"),
    ] {
        let job = book.plain();
        let mut forged = effect(&job.restore());
        if let Some(place) = forged["restoration"].pointer_mut(path) {
            *place = value;
        }
        by(book, format!("settle {name}"), settle(&key(&job), 0, &forged), broken_or(words));
    }
    let job = book.several();
    let mut forged = effect(&job.restore());
    forged["restoration"]["items"][1]["item"] = json!(1);
    by(book, "settle an item twice at once", settle(&key(&job), 0, &forged), Ends::Broken);
    let job = book.plain();
    let mut forged = effect(&job.restore());
    for path in ["/items/0/credits", "/lines/0/amount"] {
        if let Some(place) = forged["restoration"].pointer_mut(path) {
            *place = json!(place.as_i64().unwrap_or_default() + 1);
        }
    }
    by(book, "settle more than it cost", settle(&key(&job), 0, &forged), Ends::No("cost only"));
    let job = book.plain();
    let mut forged = effect(&job.restore());
    forged["refund_id"] = Value::Null;
    by(book, "settle without an id of the refund", settle(&key(&job), 0, &forged), Ends::No("the id of its refund"));
}

/// A restoration as it should be, and beside it one that should not: neither may be done. Both are of one
/// account, so that no sum over it gives the second one away, and the hour is begun: else all go one by one.
fn together(book: &mut Book) {
    for (name, path, value) in [
        ("no items at all", "/items", json!([])),
        ("no lines at all", "/lines", json!([])),
        ("no word of items", "/items", Value::Null),
        ("a line below 0", "/lines/0/amount", json!(-5)),
        ("a line of a half", "/lines/0/amount", json!(0.5)),
        ("a line of nothing", "/lines/0/amount", Value::Null),
        ("an item in words", "/items/0/item", json!("1")),
        ("an item that is not there", "/items/0/item", json!(99)),
        ("a source that the charge never drew from", "/lines/0/source", json!("bal_w")),
        ("a target of another account", "/lines/0/target", json!("bal_other")),
        ("a target of the system's", "/lines/0/target", json!("issuance")),
        ("a charge of another account", "/charge_id", json!("chg_other")),
        ("another account", "/account_id", json!("acc_other")),
        ("another run", "/run_id", json!("run_other")),
    ] {
        let job = book.plain();
        let mut forged = effect(&job.restore());
        if let Some(place) = forged["restoration"].pointer_mut(path) {
            *place = value;
        }
        among_others(book, &format!("settle {name}"), &key(&job), &forged);
    }
    let job = book.small();
    among_others(book, "restore a young charge", &key(&job), &effect(&job.restore())).arranged(clock(3_600));
    let job = book.small();
    among_others(book, "restore one more than the hour has", &key(&job), &effect(&job.restore()))
        .arranged("UPDATE record.reconciler_limits SET restorations_per_hour = 2");
    let job = book.recovery();
    among_others(book, "lease", &key(&job), &effect(&job.lease(60)));
    let job = book.small();
    among_others(book, "settle without a key", "", &effect(&job.restore()));
    let job = book.small();
    among_others(book, "settle the same twice", &key(&job), &effect(&job.restore())).given(
        RECONCILER,
        settle(&key(&job), 0, &effect(&job.restore())),
        "restored",
    );
}

fn among_others<'a>(book: &'a mut Book, name: &str, key_of_forged: &str, forged: &Value) -> &'a mut Forgery {
    let (first, sound) = (book.plain(), book.plain());
    let attack = settle_many(&[(&key(&sound), &effect(&sound.restore())), (key_of_forged, forged)]);
    by(book, format!("{name} among others"), attack, Ends::Broken).given(
        RECONCILER,
        settle(&key(&first), 0, &effect(&first.restore())),
        "restored",
    )
}

fn deliveries(book: &mut Book) {
    let job = book.recovery();
    by(book, "deliver without a lease", settle(&key(&job), 0, &effect(&job.deliver(0))), Ends::No("no longer"));
    for (name, seconds) in
        [("a thousand years", json!(31_557_600_000_i64)), ("no time", json!(0)), ("all time", json!(i64::MAX))]
    {
        let job = book.recovery();
        let mut lease = effect(&job.lease(60));
        lease["lease_seconds"] = seconds;
        by(book, format!("lease for {name}"), settle(&key(&job), 0, &lease), Ends::Broken);
    }
    let job = book.recovery();
    let mut deliver = effect(&job.deliver(1));
    deliver["place"] = json!({ "kind": "history", "project_id": "prj_other" });
    by(book, "deliver into another account", settle(&key(&job), 1, &deliver), Ends::No("another account")).given(
        RECONCILER,
        settle(&key(&job), 0, &effect(&job.lease(60))),
        "leased",
    );
    let job = book.recovery();
    by(
        book,
        "deliver with another's lease",
        settle("rec-another-2-1", 1, &effect(&job.deliver(1))),
        Ends::No("no longer"),
    )
    .given(RECONCILER, settle(&key(&job), 0, &effect(&job.lease(60))), "leased");
}

fn claims(book: &mut Book) {
    let job = book.small();
    let root = job.run();
    by(
        book,
        "end a look that another worker has",
        call("end_look", &[text(&root), "'mine'".to_owned(), "'{\"next\": \"done\"}'".to_owned(), "0".to_owned()]),
        Ends::Answer(""),
    )
    .arranged(format!(
        "UPDATE record.due_runs SET claimed_by = 'other', claimed_until = 9000000000000000 WHERE root_id = '{root}'"
    ))
    .finds(format!("SELECT claimed_by FROM record.due_runs WHERE root_id = '{root}'"), "other");
    // Its own claim it may end as it likes: a run with a word that is none waits for people.
    for (name, next, ends) in [
        ("at a time that is none", "'{\"next\": \"at\", \"at\": \"soon\"}'", Ends::No("value")),
        ("with a number", "'7'", Ends::Kept("", Same::Money)),
        ("with nothing", "NULL", Ends::Kept("", Same::Money)),
        ("with a word that is none", "'{\"next\": \"never\"}'", Ends::Kept("", Same::Money)),
    ] {
        let root = book.small().run();
        let attack = call("end_look", &[text(&root), "'mine'".to_owned(), next.to_owned(), "0".to_owned()]);
        by(book, format!("end a look {name}"), attack, ends).arranged(format!(
            "UPDATE record.due_runs SET claimed_by = 'mine', claimed_until = 9000000000000000 WHERE root_id = '{root}'"
        ));
    }
    for (name, arguments, ends) in [
        ("as nobody", ["NULL", "1", "1", "0"], Ends::No("value")),
        ("fewer than none", ["'w'", "-1", "1", "0"], Ends::No("value")),
        ("without a number", ["'w'", "NULL", "1", "0"], Ends::Kept("root_id", Same::Money)),
        ("for ever", ["'w'", "1", "9223372036854775807", "0"], Ends::No("value")),
        ("for less than no time", ["'w'", "1", "-1", "0"], Ends::Kept("root_id", Same::Money)),
        ("without an end", ["'w'", "1", "NULL", "0"], Ends::No("value")),
    ] {
        by(book, format!("claim runs {name}"), call("claim_due", &arguments.map(str::to_owned)), ends);
    }
}

fn detection(job: &Job) -> Value {
    json!({ "kind": "orphan", "subject": job.charge(), "item": 0, "run_id": job.run(), "charge_id": job.charge(),
        "output_id": null, "cause": "provider_failed", "detail": "x", "detected_at": "2026-09-21T13:00:00Z", "closed_at": null })
}

fn notes(book: &mut Book) {
    for (name, field, value, words) in [
        ("of no kind", "kind", json!("suspicion"), "value"),
        ("without a subject", "subject", Value::Null, "value"),
        ("of an item below 0", "item", json!(-1), "value"),
        ("of an item in words", "item", json!("first"), "value"),
        ("of no run", "run_id", json!("run_none"), "not there"),
        ("of no charge", "charge_id", json!("chg_none"), "not there"),
        ("at a time that is none", "detected_at", json!("soon"), "value"),
    ] {
        let job = book.small();
        let mut forged = detection(&job);
        forged[field] = value;
        by(book, format!("notice something {name}"), call("detect", &[document(&forged)]), Ends::No(words));
    }
    by(book, "notice nothing", call("detect", &["NULL".to_owned()]), Ends::No("value"));
    let job = book.small();
    let mut early = detection(&job);
    early["detected_at"] = json!("2020-01-01T00:00:00Z");
    by(book, "notice something years ago", call("detect", &[document(&early)]), Ends::Kept("true", Same::Money)).finds(
        format!(
            "SELECT detected_at = (SELECT now FROM record.forge_clock) FROM record.detections WHERE subject = '{}'",
            job.charge()
        ),
        "t",
    );
    let still = ["'run_none'".to_owned(), "'[]'".to_owned(), "0".to_owned()];
    by(book, "close what nobody noticed", call("close_detections", &still), Ends::Answer("0"));
    let garbage = ["'run_none'".to_owned(), "'7'".to_owned(), "0".to_owned()];
    by(book, "close with a number", call("close_detections", &garbage), Ends::Answer("0"));
}

fn passes(book: &mut Book) {
    let report = |id: &str, looked: u32, finished: Option<&str>| json!({ "id": id, "started_at": "2026-09-21T13:00:00Z", "finished_at": finished, "looked_at": looked });
    let over = Some("2026-09-21T13:01:00Z");
    by(
        book,
        "edit the report of a finished pass",
        call("save_pass", &[document(&report("pass-1", 9, over))]),
        Ends::No("never edited"),
    )
    .given(RECONCILER, call("save_pass", &[document(&report("pass-1", 1, over))]), "");
    by(
        book,
        "open a finished pass again",
        call("save_pass", &[document(&report("pass-2", 1, None))]),
        Ends::No("never edited"),
    )
    .given(RECONCILER, call("save_pass", &[document(&report("pass-2", 1, over))]), "");
    for (name, report) in [
        ("no report", Value::Null),
        ("a report without an id", json!({ "started_at": "2026-09-21T13:00:00Z" })),
        ("a report that began at no time", json!({ "id": "pass-3", "started_at": "soon" })),
        ("a report without a beginning", json!({ "id": "pass-4" })),
    ] {
        by(book, format!("save {name}"), call("save_pass", &[document(&report)]), Ends::No("value"));
    }
}
