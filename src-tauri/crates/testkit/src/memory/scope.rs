//! What matching and diagnosis may look at: for one requester (P2), or of one logical run.

use std::collections::BTreeSet;

use jiff::Timestamp;
use makegood_domain::ids::{AccountId, NodeId, ProjectId, RunId, TicketId, UserId};
use makegood_domain::plan::CaseState;
use makegood_domain::scope::{Dossier, Scope};
use makegood_domain::support::{Requester, TicketLink, TicketStatus};
use makegood_domain::work::{MemberStatus, Workspace};

use super::record::Record;
use super::{captures, findings, ledger, runs};

pub(super) fn scope(record: &Record, requester: &Requester, except: Option<&TicketId>, as_of: Timestamp) -> Scope {
    let mut scope = empty(record, requester.clone(), as_of);
    let Some(user) = &requester.user_id else { return scope };
    scope.workspaces = workspaces_of(record, user);
    let own = own_accounts(record, &scope, user);
    let of_own = |project: &ProjectId| runs::account_of(record, project).is_some_and(|account| own.contains(account));
    let all = || record.runs.values().map(|row| &row.run);
    let ids: BTreeSet<RunId> =
        all().filter(|run| of_own(&run.project_id) || run.started_by == *user).map(|run| run.id.clone()).collect();
    let lying: BTreeSet<RunId> = reachable(record)
        .filter(|output| of_own(&output.project_id) && !ids.contains(&output.run_id))
        .map(|output| output.run_id.clone())
        .collect();
    scope.runs = dossiers(record, &ids, except);
    scope.foreign_runs = dossiers(record, &lying, except);
    let (own_projects, others): (Vec<_>, Vec<_>) =
        record.projects.values().partition(|project| own.contains(&project.account_id));
    let further: BTreeSet<&ProjectId> = scope.runs.iter().flat_map(lies_in).collect();
    let others = others.into_iter().filter(|project| further.contains(&project.id));
    scope.projects = own_projects.into_iter().chain(others).cloned().collect();
    let listed: BTreeSet<&ProjectId> = scope.projects.iter().map(|project| &project.id).collect();
    scope.nodes = record.nodes.values().filter(|node| listed.contains(&node.project_id)).cloned().collect();
    let mut accounts = own.clone();
    accounts.extend(scope.projects.iter().map(|project| project.account_id.clone()));
    accounts.extend(scope.runs.iter().chain(&scope.foreign_runs).flat_map(accounts_of).cloned());
    scope.accounts = accounts.iter().filter_map(|id| ledger::account(record, id)).collect();
    scope.forbidden = forbidden(record, &scope, user, &own);
    scope
}

fn empty(record: &Record, requester: Requester, as_of: Timestamp) -> Scope {
    Scope {
        requester,
        as_of,
        providers: record.providers.values().cloned().collect(),
        models: record.models.values().cloned().collect(),
        accounts: Vec::new(),
        workspaces: Vec::new(),
        projects: Vec::new(),
        nodes: Vec::new(),
        runs: Vec::new(),
        foreign_runs: Vec::new(),
        forbidden: Vec::new(),
        mute: BTreeSet::new(),
    }
}

/// All facts of a logical run, as a scope whose requester is the owner of the account charged first.
pub(super) fn of_run(record: &Record, root: &RunId, as_of: Timestamp) -> Option<Scope> {
    let ids: BTreeSet<RunId> = runs::of_root(record, root).cloned().collect();
    let owner = runs::owner_of_root(record, root).filter(|_| !ids.is_empty())?;
    let user = record.users.get(&owner);
    let requester = Requester {
        user_id: Some(owner.clone()),
        email: user.map(|user| user.email.clone()).unwrap_or_default(),
        locale: user.and_then(|user| user.locale.clone()),
        timezone: user.and_then(|user| user.timezone.clone()),
    };
    let mut scope = empty(record, requester, as_of);
    scope.workspaces = workspaces_of(record, &owner);
    scope.runs = dossiers(record, &ids, None);
    let homes: BTreeSet<&NodeId> = scope.runs.iter().map(|dossier| &dossier.run.node_id).collect();
    let accounts: BTreeSet<&AccountId> = scope.runs.iter().map(|dossier| &dossier.account_id).collect();
    let strangers: BTreeSet<RunId> = reachable(record)
        .filter(|output| output.node_id.as_ref().is_some_and(|node| homes.contains(node)))
        .map(|output| output.run_id.clone())
        .filter(|run| !ids.contains(run))
        .filter(|run| {
            let made = record.runs.get(run).and_then(|row| runs::account_of(record, &row.run.project_id));
            made.is_some_and(|account| !accounts.contains(account))
        })
        .collect();
    scope.foreign_runs = dossiers(record, &strangers, None);
    let all = || scope.runs.iter().chain(&scope.foreign_runs);
    let projects: BTreeSet<&ProjectId> =
        all().flat_map(|dossier| lies_in(dossier).chain(routed(dossier).map(|route| &route.project_id))).collect();
    let nodes: BTreeSet<&NodeId> = all()
        .flat_map(|dossier| {
            let outputs = dossier.outputs.iter().filter_map(|output| output.node_id.as_ref());
            outputs.chain(routed(dossier).map(|route| &route.node_id)).chain([&dossier.run.node_id])
        })
        .collect();
    let projects: Vec<_> = projects.into_iter().filter_map(|id| record.projects.get(id).cloned()).collect();
    let mut accounts: BTreeSet<AccountId> = projects.iter().map(|project| project.account_id.clone()).collect();
    accounts.extend(all().flat_map(accounts_of).cloned());
    let nodes = nodes.into_iter().filter_map(|id| record.nodes.get(id).cloned()).collect();
    scope.projects = projects;
    scope.nodes = nodes;
    scope.accounts = accounts.iter().filter_map(|id| ledger::account(record, id)).collect();
    Some(scope)
}

fn reachable(record: &Record) -> impl Iterator<Item = &makegood_domain::work::Output> {
    record.outputs.values().filter(|row| !row.quarantined).map(|row| &row.output)
}

fn routed(dossier: &Dossier) -> impl Iterator<Item = &makegood_domain::work::Route> {
    dossier.webhooks.iter().filter_map(|webhook| webhook.routed_to.as_ref())
}

/// The projects that a dossier's run and outputs are in.
fn lies_in(dossier: &Dossier) -> impl Iterator<Item = &ProjectId> {
    std::iter::once(&dossier.run.project_id).chain(dossier.outputs.iter().map(|output| &output.project_id))
}

fn accounts_of(dossier: &Dossier) -> impl Iterator<Item = &AccountId> {
    std::iter::once(&dossier.account_id).chain(dossier.charges.iter().map(|charge| &charge.account_id))
}

fn is_active(workspace: &Workspace, user: &UserId) -> bool {
    workspace.members.iter().any(|member| member.user_id == *user && member.status == MemberStatus::Active)
}

fn workspaces_of(record: &Record, user: &UserId) -> Vec<Workspace> {
    let member = |space: &&Workspace| space.members.iter().any(|member| member.user_id == *user);
    record.workspaces.values().filter(member).cloned().collect()
}

/// Personal accounts, and those of workspaces with an active membership.
fn own_accounts(record: &Record, scope: &Scope, user: &UserId) -> BTreeSet<AccountId> {
    let personal = record.accounts.values().filter(|account| {
        account.owner_user_id == *user && account.kind == makegood_domain::ledger::AccountKind::Personal
    });
    let shared = scope.workspaces.iter().filter(|space| is_active(space, user)).map(|space| &space.account_id);
    personal.map(|account| &account.id).chain(shared).cloned().collect()
}

/// The dossiers of these runs, oldest first, with the tickets about them apart from `except`.
fn dossiers(record: &Record, ids: &BTreeSet<RunId>, except: Option<&TicketId>) -> Vec<Dossier> {
    let mut rows: Vec<Dossier> = ids.iter().filter_map(|id| dossier(record, id, except)).collect();
    rows.sort_by(|a, b| (a.run.started_at, &a.run.id).cmp(&(b.run.started_at, &b.run.id)));
    rows
}

fn dossier(record: &Record, id: &RunId, except: Option<&TicketId>) -> Option<Dossier> {
    let run = record.runs.get(id)?.run.clone();
    let account_id = runs::account_of(record, &run.project_id)?.clone();
    let mut charges: Vec<_> = runs::charges_of(record, id)
        .map(|(_, row)| {
            let mut charge = row.charge.clone();
            charge.items.sort_by_key(|item| item.item);
            charge.sources.retain(|source| source.amount != 0);
            charge
        })
        .collect();
    charges.sort_by_key(|charge| (charge.posted_at, charge.id.clone()));
    let mut refunds: Vec<_> =
        record.refunds.values().map(|row| row.refund.clone()).filter(|row| row.run_id == *id).collect();
    refunds.sort_by_key(|refund| (refund.posted_at, refund.id.clone()));
    let mut jobs: Vec<_> = record.jobs.values().filter(|job| job.run_id == *id).cloned().collect();
    jobs.sort_by_key(|job| (job.submitted_at, job.id.clone()));
    let mut webhooks: Vec<_> = record.webhooks.values().filter(|row| row.run_id == *id).cloned().collect();
    webhooks.sort_by_key(|webhook| (webhook.received_at, webhook.id.clone()));
    let from = (id.clone(), Timestamp::MIN, 0);
    let uploads = record.uploads.range(from..).take_while(|(key, _)| key.0 == *id);
    let uploads = uploads.map(|(_, upload)| upload.clone()).collect();
    let mut outputs: Vec<_> = runs::outputs_of(record, id).cloned().collect();
    outputs.sort_by_key(|output| (output.stored_at, output.item, output.id.clone()));
    let mut captures: Vec<_> = captures::standing(record, id).cloned().collect();
    captures.sort_by_key(|row| (row.captured_at, row.job_id.clone(), row.item));
    let tickets = tickets(record, id, except);
    Some(Dossier { run, account_id, charges, refunds, jobs, webhooks, uploads, outputs, captures, tickets })
}

/// Tickets about a run, oldest first. Of a ticket that has a case here, the case is believed.
fn tickets(record: &Record, id: &RunId, except: Option<&TicketId>) -> Vec<TicketLink> {
    let mut links: Vec<TicketLink> = record
        .cases
        .values()
        .filter_map(|row| {
            let finding = row.finding.as_ref()?;
            let about = findings::runs_of(finding);
            let open = matches!(row.state, CaseState::Open | CaseState::Waiting);
            about.contains(id).then(|| TicketLink {
                id: row.ticket.id.clone(),
                created_at: row.ticket.created_at,
                status: if open { TicketStatus::Open } else { TicketStatus::Closed },
                run_ids: about.into_iter().cloned().collect(),
                outcome: (!open).then(|| finding.diagnosis.remedy.word().to_owned()),
                requester_user_id: row.ticket.requester.user_id.clone(),
            })
        })
        .collect();
    let known: BTreeSet<TicketId> = links.iter().map(|link| link.id.clone()).collect();
    let told = record.ticket_links.values().filter(|link| link.run_ids.contains(id) && !known.contains(&link.id));
    links.extend(told.cloned());
    links.retain(|link| Some(&link.id) != except);
    links.sort_by_key(|link| (link.created_at, link.id.clone()));
    links
}

/// Names that an answer to the requester must not contain (P11), sorted.
fn forbidden(record: &Record, scope: &Scope, user: &UserId, own: &BTreeSet<AccountId>) -> Vec<String> {
    let left = scope.workspaces.iter().filter(|space| !is_active(space, user)).map(|space| &space.account_id);
    let left: BTreeSet<&AccountId> = left.filter(|account| !own.contains(*account)).collect();
    let near: BTreeSet<&ProjectId> = scope
        .runs
        .iter()
        .chain(&scope.foreign_runs)
        .flat_map(|dossier| lies_in(dossier).chain(routed(dossier).map(|route| &route.project_id)))
        .collect();
    let projects: Vec<_> = record
        .projects
        .values()
        .filter(|project| {
            left.contains(&project.account_id) || (near.contains(&project.id) && !own.contains(&project.account_id))
        })
        .collect();
    let mut accounts = left;
    accounts.extend(projects.iter().map(|project| &project.account_id));
    accounts.extend(scope.foreign_runs.iter().map(|dossier| &dossier.account_id).filter(|id| !own.contains(*id)));
    let spaces: Vec<_> = record.workspaces.values().filter(|space| accounts.contains(&space.account_id)).collect();
    let owners = accounts.iter().filter_map(|id| record.accounts.get(*id)).map(|account| &account.owner_user_id);
    let members = spaces.iter().flat_map(|space| &space.members).map(|member| &member.user_id);
    let starters = scope.foreign_runs.iter().map(|dossier| &dossier.run.started_by);
    let active = || scope.workspaces.iter().filter(|space| is_active(space, user));
    let colleagues: BTreeSet<&UserId> =
        active().flat_map(|space| &space.members).map(|member| &member.user_id).chain([user]).collect();
    let people: BTreeSet<&UserId> =
        owners.chain(members).chain(starters).filter(|id| !colleagues.contains(id)).collect();

    let mut names: BTreeSet<String> = accounts.iter().map(|account| account.0.clone()).collect();
    names.extend(spaces.iter().flat_map(|space| [space.id.0.clone(), space.name.clone()]));
    names.extend(projects.iter().flat_map(|project| [project.id.0.clone(), project.name.clone()]));
    let people = people.into_iter().filter_map(|id| record.users.get(id));
    names.extend(people.flat_map(|person| [person.id.0.clone(), person.email.clone()]));
    for dossier in &scope.foreign_runs {
        names.insert(dossier.run.id.0.clone());
        names.extend(dossier.jobs.iter().map(|job| job.id.0.clone()));
    }
    let mine = scope.projects.iter().filter(|project| own.contains(&project.account_id)).map(|row| row.name.as_str());
    let own_words: BTreeSet<&str> = mine
        .chain(active().map(|space| space.name.as_str()))
        .chain([user.as_str(), scope.requester.email.as_str()])
        .collect();
    names.into_iter().filter(|name| !name.trim().is_empty() && !own_words.contains(name.as_str())).collect()
}
