//! Settles the accounts: decides which balance each charge drew from, in the order of time, and
//! what the balances opened with so that nothing is ever overdrawn (P5).

use std::collections::BTreeMap;

use jiff::Timestamp;
use makegood_domain::ledger::{Account, AccountKind, Balance, Charge, ItemPrice, Refund, RefundState, Subscription};
use makegood_domain::money::{BalanceKind, BalanceLine, Credits, item_prices};

use crate::cast::{Part, Purse, STORAGE_QUOTA_MB};
use crate::dice::Dice;
use crate::stage::Stage;
use crate::tale::{Debit, Return, ReturnTo, Tale};

/// Monthly allowances of the plans on offer.
const PLANS: [Credits; 3] = [4_000, 9_000, 18_000];

/// The settled ledger. Charges and refunds oldest first.
pub struct Settled {
    pub accounts: Vec<Account>,
    pub charges: Vec<Charge>,
    pub refunds: Vec<Refund>,
}

#[derive(Clone, Copy)]
enum Entry<'a> {
    Debit(&'a Tale, usize, &'a Debit),
    /// With the purse that it was posted to, where that is another one.
    Return(&'a Tale, &'a Return),
}

impl Entry<'_> {
    /// Charges before refunds of the same second; then by id, as the store replays them.
    fn place(&self) -> (Timestamp, u8, &str) {
        match self {
            Self::Debit(_, _, debit) => (debit.at, 0, debit.id.as_str()),
            Self::Return(_, back) => (back.at, 1, back.id.as_str()),
        }
    }
}

/// Settles every account.
#[must_use]
pub fn settle(stage: &Stage, seed: u64) -> Settled {
    let mut dice = Dice::new(seed, "ledger");
    let mut by_purse: BTreeMap<usize, Vec<Entry<'_>>> = BTreeMap::new();
    for tale in &stage.tales {
        for (number, debit) in tale.debits.iter().enumerate() {
            by_purse.entry(tale.purse).or_default().push(Entry::Debit(tale, number, debit));
        }
        for back in &tale.returns {
            let purse = match back.to {
                ReturnTo::Sources => tale.purse,
                ReturnTo::PurseOf(other) => other,
            };
            by_purse.entry(purse).or_default().push(Entry::Return(tale, back));
        }
    }
    let mut settled = Settled { accounts: Vec::new(), charges: Vec::new(), refunds: Vec::new() };
    for (index, purse) in stage.cast.purses.iter().enumerate() {
        let mut entries = by_purse.remove(&index).unwrap_or_default();
        entries.sort_by(|one, other| one.place().cmp(&other.place()));
        let split = stage.cast.customers.iter().any(|row| row.purse == index && row.part == Part::Split);
        settle_one(purse, &entries, split, &mut dice, &mut settled);
    }
    settled.charges.sort_by(|one, other| (one.posted_at, &one.id).cmp(&(other.posted_at, &other.id)));
    settled.refunds.sort_by(|one, other| (one.posted_at, &one.id).cmp(&(other.posted_at, &other.id)));
    settled
}

fn settle_one(purse: &Purse, entries: &[Entry<'_>], split: bool, dice: &mut Dice, settled: &mut Settled) {
    let plan = dice.pick(&PLANS).copied().unwrap_or(PLANS[0]);
    let opening = if split { split_opening(purse, entries).unwrap_or(plan) } else { plan };
    let mut book = Book { purse, quota: opening, wallet: 0, drawn: 0, sources: BTreeMap::new() };
    for entry in entries {
        book.post(entry, settled);
    }
    // Topped up in steps of 50, with something to spare.
    let spare = dice.between(3, 18) * 50;
    let wallet = (-book.drawn.min(0) + spare + 49) / 50 * 50;
    let (quota_kind, wallet_kind) = kinds(purse.kind);
    settled.accounts.push(Account {
        id: purse.id.clone(),
        kind: purse.kind,
        owner_user_id: purse.owner.clone(),
        storage_quota_mb: STORAGE_QUOTA_MB,
        storage_used_mb: purse.storage_used_mb,
        subscription: Some(Subscription {
            status: purse.status,
            period_start: purse.period_start,
            period_end: purse.period_end,
        }),
        balances: vec![
            Balance {
                id: purse.quota.clone(),
                kind: quota_kind,
                opening,
                opening_at: purse.period_start,
                current: book.quota,
            },
            Balance {
                id: purse.wallet.clone(),
                kind: wallet_kind,
                opening: wallet,
                opening_at: purse.period_start,
                current: wallet + book.wallet,
            },
        ],
    });
}

/// The opening that leaves exactly `from_quota` when the split charge comes.
fn split_opening(purse: &Purse, entries: &[Entry<'_>]) -> Option<Credits> {
    let mut spent = 0;
    for entry in entries {
        match entry {
            Entry::Debit(_, _, Debit { from_quota: Some(part), .. }) => return Some(spent + part),
            Entry::Debit(_, _, debit) if debit.at >= purse.period_start => spent += debit.total,
            Entry::Return(_, back) if back.at >= purse.period_start && back.state == RefundState::Posted => {
                spent -= total_back(entry);
            }
            Entry::Debit(..) | Entry::Return(..) => {}
        }
    }
    None
}

fn total_back(entry: &Entry<'_>) -> Credits {
    match entry {
        Entry::Return(tale, back) => tale.debits.get(back.debit).map_or(0, |debit| debit.total),
        Entry::Debit(..) => 0,
    }
}

fn kinds(kind: AccountKind) -> (BalanceKind, BalanceKind) {
    match kind {
        AccountKind::Personal => (BalanceKind::SubscriptionQuota, BalanceKind::Wallet),
        AccountKind::Workspace => (BalanceKind::WorkspacePool, BalanceKind::WorkspaceWallet),
    }
}

/// One account while its entries are posted. The wallet starts at 0 and may go below: how far
/// decides what it opened with.
struct Book<'a> {
    purse: &'a Purse,
    quota: Credits,
    wallet: Credits,
    /// The lowest that the wallet went.
    drawn: Credits,
    sources: BTreeMap<String, Vec<BalanceLine>>,
}

impl Book<'_> {
    fn post(&mut self, entry: &Entry<'_>, settled: &mut Settled) {
        match entry {
            Entry::Debit(tale, number, debit) => self.debit(tale, *number, debit, settled),
            Entry::Return(tale, back) => self.back(tale, back, total_back(entry), settled),
        }
    }

    fn debit(&mut self, tale: &Tale, number: usize, debit: &Debit, settled: &mut Settled) {
        let (quota_kind, wallet_kind) = kinds(self.purse.kind);
        // Before the opening, the level is not known any more: such charges came from the quota of their period.
        let counted = debit.at >= self.purse.period_start;
        let from_quota = if counted { debit.total.min(self.quota.max(0)) } else { debit.total };
        let from_wallet = debit.total - from_quota;
        let mut lines = Vec::new();
        if from_quota > 0 {
            lines.push(BalanceLine { balance_id: self.purse.quota.clone(), kind: quota_kind, amount: from_quota });
        }
        if from_wallet > 0 {
            lines.push(BalanceLine { balance_id: self.purse.wallet.clone(), kind: wallet_kind, amount: from_wallet });
        }
        if counted {
            self.quota -= from_quota;
            self.wallet -= from_wallet;
            self.drawn = self.drawn.min(self.wallet);
        }
        self.sources.insert(debit.id.0.clone(), lines.clone());
        settled.charges.push(Charge {
            id: debit.id.clone(),
            run_id: tale.run.id.clone(),
            account_id: self.purse.id.clone(),
            posted_at: debit.at,
            total: debit.total,
            items: (1_u32..)
                .zip(item_prices(debit.total, tale.run.requested_items))
                .map(|(item, credits)| ItemPrice { item, credits })
                .collect(),
            sources: lines,
            idempotency_key: format!("{}:{}", tale.run.id, number + 1),
        });
    }

    fn back(&mut self, tale: &Tale, back: &Return, total: Credits, settled: &mut Settled) {
        let Some(debit) = tale.debits.get(back.debit) else { return };
        let (quota_kind, _) = kinds(self.purse.kind);
        let lines = match back.to {
            ReturnTo::Sources => self.sources.get(debit.id.as_str()).cloned().unwrap_or_default(),
            ReturnTo::PurseOf(_) => {
                vec![BalanceLine { balance_id: self.purse.quota.clone(), kind: quota_kind, amount: total }]
            }
        };
        if back.state == RefundState::Posted && back.at >= self.purse.period_start {
            for line in &lines {
                if line.kind.is_quota() { self.quota += line.amount } else { self.wallet += line.amount }
            }
        }
        settled.refunds.push(Refund {
            id: back.id.clone(),
            charge_id: debit.id.clone(),
            run_id: tale.run.id.clone(),
            posted_at: back.at,
            state: back.state,
            kind: back.kind,
            items: back.items.clone(),
            lines,
            ticket_id: back.ticket.clone(),
            detected_at: Some(back.at),
            cause: Some(back.cause.to_owned()),
        });
    }
}
