//! Whoever watches the record from right above it: below the links that break, so that it knows what
//! was done, also where nobody was told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::feed::Fact;
use makegood_domain::ids::{ApprovalId, RunId};
use makegood_domain::plan::{Effect, Order, Plan};
use makegood_domain::ports::{
    Applied, ApprovalDecision, ApprovalRequest, Begun, Clock as _, Decided, DueRun, ImportReport, NextLook, Person,
    Receipt, StepReceipt, Store, StoreResult,
};

use super::outside::{MemoryVault, content_is_of};
use super::races::{Met, Race};
use super::recorder::{Named, Recorder, named};
use super::second::Second;
use super::timeline::Timeline;
use crate::between::{Between, Sent};

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
    races: Recorder,
    second: Second,
    wrong: Option<String>,
}

/// The watcher of one record.
pub struct Probe {
    timeline: Arc<Timeline>,
    vault: Arc<MemoryVault>,
    seen: Mutex<Seen>,
}

impl Probe {
    pub fn new(timeline: &Arc<Timeline>, vault: &Arc<MemoryVault>) -> Arc<Self> {
        Arc::new(Self { timeline: Arc::clone(timeline), vault: Arc::clone(vault), seen: Mutex::default() })
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

    /// A program has its turn, or goes on after it was stopped.
    pub fn turn_of(&self, actor: usize, went_on: Option<Timestamp>) {
        self.with(|seen| {
            seen.races.turn_of(actor);
            went_on.into_iter().for_each(|at| seen.races.goes_on(actor, at));
        });
    }

    /// The answer to the last effect is lost on its way.
    pub fn unheard(&self) {
        self.with(|seen| seen.races.unheard());
    }

    /// Whether somebody asked for a yes and has none.
    pub fn waits_for_yes(&self) -> bool {
        self.with(|seen| seen.second.waits())
    }

    /// How often each race was met.
    pub fn met(&self) -> Met {
        let mut met = self.with(|seen| seen.races.met.clone());
        met.add(Race::OtherBytes, self.vault.made_anew());
        met
    }

    fn answered(&self, sent: &Sent<'_>, answer: &StoreResult<Applied>) {
        let Ok(answer) = answer else { return };
        let lost = match (sent.effect, answer) {
            (Effect::Deliver { run_id, item, file, .. }, Applied::Done(_)) => {
                let content = self.vault.content(&file.sha256).unwrap_or_default();
                let whole = content_is_of(&content, run_id.as_str(), *item);
                (!whole).then(|| format!("item {item} of {run_id} is delivered, and its file is not in the vault"))
            }
            _ => None,
        };
        self.with(|seen| {
            seen.races.effect(sent, answer);
            let wrong = lost.or_else(|| seen.note(sent, answer));
            if let Some(wrong) = wrong {
                seen.wrong.get_or_insert(wrong);
            }
        });
    }
}

impl Seen {
    /// I4: the same key with the same effect has the same answer, for ever; with another effect, none.
    fn note(&mut self, sent: &Sent<'_>, answer: &Applied) -> Option<String> {
        let (named, effect) = (named(sent), sent.effect);
        let known = self.receipts.get(&named);
        match (known, answer) {
            (Some((first, known)), Applied::Done(receipt)) if first == effect && known == receipt => None,
            (Some((first, _)), Applied::Refused(_)) if first != effect => None,
            (Some(_), answer) => {
                let (key, step, part) = named;
                Some(format!("{key}.{step}.{part} was done, and is now answered {answer:?} (I4)"))
            }
            (None, Applied::Refused(_)) => None,
            (None, Applied::Done(receipt)) => {
                self.receipts.insert(named, (effect.clone(), receipt.clone()));
                *self.done.entry(effect.word()).or_default() += 1;
                if let (Effect::Deliver { run_id, item, .. }, Receipt::Delivered { output_id, .. }) =
                    (effect, &receipt.receipt)
                {
                    self.delivered.insert((run_id.0.clone(), *item, output_id.0.clone()));
                }
                match receipt.receipt {
                    Receipt::Restored { total, .. } if sent.step.is_some() => {
                        self.second.restored(sent.key, total, sent.at)
                    }
                    _ => None,
                }
            }
        }
    }
}

#[async_trait]
impl Between for Probe {
    /// An effect that was long on its way is judged by the record's clock, as a database does.
    async fn effect(&self, store: &dyn Store, sent: Sent<'_>) -> StoreResult<Applied> {
        let sent = Sent { at: self.timeline.now(), ..sent };
        let answer = sent.to(store).await;
        self.answered(&sent, &answer);
        answer
    }

    async fn import(&self, store: &dyn Store, facts: &[Fact], at: Timestamp) -> StoreResult<ImportReport> {
        let report = store.import(facts, at).await?;
        self.with(|seen| seen.races.imported(facts));
        Ok(report)
    }

    async fn claim_due(
        &self,
        store: &dyn Store,
        worker: &str,
        limit: u32,
        lease: SignedDuration,
        at: Timestamp,
    ) -> StoreResult<Vec<DueRun>> {
        let due = store.claim_due(worker, limit, lease, at).await?;
        self.with(|seen| due.iter().for_each(|run| seen.races.claimed(&run.root, worker)));
        Ok(due)
    }

    async fn end_look(
        &self,
        store: &dyn Store,
        root: &RunId,
        worker: &str,
        next: &NextLook,
        at: Timestamp,
    ) -> StoreResult<()> {
        self.with(|seen| {
            seen.races.gave_back(root);
            match next {
                NextLook::Parked { .. } => seen.parked.insert(root.0.clone()),
                _ => seen.parked.remove(root.as_str()),
            }
        });
        store.end_look(root, worker, next, at).await
    }

    async fn begin_action(&self, store: &dyn Store, order: &Order, plan: &Plan) -> StoreResult<Begun> {
        let answer = store.begin_action(order, plan).await?;
        let wrong = self.with(|seen| seen.second.began(order, plan, &answer, &mut seen.races.met));
        wrong.into_iter().for_each(|wrong| self.complain(wrong));
        Ok(answer)
    }

    async fn put_person(&self, store: &dyn Store, person: &Person, at: Timestamp) -> StoreResult<()> {
        store.put_person(person, at).await?;
        self.with(|seen| seen.second.person(person));
        Ok(())
    }

    async fn ask_approval(&self, store: &dyn Store, request: &ApprovalRequest) -> StoreResult<Decided> {
        let answer = store.ask_approval(request).await?;
        if matches!(answer, Decided::Done(_)) {
            self.with(|seen| seen.second.asked(request));
        }
        Ok(answer)
    }

    async fn decide_approval(
        &self,
        store: &dyn Store,
        id: &ApprovalId,
        decision: &ApprovalDecision,
        at: Timestamp,
    ) -> StoreResult<Decided> {
        let answer = store.decide_approval(id, decision, at).await?;
        if matches!(answer, Decided::Done(_)) {
            let wrong = self.with(|seen| seen.second.decided(id, decision, at));
            wrong.into_iter().for_each(|wrong| self.complain(wrong));
        }
        Ok(answer)
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
    async fn effect(&self, store: &dyn Store, sent: Sent<'_>) -> StoreResult<Applied> {
        let answer = sent.to(store).await;
        if let (Ok(Applied::Done(done)), None) = (&answer, sent.step) {
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
