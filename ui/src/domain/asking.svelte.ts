/** Asking a second person. */
import type { ApprovalView, ConsentGiven, ReviewSheet } from '../lib/ipc/generated/contract';
import { HostError, type Host } from '../lib/ipc/host';
import { failure, type Failure } from '../shared/facts/failure';

/** A request on its way to the record. Its id is made first, so that sending it again asks once. */
export class Asking {
  reason = $state('');
  sending = $state(false);
  failed = $state.raw<Failure>();
  asked = $state.raw<ApprovalView>();
  readonly sheet: ReviewSheet;
  readonly answer: string | null;
  /** The customer's agreement, where the sheet is that of a release. */
  readonly consent: ConsentGiven | undefined;
  readonly id: string;
  #host: Host;

  constructor(host: Host, sheet: ReviewSheet, answer: string | null, id: string = crypto.randomUUID(), consent?: ConsentGiven) {
    this.#host = host;
    this.sheet = sheet;
    this.answer = answer;
    this.consent = consent;
    this.id = id;
  }

  get canAsk(): boolean {
    return !this.sending && !this.asked && this.reason.trim() !== '';
  }

  async ask(): Promise<void> {
    if (!this.canAsk) return;
    this.sending = true;
    try {
      const { caseId, kind, caseRevision, digest, madeAt } = this.sheet;
      this.asked = await this.#host.act('ask_approval', { id: this.id, caseId, kind, answer: this.answer, caseRevision, digest, reviewedAt: madeAt, reason: this.reason.trim(), ...(this.consent ? { consent: this.consent } : {}) });
      this.failed = undefined;
    } catch (thrown) {
      this.failed = failure(HostError.from(thrown));
    } finally {
      this.sending = false;
    }
  }
}
