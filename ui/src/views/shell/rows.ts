/** Rows that can be walked by key carry `data-row`; each belongs to the list that carries `data-rows`. */

/** Moves the focus to the next row of the list that holds it; `across`: to the first row of the next list. */
export function stepRow(within: HTMLElement | undefined, step: 1 | -1, across = false): void {
  if (!within) return;
  const lists = [...within.querySelectorAll<HTMLElement>('[data-rows]')].filter((list) => list.querySelector('[data-row]'));
  const here = lists.findIndex((list) => list.contains(document.activeElement));
  const list = lists[across ? (here + 1) % lists.length : Math.max(0, here)];
  const rows = [...(list?.querySelectorAll<HTMLElement>('[data-row]') ?? [])];
  const at = rows.findIndex((row) => row === document.activeElement || row.contains(document.activeElement));
  const next = across || at < 0 ? rows[0] : rows[Math.min(rows.length - 1, Math.max(0, at + step))];
  next?.focus({ preventScroll: true });
  // What has the focus may be one cell of a row, of which all is to be seen.
  (next?.closest('tr') ?? next)?.scrollIntoView({ block: 'nearest' });
}
