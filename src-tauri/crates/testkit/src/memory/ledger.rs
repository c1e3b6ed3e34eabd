//! Double entry: a posting takes an amount from one balance and gives it to another, so that all
//! levels together are 0. A customer's balance never falls below 0.

use jiff::Timestamp;
use makegood_domain::ids::{AccountId, BalanceId};
use makegood_domain::ledger::{Account, Balance, RefundState};
use makegood_domain::money::{BalanceKind, Credits};
use makegood_domain::ports::PostingLine;

use super::record::{BalanceRow, Posting, Purpose, Record};
use super::{Worked, refused};

pub(super) const ISSUANCE: &str = "issuance";
pub(super) const STRAY: &str = "stray";

/// Why credits can't be taken that are not there.
pub(super) const BELOW_ZERO: &str = "a balance would fall below 0";

/// What a charge consumed.
pub(super) fn usage(account: &AccountId) -> BalanceId {
    BalanceId::new(format!("usage:{account}"))
}

/// Movements of a time before the level was counted.
fn carried(account: &AccountId) -> BalanceId {
    BalanceId::new(format!("carried:{account}"))
}

/// Which row justifies a posting.
pub(super) enum Document<'a> {
    Opening,
    Charge(&'a str),
    Refund(&'a str),
    Reversal(&'a str),
    Stray(&'a str),
    StrayReversal(&'a str),
}

impl Document<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Charge(_) => "charge",
            Self::Refund(_) => "refund",
            Self::Reversal(_) => "reversal",
            Self::Stray(_) => "stray",
            Self::StrayReversal(_) => "stray_reversal",
        }
    }

    fn charge(&self) -> Option<String> {
        if let Self::Charge(id) = self { Some((*id).to_owned()) } else { None }
    }

    fn refund(&self) -> Option<String> {
        match self {
            Self::Refund(id) | Self::Reversal(id) | Self::Stray(id) | Self::StrayReversal(id) => Some((*id).to_owned()),
            Self::Opening | Self::Charge(_) => None,
        }
    }
}

/// Moves an amount above 0.
pub(super) fn post(
    record: &mut Record,
    document: &Document<'_>,
    at: Timestamp,
    (from, to): (BalanceId, BalanceId),
    amount: Credits,
) -> Worked<()> {
    for (balance, change) in [(&from, -amount), (&to, amount)] {
        ensure_system(record, balance);
        let Some(row) = record.balances.get(balance) else {
            return refused(format!("there is no balance {balance}"));
        };
        let level = row.level + change;
        if level < 0 && matches!(row.purpose, Purpose::Customer { .. }) {
            return refused(BELOW_ZERO);
        }
        record.balances.edit(balance, |row| row.level = level);
    }
    let line = PostingLine {
        id: record.postings.last_key_value().map_or(1, |(last, _)| last + 1).to_string(),
        at,
        kind: document.kind().to_owned(),
        from: from.0.clone(),
        to: to.0.clone(),
        amount,
        charge_id: document.charge(),
        refund_id: document.refund(),
    };
    record.postings.add(Posting { line, from, to });
    Ok(())
}

/// Balances of the system are there from the first time they are moved.
fn ensure_system(record: &mut Record, id: &BalanceId) {
    if record.balances.contains_key(id) {
        return;
    }
    let of = id.as_str().strip_prefix("usage:").or_else(|| id.as_str().strip_prefix("carried:"));
    if of.is_some() || matches!(id.as_str(), ISSUANCE | STRAY) {
        let account = of.map(AccountId::from);
        record.balances.put(id.clone(), BalanceRow { account, position: 0, level: 0, purpose: Purpose::System });
    }
}

/// The balance that a movement dated `at` counts for: movements from before the count are in it.
pub(super) fn counted(record: &Record, balance: &BalanceId, at: Timestamp) -> BalanceId {
    match record.balances.get(balance) {
        Some(BalanceRow { account: Some(account), purpose: Purpose::Customer { opening_at, .. }, .. })
            if at < *opening_at =>
        {
            carried(account)
        }
        _ => balance.clone(),
    }
}

/// Kind and level of a customer's balance.
pub(super) fn level(record: &Record, id: &BalanceId) -> Option<(BalanceKind, Credits)> {
    let row = record.balances.get(id)?;
    match row.purpose {
        Purpose::Customer { kind, .. } => Some((kind, row.level)),
        Purpose::System => None,
    }
}

/// The account of a customer's balance.
pub(super) fn owner<'a>(record: &'a Record, id: &BalanceId) -> Option<&'a AccountId> {
    let row = record.balances.get(id)?;
    matches!(row.purpose, Purpose::Customer { .. }).then_some(row.account.as_ref()).flatten()
}

/// Keeps an account with its balances. A new count of a balance is posted as the difference to what
/// is known, so that later charges and refunds still count.
pub(super) fn put_account(record: &mut Record, row: &Account) -> Worked<()> {
    record.accounts.put(row.id.clone(), Account { balances: Vec::new(), ..row.clone() });
    for (position, balance) in row.balances.iter().enumerate() {
        put_balance(record, &row.id, position, balance)?;
    }
    Ok(())
}

fn put_balance(record: &mut Record, account: &AccountId, position: usize, row: &Balance) -> Worked<()> {
    if row.opening < 0 {
        return refused("an opening is not below 0");
    }
    let purpose = Purpose::Customer { kind: row.kind, opening: row.opening, opening_at: row.opening_at };
    let Some(known) = record.balances.get(&row.id).cloned() else {
        let new = BalanceRow { account: Some(account.clone()), position, level: 0, purpose };
        record.balances.put(row.id.clone(), new);
        return open(record, row, row.opening);
    };
    if known.account.as_ref() != Some(account) {
        return refused(format!("balance {} belongs to another account", row.id));
    }
    let Purpose::Customer { kind, opening, opening_at } = known.purpose else {
        return refused(format!("balance {} is the system's", row.id));
    };
    if kind != row.kind {
        return refused("a balance keeps its account and kind");
    }
    record.balances.edit(&row.id, |known| {
        known.position = position;
        known.purpose = purpose;
    });
    if (opening, opening_at) == (row.opening, row.opening_at) {
        return Ok(());
    }
    let delta = row.opening + moved_since(record, &row.id, row.opening_at) - known.level;
    open(record, row, delta)
}

fn open(record: &mut Record, row: &Balance, delta: Credits) -> Worked<()> {
    let (system, balance) = (BalanceId::from(ISSUANCE), row.id.clone());
    match delta {
        0 => Ok(()),
        1.. => post(record, &Document::Opening, row.opening_at, (system, balance), delta),
        _ => post(record, &Document::Opening, row.opening_at, (balance, system), -delta),
    }
}

/// What documents dated from an instant on took from a balance and gave to it.
fn moved_since(record: &Record, id: &BalanceId, since: Timestamp) -> Credits {
    let stands = record.refunds.values().filter(|row| row.refund.state == RefundState::Posted);
    let back = stands.filter(|row| row.refund.posted_at >= since).map(|row| {
        let lines = row.lines.iter().filter(|line| line.1 == *id).map(|line| line.2);
        lines.chain(row.strays.iter().filter(|stray| stray.0 == *id).map(|stray| stray.1)).sum::<Credits>()
    });
    // What was refunded before, and taken back since.
    let taken_back = record
        .refunds
        .values()
        .filter(|row| row.refund.posted_at < since && row.taken_back_at.is_some_and(|at| at >= since));
    let taken_back = taken_back.flat_map(|row| &row.lines).filter(|line| line.1 == *id).map(|line| line.2);
    let charges = record.charges.values().map(|row| &row.charge).filter(|charge| charge.posted_at >= since);
    let taken = charges.flat_map(|charge| &charge.sources).filter(|source| source.balance_id == *id);
    back.sum::<Credits>() - taken.map(|source| source.amount).sum::<Credits>() - taken_back.sum::<Credits>()
}

/// An account with the levels of its balances.
pub(super) fn account(record: &Record, id: &AccountId) -> Option<Account> {
    let account = record.accounts.get(id)?;
    let own = record.balances.iter().filter(|(_, row)| row.account.as_ref() == Some(id));
    let mut balances: Vec<(usize, Balance)> = own
        .filter_map(|(id, row)| match row.purpose {
            Purpose::Customer { kind, opening, opening_at } => {
                Some((row.position, Balance { id: id.clone(), kind, opening, opening_at, current: row.level }))
            }
            Purpose::System => None,
        })
        .collect();
    balances.sort_by_key(|(position, _)| *position);
    Some(Account { balances: balances.into_iter().map(|(_, balance)| balance).collect(), ..account.clone() })
}

/// Postings that touch an account's balances, newest first.
pub(super) fn postings(record: &Record, account: &AccountId, limit: u64) -> Vec<PostingLine> {
    let own = |id: &BalanceId| record.balances.get(id).is_some_and(|row| row.account.as_ref() == Some(account));
    let mut lines: Vec<(i64, &PostingLine)> = record
        .postings
        .iter()
        .filter(|(_, row)| own(&row.from) || own(&row.to))
        .map(|(number, row)| (*number, &row.line))
        .collect();
    lines.sort_by_key(|(number, line)| std::cmp::Reverse((line.at, *number)));
    lines.into_iter().take(super::items::size(limit)).map(|(_, line)| line.clone()).collect()
}
