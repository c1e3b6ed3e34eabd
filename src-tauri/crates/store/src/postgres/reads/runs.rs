//! Runs, and which of them are in scope.

statements! {
    RUNS = r#"SELECT r.id, p.account_id, r.project_id, r.node_id, r.started_by, r.model_id, r.started_at,
            r.requested_items, r.status, r.cancelled_at, r.retry_of, r.retry_initiator, r.params
        FROM api.runs r JOIN api.projects p ON p.id = r.project_id
        WHERE r.id = ANY ($1) ORDER BY r.started_at, r.id COLLATE "C""#;
    OF_ROOT = r#"SELECT id FROM api.runs WHERE root_id = $1 ORDER BY id COLLATE "C""#;
    OWNER_OF_ROOT = r#"SELECT a.owner_user_id FROM api.accounts a WHERE a.id = coalesce(
        (SELECT c.account_id FROM api.runs r JOIN api.charges c ON c.run_id = r.id WHERE r.root_id = $1
            ORDER BY c.posted_at, c.id COLLATE "C" LIMIT 1),
        (SELECT p.account_id FROM api.runs r JOIN api.projects p ON p.id = r.project_id WHERE r.id = $1))"#;
    /// P2: runs of the accounts, and runs that the requester started.
    IN_SCOPE = "SELECT r.id FROM api.runs r JOIN api.projects p ON p.id = r.project_id
        WHERE p.account_id = ANY ($1)
        UNION SELECT id FROM api.runs WHERE started_by = $2";
}
