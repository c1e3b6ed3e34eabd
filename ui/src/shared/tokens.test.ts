import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

const css = readFileSync('src/shared/tokens.css', 'utf8');
const tokens = new Map([...css.matchAll(/--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)]
  .map(([, name = '', light = '', dark = '']) => [name, { light, dark }]));

/** Relative luminance by the WCAG formula. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

const GROUNDS = ['bg', 'surface', 'raised', 'selected'];
const TEXT: readonly [string, readonly string[]][] = [
  ['text', [...GROUNDS, 'sunken', 'hover', 'bad-tint', 'warn-tint', 'info-tint']],
  ['muted', [...GROUNDS, 'sunken', 'hover']],
  ['faint', GROUNDS],
  ['accent', ['bg', 'surface', 'selected']],
  ['on-accent', ['accent']],
  ['on-danger', ['danger']],
  ['info', ['info-tint', 'bg', 'surface']],
  ['ok', ['ok-tint', 'bg', 'surface', 'selected']],
  ['warn', ['warn-tint', 'bg', 'surface', 'selected']],
  ['bad', ['bad-tint', 'bg', 'surface', 'selected']],
  ['credits', ['credits-tint', 'bg', 'surface', 'selected']],
];
const EDGES: readonly [string, readonly string[]][] = [['control', ['bg', 'surface', 'raised']], ['focus', GROUNDS]];

describe('tokens', () => {
  const pairs = (table: typeof TEXT): [string, string, 'light' | 'dark'][] => table.flatMap(([name, grounds]) =>
    grounds.flatMap((ground) => (['light', 'dark'] as const).map((theme): [string, string, 'light' | 'dark'] => [name, ground, theme])));

  it.each(pairs(TEXT))('%s on %s reads in %s', (name, ground, theme) => {
    expect(contrast(tokens.get(name)?.[theme] ?? '', tokens.get(ground)?.[theme] ?? '')).toBeGreaterThanOrEqual(4.5);
  });

  it.each(pairs(EDGES))('%s is seen on %s in %s', (name, ground, theme) => {
    expect(contrast(tokens.get(name)?.[theme] ?? '', tokens.get(ground)?.[theme] ?? '')).toBeGreaterThanOrEqual(3);
  });

  it('knows black on white', () => {
    expect(contrast('#000000', '#ffffff')).toBeCloseTo(21);
  });
});
