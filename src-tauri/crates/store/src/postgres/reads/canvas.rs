//! Projects and their nodes.

statements! {
    PROJECTS = r#"SELECT id, name, account_id, workspace_id, status, deleted_at FROM api.projects
        WHERE id = ANY ($1) ORDER BY id COLLATE "C""#;
    PROJECTS_OF_ACCOUNTS = r#"SELECT id, name, account_id, workspace_id, status, deleted_at FROM api.projects
        WHERE account_id = ANY ($1) ORDER BY id COLLATE "C""#;
    NODES = r#"SELECT id, project_id, label, status, deleted_at FROM api.nodes
        WHERE project_id = ANY ($1) ORDER BY id COLLATE "C""#;
    NODES_BY_ID = r#"SELECT id, project_id, label, status, deleted_at FROM api.nodes
        WHERE id = ANY ($1) ORDER BY id COLLATE "C""#;
}
