/** The words and shapes of states. A state is always shape, word and colour together. */
import type {
  ActionKind, Agreement, ApprovalState, BalanceKind, CaseState, DraftKind, Flag, ItemActionKind, OutcomeState, Tone, Verdict,
} from '../lib/ipc/generated/contract';
import type { Shape } from '../shared/controls/shapes';

export interface Word {
  readonly shape: Shape;
  readonly tone: Tone;
  readonly word: string;
}

const VERDICT_SHAPES: Readonly<Record<Verdict, Shape>> = {
  requester_unknown: 'unknown', out_of_scope: 'open', foreign_asset_in_project: 'alert', no_match: 'unknown',
  not_charged: 'done', misattributed_other_customer: 'alert', duplicate_charge: 'refused',
  cancelled_before_start: 'refused', cancelled_after_start: 'open', project_deleted: 'part',
  misattributed_same_customer: 'part', delivered_not_on_canvas: 'part', delivered_ok: 'done', partial_batch: 'part',
  late_result: 'held', corrupt_output: 'refused', never_submitted: 'refused', provider_unreachable: 'unknown',
  in_progress: 'busy', provider_stalled: 'refused', provider_filtered: 'refused', provider_failed: 'refused',
  storage_quota_exceeded: 'part', upload_failed: 'refused', webhook_lost: 'part',
};

/** Shape of a verdict; a case without one has not been worked out yet. */
export function verdictShape(verdict: Verdict | null): Shape {
  return verdict === null ? 'busy' : VERDICT_SHAPES[verdict];
}

const AGREEMENT: Readonly<Record<Agreement, Word>> = {
  agrees: { shape: 'check', tone: 'ok', word: 'agrees' },
  contradicts: { shape: 'refused', tone: 'bad', word: 'contradicts' },
  unsure: { shape: 'alert', tone: 'warn', word: 'not sure' },
  not_said: { shape: 'open', tone: 'neutral', word: 'not said' },
};

export const agreement = (value: Agreement): Word => AGREEMENT[value];

const OUTCOME: Readonly<Record<OutcomeState, Word>> = {
  running: { shape: 'busy', tone: 'info', word: 'Sending' },
  done: { shape: 'check', tone: 'ok', word: 'Done' },
  refused: { shape: 'refused', tone: 'bad', word: 'Refused' },
  failed_before_effect: { shape: 'refused', tone: 'bad', word: 'Failed before anything changed' },
  unknown: { shape: 'unknown', tone: 'warn', word: 'Not known' },
  approval_needed: { shape: 'lock', tone: 'warn', word: 'A second person must approve' },
};

export const outcome = (value: OutcomeState): Word => OUTCOME[value];

const APPROVAL: Readonly<Record<ApprovalState, Word>> = {
  waiting: { shape: 'held', tone: 'info', word: 'Waiting' },
  approved: { shape: 'check', tone: 'ok', word: 'Approved' },
  declined: { shape: 'refused', tone: 'bad', word: 'Declined' },
  withdrawn: { shape: 'open', tone: 'neutral', word: 'Withdrawn' },
  used: { shape: 'done', tone: 'neutral', word: 'Used' },
  expired: { shape: 'open', tone: 'warn', word: 'Expired' },
};

export const approvalState = (value: ApprovalState): Word => APPROVAL[value];

const CASE_STATE: Readonly<Record<CaseState, Word>> = {
  open: { shape: 'open', tone: 'neutral', word: 'Open' },
  waiting: { shape: 'held', tone: 'info', word: 'Waiting' },
  settled: { shape: 'check', tone: 'ok', word: 'Settled' },
  linked: { shape: 'done', tone: 'neutral', word: 'Linked' },
};

export const caseState = (value: CaseState): Word => CASE_STATE[value];

/** Short words for balances, where the account is clear. */
export const BALANCES: Readonly<Record<BalanceKind, string>> = {
  subscription_quota: 'Quota', workspace_pool: 'Pool', wallet: 'Wallet', workspace_wallet: 'Wallet',
};

/** What an act does with what is there, for the sheet's subtitle. */
export const ACTIONS: Readonly<Record<ActionKind, { readonly verb: string; readonly how: string }>> = {
  recover: { verb: 'Recover', how: 'The file is fetched, checked and stored first; credits only where it cannot be had.' },
  restore: { verb: 'Restore', how: 'Credits go back to the balances they came from.' },
  reattach: { verb: 'Reattach', how: 'The stored output is put where it belongs. No charge.' },
  hold: { verb: 'Hold', how: 'The file is kept by support until it can be placed.' },
  release: { verb: 'Release', how: 'The refund is taken back and the late result delivered, in one go. Only with the customer’s consent.' },
  quarantine: { verb: 'Quarantine', how: 'The output is made unreachable where it lies. Nothing is deleted.' },
  link: { verb: 'Link', how: 'The older ticket goes on with it. No second remedy.' },
  ask: { verb: 'Ask', how: 'The customer is asked. Nothing else changes.' },
  route: { verb: 'Route', how: 'Billing takes over. Nothing else changes.' },
  answer: { verb: 'Answer', how: 'The answer is sent. Nothing else changes.' },
};

export interface DraftWords {
  readonly title: string;
  readonly audience: string;
  readonly staffOnly: boolean;
  readonly placeholder: string;
}

export const DRAFTS: Readonly<Record<DraftKind, DraftWords>> = {
  escalation_note: { title: 'Escalation note', audience: 'Staff only', staffOnly: true, placeholder: 'What was found, what was tried, what is asked of whom, by when.' },
  internal_note: { title: 'Note', audience: 'Staff only', staffOnly: true, placeholder: 'For colleagues. The customer never sees this.' },
  reply: { title: 'Reply', audience: 'Customer sees this', staffOnly: false, placeholder: 'What the customer will read.' },
};

export const FLAGS: Readonly<Record<Flag, { readonly text: string; readonly tone: Tone }>> = {
  privacy_incident: { text: 'Privacy incident', tone: 'bad' },
  urgent_retention: { text: 'File is deleted soon', tone: 'warn' },
  retention_assumed: { text: 'Retention not published, 7 days assumed', tone: 'warn' },
  needs_storage_space: { text: 'Account has no room', tone: 'warn' },
  cancel_upstream: { text: 'Job is cancelled at the provider', tone: 'info' },
  provider_unconfirmed: { text: 'Provider never confirmed', tone: 'warn' },
  quota_period_rolled: { text: 'Added to the present quota period', tone: 'info' },
  subscription_ended: { text: 'Subscription ended, goes to the wallet', tone: 'info' },
  wrong_balance_refund: { text: 'An earlier refund went to a wrong balance', tone: 'bad' },
  requester_not_member: { text: 'Requester is no longer a member', tone: 'bad' },
  reopened: { text: 'Closed before without remedy', tone: 'warn' },
  project_id_corrected: { text: 'Project id read with a correction', tone: 'warn' },
  project_ref_unknown: { text: 'Project named is not in scope', tone: 'warn' },
  evidence_relaxed: { text: 'Matched on less than was said', tone: 'warn' },
};

export const ITEM_ACTIONS: Readonly<Record<ItemActionKind, string>> = {
  none: 'nothing due', recover: 'recover', restore: 'restore', hold: 'hold', reattach: 'reattach', guide: 'show the way', wait: 'wait', quarantine: 'quarantine',
};

/** `retention_assumed` → `retention assumed`, for words that have no own text. */
export const plain = (word: string): string => word.replaceAll('_', ' ');
