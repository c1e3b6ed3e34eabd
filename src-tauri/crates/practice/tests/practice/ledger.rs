//! The rules that a ledger must keep, whoever made it.

use std::collections::HashMap;

use makegood_domain::feed::Fact;
use makegood_domain::ids::{AccountId, BalanceId, ChargeId};
use makegood_domain::ledger::{Account, Balance, Charge, Refund, RefundState};
use makegood_domain::money::{Credits, item_prices};

use super::WORLD;

struct Books<'a> {
    balances: HashMap<&'a BalanceId, (&'a Account, &'a Balance)>,
    charges: HashMap<&'a ChargeId, &'a Charge>,
    items: HashMap<&'a str, u32>,
}

fn books() -> Books<'static> {
    let mut books = Books { balances: HashMap::new(), charges: HashMap::new(), items: HashMap::new() };
    for fact in &WORLD.facts {
        match fact {
            Fact::Account(row) => {
                books.balances.extend(row.balances.iter().map(|balance| (&balance.id, (row, balance))))
            }
            Fact::Charge(row) => {
                books.charges.insert(&row.id, row);
            }
            Fact::Run(row) => {
                books.items.insert(row.id.as_str(), row.requested_items);
            }
            _ => {}
        }
    }
    books
}

fn refunds() -> impl Iterator<Item = &'static Refund> {
    WORLD.facts.iter().filter_map(|fact| if let Fact::Refund(row) = fact { Some(row) } else { None })
}

#[test]
fn charges_add_up_and_name_their_own_account() {
    let books = books();
    for charge in books.charges.values() {
        let prices: Vec<Credits> = charge.items.iter().map(|item| item.credits).collect();
        assert_eq!(prices, item_prices(charge.total, books.items[charge.run_id.as_str()]), "{}", charge.id);
        assert_eq!(charge.sources.iter().map(|line| line.amount).sum::<Credits>(), charge.total, "{}", charge.id);
        for line in &charge.sources {
            let (account, balance) = books.balances[&line.balance_id];
            assert_eq!((&account.id, balance.kind), (&charge.account_id, line.kind), "{}", charge.id);
        }
    }
}

/// Every balance equals its opening and its postings, is never below 0, and the wallet waits for the quota.
#[test]
fn balances_equal_their_postings() {
    let books = books();
    let mut level: HashMap<&BalanceId, Credits> =
        books.balances.iter().map(|(id, (_, balance))| (*id, balance.opening)).collect();
    let mut events: Vec<(jiff::Timestamp, u8, &str)> =
        books.charges.values().map(|row| (row.posted_at, 0, row.id.as_str())).collect();
    let back: HashMap<&str, &Refund> = refunds().map(|row| (row.id.as_str(), row)).collect();
    events.extend(back.values().map(|row| (row.posted_at, 1, row.id.as_str())));
    events.sort_unstable();
    for (at, kind, id) in events {
        if kind == 0 {
            let charge = books.charges[&ChargeId::from(id)];
            for line in &charge.sources {
                let (account, balance) = books.balances[&line.balance_id];
                if at < balance.opening_at {
                    continue;
                }
                let now = level.get_mut(&line.balance_id).expect("a balance");
                *now -= line.amount;
                assert!(*now >= 0, "{id} overdraws {}", line.balance_id);
                if !line.kind.is_quota() {
                    assert_eq!(quota_level(account, &level), 0, "{id} takes from the wallet too early");
                }
            }
        } else if back[id].state == RefundState::Posted {
            for line in &back[id].lines {
                if at >= books.balances[&line.balance_id].1.opening_at {
                    *level.get_mut(&line.balance_id).expect("a balance") += line.amount;
                }
            }
        }
    }
    for (id, (_, balance)) in &books.balances {
        assert_eq!(level[id], balance.current, "{id}");
    }
}

fn quota_level(account: &Account, level: &HashMap<&BalanceId, Credits>) -> Credits {
    account.balances.iter().filter(|row| row.kind.is_quota()).map(|row| level[&row.id]).sum()
}

#[test]
fn refunds_return_what_their_items_cost() {
    let books = books();
    let mut seen = 0;
    for row in refunds() {
        let charge = books.charges[&row.charge_id];
        assert_eq!(row.run_id, charge.run_id);
        let owed: Credits =
            charge.items.iter().filter(|item| row.items.contains(&item.item)).map(|item| item.credits).sum();
        assert_eq!(row.lines.iter().map(|line| line.amount).sum::<Credits>(), owed, "{}", row.id);
        assert!(row.posted_at >= charge.posted_at);
        seen += 1;
    }
    assert!(seen >= 10, "{seen} refunds");
}

/// Split charges are what the tour restores to two balances.
#[test]
fn some_charges_are_split() {
    let books = books();
    let split: Vec<&AccountId> =
        books.charges.values().filter(|row| row.sources.len() == 2).map(|row| &row.account_id).collect();
    assert!(split.len() >= 4, "{split:?}");
}
