//! What a scope costs among many rows.

use makegood_domain::ports::FactStore;
use makegood_domain::support::Requester;

use super::world::{at, charge, new_case, number, output, run, world};

/// The queries of a scope must not read whole tables: each step is by key or index.
#[tokio::test]
async fn a_scope_reads_by_index() {
    let store = world(vec![run("run_1", "a", "a", 10)]).await;
    let large = [
        "runs",
        "charges",
        "charge_items",
        "outputs",
        "refunds",
        "jobs",
        "webhooks",
        "uploads",
        "projects",
        "nodes",
        "ticket_runs",
        "ticket_links",
        "case_runs",
        "cases",
        "tickets",
    ];
    let modules = [
        super::super::runs::STATEMENTS,
        super::super::charges::STATEMENTS,
        super::super::outputs::STATEMENTS,
        super::super::refunds::STATEMENTS,
        super::super::jobs::STATEMENTS,
        super::super::deliveries::STATEMENTS,
        super::super::canvas::STATEMENTS,
        super::super::ticket_links::STATEMENTS,
        super::super::items::STATEMENTS,
    ];
    for (name, sql) in modules.into_iter().flatten().filter(|(_, sql)| sql.starts_with("SELECT")) {
        let plan = format!("EXPLAIN QUERY PLAN {sql}");
        let rows: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(plan)).fetch_all(&store.writer).await.unwrap();
        for (.., step) in rows {
            let table = step.strip_prefix("SCAN ").map(|rest| rest.split(' ').next().unwrap_or_default());
            let aliased = table.map(|alias| aliased(sql, alias));
            assert!(!aliased.is_some_and(|table| large.contains(&table)), "{name} reads a whole table: {step}\n{sql}");
        }
    }
    assert_eq!(number(&store, "SELECT count(*) FROM runs").await, 1);
}

/// The table that an alias of a statement stands for.
fn aliased<'a>(sql: &'a str, alias: &'a str) -> &'a str {
    let words: Vec<&str> = sql.split([' ', '\n', ',', '(', ')']).filter(|word| !word.is_empty()).collect();
    words
        .windows(3)
        .find(|three| matches!(three[0], "FROM" | "JOIN") && three[2] == alias)
        .map_or(alias, |three| three[1])
}

/// Prints what a scope costs among 6,000 runs and 100,000 tickets:
/// `cargo test -p makegood-store --release -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "measures, asserts nothing about time"]
async fn a_scope_among_many() {
    let store = world(vec![]).await;
    let mut facts = Vec::new();
    for place in 0..6000_i64 {
        let (run_id, id) = (format!("run_m{place}"), format!("chg_m{place}"));
        let (project, user, balance) = if place % 100 == 0 { ("a", "a", "bal_q") } else { ("b", "b", "bal_b") };
        facts.push(run(&run_id, project, user, 100 + place));
        if place % 100 == 0 {
            facts.push(charge(&id, &run_id, project, 101 + place, &[1], &[(balance, 1)]));
        }
        facts.push(output(&format!("out_m{place}"), &run_id, project, "stored"));
    }
    let start = std::time::Instant::now();
    let report = store.import(&facts, at(2000)).await.unwrap();
    println!("import of {} facts: {:.0} ms", report.added, start.elapsed().as_secs_f64() * 1000.0);
    let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
        INSERT INTO ticket_links (id, created_at, status) SELECT 'tck_m' || i, i, 'open' FROM n;
        INSERT INTO ticket_runs (ticket_id, position, run_id)
        SELECT id, 0, 'run_m' || (created_at % 6000) FROM ticket_links";
    sqlx::raw_sql(sql).execute(&store.writer).await.unwrap();
    for user in ["usr_a", "usr_b"] {
        let start = std::time::Instant::now();
        let requester = Requester { user_id: Some(user.into()), ..new_case("x").ticket.requester };
        let found = store.scope(&requester, None, at(5000)).await.unwrap();
        println!("scope of {} runs: {:.1} ms", found.runs.len(), start.elapsed().as_secs_f64() * 1000.0);
    }
}
