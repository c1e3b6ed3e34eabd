import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { chrome } from '../../shared/session/chrome.svelte';
import { nav } from '../../shared/session/nav.svelte';
import { all, disabled, find, prepare, press, putAway, start, text } from '../shell/staged';

const VIEW = { view: 'reconciler' } as const;
const shown = (): Promise<unknown> => expect.poll(() => find('promise')).not.toBeNull();

describe('the reconciler’s screen', () => {
  beforeEach(prepare);
  afterEach(putAway);

  it('is reached by keys, and says in one finding that the promise is kept', async () => {
    await start();
    press('g');
    press('r');
    await shown();
    expect([nav.place.view, text('promise-word'), find('promise')?.dataset['tone']]).toEqual(['reconciler', 'Promise kept', 'ok']);
    expect([text('open-charges'), text('open-credits'), text('refund-p50'), text('refund-p90'), text('refund-worst')]).toEqual(['23', '3,410 credits', '38 min', '3 h 12 min', '21 h 40 min']);
    expect(find('rail-reconciler')?.textContent).not.toContain('promise not kept');
  });

  it.each([['closing', 'Promise closes', 'bad'], ['missed', 'Promise missed', 'bad'], ['idle', 'No recent pass', 'warn']] as const)('says it plainly when it is %s', async (promise, word, tone) => {
    await start({ promise }, VIEW);
    await shown();
    expect([text('promise-word'), find('promise')?.dataset['tone']]).toEqual([word, tone]);
    if (tone === 'bad') await expect.poll(() => find('rail-reconciler')?.textContent).toContain('promise not kept');
  });

  it('marks a refund over the window, and an oldest charge that is late', async () => {
    await start({ promise: 'missed' }, VIEW);
    await shown();
    expect([find('refund-worst')?.dataset['broken'], find('oldest-open')?.dataset['tone'], text('oldest-open')]).toEqual(['true', 'bad', '45 h 15 min']);
  });

  it('runs a pass by one key, once, and tells what it did', async () => {
    const host = await start({}, VIEW);
    await shown();
    const before = all('pass').length;
    host.become({ latency: 40 });
    press('p');
    press('p');
    await expect.poll(() => find('sweep')?.dataset['state']).toBe('running');
    expect(disabled('reconcile-now')).toBe(true);
    await expect.poll(() => find('sweep')?.dataset['state']).toBe('done');
    expect(text('sweep')).toMatch(/Pass done \d\d:\d\d:\d\d \d+ runs looked at/);
    await expect.poll(() => all('pass').length).toBe(before + 1);
    expect(find('pass')?.dataset['pass']).toBe(find('sweep')?.dataset['pass']);
  });

  it('keeps the result while one is elsewhere', async () => {
    const host = await start({}, VIEW);
    await shown();
    host.become({ latency: 40 });
    press('p');
    nav.go({ view: 'audit' });
    await expect.poll(() => find('reconciler')).toBeNull();
    nav.go(VIEW);
    await expect.poll(() => find('sweep')?.dataset['state']).toBe('done');
  });

  it('says what was not done when a pass cannot be run, and asks again for the same', async () => {
    const host = await start({}, VIEW);
    await shown();
    host.become({ failing: ['reconcile_now'] });
    press('p');
    await expect.poll(() => find('sweep')?.dataset['state']).toBe('lost');
    expect(text('sweep')).toContain('asking again does nothing twice');
    host.become({ failing: [] });
    find('sweep-again')?.click();
    await expect.poll(() => find('sweep')?.dataset['state']).toBe('done');
  });

  it('opens a pass by key, with its providers and its problems in words', async () => {
    await start({}, VIEW);
    await shown();
    press('j');
    press('j');
    press('Enter');
    await expect.poll(() => all('pass-provider').length).toBe(5);
    expect(text('pass-problem')).toContain('tidepool did not answer for 3 runs');
    expect(document.activeElement?.getAttribute('aria-expanded')).toBe('true');
    press('Enter');
    expect(all('pass-provider')).toEqual([]);
  });

  it('tells a stopped pass from one that runs', async () => {
    await start({}, VIEW);
    await shown();
    expect(all('pass').filter((row) => row.dataset['state'] === 'stopped')).toHaveLength(1);
  });

  it('lists what is open with its cause, and leads to the case where somebody wrote', async () => {
    await start({}, VIEW);
    await expect.poll(() => all('detection').length).toBe(6);
    await expect.poll(() => all('detection-case').length).toBe(5);
    expect(text('detection')).toMatch(/No output.*Upload failed, item 1\..*run run_.*charge chg_/);
    await expect.poll(() => all('detection').at(-1)?.textContent).toContain('no ticket about it');
    press('o');
    press('o');
    expect((document.activeElement as HTMLElement).dataset['testid']).toBe('detection');
    find('detection-case')?.click();
    await expect.poll(() => find('case')?.dataset['caseId']).toBe('case-000002');
  });

  it('is drawn while it loads, when nothing ever ran, and when it cannot be read', async () => {
    const host = await start({ failing: ['reconciler'] }, VIEW);
    await expect.poll(() => find('problem')?.textContent).toContain('The reconciler’s record could not be read');
    host.become({ failing: [], promise: 'idle', latency: 30 });
    find('retry')?.click();
    await expect.poll(() => all('empty').map((box) => box.querySelector('.title')?.textContent)).toEqual(['No pass yet', 'Nothing is open']);
    expect(text('schedule')).toContain('no pass was ever finished');
  });

  it('stays readable while the record does not answer, and runs nothing', async () => {
    const host = await start({}, VIEW);
    await shown();
    host.become({ failing: ['*'] });
    press('F', { shiftKey: true });
    await expect.poll(() => find('problem')?.textContent).toContain('shown as it was');
    expect([text('promise-word'), disabled('reconcile-now')]).toEqual(['Promise kept', true]);
    expect(chrome.asOf).not.toBe('');
  });
});
