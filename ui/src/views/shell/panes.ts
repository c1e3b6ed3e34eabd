const FOCUSABLE = '[tabindex="0"], button:not(:disabled):not([tabindex="-1"]), a[href], input, textarea, select';

/** Moves the focus to the next part of the window that is marked as a pane. */
export function focusNextPane(step: 1 | -1): void {
  const panes = [...document.querySelectorAll<HTMLElement>('[data-pane]')].filter((pane) => pane.offsetParent !== null || pane.clientHeight > 0);
  // The innermost pane that holds the focus is where one is.
  const here = panes.findLastIndex((pane) => pane.contains(document.activeElement));
  const next = panes[(here + step + panes.length) % panes.length];
  const target = next?.querySelector<HTMLElement>(FOCUSABLE) ?? next;
  target?.focus();
}
