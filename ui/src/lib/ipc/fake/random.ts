/** Numbers that look random and are the same every time: a hash of seed and index. */
export function mix(seed: number, index: number): number {
  let h = (seed ^ Math.imul(index + 1, 0x9e3779b1)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
  return (h ^ (h >>> 16)) >>> 0;
}

/** One of a list that is never empty. */
export function pick<T>(from: readonly [T, ...T[]], seed: number, index: number): T {
  return from[mix(seed, index) % from.length] ?? from[0];
}

const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz';

/** `run_4k9x02md`: an id without letters that read like digits. */
export function id(prefix: string, seed: number, index: number, length = 8): string {
  let text = '';
  for (let i = 0; i < length; i += 1) text += LETTERS[mix(seed + i * 7919, index) % LETTERS.length] ?? '0';
  return `${prefix}${text}`;
}
