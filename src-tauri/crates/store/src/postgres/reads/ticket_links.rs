//! Other tickets and the runs they are about (P12): those a feed told of, and the cases kept here.

statements! {
    TOLD = r#"SELECT id, created_at, status, outcome, requester_user_id FROM api.ticket_links
        WHERE id IN (SELECT ticket_id FROM api.ticket_runs WHERE run_id = ANY ($1))
        ORDER BY created_at, id COLLATE "C""#;
    TOLD_RUNS = r#"SELECT ticket_id, run_id FROM api.ticket_runs
        WHERE ticket_id = ANY ($1) ORDER BY ticket_id COLLATE "C", position"#;
    OURS = r#"SELECT c.id AS case_id, t.id, t.created_at, t.requester_user_id, c.state, c.remedy
        FROM api.cases c JOIN api.tickets t ON t.id = c.ticket_id
        WHERE c.id IN (SELECT case_id FROM api.case_runs WHERE run_id = ANY ($1))
        ORDER BY t.created_at, t.id COLLATE "C""#;
    OUR_RUNS = r#"SELECT case_id, run_id FROM api.case_runs
        WHERE case_id = ANY ($1) ORDER BY case_id COLLATE "C", run_id COLLATE "C""#;
}
