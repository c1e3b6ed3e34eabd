import { flushSync } from 'svelte';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { nav } from '../../shared/session/nav.svelte';
import { all, armed, disabled, fill, find, prepare, press, putAway, start, text } from '../shell/staged';

const VIEW = { view: 'approvals' } as const;
const CASE = 'case-000013';
const sheet = (key: string): string | undefined => find('decision-sheet')?.dataset[key];
const listed = (): Promise<unknown> => expect.poll(() => all('approval').length).toBeGreaterThan(3);

function choose(person: string): void {
  const select = find('decider');
  if (!(select instanceof HTMLSelectElement)) throw new Error('nobody is asked who decides');
  select.value = person;
  select.dispatchEvent(new Event('change', { bubbles: true }));
  flushSync();
}

describe('the second person', () => {
  beforeEach(prepare);
  afterEach(putAway);

  it('approves by two deliberate keys, exactly what the review sheet showed', async () => {
    await start({}, VIEW);
    await listed();
    expect(find('rail-approvals')?.textContent).toContain('3');
    press('Enter');
    await expect.poll(() => all('posting').length).toBeGreaterThan(0);
    expect([sheet('answer'), text('decision-title')]).toEqual(['approve', 'Approve 360 credits']);
    expect(text('decision-reason')).toContain('campaign starts Monday');
    expect(text('decision-postings')).toMatch(/\+360.*1,022.*1,382/);
    await armed('decide');
    press('Enter');
    expect(sheet('phase')).toBe('ready');
    press('Enter', { ctrlKey: true });
    await expect.poll(() => sheet('phase')).toBe('done');
    expect(text('decision-state')).toContain('Approved by you');
    press('Escape');
    await expect.poll(() => find('approval')?.dataset['approvalId']).not.toBe('apr-lena-0000000001');
  });

  it('declines only with a note, which who asked can read', async () => {
    const host = await start({}, VIEW);
    await listed();
    press('j');
    press('Enter');
    await expect.poll(() => sheet('phase')).toBe('ready');
    press('x');
    expect([sheet('answer'), disabled('decide')]).toEqual(['decline', true]);
    fill('decision-note', 'It was delivered at 09:12.');
    await armed('decide');
    press('Enter', { ctrlKey: true });
    await expect.poll(() => sheet('phase')).toBe('done');
    const row = (await host.query('approvals', { openOnly: false, limit: 200 })).rows.find((other) => other.id === 'apr-lena-0000000001');
    expect([row?.state, row?.note, row?.decidedBy]).toEqual(['declined', 'It was delivered at 09:12.', 'agent-ana']);
  });

  it('is named where the record cannot know who is at the window, and that is said', async () => {
    const host = await start({}, VIEW);
    await listed();
    expect(text('not-enforced')).toContain('Recorded, not enforced');
    const own = all('approval').find((row) => row.dataset['approvalId'] === 'apr-ana-00000000003');
    own?.querySelector<HTMLElement>('[data-testid="approval-open"]')?.click();
    flushSync();
    expect([sheet('answer'), find('decider')]).toEqual(['withdraw', null]);
    find('answer-switch')?.click();
    flushSync();
    expect([...(find('decider') as HTMLSelectElement).options].map((option) => option.value)).toEqual(['', 'agent-ben']);
    expect(text('decision-sheet')).toContain('Say above who you are.');
    expect(disabled('decide')).toBe(true);
    choose('agent-ben');
    await armed('decide');
    press('Enter', { ctrlKey: true });
    await expect.poll(() => sheet('phase')).toBe('done');
    const row = (await host.query('approvals', { openOnly: false, limit: 200 })).rows.find((other) => other.id === 'apr-ana-00000000003');
    expect([row?.state, row?.decidedBy]).toEqual(['approved', 'agent-ben']);
  });

  it('is the login where the record knows it: no choice, and never for the own request', async () => {
    await start({ enforced: true }, VIEW);
    await listed();
    expect(find('not-enforced')).toBeNull();
    expect(find('rail-approvals')?.textContent).toContain('2');
    press('Enter');
    await expect.poll(() => sheet('phase')).toBe('ready');
    expect(find('decider')).toBeNull();
    press('Escape');
    await expect.poll(() => find('decision-sheet')).toBeNull();
    const own = all('approval').find((row) => row.dataset['approvalId'] === 'apr-ana-00000000003');
    own?.querySelector<HTMLElement>('[data-testid="approval-open"]')?.click();
    flushSync();
    expect([sheet('answer'), find('answer-approve'), find('answer-switch')]).toEqual(['withdraw', null, null]);
    await armed('decide');
    press('Enter', { ctrlKey: true });
    await expect.poll(() => sheet('phase')).toBe('done');
    expect(text('decision-state')).toContain('Withdrawn');
  });

  it('gives the focus back to the request when the sheet is left', async () => {
    await start({}, VIEW);
    await listed();
    press('j');
    const row = document.activeElement;
    press('Enter');
    await expect.poll(() => (document.activeElement as HTMLElement).dataset['testid']).toBe('decision-sheet');
    press('Escape');
    await expect.poll(() => document.activeElement).toBe(row);
  });

  it('is told when somebody else decided meanwhile', async () => {
    const host = await start({}, VIEW);
    await listed();
    press('Enter');
    await armed('decide');
    const row = (await host.query('approvals', { openOnly: false, limit: 200 })).rows[0];
    await host.act('decide_approval', { id: row?.id ?? '', digest: row?.digest ?? '', say: 'decline', note: 'no', by: 'agent-ben' });
    press('Enter', { ctrlKey: true });
    await expect.poll(() => text('decision-state')).toContain('Declined by Ben Kowal');
    expect(find('decide')).toBeNull();
  });

  it('finds nothing, or what could not be read, drawn', async () => {
    const host = await start({ failing: ['approvals'] }, VIEW);
    await expect.poll(() => find('problem')?.textContent).toContain('The requests could not be read');
    host.become({ failing: [] });
    find('retry')?.click();
    await listed();
    host.become({ failing: ['*'] });
    press('F', { shiftKey: true });
    await expect.poll(() => find('problem')?.textContent).toContain('shown as they were');
    press('Enter');
    await expect.poll(() => text('decision-sheet')).toContain('It can be confirmed when it does.');
    expect(disabled('decide')).toBe(true);
  });
});

describe('an act over the limit', () => {
  beforeEach(prepare);
  afterEach(putAway);

  async function review(limit: number): Promise<Awaited<ReturnType<typeof start>>> {
    const host = await start({ limit }, { view: 'case', caseId: CASE });
    await expect.poll(() => find('primary-action')?.dataset['kind']).toBe('restore');
    press('Enter');
    return host;
  }

  it('says so before any key, asks with a reason, and is done after the yes', async () => {
    const host = await review(10);
    await expect.poll(() => text('over-limit-why')).toContain('over your limit of 10');
    expect([find('confirm'), disabled('ask-approval')]).toEqual([null, true]);
    fill('approval-reason', 'The customer lost a paid day.');
    press('Enter', { ctrlKey: true });
    await expect.poll(() => find('over-limit')?.dataset['state']).toBe('waiting');
    press('Escape');
    await expect.poll(() => find('case-approval')?.dataset['state']).toBe('waiting');
    const row = (await host.query('approvals', { openOnly: false, limit: 200 })).rows[0];
    expect([row?.caseId, row?.reason, row?.mine]).toEqual([CASE, 'The customer lost a paid day.', true]);
    await host.act('decide_approval', { id: row?.id ?? '', digest: row?.digest ?? '', say: 'approve', note: null, by: 'agent-ben' });
    await expect.poll(() => text('case-approval')).toMatch(/Approved by Ben Kowal until \d\d:\d\d/);
    find('do-approved')?.click();
    await armed();
    expect(text('approved')).toContain('The customer lost a paid day.');
    press('Enter', { ctrlKey: true });
    await expect.poll(() => find('outcome')?.dataset['state']).toBe('done');
    await expect.poll(() => find('case-approval')).toBeNull();
  });

  it('hears the yes while the sheet is open', async () => {
    const host = await review(10);
    await expect.poll(() => find('approval-reason')).not.toBeNull();
    fill('approval-reason', 'why');
    press('Enter', { ctrlKey: true });
    await expect.poll(() => find('over-limit')?.dataset['state']).toBe('waiting');
    const row = (await host.query('approvals', { openOnly: false, limit: 200 })).rows[0];
    await host.act('decide_approval', { id: row?.id ?? '', digest: row?.digest ?? '', say: 'approve', note: null, by: 'agent-ben' });
    await armed();
    expect(text('approved')).toContain('Approved by Ben Kowal');
  });

  it('that was declined says by whom and why, and can be asked again', async () => {
    const host = await review(10);
    await expect.poll(() => find('approval-reason')).not.toBeNull();
    fill('approval-reason', 'why');
    press('Enter', { ctrlKey: true });
    await expect.poll(() => find('over-limit')?.dataset['state']).toBe('waiting');
    const row = (await host.query('approvals', { openOnly: false, limit: 200 })).rows[0];
    await host.act('decide_approval', { id: row?.id ?? '', digest: row?.digest ?? '', say: 'decline', note: 'Ask the provider first.', by: 'agent-ben' });
    await expect.poll(() => text('asked-before')).toBe('Declined by Ben Kowal: Ask the provider first.');
    expect(find('confirm')).toBeNull();
    press('Escape');
    await expect.poll(() => text('case-approval')).toContain('Declined by Ben Kowal');
    find('ask-again')?.click();
    await expect.poll(() => find('approval-reason')).not.toBeNull();
    fill('approval-reason', 'The provider was asked.');
    press('Enter', { ctrlKey: true });
    await expect.poll(() => find('over-limit')?.dataset['state']).toBe('waiting');
  });

  it('within it asks nobody', async () => {
    await review(5000);
    await armed();
    expect(find('over-limit')).toBeNull();
  });
});

describe('who comes second on a case', () => {
  beforeEach(prepare);
  afterEach(putAway);

  it('is told who was first, what was done and when, and that nothing was done twice', async () => {
    await start({ overtaken: true }, { view: 'case', caseId: CASE });
    await expect.poll(() => find('primary-action')?.dataset['kind']).toBe('restore');
    press('Enter');
    await armed();
    press('Enter', { ctrlKey: true });
    await expect.poll(() => find('meanwhile')?.dataset['agent']).toBe('Ben Kowal');
    expect(text('review-sheet')).toContain('Somebody was faster');
    expect(text('meanwhile')).toMatch(/Ben Kowal did this at \d\d:\d\d:\d\d UTC: Restore \d+ credits/);
    expect(find('sheet-failed')?.dataset['code']).toBe('stale');
    nav.go({ view: 'queue' });
  });
});
