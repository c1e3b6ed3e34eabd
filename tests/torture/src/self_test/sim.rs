//! Bugs of a simulated house: of its record, its vault, and of the numbers that its programs go by.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{ActionKey, ApprovalId, ProjectId, RunId};
use makegood_domain::ledger::RefundKind;
use makegood_domain::plan::{Effect, Order, Place, Plan, StoredFile};
use makegood_domain::ports::{
    Applied, ApprovalDecision, AuditLine, Begun, Decided, FileSink, Incoming, NextLook, PassReport, Receipt, Start,
    StepReceipt, Store, StoreResult, TransitKey, Vault, VaultError,
};
use makegood_domain::scope::Scope;

use super::{Bed, Bug};
use crate::between::{Between, Sent};
use crate::sim::{self, Plant};

/// Stories in which a bug shows for which several things must meet.
const SEEDS_RARE: u64 = 1_000;

pub fn beds() -> Vec<Bed> {
    let bug = |name, shows, plant: Plant| Bug { name, shows, play: Box::new(move |run| sim::small(&plant, run)) };
    let record = |record| Plant { record: Some(record), ..Plant::default() };
    let promise: &[&str] = &["hour 24"];
    let bugs = vec![
        bug(
            "a lease keeps nobody off",
            &["restored under a live lease"],
            Plant { seeds: SEEDS_RARE, ..record(|| Arc::new(Later)) },
        ),
        bug(
            "who asked may say yes",
            &["approved the own request"],
            Plant { seeds: SEEDS_RARE, ..record(|| Arc::new(AnyYes)) },
        ),
        bug(
            "a yes is never too old",
            &["nobody said yes (I11)"],
            Plant { seeds: SEEDS_RARE, ..record(|| Arc::new(OldYes)) },
        ),
        bug("a key is forgotten", &["(I4)"], record(|| Arc::new(Forgetful::default()))),
        bug(
            "a file goes to another account",
            &["paid for it", "hour 24"],
            record(|| Arc::new(Bends(into_the_first_project))),
        ),
        bug("twice the price comes back", promise, record(|| Arc::new(Bends(twice_the_price)))),
        bug("done is said, and nothing is done", &["hour 24", "(I4)"], record(|| Arc::new(Hollow))),
        bug("who was not heard is not asked again", promise, record(|| Arc::new(GivesUp))),
        bug("a line of the audit is missing", &["(I8)"], record(|| Arc::new(Torn))),
        bug("usage forgets what an agent restored", &["is billable with"], record(|| Arc::new(OldBill))),
        bug("a report tells less than was done", &["the report of"], record(|| Arc::new(Modest))),
        bug(
            "delivered without the whole file",
            &["is not in the vault"],
            Plant { vault: Some(|vault| Arc::new(Sieve(vault))), ..Plant::default() },
        ),
        bug(
            "a file is given up at the first failure",
            &["its file was there"],
            Plant { policy: Some(|policy| policy.reconcile.recover_until_hours = 0), ..Plant::default() },
        ),
        bug(
            "who still works is not waited for",
            &["while its provider was at work", "its file was there"],
            Plant { policy: Some(|policy| policy.window.hours = 1), ..Plant::default() },
        ),
        bug(
            "the last look is at hour 24",
            promise,
            Plant { seeds: SEEDS_RARE, policy: Some(|policy| policy.window.hours = 25), ..Plant::default() },
        ),
    ];
    vec![Bed { suite: "sim", control: Box::new(|run| sim::small(&Plant::default(), run)), bugs }]
}

/// What is sent again is taken for something new.
#[derive(Default)]
struct Forgetful {
    known: Mutex<BTreeSet<(String, u32, u32)>>,
}

#[async_trait]
impl Between for Forgetful {
    async fn effect(&self, store: &dyn Store, sent: Sent<'_>) -> StoreResult<Applied> {
        let Some(step) = sent.step else { return sent.to(store).await };
        let named = (sent.key.0.clone(), step, sent.part);
        if self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(named) {
            return sent.to(store).await;
        }
        let key = ActionKey(format!("{}-{step}-new", sent.key));
        Sent { key: &key, step: None, ..sent }.to(store).await
    }
}

/// What each effect becomes, whoever sends it.
struct Bends(fn(&mut Effect));

#[async_trait]
impl Between for Bends {
    async fn effect(&self, store: &dyn Store, sent: Sent<'_>) -> StoreResult<Applied> {
        let mut effect = sent.effect.clone();
        (self.0)(&mut effect);
        Sent { effect: &effect, ..sent }.to(store).await
    }
}

/// Files are put into the first customer's project, whoever paid.
fn into_the_first_project(effect: &mut Effect) {
    if let Effect::Deliver { place, .. } = effect {
        *place = Place::History { project_id: ProjectId::new("prj_0") };
    }
}

fn twice_the_price(effect: &mut Effect) {
    if let Effect::Restore { restoration, .. } = effect {
        restoration.items.iter_mut().for_each(|item| item.credits *= 2);
        restoration.lines.iter_mut().for_each(|line| line.amount *= 2);
    }
}

/// Restorations reach the record as if every lease were over.
struct Later;

#[async_trait]
impl Between for Later {
    async fn effect(&self, store: &dyn Store, sent: Sent<'_>) -> StoreResult<Applied> {
        if !matches!(sent.effect, Effect::Restore { .. }) {
            return sent.to(store).await;
        }
        let at = sent.at.saturating_add(SignedDuration::from_hours(1)).unwrap_or(sent.at);
        Sent { at, ..sent }.to(store).await
    }
}

/// Who decides counts as somebody else.
struct AnyYes;

#[async_trait]
impl Between for AnyYes {
    async fn decide_approval(
        &self,
        store: &dyn Store,
        id: &ApprovalId,
        decision: &ApprovalDecision,
        at: Timestamp,
    ) -> StoreResult<Decided> {
        let decision = ApprovalDecision { by: "cyd".into(), ..decision.clone() };
        store.decide_approval(id, &decision, at).await
    }
}

/// An action begins as if its second person had just said yes.
struct OldYes;

#[async_trait]
impl Between for OldYes {
    async fn begin_action(&self, store: &dyn Store, order: &Order, plan: &Plan) -> StoreResult<Begun> {
        let at = order.at.saturating_sub(SignedDuration::from_mins(10)).unwrap_or(order.at);
        store.begin_action(&Order { at, ..order.clone() }, plan).await
    }
}

/// Restorations are acknowledged, and nothing of them is kept.
struct Hollow;

#[async_trait]
impl Between for Hollow {
    async fn effect(&self, store: &dyn Store, sent: Sent<'_>) -> StoreResult<Applied> {
        let (Effect::Restore { refund_id, restoration, .. }, None) = (sent.effect, sent.step) else {
            return sent.to(store).await;
        };
        let total = restoration.lines.iter().map(|line| line.amount).sum();
        let receipt = Receipt::Restored { refund_id: refund_id.clone(), total, balances: Vec::new() };
        // Always of the same instant, so that nobody sees it by the receipt.
        Ok(Applied::Done(StepReceipt { step: 0, part: sent.part, at: Timestamp::UNIX_EPOCH, receipt }))
    }
}

/// Who is to be looked at later is looked at never.
struct GivesUp;

#[async_trait]
impl Between for GivesUp {
    async fn end_look(
        &self,
        store: &dyn Store,
        root: &RunId,
        worker: &str,
        next: &NextLook,
        at: Timestamp,
    ) -> StoreResult<()> {
        let never = || at.saturating_add(SignedDuration::from_hours(24 * 365)).unwrap_or(Timestamp::MAX);
        let next = match next {
            NextLook::At { .. } => NextLook::At { at: never() },
            other => other.clone(),
        };
        store.end_look(root, worker, &next, at).await
    }
}

/// One effect in all has no line.
struct Torn;

#[async_trait]
impl Between for Torn {
    async fn audit(&self, store: &dyn Store, subject: Option<&str>, limit: u64) -> StoreResult<Vec<AuditLine>> {
        let mut lines = store.audit(subject, limit).await?;
        if let Some(place) = lines.iter().position(|line| line.act == "restore") {
            lines.remove(place);
        }
        Ok(lines)
    }
}

/// A run is read without what agents restored of it.
struct OldBill;

#[async_trait]
impl Between for OldBill {
    async fn scope_of_run(&self, store: &dyn Store, root: &RunId, as_of: Timestamp) -> StoreResult<Option<Scope>> {
        let mut scope = store.scope_of_run(root, as_of).await?;
        for dossier in scope.iter_mut().flat_map(|scope| &mut scope.runs) {
            dossier.refunds.retain(|refund| refund.kind != RefundKind::Manual);
        }
        Ok(scope)
    }
}

/// One restoration of each pass is not told.
struct Modest;

#[async_trait]
impl Between for Modest {
    async fn save_pass(&self, store: &dyn Store, report: &PassReport) -> StoreResult<()> {
        let restored = report.restored.saturating_sub(1);
        store.save_pass(&PassReport { restored, ..report.clone() }).await
    }
}

/// A vault that keeps the beginning of each file, and says that it has it.
struct Sieve(Arc<dyn Vault>);

struct Falling {
    into: Box<dyn Incoming>,
    wrote: bool,
}

#[async_trait]
impl FileSink for Falling {
    async fn starts(&mut self, start: &Start) -> Result<(), VaultError> {
        self.into.starts(start).await
    }

    async fn write(&mut self, chunk: &[u8]) -> Result<(), VaultError> {
        if std::mem::replace(&mut self.wrote, true) { Ok(()) } else { self.into.write(chunk).await }
    }
}

#[async_trait]
impl Incoming for Falling {
    async fn commit(self: Box<Self>, bytes: u64, sha256_prefix: &str) -> Result<StoredFile, VaultError> {
        self.into.commit(bytes, sha256_prefix).await
    }

    async fn discard(self: Box<Self>) -> Result<(), VaultError> {
        self.into.discard().await
    }
}

#[async_trait]
impl Vault for Sieve {
    async fn begin(&self, key: &TransitKey) -> Result<Box<dyn Incoming>, VaultError> {
        Ok(Box::new(Falling { into: self.0.begin(key).await?, wrote: false }))
    }

    async fn verify(&self, sha256: &str) -> Result<StoredFile, VaultError> {
        self.0.verify(sha256).await
    }

    async fn read(&self, sha256: &str, limit_bytes: u64) -> Result<Vec<u8>, VaultError> {
        self.0.read(sha256, limit_bytes).await
    }
}
