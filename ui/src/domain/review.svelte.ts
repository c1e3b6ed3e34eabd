import type { ActionKind, ActionView, ApprovalView, ConsentGiven, ReviewSheet } from '../lib/ipc/generated/contract';
import { HostError, type Host } from '../lib/ipc/host';
import { failure, type Failure } from '../shared/facts/failure';
import { Asking } from './asking.svelte';

/** A sheet can be confirmed only after it has stood unchanged for this long. */
export const ARM_MS = 300;
const POLL_MS = 1000;

/** `consent`: the customer's agreement is to be noted first. `making`: dry run under way. `lost`: the confirmation got no answer, so nothing is known. */
export type Phase = 'consent' | 'making' | 'ready' | 'confirming' | 'lost' | 'outcome' | 'failed';

/**
 * One act on its way from dry run to outcome. The key is made with the sheet, before anything is
 * sent, and every try to confirm that sheet uses it: the core does it once, whatever happens here.
 */
export class Review {
  readonly caseId: string;
  readonly kind: ActionKind;
  phase = $state<Phase>('making');
  sheet = $state.raw<ReviewSheet>();
  outcome = $state.raw<ActionView>();
  failed = $state.raw<Failure>();
  /** Set where the sheet is over what this person may restore alone. */
  asking = $state.raw<Asking>();
  armed = $state(false);
  checking = $state(false);
  reason = $state('');
  /** What is being written about the customer's agreement, and what of it the sheet was made with. */
  agreement = $state({ by: '', at: '', message: '' });
  consent = $state.raw<ConsentGiven>();
  key = $state('');
  /** What a release tells the customer where nobody wrote anything else; the case's reply is about the verdict. */
  drafted = $state('');
  /** The case's reply was begun anew from that, and goes out with the release. */
  ownReply = $state(false);
  /** The answer as it stood when the sheet was made; null: as drafted by the rules. */
  answer: string | null = null;
  #told = '';
  #host: Host;
  #newKey: () => string;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(host: Host, caseId: string, kind: ActionKind, newKey: () => string = () => crypto.randomUUID()) {
    this.#host = host;
    this.caseId = caseId;
    this.kind = kind;
    this.#newKey = newKey;
  }

  /** Whether an act may still be under way: then only asking after it is offered. */
  get pending(): boolean {
    return this.phase === 'confirming' || this.phase === 'lost' || this.outcome?.state === 'running' || this.outcome?.state === 'unknown';
  }

  /** A second person's yes to exactly this, whether or not there is still time to use it. */
  get yes(): ApprovalView | undefined {
    const given = this.given;
    return this.sheet?.approvalNeed && given?.mine && given.state === 'approved' ? given : undefined;
  }

  get reasonMissing(): boolean {
    return !this.yes && (this.sheet?.needsReason ?? false) && this.reason.trim() === '';
  }

  get blocked(): boolean {
    return this.sheet?.checks.some((check) => !check.ok) ?? true;
  }

  /** A sheet over the limit waits for a yes: the record would refuse it anyway. */
  get yesMissing(): boolean {
    return this.sheet !== undefined && this.sheet.approvalNeed !== null && !this.yes;
  }

  get canConfirm(): boolean {
    return this.phase === 'ready' && this.armed && !this.reasonMissing && !this.yesMissing && !this.blocked;
  }

  /** The newest request for exactly this money: what was asked here, or what the sheet came with. */
  get given(): ApprovalView | undefined {
    return this.asking?.asked ?? this.sheet?.approval ?? undefined;
  }

  /**
   * Hears how the request for this sheet stands now. Where it was decided, the sheet is made again: it
   * may have stood for long, and who was told no can ask anew.
   */
  heard(approval: ApprovalView | null): void {
    const known = this.given;
    if (!approval || this.phase !== 'ready' || approval.id !== known?.id || approval.state === known.state) return;
    const told = `${approval.id} ${approval.state}`;
    // A case that was read before the sheet was made tells an older state: once is enough.
    if (told === this.#told) return;
    this.#told = told;
    void this.make(this.answer);
  }

  /**
   * Makes the sheet, or makes it again from the facts of now. A new sheet has a new key: what was
   * answered under the old one (refused, failed before any effect) stays answered so for ever.
   */
  async make(answer: string | null): Promise<void> {
    if (this.pending) return;
    clearTimeout(this.#timer);
    this.armed = false;
    if (this.kind === 'release' && !this.consent) {
      this.answer = answer;
      this.phase = 'consent';
      return;
    }
    this.phase = 'making';
    this.failed = undefined;
    this.outcome = undefined;
    this.answer = answer;
    try {
      const sheet = await this.#host.query('review', { caseId: this.caseId, kind: this.kind, answer, ...this.#agreed() });
      this.sheet = sheet;
      if (this.kind === 'release' && answer === null) this.drafted = sheet.message?.text.trim() ?? '';
      this.key = this.#newKey();
      this.asking = sheet.approvalNeed ? new Asking(this.#host, sheet, answer, crypto.randomUUID(), this.consent) : undefined;
      this.phase = 'ready';
      this.#arm();
    } catch (thrown) {
      this.failed = failure(HostError.from(thrown));
      this.phase = 'failed';
    }
  }

  /** Why the agreement can't be used as it is written; null where it can. The record has the last word. */
  agreementFlaw(now: number): string | null {
    const { by, at, message } = this.agreement;
    if (by.trim() === '') return 'Say who agreed.';
    const instant = utc(at);
    if (Number.isNaN(instant)) return 'Say when, in UTC, as 2026-03-14 09:30.';
    if (instant > now) return 'That is in the future.';
    return message.trim() === '' ? 'Say in which message, by its id or its words.' : null;
  }

  /** Makes the sheet of a release with the agreement as it is written. */
  async agreed(now: number): Promise<void> {
    if (this.agreementFlaw(now) !== null || this.phase !== 'consent') return;
    const { by, at, message } = this.agreement;
    this.consent = { by: by.trim(), at: new Date(utc(at)).toISOString(), message: message.trim() };
    await this.make(this.answer);
  }

  /** Back to the agreement: nothing that was written is lost. */
  changeAgreement(): void {
    if (this.pending) return;
    this.consent = undefined;
    this.failed = undefined;
    this.phase = 'consent';
  }

  /** Confirms what the sheet says, once. Too early, or twice, does nothing. */
  async confirm(): Promise<void> {
    const sheet = this.sheet;
    if (!sheet || !this.canConfirm) return;
    this.phase = 'confirming';
    try {
      this.#came(await this.#host.act('confirm', {
        caseId: this.caseId, kind: this.kind, answer: this.answer, caseRevision: sheet.caseRevision, digest: sheet.digest,
        reviewedAt: sheet.madeAt, key: this.key, reason: this.yes?.reason ?? (this.reason.trim() || null), ...this.#agreed(),
      }));
    } catch (thrown) {
      this.failed = failure(HostError.from(thrown));
      // Said no: nothing was done. Said nothing, or broke: it may have been done.
      const saidNo = ['stale', 'refused', 'bad_request', 'not_found'].includes(this.failed.code);
      this.phase = saidNo ? 'failed' : 'lost';
    }
  }

  /** Asks what became of it, under the key it was sent with. */
  async check(): Promise<void> {
    if (this.checking) return;
    this.checking = true;
    try {
      this.#came(await this.#host.act('check', { key: this.key }));
    } catch (thrown) {
      const found = failure(HostError.from(thrown));
      if (found.code === 'not_found' && this.phase === 'lost') {
        // It never arrived: the same sheet can be confirmed with the same key.
        this.failed = undefined;
        this.phase = 'ready';
        this.#arm();
      } else {
        this.failed = found;
      }
    } finally {
      this.checking = false;
    }
  }

  /** Takes up an act that was begun before this window knew it. */
  resume(view: ActionView): void {
    this.key = view.key;
    this.#came(view);
  }

  /** Stops asking by itself. The act goes on in the core. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #agreed(): { consent: ConsentGiven } | Record<string, never> {
    return this.consent ? { consent: this.consent } : {};
  }

  #came(view: ActionView): void {
    this.failed = undefined;
    this.outcome = view;
    this.phase = 'outcome';
    if (view.state === 'running' && !this.#closed) this.#timer = setTimeout(() => void this.#poll(), POLL_MS);
  }

  async #poll(): Promise<void> {
    try {
      this.#came(await this.#host.query('action', { key: this.key }));
    } catch (thrown) {
      this.failed = failure(HostError.from(thrown));
      if (!this.#closed) this.#timer = setTimeout(() => void this.#poll(), 2 * POLL_MS);
    }
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.armed = false;
    this.#timer = setTimeout(() => { this.armed = true; }, ARM_MS);
  }
}

/** An instant as people write it in UTC; NaN where it is none. */
function utc(text: string): number {
  const [, day, time] = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d)?)$/.exec(text.trim()) ?? [];
  return day && time ? Date.parse(`${day}T${time}Z`) : Number.NaN;
}

/** The open review of each case: leaving a case and coming back finds it, key and all. */
export class Reviews {
  #open = $state.raw<ReadonlyMap<string, Review>>(new Map());
  #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  of(caseId: string): Review | undefined {
    return this.#open.get(caseId);
  }

  /** Opens a review. One that may still be under way is not replaced. */
  open(caseId: string, kind: ActionKind, answer: string | null): Review {
    const known = this.#open.get(caseId);
    if (known && (known.pending || (known.kind === kind && (known.phase === 'consent' || (known.phase === 'ready' && known.answer === answer))))) return known;
    known?.close();
    const review = new Review(this.#host, caseId, kind);
    this.#open = new Map(this.#open).set(caseId, review);
    void review.make(answer);
    return review;
  }

  /** Takes up an unfinished act that the record tells of; a sheet that is open stays, whoever acts beside it. */
  resume(caseId: string, view: ActionView): Review {
    const known = this.#open.get(caseId);
    if (known && (known.key === view.key || known.phase !== 'outcome')) return known;
    const review = new Review(this.#host, caseId, view.kind);
    review.resume(view);
    this.#open = new Map(this.#open).set(caseId, review);
    return review;
  }

  close(caseId: string): void {
    this.#open.get(caseId)?.close();
    const rest = new Map(this.#open);
    rest.delete(caseId);
    this.#open = rest;
  }
}
