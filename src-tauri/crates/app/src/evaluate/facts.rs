//! A world as facts, in an order in which every row comes after those that it refers to.

use std::collections::BTreeSet;

use makegood_domain::feed::Fact;
use makegood_domain::ids::RunId;
use makegood_domain::work::Run;

use super::World;

/// All rows of a world, in the order of import.
#[must_use]
pub fn facts(world: &World) -> Vec<Fact> {
    let mut facts = Vec::new();
    facts.extend(world.providers.iter().cloned().map(Fact::Provider));
    facts.extend(world.models.iter().cloned().map(Fact::Model));
    facts.extend(world.users.iter().cloned().map(Fact::User));
    facts.extend(world.accounts.iter().cloned().map(Fact::Account));
    facts.extend(world.workspaces.iter().cloned().map(Fact::Workspace));
    facts.extend(world.projects.iter().cloned().map(Fact::Project));
    facts.extend(world.nodes.iter().cloned().map(Fact::Node));
    facts.extend(originals_first(&world.runs).into_iter().cloned().map(Fact::Run));
    facts.extend(world.charges.iter().cloned().map(Fact::Charge));
    facts.extend(world.jobs.iter().cloned().map(Fact::Job));
    facts.extend(world.webhooks.iter().cloned().map(Fact::Webhook));
    facts.extend(world.uploads.iter().cloned().map(Fact::Upload));
    facts.extend(world.outputs.iter().cloned().map(Fact::Output));
    facts.extend(world.refunds.iter().cloned().map(Fact::Refund));
    facts.extend(world.tickets.iter().cloned().map(Fact::Ticket));
    facts
}

/// Runs by start, a retry after the run that it retries. What is left over, a circle or a retry of a
/// run that is not there, comes last.
fn originals_first(runs: &[Run]) -> Vec<&Run> {
    let mut left: Vec<&Run> = runs.iter().collect();
    left.sort_by(|a, b| (a.started_at, &a.id).cmp(&(b.started_at, &b.id)));
    let (mut ordered, mut placed): (Vec<&Run>, BTreeSet<&RunId>) = (Vec::new(), BTreeSet::new());
    loop {
        let before = left.len();
        let (ready, wait): (Vec<&Run>, Vec<&Run>) =
            left.into_iter().partition(|run| run.retry_of.as_ref().is_none_or(|id| placed.contains(id)));
        placed.extend(ready.iter().map(|run| &run.id));
        ordered.extend(ready);
        if wait.is_empty() || wait.len() == before {
            ordered.extend(wait);
            return ordered;
        }
        left = wait;
    }
}
