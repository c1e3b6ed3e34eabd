/**
 * Answers of the core, kept by question. What was read once is shown at once and stays while it is
 * read again; a failed reading keeps the old answer and says so. An own cache of this size, because
 * the core is local, tells what changed, and never needs retries, windows or persistence.
 */
import { untrack } from 'svelte';

import type { QueryCommands, Topic } from '../../lib/ipc/generated/contract';
import { HostError, type Host, type Query } from '../../lib/ipc/host';
import { failure, type Failure } from './failure';

const KEPT = 64;

export class Fact<T> {
  value = $state.raw<T>();
  failed = $state.raw<Failure>();
  reading = $state(false);
  #read: () => Promise<T>;
  #again = false;
  #told: (failed: Failure | undefined) => void;

  constructor(read: () => Promise<T>, told: (failed: Failure | undefined) => void = () => undefined) {
    this.#read = read;
    this.#told = told;
  }

  /** Reads now. Calls while reading lead to one more reading, not to several. */
  refresh = async (): Promise<void> => {
    if (this.reading) {
      this.#again = true;
      return;
    }
    this.reading = true;
    do {
      this.#again = false;
      try {
        this.value = await this.#read();
        this.failed = undefined;
      } catch (thrown) {
        this.failed = failure(HostError.from(thrown));
      }
      this.#told(this.failed);
    } while (this.#again);
    this.reading = false;
  };
}

interface Kept {
  readonly cmd: Query;
  readonly fact: Fact<unknown>;
  readonly caseId: string | null;
}

const OF_QUEUE: readonly Query[] = ['queue_counts', 'saved_views'];

export class Facts {
  readonly host: Host;
  /** Set while the record does not answer, whatever was asked. */
  failed = $state.raw<Failure>();
  #kept = new Map<string, Kept>();
  #listeners = new Set<(topic: Topic) => void>();

  constructor(host: Host) {
    this.host = host;
  }

  /** The answer to a question, read on first asking. Can be used in `$derived`. */
  of<C extends Query>(cmd: C, payload: QueryCommands[C][0]): Fact<QueryCommands[C][1]> {
    return untrack(() => {
      const key = `${cmd} ${JSON.stringify(payload)}`;
      const known = this.#kept.get(key);
      if (known) {
        this.#kept.delete(key);
        this.#kept.set(key, known);
        return known.fact as Fact<QueryCommands[C][1]>;
      }
      const fact = new Fact(() => this.host.query(cmd, payload), this.#heard);
      const caseId = 'caseId' in payload && typeof payload.caseId === 'string' ? payload.caseId : null;
      this.#kept.set(key, { cmd, fact: fact as Fact<unknown>, caseId });
      this.#forget();
      queueMicrotask(() => void fact.refresh());
      return fact;
    });
  }

  /** Drops the case or audit answer that was not asked for longest; what the frame shows always stays. */
  #forget(): void {
    if (this.#kept.size <= KEPT) return;
    for (const [key, { cmd, caseId }] of this.#kept) {
      if (caseId === null && cmd !== 'audit') continue;
      this.#kept.delete(key);
      return;
    }
  }

  #heard = (failed: Failure | undefined): void => {
    if (!failed) this.failed = undefined;
    else if (failed.code === 'unavailable' || failed.code === 'unreachable') this.failed = failed;
  };

  /** Hears what changed, after the answers here were asked for again. */
  listen(listener: (topic: Topic) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed = (topic: Topic): void => {
    for (const { cmd, fact, caseId } of this.#kept.values()) {
      if (concerns(topic, cmd, caseId)) void fact.refresh();
    }
    for (const listener of this.#listeners) listener(topic);
  };

  refreshAll(): void {
    for (const { fact } of this.#kept.values()) void fact.refresh();
  }
}

function concerns(topic: Topic, cmd: Query, caseId: string | null): boolean {
  switch (topic.topic) {
    case 'queue': return OF_QUEUE.includes(cmd);
    // An empty case id stands for all: the core missed telling which.
    case 'case': return (cmd === 'case_detail' || cmd === 'preview') && (topic.caseId === '' || caseId === topic.caseId);
    case 'action': return (cmd === 'case_detail' && caseId === topic.caseId) || cmd === 'action';
    case 'outbox': return cmd === 'outbox';
    case 'audit': return cmd === 'audit';
    case 'reconciler': return cmd === 'reconciler';
    case 'approvals': return cmd === 'approvals';
    case 'connections': return cmd === 'connections';
    case 'transfers': return cmd === 'transfers';
  }
}
