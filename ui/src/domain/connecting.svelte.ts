/** What is being done about a provider at this window. It outlives the view: a test that was begun is found on coming back. */
import type { AddConnectionRequest, ConnectionRow, KeyCheckView } from '../lib/ipc/generated/contract';
import { HostError, type Host } from '../lib/ipc/host';
import { failure, type Failure } from '../shared/facts/failure';

export type Act = 'put' | 'remove' | 'check' | 'reset' | 'disconnect';

export class Connecting {
  busy = $state<Act>();
  check = $state.raw<KeyCheckView>();
  failed = $state.raw<{ readonly act: Act; readonly failure: Failure }>();
  /** What was done last and went well. */
  done = $state<Act>();
  readonly id: string;
  #host: Host;

  constructor(host: Host, id: string) {
    this.#host = host;
    this.id = id;
  }

  /** Keeps a key, and asks the provider about it. Whether it was kept. */
  async put(key: string, revision: number): Promise<boolean> {
    const kept = await this.#act('put', () => this.#host.act('put_key', { id: this.id, key, revision }));
    if (kept) await this.test();
    return kept;
  }

  remove(revision: number): Promise<boolean> {
    return this.#act('remove', () => this.#host.act('remove_key', { id: this.id, revision }));
  }

  /** Takes the whole provider out. Whether it is gone. */
  disconnect(revision: number): Promise<boolean> {
    return this.#act('disconnect', () => this.#host.act('remove_connection', { id: this.id, revision }));
  }

  async test(): Promise<void> {
    const done = this.done === 'put' ? 'put' : undefined;
    await this.#act('check', async () => { this.check = await this.#host.act('check_key', { id: this.id }); });
    if (done && !this.failed) this.done = done;
  }

  reset(): Promise<boolean> {
    return this.#act('reset', () => this.#host.act('reset_connection', { id: this.id }));
  }

  async #act(act: Act, run: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = act;
    this.failed = undefined;
    this.done = undefined;
    // What was said of the key or the connection from before says nothing of the next.
    this.check = undefined;
    try {
      await run();
      this.done = act;
      return true;
    } catch (thrown) {
      this.failed = { act, failure: failure(HostError.from(thrown)) };
      return false;
    } finally {
      this.busy = undefined;
    }
  }
}

/** A provider that is being added; what was filled in stays until it is there. */
export class Adding {
  adapter = $state('');
  id = $state('');
  name = $state('');
  baseUrl = $state('');
  variable = $state('');
  key = $state('');
  sending = $state(false);
  failed = $state.raw<Failure>();
  #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  get canAdd(): boolean {
    return !this.sending && this.adapter !== '' && this.id.trim() !== '';
  }

  async add(): Promise<ConnectionRow | undefined> {
    if (!this.canAdd) return undefined;
    this.sending = true;
    this.failed = undefined;
    const said = (text: string): string | null => text.trim() || null;
    const request: AddConnectionRequest = { adapter: this.adapter, id: this.id.trim(), name: said(this.name), baseUrl: said(this.baseUrl), variable: said(this.variable), key: said(this.key) };
    try {
      const row = await this.#host.act('add_connection', request);
      this.clear();
      return row;
    } catch (thrown) {
      this.failed = failure(HostError.from(thrown));
      return undefined;
    } finally {
      this.sending = false;
    }
  }

  /** Fills in what a provider that was removed had. Its key is nowhere any more, so it is asked for. */
  likeBefore(row: ConnectionRow): void {
    this.clear();
    this.adapter = row.adapter.adapter;
    this.id = row.id;
    this.name = row.name === row.adapter.name ? '' : row.name;
    this.baseUrl = row.baseUrl === row.adapter.baseUrl ? '' : row.baseUrl;
    this.variable = row.key.variable ?? '';
  }

  clear(): void {
    this.adapter = this.id = this.name = this.baseUrl = this.variable = this.key = '';
    this.failed = undefined;
  }
}

/** All of a window's work on providers. */
export class Connectings {
  readonly adding: Adding;
  /** The provider that was removed last, as it was, until it is added again or another one is. */
  removed = $state.raw<ConnectionRow>();
  #host: Host;
  #all = new Map<string, Connecting>();

  constructor(host: Host) {
    this.#host = host;
    this.adding = new Adding(host);
  }

  /** Takes a provider out. Whether it is gone. */
  async disconnect(row: ConnectionRow): Promise<boolean> {
    const gone = await this.of(row.id).disconnect(row.revision);
    if (gone) {
      this.removed = row;
      // One of this name that is added later begins without the old one's tests.
      this.#all.delete(row.id);
    }
    return gone;
  }

  of(id: string): Connecting {
    const known = this.#all.get(id) ?? new Connecting(this.#host, id);
    this.#all.set(id, known);
    return known;
  }
}
