//! People and approvals.

use jiff::Timestamp;
use makegood_domain::ids::ApprovalId;
use makegood_domain::ports::{Approval, Person, StoreError, StoreResult};

use crate::assemble;
use crate::postgres::PgStore;
use crate::postgres::fault::backend;
use crate::postgres::rows::{micros, signed};

statements! {
    PEOPLE = r#"SELECT id, name, roles, per_posting, per_day FROM api.people ORDER BY id COLLATE "C""#;
    APPROVALS = "SELECT id, case_id, subject, digest, amount, reason, restorations, releases, asked_by, asked_at, state,
            decided_by, decided_at, note, expires_at, used_by
        FROM api.approvals_at($1, $2, $3)";
    /// As it stands: its state is told at an instant by `api.approvals_at` only.
    APPROVAL = "SELECT id, case_id, subject, digest, amount, reason, restorations, releases, asked_by, asked_at, state,
            decided_by, decided_at, note, expires_at, used_by
        FROM api.approvals WHERE id = $1";
}

impl PgStore {
    pub(in crate::postgres) async fn read_people(&self) -> StoreResult<Vec<Person>> {
        let rows = sqlx::query(PEOPLE).fetch_all(&self.pool).await.map_err(backend)?;
        assemble::each(&rows, assemble::person)
    }

    pub(in crate::postgres) async fn read_approvals(
        &self,
        open_only: bool,
        limit: u64,
        when: Timestamp,
    ) -> StoreResult<Vec<Approval>> {
        let query = sqlx::query(APPROVALS).bind(i64::from(open_only)).bind(signed(limit)).bind(micros(when));
        let rows = query.fetch_all(&self.pool).await.map_err(backend)?;
        assemble::each(&rows, assemble::approval)
    }

    pub(in crate::postgres) async fn read_approval(&self, id: &ApprovalId) -> StoreResult<Approval> {
        let row = sqlx::query(APPROVAL).bind(id.as_str()).fetch_optional(&self.pool).await.map_err(backend)?;
        match row {
            Some(row) => assemble::approval(&row),
            None => Err(StoreError::NotFound { what: "approval", id: id.0.clone() }),
        }
    }
}
