//! Whoever watches the record from right above it: below the links that break, so that it knows what
//! was done, also where nobody was told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use makegood_domain::ids::{ActionKey, RunId};
use makegood_domain::plan::Effect;
use makegood_domain::ports::{Applied, NextLook, Receipt, StepReceipt, Store, StoreResult};

use super::outside::{MemoryVault, content_is_of};
use crate::between::Between;

/// An effect, as its sender names it.
type Named = (String, u32, u32);

/// What was done, and the first thing that must not be.
#[derive(Debug, Default)]
struct Seen {
    receipts: BTreeMap<Named, (Effect, StepReceipt)>,
    /// Effects that were done, by word. One that is sent again is the same one.
    done: BTreeMap<&'static str, usize>,
    /// Outputs that were delivered, by run and item.
    delivered: BTreeSet<(String, u32, String)>,
    /// Runs that are left to people.
    parked: BTreeSet<String>,
    wrong: Option<String>,
}

/// The watcher of one record.
pub struct Probe {
    vault: Arc<MemoryVault>,
    seen: Mutex<Seen>,
}

impl Probe {
    pub fn new(vault: &Arc<MemoryVault>) -> Arc<Self> {
        Arc::new(Self { vault: Arc::clone(vault), seen: Mutex::default() })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Seen) -> T) -> T {
        work(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The first thing that must not be.
    pub fn wrong(&self) -> Option<String> {
        self.with(|seen| seen.wrong.clone())
    }

    /// Tells of something else that must not be.
    pub fn complain(&self, wrong: String) {
        self.with(|seen| seen.wrong.get_or_insert(wrong).clone());
    }

    /// How often each kind of effect was done.
    pub fn done(&self) -> BTreeMap<&'static str, usize> {
        self.with(|seen| seen.done.clone())
    }

    /// Whether an output was brought here for an item.
    pub fn brought(&self, run: &str, item: u32, output: &str) -> bool {
        self.with(|seen| seen.delivered.contains(&(run.to_owned(), item, output.to_owned())))
    }

    /// Whether a run is left to people.
    pub fn is_parked(&self, run: &str) -> bool {
        self.with(|seen| seen.parked.contains(run))
    }

    fn answered(&self, named: Named, effect: &Effect, answer: &StoreResult<Applied>) {
        let Ok(answer) = answer else { return };
        let lost = match (effect, answer) {
            (Effect::Deliver { run_id, item, file, .. }, Applied::Done(_)) => {
                let content = self.vault.content(&file.sha256).unwrap_or_default();
                let whole = content_is_of(&content, run_id.as_str(), *item);
                (!whole).then(|| format!("item {item} of {run_id} is delivered, and its file is not in the vault"))
            }
            _ => None,
        };
        self.with(|seen| {
            let wrong = lost.or_else(|| seen.note(&named, effect, answer));
            if let Some(wrong) = wrong {
                seen.wrong.get_or_insert(wrong);
            }
        });
    }
}

impl Seen {
    /// I4: the same key with the same effect has the same answer, for ever; with another effect, none.
    fn note(&mut self, named: &Named, effect: &Effect, answer: &Applied) -> Option<String> {
        let known = self.receipts.get(named);
        match (known, answer) {
            (Some((first, known)), Applied::Done(receipt)) if first == effect && known == receipt => None,
            (Some((first, _)), Applied::Refused(_)) if first != effect => None,
            (Some(_), answer) => {
                let (key, step, part) = named;
                Some(format!("{key}.{step}.{part} was done, and is now answered {answer:?} (I4)"))
            }
            (None, Applied::Refused(_)) => None,
            (None, Applied::Done(receipt)) => {
                self.receipts.insert(named.clone(), (effect.clone(), receipt.clone()));
                *self.done.entry(effect.word()).or_default() += 1;
                if let (Effect::Deliver { run_id, item, .. }, Receipt::Delivered { output_id, .. }) =
                    (effect, &receipt.receipt)
                {
                    self.delivered.insert((run_id.0.clone(), *item, output_id.0.clone()));
                }
                None
            }
        }
    }
}

#[async_trait]
impl Between for Probe {
    async fn apply(
        &self,
        store: &dyn Store,
        key: &ActionKey,
        step: u32,
        part: u32,
        effect: &Effect,
        at: Timestamp,
    ) -> StoreResult<Applied> {
        let answer = store.apply(key, step, part, effect, at).await;
        self.answered((key.0.clone(), step, part), effect, &answer);
        answer
    }

    async fn settle(
        &self,
        store: &dyn Store,
        key: &ActionKey,
        part: u32,
        effect: &Effect,
        at: Timestamp,
    ) -> StoreResult<Applied> {
        let answer = store.settle(key, part, effect, at).await;
        self.answered((key.0.clone(), 0, part), effect, &answer);
        answer
    }

    async fn end_look(
        &self,
        store: &dyn Store,
        root: &RunId,
        worker: &str,
        next: &NextLook,
        at: Timestamp,
    ) -> StoreResult<()> {
        self.with(|seen| match next {
            NextLook::Parked { .. } => seen.parked.insert(root.0.clone()),
            _ => seen.parked.remove(root.as_str()),
        });
        store.end_look(root, worker, next, at).await
    }
}

/// What one reconciler was told of its own effects: what its report must tell.
#[derive(Debug, Default)]
pub struct Told {
    counts: Mutex<(u64, u64)>,
}

impl Told {
    /// Items restored and files brought since this was last asked.
    pub fn take(&self) -> (u64, u64) {
        std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Between for Told {
    async fn settle(
        &self,
        store: &dyn Store,
        key: &ActionKey,
        part: u32,
        effect: &Effect,
        at: Timestamp,
    ) -> StoreResult<Applied> {
        let answer = store.settle(key, part, effect, at).await;
        if let Ok(Applied::Done(done)) = &answer {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            match done.receipt {
                Receipt::Restored { .. } => counts.0 += 1,
                Receipt::Delivered { .. } => counts.1 += 1,
                _ => {}
            }
        }
        answer
    }
}
