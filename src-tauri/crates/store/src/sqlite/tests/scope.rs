//! Who may be told about what (P2), and what must not be said (P11).

use makegood_domain::ports::FactStore;
use makegood_domain::scope::Scope;
use makegood_domain::support::Requester;
use serde_json::json;

use super::world::{at, charge, fact, number, output, run, world};
use crate::sqlite::SqliteStore;

async fn scope(store: &SqliteStore, user: Option<&str>) -> Scope {
    let requester = Requester {
        user_id: user.map(Into::into),
        email: format!("{}@example.com", user.unwrap_or("nobody")),
        locale: None,
        timezone: None,
    };
    store.scope(&requester, Some(&"tck_own".into()), at(5000)).await.unwrap()
}

fn runs(scope: &Scope) -> Vec<&str> {
    scope.runs.iter().map(|dossier| dossier.run.id.as_str()).collect()
}

/// `run_1` of Ana; `run_2` in the workspace by Ben, `run_3` there by Cy; `run_4` of Ben.
async fn store() -> SqliteStore {
    world(vec![
        run("run_1", "a", "a", 10),
        run("run_2", "s", "b", 11),
        run("run_3", "s", "c", 12),
        run("run_4", "b", "b", 13),
        charge("chg_1", "run_1", "a", 20, &[5, 5], &[("bal_q", 10)]),
    ])
    .await
}

#[tokio::test]
async fn runs_are_in_scope_by_account_membership_and_start() {
    let store = store().await;
    for (user, wanted) in [
        (Some("usr_a"), vec!["run_1", "run_2", "run_3"]),
        (Some("usr_b"), vec!["run_2", "run_3", "run_4"]),
        (Some("usr_c"), vec!["run_3"]),
        (Some("usr_x"), vec![]),
        (None, vec![]),
    ] {
        assert_eq!(runs(&scope(&store, user).await), wanted, "{user:?}");
    }
    assert_eq!(scope(&store, None).await.models.len(), 1, "the catalogue is nobody's secret");
}

#[tokio::test]
async fn who_left_a_workspace_is_told_no_names_of_it() {
    let left = scope(&store().await, Some("usr_c")).await;
    for name in ["ws_s", "Dune Pictures", "prj_s", "Episode 3", "usr_b", "ben@example.com", "acc_s"] {
        assert!(left.forbidden.iter().any(|word| word == name), "{name} in {:?}", left.forbidden);
    }
    assert!(!left.forbidden.iter().any(|word| word.contains("cy@") || word == "usr_c"));
    assert_eq!(left.workspaces.len(), 1, "left ones are known as such");
    assert_eq!(left.projects.len(), 1, "the project of the run that Cy started");
}

#[tokio::test]
async fn an_output_with_somebody_else_is_forbidden_from_both_sides() {
    let store = store().await;
    store.import(&[output("out_1", "run_1", "b", "stored")], at(2000)).await.unwrap();
    let ana = scope(&store, Some("usr_a")).await;
    assert_eq!(ana.runs[0].outputs.len(), 1);
    assert!(ana.projects.iter().any(|project| project.id.as_str() == "prj_b"));
    for name in ["Rodeo promo", "prj_b"] {
        assert!(ana.forbidden.iter().any(|word| word == name), "{name} in {:?}", ana.forbidden);
    }
    assert!(!ana.forbidden.iter().any(|word| word == "usr_b"), "Ben is a colleague of Ana's");
    let ben = scope(&store, Some("usr_b")).await;
    assert_eq!(ben.foreign_runs.iter().map(|row| row.run.id.as_str()).collect::<Vec<_>>(), ["run_1"]);
    assert!(!runs(&ben).contains(&"run_1"));
    for name in ["Spring lookbook", "prj_a", "run_1"] {
        assert!(ben.forbidden.iter().any(|word| word == name), "{name} in {:?}", ben.forbidden);
    }
}

#[tokio::test]
async fn tickets_about_a_run_are_with_it_except_the_one_worked_on() {
    let store = store().await;
    let ticket = |id: &str, seconds: i64| {
        fact(
            "ticket",
            json!({ "id": id, "created_at": at(seconds), "status": "open", "run_ids": ["run_1", "run_2"],
            "outcome": null, "requester_user_id": "usr_a" }),
        )
    };
    let facts = [ticket("tck_2", 50), ticket("tck_1", 40), ticket("tck_own", 60)];
    store.import(&facts, at(2000)).await.unwrap();
    let found = scope(&store, Some("usr_a")).await;
    let told: Vec<_> = found.runs[0].tickets.iter().map(|link| link.id.as_str()).collect();
    assert_eq!(told, ["tck_1", "tck_2"]);
    assert_eq!(found.runs[0].tickets[0].run_ids.len(), 2);
}

/// The queries of a scope must not read whole tables: each step is by key or index.
#[tokio::test]
async fn a_scope_reads_by_index() {
    let store = store().await;
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
    assert_eq!(number(&store, "SELECT count(*) FROM runs").await, 4);
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
    let store = store().await;
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
        let found = scope(&store, Some(user)).await;
        println!("scope of {} runs: {:.1} ms", found.runs.len(), start.elapsed().as_secs_f64() * 1000.0);
    }
}
