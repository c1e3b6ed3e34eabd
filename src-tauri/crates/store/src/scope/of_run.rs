//! The facts of one logical run and of the account that was charged for it, for the reconciler. Each
//! read is by the ids that the one before found, whatever else the account has done.

use std::collections::BTreeSet;

use jiff::Timestamp;
use makegood_domain::ids::{RunId, UserId};
use makegood_domain::ports::StoreResult;
use makegood_domain::scope::{Dossier, Scope};
use makegood_domain::support::Requester;

use super::{ScopeReader, dossiers, list};

/// All facts of a logical run, as a scope whose requester is the owner of the account that was
/// charged first, or of the project's where nothing was charged. `None` for an unknown run.
pub(crate) async fn read_run(
    reader: &mut impl ScopeReader,
    root: &RunId,
    as_of: Timestamp,
) -> StoreResult<Option<Scope>> {
    let ids = reader.runs_of_root(root.as_str()).await?;
    let Some(owner) = reader.owner_of_root(root.as_str()).await?.filter(|_| !ids.is_empty()) else {
        return Ok(None);
    };
    let runs = dossiers(reader, &ids, None).await?;
    let foreign_runs = lying_there(reader, &runs, &ids).await?;
    let all = || runs.iter().chain(&foreign_runs);
    let projects = reader.projects(&list(all().flat_map(projects_of).collect::<BTreeSet<_>>())).await?;
    let nodes = reader.nodes_by_id(&list(all().flat_map(nodes_of).collect::<BTreeSet<_>>())).await?;
    let mut accounts: BTreeSet<&str> = projects.iter().map(|project| project.account_id.as_str()).collect();
    for dossier in all() {
        accounts.insert(dossier.account_id.as_str());
        accounts.extend(dossier.charges.iter().map(|charge| charge.account_id.as_str()));
    }
    Ok(Some(Scope {
        requester: requester(reader, &owner).await?,
        as_of,
        providers: reader.providers().await?,
        models: reader.models().await?,
        accounts: reader.accounts(&list(accounts)).await?,
        workspaces: reader.workspaces_of_user(&owner).await?,
        projects,
        nodes,
        runs,
        foreign_runs,
        // The reconciler writes to nobody.
        forbidden: Vec::new(),
        mute: BTreeSet::new(),
    }))
}

async fn requester(reader: &mut impl ScopeReader, owner: &str) -> StoreResult<Requester> {
    let user = reader.users(&list([owner])).await?.pop();
    let user_id = Some(UserId::from(owner));
    Ok(match user {
        Some(user) => Requester { user_id, email: user.email, locale: user.locale, timezone: user.timezone },
        None => Requester { user_id, email: String::new(), locale: None, timezone: None },
    })
}

/// Runs of other accounts of which an output lies at a node of these runs.
async fn lying_there(reader: &mut impl ScopeReader, runs: &[Dossier], known: &[String]) -> StoreResult<Vec<Dossier>> {
    let nodes: BTreeSet<&str> = runs.iter().map(|dossier| dossier.run.node_id.as_str()).collect();
    let accounts: BTreeSet<&str> = runs.iter().map(|dossier| dossier.account_id.as_str()).collect();
    let mut lying = reader.foreign_runs_at(&list(nodes), &list(accounts)).await?;
    lying.retain(|run| !known.contains(run));
    dossiers(reader, &lying, None).await
}

/// Projects that a dossier names: of its run, of its outputs, and where its deliveries were routed.
fn projects_of(dossier: &Dossier) -> impl Iterator<Item = &str> {
    let routes = dossier.webhooks.iter().filter_map(|webhook| webhook.routed_to.as_ref());
    let outputs = dossier.outputs.iter().map(|output| output.project_id.as_str());
    outputs.chain(routes.map(|route| route.project_id.as_str())).chain([dossier.run.project_id.as_str()])
}

fn nodes_of(dossier: &Dossier) -> impl Iterator<Item = &str> {
    let routes = dossier.webhooks.iter().filter_map(|webhook| webhook.routed_to.as_ref());
    let outputs = dossier.outputs.iter().filter_map(|output| output.node_id.as_ref());
    let nodes = outputs.map(|node| node.as_str()).chain(routes.map(|route| route.node_id.as_str()));
    nodes.chain([dossier.run.node_id.as_str()])
}
