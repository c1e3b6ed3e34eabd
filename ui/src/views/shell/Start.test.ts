import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { FakeHost } from '../../lib/ipc/fake/host';
import type { Opening } from '../../lib/ipc/generated/contract';
import type { Opener } from '../../lib/ipc/host';
import Start from './Start.svelte';
import { find, prepare, press, putAway, text } from './staged';

/** A program whose opening goes as a test says. */
class Staged implements Opener {
  stage: Opening = { state: 'working', what: 'Opening the workspace', done: 0, of: 0 };
  tries = 0;
  #heard: ((opening: Opening) => void) | null = null;

  now(): Promise<Opening> { return Promise.resolve(this.stage); }
  onOpening(listener: (opening: Opening) => void): Promise<() => void> {
    this.#heard = listener;
    return Promise.resolve(() => { this.#heard = null; });
  }
  again(): Promise<void> {
    this.tries += 1;
    return Promise.resolve();
  }
  tell(stage: Opening): void {
    this.stage = stage;
    this.#heard?.(stage);
    flushSync();
  }
  get isHeard(): boolean { return this.#heard !== null; }
}

describe('the start', () => {
  let shown: ReturnType<typeof mount> | undefined;
  let opener: Staged;

  beforeEach(() => {
    prepare();
    opener = new Staged();
  });
  afterEach(async () => {
    if (shown) await unmount(shown);
    shown = undefined;
    putAway();
  });

  async function begin(with_: Opener = opener): Promise<void> {
    shown = mount(Start, { target: document.body, props: { host: new FakeHost(), opener: with_ } });
    if (with_ === opener) await expect.poll(() => opener.isHeard).toBe(true);
  }
  const state = (): string | undefined => find('start')?.dataset['state'];

  it('shows how far it is, and then the workspace', async () => {
    await begin();
    expect(state()).toBe('working');
    expect(find('frame')).toBeNull();
    opener.tell({ state: 'working', what: 'Reading the practice tickets', done: 40, of: 289 });
    expect(text('start')).toContain('Reading the practice tickets');
    expect(text('start-progress')).toBe('40 of 289');
    opener.tell({ state: 'open' });
    expect(find('start')).toBeNull();
    await expect.poll(() => find('queue')).not.toBeNull();
  });

  it('opens where the workspace was open before the page asked, and stays open', async () => {
    opener.stage = { state: 'open' };
    await begin();
    await expect.poll(() => find('frame')).not.toBeNull();
    opener.tell({ state: 'working', what: 'late', done: 0, of: 0 });
    expect(find('frame')).not.toBeNull();
  });

  it('says why it can’t be opened and where the settings are, and tries again by one key', async () => {
    await begin();
    opener.tell({ state: 'failed', why: 'the record at db.example:5432 refused the password', settings: '/profile/makegood.toml' });
    expect(text('start-why')).toBe('the record at db.example:5432 refused the password');
    expect(text('start-failure')).toContain('/profile/makegood.toml');
    expect(document.activeElement).toBe(find('start-again'));
    press('Enter');
    expect(opener.tries).toBe(1);
    expect(state()).toBe('working');
    opener.tell({ state: 'failed', why: 'and again', settings: '' });
    expect(text('start-why')).toBe('and again');
  });

  it('says that nobody answers, rather than waiting for ever', async () => {
    const mute: Opener = {
      now: () => Promise.reject(new Error('no such command')),
      onOpening: () => Promise.resolve(() => undefined),
      again: () => Promise.resolve(),
    };
    await begin(mute);
    await expect.poll(state).toBe('silent');
    expect(text('start')).toContain('no such command');
  });
});
