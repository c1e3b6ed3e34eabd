//! Files that are taken out of the vault.

use jiff::Timestamp;
use makegood_domain::ports::{Removal, StoreError, StoreResult};
use serde_json::json;

use super::{answer, at, document, said};
use crate::postgres::PgStore;
use crate::postgres::fault::as_error;

statements! {
    CLAIM = "SELECT api.claim_removal($1::jsonb, $2)";
    END = "SELECT api.end_removal($1, $2)";
}

impl PgStore {
    pub(in crate::postgres) async fn claim_file(&self, removal: &Removal, when: Timestamp) -> StoreResult<bool> {
        let hold = i64::try_from(removal.hold.as_micros()).map_err(|error| StoreError::Backend(error.to_string()))?;
        let claim = document(&json!({
            "sha256": removal.sha256, "bytes": removal.bytes, "why": removal.why, "by": removal.by, "hold": hold,
        }))?;
        let claimed = self.call(CLAIM, &[said(&claim), at(when)]).await;
        answer(claimed.map_err(|fault| as_error(fault, &removal.sha256))?, "claim_removal")
    }

    pub(in crate::postgres) async fn end_file(&self, sha256: &str, when: Timestamp) -> StoreResult<bool> {
        let ended = self.call(END, &[said(sha256), at(when)]).await;
        answer(ended.map_err(|fault| as_error(fault, sha256))?, "end_removal")
    }
}
