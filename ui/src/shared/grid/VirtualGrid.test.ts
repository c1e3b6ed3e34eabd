import { createRawSnippet, flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import VirtualGrid from './VirtualGrid.svelte';

const ROWS = 100_000;

/** The layout of a page whose stylesheet is missing: the box is as high as all its rows. */
function withoutStylesheet(): void {
  vi.stubGlobal('ResizeObserver', class {
    #told: ResizeObserverCallback;
    constructor(told: ResizeObserverCallback) { this.#told = told; }
    observe(target: Element): void { this.#told([{ target } as ResizeObserverEntry], this as unknown as ResizeObserver); }
    unobserve(): void { /* nothing is kept */ }
    disconnect(): void { /* nothing is kept */ }
  });
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(ROWS * 36);
}

describe('VirtualGrid', () => {
  let grid: ReturnType<typeof mount> | undefined;

  beforeEach(withoutStylesheet);
  afterEach(async () => {
    if (grid) await unmount(grid);
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    document.body.replaceChildren();
  });

  function show(active: number): HTMLElement[] {
    grid = mount(VirtualGrid, {
      target: document.body,
      props: {
        label: 'Cases', count: ROWS, columns: 1, rowHeight: 36, active, onpick: () => undefined,
        header: createRawSnippet(() => ({ render: () => '<span>head</span>' })),
        row: createRawSnippet((index: () => number) => ({ render: () => `<span>${index()}</span>` })),
      },
    });
    flushSync();
    return [...document.querySelectorAll<HTMLElement>('[data-index]')];
  }

  it('draws fewer than 300 of 100,000 rows though no stylesheet gives it a height', () => {
    const drawn = show(0);
    expect(drawn.length).toBeGreaterThan(10);
    expect(drawn.length).toBeLessThan(300);
  });

  it('keeps the active row mounted out of view, and tells how many rows there are', () => {
    const drawn = show(90_000);
    expect(drawn.some((row) => row.dataset['index'] === '90000' && row.tabIndex === 0)).toBe(true);
    expect(document.querySelector('[role=grid]')?.getAttribute('aria-rowcount')).toBe(String(ROWS + 1));
  });
});
