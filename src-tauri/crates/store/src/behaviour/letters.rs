//! What was done is told to the platform, at least once, an endpoint at a time.

use jiff::SignedDuration;
use makegood_domain::ports::{EndpointState, Letter, LetterEnd, Store};
use serde_json::Value;

use super::world::{at, charge, restore, run};
use super::{settled, take};

const LEASE: SignedDuration = SignedDuration::from_secs(60);
const DAY: i64 = 86_400;

/// Runs whose credits were restored one after the other, each at a second of its own.
async fn restored(store: &dyn Store, count: i64) {
    for number in 0..count {
        let (run_id, charge_id) = (format!("run_{number}"), format!("chg_{number}"));
        let facts = [run(&run_id, "a", "a", 10), charge(&charge_id, &run_id, "a", 20, &[1], &[("bal_q", 1)])];
        take(store, &facts, at(1500)).await;
        let effect = restore(&format!("rfd_{number}"), &charge_id, &run_id, 1);
        settled(store, &format!("rec-{number}"), 0, &effect, 90_000 + number).await;
    }
}

async fn claim(store: &dyn Store, endpoint: &str, seconds: i64) -> Vec<Letter> {
    store.claim_letters(endpoint, 2, LEASE, at(seconds)).await.unwrap()
}

async fn end(store: &dyn Store, endpoint: &str, id: &str, end: &LetterEnd, seconds: i64) -> bool {
    let all = ["one".to_owned(), "two".to_owned()];
    let all = if endpoint == "only" { &["only".to_owned()][..] } else { &all };
    store.end_letter(endpoint, id, end, all, at(seconds)).await.unwrap()
}

fn again(seconds: i64) -> LetterEnd {
    LetterEnd::Again { at: at(seconds), why: "it answered 500".to_owned() }
}

async fn states(store: &dyn Store) -> Vec<String> {
    let told = store.outbox(100).await.unwrap().into_iter().filter(|line| line.kind == "credits_restored");
    let mut states: Vec<_> = told.map(|line| (line.at, line.state)).collect();
    states.sort();
    states.into_iter().map(|(_, state)| state).collect()
}

async fn state_of(store: &dyn Store, endpoint: &str) -> EndpointState {
    let all = store.endpoints().await.unwrap();
    all.into_iter().find(|state| state.name == endpoint).expect("a known endpoint")
}

pub(crate) async fn the_platform_is_told_what_was_done(store: &dyn Store) {
    restored(store, 3).await;
    let first = claim(store, "only", 91_000).await;
    assert_eq!(first.len(), 2, "as many as were asked for");
    assert_eq!((first[0].kind.as_str(), first[0].at, first[0].tries), ("credits_restored", at(90_000), 0));
    let payload: Value = serde_json::from_str(&first[0].payload).unwrap();
    assert_eq!(payload["effect"]["restoration"]["charge_id"], "chg_0");
    assert_eq!(payload["receipt"]["total"], 1);
    let second = claim(store, "only", 91_001).await;
    assert_eq!(second.len(), 1, "those that somebody else sends are left to them");
    for letter in first.iter().chain(&second) {
        assert!(!end(store, "only", &letter.id, &LetterEnd::Sent, 91_002).await);
    }
    assert_eq!(states(store).await, ["sent", "sent", "sent"]);
    assert_eq!(claim(store, "only", 200_000).await, []);
    // A second answer to the same letter says nothing new.
    assert!(!end(store, "only", &first[0].id, &LetterEnd::Gone { why: "late".to_owned() }, 91_003).await);
    assert_eq!(states(store).await, ["sent", "sent", "sent"]);
    assert_eq!(state_of(store, "only").await.disabled_at, None);
}

pub(crate) async fn a_try_that_failed_comes_again(store: &dyn Store) {
    restored(store, 1).await;
    let letter = claim(store, "only", 91_000).await.remove(0);
    end(store, "only", &letter.id, &again(91_100), 91_001).await;
    assert_eq!(claim(store, "only", 91_099).await, []);
    let second = claim(store, "only", 91_100).await;
    assert_eq!((second[0].id.as_str(), second[0].tries), (letter.id.as_str(), 1));
    // Who had it died: the next one takes it over, with the same id. Nobody knows that it was sent, so it was no try.
    assert_eq!(claim(store, "only", 91_159).await, []);
    let third = claim(store, "only", 91_160).await;
    assert_eq!((third[0].id.as_str(), third[0].tries), (letter.id.as_str(), 1));
    let state = state_of(store, "only").await;
    assert_eq!((state.waiting, state.failing_since), (1, Some(at(91_001))));
    assert_eq!(state.why.as_deref(), Some("it answered 500"));
    end(store, "only", &letter.id, &LetterEnd::Sent, 91_161).await;
    let state = state_of(store, "only").await;
    assert_eq!((state.waiting, state.failing_since, state.why), (0, None, None));
    assert_eq!(states(store).await, ["sent"]);
}

pub(crate) async fn an_endpoint_that_takes_nothing_is_disabled(store: &dyn Store) {
    restored(store, 2).await;
    let letter = claim(store, "only", 91_000).await.remove(0);
    assert!(!end(store, "only", &letter.id, &again(92_000), 91_000).await);
    assert!(!end(store, "only", &letter.id, &again(92_000), 91_000 + 5 * DAY - 1).await);
    assert!(end(store, "only", &letter.id, &again(92_000), 91_000 + 5 * DAY).await, "five days are enough");
    assert!(!end(store, "only", &letter.id, &again(92_000), 91_001 + 5 * DAY).await, "it is told once");
    assert_eq!(claim(store, "only", 100 * DAY).await, []);
    assert_eq!(state_of(store, "only").await.disabled_at, Some(at(91_000 + 5 * DAY)));
    assert_eq!(states(store).await, ["waiting", "waiting"], "nothing is lost");
    assert!(store.enable_endpoint("only", at(101 * DAY)).await.unwrap());
    assert!(!store.enable_endpoint("nobody", at(101 * DAY)).await.unwrap());
    let letters = claim(store, "only", 101 * DAY).await;
    assert_eq!((letters.len(), letters[0].tries), (2, 0));
    assert!(end(store, "only", &letter.id, &LetterEnd::Gone { why: "410".to_owned() }, 101 * DAY).await, "at once");
    assert_eq!(claim(store, "only", 102 * DAY).await, []);
}

pub(crate) async fn each_endpoint_is_told(store: &dyn Store) {
    restored(store, 1).await;
    let (one, two) = (claim(store, "one", 91_000).await.remove(0), claim(store, "two", 91_000).await.remove(0));
    assert_eq!(one.id, two.id, "the same letter");
    end(store, "one", &one.id, &LetterEnd::Sent, 91_001).await;
    assert_eq!(states(store).await, ["waiting"], "the other one waits for it");
    end(store, "two", &two.id, &again(91_002), 91_001).await;
    let two = claim(store, "two", 91_002).await.remove(0);
    end(store, "two", &two.id, &LetterEnd::Sent, 91_003).await;
    assert_eq!(states(store).await, ["sent"]);
    assert_eq!(claim(store, "three", 91_004).await, [], "who comes later is told what comes later");
}

pub(crate) async fn what_was_given_up_has_failed(store: &dyn Store) {
    restored(store, 1).await;
    let letter = claim(store, "only", 91_000).await.remove(0);
    let given_up = LetterEnd::GivenUp { why: "it answered 400".to_owned() };
    assert!(!end(store, "only", &letter.id, &given_up, 91_001).await);
    assert_eq!(states(store).await, ["failed"]);
    assert_eq!((state_of(store, "only").await.given_up, claim(store, "only", 91_100).await), (1, vec![]));
    assert!(store.enable_endpoint("only", at(91_200)).await.unwrap());
    let letter = claim(store, "only", 91_200).await.remove(0);
    end(store, "only", &letter.id, &LetterEnd::Sent, 91_201).await;
    assert_eq!(states(store).await, ["sent"]);
}
