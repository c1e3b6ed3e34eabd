import { flushSync } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { FakeHost, FakeOptions } from '../../lib/ipc/fake/host';
import { nav } from '../../shared/session/nav.svelte';
import { all, armed, find, prepare, press, putAway, start, text } from '../shell/staged';

describe('a recovered file', () => {
  beforeEach(() => {
    prepare();
    vi.stubGlobal('URL', Object.assign(class extends URL {}, { createObjectURL: () => 'blob:tauri://localhost/1', revokeObjectURL: vi.fn() }));
  });
  afterEach(putAway);

  /** Recovers the second case by keys. */
  async function recovered(options: Partial<FakeOptions> = {}): Promise<FakeHost> {
    const host = await start(options);
    nav.openCase('case-000002');
    await expect.poll(() => find('primary-action')?.dataset['kind']).toBe('recover');
    press('Enter');
    await armed();
    return host;
  }

  async function seen(options: Partial<FakeOptions> = {}): Promise<FakeHost> {
    const host = await recovered(options);
    press('Enter', { ctrlKey: true });
    await expect.poll(() => find('outcome')?.dataset['state']).toBe('done');
    await expect.poll(() => find('open-preview')).not.toBeNull();
    press('v');
    await expect.poll(() => find('preview-type')).not.toBeNull();
    return host;
  }

  it('is announced on the sheet by what the node shows before and after', async () => {
    await recovered();
    expect([text('canvas-now'), text('canvas-after')]).toEqual(['nothing', 'on the node']);
    press('Enter', { ctrlKey: true });
    await expect.poll(() => find('outcome-canvas')?.querySelector('[data-testid="canvas-now"]')?.textContent).toContain('on the node');
  });

  it('is opened by a key and shows both sides’ length and hash', async () => {
    await seen();
    await expect.poll(() => find('player-media')?.tagName).toBe('AUDIO');
    expect(find('player-media')?.getAttribute('src')).toBe('blob:tauri://localhost/1');
    expect(find('preview-hash')?.dataset['sha256']).toHaveLength(64);
    expect(find('preview')?.textContent).toContain('Promised by meridian');
    expect(all('preview')[0]?.textContent.match(/agrees/g)).toHaveLength(3);
    press('Escape');
    await expect.poll(() => find('preview')).toBeNull();
    expect(find('case')).not.toBeNull();
  });

  it.each([
    ['absent', 'no such file'], ['damaged', 'not what was stored'], ['long', 'up to 67.1 MB are played in the window'],
  ] as const)('that is %s is not played, and it is said why', async (file, words) => {
    await seen({ file });
    expect(text('preview-none')).toContain(words);
    expect(find('player')).toBeNull();
  });

  it('says that the machine has no decoder, and tries again when asked', async () => {
    await seen();
    await expect.poll(() => find('player-media')).not.toBeNull();
    const media = find('player-media') as HTMLMediaElement;
    Object.defineProperty(media, 'error', { value: { code: 4 } });
    media.dispatchEvent(new Event('error'));
    flushSync();
    expect(text('player-failed')).toContain('This machine has no decoder for audio/wav');
    expect(find('player')?.dataset['state']).toBe('failed');
    find('player-again')?.click();
    await expect.poll(() => find('player')?.dataset['state']).toBe('loading');
    await expect.poll(() => find('player-media')).not.toBeNull();
  });

  it('that cannot be read says so in words, not in a dead player', async () => {
    const host = await recovered();
    press('Enter', { ctrlKey: true });
    await expect.poll(() => find('open-preview')).not.toBeNull();
    host.become({ failing: ['media'] });
    press('v');
    await expect.poll(() => text('player-failed')).toContain('cannot be opened');
  });
});

describe('a file that is saved and nobody has yet', () => {
  beforeEach(() => {
    prepare();
    vi.stubGlobal('URL', Object.assign(class extends URL {}, { createObjectURL: () => 'blob:tauri://localhost/1', revokeObjectURL: vi.fn() }));
  });
  afterEach(putAway);

  it('is seen from the case before anybody decides, with what it says of itself', async () => {
    await start({ late: true });
    nav.openCase('case-000002');
    await expect.poll(() => find('see-saved')).not.toBeNull();
    find('see-saved')?.click();
    await expect.poll(() => find('player-media')?.tagName).toBe('AUDIO');
    expect(find('preview')?.dataset['outputId']).toMatch(/^saved\/1\//);
    expect(find('preview')?.getAttribute('aria-label')).toBe('Preview of a saved file');
    expect(text('preview-media')).not.toBe('');
    expect(find('preview')?.textContent).toContain('delivered nowhere');
    press('Escape');
    await expect.poll(() => find('preview')).toBeNull();
    press('v');
    await expect.poll(() => find('preview')?.dataset['outputId']).toMatch(/^saved\/1\//);
  });

  it('is seen from the sheet of its release', async () => {
    await start({ late: true });
    nav.openCase('case-000002');
    await expect.poll(() => find('open-preview')?.dataset['outputId']).toMatch(/^saved\/1\//);
  });
});

describe('a lost job', () => {
  beforeEach(prepare);
  afterEach(putAway);

  it('is looked for, and only the proven one can be kept', async () => {
    await start({ lostJobs: true });
    nav.openCase('case-000002');
    await expect.poll(() => find('case-tab-evidence')).not.toBeNull();
    press('2');
    await expect.poll(() => find('find-lost-job')).not.toBeNull();
    find('find-lost-job')?.click();
    await expect.poll(() => all('lost-candidate').map((one) => one.dataset['proven'])).toEqual(['true', 'false']);
    const [proven, other] = all('keep-lost-job') as HTMLButtonElement[];
    expect([proven?.disabled, other?.disabled]).toEqual([false, true]);
    proven?.click();
    await expect.poll(() => all('job').length).toBe(1);
    expect(find('lost-job')).toBeNull();
  });

  it('that nobody can be asked for leaves the words and the button', async () => {
    const host = await start({ lostJobs: true });
    nav.openCase('case-000002');
    await expect.poll(() => find('case-tab-evidence')).not.toBeNull();
    press('2');
    await expect.poll(() => find('find-lost-job')).not.toBeNull();
    host.become({ failing: ['lost_job'] });
    find('find-lost-job')?.click();
    await expect.poll(() => text('lost-job-failed')).toContain('cannot be opened');
    expect((find('find-lost-job') as HTMLButtonElement | null)?.disabled).toBe(false);
  });
});
