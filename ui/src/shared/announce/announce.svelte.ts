import { untrack } from 'svelte';

/** Words for everyone, once: shown for a while and read out by screen readers. Never the only place of anything. */
export interface Saying {
  readonly id: number;
  readonly text: string;
  readonly urgent: boolean;
  /** Only read out: the same stands somewhere on the screen. */
  readonly unseen: boolean;
}

const SHOWN_MS = 6000;

class Announcer {
  shown = $state.raw<readonly Saying[]>([]);
  #last = 0;

  /** Polite: waits until the reader pauses. */
  say(text: string): void {
    this.#add(text, false, false);
  }

  /** Interrupts: something was refused, failed, or is unknown. */
  warn(text: string): void {
    this.#add(text, true, false);
  }

  /** For ears only, where the eyes have it already. */
  tell(text: string, urgent: boolean): void {
    this.#add(text, urgent, true);
  }

  dismiss(id: number): void {
    untrack(() => { this.shown = this.shown.filter((saying) => saying.id !== id); });
  }

  #add(text: string, urgent: boolean, unseen: boolean): void {
    this.#last += 1;
    const id = this.#last;
    // Effects announce: they must not come to depend on what was announced.
    untrack(() => { this.shown = [...this.shown.slice(-2), { id, text, urgent, unseen }]; });
    setTimeout(() => this.dismiss(id), urgent ? 2 * SHOWN_MS : SHOWN_MS);
  }
}

export const announce = new Announcer();
