//! Calls that move no credits, with arguments that make no sense.

use super::book::{Book, Ends};
use super::calls::call;
use super::stage::{AGENT, APPROVER, AUDITOR, RECONCILER, STRAY, Same};

pub fn add(book: &mut Book) {
    for (login, name, function, arguments, ends) in CALLS {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let said = arguments.join(", ");
        book.by(login, format!("{name}: {function}({said})"), call(function, &arguments), *ends);
    }
    let job = book.small();
    let case = format!("'{}'", job.case().as_str());
    for (function, arguments, ends) in [
        (
            "save_draft",
            vec![case.clone(), "'answer'".into(), "'cora'".into(), "NULL".into(), "0".into(), "0".into()],
            Ends::No("value"),
        ),
        (
            "save_draft",
            vec![case.clone(), "'poem'".into(), "'cora'".into(), "'x'".into(), "0".into(), "0".into()],
            Ends::Kept("saved", Same::Money),
        ),
        ("choose_runs", vec![case.clone(), "1".into(), "NULL".into(), "0".into()], Ends::No("value")),
        ("choose_runs", vec![case.clone(), "9".into(), "'{}'".into(), "0".into()], Ends::Stale),
        ("save_finding", vec![case.clone(), "1".into(), "NULL".into(), "'{}'".into(), "0".into()], Ends::No("value")),
        (
            "save_finding",
            vec![case.clone(), "1".into(), "'{}'".into(), "'{\"runs\": \"all\"}'".into(), "0".into()],
            Ends::No("value"),
        ),
        (
            "save_finding",
            vec![case.clone(), "1".into(), "'{}'".into(), "'{\"file_deadline\": \"soon\"}'".into(), "0".into()],
            Ends::No("value"),
        ),
    ] {
        book.agent(format!("{function}({})", arguments.join(", ")), call(function, &arguments), ends);
    }
    let draft = [case, "'answer'".into(), "'cora'".into(), "'mine'".into(), "0".into(), "0".into()];
    book.agent("write a draft in a colleague's name", call("save_draft", &draft), Ends::Kept("saved", Same::Money))
        .finds(format!("SELECT author FROM record.drafts WHERE case_id = '{}'", job.case().as_str()), "fred");
}

type Call = (&'static str, &'static str, &'static str, &'static [&'static str], Ends);

const CALLS: &[Call] = &[
    (AGENT, "seal fewer than none", "seal_audit", &["-1", "0"], Ends::No("cannot be sealed")),
    (AGENT, "seal nothing", "seal_audit", &["0", "0"], Ends::Answer("0")),
    (AGENT, "seal without a number", "seal_audit", &["NULL", "0"], Ends::Kept("", Same::Money)),
    (APPROVER, "seal in a word", "seal_audit", &["'all'", "0"], Ends::Unread),
    (RECONCILER, "seal past all numbers", "seal_audit", &["99999999999999999999", "0"], Ends::Unread),
    (AGENT, "a case of nothing", "open_case", &["NULL"], Ends::No("value")),
    (AGENT, "an empty case", "open_case", &["'{}'"], Ends::No("value")),
    (AGENT, "a case in a word", "open_case", &["'7'"], Ends::No("value")),
    (
        AGENT,
        "a case whose files are a word",
        "open_case",
        &["'{\"ticket\": {\"id\": \"t\"}, \"attachments\": \"all\"}'"],
        Ends::No("value"),
    ),
    (
        AGENT,
        "a case of a ticket that was made at no time",
        "open_case",
        &["'{\"ticket\": {\"id\": \"t\", \"created_at\": \"soon\"}, \"attachments\": []}'"],
        Ends::No("value"),
    ),
    (AGENT, "nothing as a file", "keep_blob", &["NULL"], Ends::No("value")),
    (AGENT, "no case to give away", "assign", &["'case_none'", "'ana'", "'ana'", "0"], Ends::Unknown),
    (AGENT, "give nothing away", "assign", &["NULL", "'ana'", "'ana'", "0"], Ends::Unknown),
    (AGENT, "choose for no case", "choose_runs", &["'case_none'", "1", "'{}'", "0"], Ends::Unknown),
    (AGENT, "choose for nothing", "choose_runs", &["NULL", "1", "'{}'", "0"], Ends::Unknown),
    (AGENT, "a finding of no case", "save_finding", &["'case_none'", "1", "'{}'", "'{}'", "0"], Ends::Unknown),
    (AGENT, "a finding of nothing", "save_finding", &["NULL", "NULL", "NULL", "NULL", "NULL"], Ends::Unknown),
    (
        AGENT,
        "a draft for no case",
        "save_draft",
        &["'case_none'", "'answer'", "'ana'", "'x'", "0", "0"],
        Ends::No("not there"),
    ),
    (AGENT, "a view without a name", "save_view", &["'ana'", "NULL", "'{}'"], Ends::No("value")),
    (APPROVER, "a view of nothing", "save_view", &["'ana'", "'mine'", "NULL"], Ends::No("value")),
    (AGENT, "delete a colleague's view", "delete_view", &["'cora'", "'mine'"], Ends::Answer("")),
    (AGENT, "a look-up of nothing", "record_look_up", &["NULL", "NULL"], Ends::No("value")),
    (RECONCILER, "a look-up of an empty job", "record_look_up", &["'{}'", "'[]'"], Ends::No("value")),
    (
        RECONCILER,
        "a look-up with a word as answers",
        "record_look_up",
        &["'{\"id\": \"j\"}'", "'7'"],
        Ends::No("value"),
    ),
    (AGENT, "who am I, as nobody", "identity", &["NULL", "NULL"], Ends::Answer("\"fred\"")),
    (AGENT, "who am I, as a colleague", "identity", &["'cora'", "0"], Ends::Answer("\"fred\"")),
    (STRAY, "who am I, unknown", "identity", &["'cora'", "0"], Ends::No("does not know whose login")),
    (AUDITOR, "who am I, with the reconciler's name", "identity", &["'reconciler'", "0"], Ends::Answer("\"aud\"")),
    (AUDITOR, "the clock of nothing", "clock", &["NULL"], Ends::Answer("")),
    (AGENT, "the clock in a word", "clock", &["'now'"], Ends::Unread),
    (AUDITOR, "fewer approvals than none", "approvals_at", &["0", "-1", "0"], Ends::Answer("")),
    (AUDITOR, "approvals of nothing", "approvals_at", &["NULL", "NULL", "NULL"], Ends::Answer("")),
    (APPROVER, "approvals of all time", "approvals_at", &["0", "10", "9223372036854775807"], Ends::Answer("")),
    (AUDITOR, "a yes by the auditor", "decide_approval", &["'x'", "'{}'", "0"], Ends::NoRight),
    (AUDITOR, "a seal by the auditor", "seal_audit", &["10", "0"], Ends::NoRight),
    (AUDITOR, "a fact by the auditor", "feed", &["'[]'", "0"], Ends::NoRight),
    (AUDITOR, "a plan by the auditor", "begin_action", &["'{}'", "'{}'", "0"], Ends::NoRight),
    (AUDITOR, "a settlement by the auditor", "settle", &["'rec-1'", "0", "'{}'", "0"], Ends::NoRight),
    (AUDITOR, "a view by the auditor", "save_view", &["'aud'", "'mine'", "'{}'"], Ends::NoRight),
    (APPROVER, "a plan by the approver", "begin_action", &["'{}'", "'{}'", "0"], Ends::NoRight),
    (APPROVER, "an effect by the approver", "apply", &["'k'", "0", "0", "'{}'", "0"], Ends::NoRight),
    (APPROVER, "a request by the approver", "ask_approval", &["'{}'", "0"], Ends::NoRight),
    (RECONCILER, "a yes by the reconciler", "decide_approval", &["'x'", "'{}'", "0"], Ends::NoRight),
    (RECONCILER, "an effect by the reconciler", "apply", &["'k'", "0", "0", "'{}'", "0"], Ends::NoRight),
    (AGENT, "a settlement by the agent", "settle", &["'rec-1'", "0", "'{}'", "0"], Ends::NoRight),
    (AGENT, "a fact by the agent", "feed", &["'[]'", "0"], Ends::NoRight),
];
