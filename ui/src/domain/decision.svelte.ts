/** Being the second person. */
import type { ApprovalView } from '../lib/ipc/generated/contract';
import { HostError, type Host } from '../lib/ipc/host';
import { failure, type Failure } from '../shared/facts/failure';
import { ARM_MS } from './review.svelte';

export type Answer = 'approve' | 'decline' | 'withdraw';

/** `lost`: no answer came. The same decision can be sent again: the record takes it once. */
export type DecisionPhase = 'ready' | 'sending' | 'lost' | 'done' | 'refused';

/** One answer to one request on its way: chosen, looked at, confirmed by a second key. */
export class Decision {
  readonly approval: ApprovalView;
  phase = $state<DecisionPhase>('ready');
  answer = $state<Answer>('approve');
  note = $state('');
  /** Who decides, where the record cannot know; null: the login. */
  by = $state<string | null>(null);
  armed = $state(false);
  failed = $state.raw<Failure>();
  result = $state.raw<ApprovalView>();
  #host: Host;
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly #unknown: boolean;

  /** `unknown`: the record does not know who is at the window, so that person must be named. */
  constructor(host: Host, approval: ApprovalView, answer: Answer, by: string | null, unknown: boolean) {
    this.#host = host;
    this.#unknown = unknown;
    this.approval = approval;
    this.answer = answer;
    this.by = by;
    this.#arm();
  }

  /** A no without a word helps nobody. */
  get noteMissing(): boolean {
    return this.answer === 'decline' && this.note.trim() === '';
  }

  get personMissing(): boolean {
    return this.#unknown && this.answer !== 'withdraw' && this.by === null;
  }

  get canConfirm(): boolean {
    return (this.phase === 'ready' || this.phase === 'lost') && this.armed && !this.noteMissing && !this.personMissing;
  }

  /** Another answer is another act: it has to stand for a moment again. */
  choose(answer: Answer): void {
    if (this.phase !== 'ready' || answer === this.answer) return;
    this.answer = answer;
    this.#arm();
  }

  async confirm(): Promise<void> {
    if (!this.canConfirm) return;
    this.phase = 'sending';
    try {
      const { id, digest } = this.approval;
      this.result = this.answer === 'withdraw'
        ? await this.#host.act('withdraw_approval', { id, digest })
        : await this.#host.act('decide_approval', { id, digest, say: this.answer, by: this.by, note: this.note.trim() || null });
      this.failed = undefined;
      this.phase = 'done';
    } catch (thrown) {
      this.failed = failure(HostError.from(thrown));
      const saidNo = ['stale', 'refused', 'bad_request', 'not_found'].includes(this.failed.code);
      this.phase = saidNo ? 'refused' : 'lost';
    }
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.armed = false;
    this.#timer = setTimeout(() => { this.armed = true; }, ARM_MS);
  }
}
