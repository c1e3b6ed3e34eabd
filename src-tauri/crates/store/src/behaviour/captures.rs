//! Copies of our own: they stand as long as their file is in the vault, and make nothing of what is being taken away.

use jiff::SignedDuration;
use makegood_domain::capture::Capture;
use makegood_domain::plan::{Effect, Place, StoredFile};
use makegood_domain::ports::{Kept, NewDelivery, Receipt, Removal, Store};
use makegood_domain::work::{ItemState, Job, JobItem, JobState, ProviderFile};
use serde_json::json;

use super::sweeps::charged;
use super::world::{at, fact, lease, output};
use super::{settled, take};

const HOUR: i64 = 3_600;
const HOLD: i64 = 14 * 24 * HOUR;

/// A charged run with a job of the same name.
async fn made(store: &dyn Store, run: &str) {
    charged(store, run).await;
    let row = json!({ "id": format!("job_{run}"), "run_id": run, "provider_id": "meridian", "submitted_at": at(11),
        "state": "processing", "processing_started_at": null, "finished_at": null, "items": [], "error": null });
    take(store, &[fact("job", row)], at(1_600)).await;
}

fn file(digits: &str) -> StoredFile {
    StoredFile { sha256: digits.repeat(32), bytes: 9, media_type: "video/mp4".into() }
}

async fn keep(store: &dyn Store, run: &str, digits: &str, seconds: i64) -> Kept {
    let job_id = format!("job_{run}").as_str().into();
    let capture = Capture { run_id: run.into(), job_id, item: 1, file: file(digits), captured_at: at(seconds) };
    store.keep_capture(&capture, &"reconciler".into()).await.unwrap()
}

async fn claim(store: &dyn Store, digits: &str, seconds: i64) -> bool {
    let removal = Removal {
        sha256: digits.repeat(32),
        bytes: 9,
        why: "its hold is over".into(),
        by: "reconciler".into(),
        hold: SignedDuration::from_secs(HOLD),
    };
    store.claim_removal(&removal, at(seconds)).await.unwrap()
}

async fn standing(store: &dyn Store, run: &str) -> Vec<Capture> {
    let scope = store.scope_of_run(&run.into(), at(9_000)).await.unwrap().unwrap();
    scope.runs.into_iter().flat_map(|dossier| dossier.captures).collect()
}

fn is_refused(kept: &Kept) -> bool {
    matches!(kept, Kept::Refused(why) if why.contains("taken out of the vault"))
}

pub(crate) async fn a_capture_stands_until_its_file_is_taken_away(store: &dyn Store) {
    made(store, "r1").await;
    let first = keep(store, "r1", "ab", 2_000).await;
    let Kept::Stands(capture) = &first else { panic!("{first:?}") };
    assert_eq!((capture.run_id.as_str(), &capture.file), ("r1", &file("ab")));
    assert_eq!(keep(store, "r1", "cd", 2_100).await, first, "of two files of one item the first one counts");
    assert_eq!(standing(store, "r1").await.len(), 1);
    let end = 2_000 + HOLD;
    assert!(!claim(store, "ab", end - 1).await, "it is kept as long as what is held");
    assert_eq!(standing(store, "r1").await.len(), 1);
    assert!(claim(store, "ab", end).await);
    assert_eq!(standing(store, "r1").await, [], "what is going is not ours to deliver");
    assert!(store.end_removal(&"ab".repeat(32), at(end + 1)).await.unwrap());
    // Its provider still has it: the item's next turn.
    let again = keep(store, "r1", "ab", end + HOUR).await;
    assert!(matches!(&again, Kept::Stands(capture) if capture.captured_at == at(end + HOUR)), "{again:?}");
    assert_eq!(standing(store, "r1").await.len(), 1);
    assert!(!claim(store, "ab", end + HOUR + HOLD - 1).await, "and it is kept as long again");
}

pub(crate) async fn what_is_being_taken_away_is_not_captured(store: &dyn Store) {
    made(store, "r1").await;
    made(store, "r2").await;
    assert!(claim(store, "ab", 3_000).await, "nobody's");
    let kept = keep(store, "r1", "ab", 3_001).await;
    assert!(is_refused(&kept), "{kept:?}");
    assert_eq!(standing(store, "r1").await, []);
    let other = keep(store, "r1", "cd", 3_002).await;
    assert!(matches!(other, Kept::Stands(_)), "another file is not concerned: {other:?}");
    assert!(store.end_removal(&"ab".repeat(32), at(3_003)).await.unwrap());
    let early = keep(store, "r2", "ab", 3_000 + HOUR - 1).await;
    assert!(is_refused(&early), "whoever found it just before must fetch it again: {early:?}");
    let late = keep(store, "r2", "ab", 3_000 + HOUR).await;
    assert!(matches!(late, Kept::Stands(_)), "{late:?}");
}

pub(crate) async fn a_capture_and_a_removal_at_once_do_not_both_happen(store: &dyn Store) {
    made(store, "r1").await;
    for round in 0..24 {
        let run = format!("turn_{round}");
        made(store, &run).await;
        let digits = format!("{round:02}");
        let (claimed, kept) = if round % 2 == 0 {
            tokio::join!(claim(store, &digits, 4_000), keep(store, &run, &digits, 4_000))
        } else {
            let (kept, claimed) = tokio::join!(keep(store, &run, &digits, 4_000), claim(store, &digits, 4_000));
            (claimed, kept)
        };
        assert_eq!(claimed, is_refused(&kept), "round {round}: {kept:?}");
        assert_eq!(standing(store, &run).await.len(), usize::from(!claimed), "round {round}");
    }
}

pub(crate) async fn what_was_captured_is_known_and_referred_to(store: &dyn Store) {
    made(store, "r1").await;
    keep(store, "r1", "ab", 2_000).await;
    let sha256 = "ab".repeat(32);
    let of = async || store.file_references(std::slice::from_ref(&sha256)).await.unwrap();
    let [saved] = &of().await[..] else { panic!("one reference") };
    assert_eq!((&saved.output_id, saved.captured_at, saved.run_id.as_str()), (&None, Some(at(2_000)), "r1"));
    assert_eq!(saved.end(SignedDuration::from_secs(HOLD)), Some(at(2_000 + HOLD)));
    let known = async || store.known_files(None, 10).await.unwrap().into_iter().map(|file| file.sha256);
    assert_eq!(known().await.collect::<Vec<_>>(), ["ab".repeat(32)], "it is there, and can be damaged");
    let Receipt::Leased { epoch, .. } = settled(store, "rec-1", 0, &lease("r1"), 2_500).await else {
        panic!("a lease was answered with something else");
    };
    let place = Place::History { project_id: "prj_a".into() };
    let deliver =
        Effect::Deliver { run_id: "r1".into(), item: 1, epoch, output_id: "out_r1".into(), file: file("ab"), place };
    settled(store, "rec-1", 1, &deliver, 2_600).await;
    let found: Vec<_> = of().await.into_iter().map(|one| one.output_id.map(|id| id.0)).collect();
    assert_eq!(found, [Some("out_r1".to_owned()), None]);
    assert_eq!(known().await.count(), 1, "once");
    assert!(!claim(store, "ab", 2_000 + HOLD).await, "an output shows it");
    assert_eq!(standing(store, "r1").await.len(), 1);
}

/// What a look-up says of the job of a run whose first item has a file, finished then.
fn finished(run: &str, state: JobState, seconds: i64) -> Job {
    let file = ProviderFile { bytes: 9, sha256_prefix: String::new(), available_until: None, exists_now: None };
    let item = JobItem { item: 1, state: ItemState::Succeeded, finished_at: Some(at(seconds)), file: Some(file) };
    Job {
        id: format!("job_{run}").as_str().into(),
        run_id: run.into(),
        provider_id: "meridian".into(),
        submitted_at: at(11),
        state,
        processing_started_at: None,
        finished_at: None,
        items: vec![item],
        error: None,
        looked_up_at: Some(at(1_550)),
        locator: None,
    }
}

async fn look_up(store: &dyn Store, job: &Job) {
    store.record_look_up(job, &[]).await.unwrap();
}

async fn unkept(store: &dyn Store, since: i64) -> Vec<(String, bool)> {
    let rows = store.unkept_jobs(at(since), 10).await.unwrap();
    rows.into_iter().map(|row| (row.run_id.0, row.made)).collect()
}

pub(crate) async fn what_may_have_to_be_saved_is_told_after_a_restart(store: &dyn Store) {
    for run in ["made", "old", "saved", "shown", "silent", "told", "heard"] {
        charged(store, run).await;
    }
    for (run, seconds) in [("made", 1_300), ("old", 900), ("saved", 1_200), ("shown", 1_200), ("silent", 1_250)] {
        look_up(store, &finished(run, JobState::Succeeded, seconds)).await;
    }
    let silent = Job { looked_up_at: Some(at(1_560)), ..finished("silent", JobState::LookupFailed, 1_250) };
    look_up(store, &silent).await;
    let told = serde_json::to_value(finished("told", JobState::Succeeded, 1_300)).unwrap();
    take(store, &[output("o_shown", "shown", "a", "stored"), fact("job", told)], at(1_600)).await;
    made(store, "heard").await;
    assert!(matches!(keep(store, "saved", "ab", 2_000).await, Kept::Stands(_)));
    let ours = |rows: &[(&str, bool)]| rows.iter().map(|(run, made)| ((*run).to_owned(), *made)).collect::<Vec<_>>();
    let known = ours(&[("made", true), ("silent", false)]);
    assert_eq!(unkept(store, 1_000).await, known, "neither what is old, saved, shown, still made, nor only told of");
    store.keep_deliveries(&[heard_of("heard", 1_700)], at(1_700)).await.unwrap();
    assert_eq!(unkept(store, 1_000).await, [&ours(&[("heard", false)])[..], &known].concat(), "somebody told of it");
    assert_eq!(store.unkept_jobs(at(0), 2).await.unwrap().len(), 2, "the newest");
    let failed = Job { looked_up_at: Some(at(1_800)), ..finished("heard", JobState::Failed, 1_750) };
    look_up(store, &failed).await;
    let after = unkept(store, 1_000).await;
    assert_eq!(after.first(), Some(&("heard".to_owned(), true)), "its provider has a file, whatever became of the job");
    assert!(claim(store, "ab", 2_000 + HOLD).await);
    assert!(unkept(store, 1_000).await.contains(&("saved".to_owned(), true)), "what is taken away is not ours");
}

/// A delivery about the job of a run, which proves nothing.
fn heard_of(run: &str, seconds: i64) -> NewDelivery {
    NewDelivery {
        provider_id: "meridian".into(),
        endpoint: None,
        delivery_id: format!("msg_{run}"),
        job_id: Some(format!("job_{run}").as_str().into()),
        event: None,
        proven: false,
        headers: Vec::new(),
        body: b"{}".to_vec(),
        received_at: at(seconds),
    }
}
