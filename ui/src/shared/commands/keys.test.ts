import { describe, expect, it } from 'vitest';

import { ariaKeys, keyCaps, matches, parseKeys, typesText, type Press } from './keys';

const press = (key: string, more: Partial<Press> & { altGr?: boolean } = {}): Press => ({
  key, code: '', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false,
  getModifierState: (name) => name === 'AltGraph' && more.altGr === true, ...more,
});
const hit = (spec: string, event: Press, mac = false): boolean => {
  const [chord] = parseKeys(spec);
  return chord !== undefined && matches(chord, event, mac);
};

describe('matching', () => {
  it.each<[string, string, Press, boolean]>([
    ['j', 'the letter', press('j'), true],
    ['j', 'the letter under caps lock', press('J'), true],
    ['j', 'the letter with Shift', press('J', { shiftKey: true }), false],
    ['F', 'Shift and the letter', press('F', { shiftKey: true }), true],
    ['F', 'the letter alone', press('f'), false],
    ['j', 'the same place on a Cyrillic layout', press('о', { code: 'KeyJ' }), true],
    ['j', 'another Latin letter in that place', press('h', { code: 'KeyJ' }), false],
    ['?', 'the symbol with whatever Shift it needs', press('?', { shiftKey: true }), true],
    ['[', 'the symbol by AltGr', press('[', { altGr: true, ctrlKey: true, altKey: true }), true],
    ['j', 'a letter by AltGr', press('j', { altGr: true, altKey: true }), false],
    ['Mod+K', 'Ctrl and K', press('k', { ctrlKey: true }), true],
    ['Mod+Enter', 'Ctrl and Enter', press('Enter', { ctrlKey: true }), true],
    ['Enter', 'Ctrl and Enter, for Enter', press('Enter', { ctrlKey: true }), false],
    ['Enter', 'Shift and Enter, for Enter', press('Enter', { shiftKey: true }), false],
    ['Shift+F6', 'Shift and F6', press('F6', { shiftKey: true }), true],
    ['F6', 'Shift and F6, for F6', press('F6', { shiftKey: true }), false],
    ['Space', 'the space bar', press(' '), true],
    ['j', 'Alt and the letter', press('j', { altKey: true }), false],
  ])('%s: %s', (spec, _what, event, want) => {
    expect(hit(spec, event)).toBe(want);
  });

  it('takes Command for Ctrl on a Mac', () => {
    expect(hit('Mod+K', press('k', { metaKey: true }), true)).toBe(true);
    expect(hit('Mod+K', press('k', { ctrlKey: true }), true)).toBe(false);
  });
});

describe('writing', () => {
  it.each([['Mod+Enter', ['Ctrl', 'Enter']], ['g q', ['G', 'Q']], ['F', ['Shift', 'F']], ['ArrowLeft', ['←']], ['?', ['?']], ['+', ['+']]])('%s is %j', (spec, caps) => {
    expect(keyCaps(spec, false)).toEqual(caps);
  });
  it('names keys for screen readers', () => {
    expect(ariaKeys('Mod+Enter', false)).toBe('Control+Enter');
  });
  it.each([['j', true], ['?', true], ['g q', true], ['Space', true], ['Mod+K', false], ['Escape', false], ['F6', false]])('%s types text: %s', (spec, want) => {
    expect(typesText(spec)).toBe(want);
  });
});
