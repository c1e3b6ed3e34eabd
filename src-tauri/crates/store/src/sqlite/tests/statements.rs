//! Every SQL constant is prepared on a fresh schema.

use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

use crate::sqlite::{
    SqliteStore, actions, approvals, attachments, audit, canvas, captures, cases, catalogue, charges, dead_letters,
    deliveries, detections, discrepancies, drafts, due_runs, effects, files, findings, fresh, full_scan, health,
    import, items, jobs, ledger, letters, open, outbox, outputs, passes, people, pruning, queue, received, references,
    refunds, rights, runs, sweeps, ticket_links, views, whole,
};

#[tokio::test]
async fn every_statement_can_be_prepared() {
    let store = SqliteStore::open_in_memory().await.unwrap();
    let mut connection = store.writer.acquire().await.unwrap();
    let modules = [
        actions::STATEMENTS,
        approvals::STATEMENTS,
        detections::STATEMENTS,
        due_runs::STATEMENTS,
        full_scan::STATEMENTS,
        passes::STATEMENTS,
        rights::STATEMENTS,
        sweeps::STATEMENTS,
        effects::STATEMENTS,
        effects::DELIVERY,
        effects::PLACING,
        effects::RELEASING,
        effects::RESTORATION,
        outbox::STATEMENTS,
        letters::STATEMENTS,
        pruning::STATEMENTS,
        received::STATEMENTS,
        attachments::STATEMENTS,
        audit::STATEMENTS,
        canvas::STATEMENTS,
        captures::STATEMENTS,
        cases::STATEMENTS,
        catalogue::STATEMENTS,
        charges::STATEMENTS,
        dead_letters::STATEMENTS,
        deliveries::STATEMENTS,
        discrepancies::STATEMENTS,
        drafts::STATEMENTS,
        files::STATEMENTS,
        findings::STATEMENTS,
        fresh::STATEMENTS,
        health::STATEMENTS,
        import::STATEMENTS,
        items::STATEMENTS,
        jobs::STATEMENTS,
        ledger::STATEMENTS,
        open::STATEMENTS,
        outputs::STATEMENTS,
        people::STATEMENTS,
        queue::STATEMENTS,
        references::STATEMENTS,
        refunds::STATEMENTS,
        runs::STATEMENTS,
        ticket_links::STATEMENTS,
        views::STATEMENTS,
        whole::STATEMENTS,
    ];
    for (name, sql) in modules.into_iter().flatten() {
        if let Err(error) = connection.prepare(AssertSqlSafe(*sql).into_sql_str()).await {
            panic!("{name}: {error}\n{sql}");
        }
    }
}
