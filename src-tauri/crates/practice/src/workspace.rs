//! The practice workspace on disk: a record filled with a world, and servers that go on answering
//! about the same world whenever it is opened again. Files keep expiring while it is closed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use makegood_connectors::ProviderSettings;
use makegood_domain::feed::Fact;
use makegood_domain::ids::RunId;
use makegood_domain::ports::{AttachmentFile, CaseStore, Clock, FactStore, QueueQuery, RejectedFact, StoreError};
use makegood_domain::support::Ticket;
use makegood_domain::work::{Job, JobItem, OutputState};
use makegood_store::sqlite::SqliteStore;
use serde::{Deserialize, Serialize};

use crate::catalogue::AGREED;
use crate::crew;
use crate::screenshots::DrawError;
use crate::upstream::{self, Manners, ServeError, Upstream};
use crate::world::{PracticeTicket, World, WorldError};

/// The ticket that the tour recovers.
pub const RECOVER_TICKET: &str = crate::fixed::RECOVER;
/// The ticket whose credits the tour restores, to two balances.
pub const SPLIT_TICKET: &str = crate::fixed::SPLIT_RESTORE;

/// Raised whenever a seed makes another world than before: servers and record must tell the same.
const WORLD_VERSION: u32 = 3;
const DATABASE: &str = "makegood.sqlite";
const CARD: &str = "practice.json";
/// Rows of the queue read at once; the store gives no more.
const PAGE: u64 = 200;
/// Questions are asked three times, not five: nobody practises patience.
const TRIES: u32 = 3;

/// What `practice.json` keeps: enough to make the same world again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Card {
    world: u32,
    seed: u64,
    anchor: Timestamp,
}

/// A practice workspace that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("{path} is no description of a practice workspace: {source}")]
    Card { path: PathBuf, source: serde_json::Error },
    #[error(
        "the practice workspace in {path} was made by another version; `makegoodctl practice --reset` makes it anew"
    )]
    Version { path: PathBuf },
    #[error("{path} holds no practice workspace, so it is left alone")]
    NotOurs { path: PathBuf },
    #[error("the record does not take {} rows of the practice world, the first: {} {}: {}", .rejected.len(),
        .rejected.first().map_or("", |row| &row.kind), .rejected.first().map_or("", |row| &row.id),
        .rejected.first().map_or("", |row| &row.reason))]
    Rejected { rejected: Vec<RejectedFact> },
    #[error(transparent)]
    World(#[from] WorldError),
    #[error(transparent)]
    Draw(#[from] DrawError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("making the practice world was broken off: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// A ticket that is no case yet, with its pictures.
#[derive(Clone, Debug)]
pub struct NewTicket {
    pub ticket: Ticket,
    pub files: Vec<AttachmentFile>,
}

/// An open practice workspace. The providers answer until it is dropped.
pub struct Workspace {
    store: Arc<SqliteStore>,
    upstream: Upstream,
    new_tickets: Vec<NewTicket>,
}

impl Workspace {
    /// Where the record of a practice workspace is.
    #[must_use]
    pub fn database(dir: &Path) -> PathBuf {
        dir.join(DATABASE)
    }

    /// Opens the workspace in `dir`; makes it as of the clock's present where there is none. A seed
    /// given to a workspace that is there already changes nothing.
    ///
    /// # Errors
    /// When files, record or servers cannot be used, or the workspace is of another version.
    pub async fn open_or_create(dir: &Path, seed: u64, clock: Arc<dyn Clock>) -> Result<Self, WorkspaceError> {
        Self::open_with(dir, seed, clock, Manners::default()).await
    }

    /// The same with providers of other manners.
    ///
    /// # Errors
    /// As [`Self::open_or_create`].
    pub async fn open_with(
        dir: &Path,
        seed: u64,
        clock: Arc<dyn Clock>,
        manners: Manners,
    ) -> Result<Self, WorkspaceError> {
        let card = card(dir, seed, clock.now())?;
        let making = tokio::task::spawn_blocking(move || World::generate(card.seed, card.anchor));
        let store = Arc::new(SqliteStore::open(&Self::database(dir)).await?);
        let World { anchor, facts, tickets, upstream } = making.await??;
        let known = known_tickets(&store).await?;
        let missing = tickets.into_iter().filter(|row| !known.contains(row.ticket.id.as_str())).collect();
        // The pictures are drawn while the record takes the facts.
        let drawing = tokio::task::spawn_blocking(move || draw_all(missing));
        // The import is one transaction: models there means that all is there.
        if store.catalogue().await?.is_empty() {
            let report = store.import(&facts, anchor).await?;
            if !report.rejected.is_empty() {
                return Err(WorkspaceError::Rejected { rejected: report.rejected });
            }
            keep_look_ups(&store, &facts).await?;
        }
        crew::join(&store, anchor).await?;
        let new_tickets = drawing.await??;
        let upstream = upstream::serve(upstream, clock, manners).await?;
        Ok(Self { store, upstream, new_tickets })
    }

    /// The record.
    #[must_use]
    pub fn store(&self) -> Arc<SqliteStore> {
        Arc::clone(&self.store)
    }

    /// Tickets that are no cases yet, oldest first: all of them after the first opening.
    #[must_use]
    pub fn new_tickets(&self) -> Vec<NewTicket> {
        self.new_tickets.clone()
    }

    /// The providers on loopback, as an operator would set them up.
    #[must_use]
    pub fn provider_settings(&self) -> Vec<ProviderSettings> {
        settings(&self.upstream)
    }

    /// Name and address of each provider, for showing.
    pub fn addresses(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.upstream.addresses.iter().map(|address| (address.provider, address.base_url.as_str()))
    }
}

/// Keeps what the passes before the beginning were answered about jobs that came to nothing: of those the
/// platform's word alone would be a reason to ask, and settle nothing. About the others nobody need have asked,
/// and of what was delivered nobody did.
async fn keep_look_ups(store: &SqliteStore, facts: &[Fact]) -> Result<(), WorkspaceError> {
    let delivered: BTreeSet<&RunId> = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Output(output) if output.state == OutputState::Stored => Some(&output.run_id),
            _ => None,
        })
        .collect();
    let came_to_nothing = |job: &&Job| {
        let has_file = |item: &JobItem| item.file.as_ref().is_some_and(|file| file.exists_now != Some(false));
        job.state.is_terminal() && job.looked_up_at.is_some() && !job.items.iter().any(has_file)
    };
    let jobs = facts.iter().filter_map(|fact| if let Fact::Job(job) = fact { Some(job) } else { None });
    for job in jobs.filter(|job| !delivered.contains(&job.run_id)).filter(came_to_nothing) {
        store.record_look_up(job, &[]).await?;
    }
    Ok(())
}

/// Settings of the adapters that talk to these servers.
#[must_use]
pub fn settings(upstream: &Upstream) -> Vec<ProviderSettings> {
    upstream
        .addresses
        .iter()
        .map(|address| {
            let mut settings = ProviderSettings::new(address.provider, address.provider);
            settings.base_url = Some(address.base_url.clone());
            settings.history_url.clone_from(&address.history_url);
            settings.key = Some(address.key.as_str().into());
            settings.limits.tries = TRIES;
            settings.retention_hours = AGREED.iter().find(|(id, _)| *id == address.provider).map(|(_, hours)| *hours);
            settings
        })
        .collect()
}

/// Deletes the practice workspace in `dir`; nothing where there is none.
///
/// # Errors
/// When `dir` holds something else, or cannot be deleted.
pub fn reset(dir: &Path) -> Result<(), WorkspaceError> {
    let failed = |source| WorkspaceError::File { path: dir.to_owned(), source };
    let mut entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    if dir.join(CARD).is_file() {
        std::fs::remove_dir_all(dir).map_err(failed)
    } else if entries.next().is_none() {
        Ok(())
    } else {
        Err(WorkspaceError::NotOurs { path: dir.to_owned() })
    }
}

/// The card of the workspace, written first of all where there is none.
fn card(dir: &Path, seed: u64, now: Timestamp) -> Result<Card, WorkspaceError> {
    let path = dir.join(CARD);
    let failed = |source| WorkspaceError::File { path: path.clone(), source };
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let card: Card =
                serde_json::from_str(&text).map_err(|source| WorkspaceError::Card { path: path.clone(), source })?;
            if card.world == WORLD_VERSION { Ok(card) } else { Err(WorkspaceError::Version { path: dir.to_owned() }) }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let anchor = Timestamp::from_second(now.as_second()).unwrap_or(now);
            let card = Card { world: WORLD_VERSION, seed, anchor };
            let text = serde_json::to_string_pretty(&card)
                .map_err(|source| WorkspaceError::Card { path: path.clone(), source })?;
            std::fs::create_dir_all(dir).map_err(failed)?;
            // Whole or not at all: a torn card would lock the workspace.
            let draft = dir.join("practice.json.new");
            std::fs::write(&draft, text + "\n").map_err(failed)?;
            std::fs::rename(&draft, &path).map_err(failed)?;
            Ok(card)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Tickets that are cases already, in whatever state.
async fn known_tickets(store: &SqliteStore) -> Result<BTreeSet<String>, StoreError> {
    let mut known = BTreeSet::new();
    let mut query = QueueQuery { limit: PAGE, ..QueueQuery::default() };
    loop {
        let page = store.queue(&query).await?;
        if page.lines.is_empty() {
            return Ok(known);
        }
        query.offset += u64::try_from(page.lines.len()).unwrap_or(PAGE);
        known.extend(page.lines.into_iter().map(|line| line.ticket_id.0));
    }
}

/// Draws the pictures of all tickets, on as many threads as the machine has cores.
fn draw_all(tickets: Vec<PracticeTicket>) -> Result<Vec<NewTicket>, DrawError> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = tickets.len().div_ceil(threads).max(1);
    let parts: Vec<Result<Vec<NewTicket>, DrawError>> = std::thread::scope(|scope| {
        let running: Vec<_> = tickets.chunks(share).map(|part| (part, scope.spawn(|| draw(part)))).collect();
        // A thread that died is done again here, so that its reason comes out.
        running.into_iter().map(|(part, thread)| thread.join().unwrap_or_else(|_| draw(part))).collect()
    });
    let mut all = Vec::with_capacity(tickets.len());
    for part in parts {
        all.extend(part?);
    }
    Ok(all)
}

fn draw(tickets: &[PracticeTicket]) -> Result<Vec<NewTicket>, DrawError> {
    tickets.iter().map(|row| Ok(NewTicket { ticket: row.ticket.clone(), files: row.files()? })).collect()
}
