import { untrack } from 'svelte';

import { Dispatcher, SEQUENCE_MS, type Command } from './dispatch';

export const mac = typeof navigator !== 'undefined' && /^Mac/.test(navigator.platform);

const TEXT_INPUTS = new Set(['text', 'search', 'email', 'url', 'tel', 'password', 'number', 'date', 'time', 'datetime-local']);

function inText(target: EventTarget | null): boolean {
  if (target instanceof HTMLTextAreaElement) return true;
  if (target instanceof HTMLInputElement) return TEXT_INPUTS.has(target.type);
  return target instanceof HTMLElement && target.isContentEditable;
}

function onControl(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('button, a[href], summary, select, input, [role="menuitem"], [role="option"]') !== null;
}

/** All commands of the window. Views add theirs while they are shown. */
class Registry {
  #sets = $state.raw<readonly { readonly commands: readonly Command[] }[]>([]);
  #dispatcher = new Dispatcher();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Open dialogs keep the keys for themselves. */
  #dialogs = 0;

  letters = $state(true);
  /** Set while a sequence waits for its second key. */
  hint = $state.raw<readonly Command[]>([]);

  get all(): readonly Command[] {
    return this.#sets.flatMap((set) => set.commands);
  }

  get active(): readonly Command[] {
    return this.all.filter((command) => !command.when || command.when());
  }

  /** Adds commands; the answer takes them away again. */
  add(commands: readonly Command[]): () => void {
    const set = { commands };
    // Reading the list here must not make the caller's effect depend on it.
    untrack(() => { this.#sets = [...this.#sets, set]; });
    return () => untrack(() => { this.#sets = this.#sets.filter((other) => other !== set); });
  }

  holdKeys(): () => void {
    this.#dialogs += 1;
    return () => { this.#dialogs -= 1; };
  }

  run(id: string): void {
    this.active.findLast((command) => command.id === id)?.run();
  }

  keysOf(id: string): string | undefined {
    return this.all.findLast((command) => command.id === id)?.keys?.[0];
  }

  onkeydown = (event: KeyboardEvent): void => {
    if (this.#dialogs > 0 || event.defaultPrevented) return;
    const outcome = this.#dispatcher.press(event, this.all, {
      inText: inText(event.target), onControl: onControl(event.target), letters: this.letters, mac,
    });
    clearTimeout(this.#timer);
    this.hint = outcome.kind === 'pending' ? outcome.next : [];
    if (outcome.kind === 'none') return;
    event.preventDefault();
    if (outcome.kind === 'run') outcome.command.run();
    else this.#timer = setTimeout(() => { this.hint = []; this.#dispatcher.forget(); }, SEQUENCE_MS);
  };
}

export const registry = new Registry();

/** Adds a component's commands for as long as it is mounted. */
export function useCommands(commands: readonly Command[]): void {
  $effect(() => registry.add(commands));
}
