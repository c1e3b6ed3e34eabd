import type { Topic, TransferView } from '../lib/ipc/generated/contract';
import { HostError, type Host } from '../lib/ipc/host';
import { keyOf, share } from './transfers';

const POLL_MS = 500;
/** A file that takes longer is told about once more on its way, at half. */
const LONG_MS = 15_000;

/** What is said aloud of a file: at its beginning, at half where it takes long, at its end. Nothing between. */
type Told = 'begun' | 'half';

/**
 * The files on their way. The core tells when one begins, changes its phase or ends; in between it is
 * asked while there is one, because bytes are too many to be told one by one.
 */
export class Transferring {
  rows = $state.raw<readonly TransferView[]>([]);
  /** Key of the transfer that is being ended here. */
  ending = $state('');
  #host: Host;
  #say: (words: string) => void;
  #told = new Map<string, Told>();
  /** Acts that were ended from here: what becomes of them is what somebody wished, and no failure. */
  #ended = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reading = false;
  #again = false;

  constructor(host: Host, say: (words: string) => void) {
    this.#host = host;
    this.#say = say;
  }

  heard = (topic: Topic): void => {
    if (topic.topic === 'transfers') void this.read();
  };

  ofCase(caseId: string, runs: readonly string[]): readonly TransferView[] {
    return this.rows.filter((row) => row.caseId === caseId || (row.caseId === null && runs.includes(row.runId)));
  }

  /** Asks now; calls meanwhile lead to one more asking. */
  async read(): Promise<void> {
    if (this.#reading) {
      this.#again = true;
      return;
    }
    this.#reading = true;
    clearTimeout(this.#timer);
    do {
      this.#again = false;
      try {
        this.#came((await this.#host.query('transfers', {})).transfers);
      } catch {
        // What was shown stays; the frame says that the record does not answer.
      }
    } while (this.#again);
    this.#reading = false;
    if (this.rows.length > 0) this.#timer = setTimeout(() => void this.read(), POLL_MS);
  }

  /** Wants a transfer ended. Why it was not, for people; empty where it was. */
  async cancel(transfer: TransferView): Promise<string> {
    if (this.ending !== '') return 'Another one is being ended.';
    this.ending = keyOf(transfer);
    try {
      const { cancelled, why } = await this.#host.act('cancel_transfer', { runId: transfer.runId, item: transfer.item });
      if (cancelled && transfer.actionKey !== null) this.#ended.add(transfer.actionKey);
      return cancelled ? '' : (why ?? 'It was not ended.');
    } catch (thrown) {
      return HostError.from(thrown).message;
    } finally {
      this.ending = '';
      await this.read();
    }
  }

  wasEnded(actionKey: string): boolean {
    return this.#ended.has(actionKey);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #came(rows: readonly TransferView[]): void {
    this.rows = rows;
    for (const row of rows) {
      // The reconciler's own are seen, not told: nobody here waits for them.
      if (row.actionKey === null) continue;
      const key = keyOf(row);
      const told = this.#told.get(key);
      const part = share(row);
      if (told === undefined) {
        this.#told.set(key, 'begun');
        this.#say(`Item ${row.item} is on its way`);
      } else if (told === 'begun' && part !== null && part >= 0.5 && part < 1 && (row.secondsLeft ?? 0) * 1000 > LONG_MS / 2) {
        this.#told.set(key, 'half');
        this.#say(`Half of item ${row.item} is here`);
      }
    }
    const here = new Set(rows.map(keyOf));
    for (const key of this.#told.keys()) if (!here.has(key)) this.#told.delete(key);
  }
}
