//! Users, accounts with their balances, and workspaces with their members.

use makegood_domain::ledger::{Account, Balance, Subscription};
use makegood_domain::ports::StoreResult;
use makegood_domain::work::{Member, User, Workspace};

use super::by_key;
use crate::rows::Columns;

pub(crate) fn user(row: &impl Columns) -> StoreResult<User> {
    Ok(User {
        id: row.text("id")?.as_str().into(),
        email: row.text("email")?,
        timezone: row.opt_text("timezone")?,
        locale: row.opt_text("locale")?,
    })
}

/// Accounts with the levels of their balances, in the order of both.
pub(crate) fn accounts<R: Columns>(rows: &[R], balances: &[R]) -> StoreResult<Vec<Account>> {
    let mut balances = by_key(balances, "account_id", balance)?;
    rows.iter()
        .map(|row| {
            let id = row.text("id")?;
            let subscription = match row.opt_word("subscription_status")? {
                Some(status) => Some(Subscription {
                    status,
                    period_start: row.time("period_start")?,
                    period_end: row.time("period_end")?,
                }),
                None => None,
            };
            Ok(Account {
                kind: row.word("kind")?,
                owner_user_id: row.text("owner_user_id")?.as_str().into(),
                storage_quota_mb: row.int("storage_quota_mb")?,
                storage_used_mb: row.int("storage_used_mb")?,
                subscription,
                balances: balances.remove(&id).unwrap_or_default(),
                id: id.as_str().into(),
            })
        })
        .collect()
}

fn balance(row: &impl Columns) -> StoreResult<Balance> {
    Ok(Balance {
        id: row.text("id")?.as_str().into(),
        kind: row.word("kind")?,
        opening: row.int("opening")?,
        opening_at: row.time("opening_at")?,
        current: row.int("level")?,
    })
}

/// Workspaces with their members, in the order of both.
pub(crate) fn workspaces<R: Columns>(rows: &[R], members: &[R]) -> StoreResult<Vec<Workspace>> {
    let mut members = by_key(members, "workspace_id", member)?;
    rows.iter()
        .map(|row| {
            let id = row.text("id")?;
            Ok(Workspace {
                members: members.remove(&id).unwrap_or_default(),
                name: row.text("name")?,
                account_id: row.text("account_id")?.as_str().into(),
                id: id.as_str().into(),
            })
        })
        .collect()
}

fn member(row: &impl Columns) -> StoreResult<Member> {
    Ok(Member {
        user_id: row.text("user_id")?.as_str().into(),
        role: row.word("role")?,
        status: row.word("status")?,
        left_at: row.opt_time("left_at")?,
    })
}
