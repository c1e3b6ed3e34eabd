import type { PassView } from '../lib/ipc/generated/contract';
import { HostError, type Host } from '../lib/ipc/host';
import { failure, type Failure } from '../shared/facts/failure';

const unanswered = (failed: Failure): boolean => failed.code === 'unreachable' || failed.code === 'unavailable' || failed.code === 'internal';

/**
 * A pass of the reconciler that was asked for at this window. It outlives the view: whoever leaves
 * while it runs finds it, or its result, on coming back. Asking twice asks once.
 */
export class Sweep {
  running = $state(false);
  /** Milliseconds of the window's clock at which it was asked for. */
  since = $state(0);
  result = $state.raw<PassView>();
  failed = $state.raw<Failure>();
  #host: Host;
  #newId: () => string;
  /** Kept over a try without an answer: asking again then asks for the same pass. */
  #id = '';

  constructor(host: Host, newId: () => string = () => crypto.randomUUID()) {
    this.#host = host;
    this.#newId = newId;
  }

  /** Runs one pass and keeps what came of it. `now` is only for telling how long it takes. */
  async run(now: number): Promise<void> {
    if (this.running) return;
    this.running = true;
    this.since = now;
    if (this.failed === undefined || !unanswered(this.failed)) this.#id = this.#newId();
    this.failed = undefined;
    this.result = undefined;
    try {
      this.result = await this.#host.act('reconcile_now', { id: this.#id });
    } catch (thrown) {
      this.failed = failure(HostError.from(thrown));
    } finally {
      this.running = false;
    }
  }

  /** Puts the result away. */
  dismiss(): void {
    this.result = undefined;
    this.failed = undefined;
  }
}
