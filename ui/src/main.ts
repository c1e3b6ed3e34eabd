import './shared/fonts.css';
import './shared/base.css';
import './shared/tokens.css';

import { mount } from 'svelte';

import type { Host } from './lib/ipc/host';
import { inTauri, tauriHost, tauriOpener } from './lib/ipc/tauri';
import App from './views/shell/App.svelte';
import Outside from './views/shell/Outside.svelte';
import Start from './views/shell/Start.svelte';

/** The invented world is no part of the product: a build for the window leaves it out. */
async function inventedHost(): Promise<Host | null> {
  if (!import.meta.env.DEV && import.meta.env.MODE !== 'fake') return null;
  const { FakeHost, optionsFrom } = await import('./lib/ipc/fake/host');
  return new FakeHost(optionsFrom(location.search));
}

const target = document.getElementById('app');
if (target && inTauri()) {
  mount(Start, { target, props: { host: tauriHost, opener: tauriOpener } });
} else if (target) {
  const host = await inventedHost();
  if (host) mount(App, { target, props: { host } });
  else mount(Outside, { target });
}
