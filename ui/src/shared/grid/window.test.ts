import { describe, expect, it } from 'vitest';

import { assignSlots, ROW_CAP, rowsInView, scrollToShow } from './window';

const VIEW = { scrollTop: 0, viewport: 720, screen: 1080, rowHeight: 36, count: 100_000, overscan: 8 };

describe('rows in view', () => {
  it('draws what fits and some more', () => {
    expect(rowsInView(VIEW)).toEqual({ first: 0, end: 37 });
  });
  it('never draws more than a screen, though the box has no height of its own', () => {
    const { first, end } = rowsInView({ ...VIEW, viewport: 3_600_000 });
    expect(end - first).toBeLessThanOrEqual(1080 / 36 + 1 + 16);
  });
  it('never draws more than the cap, whatever the screen says', () => {
    const { first, end } = rowsInView({ ...VIEW, viewport: 3_600_000, screen: 3_600_000 });
    expect(end - first).toBe(ROW_CAP);
  });
  it('ends with the list', () => {
    expect(rowsInView({ ...VIEW, scrollTop: 3_600_000 })).toEqual({ first: 99_963, end: 100_000 });
  });
  it('draws nothing of nothing', () => {
    expect(rowsInView({ ...VIEW, count: 0 })).toEqual({ first: 0, end: 0 });
  });
});

describe('slots', () => {
  it('leaves rows that stay where they are and recycles the others', () => {
    expect(assignSlots([0, 1, 2, 3], [2, 3, 4, 5])).toEqual([4, 5, 2, 3]);
  });
  it('gives each row exactly one slot', () => {
    expect(assignSlots([7, 8, null, 9], [8, 10, 11, 12, 13]).filter((row) => row !== null).sort((a, b) => a - b)).toEqual([8, 10, 11, 12, 13]);
  });
  it('drops slots that nobody needs', () => {
    expect(assignSlots([0, 1, 2], [1])).toEqual([null, 1]);
  });
});

describe('bringing a row into view', () => {
  it.each([[0, 400, 0], [5, 0, 0], [30, 0, 432], [12, 400, 396]])('row %i from %i', (row, from, want) => {
    expect(scrollToShow(row, 36, from, 720)).toBe(want);
  });
});
