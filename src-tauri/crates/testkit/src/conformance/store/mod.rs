//! What every record must do: the same as [`MemoryStore`], call by call. Scripts visit every call of
//! every port, each with what it must come to; random sequences of calls find what nobody thought of.

mod call;
mod compare;
mod desk;
mod dice;
mod product;
mod random;
mod scripts;
mod way_in;

use async_trait::async_trait;
use jiff::Timestamp;
use makegood_domain::ids::CaseId;
use makegood_domain::ports::Store;

use crate::{MemoryStore, SeenDue, SeenItem};
use call::Call;
use compare::Answer;

/// A record under test, and what a test can see of it past its ports.
#[async_trait]
pub trait Record: Send + Sync {
    fn store(&self) -> &dyn Store;
    /// All charged items, by charge and number.
    async fn items(&self) -> Vec<SeenItem>;
    /// The list of due runs, by id.
    async fn due(&self) -> Vec<SeenDue>;
    /// Does by `at` what the record has done every few minutes, whoever does it: seals its audit.
    async fn tend(&self, _at: Timestamp) {}
}

/// Makes empty records that believe their callers about the time.
#[async_trait]
pub trait Subject: Sync {
    async fn fresh(&self) -> Box<dyn Record>;
}

#[async_trait]
impl Record for MemoryStore {
    fn store(&self) -> &dyn Store {
        self
    }
    async fn items(&self) -> Vec<SeenItem> {
        self.seen_items()
    }
    async fn due(&self) -> Vec<SeenDue> {
        self.seen_due()
    }
}

/// Runs every script. Panics at the first difference, saying which.
pub async fn scripts(subject: &dyn Subject) {
    for (name, steps) in scripts::all() {
        let calls: Vec<Call> = steps.iter().map(|step| step.call.clone()).collect();
        let wanted: Vec<bool> = steps.iter().map(|step| step.done).collect();
        if let Some(difference) = play(subject, &calls, Some(&wanted)).await {
            panic!("{name}: {difference}");
        }
    }
}

/// Plays `count` random sequences from `seed` on, each on a record of its own beside the model. Panics
/// at the first difference, with the seed and the fewest calls that still show it.
pub async fn differential(subject: &dyn Subject, seed: u64, count: u64) {
    for seed in seed..seed.saturating_add(count) {
        let calls = random::sequence(seed).await;
        let Some(difference) = play(subject, &calls, None).await else { continue };
        let (calls, difference) = shrink(subject, calls, difference).await;
        let told: Vec<String> = calls.iter().map(|call| format!("  {call:?}")).collect();
        panic!("seed {seed}: {difference}\nafter these calls:\n{}", told.join("\n"));
    }
}

/// Leaves out calls as long as a difference is left.
async fn shrink(subject: &dyn Subject, mut calls: Vec<Call>, mut difference: String) -> (Vec<Call>, String) {
    let mut place = calls.len();
    while place > 0 {
        place -= 1;
        let mut fewer = calls.clone();
        fewer.remove(place);
        if let Some(still) = play(subject, &fewer, None).await {
            (calls, difference) = (fewer, still);
        }
    }
    (calls, difference)
}

/// Plays calls on a fresh record and on the model; the first difference, in plain words. `wanted`:
/// whether each call is to be done.
async fn play(subject: &dyn Subject, calls: &[Call], wanted: Option<&[bool]>) -> Option<String> {
    let (record, model) = (subject.fresh().await, MemoryStore::new());
    for (place, call) in calls.iter().enumerate() {
        let (ours, theirs) = (call::make(&model, call).await, call::make(record.store(), call).await);
        if ours != theirs {
            return Some(format!("call {place}, {call:?}:\n  model  {ours:?}\n  record {theirs:?}"));
        }
        if let Some(done) = wanted.and_then(|wanted| wanted.get(place))
            && *done != ours.is_done()
        {
            return Some(format!("call {place}, {call:?}: {ours:?}"));
        }
        let breaks = model.breaks();
        if !breaks.is_empty() {
            return Some(format!("call {place}, {call:?} broke the model: {breaks:?}"));
        }
        if let Some(difference) = looks(&model, record.as_ref()).await {
            return Some(format!("after call {place}, {call:?}: {difference}"));
        }
    }
    let (cases, now) = (desk::cases(), product::at(900_000));
    record.tend(now).await;
    at_the_end(&model, record.store(), &cases, now).await
}

/// Items, list, and what the little questions tell.
async fn looks(model: &MemoryStore, record: &dyn Record) -> Option<String> {
    let (ours, theirs) = (model.seen_items(), record.items().await);
    if ours != theirs {
        let differ: Vec<_> = ours.iter().filter(|row| !theirs.contains(row)).collect();
        let other: Vec<_> = theirs.iter().filter(|row| !ours.contains(row)).collect();
        return Some(format!("items:\n  model  {differ:?}\n  record {other:?}"));
    }
    let (ours, theirs) = (model.seen_due(), record.due().await);
    if ours != theirs {
        return Some(format!("due runs:\n  model  {ours:?}\n  record {theirs:?}"));
    }
    first_difference(compare::little(model).await, compare::little(record.store()).await)
}

async fn at_the_end(model: &MemoryStore, record: &dyn Store, cases: &[CaseId], now: Timestamp) -> Option<String> {
    let all = first_difference(compare::all(model, cases, now).await, compare::all(record, cases, now).await);
    if all.is_some() {
        return all;
    }
    first_difference(compare::journals(model, now).await, compare::journals(record, now).await)
}

fn first_difference(ours: Vec<Answer>, theirs: Vec<Answer>) -> Option<String> {
    ours.into_iter().zip(theirs).find(|(ours, theirs)| ours != theirs).map(|(ours, theirs)| {
        let (question, ours, theirs) = (ours.0, format!("{:?}", ours.1), format!("{:?}", theirs.1));
        let same = ours.chars().zip(theirs.chars()).take_while(|(one, other)| one == other).count();
        // From shortly before they part.
        let shown = |text: &str| text.chars().skip(same.saturating_sub(200)).take(600).collect::<String>();
        format!("asked for {question}:\n  model  …{}\n  record …{}", shown(&ours), shown(&theirs))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Fault, Op};

    struct Model;

    #[async_trait]
    impl Subject for Model {
        async fn fresh(&self) -> Box<dyn Record> {
            Box::new(MemoryStore::new())
        }
    }

    #[tokio::test]
    async fn the_model_does_what_the_scripts_want() {
        scripts(&Model).await;
    }

    #[tokio::test]
    async fn the_books_of_the_model_balance_whatever_is_called() {
        differential(&Model, 0, 200).await;
    }

    /// A record that does the second remedy and does not say so.
    struct Forgetful;

    #[async_trait]
    impl Subject for Forgetful {
        async fn fresh(&self) -> Box<dyn Record> {
            let record = MemoryStore::new();
            record.fail_next(Op::Settle, Fault::LostAck);
            Box::new(record)
        }
    }

    #[tokio::test]
    async fn a_record_that_is_different_is_found_in_few_calls() {
        for seed in 0..20 {
            let calls = random::sequence(seed).await;
            let Some(difference) = play(&Forgetful, &calls, None).await else { continue };
            let (fewer, difference) = shrink(&Forgetful, calls, difference).await;
            assert!(matches!(fewer.as_slice(), [Call::Settle(..)]), "{fewer:?}: {difference}");
            assert!(difference.contains("unavailable"), "{difference}");
            return;
        }
        panic!("none of the sequences settles anything");
    }

    /// A sequence of which nothing is done, or nothing refused, proves little.
    #[tokio::test]
    async fn random_calls_are_done_and_refused_in_good_measure() {
        let mut tally: BTreeMap<String, (u32, u32)> = BTreeMap::new();
        for seed in 0..200 {
            let model = MemoryStore::new();
            for call in random::sequence(seed).await {
                let outcome = call::make(&model, &call).await;
                let name = match &call {
                    Call::Apply(_, _, _, effect, _) => format!("apply {}", word(effect)),
                    Call::Settle(_, _, effect, _) => format!("settle {}", word(effect)),
                    other => word(other),
                };
                let (done, refused) = tally.entry(name).or_default();
                *(if outcome.is_done() { done } else { refused }) += 1;
            }
        }
        for wanted in ["LeaseItem", "Deliver", "ReleaseItem", "Restore", "Move"] {
            let (done, refused) = tally.get(&format!("apply {wanted}")).copied().unwrap_or_default();
            assert!(done >= 5 && refused >= 5, "{wanted}: {tally:?}");
        }
        for wanted in ["LeaseItem", "Deliver", "Restore"] {
            let (done, refused) = tally.get(&format!("settle {wanted}")).copied().unwrap_or_default();
            assert!(done >= 5 && refused >= 5, "settle {wanted}: {tally:?}");
        }
    }

    fn word(told: &impl std::fmt::Debug) -> String {
        format!("{told:?}").chars().take_while(char::is_ascii_alphabetic).collect()
    }

    #[tokio::test]
    async fn a_seed_is_a_sequence() {
        let told = async |seed| format!("{:?}", random::sequence(seed).await);
        assert_eq!(told(7).await, told(7).await);
        assert_ne!(told(7).await, told(8).await);
    }
}
