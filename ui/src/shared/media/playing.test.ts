import { describe, expect, it } from 'vitest';

import { inWords, playTime, seek, whyNot } from './playing';

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

  it('tells what the file says of itself, else what the player found', () => {
    const film = { durationMs: 8000, picture: { width: 1280, height: 720, codec: 'h264' }, sound: { codec: 'aac', channels: 2, sampleRate: 44_100 } };
    const found = { seconds: 2, width: 64, height: 36 };
    expect(inWords(film, found)).toBe('1280 × 720 h264, 0:08.0, aac stereo 44.1 kHz');
    expect(inWords({ durationMs: null, picture: { width: 10, height: 20, codec: '' }, sound: null }, undefined)).toBe('10 × 20');
    expect(inWords({ durationMs: 90_000, picture: null, sound: { codec: '', channels: 6, sampleRate: 48_000 } }, undefined)).toBe('1:30, 6 channels 48 kHz');
    expect(inWords(null, found)).toBe('64 × 36, 0:02.0');
    expect(inWords(null, undefined)).toBe('');
  });
});
