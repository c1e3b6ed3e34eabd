import { describe, expect, it } from 'vitest';

import { bytes, clock, credits, initials, left, near, shortHash, signed, span, stamp } from './format';

const NOW = Date.parse('2026-03-14T15:20:00Z');
const MINUTE = 60_000;

describe('formats', () => {
  it.each([[0, '0'], [-320, '−320'], [70, '+70'], [-1022, '−1,022']])('credits %i as %s', (n, want) => expect(signed(n)).toBe(want));
  it.each([[1, '1 credit'], [4116, '4,116 credits'], [0, '0 credits']])('%i as %s', (n, want) => expect(credits(n)).toBe(want));
  it.each([
    [38_000, '38 s'], [47 * MINUTE, '47 min'], [171 * MINUTE, '2 h 51 min'], [-171 * MINUTE, '2 h 51 min'], [2704 * MINUTE, '1 d 21 h'], [59_999, '59 s'],
  ])('%i ms as %s', (ms, want) => expect(span(ms)).toBe(want));
  it.each([
    ['2026-03-14T17:10:00Z', 'Today 17:10'], ['2026-03-13T17:10:00Z', 'Yesterday 17:10'], ['2026-03-16T15:02:00Z', 'Mon 15:02'],
    ['2026-03-21T15:02:00Z', '21 Mar 15:02'], ['2026-02-01T09:00:00Z', '1 Feb 09:00'], ['2025-12-31T09:00:00Z', '31 Dec 2025 09:00'], ['no time', ''],
  ])('%s as %s', (at, want) => expect(near(at, NOW)).toBe(want));
  it('writes instants', () => {
    expect(stamp('2026-03-12T18:04:24Z', NOW)).toBe('12 Mar 18:04:24');
    expect(clock('never')).toBe('');
    expect(left('2026-03-14T15:21:00Z', NOW)).toBe(MINUTE);
  });
  it.each([[999, '999 B'], [41_333_219, '41.3 MB'], [128_000_000, '128 MB'], [1000, '1.0 kB']])('%i bytes as %s', (n, want) => expect(bytes(n)).toBe(want));
  it('shortens hashes by their middle', () => {
    expect(shortHash('2438368cd8918743ffff90e1')).toBe('2438 368c d891 8743 … 90e1');
    expect(shortHash('2438368c')).toBe('2438 368c');
    expect(shortHash('')).toBe('');
  });
  it.each([['Ana Prata', 'AP'], ['b.king', 'BK'], ['ana', 'AN'], ['', '']])('%s as %s', (name, want) => expect(initials(name)).toBe(want));
});
