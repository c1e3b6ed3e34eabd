//! The scope of a world, for tests that have no store.

use std::collections::BTreeSet;

use makegood_domain::ids::{AccountId, ProjectId};
use makegood_domain::ledger::AccountKind;
use makegood_domain::scope::{Dossier, Scope};
use makegood_domain::support::Requester;
use makegood_domain::work::{MemberStatus, Run};

use super::World;

pub(super) fn scope_of(world: &World, requester: &Requester) -> Scope {
    let user = requester.user_id.as_ref();
    let is_member = |account: &AccountId| {
        world
            .workspaces
            .iter()
            .filter(|row| row.account_id == *account)
            .flat_map(|row| &row.members)
            .any(|member| Some(&member.user_id) == user && member.status == MemberStatus::Active)
    };
    let own: BTreeSet<&AccountId> = world
        .accounts
        .iter()
        .filter(|row| is_member(&row.id) || (row.kind == AccountKind::Personal && Some(&row.owner_user_id) == user))
        .map(|row| &row.id)
        .collect();
    let account_of = |project: &ProjectId| {
        world.projects.iter().find(|row| row.id == *project).map(|row| row.account_id.clone()).expect("a project")
    };
    let in_scope =
        |run: &Run| user.is_some() && (own.contains(&account_of(&run.project_id)) || Some(&run.started_by) == user);
    let (inside, outside): (Vec<&Run>, Vec<&Run>) = world.runs.iter().partition(|run| in_scope(run));
    let mut runs: Vec<Dossier> = inside.iter().map(|run| dossier(world, run)).collect();
    runs.sort_by_key(|row| row.run.started_at);
    let mut projects: BTreeSet<ProjectId> = runs
        .iter()
        .flat_map(|row| row.outputs.iter().map(|output| &output.project_id).chain([&row.run.project_id]))
        .cloned()
        .collect();
    projects.extend(world.projects.iter().filter(|row| own.contains(&row.account_id)).map(|row| row.id.clone()));
    let foreign_runs = outside
        .iter()
        .map(|run| dossier(world, run))
        .filter(|row| row.outputs.iter().any(|output| own.contains(&account_of(&output.project_id))))
        .collect();
    Scope {
        requester: requester.clone(),
        as_of: world.now,
        providers: world.providers.clone(),
        models: world.models.clone(),
        accounts: if user.is_some() { world.accounts.clone() } else { Vec::new() },
        workspaces: world
            .workspaces
            .iter()
            .filter(|row| row.members.iter().any(|member| Some(&member.user_id) == user))
            .cloned()
            .collect(),
        projects: world.projects.iter().filter(|row| projects.contains(&row.id)).cloned().collect(),
        nodes: world.nodes.iter().filter(|row| projects.contains(&row.project_id)).cloned().collect(),
        runs,
        foreign_runs,
        forbidden: Vec::new(),
        mute: BTreeSet::new(),
    }
}

fn dossier(world: &World, run: &Run) -> Dossier {
    let project = world.projects.iter().find(|row| row.id == run.project_id).expect("a project");
    Dossier {
        run: run.clone(),
        account_id: project.account_id.clone(),
        charges: world.charges.iter().filter(|row| row.run_id == run.id).cloned().collect(),
        refunds: world.refunds.iter().filter(|row| row.run_id == run.id).cloned().collect(),
        jobs: world.jobs.iter().filter(|row| row.run_id == run.id).cloned().collect(),
        webhooks: world.webhooks.iter().filter(|row| row.run_id == run.id).cloned().collect(),
        uploads: world.uploads.iter().filter(|row| row.run_id == run.id).cloned().collect(),
        outputs: world.outputs.iter().filter(|row| row.run_id == run.id).cloned().collect(),
        captures: Vec::new(),
        tickets: world.tickets.iter().filter(|row| row.run_ids.contains(&run.id)).cloned().collect(),
    }
}
