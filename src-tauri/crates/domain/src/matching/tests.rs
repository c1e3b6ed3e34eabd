//! P2, step by step.

use jiff::SignedDuration;

use super::{RunMatch, match_run, overruled};
use crate::diagnose::Flag;
use crate::diagnose::world::{RunKit, World, ago, of_team};
use crate::ids::RunId;
use crate::support::Claim;
use crate::work::{JobState, MemberStatus, RetryInitiator};

/// A charged run without any output.
fn run(id: &str, hours_ago: i64) -> RunKit {
    RunKit::new(id, hours_ago).charge(&[("q", 100)])
}

fn delivered(id: &str, hours_ago: i64) -> RunKit {
    run(id, hours_ago).made().stored(1)
}

/// The same run, so many minutes later.
fn later(kit: RunKit, minutes: i64) -> RunKit {
    kit.edit(|row| row.run.started_at += SignedDuration::from_mins(minutes))
}

fn model(kit: RunKit, id: &str) -> RunKit {
    kit.edit(|row| row.run.model_id = id.into())
}

fn project(kit: RunKit, id: &str) -> RunKit {
    kit.edit(|row| row.run.project_id = id.into())
}

fn claim(change: impl FnOnce(&mut Claim)) -> Claim {
    let mut claim = Claim { stated_runs: Some(1), ..Claim::default() };
    change(&mut claim);
    claim
}

/// `a b; flags`.
fn told(got: &RunMatch) -> String {
    let ids: Vec<&str> = got.matched.iter().map(RunId::as_str).collect();
    let flags: Vec<&str> = got.flags.iter().map(|flag| flag.word()).collect();
    format!("{}; {}", ids.join(" "), flags.join(" ")).trim_end_matches([' ', ';']).to_owned()
}

fn check(rows: Vec<(&str, Vec<RunKit>, Claim, &str)>) {
    for (name, runs, claim, want) in rows {
        let world = World::of(runs);
        let got = match_run(&claim, &world.scope, &world.policy);
        assert_eq!(told(&got), want, "{name}: {}", got.explanation);
        assert!(!got.explanation.is_empty(), "{name}");
        let marked: Vec<&RunId> = got.candidates.iter().filter(|row| row.matched).map(|row| &row.run_id).collect();
        assert_eq!(marked.len(), got.matched.len(), "{name}: candidates marked");
    }
}

#[test]
fn a_quoted_id_settles_it() {
    let quoted = |text: &str| claim(|claim| claim.run_refs = vec![text.to_owned()]);
    let pair = || vec![run("a", 5), delivered("b", 4)];
    check(vec![
        ("run id", pair(), quoted("b"), "b"),
        ("in capitals", pair(), quoted(" A "), "a"),
        ("of a system retry", vec![run("a", 5), run("a2", 4).retry_of("a", RetryInitiator::System)], quoted("a2"), "a"),
        ("out of scope: as if it were not there", pair(), quoted("stranger"), "a"),
        (
            "job id",
            vec![run("a", 5).made(), run("b", 4).made()],
            claim(|claim| claim.job_refs = vec!["job_b".to_owned()]),
            "b",
        ),
        (
            "against all other evidence",
            pair(),
            claim(|claim| {
                claim.run_refs = vec!["b".to_owned()];
                claim.project_ref = Some("prj_two".to_owned());
                claim.amount = Some(1);
            }),
            "b",
        ),
        (
            "two, of which one is told in passing",
            pair(),
            claim(|claim| claim.run_refs = vec!["b".to_owned(), "a".to_owned()]),
            "a",
        ),
        (
            "two, and both are meant",
            pair(),
            claim(|claim| {
                claim.run_refs = vec!["b".to_owned(), "a".to_owned()];
                claim.stated_runs = Some(2);
            }),
            "a b",
        ),
    ]);
}

#[test]
fn a_project_is_found_by_id_or_name() {
    let pair = || vec![run("a", 5), project(run("b", 4), "prj_two")];
    let named = |text: &str| claim(|claim| claim.project_ref = Some(text.to_owned()));
    check(vec![
        ("id", pair(), named("prj_two"), "b"),
        ("name", pair(), named("Two"), "b"),
        ("name in another case is not exact", pair(), named("two"), "; project_ref_unknown"),
        ("capitals", pair(), named("PRJ_TWO"), "b; project_id_corrected"),
        ("zero for o, without punctuation", pair(), named("prjtw0"), "b; project_id_corrected"),
        ("one letter wrong", pair(), named("prj_twa"), "b; project_id_corrected"),
        ("three letters wrong", pair(), named("pri_xya"), "; project_ref_unknown"),
        ("as near to two", pair(), named("prj_tne"), "; project_ref_unknown"),
        ("somebody else's project", pair(), named("prj_stranger"), "; project_ref_unknown"),
    ]);
}

#[test]
fn a_model_is_found_by_name_or_family() {
    let pair = || vec![model(run("a", 5), "clip-1"), model(run("b", 4), "still-1")];
    let named = |text: &str| claim(|claim| claim.model_refs = vec![text.to_owned()]);
    check(vec![
        ("alias", pair(), named("Clip One"), "a"),
        ("name", pair(), named("still 1"), "b"),
        ("family", pair(), named("STILL"), "b"),
        ("unknown ones are dropped", pair(), named("Nimbus 9"), ""),
        (
            "an unknown one beside a known one",
            pair(),
            claim(|claim| claim.model_refs = vec!["Nimbus".to_owned(), "clip".to_owned()]),
            "a",
        ),
        (
            "a name goes before the family",
            vec![model(run("a", 5), "clip-1"), model(run("b", 4), "clip-2")],
            named("clip 2"),
            "b",
        ),
    ]);
}

#[test]
fn evidence_is_given_up_in_order() {
    let day = |from: i64, to: i64| Some((ago(from), ago(to)));
    check(vec![
        (
            "the model first",
            vec![model(run("a", 5), "clip-2"), run("b", 50)],
            claim(|claim| {
                claim.model_refs = vec!["clip 1".to_owned()];
                claim.window = day(6, 4);
            }),
            "a; evidence_relaxed",
        ),
        (
            "the time, where only that leaves a troubled run",
            vec![model(delivered("a", 5), "clip-2"), run("b", 50)],
            claim(|claim| {
                claim.model_refs = vec!["clip 1".to_owned()];
                claim.window = day(6, 4);
            }),
            "b; evidence_relaxed",
        ),
        ("the amount", vec![run("a", 5)], claim(|claim| claim.amount = Some(99)), "a; evidence_relaxed"),
        (
            "the project",
            vec![run("a", 5)],
            claim(|claim| claim.project_ref = Some("Two".to_owned())),
            "a; evidence_relaxed",
        ),
        (
            "model and time",
            vec![model(run("a", 50), "still-1")],
            claim(|claim| {
                claim.model_refs = vec!["clip".to_owned()];
                claim.window = day(6, 4);
            }),
            "a; evidence_relaxed",
        ),
        (
            "no further than that",
            vec![model(run("a", 50), "still-1")],
            claim(|claim| {
                claim.model_refs = vec!["clip".to_owned()];
                claim.window = day(6, 4);
                claim.amount = Some(1);
            }),
            "",
        ),
        (
            "any run, where none is troubled",
            vec![delivered("a", 50)],
            claim(|claim| claim.window = day(6, 4)),
            "a; evidence_relaxed",
        ),
        (
            "nothing, where an untroubled run fits",
            vec![delivered("a", 5), run("b", 50)],
            claim(|claim| claim.window = day(6, 4)),
            "a",
        ),
    ]);
}

#[test]
fn several_runs_are_told_apart_or_not_at_all() {
    let clock = |claim: &mut Claim| claim.clock_utc = Some(ago(5));
    let pair = |minutes: i64| vec![later(run("a", 5), 8), later(run("b", 5), minutes)];
    check(vec![
        ("no scope at all", vec![], claim(|_| {}), ""),
        ("the only run", vec![run("a", 5)], claim(|_| {}), "a"),
        ("the only troubled one", vec![run("a", 5), delivered("b", 5)], claim(|_| {}), "a"),
        ("an uncharged run is not troubled", vec![run("a", 5), RunKit::new("b", 5)], claim(|_| {}), "a"),
        (
            "delivered and refunded is troubled",
            vec![delivered("a", 5).refund(1, &[1], &[("q", 100)]), delivered("b", 5)],
            claim(|_| {}),
            "a",
        ),
        (
            "charged twice is troubled",
            vec![delivered("a", 5).charge(&[("q", 100)]), delivered("b", 5)],
            claim(|_| {}),
            "a",
        ),
        (
            "as many as stated, the earliest first",
            vec![run("b", 4), run("a", 5)],
            claim(|claim| claim.stated_runs = Some(2)),
            "a b",
        ),
        (
            "more than stated",
            vec![run("a", 5), run("b", 4), run("c", 3)],
            claim(|claim| claim.stated_runs = Some(2)),
            "",
        ),
        ("two and no clock", vec![run("a", 5), run("b", 4)], claim(|_| {}), ""),
        ("clearly nearest", pair(30), claim(clock), "a"),
        ("the other is near too", pair(29), claim(clock), ""),
        ("none is near enough", vec![later(run("a", 5), 11), later(run("b", 5), 60)], claim(clock), ""),
        (
            "a system retry is no second run",
            vec![run("a", 5).job(JobState::Failed, &[]), run("a2", 4).retry_of("a", RetryInitiator::System)],
            claim(|_| {}),
            "a",
        ),
        (
            "a customer's retry is",
            vec![run("a", 5), run("a2", 4).retry_of("a", RetryInitiator::Customer)],
            claim(|_| {}),
            "",
        ),
        (
            "a circle of retries is one run",
            vec![run("b", 5).retry_of("a", RetryInitiator::System), run("a", 4).retry_of("b", RetryInitiator::System)],
            claim(|_| {}),
            "a",
        ),
    ]);
}

#[test]
fn a_workspace_project_counts_for_its_members_and_for_who_ran_there() {
    let named = claim(|claim| claim.project_ref = Some("prj_team".to_owned()));
    let own = run("a", 5);
    let shared = of_team(RunKit::new("t", 5)).charge(&[("pool", 9)]);
    let ran_there = World::of([own.clone(), shared]).membership(MemberStatus::Left);
    assert_eq!(told(&match_run(&named, &ran_there.scope, &ran_there.policy)), "t");
    let member = World::of([own.clone()]).membership(MemberStatus::Active);
    assert_eq!(told(&match_run(&named, &member.scope, &member.policy)), "a; evidence_relaxed");
    let left = World::of([own]).membership(MemberStatus::Left);
    assert_eq!(told(&match_run(&named, &left.scope, &left.policy)), "a; project_ref_unknown");
}

#[test]
fn candidates_are_bounded_and_the_best_comes_first() {
    let mut runs: Vec<RunKit> = (0..40).map(|n| delivered(&format!("old{n:02}"), 100 + n)).collect();
    runs.push(run("wanted", 5));
    let world = World::of(runs);
    let wanted = claim(|claim| {
        claim.window = Some((ago(6), ago(4)));
        claim.clock_utc = Some(ago(5));
    });
    let got = match_run(&wanted, &world.scope, &world.policy);
    assert_eq!(got.candidates.len(), 12);
    let best = &got.candidates[0];
    assert_eq!((best.run_id.as_str(), best.matched, best.troubled), ("wanted", true, true));
    assert!(best.reasons_against.is_empty(), "{best:?}");
    assert!(got.candidates[1].reasons_against.iter().any(|reason| reason.field == "time"), "{:?}", got.candidates[1]);
}

#[test]
fn an_agent_chooses_within_the_scope() {
    let world = World::of([run("a", 5), run("b", 4)]);
    let choose = |ids: &[&str]| {
        let ids: Vec<RunId> = ids.iter().map(|id| (*id).into()).collect();
        overruled(&ids, "agent Kim", &Claim::default(), &world.scope, &world.policy)
    };
    let one = choose(&["b"]);
    assert_eq!((told(&one).as_str(), one.overruled_by.as_deref()), ("b", Some("agent Kim")));
    assert_eq!(told(&choose(&["b", "a"])), "a b");
    let stranger = choose(&["b", "r_foreign"]);
    assert_eq!(told(&stranger), "b");
    assert!(stranger.explanation.contains("not in the requester's scope"), "{}", stranger.explanation);
    assert_eq!(told(&choose(&[])), "");
}

#[test]
fn what_was_left_out_is_said() {
    let world = World::of([run("a", 5)]);
    let vague = claim(|claim| {
        claim.project_ref = Some("prj_stranger".to_owned());
        claim.model_refs = vec!["Nimbus".to_owned()];
        claim.amount = Some(1);
    });
    let got = match_run(&vague, &world.scope, &world.policy);
    assert_eq!(got.flags, [Flag::ProjectRefUnknown, Flag::EvidenceRelaxed]);
    for part in ["until the amount", "project named", "model named"] {
        assert!(got.explanation.contains(part), "{part}: {}", got.explanation);
    }
}
