/**
 * Keys as people write them: `j`, `F` (Shift and f), `?`, `Mod+K`, `Shift+F6`, `g q` (one after
 * the other). `Mod` is Ctrl, or Command on a Mac. Letters are matched by meaning, with the place on
 * the keyboard as the way out for layouts that have no Latin letters.
 */

export interface Chord {
  readonly mod: boolean;
  readonly shift: boolean;
  /** `event.key`, letters in lower case. */
  readonly key: string;
}

/** What matching reads of a KeyboardEvent. */
export interface Press {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
  getModifierState(name: string): boolean;
}

const isLetter = (key: string): boolean => /^[a-z]$/i.test(key);
const isSymbol = (key: string): boolean => [...key].length === 1 && !isLetter(key);

function parseChord(text: string): Chord {
  const parts = text === '+' ? ['+'] : text.split('+');
  const name = parts.at(-1) ?? '';
  const key = name === 'Space' ? ' ' : name;
  const upper = isLetter(key) && key !== key.toLowerCase() && parts.length === 1;
  return {
    mod: parts.includes('Mod'),
    shift: parts.includes('Shift') || upper,
    key: isLetter(key) ? key.toLowerCase() : key,
  };
}

/** One chord, or two for a sequence. */
export function parseKeys(spec: string): Chord[] {
  return spec.split(' ').map(parseChord);
}

/** Whether a press means this chord. Symbols may need Shift or AltGr on some layouts, and do not care. */
export function matches(chord: Chord, press: Press, mac: boolean): boolean {
  const symbol = isSymbol(chord.key) && chord.key !== ' ';
  const altGr = press.getModifierState('AltGraph');
  const mod = mac ? press.metaKey : press.ctrlKey;
  const other = mac ? press.ctrlKey : press.metaKey;
  if (other) return false;
  if (press.altKey && !(symbol && altGr)) return false;
  if (chord.mod !== (mod && !altGr)) return false;
  if (!symbol && chord.shift !== press.shiftKey) return false;
  if (isLetter(chord.key)) {
    if (isLetter(press.key)) return press.key.toLowerCase() === chord.key;
    return [...press.key].length === 1 && press.code === `Key${chord.key.toUpperCase()}`;
  }
  return press.key === chord.key;
}

/** Whether the keys would type something into a text field. */
export function typesText(spec: string): boolean {
  const first = parseKeys(spec)[0];
  return first !== undefined && !first.mod && [...first.key].length === 1;
}

const NAMES: Readonly<Record<string, string>> = {
  ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', Escape: 'Esc', ' ': 'Space', Delete: 'Del',
};

/** What is printed on the key caps, one entry a cap. */
export function keyCaps(spec: string, mac: boolean): string[] {
  return parseKeys(spec).flatMap((chord) => {
    const caps: string[] = [];
    if (chord.mod) caps.push(mac ? '⌘' : 'Ctrl');
    if (chord.shift) caps.push(mac ? '⇧' : 'Shift');
    caps.push(NAMES[chord.key] ?? (isLetter(chord.key) ? chord.key.toUpperCase() : chord.key));
    return caps;
  });
}

/** The form that `aria-keyshortcuts` wants. */
export function ariaKeys(spec: string, mac: boolean): string {
  return parseKeys(spec)
    .map((chord) => [chord.mod ? (mac ? 'Meta' : 'Control') : '', chord.shift ? 'Shift' : '', chord.key === ' ' ? 'Space' : chord.key]
      .filter(Boolean).join('+'))
    .join(' ');
}
