//! What matching and diagnosis may look at for one requester (P2), read at one instant.

use std::collections::BTreeSet;

use jiff::Timestamp;
use makegood_domain::ids::{TicketId, UserId};
use makegood_domain::ports::StoreResult;
use makegood_domain::scope::{Dossier, Scope};
use makegood_domain::support::Requester;
use makegood_domain::work::{MemberStatus, Workspace};
use sqlx::SqliteConnection;

use super::fault::backend;
use super::rows::id_list;
use super::{SqliteStore, canvas, catalogue, dossiers, forbidden, outputs, people, runs};

impl SqliteStore {
    pub(super) async fn read_scope(
        &self,
        requester: &Requester,
        except: Option<&TicketId>,
        as_of: Timestamp,
    ) -> StoreResult<Scope> {
        let mut tx = self.snapshot().await?;
        let mut scope = Scope {
            requester: requester.clone(),
            as_of,
            providers: catalogue::providers(&mut tx).await?,
            models: catalogue::models(&mut tx).await?,
            accounts: Vec::new(),
            workspaces: Vec::new(),
            projects: Vec::new(),
            nodes: Vec::new(),
            runs: Vec::new(),
            foreign_runs: Vec::new(),
            forbidden: Vec::new(),
        };
        if let Some(user) = &requester.user_id {
            fill(&mut tx, &mut scope, user, except).await?;
        }
        tx.rollback().await.map_err(backend)?;
        Ok(scope)
    }
}

async fn fill(
    connection: &mut SqliteConnection,
    scope: &mut Scope,
    user: &UserId,
    except: Option<&TicketId>,
) -> StoreResult<()> {
    scope.workspaces = people::workspaces_of_user(connection, user).await?;
    let own = own_accounts(connection, scope, user).await?;
    let own_list = id_list(&own);
    let ids = runs::in_scope(connection, &own_list, user.as_str()).await?;
    scope.runs = dossiers::dossiers(connection, &ids, except).await?;
    let known: BTreeSet<&String> = ids.iter().collect();
    let lying = outputs::runs_lying_in(connection, &own_list).await?;
    let foreign: Vec<String> = lying.into_iter().filter(|run| !known.contains(run)).collect();
    scope.foreign_runs = dossiers::dossiers(connection, &foreign, except).await?;

    scope.projects = canvas::projects_of_accounts(connection, &own_list).await?;
    let listed: BTreeSet<&str> = scope.projects.iter().map(|project| project.id.as_str()).collect();
    let further: BTreeSet<&str> =
        scope.runs.iter().flat_map(projects_of).filter(|project| !listed.contains(project)).collect();
    let further = canvas::projects(connection, &id_list(further)).await?;
    scope.projects.extend(further);
    let projects = id_list(scope.projects.iter().map(|project| project.id.as_str()));
    scope.nodes = canvas::nodes(connection, &projects).await?;

    let mut accounts: BTreeSet<String> = own.iter().cloned().collect();
    accounts.extend(scope.projects.iter().map(|project| project.account_id.0.clone()));
    for dossier in scope.runs.iter().chain(&scope.foreign_runs) {
        accounts.insert(dossier.account_id.0.clone());
        accounts.extend(dossier.charges.iter().map(|charge| charge.account_id.0.clone()));
    }
    scope.accounts = people::accounts(connection, &id_list(&accounts)).await?;
    scope.forbidden = forbidden::names(connection, scope, user, &own).await?;
    Ok(())
}

/// The accounts whose runs are in scope: personal ones, and those of workspaces with an active membership.
async fn own_accounts(
    connection: &mut SqliteConnection,
    scope: &Scope,
    user: &UserId,
) -> StoreResult<BTreeSet<String>> {
    let personal = people::personal_accounts(connection, user).await?;
    let shared = scope.workspaces.iter().filter(|workspace| is_active_member(workspace, user));
    Ok(personal
        .into_iter()
        .map(|account| account.0)
        .chain(shared.map(|workspace| workspace.account_id.0.clone()))
        .collect())
}

/// Whether the user is a member of the workspace now.
pub(super) fn is_active_member(workspace: &Workspace, user: &UserId) -> bool {
    workspace.members.iter().any(|member| member.user_id == *user && member.status == MemberStatus::Active)
}

/// The projects that a dossier's run and outputs are in.
fn projects_of(dossier: &Dossier) -> impl Iterator<Item = &str> {
    let outputs = dossier.outputs.iter().map(|output| output.project_id.as_str());
    std::iter::once(dossier.run.project_id.as_str()).chain(outputs)
}
