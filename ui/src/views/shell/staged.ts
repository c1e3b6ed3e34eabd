/** The whole window on a core in memory, for tests: started, driven by keys, put away. */
import { flushSync, mount, unmount } from 'svelte';
import { expect, vi } from 'vitest';

import { OPEN_FILTER } from '../../domain/queue';
import { ARM_MS } from '../../domain/review.svelte';
import { FakeHost, type FakeOptions } from '../../lib/ipc/fake/host';
import { nav, type Place } from '../../shared/session/nav.svelte';
import { memory } from '../queue/memory.svelte';
import App from './App.svelte';

export const find = (testid: string): HTMLElement | null => document.querySelector<HTMLElement>(`[data-testid="${testid}"]`);
export const all = (testid: string): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(`[data-testid="${testid}"]`)];
export const text = (testid: string): string => find(testid)?.textContent.replace(/\s+/g, ' ').trim() ?? '';
export const disabled = (testid: string): boolean | undefined => (find(testid) as HTMLButtonElement | null)?.disabled;

export function press(key: string, more: KeyboardEventInit = {}): void {
  const target = document.activeElement ?? document.body;
  const passed = target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more }));
  // What a browser does by itself with Enter on a button.
  if (passed && key === 'Enter' && !more.ctrlKey && target instanceof HTMLButtonElement) target.click();
  flushSync();
}

/** Types into a field, as the person would see it. */
export function fill(testid: string, value: string): void {
  const field = find(testid);
  if (!(field instanceof HTMLTextAreaElement || field instanceof HTMLInputElement)) throw new Error(`there is no field ${testid}`);
  field.value = value;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  flushSync();
}

/** Waits until the button may be pressed: a sheet has to stand for a moment first. */
export const armed = (testid = 'confirm'): Promise<unknown> => expect.poll(() => disabled(testid), { timeout: 4 * ARM_MS }).toBe(false);

let app: ReturnType<typeof mount> | undefined;

/** What jsdom lacks and the window needs: sizes, colour schemes, observers, scrolling. */
export function prepare(): void {
  vi.stubGlobal('ResizeObserver', class {
    #told: ResizeObserverCallback;
    constructor(told: ResizeObserverCallback) { this.#told = told; }
    observe(target: Element): void { this.#told([{ target } as ResizeObserverEntry], this as unknown as ResizeObserver); }
    unobserve(): void { /* nothing is kept */ }
    disconnect(): void { /* nothing is kept */ }
  });
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined }));
  HTMLElement.prototype.scrollIntoView = () => undefined;
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(720);
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(1280);
  memory.filter = OPEN_FILTER;
  memory.row = 0;
  memory.peek = false;
  nav.go({ view: 'queue' });
}

export async function start(options: Partial<FakeOptions> = {}, place?: Place): Promise<FakeHost> {
  const host = new FakeHost(options);
  if (place) nav.go(place);
  app = mount(App, { target: document.body, props: { host } });
  await expect.poll(() => find('frame')).not.toBeNull();
  return host;
}

export async function putAway(): Promise<void> {
  if (app) await unmount(app);
  app = undefined;
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  document.body.replaceChildren();
}
