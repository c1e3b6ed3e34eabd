//! Copies of our own: which files of providers are in the vault.

statements! {
    CAPTURES = r#"SELECT job_id, item, run_id, sha256, bytes, media_type, captured_at FROM api.standing_captures
        WHERE run_id = ANY ($1) ORDER BY captured_at, job_id COLLATE "C", item"#;
}
