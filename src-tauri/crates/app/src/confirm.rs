//! Doing what was reviewed: one runner for every plan. Each step is journalled with its effect in
//! one transaction; a plan that was interrupted is done again from the start and meets its own
//! receipts. The screen hears *done* only after ledger and storage were read back.

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{ActionKey, AgentId, CaseId};
use makegood_domain::plan::{ActionKind, Consent, Effect, Order, Plan, ReleasedItem, Step, digest};
use makegood_domain::ports::{ActionRecord, ActionState, Applied, Begun, StoreError};

use crate::contract::{ActionKeyRequest, ActionView, ApprovalNeed, ConfirmRequest, OutcomeState, Topic};
use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::labels;
use crate::recover::Recovered;
use crate::review::Said;

/// A sheet older than this is made again before anything is done.
const REVIEW_AGE_MAX: SignedDuration = SignedDuration::from_mins(15);

/// A review sheet that somebody acts on.
pub(crate) struct Reviewed<'a> {
    pub case_id: &'a str,
    pub case_revision: i64,
    pub kind: ActionKind,
    pub answer: Option<&'a str>,
    pub reason: Option<&'a str>,
    pub consent: Option<Consent>,
    pub digest: &'a str,
    pub at: Timestamp,
}

impl<'a> Reviewed<'a> {
    fn of(request: &'a ConfirmRequest) -> Self {
        Self {
            case_id: &request.case_id,
            case_revision: request.case_revision,
            kind: request.kind,
            answer: request.answer.as_deref(),
            reason: request.reason.as_deref(),
            consent: request.consent.as_ref().map(Consent::from),
            digest: &request.digest,
            at: request.reviewed_at,
        }
    }

    fn said(&self) -> Said<'_> {
        Said { answer: self.answer, reason: self.reason, consent: self.consent.as_ref() }
    }
}

/// How far a run of steps came.
enum Walk {
    Finished,
    Stopped(ActionState),
}

impl Desk {
    /// Does what was reviewed, once: the same key always gets the same outcome.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn confirm(&self, request: ConfirmRequest) -> Result<ActionView> {
        let key = ActionKey(request.key.clone());
        if request.key.len() < 16 || request.key.len() > 64 {
            return Err(Error::BadRequest("an action key has 16 to 64 characters".into()));
        }
        if let Some(record) = self.store.action(&key).await? {
            return self.answer_again(record, &request).await;
        }
        let now = self.now();
        let plan = match self.reviewed_plan(&Reviewed::of(&request), now).await {
            Ok(plan) => plan,
            // What the same request, sent twice, has done meanwhile is no change that it could mind.
            Err(why) => {
                let record = self.store.action(&key).await?.ok_or(why)?;
                return self.answer_again(record, &request).await;
            }
        };
        let order = Order {
            key: key.clone(),
            digest: request.digest.clone(),
            agent: self.agent.id.clone(),
            at: now,
            reason: request.reason.clone(),
        };
        match self.store.begin_action(&order, &plan).await? {
            Begun::New => self.carry_out(&key, &plan).await,
            Begun::Existing(record) => self.answer_again(*record, &request).await,
            Begun::KeyConflict => Err(key_conflict()),
            Begun::CaseChanged { .. } => Err(changed_since()),
            Begun::ApprovalNeeded { amount, why } => {
                let need = self.need_of(amount, why, now).await?;
                Ok(self.approval_needed(&request, need, now))
            }
            Begun::Busy { key: other, kind } => Err(Error::Refused(format!(
                "another action on this case is not finished: {} ({other}); check it first",
                kind.word()
            ))),
        }
    }

    /// Asks after an action whose outcome is not known, with the same key: what was interrupted is
    /// finished, what was done is proved again.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn check(&self, request: ActionKeyRequest) -> Result<ActionView> {
        let record = self.record_of(&request).await?;
        match record.state {
            ActionState::Running | ActionState::Unknown { .. } => self.carry_out(&record.order.key, &record.plan).await,
            _ => self.view(&record, true).await,
        }
    }

    /// An action as it stands.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn action(&self, request: ActionKeyRequest) -> Result<ActionView> {
        let record = self.record_of(&request).await?;
        self.view(&record, true).await
    }

    /// Finishes what an earlier run of the program left in the middle. Returns how many actions. On a
    /// record that people share, those of others may be under way at this moment: they are left to who
    /// began them, and to whoever checks them.
    ///
    /// # Errors
    /// When the record cannot be used, after all of them were tried; an action that fails again is not an error.
    pub async fn resume_unfinished(&self) -> Result<usize> {
        let shared = self.store.identity(&self.agent.id, self.now()).await?.enforced;
        let mut records = self.store.unfinished_actions().await?;
        records.retain(|record| !shared || record.order.agent == self.agent.id);
        let count = records.len();
        // Side by side: a long transfer of one keeps no other waiting, and one that fails ends none.
        let resumed = join_all(records.iter().map(|record| self.carry_out(&record.order.key, &record.plan))).await;
        let mut failed = None;
        for (record, outcome) in records.iter().zip(resumed) {
            match outcome {
                Ok(view) => tracing::info!(action.key = view.key, action.state = ?view.state, "resumed an action"),
                Err(error) => {
                    tracing::error!(action.key = %record.order.key, %error, "an action was not resumed");
                    failed.get_or_insert(error);
                }
            }
        }
        failed.map_or(Ok(count), Err)
    }

    async fn record_of(&self, request: &ActionKeyRequest) -> Result<ActionRecord> {
        let record = self.store.action(&ActionKey(request.key.clone())).await?;
        Ok(record.ok_or_else(|| StoreError::NotFound { what: "action", id: request.key.clone() })?)
    }

    /// The same key: the same answer, or a refusal if it was used for something else (I4).
    async fn answer_again(&self, record: ActionRecord, request: &ConfirmRequest) -> Result<ActionView> {
        if record.order.digest != request.digest || record.plan.case_id.as_str() != request.case_id {
            return Err(key_conflict());
        }
        if record.state == ActionState::Running {
            return self.carry_out(&record.order.key, &record.plan).await;
        }
        self.view(&record, true).await
    }

    /// Plans again for the instant of the review, with the facts of now: another digest means that
    /// something changed in between.
    pub(crate) async fn reviewed_plan(&self, reviewed: &Reviewed<'_>, now: Timestamp) -> Result<Plan> {
        let age = now.duration_since(reviewed.at);
        if age > REVIEW_AGE_MAX || age < SignedDuration::ZERO {
            return Err(Error::Stale("the review is too old: look at it again; nothing was done".into()));
        }
        let mut examined = self.examine(&CaseId(reviewed.case_id.to_owned())).await?;
        if examined.case.revision != reviewed.case_revision {
            return Err(changed_since());
        }
        let then = self.find(&examined.case, &examined.scope, reviewed.at).await?;
        let same = then.diagnosis.remedy == examined.finding.diagnosis.remedy
            && then.diagnosis.item_actions == examined.finding.diagnosis.item_actions
            && then.diagnosis.restorations == examined.finding.diagnosis.restorations;
        if !same {
            return Err(changed_since());
        }
        tracing::debug!(case.id = %examined.case.id, %now, "planning again for the review");
        examined.finding = then;
        let plan = self.plan_for(&examined, reviewed.kind, &reviewed.said(), reviewed.at)?;
        if digest(&plan) != reviewed.digest {
            return Err(changed_since());
        }
        Ok(plan)
    }

    /// Nothing was begun: somebody else must say yes first.
    fn approval_needed(&self, request: &ConfirmRequest, need: ApprovalNeed, now: Timestamp) -> ActionView {
        ActionView {
            key: request.key.clone(),
            kind: request.kind,
            title: labels::action(request.kind).to_owned(),
            state: OutcomeState::ApprovalNeeded,
            why: Some(need.why.clone()),
            retry: false,
            agent: self.agent.id.0.clone(),
            at: now,
            finished_at: None,
            read_back: Vec::new(),
            repeated: false,
            approval_need: Some(need),
        }
    }

    async fn carry_out(&self, key: &ActionKey, plan: &Plan) -> Result<ActionView> {
        let first = self.in_flight.lock().is_ok_and(|mut keys| keys.insert(key.clone()));
        if first {
            let walked = self.walk(key, plan).await;
            if let Ok(mut keys) = self.in_flight.lock() {
                keys.remove(key);
            }
            self.settle(key, plan, walked?).await?;
        }
        let record = self.store.action(key).await?;
        let record = record.ok_or_else(|| StoreError::NotFound { what: "action", id: key.0.clone() })?;
        self.view(&record, false).await
    }

    async fn walk(&self, key: &ActionKey, plan: &Plan) -> Result<Walk> {
        let case = self.store.case(&plan.case_id).await?;
        let scope = self.store.scope(&case.ticket.requester, Some(&case.ticket.id), self.now()).await?;
        let (mut done, mut gone) = (Vec::new(), None);
        for (number, step) in plan.steps.iter().enumerate() {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            let stop = match step {
                // What was reviewed can't be done whole any more.
                Step::Do { .. } if gone.is_some() => break,
                Step::Do { effect } => self.do_effect(key, number, effect).await?,
                Step::RecoverItem { .. } => match self.recover_item(key, plan, number, &scope).await? {
                    Recovered::Delivered => None,
                    Recovered::Refused(why) => Some(ActionState::Refused { why }),
                    Recovered::Cancelled(by) => Some(cancelled(&by, !done.is_empty())),
                    // The other files may be there, and not for long.
                    Recovered::Failed(missed) if missed.gone => {
                        gone.get_or_insert(missed.why);
                        continue;
                    }
                    Recovered::Failed(missed) => {
                        Some(ActionState::FailedBeforeEffect { why: missed.why, retry: missed.retry && gone.is_none() })
                    }
                },
            };
            if let Some(state) = stop {
                return Ok(Walk::Stopped(stopped(state, &done)));
            }
            done.push(step);
        }
        Ok(match gone {
            Some(why) => Walk::Stopped(stopped(ActionState::FailedBeforeEffect { why, retry: false }, &done)),
            None => Walk::Finished,
        })
    }

    /// Does one effect; what keeps the plan from going on.
    async fn do_effect(&self, key: &ActionKey, number: u32, effect: &Effect) -> Result<Option<ActionState>> {
        if let Effect::Release { items, .. } = effect
            && let Some(why) = self.unreadable(items).await
        {
            return Ok(Some(ActionState::FailedBeforeEffect { why, retry: true }));
        }
        Ok(match self.store.apply(key, number, 0, effect, self.now()).await? {
            Applied::Done(_) => None,
            Applied::Refused(why) => Some(ActionState::Refused { why }),
        })
    }

    /// Nobody pays for a file that is not there, whole: why not.
    async fn unreadable(&self, items: &[ReleasedItem]) -> Option<String> {
        for item in items {
            match self.vault.verify(&item.file.sha256).await {
                Ok(file) if file.sha256 == item.file.sha256 && file.bytes == item.file.bytes => {}
                Ok(_) => return Some(format!("our copy of item {} is damaged: nothing was taken", item.item)),
                Err(why) => return Some(format!("our copy of item {}: {why}; nothing was taken", item.item)),
            }
        }
        None
    }

    /// Reads back what the receipts claim, and only then says done.
    async fn settle(&self, key: &ActionKey, plan: &Plan, walk: Walk) -> Result<()> {
        let state = match walk {
            Walk::Stopped(state) => state,
            Walk::Finished => {
                let record = self.store.action(key).await?;
                let receipts = record.map(|record| record.receipts).unwrap_or_default();
                match self.disproved(plan, &receipts).await? {
                    None => ActionState::Done,
                    Some(why) => ActionState::Unknown { why },
                }
            }
        };
        self.store.finish_action(key, &state, self.now()).await?;
        // The outcome stands, whatever keeps the case from being looked at: the next look is at hand.
        if let Err(why) = self.examine(&plan.case_id).await {
            tracing::warn!(case.id = %plan.case_id, error = %why, "the case was not looked at after an action");
        }
        let case_id = plan.case_id.0.clone();
        self.changed(Topic::Action { key: key.0.clone(), case_id: case_id.clone() });
        self.changed(Topic::Case { case_id });
        self.changed(Topic::Queue);
        self.changed(Topic::Outbox);
        self.changed(Topic::Audit);
        Ok(())
    }
}

/// A plan that stops after something was done says so: what is done stays done, with its receipts.
fn stopped(state: ActionState, done: &[&Step]) -> ActionState {
    if done.is_empty() {
        return state;
    }
    let steps = done.iter().map(|step| in_words(step)).collect::<Vec<_>>().join(", ");
    match state {
        ActionState::FailedBeforeEffect { why, retry: true } => ActionState::Unknown {
            why: format!("{why}; earlier steps are done and proved ({steps}), check again to go on"),
        },
        // What can never be done must not stand in the way of what else the case needs.
        ActionState::FailedBeforeEffect { why, retry: false } | ActionState::Refused { why } => {
            ActionState::Refused { why: format!("{why}; earlier steps are done ({steps}), the rest was not") }
        }
        other => other,
    }
}

/// A step that was done, for people.
fn in_words(step: &Step) -> String {
    match step {
        Step::RecoverItem { item, .. } => format!("item {item} delivered"),
        Step::Do { effect: Effect::Restore { restoration, .. } } => {
            let items: Vec<_> = restoration.items.iter().map(|row| row.item.to_string()).collect();
            format!("credits returned for item {}", items.join(", "))
        }
        Step::Do { effect } => effect.word().replace('_', " "),
    }
}

/// Somebody ended the transfer. That ends the action: whoever wants the rest reviews it again.
fn cancelled(by: &AgentId, changed_something: bool) -> ActionState {
    let why = format!("cancelled by {by}");
    if changed_something {
        return ActionState::Refused { why };
    }
    ActionState::FailedBeforeEffect { why: format!("{why}: nothing was done"), retry: true }
}

fn key_conflict() -> Error {
    Error::Refused("this key was used for something else; nothing was done (I4)".into())
}

fn changed_since() -> Error {
    Error::Stale("the facts changed since the review: look at it again; nothing was done".into())
}
