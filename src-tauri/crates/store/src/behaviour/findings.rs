//! What was noticed, how passes went, how the promise is kept, and what a look at a run sees.

use makegood_domain::ids::{ChargeId, RunId};
use makegood_domain::ports::{Detection, DetectionKind, NextLook, PassReport, ProviderLine, Store};

use super::sweeps::{charged, orphan};
use super::take;
use super::world::{at, charge, output, refund, run, run_row};

fn named(found: &[Detection]) -> Vec<(DetectionKind, &str, u32)> {
    found.iter().map(|row| (row.kind, row.subject.as_str(), row.item)).collect()
}

pub(crate) async fn a_detection_counts_once(store: &dyn Store) {
    charged(store, "r1").await;
    let first = orphan("r1");
    let second_item = Detection { item: 2, detected_at: at(1700), ..first.clone() };
    let later = Detection { detected_at: at(1800), cause: "another".into(), ..first.clone() };
    for (detection, is_new) in [(&first, true), (&first, false), (&later, false), (&second_item, true)] {
        assert_eq!(store.detect(detection).await.unwrap(), is_new, "{detection:?}");
    }
    let found = store.detections(false, 10).await.unwrap();
    assert_eq!(found, [second_item, first], "newest first, as first seen");
    assert_eq!(store.detections(false, 1).await.unwrap().len(), 1);
    let of = |ids: &[&str]| ids.iter().map(|id| ChargeId::from(*id)).collect::<Vec<_>>();
    let oldest_first: Vec<_> = found.iter().rev().cloned().collect();
    assert_eq!(store.detections_of(&of(&["chg_other", "chg_r1"])).await.unwrap(), oldest_first);
    assert_eq!(store.detections_of(&of(&["chg_other"])).await.unwrap(), []);
    assert_eq!(store.detections_of(&[]).await.unwrap(), []);
}

pub(crate) async fn a_detection_is_closed_and_can_come_again(store: &dyn Store) {
    charged(store, "r1").await;
    charged(store, "r2").await;
    let gone = Detection { kind: DetectionKind::Damaged, subject: "out_1".into(), item: 0, ..orphan("r1") };
    for detection in [&orphan("r1"), &gone, &orphan("r2")] {
        store.detect(detection).await.unwrap();
    }
    let root = RunId::from("r1");
    assert_eq!(store.close_detections(&root, &[orphan("r1")], at(2000)).await.unwrap(), 1);
    assert_eq!(store.close_detections(&root, &[orphan("r1")], at(2001)).await.unwrap(), 0);
    let open = store.detections(true, 10).await.unwrap();
    assert_eq!(named(&open), [(DetectionKind::Orphan, "chg_r1", 1), (DetectionKind::Orphan, "chg_r2", 1)]);
    let all = store.detections(false, 10).await.unwrap();
    let closed: Vec<_> = all.iter().filter_map(|row| row.closed_at).collect();
    assert_eq!(closed, [at(2000)]);
    assert!(!store.detect(&gone).await.unwrap(), "the first time counts");
    assert_eq!(store.detections(true, 10).await.unwrap().len(), 3, "and it is open again");
}

fn pass(id: &str, started: i64) -> PassReport {
    PassReport {
        id: id.into(),
        worker: "host/1".into(),
        started_at: at(started),
        finished_at: None,
        looked_at: 0,
        transferred: 0,
        restored: 0,
        credits: 0,
        waiting: 0,
        unknown: 0,
        parked: 0,
        detected: 0,
        incidents: 0,
        oldest_open: None,
        by_provider: vec![],
        problems: vec![],
    }
}

pub(crate) async fn a_pass_is_kept_as_it_ends(store: &dyn Store) {
    let mut first = pass("p1", 2000);
    store.save_pass(&first).await.unwrap();
    store.save_pass(&pass("p2", 3000)).await.unwrap();
    first.finished_at = Some(at(2060));
    first.restored = 4;
    first.by_provider = vec![ProviderLine { provider: "meridian".into(), asked: 9, ..ProviderLine::default() }];
    store.save_pass(&first).await.unwrap();
    store.save_pass(&first).await.unwrap();
    assert_eq!(store.passes(10).await.unwrap(), [pass("p2", 3000), first.clone()]);
    let edited = PassReport { restored: 5, ..first };
    assert!(store.save_pass(&edited).await.is_err(), "a finished pass stays as it is");
    assert_eq!(store.promise(at(9000)).await.unwrap().last_pass, Some((at(2000), at(2060))));
}

pub(crate) async fn the_promise_is_counted(store: &dyn Store) {
    assert_eq!(store.promise(at(9000)).await.unwrap(), makegood_domain::ports::PromiseHealth::default());
    // Refunded at 90: after 70, 60, … 10 seconds.
    let mut facts = Vec::new();
    for number in 1..=7 {
        let (id, charge_id) = (format!("back_{number}"), format!("chg_back_{number}"));
        facts.push(run(&id, "a", "a", 10));
        facts.push(charge(&charge_id, &id, "a", 10 + number * 10, &[10], &[("bal_q", 10)]));
        facts.push(refund(&format!("rfd_{number}"), &charge_id, &id, "posted", &[1], &[("bal_q", 10)]));
    }
    take(store, &facts, at(1500)).await;
    charged(store, "r1").await;
    charged(store, "r2").await;
    store.claim_due("one", 1, jiff::SignedDuration::from_secs(9), at(1500)).await.unwrap();
    store.end_look(&"r1".into(), "one", &NextLook::Parked { why: "x".into() }, at(1500)).await.unwrap();
    let promise = store.promise(at(2000)).await.unwrap();
    assert_eq!((promise.open_charges, promise.open_credits, promise.oldest_open), (2, 20, Some(at(20))));
    assert_eq!(promise.parked, 1);
    let delays = [promise.refund_seconds_p50, promise.refund_seconds_p90, promise.refund_seconds_worst];
    assert_eq!(delays, [Some(40), Some(70), Some(70)], "by nearest rank: the 4th and the 7th of 7");
    let week_later = store.promise(at(90 + 7 * 86_400)).await.unwrap();
    assert_eq!(week_later.refund_seconds_p50, None, "only the last seven days count");
}

pub(crate) async fn the_scope_of_a_run_is_that_run(store: &dyn Store) {
    charged(store, "r1").await;
    charged(store, "r2").await;
    let mut retry = run_row("r1_again", "a", "a", 30);
    retry["retry_of"] = "r1".into();
    retry["retry_initiator"] = "system".into();
    let facts = [
        super::world::fact("run", retry),
        output("out_1", "r1_again", "b", "stored"),
        run("team", "s", "a", 11),
        charge("chg_team", "team", "s", 20, &[5], &[("bal_p", 5)]),
        run("bens", "b", "b", 12),
        output("out_bens", "bens", "a", "stored"),
    ];
    take(store, &facts, at(1500)).await;
    assert_eq!(store.scope_of_run(&"none".into(), at(2000)).await.unwrap(), None);
    let scope = store.scope_of_run(&"r1".into(), at(2000)).await.unwrap().unwrap();
    let ids =
        |rows: &[makegood_domain::scope::Dossier]| rows.iter().map(|row| row.run.id.0.clone()).collect::<Vec<_>>();
    assert_eq!(
        (ids(&scope.runs), ids(&scope.foreign_runs)),
        (vec!["r1".into(), "r1_again".into()], vec!["bens".into()])
    );
    assert_eq!((scope.requester.user_id.clone(), scope.as_of), (Some("usr_a".into()), at(2000)));
    assert_eq!(scope.requester.email, "ana@example.com");
    let mut names: Vec<_> = scope.projects.iter().map(|row| row.id.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["prj_a", "prj_b"], "of the run, and where its output lies");
    assert!(scope.account(&"acc_a".into()).is_some() && scope.account(&"acc_b".into()).is_some());
    assert!(scope.node(&"nd_a".into()).is_some() && scope.owns_project(&"prj_a".into()));
    assert!(!scope.owns_project(&"prj_b".into()));
    let team = store.scope_of_run(&"team".into(), at(2000)).await.unwrap().unwrap();
    assert_eq!(team.requester.user_id, Some("usr_b".into()), "who owns the workspace that paid, not who started it");
    assert!(team.owns_project(&"prj_s".into()));
}
