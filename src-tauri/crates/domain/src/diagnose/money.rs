//! What of a run's charges stands, and where what is owed goes back to (P4, P5, P6).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{ChargeRestoration, Flag, RestoredItem, RestoredLine};
use crate::ids::BalanceId;
use crate::ledger::{Account, Charge, Refund, RefundState, SubscriptionStatus};
use crate::matching::LogicalRun;
use crate::money::{BalanceKind, BalanceLine, Credits, item_prices};
use crate::policy::{Policy, RefundOrder};
use crate::scope::Scope;

/// One charge of a run, with what of it has been returned.
#[derive(Clone, Debug)]
pub struct ChargeView<'a> {
    pub charge: &'a Charge,
    prices: BTreeMap<u32, Credits>,
    /// Credits that stand refunded, by item; never above the price.
    standing: BTreeMap<u32, Credits>,
    /// What each source still can take back.
    open: Vec<(&'a BalanceLine, Credits)>,
    /// What of it came back; never above its total.
    returned: Credits,
}

/// All charges of a logical run.
#[derive(Clone, Debug)]
pub struct Money<'a> {
    pub charges: Vec<ChargeView<'a>>,
    /// Posted refunds with a line to a balance that is not of the charge's account (P4).
    pub wrong_balance: Vec<&'a Refund>,
}

impl<'a> ChargeView<'a> {
    /// Sorts out one charge. A refund's line settles only where its balance belongs to the account that
    /// was charged: quota may have come back to the wallet (P6), never to somebody else.
    fn of(charge: &'a Charge, run: &LogicalRun<'a>, scope: &Scope, policy: &Policy) -> Self {
        let prices = prices(charge, run);
        let mut standing = BTreeMap::new();
        let mut back: BTreeMap<&BalanceId, Credits> = BTreeMap::new();
        for refund in run.refunds().into_iter().filter(|row| row.charge_id == charge.id && stands(row)) {
            let valid = valid_amount(refund, charge, scope);
            for line in own_lines(refund, charge, scope) {
                let sum = back.entry(&line.balance_id).or_insert(0);
                *sum = sum.saturating_add(line.amount.max(0));
            }
            settle(&mut standing, &prices, &refund.items, valid);
        }
        // The platform may pay what was paid here already: the charge is gone once (I2).
        let returned =
            back.values().fold(0, |sum: Credits, amount| sum.saturating_add(*amount)).min(charge.total.max(0));
        Self { charge, open: open_sources(charge, back, policy), prices, standing, returned }
    }

    /// What an item of it cost.
    #[must_use]
    pub fn price(&self, item: u32) -> Credits {
        self.prices.get(&item).copied().unwrap_or(0)
    }

    fn standing(&self, item: u32) -> Credits {
        self.standing.get(&item).copied().unwrap_or(0)
    }

    /// What is owed for an item of it (P4).
    #[must_use]
    pub fn owed(&self, item: u32) -> Credits {
        self.price(item) - self.standing(item)
    }

    /// Owed over all items.
    #[must_use]
    pub fn owed_in_all(&self) -> Credits {
        self.prices.keys().fold(0, |sum: Credits, item| sum.saturating_add(self.owed(*item)))
    }

    fn item_numbers(&self) -> Vec<u32> {
        self.prices.keys().copied().collect()
    }
}

impl<'a> Money<'a> {
    /// Sorts out the charges of a run, the oldest first.
    #[must_use]
    pub fn of(run: &LogicalRun<'a>, scope: &Scope, policy: &Policy) -> Self {
        let charges: Vec<_> =
            run.charges().into_iter().map(|charge| ChargeView::of(charge, run, scope, policy)).collect();
        let wrong = |refund: &&Refund| {
            stands(refund)
                && run.charges().iter().any(|charge| {
                    charge.id == refund.charge_id
                        && refund.lines.iter().any(|line| !is_own(&line.balance_id, charge, scope))
                })
        };
        Self { charges, wrong_balance: run.refunds().into_iter().filter(wrong).collect() }
    }

    /// When the first charge was posted: the start of the window (P3).
    #[must_use]
    pub fn first_posted_at(&self) -> Option<Timestamp> {
        self.charges.iter().map(|view| view.charge.posted_at).min()
    }

    /// What is owed for an item, over all charges (P4).
    #[must_use]
    pub fn owed(&self, item: u32) -> Credits {
        self.charges.iter().fold(0, |sum: Credits, view| sum.saturating_add(view.owed(item)))
    }

    /// What stands refunded of an item, over all charges.
    #[must_use]
    pub fn standing(&self, item: u32) -> Credits {
        self.charges.iter().fold(0, |sum: Credits, view| sum.saturating_add(view.standing(item)))
    }

    /// Charges minus valid refunds (P5).
    #[must_use]
    pub fn billable(&self) -> Credits {
        self.charges
            .iter()
            .fold(0, |sum: Credits, view| sum.saturating_add(view.charge.total).saturating_sub(view.returned))
    }

    /// The charges beyond the one that may stand. That is the first one; where the first has been
    /// refunded wholly already, the first that has not: somebody who got a file pays for it once.
    #[must_use]
    pub fn surplus(&self) -> Vec<&ChargeView<'a>> {
        let keep = self.charges.iter().position(|view| view.owed_in_all() > 0).unwrap_or(0);
        self.charges.iter().enumerate().filter(|(at, _)| *at != keep).map(|(_, view)| view).collect()
    }

    /// What to post for these items, charge by charge (P5), and the flags that go with it (P6).
    #[must_use]
    pub fn restore(&self, items: &[u32], scope: &Scope, now: Timestamp) -> Restored {
        gather(self.charges.iter().map(|view| restore(view, items, scope, now)))
    }

    /// What to post for whole charges.
    #[must_use]
    pub fn restore_whole(&self, charges: &[&ChargeView<'a>], scope: &Scope, now: Timestamp) -> Restored {
        gather(charges.iter().map(|view| restore(view, &view.item_numbers(), scope, now)))
    }
}

/// Postings, and how they differ from the plain case.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    pub charges: Vec<ChargeRestoration>,
    pub flags: BTreeSet<Flag>,
}

impl Restored {
    /// Credits that an item gets back.
    #[must_use]
    pub fn of_item(&self, item: u32) -> Credits {
        let rows = self.charges.iter().flat_map(|charge| &charge.items);
        rows.filter(|row| row.item == item).fold(0, |sum: Credits, row| sum.saturating_add(row.credits))
    }

    #[must_use]
    pub fn total(&self) -> Credits {
        let rows = self.charges.iter().flat_map(|charge| &charge.lines);
        rows.fold(0, |sum: Credits, row| sum.saturating_add(row.amount))
    }
}

fn gather(parts: impl Iterator<Item = Restored>) -> Restored {
    parts.fold(Restored::default(), |mut all, part| {
        all.charges.extend(part.charges);
        all.flags.extend(part.flags);
        all
    })
}

/// What of a refund settles something (P4): its lines to balances of the account that was charged, while
/// it stands.
#[must_use]
pub fn valid_amount(refund: &Refund, charge: &Charge, scope: &Scope) -> Credits {
    let lines = own_lines(refund, charge, scope).filter(|_| stands(refund));
    lines.fold(0, |sum: Credits, line| sum.saturating_add(line.amount.max(0)))
}

fn own_lines<'a>(refund: &'a Refund, charge: &'a Charge, scope: &'a Scope) -> impl Iterator<Item = &'a BalanceLine> {
    refund.lines.iter().filter(|line| is_own(&line.balance_id, charge, scope))
}

fn stands(refund: &Refund) -> bool {
    refund.state == RefundState::Posted
}

/// A balance of the account that was charged, or one that the charge itself names as its source.
fn is_own(balance: &BalanceId, charge: &Charge, scope: &Scope) -> bool {
    charge.sources.iter().any(|line| line.balance_id == *balance)
        || scope
            .account(&charge.account_id)
            .is_some_and(|account| account.balances.iter().any(|row| row.id == *balance))
}

/// The prices as the charge lists them where they add up, else as P5 divides.
fn prices(charge: &Charge, run: &LogicalRun<'_>) -> BTreeMap<u32, Credits> {
    let mut listed: BTreeMap<u32, Credits> = BTreeMap::new();
    for row in &charge.items {
        let sum = listed.entry(row.item).or_insert(0);
        *sum = sum.saturating_add(row.credits.max(0));
    }
    if listed.values().fold(0, |sum: Credits, price| sum.saturating_add(*price)) == charge.total {
        return listed;
    }
    let own = run.members().find(|member| member.run.id == charge.run_id).map_or(run.head(), |member| &member.run);
    let count = own.items().max(1);
    (1..=count).zip(item_prices(charge.total.max(0), count)).collect()
}

/// Lays a refund's valid amount over the items that it names, in order, each up to its price. A refund
/// that names none covers the charge from its first item on.
fn settle(standing: &mut BTreeMap<u32, Credits>, prices: &BTreeMap<u32, Credits>, items: &[u32], valid: Credits) {
    let named: Vec<u32> = if items.is_empty() { prices.keys().copied().collect() } else { items.to_vec() };
    let mut left = valid;
    for item in named {
        let price = prices.get(&item).copied().unwrap_or(0);
        let stands = standing.entry(item).or_insert(0);
        let part = left.min(price - *stands).max(0);
        *stands += part;
        left -= part;
    }
}

/// What each source gave less what came back to it, in the order in which it is given back to (P5).
/// What came back elsewhere in the account (P6) counts against the quota first, as it did then.
fn open_sources<'a>(
    charge: &'a Charge,
    mut back: BTreeMap<&BalanceId, Credits>,
    policy: &Policy,
) -> Vec<(&'a BalanceLine, Credits)> {
    let mut sources: Vec<&BalanceLine> = charge.sources.iter().collect();
    sources.sort_by_key(|line| match policy.refund.order {
        RefundOrder::QuotaFirst => !line.kind.is_quota(),
        RefundOrder::WalletFirst => line.kind.is_quota(),
    });
    let mut open: Vec<(&BalanceLine, Credits)> = sources
        .into_iter()
        .map(|line| {
            let drawn = line.amount.max(0);
            let returned = back.get_mut(&line.balance_id).map_or(0, |left| {
                let part = drawn.min(*left);
                *left -= part;
                part
            });
            (line, drawn - returned)
        })
        .collect();
    let mut elsewhere = back.values().fold(0, |sum: Credits, left| sum.saturating_add(*left));
    for (_, left) in &mut open {
        let part = elsewhere.min(*left);
        *left -= part;
        elsewhere -= part;
    }
    open
}

fn restore(view: &ChargeView<'_>, items: &[u32], scope: &Scope, now: Timestamp) -> Restored {
    let mut can = view.open.iter().fold(0, |sum: Credits, (_, left)| sum.saturating_add(*left));
    let mut rows = Vec::new();
    for item in items.iter().copied().collect::<BTreeSet<u32>>() {
        let credits = view.owed(item).min(can);
        if credits > 0 {
            can -= credits;
            rows.push(RestoredItem { item, credits });
        }
    }
    let mut left = rows.iter().fold(0, |sum: Credits, row| sum.saturating_add(row.credits));
    let mut flags = BTreeSet::new();
    let mut lines = Vec::new();
    for (source, open) in &view.open {
        let amount = left.min(*open);
        if amount <= 0 {
            continue;
        }
        left -= amount;
        let (target, target_kind, flag) = target(source, view.charge, scope, now);
        flags.extend(flag);
        lines.push(RestoredLine { source: source.balance_id.clone(), target, target_kind, amount });
    }
    if rows.is_empty() {
        return Restored::default();
    }
    let charge = view.charge;
    let restoration = ChargeRestoration {
        charge_id: charge.id.clone(),
        run_id: charge.run_id.clone(),
        account_id: charge.account_id.clone(),
        items: rows,
        lines,
    };
    Restored { charges: vec![restoration], flags }
}

/// P6: the balance it came from; quota of a period that is over, to the current one; quota of a
/// subscription that has ended, to the wallet of the same account.
fn target(
    source: &BalanceLine,
    charge: &Charge,
    scope: &Scope,
    now: Timestamp,
) -> (BalanceId, BalanceKind, Option<Flag>) {
    let same = (source.balance_id.clone(), source.kind, None);
    let Some(account) = scope.account(&charge.account_id).filter(|_| source.kind.is_quota()) else { return same };
    let active = account.subscription.as_ref().filter(|plan| plan.status == SubscriptionStatus::Active);
    let Some(plan) = active else {
        return match balance_of(account, |kind| !kind.is_quota()) {
            Some((id, kind)) => (id, kind, Some(Flag::SubscriptionEnded)),
            None => same,
        };
    };
    if plan.period_start <= charge.posted_at && now < plan.period_end {
        return same;
    }
    let current = if account.balances.iter().any(|row| row.id == source.balance_id) {
        None
    } else {
        balance_of(account, BalanceKind::is_quota)
    };
    let (id, kind) = current.unwrap_or((source.balance_id.clone(), source.kind));
    (id, kind, Some(Flag::QuotaPeriodRolled))
}

fn balance_of(account: &Account, is_wanted: impl Fn(BalanceKind) -> bool) -> Option<(BalanceId, BalanceKind)> {
    account.balances.iter().find(|row| is_wanted(row.kind)).map(|row| (row.id.clone(), row.kind))
}
