//! What arrived and what was tried: webhooks of providers, uploads into the product's storage.

statements! {
    WEBHOOKS = r#"SELECT id, job_id, run_id, received_at, attempts, result, routed_project_id, routed_node_id
        FROM api.webhooks WHERE run_id = ANY ($1) ORDER BY received_at, id COLLATE "C""#;
    UPLOADS = r#"SELECT run_id, item, attempted_at, result FROM api.uploads
        WHERE run_id = ANY ($1) ORDER BY run_id COLLATE "C", attempted_at, item"#;
}
