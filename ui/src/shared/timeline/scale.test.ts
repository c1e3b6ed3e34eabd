import { describe, expect, it } from 'vitest';

import { laneForName, makeScale, placeLabels, ticks } from './scale';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('scale', () => {
  const times = [0, 8 * MINUTE, 9 * MINUTE, 45 * HOUR, 45 * HOUR + 20 * MINUTE];
  const gaps = [{ from: 9 * MINUTE, until: 45 * HOUR }];
  const scale = makeScale(times, gaps);

  it('keeps the order of instants, from 0 to 1', () => {
    const places = times.map((t) => scale.at(t));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[0]).toBe(0);
    expect(places.at(-1)).toBeCloseTo(1);
  });
  it('shows minutes beside days', () => {
    expect(scale.at(8 * MINUTE) - scale.at(0)).toBeGreaterThan(0.1);
  });
  it('gives a named gap room for its name', () => {
    expect(scale.at(45 * HOUR) - scale.at(9 * MINUTE)).toBeGreaterThanOrEqual(0.24 - 1e-9);
  });
  it('holds what lies outside', () => {
    expect(scale.at(-HOUR)).toBe(0);
    expect(scale.at(99 * HOUR)).toBeCloseTo(1);
  });
  it('stands an empty clock', () => {
    expect(makeScale([], []).at(5)).toBe(0);
    expect(makeScale([Number.NaN, 7], []).at(7)).toBe(0);
  });
  it('writes ticks that do not touch', () => {
    const shown = ticks(scale, 300, 60).map((t) => scale.at(t) * 300);
    expect(shown.length).toBeGreaterThan(1);
    for (const [i, x] of shown.entries()) if (i > 0) expect(x - (shown[i - 1] ?? 0)).toBeGreaterThanOrEqual(60);
  });
});

describe('the name of a gap', () => {
  it('stands where no event is, near the middle', () => {
    expect(laneForName([[], [], [50], [], [], []], 0, 100)).toBe(3);
    expect(laneForName([[], [], [50], [], [], []], 200, 300)).toBe(2);
    expect(laneForName([[50], [50]], 0, 100)).toBe(0);
  });
});

describe('labels', () => {
  it('go right, else left, else away', () => {
    expect(placeLabels([{ x: 10, width: 50 }], 200, [])).toEqual([21]);
    expect(placeLabels([{ x: 180, width: 50 }], 200, [])).toEqual([119]);
    expect(placeLabels([{ x: 30, width: 500 }], 200, [])).toEqual([null]);
  });
  it('keep off gaps and other dots', () => {
    expect(placeLabels([{ x: 100, width: 60 }], 300, [{ from: 120, to: 200 }])).toEqual([29]);
    expect(placeLabels([{ x: 100, width: 0 }, { x: 130, width: 0 }, { x: 160, width: 60, anywhere: true }], 170, [])).toEqual([null, null, 29]);
    expect(placeLabels([{ x: 100, width: 0 }, { x: 130, width: 0 }, { x: 160, width: 60 }], 170, [])).toEqual([null, null, null]);
  });
  it('never lie upon each other', () => {
    const [a, b] = placeLabels([{ x: 100, width: 40 }, { x: 104, width: 40 }], 400, []);
    expect(a).not.toBeNull();
    expect(Math.abs((a ?? 0) - (b ?? 0))).toBeGreaterThanOrEqual(40);
  });
});
