//! The composition root: a profile's folder in, a whole desk out. Nothing is half built when the
//! first window opens.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use jiff::SignedDuration;
use makegood_app::contract::Opening;
use makegood_app::{Agent, Desk, Ports, Timer, WorkspaceInfo};
use makegood_connectors::{LocalVault, ProviderSettings, Registry};
use makegood_domain::ids::{AgentId, ProviderId};
use makegood_domain::policy::Policy;
use makegood_domain::ports::{Clock, Connections as _, Person, Role, Store, Vault};
use makegood_domain::reading::RuleReader;
use makegood_practice as practice;

use crate::clock::{SystemClock, SystemIds};
use crate::connections::{Keeper, Keeping, Patience, SettingsFile, of_the_system};
use crate::record::{self, Place, Record};
use crate::settings::{AgentSettings, ProviderEntry, Settings};
use crate::shell::outside::SystemPlayer;
use crate::{stated, vault};

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

/// Whether every provider must have a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    /// Nobody is there to set one, and a provider that can't be asked costs credits in the end.
    Needed,
    /// Somebody can set it in the window.
    Settable,
}

/// Opens the profile at `home`: the connected workspace that its settings name, else the practice
/// workspace, which is made on the first start. Finishes what an earlier run left in the middle.
///
/// # Errors
/// When settings, record, vault or providers cannot be used; the text says which and why.
pub async fn open(home: &Path) -> anyhow::Result<Console> {
    resumed(build(home).await?).await
}

/// The same for a window, which also opens where a provider has no key yet: it is set there. What an earlier
/// run left in the middle is for the window to finish, once it is open: a transfer can take long.
///
/// # Errors
/// When settings, record, vault or providers cannot be used; the text says which and why.
pub async fn open_window(home: &Path, tell: Telling<'_>) -> anyhow::Result<Console> {
    let mut console = any(home, Keys::Settable, tell).await?;
    // Nobody else has the desk yet.
    match Arc::get_mut(&mut console.desk) {
        Some(desk) => desk.show_with(Arc::new(SystemPlayer::new(home))),
        None => tracing::warn!("no file can be opened in another program"),
    }
    Ok(console)
}

async fn resumed(console: Console) -> anyhow::Result<Console> {
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
    any(home, Keys::Needed, &untold).await
}

/// The same, also where a provider has no key: for whoever asks about another one.
///
/// # Errors
/// When settings, record, vault or providers cannot be used; the text says which and why.
pub async fn build_as_it_is(home: &Path) -> anyhow::Result<Console> {
    any(home, Keys::Settable, &untold).await
}

/// Hears how far an opening is.
pub type Telling<'a> = &'a (dyn Fn(Opening) + Send + Sync);

/// Hears it, and keeps it.
pub fn untold(_: Opening) {}

async fn any(home: &Path, keys: Keys, tell: Telling<'_>) -> anyhow::Result<Console> {
    std::fs::create_dir_all(home).with_context(|| format!("{} can't be made", home.display()))?;
    match Settings::load(home)? {
        Some(settings) => connected(home, settings, keys, tell).await,
        None => practising(&home.join("practice"), PRACTICE_SEED, tell).await,
    }
}

async fn connected(home: &Path, settings: Settings, keys: Keys, tell: Telling<'_>) -> anyhow::Result<Console> {
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
    let (registry, keeper) = providers(home, &settings.workspace, settings.providers).await?;
    if let (Keys::Needed, Some(why)) = (keys, keeper.keyless()) {
        anyhow::bail!("{why}");
    }
    let vault = vault::open(home, &settings.vault, &vault_keys(&settings.workspace)).await?;
    tell(Opening::at("Opening the record"));
    let Record { store, read_only } = record::open(&place).await?;
    vault.belongs_to(&store.record_id().await?);
    let (agent, may_reconcile) = agent(&*store, settings.agent, read_only.is_none().then_some(&policy)).await?;
    let workspace = WorkspaceInfo { name: settings.workspace, banner: read_only.clone() };
    let cadence = SignedDuration::from_mins(policy.reconcile.cadence_minutes);
    let every = settings.reconciler.every(cadence).map_err(|why| anyhow::anyhow!("[reconciler] every: {why}"))?;
    let off_because = match every {
        None => Some("the settings say so: `[reconciler] every = \"off\"`".to_owned()),
        Some(_) if !may_reconcile => Some(ELSEWHERE.to_owned()),
        Some(_) => None,
    };
    let every = every.filter(|_| off_because.is_none());
    let desk = desk(store, registry, vault, policy, agent, workspace);
    let desk = desk.with_timer(Timer { every, off_because }).with_connections(keeper);
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

/// The providers of the settings, with the keys that environment and keyring have for them.
async fn providers(
    home: &Path,
    workspace: &str,
    entries: Vec<ProviderEntry>,
) -> anyhow::Result<(Arc<Registry>, Arc<Keeper>)> {
    let variables: BTreeMap<_, _> =
        entries.iter().filter_map(|entry| Some((ProviderId::new(&*entry.id), entry.key_env.clone()?))).collect();
    let registry = Arc::new(Registry::with_table(entries.into_iter().map(provider).collect(), stated::table(home)?)?);
    let keeping = Keeping {
        workspace: workspace.to_owned(),
        keyring: of_the_system(),
        patience: Patience::default(),
        environment: Arc::new(|name| std::env::var(name).ok()),
        file: Ok(SettingsFile::new(Settings::path(home))),
    };
    let keeper = Keeper::open(Arc::clone(&registry), &variables, keeping).await?;
    Ok((registry, keeper))
}

/// Without its key, which is in no settings file.
fn provider(entry: ProviderEntry) -> ProviderSettings {
    ProviderSettings {
        name: entry.name,
        base_url: entry.base_url,
        history_url: entry.history_url,
        download_bases: entry.download_bases,
        download_hosts: entry.download_hosts,
        retention_hours: entry.retention_hours,
        ..ProviderSettings::new(entry.id, entry.adapter)
    }
}

/// Why the practice workspace takes no further provider.
const OWN_PROVIDERS: &str = "the practice workspace has providers of its own, on this machine. A connected workspace \
    begins with a makegood.toml";

/// The variable that makes the practice providers hand out each file in so many seconds.
const FILE_TAKES: &str = "MAKEGOOD_PRACTICE_SECONDS_A_FILE";

/// The practice providers' manners: quick, unless somebody wants to see what takes time.
fn manners() -> anyhow::Result<practice::upstream::Manners> {
    let Ok(said) = std::env::var(FILE_TAKES) else { return Ok(practice::upstream::Manners::default()) };
    let seconds: u64 = said.parse().with_context(|| format!("{FILE_TAKES}={said} is no number of seconds"))?;
    let file_takes = std::time::Duration::from_secs(seconds);
    Ok(practice::upstream::Manners { file_takes, ..practice::upstream::Manners::default() })
}

/// Where the practice workspace is made by whoever opens `home`; `None` where there are settings, or it is there.
#[must_use]
pub fn practice_to_be_made(home: &Path) -> Option<PathBuf> {
    let dir = home.join("practice");
    let is_there = Settings::path(home).exists() || practice::Workspace::database(&dir).exists();
    (!is_there).then_some(dir)
}

/// The practice workspace in `dir`, made on the first call.
///
/// # Errors
/// When it can't be made or opened.
pub async fn practising(dir: &Path, seed: u64, tell: Telling<'_>) -> anyhow::Result<Console> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    if !practice::Workspace::database(dir).exists() {
        tracing::info!(dir = %dir.display(), "making the practice workspace, once");
        tell(Opening::at("Making the practice workspace, once: its runs, charges and screenshots"));
    }
    let workspace = practice::Workspace::open_with(dir, seed, Arc::clone(&clock), manners()?).await?;
    let policy = Policy::default_policy()?;
    let agent = Agent { id: AgentId::new("ana.prata"), name: "Ana Prata".to_owned() };
    let info = WorkspaceInfo {
        name: "Practice".to_owned(),
        banner: Some("Practice workspace: invented customers, providers on this machine".to_owned()),
    };
    let registry = Arc::new(Registry::new(workspace.provider_settings())?);
    let keeping = Keeping {
        workspace: info.name.clone(),
        keyring: of_the_system(),
        patience: Patience::default(),
        environment: Arc::new(|_| None),
        file: Err(OWN_PROVIDERS.to_owned()),
    };
    let keeper = Keeper::open(Arc::clone(&registry), &BTreeMap::new(), keeping).await?;
    let store = workspace.store();
    record_agent(&*store, &agent, &policy).await?;
    // The practice tickets are about what a reconciler left over, and it would settle most of them
    // before anybody has practised on them.
    let off_because = Some(PRACTICE_TIMER.to_owned());
    let vault = Arc::new(LocalVault::open(dir.join("vault"))?);
    let desk = desk(store, registry, vault, policy, agent, info);
    let desk = Arc::new(desk.with_timer(Timer { every: None, off_because }).with_connections(keeper));
    // Tickets become cases through the same intake as everywhere.
    let new = workspace.new_tickets();
    let of = u32::try_from(new.len()).unwrap_or(u32::MAX);
    for (done, ticket) in (0..).zip(new) {
        tell(Opening::Working { what: "Reading the practice tickets and their screenshots".to_owned(), done, of });
        let case_id = makegood_domain::ids::CaseId(makegood_domain::ports::Ids::new_id(&SystemIds));
        desk.take_in(case_id, ticket.ticket, ticket.files).await?;
    }
    Ok(Console { desk, practice: Some(workspace), read_only: None })
}

fn desk(
    store: Arc<dyn Store>,
    providers: Arc<Registry>,
    vault: Arc<dyn Vault>,
    policy: Policy,
    agent: Agent,
    workspace: WorkspaceInfo,
) -> Desk {
    let ports = Ports { store, providers, vault, reader: Arc::new(RuleReader), clock: Arc::new(SystemClock) };
    Desk::new(ports, policy, agent, workspace)
}

/// Where the key of a workspace's vault is looked for.
pub fn vault_keys(workspace: &str) -> vault::Keys<'_> {
    vault::Keys { workspace, keyring: of_the_system(), environment: Arc::new(|name| std::env::var(name).ok()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn practice_is_made_where_there_is_neither_a_workspace_nor_practice() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("practice");
        assert_eq!(practice_to_be_made(home.path()), Some(dir.clone()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(practice::Workspace::database(&dir), "").unwrap();
        assert_eq!(practice_to_be_made(home.path()), None, "it is there");
        let home = tempfile::tempdir().unwrap();
        std::fs::write(Settings::path(home.path()), "").unwrap();
        assert_eq!(practice_to_be_made(home.path()), None, "there are settings");
    }
}
