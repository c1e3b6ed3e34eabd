//! A whole practice world from a seed and an instant.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use makegood_connectors::providers::TableError;
use makegood_domain::diagnose::Verdict;
use makegood_domain::feed::Fact;
use makegood_domain::ids::{AttachmentId, RunId, TicketId};
use makegood_domain::ledger::{Charge, Refund};
use makegood_domain::ports::AttachmentFile;
use makegood_domain::support::{Claim, Ticket, TicketLink, TicketStatus};

use crate::background;
use crate::catalogue::{self, Kept};
use crate::ledger::{self, Settled};
use crate::scenarios;
use crate::screenshots::{DrawError, Screenshot};
use crate::stage::Stage;
use crate::tale::{Tale, after};
use crate::tickets;
use crate::upstream::state::UpstreamState;
use crate::words::{Library, WordsError};

/// Runs of a world, those that tickets are about among them.
const RUNS: usize = 5_000;
/// First number of the tickets that stand for nothing in particular.
const FIRST_NUMBER: usize = 1_021;

/// What a ticket was written for. For tests and demonstrations; the product never sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The verdict that the scenario plays.
    pub verdict: Verdict,
    /// What a careful reader takes from text and pictures.
    pub claim: Claim,
    /// First ids of the runs that it is about.
    pub runs: Vec<RunId>,
}

/// A ticket with its pictures, which are drawn when they are asked for.
#[derive(Clone, Debug)]
pub struct PracticeTicket {
    pub ticket: Ticket,
    /// In the order of `ticket.attachments`.
    pub pictures: Vec<Screenshot>,
    pub label: Label,
}

impl PracticeTicket {
    /// Draws the pictures.
    ///
    /// # Errors
    /// When one cannot be drawn.
    pub fn files(&self) -> Result<Vec<AttachmentFile>, DrawError> {
        self.ticket
            .attachments
            .iter()
            .zip(&self.pictures)
            .map(|(attachment, picture)| {
                Ok(AttachmentFile {
                    id: attachment.id.clone().unwrap_or_else(|| AttachmentId::new(attachment.name.as_str())),
                    name: attachment.name.clone(),
                    media_type: "image/png".to_owned(),
                    bytes: picture.png()?,
                })
            })
            .collect()
    }
}

/// A world that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    #[error(transparent)]
    Words(#[from] WordsError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("the seed makes no world: {0}")]
    Unfinished(String),
}

/// Facts for the store, tickets for the queue, and what the providers know. The same seed and
/// anchor always make the same world.
#[derive(Debug)]
pub struct World {
    pub anchor: Timestamp,
    /// In an order in which every row comes after those it refers to.
    pub facts: Vec<Fact>,
    /// Oldest first.
    pub tickets: Vec<PracticeTicket>,
    pub upstream: Arc<UpstreamState>,
}

impl World {
    /// Makes the world as it stands at `anchor`: nothing in it is younger, files expire after it.
    ///
    /// # Errors
    /// When the built-in phrases or rows about providers are not usable, or a ticket has no run to be about.
    pub fn generate(seed: u64, anchor: Timestamp) -> Result<Self, WorldError> {
        let anchor = Timestamp::from_second(anchor.as_second()).unwrap_or(anchor);
        let library = Library::built_in()?;
        let mut stage = Stage::new(seed, anchor, Kept::read()?);
        scenarios::play(&mut stage);
        background::fill(&mut stage, seed, RUNS);
        let settled = ledger::settle(&stage, seed);
        let ids = ticket_ids(&stage);
        let tickets = tickets::write_all(&mut stage, &settled, &library, &ids)?;
        let links = links(&stage, &ids);
        let mut upstream = UpstreamState::default();
        for tale in &mut stage.tales {
            if let Some(job) = tale.upstream.take() {
                upstream.add(job);
            }
        }
        let facts = facts(stage, settled, links);
        Ok(Self { anchor, facts, tickets, upstream: Arc::new(upstream) })
    }
}

/// Fixed ids where a sketch has one, numbers by age elsewhere; by place of the sketch.
fn ticket_ids(stage: &Stage) -> Vec<TicketId> {
    let mut order: Vec<usize> = (0..stage.sketches.len()).collect();
    order.sort_by_key(|at| (stage.sketches.get(*at).map(|row| row.created_at), *at));
    let mut ids = BTreeMap::new();
    let mut number = FIRST_NUMBER;
    for at in order {
        let fixed = stage.sketches.get(at).and_then(|row| row.fixed_id);
        let id = fixed.map_or_else(
            || {
                number += 1;
                format!("TCK-{}", number - 1)
            },
            str::to_owned,
        );
        ids.insert(at, TicketId::new(id));
    }
    ids.into_values().collect()
}

/// Tickets that the platform knows to be about certain runs (P12).
fn links(stage: &Stage, ids: &[TicketId]) -> Vec<TicketLink> {
    let runs = |tales: &[usize]| -> Vec<RunId> {
        tales.iter().filter_map(|at| stage.tales.get(*at)).map(|tale| tale.run.id.clone()).collect()
    };
    let user = |customer: usize| stage.cast.customers.get(customer).map(|row| row.user.id.clone());
    let open = stage.sketches.iter().zip(ids).filter(|(sketch, _)| sketch.linked).map(|(sketch, id)| TicketLink {
        id: id.clone(),
        created_at: sketch.created_at,
        status: TicketStatus::Open,
        run_ids: runs(&sketch.tales),
        outcome: None,
        requester_user_id: user(sketch.customer),
    });
    let past = stage.past.iter().map(|row| TicketLink {
        id: row.id.clone(),
        created_at: row.created_at,
        status: row.status,
        run_ids: runs(&[row.tale]),
        outcome: Some(row.outcome.to_owned()),
        requester_user_id: stage.tales.get(row.tale).and_then(|tale| user(tale.customer)),
    });
    open.chain(past).collect()
}

fn facts(stage: Stage, settled: Settled, links: Vec<TicketLink>) -> Vec<Fact> {
    let Stage { anchor, kept, cast, projects, nodes, mut tales, .. } = stage;
    tales.sort_by(|one, other| (one.run.started_at, &one.run.id).cmp(&(other.run.started_at, &other.run.id)));
    let mut facts: Vec<Fact> = Vec::with_capacity(tales.len() * 8);
    facts.extend(kept.providers().into_iter().map(Fact::Provider));
    facts.extend(catalogue::models().into_iter().map(Fact::Model));
    facts.extend(cast.customers.into_iter().map(|row| Fact::User(row.user)));
    facts.extend(settled.accounts.into_iter().map(Fact::Account));
    facts.extend(cast.studios.into_iter().map(|row| Fact::Workspace(row.workspace)));
    facts.extend(projects.into_iter().map(Fact::Project));
    facts.extend(nodes.into_iter().map(Fact::Node));
    facts.extend(tales.iter().map(|tale| Fact::Run(tale.run.clone())));
    facts.extend(postings(settled.charges, settled.refunds));
    let mut later = Vec::new();
    for tale in tales {
        let looked_up_at = looked_up(&tale, anchor);
        let Tale { job, webhooks, uploads, outputs, .. } = tale;
        facts.extend(job.map(|mut job| {
            job.looked_up_at = Some(looked_up_at);
            Fact::Job(job)
        }));
        later.extend(webhooks.into_iter().map(Fact::Webhook));
        later.extend(uploads.into_iter().map(Fact::Upload));
        later.extend(outputs.into_iter().map(Fact::Output));
    }
    facts.extend(later);
    facts.extend(links.into_iter().map(Fact::Ticket));
    facts
}

/// Charges and refunds in the order of time, so that no balance is below 0 on the way.
fn postings(charges: Vec<Charge>, refunds: Vec<Refund>) -> impl Iterator<Item = Fact> {
    let charges = charges.into_iter().map(|row| (row.posted_at, 0, Fact::Charge(row)));
    let refunds = refunds.into_iter().map(|row| (row.posted_at, 1, Fact::Refund(row)));
    let mut all: Vec<_> = charges.chain(refunds).collect();
    all.sort_by_key(|(at, kind, _)| (*at, *kind));
    all.into_iter().map(|(_, _, fact)| fact)
}

/// The platform asked about recent jobs on its last pass, and about older ones when they ended.
fn looked_up(tale: &Tale, anchor: Timestamp) -> Timestamp {
    let pass = after(anchor, -(anchor.as_second().rem_euclid(1200) + 45));
    if tale.hashed {
        pass.max(after(tale.last_event(), 1)).min(anchor)
    } else {
        after(tale.finished_at(), 2).min(anchor)
    }
}
