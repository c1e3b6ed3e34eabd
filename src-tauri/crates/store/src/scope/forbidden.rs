//! Names that an answer to the requester must not contain (P11): of workspaces that the requester
//! left, of accounts where something of the requester's lies or was routed to, and of those whose
//! output lies with the requester.

use std::collections::BTreeSet;

use makegood_domain::ids::UserId;
use makegood_domain::ports::StoreResult;
use makegood_domain::scope::Scope;
use makegood_domain::work::{Project, Workspace};

use super::{ScopeReader, is_active_member, list};

/// The names, sorted, each once. `own` are the accounts of the requester's scope.
pub(super) async fn names(
    reader: &mut impl ScopeReader,
    scope: &Scope,
    user: &UserId,
    own: &BTreeSet<String>,
) -> StoreResult<Vec<String>> {
    let left: Vec<&Workspace> = scope.workspaces.iter().filter(|space| !is_active_member(space, user)).collect();
    let left_accounts: BTreeSet<&str> =
        left.iter().map(|space| space.account_id.as_str()).filter(|account| !own.contains(*account)).collect();
    let mut projects = reader.projects_of_accounts(&list(left_accounts.iter().copied())).await?;
    projects.extend(foreign_projects(reader, scope, own).await?);

    let mut accounts: BTreeSet<String> = left_accounts.iter().map(|account| (*account).to_owned()).collect();
    accounts.extend(projects.iter().map(|project| project.account_id.0.clone()));
    accounts.extend(scope.foreign_runs.iter().map(|dossier| dossier.account_id.0.clone()));
    accounts.retain(|account| !own.contains(account));
    let further: Vec<String> = accounts.iter().cloned().collect();
    let owners = reader.accounts(&further).await?;
    let spaces = reader.workspaces_of_accounts(&further).await?;

    let mut ids: BTreeSet<String> = owners.iter().map(|account| account.owner_user_id.0.clone()).collect();
    ids.extend(spaces.iter().flat_map(|space| &space.members).map(|member| member.user_id.0.clone()));
    ids.extend(scope.foreign_runs.iter().map(|dossier| dossier.run.started_by.0.clone()));
    let known = colleagues(scope, user);
    ids.retain(|id| !known.contains(id.as_str()));

    let mut names: BTreeSet<String> = accounts;
    names.extend(spaces.iter().flat_map(|space| [space.id.0.clone(), space.name.clone()]));
    names.extend(projects.iter().flat_map(|project| [project.id.0.clone(), project.name.clone()]));
    for person in reader.users(&ids.into_iter().collect::<Vec<_>>()).await? {
        names.extend([person.id.0, person.email]);
    }
    for dossier in &scope.foreign_runs {
        names.insert(dossier.run.id.0.clone());
        names.extend(dossier.jobs.iter().map(|job| job.id.0.clone()));
    }
    let own_words = own_words(scope, user, own);
    Ok(names.into_iter().filter(|name| !name.trim().is_empty() && !own_words.contains(name.as_str())).collect())
}

/// Projects outside the scope where an output of a run in scope lies, where one of its deliveries
/// was routed, and those of foreign runs.
async fn foreign_projects(
    reader: &mut impl ScopeReader,
    scope: &Scope,
    own: &BTreeSet<String>,
) -> StoreResult<Vec<Project>> {
    let mut ids: BTreeSet<&str> = BTreeSet::new();
    for dossier in scope.runs.iter().chain(&scope.foreign_runs) {
        ids.insert(dossier.run.project_id.as_str());
        ids.extend(dossier.outputs.iter().map(|output| output.project_id.as_str()));
        let routes = dossier.webhooks.iter().filter_map(|webhook| webhook.routed_to.as_ref());
        ids.extend(routes.map(|route| route.project_id.as_str()));
    }
    let mut projects = reader.projects(&list(ids)).await?;
    projects.retain(|project| !own.contains(project.account_id.as_str()));
    Ok(projects)
}

/// The requester, and the people of workspaces where the requester is a member now.
fn colleagues<'a>(scope: &'a Scope, user: &'a UserId) -> BTreeSet<&'a str> {
    let spaces = scope.workspaces.iter().filter(|space| is_active_member(space, user));
    spaces.flat_map(|space| &space.members).map(|member| member.user_id.as_str()).chain([user.as_str()]).collect()
}

/// Words that are the requester's own as well: a project of the same name is no leak.
fn own_words<'a>(scope: &'a Scope, user: &'a UserId, own: &BTreeSet<String>) -> BTreeSet<&'a str> {
    let projects = scope.projects.iter().filter(|project| own.contains(project.account_id.as_str()));
    let spaces = scope.workspaces.iter().filter(|space| is_active_member(space, user));
    projects
        .map(|project| project.name.as_str())
        .chain(spaces.map(|space| space.name.as_str()))
        .chain([user.as_str(), scope.requester.email.as_str()])
        .collect()
}
