/** No layout accident may ever ask for more rows than this. */
export const ROW_CAP = 200;

export interface View {
  readonly scrollTop: number;
  /** Height of the scroll box as laid out; wrong while the stylesheet is missing. */
  readonly viewport: number;
  /** Height of the screen: no window shows more. */
  readonly screen: number;
  readonly rowHeight: number;
  readonly count: number;
  readonly overscan: number;
}

/** Rows to draw, `[first, end)`. At most ROW_CAP, whatever the layout says. */
export function rowsInView(view: View): { first: number; end: number } {
  const { rowHeight, count, overscan } = view;
  if (count <= 0 || rowHeight <= 0) return { first: 0, end: 0 };
  const height = Math.max(0, Math.min(view.viewport, view.screen));
  const wanted = Math.min(Math.ceil(height / rowHeight) + 1 + 2 * overscan, ROW_CAP);
  const top = Math.max(0, Math.floor(view.scrollTop / rowHeight) - overscan);
  const first = Math.max(0, Math.min(top, count - wanted));
  return { first, end: Math.min(count, first + wanted) };
}

/**
 * Gives each wanted row a slot (a DOM element that stays). Rows that keep their slot are not
 * touched; new rows take the slots of rows that left. `null` marks a slot without a row.
 */
export function assignSlots(slots: readonly (number | null)[], wanted: readonly number[]): (number | null)[] {
  const want = new Set(wanted);
  const next = slots.map((row) => (row !== null && want.delete(row) ? row : null));
  let free = 0;
  for (const row of want) {
    while (free < next.length && next[free] !== null) free += 1;
    next[free] = row;
  }
  while (next.length > 0 && next.at(-1) === null) next.pop();
  return next;
}

/** Scroll position that shows the row whole, below a sticky head; the present one where it does already. */
export function scrollToShow(row: number, rowHeight: number, scrollTop: number, viewport: number, margin = 1): number {
  const top = Math.max(0, row - margin) * rowHeight;
  const bottom = (row + 1 + margin) * rowHeight;
  if (top < scrollTop) return top;
  return bottom > scrollTop + viewport ? bottom - viewport : scrollTop;
}
