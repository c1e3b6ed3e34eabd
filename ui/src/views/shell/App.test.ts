import { flushSync } from 'svelte';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { FakeHost, FakeOptions } from '../../lib/ipc/fake/host';
import { registry } from '../../shared/commands/registry.svelte';
import { nav } from '../../shared/session/nav.svelte';
import { OPEN_FILTER } from '../../domain/queue';
import { all, armed, find, prepare, press, putAway, start } from './staged';

describe('the window', () => {
  beforeEach(prepare);
  afterEach(putAway);

  async function openCase(options: Partial<FakeOptions> = {}): Promise<FakeHost> {
    const host = await start(options);
    await expect.poll(() => all('queue-row').length).toBeGreaterThan(2);
    press('j');
    press('Enter');
    await expect.poll(() => find('case')?.dataset['caseId']).toBe('case-000002');
    return host;
  }

  const outcome = (): string | undefined => find('outcome')?.dataset['state'];

  it('settles a case by keys alone, and shows what was read back', async () => {
    await openCase();
    press('Enter');
    await expect.poll(() => find('confirm')).not.toBeNull();
    expect(find('sheet-place')?.textContent).toContain('Spring lookbook / Shot 4');
    press('Enter');
    expect(outcome()).toBeUndefined();
    await armed();
    press('Enter', { ctrlKey: true, repeat: true });
    expect(find('review-sheet')?.dataset['phase']).toBe('ready');
    press('Enter', { ctrlKey: true });
    await expect.poll(outcome).toBe('done');
    expect(find('outcome-hash')?.dataset['sha256']).toHaveLength(64);
    await expect.poll(() => find('case-state')?.dataset['value']).toBe('settled');
  });

  it('shows balances before and after, on the sheet and read back', async () => {
    const host = await start();
    await host.query('case_detail', { caseId: 'case-000013' });
    const row = (await host.query('queue', { filter: { ...OPEN_FILTER, verdicts: ['duplicate_charge'] }, offset: 0, limit: 1 })).rows[0];
    nav.openCase(row?.caseId ?? '');
    await expect.poll(() => find('primary-action')?.dataset['kind']).toBe('restore');
    press('Enter');
    await armed();
    const planned = all('balance-after').map((cell) => cell.textContent);
    expect(planned.length).toBeGreaterThan(0);
    expect(find('usage')?.textContent).toContain('in this sheet');
    press('Enter', { ctrlKey: true });
    await expect.poll(outcome).toBe('done');
    expect(all('balance-after').map((cell) => cell.textContent)).toEqual(planned);
    await expect.poll(() => find('usage')?.textContent).not.toContain('in this sheet');
  });

  it('after an unknown outcome offers the check and nothing else, also when one comes back', async () => {
    await openCase({ outcome: 'unknown' });
    press('Enter');
    await armed();
    press('Enter', { ctrlKey: true });
    await expect.poll(outcome).toBe('unknown');
    const key = find('review-sheet')?.dataset['key'];
    expect([find('confirm'), find('remake'), find('primary-action')]).toEqual([null, null, null]);
    nav.go({ view: 'queue' });
    await expect.poll(() => find('case')).toBeNull();
    nav.openCase('case-000002');
    await expect.poll(outcome).toBe('unknown');
    expect(find('review-sheet')?.dataset['key']).toBe(key);
    press('Enter', { ctrlKey: true });
    await expect.poll(outcome).toBe('done');
  });

  it('keeps a note over leaving and coming back, and says that it is saved', async () => {
    await openCase();
    const editor = document.querySelector<HTMLTextAreaElement>('[data-testid="note-editor"][data-kind="internal_note"]');
    if (!editor) throw new Error('there is no note editor');
    editor.value = 'Storage on-call was told.';
    editor.dispatchEvent(new Event('input', { bubbles: true }));
    await expect.poll(() => find('note-saved')?.textContent, { timeout: 2000 }).toMatch(/saved \d\d:\d\d:\d\d here/);
    nav.go({ view: 'queue' });
    await expect.poll(() => find('case')).toBeNull();
    nav.openCase('case-000002');
    await expect.poll(() => document.querySelector<HTMLTextAreaElement>('[data-testid="note-editor"][data-kind="internal_note"]')?.value).toBe('Storage on-call was told.');
  });

  it('shows the runs weighed where the match is unclear, and works with the one that is chosen', async () => {
    const host = await start();
    const row = (await host.query('queue', { filter: { ...OPEN_FILTER, verdicts: ['no_match'] }, offset: 0, limit: 1 })).rows[0];
    nav.openCase(row?.caseId ?? '');
    await expect.poll(() => all('candidate').length).toBe(3);
    all('pick-candidate')[1]?.click();
    flushSync();
    const reason = find('candidate-reason') as HTMLTextAreaElement | null;
    if (!reason) throw new Error('no reason is asked for');
    expect((find('confirm-candidate') as HTMLButtonElement | null)?.disabled).toBe(true);
    reason.value = 'The customer named the node.';
    reason.dispatchEvent(new Event('input', { bubbles: true }));
    flushSync();
    find('confirm-candidate')?.click();
    await expect.poll(() => find('primary-action')?.dataset['kind']).toBe('restore');
  });

  it('says what could not be read, and reads it when asked again', async () => {
    const host = await start({ failing: ['queue'] });
    await expect.poll(() => find('problem')?.textContent).toContain('The queue could not be read');
    expect(find('status')?.dataset['state']).toBe('failed');
    host.become({ failing: [] });
    find('retry')?.click();
    await expect.poll(() => all('queue-row').length).toBeGreaterThan(2);
  });

  it('keeps the case readable and lets nothing be confirmed while the record does not answer', async () => {
    const host = await openCase();
    press('Enter');
    await armed();
    host.become({ failing: ['*'] });
    press('F', { shiftKey: true });
    await expect.poll(() => find('status')?.dataset['state']).toBe('failed');
    expect(find('case-subject')?.textContent).toContain('Veo');
    press('Enter', { ctrlKey: true });
    expect([find('review-sheet')?.dataset['phase'], (find('confirm') as HTMLButtonElement | null)?.disabled]).toEqual(['ready', true]);
  });

  it('has no two commands on one key in a view, but for those that shut others out on purpose', async () => {
    await openCase();
    const shadows = new Set(['1', '[', ']', 'Escape', 'Enter', 'Mod+Enter']);
    const used = new Map<string, string>();
    for (const command of registry.active) {
      for (const keys of command.keys ?? []) {
        if (shadows.has(keys)) continue;
        expect(used.get(keys), `${keys}: ${command.id}`).toBeUndefined();
        used.set(keys, command.id);
      }
    }
    expect(used.size).toBeGreaterThan(15);
  });

  it('gives every command a title of its own', async () => {
    await openCase();
    const titles = registry.active.filter((command) => !command.keyOnly).map((command) => command.title);
    expect(new Set(titles).size).toBe(titles.length);
  });
});
