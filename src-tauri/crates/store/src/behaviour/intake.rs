//! The way in: an event is taken once, what can't be taken is kept once, and a file is read on from where
//! it was.

use makegood_domain::events::{Event, Origin};
use makegood_domain::feed::Fact;
use makegood_domain::ports::{
    DeadLetter, DeadLetterState, DeadLettersWanted, ImportPosition, Store, Taken, Told, Unread,
};

use super::world::{at, charge, fact, run, run_row};

fn told(id: &str, fact: Fact, place: &str) -> Told {
    let origin = Some(Origin { source: "/platform".into(), id: id.into() });
    Told::new(Event { origin, time: Some(at(5)), ..Event::from(fact) }, place)
}

async fn letters(store: &dyn Store, state: Option<DeadLetterState>) -> Vec<DeadLetter> {
    store.dead_letters(&DeadLettersWanted { state, after: 0, limit: 100 }).await.unwrap()
}

pub(crate) async fn an_event_counts_once_whatever_it_says(store: &dyn Store) {
    let status = |status: &str| {
        let mut row = run_row("run_1", "a", "a", 10);
        row["status"] = status.into();
        fact("run", row)
    };
    for (id, says, want) in [
        ("1", "running", Taken::Added),
        ("2", "succeeded", Taken::Updated),
        ("1", "running", Taken::Unchanged),
        ("1", "refunded", Taken::Unchanged),
        ("3", "succeeded", Taken::Unchanged),
        ("4", "running", Taken::Updated),
    ] {
        let report = store.take(&[told(id, status(says), "here")], at(1000)).await.unwrap();
        assert_eq!(report.outcomes, [Some(want)], "{id} {says}");
    }
    let twice = [told("5", status("succeeded"), "here"), told("5", status("refunded"), "here")];
    let report = store.take(&twice, at(1000)).await.unwrap();
    assert_eq!(report.outcomes, [Some(Taken::Updated), Some(Taken::Unchanged)]);
}

pub(crate) async fn a_letter_is_kept_once_and_counted(store: &dyn Store) {
    let early = charge("chg_1", "run_1", "a", 20, &[5], &[("bal_q", 5)]);
    for seconds in [1000, 2000] {
        let report = store.take(&[told("e1", early.clone(), "feed.jsonl:7")], at(seconds)).await.unwrap();
        assert_eq!((report.outcomes, report.rejected[0].lacks), (vec![None], true));
    }
    let [letter] = letters(store, None).await.try_into().unwrap();
    assert_eq!((letter.kind.as_str(), letter.row_id.as_str()), ("charge", "chg_1"));
    assert_eq!(letter.origin, Some(Origin { source: "/platform".into(), id: "e1".into() }));
    assert_eq!((letter.time, letter.whole), (Some(at(5)), true));
    assert_eq!(letter.waits_for, Some(("run".to_owned(), "run_1".to_owned())));
    assert_eq!((letter.reason.as_str(), letter.place.as_str()), ("there is no run run_1", "feed.jsonl:7"));
    assert_eq!((letter.first_at, letter.last_at, letter.tries), (at(1000), at(2000), 2));
    assert_eq!(serde_json::from_str::<Fact>(&letter.raw).unwrap(), early);

    let waits = |kind: &str, id: &str| vec![(kind.to_owned(), id.to_owned())];
    assert_eq!(
        store.dead_letters_waiting_for(&waits("run", "run_1"), 10).await.unwrap(),
        std::slice::from_ref(&letter)
    );
    assert_eq!(store.dead_letters_waiting_for(&waits("run", "run_2"), 10).await.unwrap(), []);
    assert_eq!(store.dead_letters_waiting_for(&waits("charge", "run_1"), 10).await.unwrap(), []);
    store.take(&[told("e0", run("run_1", "a", "a", 10), "here")], at(3000)).await.unwrap();
    let report = store.take(&[told("e1", early, "again")], at(4000)).await.unwrap();
    assert_eq!(report.outcomes, [Some(Taken::Added)], "an event that was rejected was not taken");
    let [ended] = letters(store, None).await.try_into().unwrap();
    assert_eq!((ended.state, ended.last_at, ended.tries), (DeadLetterState::Retried, at(4000), 2));
    assert_eq!(store.dead_letters_waiting_for(&waits("run", "run_1"), 10).await.unwrap(), []);
}

pub(crate) async fn a_letter_says_what_it_waits_for(store: &dyn Store) {
    let known = run("run_1", "a", "a", 10);
    let table = [
        (charge("chg_1", "run_1", "a", 20, &[101], &[("bal_w", 101)]), Some(("account", "acc_a")), true),
        (charge("chg_2", "run_1", "a", 20, &[1], &[("bal_x", 1)]), Some(("account", "acc_a")), true),
        (charge("chg_3", "run_1", "a", 20, &[5], &[("bal_q", 4)]), None, false),
        (run("run_2", "x", "a", 10), Some(("project", "prj_x")), true),
    ];
    let facts: Vec<Told> = std::iter::once(&known)
        .chain(table.iter().map(|(fact, ..)| fact))
        .map(|fact| Told::new(fact.clone().into(), "here"))
        .collect();
    let report = store.take(&facts, at(1000)).await.unwrap();
    let lacks: Vec<bool> = report.rejected.iter().map(|row| row.lacks).collect();
    assert_eq!(lacks, table.iter().map(|(.., lacks)| *lacks).collect::<Vec<_>>());
    let waits: Vec<_> = letters(store, None).await.into_iter().map(|letter| letter.waits_for).collect();
    let wanted = table.iter().map(|(_, row, _)| row.map(|(kind, id)| (kind.to_owned(), id.to_owned())));
    assert_eq!(waits, wanted.collect::<Vec<_>>());
}

pub(crate) async fn what_cannot_be_read_is_kept_until_somebody_ends_it(store: &dyn Store) {
    let unread = |raw: &str| Unread {
        raw: raw.to_owned(),
        whole: raw.len() < 5,
        reason: "the event: it is no JSON".to_owned(),
        place: "feed.jsonl:3".to_owned(),
    };
    store.bury(&[unread("{"), unread("[[[[["), unread("{")], at(1000)).await.unwrap();
    let kept = letters(store, Some(DeadLetterState::Waiting)).await;
    let seen: Vec<_> =
        kept.iter().map(|letter| (letter.raw.as_str(), letter.whole, letter.tries, letter.kind.as_str())).collect();
    assert_eq!(seen, [("{", true, 2, ""), ("[[[[[", false, 1, "")]);
    let (first, second) = (kept[0].id, kept[1].id);
    let page = DeadLettersWanted { state: None, after: first, limit: 1 };
    assert_eq!(store.dead_letters(&page).await.unwrap()[0].id, second);
    assert!(store.end_dead_letter(first, DeadLetterState::Dropped, at(2000)).await.unwrap());
    assert!(
        !store.end_dead_letter(first, DeadLetterState::Retried, at(3000)).await.unwrap(),
        "it does not wait any more"
    );
    assert!(!store.end_dead_letter(second + 1, DeadLetterState::Dropped, at(3000)).await.unwrap(), "there is none");
    let dropped = letters(store, Some(DeadLetterState::Dropped)).await;
    assert_eq!((dropped.len(), dropped[0].last_at), (1, at(2000)));
    store.bury(&[unread("{")], at(4000)).await.unwrap();
    assert_eq!(letters(store, Some(DeadLetterState::Waiting)).await.len(), 2, "told again, it waits again");
}

pub(crate) async fn a_file_is_read_on_from_where_it_was(store: &dyn Store) {
    assert_eq!(store.import_position("a.jsonl").await.unwrap(), None);
    for (byte, line, done) in [(0, 0, false), (5_000_000_000, 70_000, false), (9_000_000_000, 90_000, true)] {
        let position = ImportPosition { byte, line, done };
        store.keep_position("a.jsonl", &position, at(1000)).await.unwrap();
        assert_eq!(store.import_position("a.jsonl").await.unwrap(), Some(position));
    }
    assert_eq!(store.import_position("b.jsonl").await.unwrap(), None);
}
