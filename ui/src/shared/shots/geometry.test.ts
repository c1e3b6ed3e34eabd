import { describe, expect, it } from 'vitest';

import { fit, pan, zoom } from './geometry';

const PICTURE = { width: 2000, height: 1000 };
const FRAME = { width: 500, height: 500 };

describe('placing a screenshot', () => {
  it('fits the whole of it in the middle', () => {
    expect(fit(PICTURE, FRAME)).toEqual({ scale: 0.25, x: 0, y: 125 });
  });
  it('does not blow up a small one', () => {
    expect(fit({ width: 100, height: 100 }, FRAME)).toEqual({ scale: 1, x: 200, y: 200 });
  });
  it('stands a picture that has no size yet', () => {
    expect(fit({ width: 0, height: 0 }, FRAME)).toEqual({ scale: 1, x: 0, y: 0 });
  });
  it('zooms about a point that stays', () => {
    const before = fit(PICTURE, FRAME);
    const after = zoom(before, 2, 100, 200);
    expect(after.scale).toBe(0.5);
    expect((100 - after.x) / after.scale).toBeCloseTo((100 - before.x) / before.scale);
    expect((200 - after.y) / after.scale).toBeCloseTo((200 - before.y) / before.scale);
  });
  it('stops at eight times', () => {
    expect(zoom({ scale: 8, x: 0, y: 0 }, 2, 0, 0)).toEqual({ scale: 8, x: 0, y: 0 });
  });
  it('never loses the picture', () => {
    const far = pan({ scale: 1, x: 0, y: 0 }, 99_999, -99_999, PICTURE, FRAME);
    expect(far).toEqual({ scale: 1, x: 452, y: -952 });
  });
});
