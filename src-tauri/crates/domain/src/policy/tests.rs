use jiff::Timestamp;

use super::{DEFAULT_POLICY, Policy, PolicyError};

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

#[test]
fn the_built_in_policy_is_sound() {
    let policy = Policy::default_policy().expect("the built-in file");
    assert_eq!(policy.window.hours, 24);
    assert_eq!(policy.retention.assumed_days, 7);
    assert_eq!(policy.hold.days, 14);
    assert_eq!(policy.matching.project_id_edits, 2);
    assert_eq!(policy.limits.credits_per_posting, 500);
}

#[test]
fn a_bad_value_is_refused_by_name() {
    for (from, to, field, reason) in [
        ("hours = 24\n", "hours = 0\n", "window.hours", "between 1"),
        ("[window]\nhours = 24", "[window]\nhours = 23", "running.stall_hours", "the promise"),
        ("settle_margin_minutes = 45", "settle_margin_minutes = 1381", "reconcile.settle_margin_minutes", "leave room"),
        ("recover_until_hours = 23", "recover_until_hours = 25", "reconcile.recover_until_hours", "not be more"),
        ("retry_max_minutes = 60", "retry_max_minutes = 4", "reconcile.retry_max_minutes", "not be less"),
        ("runs_per_claim = 100", "runs_per_claim = 0", "reconcile.runs_per_claim", "between 1"),
        ("assumed_days = 7", "assumed_days = -1", "retention.assumed_days", "between 0"),
        ("days = 14", "days = 999999", "hold.days", "between 1 and 3650"),
        ("others_minutes = 30", "others_minutes = 5", "matching.others_minutes", "not be less"),
        ("evening = [18, 24]", "evening = [24, 18]", "reading.evening", "hours of a day"),
        ("version = \"2026-11-1\"", "version = \" \"", "version", "must not be empty"),
        ("credits_per_day = 2000", "credits_per_day = 100", "limits.credits_per_day", "not be less"),
        ("bytes_per_mb = 1_000_000", "bytes_per_mb = 1000", "storage.bytes_per_mb", "between 1000000"),
    ] {
        assert!(DEFAULT_POLICY.contains(from), "the built-in file has `{from}`");
        match Policy::parse(&DEFAULT_POLICY.replace(from, to)) {
            Err(PolicyError::Field { field: got, reason: why }) => {
                assert_eq!(got, field);
                assert!(why.contains(reason), "{field}: {why}");
            }
            other => panic!("{to}: {other:?}"),
        }
    }
}

#[test]
fn what_is_not_understood_is_refused_with_its_line() {
    for (from, to, reason) in [
        ("order = \"quota_first\"", "order = \"mine_first\"", "mine_first"),
        ("[hold]\n", "[hold]\nweeks = 2\n", "weeks"),
        ("\"monday\"", "\"moonday\"", "moonday"),
        ("stall_hours = 24", "stall_hours = many", ""),
    ] {
        assert!(DEFAULT_POLICY.contains(from), "the built-in file has `{from}`");
        let text = DEFAULT_POLICY.replace(from, to);
        match Policy::parse(&text) {
            Err(PolicyError::Unreadable { line: Some(line), reason: why }) => {
                let named = text.lines().nth(line - 1).expect("a line of the file");
                assert!(to.contains(named) || named.contains(to), "{to}: named `{named}`");
                assert!(why.contains(reason), "{to}: {why}");
            }
            other => panic!("{to}: {other:?}"),
        }
    }
}

#[test]
fn a_missing_part_is_refused_by_name() {
    let text = DEFAULT_POLICY.replace("stall_hours = 24", "");
    let error = Policy::parse(&text).expect_err("a file without stall_hours");
    assert!(error.to_string().contains("stall_hours"), "{error}");
}

#[test]
fn business_days_keep_the_clock_time() {
    let mut policy = Policy::default_policy().expect("the built-in file");
    policy.calendar.holidays = vec!["2026-12-25".parse().expect("a date")];
    for (from, days, want) in [
        ("2026-11-20T16:00:00Z", 1, "2026-11-23T16:00:00Z"), // Friday to Monday
        ("2026-11-21T09:30:00Z", 1, "2026-11-23T09:30:00Z"), // Saturday to Monday
        ("2026-11-22T23:59:59Z", 1, "2026-11-23T23:59:59Z"), // Sunday to Monday
        ("2026-11-24T08:00:00Z", 1, "2026-11-25T08:00:00Z"),
        ("2026-12-24T10:00:00Z", 1, "2026-12-28T10:00:00Z"), // over a holiday and a weekend
        ("2026-11-19T10:00:00Z", 3, "2026-11-24T10:00:00Z"),
        ("2026-11-24T08:00:00Z", 0, "2026-11-24T08:00:00Z"),
    ] {
        assert_eq!(policy.calendar.after_business_days(at(from), days), at(want), "{from} and {days}");
    }
}

#[test]
fn a_calendar_without_working_days_still_ends() {
    let mut policy = Policy::default_policy().expect("the built-in file");
    policy.calendar.working_days.clear();
    let from = at("2026-11-20T16:00:00Z");
    assert!(policy.calendar.after_business_days(from, 1) > from);
}

/// I10: who died or was cut off in the middle left claims behind; when they are over, somebody comes by.
#[test]
fn a_reconciler_that_comes_by_seldom_comes_again_when_old_claims_are_over() {
    use super::After;

    let policy = Policy::default_policy().expect("the built-in file");
    let minutes = jiff::SignedDuration::from_mins;
    assert_eq!(policy.claim(), minutes(30));
    for (every, after, pause) in [
        (60, After::Whole, 60),
        (60, After::Start, 30),
        (60, After::CutShort, 30),
        (5, After::Whole, 5),
        (5, After::Start, 5),
        (5, After::CutShort, 5),
    ] {
        assert_eq!(policy.pause(minutes(every), after), minutes(pause), "every {every} min, after {after:?}");
    }
}
