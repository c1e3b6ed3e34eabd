//! Facts by what they refer to, and the scope of a requester, without a store.

use std::collections::{BTreeSet, HashMap};

use makegood_domain::feed::Fact;
use makegood_domain::ids::{AccountId, ProjectId, RunId, TicketId};
use makegood_domain::ledger::{Account, AccountKind};
use makegood_domain::scope::{Dossier, Scope};
use makegood_domain::support::{Requester, TicketLink};
use makegood_domain::work::{MemberStatus, Model, Node, Project, Provider, Workspace};
use makegood_practice::World;

#[derive(Default)]
pub struct Record {
    pub providers: Vec<Provider>,
    pub models: Vec<Model>,
    pub accounts: Vec<Account>,
    pub workspaces: Vec<Workspace>,
    pub projects: HashMap<ProjectId, Project>,
    pub nodes: Vec<Node>,
    pub runs: HashMap<RunId, Dossier>,
    pub links: Vec<TicketLink>,
}

impl Record {
    pub fn of(world: &World) -> Self {
        let mut record = Self::default();
        for fact in &world.facts {
            record.take(fact.clone());
        }
        record
    }

    fn run(&mut self, id: &RunId) -> &mut Dossier {
        self.runs.get_mut(id).unwrap_or_else(|| panic!("a row refers to run {id}, which is not there yet"))
    }

    fn take(&mut self, fact: Fact) {
        match fact {
            Fact::Provider(row) => self.providers.push(row),
            Fact::Model(row) => self.models.push(row),
            Fact::User(_) => {}
            Fact::Account(row) => self.accounts.push(row),
            Fact::Workspace(row) => self.workspaces.push(row),
            Fact::Project(row) => assert!(self.projects.insert(row.id.clone(), row).is_none(), "a project twice"),
            Fact::Node(row) => self.nodes.push(row),
            Fact::Run(run) => {
                let account_id = self.projects[&run.project_id].account_id.clone();
                let dossier = Dossier {
                    run: run.clone(),
                    account_id,
                    charges: Vec::new(),
                    refunds: Vec::new(),
                    jobs: Vec::new(),
                    webhooks: Vec::new(),
                    uploads: Vec::new(),
                    outputs: Vec::new(),
                    captures: Vec::new(),
                    tickets: Vec::new(),
                };
                assert!(self.runs.insert(run.id, dossier).is_none(), "a run twice");
            }
            Fact::Charge(row) => self.run(&row.run_id.clone()).charges.push(row),
            Fact::Job(row) => self.run(&row.run_id.clone()).jobs.push(row),
            Fact::Webhook(row) => self.run(&row.run_id.clone()).webhooks.push(row),
            Fact::Upload(row) => self.run(&row.run_id.clone()).uploads.push(row),
            Fact::Output(row) => self.run(&row.run_id.clone()).outputs.push(row),
            Fact::Refund(row) => self.run(&row.run_id.clone()).refunds.push(row),
            Fact::Ticket(row) => self.links.push(row),
        }
    }

    fn own_accounts(&self, requester: &Requester) -> BTreeSet<AccountId> {
        let user = requester.user_id.as_ref();
        let shared = self.workspaces.iter().filter(|row| {
            row.members.iter().any(|member| Some(&member.user_id) == user && member.status == MemberStatus::Active)
        });
        let personal =
            self.accounts.iter().filter(|row| row.kind == AccountKind::Personal && Some(&row.owner_user_id) == user);
        shared.map(|row| row.account_id.clone()).chain(personal.map(|row| row.id.clone())).collect()
    }

    pub fn scope(&self, world: &World, requester: &Requester, except: &TicketId) -> Scope {
        let own = self.own_accounts(requester);
        let user = requester.user_id.as_ref();
        let account = |id: &ProjectId| &self.projects[id].account_id;
        let known =
            |row: &&Dossier| user.is_some() && (own.contains(&row.account_id) || Some(&row.run.started_by) == user);
        let (inside, outside): (Vec<&Dossier>, Vec<&Dossier>) = self.runs.values().partition(known);
        let mut runs: Vec<Dossier> = inside.into_iter().cloned().collect();
        runs.sort_by(|one, other| (one.run.started_at, &one.run.id).cmp(&(other.run.started_at, &other.run.id)));
        for row in &mut runs {
            let about = |link: &&TicketLink| link.run_ids.contains(&row.run.id) && link.id != *except;
            row.tickets = self.links.iter().filter(about).cloned().collect();
        }
        let lies_here = |row: &&Dossier| row.outputs.iter().any(|output| own.contains(account(&output.project_id)));
        let mut projects: BTreeSet<ProjectId> =
            self.projects.values().filter(|row| own.contains(&row.account_id)).map(|row| row.id.clone()).collect();
        for row in &runs {
            projects.insert(row.run.project_id.clone());
            projects.extend(row.outputs.iter().map(|output| output.project_id.clone()));
        }
        Scope {
            requester: requester.clone(),
            as_of: world.anchor,
            providers: self.providers.clone(),
            models: self.models.clone(),
            accounts: if user.is_some() { self.accounts.clone() } else { Vec::new() },
            workspaces: self
                .workspaces
                .iter()
                .filter(|row| row.members.iter().any(|member| Some(&member.user_id) == user))
                .cloned()
                .collect(),
            projects: self.projects.values().filter(|row| projects.contains(&row.id)).cloned().collect(),
            nodes: self.nodes.iter().filter(|row| projects.contains(&row.project_id)).cloned().collect(),
            foreign_runs: outside.into_iter().filter(lies_here).cloned().collect(),
            runs,
            forbidden: Vec::new(),
            mute: BTreeSet::new(),
        }
    }
}
