//! The tables of the model, and the rows in them.

use jiff::Timestamp;
use makegood_domain::capture::Capture;
use makegood_domain::events::Origin;
use makegood_domain::feed::Fact;
use makegood_domain::ids::{
    AccountId, ActionKey, AgentId, ApprovalId, AttachmentId, BalanceId, CaseId, ChargeId, JobId, ModelId, NodeId,
    OutputId, ProjectId, ProviderId, RefundId, RunId, TicketId, UserId, WebhookId, WorkspaceId,
};
use makegood_domain::ledger::{Account, Charge, Refund};
use makegood_domain::money::{BalanceKind, Credits};
use makegood_domain::plan::{CaseState, Effect, Order, Plan, StoredFile};
use makegood_domain::ports::{
    ActionState, Approval, AttachmentFile, AuditLine, ChosenRuns, DeadLetter, Detection, Draft, DraftKind, Finding,
    ImportPosition, NewDelivery, OutboxLine, PassReport, Person, PostingLine, QueueQuery, RawAnswer, StepReceipt,
};
use makegood_domain::settlement::{First, Item};
use makegood_domain::support::{Message, Ticket, TicketLink};
use makegood_domain::work::{Job, Model, Node, Output, Project, Provider, Run, Upload, User, Webhook, Workspace};

use super::table::Table;

macro_rules! tables {
    ($($name:ident: $key:ty => $row:ty,)+) => {
        /// Everything that is known.
        #[derive(Clone, Debug, Default)]
        pub(super) struct Record {
            $(pub(super) $name: Table<$key, $row>,)+
        }

        /// A state to come back to.
        pub(super) struct Mark {
            $($name: usize,)+
        }

        impl Record {
            pub(super) fn mark(&self) -> Mark {
                Mark { $($name: self.$name.mark(),)+ }
            }

            /// Takes back everything since the mark.
            pub(super) fn undo(&mut self, mark: &Mark) {
                $(self.$name.undo(mark.$name);)+
            }

            /// Makes what was changed stand.
            pub(super) fn keep(&mut self) {
                $(self.$name.keep();)+
            }
        }
    };
}

tables! {
    // What the platform said.
    providers: ProviderId => Provider,
    models: ModelId => Model,
    users: UserId => User,
    accounts: AccountId => Account,
    workspaces: WorkspaceId => Workspace,
    projects: ProjectId => Project,
    nodes: NodeId => Node,
    runs: RunId => RunRow,
    runs_of_root: (RunId, RunId) => (),
    jobs: JobId => Job,
    captures: (JobId, u32, u32) => Capture,
    look_ups: i64 => (JobId, RawAnswer),
    webhooks: WebhookId => Webhook,
    deliveries: (ProviderId, String) => Received,
    uploads: (RunId, Timestamp, u32) => Upload,
    outputs: OutputId => OutputRow,
    outputs_of_run: (RunId, OutputId) => (),
    ticket_links: TicketId => TicketLink,
    said: (&'static str, String) => (Fact, Timestamp),
    events: Origin => Timestamp,
    pruned: &'static str => Timestamp,
    dead_letters: i64 => DeadLetter,
    positions: String => ImportPosition,
    // Credits.
    balances: BalanceId => BalanceRow,
    postings: i64 => Posting,
    charges: ChargeId => ChargeRow,
    charges_of_run: (RunId, ChargeId) => (),
    items: (ChargeId, u32) => ItemRow,
    refunds: RefundId => RefundRow,
    refunds_of_charge: (ChargeId, RefundId) => (),
    // Cases.
    cases: CaseId => CaseRow,
    case_order: i64 => CaseId,
    case_of_ticket: TicketId => CaseId,
    attachments: AttachmentId => AttachmentFile,
    drafts: (CaseId, DraftKind, AgentId) => Draft,
    draft_history: i64 => Draft,
    views: (AgentId, String) => QueueQuery,
    // What was done.
    actions: ActionKey => ActionRow,
    action_order: i64 => ActionKey,
    action_steps: (ActionKey, u32, u32) => Done,
    sweep_steps: (ActionKey, u32) => Done,
    sweep_hours: i64 => i64,
    incidents: String => Vec<OutputId>,
    outbox: i64 => OutboxLine,
    payloads: i64 => String,
    letter_tries: (String, String) => LetterTry,
    endpoints: String => Endpoint,
    // Files of the vault as they were first told of, and those that are taken away, by their hashes.
    files: String => StoredFile,
    removals: String => RemovalRow,
    audit: i64 => AuditLine,
    // The reconciler.
    due: RunId => Due,
    detections: (String, String, u32) => Detection,
    passes: String => PassReport,
    // People.
    people: AgentId => Person,
    person_days: (AgentId, i64) => Credits,
    approvals: ApprovalId => Approval,
}

/// A run, and the first run of its logical run (P2).
#[derive(Clone, Debug)]
pub(super) struct RunRow {
    pub run: Run,
    pub root: RunId,
}

#[derive(Clone, Debug)]
pub(super) struct OutputRow {
    pub output: Output,
    /// Brought here, and kept in the vault.
    pub ours: bool,
    pub quarantined: bool,
    pub quarantined_at: Option<Timestamp>,
    pub hold_until: Option<Timestamp>,
}

/// What a balance is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A customer's, with what it is counted from.
    Customer { kind: BalanceKind, opening: Credits, opening_at: Timestamp },
    /// Behind the customers' ones: where openings come from, what was consumed, what moved before the
    /// count, what went astray.
    System,
}

#[derive(Clone, Debug)]
pub(super) struct BalanceRow {
    pub account: Option<AccountId>,
    pub position: usize,
    pub level: Credits,
    pub purpose: Purpose,
}

/// From one balance to another; the amount is above 0.
#[derive(Clone, Debug)]
pub(super) struct Posting {
    pub line: PostingLine,
    pub from: BalanceId,
    pub to: BalanceId,
}

/// A charge, and how much of each of its sources went back.
#[derive(Clone, Debug)]
pub(super) struct ChargeRow {
    pub charge: Charge,
    pub restored: Vec<Credits>,
}

#[derive(Clone, Debug)]
pub(super) struct ItemRow {
    pub stands: Item,
    pub first: First,
}

/// A refund as it was said, and what of it settles something.
#[derive(Clone, Debug)]
pub(super) struct RefundRow {
    pub refund: Refund,
    /// Made here.
    pub ours: bool,
    pub items: Vec<(u32, Credits)>,
    /// Source, target, amount.
    pub lines: Vec<(BalanceId, BalanceId, Credits)>,
    pub strays: Vec<(BalanceId, Credits)>,
    /// When its credits were debited anew, where a late result was released for them.
    pub taken_back_at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub(super) struct CaseRow {
    pub row_no: i64,
    pub ticket: Ticket,
    pub messages: Vec<Message>,
    pub state: CaseState,
    pub assignee: Option<AgentId>,
    pub opened_at: Timestamp,
    pub due_at: Timestamp,
    pub follow_up_at: Option<Timestamp>,
    pub revision: i64,
    pub finding: Option<Finding>,
    pub chosen: Option<ChosenRuns>,
    pub model: Option<String>,
    pub amount: Option<Credits>,
    pub file_deadline: Option<Timestamp>,
    pub saved: bool,
    pub search_text: String,
}

#[derive(Clone, Debug)]
pub(super) struct ActionRow {
    pub order: Order,
    pub plan: Plan,
    pub state: ActionState,
    pub finished_at: Option<Timestamp>,
}

/// An effect with its receipt.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub effect: Effect,
    pub receipt: StepReceipt,
}

/// A logical run to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub charged_at: Option<Timestamp>,
    /// `None`: for people.
    pub next_at: Option<Timestamp>,
    pub tries: u32,
    pub claim: Option<(String, Timestamp)>,
    /// Changed while a worker looked at it.
    pub touched: bool,
}

/// What a provider sent, and the run that it led to.
#[derive(Clone, Debug)]
pub(super) struct Received {
    /// Without its bytes.
    pub delivery: NewDelivery,
    pub body: Option<Vec<u8>>,
    pub bytes: usize,
    pub run_id: Option<RunId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LetterState {
    Waiting,
    Sent,
    GivenUp,
}

/// A letter on its way to one endpoint.
#[derive(Clone, Debug)]
pub(super) struct LetterTry {
    pub tries: u32,
    pub next_at: Timestamp,
    pub claimed_until: Option<Timestamp>,
    pub state: LetterState,
}

/// A file that is taken out of the vault.
#[derive(Clone, Debug)]
pub(super) struct RemovalRow {
    pub claimed_at: Timestamp,
    pub removed_at: Option<Timestamp>,
}

/// How an endpoint of the platform does.
#[derive(Clone, Debug, Default)]
pub(super) struct Endpoint {
    pub failing_since: Option<Timestamp>,
    pub disabled_at: Option<Timestamp>,
    pub why: Option<String>,
}
