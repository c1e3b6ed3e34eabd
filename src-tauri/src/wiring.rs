//! The composition root: a profile's folder in, a whole desk out. Nothing is half built when the
//! first window opens.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::SignedDuration;
use makegood_app::{Agent, Desk, Ports, Timer, WorkspaceInfo};
use makegood_connectors::{LocalVault, ProviderSettings, Registry};
use makegood_domain::ids::{AgentId, ProviderId};
use makegood_domain::policy::Policy;
use makegood_domain::ports::{Clock, Person, Role, Store};
use makegood_domain::reading::RuleReader;
use makegood_practice as practice;

use crate::clock::{SystemClock, SystemIds};
use crate::record::{self, Place, Record};
use crate::settings::{AgentSettings, ProviderEntry, Settings};

/// Seed of the practice workspace that opens without settings.
pub const PRACTICE_SEED: u64 = 20_261_122;

/// Why the practice workspace starts no pass by itself.
const PRACTICE_TIMER: &str = "in the practice workspace a pass starts by hand only: it settles what can be \
    settled, and the tickets to practise on would be among it";

/// A desk, and what must live as long as it does.
pub struct Console {
    pub desk: Arc<Desk>,
    /// The practice workspace's providers on loopback; none in a connected workspace.
    pub practice: Option<practice::Workspace>,
    /// Why the record can only be read.
    pub read_only: Option<String>,
}

impl Console {
    /// Works at the desk, and closes the record, whatever came of the work: what is in a file's log is
    /// then in the file.
    ///
    /// # Errors
    /// As the work ended.
    pub async fn close_after<T>(self, work: impl AsyncFnOnce(&Self) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let ended = work(&self).await;
        self.desk.store().close().await;
        ended
    }
}

/// Opens the profile at `home`: the connected workspace that its settings name, else the practice
/// workspace, which is made on the first start. Finishes what an earlier run left in the middle.
///
/// # Errors
/// When settings, record, vault or providers cannot be used; the text says which and why.
pub async fn open(home: &Path) -> anyhow::Result<Console> {
    let console = build(home).await?;
    if let Some(why) = &console.read_only {
        tracing::warn!(why, "nothing is finished or begun");
        return Ok(console);
    }
    let resumed = console.desk.resume_unfinished().await?;
    if resumed > 0 {
        tracing::warn!(actions = resumed, "finished what an earlier run left in the middle");
    }
    Ok(console)
}

/// The same, and leaves what an earlier run left in the middle to whoever began it.
///
/// # Errors
/// When settings, record, vault or providers cannot be used; the text says which and why.
pub async fn build(home: &Path) -> anyhow::Result<Console> {
    std::fs::create_dir_all(home).with_context(|| format!("{} can't be made", home.display()))?;
    match Settings::load(home)? {
        Some(settings) => connected(home, settings).await,
        None => practising(&home.join("practice"), PRACTICE_SEED).await,
    }
}

async fn connected(home: &Path, settings: Settings) -> anyhow::Result<Console> {
    let policy = match &settings.policy {
        None => Policy::default_policy()?,
        Some(path) => {
            let path = home.join(path);
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("the policy {} can't be read", path.display()))?;
            Policy::parse(&text).with_context(|| path.display().to_string())?
        }
    };
    let place = Place::of(&settings, home)?;
    let providers = settings.providers.into_iter().map(provider).collect::<anyhow::Result<Vec<_>>>()?;
    let Record { store, read_only } = record::open(&place).await?;
    let (agent, may_reconcile) = agent(&*store, settings.agent, read_only.is_none().then_some(&policy)).await?;
    let workspace = WorkspaceInfo { name: settings.workspace, banner: read_only.clone() };
    let cadence = SignedDuration::from_mins(policy.reconcile.cadence_minutes);
    let every = settings.reconciler.every(cadence).map_err(|why| anyhow::anyhow!("[reconciler] every: {why}"))?;
    let off_because = match every {
        None => Some("the settings say so: `[reconciler] every = \"off\"`".to_owned()),
        Some(_) => (!may_reconcile).then(|| ELSEWHERE.to_owned()),
    };
    let every = every.filter(|_| may_reconcile);
    let desk = desk(store, providers, &home.join(&settings.vault), policy, agent, workspace)?;
    let desk = desk.with_timer(Timer { every, off_because });
    Ok(Console { desk: Arc::new(desk), practice: None, read_only })
}

/// Why a window makes no passes on a record that holds its login to its roles.
const ELSEWHERE: &str =
    "this login is no reconciler's: passes are made by `makegoodctl reconcile --every`, which has a login of its own";

/// Who works here, and whether passes of the reconciler may be made: the person whose login it is, where the record knows logins; else the one that the
/// settings name, who is put on record with the limits of `policy`. One whose limits somebody has set
/// keeps them. Without a policy nothing is written.
async fn agent(
    store: &dyn Store,
    said: Option<AgentSettings>,
    policy: Option<&Policy>,
) -> anyhow::Result<(Agent, bool)> {
    let now = SystemClock.now();
    let id = AgentId(said.as_ref().map(|said| said.id.clone()).unwrap_or_default());
    let identity = store.identity(&id, now).await?;
    if identity.enforced {
        let may_reconcile = identity.person.roles.contains(&Role::Reconciler);
        return Ok((Agent { id: identity.person.id, name: identity.person.name }, may_reconcile));
    }
    let said = said.context("makegood.toml does not say who works here: [agent] with id and name")?;
    let agent = Agent { id, name: said.name };
    if let Some(policy) = policy {
        record_agent(store, &agent, policy).await?;
    }
    Ok((agent, true))
}

async fn record_agent(store: &dyn Store, agent: &Agent, policy: &Policy) -> anyhow::Result<()> {
    let now = SystemClock.now();
    if store.people().await?.iter().any(|row| row.id == agent.id) {
        return Ok(());
    }
    let person = Person {
        id: agent.id.clone(),
        name: agent.name.clone(),
        roles: vec![Role::Agent, Role::Approver],
        per_posting: policy.limits.credits_per_posting,
        per_day: policy.limits.credits_per_day,
    };
    store.put_person(&person, now).await?;
    Ok(())
}

/// The key of a provider comes from the environment, never from the settings.
fn provider(entry: ProviderEntry) -> anyhow::Result<ProviderSettings> {
    let key = std::env::var(&entry.key_env)
        .with_context(|| format!("provider {}: the environment has no {}", entry.id, entry.key_env))?;
    Ok(ProviderSettings {
        id: ProviderId(entry.id.clone()),
        name: entry.name,
        base_url: entry.base_url,
        history_url: entry.history_url,
        download_bases: entry.download_bases,
        download_hosts: entry.download_hosts,
        retention_hours: entry.retention_hours,
        key: Some(key.into()),
        ..ProviderSettings::new(entry.id, entry.adapter)
    })
}

/// The practice workspace in `dir`, made on the first call.
///
/// # Errors
/// When it can't be made or opened.
pub async fn practising(dir: &Path, seed: u64) -> anyhow::Result<Console> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    if !practice::Workspace::database(dir).exists() {
        tracing::info!(dir = %dir.display(), "making the practice workspace, once; the window opens when it is whole");
    }
    let workspace = practice::Workspace::open_or_create(dir, seed, Arc::clone(&clock)).await?;
    let policy = Policy::default_policy()?;
    let agent = Agent { id: AgentId::new("ana.prata"), name: "Ana Prata".to_owned() };
    let info = WorkspaceInfo {
        name: "Practice".to_owned(),
        banner: Some("Practice workspace: invented customers, providers on this machine".to_owned()),
    };
    let providers = workspace.provider_settings();
    let store = workspace.store();
    record_agent(&*store, &agent, &policy).await?;
    // The practice tickets are about what a reconciler left over, and it would settle most of them
    // before anybody has practised on them.
    let off_because = Some(PRACTICE_TIMER.to_owned());
    let desk = desk(store, providers, &dir.join("vault"), policy, agent, info)?;
    let desk = Arc::new(desk.with_timer(Timer { every: None, off_because }));
    // Tickets become cases through the same intake as everywhere.
    for ticket in workspace.new_tickets() {
        let case_id = makegood_domain::ids::CaseId(makegood_domain::ports::Ids::new_id(&SystemIds));
        desk.take_in(case_id, ticket.ticket, ticket.files).await?;
    }
    Ok(Console { desk, practice: Some(workspace), read_only: None })
}

fn desk(
    store: Arc<dyn Store>,
    providers: Vec<ProviderSettings>,
    vault: &Path,
    policy: Policy,
    agent: Agent,
    workspace: WorkspaceInfo,
) -> anyhow::Result<Desk> {
    let ports = Ports {
        store,
        providers: Arc::new(Registry::new(providers)?),
        vault: Arc::new(LocalVault::open(vault)?),
        reader: Arc::new(RuleReader),
        clock: Arc::new(SystemClock),
    };
    Ok(Desk::new(ports, policy, agent, workspace))
}
