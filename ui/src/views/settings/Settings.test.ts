import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { nav } from '../../shared/session/nav.svelte';
import { all, disabled, fill, find, prepare, press, putAway, start, text } from '../shell/staged';

const VIEW = { view: 'settings' } as const;
const shown = (): Promise<unknown> => expect.poll(() => find('provider-panel')).not.toBeNull();
const here = (): string | undefined => find('provider-panel')?.dataset['provider'];
const row = (id: string): HTMLElement | null => document.querySelector<HTMLElement>(`[data-testid="provider"][data-provider="${id}"]`);

async function open(id: string): Promise<void> {
  await shown();
  row(id)?.querySelector('button')?.focus();
  await expect.poll(here).toBe(id);
}

/** Nothing that was typed as a key is anywhere in the page. */
const nowhere = (key: string): void => {
  expect(document.body.innerHTML).not.toContain(key);
  expect([...document.querySelectorAll('input')].map((field) => field.value)).not.toContain(key);
};

describe('the providers in settings', () => {
  beforeEach(prepare);
  afterEach(putAway);

  it('is reached by keys and shows every provider from its descriptor', async () => {
    await start();
    press('g');
    press('s');
    await shown();
    expect(nav.place.view).toBe('settings');
    expect(all('provider').map((one) => [one.dataset['provider'], one.dataset['state']])).toEqual([
      ['meridian', 'ok'], ['kestrel', 'ok'], ['tidepool', 'bad'], ['arcway', 'warn'], ['lumen', 'warn'], ['harbor', 'warn'],
    ]);
    expect(here()).toBe('meridian');
    expect(text('retention')).toBe('for 48 hours');
    expect([...(find('abilities')?.children ?? [])].map((one) => one.textContent.trim())).toEqual([
      'Tells of a job by its id',
      'Lists jobs of a time, so that one whose id was lost is found',
      'Tells by webhook when a job ends',
      'Does not tell until when a file is kept',
      'Offers to tell what a job cost; not used here',
      'Offers no cancelling of a job',
    ]);
    expect(find('provider-panel')?.textContent).toContain('https://docs.meridian.example/api/jobs');
    expect(find('provider-panel')?.textContent).toContain('read 2026-03-02');
  });

  it('walks the providers by key, with one stop for Tab', async () => {
    await start({}, VIEW);
    await shown();
    press('j');
    press('j');
    await expect.poll(here).toBe('kestrel');
    press('k');
    await expect.poll(here).toBe('meridian');
    expect(all('provider').filter((one) => one.querySelector('button')?.tabIndex === 0)).toHaveLength(1);
    expect(row('meridian')?.querySelector('button')?.getAttribute('aria-current')).toBe('true');
  });

  it.each([
    ['accepted', 'The key is accepted'], ['auth_error', 'The key is refused'], ['rate_limited', 'Asked too often'], ['unreachable', 'Not reached'],
    ['faulty', 'The provider has a fault'], ['unclear', 'Neither yes nor no'], ['not_asked', 'Not asked'],
  ] as const)('tests a key by one key and says %s in plain words', async (verdict, word) => {
    await start({ verdict }, VIEW);
    await shown();
    press('t');
    await expect.poll(() => find('key-check')?.dataset['state']).toBe(verdict);
    expect(text('key-check')).toContain(word);
    if (verdict === 'auth_error') await expect.poll(() => row('meridian')?.dataset['state']).toBe('bad');
    expect(all('check-answer')).toHaveLength(verdict === 'not_asked' ? 0 : 1);
  });

  it('asks once, and is found on coming back', async () => {
    const host = await start({}, VIEW);
    await shown();
    host.become({ latency: 40 });
    press('t');
    press('t');
    expect([find('key-check')?.dataset['state'], disabled('test-key')]).toEqual(['asking', true]);
    nav.go({ view: 'audit' });
    await expect.poll(() => find('provider-panel')).toBeNull();
    nav.go(VIEW);
    await expect.poll(() => find('key-check')?.dataset['state']).toBe('accepted');
  });

  it('keeps a key, tests it at once, and shows it nowhere', async () => {
    await start({}, VIEW);
    await open('arcway');
    expect([find('key-place')?.dataset['place'], disabled('test-key'), disabled('save-key')]).toEqual(['missing', true, true]);
    press('e');
    expect(document.activeElement).toBe(find('key-input'));
    expect((find('key-input') as HTMLInputElement).type).toBe('password');
    fill('key-input', 'arc_secret_1');
    find('save-key')?.click();
    await expect.poll(() => find('key-check')?.dataset['state']).toBe('accepted');
    await expect.poll(() => row('arcway')?.dataset['state']).toBe('ok');
    expect([find('key-place')?.dataset['place'], find('key-input')]).toEqual(['keyring', null]);
    nowhere('arc_secret_1');
  });

  it('says what is no key, and lets it be mended', async () => {
    await start({}, VIEW);
    await open('arcway');
    fill('key-input', 'Bearer arc_secret_2');
    find('save-key')?.click();
    await expect.poll(() => find('key-failed')?.dataset['code']).toBe('refused');
    expect(text('key-failed')).toContain('only what follows is the key');
    fill('key-input', 'arc_secret_2');
    find('save-key')?.click();
    await expect.poll(() => find('key-place')?.dataset['place']).toBe('keyring');
  });

  it('shows somebody else’s change before it is written over', async () => {
    await start({ keyConflict: true }, VIEW);
    await open('arcway');
    fill('key-input', 'mine');
    find('save-key')?.click();
    await expect.poll(() => find('key-failed')?.dataset['code']).toBe('stale');
    await expect.poll(() => find('key-place')?.dataset['place']).toBe('keyring');
    expect(text('key-failed')).toContain('nothing was written');
    expect((find('key-input') as HTMLInputElement).value).toBe('mine');
    find('save-key')?.click();
    await expect.poll(() => find('key-check')?.dataset['state']).toBe('accepted');
  });

  it('removes a key only after a second look', async () => {
    await start({}, VIEW);
    await shown();
    find('remove-key')?.click();
    await expect.poll(() => find('confirm-remove')).not.toBeNull();
    await expect.poll(() => document.activeElement).toBe(find('keep-key'));
    expect(find('key-place')?.dataset['place']).toBe('keyring');
    find('confirm-remove')?.click();
    await expect.poll(() => find('key-place')?.dataset['place']).toBe('missing');
    expect(row('meridian')?.dataset['state']).toBe('warn');
  });

  it('changes no key that comes from elsewhere, and says from where', async () => {
    await start({}, VIEW);
    await open('kestrel');
    expect([find('key-input'), find('replace-key'), find('remove-key')]).toEqual([null, null, null]);
    expect(find('provider-panel')?.textContent).toContain('KESTREL_KEY');
  });

  it('points to the environment where there is no keyring', async () => {
    await start({ providers: 'unkept' }, VIEW);
    await open('arcway');
    expect(text('no-keyring')).toContain('Nothing is written to a file instead');
    expect(text('key-by-environment')).toContain('ARCWAY_API_KEY');
    expect(find('key-input')).toBeNull();
  });

  it('forgets failures by reset, and keeps the pause that a provider asked for', async () => {
    await start({}, VIEW);
    await open('tidepool');
    expect([find('breaker')?.dataset['state'], text('budget')]).toEqual(['failing', '0 of 10']);
    find('reset')?.click();
    await expect.poll(() => find('breaker')?.dataset['state']).toBe('closed');
    expect([text('budget'), disabled('reset')]).toEqual(['10 of 10', true]);
    await open('lumen');
    find('reset')?.click();
    await expect.poll(() => text('budget')).toBe('10 of 10');
    expect(find('breaker')?.dataset['state']).toBe('asked');
  });

  it('adds a provider with its key, and opens it', async () => {
    await start({ providers: 'none' }, VIEW);
    await expect.poll(() => find('empty')).not.toBeNull();
    press('n');
    await expect.poll(() => find('add-form')).not.toBeNull();
    expect([document.activeElement, disabled('add-now')]).toEqual([find('add-adapter'), true]);
    const choice = find('add-adapter') as HTMLSelectElement;
    expect(choice.options).toHaveLength(8);
    choice.value = 'harbor';
    choice.dispatchEvent(new Event('change', { bubbles: true }));
    await expect.poll(() => (find('add-id') as HTMLInputElement).value).toBe('harbor');
    expect(text('add-about')).toContain('7 days');
    fill('add-id', 'harbor-eu');
    fill('add-key', 'harbor_secret');
    find('add-now')?.click();
    await expect.poll(here).toBe('harbor-eu');
    expect(find('key-place')?.dataset['place']).toBe('keyring');
    nowhere('harbor_secret');
  });

  it('keeps what was filled in, but no key, while one looks elsewhere or it is refused', async () => {
    await start({}, VIEW);
    await shown();
    press('n');
    await expect.poll(() => find('add-form')).not.toBeNull();
    const choice = find('add-adapter') as HTMLSelectElement;
    choice.value = 'lumen';
    choice.dispatchEvent(new Event('change', { bubbles: true }));
    await expect.poll(() => find('add-form')?.textContent).toContain('There is a provider lumen already');
    expect(disabled('add-now')).toBe(true);
    fill('add-id', 'lumen-2');
    fill('add-base', 'ftp://files');
    fill('add-key', 'lumen_secret');
    find('add-now')?.click();
    await expect.poll(() => find('add-failed')?.dataset['code']).toBe('refused');
    press('Escape');
    await expect.poll(() => find('add-form')).toBeNull();
    press('n');
    await expect.poll(() => (find('add-id') as HTMLInputElement | null)?.value).toBe('lumen-2');
    expect((find('add-key') as HTMLInputElement).value).toBe('');
  });

  it('takes no provider where none can be added, and says why', async () => {
    await start({ providers: 'practice' }, VIEW);
    await shown();
    expect(find('add-provider')).toBeNull();
    expect(text('closed')).toContain('providers of its own');
    press('n');
    expect(find('add-form')).toBeNull();
    expect(find('key-place')?.dataset['place']).toBe('workspace');
  });

  it('is drawn when it cannot be read, and stays readable while the core does not answer', async () => {
    const host = await start({ failing: ['connections'] }, VIEW);
    await expect.poll(() => find('problem')?.textContent).toContain('The providers could not be read.');
    host.become({ failing: [] });
    find('retry')?.click();
    await shown();
    host.become({ failing: ['*'] });
    press('F', { shiftKey: true });
    await expect.poll(() => find('problem')?.textContent).toContain('shown as they were');
    expect([all('provider').length, disabled('test-key'), disabled('replace-key'), disabled('add-provider')]).toEqual([6, true, true, true]);
  });

  it('says that a test brought no answer, without a verdict about the key', async () => {
    const host = await start({}, VIEW);
    await shown();
    host.become({ failing: ['check_key'] });
    press('t');
    await expect.poll(() => find('key-check')?.dataset['state']).toBe('failed');
    expect(text('key-check')).toContain('No answer about it');
  });

  it('has the window’s own settings beside them', async () => {
    await start({}, VIEW);
    await shown();
    press('2');
    await expect.poll(() => find('settings-window')).not.toBeNull();
    expect([find('provider-panel'), find('policy') !== null, find('settings-tab-window')?.getAttribute('aria-pressed')]).toEqual([null, true, 'true']);
    press('1');
    await shown();
  });

  it('removes a provider after a question, and adds it again as it was', async () => {
    await start({}, VIEW);
    await open('kestrel');
    find('remove-provider')?.click();
    await expect.poll(() => document.activeElement?.getAttribute('data-testid')).toBe('keep-provider');
    expect(text('provider-removal')).toContain('can’t be recovered');
    find('keep-provider')?.click();
    await expect.poll(() => document.activeElement?.getAttribute('data-testid')).toBe('remove-provider');
    expect(row('kestrel')).not.toBeNull();
    find('remove-provider')?.click();
    await expect.poll(() => find('confirm-remove-provider')).not.toBeNull();
    find('confirm-remove-provider')?.click();
    await expect.poll(() => row('kestrel')).toBeNull();
    expect(text('provider-removed')).toContain('was removed');
    find('add-again')?.click();
    await expect.poll(() => find('add-form')).not.toBeNull();
    expect((find('add-id') as HTMLInputElement).value).toBe('kestrel');
    await expect.poll(() => disabled('add-now')).toBe(false);
    find('add-now')?.click();
    await expect.poll(() => row('kestrel')).not.toBeNull();
    await expect.poll(() => find('provider-removed')).toBeNull();
  });

  it('keeps a provider that was changed meanwhile, and says so', async () => {
    await start({ keyConflict: true }, VIEW);
    await open('kestrel');
    find('remove-provider')?.click();
    await expect.poll(() => find('confirm-remove-provider')).not.toBeNull();
    find('confirm-remove-provider')?.click();
    await expect.poll(() => find('provider-removal-failed')?.dataset['code']).toBe('stale');
    expect(row('kestrel')).not.toBeNull();
  });

  it('offers no removal of what belongs to the workspace', async () => {
    await start({ providers: 'practice' }, VIEW);
    await shown();
    expect(find('remove-provider')).toBeNull();
  });
});
