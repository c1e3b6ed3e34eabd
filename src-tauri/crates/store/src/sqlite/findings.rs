//! What the rules made of a case. The newest finding counts; all are kept. The columns that the
//! queue reads are copied from it, and from the ledger, in the same transaction.

use std::collections::BTreeSet;

use makegood_domain::ids::{CaseId, RunId};
use makegood_domain::ports::{Finding, StoreResult};
use sqlx::SqliteConnection;

use super::fault::{Worked, as_error, backend};
use super::rows::{document, id_list, micros, parse_document};
use super::{SqliteStore, cases};

/// Brings the queue's copy in line. Amount: what was charged for the runs, and is neither delivered nor
/// refunded. Saved: each file that could be lost is in the vault.
macro_rules! follow_ledger {
    () => {
        "UPDATE cases SET
        amount = (SELECT sum(CASE WHEN i.state IN ('delivered', 'refunded') AND i.refunded IN (0, i.price) THEN 0
                             ELSE i.price - i.refunded END)
            FROM case_runs k JOIN runs m ON m.id = k.run_id JOIN runs r ON r.root_id = m.root_id
            JOIN charges c ON c.run_id = r.id JOIN charge_items i ON i.charge_id = c.id
            WHERE k.case_id = cases.id),
        saved = (EXISTS (SELECT 1 FROM case_items k WHERE k.case_id = cases.id)
            AND NOT EXISTS (SELECT 1 FROM case_items k JOIN runs m ON m.id = k.run_id
                WHERE k.case_id = cases.id AND NOT EXISTS (
                    SELECT 1 FROM runs r JOIN outputs o ON o.run_id = r.id
                    WHERE r.root_id = m.root_id AND o.item = k.item AND o.vault IS NOT NULL)
                AND NOT EXISTS (
                    SELECT 1 FROM runs r JOIN standing_captures c ON c.run_id = r.id
                    WHERE r.root_id = m.root_id AND c.item = k.item)))
        "
    };
}

statements! {
    NEWEST = "SELECT document FROM findings WHERE case_id = ?1 ORDER BY seq DESC LIMIT 1";
    ADD = "INSERT INTO findings (case_id, seq, at, document)
        SELECT ?1, finding_seq + 1, ?2, ?3 FROM cases WHERE id = ?1";
    COPY = "UPDATE cases SET finding_seq = finding_seq + 1, verdict = ?2, remedy = ?3, matched_run = ?4,
            file_deadline = ?5, search_text = ?6,
            model = (SELECT m.display_name FROM runs r JOIN models m ON m.id = r.model_id WHERE r.id = ?4)
        WHERE id = ?1";
    CLEAR_RUNS = "DELETE FROM case_runs WHERE case_id = ?1";
    ADD_RUN = "INSERT INTO case_runs (case_id, run_id) VALUES (?1, ?2)";
    CLEAR_ITEMS = "DELETE FROM case_items WHERE case_id = ?1";
    ADD_ITEM = "INSERT INTO case_items (case_id, run_id, item) VALUES (?1, ?2, ?3)";
    FOLLOW_LEDGER = concat!(follow_ledger!(), "WHERE id = ?1");
    /// The same for all cases about the logical run of a run.
    FOLLOW_LEDGER_OF_RUN = concat!(follow_ledger!(), "WHERE id IN (SELECT k.case_id FROM runs m
        JOIN runs r ON r.root_id = m.root_id JOIN case_runs k ON k.run_id = r.id WHERE m.id = ?1)");
    PROJECTS_OF_RUNS = "SELECT DISTINCT p.id, p.name FROM runs r JOIN projects p ON p.id = r.project_id
        WHERE r.id IN (SELECT value FROM json_each(?1)) ORDER BY p.id";
}

impl SqliteStore {
    pub(super) async fn keep_finding(&self, id: &CaseId, revision: i64, finding: &Finding) -> StoreResult<i64> {
        let mut tx = self.begin().await?;
        cases::check_revision(&mut tx, id, revision).await?;
        let last = newest(&mut tx, id).await?;
        let is_same = last.as_ref().is_some_and(|last| last.comes_to_the_same(finding));
        if let Some(last) = last
            && (Finding { found_at: finding.found_at, ..last }) == *finding
        {
            return Ok(revision);
        }
        keep(&mut tx, id, finding).await.map_err(|fault| as_error(fault, id.as_str()))?;
        // Other reasons for the same are kept, and take nobody's review away.
        let revision = if is_same { revision } else { cases::raise(&mut tx, id).await? };
        tx.commit().await.map_err(backend)?;
        Ok(revision)
    }
}

/// The newest finding of a case.
pub(super) async fn newest(connection: &mut SqliteConnection, id: &CaseId) -> StoreResult<Option<Finding>> {
    let text = newest_document(connection, id).await?;
    text.map(|text| parse_document(&text, id.as_str())).transpose()
}

/// The newest finding of a case, as JSON text.
pub(super) async fn newest_document(connection: &mut SqliteConnection, id: &CaseId) -> StoreResult<Option<String>> {
    sqlx::query_scalar(NEWEST).bind(id.as_str()).fetch_optional(connection).await.map_err(backend)
}

async fn keep(connection: &mut SqliteConnection, id: &CaseId, finding: &Finding) -> Worked<()> {
    let diagnosis = &finding.diagnosis;
    let add = sqlx::query(ADD).bind(id.as_str()).bind(micros(finding.found_at)).bind(document(finding)?);
    add.execute(&mut *connection).await?;
    let runs: BTreeSet<&RunId> = diagnosis.matched_run.iter().chain(&diagnosis.additional_runs).collect();
    let record = cases::record(connection, id).await?;
    let mut search = cases::search_text(id, &record.ticket);
    let list = id_list(runs.iter().map(|run| run.as_str()));
    let query = sqlx::query_as(PROJECTS_OF_RUNS).bind(list);
    let projects: Vec<(String, String)> = query.fetch_all(&mut *connection).await?;
    let words = runs.iter().map(|run| run.as_str());
    for word in words.chain(projects.iter().flat_map(|(id, name)| [id.as_str(), name.as_str()])) {
        search.push('\n');
        search.push_str(&word.to_lowercase());
    }
    sqlx::query(COPY)
        .bind(id.as_str())
        .bind(diagnosis.verdict.word())
        .bind(diagnosis.remedy.word())
        .bind(diagnosis.matched_run.as_ref().map(RunId::as_str))
        .bind(diagnosis.file_deadline(finding.found_at).map(micros))
        .bind(search)
        .execute(&mut *connection)
        .await?;
    sqlx::query(CLEAR_RUNS).bind(id.as_str()).execute(&mut *connection).await?;
    for run in &runs {
        sqlx::query(ADD_RUN).bind(id.as_str()).bind(run.as_str()).execute(&mut *connection).await?;
    }
    sqlx::query(CLEAR_ITEMS).bind(id.as_str()).execute(&mut *connection).await?;
    for (run, item) in diagnosis.losable() {
        let add = sqlx::query(ADD_ITEM).bind(id.as_str()).bind(run.as_str()).bind(i64::from(item));
        add.execute(&mut *connection).await?;
    }
    follow_ledger(connection, id.as_str()).await
}

/// Brings the queue's copy of amount and saved in line with the ledger and the vault.
pub(super) async fn follow_ledger(connection: &mut SqliteConnection, case: &str) -> Worked<()> {
    sqlx::query(FOLLOW_LEDGER).bind(case).execute(connection).await?;
    Ok(())
}

/// The same for all cases about the logical run that `run` belongs to.
pub(super) async fn follow_ledger_of_run(connection: &mut SqliteConnection, run: &str) -> Worked<()> {
    sqlx::query(FOLLOW_LEDGER_OF_RUN).bind(run).execute(connection).await?;
    Ok(())
}
