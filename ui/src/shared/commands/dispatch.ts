import { matches, parseKeys, typesText, type Press } from './keys';

/** Something a person can do. The same entry feeds keys, palette, key map and button hints. */
export interface Command {
  readonly id: string;
  readonly title: string;
  readonly group: CommandGroup;
  /** Any of these; the first is shown. */
  readonly keys?: readonly string[];
  /** Whether it makes sense now; without it, always. */
  readonly when?: () => boolean;
  readonly run: () => void;
  /** A held key repeats it, as for moving in a list. Everything else ignores repeats. */
  readonly repeats?: boolean;
  /** Not offered in the palette: only sensible as a key. */
  readonly keyOnly?: boolean;
}

export type CommandGroup = 'Go to' | 'Queue' | 'Case' | 'Evidence' | 'Act' | 'Write' | 'Window';

export interface KeyPress extends Press {
  readonly repeat: boolean;
  readonly isComposing: boolean;
  /** Milliseconds on the event clock. */
  readonly timeStamp: number;
}

export interface KeyContext {
  /** Focus is where typing makes text. */
  readonly inText: boolean;
  /** Focus is on a control that has its own use for Enter and Space. */
  readonly onControl: boolean;
  /** Single letters and sequences may be used (WCAG 2.1.4: they can be switched off). */
  readonly letters: boolean;
  readonly mac: boolean;
}

export const SEQUENCE_MS = 1200;

/** What a press came to: a command, the beginning of a sequence, or nothing. */
export type Outcome =
  | { readonly kind: 'run'; readonly command: Command }
  | { readonly kind: 'pending'; readonly next: readonly Command[] }
  | { readonly kind: 'none' };

const NONE: Outcome = { kind: 'none' };

function usable(spec: string, context: KeyContext): boolean {
  if (typesText(spec) && (context.inText || (!context.letters && spec !== 'Space'))) return false;
  if (context.onControl && (spec === 'Enter' || spec === 'Space')) return false;
  return !(context.inText && (spec === 'Enter' || spec.startsWith('Arrow') || spec === 'Home' || spec === 'End'));
}

/** Turns presses into commands. Later commands win over earlier ones with the same key. */
export class Dispatcher {
  #pending: { press: Press; at: number } | null = null;

  press(event: KeyPress, commands: readonly Command[], context: KeyContext): Outcome {
    if (event.isComposing || ['Shift', 'Control', 'Alt', 'Meta', 'AltGraph', 'Dead', 'Process'].includes(event.key)) return NONE;
    const before = this.#pending;
    this.#pending = null;
    const active = commands.filter((command) => !command.when || command.when()).reverse();
    if (before && event.timeStamp - before.at <= SEQUENCE_MS) {
      const second = active.find((command) => this.#sequence(command, before.press, event, context));
      if (second) return event.repeat ? NONE : { kind: 'run', command: second };
    }
    const single = active.find((command) => (command.keys ?? []).some((spec) => {
      const chords = parseKeys(spec);
      return chords.length === 1 && chords[0] !== undefined && usable(spec, context) && matches(chords[0], event, context.mac);
    }));
    if (single) return event.repeat && !single.repeats ? NONE : { kind: 'run', command: single };
    const next = active.filter((command) => (command.keys ?? []).some((spec) => {
      const chords = parseKeys(spec);
      return chords.length === 2 && chords[0] !== undefined && usable(spec, context) && matches(chords[0], event, context.mac);
    }));
    if (next.length === 0 || event.repeat) return NONE;
    this.#pending = { press: event, at: event.timeStamp };
    return { kind: 'pending', next: next.reverse() };
  }

  forget(): void {
    this.#pending = null;
  }

  #sequence(command: Command, first: Press, second: Press, context: KeyContext): boolean {
    return (command.keys ?? []).some((spec) => {
      const [one, two] = parseKeys(spec);
      return one !== undefined && two !== undefined && usable(spec, context)
        && matches(one, first, context.mac) && matches(two, second, context.mac);
    });
  }
}

/** Commands whose words contain all words typed, those that start with them first. */
export function search(commands: readonly Command[], typed: string): Command[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (command: Command): string => `${command.title} ${command.group}`.toLowerCase();
  return commands
    .filter((command) => !command.keyOnly && words.every((word) => text(command).includes(word)))
    .map((command, index) => ({ command, index, starts: text(command).startsWith(words[0] ?? '') }))
    .sort((a, b) => Number(b.starts) - Number(a.starts) || a.index - b.index)
    .map(({ command }) => command);
}
