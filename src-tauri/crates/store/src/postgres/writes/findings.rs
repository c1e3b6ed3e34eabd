//! What the rules made of a case. The columns that the queue reads are taken out of a finding here;
//! amount, model and what is saved are read from the record in the same call.

use std::collections::BTreeSet;

use makegood_domain::ids::{CaseId, RunId};
use makegood_domain::ports::{Finding, StoreResult};
use serde_json::json;

use super::cases::search_text;
use super::{answer, at, document, said};
use crate::postgres::PgStore;
use crate::postgres::fault::{as_error, backend};
use crate::postgres::link::Argument;
use crate::postgres::rows::micros;

statements! {
    SAVE = "SELECT api.save_finding($1, $2, $3::jsonb, $4::jsonb, $5)";
    /// Id and name, for the search.
    PROJECTS_OF_RUNS = r#"SELECT DISTINCT p.id COLLATE "C" AS id, p.name FROM api.runs r
        JOIN api.projects p ON p.id = r.project_id WHERE r.id = ANY ($1) ORDER BY 1"#;
}

impl PgStore {
    pub(in crate::postgres) async fn keep_finding(
        &self,
        id: &CaseId,
        revision: i64,
        finding: &Finding,
    ) -> StoreResult<i64> {
        let diagnosis = &finding.diagnosis;
        let runs: BTreeSet<&RunId> = diagnosis.matched_run.iter().chain(&diagnosis.additional_runs).collect();
        let found = document(&json!({
            "verdict": diagnosis.verdict,
            "remedy": diagnosis.remedy,
            "matched_run": diagnosis.matched_run,
            "file_deadline": diagnosis.file_deadline(finding.found_at).map(micros),
            "search_text": self.searched(id, &runs).await?,
            "runs": runs,
            "items": diagnosis.losable().collect::<BTreeSet<_>>(),
        }))?;
        let whole = document(finding)?;
        let arguments =
            [said(id.as_str()), Argument::Int(Some(revision)), said(&whole), said(&found), at(finding.found_at)];
        let revision = self.call(SAVE, &arguments).await.map_err(|fault| as_error(fault, id.as_str()))?;
        answer(revision, "save_finding")
    }

    /// What the queue's search looks at: the ticket, the runs, and their projects by id and name. Put
    /// in lower case here, because what a database makes of a letter depends on its language.
    async fn searched(&self, id: &CaseId, runs: &BTreeSet<&RunId>) -> StoreResult<String> {
        let ticket = self.read_case(id).await?.ticket;
        let ids: Vec<&str> = runs.iter().map(|run| run.as_str()).collect();
        let query = sqlx::query_as(PROJECTS_OF_RUNS).bind(&ids);
        let projects: Vec<(String, String)> = query.fetch_all(&self.pool).await.map_err(backend)?;
        let mut search = search_text(id, &ticket);
        for word in ids.into_iter().chain(projects.iter().flat_map(|(id, name)| [id.as_str(), name.as_str()])) {
            search.push('\n');
            search.push_str(&word.to_lowercase());
        }
        Ok(search)
    }
}
