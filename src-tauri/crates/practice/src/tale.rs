//! What happened to one run, told step by step. A tale keeps the platform's rows and the provider's
//! side together, so that the two can differ only where a scenario wants them to.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{
    ChargeId, JobId, ModelId, NodeId, OutputId, ProjectId, ProviderId, RefundId, RunId, TicketId, WebhookId,
};
use makegood_domain::ledger::{RefundKind, RefundState};
use makegood_domain::money::Credits;
use makegood_domain::work::{
    ItemState, Job, JobItem, JobState, Output, OutputState, ProviderFile, Route, Run, RunStatus, Upload, UploadResult,
    Webhook, WebhookResult,
};

use crate::catalogue::{
    self, BFL, ELEVENLABS, HEYGEN, KLING, Kept, MINIMAX_V1, MINIMAX_V2, OPENAI, Offer, REPLICATE, SEEDANCE, STABILITY,
    VEO, VERTEX,
};
use crate::dice::Dice;
use crate::media;
use crate::upstream::state::{Ending, UpstreamItem, UpstreamJob};

/// A charge before the ledger is settled.
#[derive(Clone, Debug)]
pub struct Debit {
    pub id: ChargeId,
    pub at: Timestamp,
    pub total: Credits,
    /// Take exactly this much from the quota and the rest from the wallet (`Part::Split`).
    pub from_quota: Option<Credits>,
}

/// Where a refund was posted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnTo {
    /// Back to the sources of the charge.
    Sources,
    /// To the quota of another account: a mistake of the platform (P4).
    PurseOf(usize),
}

/// A refund before the ledger is settled.
#[derive(Clone, Debug)]
pub struct Return {
    pub id: RefundId,
    /// Index in `Tale::debits`.
    pub debit: usize,
    pub at: Timestamp,
    pub state: RefundState,
    pub kind: RefundKind,
    pub items: Vec<u32>,
    pub to: ReturnTo,
    pub ticket: Option<TicketId>,
    pub cause: &'static str,
}

/// One run with everything that happened to it. Indexes point into the stage.
pub struct Tale {
    pub run: Run,
    pub offer: &'static Offer,
    pub customer: usize,
    pub purse: usize,
    pub project: usize,
    pub debits: Vec<Debit>,
    pub returns: Vec<Return>,
    pub job: Option<Job>,
    pub upstream: Option<UpstreamJob>,
    pub webhooks: Vec<Webhook>,
    pub uploads: Vec<Upload>,
    pub outputs: Vec<Output>,
    /// Hash what the provider keeps; too dear for thousands of runs that nobody asks about.
    pub hashed: bool,
}

/// Where and by whom a run was started.
#[derive(Clone)]
pub struct Spot {
    pub customer: usize,
    pub purse: usize,
    pub project: usize,
    pub project_id: ProjectId,
    pub node_id: NodeId,
    pub starter: makegood_domain::ids::UserId,
}

/// An instant some seconds later; the same one where that would leave the calendar.
#[must_use]
pub fn after(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(at)
}

impl Tale {
    /// A run was started, and nothing else happened yet.
    #[must_use]
    pub fn begin(dice: &mut Dice, spot: &Spot, offer: &'static Offer, at: Timestamp, items: u32) -> Self {
        let run = Run {
            id: RunId::new(dice.id("run_", 8)),
            project_id: spot.project_id.clone(),
            node_id: spot.node_id.clone(),
            started_by: spot.starter.clone(),
            model_id: ModelId::new(offer.id),
            started_at: at,
            requested_items: items,
            status: RunStatus::Running,
            cancelled_at: None,
            retry_of: None,
            retry_initiator: None,
            params: offer.params(),
        };
        Self {
            run,
            offer,
            customer: spot.customer,
            purse: spot.purse,
            project: spot.project,
            debits: Vec::new(),
            returns: Vec::new(),
            job: None,
            upstream: None,
            webhooks: Vec::new(),
            uploads: Vec::new(),
            outputs: Vec::new(),
            hashed: true,
        }
    }

    /// Credits of the whole run: a batch is a tenth cheaper than its items.
    #[must_use]
    pub fn price(&self) -> Credits {
        let items = Credits::from(self.run.requested_items);
        if items > 1 { self.offer.price * items * 9 / 10 } else { self.offer.price }
    }

    /// The run was charged some seconds after its start.
    #[must_use]
    pub fn charged(mut self, dice: &mut Dice) -> Self {
        self.charge_at(dice, after(self.run.started_at, 2));
        self
    }

    /// Adds a charge of the whole price.
    pub fn charge_at(&mut self, dice: &mut Dice, at: Timestamp) {
        let total = self.price();
        self.debits.push(Debit { id: ChargeId::new(dice.id("chg_", 8)), at, total, from_quota: None });
    }

    /// The job was handed to the provider.
    #[must_use]
    pub fn submitted(mut self, dice: &mut Dice) -> Self {
        let at = after(self.run.started_at, 3);
        let id = job_id(dice, self.offer, at);
        self.upstream = Some(UpstreamJob {
            provider: self.offer.provider,
            id: id.clone(),
            endpoint: self.offer.endpoint,
            media: self.offer.media,
            created_at: at,
            started_at: None,
            finished_at: None,
            ending: Ending::Queued,
            items: Vec::new(),
            cost: (self.offer.price / 4).max(1),
            reference: self.run.id.0.clone(),
        });
        self.job = Some(Job {
            id: JobId::new(id),
            run_id: self.run.id.clone(),
            provider_id: ProviderId::new(self.offer.provider),
            submitted_at: at,
            state: JobState::Queued,
            processing_started_at: None,
            finished_at: None,
            items: Vec::new(),
            error: None,
            looked_up_at: None,
            locator: Some(self.offer.endpoint.to_owned()),
        });
        self
    }

    /// The provider began, `wait` seconds after it got the job.
    #[must_use]
    pub fn working(mut self, wait: i64) -> Self {
        if let (Some(job), Some(upstream)) = (&mut self.job, &mut self.upstream) {
            let at = after(job.submitted_at, wait);
            job.state = JobState::Processing;
            job.processing_started_at = Some(at);
            upstream.started_at = Some(at);
            upstream.ending = Ending::Running;
        }
        self
    }

    /// The provider finished: one state for each requested item. `kept` decides which files still exist `now`.
    #[must_use]
    pub fn finished(
        mut self,
        dice: &mut Dice,
        at: Timestamp,
        items: &[ItemState],
        (kept, now): (&Kept, Timestamp),
    ) -> Self {
        let (Some(job), Some(upstream)) = (&mut self.job, &mut self.upstream) else { return self };
        let provider = self.offer.provider;
        job.state = JobState::Succeeded;
        job.finished_at = Some(at);
        upstream.finished_at = Some(at);
        upstream.ending = Ending::Succeeded;
        let keep_until = after(at, kept.seconds(provider));
        for (number, state) in (1_u32..).zip(items) {
            let made = *state == ItemState::Succeeded;
            let token = file_token(dice, provider);
            let file = made.then(|| {
                let exists = keep_until > now;
                let (bytes, sha256_prefix) = if exists || self.hashed {
                    let print = media::print(self.offer.media, &upstream.id, number);
                    (print.bytes, print.sha256.chars().take(16).collect())
                } else {
                    (media::file(self.offer.media, &upstream.id, number).len() as u64, String::new())
                };
                let available_until = TELLS_EXPIRY.contains(&provider).then_some(keep_until);
                ProviderFile { bytes, sha256_prefix, available_until, exists_now: Some(exists) }
            });
            job.items.push(JobItem { item: number, state: *state, finished_at: Some(at), file });
            upstream.items.push(UpstreamItem { item: number, made, token, keep_until });
        }
        self
    }

    /// The job ended without any file.
    #[must_use]
    pub fn ended(mut self, at: Timestamp, state: JobState, message: &str) -> Self {
        let (Some(job), Some(upstream)) = (&mut self.job, &mut self.upstream) else { return self };
        job.state = state;
        job.finished_at = Some(at);
        job.error = (!message.is_empty()).then(|| message.to_owned());
        upstream.finished_at = Some(at);
        let message = message.to_owned();
        let item = match state {
            JobState::Filtered => {
                upstream.ending = Ending::Filtered { message };
                Some(ItemState::Filtered)
            }
            JobState::Cancelled => {
                upstream.ending = Ending::Cancelled;
                None
            }
            JobState::NotFound => {
                job.finished_at = None;
                upstream.ending = Ending::Unknown;
                None
            }
            _ => {
                upstream.ending = Ending::Failed { message };
                Some(ItemState::Failed)
            }
        };
        let count = self.run.requested_items;
        job.items = item.map_or_else(Vec::new, |state| {
            (1..=count).map(|item| JobItem { item, state, finished_at: Some(at), file: None }).collect()
        });
        self
    }

    /// What a look-up answered is not what the provider's job is: an outage, or a word nobody knows.
    #[must_use]
    pub fn answered(mut self, state: JobState, ending: Ending, error: &str) -> Self {
        if let (Some(job), Some(upstream)) = (&mut self.job, &mut self.upstream) {
            job.state = state;
            job.finished_at = None;
            job.items.clear();
            job.error = Some(error.to_owned());
            upstream.ending = ending;
        }
        self
    }

    /// The webhook of the end came in (or did not), and was routed to the run's own node. Providers that send none
    /// were asked instead.
    #[must_use]
    pub fn webhook(self, dice: &mut Dice, result: WebhookResult, attempts: u32) -> Self {
        let routed = Route { project_id: self.run.project_id.clone(), node_id: self.run.node_id.clone() };
        self.webhook_to(dice, result, attempts, routed)
    }

    /// As `webhook`, routed elsewhere.
    #[must_use]
    pub fn webhook_to(mut self, dice: &mut Dice, result: WebhookResult, attempts: u32, to: Route) -> Self {
        let Some(job) = self.job.as_ref().filter(|_| catalogue::sends_webhooks(self.offer.provider)) else {
            return self;
        };
        let lost = matches!(result, WebhookResult::Timeout | WebhookResult::Rejected);
        self.webhooks.push(Webhook {
            id: WebhookId::new(dice.id("wh_", 8)),
            job_id: job.id.clone(),
            run_id: self.run.id.clone(),
            received_at: after(job.finished_at.unwrap_or(job.submitted_at), 1),
            attempts,
            result,
            routed_to: (!lost).then_some(to),
        });
        self
    }

    /// A try to store an item, `seconds` after the provider finished.
    #[must_use]
    pub fn upload(mut self, item: u32, seconds: i64, result: UploadResult) -> Self {
        let at = after(self.finished_at(), seconds);
        self.uploads.push(Upload { run_id: self.run.id.clone(), item, attempted_at: at, result });
        self
    }

    /// An item was stored on the run's own node.
    #[must_use]
    pub fn stored(self, dice: &mut Dice, item: u32) -> Self {
        let route = Route { project_id: self.run.project_id.clone(), node_id: self.run.node_id.clone() };
        self.stored_at(dice, item, &route.project_id, Some(route.node_id.clone()), OutputState::Stored)
    }

    /// An item was stored somewhere, in some state; without a node it is in the history only.
    #[must_use]
    pub fn stored_at(
        mut self,
        dice: &mut Dice,
        item: u32,
        project_id: &ProjectId,
        node_id: Option<NodeId>,
        state: OutputState,
    ) -> Self {
        let at = after(self.finished_at(), 35);
        let job = self.job.as_ref().map_or_else(String::new, |job| job.id.0.clone());
        let (bytes, sha256) = match (state, self.hashed) {
            (OutputState::Corrupt, _) => (0, None),
            (_, true) => {
                let print = media::print(self.offer.media, &job, item);
                (print.bytes, Some(print.sha256))
            }
            (_, false) => (media::file(self.offer.media, &job, item).len() as u64, None),
        };
        self.uploads.push(Upload {
            run_id: self.run.id.clone(),
            item,
            attempted_at: after(at, -5),
            result: UploadResult::Ok,
        });
        self.outputs.push(Output {
            id: OutputId::new(dice.id("out_", 8)),
            run_id: self.run.id.clone(),
            item,
            project_id: project_id.clone(),
            on_canvas: node_id.is_some(),
            node_id,
            stored_at: at,
            bytes,
            state,
            in_history: state != OutputState::Held,
            sha256,
        });
        self
    }

    /// All items of a charge were refunded.
    #[must_use]
    pub fn refunded(
        mut self,
        dice: &mut Dice,
        at: Timestamp,
        to: ReturnTo,
        state: RefundState,
        cause: &'static str,
    ) -> Self {
        self.returns.push(Return {
            id: RefundId::new(dice.id("rfd_", 8)),
            debit: 0,
            at,
            state,
            kind: RefundKind::Auto,
            items: (1..=self.run.requested_items).collect(),
            to,
            ticket: None,
            cause,
        });
        self
    }

    /// The platform's word for the run.
    #[must_use]
    pub fn status(mut self, status: RunStatus) -> Self {
        self.run.status = status;
        self
    }

    /// When the provider finished; the start where it never did.
    #[must_use]
    pub fn finished_at(&self) -> Timestamp {
        self.job.as_ref().and_then(|job| job.finished_at).unwrap_or(self.run.started_at)
    }

    /// The newest instant of the tale: no ticket about it is older.
    #[must_use]
    pub fn last_event(&self) -> Timestamp {
        let outputs = self.outputs.iter().map(|row| row.stored_at);
        let uploads = self.uploads.iter().map(|row| row.attempted_at);
        let webhooks = self.webhooks.iter().map(|row| row.received_at);
        let debits = self.debits.iter().map(|row| row.at);
        outputs
            .chain(uploads)
            .chain(webhooks)
            .chain(debits)
            .chain([self.finished_at()])
            .max()
            .unwrap_or(self.run.started_at)
    }
}

/// Who says in an answer until when a file is there, so that the platform knows.
const TELLS_EXPIRY: [&str; 3] = [VEO, BFL, SEEDANCE];

/// An id as the provider makes them.
fn job_id(dice: &mut Dice, offer: &Offer, at: Timestamp) -> String {
    match offer.provider {
        REPLICATE => dice.id("", 26),
        VEO => format!("models/{}/operations/{}", offer.endpoint, dice.id("", 12)),
        VERTEX => format!("{}/{}/operations/{}", crate::upstream::PROJECT, offer.endpoint, dice.uuid()),
        // The request's own: an image has no other.
        OPENAI | ELEVENLABS => dice.id("req_", 20),
        KLING => dice.digits(18),
        MINIMAX_V1 | MINIMAX_V2 => dice.digits(15),
        SEEDANCE => dice.id(&at.strftime("cgt-%Y%m%d%H%M%S-").to_string(), 5),
        HEYGEN => dice.uuid().replace('-', ""),
        STABILITY => (dice.uuid() + &dice.uuid()).replace('-', ""),
        _ => dice.uuid(),
    }
}

/// The last part of a file's address, or the id that its provider has for it.
fn file_token(dice: &mut Dice, provider: &str) -> String {
    match provider {
        MINIMAX_V1 => dice.digits(15),
        ELEVENLABS => dice.id("", 20),
        _ => dice.id("", 14),
    }
}
