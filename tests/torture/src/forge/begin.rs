//! Plans that an agent should not get begun.

use makegood_domain::plan::Plan;
use serde_json::{Value, json};

use super::book::{Book, Ends};
use super::calls::{apply, begin, call, document, effect, finish, order, plan, text};
use super::stage::{AGENT, COLLEAGUE, RECONCILER, STRAY, Same, TWIN};
use crate::product::Job;

/// The restoration of a job, with something else in it.
fn forged(job: &Job, forge: impl Fn(&mut Value)) -> Value {
    let mut restore = effect(&job.restore());
    forge(&mut restore["restoration"]);
    restore
}

/// Begins the plan of one forged restoration.
fn with(job: &Job, forge: impl Fn(&mut Value)) -> String {
    begin(&order(job, None), &plan(job, &[forged(job, forge)]))
}

pub fn add(book: &mut Book) {
    who_and_what(book);
    whole_plans(book);
    words_for_plans(book);
    amounts(book);
    lists(book);
    places(book);
    limits(book);
}

fn who_and_what(book: &mut Book) {
    let job = book.small();
    book.agent(
        "begin in another's name",
        begin(&order(&job, None), &json!(job.plan(1))),
        Ends::Kept("new", Same::Money),
    )
    .finds(format!("SELECT agent FROM record.actions WHERE key = '{}'", job.key().0), "fred");
    let job = book.small();
    book.by(
        STRAY,
        "begin with a login that is nobody's",
        begin(&order(&job, None), &json!(job.plan(1))),
        Ends::No("does not know whose login"),
    );
    let (job, other) = (book.small(), book.small());
    let mut taken = order(&job, None);
    taken["key"] = json!(other.key());
    book.agent("begin under another's key", begin(&taken, &json!(job.plan(1))), Ends::Answer("key_conflict")).given(
        COLLEAGUE,
        begin(&order(&other, None), &json!(other.plan(1))),
        "new",
    );
    let job = book.small();
    let mut changed = json!(job.plan(1));
    changed["steps"][0]["effect"]["cause"] = json!("another");
    let mut again = order(&job, None);
    again["digest"] = json!("0".repeat(64));
    book.agent("change a plan that is begun", begin(&again, &changed), Ends::Answer("key_conflict")).given(
        AGENT,
        begin(&order(&job, None), &json!(job.plan(1))),
        "new",
    );
    let (job, other) = (book.small(), book.small());
    let mut second = order(&job, None);
    second["key"] = json!(other.key());
    book.agent("begin a second one on a case", begin(&second, &json!(job.plan(1))), Ends::Answer("busy")).given(
        COLLEAGUE,
        begin(&order(&job, None), &json!(job.plan(1))),
        "new",
    );
    let job = book.small();
    let sweep = json!({ "effect": "open_incident", "run_id": job.run(), "output_ids": [], "summary": "x" });
    book.agent(
        "begin under the reconciler's key",
        begin(&order(&job, None), &json!(job.plan(1))),
        Ends::Answer("key_conflict"),
    )
    .given(RECONCILER, super::calls::settle(&job.key().0, 0, &sweep), "incident");
    let job = book.small();
    let injected = "k'); DROP TABLE record.charges; --";
    let mut order_of = order(&job, Some("'; UPDATE record.balance_stripes SET level = 0; --"));
    order_of["key"] = json!(injected);
    book.agent("SQL as a key and a reason", begin(&order_of, &json!(job.plan(1))), Ends::Kept("new", Same::Money))
        .finds(format!("SELECT count(*) FROM record.actions WHERE key = {}", text(injected)), "1");
    let job = book.small();
    let mut order_of = order(&job, None);
    order_of["key"] = json!("key\u{202e}\u{200d}😀é-of-an-action");
    book.agent("a key of signs from everywhere", begin(&order_of, &json!(job.plan(1))), Ends::Kept("new", Same::Money));
}

fn whole_plans(book: &mut Book) {
    for (name, forge, ends) in [
        ("no key", forge_order("key", Value::Null), Ends::No("key")),
        ("an empty key", forge_order("key", json!("")), Ends::No("key")),
        ("no digest", forge_order("digest", Value::Null), Ends::No("digest")),
        ("an order that is none", json!({ "order": [] }), Ends::No("key")),
        ("an order that is a list", json!({ "order": true }), Ends::No("key")),
    ] {
        let job = book.small();
        let order = match forge.get("order") {
            Some(instead) => instead.clone(),
            None => {
                let mut order = order(&job, None);
                order[forge["field"].as_str().unwrap_or_default()] = forge["value"].clone();
                order
            }
        };
        book.agent(format!("begin with {name}"), begin(&order, &json!(job.plan(1))), ends);
    }
    for (name, field, value, ends) in [
        ("a case that is not there", "case_id", json!("case_none"), Ends::Unknown),
        ("no case", "case_id", Value::Null, Ends::No("case")),
        ("another revision", "case_revision", json!(7), Ends::Answer("case_changed")),
        ("no revision", "case_revision", Value::Null, Ends::No("revision")),
        ("a revision in words", "case_revision", json!("first"), Ends::No("revision")),
        ("a revision past all numbers", "case_revision", json!(1e30), Ends::No("revision")),
        ("no kind", "kind", Value::Null, Ends::No("kind")),
        ("a kind that is none", "kind", json!("print_money"), Ends::Kept("new", Same::Money)),
        ("no steps", "steps", Value::Null, Ends::No("steps")),
        ("steps that are no list", "steps", json!({ "0": 1 }), Ends::No("steps")),
        ("a step that is a number", "steps", json!([7]), Ends::No("step")),
        ("a step of no kind", "steps", json!([{ "step": "steal" }]), Ends::No("step")),
        ("an effect that is none", "steps", json!([{ "step": "do", "effect": null }]), Ends::No("step")),
        ("an effect of no kind", "steps", json!([{ "step": "do", "effect": { "effect": "mint" } }]), Ends::No("step")),
    ] {
        let job = book.small();
        let mut plan = json!(job.plan(1));
        plan[field] = value;
        book.agent(format!("begin a plan with {name}"), begin(&order(&job, None), &plan), ends);
    }
}

fn forge_order(field: &str, value: Value) -> Value {
    json!({ "field": field, "value": value })
}

fn words_for_plans(book: &mut Book) {
    let job = book.small();
    let (order, plan) = (document(&order(&job, None)), document(&json!(job.plan(1))));
    for (name, arguments, ends) in [
        ("nothing", ["NULL".to_owned(), "NULL".to_owned(), "NULL".to_owned()], Ends::No("key")),
        ("no plan", [order.clone(), "NULL".to_owned(), "0".to_owned()], Ends::No("case")),
        ("a plan cut off", [order.clone(), "'{\"case_id\": '::jsonb".to_owned(), "0".to_owned()], Ends::Unread),
        (
            "a plan with a NUL",
            [order.clone(), "'{\"case_id\": \"\\u0000\"}'::jsonb".to_owned(), "0".to_owned()],
            Ends::Unread,
        ),
        ("numbers", ["1".to_owned(), "2".to_owned(), "3".to_owned()], Ends::Unread),
        ("a time past all numbers", [order.clone(), plan.clone(), "9223372036854775808".to_owned()], Ends::Unread),
    ] {
        book.agent(format!("begin with {name}"), call("begin_action", &arguments), ends);
    }
    book.agent("begin with a time too few", call("begin_action", &[order, plan]), Ends::Unread);
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let job = book.small();
    let mut nested = json!(job.plan(1)).to_string();
    nested.insert_str(1, &format!("\"flags_of_flags\": {deep}, "));
    let attack = call(
        "begin_action",
        &[document(&super::calls::order(&job, None)), format!("{}::jsonb", text(&nested)), "0".to_owned()],
    );
    book.agent("a plan that is nested 5,000 deep", attack, Ends::Kept("new", Same::Money));
}

fn amounts(book: &mut Book) {
    for (name, value) in [
        ("below 0", json!(-5)),
        ("of a half", json!(0.5)),
        ("past 64 bits", json!(9_223_372_036_854_775_808_u64)),
        ("past all numbers", json!(1e300)),
        ("in words", json!("ten")),
        ("of nothing", Value::Null),
        ("of a list", json!([10])),
        ("that is true", json!(true)),
    ] {
        let job = book.plain();
        let attack = with(&job, |wanted| wanted["lines"][0]["amount"] = value.clone());
        book.agent(format!("a line {name}"), attack, Ends::No("whole number"));
        let job = book.plain();
        let attack = with(&job, |wanted| wanted["items"][0]["credits"] = value.clone());
        book.agent(format!("an item for credits {name}"), attack, Ends::No("whole number"));
        let job = book.plain();
        let attack = with(&job, |wanted| wanted["items"][0]["item"] = value.clone());
        book.agent(format!("an item whose number is {name}"), attack, Ends::No("whole number"));
    }
    let job = book.mixed();
    let most = i64::MAX;
    let attack = with(&job, |wanted| {
        for line in 0..2 {
            wanted["lines"][line]["amount"] = json!(most);
        }
    });
    book.agent("two lines of the most credits that there are", attack, Ends::No("whole number"));
    let (job, other) = (book.big(), book.small());
    let mut less = effect(&other.restore());
    less["restoration"]["lines"][0]["amount"] = json!(-100);
    let attack = begin(&order(&job, None), &plan(&job, &[effect(&job.restore()), less]));
    book.agent("a second step that makes the sum of the plan small", attack, Ends::No("whole number"));
    let job = book.big();
    let honest = json!(job.plan(1)).to_string();
    let twice = honest.replace("\"amount\":", "\"amount\":1,\"amount\":");
    let attack =
        call("begin_action", &[document(&order(&job, None)), format!("{}::jsonb", text(&twice)), "0".to_owned()]);
    book.agent("each amount twice, the first one small", attack, Ends::Answer("approval_needed"));
}

fn lists(book: &mut Book) {
    for (name, field, value) in [
        ("items are missing", "items", Value::Null),
        ("items are an object", "items", json!({ "item": 1, "credits": 5 })),
        ("items are numbers", "items", json!([1, 2])),
        ("lines are missing", "lines", Value::Null),
        ("lines are an object", "lines", json!({ "amount": 5 })),
        ("lines are texts", "lines", json!(["bal_q"])),
    ] {
        let job = book.small();
        let attack = with(&job, |wanted| wanted[field] = value.clone());
        book.agent(format!("a restoration whose {name}"), attack, Ends::No("restoration"));
    }
    for field in ["items", "lines"] {
        let job = book.small();
        let forged = forged(&job, |wanted| wanted[field] = json!([]));
        done(book, &job, format!("a restoration without {field}"), &forged, "do not add up");
    }
    let job = book.several();
    let twice = forged(&job, |wanted| wanted["items"][1]["item"] = json!(1));
    done(book, &job, "the same item twice".to_owned(), &twice, "");
}

/// What can be begun and not be done: of the charge only its posting knows enough.
fn done(book: &mut Book, job: &Job, name: String, forged: &Value, words: &'static str) {
    let begun = begin(&order(job, None), &plan(job, std::slice::from_ref(forged)));
    book.agent(name, apply(&job.key().0, 0, 0, forged), Ends::No(words)).given(AGENT, begun, "new");
}

fn places(book: &mut Book) {
    let job = book.plain();
    let source = forged(&job, |wanted| wanted["lines"][0]["source"] = json!("bal_w"));
    done(book, &job, "a source that the charge never drew from".to_owned(), &source, "refers to");
    for (target, words) in [
        ("bal_other", "another account"),
        ("bal_none", "no balance"),
        ("usage:acc_t", "no balance"),
        ("carried:acc_t", "no balance"),
        ("issuance", "no balance"),
        ("stray", "no balance"),
        ("usage:acc_other", "no balance"),
    ] {
        let job = book.plain();
        let forged = forged(&job, |wanted| wanted["lines"][0]["target"] = json!(target));
        done(book, &job, format!("{target} as the target"), &forged, words);
    }
    for (name, field, value, words) in [
        ("a charge that is not there", "charge_id", json!("chg_none"), "there is no charge"),
        ("a charge of somebody else", "charge_id", json!("chg_other"), "another account"),
        ("another account", "account_id", json!("acc_other"), "another account"),
        ("no account", "account_id", Value::Null, "account"),
        ("no charge", "charge_id", Value::Null, "charge"),
        ("another run", "run_id", json!("run_other"), "is not of run"),
        ("no run", "run_id", Value::Null, "run"),
    ] {
        let job = book.small();
        let forged = forged(&job, |wanted| wanted[field] = value.clone());
        done(book, &job, format!("a restoration of {name}"), &forged, words);
    }
    let job = book.several();
    let more = forged(&job, |wanted| {
        raise(wanted, "/items/0/credits", 1);
        raise(wanted, "/lines/0/amount", 1);
    });
    done(book, &job, "restore more than the item cost".to_owned(), &more, "cost only");
    let job = book.several();
    let shifted = forged(&job, |wanted| {
        raise(wanted, "/items/0/credits", 1);
        raise(wanted, "/items/1/credits", -1);
    });
    done(book, &job, "restore more of one item than it cost".to_owned(), &shifted, "cost only");
}

fn raise(wanted: &mut Value, path: &str, by: i64) {
    if let Some(place) = wanted.pointer_mut(path) {
        *place = json!(place.as_i64().unwrap_or_default() + by);
    }
}

/// Begins and does the restoration of a job, as the first of its plan.
pub fn restored(book: &mut super::book::Forgery, job: &Job) {
    let whole: Plan = job.plan(1);
    book.given(AGENT, begin(&order(job, None), &json!(whole)), "new");
    book.given(AGENT, apply(&job.key().0, 0, 0, &effect(&job.restore())), "restored");
    book.given(AGENT, finish(&job.key().0, &json!({ "state": "done" })), "");
}

fn limits(book: &mut Book) {
    let job = book.big();
    book.agent(
        "over the limit of a posting",
        begin(&order(&job, None), &json!(job.plan(1))),
        Ends::Answer("approval_needed"),
    );
    let job = book.big();
    book.by(
        TWIN,
        "over the limit of a posting with the other login",
        begin(&order(&job, None), &json!(job.plan(1))),
        Ends::Answer("approval_needed"),
    );
    let parts: Vec<Job> = (0..3).map(|_| book.near()).collect();
    let steps: Vec<Value> = parts.iter().map(|job| effect(&job.restore())).collect();
    book.agent(
        "over the limit of a posting in several steps",
        begin(&order(&parts[0], None), &plan(&parts[0], &steps)),
        Ends::Answer("approval_needed"),
    );
    let parts: Vec<Job> = (0..3).map(|_| book.near()).collect();
    let attack = begin(&order(&parts[2], None), &json!(parts[2].plan(1)));
    let forgery =
        book.agent("over the limit of a day, one small one after the other", attack, Ends::Answer("in a day"));
    for job in &parts[..2] {
        restored(forgery, job);
    }
    let parts: Vec<Job> = (0..3).map(|_| book.near()).collect();
    let attack = apply(&parts[2].key().0, 0, 0, &effect(&parts[2].restore()));
    let forgery =
        book.agent("over the limit of a day, all begun before the first is done", attack, Ends::No("in a day"));
    for job in &parts {
        forgery.given(AGENT, begin(&order(job, None), &json!(job.plan(1))), "new");
    }
    for job in &parts[..2] {
        forgery.given(AGENT, apply(&job.key().0, 0, 0, &effect(&job.restore())), "restored");
    }
    let parts: Vec<Job> = (0..3).map(|_| book.near()).collect();
    let attack = begin(&order(&parts[2], None), &json!(parts[2].plan(1)));
    let forgery = book.by(TWIN, "over the limit of a day with two logins", attack, Ends::Answer("in a day"));
    for job in &parts[..2] {
        restored(forgery, job);
    }
    let job = book.big();
    book.agent(
        "carry out a colleague's plan that is over the own limit",
        apply(&job.key().0, 0, 0, &effect(&job.restore())),
        Ends::No("limit"),
    )
    .given(COLLEAGUE, begin(&order(&job, None), &json!(job.plan(1))), "new");
    let job = book.small();
    book.agent(
        "over a limit that was lowered meanwhile",
        apply(&job.key().0, 0, 0, &effect(&job.restore())),
        Ends::No("limit"),
    )
    .given(AGENT, begin(&order(&job, None), &json!(job.plan(1))), "new")
    .arranged("UPDATE record.people SET per_posting = 1 WHERE id = 'fred'");
}
