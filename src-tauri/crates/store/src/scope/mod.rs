//! What matching and diagnosis may look at for one requester (P2), put together from reads of one
//! instant. How each read is done is the backend's; what is read, and why, is here.

mod dossiers;
mod forbidden;
mod of_run;
mod reader;

use std::collections::BTreeSet;

use jiff::Timestamp;
use makegood_domain::ids::{TicketId, UserId};
use makegood_domain::ports::StoreResult;
use makegood_domain::scope::{Dossier, Scope};
use makegood_domain::support::Requester;
use makegood_domain::work::{MemberStatus, Workspace};

pub(crate) use dossiers::dossiers;
pub(crate) use of_run::read_run;
pub(crate) use reader::ScopeReader;

/// All that matching and diagnosis of this requester's ticket may look at. `reader` must answer as of
/// one instant.
pub(crate) async fn read(
    reader: &mut impl ScopeReader,
    requester: &Requester,
    except: Option<&TicketId>,
    as_of: Timestamp,
) -> StoreResult<Scope> {
    let mut scope = Scope {
        requester: requester.clone(),
        as_of,
        providers: reader.providers().await?,
        models: reader.models().await?,
        accounts: Vec::new(),
        workspaces: Vec::new(),
        projects: Vec::new(),
        nodes: Vec::new(),
        runs: Vec::new(),
        foreign_runs: Vec::new(),
        forbidden: Vec::new(),
        mute: BTreeSet::new(),
    };
    if let Some(user) = &requester.user_id {
        fill(reader, &mut scope, user, except).await?;
    }
    Ok(scope)
}

async fn fill(
    reader: &mut impl ScopeReader,
    scope: &mut Scope,
    user: &UserId,
    except: Option<&TicketId>,
) -> StoreResult<()> {
    scope.workspaces = reader.workspaces_of_user(user.as_str()).await?;
    let own = own_accounts(reader, scope, user).await?;
    let own_list: Vec<String> = own.iter().cloned().collect();
    let ids = reader.runs_in_scope(&own_list, user.as_str()).await?;
    scope.runs = dossiers(reader, &ids, except).await?;
    let known: BTreeSet<&String> = ids.iter().collect();
    let lying = reader.runs_lying_in(&own_list).await?;
    let foreign: Vec<String> = lying.into_iter().filter(|run| !known.contains(run)).collect();
    scope.foreign_runs = dossiers(reader, &foreign, except).await?;

    scope.projects = reader.projects_of_accounts(&own_list).await?;
    let listed: BTreeSet<&str> = scope.projects.iter().map(|project| project.id.as_str()).collect();
    let further: BTreeSet<&str> =
        scope.runs.iter().flat_map(projects_of).filter(|project| !listed.contains(project)).collect();
    let further = reader.projects(&list(further)).await?;
    scope.projects.extend(further);
    let projects = list(scope.projects.iter().map(|project| project.id.as_str()));
    scope.nodes = reader.nodes(&projects).await?;

    let mut accounts: BTreeSet<String> = own.iter().cloned().collect();
    accounts.extend(scope.projects.iter().map(|project| project.account_id.0.clone()));
    for dossier in scope.runs.iter().chain(&scope.foreign_runs) {
        accounts.insert(dossier.account_id.0.clone());
        accounts.extend(dossier.charges.iter().map(|charge| charge.account_id.0.clone()));
    }
    scope.accounts = reader.accounts(&accounts.into_iter().collect::<Vec<_>>()).await?;
    scope.forbidden = forbidden::names(reader, scope, user, &own).await?;
    Ok(())
}

/// The accounts whose runs are in scope: personal ones, and those of workspaces with an active membership.
async fn own_accounts(reader: &mut impl ScopeReader, scope: &Scope, user: &UserId) -> StoreResult<BTreeSet<String>> {
    let personal = reader.personal_accounts(user.as_str()).await?;
    let shared = scope.workspaces.iter().filter(|workspace| is_active_member(workspace, user));
    Ok(personal.into_iter().chain(shared.map(|workspace| workspace.account_id.0.clone())).collect())
}

/// Whether the user is a member of the workspace now.
fn is_active_member(workspace: &Workspace, user: &UserId) -> bool {
    workspace.members.iter().any(|member| member.user_id == *user && member.status == MemberStatus::Active)
}

/// The projects that a dossier's run and outputs are in.
fn projects_of(dossier: &Dossier) -> impl Iterator<Item = &str> {
    let outputs = dossier.outputs.iter().map(|output| output.project_id.as_str());
    std::iter::once(dossier.run.project_id.as_str()).chain(outputs)
}

/// Ids as a reader takes them.
fn list<'a>(ids: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    ids.into_iter().map(str::to_owned).collect()
}
