//! Files that lie whole on their way into the vault: they were brought, and only the vault did not take them yet.
//! Before their provider's word that it has them no longer is the last one, they are looked for.

use jiff::SignedDuration;
use jiff::Timestamp;
use makegood_domain::ids::RunId;
use makegood_domain::ports::TransitKey;
use makegood_domain::reconcile::{is_here, not_to_be_had};
use makegood_domain::scope::Scope;

use crate::desk::Desk;

/// Items of which it can't be said now whether their files lie here.
#[derive(Default)]
pub(crate) struct Unsaid {
    /// Their files are just being brought, here or by another program.
    pub brought: Vec<u32>,
    /// What lies here could not be read, or not whether the vault has it.
    pub unread: Vec<u32>,
}

/// How long what has arrived is tried to be put into the vault: as long as it is kept on its way.
pub(crate) const KEPT_ON_ITS_WAY: SignedDuration = SignedDuration::from_hours(24);

impl Desk {
    /// Takes for a file that can be had what its provider no longer gives and what lies here whole.
    pub(crate) async fn look_in_transit(&self, scope: &mut Scope, root: &RunId) -> Unsaid {
        let mut unsaid = Unsaid::default();
        let until = self.now().saturating_add(KEPT_ON_ITS_WAY).unwrap_or(Timestamp::MAX);
        for file in not_to_be_had(scope, root, &self.policy, self.now()) {
            if self.is_brought(root, file.item) {
                unsaid.brought.push(file.item);
                continue;
            }
            let (provider_id, job_id) = (file.provider_id.clone(), file.job_id.clone());
            match self.vault.begin(&TransitKey { provider_id, job_id, item: file.item }).await {
                Ok(incoming) if incoming.held().is_some_and(|held| held.is_whole()) => {
                    tracing::info!(job = %file.job_id, file.item, "its provider gives it no more, and it lies here whole");
                    is_here(scope, &file, until);
                }
                Ok(incoming) if incoming.is_anothers() => unsaid.brought.push(file.item),
                Ok(_) => {}
                Err(why) => {
                    tracing::warn!(job = %file.job_id, file.item, %why, "whether a file lies here was not found out");
                    unsaid.unread.push(file.item);
                }
            }
        }
        unsaid
    }
}
