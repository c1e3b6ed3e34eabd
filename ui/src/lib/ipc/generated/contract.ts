// Generated from the Rust contract (crates/app/src/contract). Do not edit: run `make generated`.

export type Verdict = "requester_unknown" | "out_of_scope" | "foreign_asset_in_project" | "no_match" | "not_charged" | "misattributed_other_customer" | "duplicate_charge" | "cancelled_before_start" | "cancelled_after_start" | "project_deleted" | "misattributed_same_customer" | "delivered_not_on_canvas" | "delivered_ok" | "partial_batch" | "late_result" | "corrupt_output" | "never_submitted" | "provider_unreachable" | "in_progress" | "provider_stalled" | "provider_filtered" | "provider_failed" | "storage_quota_exceeded" | "upload_failed" | "webhook_lost";
export type Remedy = "recover_asset" | "restore_credits" | "recover_asset_and_restore_credits" | "hold_asset" | "reattach" | "guide_to_asset" | "quarantine_and_recover" | "quarantine_and_incident" | "wait_for_reconciler" | "wait_in_progress" | "retry_provider_lookup" | "none_already_refunded" | "none_delivered" | "none_not_eligible" | "none_not_charged" | "ask_for_details" | "verify_identity" | "route_to_billing" | "link_to_ticket";
export type Flag = "privacy_incident" | "urgent_retention" | "retention_assumed" | "needs_storage_space" | "cancel_upstream" | "provider_unconfirmed" | "quota_period_rolled" | "subscription_ended" | "wrong_balance_refund" | "requester_not_member" | "reopened" | "project_id_corrected" | "project_ref_unknown" | "evidence_relaxed";
export type ItemActionKind = "none" | "recover" | "restore" | "hold" | "reattach" | "guide" | "wait" | "quarantine";
export type BalanceKind = "subscription_quota" | "workspace_pool" | "wallet" | "workspace_wallet";
export type ActionKind = "recover" | "restore" | "reattach" | "hold" | "release" | "quarantine" | "link" | "ask" | "route" | "answer";
export type CaseState = "open" | "waiting" | "settled" | "linked";
export type QueueOrder = "lost_first" | "due" | "newest" | "amount";
export type DraftKind = "escalation_note" | "internal_note" | "reply";
export type DetectionKind = "orphan" | "misplaced" | "damaged" | "duplicate_charge" | "contradiction";
export type ApprovalState = "waiting" | "approved" | "declined" | "withdrawn" | "used" | "expired";
export type Role = "agent" | "approver" | "reconciler" | "feeder" | "auditor";
export type KeyVerdict = "accepted" | "auth_error" | "rate_limited" | "unreachable" | "faulty" | "unclear" | "not_asked";
export type MessageKind = "customer" | "reply" | "note";

export type ActionKeyRequest = { key: string, };

export type ActionView = { key: string, kind: ActionKind, title: string, state: OutcomeState, 
/**
 * Why it was refused, failed, or is not known.
 */
why: string | null, 
/**
 * Trying again can help.
 */
retry: boolean, agent: string, at: string, finishedAt: string | null, readBack: Array<ReadBack>, 
/**
 * This answer was given before, to the same key.
 */
repeated: boolean, 
/**
 * Set with `approval_needed`.
 */
approvalNeed: ApprovalNeed | null, };

export type AdapterView = { adapter: string, name: string, docsUrl: string, keyHint: string, 
/**
 * The header that carries the key, with the word before it.
 */
keyForm: string, baseUrl: string, can: CapabilityView, retention: RetentionView | null, };

export type AddConnectionRequest = { 
/**
 * As the platform's catalogue names the provider.
 */
id: string, adapter: string, name: string | null, baseUrl: string | null, 
/**
 * The environment variable that holds the key, where the keyring does not.
 */
variable: string | null, key: Secret | null, };

export type AdoptJobRequest = { caseId: string, runId: string, jobId: string, };

export type AgentView = { id: string, name: string, 
/**
 * Credits that this agent may restore in one posting.
 */
limit: number, };

export type Agreement = "agrees" | "contradicts" | "unsure" | "not_said";

export type AnswerRef = { id: string, url: string, status: number, fetchedAt: string, };

export type AnswerView = { text: string, locale: string, ready: boolean, 
/**
 * What keeps it from being sent.
 */
leaks: Array<string>, };

export type AppInfo = { version: string, workspace: string, 
/**
 * Banner of the workspace, if it has one.
 */
banner: string | null, agent: AgentView, identity: IdentityView, policy: PolicyView, store: StoreView, now: string, 
/**
 * When this program was started: what was begun before it and is under way now was resumed.
 */
startedAt: string, };

export type ApprovalNeed = { 
/**
 * Credits that the act restores, or charges again.
 */
amount: number, perPosting: number, perDay: number, restoredToday: number, 
/**
 * Over which limit, or why an approval that is there does not do.
 */
why: string, };

export type ApprovalPosting = { chargeId: string, runId: string, accountId: string, items: Array<number>, balanceId: string, kind: BalanceKind, label: string, amount: number, };

export type ApprovalRelease = { runId: string, items: Array<number>, refundIds: Array<string>, 
/**
 * What the customer is charged again.
 */
amount: number, consent: ConsentGiven, };

export type ApprovalView = { id: string, caseId: string, 
/**
 * Subject of the case's ticket.
 */
subject: string, state: ApprovalState, amount: number, reason: string, postings: Array<ApprovalPosting>, 
/**
 * Refunds that would be taken back for late results.
 */
releases: Array<ApprovalRelease>, 
/**
 * Sent back with a decision: what was looked at is what is decided.
 */
digest: string, askedBy: string, askedAt: string, decidedBy: string | null, decidedAt: string | null, note: string | null, 
/**
 * Until when it can be decided, or a yes can be used.
 */
expiresAt: string | null, 
/**
 * Key of the action that used it.
 */
usedBy: string | null, 
/**
 * The person at this window asked.
 */
mine: boolean, 
/**
 * The person at this window may decide it: an approver, and not who asked.
 */
canDecide: boolean, };

export type ApprovalsRequest = { 
/**
 * Only what waits or can still be used.
 */
openOnly: boolean, 
/**
 * At most 200.
 */
limit: number, };

export type ApprovalsView = { me: IdentityView, 
/**
 * Everybody the record knows, by id: for names, and for who can decide.
 */
people: Array<PersonView>, 
/**
 * Newest first.
 */
rows: Array<ApprovalView>, now: string, };

export type AskApprovalRequest = { 
/**
 * Made by the window before the first try; every retry uses the same one.
 */
id: string, caseId: string, kind: ActionKind, answer: string | null, caseRevision: number, 
/**
 * `digest` and `made_at` of the sheet.
 */
digest: string, reviewedAt: string, 
/**
 * Why it should be restored, or charged again; the action must name the same reason.
 */
reason: string, 
/**
 * As the sheet of a release was made with it.
 */
consent?: ConsentGiven, };

export type AuditRequest = { 
/**
 * Id of a case, charge, run, output; null: all.
 */
subject: string | null, limit: number, };

export type AuditRow = { seq: number, at: string, actor: string, act: string, subject: string, detail: string, hash: string, };

export type AuditView = { lines: Array<AuditRow>, 
/**
 * The first line at which the chain of hashes breaks; null: whole.
 */
broken: string | null, };

export type BalanceView = { balanceId: string, kind: BalanceKind, label: string, current: number, };

export type BroughtBy = { 
/**
 * Id of the person.
 */
by: string, at: string, 
/**
 * Of the action.
 */
key: string, };

export type CancelTransferRequest = { runId: string, item: number, };

export type CancelTransferResult = { 
/**
 * It has ended, its lease is given back, and nothing of the file is left.
 */
cancelled: boolean, 
/**
 * Why it was not ended, for people.
 */
why: string | null, };

export type CandidateView = { runId: string, matched: boolean, troubled: boolean, project: string, node: string, model: string, startedAt: string, credits: number, reasonsFor: Array<string>, reasonsAgainst: Array<string>, };

export type CanvasItem = { item: number, 
/**
 * Our own copy of its file, to be previewed, where nothing of it is stored that can be.
 */
saved: string | null, now: CanvasState, 
/**
 * What an act makes of it; null where it changes nothing, and outside a review.
 */
after: CanvasState | null, };

export type CanvasNode = { runId: string, nodeId: string, label: string, projectId: string, project: string, 
/**
 * The node or its project was deleted.
 */
deleted: boolean, items: Array<CanvasItem>, };

export type CanvasState = { 
/**
 * `nothing`, `on the node`, `in the history only`, `320 credits back`.
 */
text: string, tone: Tone, 
/**
 * The output that lies there, or will.
 */
outputId: string | null, 
/**
 * It is one whose file may be in the vault: a preview can be asked for.
 */
previewable: boolean, };

export type CapabilityView = { lookUp: boolean, listByTime: boolean, cost: boolean, cancel: boolean, webhook: boolean, 
/**
 * The provider itself tells a file's deadline.
 */
givesExpiry: boolean, };

export type CaseDetail = { head: CaseHead, verdict: VerdictView | null, claimRows: Array<ClaimRow>, timeline: Timeline, usage: UsageView, 
/**
 * The nodes that the matched runs were to fill, as they are now.
 */
canvas: Array<CanvasNode>, history: Array<HistoryRow>, jobs: Array<JobView>, conversation: Array<MessageView>, shots: Array<Shot>, matchView: MatchView, offers: Array<Offer>, 
/**
 * Newest first; the first one decides what the case bar shows.
 */
actions: Array<ActionView>, 
/**
 * The newest request for a second person's yes, and until when it can be used.
 */
approval: ApprovalView | null, answer: AnswerView, drafts: Array<DraftView>, };

export type CaseHead = { caseId: string, ticketId: string, subject: string, desk: string, state: CaseState, 
/**
 * Sent back with every act: an older one is refused.
 */
revision: number, assignee: string | null, customer: string, locale: string | null, timezone: string | null, 
/**
 * The customer's wall clock now: `New York 11:20`.
 */
localTime: string | null, createdAt: string, dueAt: string, followUpAt: string | null, balances: Array<BalanceView>, 
/**
 * When the facts below were read from the record.
 */
asOf: string, };

export type CaseRequest = { caseId: string, };

export type ChooseRunsRequest = { caseId: string, caseRevision: number, runIds: Array<string>, reason: string, };

export type ClaimCaseRequest = { caseId: string, 
/**
 * False gives the case back.
 */
claim: boolean, };

export type ClaimRow = { 
/**
 * `project`, `time`, `model`, `amount`, `refund`, `provider`, `output`.
 */
field: string, 
/**
 * In the customer's words; empty if not said.
 */
said: string, agreement: Agreement, 
/**
 * Id of the row that answers, for copying.
 */
id: string, found: string, 
/**
 * Beside the finding, muted.
 */
remark: string, asOf: string, };

export type Code = "bad_request" | "not_found" | "stale" | "refused" | "unavailable" | "internal";

export type ConfirmRequest = { caseId: string, kind: ActionKind, answer: string | null, caseRevision: number, digest: string, 
/**
 * `made_at` of the sheet: the plan is made again for that instant, from the facts of now.
 */
reviewedAt: string, 
/**
 * Made by the window before the first try; every retry uses the same one.
 */
key: string, reason: string | null, 
/**
 * As it was reviewed.
 */
consent?: ConsentGiven, };

export type ConnectionRequest = { id: string, };

export type ConnectionRow = { id: string, name: string, adapter: AdapterView, 
/**
 * The address that is asked.
 */
baseUrl: string, retention: RetentionView | null, key: KeyView, 
/**
 * Sent back with a change of the key: what was looked at is what is changed.
 */
revision: number, health: HealthView, };

export type ConnectionsView = { now: string, keyring: KeyringView, 
/**
 * Why no provider can be added from the window; null where one can.
 */
closedBecause: string | null, rows: Array<ConnectionRow>, 
/**
 * Every provider that this version can speak to.
 */
adapters: Array<AdapterView>, };

export type ConsentGiven = { 
/**
 * Who agreed: a name or an address, at most 200 characters.
 */
by: string, 
/**
 * After the refund, and not in the future.
 */
at: string, 
/**
 * In which message: its id at the help desk, or its words, at most 4000 characters.
 */
message: string, };

export type Count = { word: string, label: string, count: number, };

export type DecideApprovalRequest = { id: string, digest: string, say: Say, note: string | null, 
/**
 * Who decides, where the record cannot know who is at the window; null: who is connected.
 */
by: string | null, };

export type DetectionView = { kind: DetectionKind, 
/**
 * The kind in a few words: `No output`.
 */
label: string, 
/**
 * Id of the charge, output or row that it is about.
 */
subject: string, 
/**
 * 0 where it concerns no single item.
 */
item: number, runId: string, chargeId: string | null, outputId: string | null, cause: string, 
/**
 * The cause in a few words: `Upload failed`.
 */
causeLabel: string, detail: string, detectedAt: string, closedAt: string | null, };

export type DraftView = { kind: DraftKind, text: string, author: string, revision: number, savedAt: string, };

export type FactView = { source: string, id: string, at: string | null, says: string, };

export type FileDeadline = { "form": "running", until: string, share: number, } | { "form": "saved" } | { "form": "gone", at: string, } | { "form": "none" };

export type Gap = { from: string, until: string, label: string, };

export type HealthView = { 
/**
 * Null: not asked since this program started.
 */
last: LastAnswerView | null, retriesLeft: number, retriesMax: number, 
/**
 * Calls in a row that failed with all their tries, and how many of them open the breaker.
 */
failures: number, failuresMax: number, leftAlone: LeftAloneView | null, };

export type HistoryRow = { runId: string, item: number, model: string, node: string, project: string, startedAt: string, credits: number, state: string, tone: Tone, 
/**
 * `Spring lookbook / Shot 4`, `history only`, `nowhere`.
 */
place: string, outputId: string | null, matched: boolean, };

export type IdentityView = { id: string, name: string, roles: Role[], 
/**
 * Credits in one posting, and in one UTC day, without a second person.
 */
perPosting: number, perDay: number, restoredToday: number, 
/**
 * The database itself knows the login and refuses what it may not do. False: it can only be
 * recorded who acted, and the window says so.
 */
enforced: boolean, };

export type ItemActionView = { runId: string, item: number, action: ItemActionKind, credits: number, };

export type JobItemView = { item: number, state: string, tone: Tone, bytes: number | null, sha256Prefix: string, existsNow: boolean | null, deadline: string | null, 
/**
 * `documented 48 h`, `assumed 7 days`.
 */
retention: string, };

export type JobView = { jobId: string, runId: string, providerId: string, providerName: string, state: string, tone: Tone, error: string | null, submittedAt: string, finishedAt: string | null, 
/**
 * When the provider was last asked; null: only the platform's feed is known.
 */
lookedUpAt: string | null, items: Array<JobItemView>, 
/**
 * A look-up can be made from here.
 */
canLookUp: boolean, 
/**
 * Ids of stored raw answers, newest first.
 */
answers: Array<AnswerRef>, };

export type KeptFile = { 
/**
 * Hashed from what lies there, not from its name.
 */
sha256: string, bytes: number, 
/**
 * By content: `video/mp4`.
 */
mediaType: string, kind: PreviewKind, 
/**
 * Hash and length are those of the record.
 */
intact: boolean, checkedAt: string, 
/**
 * What it says of itself; null where it was not looked into, or does not tell.
 */
media: MediaView | null, 
/**
 * Short enough to be played in the window.
 */
fits: boolean, 
/**
 * Bytes up to which a file is shown in the window.
 */
limitBytes: number, };

export type KeyCheckView = { verdict: KeyVerdict, words: string, at: string, tookMs: number, answers: Array<RawAnswerView>, };

export type KeyPlaceWord = "keyring" | "environment" | "workspace" | "missing" | "waiting";

export type KeyView = { place: KeyPlaceWord, 
/**
 * The environment variable that holds it, or may hold it.
 */
variable: string | null, };

export type KeyringView = { name: string | null, 
/**
 * Why there is none, for people.
 */
why: string | null, };

export type Lane = { 
/**
 * `ticket`, `charge`, `provider`, `webhook`, `storage`, `refund`.
 */
name: string, label: string, 
/**
 * Shown when there are no events: `none posted`.
 */
empty: string, events: Array<TimelineEvent>, };

export type LastAnswerView = { at: string, tookMs: number, 
/**
 * HTTP status; null where no answer came.
 */
status: number | null, 
/**
 * Whether it was given to our key for sure, also where its status is that of a refusal.
 */
keyTaken: boolean, 
/**
 * Why no answer came.
 */
why: string, };

export type LeftAloneView = { why: "asked" | "failing", until: string, };

export type LookUpResult = { asked: number, changed: boolean, 
/**
 * What could not be asked, in plain words.
 */
problems: Array<string>, };

export type LostJobCandidate = { jobId: string, state: string, createdAt: string | null, model: string | null, 
/**
 * Something only this run's job can have speaks for it, and nothing against it: it can be kept.
 */
proven: boolean, reasonsFor: Array<string>, reasonsAgainst: Array<string>, };

export type LostJobRequest = { caseId: string, runId: string, };

export type LostJobView = { runId: string, providerId: string, providerName: string, 
/**
 * Jobs that were read: those of all customers.
 */
read: number, 
/**
 * Whether all jobs of that time were read.
 */
isWhole: boolean, 
/**
 * Why there is no list, or only a part of it.
 */
why: string | null, askedAt: string, 
/**
 * Likeliest first; none that is known as another run's.
 */
candidates: Array<LostJobCandidate>, };

export type MatchView = { explanation: string, matched: Array<string>, candidates: Array<CandidateView>, 
/**
 * The agent who chose, if one did.
 */
chosenBy: string | null, chosenReason: string | null, };

export type MediaView = { 
/**
 * How long it plays, in milliseconds; null for a picture that does not move, and where the file does not tell.
 */
durationMs: number | null, picture: PictureView | null, sound: SoundView | null, };

export type MessageView = { id: string, kind: MessageKind, author: string, at: string, text: string, };

export type NoteTemplate = { text: string, };

export type Nothing = Record<symbol, never>;

export type Offer = { kind: ActionKind, 
/**
 * Verb, object, amount: `Restore 320 credits`.
 */
label: string, primary: boolean, allowed: boolean, 
/**
 * It goes against the verdict: the sheet asks why (R53).
 */
needsReason: boolean, whyNot: string | null, };

export type OpenedOutside = { 
/**
 * It cannot be written, and is deleted when this program ends.
 */
path: string, };

export type Opening = { "state": "working", what: string, done: number, 
/**
 * Parts in all; 0 where nobody counts them.
 */
of: number, } | { "state": "open" } | { "state": "failed", 
/**
 * What can't be used, where it is, and why.
 */
why: string, 
/**
 * Where the settings of this profile are looked for.
 */
settings: string, };

export type OutboxRow = { id: string, at: string, kind: string, caseId: string | null, summary: string, state: string, };

export type OutboxView = { rows: Array<OutboxRow>, };

export type OutcomeState = "running" | "done" | "refused" | "failed_before_effect" | "unknown" | "approval_needed";

export type PassProvider = { provider: string, asked: number, unanswered: number, transferred: number, restored: number, };

export type PassView = { id: string, 
/**
 * Who ran it: a program, host and process.
 */
worker: string, startedAt: string, 
/**
 * Null while it runs, and for ever where the program was stopped in the middle.
 */
finishedAt: string | null, lookedAt: number, transferred: number, restored: number, credits: number, waiting: number, unknown: number, parked: number, detected: number, incidents: number, oldestOpen: string | null, byProvider: Array<PassProvider>, problems: Array<string>, };

export type PersonView = { id: string, name: string, roles: Role[], };

export type PictureView = { 
/**
 * In pixels, as stored.
 */
width: number, height: number, 
/**
 * `h264`; empty where the file has no word for it.
 */
codec: string, };

export type PolicyNumber = { name: string, value: string, unit: string, rule: string, };

export type PolicyView = { version: string, numbers: Array<PolicyNumber>, };

export type PreviewKind = "video" | "audio" | "image" | "other";

export type PreviewRequest = { caseId: string, 
/**
 * An output, or what [`CanvasItem::saved`] gave.
 */
outputId: string, };

export type PreviewView = { outputId: string, runId: string, item: number, 
/**
 * `stored`, `damaged`, `held`; `saved`: it is our own copy, and nobody's output.
 */
state: string, tone: Tone, 
/**
 * `Spring lookbook / Shot 4`; of a copy, the place that it has not come to.
 */
place: string, 
/**
 * When it was stored, or our copy was made.
 */
storedAt: string, 
/**
 * Bytes as the record tells them.
 */
bytes: number, 
/**
 * SHA-256 in hex as the record tells it; null where the platform stored the file and told none.
 */
sha256: string | null, 
/**
 * Null where no copy of ours can be read; `why_not` says why.
 */
kept: KeptFile | null, whyNot: string | null, 
/**
 * Null where no provider told of a file for this item.
 */
promised: PromisedFile | null, 
/**
 * Null where nobody brought it through Makegood.
 */
brought: BroughtBy | null, };

export type PromiseView = { 
/**
 * The policy's window, in hours from the posting of a charge.
 */
windowHours: number, openCharges: number, openCredits: number, 
/**
 * Of the open charges, those that are for people to settle.
 */
parked: number, oldestOpen: string | null, 
/**
 * Until when the oldest open charge was promised to be settled.
 */
oldestDueAt: string | null, 
/**
 * The oldest open charge is past its window.
 */
broken: boolean, 
/**
 * From charge to refund, of refunds in the last 7 days, in seconds; null without refunds.
 */
refundSecondsP50: number | null, refundSecondsP90: number | null, refundSecondsWorst: number | null, 
/**
 * The worst of them was over the window.
 */
worstBroken: boolean, };

export type PromisedFile = { providerId: string, providerName: string, jobId: string, 
/**
 * Null: not told.
 */
bytes: number | null, 
/**
 * First characters in hex; empty: not told.
 */
sha256Prefix: string, 
/**
 * What was told agrees with the copy in the vault; null where nothing was told, or nothing is kept.
 */
agrees: boolean | null, 
/**
 * When the provider was asked; null: as the platform told it.
 */
toldAt: string | null, };

export type PutKeyRequest = { id: string, key: Secret, 
/**
 * Of the row on which this was decided.
 */
revision: number, };

export type QueueCounts = { verdicts: Array<Count>, desks: Array<Count>, states: Array<Count>, };

export type QueueFilter = { states: CaseState[], verdicts: Verdict[], remedies: Remedy[], desks: Array<string>, 
/**
 * Only cases that the agent at this window has claimed.
 */
mine: boolean, 
/**
 * Only cases due by the end of today.
 */
dueToday: boolean, 
/**
 * Only cases whose file is deleted within 24 hours.
 */
fileAtRisk: boolean, 
/**
 * Words that subject, customer, ticket, case, run or project must contain.
 */
search: string, order: QueueOrder, };

export type QueueRequest = { filter: QueueFilter, offset: number, 
/**
 * At most 200.
 */
limit: number, };

export type QueueRow = { caseId: string, ticketId: string, section: QueueSection, subject: string, customer: string, desk: string, state: CaseState, assignee: string | null, verdict: Verdict | null, 
/**
 * The verdict in a few words: `Upload failed`.
 */
verdictLabel: string, tone: Tone, remedy: Remedy | null, 
/**
 * Credits that the run was charged and that are still billed.
 */
amount: number | null, model: string | null, file: FileDeadline, dueAt: string, followUpAt: string | null, openedAt: string, };

export type QueueSection = "file_deletes_first" | "business_day_ends_first" | "later";

export type QueueWindow = { total: number, 
/**
 * Credits at stake in all rows that fit the filter.
 */
stake: number, offset: number, rows: Array<QueueRow>, asOf: string, };

export type RawAnswerRequest = { jobId: string, answerId: string, };

export type RawAnswerView = { url: string, status: number, body: string, fetchedAt: string, };

export type ReadBack = { "what": "file", outputId: string, sha256: string, bytes: number, matches: boolean, place: string, } | { "what": "balance", balanceId: string, label: string, before: number, after: number, matches: boolean, } | { "what": "other", text: string, matches: boolean, };

export type ReasonView = { 
/**
 * The rule of the policy: `P3`.
 */
rule: string, text: string, facts: Array<FactView>, };

export type ReconcileRequest = { 
/**
 * Id of the pass, made by the window before the first try: asked again, the same pass is told.
 */
id: string, };

export type ReconcilerView = { now: string, schedule: ScheduleView, promise: PromiseView, 
/**
 * The pass that runs now, wherever it runs.
 */
running: PassView | null, 
/**
 * Newest first, finished or not.
 */
passes: Array<PassView>, 
/**
 * What was noticed and is not settled, newest first.
 */
detections: Array<DetectionView>, };

export type RemoveKeyRequest = { id: string, revision: number, };

export type RetentionView = { 
/**
 * From the end of the job; null where no limit is stated.
 */
minutes: number | null, source: string, 
/**
 * When the source was last read, as `YYYY-MM-DD`; null where the settings say it.
 */
seen: string | null, };

export type ReviewCheck = { ok: boolean, text: string, };

export type ReviewFile = { runId: string, item: number, jobId: string, bytes: number | null, sha256Prefix: string, projectId: string, 
/**
 * `Spring lookbook / Shot 4 nd_2sg2s0`, `generation history`, `held until …`.
 */
place: string, deadline: string | null, };

export type ReviewMessage = { to: string, locale: string, text: string, ready: boolean, leaks: Array<string>, };

export type ReviewPosting = { chargeId: string, runId: string, items: Array<number>, balanceId: string, kind: BalanceKind, label: string, amount: number, before: number, after: number, };

export type ReviewRequest = { caseId: string, kind: ActionKind, 
/**
 * The answer as the agent edited it; null: as drafted.
 */
answer: string | null, 
/**
 * Needed where a late result is released, and for nothing else.
 */
consent?: ConsentGiven, };

export type ReviewSheet = { caseId: string, caseRevision: number, kind: ActionKind, 
/**
 * `Recover 1 clip, restore 210 credits`.
 */
title: string, 
/**
 * On the button: verb, object, amount.
 */
confirmLabel: string, files: Array<ReviewFile>, 
/**
 * The nodes of the matched runs, before and after.
 */
canvas: Array<CanvasNode>, postings: Array<ReviewPosting>, restoredTotal: number, chargedTotal: number, 
/**
 * Everything else that will happen, in order.
 */
effects: Array<string>, message: ReviewMessage | null, cannotBeUndone: Array<string>, checks: Array<ReviewCheck>, 
/**
 * Needed before confirming: the act goes against the verdict.
 */
needsReason: boolean, 
/**
 * Over what the agent may do alone: a second person must say yes first. Null: not over.
 */
approvalNeed: ApprovalNeed | null, 
/**
 * The newest request for exactly this money, whatever became of it.
 */
approval: ApprovalView | null, 
/**
 * Binds the confirmation to this sheet.
 */
digest: string, madeAt: string, };

export type SaveDraftRequest = { caseId: string, kind: DraftKind, text: string, 
/**
 * The revision that the text was based on; 0 for a new draft.
 */
baseRevision: number, };

export type SaveDraftResult = { "state": "saved", revision: number, savedAt: string, } | { "state": "conflict", theirs: DraftView, };

export type SavedView = { name: string, filter: QueueFilter, };

export type SavedViews = { views: Array<SavedView>, };

export type Say = "approve" | "decline";

export type ScheduleView = { 
/**
 * Minutes between two passes that this program starts by itself; null: it starts none.
 */
everyMinutes: number | null, 
/**
 * Why this program starts none, for people; null where it does.
 */
offBecause: string | null, 
/**
 * The policy's cadence in minutes: a last pass older than this is overdue.
 */
cadenceMinutes: number, lastStartedAt: string | null, lastFinishedAt: string | null, 
/**
 * Nobody has finished a pass within the cadence.
 */
overdue: boolean, overdueSince: string | null, };

export type Secret = string;

export type Shot = { attachmentId: string | null, name: string, mediaType: string, 
/**
 * The text in it, as read.
 */
text: string, reads: Array<ShotRead>, };

export type ShotRead = { 
/**
 * `project`, `time`, `model`, `amount`.
 */
field: string, value: string, agreement: Agreement, 
/**
 * The row it is held against.
 */
against: string, };

export type SoundView = { codec: string, channels: number, 
/**
 * Samples in a second, of each channel.
 */
sampleRate: number, };

export type StoreView = { backend: string, version: string, schema: number, location: string, };

export type Timeline = { 
/**
 * From top to bottom.
 */
lanes: Array<Lane>, 
/**
 * Named holes: `finished, never stored`.
 */
gaps: Array<Gap>, now: string, };

export type TimelineEvent = { at: string, 
/**
 * For spans: provider computing, file kept.
 */
until: string | null, label: string, tone: Tone, id: string, detail: string, };

export type Tone = "ok" | "info" | "warn" | "bad" | "neutral";

export type Topic = { "topic": "queue" } | { "topic": "case", caseId: string, } | { "topic": "action", key: string, caseId: string, } | { "topic": "outbox" } | { "topic": "audit" } | { "topic": "reconciler" } | { "topic": "approvals" } | { "topic": "connections" } | { "topic": "transfers" };

export type TransferPhase = "asking" | "downloading" | "verifying" | "recording";

export type TransferView = { 
/**
 * The agent's action that it belongs to; null: the reconciler's.
 */
actionKey: string | null, caseId: string | null, runId: string, item: number, providerId: string, phase: TransferPhase, receivedBytes: number, 
/**
 * Null where nobody has said how long the file is.
 */
totalBytes: number | null, startedAt: string, 
/**
 * Over the last ten seconds; null until that can be told.
 */
bytesPerSecond: number | null, 
/**
 * At that rate; null where length or rate is not known.
 */
secondsLeft: number | null, 
/**
 * Whether it can still be cancelled.
 */
canCancel: boolean, };

export type TransfersView = { transfers: Array<TransferView>, };

export type UsageKind = "deduction" | "detection" | "refund";

export type UsagePart = { balanceId: string, label: string, credits: number, };

export type UsageRow = { kind: UsageKind, id: string, runId: string, at: string | null, 
/**
 * Signed: deductions below 0, refunds above.
 */
credits: number, 
/**
 * `70 quota + 140 wallet`, `file can be recovered`, `not due`.
 */
text: string, parts: Array<UsagePart>, tone: Tone, };

export type UsageView = { accountId: string | null, rows: Array<UsageRow>, 
/**
 * Charges minus refunds of the matched runs.
 */
billable: number | null, asOf: string, };

export type VerdictView = { verdict: Verdict, label: string, tone: Tone, remedy: Remedy, remedyLabel: string, 
/**
 * The chain in a few words: `charged 320`, `finished 18:12:14`, `3 uploads failed`.
 */
chain: Array<string>, reasons: Array<ReasonView>, wouldChange: Array<string>, flags: Flag[], itemActions: Array<ItemActionView>, creditsToRestore: number, runBillableAfter: number | null, file: FileDeadline, followUpAt: string | null, foundAt: string, };

export type ViewNameRequest = { name: string, };

export type WireError = { code: Code, message: string, retry: boolean, incident: string | null, };

export type WithdrawApprovalRequest = { id: string, digest: string, };

export type QueryCommands = {
  app_info: [Nothing, AppInfo];
  queue: [QueueRequest, QueueWindow];
  queue_counts: [Nothing, QueueCounts];
  saved_views: [Nothing, SavedViews];
  case_detail: [CaseRequest, CaseDetail];
  raw_answer: [RawAnswerRequest, RawAnswerView];
  review: [ReviewRequest, ReviewSheet];
  action: [ActionKeyRequest, ActionView];
  note_template: [CaseRequest, NoteTemplate];
  audit: [AuditRequest, AuditView];
  outbox: [Nothing, OutboxView];
  reconciler: [Nothing, ReconcilerView];
  approvals: [ApprovalsRequest, ApprovalsView];
  connections: [Nothing, ConnectionsView];
  transfers: [Nothing, TransfersView];
  preview: [PreviewRequest, PreviewView];
  lost_job: [LostJobRequest, LostJobView];
};

export type ActCommands = {
  confirm: [ConfirmRequest, ActionView];
  check: [ActionKeyRequest, ActionView];
  cancel_transfer: [CancelTransferRequest, CancelTransferResult];
  look_up: [CaseRequest, LookUpResult];
  choose_runs: [ChooseRunsRequest, Nothing];
  claim_case: [ClaimCaseRequest, Nothing];
  save_draft: [SaveDraftRequest, SaveDraftResult];
  save_view: [SavedView, Nothing];
  delete_view: [ViewNameRequest, Nothing];
  reconcile_now: [ReconcileRequest, PassView];
  ask_approval: [AskApprovalRequest, ApprovalView];
  decide_approval: [DecideApprovalRequest, ApprovalView];
  withdraw_approval: [WithdrawApprovalRequest, ApprovalView];
  put_key: [PutKeyRequest, ConnectionRow];
  remove_key: [RemoveKeyRequest, ConnectionRow];
  check_key: [ConnectionRequest, KeyCheckView];
  reset_connection: [ConnectionRequest, ConnectionRow];
  add_connection: [AddConnectionRequest, ConnectionRow];
  keep_lost_job: [AdoptJobRequest, Nothing];
  open_outside: [PreviewRequest, OpenedOutside];
  remove_connection: [RemoveKeyRequest, ConnectionsView];
};
