//! Charges with the prices of their items and the balances they drew from.

statements! {
    CHARGES = r#"SELECT id, run_id, account_id, posted_at, total, idempotency_key FROM api.charges
        WHERE run_id = ANY ($1) ORDER BY posted_at, id COLLATE "C""#;
    ITEMS = r#"SELECT i.charge_id, i.item, i.price FROM api.charges c JOIN api.charge_items i ON i.charge_id = c.id
        WHERE c.run_id = ANY ($1) ORDER BY i.charge_id COLLATE "C", i.item"#;
    SOURCES = r#"SELECT s.charge_id, s.balance_id, b.kind, s.amount
        FROM api.charges c JOIN api.charge_sources s ON s.charge_id = c.id JOIN api.balances b ON b.id = s.balance_id
        WHERE c.run_id = ANY ($1) ORDER BY s.charge_id COLLATE "C", s.line"#;
}
