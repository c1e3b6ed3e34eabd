//! Files of the vault.

use makegood_domain::ids::{OutputId, RunId};
use makegood_domain::keeping::FileReference;
use makegood_domain::ports::{KnownFile, StoreResult};

use crate::rows::Columns;

pub(crate) fn file_reference<R: Columns>(row: &R) -> StoreResult<FileReference> {
    Ok(FileReference {
        sha256: row.text("vault")?,
        output_id: row.opt_text("id")?.map(OutputId),
        run_id: RunId(row.text("run_id")?),
        captured_at: row.opt_time("captured_at")?,
        hold_until: row.opt_time("hold_until")?,
        quarantined_at: row.opt_time("quarantined_at")?,
    })
}

pub(crate) fn known_file<R: Columns>(row: &R) -> StoreResult<KnownFile> {
    Ok(KnownFile { sha256: row.text("sha256")?, bytes: row.count("bytes")? })
}
