//! Events in, whichever way they came: taken into the record, each answered for itself; what could not be
//! taken is kept, and tried again when what it lacked has come.

use std::collections::{BTreeSet, VecDeque};

use jiff::Timestamp;
use makegood_domain::events::{self, Event};
use makegood_domain::ports::{
    DeadLetter, DeadLetterState, DeadLettersWanted, ImportReport, Store, StoreError, StoreResult, Taken, Told,
};

/// Letters that are tried again after one batch, beyond which they wait for the next telling of their row,
/// or for a person.
const WOKEN_MAX: u64 = 1_000;
/// Letters that are read, and taken, at a time.
const LETTERS_PAGE: u64 = 200;

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Added,
    Updated,
    /// It was told before, or says what is known.
    Unchanged,
    /// It can't be taken. It is kept with the dead letters.
    Rejected {
        reason: String,
        /// It lacks a row that it refers to, or credits: once they are there, it is taken.
        retryable: bool,
    },
}

/// Takes events, committed together: one outcome an event, in their order. The same event again, by its
/// source and id or by what it says, changes nothing. Letters that waited for a row among them are taken
/// afterwards.
///
/// # Errors
/// The record could not be used; then none was taken, and all can be sent again.
pub async fn take(store: &dyn Store, events: &[Event], now: Timestamp) -> StoreResult<Vec<Outcome>> {
    let told: Vec<Told> = events
        .iter()
        .map(|event| {
            let place = event.origin.as_ref().map_or("a plain fact", |origin| origin.source.as_str()).to_owned();
            Told::new(event.clone(), place)
        })
        .collect();
    let (outcomes, _) = take_from(store, &told, now).await?;
    Ok(outcomes)
}

/// As [`take`], of events with the places they came from; answers also how many letters were taken because
/// these events came.
///
/// # Errors
/// As [`take`].
pub async fn take_from(store: &dyn Store, told: &[Told], now: Timestamp) -> StoreResult<(Vec<Outcome>, u64)> {
    let report = store.take(told, now).await?;
    follow(store, told, report, now).await
}

/// The second half of [`take_from`], after the record has taken the events: whoever has many more can have them taken
/// meanwhile.
///
/// # Errors
/// As [`take`], but for the events, which are taken.
pub async fn follow(
    store: &dyn Store,
    told: &[Told],
    report: ImportReport,
    now: Timestamp,
) -> StoreResult<(Vec<Outcome>, u64)> {
    let came = rows_that_came(told, &report);
    let outcomes = outcomes(told.len(), report)?;
    Ok((outcomes, wake(store, came, now).await?))
}

fn outcomes(count: usize, report: ImportReport) -> StoreResult<Vec<Outcome>> {
    let mut rejected = report.rejected.into_iter();
    let outcomes: Vec<Outcome> = report
        .outcomes
        .iter()
        .filter_map(|taken| match taken {
            Some(Taken::Added) => Some(Outcome::Added),
            Some(Taken::Updated) => Some(Outcome::Updated),
            Some(Taken::Unchanged) => Some(Outcome::Unchanged),
            None => rejected.next().map(|fact| Outcome::Rejected { reason: fact.reason, retryable: fact.lacks }),
        })
        .collect();
    if outcomes.len() == count {
        return Ok(outcomes);
    }
    let why = format!("{count} facts were told, and {} are accounted for", outcomes.len());
    Err(StoreError::Inconsistent { at: "the import".to_owned(), why })
}

/// The rows, by kind and id, that are there or are another since.
fn rows_that_came(told: &[Told], report: &ImportReport) -> Vec<(String, String)> {
    let came =
        told.iter().zip(&report.outcomes).filter(|(_, taken)| matches!(taken, Some(Taken::Added | Taken::Updated)));
    came.map(|(one, _)| (one.event.fact.kind().to_owned(), one.event.fact.id())).collect()
}

/// Tries the letters again that waited for these rows, then those that waited for what came of them: how many
/// were taken. Each is tried once.
async fn wake(store: &dyn Store, mut came: Vec<(String, String)>, now: Timestamp) -> StoreResult<u64> {
    let mut tried = BTreeSet::new();
    let mut taken = 0;
    while !came.is_empty() {
        let room = WOKEN_MAX.saturating_sub(u64::try_from(tried.len()).unwrap_or(u64::MAX));
        let mut letters = store.dead_letters_waiting_for(&came, room).await?;
        letters.retain(|letter| tried.insert(letter.id));
        let told: Vec<Told> = letters.into_iter().filter_map(again).collect();
        if told.is_empty() {
            break;
        }
        let report = store.take(&told, now).await?;
        came = rows_that_came(&told, &report);
        taken += report.added + report.updated + report.unchanged;
    }
    Ok(taken)
}

/// What trying letters again came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retried {
    pub taken: u64,
    /// They still can't be taken, and wait on.
    pub waiting: u64,
}

/// Tries all letters again that wait, or the one with this number.
///
/// # Errors
/// The record could not be used: what was taken until then stays taken.
pub async fn retry(store: &dyn Store, only: Option<i64>, now: Timestamp) -> StoreResult<Retried> {
    let mut sum = Retried::default();
    let mut pages = VecDeque::from([match only {
        Some(id) => DeadLettersWanted { state: Some(DeadLetterState::Waiting), after: id.saturating_sub(1), limit: 1 },
        None => DeadLettersWanted { state: Some(DeadLetterState::Waiting), after: 0, limit: LETTERS_PAGE },
    }]);
    while let Some(page) = pages.pop_front() {
        let mut letters = store.dead_letters(&page).await?;
        letters.retain(|letter| only.is_none_or(|id| letter.id == id));
        let Some(last) = letters.last().map(|letter| letter.id) else { break };
        if only.is_none() {
            pages.push_back(DeadLettersWanted { after: last, ..page });
        }
        let one = retry_these(store, letters, now).await?;
        sum.taken += one.taken;
        sum.waiting += one.waiting;
    }
    Ok(sum)
}

async fn retry_these(store: &dyn Store, letters: Vec<DeadLetter>, now: Timestamp) -> StoreResult<Retried> {
    let mut sum = Retried::default();
    let mut told = Vec::new();
    let mut ids = Vec::new();
    for letter in letters {
        let id = letter.id;
        match again(letter) {
            Some(one) => {
                told.push(one);
                ids.push(id);
            }
            None => sum.waiting += 1,
        }
    }
    let (outcomes, woken) = take_from(store, &told, now).await?;
    sum.taken += woken;
    for (id, outcome) in ids.into_iter().zip(outcomes) {
        if matches!(outcome, Outcome::Rejected { .. }) {
            sum.waiting += 1;
        } else {
            // The letter of a row that was taken has ended with it, one that could not be read before has not.
            store.end_dead_letter(id, DeadLetterState::Retried, now).await?;
            sum.taken += 1;
        }
    }
    Ok(sum)
}

/// The letter as it was told, if it can be read.
fn again(letter: DeadLetter) -> Option<Told> {
    let event = events::parse_line(letter.raw.as_bytes()).ok().filter(|_| letter.whole)?;
    // Without a time of its own it is as of when it first came: what was said since is newer.
    let (origin, time) = (letter.origin.or(event.origin), letter.time.or(event.time).or(Some(letter.first_at)));
    Some(Told::new(Event { origin, time, ..event }, letter.place))
}

#[cfg(test)]
mod tests {
    use makegood_domain::feed::Fact;
    use makegood_domain::ledger::Charge;
    use makegood_domain::ports::{IntakeStore, Unread};
    use makegood_testkit::{MemoryStore, World};

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn told(facts: Vec<Fact>) -> Vec<Event> {
        facts.into_iter().map(Event::from).collect()
    }

    fn facts() -> Vec<Fact> {
        let mut world = World::new("veo", NOW);
        let run = world.charged_run(2, 100);
        world.with_refund(&run, &[1]).facts()
    }

    async fn states(store: &MemoryStore) -> Vec<(String, DeadLetterState, u32)> {
        let all = DeadLettersWanted { state: None, after: 0, limit: 100 };
        let letters = store.dead_letters(&all).await.unwrap();
        letters.into_iter().map(|letter| (letter.kind, letter.state, letter.tries)).collect()
    }

    fn added(outcomes: &[Outcome]) -> bool {
        outcomes.iter().all(|outcome| *outcome == Outcome::Added)
    }

    #[tokio::test]
    async fn each_event_is_answered_for_itself() {
        let store = MemoryStore::default();
        let mut facts = facts();
        facts.pop();
        let last = facts.last().cloned().unwrap();
        let Fact::Charge(charge) = last.clone() else { panic!("a charge comes last") };
        assert!(added(&take(&store, &told(facts.clone()), NOW).await.unwrap()));

        let mut changed = facts.first().cloned().unwrap();
        if let Fact::Provider(row) = &mut changed {
            row.retention_hours = Some(1);
        }
        let wrong = Fact::Charge(Charge { total: charge.total + 1, ..charge.clone() });
        let again = take(&store, &told(vec![last, wrong, changed]), NOW).await.unwrap();
        let reason = format!("charge {} is known with other content", charge.id);
        assert_eq!(again, [Outcome::Unchanged, Outcome::Rejected { reason, retryable: false }, Outcome::Updated]);
    }

    /// The charge waits for its run, and the refund for the charge; the run comes last.
    #[tokio::test]
    async fn what_lacked_a_row_is_taken_when_the_row_comes() {
        let store = MemoryStore::default();
        let (mut first, mut late): (Vec<Fact>, Vec<Fact>) =
            facts().into_iter().partition(|fact| !matches!(fact.kind(), "run" | "charge" | "refund"));
        assert!(added(&take(&store, &told(std::mem::take(&mut first)), NOW).await.unwrap()));
        let run = late.remove(0);
        for fact in late {
            let outcomes = take(&store, &told(vec![fact.clone()]), NOW).await.unwrap();
            let [Outcome::Rejected { reason, retryable: true }] = outcomes.as_slice() else { panic!("{outcomes:?}") };
            let lacks = if fact.kind() == "charge" { "run run_1" } else { "charge chg_1" };
            assert_eq!(*reason, format!("there is no {lacks}"));
        }
        let run = Told::new(run.into(), "feed.jsonl:9");
        assert_eq!(take_from(&store, &[run], NOW).await.unwrap(), (vec![Outcome::Added], 2));
        let ended = |kind: &str| (kind.to_owned(), DeadLetterState::Retried, 1);
        assert_eq!(states(&store).await, [ended("charge"), ended("refund")]);
    }

    #[tokio::test]
    async fn an_event_that_is_delivered_again_undoes_no_newer_one() {
        let store = MemoryStore::default();
        let row = facts().remove(0);
        let event = |id: &str, hours: i64| {
            let Fact::Provider(mut row) = row.clone() else { panic!("a provider comes first") };
            row.retention_hours = Some(hours);
            let origin = Some(events::Origin { source: "/platform".into(), id: id.into() });
            Event { origin, ..Event::from(Fact::Provider(row)) }
        };
        for (event, want) in [
            (event("1", 10), Outcome::Added),
            (event("2", 20), Outcome::Updated),
            (event("1", 10), Outcome::Unchanged),
            (event("3", 20), Outcome::Unchanged),
            (event("4", 10), Outcome::Updated),
        ] {
            assert_eq!(take(&store, std::slice::from_ref(&event), NOW).await.unwrap(), [want], "{event:?}");
        }
    }

    #[tokio::test]
    async fn a_retry_takes_what_can_be_read_by_now() {
        let store = MemoryStore::default();
        let line = serde_json::to_string(&facts().remove(0)).unwrap();
        let unread = |raw: &str, whole| {
            let (raw, reason, place) = (raw.to_owned(), "type: unknown".to_owned(), "feed.jsonl:1".to_owned());
            Unread { raw, whole, reason, place }
        };
        store.bury(&[unread(&line, true), unread("{", true), unread(&format!("{line} "), false)], NOW).await.unwrap();
        assert_eq!(retry(&store, Some(2), NOW).await.unwrap(), Retried { taken: 0, waiting: 1 });
        assert_eq!(retry(&store, None, NOW).await.unwrap(), Retried { taken: 1, waiting: 2 });
        let states: Vec<_> = states(&store).await.into_iter().map(|(_, state, _)| state).collect();
        assert_eq!(states, [DeadLetterState::Retried, DeadLetterState::Waiting, DeadLetterState::Waiting]);
    }
}
