/** Preferences of this window, on this machine. Losing them loses nothing that matters. */
export type Theme = 'system' | 'dark' | 'light';
export type Density = 'compact' | 'normal' | 'roomy';

const KEY = 'makegood.preferences';
export const ROW_HEIGHTS: Readonly<Record<Density, number>> = { compact: 28, normal: 36, roomy: 44 };

interface Kept { theme: Theme; density: Density; letters: boolean }

function read(): Kept {
  const kept: Kept = { theme: 'system', density: 'normal', letters: true };
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    if (typeof found !== 'object' || found === null) return kept;
    if ('theme' in found && (found.theme === 'dark' || found.theme === 'light')) kept.theme = found.theme;
    if ('density' in found && (found.density === 'compact' || found.density === 'roomy')) kept.density = found.density;
    if ('letters' in found && found.letters === false) kept.letters = false;
  } catch {
    // Unreadable preferences are no preferences.
  }
  return kept;
}

class Settings {
  #kept = $state<Kept>(read());

  get theme(): Theme { return this.#kept.theme; }
  set theme(theme: Theme) { this.#kept.theme = theme; this.#save(); }
  get density(): Density { return this.#kept.density; }
  set density(density: Density) { this.#kept.density = density; this.#save(); }
  /** Whether single letters are keys (WCAG 2.1.4). */
  get letters(): boolean { return this.#kept.letters; }
  set letters(letters: boolean) { this.#kept.letters = letters; this.#save(); }

  get rowHeight(): number { return ROW_HEIGHTS[this.#kept.density]; }

  /** What is seen now, also where the system decides. */
  get shownTheme(): 'dark' | 'light' {
    if (this.theme !== 'system') return this.theme;
    return matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
  }

  apply(root: HTMLElement): void {
    if (this.theme === 'system') delete root.dataset['theme'];
    else root.dataset['theme'] = this.theme;
    root.dataset['density'] = this.density;
  }

  #save(): void {
    try {
      localStorage.setItem(KEY, JSON.stringify(this.#kept));
    } catch {
      // A full or forbidden storage must not stop anybody from working.
    }
  }
}

export const settings = new Settings();
