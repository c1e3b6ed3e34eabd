//! Users, accounts with their balances, and workspaces with their members.

use jiff::Timestamp;
use makegood_domain::ledger::Account;
use makegood_domain::ports::StoreResult;
use makegood_domain::work::{User, Workspace};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::fault::{Worked, backend};
use super::ledger;
use super::rows::{id_list, micros, opt_word, signed, word};
use crate::assemble;

statements! {
    PUT_USER = "INSERT INTO users (id, email, timezone, locale) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (id) DO UPDATE SET email = excluded.email, timezone = excluded.timezone, locale = excluded.locale";
    PUT_ACCOUNT = "INSERT INTO accounts (id, kind, owner_user_id, storage_quota_mb, storage_used_mb,
            subscription_status, period_start, period_end) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, owner_user_id = excluded.owner_user_id,
            storage_quota_mb = excluded.storage_quota_mb, storage_used_mb = excluded.storage_used_mb,
            subscription_status = excluded.subscription_status, period_start = excluded.period_start,
            period_end = excluded.period_end";
    PUT_WORKSPACE = "INSERT INTO workspaces (id, name, account_id) VALUES (?1, ?2, ?3)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, account_id = excluded.account_id";
    CLEAR_MEMBERS = "DELETE FROM workspace_members WHERE workspace_id = ?1";
    ADD_MEMBER = "INSERT INTO workspace_members (workspace_id, user_id, position, role, status, left_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    USERS = "SELECT id, email, timezone, locale FROM users
        WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id";
    ACCOUNTS = "SELECT id, kind, owner_user_id, storage_quota_mb, storage_used_mb, subscription_status,
            period_start, period_end
        FROM accounts WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id";
    BALANCES = "SELECT id, account_id, kind, level, opening, opening_at FROM balances
        WHERE account_id IN (SELECT value FROM json_each(?1)) AND opening_at IS NOT NULL
        ORDER BY account_id, position";
    PERSONAL_ACCOUNTS = "SELECT id FROM accounts WHERE owner_user_id = ?1 AND kind = 'personal' ORDER BY id";
    WORKSPACES_OF_USER = "SELECT id, name, account_id FROM workspaces
        WHERE id IN (SELECT workspace_id FROM workspace_members WHERE user_id = ?1) ORDER BY id";
    WORKSPACES_OF_ACCOUNTS = "SELECT id, name, account_id FROM workspaces
        WHERE account_id IN (SELECT value FROM json_each(?1)) ORDER BY id";
    MEMBERS = "SELECT workspace_id, user_id, role, status, left_at FROM workspace_members
        WHERE workspace_id IN (SELECT value FROM json_each(?1)) ORDER BY workspace_id, position";
}

pub(super) async fn put_user(connection: &mut SqliteConnection, row: &User) -> Worked<()> {
    let put = sqlx::query(PUT_USER).bind(row.id.as_str()).bind(&row.email).bind(&row.timezone).bind(&row.locale);
    put.execute(connection).await?;
    Ok(())
}

pub(super) async fn put_account(connection: &mut SqliteConnection, row: &Account, at: Timestamp) -> Worked<()> {
    let plan = row.subscription.as_ref();
    sqlx::query(PUT_ACCOUNT)
        .bind(row.id.as_str())
        .bind(word(&row.kind)?)
        .bind(row.owner_user_id.as_str())
        .bind(row.storage_quota_mb)
        .bind(row.storage_used_mb)
        .bind(opt_word(plan.map(|plan| &plan.status))?)
        .bind(plan.map(|plan| micros(plan.period_start)))
        .bind(plan.map(|plan| micros(plan.period_end)))
        .execute(&mut *connection)
        .await?;
    for (position, balance) in (0_u64..).zip(&row.balances) {
        ledger::put_balance(connection, &row.id, signed(position), balance, at).await?;
    }
    Ok(())
}

pub(super) async fn put_workspace(connection: &mut SqliteConnection, row: &Workspace) -> Worked<()> {
    let put = sqlx::query(PUT_WORKSPACE).bind(row.id.as_str()).bind(&row.name).bind(row.account_id.as_str());
    put.execute(&mut *connection).await?;
    sqlx::query(CLEAR_MEMBERS).bind(row.id.as_str()).execute(&mut *connection).await?;
    for (position, member) in (0_u64..).zip(&row.members) {
        sqlx::query(ADD_MEMBER)
            .bind(row.id.as_str())
            .bind(member.user_id.as_str())
            .bind(signed(position))
            .bind(word(&member.role)?)
            .bind(word(&member.status)?)
            .bind(member.left_at.map(micros))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// The users of these ids; unknown ids are left out.
pub(super) async fn users(connection: &mut SqliteConnection, ids: &str) -> StoreResult<Vec<User>> {
    let rows = sqlx::query(USERS).bind(ids).fetch_all(connection).await.map_err(backend)?;
    assemble::each(&rows, assemble::user)
}

/// The accounts of these ids with the levels of their balances.
pub(super) async fn accounts(connection: &mut SqliteConnection, ids: &str) -> StoreResult<Vec<Account>> {
    let balances = sqlx::query(BALANCES).bind(ids).fetch_all(&mut *connection).await.map_err(backend)?;
    let rows = sqlx::query(ACCOUNTS).bind(ids).fetch_all(connection).await.map_err(backend)?;
    assemble::accounts(&rows, &balances)
}

/// Ids of the personal accounts of a user: normally one.
pub(super) async fn personal_accounts(connection: &mut SqliteConnection, user: &str) -> StoreResult<Vec<String>> {
    sqlx::query_scalar(PERSONAL_ACCOUNTS).bind(user).fetch_all(connection).await.map_err(backend)
}

/// The workspaces of which the user is or was a member, with all members.
pub(super) async fn workspaces_of_user(connection: &mut SqliteConnection, user: &str) -> StoreResult<Vec<Workspace>> {
    let rows = sqlx::query(WORKSPACES_OF_USER).bind(user).fetch_all(&mut *connection).await.map_err(backend)?;
    with_members(connection, rows).await
}

/// The workspaces that own these accounts, with all members.
pub(super) async fn workspaces_of_accounts(
    connection: &mut SqliteConnection,
    accounts: &str,
) -> StoreResult<Vec<Workspace>> {
    let query = sqlx::query(WORKSPACES_OF_ACCOUNTS).bind(accounts);
    let rows = query.fetch_all(&mut *connection).await.map_err(backend)?;
    with_members(connection, rows).await
}

async fn with_members(connection: &mut SqliteConnection, rows: Vec<SqliteRow>) -> StoreResult<Vec<Workspace>> {
    let ids = id_list(assemble::texts(&rows, "id")?);
    let members = sqlx::query(MEMBERS).bind(ids).fetch_all(connection).await.map_err(backend)?;
    assemble::workspaces(&rows, &members)
}
