//! Guards of the record on PostgreSQL, taken away one at a time by the superuser of a throwaway server.

use super::{Bed, Bug};
use crate::forge;

/// A guard less, the attacks that it was for, and how that shows.
type Hole = (&'static str, String, &'static [&'static str], &'static [&'static str]);

/// Attacks that are made without a hole as well.
const ATTACKS: &[&str] = &[
    "UPDATE record.balance_stripes",
    "catalogue",
    "api.put_person(",
    "use a yes twice",
    "say yes to the own request",
    "over the limit of a posting",
    "restore another charge than was planned",
    "ALTER TABLE record.charges DISABLE",
    "at 8000000000000000",
    "makes the sum of the plan small",
    "say a thing again",
    "decide with no digest",
    "begin under another's key",
    "carry out a colleague's plan",
    "a lease of a thousand years",
    "no items at all among others",
];

pub fn beds() -> Vec<Bed> {
    let control = Box::new(|run: &_| forge::small(run, None, ATTACKS));
    let guard = Bug {
        name: "sync guard dropped",
        shows: &["acknowledged and are gone"],
        play: Box::new(|run| forge::small(run, Some(forge::NO_GUARD), &["acknowledged"])),
    };
    let mut bugs: Vec<Bug> = holes()
        .into_iter()
        .map(|(name, plant, only, shows)| Bug {
            name,
            shows,
            play: Box::new(move |run| forge::small(run, Some(&plant), only)),
        })
        .collect();
    bugs.push(guard);
    vec![Bed { suite: "forge", control, bugs }]
}

fn holes() -> Vec<Hole> {
    let mut all = rights();
    all.extend(approvals());
    all.extend(steps());
    all
}

fn rights() -> Vec<Hole> {
    vec![
        (
            "agents write a table of money",
            "GRANT USAGE ON SCHEMA record TO makegood_agent;
            GRANT SELECT, INSERT, UPDATE ON record.balance_stripes TO makegood_agent"
                .to_owned(),
            &["UPDATE record.balance_stripes"],
            &["may: UPDATE record.balance_stripes"],
        ),
        (
            "search_path not pinned",
            "ALTER FUNCTION api.assign(text, text, text, bigint) RESET search_path".to_owned(),
            &["catalogue"],
            &["takes its search_path from the caller"],
        ),
        (
            "everybody may call an inner function",
            "GRANT EXECUTE ON FUNCTION api.put_person(jsonb, bigint) TO PUBLIC".to_owned(),
            &["api.put_person("],
            &["may: SELECT api.put_person("],
        ),
        (
            "a login owns a table",
            "GRANT USAGE ON SCHEMA record TO makegood_agent; ALTER TABLE record.charges OWNER TO forger_agent"
                .to_owned(),
            &["ALTER TABLE record.charges DISABLE"],
            &["may: ALTER TABLE record.charges DISABLE"],
        ),
        (
            "a login acts as the owner",
            "GRANT makegood_owner TO forger_agent".to_owned(),
            &["UPDATE record.balance_stripes", "catalogue"],
            &["may: UPDATE record.balance_stripes", "may act as makegood_owner"],
        ),
        (
            "the person is whom the session says",
            edit(
                "record.person(text)",
                "login = session_user",
                "login = coalesce(nullif(current_setting(''application_name''), ''''), session_user)",
            ),
            &["say yes to the own request"],
            &["it got through"],
        ),
        (
            "the caller's clock",
            "CREATE OR REPLACE FUNCTION record.clock(p_at bigint) RETURNS bigint LANGUAGE sql AS $c$ SELECT p_at $c$"
                .to_owned(),
            &["at 8000000000000000"],
            &["restore a young charge at 8000000000000000: it got through"],
        ),
    ]
}

fn approvals() -> Vec<Hole> {
    const LIMITS: &str = "record.check_limits(text, text, jsonb, text, text, bigint)";
    const DECIDE: &str = "api.decide_approval(text, jsonb, bigint)";
    vec![
        (
            "a yes is used again",
            edit(LIMITS, "UPDATE record.approvals SET state = ''used'', used_by = p_key WHERE id = v_yes.id;", ""),
            &["use a yes twice"],
            &["it got through"],
        ),
        (
            "who asked says yes",
            // Two guards stand in for one another: the function's and the table's.
            format!(
                "{}; ALTER TABLE record.approvals DROP CONSTRAINT four_eyes",
                edit("record.check_decision(text, text, text)", "WHEN p_by = p_asked_by THEN", "WHEN false THEN")
            ),
            &["say yes to the own request"],
            &["it got through"],
        ),
        (
            "no limit of a posting",
            edit(LIMITS, "v_amount > v_limits.per_posting", "false"),
            &["over the limit of a posting"],
            &["it got through"],
        ),
        (
            "credits below 0 in a plan",
            edit("record.is_count(jsonb)", "BETWEEN 0 AND", "BETWEEN -9000000000000000 AND"),
            &["makes the sum of the plan small"],
            &["it got through"],
        ),
        (
            "a yes to what was not looked at",
            edit(DECIDE, "v_known.digest IS DISTINCT FROM", "v_known.digest <>"),
            &["decide with no digest"],
            &["it got through"],
        ),
        (
            "a colleague's limit counts",
            edit("record.count_restored(text, text, bigint, bigint)", "p_total > v_limits.per_posting", "false"),
            &["carry out a colleague's plan"],
            &["in these words", "it got through"],
        ),
    ]
}

fn steps() -> Vec<Hole> {
    const APPLY: &str = "api.apply(text, bigint, bigint, jsonb, bigint)";
    vec![
        (
            "what is missing is sound",
            edit("record.read_sweep(jsonb)", "coalesce(is_sound, false)", "is_sound"),
            &["no items at all among others"],
            &["it got through"],
        ),
        (
            "any effect under any plan",
            edit(APPLY, "NOT record.is_of_step(v_step, p_part, p_effect)", "false"),
            &["restore another charge than was planned"],
            &["it got through"],
        ),
        (
            "steps counted from the end",
            edit(APPLY, "p_step BETWEEN 0 AND", "p_step BETWEEN -9 AND"),
            &["say a thing again"],
            &["it got through"],
        ),
        (
            "a key is anybody's",
            edit(
                "api.begin_action(jsonb, jsonb, bigint)",
                "v_known.digest = v_digest AND v_known.case_id = v_case",
                "true",
            ),
            &["begin under another's key"],
            &["it got through"],
        ),
        (
            "a lease without an end",
            edit("record.lease_item(text, jsonb, bigint)", "v_seconds > 86400", "false"),
            &["a lease of a thousand years"],
            &["it got through"],
        ),
    ]
}

/// Replaces a part of a function; an error where it has no such part, so that no bug is planted in vain.
/// `from` and `to` are texts of SQL, with their quotes doubled.
fn edit(function: &str, from: &str, to: &str) -> String {
    format!(
        "DO $plant$ DECLARE v_body text := pg_get_functiondef('{function}'::regprocedure); BEGIN
            IF position('{from}' IN v_body) = 0 THEN RAISE EXCEPTION 'there is no such part of {function}'; END IF;
            EXECUTE replace(v_body, '{from}', '{to}');
        END $plant$"
    )
}
