//! Files of the vault: they stay as long as something needs them, and what was taken away is not shown.

use jiff::SignedDuration;
use makegood_domain::plan::{Effect, Place, StoredFile};
use makegood_domain::ports::{Applied, KnownFile, Receipt, Removal, Store};

use super::sweeps::charged;
use super::world::{at, lease};
use super::{begun, refused_at, settled};

const HOUR: i64 = 3_600;
const HOLD: SignedDuration = SignedDuration::from_hours(14 * 24);

fn content(digits: &str) -> String {
    digits.repeat(32)
}

/// Brings the file of a run's only item to a place.
async fn brought(store: &dyn Store, run: &str, digits: &str, place: Place, seconds: i64) -> Applied {
    let key = format!("rec-{run}-{seconds}");
    let Receipt::Leased { epoch, .. } = settled(store, &key, 0, &lease(run), seconds).await else {
        panic!("a lease was answered with something else");
    };
    let deliver = Effect::Deliver {
        run_id: run.into(),
        item: 1,
        epoch,
        output_id: format!("out_{run}").as_str().into(),
        file: StoredFile { sha256: content(digits), bytes: 9, media_type: "video/mp4".into() },
        place,
    };
    let applied = store.settle(&key.as_str().into(), 1, &deliver, at(seconds)).await.unwrap();
    if matches!(applied, Applied::Refused(_)) {
        let release = Effect::ReleaseItem { run_id: run.into(), item: 1, epoch, why: "refused".into() };
        settled(store, &key, 2, &release, seconds).await;
    }
    applied
}

fn history() -> Place {
    Place::History { project_id: "prj_a".into() }
}

fn hold(until: i64) -> Place {
    Place::Hold { project_id: "prj_a".into(), until: at(until) }
}

async fn claim(store: &dyn Store, digits: &str, seconds: i64) -> bool {
    let removal = Removal {
        sha256: content(digits),
        bytes: 9,
        why: "its hold is over".into(),
        by: "reconciler".into(),
        hold: HOLD,
    };
    store.claim_removal(&removal, at(seconds)).await.unwrap()
}

async fn lines(store: &dyn Store, digits: &str) -> Vec<(String, String)> {
    let lines = store.audit(Some(&content(digits)), 10).await.unwrap();
    lines.into_iter().map(|line| (line.actor, line.act)).collect()
}

async fn known(store: &dyn Store, after: Option<&str>) -> Vec<KnownFile> {
    store.known_files(after, 10).await.unwrap()
}

pub(crate) async fn a_file_is_taken_away_when_nothing_needs_it(store: &dyn Store) {
    charged(store, "r1").await;
    let done = brought(store, "r1", "ab", hold(10_000), 2_000).await;
    assert!(matches!(done, Applied::Done(_)), "{done:?}");
    let found = store.file_references(&[content("ab"), content("cd")]).await.unwrap();
    let [reference] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((reference.output_id.clone(), reference.run_id.as_str()), (Some("out_r1".into()), "r1"));
    assert_eq!((reference.hold_until, reference.quarantined_at), (Some(at(10_000)), None));
    assert_eq!(known(store, None).await, [KnownFile { sha256: content("ab"), bytes: 9 }]);
    assert_eq!(known(store, Some(&content("ab"))).await, []);
    assert!(!claim(store, "ab", 9_999).await, "its hold is not over");
    assert_eq!(lines(store, "ab").await, []);
    assert!(claim(store, "ab", 10_000).await);
    assert!(claim(store, "ab", 10_001).await, "what is claimed is claimed");
    assert_eq!(lines(store, "ab").await, [("reconciler".to_owned(), "remove_file".to_owned())]);
    assert_eq!(store.claimed_removals(10).await.unwrap(), [content("ab")]);
    assert_eq!(known(store, None).await, []);
    assert!(store.end_removal(&content("ab"), at(10_002)).await.unwrap());
    assert!(!store.end_removal(&content("ab"), at(10_003)).await.unwrap(), "it is over");
    assert_eq!(store.claimed_removals(10).await.unwrap(), Vec::<String>::new());
}

pub(crate) async fn what_an_output_shows_stays_and_a_quarantine_ends(store: &dyn Store) {
    charged(store, "r1").await;
    charged(store, "r2").await;
    brought(store, "r1", "ab", hold(3_000), 2_000).await;
    brought(store, "r2", "ab", history(), 2_000).await;
    let far = 400 * 24 * HOUR;
    assert!(!claim(store, "ab", far).await, "one of two outputs shows it");
    let away = Effect::Quarantine { output_id: "out_r2".into(), reason: "with another account".into() };
    settled(store, "rec-away", 0, &away, 5_000).await;
    let found = store.file_references(&[content("ab")]).await.unwrap();
    assert_eq!(found.iter().map(|one| one.quarantined_at).collect::<Vec<_>>(), [None, Some(at(5_000))]);
    let over = 5_000 + HOLD.as_secs();
    assert!(!claim(store, "ab", over - 1).await);
    assert!(claim(store, "ab", over).await);
}

pub(crate) async fn what_was_taken_away_is_not_shown_until_it_comes_again(store: &dyn Store) {
    charged(store, "r1").await;
    charged(store, "r2").await;
    brought(store, "r1", "ab", hold(3_000), 2_000).await;
    let show = Effect::Move { output_id: "out_r1".into(), place: history() };
    let key = begun(store, "k1", "ana", std::slice::from_ref(&show)).await;
    assert!(claim(store, "ab", 3_000).await);
    let why = refused_at(store, &key, 0, &show, 3_001).await;
    assert!(why.contains("taken out of the vault"), "{why}");
    // Whoever found it there just before would refer to nothing.
    let refused = brought(store, "r2", "ab", history(), 3_002).await;
    assert!(matches!(&refused, Applied::Refused(why) if why.contains("fetch it again")), "{refused:?}");
    assert!(store.end_removal(&content("ab"), at(3_003)).await.unwrap());
    let early = brought(store, "r2", "ab", history(), 3_000 + HOUR - 1).await;
    assert!(matches!(&early, Applied::Refused(_)), "{early:?}");
    let done = brought(store, "r2", "ab", history(), 3_000 + HOUR).await;
    assert!(matches!(done, Applied::Done(_)), "{done:?}");
    assert_eq!(known(store, None).await.len(), 1, "it came again");
    let shown = store.apply(&key, 0, 0, &show, at(3_000 + HOUR + 1)).await.unwrap();
    assert!(matches!(shown, Applied::Done(_)), "its content is there again: {shown:?}");
    assert!(!claim(store, "ab", 900_000).await);
}

pub(crate) async fn what_nobody_recorded_is_taken_away_too(store: &dyn Store) {
    assert!(claim(store, "ef", 100).await);
    assert_eq!(lines(store, "ef").await, [("reconciler".to_owned(), "remove_file".to_owned())]);
    assert_eq!(store.claimed_removals(10).await.unwrap(), [content("ef")]);
    assert!(store.end_removal(&content("ef"), at(101)).await.unwrap());
    // Left by another crash, later.
    assert!(claim(store, "ef", 200).await);
    assert_eq!(lines(store, "ef").await.len(), 2);
    assert!(store.end_removal(&content("ef"), at(201)).await.unwrap());
    assert!(!store.end_removal(&content("aa"), at(201)).await.unwrap(), "none was claimed");
}
