//! Accounts, charges and refunds as they stand in the ledger.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, BalanceId, ChargeId, RefundId, RunId, TicketId, UserId};
use crate::money::{BalanceKind, BalanceLine, Credits};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    Personal,
    Workspace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionStatus {
    Active,
    Ended,
}

/// The plan of an account; the period is half-open, `[period_start, period_end)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Subscription {
    pub status: SubscriptionStatus,
    pub period_start: Timestamp,
    pub period_end: Timestamp,
}

/// `opening` is the level at `opening_at`; `current` is that minus later charges plus later refunds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Balance {
    pub id: BalanceId,
    pub kind: BalanceKind,
    pub opening: Credits,
    pub opening_at: Timestamp,
    pub current: Credits,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Account {
    pub id: AccountId,
    pub kind: AccountKind,
    pub owner_user_id: UserId,
    pub storage_quota_mb: i64,
    pub storage_used_mb: i64,
    pub subscription: Option<Subscription>,
    pub balances: Vec<Balance>,
}

/// The price of one item within a charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ItemPrice {
    #[cfg_attr(test, schemars(range(max = crate::work::RUN_ITEMS_MAX)))]
    pub item: u32,
    pub credits: Credits,
}

/// A posting that took credits for a run, with the balances they came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Charge {
    pub id: ChargeId,
    pub run_id: RunId,
    pub account_id: AccountId,
    pub posted_at: Timestamp,
    pub total: Credits,
    pub items: Vec<ItemPrice>,
    pub sources: Vec<BalanceLine>,
    pub idempotency_key: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    Posted,
    Reversed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RefundKind {
    Auto,
    Manual,
}

/// A posting that returned credits of a charge: the platform's own, or a restoration made here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Refund {
    pub id: RefundId,
    pub charge_id: ChargeId,
    pub run_id: RunId,
    pub posted_at: Timestamp,
    pub state: RefundState,
    pub kind: RefundKind,
    #[cfg_attr(test, schemars(inner(range(max = crate::work::RUN_ITEMS_MAX))))]
    pub items: Vec<u32>,
    pub lines: Vec<BalanceLine>,
    pub ticket_id: Option<TicketId>,
    /// When the failure was noticed and why, apart from the posting (R16).
    #[serde(default)]
    pub detected_at: Option<Timestamp>,
    #[serde(default)]
    pub cause: Option<String>,
}
