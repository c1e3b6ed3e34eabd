//! What an agent may restore against the verdict.

use jiff::Timestamp;

use super::record::diagnosed_runs;
use crate::diagnose::money::Money;
use crate::diagnose::{ChargeRestoration, Diagnosis};
use crate::matching::logical_run;
use crate::policy::Policy;
use crate::scope::Scope;

/// The most that can be given back for the runs of a diagnosis where the verdict gives nothing
/// back: what is owed (P4, P5) of the items whose file is neither stored nor to be had. Empty where
/// nothing is. It is for `PlanInput::agent_restorations`; the plan asks for a reason (R53).
#[must_use]
pub fn restorable(scope: &Scope, diagnosis: &Diagnosis, policy: &Policy, now: Timestamp) -> Vec<ChargeRestoration> {
    let mut restorations = Vec::new();
    for facts in diagnosed_runs(scope, diagnosis) {
        let Some(run) = logical_run(scope, &facts.first.run.id) else { continue };
        let money = Money::of(&run, scope, policy);
        let charged = facts.all.iter().flat_map(|dossier| &dossier.charges);
        let mut items: Vec<u32> = charged.flat_map(|charge| &charge.items).map(|row| row.item).collect();
        items.sort_unstable();
        items.dedup();
        items.retain(|item| facts.stored(*item).is_none() && facts.fetch(*item).is_none() && money.owed(*item) > 0);
        restorations.extend(money.restore(&items, scope, now).charges);
    }
    restorations.retain(|row| !row.items.is_empty());
    restorations
}
