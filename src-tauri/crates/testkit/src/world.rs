//! A small product with one customer: facts that hang together, so that a test writes down only
//! what it is about. Balances add up, and an item's prices are the policy's (P5).

use jiff::{SignedDuration, Timestamp};
use makegood_domain::feed::Fact;
use makegood_domain::ids::{BalanceId, ProviderId, RunId};
use makegood_domain::ledger::{
    Account, AccountKind, Balance, Charge, ItemPrice, Refund, RefundKind, RefundState, Subscription, SubscriptionStatus,
};
use makegood_domain::money::{BalanceKind, BalanceLine, Credits, item_prices};
use makegood_domain::ports::{FactStore, StoreResult};
use makegood_domain::work::{
    AnswerMode, ItemState, Job, JobItem, JobState, Media, Model, Node, Output, OutputState, Presence, Project,
    Provider, ProviderFile, RetentionSource, Run, RunStatus, User,
};

/// Facts of a customer `usr_ada` with account `acc_ada` (balances `bal_quota`, `bal_wallet`),
/// project `prj_film`, node `nod_1` and model `mdl_clip`.
#[derive(Clone, Debug)]
pub struct World {
    start: Timestamp,
    provider: ProviderId,
    account: Account,
    happened: Vec<Fact>,
    runs: u32,
}

impl World {
    /// At `start` the quota holds 300 credits and the wallet 1,000.
    #[must_use]
    pub fn new(provider: &str, start: Timestamp) -> Self {
        let balance = |id: &str, kind, opening| Balance {
            id: BalanceId::new(id),
            kind,
            opening,
            opening_at: start,
            current: opening,
        };
        let account = Account {
            id: "acc_ada".into(),
            kind: AccountKind::Personal,
            owner_user_id: "usr_ada".into(),
            storage_quota_mb: 10_000,
            storage_used_mb: 100,
            subscription: Some(Subscription {
                status: SubscriptionStatus::Active,
                period_start: start,
                period_end: later(start, SignedDuration::from_hours(24 * 30)),
            }),
            balances: vec![
                balance("bal_quota", BalanceKind::SubscriptionQuota, 300),
                balance("bal_wallet", BalanceKind::Wallet, 1_000),
            ],
        };
        Self { start, provider: ProviderId::new(provider), account, happened: Vec::new(), runs: 0 }
    }

    /// A run of `items`, charged with `credits` a minute after the one before: from the quota as
    /// far as it goes, the rest from the wallet. Returns its id.
    pub fn charged_run(&mut self, items: u32, credits: Credits) -> RunId {
        self.runs += 1;
        let (id, at) = (RunId::new(format!("run_{}", self.runs)), self.minute(self.runs));
        let sources = self.draw(credits);
        self.happened.push(Fact::Run(Run {
            id: id.clone(),
            project_id: "prj_film".into(),
            node_id: "nod_1".into(),
            started_by: "usr_ada".into(),
            model_id: "mdl_clip".into(),
            started_at: at,
            requested_items: items,
            status: RunStatus::AwaitingResult,
            cancelled_at: None,
            retry_of: None,
            retry_initiator: None,
            params: serde_json::Value::Null,
        }));
        self.happened.push(Fact::Charge(Charge {
            id: format!("chg_{}", self.runs).as_str().into(),
            run_id: id.clone(),
            account_id: self.account.id.clone(),
            posted_at: at,
            total: credits,
            items: (1..).zip(item_prices(credits, items)).map(|(item, credits)| ItemPrice { item, credits }).collect(),
            sources,
            idempotency_key: format!("{id}:charge"),
        }));
        id
    }

    /// The provider's side of a run: one item a state, finished nine minutes after the start. What
    /// succeeded has a file that is there.
    #[must_use]
    pub fn with_job(mut self, run: &RunId, state: JobState, items: &[ItemState]) -> Self {
        let at = self.minute(self.runs);
        let finished_at = state.is_terminal().then(|| later(at, SignedDuration::from_mins(9)));
        let file = || ProviderFile {
            bytes: 4_096,
            sha256_prefix: String::new(),
            available_until: None,
            exists_now: Some(true),
        };
        let item = |(item, &state): (u32, &ItemState)| JobItem {
            item,
            state,
            finished_at,
            file: (state == ItemState::Succeeded).then(file),
        };
        self.happened.push(Fact::Job(Job {
            id: format!("job_{run}").as_str().into(),
            run_id: run.clone(),
            provider_id: self.provider.clone(),
            submitted_at: at,
            state,
            processing_started_at: Some(at),
            finished_at,
            items: (1..).zip(items).map(item).collect(),
            error: None,
            looked_up_at: None,
            locator: None,
        }));
        self
    }

    /// An item that was stored and lies on the canvas.
    #[must_use]
    pub fn with_delivered(mut self, run: &RunId, item: u32) -> Self {
        self.happened.push(Fact::Output(Output {
            id: format!("out_{run}_{item}").as_str().into(),
            run_id: run.clone(),
            item,
            project_id: "prj_film".into(),
            node_id: Some("nod_1".into()),
            stored_at: later(self.minute(self.runs), SignedDuration::from_mins(10)),
            bytes: 4_096,
            state: OutputState::Stored,
            in_history: true,
            on_canvas: true,
            sha256: None,
        }));
        self
    }

    /// A refund of the platform's own for these items, to the balances that the charge came from,
    /// quota first. An unknown run gets none.
    #[must_use]
    pub fn with_refund(mut self, run: &RunId, items: &[u32]) -> Self {
        let found = self.happened.iter().find_map(|fact| match fact {
            Fact::Charge(charge) if charge.run_id == *run => Some(charge.clone()),
            _ => None,
        });
        let Some(charge) = found else { return self };
        let mut owed: Credits = charge.items.iter().filter(|i| items.contains(&i.item)).map(|i| i.credits).sum();
        let mut lines = Vec::new();
        for source in &charge.sources {
            let amount = owed.min(source.amount);
            owed -= amount;
            self.post(&source.balance_id, amount);
            lines.push(BalanceLine { amount, ..source.clone() });
        }
        lines.retain(|line| line.amount > 0);
        self.happened.push(Fact::Refund(Refund {
            id: format!("rfd_{run}").as_str().into(),
            charge_id: charge.id,
            run_id: run.clone(),
            posted_at: later(charge.posted_at, SignedDuration::from_hours(2)),
            state: RefundState::Posted,
            kind: RefundKind::Auto,
            items: items.to_vec(),
            lines,
            ticket_id: None,
            detected_at: None,
            cause: None,
        }));
        self
    }

    /// All facts, in the order of a feed: nothing refers to what comes after it.
    #[must_use]
    pub fn facts(&self) -> Vec<Fact> {
        let mut facts = vec![
            Fact::Provider(Provider {
                id: self.provider.clone(),
                retention_hours: Some(72),
                retention_source: RetentionSource::Contract,
            }),
            Fact::Model(Model {
                id: "mdl_clip".into(),
                display_name: "Clip 1".to_owned(),
                family: "Clip".to_owned(),
                aliases: vec!["clip".to_owned()],
                provider_id: self.provider.clone(),
                media: Media::Video,
                mode: AnswerMode::Async,
            }),
            Fact::User(User {
                id: "usr_ada".into(),
                email: "ada@customer.example".to_owned(),
                timezone: Some("Europe/Lisbon".to_owned()),
                locale: Some("en-GB".to_owned()),
            }),
            Fact::Account(self.account.clone()),
            Fact::Project(Project {
                id: "prj_film".into(),
                name: "Film".to_owned(),
                account_id: self.account.id.clone(),
                workspace_id: None,
                status: Presence::Active,
                deleted_at: None,
            }),
            Fact::Node(Node {
                id: "nod_1".into(),
                project_id: "prj_film".into(),
                label: "Shot 1".to_owned(),
                status: Presence::Active,
                deleted_at: None,
            }),
        ];
        facts.extend(self.happened.iter().cloned());
        facts
    }

    fn minute(&self, n: u32) -> Timestamp {
        later(self.start, SignedDuration::from_mins(i64::from(n)))
    }

    /// Takes credits, quota first; what no balance has is taken from the last one all the same.
    fn draw(&mut self, credits: Credits) -> Vec<BalanceLine> {
        let mut open = credits;
        let last = self.account.balances.len().saturating_sub(1);
        let mut lines = Vec::new();
        for (i, balance) in self.account.balances.iter_mut().enumerate() {
            let amount = if i == last { open } else { open.min(balance.current) };
            open -= amount;
            balance.current -= amount;
            lines.push(BalanceLine { balance_id: balance.id.clone(), kind: balance.kind, amount });
        }
        lines.retain(|line| line.amount > 0);
        lines
    }

    fn post(&mut self, id: &BalanceId, amount: Credits) {
        for balance in self.account.balances.iter_mut().filter(|balance| balance.id == *id) {
            balance.current += amount;
        }
    }
}

/// At the end of time it stays there.
fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(at)
}

/// Keeps the jobs among facts that name when their provider was asked as look-ups: to a feed's word of a job
/// that instant is nothing.
///
/// # Errors
/// Those of the store.
pub async fn keep_look_ups<S: FactStore + ?Sized>(store: &S, facts: &[Fact]) -> StoreResult<()> {
    for fact in facts {
        if let Fact::Job(job) = fact
            && job.looked_up_at.is_some()
        {
            store.record_look_up(job, &[]).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_books_balance() {
        let mut world = World::new("veo", Timestamp::UNIX_EPOCH);
        let first = world.charged_run(3, 200);
        let second = world.charged_run(1, 350);
        let world = world.with_delivered(&first, 1).with_refund(&second, &[1]).with_refund(&first, &[2, 3]);
        let (mut spent, mut back) = (0, 0);
        for fact in world.facts() {
            match fact {
                Fact::Charge(charge) => {
                    assert_eq!(charge.items.iter().map(|i| i.credits).sum::<Credits>(), charge.total);
                    assert_eq!(charge.sources.iter().map(|l| l.amount).sum::<Credits>(), charge.total);
                    spent += charge.total;
                }
                Fact::Refund(refund) => back += refund.lines.iter().map(|l| l.amount).sum::<Credits>(),
                _ => {}
            }
        }
        let current: Credits = world.account.balances.iter().map(|b| b.current).sum();
        assert_eq!((spent, back, current), (550, 350 + 67 + 66, 1_300 - spent + back));
    }

    #[test]
    fn a_job_tells_its_items() {
        let mut world = World::new("veo", Timestamp::UNIX_EPOCH);
        let run = world.charged_run(2, 10);
        let world = world.with_job(&run, JobState::Succeeded, &[ItemState::Succeeded, ItemState::NotReturned]);
        let Some(Fact::Job(job)) = world.facts().into_iter().last() else { panic!("a job") };
        assert_eq!(job.items.iter().map(|i| i.file.is_some()).collect::<Vec<_>>(), [true, false]);
        assert_eq!((job.items[1].item, job.run_id), (2, run));
    }
}
