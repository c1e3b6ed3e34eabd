//! Usage for an export: every charge of a time with what came of it, and the one total (R14, R16).

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use makegood_domain::ids::{AccountId, RunId};
use makegood_domain::matching::logical_run;
use makegood_domain::money::Credits;
use makegood_domain::ports::{ChargeLine, ChargesWanted};
use makegood_domain::usage::{UsageEntry, entries};

use crate::desk::Desk;
use crate::error::Result;

/// Charges read at a time; memory stays the same however long the time is.
const PAGE: u64 = 500;
/// Runs read at the same time.
const READ_AHEAD: usize = 8;

/// Which charges an export is about: those posted in `[from, until)`, each with its refunds whenever
/// these were posted, so that a run has one figure in whichever month it is asked for.
#[derive(Clone, Debug)]
pub struct UsageWanted {
    pub account: Option<AccountId>,
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Desk {
    /// Tells every line of usage in the order of the charges, and returns the billable total: the sum
    /// of the lines, charges minus valid refunds.
    ///
    /// # Errors
    /// When the record cannot be used, or `tell` fails.
    pub async fn export_usage<E: From<crate::Error>>(
        &self,
        wanted: &UsageWanted,
        mut tell: impl FnMut(&UsageEntry) -> std::result::Result<(), E> + Send,
    ) -> std::result::Result<Credits, E> {
        let mut total: Credits = 0;
        let mut page = ChargesWanted {
            account: wanted.account.clone(),
            from: wanted.from,
            until: wanted.until,
            after: None,
            limit: PAGE,
        };
        loop {
            let charges = self.store.charges(&page).await.map_err(crate::Error::from)?;
            let Some(last) = charges.last() else { return Ok(total) };
            page.after = Some((last.posted_at, last.id.clone()));
            // Some are read ahead; they are told in their order.
            let mut read = stream::iter(charges).map(|charge| self.usage_of(charge)).buffered(READ_AHEAD);
            while let Some(lines) = read.next().await {
                for line in lines? {
                    total = total.saturating_add(line.credits);
                    tell(&line)?;
                }
            }
        }
    }

    async fn usage_of(&self, charge: ChargeLine) -> Result<Vec<UsageEntry>> {
        let root: &RunId = &charge.root;
        let Some(scope) = self.store.scope_of_run(root, self.now()).await? else { return Ok(Vec::new()) };
        let Some(run) = logical_run(&scope, root) else { return Ok(Vec::new()) };
        let noticed = self.store.detections_of(std::slice::from_ref(&charge.id)).await?;
        Ok(entries(&run, &scope, &noticed).into_iter().filter(|line| line.charge_id == charge.id).collect())
    }
}
