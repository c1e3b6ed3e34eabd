import type { DraftKind, DraftView, SaveDraftResult } from '../lib/ipc/generated/contract';
import { HostError, type Host } from '../lib/ipc/host';
import { failure, type Failure } from '../shared/facts/failure';

/** From the first unsaved letter to the saving; typing on does not put it off. */
export const SAVE_MS = 400;
const RETRY_MS = 5000;

export type DraftState = 'empty' | 'saved' | 'unsaved' | 'saving' | 'failed' | 'conflict';

/**
 * One text of one case. It lives as long as the window, whatever is shown, and is saved by itself.
 * When somebody else saved first, both texts stay until a person decides.
 */
export class Draft {
  readonly caseId: string;
  readonly kind: DraftKind;
  text = $state('');
  state = $state<DraftState>('empty');
  savedAt = $state('');
  author = $state('');
  theirs = $state.raw<DraftView>();
  /** The text that was not chosen in a conflict; it can be put back. */
  aside = $state('');
  failed = $state.raw<Failure>();
  #host: Host;
  #revision = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #saving = false;

  constructor(host: Host, caseId: string, kind: DraftKind) {
    this.#host = host;
    this.caseId = caseId;
    this.kind = kind;
  }

  /** What the record has. Taken over only where nothing unsaved would be lost. */
  load(stored: DraftView): void {
    if (stored.revision <= this.#revision || this.state === 'unsaved' || this.state === 'saving' || this.state === 'failed' || this.state === 'conflict') return;
    this.#revision = stored.revision;
    this.text = stored.text;
    this.savedAt = stored.savedAt;
    this.author = stored.author;
    this.state = 'saved';
  }

  edit(text: string): void {
    if (text === this.text) return;
    this.text = text;
    if (this.state === 'conflict') return;
    this.state = 'unsaved';
    this.#plan(SAVE_MS);
  }

  /** Begins anew from another text; what was written before is put aside. */
  restart(text: string, before: string): void {
    if (before.trim() !== '' && before !== text) this.aside = before;
    this.edit(text);
  }

  /** Saves at once what is unsaved. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.state === 'unsaved' || this.state === 'failed') await this.#save();
  }

  /** Ends a conflict: one of the two, with the other put aside, or both, theirs first. */
  async settle(choice: 'mine' | 'theirs' | 'both'): Promise<void> {
    const theirs = this.theirs;
    if (!theirs) return;
    this.#revision = theirs.revision;
    this.theirs = undefined;
    if (choice === 'theirs') {
      this.aside = this.text;
      this.text = theirs.text;
      this.savedAt = theirs.savedAt;
      this.author = theirs.author;
      this.state = 'saved';
      return;
    }
    if (choice === 'mine') this.aside = theirs.text;
    if (choice === 'both') this.text = `${theirs.text}\n\n${this.text}`;
    this.state = 'unsaved';
    await this.flush();
  }

  /** Changes places with the text put aside. */
  putBack(): void {
    const text = this.aside;
    this.aside = this.text;
    this.edit(text);
  }

  dropAside(): void {
    this.aside = '';
  }

  #plan(ms: number): void {
    this.#timer ??= setTimeout(() => { this.#timer = undefined; void this.#save(); }, ms);
  }

  async #save(): Promise<void> {
    if (this.#saving) return;
    this.#saving = true;
    const text = this.text;
    this.state = 'saving';
    try {
      this.#saved(text, await this.#host.act('save_draft', { caseId: this.caseId, kind: this.kind, text, baseRevision: this.#revision }));
    } catch (thrown) {
      this.failed = failure(HostError.from(thrown));
      this.state = 'failed';
      this.#plan(RETRY_MS);
    } finally {
      this.#saving = false;
    }
  }

  #saved(text: string, result: SaveDraftResult): void {
    this.failed = undefined;
    if (result.state === 'conflict') {
      this.theirs = result.theirs;
      this.state = 'conflict';
      return;
    }
    this.#revision = result.revision;
    this.savedAt = result.savedAt;
    this.author = '';
    this.state = this.text === text ? 'saved' : 'unsaved';
    if (this.state === 'unsaved') this.#plan(SAVE_MS);
  }
}

/** All drafts that were opened in this window. */
export class Drafts {
  #all = new Map<string, Draft>();
  #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  of(caseId: string, kind: DraftKind): Draft {
    const key = `${caseId} ${kind}`;
    const known = this.#all.get(key);
    if (known) return known;
    const draft = new Draft(this.#host, caseId, kind);
    this.#all.set(key, draft);
    return draft;
  }

  async flush(): Promise<void> {
    await Promise.all([...this.#all.values()].map((draft) => draft.flush()));
  }
}
