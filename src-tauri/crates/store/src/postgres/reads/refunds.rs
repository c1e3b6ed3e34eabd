//! Refunds as they were said.

statements! {
    REFUNDS = r#"SELECT id, charge_id, run_id, posted_at, state, kind, ticket_id, detected_at, cause FROM api.refunds
        WHERE run_id = ANY ($1) ORDER BY posted_at, id COLLATE "C""#;
    ITEMS_SAID = r#"SELECT i.refund_id, i.item FROM api.refunds r JOIN api.refund_items_said i ON i.refund_id = r.id
        WHERE r.run_id = ANY ($1) ORDER BY i.refund_id COLLATE "C", i.position"#;
    LINES_SAID = r#"SELECT l.refund_id, l.balance_id, l.kind, l.amount
        FROM api.refunds r JOIN api.refund_lines_said l ON l.refund_id = r.id
        WHERE r.run_id = ANY ($1) ORDER BY l.refund_id COLLATE "C", l.position"#;
}
