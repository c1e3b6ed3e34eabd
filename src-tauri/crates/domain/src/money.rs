//! Credits: whole-number units of account, and the two divisions the policy makes of them (P5).

use serde::{Deserialize, Serialize};

use crate::words::words;

/// Whole credits. Never a fraction, never money of a currency.
pub type Credits = i64;

/// The prices of the items of a charge (P5): the total divided by the items, the remainder going
/// to the first items one each. 100 over 3 is 34, 33, 33. No items, no prices.
#[must_use]
pub fn item_prices(total: Credits, items: u32) -> Vec<Credits> {
    let count = Credits::from(items);
    if count == 0 {
        return Vec::new();
    }
    let (share, rest) = (total.div_euclid(count), total.rem_euclid(count));
    (0..count).map(|i| share + Credits::from(i < rest)).collect()
}

words! {
    /// What kind of balance credits are in. The first two are quotas and are refilled each period.
    BalanceKind {
        SubscriptionQuota = "subscription_quota",
        WorkspacePool = "workspace_pool",
        Wallet = "wallet",
        WorkspaceWallet = "workspace_wallet",
    }
}

impl BalanceKind {
    /// Quota or pool: drawn from first, given back to first (P5), reset each period (P6).
    #[must_use]
    pub fn is_quota(self) -> bool {
        matches!(self, Self::SubscriptionQuota | Self::WorkspacePool)
    }
}

/// An amount of one balance: a source of a charge, or a target of a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BalanceLine {
    pub balance_id: crate::ids::BalanceId,
    pub kind: BalanceKind,
    pub amount: Credits,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remainders_go_to_the_first_items() {
        for (total, items, want) in [
            (100, 3, vec![34, 33, 33]),
            (320, 1, vec![320]),
            (2, 4, vec![1, 1, 0, 0]),
            (0, 2, vec![0, 0]),
            (7, 0, vec![]),
        ] {
            assert_eq!(item_prices(total, items), want, "{total} over {items}");
        }
    }
}
