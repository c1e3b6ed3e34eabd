import { describe, expect, it } from 'vitest';

import { playTime, seek, whyNot } from './playing';

describe('the player', () => {
  it.each([
    [0, 2, '0:00.0'], [1.25, 2, '0:01.2'], [7, 61, '0:07'], [62, 300, '1:02'], [3725, 4000, '1:02:05'],
    [Number.NaN, 2, '–'], [Number.POSITIVE_INFINITY, 2, '–'], [-1, 2, '–'],
  ])('tells %d of %d s as %s', (seconds, whole, told) => {
    expect(playTime(seconds, whole)).toBe(told);
  });

  it.each([[5, 1, 8, 6], [7.5, 1, 8, 8], [0.5, -1, 8, 0], [3, 1, Number.NaN, 3]])('seeks from %d by %d within %d to %d', (now, by, whole, to) => {
    expect(seek(now, by, whole)).toBe(to);
  });

  it('blames the machine and not the file for a missing decoder', () => {
    expect(whyNot(4, 'video', 'video/mp4')).toContain('no decoder for video/mp4');
    expect(whyNot(3, 'audio', 'audio/flac')).toContain('could not decode the audio (audio/flac)');
    expect(whyNot(undefined, 'image', 'image/webp')).toContain('picture (image/webp) could not be shown');
  });
});
