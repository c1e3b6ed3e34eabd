//! Events in, whichever way they came: taken into the record, each answered for itself.

use jiff::Timestamp;
use makegood_domain::events::Event;
use makegood_domain::feed::Fact;
use makegood_domain::ports::{Store, StoreError, StoreResult, Taken};

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
/// source and id or by what it says, changes nothing.
///
/// # Errors
/// The record could not be used; then none was taken, and all can be sent again.
pub async fn take(store: &dyn Store, events: &[Event], now: Timestamp) -> StoreResult<Vec<Outcome>> {
    let facts: Vec<Fact> = events.iter().map(|event| event.fact.clone()).collect();
    let report = store.import(&facts, now).await?;
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
    if outcomes.len() == events.len() {
        return Ok(outcomes);
    }
    let why = format!("{} facts were told, and {} are accounted for", events.len(), outcomes.len());
    Err(StoreError::Inconsistent { at: "the import".to_owned(), why })
}

#[cfg(test)]
mod tests {
    use makegood_domain::ledger::Charge;
    use makegood_testkit::{MemoryStore, World};

    use super::*;

    fn told(facts: Vec<Fact>) -> Vec<Event> {
        facts.into_iter().map(Event::from).collect()
    }

    fn other_total(charge: &Charge) -> Charge {
        Charge { total: charge.total + 1, ..charge.clone() }
    }

    #[tokio::test]
    async fn each_event_is_answered_for_itself() {
        let store = MemoryStore::default();
        let now = Timestamp::UNIX_EPOCH;
        let mut world = World::new("veo", now);
        world.charged_run(2, 100);
        let facts = world.facts();
        let last = facts.last().cloned().unwrap();
        let Fact::Charge(charge) = last.clone() else { panic!("a charge comes last") };

        let alone = take(&store, &told(vec![last.clone()]), now).await.unwrap();
        let [Outcome::Rejected { reason, retryable: true }] = alone.as_slice() else { panic!("{alone:?}") };
        assert!(reason.starts_with("there is no "), "{reason}");
        let first = take(&store, &told(facts.clone()), now).await.unwrap();
        assert!(first.iter().all(|outcome| *outcome == Outcome::Added), "{first:?}");

        let mut changed = facts.first().cloned().unwrap();
        if let Fact::Provider(row) = &mut changed {
            row.retention_hours = Some(1);
        }
        let wrong = Fact::Charge(other_total(&charge));
        let again = take(&store, &told(vec![last, wrong, changed]), now).await.unwrap();
        let reason = format!("charge {} is known with other content", charge.id);
        assert_eq!(again, [Outcome::Unchanged, Outcome::Rejected { reason, retryable: false }, Outcome::Updated]);
    }
}
