//! Lines of the audit.

use makegood_domain::ports::{AuditLine, StoreResult};

use crate::assemble;
use crate::postgres::PgStore;
use crate::postgres::fault::backend;
use crate::postgres::rows::signed;

statements! {
    NEWEST = "SELECT seq, at, actor, act, subject, detail, hash FROM api.audit ORDER BY seq DESC LIMIT $1";
    NEWEST_OF = "SELECT seq, at, actor, act, subject, detail, hash FROM api.audit WHERE subject = $1
        ORDER BY seq DESC LIMIT $2";
}

impl PgStore {
    pub(in crate::postgres) async fn read_audit(
        &self,
        subject: Option<&str>,
        limit: u64,
    ) -> StoreResult<Vec<AuditLine>> {
        let query = match subject {
            Some(subject) => sqlx::query(NEWEST_OF).bind(subject).bind(signed(limit)),
            None => sqlx::query(NEWEST).bind(signed(limit)),
        };
        let rows = query.fetch_all(&self.pool).await.map_err(backend)?;
        assemble::each(&rows, assemble::audit_line)
    }
}
