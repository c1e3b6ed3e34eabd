//! Users, accounts with their balances, and workspaces with their members.

use makegood_domain::ports::StoreResult;
use makegood_domain::work::Workspace;
use sqlx::postgres::{PgConnection, PgRow};

use super::by_ids;
use crate::assemble;

statements! {
    USERS = r#"SELECT id, email, timezone, locale FROM api.users WHERE id = ANY ($1) ORDER BY id COLLATE "C""#;
    ACCOUNTS = r#"SELECT id, kind, owner_user_id, storage_quota_mb, storage_used_mb, subscription_status,
            period_start, period_end
        FROM api.accounts WHERE id = ANY ($1) ORDER BY id COLLATE "C""#;
    BALANCES = r#"SELECT id, account_id, kind, level, opening, opening_at FROM api.balances
        WHERE account_id = ANY ($1) AND opening_at IS NOT NULL
        ORDER BY account_id COLLATE "C", position"#;
    PERSONAL_ACCOUNTS = r#"SELECT id FROM api.accounts WHERE owner_user_id = $1 AND kind = 'personal'
        ORDER BY id COLLATE "C""#;
    WORKSPACES_OF_USER = r#"SELECT id, name, account_id FROM api.workspaces
        WHERE id IN (SELECT workspace_id FROM api.workspace_members WHERE user_id = $1) ORDER BY id COLLATE "C""#;
    WORKSPACES_OF_ACCOUNTS = r#"SELECT id, name, account_id FROM api.workspaces
        WHERE account_id = ANY ($1) ORDER BY id COLLATE "C""#;
    MEMBERS = r#"SELECT workspace_id, user_id, role, status, left_at FROM api.workspace_members
        WHERE workspace_id = ANY ($1) ORDER BY workspace_id COLLATE "C", position"#;
}

/// Workspaces with all members of each.
pub(super) async fn with_members(connection: &mut PgConnection, rows: Vec<PgRow>) -> StoreResult<Vec<Workspace>> {
    let ids = assemble::texts(&rows, "id")?;
    let members = by_ids(connection, MEMBERS, &ids).await?;
    assemble::workspaces(&rows, &members)
}
