use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{AskAbout, Decision, Question, Tried, decide, leave_unheard, to_ask};
use crate::capture::Capture;
use crate::diagnose::world::{RunKit, World, ago, now, of_team};
use crate::diagnose::{ChargeRestoration, RestoredItem, RestoredLine};
use crate::ids::RunId;
use crate::matching::logical_runs;
use crate::money::BalanceKind;
use crate::plan::{Effect, Place, StoredFile};
use crate::ports::{DetectionKind, NextLook};
use crate::work::{ItemState, JobState, OutputState, RetryInitiator, RunStatus, UploadResult};

/// A decision in one line: what is done now, what comes next, what was noticed.
fn told(decision: &Decision) -> String {
    let mut parts = Vec::new();
    for step in &decision.incident {
        parts.push(match &step.effect {
            Effect::Quarantine { .. } => "quarantine".to_owned(),
            Effect::OpenIncident { .. } => "incident".to_owned(),
            Effect::Move { place, .. } => format!("move to {}", spot(place)),
            other => format!("{other:?}"),
        });
    }
    for row in &decision.transfers {
        parts.push(format!("transfer {} to {}", row.item, spot(&row.place)));
    }
    for row in &decision.restorations {
        let Effect::Restore { restoration, .. } = &row.effect else { panic!("{row:?}") };
        let lines: Vec<_> = restoration.lines.iter().map(|line| format!("{} {}", line.target, line.amount)).collect();
        parts.push(format!("restore {} {}", row.item, lines.join(" ")));
    }
    parts.extend(decision.cancels.iter().map(|_| "cancel".to_owned()));
    parts.push(match &decision.next {
        NextLook::At { at } => format!("again {}", minutes(at.duration_since(now()))),
        NextLook::Parked { why } => format!("people: {}", why.split(':').next().unwrap_or_default()),
        NextLook::Done => "done".to_owned(),
    });
    let mut noticed: Vec<_> =
        decision.detections.iter().map(|row| format!("{}/{}", row.kind.word(), row.cause)).collect();
    noticed.dedup();
    if !noticed.is_empty() {
        parts.push(format!("noticed {}", noticed.join(" ")));
    }
    parts.join("; ")
}

fn spot(place: &Place) -> &'static str {
    match place {
        Place::Node { .. } => "node",
        Place::History { .. } => "history",
        Place::Hold { .. } => "hold",
    }
}

fn minutes(span: SignedDuration) -> String {
    format!("{}m{}", span.as_secs() / 60, span.as_secs() % 60)
}

fn root(world: &World) -> RunId {
    logical_runs(&world.scope).first().expect("a run").id().clone()
}

/// As somebody decides who comes by all the time.
fn decided(world: &World, tries: u32, tried: &[(u32, Tried)]) -> Decision {
    decided_by(world, SignedDuration::ZERO, tries, tried)
}

/// As somebody decides who comes by every so often.
fn decided_by(world: &World, every: SignedDuration, tries: u32, tried: &[(u32, Tried)]) -> Decision {
    let tried: BTreeMap<u32, Tried> = tried.iter().copied().collect();
    let root = root(world);
    decide(&Question { scope: &world.scope, root: &root, tries, tried: &tried, every }, &world.policy, world.now)
}

/// A run, and the runs of a world, by their age in hours.
type Kit = Box<dyn Fn(i64) -> RunKit>;
type Runs = Box<dyn Fn(i64) -> Vec<RunKit>>;

/// A run of so many hours ago that cost 100 of the quota.
fn run(hours: i64) -> RunKit {
    RunKit::new("r", hours).charge(&[("q", 100)])
}

const OVER: i64 = 25;

#[test]
fn files_are_brought_and_definite_failures_paid_at_once() {
    let failed = |state| move |hours| run(hours).job(state, &[ItemState::Failed]);
    let restored = |cause: &str| format!("restore 1 q 100; done; noticed orphan/{cause}");
    let table: [(&str, Kit, String); 12] = [
        ("failed", Box::new(failed(JobState::Failed)), restored("provider_failed")),
        ("filtered", Box::new(failed(JobState::Filtered)), restored("provider_filtered")),
        ("not found", Box::new(failed(JobState::NotFound)), restored("provider_failed")),
        ("cancelled upstream", Box::new(failed(JobState::Cancelled)), restored("provider_failed")),
        (
            "succeeded without a file",
            Box::new(|hours| run(hours).job(JobState::Succeeded, &[ItemState::NotReturned])),
            restored("provider_failed"),
        ),
        (
            "withheld item of a job that succeeded",
            Box::new(|hours| run(hours).job(JobState::Succeeded, &[ItemState::Filtered])),
            restored("provider_filtered"),
        ),
        ("file gone", Box::new(|hours| run(hours).made().gone(1)), restored("webhook_lost")),
        ("cancelled before the start", Box::new(|hours| run(hours).cancelled(1)), restored("cancelled_before_start")),
        (
            "webhook lost",
            Box::new(|hours| run(hours).made()),
            "transfer 1 to node; done; noticed orphan/webhook_lost".into(),
        ),
        (
            "upload failed",
            Box::new(|hours| run(hours).made().upload(1, UploadResult::NetworkError)),
            "transfer 1 to node; done; noticed orphan/upload_failed".into(),
        ),
        (
            "damaged",
            Box::new(|hours| run(hours).made().output(1, OutputState::Corrupt, "prj_one/nd_one")),
            "transfer 1 to node; done; noticed orphan/corrupt_output damaged/corrupt_output".into(),
        ),
        (
            "damaged and gone",
            Box::new(|hours| run(hours).made().gone(1).output(1, OutputState::Corrupt, "prj_one/nd_one")),
            "restore 1 q 100; done; noticed orphan/corrupt_output damaged/corrupt_output".into(),
        ),
    ];
    for (name, kit, want) in table {
        for hours in [6, OVER] {
            assert_eq!(told(&decided(&World::of([kit(hours)]), 0, &[])), want, "{name}, {hours} h");
        }
    }
}

#[test]
fn what_is_not_known_waits_for_the_last_pass_and_is_paid_then() {
    let retry = |hours| {
        let head = run(hours).job(JobState::Failed, &[ItemState::Failed]);
        vec![head, RunKit::new("r2", hours).retry_of("r", RetryInitiator::System)]
    };
    let table: [(&str, Runs, &str, &str); 6] = [
        (
            "running",
            Box::new(|hours| vec![run(hours).job(JobState::Processing, &[ItemState::Processing])]),
            "again 5m0",
            "restore 1 q 100; cancel; done; noticed orphan/provider_stalled",
        ),
        (
            "queued",
            Box::new(|hours| vec![run(hours).job(JobState::Queued, &[])]),
            "again 5m0",
            "restore 1 q 100; cancel; done; noticed orphan/provider_stalled",
        ),
        (
            "unreachable",
            Box::new(|hours| vec![run(hours).job(JobState::LookupFailed, &[])]),
            "again 5m0",
            "restore 1 q 100; done; noticed orphan/provider_unreachable",
        ),
        (
            "never submitted",
            Box::new(|hours| vec![run(hours)]),
            "again 5m0",
            "restore 1 q 100; done; noticed orphan/never_submitted",
        ),
        (
            "a retry whose submission is not told",
            Box::new(retry),
            "again 5m0",
            "restore 1 q 100; done; noticed orphan/provider_failed",
        ),
        (
            "answered in unknown words",
            Box::new(|hours| vec![run(hours).job(JobState::Unrecognised, &[])]),
            "again 5m0",
            "again 5m0; noticed orphan/provider_unreachable",
        ),
    ];
    for (name, runs, in_window, over) in table {
        assert_eq!(told(&decided(&World::of(runs(6)), 0, &[])), in_window, "{name}, in the window");
        assert_eq!(told(&decided(&World::of(runs(OVER)), 0, &[])), over, "{name}, after it");
    }
}

#[test]
fn the_last_pass_that_can_keep_the_promise_settles() {
    let world = World::of([run(24).job(JobState::LookupFailed, &[])]);
    // The charge was posted two seconds after the start.
    let end = ago(24) + SignedDuration::from_secs(2) + SignedDuration::from_hours(24);
    let second = SignedDuration::from_secs(1);
    for (every, early) in [(0, 45), (5, 50), (15, 60), (60, 105)] {
        let last = end - SignedDuration::from_mins(early);
        let at = |instant: Timestamp| {
            let world = world.clone().edit(|world| world.now = instant);
            decided_by(&world, SignedDuration::from_mins(every), 9, &[])
        };
        assert_eq!(at(last - second).next, NextLook::At { at: last }, "every {every} min: woken up exactly then");
        assert!(at(last - second).restorations.is_empty(), "every {every} min: not before");
        for instant in [last, last + second, end - second, end] {
            assert_eq!(at(instant).restorations.len(), 1, "every {every} min, at {instant}");
        }
    }
}

/// P8, R12: its charge is no orphan before, so the promise leaves it its time.
#[test]
fn a_job_that_runs_has_its_24_hours() {
    let world = World::of([run(24).job(JobState::Processing, &[ItemState::Processing])]);
    let end = ago(24) + SignedDuration::from_secs(2) + SignedDuration::from_hours(24);
    let second = SignedDuration::from_secs(1);
    for every in [0, 5, 15, 60] {
        let at = |instant: Timestamp| {
            let world = world.clone().edit(|world| world.now = instant);
            decided_by(&world, SignedDuration::from_mins(every), 9, &[])
        };
        for instant in [end - SignedDuration::from_mins(30), end - second] {
            assert!(at(instant).restorations.is_empty(), "every {every} min, at {instant}");
            assert_eq!(at(instant).next, NextLook::At { at: end }, "every {every} min: woken up exactly then");
        }
        assert_eq!(at(end).restorations.len(), 1, "every {every} min");
    }
}

#[test]
fn a_transfer_that_fails_in_the_last_pass_in_time_is_paid_in_it() {
    let failed = [(1, Tried::Failed { gone: false })];
    let world = |hours| World::of([run(hours).made()]);
    let hourly = |hours| told(&decided_by(&world(hours), SignedDuration::from_hours(1), 30, &failed));
    assert!(hourly(22).starts_with("again 15m2;"), "{}", hourly(22));
    assert!(hourly(23).starts_with("restore 1 q 100; done"), "{}", hourly(23));
    let untried = told(&decided_by(&world(23), SignedDuration::from_hours(1), 30, &[]));
    assert!(untried.starts_with("transfer 1 to node"), "the file comes first to the end: {untried}");
}

#[test]
fn what_is_for_people_is_left_to_people() {
    let twice = |hours| run(hours).charge(&[("q", 100)]).made().stored(1);
    let table: [(&str, Kit, &str); 8] = [
        (
            "duplicate",
            Box::new(twice),
            "people: charged 2 times and something was delivered; noticed duplicate_charge/duplicate_charge",
        ),
        (
            "cancelled after the start",
            Box::new(|hours| run(hours).job(JobState::Cancelled, &[]).cancelled(60)),
            "people: the charge stands",
        ),
        (
            "cancelled after the start, and made",
            Box::new(|hours| run(hours).made().cancelled(60)),
            "transfer 1 to node; people: the charge stands",
        ),
        (
            "wrong balance",
            Box::new(|hours| {
                run(hours).job(JobState::Failed, &[ItemState::Failed]).refund(1, &[1], &[("stranger_q", 100)])
            }),
            "people: a refund went to a balance that did not give; noticed orphan/provider_failed contradiction/wrong_balance_refund",
        ),
        (
            "delivered and refunded",
            Box::new(|hours| run(hours).made().stored(1).refund(1, &[1], &[("q", 100)])),
            "people: rows contradict each other; noticed contradiction/delivered_and_refunded",
        ),
        (
            "held, and nothing refunded",
            Box::new(|hours| run(hours).job(JobState::Failed, &[]).output(1, OutputState::Held, "prj_one")),
            "people: a result is held and nothing was refunded for it; noticed orphan/late_result",
        ),
        (
            "called refunded",
            Box::new(|hours| run(hours).made().stored(1).edit(|row| row.run.status = RunStatus::Refunded)),
            "people: rows contradict each other; noticed contradiction/refunded_without_refund",
        ),
        ("delivered", Box::new(|hours| run(hours).made().stored(1)), "done"),
    ];
    for (name, kit, want) in table {
        for hours in [6, OVER] {
            assert_eq!(told(&decided(&World::of([kit(hours)]), 0, &[])), want, "{name}, {hours} h");
        }
    }
}

#[test]
fn a_deleted_project_gets_its_file_held_and_no_credits() {
    let gone = |kit: RunKit| World::of([kit]).delete_project("prj_one");
    let held = decided(&gone(run(6).made()), 0, &[]);
    assert!(told(&held).starts_with("transfer 1 to hold"), "{}", told(&held));
    let Place::Hold { until, .. } = &held.transfers[0].place else { panic!("{held:?}") };
    assert_eq!(until.duration_since(now()), SignedDuration::from_hours(14 * 24));
    assert_eq!(told(&decided(&gone(run(6).made().gone(1)), 0, &[])), "people: the charge stands");
    let running = run(6).job(JobState::Processing, &[ItemState::Processing]);
    assert_eq!(told(&decided(&gone(running), 0, &[])), "again 5m0");
}

#[test]
fn a_full_account_gets_its_file_held() {
    let world = World::of([run(6).made()]).edit(|world| world.account("acc").storage_used_mb = 1_000);
    assert!(told(&decided(&world, 0, &[])).starts_with("transfer 1 to hold"));
}

#[test]
fn an_output_at_a_strangers_never_waits() {
    let stray = |hours| run(hours).made().output(1, OutputState::Stored, "prj_stranger/nd_x");
    for hours in [1, OVER] {
        assert_eq!(
            told(&decided(&World::of([stray(hours)]), 0, &[])),
            "quarantine; incident; move to node; done; noticed misplaced/misattributed_other_customer",
            "{hours} h"
        );
    }
    let refunded = stray(6).refund(1, &[1], &[("q", 100)]);
    let steps = decided(&World::of([refunded]), 0, &[]);
    assert_eq!(steps.incident.len(), 2, "who was refunded gets no file: {}", told(&steps));
}

#[test]
fn a_batch_is_decided_item_by_item() {
    let kit = |hours| {
        RunKit::new("r", hours)
            .items(3)
            .charge(&[("q", 50), ("w", 50)])
            .job(JobState::Succeeded, &[ItemState::Succeeded, ItemState::Filtered, ItemState::Succeeded])
    };
    let world = World::of([kit(6).stored(1)]);
    assert_eq!(
        told(&decided(&world, 0, &[])),
        "transfer 3 to node; restore 2 q 33; done; noticed orphan/partial_batch"
    );
    let all_lost = World::of([kit(6).gone(1).gone(3)]);
    assert_eq!(
        told(&decided(&all_lost, 0, &[])),
        "restore 1 q 34; restore 2 q 16 w 17; restore 3 w 33; done; noticed orphan/webhook_lost"
    );
}

#[test]
fn a_workspace_gets_its_credits_back() {
    let kit = of_team(RunKit::new("r", OVER)).charge(&[("pool", 60), ("pool_w", 40)]);
    let kit = kit.job(JobState::Failed, &[ItemState::Failed]);
    assert!(told(&decided(&World::of([kit]), 0, &[])).starts_with("restore 1 pool 60 pool_w 40; done"));
}

#[test]
fn a_failed_transfer_is_tried_again_until_hour_23_or_the_deadline() {
    let failed = [(1, Tried::Failed { gone: false })];
    let table = [
        ("hour 6, first", 6, 0, None, "again 5m0"),
        ("hour 6, third", 6, 2, None, "again 20m0"),
        ("hour 6, late", 6, 30, None, "again 60m0"),
        // Posted two seconds after the start: hour 23 is a moment later.
        ("just before hour 23", 23, 30, None, "again 0m2"),
        ("deadline in 40 minutes", 6, 30, Some(40), "again 35m0"),
        ("deadline in 4 minutes", 6, 0, Some(4), "again 4m0"),
        ("deadline over", 6, 0, Some(0), "restore 1 q 100; done"),
        ("hour 24", 24, 0, None, "restore 1 q 100; done"),
        ("a day late", 48, 0, None, "restore 1 q 100; done"),
    ];
    for (name, hours, tries, deadline, want) in table {
        let kit = run(hours).made().file(1, |file| {
            file.available_until = deadline.map(|minutes| now() + SignedDuration::from_mins(minutes));
        });
        let decision = told(&decided(&World::of([kit]), tries, &failed));
        let acts = decision.split("; noticed").next().unwrap_or_default();
        assert_eq!(acts, want, "{name}");
    }
    let over = || run(6).made().file(1, |file| file.available_until = Some(ago(1)));
    let arrived = told(&decided(&World::of([over()]), 0, &[(1, Tried::Arrived)]));
    assert!(arrived.starts_with("again 5m0"), "what is here whole outlives its provider's deadline: {arrived}");
    let arrived = told(&decided(&World::of([run(24).made()]), 0, &[(1, Tried::Arrived)]));
    assert!(arrived.starts_with("restore 1 q 100; done"), "not the window: {arrived}");
    let gone = decided(&World::of([run(6).made()]), 0, &[(1, Tried::Failed { gone: true })]);
    assert!(told(&gone).starts_with("restore 1 q 100; done"), "{}", told(&gone));
}

/// P4, P7: a copy of ours exists until somebody has found that it does not.
#[test]
fn a_saved_file_is_given_up_only_where_our_copy_is_lost_too_or_time_is_up() {
    let saved = |hours: i64| {
        run(hours).made().edit(|row| {
            row.captures.push(Capture {
                run_id: row.run.id.clone(),
                job_id: row.jobs[0].id.clone(),
                item: 1,
                file: StoredFile { sha256: "ab".repeat(32), bytes: 9, media_type: "video/mp4".into() },
                captured_at: ago(1),
            });
        })
    };
    for (name, hours, tried, pays) in [
        ("its provider has it no longer", 6, Tried::Failed { gone: true }, false),
        ("the vault can't be read", 6, Tried::Failed { gone: false }, false),
        ("nobody has it", 6, Tried::Lost, true),
        ("time is up", 24, Tried::Failed { gone: false }, true),
    ] {
        for kit in [saved(hours), saved(hours).gone(1)] {
            let decision = decided(&World::of([kit]), 0, &[(1, tried)]);
            assert_eq!(!decision.restorations.is_empty(), pays, "{name}: {}", told(&decision));
            assert!(pays || matches!(decision.next, NextLook::At { .. }), "{name}: {}", told(&decision));
        }
    }
}

#[test]
fn a_file_that_is_first_seen_late_is_tried_once() {
    let world = World::of([run(30).made()]);
    assert!(told(&decided(&world, 12, &[])).starts_with("transfer 1 to node"));
}

#[test]
fn every_transfer_has_an_end() {
    // Begun, and how long it may take where the next pass comes an hour later: then what is open is settled
    // from 22:15 on.
    for (hours, minutes) in [(6, 60), (21, 60), (22, 20), (23, 20), (30, 60), (48, 60)] {
        let hour = SignedDuration::from_hours(1);
        let decision = decided_by(&World::of([run(hours).made()]), hour, 0, &[]);
        let ends = decision.transfers[0].until.duration_since(now());
        assert_eq!(ends, SignedDuration::from_mins(minutes), "begun at hour {hours}");
    }
}

#[test]
fn an_item_that_somebody_else_has_is_left_alone() {
    for hours in [6, OVER] {
        for kit in [run(hours).made(), run(hours).job(JobState::Failed, &[ItemState::Failed])] {
            let decision = decided(&World::of([kit]), 8, &[(1, Tried::Refused)]);
            assert!(!decision.acts(), "{hours} h: {decision:?}");
            // Not longer than the other's lease.
            assert!(told(&decision).starts_with("again 20m0"), "{hours} h: {}", told(&decision));
        }
    }
}

#[test]
fn keys_follow_from_the_facts() {
    let failed = run(6).job(JobState::Failed, &[ItemState::Failed]);
    let first = decided(&World::of([failed.clone()]), 0, &[]);
    let again = decided(&World::of([failed.clone()]), 7, &[]);
    assert_eq!(first.restorations, again.restorations, "however often it was looked at");
    assert_eq!(first.restorations[0].key.as_str(), "rec-r_chg1-1-0");
    let reversed = decided(&World::of([failed.refund(1, &[1], &[("q", 100)]).reversed()]), 0, &[]);
    assert_eq!(reversed.restorations[0].key.as_str(), "rec-r_chg1-1-1", "after a reversal it is another one (R40)");
    let made = World::of([run(6).made()]);
    let (one, two) = (decided(&made, 1, &[]), decided(&made, 2, &[]));
    assert_ne!(one.transfers[0].key, two.transfers[0].key, "each try is a saga of its own");
    assert_ne!(one.transfers[0].key, first.restorations[0].key);
}

#[test]
fn a_ticket_changes_nothing_about_the_promise() {
    let ticket = |status| run(6).job(JobState::Failed, &[ItemState::Failed]).ticket("T0", 3, status);
    for status in [crate::support::TicketStatus::Open, crate::support::TicketStatus::Closed] {
        assert!(told(&decided(&World::of([ticket(status)]), 0, &[])).starts_with("restore 1 q 100; done"));
    }
}

#[test]
fn jobs_without_a_last_word_are_asked_about() {
    let table = [
        (JobState::Queued, 1),
        (JobState::Processing, 1),
        (JobState::Succeeded, 1),
        (JobState::LookupFailed, 1),
        (JobState::Unrecognised, 1),
        (JobState::Failed, 0),
        (JobState::Filtered, 0),
        (JobState::Cancelled, 0),
        (JobState::NotFound, 0),
    ];
    for (state, count) in table {
        let world = World::of([run(6).job(state, &[])]);
        assert_eq!(to_ask(&world.scope, &root(&world), &world.policy, world.now).len(), count, "{state:?}");
    }
    let delivered = World::of([run(6).made().stored(1)]);
    assert!(to_ask(&delivered.scope, &root(&delivered), &delivered.policy, delivered.now).is_empty());
}

#[test]
fn what_the_platform_alone_calls_failed_is_a_reason_to_ask() {
    for state in [JobState::Failed, JobState::Filtered, JobState::Cancelled, JobState::NotFound] {
        let of = |hours| World::of([run(hours).job(state, &[ItemState::Failed]).told()]);
        let asked = |world: &World| to_ask(&world.scope, &root(world), &world.policy, world.now).len();
        let (young, old) = (of(6), of(OVER));
        assert_eq!((asked(&young), asked(&old)), (1, 1), "{state:?}");
        assert_eq!(told(&decided(&young, 0, &[])), "again 5m0", "{state:?}: nothing is paid before");
        assert!(decided(&young, 0, &[]).unknown, "{state:?}");
        // An orphan is paid whatever is known of it, under that name.
        let over = "restore 1 q 100; done; noticed orphan/provider_unreachable";
        assert_eq!(told(&decided(&old, 0, &[])), over, "{state:?}");
        let unheard = BTreeSet::from([AskAbout { provider_id: "prov".into(), job_id: "job_r".into() }]);
        for (mut world, want) in [(young, "again 5m0"), (old, over)] {
            leave_unheard(&mut world.scope, &unheard);
            assert_eq!(told(&decided(&world, 0, &[])), want, "{state:?}: nobody could be asked");
        }
    }
    let cancelled = World::of([run(6).job(JobState::Cancelled, &[]).cancelled(1).told().edit(|row| {
        row.jobs.iter_mut().for_each(|job| job.processing_started_at = None);
    })]);
    assert_eq!(told(&decided(&cancelled, 0, &[])), "again 5m0", "whether it had begun is the provider's to say");
}

#[test]
fn where_no_job_is_ever_looked_up_the_platform_has_the_last_word() {
    let mut world = World::of([run(6).job(JobState::Failed, &[ItemState::Failed]).told()]);
    world.scope.mute.insert("prov".into());
    assert!(to_ask(&world.scope, &root(&world), &world.policy, world.now).is_empty());
    let paid = "restore 1 q 100; done; noticed orphan/provider_failed";
    assert_eq!(told(&decided(&world, 0, &[])), paid);
    leave_unheard(&mut world.scope, &BTreeSet::from([AskAbout { provider_id: "prov".into(), job_id: "job_r".into() }]));
    assert_eq!(told(&decided(&world, 0, &[])), paid);
    // An answer in hand, and no job: nothing to ask about.
    let without = World::of([run(OVER)]);
    assert_eq!(told(&decided(&without, 0, &[])), "restore 1 q 100; done; noticed orphan/never_submitted");
}

#[test]
fn what_nobody_could_be_asked_about_is_not_known() {
    for (state, over) in [
        (JobState::Succeeded, "restore 1 q 100; done"),
        (JobState::Processing, "restore 1 q 100; done"),
        (JobState::Failed, "restore 1 q 100; done"),
    ] {
        let unheard = BTreeSet::from([AskAbout { provider_id: "prov".into(), job_id: "job_r".into() }]);
        let told_at = |hours| {
            let mut world = World::of([run(hours).job(state, &[ItemState::NotReturned])]);
            leave_unheard(&mut world.scope, &unheard);
            told(&decided(&world, 0, &[]))
        };
        let in_window = if state == JobState::Failed { "restore 1 q 100; done" } else { "again 5m0" };
        assert!(told_at(6).starts_with(in_window), "{state:?}: {}", told_at(6));
        assert!(told_at(OVER).starts_with(over), "{state:?}: {}", told_at(OVER));
    }
}

#[test]
fn a_second_charge_of_a_run_without_output_is_returned_too() {
    let kit = run(6).charge(&[("w", 100)]).job(JobState::Failed, &[ItemState::Failed]);
    let decision = decided(&World::of([kit]), 0, &[]);
    assert!(told(&decision).starts_with("restore 1 q 100; restore 1 w 100; done"), "{}", told(&decision));
    assert!(decision.detections.iter().any(|row| row.kind == DetectionKind::DuplicateCharge));
}

#[test]
fn a_run_that_is_not_there_is_for_people() {
    let world = World::of([run(6)]);
    let (root, tried) = (RunId::new("nowhere"), BTreeMap::new());
    let every = SignedDuration::ZERO;
    let question = Question { scope: &world.scope, root: &root, tries: 0, tried: &tried, every };
    let decision = decide(&question, &world.policy, world.now);
    assert!(!decision.acts() && matches!(decision.next, NextLook::Parked { .. }));
}

#[test]
fn the_parts_of_a_restoration_are_the_whole() {
    let line = |source: &str, amount| RestoredLine {
        source: source.into(),
        target: source.into(),
        target_kind: BalanceKind::Wallet,
        amount,
    };
    let item = |item, credits| RestoredItem { item, credits };
    let whole = ChargeRestoration {
        charge_id: "c".into(),
        run_id: "r".into(),
        account_id: "a".into(),
        items: vec![item(1, 34), item(2, 33), item(3, 33)],
        lines: vec![line("q", 50), line("w", 50)],
    };
    let parts: Vec<Vec<(String, i64)>> = super::steps::by_item(&whole)
        .iter()
        .map(|part| part.lines.iter().map(|line| (line.target.to_string(), line.amount)).collect())
        .collect();
    let want = [vec![("q", 34)], vec![("q", 16), ("w", 17)], vec![("w", 33)]];
    let want: Vec<Vec<(String, i64)>> =
        want.iter().map(|part| part.iter().map(|(id, amount)| ((*id).to_owned(), *amount)).collect()).collect();
    assert_eq!(parts, want);
}
