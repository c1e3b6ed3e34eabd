//! Stored files.

statements! {
    OUTPUTS = r#"SELECT id, run_id, item, project_id, node_id, stored_at, bytes, state, in_history, on_canvas, sha256
        FROM api.outputs WHERE run_id = ANY ($1) AND quarantined_at IS NULL
        ORDER BY stored_at, item, id COLLATE "C""#;
    /// Runs with an output in projects of these accounts; the caller takes out those in scope.
    LYING_IN = "SELECT DISTINCT o.run_id FROM api.projects p JOIN api.outputs o ON o.project_id = p.id
        WHERE p.account_id = ANY ($1) AND o.quarantined_at IS NULL";
    /// Runs of other accounts with an output at one of these nodes.
    FOREIGN_AT = "SELECT DISTINCT o.run_id FROM api.outputs o JOIN api.runs r ON r.id = o.run_id
        JOIN api.projects p ON p.id = r.project_id
        WHERE o.node_id = ANY ($1) AND o.quarantined_at IS NULL AND p.account_id <> ALL ($2)";
}
