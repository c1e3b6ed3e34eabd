//! A second person's yes: asked for, given and used as it should not be.

use serde_json::{Value, json};

use super::book::{Book, Ends, Forgery};
use super::calls::{apply, approval, ask, begin, call, decide, decision, document, effect, order, plan, request, text};
use super::stage::{AGENT, APPROVER, COLLEAGUE, FORMER, Same, TWIN};
use crate::product::Job;

/// Why what is over the limit is to be restored.
const WHY: &str = "a promise";

pub fn add(book: &mut Book) {
    asking(book);
    odd_requests(book);
    deciding(book);
    odd_decisions(book);
    using(book);
    using_late(book);
}

/// What is tried after the agent asked for a yes.
fn asked<'a>(
    book: &'a mut Book,
    login: &'static str,
    job: &Job,
    name: &str,
    attack: String,
    ends: Ends,
) -> &'a mut Forgery {
    book.by(login, name, attack, ends).given(AGENT, ask(&request(job, WHY)), "done")
}

fn yes(job: &Job) -> String {
    decide(&approval(job), &decision("approved", &request(job, WHY)["digest"]))
}

fn asking(book: &mut Book) {
    let job = book.big();
    let mut forged = request(&job, WHY);
    forged["asked_by"] = json!("cora");
    book.agent("ask in a colleague's name", ask(&forged), Ends::Kept("done", Same::Money))
        .finds(format!("SELECT asked_by FROM record.approvals WHERE id = '{}'", approval(&job)), "fred");
    for (name, field, value, ends) in [
        ("another digest", "digest", json!("0".repeat(64)), Ends::No("digest")),
        ("no digest", "digest", Value::Null, Ends::No("digest")),
        ("less than it comes to", "amount", json!(1), Ends::No("does not come to")),
        ("no amount", "amount", Value::Null, Ends::No("does not come to")),
        ("an amount past all numbers", "amount", json!(1e300), Ends::No("value")),
        ("an amount in words", "amount", json!("little"), Ends::No("value")),
        ("another reason than the digest's", "reason", json!("because"), Ends::No("digest")),
        ("another case than the digest's", "case_id", json!("case_none"), Ends::No("digest")),
        ("no restorations", "restorations", json!([]), Ends::No("digest")),
        ("no id", "id", Value::Null, Ends::No("value")),
    ] {
        let job = book.big();
        let mut forged = request(&job, WHY);
        forged[field] = value;
        book.agent(format!("ask for {name}"), ask(&forged), ends);
    }
    let (job, other) = (book.big(), book.big());
    let mut forged = request(&other, WHY);
    forged["id"] = json!(approval(&job));
    asked(book, COLLEAGUE, &job, "ask under the id of another request", ask(&forged), Ends::No("of another request"));
    let job = book.big();
    asked(book, AGENT, &job, "ask twice", ask(&request(&job, WHY)), Ends::Answer("already"));
}

/// Requests whose digest is right, of restorations that are not.
fn odd_requests(book: &mut Book) {
    for (name, path, value, words) in [
        ("a line below 0", "/0/lines/0/amount", json!(-100), "whole number"),
        ("a line in words", "/0/lines/0/amount", json!("ten"), "whole number"),
        ("a line of a half", "/0/lines/0/amount", json!(0.5), "whole number"),
        ("lines that are none", "/0/lines", json!("all"), "lines"),
        ("a restoration that is a number", "/0", json!(7), "restoration"),
        ("restorations that are no list", "", json!({ "lines": [] }), "restorations"),
    ] {
        let job = book.big();
        let mut forged = request(&job, WHY);
        if let Some(place) = forged["restorations"].pointer_mut(path) {
            *place = value;
        }
        rewritten(book, &format!("ask for {name}"), &job, forged, words);
    }
    let (job, other) = (book.big(), book.big());
    let mut forged = request(&job, WHY);
    let mut less = effect(&other.restore())["restoration"].clone();
    less["lines"] =
        json!([{ "source": "bal_q", "target": "bal_q", "target_kind": "wallet", "amount": 1 - job.total() }]);
    forged["restorations"] = json!([forged["restorations"][0], less]);
    forged["amount"] = json!(1);
    rewritten(book, "ask for much that looks like 1 credit", &job, forged, "whole number");
    let job = book.big();
    let mut forged = request(&job, WHY);
    forged["releases"] = json!([{ "amount": 1 - job.total(), "items": [], "refund_ids": [] }]);
    forged["amount"] = json!(1);
    rewritten(book, "ask for much that a release makes look like 1 credit", &job, forged, "not below 0");
    book.agent("ask for nothing", call("ask_approval", &["NULL".to_owned(), "0".to_owned()]), Ends::No("digest"));
    let job = book.big();
    let mut forged = request(&job, WHY);
    forged["reason"] = Value::Null;
    rewritten(book, "ask without a reason", &job, forged, "value");
}

/// A request with the digest that the record itself makes of what it says.
fn rewritten(book: &mut Book, name: &str, job: &Job, forged: Value, words: &'static str) {
    let releases = forged.get("releases").cloned().unwrap_or_else(|| json!([]));
    let restorations = &forged["restorations"];
    let canonical = json!({ "case": job.case(), "restorations": restorations, "releases": releases,
        "reason": forged["reason"] });
    let mut forged = forged;
    forged["digest"] = json!(sum_of(&canonical));
    book.agent(name, ask(&forged), Ends::No(words));
}

/// SHA-256 over JSON with its keys in order and no blanks.
fn sum_of(value: &Value) -> String {
    use sha2::{Digest as _, Sha256};
    let sum = Sha256::digest(value.to_string().as_bytes());
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn deciding(book: &mut Book) {
    let job = book.big();
    asked(book, AGENT, &job, "say yes to the own request", yes(&job), Ends::No("your own request"));
    let job = book.big();
    asked(book, TWIN, &job, "say yes to the own request with the other login", yes(&job), Ends::No("your own request"));
    let job = book.big();
    let renamed = format!(
        "SET application_name = '{APPROVER}'; SELECT set_config('makegood.person', 'ben', false); {}",
        yes(&job)
    );
    asked(
        book,
        TWIN,
        &job,
        "say yes to the own request, the session under another name",
        renamed,
        Ends::No("your own request"),
    );
    let job = book.big();
    asked(book, COLLEAGUE, &job, "say yes without being an approver", yes(&job), Ends::No("may not approve"));
    let job = book.big();
    asked(book, FORMER, &job, "say yes after the role was taken in the record", yes(&job), Ends::No("may not approve"));
    let job = book.big();
    asked(book, TWIN, &job, "say yes after the role was taken at the server", yes(&job), Ends::NoRight)
        .arranged(format!("REVOKE makegood_approver, makegood_agent FROM {TWIN}"));
    let job = book.big();
    let digest = request(&job, WHY)["digest"].clone();
    asked(
        book,
        COLLEAGUE,
        &job,
        "take a colleague's request back",
        decide(&approval(&job), &decision("withdrawn", &digest)),
        Ends::No("only who asked"),
    );
    let job = book.big();
    let mut named = decision("approved", &request(&job, WHY)["digest"]);
    named["by"] = json!("fred");
    asked(
        book,
        APPROVER,
        &job,
        "say yes in another's name",
        decide(&approval(&job), &named),
        Ends::Kept("done", Same::Money),
    )
    .finds(format!("SELECT decided_by FROM record.approvals WHERE id = '{}'", approval(&job)), "ben");
    let job = book.big();
    asked(
        book,
        APPROVER,
        &job,
        "say no after yes",
        decide(&approval(&job), &decision("declined", &request(&job, WHY)["digest"])),
        Ends::No("approved already"),
    )
    .given(APPROVER, yes(&job), "done");
    let job = book.big();
    asked(book, APPROVER, &job, "say yes twice", yes(&job), Ends::Answer("already")).given(APPROVER, yes(&job), "done");
    let job = book.big();
    asked(book, APPROVER, &job, "say yes a day and a second later", yes(&job), Ends::No("expired already"))
        .arranged("UPDATE record.forge_clock SET now = now + 86401000000");
    let job = book.big();
    book.by(APPROVER, "say yes to what nobody asked", yes(&job), Ends::Unknown);
    let job = book.big();
    asked(book, APPROVER, &job, "say yes to what was taken back", yes(&job), Ends::No("withdrawn already")).given(
        AGENT,
        decide(&approval(&job), &decision("withdrawn", &request(&job, WHY)["digest"])),
        "done",
    );
}

fn odd_decisions(book: &mut Book) {
    for (name, said, words) in [
        ("another digest", decision("approved", &json!("0".repeat(64))), "look at it again"),
        ("no digest", decision("approved", &Value::Null), "look at it again"),
        ("nothing but a yes", json!({ "state": "approved" }), "look at it again"),
        ("nothing", Value::Null, "look at it again"),
        ("a list", json!(["approved"]), "look at it again"),
    ] {
        let job = book.big();
        asked(book, APPROVER, &job, &format!("decide with {name}"), decide(&approval(&job), &said), Ends::No(words));
    }
    for state in ["used", "expired", "waiting", "paid", ""] {
        let job = book.big();
        let said = decision(state, &request(&job, WHY)["digest"]);
        asked(
            book,
            APPROVER,
            &job,
            &format!("decide that it is '{state}'"),
            decide(&approval(&job), &said),
            Ends::No("nobody decides"),
        );
    }
    let job = book.big();
    let said = json!({ "digest": request(&job, WHY)["digest"], "state": null });
    asked(book, APPROVER, &job, "decide nothing", decide(&approval(&job), &said), Ends::No("nobody decides"));
    let arguments = ["NULL".to_owned(), document(&said), "0".to_owned()];
    book.by(APPROVER, "decide without an id", call("decide_approval", &arguments), Ends::Unknown);
    let job = book.big();
    let arguments = [text(&approval(&job)), "'yes'".to_owned(), "0".to_owned()];
    asked(book, APPROVER, &job, "decide in a word", call("decide_approval", &arguments), Ends::Unread);
}

/// Asks for a yes to a job's plan, gets it, and begins something.
fn approved<'a>(
    book: &'a mut Book,
    login: &'static str,
    job: &Job,
    name: &str,
    attack: String,
    ends: Ends,
) -> &'a mut Forgery {
    asked(book, login, job, name, attack, ends).given(APPROVER, yes(job), "done")
}

fn using(book: &mut Book) {
    const NEEDED: Ends = Ends::Answer("approval_needed");
    let job = book.big();
    let whole = json!(job.plan(1));
    approved(book, AGENT, &job, "use a yes for another reason", begin(&order(&job, Some("because")), &whole), NEEDED);
    let job = book.big();
    approved(book, AGENT, &job, "use a yes for no reason", begin(&order(&job, None), &json!(job.plan(1))), NEEDED);
    let (job, other) = (book.big(), book.big());
    let mut elsewhere = json!(job.plan(1));
    elsewhere["case_id"] = json!(other.case());
    approved(book, AGENT, &job, "use a yes on another case", begin(&order(&other, Some(WHY)), &elsewhere), NEEDED);
    let job = book.big();
    let mut forged = json!(job.plan(1));
    forged["steps"][0]["effect"]["restoration"]["items"][0]["credits"] = json!(1);
    approved(book, AGENT, &job, "use a yes for other items", begin(&order(&job, Some(WHY)), &forged), NEEDED);
    let (job, other) = (book.big(), book.big());
    let both = plan(&job, &[effect(&job.restore()), effect(&other.restore())]);
    approved(book, AGENT, &job, "use a yes for more", begin(&order(&job, Some(WHY)), &both), NEEDED);
    let job = book.big();
    approved(
        book,
        COLLEAGUE,
        &job,
        "use a colleague's yes",
        begin(&order(&job, Some(WHY)), &json!(job.plan(1))),
        NEEDED,
    )
    .arranged("UPDATE record.people SET per_posting = 1 WHERE id = 'cora'");
    let (job, other) = (book.big(), book.big());
    let mut again = order(&job, Some(WHY));
    again["key"] = json!(other.key());
    let key = job.key().0;
    approved(book, AGENT, &job, "use a yes twice", begin(&again, &json!(job.plan(1))), NEEDED)
        .given(AGENT, begin(&order(&job, Some(WHY)), &json!(job.plan(1))), "new")
        .given(
            AGENT,
            super::calls::finish(&key, &json!({ "state": "failed_before_effect", "why": "x", "retry": true })),
            "",
        );
    let job = book.big();
    asked(book, AGENT, &job, "use a yes that nobody gave", begin(&order(&job, Some(WHY)), &json!(job.plan(1))), NEEDED);
    let job = book.big();
    asked(book, AGENT, &job, "use a no", begin(&order(&job, Some(WHY)), &json!(job.plan(1))), NEEDED).given(
        APPROVER,
        decide(&approval(&job), &decision("declined", &request(&job, WHY)["digest"])),
        "done",
    );
    let job = book.big();
    approved(
        book,
        AGENT,
        &job,
        "do another step than was approved",
        apply(&job.key().0, 1, 0, &effect(&job.restore())),
        Ends::No("plan"),
    )
    .given(AGENT, begin(&order(&job, Some(WHY)), &json!(job.plan(1))), "new");
}

fn using_late(book: &mut Book) {
    let job = book.big();
    approved(
        book,
        AGENT,
        &job,
        "use a yes that is a microsecond too old",
        begin(&order(&job, Some(WHY)), &json!(job.plan(1))),
        Ends::Answer("more than 15 minutes ago"),
    )
    .arranged("UPDATE record.forge_clock SET now = now + 900000001");
    let job = book.big();
    approved(
        book,
        AGENT,
        &job,
        "use an old yes after saying that it is yesterday",
        begin(&order(&job, Some(WHY)), &json!(job.plan(1))),
        Ends::Answer("approval_needed"),
    )
    .arranged("UPDATE record.forge_clock SET now = now + 86400000000");
}
